package lifecycletest

import (
	"context"
	"strconv"
	"strings"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/registry"
)

// Store is a registry as a process reaches it: its writes are writes of the
// process, and a dead process reaches it no more. A renewed lease is no write:
// when it is renewed depends on the time.
type Store struct {
	registry.Store

	p *Process
}

// Store returns the registry as this process reaches it.
func (p *Process) Store(d registry.Store) *Store { return &Store{Store: d, p: p} }

// Org is the registry as an org has it.
func (s *Store) Org(c orgcontext.Context) registry.OrgStore {
	return &orgStore{p: s.p, d: s.Store.Org(c), org: c.Org()}
}

// Fleet reads over all orgs.
func (s *Store) Fleet(f orgcontext.Fleet) registry.FleetStore {
	return &fleetStore{s.p, s.Store.Fleet(f)}
}

// orgStore is the registry as an org has it, in the hands of a process.
type orgStore struct {
	p   *Process
	d   registry.OrgStore
	org string
}

// fleetStore reads over all orgs for a process.
type fleetStore struct {
	p *Process
	d registry.FleetStore
}

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
func (s *orgStore) Begin(ctx context.Context, req registry.Request) (registry.Begun, error) {
	return written(s.p, entry("begin", req.Kind, s.org), func() (registry.Begun, error) { return s.d.Begin(ctx, req) })
}

// Renew keeps a lease.
func (s *orgStore) Renew(ctx context.Context, l registry.Lease, holder string, ttl time.Duration) error {
	return s.p.read(func() error { return s.d.Renew(ctx, l, holder, ttl) })
}

// End ends an operation.
func (s *orgStore) End(ctx context.Context, l registry.Lease, terminal event.Event) (event.Event, error) {
	return written(s.p, entry("end", string(terminal.Type), l.Org), func() (event.Event, error) { return s.d.End(ctx, l, terminal) })
}

// PutOrg records an org.
func (s *orgStore) PutOrg(ctx context.Context, l registry.Lease, o registry.Org) error {
	return s.p.write(entry("org", o.State, l.Org), func() error { return s.d.PutOrg(ctx, l, o) })
}

// PutDataPlane records what an org owns.
func (s *orgStore) PutDataPlane(ctx context.Context, l registry.Lease, d event.DataPlane) error {
	return s.p.write(entry("data plane", "", l.Org), func() error { return s.d.PutDataPlane(ctx, l, d) })
}

// PutDrift records a drift run.
func (s *orgStore) PutDrift(ctx context.Context, d event.Drift) error {
	return s.p.write(entry("drift", "", s.org), func() error { return s.d.PutDrift(ctx, d) })
}

// Note adds entries to the audit log.
func (s *orgStore) Note(ctx context.Context, notes ...registry.Note) error {
	return s.p.write(entry("note", "", s.org), func() error { return s.d.Note(ctx, notes...) })
}

// Note adds entries to the fleet's audit log.
func (s *fleetStore) Note(ctx context.Context, notes ...registry.FleetNote) error {
	return s.p.write(entry("note", "", ""), func() error { return s.d.Note(ctx, notes...) })
}

// Cancel asks an operation to stop.
func (s *orgStore) Cancel(ctx context.Context, operation string) error {
	return s.p.write(entry("cancel", "", s.org), func() error { return s.d.Cancel(ctx, operation) })
}

// PutLayer records a layer.
func (s *orgStore) PutLayer(ctx context.Context, l registry.Lease, layer registry.Layer) error {
	return s.p.write(entry("layer", layer.Layer+" "+layer.State, l.Org), func() error { return s.d.PutLayer(ctx, l, layer) })
}

// PutLayerRun records how long a layer took. It is no write that decides
// anything: without it a forecast has a run less.
func (s *orgStore) PutLayerRun(ctx context.Context, l registry.Lease, r registry.LayerRun) error {
	return s.p.read(func() error { return s.d.PutLayerRun(ctx, l, r) })
}

