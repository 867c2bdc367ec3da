package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/internal/webhook"
)

// Webhook is an endpoint as somebody asks for it.
type Webhook struct {
	Name string
	URL  string
	// Secret says where the signing secrets are: env:NAME or file:/path.
	Secret string
	// Events are types, or the first words of some; empty: those that end an operation.
	Events []string
	// Replace changes the endpoint of that name, and enables it.
	Replace bool
}

// Hooks is how events are sent.
type Hooks struct {
	Sender  webhook.Sender
	Secrets webhook.Source
	// Allowed hosts may have any address, and be reached without TLS.
	Allowed webhook.Hosts
	// Every is how often FollowWebhooks asks what is due; 0: each second.
	Every time.Duration
}

var endpointName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// Webhooks returns the org's endpoints, and what is on its way to them.
func (s *Service) Webhooks(ctx context.Context, org string) (event.Webhooks, error) {
	out := event.Webhooks{Org: org}
	all, err := s.endpoints(ctx, org)
	for _, e := range all {
		out.Endpoints = append(out.Endpoints, shown(e))
	}
	return out, fail(org, "", err)
}

// AllWebhooks returns the endpoints of all orgs that have one, by org.
func (s *Service) AllWebhooks(ctx context.Context) ([]event.Webhooks, error) {
	all, err := s.fleet().Endpoints(ctx)
	var out []event.Webhooks
	for _, e := range all {
		if len(out) == 0 || out[len(out)-1].Org != e.Org {
			out = append(out, event.Webhooks{Org: e.Org})
		}
		last := &out[len(out)-1]
		last.Endpoints = append(last.Endpoints, shown(e.EndpointState))
	}
	return out, err
}

// endpoints are the org's. An org that is not known has none, unless somebody
// has named one before its first onboard.
func (s *Service) endpoints(ctx context.Context, org string) ([]registry.EndpointState, error) {
	all, err := s.of(org).Endpoints(ctx)
	if err == nil && len(all) == 0 {
		_, err = s.of(org).Org(ctx)
	}
	return all, err
}

func shown(e registry.EndpointState) event.Webhook {
	return event.Webhook{
		Name: e.Name, URL: e.URL, Secret: e.Secret, Events: e.Events, Created: e.Created, Disabled: e.Disabled,
		Waiting: e.Waiting, Dead: e.Dead, Next: e.Next, Error: e.Error,
	}
}

// endpoint is the one with that name.
func (s *Service) endpoint(ctx context.Context, org, name string) (event.Webhook, error) {
	all, err := s.endpoints(ctx, org)
	if err != nil {
		return event.Webhook{}, fail(org, "", err)
	}
	i := slices.IndexFunc(all, func(e registry.EndpointState) bool { return e.Name == name })
	if i < 0 {
		return event.Webhook{}, &Error{
			Org: org, Err: fmt.Errorf("%w: %w %q", ErrInvalid, registry.ErrUnknownEndpoint, name),
			Next: "list the endpoints with: freehold webhooks list " + org,
		}
	}
	return shown(all[i]), nil
}

// AddWebhook sends the org's events to an endpoint from now on. The notes say
// what is no mistake, and should be known.
func (s *Service) AddWebhook(ctx context.Context, org string, w Webhook) (event.Webhook, []string, error) {
	e := registry.Endpoint{Name: w.Name, URL: w.URL, Secret: w.Secret, Events: event.Terminal(), Created: s.Now()}
	notes, err := s.checkWebhook(org, w, &e)
	if err != nil {
		return event.Webhook{}, nil, &Error{
			Org: org, Err: &because{text: fmt.Sprintf("%v: %v", ErrInvalid, err), err: errors.Join(ErrInvalid, err)}, Next: "nothing was changed",
		}
	}
	if err := s.of(org).PutEndpoint(ctx, e, w.Replace); errors.Is(err, registry.ErrKnownEndpoint) {
		return event.Webhook{}, nil, &Error{
			Org: org, Err: fmt.Errorf("%w: endpoint %s is there already, with other settings", ErrInvalid, w.Name),
			Next: "change it with --replace, or give the new one another --name; nothing was changed",
		}
	} else if err != nil {
		return event.Webhook{}, nil, fail(org, "", err)
	}
	if _, err := s.of(org).Org(ctx); errors.Is(err, registry.ErrUnknownOrg) {
		notes = append(notes, org+" is not onboarded yet; the events of its first onboard will be sent")
	}
	added, err := s.endpoint(ctx, org, w.Name)
	if added.Disabled != "" {
		notes = append(notes, fmt.Sprintf("endpoint %s is disabled (%s); freehold webhooks enable %s %s sends to it again", w.Name, added.Disabled, org, w.Name))
	}
	return added, notes, err
}

