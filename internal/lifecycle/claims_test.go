package lifecycle

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/plan"
)

// holding does something while it holds an org.
func (p *process) holding(t *testing.T, org string, body func(context.Context, *run) error) error {
	t.Helper()
	return p.operate(p.Context(), org, operation.Request{Kind: "onboard"}, nil, nil, func(ctx context.Context, r *run) (ending, error) {
		return ending{}, body(ctx, r)
	})
}

// archive is an engine that has states of its own.
type archive struct {
	*lifecycletest.Engine

	states map[string]string
}

func (a archive) State(_ context.Context, st engine.Stack) (io.ReadCloser, error) {
	text, ok := a.states[st.Name]
	if !ok {
		return nil, engine.ErrNoStack
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

const (
	theirAccount = "210987654321"
	theirVPC     = "vpc-0123456789abcdef0"
	nobodysVPC   = "vpc-fedcba98765432100"
	vpcType      = "aws:ec2/vpc:Vpc"
)

// globexOwns is a place in which an account and a network are globex's.
func globexOwns(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	if err := p.here().holding(t, "globex", func(ctx context.Context, r *run) error {
		return r.op.Claim(ctx, true, finding.Identity{Kind: "account", Value: theirAccount}, finding.Identity{Kind: "VPC", Value: theirVPC})
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatAnotherOrgOwnsIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	states := map[string]string{
		"acme.cluster": `{"deployment":{"resources":[{"urn":"a::n","custom":true,"type":"aws:ec2/vpc:Vpc","id":"` + theirVPC + `"}]}}`,
		"acme.account": `{"deployment":{"resources":[{"urn":"a::n","custom":true,"type":"aws:ec2/vpc:Vpc","id":"` + nobodysVPC + `"}]}}`,
	}
	brought := "account: {mode: existing, roleArn: 'arn:aws:iam::" + theirAccount + ":role/in', externalId: 0123456789abcdef}"
	of := func(t *testing.T, fields ...string) dataplane.DataPlane {
		return dataplane.Of(plan.Build(document(t, fields...)), cloud.Identity{}, nil)
	}
	step := func(in map[string]any) []engine.Step {
		return []engine.Step{{Custom: true, Type: "aws:x/y:Z", NewInputs: in}}
	}
	start := globexOwns(t)
	for reason, tc := range map[string]struct {
		try    func(context.Context, *run) error
		refuse bool
		claims []string // acme's afterwards
	}{
		"an account that another org has": {
			func(ctx context.Context, r *run) error { return r.claimForeseen(ctx, of(t, brought)) }, true, nil,
		},
		"an account of its own that is not there yet": {
			func(ctx context.Context, r *run) error { return r.claimForeseen(ctx, of(t)) }, false, []string{"e-mail aws+acme@example.com"},
		},
		"a second plan, which gives up what only the first had foreseen": {
			func(ctx context.Context, r *run) error {
				err := r.claimForeseen(ctx, of(t))
				return errors.Join(err, r.claimForeseen(ctx, of(t, "account: {email: aws+right@example.com}")))
			}, false, []string{"e-mail aws+right@example.com"},
		},
		"a state with another org's network": {
			func(ctx context.Context, r *run) error { return r.checkState(ctx, "acme", plan.LayerCluster) }, true, nil,
		},
		"a state with nobody's network": {
			func(ctx context.Context, r *run) error { return r.checkState(ctx, "acme", plan.LayerAccount) }, false, nil,
		},
		"a layer that was never made": {
			func(ctx context.Context, r *run) error { return r.checkState(ctx, "acme", plan.LayerBootstrap) }, false, nil,
		},
		"a plan that names another org's network": {
			func(ctx context.Context, r *run) error {
				return r.checkSteps(ctx, "acme", step(map[string]any{"vpcId": theirVPC}))
			}, true, nil,
		},
		"a plan that names another org's account": {
			func(ctx context.Context, r *run) error {
				return r.checkSteps(ctx, "acme", step(map[string]any{"policy": `{"AWS":"arn:aws:iam::` + theirAccount + `:root"}`}))
			}, true, nil,
		},
		"a plan that changes another org's network": {
			func(ctx context.Context, r *run) error {
				return r.checkSteps(ctx, "acme", []engine.Step{{Custom: true, Op: "delete", Type: vpcType, ID: theirVPC}})
			}, true, nil,
		},
		"a plan that names nobody's network": {
			func(ctx context.Context, r *run) error {
				return r.checkSteps(ctx, "acme", step(map[string]any{"vpcId": nobodysVPC}))
			}, false, nil,
		},
		"a component, which is nothing by itself": {
			func(ctx context.Context, r *run) error {
				return r.checkSteps(ctx, "acme", []engine.Step{{Type: "freehold:network", NewInputs: map[string]any{"vpcId": theirVPC}}})
			}, false, nil,
		},
		"what was made and is another org's": {
			func(ctx context.Context, r *run) error {
				return r.claimMade(ctx, "acme", []engine.Step{{Custom: true, Type: vpcType, ID: theirVPC}})
			}, true, nil,
		},
		"what was made, but for what was only read or removed": {
			func(ctx context.Context, r *run) error {
				return r.claimMade(ctx, "acme", []engine.Step{
					{Custom: true, Op: "create", Type: vpcType, ID: nobodysVPC},
					{Custom: true, Op: "read", Type: vpcType, ID: theirVPC}, {Custom: true, Op: "delete", Type: vpcType, ID: theirVPC},
				})
			}, false, []string{"VPC " + nobodysVPC + "!"},
		},
		"a value that another org has": {
			func(ctx context.Context, r *run) error { return r.checkValues(ctx, "acme", []string{"x", theirVPC}) }, true, nil,
		},
		"a value that is its own": {
			func(ctx context.Context, r *run) error { return r.checkValues(ctx, "globex", []string{"x", theirVPC}) }, false, nil,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			p := start.copied(t)
			proc := p.here()
			proc.Service.Engine = archive{proc.Process.Engine(), states}
			err := proc.holding(t, "acme", tc.try)
			if tc.refuse {
				refused(t, err, ErrInvalid, `belongs to org "globex"`)
			} else if err != nil {
				t.Errorf("refused: %v", err)
			}
			if diff := cmp.Diff(tc.claims, p.claimed("acme")); diff != "" {
				t.Errorf("acme's claims (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStateThatCannotBeReadIsNotAStateWithNothingInIt(t *testing.T) {
	for reason, states := range map[string]map[string]string{
		"it is cut off": {"acme.account": `{"deployment":{"resources":[`},
		"it is no JSON": {"acme.account": `<html>`},
	} {
		t.Run(reason, func(t *testing.T) {
			proc := newPlace(t).here()
			proc.Service.Engine = archive{proc.Process.Engine(), states}
			err := proc.checkState(t.Context(), "acme", plan.LayerAccount)
			if err == nil || errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "stack acme.account") {
				t.Errorf("got %v", err)
			}
		})
	}
	p := newPlace(t)
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.State, Err: errors.New("no answer")})
	if _, err := p.here().onboard(document(t)); err == nil || !strings.Contains(err.Error(), "acme: account: no answer") {
		t.Errorf("onboard: %v", err)
	}
	if got := p.world.Things(accountType); len(got) > 0 {
		t.Errorf("an account was made: %v", got)
	}
}

// Two orgs side by side have nothing that the ledger would refuse.
func TestTwoOrgsAreOnboardedBesideEachOther(t *testing.T) {
	p := twoOrgs(t)
	if got := p.states("globex"); got != allDone {
		t.Errorf("globex: %s", got)
	}
	_, err := p.here().onboard(document(t, "org: third", "account: {email: aws+globex@example.com}"))
	refused(t, err, ErrInvalid, `belongs to org "globex"`)
	if got := p.claimed("third"); got != nil {
		t.Errorf("a refused org has claims: %v", got)
	}
	must[event.Offboarding](t)(p.here().offboard("acme"))
	if got := p.states("globex"); got != allDone {
		t.Errorf("globex, after acme has gone: %s", got)
	}
	if got := p.world.Things(clusterType); len(got) != 1 || got[0].Name != "freehold-globex" {
		t.Errorf("clusters: %v", got)
	}
}

// twoOrgs is a place in which acme and globex are onboarded.
func twoOrgs(t *testing.T) *place {
	t.Helper()
	p := onboarded(t)
	must[event.Onboarding](t)(p.here().onboard(document(t, "org: globex", "account: {email: aws+globex@example.com}")))
	return p
}

func TestAnAddressInAnotherCaseIsTheSame(t *testing.T) {
	p := onboarded(t, "account: {email: aws+acme@example.com}")
	before := p.world.Things("")
	other := document(t, "account: {email: AWS+Acme@Example.COM}")
	got := must[event.Plan](t)(p.here().Plan(t.Context(), other, PlanOptions{}, nil))
	first := must[event.Plan](t)(p.here().Plan(t.Context(), document(t), PlanOptions{}, nil))
	if len(got.Changes) > 0 || got.Hash != first.Hash {
		t.Errorf("a plan of %s changes %v; the org was onboarded as %s", got.Hash, changesIn(got.Changes), first.Hash)
	}
	if done := must[event.Onboarding](t)(p.here().onboard(other)); done.Changed {
		t.Errorf("onboard changed %+v", done.Layers)
	}
	if diff := cmp.Diff(before, p.world.Things("")); diff != "" {
		t.Errorf("what is there (-before +after):\n%s", diff)
	}
	_, err := p.here().onboard(document(t, "org: globex", "account: {email: Aws+ACME@example.com}"))
	refused(t, err, ErrInvalid, `belongs to org "acme"`)
	if diff := cmp.Diff(before, p.world.Things("")); diff != "" {
		t.Errorf("what is there (-before +after):\n%s", diff)
	}
}

func TestAListInAnotherOrderIsNoChange(t *testing.T) {
	p := onboarded(t, "projects: [{name: shop, quota: {cpu: '1'}}, {name: lab}]", "network: {zones: [{name: eu-west-1a}, {name: eu-west-1b}]}")
	again := document(t, "projects: [{name: lab}, {name: shop, quota: {cpu: 1000m}}]", "network: {zones: [{name: eu-west-1b}, {name: eu-west-1a}]}")
	got := must[event.Plan](t)(p.here().Plan(t.Context(), again, PlanOptions{}, nil))
	if got.Different() {
		t.Errorf("it changes %v", changesIn(got.Changes))
	}
	if done := must[event.Onboarding](t)(p.here().onboard(again)); done.Changed {
		t.Errorf("onboard changed %+v", done.Layers)
	}
}
