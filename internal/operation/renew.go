package operation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/registry"
)

// renew keeps the lease from expiring until ctx ends or the org is lost. held
// is a time at which the lease was good for a whole TTL.
func (h *Operation) renew(ctx context.Context, held time.Time) {
	tick := time.NewTicker(h.o.TTL / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// Asked before the answer, so that a slow answer makes the lease look
		// older than it is, and never younger.
		asked := h.o.Now()
		err := h.renewOnce(ctx)
		switch {
		case err == nil:
			held = asked
		case errors.Is(err, registry.ErrCancelled):
			// It still holds its org, until it has cleaned up and ended.
			held = asked
			h.cancel(err)
		case ctx.Err() != nil:
			return
		case errors.Is(err, registry.ErrLost):
			h.cancel(err)
			return
		case h.o.Now().Sub(held) >= h.o.TTL:
			// Whoever reaches the registry may hold the org by now.
			h.cancel(fmt.Errorf("%w: its lease on org %s could not be renewed for %s: %w", registry.ErrLost, h.lease.Org, h.o.TTL, err))
			return
		}
	}
}

// renewOnce does not wait for a registry that hangs: there is time to ask twice.
func (h *Operation) renewOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.o.TTL/3)
	defer cancel()
	return h.store.Renew(ctx, h.lease, h.o.Holder.Name(), h.o.TTL)
}

// checked returns err, and ends the operation's context if it says that the org is lost.
func (h *Operation) checked(err error) error {
	h.noteLost(err)
	return err
}

func (h *Operation) noteLost(err error) {
	if errors.Is(err, registry.ErrLost) {
		h.cancel(err)
	}
}
