package lifecycle

import (
	"context"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
)

// heard makes an event of each report of a wait of a layer; "" is the operation's own.
func (r *run) heard(l plan.Layer) func(wait.Report) {
	return func(w wait.Report) {
		r.op.Emit(event.Event{Type: event.Waiting, Layer: string(l), Duration: w.Waited, Message: w.String()})
	}
}

// waits passes on what a run of the engine that only looks waits for.
func (r *run) waits(ev event.Event) {
	if ev.Type == event.Waiting {
		r.op.Emit(ev)
	}
}

// hearing is the context of a layer: whatever waits in it says so.
func (r *run) hearing(ctx context.Context, l plan.Layer) context.Context {
	return wait.Heard(ctx, r.heard(l))
}
