package webhook_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/webhook"
)

// memory is the outboxes of all orgs, with the contract of a registry.
type memory struct {
	mu     sync.Mutex
	queues map[webhook.Target]*queue
}

type queue struct {
	endpoint registry.Endpoint
	waiting  []*waiting
	turn     string
	turns    int
	until    time.Time
}

type waiting struct {
	registry.Delivery

	state string // waiting, delivered, dead
	next  time.Time
}

func newMemory() *memory { return &memory{queues: map[webhook.Target]*queue{}} }

// add gives an org an endpoint with n events.
func (m *memory) add(t webhook.Target, n int, at time.Time) {
	q := &queue{endpoint: registry.Endpoint{Name: t.Endpoint, URL: "https://" + t.Org + "." + t.Endpoint, Secret: "env:SECRET"}}
	m.queues[t] = q
	for i := range n {
		q.waiting = append(q.waiting, &waiting{state: "waiting", next: at, Delivery: registry.Delivery{
			Endpoint: t.Endpoint, Seq: int64(i + 1), ID: fmt.Sprintf("%s-%s-%d", t.Org, t.Endpoint, i+1), Body: fmt.Appendf(nil, `{"n":%d}`, i+1), Created: at,
		}})
	}
}

// left are the ids of what is in one of the states.
func (m *memory) left(t webhook.Target, states ...string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, w := range m.queues[t].waiting {
		if slices.Contains(states, w.state) {
			out = append(out, w.ID)
		}
	}
	return out
}

// resend makes what is dead wait again.
func (m *memory) resend(t webhook.Target, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.queues[t].waiting {
		if w.state == "dead" {
			w.state, w.Attempts, w.next = "waiting", 0, now
		}
	}
}

func (m *memory) due(_ context.Context, now time.Time) ([]webhook.Target, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []webhook.Target
	for t, q := range m.queues {
		if w := q.oldest(); w != nil && !w.next.After(now) && q.endpoint.Disabled == "" && !q.until.After(now) {
			out = append(out, t)
		}
	}
	return out, nil
}

func (q *queue) oldest() *waiting {
	if i := slices.IndexFunc(q.waiting, func(w *waiting) bool { return w.state == "waiting" }); i >= 0 {
		return q.waiting[i]
	}
	return nil
}

// box is the outbox of one org.
type box struct {
	*memory

	org string
}

func (m *memory) box(org string) webhook.Outbox { return box{m, org} }

func (b box) Take(ctx context.Context, endpoint string, now, until time.Time) (registry.Turn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[webhook.Target{Org: b.org, Endpoint: endpoint}]
	if q == nil || q.endpoint.Disabled != "" || q.until.After(now) {
		return registry.Turn{}, registry.ErrNotYourTurn
	}
	q.turns++
	q.turn = fmt.Sprint(q.turns)
	q.until = until
	return registry.Turn{Endpoint: q.endpoint, Token: q.turn, Until: until}, ctx.Err()
}

func (b box) has(t registry.Turn) (*queue, error) {
	q := b.queues[webhook.Target{Org: b.org, Endpoint: t.Endpoint.Name}]
	if q == nil || q.turn != t.Token {
		return nil, registry.ErrNotYourTurn
	}
	return q, nil
}

func (b box) Next(_ context.Context, t registry.Turn, due, until time.Time) (registry.Delivery, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, err := b.has(t)
	if err == nil && q.endpoint.Disabled != "" {
		err = registry.ErrNotYourTurn
	}
	if err != nil {
		return registry.Delivery{}, false, err
	}
	q.until = until
	w := q.oldest()
	if w == nil || w.next.After(due) {
		return registry.Delivery{}, false, nil
	}
	return w.Delivery, true, nil
}

func (b box) Attempted(_ context.Context, t registry.Turn, seq int64, a registry.Attempt) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, err := b.has(t)
	if err != nil {
		return err
	}
	w := q.waiting[seq-1]
	switch {
	case w.state != "waiting":
		return registry.ErrNotYourTurn
	case a.Delivered:
		w.state, w.Error = "delivered", ""
		return nil
	case a.Dead:
		w.state = "dead"
	}
	w.Attempts, w.Error, w.next = w.Attempts+1, a.Error, a.Next
	if a.Disable {
		q.endpoint.Disabled = a.Error
	}
	return nil
}

func (b box) Yield(_ context.Context, t registry.Turn) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, err := b.has(t)
	if err == nil {
		q.until = time.Time{}
	}
	return err
}
