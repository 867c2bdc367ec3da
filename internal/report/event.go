// Package report holds the values that Freehold tells people and programs, and
// their renderers. It imports nothing of ours: everything that happens ends here.
package report

import "time"

// EventType says what an Event is about. The CloudEvents type is
// "dev.freehold." + EventType.
type EventType string

// The events of one operation, in the order in which they come. Exactly one
// terminal event ends an operation, also when its process was killed and
// another takes over.
const (
	OperationStarted   EventType = "operation.started"
	LayerStarted       EventType = "layer.started"
	LayerFinished      EventType = "layer.finished"
	LayerFailed        EventType = "layer.failed"
	ResourceStarted    EventType = "resource.started"
	ResourceFinished   EventType = "resource.finished"
	ResourceFailed     EventType = "resource.failed"
	Diagnostic         EventType = "diagnostic" // a warning or a retry, for people
	Waiting            EventType = "waiting"    // something outside is waited for
	OperationSucceeded EventType = "operation.succeeded"
	OperationFailed    EventType = "operation.failed"
	OperationBlocked   EventType = "operation.blocked"
	OperationPending   EventType = "operation.pending"
)

// Terminal reports whether t ends an operation.
func (t EventType) Terminal() bool {
	switch t {
	case OperationSucceeded, OperationFailed, OperationBlocked, OperationPending:
		return true
	default:
		return false
	}
}

// Event is one thing that happened in an operation. It never holds a secret.
type Event struct {
	Type      EventType `json:"type"`
	Time      time.Time `json:"time"`
	Org       string    `json:"org"`
	Operation string    `json:"operation"`      // the operation's id
	Kind      string    `json:"kind,omitempty"` // onboard, drift, offboard…
	Layer     string    `json:"layer,omitempty"`
	// Resource fields.
	URN          string `json:"urn,omitempty"`
	ResourceType string `json:"resourceType,omitempty"`
	ResourceName string `json:"resourceName,omitempty"`
	// Op is the engine's word: create, update, delete, replace, same, refresh, read, import.
	Op string `json:"op,omitempty"`
	// Changes counts resources by Op, at the end of a layer or an operation.
	Changes map[string]int `json:"changes,omitempty"`
	// Total is how many resources the layer is known to have (0: not yet known).
	Total    int           `json:"total,omitempty"`
	Duration time.Duration `json:"duration,omitempty"` // nanoseconds
	Message  string        `json:"message,omitempty"`
	// Next says what to do about a failure.
	Next string `json:"next,omitempty"`
	// Result is what came of the operation, on its terminal event: a Plan, an
	// Onboarding, a Drift or an Offboarding.
	Result any `json:"result,omitempty"`
}

// Sink takes events, in order. It must not block for long and is called from
// one goroutine at a time.
type Sink func(Event)
