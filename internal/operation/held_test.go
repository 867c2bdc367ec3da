package operation_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
)

// slept is a process of which some time was lost: it was stopped, or its machine slept.
func (w world) slept(t *testing.T, name string, dead ...string) (*operation.Operation, *operation.Held, *time.Duration) {
	t.Helper()
	lost, held := new(time.Duration), &operation.Held{}
	o := w.options(name, dead...)
	o.Uptime = func() time.Duration { return sinceEpoch() + *lost }
	o.Held = held
	op, err := operation.Begin(t.Context(), o, orgcontexttest.For("acme"), onboard, w.show)
	if err != nil {
		t.Fatal(err)
	}
	return op, held, lost
}

func TestAnOperationIsConfirmedBeforeItChangesAnything(t *testing.T) {
	for reason, tc := range map[string]struct {
		lost     time.Duration
		taken    bool
		down     []string
		want     error
		ends     bool
		renewals int
	}{
		"with a lease that is good, nobody is asked":                  {lost: 14 * time.Second},
		"with a lease that is good, also while the registry is down":  {lost: 14 * time.Second, down: []string{"Renew"}},
		"after a sleep in which nobody came, the lease is renewed":    {lost: time.Hour, renewals: 1},
		"after a sleep in which somebody came, it is lost":            {lost: time.Hour, taken: true, want: registry.ErrLost, ends: true, renewals: 1},
		"where nobody can tell, nothing is changed, and it may go on": {lost: time.Hour, down: []string{"Renew"}, want: errDown, renewals: 1},
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				op, held, lost := w.slept(t, "a")
				*lost = tc.lost
				if tc.taken {
					end(t, w.begin(t, "b", "a"))
				}
				w.disturbed.set(tc.down, nil)
				if err := held.Confirm(t.Context(), "acme"); !errors.Is(err, tc.want) {
					t.Errorf("%v, want %v", err, tc.want)
				}
				if tc.want == nil {
					// The others that ask at the same time do not ask again.
					if err := op.Confirm(t.Context()); err != nil {
						t.Error(err)
					}
				}
				same(t, "renewals", tc.renewals, w.disturbed.renews)
				same(t, "the context has ended", tc.ends, op.Context().Err() != nil)
				if cause := context.Cause(op.Context()); tc.ends && !errors.Is(cause, registry.ErrLost) {
					t.Errorf("cause %v, want ErrLost", cause)
				}
				w.disturbed.set(nil, nil)
				op.Detach()
			})
		})
	}
}

func TestAnOrgIsHeldUntilItsLeaseExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		began := sinceEpoch()
		op, held, _ := w.slept(t, "a")
		same(t, "at the beginning", began+15*time.Second, held.Until("acme"))
		time.Sleep(6 * time.Second)
		same(t, "after a renewal", began+20*time.Second, held.Until("acme"))
		same(t, "another org", time.Duration(0), held.Until("globex"))
		if err := held.Confirm(t.Context(), "globex"); !errors.Is(err, registry.ErrLost) {
			t.Errorf("an org that nobody holds: %v, want ErrLost", err)
		}
		end(t, op)
		same(t, "after the end", time.Duration(0), held.Until("acme"))
		if err := held.Confirm(t.Context(), "acme"); !errors.Is(err, registry.ErrLost) {
			t.Errorf("after the end: %v, want ErrLost", err)
		}
	})
}

// A cancelled operation has to clean up, and holds its org for that.
func TestACancelledOperationMayStillChangeWhatItCleansUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		op, held, lost := w.slept(t, "a")
		if err := of(w.real, "acme").Cancel(t.Context(), op.ID()); err != nil {
			t.Fatal(err)
		}
		*lost = time.Hour
		if err := held.Confirm(t.Context(), "acme"); err != nil {
			t.Error(err)
		}
		if cause := context.Cause(op.Context()); !errors.Is(cause, registry.ErrCancelled) {
			t.Errorf("cause %v, want ErrCancelled", cause)
		}
		end(t, op)
	})
}
