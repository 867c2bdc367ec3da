package registrytest

import (
	"errors"
	"testing"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// asked is the request that a pipeline knows by id.
func asked(id, document string, over registry.Sighting) registry.Request {
	req := request()
	req.ID, req.Document, req.Over = id, document, over
	return req
}

var requesting = map[string]func(*testing.T, world){
	"the same request after its end is the same operation, and no new one": func(t *testing.T, w world) {
		b, err := of(w.a, "acme").Begin(t.Context(), asked("build-7", "d1", registry.Sighting{}))
		if err != nil {
			t.Fatal(err)
		}
		end(t, w.a, b.Lease, event.OperationBlocked)
		before := read(t, w.b, "acme")
		_, err = of(w.b, "acme").Begin(t.Context(), asked("build-7", "d1", registry.Sighting{}))
		var repeated *registry.RepeatedError
		if !errors.As(err, &repeated) || repeated.Operation.ID != b.Lease.Operation || repeated.Operation.State != "blocked" {
			t.Errorf("%v, want a RepeatedError with the blocked operation %s", err, b.Lease.Operation)
		}
		same(t, "the registry", before, read(t, w.b, "acme"))
	},

	"another document under the same id is refused, whether or not the first has ended": func(t *testing.T, w world) {
		b, err := of(w.a, "acme").Begin(t.Context(), asked("build-7", "d1", registry.Sighting{}))
		if err != nil {
			t.Fatal(err)
		}
		refused := func(req registry.Request) {
			t.Helper()
			_, err := of(w.b, "acme").Begin(t.Context(), req)
			var other *registry.RequestError
			if !errors.As(err, &other) || other.Operation.ID != b.Lease.Operation {
				t.Errorf("%v, want a RequestError that names operation %s", err, b.Lease.Operation)
			}
		}
		refused(asked("build-7", "d2", seen(t, w.b, "acme")))
		kind := asked("build-7", "d1", seen(t, w.b, "acme"))
		kind.Kind = "offboard"
		refused(kind)
		end(t, w.a, b.Lease, event.OperationSucceeded)
		refused(asked("build-7", "d2", registry.Sighting{}))
	},

	"the same request while its operation runs is busy": func(t *testing.T, w world) {
		if _, err := of(w.a, "acme").Begin(t.Context(), asked("build-7", "d1", registry.Sighting{})); err != nil {
			t.Fatal(err)
		}
		if _, err := of(w.b, "acme").Begin(t.Context(), asked("build-7", "d1", registry.Sighting{})); !errors.Is(err, registry.ErrBusy) {
			t.Errorf("%v, want ErrBusy", err)
		}
	},

	"the same request goes on with its operation when the process that ran it is gone": func(t *testing.T, w world) {
		first, err := of(w.a, "acme").Begin(t.Context(), asked("build-7", "d1", registry.Sighting{}))
		if err != nil {
			t.Fatal(err)
		}
		furnish(t, w.a, first.Lease)
		second, err := of(w.b, "acme").Begin(t.Context(), asked("build-7", "d1", seen(t, w.b, "acme")))
		if err != nil {
			t.Fatal(err)
		}
		if !second.Resumed || second.Operation.ID != first.Operation.ID || second.Lease.Token <= first.Lease.Token {
			t.Errorf("%+v, want operation %s to go on", second, first.Operation.ID)
		}
		same(t, "undelivered", 0, len(second.Undelivered))
		for write, err := range writes(t, w.a, first.Lease) {
			if !errors.Is(err, registry.ErrLost) {
				t.Errorf("%s of the process that is gone: %v, want ErrLost", write, err)
			}
		}
		end(t, w.b, second.Lease, event.OperationSucceeded)
		same(t, "operations", 1, len(must[[]event.Operation](t)(of(w.a, "acme").Operations(t.Context()))))
		same(t, "terminal events", 1, terminals(t, w.a, second.Lease))
		var numbers []int64
		for _, ev := range must[[]event.Event](t)(of(w.a, "acme").Events(t.Context(), first.Lease.Operation, 0)) {
			numbers = append(numbers, ev.Seq)
		}
		same(t, "the numbers of its events", []int64{1, 2, 3, 4}, numbers)
	},

	"another request ends what a gone process left, whatever that was asked by": func(t *testing.T, w world) {
		first, err := of(w.a, "acme").Begin(t.Context(), asked("build-7", "d1", registry.Sighting{}))
		if err != nil {
			t.Fatal(err)
		}
		second, err := of(w.b, "acme").Begin(t.Context(), asked("build-8", "d1", seen(t, w.b, "acme")))
		if err != nil {
			t.Fatal(err)
		}
		if second.Resumed || second.Operation.ID == first.Operation.ID {
			t.Errorf("%+v, want a new operation", second)
		}
		same(t, "terminal events of the first", 1, terminals(t, w.a, first.Lease))
		_, err = of(w.a, "acme").Begin(t.Context(), asked("build-7", "d1", registry.Sighting{}))
		var repeated *registry.RepeatedError
		if !errors.As(err, &repeated) || repeated.Operation.State != "failed" {
			t.Errorf("the first request again: %v, want a RepeatedError with what became of it", err)
		}
	},

	"two orgs may know their requests by the same id": func(t *testing.T, w world) {
		for _, org := range []string{"acme", "globex"} {
			b, err := of(w.a, org).Begin(t.Context(), asked("build-7", org, registry.Sighting{}))
			if err != nil || b.Resumed {
				t.Fatalf("%s: %+v, %v", org, b, err)
			}
		}
	},
}
