package lifecycle

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
)

// audited are the orgs of an audit with how many layers each of them has.
func audited(a finding.Audit) map[string]int {
	out := map[string]int{}
	for _, o := range a.Orgs {
		out[o.Org] = o.Layers
	}
	return out
}

// unread are the places that an audit could not read.
func unread(a finding.Audit) (out []string) {
	for _, u := range a.Unread {
		out = append(out, strings.TrimRight(u.Org+" "+u.Layer, " "))
	}
	return out
}

func TestAnAuditReadsTheOrgsThatItIsAskedAbout(t *testing.T) {
	start := twoOrgs(t)
	for reason, tc := range map[string]struct {
		asked  AuditOptions
		before func(*place)
		about  string
		live   bool
		orgs   map[string]int // with how many layers
		unread []string
	}{
		"every org, with its account": {
			AuditOptions{}, func(*place) {}, finding.EveryOrg, true, map[string]int{"acme": 4, "globex": 4}, nil,
		},
		"every org, from its states only": {
			AuditOptions{Stored: true}, func(p *place) {
				p.world.Fail(lifecycletest.Fault{On: lifecycletest.Inventory, Times: -1, Err: errors.New("no answer")})
			}, finding.EveryOrg, false, map[string]int{"acme": 4, "globex": 4}, nil,
		},
		"one org": {AuditOptions{Orgs: []string{"globex"}}, func(*place) {}, "globex", true, map[string]int{"globex": 4}, nil},
		"two, by name": {
			AuditOptions{Orgs: []string{"globex", "acme"}}, func(*place) {}, "globex,acme", true, map[string]int{"acme": 4, "globex": 4}, nil,
		},
		"an org that is offboarded is left out": {
			AuditOptions{}, func(p *place) { must[event.Offboarding](t)(p.here().offboard("acme")) },
			finding.EveryOrg, true, map[string]int{"globex": 4}, nil,
		},
		"a state that cannot be read is not one with nothing in it": {
			AuditOptions{}, func(p *place) {
				p.world.Fail(lifecycletest.Fault{On: lifecycletest.State, Layer: plan.LayerCluster, Times: -1, Err: errors.New("no answer")})
			}, finding.EveryOrg, true, map[string]int{"acme": 4, "globex": 4}, []string{"acme cluster", "globex cluster"},
		},
		"an account that cannot be listed is not an empty one": {
			AuditOptions{Orgs: []string{"acme"}}, func(p *place) {
				p.world.Fail(lifecycletest.Fault{On: lifecycletest.Inventory, Times: -1, Err: errors.New("no answer")})
			}, "acme", true, map[string]int{"acme": 4}, []string{"acme"},
		},
		"each list of shares that is refused is not an empty one": {
			AuditOptions{Orgs: []string{"acme"}}, func(p *place) {
				p.world.Fail(lifecycletest.Fault{On: lifecycletest.Shares, Times: -1, Err: errors.Join(errors.New("list of secrets: no"), errors.New("list of queues: no"))})
			}, "acme", true, map[string]int{"acme": 4}, []string{"acme", "acme"},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			p := start.copied(t)
			tc.before(p)
			proc := p.here()
			got := must[finding.Audit](t)(proc.Audit(t.Context(), tc.asked))
			if got.Org != tc.about || got.Live != tc.live {
				t.Errorf("about %q, live %t, want %q, %t", got.Org, got.Live, tc.about, tc.live)
			}
			if diff := cmp.Diff(tc.orgs, audited(got)); diff != "" {
				t.Errorf("orgs and their layers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.unread, unread(got)); diff != "" || got.Complete() != (tc.unread == nil) {
				t.Errorf("unread, complete %t (-want +got):\n%s", got.Complete(), diff)
			}
			if len(got.Shared) > 0 || len(got.Edges) > 0 {
				t.Errorf("two orgs that share nothing share %v, and lead to each other by %v", got.Shared, got.Edges)
			}
			if got := proc.Writes(); len(got) > 0 {
				t.Errorf("it wrote: %v", got)
			}
		})
	}
}