// checkWebhook lists everything that is wrong with what was asked for.
func (s *Service) checkWebhook(org string, w Webhook, e *registry.Endpoint) (notes []string, err error) {
	var mistakes []error
	add := func(err error) {
		if err != nil {
			mistakes = append(mistakes, err)
		}
	}
	add(spec.CheckOrg(org))
	if !endpointName.MatchString(w.Name) {
		add(fmt.Errorf("name %q is not a DNS label of at most 40 characters", w.Name))
	}
	_, err = webhook.CheckURL(w.URL, s.Hooks.Allowed)
	if errors.Is(err, webhook.ErrRefused) {
		err = fmt.Errorf("%w; --allow-host allows a host by name", err)
	}
	add(err)
	// What is not here may be where events are sent from; what is here and is not
	// a secret is a mistake.
	switch _, err := s.Hooks.Secrets.Secrets(w.Secret); {
	case errors.Is(err, webhook.ErrNoSecret):
		notes = append(notes, err.Error()+": the process that sends needs it")
	default:
		add(err)
	}
	if len(w.Events) > 0 {
		e.Events, err = event.ParseSelection(w.Events)
		add(err)
	}
	texts := make([]string, len(mistakes))
	for i, m := range mistakes {
		texts[i] = m.Error()
	}
	if len(mistakes) > 0 {
		return nil, &because{text: strings.Join(texts, "; "), err: errors.Join(mistakes...)}
	}
	return notes, nil
}

// RemoveWebhook forgets an endpoint and what waits for it, and returns it as it was.
func (s *Service) RemoveWebhook(ctx context.Context, org, name string) (event.Webhook, error) {
	was, err := s.endpoint(ctx, org, name)
	if err != nil {
		return was, err
	}
	return was, fail(org, "", s.of(org).DropEndpoint(ctx, name))
}

// EnableWebhook lets an endpoint be sent to again.
func (s *Service) EnableWebhook(ctx context.Context, org, name string) (event.Webhook, error) {
	if w, err := s.endpoint(ctx, org, name); err != nil {
		return w, err
	}
	if err := s.of(org).EnableEndpoint(ctx, name); err != nil {
		return event.Webhook{}, fail(org, "", err)
	}
	return s.endpoint(ctx, org, name)
}

// DeadLetters are the events that are not sent any more to an endpoint, or to any.
func (s *Service) DeadLetters(ctx context.Context, org, name string) (event.DeadLetters, error) {
	return s.letters(ctx, org, name, func() ([]registry.Delivery, error) { return s.of(org).DeadLetters(ctx, name) })
}

// ResendWebhooks makes dead letters wait again, and returns them; no ids: all.
func (s *Service) ResendWebhooks(ctx context.Context, org, name string, ids []string) (event.DeadLetters, error) {
	return s.letters(ctx, org, name, func() ([]registry.Delivery, error) { return s.of(org).Resend(ctx, name, ids) })
}

func (s *Service) letters(ctx context.Context, org, name string, list func() ([]registry.Delivery, error)) (event.DeadLetters, error) {
	out := event.DeadLetters{Org: org}
	if name != "" {
		if _, err := s.endpoint(ctx, org, name); err != nil {
			return out, err
		}
	} else if _, err := s.endpoints(ctx, org); err != nil {
		return out, fail(org, "", err)
	}
	all, err := list()
	if errors.Is(err, registry.ErrUnknownDelivery) {
		return out, &Error{
			Org: org, Err: fmt.Errorf("%w: %w", ErrInvalid, err), Next: "list the dead letters with: freehold webhooks dead " + org + "; nothing was changed",
		}
	}
	for _, d := range all {
		out.Letters = append(out.Letters, event.DeadLetter{
			Endpoint: d.Endpoint, ID: d.ID, Operation: d.Operation, Created: d.Created, Attempts: d.Attempts, Error: d.Error, Event: d.Body,
		})
	}
	return out, fail(org, "", err)
}

// deliverer sends what waits in the registry.
func (s *Service) deliverer() *webhook.Deliverer {
	return &webhook.Deliverer{
		Outbox: func(org string) webhook.Outbox { return s.of(org) }, Sender: s.Hooks.Sender, Secrets: s.Hooks.Secrets.Secrets, Now: s.Now, Log: s.Log,
	}
}

