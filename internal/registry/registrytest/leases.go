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
	"github.com/google/go-cmp/cmp"
)

var holding = map[string]func(*testing.T, world){
	"what has not ended is followed over all orgs, and that is one entry of the fleet's log": func(t *testing.T, w world) {
		acme, globex := begin(t, w.a, "acme"), begin(t, w.a, "globex")
		running, err := all(w.b).FollowRunning(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := running(t.Context())
			if d := cmp.Diff([]event.Operation{acme.Operation, globex.Operation}, got); err != nil || d != "" {
				t.Errorf("%v, running (-want +got):\n%s", err, d)
			}
		}
		end(t, w.a, acme.Lease, event.OperationSucceeded)
		if got, err := running(t.Context()); err != nil || len(got) != 1 || got[0].Org != "globex" {
			t.Errorf("after acme's end: %v, %v", got, err)
		}
		if entries, err := all(w.b).Audited(t.Context(), 0); err != nil || len(entries) != 2 { // the second is this one
			t.Errorf("the fleet's log: %v, %v", entries, err)
		}
	},
	"an operation that begins is running, and its start is its first event": func(t *testing.T, w world) {
		got := begin(t, w.a, "acme")
		l := got.Lease
		op := event.Operation{ID: l.Operation, Org: "acme", Kind: "onboard", State: "running", Started: w.now()}
		started := belonging(l, event.Event{Type: event.OperationStarted, Time: w.now(), Seq: 1})
		same(t, "begun", registry.Begun{
			Lease: registry.Lease{Org: "acme", Operation: l.Operation, Token: 1}, Operation: op, Started: started,
		}, got)
		same(t, "events", []event.Event{started}, must[[]event.Event](t)(of(w.b, "acme").Events(t.Context(), l.Operation, 0)))
		same(t, "last", &op, must[*event.Operation](t)(of(w.b, "acme").Last(t.Context())))
	},

	"a second operation on the org is busy, and on another org it is not": func(t *testing.T, w world) {
		first := begin(t, w.a, "acme")
		started := w.now()
		_, err := of(w.b, "acme").Begin(t.Context(), registry.Request{Kind: "offboard", Holder: "another", TTL: ttl})
		var busy *registry.BusyError
		if !errors.Is(err, registry.ErrBusy) || !errors.As(err, &busy) {
			t.Fatalf("%v, want a BusyError", err)
		}
		same(t, "busy", &registry.BusyError{
			Lease: first.Lease, Kind: "onboard", Holder: "a process", Started: started, Until: started.Add(ttl), TTL: ttl,
			Seen: registry.Sighting{Token: first.Lease.Token},
		}, busy)
		same(t, "the holder", busy, must[*registry.BusyError](t)(of(w.a, "acme").Holder(t.Context())))
		begin(t, w.b, "globex")
	},

	"the org is free once its operation has ended, whatever the end": func(t *testing.T, w world) {
		for _, typ := range []event.Type{event.OperationSucceeded, event.OperationFailed, event.OperationBlocked, event.OperationPending} {
			end(t, w.a, begin(t, w.b, "acme").Lease, typ)
		}
		var states []string
		for _, op := range must[[]event.Operation](t)(of(w.a, "acme").Operations(t.Context())) {
			states = append(states, op.State)
		}
		same(t, "states, the newest first", []string{"pending", "blocked", "failed", "succeeded"}, states)
	},

	"an org that nobody holds has no holder": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		end(t, w.a, l, event.OperationSucceeded)
		for _, org := range []string{"acme", "globex"} {
			if busy := must[*registry.BusyError](t)(of(w.b, org).Holder(t.Context())); busy != nil {
				t.Errorf("%s is held: %v", org, busy)
			}
		}
	},

	"no time ends a lease: whoever wants the org judges by a clock of its own": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		w.pass(time.Hour)
		if _, err := of(w.b, "acme").Begin(t.Context(), request()); !errors.Is(err, registry.ErrBusy) {
			t.Errorf("an hour later: %v, want ErrBusy", err)
		}
		if _, err := of(w.a, "acme").Append(t.Context(), l, diagnostic(l, "late")); err != nil {
			t.Error(err)
		}
		if err := of(w.a, "acme").Renew(t.Context(), l, "a process", ttl); err != nil {
			t.Error(err)
		}
	},

	"a lease is taken over as it was seen, and in no other state": func(t *testing.T, w world) {
		end(t, w.a, begin(t, w.a, "acme").Lease, event.OperationSucceeded)
		first := begin(t, w.a, "acme")
		if err := of(w.a, "acme").Renew(t.Context(), first.Lease, "a process", ttl); err != nil {
			t.Fatal(err)
		}
		at := seen(t, w.b, "acme")
		same(t, "seen", registry.Sighting{Token: first.Lease.Token, Renewals: 1}, at)
		req := request()
		req.Holder, req.TTL = "the next", time.Minute
		for _, req.Over = range []registry.Sighting{
			{Token: at.Token - 1, Renewals: at.Renewals}, {Token: at.Token + 1, Renewals: at.Renewals},
			{Token: at.Token, Renewals: at.Renewals - 1}, {Token: at.Token, Renewals: at.Renewals + 1},
		} {
			if _, err := of(w.b, "acme").Begin(t.Context(), req); !errors.Is(err, registry.ErrBusy) {
				t.Errorf("over %+v: %v, want ErrBusy", req.Over, err)
			}
		}
		req.Over = at
		second, err := of(w.b, "acme").Begin(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if second.Lease.Token <= first.Lease.Token {
			t.Errorf("token %d after %d", second.Lease.Token, first.Lease.Token)
		}
		_, err = of(w.a, "acme").Begin(t.Context(), req)
		var busy *registry.BusyError
		if !errors.As(err, &busy) {
			t.Fatalf("a second time over the same lease: %v, want a BusyError", err)
		}
		same(t, "busy", &registry.BusyError{
			Lease: second.Lease, Kind: "onboard", Holder: "the next", Started: w.now(), Until: w.now().Add(time.Minute), TTL: time.Minute,
			Seen: registry.Sighting{Token: second.Lease.Token},
		}, busy)
	},

	"a renewed lease is in the hands of the one who renewed it": func(t *testing.T, w world) {
		first := begin(t, w.a, "acme")
		renewed := w.pass(ttl - 1)
		if err := of(w.b, "acme").Renew(t.Context(), first.Lease, "the heir", ttl); err != nil {
			t.Fatal(err)
		}
		busy := must[*registry.BusyError](t)(of(w.a, "acme").Holder(t.Context()))
		if busy.Holder != "the heir" || !busy.Until.Equal(renewed.Add(ttl)) || busy.TTL != ttl {
			t.Fatalf("%+v: want it held by the heir until %s", busy, renewed.Add(ttl))
		}
	},

	"an operation that somebody cancels hears it with its next renewal, and goes on to its end": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		other := begin(t, w.a, "globex").Lease
		if err := of(w.b, "acme").Cancel(t.Context(), l.Operation); err != nil {
			t.Fatal(err)
		}
		before := seen(t, w.b, "acme")
		if err := of(w.a, "acme").Renew(t.Context(), l, "a process", ttl); !errors.Is(err, registry.ErrCancelled) {
			t.Errorf("%v, want ErrCancelled", err)
		}
		if seen(t, w.b, "acme") == before {
			t.Error("the lease of an operation that is to stop was not renewed")
		}
		if err := of(w.a, "globex").Renew(t.Context(), other, "a process", ttl); err != nil {
			t.Errorf("another org's: %v", err)
		}
		if _, err := of(w.a, "acme").Append(t.Context(), l, diagnostic(l, "cleaning up")); err != nil {
			t.Error(err)
		}
		end(t, w.a, l, event.OperationFailed)
		for org, op := range map[string]string{"acme": l.Operation, "globex": l.Operation, "initech": "nothing"} {
			if err := of(w.b, org).Cancel(t.Context(), op); !errors.Is(err, registry.ErrUnknownOperation) {
				t.Errorf("operation %s of %s: %v, want ErrUnknownOperation", op, org, err)
			}
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
			begun := race(t, []registry.Store{w.a, w.b, w.a, w.b}, org, registry.Sighting{})
			if len(begun) != 1 {
				t.Fatalf("round %d: %d operations hold %s", round, len(begun), org)
			}
			end(t, w.a, begun[0].Lease, event.OperationSucceeded)
		}
	},

	"of those that take over at once, exactly one wins": func(t *testing.T, w world) {
		begin(t, w.a, "acme")
		for round := range 100 {
			if begun := race(t, []registry.Store{w.a, w.b, w.a, w.b}, "acme", seen(t, w.a, "acme")); len(begun) != 1 {
				t.Fatalf("round %d: %d operations hold acme", round, len(begun))
			}
		}
	},
}

