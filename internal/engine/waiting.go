package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/wait"
)

// patience is how long a step may take before it is something to wait for.
const patience = 20 * time.Second

// running is a step that the engine is at.
type running struct {
	step   apitype.StepEventMetadata
	custom bool
	began  time.Time
	said   time.Time // when it was last reported as waited for
	status string    // what its provider last said of it
}

// noteStatus keeps what a provider says of a resource that it works on. The
// caller holds w.mu.
func (w *watch) noteStatus(urn, text string) {
	for _, r := range w.running {
		if r.step.URN == urn {
			r.status = text
		}
	}
}

// reporting says what the run waits for, for as long as it lasts: a provider may
// be silent for the quarter of an hour that a cluster takes.
func (w *watch) reporting(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(patience / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				w.reportWaits()
			}
		}
	}()
	return func() { cancel(); <-over }
}

// reportWaits reports the resources that have been worked on for a while.
func (w *watch) reportWaits() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.preview {
		return
	}
	now := w.now()
	for _, key := range slices.Sorted(maps.Keys(w.running)) {
		r := w.running[key]
		if !r.custom || now.Sub(r.began) < patience || !r.said.IsZero() && now.Sub(r.said) < wait.SaysEvery {
			continue
		}
		r.said = now
		m := r.step
		text := fmt.Sprintf("waiting for %s of %s %q", m.Op, m.Type, urnName(m.URN))
		if w.stack.Until != nil {
			text += " until " + w.stack.Until(m.Type, string(m.Op))
		}
		if r.status != "" {
			text += ": " + r.status
		}
		w.emit(event.Waiting, m, text)
	}
}
