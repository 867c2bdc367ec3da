package registry

import (
	"context"
	"time"

	"freehold.dev/freehold/internal/event"
)

// Steps is what operations did, step by step.
type Steps interface {
	// BeginStep records that a step of the running operation begins, and returns it
	// with its number.
	BeginStep(ctx context.Context, l Lease, s event.Step) (event.Step, error)
	// EndStep records how the step of that number ended.
	EndStep(ctx context.Context, l Lease, s event.Step) error
	// Steps returns the operation's steps in their order. It wraps
	// ErrUnknownOperation.
	Steps(ctx context.Context, operation string) ([]event.Step, error)
	// Worked returns the steps of any operation on the layer that are over, and
	// that were under way at a time, give or take the second, by the clock of the
	// process that ran them. One whose process is gone counts as over from the
	// moment at which another took over, and as under way until its lease's end.
	Worked(ctx context.Context, layer string, at time.Time) ([]event.Step, error)
}