// DeliverWebhooks sends what is due to the orgs' endpoints, in order, and with
// early also what would be sent later; no orgs: of all that have something due.
// It says of each endpoint what became of it.
func (s *Service) DeliverWebhooks(ctx context.Context, orgs []string, early bool) ([]event.Deliveries, error) {
	if len(orgs) == 0 {
		due, err := s.fleet().FollowDue(ctx)
		if err != nil {
			return nil, err
		}
		at := s.Now()
		if early {
			at = at.Add(webhook.LongestPause)
		}
		all, err := due(ctx, at)
		if err != nil {
			return nil, err
		}
		for _, d := range all {
			orgs = append(orgs, d.Org)
		}
	}
	slices.Sort(orgs)
	orgs = slices.Compact(orgs)
	var targets []webhook.Target
	look, cancel := looking(ctx)
	defer cancel()
	for _, org := range orgs {
		all, err := s.endpoints(look, org)
		if err != nil {
			return nil, fail(org, "", err)
		}
		for _, e := range all {
			if e.Waiting > 0 {
				targets = append(targets, webhook.Target{Org: org, Endpoint: e.Name})
			}
		}
	}
	results := s.deliverer().Deliver(ctx, targets, early)
	var out []event.Deliveries
	for _, org := range orgs {
		d, err := s.delivered(ctx, org, results)
		if err != nil {
			return out, fail(org, "", err)
		}
		out = append(out, d)
	}
	return out, nil
}

// lookWithin bounds how long it takes to say what is left, also when the time
// for sending is over.
const lookWithin = 5 * time.Second

func looking(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lookWithin)
}

// delivered is how an org's endpoints are after some were sent to.
func (s *Service) delivered(ctx context.Context, org string, results map[webhook.Target]webhook.Result) (event.Deliveries, error) {
	ctx, cancel := looking(ctx)
	defer cancel()
	out := event.Deliveries{Org: org}
	all, err := s.of(org).Endpoints(ctx)
	for _, e := range all {
		r := results[webhook.Target{Org: org, Endpoint: e.Name}]
		d := event.Delivery{Webhook: shown(e), Delivered: r.Delivered, Failed: r.Failed, Busy: r.Busy && e.Disabled == ""}
		if r.Err != nil {
			d.Unsent = r.Err.Error()
		}
		out.Endpoints = append(out.Endpoints, d)
	}
	return out, err
}

// FollowWebhooks sends whatever becomes due to the orgs' endpoints, until ctx
// ends; no orgs: of all. Of each turn in which something happened, it says what.
func (s *Service) FollowWebhooks(ctx context.Context, orgs []string, heard func(event.Deliveries)) error {
	due, err := s.dueOf(ctx, orgs)
	if err != nil {
		return err
	}
	s.deliverer().Follow(ctx, cmp.Or(s.Hooks.Every, time.Second), due, func(t webhook.Target, r webhook.Result) {
		if r.Delivered == 0 && r.Failed == 0 && r.Err == nil {
			return
		}
		d, err := s.delivered(ctx, t.Org, map[webhook.Target]webhook.Result{t: r})
		if err != nil {
			s.Log.Warn("webhooks: cannot say what is left", "org", t.Org, "endpoint", t.Endpoint, "error", err)
			return
		}
		d.Endpoints = slices.DeleteFunc(d.Endpoints, func(e event.Delivery) bool { return e.Name != t.Endpoint })
		heard(d)
	})
	return nil
}

// dueOf asks which endpoints have something to be sent: those of the orgs, or of all.
func (s *Service) dueOf(ctx context.Context, orgs []string) (func(context.Context, time.Time) ([]webhook.Target, error), error) {
	if len(orgs) == 0 {
		due, err := s.fleet().FollowDue(ctx)
		return func(ctx context.Context, now time.Time) ([]webhook.Target, error) {
			all, err := due(ctx, now)
			targets := make([]webhook.Target, len(all))
			for i, d := range all {
				targets[i] = webhook.Target(d)
			}
			return targets, err
		}, err
	}
	for _, org := range orgs {
		if _, err := s.endpoints(ctx, org); err != nil {
			return nil, fail(org, "", err)
		}
	}
	return func(ctx context.Context, now time.Time) (targets []webhook.Target, err error) {
		for _, org := range orgs {
			names, failed := s.of(org).Due(ctx, now)
			err = errors.Join(err, failed)
			for _, name := range names {
				targets = append(targets, webhook.Target{Org: org, Endpoint: name})
			}
		}
		return targets, err
	}, nil
}
