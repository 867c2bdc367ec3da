package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
)

// elsewhere is a cloud whose credentials belong to another management account.
type elsewhere struct{ *lifecycletest.Cloud }

func (elsewhere) Identity(context.Context) (cloud.Identity, error) {
	return cloud.Identity{AccountID: "999999999999", ARN: "arn:aws:iam::999999999999:role/other"}, nil
}

// stranger is a process with such credentials.
func (p *place) stranger() *process {
	p.t.Helper()
	proc := p.here()
	proc.Service.Cloud = elsewhere{proc.Process.Cloud()}
	return proc
}

// observed says in one line each what was found, but for what the rules say:
// the world's resources are too small for them.
func observed(found []finding.Finding) (lines []string) {
	for _, f := range found {
		if f.Kind == finding.Violated {
			continue
		}
		line := string(f.Kind) + " " + f.Type + " " + f.Name
		for _, d := range f.Differences {
			line += ": " + d.Path + " " + d.Want + " -> " + d.Have
		}
		lines = append(lines, line)
	}
	return lines
}

func TestDriftIsWhatSomebodyDidByHand(t *testing.T) {
	start := onboarded(t, "network: {nat: one}")
	address := start.world.Things(addressType)[0]
	for reason, tc := range map[string]struct {
		hand func(*place)
		want []string
	}{
		"nobody did anything": {func(*place) {}, nil},
		"somebody edited a thing": {
			func(p *place) {
				p.world.Edit(addressType, address.ID, func(thing *lifecycletest.Thing) { thing.Inputs["domain"] = "standard" })
			},
			[]string{`changed aws:ec2/eip:Eip network-nat-eu-west-1a: domain "vpc" -> "standard"`},
		},
		"somebody took a thing": {
			func(p *place) { p.world.Take(addressType, address.ID) },
			[]string{"missing aws:ec2/eip:Eip network-nat-eu-west-1a"},
		},
		"somebody made a thing": {
			func(p *place) { p.stray("somebody-elses") },
			[]string{"unmanaged aws:s3/bucketV2:BucketV2 somebody-elses"},
		},
		"a workload made a thing": {
			func(p *place) {
				p.world.Put(lifecycletest.Thing{
					Where: p.world.AccountOf("aws+acme@example.com"), Type: "aws:ebs/volume:Volume", ID: "vol-1", Name: "data", ByWorkload: true,
				})
			}, nil,
		},
		"a layer cannot be read, and so nothing is called unmanaged": {
			func(p *place) {
				p.stray("somebody-elses")
				p.world.Fail(lifecycletest.Fault{On: lifecycletest.PreviewRefresh, Layer: plan.LayerCluster, Err: errors.New("no answer")})
			},
			[]string{"unreadable layer cluster"},
		},
		"the backend does not say whether a layer is there": {
			func(p *place) {
				p.world.Fail(lifecycletest.Fault{On: lifecycletest.Stat, Layer: plan.LayerBoundary, Err: lifecycletest.UnreachableError("acme", plan.LayerBoundary)})
			},
			[]string{"unreadable layer boundary"},
		},
		"the cluster cannot be reached": {
			func(p *place) {
				p.world.Fail(lifecycletest.Fault{On: lifecycletest.Kubeconfig, Err: errors.New("no answer")})
			},
			[]string{"unreadable layer bootstrap"},
		},
		"the account cannot be listed": {
			func(p *place) {
				p.stray("somebody-elses")
				p.world.Fail(lifecycletest.Fault{On: lifecycletest.Inventory, Err: errors.New("no answer")})
			},
			[]string{"unreadable inventory acme"},
		},
		"somebody lets another account use what no inventory shows": {
			func(p *place) { p.lends("signer-partner", "410987654321") },
			[]string{"unmanaged aws:signer/signingProfilePermission:SigningProfilePermission signer-partner"},
		},
		"somebody lets the account itself use it": {
			func(p *place) { p.lends("signer-own", p.world.AccountOf("aws+acme@example.com")) }, nil,
		},
		"what is shared cannot be listed, and the rest is": {
			func(p *place) {
				p.stray("somebody-elses")
				p.world.Fail(lifecycletest.Fault{On: lifecycletest.Shares, Err: errors.New("no answer")})
			},
			[]string{"unreadable inventory acme", "unmanaged aws:s3/bucketV2:BucketV2 somebody-elses"},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			p := start.copied(t)
			tc.hand(p)
			proc := p.here()
			got := must[event.Drift](t)(proc.Drift(t.Context(), "acme", nil))
			if diff := cmp.Diff(tc.want, observed(got.Findings)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			unread := slices.ContainsFunc(got.Findings, func(f finding.Finding) bool { return f.Kind == finding.Unreadable })
			if got.Complete() == unread {
				t.Errorf("complete: %t, with something unread: %t", got.Complete(), unread)
			}
			for _, l := range got.Layers {
				if want := "unreadable layer " + l.Layer; (l.State == dataplane.Failed) != slices.Contains(tc.want, want) || (l.Error != "") != (l.State == dataplane.Failed) {
					t.Errorf("layer %+v, and found was %v", l, tc.want)
				}
			}
			if diff := cmp.Diff([]lifecycletest.Write{{To: "registry", What: "drift", Name: "acme"}}, proc.Writes()); diff != "" {
				t.Errorf("it wrote more than its report (-want +got):\n%s", diff)
			}
			reports, err := p.here().registryOf("acme").Drifts(t.Context(), 1)
			if err != nil || len(reports) != 1 {
				t.Fatalf("%d reports, %v", len(reports), err)
			}
			if diff := cmp.Diff(observed(got.Findings), observed(reports[0].Findings)); diff != "" {
				t.Errorf("the report that is kept (-want +got):\n%s", diff)
			}
		})
	}
}

