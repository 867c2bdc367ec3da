package operation_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
)

// In a bubble of synctest, time passes only while everybody waits, and a
// goroutine that outlives the test fails it.

func TestAnOperationIsWhatItsEventsSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		began := time.Now().UTC()
		op := w.begin(t, "a")
		time.Sleep(time.Second)
		op.Emit(event.Event{Type: event.LayerStarted, Layer: "account", Org: "globex", Operation: "another", Kind: "drift"})
		own := time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC)
		op.Emit(event.Event{Type: event.Diagnostic, Time: own, Message: "an event may bring its time"})
		time.Sleep(time.Second)
		if err := op.End(t.Context(), event.Event{Type: event.OperationBlocked, Message: "no", Next: "this"}); err != nil {
			t.Fatal(err)
		}
		id := op.ID()
		want := []event.Event{
			{Type: event.OperationStarted, Seq: 1, Time: began, Org: "acme", Operation: id, Kind: "onboard"},
			{Type: event.LayerStarted, Seq: 2, Time: began.Add(time.Second), Org: "acme", Operation: id, Kind: "onboard", Layer: "account"},
			{Type: event.Diagnostic, Seq: 3, Time: own, Org: "acme", Operation: id, Kind: "onboard", Message: "an event may bring its time"},
			{
				Type: event.OperationBlocked, Seq: 4, Time: began.Add(2 * time.Second), Org: "acme", Operation: id, Kind: "onboard",
				Duration: 2 * time.Second, Message: "no", Next: "this",
			},
		}
		same(t, "shown", want, w.shown())
		same(t, "stored", want, w.stored(t, id))
		same(t, "state", "blocked", w.state(t))
		same(t, "the handle", []any{"acme", "onboard", began, registry.Lease{Org: "acme", Operation: id, Token: 1}},
			[]any{op.Org(), op.Kind(), op.Began(), op.Lease()})
	})
}

func TestAnEventIsStoredBeforeItIsShown(t *testing.T) {
	w := newWorld(t)
	sink := func(ev event.Event) {
		stored := w.stored(t, ev.Operation)
		if n := len(stored); n == 0 || stored[n-1].Seq != ev.Seq {
			t.Errorf("%s %d was shown, and the last that is stored is %+v", ev.Type, ev.Seq, stored)
		}
		w.show(ev)
	}
	op, err := operation.Begin(t.Context(), w.options("a"), orgcontexttest.For("acme"), onboard, sink)
	if err != nil {
		t.Fatal(err)
	}
	op.Emit(diagnostic("one"))
	end(t, op)
	same(t, "shown", []string{"operation.started", "one", "operation.succeeded"}, w.words())
}

func TestWhatAnOperationWritesIsRecordedForItsOrg(t *testing.T) {
	w := newWorld(t)
	op := w.begin(t, "a")
	made, foreseen, released := finding.Identity{Kind: "VPC", Value: "vpc-1"}, finding.Identity{Kind: "e-mail", Value: "a"}, finding.Identity{Kind: "e-mail", Value: "b"}
	if err := errors.Join(
		op.PutOrg(t.Context(), registry.Org{Org: "acme", State: "ready", Plan: []byte("{}")}),
		op.PutLayer(t.Context(), registry.Layer{Layer: "account", State: "done", Made: true}),
		op.Claim(t.Context(), false, foreseen, released), op.Claim(t.Context(), true, made), op.Release(t.Context(), released),
	); err != nil {
		t.Fatal(err)
	}
	end(t, op)
	org, err := of(w.real, "acme").Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	layers, err := of(w.real, "acme").Layers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	claims, err := of(w.real, "acme").Claims(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "org", "ready", org.State)
	same(t, "layer", "done", layers["account"].State)
	same(t, "claims", []registry.Claim{{Identity: made, Made: true}, {Identity: foreseen}}, claims)
}

