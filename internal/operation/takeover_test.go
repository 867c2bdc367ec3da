package operation_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
)

// skewed is the registry as a machine has it whose clock is off.
func skewed(t *testing.T, file string, by time.Duration) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), file, func() time.Time { return time.Now().Add(by) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// elsewhere are the options of a process on a machine of its own.
func (w world) elsewhere(name string) operation.Options {
	o := w.options(name)
	o.Holder = process{name: name, elsewhere: true}
	return o
}

func TestAnotherMachineTakesOverFromADeadOwnerWithinTheLeaseAndASecond(t *testing.T) {
	// The owner's machine may be any time ahead or behind.
	for skew, by := range map[string]time.Duration{"the same clock": 0, "an hour ahead": time.Hour, "an hour behind": -time.Hour} {
		t.Run(skew, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				dead := w.elsewhere("a")
				dead.Store, dead.Now = skewed(t, w.file, by), func() time.Time { return time.Now().Add(by) }
				op, err := operation.Begin(t.Context(), dead, orgcontexttest.For("acme"), onboard, nil)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(7 * time.Second)
				op.Detach()
				began := time.Now()
				next, err := operation.Begin(t.Context(), w.elsewhere("b"), orgcontexttest.For("acme"), onboard, w.show)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > 16*time.Second || took < 15*time.Second {
					t.Errorf("it took %s, want the lease of 15 s and at most a second", took)
				}
				end(t, next)
				same(t, "shown", []string{"operation.failed", "operation.started", "operation.succeeded"}, w.words())
			})
		})
	}
}

func TestAnotherMachineFindsALivingOwnerBusy(t *testing.T) {
	for skew, by := range map[string]time.Duration{"the same clock": 0, "an hour ahead": time.Hour, "an hour behind": -time.Hour} {
		t.Run(skew, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				o := w.elsewhere("a")
				o.Store, o.Now = skewed(t, w.file, by), func() time.Time { return time.Now().Add(by) }
				op, err := operation.Begin(t.Context(), o, orgcontexttest.For("acme"), onboard, nil)
				if err != nil {
					t.Fatal(err)
				}
				for range 5 {
					began := time.Now()
					_, err := operation.Begin(t.Context(), w.elsewhere("b"), orgcontexttest.For("acme"), onboard, nil)
					if !errors.Is(err, registry.ErrBusy) {
						t.Fatalf("%v, want ErrBusy", err)
					}
					if took := time.Since(began); took > 6*time.Second {
						t.Errorf("it took %s to see that the owner lives", took)
					}
				}
				end(t, op)
			})
		})
	}
}

func TestWhoeverCannotReadTheRegistryTakesNothingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		op := w.begin(t, "a")
		op.Detach()
		w.disturbed.set([]string{"Holder"}, nil)
		if _, err := operation.Begin(t.Context(), w.elsewhere("b"), orgcontexttest.For("acme"), onboard, nil); !errors.Is(err, registry.ErrBusy) {
			t.Errorf("%v, want ErrBusy", err)
		}
	})
}

func TestAnOrgThatComesFreeWhileItIsWatchedIsTakenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		op := w.begin(t, "a")
		go func() {
			time.Sleep(2 * time.Second)
			end(t, op)
		}()
		began := time.Now()
		next, err := operation.Begin(t.Context(), w.elsewhere("b"), orgcontexttest.For("acme"), onboard, nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %s", took)
		}
		end(t, next)
	})
}

func TestTheSameRequestGoesOnWithAnOperationWhoseProcessIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		req := operation.Request{Kind: "onboard", ID: "build-7", Document: "d"}
		first, err := operation.Begin(t.Context(), w.options("a"), orgcontexttest.For("acme"), req, w.show)
		if err != nil {
			t.Fatal(err)
		}
		first.Emit(diagnostic("by a"))
		first.Detach()
		op, err := operation.Begin(t.Context(), w.options("b", "a"), orgcontexttest.For("acme"), req, w.show)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the operation", []any{first.ID(), first.Began()}, []any{op.ID(), op.Began()})
		end(t, op)
		same(t, "shown", []string{
			"operation.started", "by a", "the process that ran this operation is gone: another one goes on with it", "operation.succeeded",
		}, w.words())
		_, err = operation.Begin(t.Context(), w.options("c"), orgcontexttest.For("acme"), req, w.show)
		var repeated *registry.RepeatedError
		if !errors.As(err, &repeated) || repeated.Operation.ID != op.ID() {
			t.Errorf("after its end: %v, want a RepeatedError", err)
		}
	})
}

func TestAnOperationThatIsCancelledHearsItAndStillEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		op := w.begin(t, "a")
		if err := of(w.real, "acme").Cancel(t.Context(), op.ID()); err != nil {
			t.Fatal(err)
		}
		asked := time.Now()
		<-op.Context().Done()
		if cause := context.Cause(op.Context()); !errors.Is(cause, registry.ErrCancelled) {
			t.Errorf("cause %v, want ErrCancelled", cause)
		}
		if took := time.Since(asked); took > 6*time.Second {
			t.Errorf("it took %s to hear it", took)
		}
		time.Sleep(time.Minute) // cleaning up takes longer than the lease
		if _, err := operation.Begin(t.Context(), w.options("b"), orgcontexttest.For("acme"), onboard, nil); !errors.Is(err, registry.ErrBusy) {
			t.Errorf("before its end: %v, want ErrBusy", err)
		}
		if err := op.End(t.Context(), event.Event{Type: event.OperationFailed, Message: "cancelled"}); err != nil {
			t.Fatal(err)
		}
		same(t, "state", "failed", w.state(t))
	})
}
