package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/stacks"
)

// afterLayer does what belongs to a layer and is no Pulumi resource.
func (s *Service) afterLayer(ctx context.Context, op *operation, d dataPlane, l plan.Layer) error {
	switch l {
	case plan.LayerAccount:
		o, err := stacks.Decode[stacks.AccountOut](d.outs[l])
		if err != nil {
			return err
		}
		if err := s.claim(ctx, d.plan.Org, registry.Identity{Kind: "account", Value: o.AccountID}); err != nil {
			return err
		}
		a, err := d.account("", "")
		if err != nil {
			return err
		}
		return s.awaitUsable(ctx, op, a)
	case plan.LayerBoundary:
		o, err := stacks.Decode[stacks.BoundaryOut](d.outs[l])
		if err != nil {
			return err
		}
		return s.claim(ctx, d.plan.Org,
			registry.Identity{Kind: "boundary", Value: o.BoundaryARN},
			registry.Identity{Kind: "key", Value: o.DataKeyARN},
			registry.Identity{Kind: "key", Value: o.LogKeyARN})
	case plan.LayerCluster:
		o, err := stacks.Decode[stacks.ClusterOut](d.outs[l])
		if err != nil {
			return err
		}
		if err := s.claim(ctx, d.plan.Org,
			registry.Identity{Kind: "cluster", Value: o.ARN},
			registry.Identity{Kind: "endpoint", Value: o.Endpoint},
			registry.Identity{Kind: "OIDC issuer", Value: o.OIDCIssuer},
			registry.Identity{Kind: "VPC", Value: o.VPCID}); err != nil {
			return err
		}
		return s.protectCluster(ctx, d, d.plan.Protected)
	case plan.LayerBootstrap:
		return s.awaitProjects(ctx, op, d)
	}
	return nil
}

// protectCluster sets EKS deletion protection, which is in neither provider and
// is set beside them.
func (s *Service) protectCluster(ctx context.Context, d dataPlane, on bool) error {
	b, err := stacks.Decode[stacks.BoundaryOut](d.outs[plan.LayerBoundary])
	if err != nil {
		return err
	}
	c, err := stacks.Decode[stacks.ClusterOut](d.outs[plan.LayerCluster])
	if err != nil {
		return err
	}
	ref, err := s.clusterRef(d, b, c)
	if err != nil {
		return err
	}
	if err := s.Cloud.ProtectCluster(ctx, ref, on); err != nil {
		return fmt.Errorf("set deletion protection of cluster %s to %t: %w", c.Name, on, err)
	}
	return nil
}

// awaitUsable probes a new account until two clean reads in a row: what AWS
// says is created is not usable for minutes (terraform-provider-aws#15654),
// and the services do not become usable at once.
func (s *Service) awaitUsable(ctx context.Context, op *operation, a cloud.Account) error {
	within, every := s.UsableWithin, s.ProbeEvery
	if within == 0 {
		within = 30 * time.Minute
	}
	if every == 0 {
		every = 10 * time.Second
	}
	began := s.Now()
	for clean := 0; ; {
		err := s.Cloud.Usable(ctx, a)
		switch {
		case err == nil:
			if clean++; clean == 2 {
				return nil
			}
			continue
		case !errors.Is(err, cloud.ErrNotUsable):
			return fmt.Errorf("probe account %s: %w", a.ID, err)
		}
		clean = 0
		waited := s.Now().Sub(began)
		if waited > within {
			return fmt.Errorf("account %s is still not usable after %s: %w", a.ID, waited.Round(time.Second), err)
		}
		op.emit(event.Event{
			Type: event.Waiting, Layer: string(plan.LayerAccount), Duration: waited,
			Message: fmt.Sprintf("account %s is not usable yet: %v", a.ID, err),
		})
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w while waiting for account %s: %w", ErrCancelled, a.ID, context.Cause(ctx))
		case <-time.After(every):
		}
	}
}
