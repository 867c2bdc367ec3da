package registrytest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/registry"
)

var holding = map[string]func(*testing.T, world){
	"an operation that begins is running, and its start is its first event": func(t *testing.T, w world) {
		got := begin(t, w.a, "acme")
		l := got.Lease
		op := event.Operation{ID: l.Operation, Org: "acme", Kind: "onboard", State: "running", Started: w.now()}
		started := of(l, event.Event{Type: event.OperationStarted, Time: w.now(), Seq: 1})
		same(t, "begun", registry.Begun{
			Lease: registry.Lease{Org: "acme", Operation: l.Operation, Token: 1}, Operation: op, Started: started,
		}, got)
		same(t, "events", []event.Event{started}, must[[]event.Event](t)(w.b.Events(t.Context(), "acme", l.Operation, 0)))
		same(t, "last", &op, must[*event.Operation](t)(w.b.Last(t.Context(), "acme")))
	},

	"a second operation on the org is busy, and on another org it is not": func(t *testing.T, w world) {
		first := begin(t, w.a, "acme")
		started := w.now()
		w.pass(ttl - 1)
		_, err := w.b.Begin(t.Context(), registry.Request{Org: "acme", Kind: "offboard", Holder: "another", TTL: ttl})
		var busy *registry.BusyError
		if !errors.Is(err, registry.ErrBusy) || !errors.As(err, &busy) {
			t.Fatalf("%v, want a BusyError", err)
		}
		same(t, "busy", &registry.BusyError{
			Lease: first.Lease, Kind: "onboard", Holder: "a process", Started: started, Until: started.Add(ttl),
		}, busy)
		begin(t, w.b, "globex")
	},

	"the org is free once its operation has ended, whatever the end": func(t *testing.T, w world) {
		for _, typ := range []event.Type{event.OperationSucceeded, event.OperationFailed, event.OperationBlocked, event.OperationPending} {
			end(t, w.a, begin(t, w.b, "acme").Lease, typ)
		}
		var states []string
		for _, op := range must[[]event.Operation](t)(w.a.Operations(t.Context(), "acme")) {
			states = append(states, op.State)
		}
		same(t, "states, the newest first", []string{"pending", "blocked", "failed", "succeeded"}, states)
	},

	"a lease that nobody renews is taken over when it has expired": func(t *testing.T, w world) {
		first := begin(t, w.a, "acme")
		w.pass(ttl)
		req := request("acme")
		req.Holder, req.TTL = "the next", time.Minute
		second, err := w.b.Begin(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if second.Lease.Token <= first.Lease.Token {
			t.Errorf("token %d after %d", second.Lease.Token, first.Lease.Token)
		}
		_, err = w.a.Begin(t.Context(), request("acme"))
		var busy *registry.BusyError
		if !errors.As(err, &busy) {
			t.Fatalf("%v, want a BusyError", err)
		}
		same(t, "busy", &registry.BusyError{
			Lease: second.Lease, Kind: "onboard", Holder: "the next", Started: w.now(), Until: w.now().Add(time.Minute),
		}, busy)
	},

	"a renewed lease lasts on, in the hands of the one who renewed it": func(t *testing.T, w world) {
		first := begin(t, w.a, "acme")
		renewed := w.pass(ttl - 1)
		if err := w.b.Renew(t.Context(), first.Lease, "the heir", ttl); err != nil {
			t.Fatal(err)
		}
		w.pass(ttl - 1)
		_, err := w.a.Begin(t.Context(), request("acme"))
		var busy *registry.BusyError
		if !errors.As(err, &busy) || busy.Holder != "the heir" || !busy.Until.Equal(renewed.Add(ttl)) {
			t.Fatalf("%+v, %v: want busy until %s, held by the heir", busy, err, renewed.Add(ttl))
		}
		w.pass(1)
		begin(t, w.a, "acme")
	},

	"a lease that has expired can be renewed and written with while nobody took over": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		w.pass(time.Hour)
		if _, err := w.a.Append(t.Context(), l, diagnostic(l, "late")); err != nil {
			t.Error(err)
		}
		if err := w.a.Renew(t.Context(), l, "a process", ttl); err != nil {
			t.Error(err)
		}
		if _, err := w.b.Begin(t.Context(), request("acme")); !errors.Is(err, registry.ErrBusy) {
			t.Errorf("after the renewal: %v, want ErrBusy", err)
		}
	},

	"a lease is taken over at once by its token, and by no other": func(t *testing.T, w world) {
		end(t, w.a, begin(t, w.a, "acme").Lease, event.OperationSucceeded)
		first := begin(t, w.a, "acme")
		req := request("acme")
		for _, token := range []int64{first.Lease.Token - 1, first.Lease.Token + 1} {
			req.Over = token
			if _, err := w.b.Begin(t.Context(), req); !errors.Is(err, registry.ErrBusy) {
				t.Errorf("over token %d: %v, want ErrBusy", req.Over, err)
			}
		}
		req.Over = first.Lease.Token
		if _, err := w.b.Begin(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if _, err := w.a.Begin(t.Context(), req); !errors.Is(err, registry.ErrBusy) {
			t.Errorf("a second time over the same token: %v, want ErrBusy", err)
		}
	},

	"tokens of an org grow for ever, also over the ends of leases": func(t *testing.T, w world) {
		var tokens []int64
		for range 4 {
			l := begin(t, w.a, "acme").Lease
			tokens = append(tokens, l.Token)
			end(t, w.b, l, event.OperationSucceeded)
		}
		begin(t, w.a, "globex")
		if !slices.IsSorted(tokens) || len(slices.Compact(slices.Clone(tokens))) != 4 {
			t.Errorf("tokens %v do not grow", tokens)
		}
	},

	"of those that begin at once, exactly one wins": func(t *testing.T, w world) {
		for round := range 300 {
			org := fmt.Sprint("org-", round%7)
			begun := race(t, []Store{w.a, w.b, w.a, w.b}, org)
			if len(begun) != 1 {
				t.Fatalf("round %d: %d operations hold %s", round, len(begun), org)
			}
			end(t, w.a, begun[0].Lease, event.OperationSucceeded)
		}
	},

	"of those that take over at once, exactly one wins": func(t *testing.T, w world) {
		begin(t, w.a, "acme")
		for round := range 100 {
			w.pass(ttl)
			if begun := race(t, []Store{w.a, w.b, w.a, w.b}, "acme"); len(begun) != 1 {
				t.Fatalf("round %d: %d operations hold acme", round, len(begun))
			}
		}
	},
}

// race begins an operation from each connection at once, and returns those that did.
func race(t *testing.T, stores []Store, org string) []registry.Begun {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var out []registry.Begun
	gate := make(chan struct{})
	for _, s := range stores {
		wg.Go(func() {
			<-gate
			b, err := s.Begin(t.Context(), request(org))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				out = append(out, b)
			} else if !errors.Is(err, registry.ErrBusy) {
				t.Error(err)
			}
		})
	}
	close(gate)
	wg.Wait()
	return out
}

