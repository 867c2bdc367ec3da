package registrytest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

var ending = map[string]func(*testing.T, world){
	"an end is recorded with its terminal event": func(t *testing.T, w world) {
		for i, tc := range []struct {
			typ            event.Type
			state, failure string
		}{
			{event.OperationSucceeded, "succeeded", ""},
			{event.OperationFailed, "failed", "as it was said"},
			{event.OperationBlocked, "blocked", "as it was said"},
			{event.OperationPending, "pending", "as it was said"},
		} {
			b := begin(t, w.a, "acme")
			at := w.pass(time.Minute)
			terminal := belonging(b.Lease, event.Event{Type: tc.typ, Time: at, Message: "as it was said", Next: "this", Changes: map[string]int{"create": i + 1}})
			stored, err := of(w.a, b.Lease.Org).End(t.Context(), b.Lease, terminal)
			if err != nil {
				t.Fatal(err)
			}
			terminal.Seq = 2
			same(t, "returned", terminal, stored)
			same(t, "events", []event.Event{b.Started, terminal},
				must[[]event.Event](t)(of(w.b, "acme").Events(t.Context(), b.Lease.Operation, 0)))
			same(t, "operation", &event.Operation{
				ID: b.Lease.Operation, Org: "acme", Kind: "onboard", State: tc.state, Started: b.Operation.Started, Finished: at, Error: tc.failure,
			}, must[*event.Operation](t)(of(w.b, "acme").Last(t.Context())))
		}
	},

	"an operation ends once, with one terminal event, however many try": func(t *testing.T, w world) {
		for range 20 {
			l := begin(t, w.a, "acme").Lease
			var wg sync.WaitGroup
			var mu sync.Mutex
			ended := 0
			for i, s := range []registry.Store{w.a, w.b, w.a, w.b} {
				wg.Go(func() {
					_, err := of(s, l.Org).End(t.Context(), l, belonging(l, event.Event{Type: event.OperationFailed, Time: w.now(), Message: fmt.Sprint(i)}))
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						ended++
					} else if !errors.Is(err, registry.ErrLost) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if n := terminals(t, w.b, l); ended != 1 || n != 1 {
				t.Fatalf("%d ends and %d terminal events, want one", ended, n)
			}
		}
	},

	"what ends no operation is refused as an end": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		before := read(t, w.b, "acme")
		for reason, ev := range map[string]event.Event{
			"not terminal":      diagnostic(l, "no"),
			"another operation": belonging(registry.Lease{Org: "acme", Operation: "another"}, event.Event{Type: event.OperationFailed}),
			"another org":       belonging(registry.Lease{Org: "globex", Operation: l.Operation}, event.Event{Type: event.OperationFailed}),
		} {
			if _, err := of(w.a, l.Org).End(t.Context(), l, ev); err == nil || errors.Is(err, registry.ErrLost) {
				t.Errorf("%s: %v, want an error, and not ErrLost", reason, err)
			}
		}
		same(t, "the registry", before, read(t, w.b, "acme"))
		end(t, w.a, l, event.OperationSucceeded)
	},

	"an operation that was interrupted is ended by the next one": func(t *testing.T, w world) {
		first := begin(t, w.a, "acme")
		furnish(t, w.a, first.Lease)
		now := w.pass(time.Minute)
		second := takeOver(t, w.b, "acme")
		terminal := registry.Interrupted(first.Operation, now)
		terminal.Seq = 3
		same(t, "undelivered", []event.Event{terminal}, second.Undelivered)
		same(t, "events", []event.Event{terminal}, must[[]event.Event](t)(of(w.a, "acme").Events(t.Context(), first.Lease.Operation, 2)))
		dead := first.Operation
		dead.State, dead.Finished, dead.Error = "failed", now, terminal.Message
		same(t, "operations", []event.Operation{second.Operation, dead}, must[[]event.Operation](t)(of(w.a, "acme").Operations(t.Context())))
	},

	"a terminal event comes with every begin until it is delivered": func(t *testing.T, w world) {
		first := begin(t, w.a, "acme").Lease
		one := must[event.Event](t)(of(w.a, first.Org).End(t.Context(), first, belonging(first, event.Event{Type: event.OperationSucceeded, Time: w.now()})))
		w.pass(time.Second)
		second := begin(t, w.b, "acme")
		same(t, "after the end", []event.Event{one}, second.Undelivered)
		two := registry.Interrupted(second.Operation, w.pass(time.Minute))
		two.Seq = 2
		third := takeOver(t, w.b, "acme")
		same(t, "after a takeover, the oldest first", []event.Event{one, two}, third.Undelivered)
		for range 2 { // may be repeated
			if err := of(w.b, "acme").Delivered(t.Context(), first.Operation); err != nil {
				t.Fatal(err)
			}
		}
		end(t, w.a, third.Lease, event.OperationSucceeded)
		fourth := begin(t, w.a, "acme")
		same(t, "after one delivery", []event.Event{two}, fourth.Undelivered)
		if other := begin(t, w.a, "globex"); len(other.Undelivered) > 0 {
			t.Errorf("another org was handed %v", other.Undelivered)
		}
	},

	"what has not ended cannot have been delivered": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		for reason, op := range map[string]string{"running": l.Operation, "unknown": "nothing"} {
			if err := of(w.a, "acme").Delivered(t.Context(), op); !errors.Is(err, registry.ErrUnknownOperation) {
				t.Errorf("%s: %v, want ErrUnknownOperation", reason, err)
			}
		}
		if got := takeOver(t, w.b, "acme").Undelivered; len(got) != 1 {
			t.Errorf("undelivered %v, want the end of the first", got)
		}
	},

	"an org that never had an operation has no last one": func(t *testing.T, w world) {
		begin(t, w.a, "acme")
		if last := must[*event.Operation](t)(of(w.a, "globex").Last(t.Context())); last != nil {
			t.Errorf("%+v", last)
		}
		if all := must[[]event.Operation](t)(of(w.a, "globex").Operations(t.Context())); len(all) > 0 {
			t.Errorf("%+v", all)
		}
	},

	"operations that began at the same moment are in the order in which they held the org": func(t *testing.T, w world) {
		var want []string
		for range 5 {
			l := begin(t, w.a, "acme").Lease
			end(t, w.a, l, event.OperationSucceeded)
			want = append([]string{l.Operation}, want...)
		}
		var got []string
		for _, op := range must[[]event.Operation](t)(of(w.b, "acme").Operations(t.Context())) {
			got = append(got, op.ID)
		}
		same(t, "operations, the newest first", want, got)
		same(t, "last", want[0], must[*event.Operation](t)(of(w.b, "acme").Last(t.Context())).ID)
	},
}

