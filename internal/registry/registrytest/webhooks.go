package registrytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// endpoint is one that selects the types, by default those that end an operation.
func endpoint(name string, types ...string) registry.Endpoint {
	e := registry.Endpoint{
		Name: name, URL: "https://" + name + ".example.com/in?x=1", Secret: "env:SECRET", Events: types, Created: time.Unix(5, 0).UTC(),
	}
	if len(types) == 0 {
		e.Events = event.Terminal()
	}
	return e
}

func put(t *testing.T, s registry.Store, org string, e registry.Endpoint) {
	t.Helper()
	if err := of(s, org).PutEndpoint(t.Context(), e, false); err != nil {
		t.Fatal(err)
	}
}

// states are the org's endpoints.
func states(t *testing.T, s registry.Store, org string) []registry.EndpointState {
	t.Helper()
	all, err := of(s, org).Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// take begins a turn that lasts a minute.
func take(t *testing.T, w world, s registry.Store, org, name string) registry.Turn {
	t.Helper()
	turn, err := of(s, org).Take(t.Context(), name, w.now(), w.now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return turn
}

// next is the delivery that a turn is to send now.
func next(t *testing.T, w world, s registry.Store, org string, turn registry.Turn) (registry.Delivery, bool) {
	t.Helper()
	d, ok, err := of(s, org).Next(t.Context(), turn, w.now(), w.now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return d, ok
}

func attempted(t *testing.T, s registry.Store, org string, turn registry.Turn, seq int64, a registry.Attempt) {
	t.Helper()
	if err := of(s, org).Attempted(t.Context(), turn, seq, a); err != nil {
		t.Fatal(err)
	}
}

// sent is everything that a turn sends, each delivered, by the events' types.
func sent(t *testing.T, w world, s registry.Store, org string, turn registry.Turn) []string {
	t.Helper()
	var out []string
	for {
		d, ok := next(t, w, s, org, turn)
		if !ok {
			return out
		}
		var ce struct {
			ID, Type, Org string
			Data          event.Event
		}
		if err := json.Unmarshal(d.Body, &ce); err != nil {
			t.Fatal(err)
		}
		if ce.ID != d.ID || ce.Org != org || ce.Data.Operation != d.Operation {
			t.Errorf("delivery %s of operation %s has the body of %s, operation %s of %s", d.ID, d.Operation, ce.ID, ce.Data.Operation, ce.Org)
		}
		out = append(out, fmt.Sprint(strings.TrimPrefix(ce.Type, event.CloudEventPrefix), " ", ce.Data.Seq))
		attempted(t, s, org, turn, d.Seq, registry.Attempt{Delivered: true})
	}
}

var delivering = map[string]func(*testing.T, world){
	"an event waits for each endpoint that selects its type, from the transaction in which it is stored": func(t *testing.T, w world) {
		put(t, w.a, "acme", endpoint("all", "operation", "diagnostic"))
		put(t, w.a, "acme", endpoint("ends"))
		put(t, w.a, "acme", endpoint("none", "layer"))
		put(t, w.a, "globex", endpoint("all", "operation"))
		b := begin(t, w.a, "acme")
		if _, err := of(w.a, "acme").Append(t.Context(), b.Lease, diagnostic(b.Lease, "a"), belonging(b.Lease, event.Event{Type: event.OperationFailed})); err == nil {
			t.Error("Append took a terminal event") // and so nothing of it is stored
		}
		if _, err := of(w.a, "acme").Append(t.Context(), b.Lease, diagnostic(b.Lease, "a")); err != nil {
			t.Fatal(err)
		}
		end(t, w.a, b.Lease, event.OperationSucceeded)
		if _, err := of(w.a, "acme").End(t.Context(), b.Lease, belonging(b.Lease, event.Event{Type: event.OperationFailed})); !errors.Is(err, registry.ErrLost) {
			t.Errorf("a second end: %v, want ErrLost", err)
		}
		for name, want := range map[string][]string{
			"all": {"operation.started 1", "diagnostic 2", "operation.succeeded 3"}, "ends": {"operation.succeeded 3"}, "none": nil,
		} {
			if d := cmp.Diff(want, sent(t, w, w.b, "acme", take(t, w, w.b, "acme", name))); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
		for _, e := range append(states(t, w.a, "acme"), states(t, w.a, "globex")...) {
			if e.Waiting+e.Dead > 0 {
				t.Errorf("%d events wait for %s", e.Waiting, e.Name)
			}
		}
	},
	"the end of an operation whose process is gone waits for the endpoints as well": func(t *testing.T, w world) {
		put(t, w.a, "globex", endpoint("ends"))
		begin(t, w.a, "globex")
		takeOver(t, w.b, "globex")
		if d := cmp.Diff([]string{"operation.failed 2"}, sent(t, w, w.b, "globex", take(t, w, w.b, "globex", "ends"))); d != "" {
			t.Errorf("sent (-want +got):\n%s", d)
		}
	},
	"what waits for an endpoint is sent in order, and what failed holds up what is behind it": func(t *testing.T, w world) {
		put(t, w.a, "acme", endpoint("ci", "operation"))
		b := begin(t, w.a, "acme")
		end(t, w.a, b.Lease, event.OperationSucceeded)
		turn := take(t, w, w.a, "acme", "ci")
		first, _ := next(t, w, w.a, "acme", turn)
		at := w.now().Add(time.Hour)
		attempted(t, w.a, "acme", turn, first.Seq, registry.Attempt{Error: "it answered 500", Next: at})
		if d, ok := next(t, w, w.a, "acme", turn); ok {
			t.Errorf("%s was next, while %s waits to be sent again", d.ID, first.ID)
		}
		if err := of(w.a, "acme").Yield(t.Context(), turn); err != nil {
			t.Error(err)
		}
		if due, err := of(w.a, "acme").Due(t.Context(), at.Add(-time.Nanosecond)); err != nil || len(due) > 0 {
			t.Errorf("too early: %q, %v", due, err)
		}
		want := []registry.EndpointState{{Endpoint: endpoint("ci", "operation"), Waiting: 2, Next: at.UTC(), Error: "it answered 500"}}
		if d := cmp.Diff(want, states(t, w.b, "acme")); d != "" {
			t.Errorf("endpoints (-want +got):\n%s", d)
		}
		w.pass(time.Hour)
		if due, err := of(w.a, "acme").Due(t.Context(), w.now()); err != nil || !slices.Equal(due, []string{"ci"}) {
			t.Errorf("in time: %q, %v", due, err)
		}
		turn = take(t, w, w.b, "acme", "ci")
		again, _ := next(t, w, w.b, "acme", turn)
		first.Attempts, first.Error = 1, "it answered 500"
		if d := cmp.Diff(first, again); d != "" {
			t.Errorf("sent again (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"operation.started 1", "operation.succeeded 2"}, sent(t, w, w.b, "acme", turn)); d != "" {
			t.Errorf("sent (-want +got):\n%s", d)
		}
	},
	"one at a time has a turn, and after it has ended nothing of it counts": func(t *testing.T, w world) {
		put(t, w.a, "acme", endpoint("ci", "operation"))
		begin(t, w.a, "acme")
		slow := take(t, w, w.a, "acme", "ci")
		d, _ := next(t, w, w.a, "acme", slow)
		if _, err := of(w.b, "acme").Take(t.Context(), "ci", w.now(), w.now().Add(time.Minute)); !errors.Is(err, registry.ErrNotYourTurn) {
			t.Errorf("a second turn: %v, want ErrNotYourTurn", err)
		}
		if due, err := of(w.b, "acme").Due(t.Context(), w.now()); err != nil || len(due) > 0 {
			t.Errorf("due while somebody sends: %q, %v", due, err)
		}
		w.pass(time.Minute)
		fast := take(t, w, w.b, "acme", "ci")
		refused := func(what string, err error) {
			t.Helper()
			if !errors.Is(err, registry.ErrNotYourTurn) {
				t.Errorf("%s: %v, want ErrNotYourTurn", what, err)
			}
		}
		_, _, err := of(w.a, "acme").Next(t.Context(), slow, w.now(), w.now().Add(time.Hour))
		refused("next", err)
		refused("a failure", of(w.a, "acme").Attempted(t.Context(), slow, d.Seq, registry.Attempt{Error: "late", Next: w.now().Add(time.Hour)}))
		refused("a success", of(w.a, "acme").Attempted(t.Context(), slow, d.Seq, registry.Attempt{Delivered: true}))
		refused("the end of the turn", of(w.a, "acme").Yield(t.Context(), slow))
		if d := cmp.Diff([]string{"operation.started 1"}, sent(t, w, w.b, "acme", fast)); d != "" {
			t.Errorf("sent (-want +got):\n%s", d)
		}
		refused("what was delivered", of(w.b, "acme").Attempted(t.Context(), fast, d.Seq, registry.Attempt{Error: "twice", Next: w.now()}))
		if err := of(w.b, "acme").Yield(t.Context(), fast); err != nil {
			t.Error(err)
		}
		take(t, w, w.a, "acme", "ci")
	},
	"a dead letter is out of the way, can be seen, and is first when it is sent again": func(t *testing.T, w world) {
		put(t, w.a, "acme", endpoint("ci", "operation"))
		put(t, w.a, "acme", endpoint("crm", "operation"))
		b := begin(t, w.a, "acme")
		end(t, w.a, b.Lease, event.OperationSucceeded)
		turn := take(t, w, w.a, "acme", "ci")
		d, _ := next(t, w, w.a, "acme", turn)
		attempted(t, w.a, "acme", turn, d.Seq, registry.Attempt{Error: "it answered 500", Dead: true})
		second, ok := next(t, w, w.a, "acme", turn)
		if !ok || second.Seq <= d.Seq {
			t.Errorf("then comes %v, %v", second, ok)
		}
		d.Attempts, d.Error = 1, "it answered 500"
		for _, of := range []func() ([]registry.Delivery, error){
			func() ([]registry.Delivery, error) { return of(w.b, "acme").DeadLetters(t.Context(), "") },
			func() ([]registry.Delivery, error) { return of(w.b, "acme").DeadLetters(t.Context(), "ci") },
			func() ([]registry.Delivery, error) {
				if _, err := of(w.b, "acme").Resend(t.Context(), "", []string{d.ID, "another"}); !errors.Is(err, registry.ErrUnknownDelivery) {
					t.Errorf("an id that is not there: %v, want ErrUnknownDelivery", err)
				}
				return of(w.b, "acme").Resend(t.Context(), "ci", []string{d.ID})
			},
		} {
			dead, err := of()
			if diff := cmp.Diff([]registry.Delivery{d}, dead); err != nil || diff != "" {
				t.Errorf("%v, dead letters (-want +got):\n%s", err, diff)
			}
		}
		if dead, err := of(w.b, "acme").DeadLetters(t.Context(), "crm"); err != nil || len(dead) > 0 {
			t.Errorf("of another endpoint: %v, %v", dead, err)
		}
		if d := cmp.Diff([]string{"operation.started 1", "operation.succeeded 2"}, sent(t, w, w.a, "acme", turn)); d != "" {
			t.Errorf("sent (-want +got):\n%s", d)
		}
		if again, err := of(w.b, "acme").Resend(t.Context(), "", nil); err != nil || len(again) > 0 {
			t.Errorf("nothing is dead any more: %v, %v", again, err)
		}
	},
	"events wait for an endpoint that is disabled, until it is enabled or replaced": func(t *testing.T, w world) {
		for name, enable := range map[string]func(registry.OrgStore) error{
			"enabled": func(s registry.OrgStore) error { return s.EnableEndpoint(t.Context(), "enabled") },
			"replaced": func(s registry.OrgStore) error {
				return s.PutEndpoint(t.Context(), endpoint("replaced", "operation"), true)
			},
		} {
			put(t, w.a, name, endpoint(name, "operation"))
			b := begin(t, w.a, name)
			turn := take(t, w, w.a, name, name)
			d, _ := next(t, w, w.a, name, turn)
			attempted(t, w.a, name, turn, d.Seq, registry.Attempt{Error: "it answered 410", Next: w.now(), Disable: true})
			if _, _, err := of(w.a, name).Next(t.Context(), turn, w.now(), w.now().Add(time.Minute)); !errors.Is(err, registry.ErrNotYourTurn) {
				t.Errorf("%s: next: %v, want ErrNotYourTurn", name, err)
			}
			if err := of(w.a, name).Yield(t.Context(), turn); err != nil {
				t.Error(err)
			}
			end(t, w.a, b.Lease, event.OperationSucceeded)
			if _, err := of(w.a, name).Take(t.Context(), name, w.now(), w.now()); !errors.Is(err, registry.ErrNotYourTurn) {
				t.Errorf("%s: a turn: %v, want ErrNotYourTurn", name, err)
			}
			if due, err := of(w.a, name).Due(t.Context(), w.now()); err != nil || len(due) > 0 {
				t.Errorf("%s: due: %q, %v", name, due, err)
			}
			if s := states(t, w.b, name)[0]; s.Disabled != "it answered 410" || s.Waiting != 2 {
				t.Errorf("%s: %+v", name, s)
			}
			if err := enable(of(w.b, name)); err != nil {
				t.Error(err)
			}
			if d := cmp.Diff([]string{"operation.started 1", "operation.succeeded 2"}, sent(t, w, w.b, name, take(t, w, w.b, name, name))); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
	},
	"an endpoint of a name is one, and is forgotten with what waits for it": func(t *testing.T, w world) {
		put(t, w.a, "acme", endpoint("ci"))
		put(t, w.b, "acme", endpoint("ci")) // the same
		put(t, w.b, "globex", endpoint("ci"))
		other := endpoint("ci", "layer")
		other.Secret, other.Created = "file:/run/secret", time.Unix(9, 0).UTC()
		if err := of(w.b, "acme").PutEndpoint(t.Context(), other, false); !errors.Is(err, registry.ErrKnownEndpoint) {
			t.Errorf("another of the name: %v, want ErrKnownEndpoint", err)
		}
		b := begin(t, w.a, "acme")
		end(t, w.a, b.Lease, event.OperationSucceeded)
		if err := of(w.b, "acme").PutEndpoint(t.Context(), other, true); err != nil {
			t.Error(err)
		}
		s := states(t, w.a, "acme")
		other.Created = time.Unix(5, 0).UTC()
		if d := cmp.Diff(other, s[0].Endpoint); d != "" || len(s) != 1 || s[0].Waiting != 1 {
			t.Errorf("%d endpoints, %d waiting (-want +got):\n%s", len(s), s[0].Waiting, d)
		}
		turn := take(t, w, w.a, "acme", "ci")
		if err := of(w.b, "acme").DropEndpoint(t.Context(), "ci"); err != nil {
			t.Error(err)
		}
		if err := of(w.a, "acme").Attempted(t.Context(), turn, 1, registry.Attempt{Delivered: true}); !errors.Is(err, registry.ErrNotYourTurn) {
			t.Errorf("an attempt at what is removed: %v, want ErrNotYourTurn", err)
		}
		for what, err := range map[string]error{
			"remove": of(w.b, "acme").DropEndpoint(t.Context(), "ci"), "enable": of(w.b, "acme").EnableEndpoint(t.Context(), "ci"),
		} {
			if !errors.Is(err, registry.ErrUnknownEndpoint) {
				t.Errorf("%s: %v, want ErrUnknownEndpoint", what, err)
			}
		}
		put(t, w.a, "acme", endpoint("ci"))
		if s := states(t, w.a, "acme")[0]; s.Waiting != 0 {
			t.Errorf("%d events wait for the new one", s.Waiting)
		}
		if s := states(t, w.a, "globex"); len(s) != 1 {
			t.Errorf("globex has %d endpoints", len(s))
		}
		if _, err := of(w.a, "acme").Take(t.Context(), "nobody", w.now(), w.now()); !errors.Is(err, registry.ErrNotYourTurn) {
			t.Errorf("nobody: %v, want ErrNotYourTurn", err)
		}
	},
	"what is due is followed over all orgs, and that is one entry of the fleet's log": func(t *testing.T, w world) {
		for _, org := range []string{"acme", "globex", "initech"} {
			put(t, w.a, org, endpoint("ci", "operation"))
		}
		begin(t, w.a, "globex")
		w.pass(time.Second)
		begin(t, w.a, "acme")
		due, err := all(w.b).FollowDue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			got, err := due(t.Context(), w.now())
			if d := cmp.Diff([]registry.Due{{Org: "globex", Endpoint: "ci"}, {Org: "acme", Endpoint: "ci"}}, got); err != nil || d != "" {
				t.Errorf("%v, due (-want +got):\n%s", err, d)
			}
		}
		sent(t, w, w.a, "acme", take(t, w, w.a, "acme", "ci"))
		if got, err := due(t.Context(), w.now()); err != nil || len(got) != 1 {
			t.Errorf("due: %v, %v", got, err)
		}
		var every []string
		for _, e := range must[[]registry.OrgEndpoint](t)(all(w.b).Endpoints(t.Context())) {
			every = append(every, fmt.Sprint(e.Org, " ", e.Name, " ", e.Waiting))
		}
		if d := cmp.Diff([]string{"acme ci 0", "globex ci 1", "initech ci 0"}, every); d != "" {
			t.Errorf("endpoints of all orgs (-want +got):\n%s", d)
		}
		entries, err := all(w.b).Audited(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range entries {
			if e.What == "follow which webhooks are due" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d entries: %+v", n, entries)
		}
	},
	"what somebody does to endpoints is in the org's audit log, without the URL's path": func(t *testing.T, w world) {
		s := of(w.a, "acme")
		put(t, w.a, "acme", endpoint("ci"))
		put(t, w.a, "acme", endpoint("ci"))
		for _, err := range []error{s.EnableEndpoint(t.Context(), "ci"), s.DropEndpoint(t.Context(), "ci")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		entries, err := s.Audited(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		var what []string
		for _, e := range entries {
			what = append(what, e.What)
		}
		want := []string{
			"send operation.succeeded operation.failed operation.blocked operation.pending to endpoint ci at ci.example.com, signed by env:SECRET",
			"enable endpoint ci", "remove endpoint ci",
		}
		if d := cmp.Diff(want, what); d != "" {
			t.Errorf("entries (-want +got):\n%s", d)
		}
	},
}