// lends puts a permission to sign into acme's account, for whom it says.
func (p *place) lends(name, principal string) {
	p.world.Put(lifecycletest.Thing{
		Where: p.world.AccountOf("aws+acme@example.com"), Type: awstype.SignerPermission, ID: name, Name: name, Inputs: map[string]any{"principal": principal},
	})
}

// Drift is looked for on a schedule: it must neither wait for a deploy nor hold one up.
func TestDriftIsLookedForWhileAnOperationHoldsTheOrg(t *testing.T) {
	p := onboarded(t)
	var shown []event.Event
	err := p.here().holding(t, "acme", func(ctx context.Context, _ *run) error {
		beside := p.start(lifecycletest.Machine{Name: "b"})
		got, err := beside.Drift(ctx, "acme", func(ev event.Event) { shown = append(shown, ev) })
		if found := observed(got.Findings); found != nil || len(got.Layers) != 4 {
			t.Errorf("found %v in layers %v", found, got.Layers)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[event.Type]int{}
	for _, ev := range shown {
		got[ev.Type]++
		if ev.Operation != "" || ev.Seq != 0 || ev.Kind != "drift" || ev.Org != "acme" {
			t.Errorf("an event of no operation: %+v", ev)
		}
	}
	if diff := cmp.Diff(map[event.Type]int{event.LayerStarted: 4, event.LayerFinished: 4}, got); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]event.Type{event.OperationSucceeded, event.OperationSucceeded}, p.ends("acme")); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}

func TestDriftIsRefusedToWhoCannotSeeTheOrg(t *testing.T) {
	p := onboarded(t)
	_, err := p.stranger().Drift(t.Context(), "acme", nil)
	refused(t, err, ErrInvalid, "the org was onboarded from account "+lifecycletest.ManagementAccount)
	_, err = p.here().Drift(t.Context(), "nobody", nil)
	refused(t, err, ErrInvalid, "unknown org")
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Identity, Err: errors.New("ExpiredToken")})
	if _, err = p.here().Drift(t.Context(), "acme", nil); err == nil {
		t.Error("it ran without credentials")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	proc := p.here()
	_, err = proc.Drift(cancelled, "acme", func(ev event.Event) { cancel() })
	if !errors.Is(err, ErrCancelled) {
		t.Errorf("cancelled while it reads: %v", err)
	}
}