func TestAnOwnersRefusalReachesTheCaller(t *testing.T) {
	w := newWorld(t)
	vpc := finding.Identity{Kind: "VPC", Value: "vpc-1"}
	op := w.begin(t, "a")
	other, err := operation.Begin(t.Context(), w.options("a"), orgcontexttest.For("globex"), onboard, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := op.Claim(t.Context(), true, vpc); err != nil {
		t.Fatal(err)
	}
	var owned *registry.OwnedError
	if err := other.Claim(t.Context(), true, vpc); !errors.As(err, &owned) || owned.Identity != vpc || owned.Owner != "" {
		t.Errorf("%v, want an OwnedError of the VPC that names no other org", err)
	}
	if err := other.Context().Err(); err != nil {
		t.Errorf("the refusal ended the operation: %v", err)
	}
	end(t, op)
	end(t, other)
}

func TestASecondOperationIsBusyWhileTheHolderMayLive(t *testing.T) {
	w := newWorld(t)
	op := w.begin(t, "a")
	_, err := operation.Begin(t.Context(), w.options("b", "somebody else"), orgcontexttest.For("acme"), operation.Request{Kind: "offboard"}, w.show)
	var busy *registry.BusyError
	if !errors.As(err, &busy) || busy.Operation != op.ID() || busy.Holder != "a" {
		t.Errorf("%v, want busy with operation %s of a", err, op.ID())
	}
	end(t, op)
	same(t, "shown", []string{"operation.started", "operation.succeeded"}, w.words())
	end(t, w.begin(t, "b"))
}

func TestADeadHolderIsTakenOverAtOnceAndItsEndIsShownFirst(t *testing.T) {
	w := newWorld(t)
	dead := w.begin(t, "a")
	dead.Detach() // a dead process renews nothing
	op := w.begin(t, "b", "a")
	end(t, op)
	same(t, "shown", []string{"operation.started", "operation.failed", "operation.started", "operation.succeeded"}, w.words())
	ev := w.shown()[1]
	same(t, "the end of the dead", []any{dead.ID(), "onboard", int64(2), "interrupted: its process ended before it did"},
		[]any{ev.Operation, ev.Kind, ev.Seq, ev.Message})
	end(t, w.begin(t, "b"))
	same(t, "how often it was shown", 1, len(w.shown())-5)
}

func TestOfTwoThatTakeOverADeadHolderTheSlowerIsBusy(t *testing.T) {
	w := newWorld(t)
	dead := w.begin(t, "a")
	dead.Detach()
	var faster registry.Begun
	w.disturbed.before = func(n int) {
		if n != 2 { // the second try of the slower
			return
		}
		var err error
		faster, err = of(w.real, "acme").Begin(t.Context(), registry.Request{
			Kind: "onboard", Holder: "c", TTL: time.Minute, Over: registry.Sighting{Token: dead.Lease().Token},
		})
		if err != nil {
			t.Error(err)
		}
	}
	_, err := operation.Begin(t.Context(), w.options("b", "a"), orgcontexttest.For("acme"), onboard, w.show)
	var busy *registry.BusyError
	if !errors.As(err, &busy) || busy.Holder != "c" || busy.Operation != faster.Lease.Operation {
		t.Errorf("%v, want busy with the operation of c", err)
	}
}

func TestAnEndThatWasNotDeliveredIsShownByTheNextOperation(t *testing.T) {
	w := newWorld(t)
	op := w.begin(t, "a")
	w.disturbed.set([]string{"Delivered"}, nil)
	result := event.Onboarding{Org: "acme", Operation: op.ID(), Changed: true}
	if err := op.End(t.Context(), event.Event{Type: event.OperationSucceeded, Result: result}); err != nil {
		t.Fatal(err)
	}
	w.disturbed.set(nil, nil)
	next := w.begin(t, "b")
	end(t, next)
	end(t, w.begin(t, "c"))
	var ends []event.Event
	for _, ev := range w.shown() {
		if ev.Operation == op.ID() && ev.Type.Terminal() {
			ends = append(ends, ev)
		}
	}
	if len(ends) != 2 {
		t.Fatalf("shown %d times, want twice", len(ends))
	}
	same(t, "the second time", ends[0], ends[1])
}

func TestAnOperationThatIsToldToStopRecordsHowFarItCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		op, err := operation.Begin(ctx, w.options("a"), orgcontexttest.For("acme"), onboard, w.show)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		<-op.Context().Done()
		if cause := context.Cause(op.Context()); !errors.Is(cause, context.Canceled) || errors.Is(cause, registry.ErrLost) {
			t.Errorf("cause %v, want what ended the caller's context", cause)
		}
		time.Sleep(time.Minute) // it is still held
		if _, err := operation.Begin(t.Context(), w.options("b"), orgcontexttest.For("acme"), onboard, nil); !errors.Is(err, registry.ErrBusy) {
			t.Errorf("before its end: %v, want ErrBusy", err)
		}
		op.Emit(diagnostic("cleaning up"))
		same(t, "shown before its end", []string{"operation.started", "cleaning up"}, w.words())
		if err := op.End(ctx, event.Event{Type: event.OperationFailed, Message: "stopped"}); err != nil {
			t.Fatal(err)
		}
		same(t, "shown", []string{"operation.started", "cleaning up", "operation.failed"}, w.words())
		same(t, "state", "failed", w.state(t))
	})
}

