package gateway

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect/v2"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
)

func TestWhoDoesNotWaitIsToldSoLater(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.PerSecond, o.Limits.Burst = 0.01, 1 })
	mine := freeholdv1connect.NewOperationServiceClient(w.client(acme, "Bearer token of acme"))
	ask := func() time.Duration {
		t.Helper()
		began := time.Now()
		if _, err := mine.ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{}); connect.CodeOf(err) != connect.CodeResourceExhausted {
			t.Errorf("beyond its rate: %v", err)
		}
		return time.Since(began)
	}
	if _, err := mine.ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if took := ask(); took < heldFor/2 {
			t.Errorf("an answer that says to wait comes after %s, want %s at least", took, heldFor/2)
		}
	}
	other := freeholdv1connect.NewOperationServiceClient(w.client(globex, "Bearer token of globex"))
	if _, err := other.ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{}); err != nil {
		t.Errorf("another org: %v", err)
	}
}

func TestABoundedNumberOfAnswersIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		began := time.Now()
		var soon, late atomic.Int64
		for range maxHeld + 10 {
			go func() {
				if h.hold(t.Context(), "acme"); time.Since(began) < heldFor/2 {
					soon.Add(1)
				} else {
					late.Add(1)
				}
			}()
		}
		synctest.Wait()
		if soon.Load() != 10 || late.Load() != 0 {
			t.Errorf("%d answers come at once, want those 10 that are more than are held", soon.Load())
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if h.hold(gone, "globex"); time.Since(began) != 0 {
			t.Error("an answer is held whose client is gone")
		}
		if h.hold(t.Context(), "globex"); time.Since(began) < heldFor/2 || time.Since(began) > 3*heldFor/2 {
			t.Errorf("an answer is held for %s, want about %s", time.Since(began), heldFor)
		}
		time.Sleep(2 * heldFor)
		synctest.Wait()
		if late.Load() != maxHeld || len(h.all) != 0 {
			t.Errorf("%d answers were held, and %d orgs are remembered", late.Load(), len(h.all))
		}
	})
}
