package operation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/registry"
)

// renew keeps the lease from expiring until ctx ends or the org is lost.
func (h *Operation) renew(ctx context.Context) {
	tick := time.NewTicker(h.o.TTL / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := h.renewOnce(ctx)
		switch {
		case err == nil, errors.Is(err, registry.ErrCancelled):
		case ctx.Err() != nil:
			return
		case errors.Is(err, registry.ErrLost):
			return
		case !h.fresh():
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
	// Asked before the answer, so that a slow answer makes the lease look older
	// than it is, and never younger.
	asked := h.o.Uptime()
	err := h.store.Renew(ctx, h.lease, h.o.Holder.Name(), h.o.TTL)
	switch {
	case err == nil:
		h.extend(asked + h.o.TTL)
	case errors.Is(err, registry.ErrCancelled):
		// It still holds its org, until it has cleaned up and ended.
		h.extend(asked + h.o.TTL)
		h.cancel(err)
	case errors.Is(err, registry.ErrLost):
		h.cancel(err)
	}
	return err
}

// extend moves the end of the lease, and never back: two renewals may overlap.
func (h *Operation) extend(until time.Duration) {
	for {
		was := h.until.Load()
		if int64(until) <= was || h.until.CompareAndSwap(was, int64(until)) {
			return
		}
	}
}

// fresh reports whether the lease has not expired.
func (h *Operation) fresh() bool { return int64(h.o.Uptime()) < h.until.Load() }

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
