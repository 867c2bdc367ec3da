package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

// org is the document of an org with an account of its own.
func org(t *testing.T, name string) spec.Spec {
	t.Helper()
	return document(t, "org: "+name, "account: {email: aws+"+name+"@example.com, closeOnOffboarding: true}")
}

// counting is an engine that counts the account layers that are being made, or
// removed.
type counting struct {
	Engine

	now, most *atomic.Int64
}

func (c counting) count(s engine.Stack) func() {
	if s.Layer != string(plan.LayerAccount) {
		return func() {}
	}
	n := c.now.Add(1)
	for {
		if most := c.most.Load(); n <= most || c.most.CompareAndSwap(most, n) {
			break
		}
	}
	time.Sleep(20 * time.Millisecond)
	return func() { c.now.Add(-1) }
}

func (c counting) Up(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error) {
	defer c.count(s)()
	return c.Engine.Up(ctx, s, sink)
}

func (c counting) Destroy(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error) {
	defer c.count(s)()
	return c.Engine.Destroy(ctx, s, sink)
}

func TestAllProcessesTogetherCreateAndCloseOnlySoManyAccountsAtOnce(t *testing.T) {
	p := newPlace(t)
	p.world.SetLimits(cloud.Limits{Create: cloud.Limit{AtOnce: 2}, Close: cloud.Limit{AtOnce: 1}})
	var now, most atomic.Int64
	each := func(do func(proc *process, org string) error) {
		t.Helper()
		most.Store(0)
		var wg sync.WaitGroup
		for i := range 6 {
			proc := p.start(lifecycletest.Machine{Name: fmt.Sprintf("m%d", i%3)})
			proc.Service.Engine = counting{proc.Service.Engine, &now, &most}
			wg.Go(func() {
				if err := do(proc, fmt.Sprintf("org-%d", i)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	docs := map[string]spec.Spec{}
	for i := range 6 {
		docs[fmt.Sprintf("org-%d", i)] = org(t, fmt.Sprintf("org-%d", i))
	}
	each(func(proc *process, name string) error {
		_, err := proc.Onboard(proc.Context(), docs[name], OnboardOptions{}, nil)
		return err
	})
	if got := most.Load(); got != 2 {
		t.Errorf("%d accounts were being created at once, want 2", got)
	}
	each(func(proc *process, name string) error {
		_, err := proc.Offboard(proc.Context(), name, OffboardOptions{}, nil)
		return err
	})
	if got := most.Load(); got != 1 {
		t.Errorf("%d accounts were being closed at once, want 1", got)
	}
}

// slotOf is an operation on another org that has the only slot of a kind. Its
// process renews it until stop, while time passes.
func slotOf(t *testing.T, p *place, kind string) (stop func()) {
	t.Helper()
	store := p.here().registryOf("globex")
	b := must[registry.Begun](t)(store.Begin(t.Context(), registry.Request{Kind: "onboard", Holder: "elsewhere", TTL: 15 * time.Second}))
	if err := store.TakeSlot(t.Context(), b.Lease, registry.SlotRequest{Kind: kind, Limit: 1, TTL: 15 * time.Second}); err != nil {
		t.Fatal(err)
	}
	over, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-over:
				return
			case <-time.After(5 * time.Millisecond):
				p.world.Sleep(5 * time.Second)
			}
			if err := store.Renew(t.Context(), b.Lease, "elsewhere", 15*time.Second); err != nil {
				t.Error(err)
			}
		}
	}()
	return func() { close(over); <-stopped }
}

func TestWaitingForOtherOrgsAccountsIsSaidAndGivenUpAsPending(t *testing.T) {
	for kind, tc := range map[string]struct {
		run    func(t *testing.T, proc *process) error
		reason event.Reason
		says   string
	}{
		createAccount: {
			func(t *testing.T, proc *process) error {
				t.Helper()
				_, err := proc.onboard(org(t, "acme"))
				return err
			},
			event.CreationQueue, "waiting for other orgs' accounts to be created: AWS does 1 at a time for the whole organization",
		},
		closeAccount: {
			func(t *testing.T, proc *process) error { t.Helper(); _, err := proc.offboard("acme"); return err },
			event.CloseQueue, "waiting for other orgs' accounts to be closed: AWS does 1 at a time for the whole organization",
		},
	} {
		t.Run(kind, func(t *testing.T) {
			p := newPlace(t)
			if kind == closeAccount {
				must[event.Onboarding](t)(p.here().onboard(org(t, "acme")))
			}
			p.world.SetLimits(cloud.Limits{Create: cloud.Limit{AtOnce: 1}, Close: cloud.Limit{AtOnce: 1}})
			defer slotOf(t, p, kind)()
			proc := p.here()
			proc.QueueWithin = 10 * time.Minute
			err := tc.run(t, proc)
			if !errors.Is(err, ErrPending) || !strings.Contains(err.Error(), "1 of 1 are under way") {
				t.Errorf("got %v", err)
			}
			last := proc.shown[len(proc.shown)-1]
			if last.Type != event.OperationPending || last.Reason != tc.reason || last.RetryAt.Sub(last.Time).Round(time.Minute) != 5*time.Minute {
				t.Errorf("%s: %s, again at %s", last.Message, last.Reason, last.RetryAt)
			}
			if !slices.ContainsFunc(proc.shown, func(ev event.Event) bool {
				return ev.Type == event.Waiting && ev.Layer == "account" && strings.HasPrefix(ev.Message, tc.says)
			}) {
				t.Error("it does not say what it waits for")
			}
			for _, w := range proc.Writes() {
				if w.Of == accountType {
					t.Errorf("it wrote %v", w)
				}
			}
		})
	}
}

func TestTheSlotOfAProcessThatDiedIsFreeOnceItsLeaseIsOver(t *testing.T) {
	p := newPlace(t)
	p.world.SetLimits(cloud.Limits{Create: cloud.Limit{AtOnce: 1}})
	slotOf(t, p, createAccount)() // and nobody takes over its org
	proc := p.here()
	waits := make(chan struct{}, 1000)
	done := make(chan error, 1)
	go func() {
		_, err := proc.Onboard(proc.Context(), org(t, "acme"), OnboardOptions{}, proc.Sink(func(ev event.Event) {
			if ev.Type == event.Waiting {
				waits <- struct{}{}
			}
		}))
		done <- err
	}()
	<-waits
	select {
	case err := <-done:
		t.Fatalf("before the lease was over: %v", err)
	case <-time.After(30 * time.Millisecond):
	}
	p.world.Sleep(16 * time.Second)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
