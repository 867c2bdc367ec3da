package lifecycle

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
)

// requested is the options of an onboarding that its caller knows by an id.
func requested(id string) OnboardOptions { return OnboardOptions{Call: Call{RequestID: id}} }

// typesOf are the types of events, each once for a run of the same.
func typesOf(events []event.Event) string {
	var out []string
	for _, ev := range events {
		out = append(out, string(ev.Type))
	}
	return strings.Join(out, " ")
}

func TestTheSameRequestTwiceIsTheSameOperationWithTheSameResultAndEvents(t *testing.T) {
	p := newPlace(t)
	first := p.here()
	made, err := first.Onboard(first.Context(), document(t), requested("build-7"), first.Sink(first.sink))
	if err != nil {
		t.Fatal(err)
	}
	// Somebody else changes the org in between: the answer is the old one all the same.
	must[event.Onboarding](t)(p.here().onboard(document(t, "projects: [{name: shop}]")))
	things := len(p.world.Things(""))
	again := p.here()
	got, err := again.Onboard(again.Context(), document(t), requested("build-7"), again.Sink(again.sink))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, got); diff != "" {
		t.Errorf("the result (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(first.shown, again.shown); diff != "" {
		t.Errorf("the events (-first +second):\n%s", diff)
	}
	if len(p.world.Things("")) != things || len(p.ends("acme")) != 2 {
		t.Errorf("something was done: %d things and %d operations", len(p.world.Things("")), len(p.ends("acme")))
	}
}

func TestARequestThatFailedIsAnsweredWithItsFailure(t *testing.T) {
	p := newPlace(t)
	first := p.here()
	first.Service.Holding.Store = &deaf{first.Process.Store(first.store), "cluster", "making"}
	_, err := first.Onboard(first.Context(), document(t), requested("build-7"), first.Sink(first.sink))
	if err == nil {
		t.Fatal("it succeeded")
	}
	again := p.here()
	_, repeated := again.Onboard(again.Context(), document(t), requested("build-7"), again.Sink(again.sink))
	if repeated == nil || repeated.Error() == "" {
		t.Fatalf("the second time: %v", repeated)
	}
	var was, is *Error
	if !errors.As(err, &was) || !errors.As(repeated, &is) || was.Layer != is.Layer || was.Next != is.Next {
		t.Errorf("the second time:\n%v\nwant what it was the first time:\n%v", repeated, err)
	}
	if diff := cmp.Diff(typesOf(first.shown), typesOf(again.shown)); diff != "" {
		t.Errorf("the events (-first +second):\n%s", diff)
	}
}

func TestAnotherDocumentUnderTheSameRequestIsRefusedAndChangesNothing(t *testing.T) {
	p := newPlace(t)
	first := p.here()
	if _, err := first.Onboard(first.Context(), document(t), requested("build-7"), nil); err != nil {
		t.Fatal(err)
	}
	for what, try := range map[string]func(*process) error{
		"another document": func(p *process) error {
			_, err := p.Onboard(p.Context(), document(t, "projects: [{name: shop}]"), requested("build-7"), nil)
			return err
		},
		"other options": func(p *process) error {
			o := requested("build-7")
			o.Prune = true
			_, err := p.Onboard(p.Context(), document(t), o, nil)
			return err
		},
		"another use case": func(p *process) error {
			_, err := p.Offboard(p.Context(), "acme", OffboardOptions{Call: Call{RequestID: "build-7"}}, nil)
			return err
		},
	} {
		proc := p.here()
		refused(t, try(proc), ErrInvalid, `request "build-7" was operation`)
		if w := proc.Writes(); len(w) > 0 {
			t.Errorf("%s: it wrote %v", what, w)
		}
	}
}

// killedOnboarding is a place in which acme's onboarding was killed after some writes.
func killedOnboarding(t *testing.T, o OnboardOptions, writes int) (*place, *process) {
	t.Helper()
	p := newPlace(t)
	dead := p.here()
	dead.KillAfter(writes)
	if _, err := dead.Onboard(dead.Context(), document(t), o, dead.Sink(dead.sink)); err == nil || !dead.Killed() {
		t.Fatalf("it was not killed: %v", err)
	}
	return p, dead
}

