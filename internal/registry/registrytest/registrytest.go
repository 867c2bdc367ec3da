// Package registrytest holds every registry to the contract of package
// registry: a driver's test calls Exercise.
package registrytest

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
)

// Fresh makes an empty registry that takes the time from now. What it returns
// opens one more connection to that registry, and closes it when the test ends.
type Fresh func(t *testing.T, now func() time.Time) (connect func(t *testing.T) registry.Store)

// Exercise holds a driver to the contract.
func Exercise(t *testing.T, fresh Fresh) {
	for _, group := range []map[string]func(*testing.T, world){holding, fencing, requesting, ending, logging, stepping, recording, timing, declaring, owning, sharing, reporting, auditing, archiving, delivering} {
		for sentence, test := range group {
			t.Run(sentence, func(t *testing.T) {
				t.Parallel() // most of the time goes into waiting for the disk
				c := &clock{at: time.Date(2026, 5, 4, 12, 0, 0, 5, time.UTC)}
				connect := fresh(t, c.now)
				another := func() registry.Store { return fresh(t, c.now)(t) }
				test(t, world{clock: c, a: connect(t), b: connect(t), another: another})
			})
		}
	}
}

// world is an empty registry with two connections.
type world struct {
	*clock

	a, b registry.Store
	// another makes another empty registry.
	another func() registry.Store
}

// of is the registry as an org has it.
func of(s registry.Store, org string) registry.OrgStore { return s.Org(orgcontexttest.For(org)) }

// all reads over all orgs.
func all(s registry.Store) registry.FleetStore { return s.Fleet(orgcontexttest.Fleet()) }

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// pass lets time pass, and returns the new time.
func (c *clock) pass(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return c.at
}

const ttl = 15 * time.Second

func request() registry.Request {
	return registry.Request{Kind: "onboard", Holder: "a process", TTL: ttl}
}

func begin(t *testing.T, s registry.Store, org string) registry.Begun {
	t.Helper()
	b, err := of(s, org).Begin(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// takeOver begins an operation over the one that holds the org.
func takeOver(t *testing.T, s registry.Store, org string) registry.Begun {
	t.Helper()
	req := request()
	req.Over = seen(t, s, org)
	b, err := of(s, org).Begin(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seen is the lease on the org as it is now.
func seen(t *testing.T, s registry.Store, org string) registry.Sighting {
	t.Helper()
	return must[*registry.BusyError](t)(of(s, org).Holder(t.Context())).Seen
}

// end ends an operation, and says that its terminal event was sent.
func end(t *testing.T, s registry.Store, l registry.Lease, typ event.Type) {
	t.Helper()
	if _, err := of(s, l.Org).End(t.Context(), l, belonging(l, event.Event{Type: typ, Time: time.Unix(9, 0).UTC()})); err != nil {
		t.Fatal(err)
	}
	if err := of(s, l.Org).Delivered(t.Context(), l.Operation); err != nil {
		t.Fatal(err)
	}
}

// belonging makes ev an event of the lease's operation.
func belonging(l registry.Lease, ev event.Event) event.Event {
	ev.Org, ev.Operation, ev.Kind = l.Org, l.Operation, "onboard"
	return ev
}

func diagnostic(l registry.Lease, message string) event.Event {
	return belonging(l, event.Event{Type: event.Diagnostic, Time: time.Unix(7, 0).UTC(), Message: message})
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// everything is all that can be read of some orgs.
type everything struct {
	Orgs       []registry.Org
	Layers     map[string]map[string]registry.Layer
	Operations map[string][]event.Operation
	Events     map[string][]event.Event
	Claims     map[string][]registry.Claim
	Steps      map[string][]event.Step
}

func read(t *testing.T, s registry.Store, orgs ...string) everything {
	t.Helper()
	e := everything{
		Orgs:   must[[]registry.Org](t)(all(s).Orgs(t.Context())),
		Layers: map[string]map[string]registry.Layer{}, Operations: map[string][]event.Operation{},
		Events: map[string][]event.Event{}, Claims: map[string][]registry.Claim{}, Steps: map[string][]event.Step{},
	}
	for _, org := range orgs {
		e.Layers[org] = must[map[string]registry.Layer](t)(of(s, org).Layers(t.Context()))
		e.Operations[org] = must[[]event.Operation](t)(of(s, org).Operations(t.Context()))
		e.Claims[org] = must[[]registry.Claim](t)(of(s, org).Claims(t.Context()))
		for _, op := range e.Operations[org] {
			e.Steps[op.ID] = must[[]event.Step](t)(of(s, org).Steps(t.Context(), op.ID))
			e.Events[op.ID] = must[[]event.Event](t)(of(s, org).Events(t.Context(), op.ID, 0))
		}
	}
	return e
}
