package cli

import (
	"errors"
	"sync"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
)

// stream carries the events of one operation to one consumer and ends it
// exactly once. A terminal event that the use case sends is held back until
// the use case has returned, so that the last event and the exit status always
// agree; a use case that fails before it says anything is given the terminal
// event that it owes. The terminal event of another operation, one whose
// process was killed, passes through.
//
// The terminal event of a document that could not be read names the org that
// the document states, and no org when it states none.
type stream struct {
	kind    string
	now     func() time.Time
	consume event.Sink

	mu        sync.Mutex
	org       string
	operation string
	held      *event.Event
	ended     bool
}

func newStream(kind, org string, now func() time.Time, consume event.Sink) *stream {
	return &stream{kind: kind, org: org, now: now, consume: consume}
}

// sink takes the use case's events.
func (s *stream) sink(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	if e.Type == event.OperationStarted || (s.operation == "" && !e.Type.Terminal()) {
		s.operation = e.Operation
	}
	if e.Org != "" {
		s.org = e.Org
	}
	if e.Kind == "" {
		e.Kind = s.kind
	}
	if e.Type.Terminal() && e.Operation == s.operation {
		s.held = &e
		return
	}
	s.consume(e)
}

// end sends the terminal event. Result is what the use case returned, nil when
// there is nothing worth telling.
func (s *stream) end(result any, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	last := event.Event{Time: s.now(), Org: s.org, Operation: s.operation, Kind: s.kind}
	if s.held != nil {
		last = *s.held
	}
	last.Type = terminalType(err)
	last.Result = result
	if err != nil {
		last.Message = err.Error()
		if last.Next == "" {
			last.Next = nextStep(err)
		}
		if e, ok := errors.AsType[*lifecycle.Error](err); ok {
			last.Layer = e.Layer
			if last.Org == "" {
				last.Org = e.Org
			}
		}
	}
	s.consume(last)
}

// terminalType is the exit status's sibling: how an operation ended.
func terminalType(err error) event.Type {
	switch {
	case err == nil, errors.Is(err, errDifferent), errors.Is(err, errViolated):
		return event.OperationSucceeded
	case errors.Is(err, lifecycle.ErrBlocked):
		return event.OperationBlocked
	case errors.Is(err, lifecycle.ErrPending):
		return event.OperationPending
	default:
		return event.OperationFailed
	}
}