func TestAKilledOperationGoesOnToItsOneEnd(t *testing.T) {
	for how, resume := range map[string]func(*process) (any, error){
		"by the same request": func(p *process) (any, error) {
			return p.Onboard(p.Context(), document(t), requested("build-7"), p.Sink(p.sink))
		},
		"by its org":         func(p *process) (any, error) { return p.Resume(p.Context(), "acme", "", p.Sink(p.sink)) },
		"on another machine": func(p *process) (any, error) { return p.Resume(p.Context(), "acme", "", p.Sink(p.sink)) },
	} {
		t.Run(how, func(t *testing.T) {
			for _, writes := range []int{2, 9, 20, 33} {
				p, dead := killedOnboarding(t, requested("build-7"), writes)
				proc := p.here()
				if how == "on another machine" {
					p.world.Sleep(dead.Holding.TTL)
					proc = p.start(lifecycletest.Machine{Name: "b"})
				}
				result, err := resume(proc)
				if err != nil {
					t.Fatalf("killed after %d writes: %v", writes, err)
				}
				if o, ok := result.(event.Onboarding); !ok || o.Operation != dead.shown[0].Operation {
					t.Errorf("killed after %d writes: result %+v, want that of operation %s", writes, result, dead.shown[0].Operation)
				}
				if got := p.states("acme"); got != allDone {
					t.Errorf("killed after %d writes: %s", writes, got)
				}
				if ends := p.ends("acme"); len(ends) != 1 || ends[0] != event.OperationSucceeded {
					t.Errorf("killed after %d writes: ends %v, want one", writes, ends)
				}
			}
		})
	}
}

func TestEveryKindOfOperationCanBeResumed(t *testing.T) {
	for kind, begin := range map[string]func(*process, *testing.T) error{
		"onboard": func(p *process, t *testing.T) error {
			_, err := p.Onboard(p.Context(), document(t, "projects: [{name: lab}]"), OnboardOptions{Prune: true}, p.Sink(p.sink))
			return err
		},
		"offboard": func(p *process, t *testing.T) error { _, err := p.offboard("acme"); return err },
		"projects": func(p *process, t *testing.T) error {
			_, err := p.change(ProjectChange{Add: project(t, "{name: lab}")})
			return err
		},
		"release": func(p *process, t *testing.T) error {
			_, err := p.ReleaseClaims(p.Context(), "acme", p.Sink(p.sink))
			return err
		},
	} {
		t.Run(kind, func(t *testing.T) {
			p := onboarded(t)
			if kind == "release" {
				must[event.Offboarding](t)(p.here().offboard("acme"))
			}
			before := len(p.ends("acme"))
			dead := p.here()
			dead.KillAfter(2)
			if err := begin(dead, t); err == nil || !dead.Killed() {
				t.Fatalf("it was not killed: %v", err)
			}
			proc := p.here()
			must[any](t)(proc.Resume(proc.Context(), "acme", "", proc.Sink(proc.sink)))
			if ends := p.ends("acme"); len(ends) != before+1 || ends[before] != event.OperationSucceeded {
				t.Errorf("ends %v, %d of them before", ends, before)
			}
		})
	}
}

