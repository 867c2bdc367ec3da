package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/forecast"
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
	r.w.post(stored)
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
			e.Reason, e.RetryAt = event.AccountQuota, r.w.clock.Now().Add(24*time.Hour)
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

// History is what was noted of earlier runs.
func (w *world) History(context.Context) (*forecast.Book, error) {
	if w.trouble == "no history" {
		return nil, errors.New("the registry does not answer")
	}
	book := &forecast.Book{}
	for _, r := range w.history {
		book.Add(r.layer, r.kind, r.took)
	}
	return book, nil
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

func (w *world) Operation(ctx context.Context, name, operation string) (event.OperationDetail, error) {
	evs, err := w.Events(ctx, name, operation, 0)
	out := event.OperationDetail{Org: name, Events: int64(len(evs))}
	if err != nil {
		return out, err
	}
	last := evs[len(evs)-1]
	for _, o := range w.operations[name] {
		if o.ID == last.Operation {
			out.Operation = *o
		}
	}
	if last.Type.Terminal() {
		out.Terminal = &last
	} else {
		out.Holder = &event.Holder{Process: "runner-3 4711 1 boot -", Until: w.clock.Now()}
	}
	return out, nil
}

func (w *world) Follow(ctx context.Context, name, operation string, after int64, sink event.Sink) error {
	evs, err := w.Events(ctx, name, operation, after)
	if err != nil {
		return err
	}
	for _, e := range evs {
		if e, err = e.Restored(); err != nil {
			return err
		}
		sink(e)
		if e.Type.Terminal() {
			return nil
		}
	}
	return w.abandoned(name)
}

func (w *world) abandoned(name string) error {
	return &lifecycle.Error{Org: name, Err: fmt.Errorf("%w: onboard has not ended", lifecycle.ErrAbandoned), Next: "freehold operations resume " + name}
}

func (w *world) Wait(ctx context.Context, name, operation string, within time.Duration) (event.Event, error) {
	d, err := w.Operation(ctx, name, operation)
	switch {
	case err != nil:
		return event.Event{}, err
	case d.Terminal == nil && w.trouble == "dead":
		return event.Event{}, w.abandoned(name)
	case d.Terminal == nil:
		return event.Event{}, &lifecycle.Error{Org: name, Err: fmt.Errorf("%w: it still runs after %s", lifecycle.ErrBusy, within)}
	}
	last, err := d.Terminal.Restored()
	if err != nil {
		return last, err
	}
	cause := causes[last.Type]
	if cause != nil {
		return last, &lifecycle.Error{Org: name, Err: fmt.Errorf("%w: %s", cause, last.Message), Next: last.Next}
	}
	return last, nil
}

func (w *world) Resume(ctx context.Context, name, operation string, sink event.Sink) (any, error) {
	d, err := w.Operation(ctx, name, operation)
	switch {
	case err != nil:
		return nil, err
	case d.Terminal != nil:
		return nil, &lifecycle.Error{Org: name, Err: fmt.Errorf("%w: operation %s has ended", lifecycle.ErrInvalid, d.Operation.ID)}
	case w.trouble != "dead":
		return nil, w.fail(name, "")
	}
	for _, o := range w.operations[name] {
		if o.ID == d.Operation.ID {
			r := &running{Operation: o, w: w, sink: sink}
			r.emit(event.Event{Type: event.Diagnostic, Message: "another process goes on with it"})
			out := event.Onboarding{Org: name, Operation: o.ID, Changed: true}
			return out, r.end(out, nil)
		}
	}
	return nil, nil
}

func (w *world) Cancel(ctx context.Context, name, operation string, _ event.Sink) (event.Operation, error) {
	d, err := w.Operation(ctx, name, operation)
	if err == nil && d.Terminal != nil {
		err = &lifecycle.Error{Org: name, Err: fmt.Errorf("%w: operation %s has ended", lifecycle.ErrInvalid, d.Operation.ID), Next: "nothing to do"}
	}
	if err == nil && w.trouble == "dead" {
		d.Operation.State = "failed"
	}
	return d.Operation, err
}
