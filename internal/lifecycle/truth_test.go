package lifecycle

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
)

const (
	addressType = "aws:ec2/eip:Eip"
	allDone     = "done done done done"
)

func TestAnOrgIsMadeOnceAndThenLeftAlone(t *testing.T) {
	p := newPlace(t)
	first := must[event.Onboarding](t)(p.here().onboard(document(t, "projects: [{name: shop}]")))
	if !first.Changed || len(first.Layers) != 4 || first.DataPlane.VPCID == "" || first.Operation == "" {
		t.Errorf("the first onboard: %+v", first)
	}
	writes := len(p.world.Things(""))
	second := must[event.Onboarding](t)(p.here().onboard(document(t, "projects: [{name: shop}]")))
	if second.Changed {
		t.Errorf("the second onboard changed something: %+v", second)
	}
	if n := len(p.world.Things("")); n != writes {
		t.Errorf("%d things after the second onboard, %d before", n, writes)
	}
	if got := p.states("acme"); got != allDone {
		t.Errorf("layers: %s", got)
	}
	if diff := cmp.Diff([]event.Type{event.OperationSucceeded, event.OperationSucceeded}, p.ends("acme")); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
	for _, c := range p.claimed("acme") {
		if !strings.HasSuffix(c, "!") {
			t.Errorf("everything is made, and %s is still only foreseen", c)
		}
	}
}

// Whoever has the registry and not the states must not take the one for the other.
func TestStatesThatAreMissingAreNotAnOrgThatIsGone(t *testing.T) {
	for reason, lose := range map[string]func(*place) lifecycletest.Machine{
		"the backend has lost them": func(p *place) lifecycletest.Machine {
			p.world.LoseStates()
			return lifecycletest.Machine{Name: "a"}
		},
		"another backend was named": func(*place) lifecycletest.Machine {
			return lifecycletest.Machine{Name: "b", Backend: "another"}
		},
		"the backend does not answer": func(p *place) lifecycletest.Machine {
			p.world.Fail(lifecycletest.Fault{On: lifecycletest.Stat, Times: -1, Err: lifecycletest.UnreachableError("acme", plan.LayerAccount)})
			return lifecycletest.Machine{Name: "a"}
		},
	} {
		for use, run := range map[string]func(*process) error{
			"offboard": func(p *process) error { _, err := p.offboard("acme"); return err },
			"onboard": func(p *process) error {
				_, err := p.onboard(document(t, "projects: [{name: shop, deletionPolicy: Delete}]"))
				return err
			},
			"onboard without a project": func(p *process) error { _, err := p.onboard(document(t)); return err },
			"plan": func(p *process) error {
				_, err := p.Plan(p.Context(), document(t), PlanOptions{}, nil)
				return err
			},
			"projects remove": func(p *process) error {
				_, err := p.ChangeProjects(p.Context(), "acme", ProjectChange{Remove: "shop"}, Call{}, nil)
				return err
			},
			"release": func(p *process) error { _, err := p.ReleaseClaims(p.Context(), "acme", nil); return err },
		} {
			t.Run(reason+": "+use, func(t *testing.T) {
				p := onboarded(t, "projects: [{name: shop, deletionPolicy: Delete}]")
				m := lose(p)
				before := p.world.Things("")
				claims := p.claimed("acme")
				err := run(p.start(m))
				if !errors.Is(err, dataplane.ErrStateMissing) && !errors.Is(err, engine.ErrUnreachable) {
					t.Fatalf("got %v, want a refusal, because what is there is unknown", err)
				}
				if diff := cmp.Diff(before, p.world.Things("")); diff != "" {
					t.Errorf("something was touched (-before +after):\n%s", diff)
				}
				if p.world.Closed(p.world.AccountOf("aws+acme@example.com")) {
					t.Error("the account was closed over a living cluster")
				}
				_, layers := p.org("acme")
				for l, rec := range layers {
					if rec.State != dataplane.Done || len(rec.Outputs) == 0 {
						t.Errorf("layer %s is recorded as %s with outputs %v", l, rec.State, rec.Outputs)
					}
				}
				if diff := cmp.Diff(claims, p.claimed("acme")); diff != "" {
					t.Errorf("claims (-before +after):\n%s", diff)
				}
			})
		}
	}
}

func TestARegistryThatIsMissingIsNotAnOrgThatIsNew(t *testing.T) {
	p := onboarded(t)
	before := p.world.Things("")
	empty := &place{t: t, world: p.world, file: filepath.Join(t.TempDir(), "registry.db")}
	_, err := empty.here().onboard(document(t))
	refused(t, err, dataplane.ErrRecordMissing, "the backend has stack acme.account, and the registry knows no org acme")
	if diff := cmp.Diff(before, p.world.Things("")); diff != "" {
		t.Errorf("something was touched (-before +after):\n%s", diff)
	}
	if got := empty.claimed("acme"); len(got) > 0 {
		t.Errorf("claimed: %v", got)
	}
}

