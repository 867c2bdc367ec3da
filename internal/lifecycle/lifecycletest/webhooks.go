package lifecycletest

import (
	"context"
	"time"

	"freehold.dev/freehold/internal/registry"
)

// PutEndpoint records an endpoint.
func (s *orgStore) PutEndpoint(ctx context.Context, e registry.Endpoint, replace bool) error {
	return s.p.write(entry("endpoint", e.Name, s.org), func() error { return s.d.PutEndpoint(ctx, e, replace) })
}

// DropEndpoint forgets an endpoint.
func (s *orgStore) DropEndpoint(ctx context.Context, name string) error {
	return s.p.write(entry("no endpoint", name, s.org), func() error { return s.d.DropEndpoint(ctx, name) })
}

// EnableEndpoint lets an endpoint be sent to again.
func (s *orgStore) EnableEndpoint(ctx context.Context, name string) error {
	return s.p.write(entry("enable endpoint", name, s.org), func() error { return s.d.EnableEndpoint(ctx, name) })
}

// Endpoints returns the org's endpoints.
func (s *orgStore) Endpoints(ctx context.Context) ([]registry.EndpointState, error) {
	return asked(s.p, func() ([]registry.EndpointState, error) { return s.d.Endpoints(ctx) })
}

// DeadLetters returns dead deliveries.
func (s *orgStore) DeadLetters(ctx context.Context, endpoint string) ([]registry.Delivery, error) {
	return asked(s.p, func() ([]registry.Delivery, error) { return s.d.DeadLetters(ctx, endpoint) })
}

// Resend makes dead deliveries wait again.
func (s *orgStore) Resend(ctx context.Context, endpoint string, ids []string) ([]registry.Delivery, error) {
	return written(s.p, entry("resend", endpoint, s.org), func() ([]registry.Delivery, error) { return s.d.Resend(ctx, endpoint, ids) })
}

// Due returns the endpoints that have something to be sent.
func (s *orgStore) Due(ctx context.Context, now time.Time) ([]string, error) {
	return asked(s.p, func() ([]string, error) { return s.d.Due(ctx, now) })
}

// Take begins a turn.
func (s *orgStore) Take(ctx context.Context, endpoint string, now, until time.Time) (registry.Turn, error) {
	return written(s.p, entry("take", endpoint, s.org), func() (registry.Turn, error) { return s.d.Take(ctx, endpoint, now, until) })
}

// Next makes a turn last, and returns what is next.
func (s *orgStore) Next(ctx context.Context, t registry.Turn, due, until time.Time) (d registry.Delivery, ok bool, err error) {
	d, err = written(s.p, entry("next", t.Endpoint.Name, s.org), func() (registry.Delivery, error) {
		d, ok, err = s.d.Next(ctx, t, due, until)
		return d, err
	})
	return d, ok && err == nil, err
}

// Attempted records what came of a delivery.
func (s *orgStore) Attempted(ctx context.Context, t registry.Turn, seq int64, a registry.Attempt) error {
	return s.p.write(entry("attempted", t.Endpoint.Name, s.org), func() error { return s.d.Attempted(ctx, t, seq, a) })
}

// Yield ends a turn.
func (s *orgStore) Yield(ctx context.Context, t registry.Turn) error {
	return s.p.write(entry("yield", t.Endpoint.Name, s.org), func() error { return s.d.Yield(ctx, t) })
}

// Endpoints returns the endpoints of all orgs.
func (s *fleetStore) Endpoints(ctx context.Context) ([]registry.OrgEndpoint, error) {
	return asked(s.p, func() ([]registry.OrgEndpoint, error) { return s.d.Endpoints(ctx) })
}

// FollowDue returns what says which endpoints have something to be sent.
func (s *fleetStore) FollowDue(ctx context.Context) (func(context.Context, time.Time) ([]registry.Due, error), error) {
	return asked(s.p, func() (func(context.Context, time.Time) ([]registry.Due, error), error) { return s.d.FollowDue(ctx) })
}
