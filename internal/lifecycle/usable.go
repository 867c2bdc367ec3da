package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
)

// cleanReads are the probes in a row that a new account has to pass, with a
// pause between each two: services do not become usable at once, and one that
// answers now may not a moment later.
const cleanReads = 2

// awaitUsable probes a new account until it can be used: what AWS reports as
// created is not usable for minutes (terraform-provider-aws#15654).
func (r *run) awaitUsable(ctx context.Context, a cloud.Account) error {
	clean := 0
	var last error
	err := wait.Until(ctx, wait.For{
		What: "account " + a.ID + " to become usable", Every: or(r.ProbeEvery, 10*time.Second), Within: or(r.UsableWithin, 30*time.Minute), Now: r.Now,
		Say: func(waited time.Duration) {
			if last == nil {
				return // it is usable, and only asked once more
			}
			r.op.Emit(event.Event{
				Type: event.Waiting, Layer: string(plan.LayerAccount), Duration: waited,
				Message: fmt.Sprintf("waiting for account %s to become usable: %v", a.ID, last),
			})
		},
	}, func(ctx context.Context) (bool, error) {
		last = r.Cloud.Usable(ctx, a)
		switch {
		case last == nil:
			clean++
			return clean == cleanReads, nil
		case errors.Is(last, cloud.ErrNotUsable):
			clean = 0
			return false, wait.NotYet(last)
		default:
			return false, fmt.Errorf("probe account %s: %w", a.ID, last)
		}
	})
	return waited(ctx, err)
}

// waited marks a wait that ended with its context as cancelled.
func waited(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrCancelled, err)
	}
	return err
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// protectCluster sets EKS deletion protection, which is in neither provider and
// is set beside them.
func (s *Service) protectCluster(ctx context.Context, d dataplane.DataPlane, on bool) error {
	c, err := d.Cluster()
	if err != nil {
		return err
	}
	err = s.Cloud.ProtectCluster(ctx, c, on)
	if !on && errors.Is(err, cloud.ErrNotFound) {
		return nil // an interrupted removal has removed it already
	}
	if err != nil {
		return fmt.Errorf("set deletion protection of cluster %s to %t: %w", c.Name, on, err)
	}
	return nil
}
