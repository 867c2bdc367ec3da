package lifecycle

import (
	"context"
	"errors"
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

// layersOf are the layers of a report with their states.
func layersOf(results []event.LayerResult) (out []string) {
	for _, l := range results {
		out = append(out, l.Layer+" "+l.State)
	}
	return out
}

// changesIn says in one line each what a plan would change.
func changesIn(changes []event.Change) (out []string) {
	for _, c := range changes {
		out = append(out, strings.Join([]string{c.Layer, c.Op, c.Type[strings.LastIndexByte(c.Type, ':')+1:], c.Name}, " "))
	}
	return out
}

func TestAPlanSaysWhatOnboardWouldDo(t *testing.T) {
	made := onboarded(t, "network: {nat: one}")
	for reason, tc := range map[string]struct {
		from    *place
		fields  []string
		layers  []string
		changes []string
	}{
		"a new org, of which only the account can be looked at": {
			newPlace(t), nil,
			[]string{"account done", "boundary not-started", "cluster not-started", "bootstrap not-started"},
			[]string{"account create aws org", "account create Policy service-policy", "account create Account account", "account create PolicyAttachment service-policy"},
		},
		"an org that is as its spec says": {
			made, []string{"network: {nat: one}"}, []string{"account done", "boundary done", "cluster done", "bootstrap done"}, nil,
		},
		"more gateways": {
			made, []string{"network: {nat: per-zone}"}, []string{"account done", "boundary done", "cluster done", "bootstrap done"},
			[]string{
				"cluster create Eip network-nat-eu-west-1b", "cluster create NatGateway network-nat-eu-west-1b-gateway",
				"cluster create Eip network-nat-eu-west-1c", "cluster create NatGateway network-nat-eu-west-1c-gateway",
			},
		},
		"no gateway": {
			made, []string{"network: {nat: none}"}, []string{"account done", "boundary done", "cluster done", "bootstrap done"},
			[]string{"cluster delete NatGateway network-nat-eu-west-1a-gateway", "cluster delete Eip network-nat-eu-west-1a"},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			p := tc.from.copied(t)
			things := p.world.Things("")
			proc := p.here()
			var shown []event.Event
			got := must[event.Plan](t)(proc.Plan(t.Context(), document(t, tc.fields...), PlanOptions{}, func(ev event.Event) { shown = append(shown, ev) }))
			if diff := cmp.Diff(tc.layers, layersOf(got.Layers)); diff != "" {
				t.Errorf("layers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.changes, changesIn(got.Changes)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(things, p.world.Things("")); diff != "" || len(proc.Writes()) > 0 {
				t.Errorf("it wrote %v (-before +after):\n%s", proc.Writes(), diff)
			}
			for _, ev := range shown {
				if ev.Operation != "" || ev.Seq != 0 || ev.Kind != "plan" || ev.Org != "acme" {
					t.Errorf("an event of no operation: %+v", ev)
				}
			}
		})
	}
}

// Whoever goes by the exit status would otherwise never onboard such a change.
func TestAPlanShowsWhatIsOnlyRecorded(t *testing.T) {
	const access = "access: {people: {issuerUrl: 'https://login.example.com', roles: [{role: viewer, groups: [security]}]}}"
	p := onboarded(t, access)
	for reason, tc := range map[string]struct {
		fields []string
		want   []finding.Difference
	}{
		"the same":       {[]string{access}, nil},
		"another group":  {[]string{strings.Replace(access, "security", "audit", 1)}, []finding.Difference{{Path: "access.people.roles[0].groups[0]", Want: `"audit"`, Have: `"security"`}}},
		"another issuer": {[]string{strings.Replace(access, "login.", "sso.", 1)}, []finding.Difference{{Path: "access.people.issuerUrl", Want: `"https://sso.example.com"`, Have: `"https://login.example.com"`}}},
		"nobody any more": {nil, []finding.Difference{{
			Path: "access", Have: `{"people":{"groupsClaim":"groups","issuerUrl":"https://login.example.com","roles":[{"groups":["security"],"role":"viewer"}],"tokens":"id","usernameClaim":"sub"}}`,
		}}},
	} {
		t.Run(reason, func(t *testing.T) {
			p := p.copied(t)
			plan := func() event.Plan {
				return must[event.Plan](t)(p.here().Plan(t.Context(), document(t, tc.fields...), PlanOptions{}, nil))
			}
			got := plan()
			if diff := cmp.Diff(tc.want, got.Recorded); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Different() != (tc.want != nil) || len(got.Changes) > 0 {
				t.Errorf("different: %t, changes: %v", got.Different(), got.Changes)
			}
			if _, err := p.here().onboard(document(t, tc.fields...)); err != nil {
				t.Fatal(err)
			}
			if again := plan(); again.Different() {
				t.Errorf("after onboard: %+v", again.Recorded)
			}
		})
	}
}

// Whoever is blocked wants to hear of everything that blocks, at once.
func TestAPlanThatIsBlockedLooksAtTheOtherLayersAllTheSame(t *testing.T) {
	p := onboarded(t)
	open := lifecycletest.Violation("acme", plan.LayerCluster, "FH102")
	p.world.Block(plan.LayerBoundary, lifecycletest.Violation("acme", plan.LayerBoundary, "FH101"))
	p.world.Block(plan.LayerCluster, open, open)
	p.stray("somebody-elses")
	proc := p.here()
	got, err := proc.Plan(t.Context(), document(t), PlanOptions{Prune: true}, nil)
	e := refused(t, err, ErrBlocked, "blocked by policy: FH101, FH102 (2 times)")
	if len(e.Policy) != 3 || len(got.Policy) != 3 {
		t.Errorf("the error has %d findings and the plan %d, want 3", len(e.Policy), len(got.Policy))
	}
	if diff := cmp.Diff([]string{"account done", "boundary failed", "cluster failed", "bootstrap done"}, layersOf(got.Layers)); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	if len(got.Prune) > 0 {
		t.Errorf("it would prune %v, although it does not know what the layers declare", got.Prune)
	}
	if got := proc.Writes(); len(got) > 0 {
		t.Errorf("it wrote: %v", got)
	}
}

func TestTwoFailuresAreOneOnlyWhenBothAreOfPolicies(t *testing.T) {
	a := &Error{Org: "acme", Layer: "boundary", Next: "fix it", Policy: []finding.Policy{{Rule: "FH101"}}, Err: ErrBlocked}
	b := &Error{Org: "acme", Layer: "cluster", Next: "fix it, too", Policy: []finding.Policy{{Rule: "FH101"}, {Rule: "FH102"}}, Err: ErrBlocked}
	if got := joinBlocked(nil, a); !errors.Is(got, a) {
		t.Errorf("one: %v", got)
	}
	e := refused(t, joinBlocked(a, b), ErrBlocked, "acme: blocked by policy: FH101 (2 times), FH102")
	if e.Next != "fix it" || len(e.Policy) != 3 || len(a.Policy) != 1 {
		t.Errorf("two: %+v; the first has %d findings", e, len(a.Policy))
	}
	other := errors.New("no answer")
	if got := joinBlocked(a, other); !errors.Is(got, other) || errors.Is(got, ErrBlocked) {
		t.Errorf("another one: %v", got)
	}
}

func TestAPlanGivesEveryReasonAtOnce(t *testing.T) {
	p := onboarded(t, "projects: [{name: shop, deletionPolicy: Delete}]")
	_, err := p.here().Plan(t.Context(), document(t,
		"region: eu-central-1", "account: {email: aws+right@example.com}", "network: {cidr: 10.7.0.0/16}",
		`exceptions: [{rule: FH999, resource: x, reason: because I say so, approver: ciso, expires: "2026-12-31"},
  {rule: FH604, resource: y, reason: because I say so, approver: ciso, expires: "2026-01-31"}]`,
	), PlanOptions{}, nil)
	e := refused(t, err, ErrInvalid, "invalid request, for 6 reasons:")
	var fields []string
	for _, r := range e.Refusals {
		fields = append(fields, r.Field)
	}
	want := []string{"region", "account.email", "network.cidr", "exceptions[0].rule", "exceptions[1].expires", "projects"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	_, err = p.stranger().Plan(t.Context(), document(t), PlanOptions{}, nil)
	refused(t, err, ErrInvalid, "the org was onboarded from account")
}

func TestAPlanRunsBesideAnOperation(t *testing.T) {
	p := onboarded(t)
	err := p.here().holding(t, "acme", func(ctx context.Context, _ *run) error {
		_, err := p.start(lifecycletest.Machine{Name: "b"}).Plan(ctx, document(t), PlanOptions{}, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(p.ends("acme")); got != 2 {
		t.Errorf("%d operations, want 2: a plan is none", got)
	}
}

// previews is an engine that would do one thing more.
type previews struct {
	*lifecycletest.Engine

	more engine.Step
}

func (p previews) Preview(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error) {
	res, err := p.Engine.Preview(ctx, s, sink)
	res.Steps = append(res.Steps, p.more)
	return res, err
}

func TestAPlanThatNamesAnotherOrgsThingIsRefused(t *testing.T) {
	proc := globexOwns(t).here()
	proc.Service.Engine = previews{proc.Process.Engine(), engine.Step{
		Op: "create", Custom: true, Type: "aws:ec2/route:Route", Name: "out", NewInputs: map[string]any{"vpcId": theirVPC},
	}}
	var failed []event.Event
	got, err := proc.Plan(t.Context(), document(t), PlanOptions{}, func(ev event.Event) {
		if ev.Type == event.LayerFailed {
			failed = append(failed, ev)
		}
	})
	refused(t, err, ErrInvalid, `belongs to org "globex"`)
	if len(failed) != 1 || failed[0].Layer != "account" || failed[0].Message != err.Error() || len(got.Layers) != 0 {
		t.Errorf("shown: %+v; planned: %+v", failed, got.Layers)
	}
}

func TestAPlanFailsWithItsLayer(t *testing.T) {
	p := onboarded(t)
	for l, fault := range map[plan.Layer]lifecycletest.Fault{
		plan.LayerBoundary:  {On: lifecycletest.Preview, Layer: plan.LayerBoundary, Err: errors.New("no answer")},
		plan.LayerBootstrap: {On: lifecycletest.Kubeconfig, Err: errors.New("no answer")},
	} {
		c := p.copied(t)
		c.world.Fail(fault)
		_, err := c.here().Plan(t.Context(), document(t), PlanOptions{}, nil)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Layer != string(l) || !strings.Contains(err.Error(), "no answer") || e.Next == "" {
			t.Errorf("%s: %v", l, err)
		}
	}
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Inventory, Err: errors.New("no answer")})
	if _, err := p.here().Plan(t.Context(), document(t), PlanOptions{Prune: true}, nil); err == nil || errors.Is(err, dataplane.ErrNotReady) {
		t.Errorf("an account that cannot be listed: %v", err)
	}
}

func TestTheChangesOfAPlanAreTheStepsThatTouchSomething(t *testing.T) {
	in := func(v string) map[string]any { return map[string]any{"version": v} }
	got := changesOf(plan.LayerCluster, []engine.Step{
		{Op: "same", Type: "t", Name: "left alone", URN: "1"}, {Op: "read", Type: "t", Name: "only read", URN: "2"},
		{Op: "refresh", Type: "t", Name: "looked at", URN: "3"}, {Op: "discard", Type: "t", Name: "only read before", URN: "4"},
		{Op: "create", Type: "t", Name: "new", URN: "5", NewInputs: in("1")},
		{Op: "update", Type: "t", Name: "changed", URN: "6", OldInputs: in("1"), NewInputs: in("2")},
		{Op: "replace", Type: "t", Name: "made anew", URN: "7", OldInputs: in("1"), NewInputs: in("3")},
		{Op: "delete", Type: "t", Name: "gone", URN: "8", OldInputs: in("1")},
	})
	want := []event.Change{
		{Layer: "cluster", Op: "create", Type: "t", Name: "new", URN: "5"},
		{Layer: "cluster", Op: "update", Type: "t", Name: "changed", URN: "6", Properties: []finding.Difference{{Path: "version", Want: `"2"`, Have: `"1"`}}},
		{Layer: "cluster", Op: "replace", Type: "t", Name: "made anew", URN: "7", Properties: []finding.Difference{{Path: "version", Want: `"3"`, Have: `"1"`}}},
		{Layer: "cluster", Op: "delete", Type: "t", Name: "gone", URN: "8"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPlanDoesNotMoveWhatNodesRunIn(t *testing.T) {
	p := onboarded(t)
	for field, network := range map[string]string{
		"network.zones":                "{zones: [{name: eu-west-1a}, {name: eu-west-1b}]}",
		"network.zones[2].privateCidr": "{zones: [{name: eu-west-1a}, {name: eu-west-1b}, {name: eu-west-1c, privateCidr: 10.0.160.0/19}]}",
	} {
		for what, run := range map[string]func(*process) error{
			"plan": func(proc *process) error {
				_, err := proc.Plan(t.Context(), document(t, "network: "+network), PlanOptions{}, nil)
				return err
			},
			"onboard": func(proc *process) error {
				_, err := proc.onboard(document(t, "network: "+network))
				return err
			},
		} {
			e := refused(t, run(p.here()), ErrInvalid, field+" cannot change from ")
			if e.Refusals[0].Field != field {
				t.Errorf("%s: field %q, want %q", what, e.Refusals[0].Field, field)
			}
		}
	}
	if got := p.states("acme"); got != "done done done done" {
		t.Errorf("layers: %s", got)
	}
}