func TestAnOperationThatRunsOrHasEndedIsNotResumed(t *testing.T) {
	p := onboarded(t)
	proc := p.here()
	_, err := proc.Resume(proc.Context(), "acme", "", nil)
	refused(t, err, ErrInvalid, "has ended")
	held := p.here()
	var busy error
	if err := held.holding(t, "acme", func(context.Context, *run) error {
		_, busy = proc.Resume(proc.Context(), "acme", "", nil)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(busy, ErrBusy) {
		t.Errorf("while it runs: %v, want ErrBusy", busy)
	}
}

func TestFollowingShowsAnOperationToItsEndOrSaysThatItDoesNotGoOn(t *testing.T) {
	p, dead := killedOnboarding(t, OnboardOptions{}, 12)
	proc := p.here()
	var seen []event.Event
	follow := func(after int64) error {
		seen = nil
		return proc.Follow(proc.Context(), "acme", "", after, func(ev event.Event) { seen = append(seen, ev) })
	}
	err := follow(0)
	if !errors.Is(err, ErrAbandoned) || !strings.Contains(err.Error(), dead.shown[0].Operation) {
		t.Errorf("its process is gone: %v, want ErrAbandoned", err)
	}
	stored := must[[]event.Event](t)(p.here().registryOf("acme").Events(t.Context(), dead.shown[0].Operation, 0))
	if diff := cmp.Diff(typesOf(stored), typesOf(seen)); diff != "" {
		t.Errorf("what was shown (-want +got):\n%s", diff)
	}
	if _, err := proc.Wait(proc.Context(), "acme", "", time.Hour); !errors.Is(err, ErrAbandoned) {
		t.Errorf("waiting: %v, want ErrAbandoned", err)
	}
	must[any](t)(p.here().Resume(t.Context(), "acme", "", nil))
	if err := follow(int64(len(stored))); err != nil || !seen[len(seen)-1].Type.Terminal() || seen[0].Seq != int64(len(stored)+1) {
		t.Errorf("after its end: %v, and %s", err, typesOf(seen))
	}
	if last, err := proc.Wait(proc.Context(), "acme", "", time.Hour); err != nil || last.Type != event.OperationSucceeded {
		t.Errorf("waiting: %v, %v", last, err)
	}
}

// Another machine cannot tell for as long as the lease lasts whether the operation
// still has a process, and shows what it says all the same.
func TestAnOperationOfAnotherMachineIsFollowedWithoutASignOfLife(t *testing.T) {
	p := newPlace(t)
	runs, looks := p.start(lifecycletest.Machine{Name: "a"}), p.start(lifecycletest.Machine{Name: "b"})
	op := must[*operation.Operation](t)(operation.Begin(t.Context(), runs.Holding, orgcontexttest.For("acme"), operation.Request{Kind: "onboard"}, nil))
	shown, followed, waited := make(chan event.Event, 10), make(chan error, 1), make(chan error, 1)
	go func() { followed <- looks.Follow(t.Context(), "acme", "", 0, func(ev event.Event) { shown <- ev }) }()
	go func() {
		_, err := looks.Wait(t.Context(), "acme", "", time.Hour)
		waited <- err
	}()
	soon := time.After(time.Minute) // the lease lasts an hour
	next := func(what string) (ev event.Event) {
		t.Helper()
		select {
		case ev = <-shown:
		case <-soon:
			t.Fatalf("%s is not shown", what)
		}
		return ev
	}
	next("the start")
	op.Emit(event.Event{Type: event.Diagnostic, Message: "one"})
	if ev := next("the event"); ev.Message != "one" {
		t.Errorf("shown: %+v", ev)
	}
	if err := op.End(t.Context(), event.Event{Type: event.OperationSucceeded}); err != nil {
		t.Fatal(err)
	}
	next("the end")
	for what, ended := range map[string]chan error{"following": followed, "waiting": waited} {
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		case <-soon:
			t.Errorf("%s does not end", what)
		}
	}
}

func TestWaitingEndsAsTheOperationDid(t *testing.T) {
	for typ, kind := range map[event.Type]error{
		event.OperationSucceeded: nil, event.OperationFailed: errEnded, event.OperationBlocked: ErrBlocked, event.OperationPending: ErrPending,
	} {
		p := onboarded(t)
		proc := p.here()
		store := proc.registryOf("acme")
		begun := must[registry.Begun](t)(store.Begin(t.Context(), registry.Request{Kind: "onboard", Holder: proc.Name(), TTL: time.Hour}))
		must[event.Event](t)(store.End(t.Context(), begun.Lease, event.Event{
			Type: typ, Time: p.world.Now(), Org: "acme", Operation: begun.Lease.Operation, Kind: "onboard", Message: "as it was", Next: "do this",
		}))
		last, err := proc.Wait(proc.Context(), "acme", begun.Lease.Operation, time.Hour)
		if last.Type != typ || !errors.Is(err, kind) || (err == nil) != (kind == nil) {
			t.Errorf("%s: %v, %v; want %v", typ, last.Type, err, kind)
		}
		if e, ok := errors.AsType[*Error](err); kind != nil && (!ok || e.Next != "do this" || !strings.Contains(err.Error(), "as it was")) {
			t.Errorf("%s: %v does not say what the operation said", typ, err)
		}
	}
}

func TestACancelledOperationStopsInOrderAndSaysSo(t *testing.T) {
	p := onboarded(t)
	proc, asks := p.here(), p.here()
	proc.Holding.TTL = 300 * time.Millisecond // it hears it with its next renewal
	err := proc.holding(t, "acme", func(ctx context.Context, r *run) error {
		if _, err := asks.Cancel(asks.Context(), "acme", "", nil); err != nil {
			return err
		}
		<-ctx.Done()
		_, err := do(ctx, r.step("admit", ""), func(context.Context, int) (int, error) { return 0, nil }, 0)
		return fail("acme", "", err)
	})
	if !errors.Is(err, ErrCancelled) {
		t.Errorf("%v, want ErrCancelled", err)
	}
	ops := must[[]event.Operation](t)(asks.Operations(asks.Context(), "acme"))
	if ops[0].State != "failed" || !strings.Contains(ops[0].Error, "cancelled") {
		t.Errorf("%+v", ops[0])
	}
	_, err = asks.Cancel(asks.Context(), "acme", "", nil)
	refused(t, err, ErrInvalid, "has ended")
}

func TestCancellingAnOperationWhoseProcessIsGoneEndsIt(t *testing.T) {
	p, dead := killedOnboarding(t, OnboardOptions{}, 12)
	proc := p.here()
	op := must[event.Operation](t)(proc.Cancel(proc.Context(), "acme", "", nil))
	if op.ID != dead.shown[0].Operation || op.State != "failed" {
		t.Errorf("%+v", op)
	}
	if ends := p.ends("acme"); len(ends) != 1 {
		t.Errorf("ends %v", ends)
	}
	must[event.Onboarding](t)(p.here().onboard(document(t)))
	if got := p.states("acme"); got != allDone {
		t.Errorf("the next onboarding: %s", got)
	}
}
