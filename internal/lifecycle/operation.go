package lifecycle

import (
	"context"
	"errors"
	"sync"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// operation is one run of a use case that changes something. It holds the org,
// and sends exactly one terminal event when it ends.
type operation struct {
	*registry.Operation
	emit  event.Sink
	began time.Time
}

// begin holds the org. Operations whose process was killed get the terminal
// event that they owe.
func (s *Service) begin(ctx context.Context, org, kind string, sink event.Sink) (*operation, error) {
	op, err := s.Registry.Begin(ctx, org, kind)
	if err != nil {
		return nil, fail(org, "", err)
	}
	emit := serialized(sink)
	for _, dead := range op.Interrupted {
		emit(event.Event{
			Type: event.OperationFailed, Time: s.Now(), Org: org, Operation: dead.ID, Kind: dead.Kind,
			Duration: dead.Finished.Sub(dead.Started), Message: dead.Error,
			Next: "nothing to do: " + kind + " goes on where it stopped",
		})
	}
	o := &operation{Operation: op, began: s.Now()}
	o.emit = func(ev event.Event) {
		ev.Operation, ev.Kind, ev.Org = op.ID, kind, org
		if ev.Time.IsZero() {
			ev.Time = s.Now()
		}
		emit(ev)
	}
	o.emit(event.Event{Type: event.OperationStarted})
	return o, nil
}

// end records the end, sends the terminal event and lets go of the org.
func (s *Service) end(ctx context.Context, o *operation, changes map[string]int, err error) error {
	typ, state := terminal(err)
	ev := event.Event{Type: typ, Duration: s.Now().Sub(o.began), Changes: changes}
	if err != nil {
		ev.Message = err.Error()
		if e, ok := errors.AsType[*Error](err); ok {
			ev.Next, ev.Layer = e.Next, e.Layer
		}
	}
	if rerr := o.End(ctx, state, ev.Message); rerr != nil {
		err = errors.Join(err, fail(o.Org, "", rerr))
	}
	o.emit(ev)
	return err
}

// serialized makes a sink safe to call from several layers at once.
func serialized(sink event.Sink) event.Sink {
	if sink == nil {
		return func(event.Event) {}
	}
	var mu sync.Mutex
	return func(ev event.Event) {
		mu.Lock()
		defer mu.Unlock()
		sink(ev)
	}
}
