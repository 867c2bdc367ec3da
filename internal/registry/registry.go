// Package registry is the contract of Freehold's memory of its orgs: what each
// was planned to be, what its layers gave out, which operations ran and what
// they said, and the ledger of who owns which physical identity.
//
// Drivers are in the folders below, and registrytest.Exercise holds each of
// them to this contract. Every record that belongs to an org has the org first
// in its primary key, and is reached through the OrgStore of that org, which is
// handed out against an orgcontext.Context only. What concerns all orgs is a
// FleetStore, and each of its calls is in the log of audits.
//
// Everything that an operation writes carries its Lease. A lease has a fencing
// token that grows with every operation of the org. A write with any other
// token than the newest, or after the operation's end, wraps ErrLost and changes
// nothing: a process that was stopped, and wakes up after another has taken
// over, can do no harm here.
//
// An operation is running until End, or until Begin of a later operation ends
// it. A lease that has expired is still good as long as nobody took over: it
// can be renewed, and written with. The registry never judges whether a lease
// has expired: whoever wants the org does, by a clock of its own, and takes over
// what it has seen.
package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

var (
	// ErrBusy is wrapped when another operation holds the org; a *BusyError says which.
	ErrBusy = errors.New("another operation holds the org")
	// ErrLost is wrapped by a write of an operation that no longer holds its org.
	ErrLost = errors.New("the operation no longer holds its org")
	// ErrUnknownOrg is wrapped when no such org was ever onboarded.
	ErrUnknownOrg = errors.New("unknown org")
	// ErrUnknownOperation is wrapped when the org had no such operation.
	ErrUnknownOperation = errors.New("unknown operation")
	// ErrCancelled is wrapped when somebody asked the operation to stop.
	ErrCancelled = errors.New("the operation was asked to stop")
	// ErrNoOrg is wrapped when a store was asked for without a context, or for
	// the records of an org that the context is not of.
	ErrNoOrg = errors.New("the caller acts for no such org")
	// ErrFull is wrapped when all slots of a kind are taken, or its pace is used up.
	ErrFull = errors.New("no slot is free")
	// ErrArchive is wrapped when an archive is not one, or not whole.
	ErrArchive = errors.New("it is not a whole archive of a registry")
	// ErrNotEmpty is wrapped when an archive is imported where there is something.
	ErrNotEmpty = errors.New("the registry is not empty")
	// ErrUnavailable is wrapped when the database does not answer. The same call may
	// succeed a moment later; whether one that writes has written is not known.
	ErrUnavailable = errors.New("the registry does not answer")
	// ErrAppended is wrapped when an audit log is not as it was written.
	ErrAppended = errors.New("the audit log was changed")
)

// Lease is the right to write for an org, until it expires or is taken over.
// It is a plain value: another process that is handed it can go on.
type Lease struct {
	Org       string `json:"org"`
	Operation string `json:"operation"`
	// Token is the fencing token. It is larger than that of every earlier
	// operation of the org.
	Token int64 `json:"token"`
}

// Sighting is a lease as it was seen: while nobody renews it, it is seen
// unchanged. The zero Sighting is of no lease.
type Sighting struct {
	Token    int64
	Renewals int64
}

// BusyError says who holds an org. It wraps ErrBusy.
type BusyError struct {
	Lease

	Kind    string    // of the operation
	Holder  string    // who holds it, as it named itself
	Started time.Time // of the operation
	// Until is when the lease ends unless it is renewed, by the holder's clock.
	Until time.Time
	// TTL is how long the holder asked for.
	TTL time.Duration
	// Seen is the lease as it is now.
	Seen Sighting
}

// Error says what holds the org, and until when.
func (e *BusyError) Error() string {
	return fmt.Sprintf("%v %s: %s %s, running since %s", ErrBusy, e.Org, e.Kind, e.Operation, e.Started.UTC().Format(time.RFC3339))
}

// Unwrap makes it an ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }

// Request asks for an org.
type Request struct {
	Kind   string        // onboard, offboard, projects…
	Holder string        // names the process, so that a later one can tell whether it lives
	TTL    time.Duration // how long the lease lasts unless it is renewed
	// Over is a lease that is taken over if it is still as it was seen: its holder
	// is dead, or has let it expire. Zero: none.
	Over Sighting
	// ID is what the caller knows its request by; empty: by nothing. A request
	// that was made before is the same operation: while that runs and can be taken
	// over, Begin goes on with it, and once it has ended, Begin is a *RepeatedError.
	ID string
	// Document is what is asked for, so that another process can go on with it.
	// Another document under the same ID is a *RequestError.
	Document string
	// Resume is a running operation that Begin goes on with, whatever it was
	// requested by; empty: none. Without it running, Begin wraps ErrUnknownOperation.
	Resume string
}

