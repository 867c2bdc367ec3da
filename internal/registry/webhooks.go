package registry

import (
	"context"
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
	// Disabled says why nothing is sent to it, while its events wait; empty: it is enabled.
	Disabled string
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
	// Token is this turn's alone.
	Token string
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
	// Disable ends the sending to the endpoint, because of Error, until somebody
	// enables it.
	Disable bool
}

// OrgEndpoint is an endpoint among those of all orgs.
type OrgEndpoint struct {
	Org string
	EndpointState
}

// Due is an endpoint of an org that has something to be sent.
type Due struct{ Org, Endpoint string }

// Webhooks holds where the org's events are sent, and what is on its way there.
// Whoever stores an event stores in the same transaction a delivery of it to
// each endpoint that selects its type, disabled or not.
type Webhooks interface {
	// PutEndpoint records an endpoint. One of its name wraps ErrKnownEndpoint
	// unless it is the same, or is to be replaced: that enables it, and keeps what
	// waits for it.
	PutEndpoint(ctx context.Context, e Endpoint, replace bool) error
	// DropEndpoint forgets an endpoint and everything that is on its way to it. It
	// and EnableEndpoint wrap ErrUnknownEndpoint.
	DropEndpoint(ctx context.Context, name string) error
	EnableEndpoint(ctx context.Context, name string) error
	// Endpoints returns the org's endpoints by name.
	Endpoints(ctx context.Context) ([]EndpointState, error)
	// DeadLetters returns the dead deliveries of an endpoint, or of all if it is
	// empty, in order.
	DeadLetters(ctx context.Context, endpoint string) ([]Delivery, error)
	// Resend makes dead deliveries of an endpoint, or of all, wait again, and
	// returns them as they were: those with one of the ids, or all without ids.
	// An id that no dead delivery has wraps ErrUnknownDelivery, and changes nothing.
	Resend(ctx context.Context, endpoint string, ids []string) ([]Delivery, error)

	// Due returns the enabled endpoints whose oldest waiting delivery is to be sent
	// by now, and to which nobody sends.
	Due(ctx context.Context, now time.Time) ([]string, error)
	// Take begins a turn at an endpoint. It wraps ErrNotYourTurn when another has
	// one that lasts beyond now, and when the endpoint is disabled or not there.
	Take(ctx context.Context, endpoint string, now, until time.Time) (Turn, error)
	// Next makes the turn last until then, and returns the endpoint's oldest
	// waiting delivery; false: there is none that is to be sent by due.
	Next(ctx context.Context, t Turn, due, until time.Time) (Delivery, bool, error)
	// Attempted records what came of a delivery. It and Next wrap ErrNotYourTurn,
	// and change nothing, when another turn has begun or somebody has removed the
	// endpoint; Next also when it is disabled.
	Attempted(ctx context.Context, t Turn, seq int64, a Attempt) error
	// Yield ends the turn.
	Yield(ctx context.Context, t Turn) error
}
