// Package registrytest holds every registry to the contract of package
// registry: a driver's test calls Exercise.
package registrytest

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/registry"
)

// Store is a whole registry: what a driver offers.
type Store interface {
	Leases
	Log
	Records
	Reports
	Ledger
	io.Closer
}

// Leases begins and ends operations.
type Leases interface {
	Begin(ctx context.Context, req registry.Request) (registry.Begun, error)
	Renew(ctx context.Context, l registry.Lease, holder string, ttl time.Duration) error
	End(ctx context.Context, l registry.Lease, terminal event.Event) (event.Event, error)
	Last(ctx context.Context, org string) (*event.Operation, error)
	Operations(ctx context.Context, org string) ([]event.Operation, error)
}

// Log holds the events of operations.
type Log interface {
	Append(ctx context.Context, l registry.Lease, events ...event.Event) ([]event.Event, error)
	Events(ctx context.Context, org, operation string, after int64) ([]event.Event, error)
	Delivered(ctx context.Context, org, operation string) error
}

// Records holds what is known of orgs and their layers.
type Records interface {
	PutOrg(ctx context.Context, l registry.Lease, o registry.Org) error
	PutLayer(ctx context.Context, l registry.Lease, layer registry.Layer) error
	Org(ctx context.Context, org string) (registry.Org, error)
	Orgs(ctx context.Context) ([]registry.Org, error)
	Layers(ctx context.Context, org string) (map[string]registry.Layer, error)
}

// Ledger holds who owns what.
type Ledger interface {
	Claim(ctx context.Context, l registry.Lease, made bool, ids ...finding.Identity) error
	Release(ctx context.Context, l registry.Lease, ids ...finding.Identity) error
	Claims(ctx context.Context, org string) ([]registry.Claim, error)
	Owner(ctx context.Context, id finding.Identity) (string, error)
	OwnedByOthers(ctx context.Context, org string, values []string) ([]registry.OwnedError, error)
}

// Reports compares orgs.
type Reports interface {
	Shared(ctx context.Context) ([]finding.Shared, error)
}

// Fresh makes an empty registry that takes the time from now. What it returns
// opens one more connection to that registry, and closes it when the test ends.
type Fresh func(t *testing.T, now func() time.Time) (connect func(t *testing.T) Store)

// Exercise holds a driver to the contract.
func Exercise(t *testing.T, fresh Fresh) {
	for _, group := range []map[string]func(*testing.T, world){holding, fencing, ending, logging, recording, owning} {
		for sentence, test := range group {
			t.Run(sentence, func(t *testing.T) {
				t.Parallel() // most of the time goes into waiting for the disk
				c := &clock{at: time.Date(2026, 5, 4, 12, 0, 0, 5, time.UTC)}
				connect := fresh(t, c.now)
				test(t, world{clock: c, a: connect(t), b: connect(t)})
			})
		}
	}
}

// world is an empty registry with two connections.
type world struct {
	*clock

	a, b Store
}

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

func request(org string) registry.Request {
	return registry.Request{Org: org, Kind: "onboard", Holder: "a process", TTL: ttl}
}

func begin(t *testing.T, s Leases, org string) registry.Begun {
	t.Helper()
	b, err := s.Begin(t.Context(), request(org))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// end ends an operation, and says that its terminal event was sent.
func end(t *testing.T, s Store, l registry.Lease, typ event.Type) {
	t.Helper()
	if _, err := s.End(t.Context(), l, of(l, event.Event{Type: typ, Time: time.Unix(9, 0).UTC()})); err != nil {
		t.Fatal(err)
	}
	if err := s.Delivered(t.Context(), l.Org, l.Operation); err != nil {
		t.Fatal(err)
	}
}

// of makes ev an event of the lease's operation.
func of(l registry.Lease, ev event.Event) event.Event {
	ev.Org, ev.Operation, ev.Kind = l.Org, l.Operation, "onboard"
	return ev
}

func diagnostic(l registry.Lease, message string) event.Event {
	return of(l, event.Event{Type: event.Diagnostic, Time: time.Unix(7, 0).UTC(), Message: message})
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
}

func read(t *testing.T, s Store, orgs ...string) everything {
	t.Helper()
	e := everything{
		Orgs:   must[[]registry.Org](t)(s.Orgs(t.Context())),
		Layers: map[string]map[string]registry.Layer{}, Operations: map[string][]event.Operation{},
		Events: map[string][]event.Event{}, Claims: map[string][]registry.Claim{},
	}
	for _, org := range orgs {
		e.Layers[org] = must[map[string]registry.Layer](t)(s.Layers(t.Context(), org))
		e.Operations[org] = must[[]event.Operation](t)(s.Operations(t.Context(), org))
		e.Claims[org] = must[[]registry.Claim](t)(s.Claims(t.Context(), org))
		for _, op := range e.Operations[org] {
			e.Events[op.ID] = must[[]event.Event](t)(s.Events(t.Context(), org, op.ID, 0))
		}
	}
	return e
}
