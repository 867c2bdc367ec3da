package registry

import (
	"context"
	"io"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/orgcontext"
)

// Store is an open registry. It is safe for use by several goroutines.
type Store interface {
	// Org is the registry as one org has it. A context that is nobody's gets a
	// store that answers everything with ErrNoOrg.
	Org(c orgcontext.Context) OrgStore
	// Fleet reads over all orgs.
	Fleet(f orgcontext.Fleet) FleetStore
	// Refused notes that somebody was refused before anybody knew for whom they
	// act, in the log of the witness's org or else in that of the fleet.
	Refused(ctx context.Context, w orgcontext.Witness, what, reason string) error
	Archiver
	io.Closer
}

// Archiver moves a whole registry, also from one database to another.
type Archiver interface {
	// Export writes everything that the registry holds, as it is at one moment.
	Export(ctx context.Context, w io.Writer) (event.Archive, error)
	// Import fills an empty registry with what Export wrote, and reads all of it
	// before it writes. It wraps ErrArchive and ErrNotEmpty.
	Import(ctx context.Context, r io.Reader) (event.Archive, error)
}

// OrgStore is everything that is recorded of one org, and nothing of any other.
type OrgStore interface {
	Leases
	Log
	Steps
	Slots
	Records
	Ledger
	Reports
	AuditLog
	Webhooks
}

// Leases begins and ends operations, and keeps them going.
type Leases interface {
	// Begin starts an operation, unless another holds the org: that is a
	// *BusyError. Everything that it writes is one transaction.
	Begin(ctx context.Context, req Request) (Begun, error)
	// Holder returns who holds the org, nil if nobody does.
	Holder(ctx context.Context) (*BusyError, error)
	// Renew makes the lease last for ttl from now, in the hands of holder. It wraps
	// ErrCancelled, and has renewed, when somebody asked the operation to stop.
	Renew(ctx context.Context, l Lease, holder string, ttl time.Duration) error
	// End records in one transaction how the operation ended, stores its terminal
	// event, and lets go of the org.
	End(ctx context.Context, l Lease, terminal event.Event) (event.Event, error)
	// Cancel asks the running operation to stop; it wraps ErrUnknownOperation when
	// it does not run.
	Cancel(ctx context.Context, operation string) error
	// Last returns the org's newest operation, nil if there was none.
	Last(ctx context.Context) (*event.Operation, error)
	// Operations returns the org's operations, the newest first.
	Operations(ctx context.Context) ([]event.Operation, error)
	// Operation returns one, and Document what it was asked for, empty for an
	// operation of an earlier version. They wrap ErrUnknownOperation.
	Operation(ctx context.Context, id string) (event.Operation, error)
	Document(ctx context.Context, operation string) (string, error)
}

// Log holds the events of operations.
type Log interface {
	// Append stores events of the running operation, all or none, and returns them
	// with their numbers. A terminal event is End's.
	Append(ctx context.Context, l Lease, events ...event.Event) ([]event.Event, error)
	// Events returns the operation's events whose number is greater than after, in
	// order. It wraps ErrUnknownOperation.
	Events(ctx context.Context, operation string, after int64) ([]event.Event, error)
	// Delivered records that the operation's terminal event was sent. It may be repeated.
	Delivered(ctx context.Context, operation string) error
}

// Records holds what is known of the org and its layers.
type Records interface {
	// PutOrg records the org's state and plan.
	PutOrg(ctx context.Context, l Lease, o Org) error
	// PutLayer records what is known of a layer, in place of what was.
	PutLayer(ctx context.Context, l Lease, layer Layer) error
	// PutDataPlane records what the org owns, in place of what was.
	PutDataPlane(ctx context.Context, l Lease, d event.DataPlane) error
	// PutLayerRun records how long the operation's run of a layer took. Of the
	// org's runs of a layer, a cloud and a kind only the latest are kept, so that no
	// org is most of what LayerRuns returns for long.
	PutLayerRun(ctx context.Context, l Lease, r LayerRun) error
	// Org returns the org; it wraps ErrUnknownOrg.
	Org(ctx context.Context) (Org, error)
	// Layers returns what is known of the org's layers, by layer.
	Layers(ctx context.Context) (map[string]Layer, error)
	// DataPlane returns what the org owns; it wraps ErrUnknownOrg.
	DataPlane(ctx context.Context) (event.DataPlane, error)
	// Projects returns the org's projects by name, and Exceptions what the org
	// answers for, by rule and resource.
	Projects(ctx context.Context) ([]Project, error)
	Exceptions(ctx context.Context) ([]Exception, error)
}