// LayerRuns reads how long the runs of layers took.
func (s *fleetStore) LayerRuns(ctx context.Context, cloud string, limit int) ([]registry.LayerRun, error) {
	return asked(s.p, func() ([]registry.LayerRun, error) { return s.d.LayerRuns(ctx, cloud, limit) })
}

// Claim makes the org the owner of identities.
func (s *orgStore) Claim(ctx context.Context, l registry.Lease, made bool, ids ...finding.Identity) error {
	return s.p.write(entry("claim", strconv.Itoa(len(ids)), l.Org), func() error { return s.d.Claim(ctx, l, made, ids...) })
}

// Release drops claims.
func (s *orgStore) Release(ctx context.Context, l registry.Lease, ids ...finding.Identity) error {
	return s.p.write(entry("release", strconv.Itoa(len(ids)), l.Org), func() error { return s.d.Release(ctx, l, ids...) })
}

// Append stores events.
func (s *orgStore) Append(ctx context.Context, l registry.Lease, events ...event.Event) ([]event.Event, error) {
	return written(s.p, entry("event", typesOf(events), l.Org), func() ([]event.Event, error) { return s.d.Append(ctx, l, events...) })
}

// Delivered records that a terminal event was sent.
func (s *orgStore) Delivered(ctx context.Context, operation string) error {
	return s.p.write(entry("delivered", "", s.org), func() error { return s.d.Delivered(ctx, operation) })
}

// Org reads an org.
func (s *orgStore) Org(ctx context.Context) (registry.Org, error) {
	return asked(s.p, func() (registry.Org, error) { return s.d.Org(ctx) })
}

// Orgs reads all orgs.
func (s *fleetStore) Orgs(ctx context.Context) ([]registry.Org, error) {
	return asked(s.p, func() ([]registry.Org, error) { return s.d.Orgs(ctx) })
}

// Layers reads an org's layers.
func (s *orgStore) Layers(ctx context.Context) (map[string]registry.Layer, error) {
	return asked(s.p, func() (map[string]registry.Layer, error) { return s.d.Layers(ctx) })
}

// Last reads an org's last operation.
func (s *orgStore) Last(ctx context.Context) (*event.Operation, error) {
	return asked(s.p, func() (*event.Operation, error) { return s.d.Last(ctx) })
}

// Operations reads an org's operations.
func (s *orgStore) Operations(ctx context.Context) ([]event.Operation, error) {
	return asked(s.p, func() ([]event.Operation, error) { return s.d.Operations(ctx) })
}

// Events reads an operation's log.
func (s *orgStore) Events(ctx context.Context, operation string, after int64) ([]event.Event, error) {
	return asked(s.p, func() ([]event.Event, error) { return s.d.Events(ctx, operation, after) })
}

// Claims reads what an org owns.
func (s *orgStore) Claims(ctx context.Context) ([]registry.Claim, error) {
	return asked(s.p, func() ([]registry.Claim, error) { return s.d.Claims(ctx) })
}

// Owner reads whose an identity is.
func (s *fleetStore) Owner(ctx context.Context, id finding.Identity) (string, error) {
	return asked(s.p, func() (string, error) { return s.d.Owner(ctx, id) })
}

// Taken reads which of some values belong to other orgs.
func (s *orgStore) Taken(ctx context.Context, values []string) ([]registry.OwnedError, error) {
	return asked(s.p, func() ([]registry.OwnedError, error) { return s.d.Taken(ctx, values) })
}

// Shared reads what two orgs have in common.
func (s *fleetStore) Shared(ctx context.Context) ([]finding.Shared, error) {
	return asked(s.p, func() ([]finding.Shared, error) { return s.d.Shared(ctx) })
}

// FollowRunning returns what lists the operations that have not ended.
func (s *fleetStore) FollowRunning(ctx context.Context) (func(context.Context) ([]event.Operation, error), error) {
	return asked(s.p, func() (func(context.Context) ([]event.Operation, error), error) { return s.d.FollowRunning(ctx) })
}

