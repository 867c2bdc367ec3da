package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/wait"
)

// ending is what an operation ends with.
type ending struct {
	result  any // the terminal event carries it
	changes map[string]int
}

// requestIDs are the ids that a request may have: what fits in a log, a header and a key.
var requestIDs = regexp.MustCompile(`^[!-~]{1,128}$`)

// ValidRequestID reports whether a request may have the id.
func ValidRequestID(id string) bool { return requestIDs.MatchString(id) }

// Call is how a caller makes a request.
type Call struct {
	// RequestID is what the caller knows the request by; empty: by nothing. The
	// same request made again is the same operation, with the same result; another
	// one under the same id wraps ErrInvalid.
	RequestID string `json:"-"`
	// Resume is a running operation to go on with, whose process is gone.
	Resume string `json:"-"`
}

// request is what a caller asks for: everything, so that another process can go
// on with it.
func request(kind string, c Call, document any) (operation.Request, error) {
	text, err := json.Marshal(document)
	if err != nil {
		return operation.Request{}, fmt.Errorf("write down the request: %w", err)
	}
	return operation.Request{Kind: kind, ID: c.RequestID, Resume: c.Resume, Document: string(text)}, nil
}

// operate holds the org for the time of body, and ends the operation with the
// one terminal event that fits what body returned.
//
// A request that was carried out before is shown again, event by event, and ends
// as it ended: repeated is handed its result.
func (s *Service) operate(
	ctx context.Context, org string, req operation.Request, sink event.Sink, repeated func(result any), body func(context.Context, *run) (ending, error),
) error {
	op, err := operation.Begin(wait.Heard(ctx, watching(org, req.Kind, sink)), s.Holding, s.Who.For(org), req, sink)
	if before, ok := errors.AsType[*registry.RepeatedError](err); ok {
		return s.replay(ctx, org, before.Operation, sink, repeated)
	}
	if err != nil {
		return fail(org, "", err)
	}
	r := &run{Service: s.confirmed(op), op: op}
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
	if ev.Type == event.OperationPending {
		reason, after := pendingFor(err)
		ev.Reason, ev.RetryAt = reason, s.Now().Add(after)
	}
	if ended := op.End(ctx, ev); ended != nil && !errors.Is(err, registry.ErrLost) {
		err = errors.Join(err, fail(org, "", ended))
	}
	return err
}

// watching tells of a wait for the org before there is an operation.
func watching(org, kind string, sink event.Sink) func(wait.Report) {
	return func(w wait.Report) {
		if sink != nil {
			sink(event.Event{Type: event.Waiting, Org: org, Kind: kind, Duration: w.Waited, Message: w.String()})
		}
	}
}

// replay shows what an operation said, and returns how it ended.
func (s *Service) replay(ctx context.Context, org string, op event.Operation, sink event.Sink, repeated func(result any)) error {
	events, err := s.of(org).Events(ctx, op.ID, 0)
	if err != nil {
		return fail(org, "", err)
	}
	for _, ev := range events {
		if ev, err = ev.Restored(); err != nil {
			return fail(org, "", err)
		}
		if sink != nil {
			sink(ev)
		}
		if !ev.Type.Terminal() {
			continue
		}
		if ev.Result != nil {
			repeated(ev.Result)
		}
		return Ended(ev)
	}
	return fail(org, "", fmt.Errorf("operation %s has ended, and its terminal event is not stored", op.ID))
}

// Ended is the error of an operation that ended with the terminal event, nil if
// it succeeded.
func Ended(ev event.Event) error {
	kind := error(nil)
	switch ev.Type {
	case event.OperationSucceeded:
		return nil
	case event.OperationBlocked:
		kind = ErrBlocked
	case event.OperationPending:
		kind = ErrPending
	default:
		kind = errEnded
	}
	return &Error{Org: ev.Org, Layer: ev.Layer, Next: ev.Next, Err: &because{text: ev.Message, err: kind}}
}

// errEnded is the cause of an operation that failed earlier.
var errEnded = errors.New("the operation failed")

// result hands a repeated operation's result to the variable of the use case.
func result[T any](out *T) func(any) {
	return func(v any) {
		if typed, ok := v.(T); ok {
			*out = typed
		}
	}
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