func terminals(t *testing.T, s registry.Store, l registry.Lease) (n int) {
	t.Helper()
	for _, ev := range must[[]event.Event](t)(of(s, l.Org).Events(t.Context(), l.Operation, 0)) {
		if ev.Type.Terminal() {
			n++
		}
	}
	return n
}

var logging = map[string]func(*testing.T, world){
	"events are numbered from one, in the order of their storing": func(t *testing.T, w world) {
		b := begin(t, w.a, "acme")
		l := b.Lease
		want := []event.Event{b.Started}
		for i, batch := range [][]string{{"two", "three"}, {}, {"four"}} {
			s := []registry.Store{w.a, w.b}[i%2]
			var events []event.Event
			for _, m := range batch {
				events = append(events, diagnostic(l, m))
			}
			stored := must[[]event.Event](t)(of(s, l.Org).Append(t.Context(), l, events...))
			for j := range events {
				events[j].Seq = int64(len(want) + j + 1)
			}
			if len(events) > 0 {
				same(t, "returned", events, stored)
			}
			want = append(want, events...)
		}
		for after := range want {
			same(t, fmt.Sprint("after ", after), want[after:], must[[]event.Event](t)(of(w.b, "acme").Events(t.Context(), l.Operation, int64(after))))
		}
		if rest := must[[]event.Event](t)(of(w.b, "acme").Events(t.Context(), l.Operation, int64(len(want)))); len(rest) > 0 {
			t.Errorf("after the last: %v", rest)
		}
	},

	"events of two writers have different numbers, without a gap": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		var wg sync.WaitGroup
		for _, s := range []registry.Store{w.a, w.b} {
			wg.Go(func() {
				for range 50 {
					if _, err := of(s, l.Org).Append(t.Context(), l, diagnostic(l, "one"), diagnostic(l, "two")); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		events := must[[]event.Event](t)(of(w.a, "acme").Events(t.Context(), l.Operation, 0))
		if len(events) != 201 {
			t.Fatalf("%d events, want 201", len(events))
		}
		for i, ev := range events {
			if ev.Seq != int64(i+1) {
				t.Fatalf("event %d has number %d", i+1, ev.Seq)
			}
			if even := i%2 == 0; i > 0 && (ev.Message == "two") != even {
				t.Fatalf("event %d of a batch is %q: batches are mixed", i+1, ev.Message)
			}
		}
	},

	"an event is read as it was written": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		ev := belonging(l, event.Event{
			Type: event.ResourceFailed, Time: time.Date(2026, 5, 4, 12, 0, 0, 7, time.UTC), Layer: "cluster", URN: "urn", ResourceType: "type",
			ResourceName: "name", Op: "create", Changes: map[string]int{"create": 3}, Total: 9, Duration: time.Minute,
			Message: "no\nway <&>", Next: "try", Result: map[string]any{"layers": []any{"account"}},
		})
		must[[]event.Event](t)(of(w.a, l.Org).Append(t.Context(), l, ev))
		ev.Seq = 2
		same(t, "event", []event.Event{ev}, must[[]event.Event](t)(of(w.b, "acme").Events(t.Context(), l.Operation, 1)))
	},

	"events are stored all or none, and only those of the operation that do not end it": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		before := read(t, w.b, "acme")
		for reason, ev := range map[string]event.Event{
			"terminal":          belonging(l, event.Event{Type: event.OperationSucceeded}),
			"another operation": diagnostic(registry.Lease{Org: "acme", Operation: "another"}, "no"),
			"another org":       diagnostic(registry.Lease{Org: "globex", Operation: l.Operation}, "no"),
		} {
			if _, err := of(w.a, l.Org).Append(t.Context(), l, diagnostic(l, "first"), ev); err == nil || errors.Is(err, registry.ErrLost) {
				t.Errorf("%s: %v, want an error, and not ErrLost", reason, err)
			}
		}
		same(t, "the registry", before, read(t, w.b, "acme"))
	},

	"the events of an unknown operation are not an empty list": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		for org, op := range map[string]string{"acme": "nothing", "globex": l.Operation} {
			if _, err := of(w.a, org).Events(t.Context(), op, 0); !errors.Is(err, registry.ErrUnknownOperation) {
				t.Errorf("operation %s of %s: %v, want ErrUnknownOperation", op, org, err)
			}
		}
	},
}