func TestAnOrgThatIsGoneHasNoDrift(t *testing.T) {
	p := onboarded(t)
	must[event.Offboarding](t)(p.here().offboard("acme"))
	for who, proc := range map[string]*process{"its owner": p.here(), "anybody": p.stranger()} {
		got := must[event.Drift](t)(proc.Drift(t.Context(), "acme", nil))
		if len(got.Findings) > 0 {
			t.Errorf("%s: %v", who, got.Findings)
		}
		for _, l := range got.Layers {
			if l.State != dataplane.NotStarted {
				t.Errorf("%s: layer %s is %s", who, l.Layer, l.State)
			}
		}
	}
}

// What was never made differs from nothing: "no drift" would say that the org is
// as it was asked for.
func TestAnOrgWhoseOperationNeverEndedSaysSo(t *testing.T) {
	no := errors.New("no")
	onboarding := func(t *testing.T, f lifecycletest.Fault) *place {
		p := newPlace(t)
		p.world.Fail(f)
		if _, err := p.here().onboard(document(t)); err == nil {
			t.Fatal("the fault was not met")
		}
		return p
	}
	killed := func(t *testing.T, p *place, after func(lifecycletest.Write) bool, run func(*process) error) *place {
		whole := p.copied(t).here()
		if err := run(whole); err != nil {
			t.Fatal(err)
		}
		proc := p.here()
		proc.KillAfter(1 + slices.IndexFunc(whole.Writes(), after))
		if err := run(proc); err == nil || !proc.Killed() {
			t.Fatalf("it was not killed: %v", err)
		}
		return p
	}
	onboard := func(p *process) error { _, err := p.onboard(document(t)); return err }
	offboard := func(p *process) error { _, err := p.offboard("acme"); return err }
	for reason, tc := range map[string]struct {
		from   func(t *testing.T) *place
		states string
		want   []string
	}{
		"the account layer failed": {
			func(t *testing.T) *place {
				return onboarding(t, lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerAccount, Err: no})
			},
			"not-started not-started not-started not-started",
			[]string{"unfinished org acme", "unfinished layer account", "unfinished layer boundary", "unfinished layer cluster", "unfinished layer bootstrap"},
		},
		"a layer was never begun": {
			func(t *testing.T) *place {
				return onboarding(t, lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Err: no})
			},
			"done done not-started not-started",
			[]string{"unfinished org acme", "unfinished layer cluster", "unfinished layer bootstrap"},
		},
		"it was killed in the cluster layer": {
			func(t *testing.T) *place {
				return killed(t, newPlace(t), func(w lifecycletest.Write) bool { return w.To == "state" && w.Of == vpcType }, onboard)
			},
			"done done done not-started",
			[]string{"unfinished org acme", "unfinished layer cluster", "unfinished layer bootstrap"},
		},
		"it was killed when all was made": {
			func(t *testing.T) *place {
				p := onboarded(t)
				proc := p.here()
				if err := proc.holding(t, "acme", func(ctx context.Context, r *run) error {
					_, d, err := r.remembered(ctx, "acme")
					return errors.Join(err, r.putOrg(ctx, d, dataplane.OrgOnboarding))
				}); err != nil {
					t.Fatal(err)
				}
				return p
			},
			"done done done done", []string{"unfinished org acme"},
		},
		"its offboarding was killed": {
			func(t *testing.T) *place {
				return killed(t, onboarded(t), func(w lifecycletest.Write) bool { return w.To == "cloud" && w.Of == vpcType }, offboard)
			},
			"done done done not-started",
			[]string{"unfinished org acme", "unfinished layer cluster", "unfinished layer bootstrap"},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			p := tc.from(t)
			got := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))
			var states []string
			for _, l := range got.Layers {
				states = append(states, l.State)
			}
			if diff := cmp.Diff(tc.states, strings.Join(states, " ")); diff != "" {
				t.Errorf("layers (-want +got):\n%s", diff)
			}
			var said []string
			for _, f := range got.Findings {
				if f.Kind == finding.Unfinished {
					said = append(said, "unfinished "+f.Type+" "+f.Name)
					if f.Message == "" || f.Type == "layer" && f.Layer != f.Name {
						t.Errorf("%+v", f)
					}
				}
			}
			if diff := cmp.Diff(tc.want, said); diff != "" || !got.Drifted() {
				t.Errorf("drifted: %t; said (-want +got):\n%s", got.Drifted(), diff)
			}
		})
	}
}