func TestAnOperationEndsOnce(t *testing.T) {
	w := newWorld(t)
	op := w.begin(t, "a")
	end(t, op)
	if err := op.Context().Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("its context after the end: %v", err)
	}
	if err := op.End(t.Context(), event.Event{Type: event.OperationFailed}); !errors.Is(err, registry.ErrLost) {
		t.Errorf("a second end: %v, want ErrLost", err)
	}
	op.Emit(diagnostic("late"))
	same(t, "shown", []string{"operation.started", "operation.succeeded"}, w.words())
	same(t, "state", "succeeded", w.state(t))
}

func TestAnEndThatCannotBeStoredIsNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		op := w.begin(t, "a")
		w.disturbed.set([]string{"End"}, nil)
		if err := op.End(t.Context(), event.Event{Type: event.OperationSucceeded}); !errors.Is(err, errDown) {
			t.Errorf("%v, want what the registry said", err)
		}
		same(t, "shown", []string{"operation.started"}, w.words())
		same(t, "state", "running", w.state(t))
		w.disturbed.set(nil, nil)
		time.Sleep(15 * time.Second) // nobody renews the lease any more
		end(t, w.begin(t, "b"))
		same(t, "shown", []string{"operation.started", "operation.failed", "operation.started", "operation.succeeded"}, w.words())
	})
}

func TestAnotherProcessGoesOnWithAnOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.begin(t, "a")
		time.Sleep(time.Minute)
		first.Emit(diagnostic("by a"))
		first.Detach()
		op, err := operation.Attach(t.Context(), w.options("b"), orgcontexttest.For("acme"), first.Lease(), w.show)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the handle", []any{first.ID(), "acme", "onboard", first.Began()}, []any{op.ID(), op.Org(), op.Kind(), op.Began()})
		// That the first process is dead is no reason to take over any more.
		if _, err := operation.Begin(t.Context(), w.options("c", "a"), orgcontexttest.For("acme"), onboard, nil); !errors.Is(err, registry.ErrBusy) {
			t.Errorf("while the second process holds the org: %v, want ErrBusy", err)
		}
		time.Sleep(time.Minute)
		op.Emit(diagnostic("by b"))
		end(t, op)
		same(t, "shown", []string{"operation.started", "by a", "by b", "operation.succeeded"}, w.words())
		same(t, "duration", 2*time.Minute, w.shown()[3].Duration.Round(time.Second))
		if _, err := operation.Attach(t.Context(), w.options("c"), orgcontexttest.For("acme"), op.Lease(), nil); !errors.Is(err, registry.ErrLost) {
			t.Errorf("after its end: %v, want ErrLost", err)
		}
	})
}