// Resources reads how many resources a layer has.
func (s *fleetStore) Resources(ctx context.Context, layer string) (int, error) {
	return asked(s.p, func() (int, error) { return s.d.Resources(ctx, layer) })
}

// Audited reads the fleet's audit log.
func (s *fleetStore) Audited(ctx context.Context, after int64) ([]event.AuditEntry, error) {
	return asked(s.p, func() ([]event.AuditEntry, error) { return s.d.Audited(ctx, after) })
}

// Holder reads who holds an org.
func (s *orgStore) Holder(ctx context.Context) (*registry.BusyError, error) {
	return asked(s.p, func() (*registry.BusyError, error) { return s.d.Holder(ctx) })
}

// Operation reads an operation.
func (s *orgStore) Operation(ctx context.Context, id string) (event.Operation, error) {
	return asked(s.p, func() (event.Operation, error) { return s.d.Operation(ctx, id) })
}

// DataPlane reads what an org owns.
func (s *orgStore) DataPlane(ctx context.Context) (event.DataPlane, error) {
	return asked(s.p, func() (event.DataPlane, error) { return s.d.DataPlane(ctx) })
}

// Projects reads an org's projects.
func (s *orgStore) Projects(ctx context.Context) ([]registry.Project, error) {
	return asked(s.p, func() ([]registry.Project, error) { return s.d.Projects(ctx) })
}

// Exceptions reads what an org answers for.
func (s *orgStore) Exceptions(ctx context.Context) ([]registry.Exception, error) {
	return asked(s.p, func() ([]registry.Exception, error) { return s.d.Exceptions(ctx) })
}

// Drifts reads what drift runs found.
func (s *orgStore) Drifts(ctx context.Context, limit int) ([]event.Drift, error) {
	return asked(s.p, func() ([]event.Drift, error) { return s.d.Drifts(ctx, limit) })
}

// Audited reads an org's audit log.
func (s *orgStore) Audited(ctx context.Context, after int64) ([]event.AuditEntry, error) {
	return asked(s.p, func() ([]event.AuditEntry, error) { return s.d.Audited(ctx, after) })
}

// Document reads what an operation was asked for.
func (s *orgStore) Document(ctx context.Context, operation string) (string, error) {
	return asked(s.p, func() (string, error) { return s.d.Document(ctx, operation) })
}

// BeginStep records that a step begins.
func (s *orgStore) BeginStep(ctx context.Context, l registry.Lease, st event.Step) (event.Step, error) {
	return written(s.p, entry("step begins", "", l.Org), func() (event.Step, error) { return s.d.BeginStep(ctx, l, st) })
}

// EndStep records how a step ended.
func (s *orgStore) EndStep(ctx context.Context, l registry.Lease, st event.Step) error {
	return s.p.write(entry("step ends", "", l.Org), func() error { return s.d.EndStep(ctx, l, st) })
}

// Steps reads an operation's steps.
func (s *orgStore) Steps(ctx context.Context, operation string) ([]event.Step, error) {
	return asked(s.p, func() ([]event.Step, error) { return s.d.Steps(ctx, operation) })
}

// Worked reads the steps that were on a layer at a time.
func (s *orgStore) Worked(ctx context.Context, layer string, at time.Time) ([]event.Step, error) {
	return asked(s.p, func() ([]event.Step, error) { return s.d.Worked(ctx, layer, at) })
}

// TakeSlot takes a slot.
func (s *orgStore) TakeSlot(ctx context.Context, l registry.Lease, r registry.SlotRequest) error {
	return s.p.write(entry("slot", r.Kind, l.Org), func() error { return s.d.TakeSlot(ctx, l, r) })
}

// FreeSlot gives up a slot.
func (s *orgStore) FreeSlot(ctx context.Context, l registry.Lease, kind string) error {
	return s.p.write(entry("slot given up", kind, l.Org), func() error { return s.d.FreeSlot(ctx, l, kind) })
}