// RepeatedError says that a request was carried out before.
type RepeatedError struct {
	ID        string
	Operation event.Operation // which has ended
}

// Error names the request and its operation.
func (e *RepeatedError) Error() string {
	return fmt.Sprintf("request %q was operation %s, which has %s", e.ID, e.Operation.ID, e.Operation.State)
}

// RequestError says that another request had the same id.
type RequestError struct {
	ID        string
	Operation event.Operation // of the earlier request
}

// Error names the request and its operation.
func (e *RequestError) Error() string {
	return fmt.Sprintf("request %q was operation %s (%s) with another document", e.ID, e.Operation.ID, e.Operation.Kind)
}

// Begun is a new operation that holds its org.
type Begun struct {
	Lease     Lease
	Operation event.Operation
	// Started is its operation.started event, as it was stored.
	Started event.Event
	// Resumed is true when the operation had begun before, for the same request,
	// and its process is gone.
	Resumed bool
	// Undelivered are the terminal events of earlier operations of the org that
	// are not known to have been sent: of those that Begin has ended because
	// their process was killed, and of those whose process was killed between
	// their end and its delivery. The oldest operation comes first.
	Undelivered []event.Event
}

// Org is what is known of one org.
type Org struct {
	Org   string
	State string // onboarding, ready, failed, offboarding, offboarded
	// Plan is the plan.Plan as JSON that the org was last onboarded with.
	Plan        []byte
	Hash        string
	HashVersion int
	// Management is the account that Freehold ran in; empty: not known.
	Management string
	Updated    time.Time
	// Projects and Exceptions are what the plan declares. They are written with
	// the org, and read by methods of their own.
	Projects   []Project
	Exceptions []Exception
}

// Project is one project of the org as it was planned.
type Project struct {
	Name string `json:"name"`
	// Spec is the project's specification as JSON.
	Spec json.RawMessage `json:"spec"`
}

// Exception is a violation that the org answers for, until a day.
type Exception struct {
	Rule     string `json:"rule"`
	Resource string `json:"resource"`
	Reason   string `json:"reason"`
	Approver string `json:"approver"`
	Expires  string `json:"expires"` // 2006-01-02, the last day on which it holds
}

// Layer is what is known of one layer.
type Layer struct {
	Layer string
	State string // making, done, failed, removing, removed
	// Unclean is true from the first write of a run until that run, or a later
	// one of the same layer, has looked through everything and succeeded:
	// something may have been made that no state records.
	Unclean bool
	// Made is true once the layer has made something in the cloud, or may have.
	Made      bool
	Outputs   map[string]any
	Resources int
	Duration  time.Duration
	Error     string
	Updated   time.Time
}

// LayerRun is how long an operation's run of a layer took.
type LayerRun struct {
	Layer string
	// Cloud is where it ran, and Kind what it did. Runs of different clouds or
	// kinds are not compared with each other.
	Cloud    string
	Kind     string
	Duration time.Duration
}

// Claim is an entry of the ledger: the org owns the identity.
type Claim struct {
	finding.Identity

	// Made is false while the identity is only foreseen. Only such a claim can
	// be released.
	Made bool
}

// OwnedError says that an identity has another owner. Who that is stays empty in
// the answers of an OrgStore: no org hears of another one. A FleetStore knows it.
type OwnedError struct {
	finding.Identity

	Owner string
}

// Error names the identity, and its owner if that is known.
func (e *OwnedError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("%s %q belongs to another org", e.Kind, e.Value)
	}
	return fmt.Sprintf("%s %q belongs to org %q", e.Kind, e.Value, e.Owner)
}

// Interrupted is the terminal event of an operation that ended without one: its
// process was killed, or it lost its lease. Begin of the next operation stores
// it.
func Interrupted(op event.Operation, now time.Time) event.Event {
	return event.Event{
		Type: event.OperationFailed, Time: now, Org: op.Org, Operation: op.ID, Kind: op.Kind,
		Duration: now.Sub(op.Started), Message: "interrupted: its process ended before it did",
		Next: "nothing to do: the next run goes on where this one stopped",
	}
}
