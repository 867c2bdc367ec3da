package lifecycle

import (
	"context"
	"fmt"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

// Status says what is known of one org, without asking the cloud.
func (s *Service) Status(ctx context.Context, org string) (event.Status, error) {
	o, err := s.of(org).Org(ctx)
	if err != nil {
		return event.Status{Org: org}, fail(org, "", err)
	}
	st, err := s.status(ctx, o)
	return st, fail(org, "", err)
}

// Orgs says what is known of every org, by name.
func (s *Service) Orgs(ctx context.Context) ([]event.Status, error) {
	orgs, err := s.fleet().Orgs(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]event.Status, 0, len(orgs))
	for _, o := range orgs {
		st, err := s.status(ctx, o)
		if err != nil {
			return out, fail(o.Org, "", err)
		}
		out = append(out, st)
	}
	return out, nil
}

func (s *Service) status(ctx context.Context, o registry.Org) (event.Status, error) {
	st := event.Status{Org: o.Org, State: o.State, Hash: o.Hash}
	d, err := s.recorded(ctx, o)
	if err != nil {
		return st, err
	}
	st.DataPlane = d.Summary()
	for _, l := range plan.Layers() {
		st.Layers = append(st.Layers, d.Result(l))
	}
	st.Last, err = s.of(o.Org).Last(ctx)
	return st, err
}

// Shared returns what two orgs have in common.
func (s *Service) Shared(ctx context.Context) ([]finding.Shared, error) {
	return s.fleet().Shared(ctx)
}

// Kubeconfig returns a kubeconfig that reaches the org's cluster by an exec
// plugin. It holds no token.
func (s *Service) Kubeconfig(ctx context.Context, org string) ([]byte, error) {
	_, d, err := s.remembered(ctx, org)
	if err != nil {
		return nil, fail(org, "", err)
	}
	if d.Outputs(plan.LayerCluster) == nil {
		return nil, &Error{
			Org: org, Layer: string(plan.LayerCluster), Err: fmt.Errorf("%w: the org has no cluster yet", ErrInvalid),
			Next: "onboard it first",
		}
	}
	kubeconfig, err := s.kubeconfig(ctx, d, writer)
	return kubeconfig, fail(org, string(plan.LayerCluster), err)
}