// writes are all the writes of an operation, as one that is late would do them.
func writes(t *testing.T, s Store, l registry.Lease) map[string]error {
	account := finding.Identity{Kind: "account", Value: "999999999999"}
	foreseen := finding.Identity{Kind: "e-mail", Value: "foreseen@example.com"}
	_, appended := s.Append(t.Context(), l, diagnostic(l, "late"))
	_, ended := s.End(t.Context(), l, of(l, event.Event{Type: event.OperationSucceeded, Time: time.Unix(9, 0).UTC()}))
	return map[string]error{
		"Renew":  s.Renew(t.Context(), l, "late", time.Hour),
		"Append": appended,
		"End":    ended,
		"PutOrg": s.PutOrg(t.Context(), l, registry.Org{Org: l.Org, State: "late", Plan: []byte("{}")}),
		"PutLayer": s.PutLayer(t.Context(), l, registry.Layer{
			Layer: "account", State: "late", Outputs: map[string]any{"accountId": "late"},
		}),
		"Claim":   s.Claim(t.Context(), l, true, account, foreseen),
		"Release": s.Release(t.Context(), l, foreseen),
	}
}

// furnish gives an org something of every kind of record.
func furnish(t *testing.T, s Store, l registry.Lease) {
	t.Helper()
	_, appended := s.Append(t.Context(), l, diagnostic(l, "one"))
	if err := errors.Join(
		s.PutOrg(t.Context(), l, registry.Org{Org: l.Org, State: "onboarding", Plan: []byte("{}")}),
		s.PutLayer(t.Context(), l, registry.Layer{Layer: "account", State: "making", Unclean: true}),
		s.Claim(t.Context(), l, false, finding.Identity{Kind: "e-mail", Value: "foreseen@example.com"}),
		appended,
	); err != nil {
		t.Fatal(err)
	}
}

var fencing = map[string]func(*testing.T, world){
	"after a takeover every write of the old operation is refused and changes nothing": func(t *testing.T, w world) {
		old := begin(t, w.a, "acme").Lease
		furnish(t, w.a, old)
		w.pass(ttl)
		taken := begin(t, w.b, "acme").Lease
		before := read(t, w.b, "acme")
		for write, err := range writes(t, w.a, old) {
			if !errors.Is(err, registry.ErrLost) {
				t.Errorf("%s: %v, want ErrLost", write, err)
			}
		}
		same(t, "the registry", before, read(t, w.b, "acme"))
		if err := w.b.Renew(t.Context(), taken, "a process", ttl); err != nil {
			t.Errorf("the new operation: %v", err)
		}
	},

	"after its end every write of an operation is refused and changes nothing": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		furnish(t, w.a, l)
		end(t, w.a, l, event.OperationFailed)
		before := read(t, w.b, "acme")
		for write, err := range writes(t, w.a, l) {
			if !errors.Is(err, registry.ErrLost) {
				t.Errorf("%s: %v, want ErrLost", write, err)
			}
		}
		same(t, "the registry", before, read(t, w.b, "acme"))
	},

	"a lease is good for its own org, operation and token only": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		furnish(t, w.a, l)
		other := begin(t, w.a, "globex").Lease
		before := read(t, w.b, "acme", "globex")
		for reason, forged := range map[string]registry.Lease{
			"another org":       {Org: "globex", Operation: l.Operation, Token: l.Token},
			"an unknown org":    {Org: "initech", Operation: l.Operation, Token: l.Token},
			"another operation": {Org: "acme", Operation: other.Operation, Token: l.Token},
			"an older token":    {Org: "acme", Operation: l.Operation, Token: l.Token - 1},
			"a newer token":     {Org: "acme", Operation: l.Operation, Token: l.Token + 1},
		} {
			for write, err := range writes(t, w.a, forged) {
				if !errors.Is(err, registry.ErrLost) {
					t.Errorf("%s: %s: %v, want ErrLost", reason, write, err)
				}
			}
		}
		same(t, "the registry", before, read(t, w.b, "acme", "globex"))
	},

	"another connection goes on with a lease that it is handed": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		furnish(t, w.b, l)
		end(t, w.b, l, event.OperationSucceeded)
	},
}
