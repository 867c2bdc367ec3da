// Package event holds what happened, as values: the events of an operation as
// they are stored, streamed and replayed, and the result that an operation ends
// with. A stored value names the Version that wrote it.
package event

import (
	"strings"
	"time"
)

// Version is the version of the values of this package. It is stored with each
// of them, so that a reader knows what wrote it.
const Version = 1

// CloudEventPrefix begins the CloudEvents type of every event.
const CloudEventPrefix = "dev.freehold."

// Type says what an Event is about. The CloudEvents type is CloudEventPrefix + Type.
type Type string

// The events of one operation, in the order in which they come. Exactly one
// terminal event ends an operation, also when its process was killed and
// another takes over.
const (
	OperationStarted   Type = "operation.started"
	LayerStarted       Type = "layer.started"
	LayerFinished      Type = "layer.finished"
	LayerFailed        Type = "layer.failed"
	ResourceStarted    Type = "resource.started"
	ResourceFinished   Type = "resource.finished"
	ResourceFailed     Type = "resource.failed"
	Diagnostic         Type = "diagnostic" // a warning or a retry, for people
	Waiting            Type = "waiting"    // something outside is waited for
	OperationSucceeded Type = "operation.succeeded"
	OperationFailed    Type = "operation.failed"
	OperationBlocked   Type = "operation.blocked"
	OperationPending   Type = "operation.pending"
)

// Terminal reports whether t ends an operation.
func (t Type) Terminal() bool {
	switch t {
	case OperationSucceeded, OperationFailed, OperationBlocked, OperationPending:
		return true
	default:
		return false
	}
}

// State is the state of an operation that t ends, "succeeded" for
// OperationSucceeded, and "running" if t ends none.
func (t Type) State() string {
	if !t.Terminal() {
		return "running"
	}
	return strings.TrimPrefix(string(t), "operation.")
}

// Event is one thing that happened in an operation. It never holds a secret.
type Event struct {
	Type Type `json:"type"`
	// Seq numbers the events of one operation from 1, in the order in which they
	// were stored. 0: not stored.
	Seq       int64     `json:"sequence,omitempty"`
	Time      time.Time `json:"time"`
	Org       string    `json:"org"`
	Operation string    `json:"operation"`      // the operation's id
	Kind      string    `json:"kind,omitempty"` // onboard, drift, offboard…
	Layer     string    `json:"layer,omitempty"`
	// Resource fields.
	URN          string `json:"urn,omitempty"`
	ResourceType string `json:"resourceType,omitempty"`
	ResourceName string `json:"resourceName,omitempty"`
	// Op is the engine's word: create, update, delete, replace, same, refresh, read,
	// import. On LayerStarted it is create for a layer that is not there yet, update
	// for one that is, and delete for one that is removed.
	Op string `json:"op,omitempty"`
	// Changes counts resources by Op, at the end of a layer or an operation.
	Changes map[string]int `json:"changes,omitempty"`
	// Total is how many resources the layer is known to have (0: not yet known).
	Total    int           `json:"total,omitempty"`
	Duration time.Duration `json:"duration,omitempty"` // nanoseconds
	Message  string        `json:"message,omitempty"`
	// Next says what to do about a failure.
	Next string `json:"next,omitempty"`
	// Reason says what the cloud has to do first, and RetryAt when it is worth
	// asking again, on the terminal event of a pending operation.
	Reason  Reason    `json:"reason,omitempty"`
	RetryAt time.Time `json:"retryAt,omitzero"`
	// Result is what came of the operation, on its terminal event: a Plan, an
	// Onboarding, a Drift or an Offboarding.
	Result any `json:"result,omitempty"`
}

// Sink takes events, in order. It must not block for long and is called from
// one goroutine at a time.
type Sink func(Event)