func TestDriftAndAuditCallStatesThatAreMissingUnread(t *testing.T) {
	p := onboarded(t)
	p.world.LoseStates()
	d := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))
	if d.Complete() {
		t.Errorf("drift calls it complete: %+v", d)
	}
	for _, l := range d.Layers {
		if l.State == dataplane.NotStarted {
			t.Errorf("layer %s counts as never made", l.Layer)
		}
	}
	a := must[finding.Audit](t)(p.here().Audit(t.Context(), AuditOptions{Stored: true}))
	if a.Complete() {
		t.Errorf("audit calls it complete: %+v", a)
	}
}

func TestALayerThatWasSkippedIsNotRecordedAsRemoved(t *testing.T) {
	p := newPlace(t)
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Err: errors.New("no")})
	if _, err := p.here().onboard(document(t)); err == nil {
		t.Fatal("the fault was not met")
	}
	out := must[event.Offboarding](t)(p.here().offboard("acme"))
	var got []string
	for _, l := range out.Layers {
		got = append(got, l.Layer+" "+l.State)
	}
	if diff := cmp.Diff([]string{"bootstrap skipped", "cluster skipped", "boundary removed", "account removed"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, layers := p.org("acme")
	if _, recorded := layers["bootstrap"]; recorded || layers["cluster"].State == dataplane.Removed {
		t.Errorf("bootstrap is recorded: %v; cluster is %s", recorded, layers["cluster"].State)
	}
	if !out.AccountClosed || !p.world.Closed(out.DataPlane.AccountID) {
		t.Errorf("the account: %+v", out)
	}
}

// A layer stays unclean whatever other operations come between.
func TestALayerIsUncleanUntilItWasItselfLookedThrough(t *testing.T) {
	one, three := "network: {nat: one}", "network: {nat: per-zone}"
	for n := 1; ; n++ {
		p := onboarded(t, one, "projects: [{name: shop}]")
		p.world.LeaveNoPending()
		killed := p.here()
		killed.KillAfter(n)
		_, err := killed.onboard(document(t, three, "projects: [{name: shop}]"))
		if err == nil {
			if n < 10 {
				t.Fatalf("the run ended after %d writes", n)
			}
			return
		}
		// What comes between runs the bootstrap layer, and says nothing about the cluster.
		fresh := document(t, "projects: [{name: fresh}]").Projects[0]
		between := p.here()
		if _, err := between.ChangeProjects(between.Context(), "acme", ProjectChange{Add: &fresh}, Call{}, nil); err != nil {
			t.Fatalf("killed after %d writes: projects add: %v", n, err)
		}
		must[event.Onboarding](t)(p.here().onboard(document(t, three, "projects: [{name: shop}, {name: fresh}]")))
		if got := len(p.world.Things(addressType)); got != 3 {
			t.Fatalf("killed after %d writes: %d addresses, want 3", n, got)
		}
		if got := p.states("acme"); got != allDone {
			t.Fatalf("killed after %d writes: %s", n, got)
		}
	}
}

func TestAFailedFirstOnboardPinsNothing(t *testing.T) {
	for reason, tc := range map[string]struct {
		layer  plan.Layer
		made   int      // how many resources the layer had made
		fixed  []string // what the corrected document has
		pinned string   // the field that is refused; empty: none
	}{
		"everything, with its policies only": {plan.LayerAccount, 1, []string{"region: eu-central-1", "account: {email: aws+right@example.com}", "network: {cidr: 10.7.0.0/16}"}, ""},
		"the e-mail, with its account":       {plan.LayerAccount, 2, []string{"account: {email: aws+right@example.com}"}, "account.email"},
		"everything, before the account":     {plan.LayerAccount, 0, []string{"region: eu-central-1", "account: {email: aws+right@example.com}", "network: {cidr: 10.7.0.0/16}"}, ""},
		"region and CIDR, once it was made":  {plan.LayerBoundary, 0, []string{"region: eu-central-1", "network: {cidr: 10.7.0.0/16}"}, ""},
		"the e-mail, once it was made":       {plan.LayerBoundary, 0, []string{"account: {email: aws+right@example.com}"}, "account.email"},
		"the CIDR, before a network":         {plan.LayerCluster, 0, []string{"network: {cidr: 10.7.0.0/16}"}, ""},
		"the region, once a role was made":   {plan.LayerCluster, 0, []string{"region: eu-central-1"}, "region"},
		"the CIDR, once a network was begun": {plan.LayerBootstrap, 0, []string{"network: {cidr: 10.7.0.0/16}"}, "network.cidr"},
	} {
		t.Run(reason, func(t *testing.T) {
			p := newPlace(t)
			p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: tc.layer, Made: tc.made, Err: errors.New("no")})
			if _, err := p.here().onboard(document(t)); err == nil {
				t.Fatal("the fault was not met")
			}
			_, err := p.here().onboard(document(t, tc.fixed...))
			if tc.pinned != "" {
				refused(t, err, ErrInvalid, tc.pinned+" cannot change")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := p.states("acme"); got != allDone {
				t.Errorf("layers: %s", got)
			}
		})
	}
}