// race begins an operation from each connection at once, and returns those that did.
func race(t *testing.T, stores []registry.Store, org string, over registry.Sighting) []registry.Begun {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var out []registry.Begun
	gate := make(chan struct{})
	for _, s := range stores {
		wg.Go(func() {
			<-gate
			req := request()
			req.Over = over
			b, err := of(s, org).Begin(t.Context(), req)
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
func writes(t *testing.T, s registry.Store, l registry.Lease) map[string]error {
	t.Helper()
	return writesOf(t, of(s, l.Org), l)
}

func writesOf(t *testing.T, s registry.OrgStore, l registry.Lease) map[string]error {
	t.Helper()
	account := finding.Identity{Kind: "account", Value: "999999999999"}
	foreseen := finding.Identity{Kind: "e-mail", Value: "foreseen@example.com"}
	_, appended := s.Append(t.Context(), l, diagnostic(l, "late"))
	_, stepped := s.BeginStep(t.Context(), l, event.Step{Name: "late", State: event.StepRunning, Started: time.Unix(8, 0)})
	_, ended := s.End(t.Context(), l, belonging(l, event.Event{Type: event.OperationSucceeded, Time: time.Unix(9, 0).UTC()}))
	return map[string]error{
		"Renew":        s.Renew(t.Context(), l, "late", time.Hour),
		"Append":       appended,
		"End":          ended,
		"PutOrg":       s.PutOrg(t.Context(), l, registry.Org{Org: l.Org, State: "late", Plan: []byte("{}")}),
		"PutDataPlane": s.PutDataPlane(t.Context(), l, event.DataPlane{Org: l.Org, AccountID: "late"}),
		"PutLayer": s.PutLayer(t.Context(), l, registry.Layer{
			Layer: "account", State: "late", Outputs: map[string]any{"accountId": "late"},
		}),
		"Claim":     s.Claim(t.Context(), l, true, account, foreseen),
		"Release":   s.Release(t.Context(), l, foreseen),
		"BeginStep": stepped,
		"EndStep":   s.EndStep(t.Context(), l, event.Step{Seq: 1, State: "late"}),
		"TakeSlot":  s.TakeSlot(t.Context(), l, three()),
		"FreeSlot":  s.FreeSlot(t.Context(), l, "close"),
	}
}

// furnish gives an org something of every kind of record.
func furnish(t *testing.T, s registry.Store, l registry.Lease) {
	t.Helper()
	_, appended := of(s, l.Org).Append(t.Context(), l, diagnostic(l, "one"))
	if err := errors.Join(
		of(s, l.Org).PutOrg(t.Context(), l, registry.Org{Org: l.Org, State: "onboarding", Plan: []byte("{}")}),
		of(s, l.Org).PutLayer(t.Context(), l, registry.Layer{Layer: "account", State: "making", Unclean: true}),
		of(s, l.Org).Claim(t.Context(), l, false, finding.Identity{Kind: "e-mail", Value: "foreseen@example.com"}),
		appended,
	); err != nil {
		t.Fatal(err)
	}
}

var fencing = map[string]func(*testing.T, world){
	"after a takeover every write of the old operation is refused and changes nothing": func(t *testing.T, w world) {
		old := begin(t, w.a, "acme").Lease
		furnish(t, w.a, old)
		taken := takeOver(t, w.b, "acme").Lease
		before := read(t, w.b, "acme")
		for write, err := range writes(t, w.a, old) {
			if !errors.Is(err, registry.ErrLost) {
				t.Errorf("%s: %v, want ErrLost", write, err)
			}
		}
		same(t, "the registry", before, read(t, w.b, "acme"))
		if err := of(w.b, taken.Org).Renew(t.Context(), taken, "a process", ttl); err != nil {
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

	"an org's store takes no lease on another org": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		other := begin(t, w.a, "globex").Lease
		before := read(t, w.b, "acme", "globex")
		for write, err := range writesOf(t, of(w.a, "acme"), other) {
			if !errors.Is(err, registry.ErrLost) {
				t.Errorf("%s: %v, want ErrLost", write, err)
			}
		}
		same(t, "the registry", before, read(t, w.b, "acme", "globex"))
		end(t, w.a, l, event.OperationSucceeded)
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
