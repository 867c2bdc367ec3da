package operation

import (
	"context"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// BeginStep records that a step begins, in this process, and returns it with its
// number.
func (h *Operation) BeginStep(ctx context.Context, s event.Step) (event.Step, error) {
	s.State, s.Started, s.Holder = event.StepRunning, h.o.Now(), h.o.Holder.Name()
	s, err := h.store.BeginStep(ctx, h.lease, s)
	return s, h.checked(err)
}

// EndStep records how a step ended, also when ctx has.
func (h *Operation) EndStep(ctx context.Context, s event.Step, failure error) error {
	s.State, s.Finished = event.StepDone, h.o.Now()
	if failure != nil {
		s.State, s.Error = event.StepFailed, failure.Error()
	}
	return h.checked(h.store.EndStep(context.WithoutCancel(ctx), h.lease, s))
}

// TakeSlot takes one of the slots that all orgs share, for as long as the
// operation runs. It is a *registry.FullError when there is none now.
func (h *Operation) TakeSlot(ctx context.Context, r registry.SlotRequest) error {
	r.TTL = h.o.TTL
	return h.checked(h.store.TakeSlot(ctx, h.lease, r))
}

// FreeSlot gives up the operation's slot of a kind before the operation ends.
func (h *Operation) FreeSlot(ctx context.Context, kind string) error {
	return h.checked(h.store.FreeSlot(ctx, h.lease, kind))
}