func TestAnAuditIsRefusedForOrgsOfWhichNothingIsThere(t *testing.T) {
	p := onboarded(t)
	must[event.Offboarding](t)(p.here().offboard("acme"))
	_, err := p.here().Audit(t.Context(), AuditOptions{Orgs: []string{"acme"}})
	refused(t, err, ErrInvalid, "acme: invalid request: the org is offboarded")
	_, err = p.here().Audit(t.Context(), AuditOptions{Orgs: []string{"nobody"}})
	refused(t, err, ErrInvalid, `unknown org "nobody"`)
	got := must[finding.Audit](t)(p.here().Audit(t.Context(), AuditOptions{}))
	if len(got.Orgs) > 0 || !got.Complete() {
		t.Errorf("a registry with no living org: %+v", got)
	}
}

func TestAnAuditCallsUnreadWhatItsCredentialsCannotSee(t *testing.T) {
	p := twoOrgs(t)
	got := must[finding.Audit](t)(p.stranger().Audit(t.Context(), AuditOptions{}))
	if diff := cmp.Diff([]string{"acme", "globex"}, unread(got)); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
	for _, u := range got.Unread {
		if !strings.Contains(u.Message, "sign in to account "+lifecycletest.ManagementAccount) {
			t.Errorf("%s does not say what to do: %s", u.Org, u.Message)
		}
	}
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Identity, Err: errors.New("ExpiredToken")})
	if _, err := p.here().Audit(t.Context(), AuditOptions{}); err == nil || !strings.Contains(err.Error(), "ask the cloud who we are: ExpiredToken") {
		t.Errorf("without credentials: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.here().Audit(cancelled, AuditOptions{}); !errors.Is(err, ErrCancelled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A layer that was begun and of which nothing is there has no state to miss.
func TestAnAuditReadsOnlyTheLayersThatAreThere(t *testing.T) {
	for reason, tc := range map[string]struct {
		made, layers int
	}{
		"nothing was made of the cluster":     {0, 2},
		"something was, before the run ended": {2, 3},
	} {
		t.Run(reason, func(t *testing.T) {
			p := newPlace(t)
			p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Made: tc.made, Err: errors.New("no")})
			if _, err := p.here().onboard(document(t)); err == nil {
				t.Fatal("the fault was not met")
			}
			got := must[finding.Audit](t)(p.here().Audit(t.Context(), AuditOptions{}))
			if diff := cmp.Diff(map[string]int{"acme": tc.layers}, audited(got)); diff != "" || !got.Complete() {
				t.Errorf("unread %v; layers (-want +got):\n%s", got.Unread, diff)
			}
			unfinished := got.Orgs[0].Unfinished
			if len(unfinished) != 3 || !strings.HasPrefix(unfinished[0], "its last operation failed") ||
				!strings.HasPrefix(unfinished[1], "cluster: its last run failed") || unfinished[2] != "bootstrap: it was never made" {
				t.Errorf("unfinished: %q", unfinished)
			}
		})
	}
}

// A network that another org owns, in a route of acme's, leads out of acme.
func TestAnAuditFindsWhatLeadsFromOneOrgToAnother(t *testing.T) {
	p := twoOrgs(t)
	theirs := ""
	for _, thing := range p.world.Things(vpcType) {
		if thing.Where == p.world.AccountOf("aws+globex@example.com") {
			theirs = thing.ID
		}
	}
	proc := p.here()
	proc.Service.Engine = archive{proc.Process.Engine(), map[string]string{
		"acme.cluster": `{"deployment":{"resources":[{"urn":"urn:pulumi:a::b::aws:ec2/vpcPeeringConnection:VpcPeeringConnection::p","custom":true,` +
			`"type":"aws:ec2/vpcPeeringConnection:VpcPeeringConnection","id":"pcx-0123456789abcdef0",` +
			`"inputs":{"peerVpcId":"` + theirs + `"},"outputs":{"peerVpcId":"` + theirs + `"}}]}}`,
		"globex.cluster": `{"deployment":{"resources":[{"urn":"urn:pulumi:a::b::aws:ec2/vpc:Vpc::network","custom":true,` +
			`"type":"aws:ec2/vpc:Vpc","id":"` + theirs + `","inputs":{},"outputs":{}}]}}`,
	}}
	got := must[finding.Audit](t)(proc.Audit(t.Context(), AuditOptions{Orgs: []string{"acme"}, Stored: true}))
	if len(got.Edges) == 0 || got.Edges[0].From.Org != "acme" || got.Edges[0].To.Org != "globex" || got.Edges[0].Value != theirs {
		t.Errorf("edges: %+v", got.Edges)
	}
}
