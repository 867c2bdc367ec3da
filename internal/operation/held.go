package operation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"freehold.dev/freehold/internal/registry"
)

// Confirm returns nil if nobody else can hold the operation's org at this moment.
// Whatever changes the cloud for an org asks it right before each change.
//
// As long as the lease is good, which an uptime tells that goes on while the
// process is stopped, it asks nobody. After that it renews the lease first, and
// returns an error that wraps registry.ErrLost where somebody has taken over, or
// the registry's own where that cannot be told.
func (h *Operation) Confirm(ctx context.Context) error {
	if h.fresh() {
		return nil
	}
	h.confirms.Lock() // one asks for all
	defer h.confirms.Unlock()
	if h.fresh() {
		return nil
	}
	err := h.renewOnce(ctx)
	if err == nil || errors.Is(err, registry.ErrCancelled) {
		return nil
	}
	return fmt.Errorf("nothing more is changed for org %s before its lease is renewed: %w", h.lease.Org, err)
}

// Held are the orgs that the operations of a process hold. The zero value holds none.
type Held struct {
	mu  sync.Mutex
	ops map[string]*Operation
}

// Confirm is Operation.Confirm of the operation that holds the org. It wraps
// registry.ErrLost where none does: nobody may change anything then.
func (h *Held) Confirm(ctx context.Context, org string) error {
	if op := h.of(org); op != nil {
		return op.Confirm(ctx)
	}
	return fmt.Errorf("no operation of this process holds org %s: %w", org, registry.ErrLost)
}

// Until is the uptime until which the org is held, unless its lease is renewed; 0
// where no operation holds it.
func (h *Held) Until(org string) time.Duration {
	if op := h.of(org); op != nil {
		return time.Duration(op.until.Load())
	}
	return 0
}

func (h *Held) of(org string) *Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ops[org]
}

func (h *Held) add(op *Operation) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ops == nil {
		h.ops = map[string]*Operation{}
	}
	h.ops[op.Org()] = op
}

func (h *Held) remove(op *Operation) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ops[op.Org()] == op {
		delete(h.ops, op.Org())
	}
}