// Ledger holds who owns what.
type Ledger interface {
	// Claim makes the org the owner of the identities, all or none. An identity
	// that another org owns is a *OwnedError. Claiming twice is fine, and makes a
	// claim that was foreseen a made one if made is true.
	Claim(ctx context.Context, l Lease, made bool, ids ...finding.Identity) error
	// Release drops claims of the org on what was only foreseen, all or none. It
	// refuses a claim on what was made: such an identity has one owner, ever. What
	// the org has not claimed is left alone.
	Release(ctx context.Context, l Lease, ids ...finding.Identity) error
	// Claims returns what the org owns, in the order of kinds and values.
	Claims(ctx context.Context) ([]Claim, error)
	// Taken returns what of some values other orgs own, in the order of kinds and
	// values. It claims nothing.
	Taken(ctx context.Context, values []string) ([]OwnedError, error)
}

// Reports holds what drift runs found. A drift run holds no lease.
type Reports interface {
	// PutDrift records what a drift run found.
	PutDrift(ctx context.Context, d event.Drift) error
	// Drifts returns what the latest drift runs found, at most limit of them, the
	// newest first.
	Drifts(ctx context.Context, limit int) ([]event.Drift, error)
}

// AuditLog is who did what for the org. Entries are only ever added: each holds
// the hash of the one before, and the database refuses a change.
type AuditLog interface {
	// Audited returns the entries whose number is greater than after, in order: the
	// first AuditPage of them, as a log grows with every request.
	Audited(ctx context.Context, after int64) ([]event.AuditEntry, error)
	// Note adds entries about requests and how they were decided, in this order, all
	// or none. Each is by the actor of its own context, which has to be of this org:
	// otherwise it wraps ErrNoOrg.
	Note(ctx context.Context, notes ...Note) error
}

// FleetStore reads over all orgs. Each call is an entry of the fleet's own audit
// log, in the same transaction.
type FleetStore interface {
	// Orgs returns all orgs by name.
	Orgs(ctx context.Context) ([]Org, error)
	// Resources is how many resources the layer of the org with the most has, 0 if
	// none is known.
	Resources(ctx context.Context, layer string) (int, error)
	// LayerRuns returns how long the latest runs in a cloud took, of whichever orgs:
	// of each layer and kind at most limit, the newest first.
	LayerRuns(ctx context.Context, cloud string, limit int) ([]LayerRun, error)
	// Owner returns who owns an identity, "" if nobody does.
	Owner(ctx context.Context, id finding.Identity) (string, error)
	// Shared returns every fact that the layers' outputs of two orgs have in
	// common. The ledger refuses a second owner, so this reads what was really
	// made, and not the ledger.
	Shared(ctx context.Context) ([]finding.Shared, error)
	// Endpoints returns the endpoints of all orgs, by org and name.
	Endpoints(ctx context.Context) ([]OrgEndpoint, error)
	// FollowDue returns a function that says which endpoints of all orgs have
	// something to be sent by now, as Webhooks.Due does of one. It can be called as
	// often as it takes to follow them: only FollowDue itself is an entry.
	FollowDue(ctx context.Context) (func(ctx context.Context, now time.Time) ([]Due, error), error)
	// FollowRunning returns a function that lists the operations of all orgs that have
	// not ended. It can be called as often as it takes to follow them: only
	// FollowRunning itself is an entry.
	FollowRunning(ctx context.Context) (func(ctx context.Context) ([]event.Operation, error), error)
	// Audited returns the entries of the fleet's log whose number is greater than
	// after, in order: the first AuditPage of them.
	Audited(ctx context.Context, after int64) ([]event.AuditEntry, error)
	// Note adds entries to the fleet's log, as AuditLog.Note does to an org's. It is
	// the one call that is no further entry of its own.
	Note(ctx context.Context, notes ...FleetNote) error
}