func TestClaimsOfWhatWasNeverMadeHoldNobodyUp(t *testing.T) {
	const mail = "account: {email: aws+acme@example.com}"
	slip := document(t, "org: acmee", mail)
	for reason, tc := range map[string]struct {
		fault lifecycletest.Fault
		free  bool
	}{
		"a quota stands in the way":         {lifecycletest.Fault{On: lifecycletest.Quotas, Err: errors.New("no")}, true},
		"the engine fails before it begins": {lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerAccount, Err: errors.New("no")}, true},
		"policies were made for an account": {lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerAccount, Made: 1, Err: errors.New("no")}, true},
		"the account was made":              {lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerAccount, Made: -1, Err: errors.New("no")}, false},
		"a later layer fails":               {lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerBoundary, Err: errors.New("no")}, false},
	} {
		t.Run(reason, func(t *testing.T) {
			p := newPlace(t)
			p.world.Fail(tc.fault)
			if _, err := p.here().onboard(slip); err == nil {
				t.Fatal("the fault was not met")
			}
			if tc.free {
				if got := p.claimed("acmee"); len(got) > 0 {
					t.Errorf("still claimed: %v", got)
				}
			}
			_, err := p.here().onboard(document(t, mail))
			switch {
			case tc.free && err != nil:
				t.Errorf("acme is refused for ever: %v", err)
			case !tc.free:
				refused(t, err, ErrInvalid, `belongs to org "acmee"`)
			}
		})
	}
}

func TestAPolicyThatBlocksTheFirstLayerLeavesNoClaim(t *testing.T) {
	p := newPlace(t)
	p.world.Block(plan.LayerAccount, lifecycletest.Violation("acme", plan.LayerAccount, "FH101"))
	_, err := p.here().onboard(document(t))
	refused(t, err, ErrBlocked, "FH101")
	if got := p.claimed("acme"); len(got) > 0 {
		t.Errorf("still claimed: %v", got)
	}
	if diff := cmp.Diff([]event.Type{event.OperationBlocked}, p.ends("acme")); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
	if got := p.states("acme"); got != "failed not-started not-started not-started" {
		t.Errorf("layers: %s", got)
	}
}

