package lifecycle

import (
	"context"
	"errors"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/registry"
)

// ending is what an operation ends with.
type ending struct {
	result  any // the terminal event carries it
	changes map[string]int
}

// operate holds the org for the time of body, and ends the operation with the
// one terminal event that fits what body returned.
func (s *Service) operate(ctx context.Context, org, kind string, sink event.Sink, body func(context.Context, *run) (ending, error)) error {
	op, err := operation.Begin(ctx, s.Holding, org, kind, sink)
	if err != nil {
		return fail(org, "", err)
	}
	r := &run{Service: s, op: op}
	end, err := body(r.hearing(op.Context(), ""), r)
	if lost := context.Cause(op.Context()); errors.Is(lost, registry.ErrLost) {
		// Whoever took over has ended this operation and goes on.
		err = fail(org, "", lost)
	}
	ev := event.Event{Type: terminal(err), Duration: s.Now().Sub(op.Began()), Changes: end.changes, Result: end.result}
	if err != nil {
		ev.Message = err.Error()
		if e, ok := errors.AsType[*Error](err); ok {
			ev.Next, ev.Layer = e.Next, e.Layer
		}
	}
	if ended := op.End(ctx, ev); ended != nil && !errors.Is(err, registry.ErrLost) {
		err = errors.Join(err, fail(org, "", ended))
	}
	return err
}

// terminal is the event with which an operation that returned err ends.
func terminal(err error) event.Type {
	switch {
	case err == nil:
		return event.OperationSucceeded
	case errors.Is(err, ErrBlocked):
		return event.OperationBlocked
	case errors.Is(err, ErrPending):
		return event.OperationPending
	default:
		return event.OperationFailed
	}
}
