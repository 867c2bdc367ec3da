package lifecycle

import (
	"context"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
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

// named is a step by its name, in a run and on a layer.
type named struct {
	*run

	name  string
	layer plan.Layer
}

// step names a step. deadlines has a row for the name.
func (r *run) step(name string, l plan.Layer) named { return named{r, name, l} }

// do carries a step out, unless the operation has been cancelled or has lost its
// org. A step that fails for a passing cause is tried again: see answers.
func do[In, Out any](ctx context.Context, at named, s step[In, Out], in In) (out Out, err error) {
	handed, ok := relay(in).(In)
	if !ok {
		return out, fmt.Errorf("a step was handed a value of another type than %T", in)
	}
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			return out, fmt.Errorf("%w: %w", ErrCancelled, context.Cause(ctx))
		}
		if out, err = once(ctx, at, attempt, s, handed); err == nil {
			break
		}
		again, waited := at.again(ctx, attempt, err)
		if waited != nil {
			return out, waited
		}
		if !again {
			return out, err
		}
	}
	if handed, ok := relay(out).(Out); ok {
		return handed, nil
	}
	return out, fmt.Errorf("a step returned a value of another type than %T", out)
}

// once is one attempt at a step, within its deadline. It is recorded before
// anything else is.
func once[In, Out any](ctx context.Context, at named, attempt int, s step[In, Out], in In) (out Out, err error) {
	within, known := deadlines[at.name]
	if !known {
		return out, fmt.Errorf("step %s has no deadline", at.name)
	}
	rec, err := at.op.BeginStep(ctx, event.Step{Name: at.name, Layer: string(at.layer), Attempt: attempt, Deadline: at.Now().Add(within)})
	if err != nil {
		return out, err
	}
	late := &lateError{at.name, within}
	bound, cancel := context.WithTimeoutCause(ctx, within, late)
	defer cancel()
	out, err = s(bound, in)
	if err != nil && ctx.Err() == nil && context.Cause(bound) == error(late) { //nolint:errorlint // it is this one, and nobody wraps it
		// What was cut off says that it was cancelled, which nobody has done.
		err = fmt.Errorf("%w: %v", late, err) //nolint:errorlint // see above
	}
	if ended := at.op.EndStep(ctx, rec, err); err == nil {
		err = ended
	}
	return out, err
}

// lateError says that a step was given up at its deadline.
type lateError struct {
	step   string
	within time.Duration
}

// Error says which, and after how long.
func (e *lateError) Error() string {
	return fmt.Sprintf("step %s was given up after %s", e.step, e.within)
}

// Unwrap makes it an ErrLate.
func (*lateError) Unwrap() error { return ErrLate }

// again reports whether a step that failed with cause is to be tried again, when
// it has waited for that. An error says that it could not wait.
func (at named) again(ctx context.Context, attempt int, cause error) (bool, error) {
	a := answerTo(cause)
	if attempt > a.retries || ctx.Err() != nil {
		return false, nil
	}
	pause := or(at.RetryEvery, a.pause) << (attempt - 1)
	asked := false
	return true, waited(ctx, wait.Until(ctx, wait.For{
		What:  fmt.Sprintf("attempt %d of %d at step %s", attempt+1, a.retries+1, at.name),
		Every: pause, Within: 2 * pause, Now: at.Now,
	}, func(context.Context) (bool, error) {
		if asked {
			return true, nil
		}
		asked = true
		return false, wait.NotYet(cause)
	}))
}
