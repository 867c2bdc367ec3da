package registry

import (
	"errors"
	"time"

	"freehold.dev/freehold/internal/event"
)

var (
	// ErrKnownEndpoint is wrapped when the org has an endpoint of that name.
	ErrKnownEndpoint = errors.New("there is such an endpoint already")
	// ErrUnknownEndpoint is wrapped when the org has no endpoint of that name.
	ErrUnknownEndpoint = errors.New("unknown endpoint")
	// ErrUnknownDelivery is wrapped when an endpoint has no dead letter of that id.
	ErrUnknownDelivery = errors.New("unknown dead letter")
	// ErrNotYourTurn is wrapped when another process sends to the endpoint, also
	// after this one did, and when there is nothing that may be sent to it.
	ErrNotYourTurn = errors.New("another process sends to the endpoint")
)

// Endpoint is where an org's events are sent.
type Endpoint struct {
	Name string
	URL  string
	// Secret says where the secrets that sign are: env:NAME or file:/path. The
	// secrets themselves are never stored.
	Secret  string
	Events  event.Selection
	Created time.Time
	// Disabled endpoints get nothing; their events wait.
	Disabled bool
}

// EndpointState is an endpoint and what is on its way to it.
type EndpointState struct {
	Endpoint

	// Waiting and Dead are how many events were not delivered yet, and how many
	// are not sent any more until somebody asks for it.
	Waiting, Dead int
	// Next is when the oldest waiting event is sent, zero if none waits.
	Next time.Time
	// Error says why the oldest waiting event was not delivered the last time.
	Error string
}

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	Endpoint string
	// Seq orders the deliveries of an endpoint, from 1.
	Seq int64
	// ID is the event's. It is the same in every attempt and at every endpoint.
	ID        string
	Operation string
	// Body is the CloudEvents document, as it was when the event was stored.
	Body []byte
	// Attempts is how many have failed since it was stored or sent again.
	Attempts int
	Created  time.Time
	// Error says why the last attempt failed; empty: none has.
	Error string
}

// Turn is the right to send to an endpoint. It ends at Until, and when another
// turn begins after that.
type Turn struct {
	Endpoint Endpoint
	// Token is larger than that of every earlier turn of the endpoint.
	Token int64
	Until time.Time
}

// Attempt is what came of sending a delivery.
type Attempt struct {
	Delivered bool
	// What follows is for one that was not delivered. Error says why it was not,
	// without a secret in it; Next is when it is sent again, unless it is Dead.
	Error string
	Next  time.Time
	Dead  bool
	// Disable ends the sending to the endpoint until somebody enables it.
	Disable bool
}
