package lifecycle

import (
	"context"
	"fmt"

	"freehold.dev/freehold/internal/operation"
)

// run is a use case that holds its org. Its steps write through op.
type run struct {
	*Service

	op *operation.Operation
}

// step is one part of a use case. What it needs is in its argument, and what
// the next ones need of it in its result, as plain values.
type step[In, Out any] func(ctx context.Context, in In) (Out, error)

// relay hands a value from one step to the next. Tests put it through JSON, as
// between two processes, so that a step which needs more than its value fails there.
var relay = func(v any) any { return v }

// do carries a step out, unless the operation has been cancelled or has lost its org.
func do[In, Out any](ctx context.Context, s step[In, Out], in In) (out Out, err error) {
	if ctx.Err() != nil {
		return out, fmt.Errorf("%w: %w", ErrCancelled, context.Cause(ctx))
	}
	handed, ok := relay(in).(In)
	if !ok {
		return out, fmt.Errorf("a step was handed a value of another type than %T", in)
	}
	if out, err = s(ctx, handed); err != nil {
		return out, err
	}
	if handed, ok := relay(out).(Out); ok {
		return handed, nil
	}
	return out, fmt.Errorf("a step returned a value of another type than %T", out)
}
