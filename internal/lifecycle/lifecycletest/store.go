package lifecycletest

import (
	"context"
	"strconv"
	"strings"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/registry"
)

// Driver is a registry: what it writes for operations, and what it can be asked.
type Driver interface {
	writer
	reader
}

type writer interface {
	Begin(ctx context.Context, req registry.Request) (registry.Begun, error)
	Renew(ctx context.Context, l registry.Lease, holder string, ttl time.Duration) error
	End(ctx context.Context, l registry.Lease, terminal event.Event) (event.Event, error)
	PutOrg(ctx context.Context, l registry.Lease, o registry.Org) error
	PutLayer(ctx context.Context, l registry.Lease, layer registry.Layer) error
	Claim(ctx context.Context, l registry.Lease, made bool, ids ...finding.Identity) error
	Release(ctx context.Context, l registry.Lease, ids ...finding.Identity) error
	Append(ctx context.Context, l registry.Lease, events ...event.Event) ([]event.Event, error)
	Delivered(ctx context.Context, org, operation string) error
}

type reader interface {
	Org(ctx context.Context, org string) (registry.Org, error)
	Orgs(ctx context.Context) ([]registry.Org, error)
	Layers(ctx context.Context, org string) (map[string]registry.Layer, error)
	Last(ctx context.Context, org string) (*event.Operation, error)
	Operations(ctx context.Context, org string) ([]event.Operation, error)
	Events(ctx context.Context, org, operation string, after int64) ([]event.Event, error)
	Claims(ctx context.Context, org string) ([]registry.Claim, error)
	Owner(ctx context.Context, id finding.Identity) (string, error)
	OwnedByOthers(ctx context.Context, org string, values []string) ([]registry.OwnedError, error)
	Shared(ctx context.Context) ([]finding.Shared, error)
}

// Store is a registry as a process reaches it: its writes are writes of the
// process, and a dead process reaches it no more. A renewed lease is no write:
// when it is renewed depends on the time.
type Store struct {
	p *Process
	d Driver
}

// Store returns the registry as this process reaches it.
func (p *Process) Store(d Driver) *Store { return &Store{p, d} }

// entry is a write to the registry.
func entry(what, of, name string) Write { return Write{"registry", what, of, name} }

// typesOf names the types of events.
func typesOf(events []event.Event) string {
	types := make([]string, len(events))
	for i, ev := range events {
		types[i] = string(ev.Type)
	}
	return strings.Join(types, " ")
}

// written does a write that returns something.
func written[T any](p *Process, what Write, do func() (T, error)) (out T, err error) {
	err = p.write(what, func() error { out, err = do(); return err })
	if err != nil && p.Killed() {
		var none T
		return none, err // nobody hears the answer
	}
	return out, err
}

// asked does a read.
func asked[T any](p *Process, do func() (T, error)) (out T, err error) {
	err = p.read(func() error { out, err = do(); return err })
	return out, err
}

// Begin starts an operation.
func (s *Store) Begin(ctx context.Context, req registry.Request) (registry.Begun, error) {
	return written(s.p, entry("begin", req.Kind, req.Org), func() (registry.Begun, error) { return s.d.Begin(ctx, req) })
}

// Renew keeps a lease.
func (s *Store) Renew(ctx context.Context, l registry.Lease, holder string, ttl time.Duration) error {
	return s.p.read(func() error { return s.d.Renew(ctx, l, holder, ttl) })
}

// End ends an operation.
func (s *Store) End(ctx context.Context, l registry.Lease, terminal event.Event) (event.Event, error) {
	return written(s.p, entry("end", string(terminal.Type), l.Org), func() (event.Event, error) { return s.d.End(ctx, l, terminal) })
}

// PutOrg records an org.
func (s *Store) PutOrg(ctx context.Context, l registry.Lease, o registry.Org) error {
	return s.p.write(entry("org", o.State, l.Org), func() error { return s.d.PutOrg(ctx, l, o) })
}

// PutLayer records a layer.
func (s *Store) PutLayer(ctx context.Context, l registry.Lease, layer registry.Layer) error {
	return s.p.write(entry("layer", layer.Layer+" "+layer.State, l.Org), func() error { return s.d.PutLayer(ctx, l, layer) })
}

// Claim makes the org the owner of identities.
func (s *Store) Claim(ctx context.Context, l registry.Lease, made bool, ids ...finding.Identity) error {
	return s.p.write(entry("claim", strconv.Itoa(len(ids)), l.Org), func() error { return s.d.Claim(ctx, l, made, ids...) })
}

// Release drops claims.
func (s *Store) Release(ctx context.Context, l registry.Lease, ids ...finding.Identity) error {
	return s.p.write(entry("release", strconv.Itoa(len(ids)), l.Org), func() error { return s.d.Release(ctx, l, ids...) })
}

// Append stores events.
func (s *Store) Append(ctx context.Context, l registry.Lease, events ...event.Event) ([]event.Event, error) {
	return written(s.p, entry("event", typesOf(events), l.Org), func() ([]event.Event, error) { return s.d.Append(ctx, l, events...) })
}

// Delivered records that a terminal event was sent.
func (s *Store) Delivered(ctx context.Context, org, operation string) error {
	return s.p.write(entry("delivered", "", org), func() error { return s.d.Delivered(ctx, org, operation) })
}

// Org reads an org.
func (s *Store) Org(ctx context.Context, org string) (registry.Org, error) {
	return asked(s.p, func() (registry.Org, error) { return s.d.Org(ctx, org) })
}

// Orgs reads all orgs.
func (s *Store) Orgs(ctx context.Context) ([]registry.Org, error) {
	return asked(s.p, func() ([]registry.Org, error) { return s.d.Orgs(ctx) })
}

// Layers reads an org's layers.
func (s *Store) Layers(ctx context.Context, org string) (map[string]registry.Layer, error) {
	return asked(s.p, func() (map[string]registry.Layer, error) { return s.d.Layers(ctx, org) })
}

// Last reads an org's last operation.
func (s *Store) Last(ctx context.Context, org string) (*event.Operation, error) {
	return asked(s.p, func() (*event.Operation, error) { return s.d.Last(ctx, org) })
}

// Operations reads an org's operations.
func (s *Store) Operations(ctx context.Context, org string) ([]event.Operation, error) {
	return asked(s.p, func() ([]event.Operation, error) { return s.d.Operations(ctx, org) })
}

// Events reads an operation's log.
func (s *Store) Events(ctx context.Context, org, operation string, after int64) ([]event.Event, error) {
	return asked(s.p, func() ([]event.Event, error) { return s.d.Events(ctx, org, operation, after) })
}

// Claims reads what an org owns.
func (s *Store) Claims(ctx context.Context, org string) ([]registry.Claim, error) {
	return asked(s.p, func() ([]registry.Claim, error) { return s.d.Claims(ctx, org) })
}

// Owner reads whose an identity is.
func (s *Store) Owner(ctx context.Context, id finding.Identity) (string, error) {
	return asked(s.p, func() (string, error) { return s.d.Owner(ctx, id) })
}

// OwnedByOthers reads which of some values belong to other orgs.
func (s *Store) OwnedByOthers(ctx context.Context, org string, values []string) ([]registry.OwnedError, error) {
	return asked(s.p, func() ([]registry.OwnedError, error) { return s.d.OwnedByOthers(ctx, org, values) })
}

// Shared reads what two orgs have in common.
func (s *Store) Shared(ctx context.Context) ([]finding.Shared, error) {
	return asked(s.p, func() ([]finding.Shared, error) { return s.d.Shared(ctx) })
}