func TestAKilledSlipOfThePenIsReleasedByACommand(t *testing.T) {
	const mail = "account: {email: aws+acme@example.com}"
	p := newPlace(t)
	killed := p.here()
	killed.KillAfter(7) // the claim is written, and nothing is made
	if _, err := killed.onboard(document(t, "org: acmee", mail)); err == nil {
		t.Fatal("it was not killed")
	}
	if got := p.claimed("acmee"); !slices.Contains(got, "e-mail aws+acme@example.com") {
		t.Fatalf("killed before it claimed anything: %v", got)
	}
	_, err := p.here().onboard(document(t, mail))
	if e := refused(t, err, ErrInvalid, `belongs to org "acmee"`); !strings.Contains(e.Next, "freehold claims release acmee") {
		t.Errorf("next: %s", e.Next)
	}
	got := must[event.Claims](t)(p.here().ReleaseClaims(t.Context(), "acmee", nil))
	want := event.Claims{Org: "acmee", Claims: []event.Claim{{Kind: "e-mail", Value: "aws+acme@example.com"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("released (-want +got):\n%s", diff)
	}
	must[event.Onboarding](t)(p.here().onboard(document(t, mail)))
}

func TestWhatIsMadeIsNotReleased(t *testing.T) {
	p := onboarded(t)
	before := p.claimed("acme")
	_, err := p.here().ReleaseClaims(t.Context(), "acme", nil)
	refused(t, err, ErrInvalid, "the org has an account")
	if diff := cmp.Diff(before, p.claimed("acme")); diff != "" {
		t.Errorf("claims (-before +after):\n%s", diff)
	}
	_, err = p.here().ReleaseClaims(t.Context(), "nobody", nil)
	refused(t, err, ErrInvalid, "unknown org")
	got := must[event.Claims](t)(p.here().Claims(t.Context(), "acme"))
	if len(got.Claims) != len(before) || !got.Claims[0].Made {
		t.Errorf("claims: %+v", got)
	}
}

// A run that was killed after AWS had made the account, and before any state
// said so, has made it all the same.
func TestAnAccountThatNoStateRecordsIsNotForgotten(t *testing.T) {
	for n := 1; ; n++ {
		p := newPlace(t)
		p.world.LeaveNoPending()
		killed := p.here()
		killed.KillAfter(n)
		if _, err := killed.onboard(document(t)); err == nil {
			return
		}
		made := p.world.AccountOf("aws+acme@example.com")
		_, err := p.here().onboard(document(t, "account: {email: aws+right@example.com}"))
		switch {
		case made == "" && err != nil:
			t.Fatalf("killed after %d writes: nothing was made, and the correction is refused: %v", n, err)
		case made != "":
			refused(t, err, ErrInvalid, "account.email cannot change")
			if _, err := p.here().ReleaseClaims(t.Context(), "acme", nil); !errors.Is(err, ErrInvalid) {
				t.Fatalf("killed after %d writes: the claims of a lost account: %v", n, err)
			}
			must[event.Onboarding](t)(p.here().onboard(document(t)))
			if got := len(p.world.Things(accountType)); got != 1 {
				t.Fatalf("killed after %d writes: %d accounts", n, got)
			}
			return
		}
	}
}

func TestAnOrgWithoutAnAccountIsOffboardedAlthoughProtected(t *testing.T) {
	for _, made := range []int{0, 1} {
		p := newPlace(t)
		p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerAccount, Made: made, Err: errors.New("no")})
		if _, err := p.here().onboard(document(t, "deletionProtection: true")); err == nil {
			t.Fatal("the fault was not met")
		}
		out := must[event.Offboarding](t)(p.here().offboard("acme"))
		for _, l := range out.Layers {
			if l.State != dataplane.Skipped && l.State != dataplane.Removed {
				t.Errorf("layer %s: %s", l.Layer, l.State)
			}
		}
		if left := p.world.Things(""); len(left) > 0 {
			t.Errorf("after %d were made there is %v left", made, left)
		}
		if o, _ := p.org("acme"); o.State != dataplane.OrgOffboarded {
			t.Errorf("the org is %s", o.State)
		}
	}
	full := onboarded(t, "deletionProtection: true")
	_, err := full.here().offboard("acme")
	refused(t, err, ErrProtected, "deletionProtection is on")
	if got := full.states("acme"); got != allDone {
		t.Errorf("layers of a protected org: %s", got)
	}
}

func TestASecondMachineWithoutThePassphraseIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	p := onboarded(t)
	before := p.world.Things("")
	b := p.start(lifecycletest.Machine{Name: "b", Secrets: "b's own"})
	for use, run := range map[string]func() error{
		"onboard":  func() error { _, err := b.onboard(document(t, "network: {nat: per-zone}")); return err },
		"offboard": func() error { _, err := b.offboard("acme"); return err },
		"plan":     func() error { _, err := b.Plan(t.Context(), document(t), PlanOptions{}, nil); return err },
	} {
		if err := run(); !errors.Is(err, engine.ErrSecrets) {
			t.Errorf("%s: %v, want ErrSecrets", use, err)
		}
	}
	if diff := cmp.Diff(before, p.world.Things("")); diff != "" {
		t.Errorf("something was touched (-before +after):\n%s", diff)
	}
	if got := p.states("acme"); got != allDone {
		t.Errorf("layers: %s", got)
	}
}

func TestTwoMachinesShareAnOrg(t *testing.T) {
	p := onboarded(t, "projects: [{name: shop}]")
	on := func(name string) *process { return p.start(lifecycletest.Machine{Name: name}) }
	fresh := document(t, "projects: [{name: fresh}]").Projects[0]
	b := on("b")
	must[event.Onboarding](t)(b.ChangeProjects(b.Context(), "acme", ProjectChange{Add: &fresh}, Call{}, nil))
	killed := on("b")
	killed.KillAfter(30)
	all := document(t, "network: {nat: per-zone}", "projects: [{name: shop}, {name: fresh}]")
	if _, err := killed.onboard(all); err == nil {
		t.Fatal("it was not killed")
	}
	// From another machine it cannot be told that b's process is dead: its lease
	// has to end first.
	_, err := on("a").onboard(all)
	refused(t, err, ErrBusy, "another operation holds")
	p.world.Sleep(killed.Holding.TTL)
	must[event.Onboarding](t)(on("a").onboard(all))
	if got := len(p.world.Things(addressType)); got != 3 {
		t.Errorf("%d addresses, want 3", got)
	}
	must[event.Offboarding](t)(on("b").offboard("acme"))
	if got := p.states("acme"); got != "removed removed removed removed" {
		t.Errorf("layers: %s", got)
	}
	want := []event.Type{event.OperationSucceeded, event.OperationSucceeded, event.OperationFailed, event.OperationSucceeded, event.OperationSucceeded}
	if diff := cmp.Diff(want, p.ends("acme")); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}
