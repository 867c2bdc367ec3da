package operation_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
)

func TestAnOperationHoldsItsOrgAsLongAsItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		op := w.begin(t, "a")
		for range 20 {
			time.Sleep(14 * time.Second)
			if _, err := operation.Begin(t.Context(), w.options("b"), orgcontexttest.For("acme"), onboard, nil); !errors.Is(err, registry.ErrBusy) {
				t.Fatalf("%v, want ErrBusy", err)
			}
		}
		end(t, op)
		renews := w.disturbed.renews
		time.Sleep(time.Hour)
		if w.disturbed.renews != renews {
			t.Error("the lease was renewed after the end")
		}
		if want := 20 * 14 / 5; renews != want {
			t.Errorf("renewed %d times, want %d: every third of 15 s", renews, want)
		}
	})
}

func TestAnOperationLearnsThatItsOrgWasTaken(t *testing.T) {
	learns := map[string]func(*testing.T, *operation.Operation) error{
		"when it renews its lease": func(_ *testing.T, op *operation.Operation) error {
			<-op.Context().Done()
			return context.Cause(op.Context())
		},
		"when it records its org": func(t *testing.T, op *operation.Operation) error {
			return op.PutOrg(t.Context(), registry.Org{Org: "acme", Plan: []byte("{}")})
		},
		"when it records a layer": func(t *testing.T, op *operation.Operation) error {
			return op.PutLayer(t.Context(), registry.Layer{Layer: "account"})
		},
		"when it claims": func(t *testing.T, op *operation.Operation) error {
			return op.Claim(t.Context(), true, finding.Identity{Kind: "VPC", Value: "vpc-1"})
		},
		"when it releases": func(t *testing.T, op *operation.Operation) error {
			return op.Release(t.Context(), finding.Identity{Kind: "VPC", Value: "vpc-1"})
		},
		"when it emits": func(_ *testing.T, op *operation.Operation) error {
			op.Emit(diagnostic("late"))
			return registry.ErrLost // which Emit does not return
		},
		"when it ends": func(t *testing.T, op *operation.Operation) error {
			return op.End(t.Context(), event.Event{Type: event.OperationSucceeded})
		},
	}
	for reason, learn := range learns {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				op := w.begin(t, "a")
				other := w.begin(t, "b", "a")
				started := time.Now()
				if err := learn(t, op); !errors.Is(err, registry.ErrLost) {
					t.Errorf("%v, want ErrLost", err)
				}
				// A third of the lease, and what the disk takes.
				if waited := time.Since(started); waited > 6*time.Second {
					t.Errorf("it took %s to learn it", waited)
				}
				if cause := context.Cause(op.Context()); !errors.Is(cause, registry.ErrLost) {
					t.Errorf("cause %v, want ErrLost", cause)
				}
				op.Emit(diagnostic("later still"))
				if err := op.End(t.Context(), event.Event{Type: event.OperationFailed}); !errors.Is(err, registry.ErrLost) {
					t.Errorf("end: %v, want ErrLost", err)
				}
				end(t, other)
				same(t, "shown", []string{"operation.started", "operation.failed", "operation.started", "operation.succeeded"}, w.words())
				same(t, "events", 2, len(w.stored(t, op.ID())))
			})
		})
	}
}

func TestARegistryThatCannotBeReached(t *testing.T) {
	for reason, tc := range map[string]struct {
		down, hung []string
		outage     time.Duration
		lost       bool
	}{
		// It is renewed after 60 s, and the registry is down from 61 s on.
		"for less than the lease is no harm":              {down: []string{"Renew"}, outage: 12 * time.Second},
		"for as long as the lease ends the operation":     {down: []string{"Renew"}, outage: 20 * time.Second, lost: true},
		"and hangs for one renewal is no harm":            {hung: []string{"Renew"}, outage: 8 * time.Second},
		"and hangs for as long as the lease ends it, too": {hung: []string{"Renew"}, outage: 20 * time.Second, lost: true},
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				op := w.begin(t, "a")
				time.Sleep(61 * time.Second)
				w.disturbed.set(tc.down, tc.hung)
				time.Sleep(tc.outage)
				w.disturbed.set(nil, nil)
				time.Sleep(time.Minute)
				cause := context.Cause(op.Context())
				if errors.Is(cause, registry.ErrLost) != tc.lost {
					t.Errorf("cause %v, lost %v is wanted", cause, tc.lost)
				}
				// Nobody took over, so the end is recorded in either case.
				if err := op.End(t.Context(), event.Event{Type: event.OperationFailed}); err != nil {
					t.Error(err)
				}
				same(t, "shown", []string{"operation.started", "operation.failed"}, w.words())
			})
		})
	}
}

func TestAnEventThatCannotBeStoredWaitsForTheNext(t *testing.T) {
	w := newWorld(t)
	op := w.begin(t, "a")
	w.disturbed.set([]string{"Append"}, nil)
	op.Emit(diagnostic("one"))
	op.Emit(diagnostic("two"))
	same(t, "shown while the registry is down", []string{"operation.started"}, w.words())
	w.disturbed.set(nil, nil)
	op.Emit(diagnostic("three"))
	same(t, "shown after that", []string{"operation.started", "one", "two", "three"}, w.words())
	w.disturbed.set([]string{"Append"}, nil)
	op.Emit(diagnostic("four"))
	w.disturbed.set(nil, nil)
	end(t, op)
	same(t, "shown at the end", []string{"operation.started", "one", "two", "three", "four", "operation.succeeded"}, w.words())
	same(t, "stored", w.shown(), w.stored(t, op.ID()))
}

func TestAnEndIsRecordedAlthoughItsLogIsNot(t *testing.T) {
	w := newWorld(t)
	op := w.begin(t, "a")
	w.disturbed.set([]string{"Append"}, nil)
	op.Emit(diagnostic("one"))
	if err := op.End(t.Context(), event.Event{Type: event.OperationSucceeded}); !errors.Is(err, errDown) {
		t.Errorf("%v, want what the registry said", err)
	}
	same(t, "shown", []string{"operation.started", "operation.succeeded"}, w.words())
	same(t, "state", "succeeded", w.state(t))
}

func TestOnlyEndEndsAnOperation(t *testing.T) {
	w := newWorld(t)
	op := w.begin(t, "a")
	op.Emit(event.Event{Type: event.OperationFailed})
	op.Emit(diagnostic("one"))
	same(t, "state", "running", w.state(t))
	if err := op.End(t.Context(), event.Event{Type: event.OperationSucceeded}); err == nil {
		t.Error("the terminal event that was emitted was not reported")
	}
	same(t, "shown", []string{"operation.started", "one", "operation.succeeded"}, w.words())
}

func TestEventsOfManyGoroutinesAreShownInTheOrderOfTheirNumbers(t *testing.T) {
	w := newWorld(t)
	op := w.begin(t, "a")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				op.Emit(diagnostic("one of many"))
			}
		})
	}
	wg.Wait()
	end(t, op)
	shown := w.shown()
	if len(shown) != 82 {
		t.Fatalf("%d events, want 82", len(shown))
	}
	for i, ev := range shown {
		if ev.Seq != int64(i+1) {
			t.Fatalf("event %d has number %d", i+1, ev.Seq)
		}
	}
}
