// Package registry is the contract of Freehold's memory of its orgs: what each
// was planned to be, what its layers gave out, which operations ran and what
// they said, and the ledger of who owns which physical identity.
//
// Drivers are in the folders below, and registrytest.Exercise holds each of
// them to this contract. Every record that belongs to an org has the org first
// in its primary key.
//
// Everything that an operation writes carries its Lease. A lease has a fencing
// token that grows with every operation of the org. A write with any other
// token than the newest, or after the operation's end, wraps ErrLost and changes
// nothing: a process that was stopped, and wakes up after another has taken
// over, can do no harm here.
//
// An operation is running until End, or until Begin of a later operation ends
// it. A lease that has expired is still good as long as nobody took over: it
// can be renewed, and written with.
package registry

import (
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

// BusyError says who holds an org. It wraps ErrBusy.
type BusyError struct {
	Lease

	Kind    string    // of the operation
	Holder  string    // who holds it, as it named itself
	Started time.Time // of the operation
	Until   time.Time // when the lease ends, unless it is renewed
}

// Error says what holds the org, and until when.
func (e *BusyError) Error() string {
	return fmt.Sprintf("%v %s: %s %s, running since %s", ErrBusy, e.Org, e.Kind, e.Operation, e.Started.UTC().Format(time.RFC3339))
}

// Unwrap makes it an ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }

// Request asks for an org.
type Request struct {
	Org    string
	Kind   string        // onboard, offboard, projects…
	Holder string        // names the process, so that a later one can tell whether it lives
	TTL    time.Duration // how long the lease lasts unless it is renewed
	// Over is the token of a lease that may be taken over before it expires,
	// because its holder is known to be dead. 0: none.
	Over int64
}

// Begun is a new operation that holds its org.
type Begun struct {
	Lease     Lease
	Operation event.Operation
	// Started is its operation.started event, as it was stored.
	Started event.Event
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

// Claim is an entry of the ledger: the org owns the identity.
type Claim struct {
	finding.Identity

	// Made is false while the identity is only foreseen. Only such a claim can
	// be released.
	Made bool
}

// OwnedError says that an identity has another owner.
type OwnedError struct {
	finding.Identity

	Owner string
}

// Error names the identity and its owner.
func (e *OwnedError) Error() string {
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
