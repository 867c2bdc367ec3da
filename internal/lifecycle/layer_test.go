package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

func TestAQuotaThatIsFullIsPendingBeforeTheLayerIsBegun(t *testing.T) {
	for reason, tc := range map[string]struct {
		typ    string
		limit  int
		states string
		next   string
	}{
		"no account more":           {accountType, 0, "failed not-started not-started not-started", "--service-code organizations --quota-code L-29A0C5DF --desired-value 1"},
		"too few addresses":         {addressType, 2, "done done failed not-started", "--service-code ec2 --quota-code L-0263D0A3 --desired-value 3"},
		"no room for a cluster yet": {clusterType, 0, "done done failed not-started", "--service-code eks --quota-code L-1194D53C --desired-value 1"},
	} {
		t.Run(reason, func(t *testing.T) {
			p := newPlace(t)
			p.world.SetQuota(tc.typ, tc.limit)
			doc := document(t, "network: {nat: per-zone}")
			_, err := p.here().onboard(doc)
			e := refused(t, err, ErrPending, "pending on the cloud: quota ")
			if !strings.Contains(e.Next, tc.next) || len(e.Refusals) != 1 {
				t.Errorf("next: %s\nwant %q in it; refusals: %v", e.Next, tc.next, e.Refusals)
			}
			if got := p.states("acme"); got != tc.states {
				t.Errorf("layers: %s, want %s", got, tc.states)
			}
			if diff := cmp.Diff([]event.Type{event.OperationPending}, p.ends("acme")); diff != "" {
				t.Errorf("ends (-want +got):\n%s", diff)
			}
			if got := p.world.Things(vpcType); len(got) > 0 {
				t.Errorf("something was made of the layer: %v", got)
			}
			// What is there already needs no room.
			p.world.SetQuota(tc.typ, 3)
			must[event.Onboarding](t)(p.here().onboard(doc))
			p.world.SetQuota(tc.typ, 0)
			must[event.Onboarding](t)(p.here().onboard(doc))
		})
	}
}

func TestAQuotaThatIsFoundFullHalfWayIsPendingAndTheLayerIsMade(t *testing.T) {
	p := newPlace(t)
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Made: 2, Err: lifecycletest.QuotaError("acme", plan.LayerCluster)})
	_, err := p.here().onboard(document(t))
	if e := refused(t, err, ErrPending, "AddressLimitExceeded"); e.Layer != "cluster" || !strings.Contains(e.Next, "raise the quota") {
		t.Errorf("%+v", e)
	}
	_, layers := p.org("acme")
	if rec := layers["cluster"]; !rec.Made || !rec.Unclean || rec.Resources != 2 {
		t.Errorf("recorded: %+v", rec)
	}
}

// Whoever sees that a resource is being made, and the process die, must find a
// record that says so.
func TestALayerIsRecordedAsBegunBeforeItsFirstResourceIsShown(t *testing.T) {
	p := newPlace(t)
	proc := p.here()
	seen := map[string]bool{}
	_, err := proc.Onboard(t.Context(), document(t), OnboardOptions{}, func(ev event.Event) {
		if ev.Type != event.ResourceStarted || seen[ev.Layer] {
			return
		}
		seen[ev.Layer] = true
		_, layers := p.org("acme")
		if rec := layers[ev.Layer]; !rec.Made || !rec.Unclean || rec.State != dataplane.Making {
			t.Errorf("layer %s makes %s, and is recorded as %+v", ev.Layer, ev.ResourceName, rec)
		}
	})
	if err != nil || len(seen) != 4 {
		t.Errorf("resources of %v were shown: %v", seen, err)
	}
}

