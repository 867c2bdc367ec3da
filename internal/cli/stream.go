package cli

import (
	"errors"
	"sync"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
)

// stream carries the events of one operation to one consumer and ends it
// exactly once.
//
// An event that the operation's log holds is shown as it is, terminal or not: a
// replay shows the same. A terminal event that is stored nowhere is held back
// until the use case has returned, so that it agrees with the exit status. A use
// case that returns without a terminal event has either lost its org to another
// process, which has ended the operation in the log, or never began; the stream
// then ends with the log's event or with one of its own.
//
// Terminal events of earlier operations, of processes that were killed, pass
// through.
//
// The terminal event of a document that could not be read names the org that
// the document states, and no org when it states none.
type stream struct {
	kind string
	now  func() time.Time
	show event.Sink
	// logged returns the terminal event that the log holds for an operation;
	// nil: there is no log.
	logged func(org, operation string) (event.Event, bool)

	mu        sync.Mutex
	org       string
	operation string
	held      *event.Event
	ended     bool
}

func newStream(kind, org string, now func() time.Time, show event.Sink) *stream {
	return &stream{kind: kind, org: org, now: now, show: show}
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
	ours := e.Type.Terminal() && e.Operation == s.operation
	if ours && e.Seq == 0 {
		s.held = &e
		return
	}
	s.ended = ours
	s.show(e)
}

// end sends the terminal event, unless it was shown. Result is what the use
// case returned, nil when there is none.
func (s *stream) end(result any, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	if s.held == nil && s.operation != "" && s.logged != nil {
		if last, ok := s.logged(s.org, s.operation); ok {
			s.show(last)
			return
		}
	}
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
	s.show(last)
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
