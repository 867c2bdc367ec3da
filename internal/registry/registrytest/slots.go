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

// three asks for one of three slots, at any pace.
func three(over ...registry.SlotSighting) registry.SlotRequest {
	return registry.SlotRequest{Kind: "close", Limit: 3, TTL: ttl, Over: over}
}

// full fails the test unless err says that there is no slot.
func full(t *testing.T, err error) *registry.FullError {
	t.Helper()
	e, ok := errors.AsType[*registry.FullError](err)
	if !ok || !errors.Is(err, registry.ErrFull) {
		t.Fatalf("%v, want a FullError", err)
	}
	return e
}

// allTaken is a registry in which the first three orgs have the slots.
func allTaken(t *testing.T, w world) (held []registry.Lease, next registry.Lease) {
	t.Helper()
	for i := range 3 {
		l := begin(t, w.a, fmt.Sprintf("org-%d", i)).Lease
		if err := of(w.a, l.Org).TakeSlot(t.Context(), l, three()); err != nil {
			t.Fatal(err)
		}
		held = append(held, l)
	}
	return held, begin(t, w.b, "acme").Lease
}

// sharing is the contract of the slots that all orgs share.
var sharing = map[string]func(*testing.T, world){
	"there are as many slots as the limit says, whoever asks, and of each kind": func(t *testing.T, w world) {
		held, next := allTaken(t, w)
		e := full(t, of(w.b, "acme").TakeSlot(t.Context(), next, three()))
		same(t, "seen", []registry.SlotSighting{{Slot: 1, Taken: 1, TTL: ttl}, {Slot: 2, Taken: 1, TTL: ttl}, {Slot: 3, Taken: 1, TTL: ttl}}, e.Seen)
		other := three()
		other.Kind = "create"
		if err := of(w.b, "acme").TakeSlot(t.Context(), next, other); err != nil {
			t.Error(err)
		}
		// Whoever has one does not need another.
		if err := of(w.a, held[0].Org).TakeSlot(t.Context(), held[0], three()); err != nil {
			t.Error(err)
		}
	},

	"a slot is free when it is given up, and when its operation ends or is taken over": func(t *testing.T, w world) {
		for how, free := range map[string]func(l registry.Lease) error{
			"given up":   func(l registry.Lease) error { return of(w.b, l.Org).FreeSlot(t.Context(), l, "close") },
			"ended":      func(l registry.Lease) error { end(t, w.a, l, event.OperationFailed); return nil },
			"taken over": func(l registry.Lease) error { takeOver(t, w.b, l.Org); return nil },
		} {
			held, next := allTaken(t, w)
			if err := free(held[1]); err != nil {
				t.Fatal(err)
			}
			if err := of(w.b, "acme").TakeSlot(t.Context(), next, three()); err != nil {
				t.Errorf("%s: %v", how, err)
			}
			_ = full(t, of(w.b, held[1].Org).TakeSlot(t.Context(), seized(t, w.b, held[1].Org), three()))
			for _, l := range append(held, next) {
				end(t, w.b, seized(t, w.b, l.Org), event.OperationFailed)
			}
		}
	},

	"an operation that another process goes on with keeps its slot": func(t *testing.T, w world) {
		b, err := of(w.a, "acme").Begin(t.Context(), asked("build-7", "d", registry.Sighting{}))
		if err != nil {
			t.Fatal(err)
		}
		one := registry.SlotRequest{Kind: "close", Limit: 1, TTL: ttl}
		if err := of(w.a, "acme").TakeSlot(t.Context(), b.Lease, one); err != nil {
			t.Fatal(err)
		}
		again, err := of(w.b, "acme").Begin(t.Context(), asked("build-7", "d", seen(t, w.b, "acme")))
		if err != nil || !again.Resumed {
			t.Fatalf("%+v, %v", again, err)
		}
		if err := of(w.b, "acme").TakeSlot(t.Context(), again.Lease, one); err != nil {
			t.Error(err)
		}
		if err := of(w.a, "acme").TakeSlot(t.Context(), b.Lease, one); !errors.Is(err, registry.ErrLost) {
			t.Errorf("the process that is gone: %v, want ErrLost", err)
		}
	},

	"a slot that nobody renews is taken over as it was seen, and in no other state": func(t *testing.T, w world) {
		held, next := allTaken(t, w)
		dead := full(t, of(w.b, "acme").TakeSlot(t.Context(), next, three())).Seen
		for _, l := range held[:2] {
			if err := of(w.a, l.Org).Renew(t.Context(), l, "a process", ttl); err != nil {
				t.Fatal(err)
			}
		}
		e := full(t, of(w.b, "acme").TakeSlot(t.Context(), next, three(dead[:2]...)))
		same(t, "renewals", []int64{1, 1, 0}, []int64{e.Seen[0].Renewals, e.Seen[1].Renewals, e.Seen[2].Renewals})
		if err := of(w.b, "acme").TakeSlot(t.Context(), next, three(dead...)); err != nil {
			t.Error(err)
		}
		another := begin(t, w.b, "globex").Lease
		_ = full(t, of(w.b, "globex").TakeSlot(t.Context(), another, three(dead...)))
		// What the one that slept renews and gives up is no longer its own.
		if err := errors.Join(of(w.a, held[2].Org).Renew(t.Context(), held[2], "a process", ttl),
			of(w.a, held[2].Org).FreeSlot(t.Context(), held[2], "close")); err != nil {
			t.Fatal(err)
		}
		_ = full(t, of(w.b, "globex").TakeSlot(t.Context(), another, three()))
	},

	"many that ask at once get no more than there are": func(t *testing.T, w world) {
		var leases []registry.Lease
		for i := range 8 {
			leases = append(leases, begin(t, w.a, fmt.Sprintf("org-%d", i)).Lease)
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		var refusals []error
		for i, l := range leases {
			s := []registry.Store{w.a, w.b}[i%2]
			wg.Go(func() {
				err := of(s, l.Org).TakeSlot(t.Context(), l, three())
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					refusals = append(refusals, err)
				}
			})
		}
		wg.Wait()
		same(t, "refusals", 5, len(refusals))
		for _, err := range refusals {
			_ = full(t, err)
		}
	},

	"a pace is kept over all orgs, and what is not used now is not saved up": func(t *testing.T, w world) {
		paced := registry.SlotRequest{Kind: "create", Limit: 100, TTL: ttl, Every: 10 * time.Second, Burst: 3}
		n := 0
		take := func() error {
			n++
			l := begin(t, w.a, fmt.Sprintf("org-%d", n)).Lease
			return of([]registry.Store{w.a, w.b}[n%2], l.Org).TakeSlot(t.Context(), l, paced)
		}
		for _, pause := range []time.Duration{0, time.Hour} {
			w.pass(pause)
			for range paced.Burst {
				if err := take(); err != nil {
					t.Fatal(err)
				}
			}
			e := full(t, take())
			same(t, "a pause", []any{0, 10 * time.Second}, []any{len(e.Seen), e.After})
			w.pass(4 * time.Second)
			same(t, "a shorter pause", 6*time.Second, full(t, take()).After)
			w.pass(6 * time.Second)
			if err := take(); err != nil {
				t.Fatal(err)
			}
		}
	},

	"who finds no slot uses up no pace": func(t *testing.T, w world) {
		paced := registry.SlotRequest{Kind: "create", Limit: 1, TTL: ttl, Every: time.Minute, Burst: 2}
		first, second := begin(t, w.a, "acme").Lease, begin(t, w.a, "globex").Lease
		if err := of(w.a, "acme").TakeSlot(t.Context(), first, paced); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			same(t, "taken", 1, len(full(t, of(w.b, "globex").TakeSlot(t.Context(), second, paced)).Seen))
		}
		end(t, w.a, first, event.OperationSucceeded)
		if err := of(w.b, "globex").TakeSlot(t.Context(), second, paced); err != nil {
			t.Error(err)
		}
	},
}

// seized is a lease on the org, whether or not somebody holds it.
func seized(t *testing.T, s registry.Store, org string) registry.Lease {
	t.Helper()
	if busy := must[*registry.BusyError](t)(of(s, org).Holder(t.Context())); busy != nil {
		return takeOver(t, s, org).Lease
	}
	return begin(t, s, org).Lease
}