// What AWS made for a run that was killed before it could record it.
func TestWhatAKilledRunMadeIsTakenOverAndSaidSo(t *testing.T) {
	start := newPlace(t)
	whole := start.copied(t).here()
	must[event.Onboarding](t)(whole.onboard(document(t)))
	n := 1 + slices.IndexFunc(whole.Writes(), func(w lifecycletest.Write) bool { return w.To == "cloud" && w.Of == addressType })
	p := start.copied(t)
	killed := p.here()
	killed.KillAfter(n)
	if _, err := killed.onboard(document(t)); err == nil {
		t.Fatal("it was not killed")
	}
	if got := p.states("acme"); got != "done done making* not-started" {
		t.Errorf("layers after the kill: %s", got)
	}
	again := p.here()
	must[event.Onboarding](t)(again.onboard(document(t)))
	var said []string
	for _, ev := range again.shown {
		if ev.Type == event.Diagnostic && ev.Layer == "cluster" {
			said = append(said, ev.ResourceName+" "+ev.Message)
		}
	}
	if diff := cmp.Diff([]string{"network-nat-eu-west-1a an interrupted run had made it and could not record it: taken over"}, said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	if got := p.world.Things(addressType); len(got) != 1 || p.states("acme") != allDone {
		t.Errorf("%d addresses; layers: %s", len(got), p.states("acme"))
	}
}

func TestALayerIsNotRunWhileItIsUnknownWhatAKilledRunMade(t *testing.T) {
	for _, fault := range []lifecycletest.Fault{
		{On: lifecycletest.Adopt, Layer: plan.LayerCluster, Err: errors.New("no answer")},
		{On: lifecycletest.Find, Err: errors.New("no answer")},
		{On: lifecycletest.Preview, Layer: plan.LayerCluster, Err: &engine.Error{Stack: "acme.cluster", Doing: "preview", Kind: engine.ErrFailed, Detail: "no answer"}},
	} {
		p := newPlace(t)
		p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Made: 2, Err: errors.New("no")})
		if _, err := p.here().onboard(document(t)); err == nil {
			t.Fatal("the fault was not met")
		}
		things := len(p.world.Things(""))
		p.world.Fail(fault)
		if _, err := p.here().onboard(document(t)); err == nil || !strings.Contains(err.Error(), "no answer") {
			t.Errorf("%s: %v", fault.On, err)
		}
		if got := len(p.world.Things("")); got != things || p.states("acme") != "done done failed* not-started" {
			t.Errorf("%s: %d things, %d before; layers: %s", fault.On, got, things, p.states("acme"))
		}
	}
}

// What is recorded can be removed, whatever became of the program.
func TestALayerWhoseProgramFailsForGoodIsRemoved(t *testing.T) {
	p := newPlace(t)
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Made: 2, Err: errors.New("no")})
	if _, err := p.here().onboard(document(t)); err == nil {
		t.Fatal("the fault was not met")
	}
	p.world.Fail(lifecycletest.Fault{
		On: lifecycletest.Preview, Layer: plan.LayerCluster, Times: -1,
		Err: &engine.Error{Stack: "acme.cluster", Doing: "preview", Kind: engine.ErrFailed, Detail: "the region has no such zone"},
	})
	here := p.here()
	if _, err := here.offboard("acme"); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(here.shown, func(ev event.Event) bool {
		return ev.Type == event.Diagnostic && ev.Layer == "cluster" && strings.Contains(ev.Message, "could be looked for") && strings.Contains(ev.Message, "no such zone")
	}) {
		t.Errorf("it does not say that it could not look: %v", here.shown)
	}
}

// deaf is a registry that does not take a layer in some state.
type deaf struct {
	*lifecycletest.Store

	layer, state string
}

func (d *deaf) Org(c orgcontext.Context) registry.OrgStore {
	return &deafOrg{OrgStore: d.Store.Org(c), layer: d.layer, state: d.state}
}

type deafOrg struct {
	registry.OrgStore

	layer, state string
}

func (d *deafOrg) PutLayer(ctx context.Context, l registry.Lease, rec registry.Layer) error {
	if rec.Layer == d.layer && rec.State == d.state {
		return errors.New("disk full")
	}
	return d.OrgStore.PutLayer(ctx, l, rec)
}

func TestARegistryThatTakesNoRecordOfALayerStopsTheRun(t *testing.T) {
	for state, made := range map[string]bool{dataplane.Making: false, dataplane.Done: true} {
		t.Run(state, func(t *testing.T) {
			p := newPlace(t)
			proc := p.here()
			proc.Holding.Store = &deaf{proc.Process.Store(proc.store), "cluster", state}
			_, err := proc.onboard(document(t))
			if err == nil || !strings.Contains(err.Error(), "disk full") {
				t.Fatalf("got %v", err)
			}
			if got := len(p.world.Things(clusterType)) == 1; got != made {
				t.Errorf("a cluster was made: %t, want %t", got, made)
			}
			if o, _ := p.org("acme"); o.State != dataplane.OrgFailed {
				t.Errorf("the org is %s", o.State)
			}
			must[event.Onboarding](t)(p.here().onboard(document(t)))
			if got := p.states("acme"); got != allDone || len(p.world.Things(clusterType)) != 1 {
				t.Errorf("the second time: %s", got)
			}
		})
	}
}

