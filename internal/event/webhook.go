package event

import (
	"encoding/json"
	"time"
)

// Webhooks are the endpoints that an org's events are sent to.
type Webhooks struct {
	Org       string    `json:"org"`
	Endpoints []Webhook `json:"endpoints"`
}

// Webhook is one endpoint, and what is on its way to it.
type Webhook struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	// Secret says where the secret is; it is never the secret itself.
	Secret  string    `json:"secret"`
	Events  Selection `json:"events"`
	Created time.Time `json:"created"`
	// Disabled says why nothing is sent to it; empty: it is enabled.
	Disabled string `json:"disabled,omitempty"`
	// Waiting and Dead count the events that were not delivered yet, and those
	// that are sent again only when somebody asks for it.
	Waiting int `json:"waiting"`
	Dead    int `json:"dead"`
	// Next is when the oldest waiting event is sent, and Error why it was not.
	Next  time.Time `json:"nextAttempt,omitzero"`
	Error string    `json:"error,omitempty"`
}

// Deliveries are what became of an org's events that were due.
type Deliveries struct {
	Org       string     `json:"org"`
	Endpoints []Delivery `json:"endpoints"`
}

// Delivery is what became of the events for one endpoint.
type Delivery struct {
	Webhook

	Delivered int `json:"delivered"`
	// Failed counts the attempts that failed.
	Failed int `json:"failed"`
	// Busy is true when another process sends to the endpoint.
	Busy bool `json:"busy,omitempty"`
	// Unsent says why nothing could be sent from here: a secret that is not on
	// this machine, for example.
	Unsent string `json:"unsent,omitempty"`
}

// Trouble reports whether an attempt failed, or could not be made.
func (d Deliveries) Trouble() bool {
	for _, e := range d.Endpoints {
		if e.Failed > 0 || e.Unsent != "" {
			return true
		}
	}
	return false
}

// DeadLetters are events of an org that were not delivered, and are sent again
// only when somebody asks for it.
type DeadLetters struct {
	Org     string       `json:"org"`
	Letters []DeadLetter `json:"letters"`
}

// DeadLetter is one of them.
type DeadLetter struct {
	Endpoint  string    `json:"endpoint"`
	ID        string    `json:"id"`
	Operation string    `json:"operation"`
	Created   time.Time `json:"created"`
	Attempts  int       `json:"attempts"`
	Error     string    `json:"error"`
	// Event is the CloudEvents document.
	Event json.RawMessage `json:"event"`
}
