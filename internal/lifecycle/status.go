package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/stacks"
)

// Status tells what is known of one org, without asking the cloud.
func (s *Service) Status(ctx context.Context, org string) (event.Status, error) {
	o, err := s.Registry.Org(ctx, org)
	if err != nil {
		return event.Status{Org: org}, fail(org, "", err)
	}
	st, err := s.status(ctx, o)
	return st, fail(org, "", err)
}

// Orgs tells what is known of every org, by name.
func (s *Service) Orgs(ctx context.Context) ([]event.Status, error) {
	orgs, err := s.Registry.Orgs(ctx)
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
	d, layers, err := s.recorded(ctx, o)
	if err != nil {
		return st, err
	}
	st.DataPlane = facts(d.plan, d.outs)
	for _, l := range plan.Layers() {
		res := event.LayerResult{Layer: string(l), Stack: plan.StackName(o.Org, l), State: layerPending}
		if rec, ok := layers[string(l)]; ok {
			res.State, res.Resources, res.Duration, res.Error = rec.State, rec.Resources, rec.Duration, rec.Error
		}
		st.Layers = append(st.Layers, res)
	}
	st.Last, err = s.Registry.Last(ctx, o.Org)
	return st, err
}

// recorded is the org's data plane as it was last planned and made.
func (s *Service) recorded(ctx context.Context, o registry.Org) (dataPlane, map[string]registry.Layer, error) {
	var d dataPlane
	var err error
	if d.plan, err = planOf(o); err != nil {
		return d, nil, err
	}
	layers, err := s.Registry.Layers(ctx, o.Org)
	if err != nil {
		return d, nil, err
	}
	d.outs = outputsOf(layers)
	return d, layers, nil
}

// planOf reads the plan that an org was last onboarded with.
func planOf(o registry.Org) (p plan.Plan, err error) {
	if err := json.Unmarshal(o.Plan, &p); err != nil {
		return p, fmt.Errorf("read the plan that %s was onboarded with: %w", o.Org, err)
	}
	return p, nil
}

// outputsOf returns the outputs of the layers that are made.
func outputsOf(layers map[string]registry.Layer) map[plan.Layer]map[string]any {
	outs := map[plan.Layer]map[string]any{}
	for _, l := range plan.Layers() {
		if rec := layers[string(l)]; rec.State != layerRemoved && len(rec.Outputs) > 0 {
			outs[l] = rec.Outputs
		}
	}
	return outs
}

// Shared returns what two orgs have in common.
func (s *Service) Shared(ctx context.Context) ([]finding.Shared, error) {
	return s.Registry.Shared(ctx)
}

// Kubeconfig returns a kubeconfig that reaches the org's cluster by an exec
// plugin. It holds no token.
func (s *Service) Kubeconfig(ctx context.Context, org string) ([]byte, error) {
	o, err := s.Registry.Org(ctx, org)
	if err != nil {
		return nil, fail(org, "", err)
	}
	d, _, err := s.recorded(ctx, o)
	if err != nil {
		return nil, fail(org, "", err)
	}
	if d.outs[plan.LayerCluster] == nil {
		return nil, &Error{
			Org: org, Layer: string(plan.LayerCluster), Err: fmt.Errorf("%w: the org has no cluster yet", ErrInvalid),
			Next: "onboard it first",
		}
	}
	b, err := stacks.Decode[stacks.BoundaryOut](d.outs[plan.LayerBoundary])
	if err != nil {
		return nil, fail(org, string(plan.LayerBoundary), err)
	}
	c, err := stacks.Decode[stacks.ClusterOut](d.outs[plan.LayerCluster])
	if err != nil {
		return nil, fail(org, string(plan.LayerCluster), err)
	}
	ref, err := s.clusterRef(d, b, c)
	if err != nil {
		return nil, fail(org, string(plan.LayerCluster), err)
	}
	kubeconfig, err := s.Cloud.Kubeconfig(ctx, ref, b.BootstrapRoleARN)
	return kubeconfig, fail(org, string(plan.LayerCluster), err)
}
