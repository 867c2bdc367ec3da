package cli_test

import (
	"errors"
	"fmt"
	"reflect"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

// asked is a request that was made under an id.
type asked struct {
	spec spec.Spec
	op   *event.Operation
}

// again answers a request that was made before under its id, and reports
// whether it did. One whose process is gone goes on as op instead.
func (w *world) again(s spec.Spec, id string, sink event.Sink) (op *running, out event.Onboarding, answered bool, err error) {
	before, known := w.requests[s.Org+" "+id]
	if id == "" || !known {
		return nil, out, false, nil
	}
	out.Org = s.Org
	if !reflect.DeepEqual(before.spec, s) {
		return nil, out, true, &lifecycle.Error{
			Org: s.Org, Err: fmt.Errorf("%w: request %s asked for something else", lifecycle.ErrInvalid, id),
			Next: "give the request an id of its own; nothing was changed",
		}
	}
	log := w.log[before.op.ID]
	last := log[len(log)-1]
	if !last.Type.Terminal() {
		if w.troubleOf(s.Org) != "dead" {
			return nil, out, true, &lifecycle.Error{Org: s.Org, Err: fmt.Errorf("%w: onboard %s", lifecycle.ErrBusy, before.op.ID)}
		}
		return &running{Operation: before.op, w: w, sink: sink}, out, false, nil
	}
	for _, e := range log {
		if e, err = e.Restored(); err != nil {
			return nil, out, true, err
		}
		sink(e)
		if result, ok := e.Result.(event.Onboarding); ok {
			out = result
		}
	}
	if cause := causes[last.Type]; cause != nil {
		err = &lifecycle.Error{Org: s.Org, Err: fmt.Errorf("%w: %s", cause, last.Message), Next: last.Next}
	}
	return nil, out, true, err
}

// causes are what operations ended for.
var causes = map[event.Type]error{
	event.OperationFailed: errors.New("it failed"), event.OperationBlocked: lifecycle.ErrBlocked, event.OperationPending: lifecycle.ErrPending,
}
