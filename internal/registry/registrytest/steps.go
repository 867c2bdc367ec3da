package registrytest

import (
	"errors"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// stepping is the contract of what operations did, step by step.
var stepping = map[string]func(*testing.T, world){
	"steps are read as they were written, in the order in which they began": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		first := step(t, w, l, event.Step{Name: "admit", Attempt: 1})
		second := step(t, w, l, event.Step{Name: "up", Layer: "account", Attempt: 2, Deadline: w.now().Add(time.Hour), Holder: "a b"})
		same(t, "numbers", []int64{1, 2}, []int64{first.Seq, second.Seq})
		second.State, second.Finished, second.Error = event.StepFailed, w.pass(time.Minute), "no"
		if err := of(w.b, "acme").EndStep(t.Context(), l, second); err != nil {
			t.Fatal(err)
		}
		same(t, "steps", []event.Step{first, second}, must[[]event.Step](t)(of(w.b, "acme").Steps(t.Context(), l.Operation)))
		if err := of(w.b, "acme").EndStep(t.Context(), l, event.Step{Seq: 3, Name: "nobody's"}); err == nil {
			t.Error("a step that never began has ended")
		}
	},

	"the steps of an operation that is not known, or is another org's, are not read": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		step(t, w, l, event.Step{Name: "admit", Attempt: 1})
		begin(t, w.a, "globex")
		for _, org := range []string{"globex", "initech"} {
			if _, err := of(w.b, org).Steps(t.Context(), l.Operation); !errors.Is(err, registry.ErrUnknownOperation) {
				t.Errorf("%s: %v, want ErrUnknownOperation", org, err)
			}
		}
	},

	"the steps of a process that is gone are interrupted when its lease would have ended": func(t *testing.T, w world) {
		for org, take := range map[string]func(t *testing.T, w world) registry.Begun{
			"acme": func(t *testing.T, w world) registry.Begun { t.Helper(); return takeOver(t, w.b, "acme") },
			// The same operation, in the hands of another process.
			"globex": func(t *testing.T, w world) registry.Begun {
				t.Helper()
				b, err := of(w.b, "globex").Begin(t.Context(), asked("build-7", "d", seen(t, w.b, "globex")))
				if err != nil || !b.Resumed {
					t.Fatalf("%+v, %v", b, err)
				}
				return b
			},
		} {
			b, err := of(w.a, org).Begin(t.Context(), asked("build-7", "d", registry.Sighting{}))
			if err != nil {
				t.Fatal(err)
			}
			done := step(t, w, b.Lease, event.Step{Name: "admit", Attempt: 1})
			done.State, done.Finished = event.StepDone, w.now()
			if err := of(w.a, org).EndStep(t.Context(), b.Lease, done); err != nil {
				t.Fatal(err)
			}
			cut := step(t, w, b.Lease, event.Step{Name: "up", Layer: "account", Attempt: 1, Holder: "its host"})
			same(t, "while it runs", 0, len(must[[]event.Step](t)(of(w.b, org).Worked(t.Context(), "account", w.now()))))
			until := w.now().Add(ttl)
			w.pass(time.Hour)
			take(t, w)
			cut.State, cut.Finished = event.StepInterrupted, until
			same(t, org, []event.Step{done, cut}, must[[]event.Step](t)(of(w.b, org).Steps(t.Context(), b.Lease.Operation)))
			for after, want := range map[time.Duration][]event.Step{-2 * time.Second: nil, 0: {cut}, ttl: {cut}, ttl + 2*time.Second: nil} {
				got := must[[]event.Step](t)(of(w.b, org).Worked(t.Context(), "account", cut.Started.Add(after)))
				same(t, "worked at "+after.String(), want, got)
			}
			same(t, "another layer", 0, len(must[[]event.Step](t)(of(w.b, org).Worked(t.Context(), "cluster", cut.Started))))
		}
	},

	"a pending operation says what it waits for, and when to ask again": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		at := w.now().Add(time.Hour)
		terminal := belonging(l, event.Event{Type: event.OperationPending, Time: w.now(), Reason: event.CloseQueue, RetryAt: at})
		if _, err := of(w.a, "acme").End(t.Context(), l, terminal); err != nil {
			t.Fatal(err)
		}
		last := must[*event.Operation](t)(of(w.b, "acme").Last(t.Context()))
		same(t, "operation", []any{"pending", event.CloseQueue, at}, []any{last.State, last.Reason, last.RetryAt})
		events := must[[]event.Event](t)(of(w.b, "acme").Events(t.Context(), l.Operation, 1))
		same(t, "event", []any{event.CloseQueue, at}, []any{events[0].Reason, events[0].RetryAt})
	},
}

// step begins a step of the operation.
func step(t *testing.T, w world, l registry.Lease, st event.Step) event.Step {
	t.Helper()
	st.State, st.Started = event.StepRunning, w.now()
	return must[event.Step](t)(of(w.a, l.Org).BeginStep(t.Context(), l, st))
}
