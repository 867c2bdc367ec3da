package cli_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
)

// hook is an endpoint of an org, and the ids that wait for it or are dead.
type hook struct {
	event.Webhook

	waiting, dead []string
}

func (h *hook) shown() event.Webhook {
	w := h.Webhook
	w.Waiting, w.Dead = len(h.waiting), len(h.dead)
	return w
}

// post lets a stored event wait for the endpoints that select it.
func (w *world) post(e event.Event) {
	for _, h := range w.hooks[e.Org] {
		if h.Events.Wants(e.Type) {
			h.waiting = append(h.waiting, fmt.Sprintf("%s-%d", e.Operation, e.Seq))
		}
	}
}

func (w *world) hook(org, name string) (*hook, error) {
	if w.orgs[org] == nil && w.hooks[org] == nil {
		return nil, w.unknown(org, "webhooks")
	}
	if h := w.hooks[org][name]; h != nil || name == "" {
		return h, nil
	}
	return nil, &lifecycle.Error{
		Org: org, Err: fmt.Errorf("%w: unknown endpoint %q", lifecycle.ErrInvalid, name), Next: "list the endpoints with: freehold webhooks list " + org,
	}
}

func (w *world) Webhooks(_ context.Context, org string) (event.Webhooks, error) {
	out := event.Webhooks{Org: org}
	_, err := w.hook(org, "")
	for _, name := range slices.Sorted(maps.Keys(w.hooks[org])) {
		out.Endpoints = append(out.Endpoints, w.hooks[org][name].shown())
	}
	return out, err
}

func (w *world) AllWebhooks(ctx context.Context) (all []event.Webhooks, err error) {
	for _, org := range slices.Sorted(maps.Keys(w.hooks)) {
		one, err := w.Webhooks(ctx, org)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (w *world) AddWebhook(_ context.Context, org string, asked lifecycle.Webhook) (event.Webhook, []string, error) {
	h := &hook{Webhook: event.Webhook{Name: asked.Name, URL: asked.URL, Secret: asked.Secret, Events: asked.Events, Created: w.clock.Now()}}
	if len(asked.Events) == 0 {
		h.Events = event.Terminal()
	}
	if asked.Secret == "plain" {
		return event.Webhook{}, nil, &lifecycle.Error{Org: org, Err: fmt.Errorf("%w: invalid secret reference", lifecycle.ErrInvalid), Next: "nothing was changed"}
	}
	if w.hooks[org] == nil {
		w.hooks[org] = map[string]*hook{}
	}
	if old := w.hooks[org][asked.Name]; old != nil {
		h.waiting, h.dead = old.waiting, old.dead
	}
	w.hooks[org][asked.Name] = h
	var notes []string
	if w.orgs[org] == nil {
		notes = append(notes, org+" is not onboarded yet; the events of its first onboard will be sent")
	}
	return h.shown(), notes, nil
}

func (w *world) RemoveWebhook(_ context.Context, org, name string) (event.Webhook, error) {
	h, err := w.hook(org, name)
	if err != nil {
		return event.Webhook{}, err
	}
	delete(w.hooks[org], name)
	return h.shown(), nil
}

func (w *world) EnableWebhook(_ context.Context, org, name string) (event.Webhook, error) {
	h, err := w.hook(org, name)
	if err != nil {
		return event.Webhook{}, err
	}
	h.Disabled = ""
	return h.shown(), nil
}

// DeliverWebhooks delivers everything, but for what the world's trouble says:
// "receiver down" fails, "receiver lost" has failed for days, "receiver gone"
// disables, "no secret" sends nothing.
func (w *world) DeliverWebhooks(_ context.Context, orgs []string, _ bool) ([]event.Deliveries, error) {
	if len(orgs) == 0 {
		for _, org := range slices.Sorted(maps.Keys(w.hooks)) {
			if slices.ContainsFunc(slices.Collect(maps.Values(w.hooks[org])), func(h *hook) bool { return len(h.waiting) > 0 }) {
				orgs = append(orgs, org)
			}
		}
	}
	var out []event.Deliveries
	for _, org := range orgs {
		if _, err := w.hook(org, ""); err != nil {
			return nil, err
		}
		d := event.Deliveries{Org: org}
		for _, name := range slices.Sorted(maps.Keys(w.hooks[org])) {
			d.Endpoints = append(d.Endpoints, w.send(w.hooks[org][name]))
		}
		out = append(out, d)
	}
	return out, nil
}

func (w *world) send(h *hook) event.Delivery {
	d := event.Delivery{}
	switch trouble := w.trouble; {
	case len(h.waiting) == 0 || h.Disabled != "":
	case trouble == "no secret":
		d.Unsent = "no secret to sign with: env:SECRET: the variable is not set"
	case trouble == "receiver down":
		h.Error, h.Next, d.Failed = "hooks.example.com answered 503 Service Unavailable", w.clock.Now().Add(5*time.Second), 1
	case trouble == "receiver lost":
		h.dead, h.waiting, h.Error, d.Failed = append(h.dead, h.waiting[0]), h.waiting[1:], "", 1
	case trouble == "receiver gone":
		h.Disabled, d.Failed = "hooks.example.com answered 410 Gone", 1
	default:
		d.Delivered, h.waiting, h.Error, h.Next = len(h.waiting), nil, "", time.Time{}
	}
	d.Webhook = h.shown()
	return d
}

// FollowWebhooks goes on for as long as something is due.
func (w *world) FollowWebhooks(ctx context.Context, orgs []string, heard func(event.Deliveries)) error {
	all, err := w.DeliverWebhooks(ctx, orgs, false)
	for _, d := range all {
		heard(d)
	}
	return err
}

func (w *world) DeadLetters(_ context.Context, org, name string) (event.DeadLetters, error) {
	out := event.DeadLetters{Org: org}
	_, err := w.hook(org, name)
	for _, of := range slices.Sorted(maps.Keys(w.hooks[org])) {
		for _, id := range w.hooks[org][of].dead {
			if name == "" || name == of {
				out.Letters = append(out.Letters, event.DeadLetter{
					Endpoint: of, ID: id, Operation: "op-1", Created: w.clock.Now(), Attempts: 10, Error: "hooks.example.com answered 503 Service Unavailable",
					Event: []byte(`{"specversion":"1.0"}`),
				})
			}
		}
	}
	return out, err
}

func (w *world) ResendWebhooks(ctx context.Context, org, name string, ids []string) (event.DeadLetters, error) {
	out, err := w.DeadLetters(ctx, org, name)
	if err != nil {
		return out, err
	}
	if len(ids) > 0 {
		out.Letters = slices.DeleteFunc(out.Letters, func(l event.DeadLetter) bool { return !slices.Contains(ids, l.ID) })
	}
	if len(out.Letters) < len(ids) {
		return event.DeadLetters{Org: org}, &lifecycle.Error{Org: org, Err: fmt.Errorf("%w: unknown dead letter %q", lifecycle.ErrInvalid, ids[0]), Next: "nothing was changed"}
	}
	for _, l := range out.Letters {
		h := w.hooks[org][l.Endpoint]
		h.dead = slices.DeleteFunc(h.dead, func(id string) bool { return id == l.ID })
		h.waiting = append([]string{l.ID}, h.waiting...)
	}
	return out, nil
}
