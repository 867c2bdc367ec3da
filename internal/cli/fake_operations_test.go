package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
)

// running is an operation: each of its events is stored before it is shown.
type running struct {
	*event.Operation
	w    *world
	sink event.Sink
}

func (w *world) begin(org, kind string, sink event.Sink) *running {
	w.runs++
	op := &event.Operation{ID: fmt.Sprintf("op-%d", w.runs), Org: org, Kind: kind, State: "running", Started: w.clock.Now()}
	w.operations[org] = append(w.operations[org], op)
	r := &running{Operation: op, w: w, sink: sink}
	r.emit(event.Event{Type: event.OperationStarted})
	return r
}

// store keeps an event as a database does: what is read back has the types of JSON.
func (r *running) store(e event.Event) event.Event {
	e.Time, e.Org, e.Operation, e.Kind = r.w.clock.Now(), r.Org, r.ID, r.Kind
	e.Seq = int64(len(r.w.log[r.ID]) + 1)
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	var stored event.Event
	if err := json.Unmarshal(text, &stored); err != nil {
		panic(err)
	}
	r.w.log[r.ID] = append(r.w.log[r.ID], stored)
	return e
}

func (r *running) emit(e event.Event) { r.sink(r.store(e)) }

// end ends the operation with its one terminal event.
func (r *running) end(result any, err error) error {
	e := event.Event{Type: event.OperationSucceeded, Duration: r.w.clock.Now().Sub(r.Started), Result: result}
	r.State, r.Finished = "succeeded", r.w.clock.Now()
	if err != nil {
		e.Type, r.State, e.Message, r.Error = event.OperationFailed, "failed", err.Error(), err.Error()
		switch {
		case errors.Is(err, lifecycle.ErrBlocked):
			e.Type, r.State = event.OperationBlocked, "blocked"
		case errors.Is(err, lifecycle.ErrPending):
			e.Type, r.State = event.OperationPending, "pending"
		}
	}
	r.emit(e)
	return err
}

// lose lets another process take the org over. It ends the operation in the
// log, and nothing is shown.
func (r *running) lose(logged bool) error {
	if logged {
		r.State, r.Finished, r.Error = "failed", r.w.clock.Now(), "another process took over"
		r.store(event.Event{Type: event.OperationFailed, Message: r.Error})
	}
	return &lifecycle.Error{Org: r.Org, Err: errors.New("the operation no longer holds its org"), Next: "freehold operations " + r.Org + " shows which one does"}
}

func (w *world) Operations(_ context.Context, name string) ([]event.Operation, error) {
	if w.orgs[name] == nil {
		return nil, w.unknown(name, "operations")
	}
	var out []event.Operation
	for _, o := range slices.Backward(w.operations[name]) {
		out = append(out, *o)
	}
	return out, nil
}

func (w *world) Events(_ context.Context, name, operation string, after int64) ([]event.Event, error) {
	all := w.operations[name]
	if w.orgs[name] == nil {
		return nil, w.unknown(name, "operations events")
	}
	if operation == "" {
		operation = all[len(all)-1].ID
	}
	if !slices.ContainsFunc(all, func(o *event.Operation) bool { return o.ID == operation }) {
		return nil, &lifecycle.Error{
			Org: name, Err: fmt.Errorf("%w: unknown operation %s", lifecycle.ErrInvalid, operation), Next: "list the operations with freehold operations " + name,
		}
	}
	return slices.DeleteFunc(slices.Clone(w.log[operation]), func(e event.Event) bool { return e.Seq <= after }), nil
}