// accepting is an engine whose policies have something to say and let it pass.
type accepting struct {
	*lifecycletest.Engine

	found []finding.Policy
}

func (a accepting) Up(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error) {
	res, err := a.Engine.Up(ctx, s, sink)
	if s.Layer == string(plan.LayerCluster) {
		res.Policy = a.found
	}
	return res, err
}

func TestOnboardReportsWhatSomebodyAnswersFor(t *testing.T) {
	accepted := lifecycletest.Violation("acme", plan.LayerCluster, "FH604")
	accepted.Exception = &finding.Exception{Reason: "because", Approver: "ciso", Expires: "2026-12-31"}
	open := lifecycletest.Violation("acme", plan.LayerCluster, "FH102")
	open.Answer = "undecided"
	proc := newPlace(t).here()
	proc.Service.Engine = accepting{proc.Process.Engine(), []finding.Policy{open, accepted}}
	out := must[event.Onboarding](t)(proc.onboard(document(t)))
	if diff := cmp.Diff([]finding.Policy{accepted}, out.Policy); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	last := proc.shown[len(proc.shown)-1]
	if stored, ok := last.Result.(event.Onboarding); !ok || cmp.Diff(out, stored) != "" {
		t.Errorf("the terminal event has %+v, and returned was %+v", last.Result, out)
	}
}

func TestWhatALayerHasBeforeIsWhatIsExpectedOfIt(t *testing.T) {
	p := newPlace(t)
	totals := func(doc ...string) map[string]int {
		proc := p.here()
		must[event.Onboarding](t)(proc.onboard(document(t, doc...)))
		out := map[string]int{}
		for _, ev := range proc.shown {
			if ev.Type == event.LayerStarted {
				out[ev.Layer] = ev.Total
			}
		}
		return out
	}
	if diff := cmp.Diff(map[string]int{"account": 0, "boundary": 0, "cluster": 0, "bootstrap": 0}, totals()); diff != "" {
		t.Errorf("the first org (-want +got):\n%s", diff)
	}
	has := func(org string) map[string]int {
		out := map[string]int{}
		_, layers := p.org(org)
		for l, rec := range layers {
			out[l] = rec.Resources
		}
		return out
	}
	globex := []string{"org: globex", "account: {email: aws+globex@example.com}", "network: {nat: per-zone}"}
	if diff := cmp.Diff(has("acme"), totals(globex...)); diff != "" {
		t.Errorf("another org has as many (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(has("globex"), totals(globex...)); diff != "" {
		t.Errorf("the org itself has as many as before (-want +got):\n%s", diff)
	}
}

func TestAnythingButALookIsAChange(t *testing.T) {
	for reason, tc := range map[string]struct {
		changes map[string]int
		want    bool
	}{
		"nothing":             {nil, false},
		"all are as they are": {map[string]int{"same": 9, "read": 2, "refresh": 3}, false},
		"none was made":       {map[string]int{"same": 9, "create": 0}, false},
		"one was made":        {map[string]int{"same": 9, "create": 1}, true},
		"one was replaced":    {map[string]int{"replace": 1}, true},
	} {
		t.Run(reason, func(t *testing.T) {
			if got := changed(tc.changes); got != tc.want {
				t.Errorf("%v: %t", tc.changes, got)
			}
		})
	}
}

func TestAnExceptionThatAnswersForNothingIsRefused(t *testing.T) {
	for reason, tc := range map[string]struct{ exception, says string }{
		"of no rule":     {`{rule: FH999, resource: x, reason: because I say so, approver: ciso, expires: "2026-12-31"}`, "there is no rule FH999"},
		"past its day":   {`{rule: FH604, resource: x, reason: because I say so, approver: ciso, expires: "2026-02-28"}`, "expired on 2026-02-28"},
		"on its own day": {`{rule: FH604, resource: x, reason: because I say so, approver: ciso, expires: "2026-03-01"}`, ""},
	} {
		t.Run(reason, func(t *testing.T) {
			p := newPlace(t)
			_, err := p.here().onboard(document(t, "exceptions: ["+tc.exception+"]"))
			if tc.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, ErrInvalid, tc.says)
			if got := p.world.Things(""); len(got) > 0 {
				t.Errorf("something was begun: %v", got)
			}
		})
	}
}
