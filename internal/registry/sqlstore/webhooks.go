package sqlstore

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/render"
)

// post stores a delivery of the event to each endpoint that selects its type.
// The body is made here, once, so that every attempt sends the same.
func (s *orgStore) post(ctx context.Context, tx tx, ev event.Event) error {
	all, err := list(ctx, tx, func(r row) (e registry.Endpoint, err error) {
		var types string
		err = r.Scan(&e.Name, &types)
		e.Events = strings.Fields(types)
		return e, err
	}, selectSelections, s.org())
	if err != nil {
		return err
	}
	for _, e := range all {
		if !e.Events.Wants(ev.Type) {
			continue
		}
		body, err := render.CloudEvent(ev, 0)
		if err != nil {
			return err
		}
		if err := tx.exec(ctx, putDelivery, s.org(), e.Name, render.CloudEventID(ev, 0), ev.Operation, ev.Seq, string(body), stamp(s.now())); err != nil {
			return err
		}
	}
	return nil
}

// PutEndpoint records an endpoint.
func (s *orgStore) PutEndpoint(ctx context.Context, e registry.Endpoint, replace bool) error {
	return s.write(ctx, "record endpoint "+e.Name, func(tx tx) error {
		was, known, err := s.endpoint(ctx, tx, e.Name)
		switch {
		case err != nil:
			return err
		case known && !replace && was.URL == e.URL && was.Secret == e.Secret && slices.Equal(was.Events, e.Events):
			return nil
		case known && !replace:
			return fmt.Errorf("%w, with other settings", registry.ErrKnownEndpoint)
		}
		if err := tx.exec(ctx, putEndpoint, s.org(), e.Name, e.URL, e.Secret, strings.Join(e.Events, " "), stamp(e.Created)); err != nil {
			return err
		}
		// What is in the log is never removed, and a URL's path may be private.
		host := "its URL"
		if u, err := url.Parse(e.URL); err == nil {
			host = u.Host
		}
		return s.audit(ctx, tx, fmt.Sprintf("send %s to endpoint %s at %s, signed by %s", strings.Join(e.Events, " "), e.Name, host, e.Secret), done)
	})
}

func (s *orgStore) endpoint(ctx context.Context, tx tx, name string) (registry.EndpointState, bool, error) {
	all, err := list(ctx, tx, scanEndpoint, selectEndpoints, s.org())
	i := slices.IndexFunc(all, func(e registry.EndpointState) bool { return e.Name == name })
	if i < 0 {
		return registry.EndpointState{}, false, err
	}
	return all[i], true, err
}

// DropEndpoint forgets an endpoint and what is on its way to it.
func (s *orgStore) DropEndpoint(ctx context.Context, name string) error {
	return s.write(ctx, "remove endpoint "+name, func(tx tx) error {
		if err := tx.exec(ctx, dropOutbox, s.org(), name); err != nil {
			return err
		}
		known, err := tx.changed(ctx, dropEndpoint, s.org(), name)
		if err != nil {
			return err
		}
		if !known {
			return registry.ErrUnknownEndpoint
		}
		return s.audit(ctx, tx, "remove endpoint "+name, done)
	})
}

// EnableEndpoint lets an endpoint be sent to again.
func (s *orgStore) EnableEndpoint(ctx context.Context, name string) error {
	return s.write(ctx, "enable endpoint "+name, func(tx tx) error {
		known, err := tx.changed(ctx, enableEndpoint, s.org(), name)
		if err != nil {
			return err
		}
		if !known {
			return registry.ErrUnknownEndpoint
		}
		return s.audit(ctx, tx, "enable endpoint "+name, done)
	})
}

// Endpoints returns the org's endpoints by name.
func (s *orgStore) Endpoints(ctx context.Context) (all []registry.EndpointState, err error) {
	err = s.read(ctx, "read the endpoints", func(tx tx) error {
		all, err = list(ctx, tx, scanEndpoint, selectEndpoints, s.org())
		return err
	})
	return all, err
}

func scanEndpoint(r row) (e registry.EndpointState, err error) {
	var types, created, next string
	var waiting, dead int64
	if err := r.Scan(&e.Name, &e.URL, &e.Secret, &types, &created, &e.Disabled, &waiting, &dead, &next, &e.Error); err != nil {
		return e, err
	}
	e.Waiting, e.Dead, e.Events = int(waiting), int(dead), strings.Fields(types)
	if e.Created, err = unstamp(created); err != nil {
		return e, err
	}
	e.Next, err = unstampAny(next)
	return e, err
}

// DeadLetters returns dead deliveries, in order.
func (s *orgStore) DeadLetters(ctx context.Context, endpoint string) (all []registry.Delivery, err error) {
	err = s.read(ctx, "read the dead letters", func(tx tx) error {
		all, err = list(ctx, tx, scanDelivery, selectDead, s.org(), endpoint)
		return err
	})
	return all, err
}

func scanDelivery(r row) (d registry.Delivery, err error) {
	var body, created string
	var attempts int64
	if err := r.Scan(&d.Endpoint, &d.Seq, &d.ID, &d.Operation, &body, &attempts, &created, &d.Error); err != nil {
		return d, err
	}
	d.Body, d.Attempts = []byte(body), int(attempts)
	d.Created, err = unstamp(created)
	return d, err
}

// Resend makes dead deliveries wait again.
func (s *orgStore) Resend(ctx context.Context, endpoint string, ids []string) (chosen []registry.Delivery, err error) {
	err = s.write(ctx, "send dead letters again", func(tx tx) error {
		all, err := list(ctx, tx, scanDelivery, selectDead, s.org(), endpoint)
		if err != nil {
			return err
		}
		chosen = all
		if len(ids) > 0 {
			chosen = slices.DeleteFunc(slices.Clone(all), func(d registry.Delivery) bool { return !slices.Contains(ids, d.ID) })
		}
		for _, id := range ids {
			if !slices.ContainsFunc(chosen, func(d registry.Delivery) bool { return d.ID == id }) {
				return fmt.Errorf("%w %q", registry.ErrUnknownDelivery, id)
			}
		}
		for _, d := range chosen {
			if err := tx.exec(ctx, resend, s.org(), d.Endpoint, d.Seq, stamp(s.now())); err != nil {
				return err
			}
			if err := s.audit(ctx, tx, fmt.Sprintf("send %s to endpoint %s again", d.ID, d.Endpoint), done); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return chosen, nil
}

// Due returns the endpoints that have something to be sent.
func (s *orgStore) Due(ctx context.Context, now time.Time) (names []string, err error) {
	err = s.read(ctx, "ask which webhooks are due", func(tx tx) error {
		names, err = list(ctx, tx, scanText, selectDue, s.org(), stamp(now))
		return err
	})
	return names, err
}
