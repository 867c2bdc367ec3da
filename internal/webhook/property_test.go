package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/webhook"
)

// schedule is a fleet under which processes are killed, stopped and answered badly.
type schedule struct {
	ctx  context.Context //nolint:containedctx // of the test
	m    *memory
	now  time.Time
	with webhook.Secrets
	// taken are the ids that each endpoint has received and answered with 2xx, also
	// if nobody heard that, and bodies what came with each id.
	taken  map[webhook.Target][]string
	bodies map[string]string
	// calm is when nothing goes wrong any more.
	calm bool
	// choices are what happens next. They are drawn before, because rapid can be
	// asked by one goroutine only.
	choices []int
	// problem is the first thing that was not as it should be.
	problem string
}

// choose is a number from 0 to below n; 0 when all that was drawn is used up.
func (s *schedule) choose(n int) int {
	if len(s.choices) == 0 {
		return 0
	}
	c := s.choices[0]
	s.choices = s.choices[1:]
	return c % n
}

var errKilled = errors.New("the process is dead")

// process is one that sends; it dies with its nth step: a call to the registry,
// or the end of a request.
type process struct {
	*schedule

	steps, dies int
	// nested is one that runs while another is stopped.
	nested bool
}

func (p *process) alive() error {
	if p.steps++; p.dies > 0 && p.steps >= p.dies {
		return errKilled
	}
	return nil
}

// deliver lets a new process send what is due to one endpoint.
func (s *schedule) deliver(to webhook.Target, nested bool) {
	p := &process{schedule: s, nested: nested}
	if !s.calm {
		p.dies = s.choose(13)
	}
	d := webhook.Deliverer{
		Outbox:  func(org string) webhook.Outbox { return mortal{s.m.box(org), p} },
		Sender:  p,
		Secrets: func(string) (webhook.Secrets, error) { return s.with, nil },
		Now:     func() time.Time { return s.now },
		Log:     slog.New(slog.DiscardHandler),
	}
	d.Deliver(s.ctx, []webhook.Target{to}, s.choose(2) == 1)
}

// Send is the network and the receiver.
func (p *process) Send(_ context.Context, to registry.Endpoint, _ webhook.Secrets, d registry.Delivery, _ time.Time) webhook.Outcome {
	target := p.target(to)
	how := "answers"
	if !p.calm {
		ways := []string{"answers", "answers", "fails", "is not reached", "answers and nobody hears", "is reached late", "puts off"}
		how = ways[p.choose(len(ways))]
	}
	if how == "is reached late" && !p.nested {
		// The process is stopped for longer than its turn, and another goes on.
		p.now = p.now.Add(time.Hour)
		p.deliver(target, true)
	}
	if slices.Contains([]string{"answers", "answers and nobody hears", "is reached late"}, how) {
		p.taken[target] = append(p.taken[target], d.ID)
	}
	if how != "is not reached" {
		if before, ok := p.bodies[d.ID]; ok && before != string(d.Body) {
			p.problem = fmt.Sprintf("%s came with %s, and before with %s", d.ID, d.Body, before)
		}
		p.bodies[d.ID] = string(d.Body)
	}
	if p.alive() != nil {
		return webhook.Outcome{Error: "the process is dead"}
	}
	switch how {
	case "answers", "is reached late":
		return webhook.Outcome{Delivered: true}
	case "puts off":
		return webhook.Outcome{Error: how, Wait: time.Hour}
	default:
		return webhook.Outcome{Error: how}
	}
}

func (s *schedule) target(to registry.Endpoint) webhook.Target {
	for t, q := range s.m.queues {
		if q.endpoint.URL == to.URL {
			return t
		}
	}
	s.problem = "nobody has the URL " + to.URL
	return webhook.Target{}
}

// mortal is an outbox as a process reaches it: a call fails before or after it
// was carried out when the process dies with it, and then all do.
type mortal struct {
	webhook.Outbox
	p *process
}

func call[T any](m mortal, do func() (T, error)) (out T, err error) {
	if m.p.alive() == nil {
		return do()
	}
	if m.p.steps == m.p.dies && m.p.choose(2) == 1 {
		_, _ = do() // nobody hears the answer
	}
	return out, errKilled
}

func (m mortal) Take(ctx context.Context, endpoint string, now, until time.Time) (registry.Turn, error) {
	return call(m, func() (registry.Turn, error) { return m.Outbox.Take(ctx, endpoint, now, until) })
}

func (m mortal) Next(ctx context.Context, t registry.Turn, due, until time.Time) (d registry.Delivery, ok bool, err error) {
	d, err = call(m, func() (registry.Delivery, error) {
		var err error
		d, ok, err = m.Outbox.Next(ctx, t, due, until)
		return d, err
	})
	if err == nil && ok && !m.p.calm && !m.p.nested && m.p.choose(10) == 9 {
		m.p.now = m.p.now.Add(time.Hour)
		m.p.deliver(m.p.target(t.Endpoint), true)
	}
	return d, ok && err == nil, err
}

func (m mortal) Attempted(ctx context.Context, t registry.Turn, seq int64, a registry.Attempt) error {
	_, err := call(m, func() (struct{}, error) { return struct{}{}, m.Outbox.Attempted(ctx, t, seq, a) })
	return err
}

func (m mortal) Yield(ctx context.Context, t registry.Turn) error {
	_, err := call(m, func() (struct{}, error) { return struct{}{}, m.Outbox.Yield(ctx, t) })
	return err
}

// Whatever happens to processes and receivers, each endpoint takes each of its
// events at least once, for the first time in order, and always with the same id
// and body.
func TestEachEventIsTakenAtLeastOnceAndInOrder(t *testing.T) {
	t.Parallel()
	with := secrets(t)
	rapid.Check(t, func(t *rapid.T) {
		s := &schedule{
			ctx: t.Context(), m: newMemory(), now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), with: with,
			taken: map[webhook.Target][]string{}, bodies: map[string]string{},
			choices: rapid.SliceOfN(rapid.IntRange(0, 1000), 0, 400).Draw(t, "choices"),
		}
		targets := []webhook.Target{{Org: "acme", Endpoint: "ci"}, {Org: "acme", Endpoint: "crm"}, {Org: "globex", Endpoint: "ci"}}
		for _, to := range targets {
			s.m.add(to, rapid.IntRange(0, 5).Draw(t, "events"), s.now)
		}
		for range rapid.IntRange(1, 12).Draw(t, "rounds") {
			s.deliver(rapid.SampledFrom(targets).Draw(t, "to"), false)
			s.now = s.now.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "pause")) * time.Second)
		}
		s.calm = true
		s.now = s.now.Add(24 * time.Hour)
		for _, to := range targets {
			s.deliver(to, false)
			if s.problem != "" {
				t.Fatal(s.problem)
			}
			if left := s.m.left(to, "waiting", "dead"); len(left) > 0 {
				t.Fatalf("%v did not receive %q", to, left)
			}
			var first []string
			for _, id := range s.taken[to] {
				if !slices.Contains(first, id) {
					first = append(first, id)
				}
			}
			if d := cmp.Diff(s.m.left(to, "delivered"), first); d != "" {
				t.Fatalf("%v took for the first time (-want +got):\n%s", to, d)
			}
		}
	})
}
