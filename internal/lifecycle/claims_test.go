package lifecycle

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

func planFor(t *testing.T, org, account string) plan.Plan {
	t.Helper()
	s, err := spec.Parse(org+".yaml", strings.NewReader("apiVersion: freehold.dev/v1alpha1\nkind: DataPlane\norg: "+org+"\nregion: eu-west-1\naccount:\n  "+account+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return plan.Build(s)
}

func values(ids []registry.Identity) []string {
	var out []string
	for _, id := range ids {
		out = append(out, id.Value)
	}
	return out
}

func TestWhatAPlanDecidesIsForeseenAsSoonAsTheAccountIsKnown(t *testing.T) {
	const account = "210987654321"
	vended := planFor(t, "acme", "email: aws+acme@example.com")
	brought := planFor(t, "acme", "{mode: existing, roleArn: 'arn:aws:iam::"+account+":role/in', externalId: 0123456789abcdef}")
	for reason, tc := range map[string]struct {
		plan    plan.Plan
		account string
		has     []string
		hasNot  string
	}{
		"an account that is not made yet": {vended, "", []string{"aws+acme@example.com"}, account},
		"an account that is": {vended, account, []string{
			"aws+acme@example.com", account, "arn:aws:iam::" + account + ":policy/freehold-acme-boundary",
			"arn:aws:iam::" + account + ":role/freehold-acme-node", "bucket:freehold-acme-data-" + account,
			"arn:aws:eks:eu-west-1:" + account + ":cluster/freehold-acme",
		}, "arn:aws:iam::" + account + ":role/in"},
		"an account that the org brings, before anything is made": {brought, "", []string{
			account, "arn:aws:iam::" + account + ":role/in", "bucket:freehold-acme-logs-" + account,
		}, "aws+acme@example.com"},
	} {
		t.Run(reason, func(t *testing.T) {
			got := values(foreseen(tc.plan, tc.account))
			for _, v := range tc.has {
				if !slices.Contains(got, v) {
					t.Errorf("%s is not in %v", v, got)
				}
			}
			if slices.Contains(got, tc.hasNot) {
				t.Errorf("%s is in %v", tc.hasNot, got)
			}
		})
	}
}

// store is an engine that has states and runs nothing.
type store struct {
	Engine
	states map[string]string
}

func (s store) State(_ context.Context, st engine.Stack) (io.ReadCloser, error) {
	text, ok := s.states[st.Name]
	if !ok {
		return nil, engine.ErrNoStack
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func TestWhatAnotherOrgOwnsIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	const account, vpc = "210987654321", "vpc-0123456789abcdef0"
	r, err := registry.Open(t.Context(), t.TempDir()+"/registry.db", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if err := r.Claim(t.Context(), "globex", registry.Identity{Kind: "account", Value: account}, registry.Identity{Kind: "VPC", Value: vpc}); err != nil {
		t.Fatal(err)
	}
	s := &Service{Registry: r, Now: time.Now, Engine: store{states: map[string]string{
		"acme.cluster": `{"deployment":{"resources":[{"urn":"a::n","custom":true,"type":"aws:ec2/vpc:Vpc","id":"` + vpc + `"}]}}`,
		"acme.account": `{"deployment":{"resources":[{"urn":"a::n","custom":true,"type":"aws:ec2/vpc:Vpc","id":"vpc-fedcba98765432100"}]}}`,
		"acme.broken":  `{"deployment":{"resources":[`,
	}}}
	brought := dataPlane{plan: planFor(t, "acme", "{mode: existing, roleArn: 'arn:aws:iam::"+account+":role/in', externalId: 0123456789abcdef}")}
	step := func(in map[string]any) []engine.Step {
		return []engine.Step{{Custom: true, Type: "aws:x/y:Z", NewInputs: in}}
	}
	for reason, tc := range map[string]struct {
		err    error
		refuse bool
	}{
		"an account that another org has":       {s.claimForeseen(t.Context(), brought), true},
		"the same, at a plan":                   {s.checkForeseen(t.Context(), brought), true},
		"a state with another org's VPC":        {s.checkState(t.Context(), "acme", plan.LayerCluster), true},
		"a plan that names another org's VPC":   {s.checkSteps(t.Context(), "acme", step(map[string]any{"vpcId": vpc})), true},
		"a plan that names another's account":   {s.checkSteps(t.Context(), "acme", step(map[string]any{"policy": `{"AWS":"arn:aws:iam::` + account + `:root"}`})), true},
		"what was made and is another org's":    {s.claimMade(t.Context(), "acme", []engine.Step{{Custom: true, Type: "aws:ec2/vpc:Vpc", ID: vpc}}), true},
		"a state with nobody's VPC":             {s.checkState(t.Context(), "acme", plan.LayerAccount), false},
		"a layer that was never made":           {s.checkState(t.Context(), "acme", plan.LayerBootstrap), false},
		"a plan that names nobody's VPC":        {s.checkSteps(t.Context(), "acme", step(map[string]any{"vpcId": "vpc-fedcba98765432100"})), false},
		"what the org itself has, once more":    {s.checkState(t.Context(), "globex", plan.LayerCluster), false},
		"an account of its own that is not yet": {s.claimForeseen(t.Context(), dataPlane{plan: planFor(t, "acme", "email: aws+acme@example.com")}), false},
	} {
		t.Run(reason, func(t *testing.T) {
			switch {
			case !tc.refuse && tc.err != nil:
				t.Errorf("refused: %v", tc.err)
			case tc.refuse && (!errors.Is(tc.err, ErrInvalid) || !strings.Contains(tc.err.Error(), `belongs to org "globex"`)):
				t.Errorf("got %v, want it refused, with the owner", tc.err)
			}
		})
	}
	if err := s.checkState(t.Context(), "acme", "broken"); err == nil || errors.Is(err, ErrInvalid) {
		t.Errorf("a state that cannot be read: %v", err)
	}
	if owner, err := r.Owner(t.Context(), registry.Identity{Kind: "role", Value: "arn:aws:iam::" + account + ":role/freehold-acme-node"}); owner != "" || err != nil {
		t.Errorf("a refused claim has left %q behind, %v", owner, err)
	}
}
