package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/webhook"
	"freehold.dev/freehold/internal/webhook/webhooktest"
)

// post is a Sender that remembers what it sent to whom.
type post struct {
	answer func(ctx context.Context, to registry.Endpoint, d registry.Delivery) webhook.Outcome

	mu  sync.Mutex
	got map[string][]string // ids, by URL
	at  map[string][]time.Time
}

func (p *post) Send(ctx context.Context, to registry.Endpoint, _ webhook.Secrets, d registry.Delivery, at time.Time) webhook.Outcome {
	p.mu.Lock()
	if p.got == nil {
		p.got, p.at = map[string][]string{}, map[string][]time.Time{}
	}
	p.got[to.URL] = append(p.got[to.URL], d.ID)
	p.at[to.URL] = append(p.at[to.URL], at)
	p.mu.Unlock()
	if p.answer == nil {
		return webhook.Outcome{Delivered: true}
	}
	return p.answer(ctx, to, d)
}

func deliverer(t *testing.T, m *memory, p webhook.Sender) *webhook.Deliverer {
	t.Helper()
	s := secrets(t)
	return &webhook.Deliverer{
		Outbox: m.box, Sender: p, Secrets: func(string) (webhook.Secrets, error) { return s, nil }, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Random: func() float64 { return 0 },
	}
}

var ci = webhook.Target{Org: "acme", Endpoint: "ci"}

func failing(context.Context, registry.Endpoint, registry.Delivery) webhook.Outcome {
	return webhook.Outcome{Error: "it answered 500"}
}

func TestADeliveryIsTriedOnTheScheduleAndIsThenDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, p := newMemory(), &post{answer: failing}
		began := time.Now()
		m.add(ci, 2, began)
		d := deliverer(t, m, p)
		ctx, cancel := context.WithTimeout(t.Context(), 75*time.Hour+36*time.Minute)
		defer cancel()
		d.Follow(ctx, time.Second, m.due, func(webhook.Target, webhook.Result) {})

		var after []time.Duration
		for i, id := range p.got["https://acme.ci"] {
			if id == "acme-ci-1" {
				after = append(after, p.at["https://acme.ci"][i].Sub(began).Round(time.Minute))
			}
		}
		minutes := func(all ...int) (out []time.Duration) {
			for _, m := range all {
				out = append(out, time.Duration(m)*time.Minute)
			}
			return out
		}
		if d := cmp.Diff(minutes(0, 0, 5, 35, 155, 455, 1055, 1895, 3095, 4535), after); d != "" {
			t.Errorf("attempts (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"acme-ci-1"}, m.left(ci, "dead")); d != "" {
			t.Errorf("dead (-want +got):\n%s", d)
		}
		// The one behind it had to wait, and is next.
		if n := slices.Index(p.got["https://acme.ci"], "acme-ci-2"); n != 10 {
			t.Errorf("the second event was sent first as attempt %d", n)
		}
		m.resend(ci, time.Now())
		p.answer = nil
		d.Deliver(t.Context(), []webhook.Target{ci}, true)
		sent := p.got["https://acme.ci"]
		if d := cmp.Diff([]string{"acme-ci-1", "acme-ci-2"}, sent[len(sent)-2:]); d != "" {
			t.Errorf("sent again (-want +got):\n%s", d)
		}
	})
}

func TestAReceiverCanPutADeliveryOff(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]time.Duration{
		0: 5 * time.Second, time.Second: 5 * time.Second, time.Minute: time.Minute, 30 * 24 * time.Hour: 24 * time.Hour,
	} {
		synctest.Test(t, func(t *testing.T) {
			m, p := newMemory(), &post{}
			p.answer = func(context.Context, registry.Endpoint, registry.Delivery) webhook.Outcome {
				return webhook.Outcome{Delivered: len(p.got["https://acme.ci"]) > 1, Error: "it answered 429", Wait: wait}
			}
			m.add(ci, 1, time.Now())
			ctx, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
			defer cancel()
			deliverer(t, m, p).Follow(ctx, time.Second, m.due, func(webhook.Target, webhook.Result) {})
			at := p.at["https://acme.ci"]
			if got := at[1].Sub(at[0]); got != want {
				t.Errorf("asked to wait %s: it waited %s, want %s", wait, got, want)
			}
		})
	}
}

func TestAnEndpointThatIsGoneIsDisabledAndItsEventsWait(t *testing.T) {
	t.Parallel()
	m, p := newMemory(), &post{answer: func(context.Context, registry.Endpoint, registry.Delivery) webhook.Outcome {
		return webhook.Outcome{Gone: true, Error: "it answered 410 Gone"}
	}}
	m.add(ci, 2, time.Now())
	d := deliverer(t, m, p)
	for range 2 {
		d.Deliver(t.Context(), []webhook.Target{ci}, true)
	}
	if d := cmp.Diff([]string{"acme-ci-1"}, p.got["https://acme.ci"]); d != "" {
		t.Errorf("sent (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"acme-ci-1", "acme-ci-2"}, m.left(ci, "waiting")); d != "" {
		t.Errorf("waiting (-want +got):\n%s", d)
	}
	m.queues[ci].endpoint.Disabled, p.answer = "", nil
	d.Deliver(t.Context(), []webhook.Target{ci}, false)
	if d := cmp.Diff([]string{"acme-ci-1", "acme-ci-1", "acme-ci-2"}, p.got["https://acme.ci"]); d != "" {
		t.Errorf("sent (-want +got):\n%s", d)
	}
}

func TestASlowEndpointDelaysNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var targets []webhook.Target
		// More slow ones than have room, all of one org, and all of them first.
		for i := range 100 {
			targets = append(targets, webhook.Target{Org: "slow", Endpoint: fmt.Sprintf("e%03d", i)})
		}
		for i := range 20 {
			targets = append(targets, webhook.Target{Org: fmt.Sprintf("org%02d", i), Endpoint: "ci"})
		}
		began := time.Now()
		for _, to := range targets {
			m.add(to, 3, began)
		}
		var mu sync.Mutex
		together, most := map[string]int{}, 0
		p := &post{answer: func(_ context.Context, to registry.Endpoint, _ registry.Delivery) webhook.Outcome {
			if !strings.Contains(to.URL, "slow") {
				return webhook.Outcome{Delivered: true}
			}
			mu.Lock()
			together["slow"]++
			most = max(most, together["slow"])
			mu.Unlock()
			time.Sleep(19 * time.Second)
			mu.Lock()
			together["slow"]--
			mu.Unlock()
			return webhook.Outcome{Delivered: true}
		}}
		results := deliverer(t, m, p).Deliver(t.Context(), targets, false)
		for to, r := range results {
			if d := cmp.Diff(webhook.Result{Delivered: 3}, r); d != "" {
				t.Errorf("%v (-want +got):\n%s", to, d)
			}
		}
		for url, at := range p.at {
			if last := at[2].Sub(began); !strings.Contains(url, "slow") && last > 0 {
				t.Errorf("%s had to wait %s", url, last)
			}
		}
		if len(results) != len(targets) || most > 8 {
			t.Errorf("%d results, and up to %d requests of one org at once", len(results), most)
		}
	})
}

func TestASecretThatIsNotHereIsNoFailureOfTheEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, p := newMemory(), &post{}
		m.add(ci, 1, time.Now())
		d := deliverer(t, m, p)
		there, asked := false, 0
		good := d.Secrets
		d.Secrets = func(ref string) (webhook.Secrets, error) {
			if asked++; there {
				return good(ref)
			}
			return webhook.Secrets{}, fmt.Errorf("%w: %s", webhook.ErrNoSecret, ref)
		}
		r := d.Deliver(t.Context(), []webhook.Target{ci}, false)[ci]
		if !errors.Is(r.Err, webhook.ErrNoSecret) || r.Failed != 0 || m.queues[ci].waiting[0].Attempts != 0 {
			t.Errorf("%+v, and %d attempts", r, m.queues[ci].waiting[0].Attempts)
		}
		// Another machine, which has it, need not wait.
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		go func() {
			time.Sleep(10 * time.Minute)
			there = true
			time.Sleep(time.Minute)
			cancel()
		}()
		asked = 0
		d.Follow(ctx, time.Second, m.due, func(webhook.Target, webhook.Result) {})
		if left := m.left(ci, "waiting"); len(left) > 0 || asked > 25 {
			t.Errorf("left %q; it was asked for %d times", left, asked)
		}
	})
}

func TestAnEndOfTheProcessIsNoFailureOfTheEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.add(ci, 2, time.Now())
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		p := &post{answer: func(ctx context.Context, _ registry.Endpoint, _ registry.Delivery) webhook.Outcome {
			<-ctx.Done()
			return webhook.Outcome{Error: "it did not answer in time"}
		}}
		d := deliverer(t, m, p)
		if r := d.Deliver(ctx, []webhook.Target{ci}, false)[ci]; r != (webhook.Result{}) {
			t.Errorf("%+v, want nothing", r)
		}
		if w := m.queues[ci].waiting[0]; w.Attempts != 0 || w.Error != "" {
			t.Errorf("%+v", w)
		}
		p.answer = nil
		if r := d.Deliver(t.Context(), []webhook.Target{ci}, false)[ci]; r.Delivered != 2 {
			t.Errorf("the next process, at once: %+v", r)
		}
	})
}

func TestAnAnswerThatComesWithTheEndOfTheProcessIsRecorded(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.add(ci, 2, time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	p := &post{answer: func(context.Context, registry.Endpoint, registry.Delivery) webhook.Outcome {
		cancel()
		return webhook.Outcome{Delivered: true}
	}}
	deliverer(t, m, p).Deliver(ctx, []webhook.Target{ci}, false)
	if d := cmp.Diff([]string{"acme-ci-1"}, m.left(ci, "delivered")); d != "" {
		t.Errorf("delivered (-want +got):\n%s", d)
	}
}

func TestOneProcessAtATimeSendsToAnEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.add(ci, 5, time.Now())
		p := &post{answer: func(context.Context, registry.Endpoint, registry.Delivery) webhook.Outcome {
			time.Sleep(10 * time.Second)
			return webhook.Outcome{Delivered: true}
		}}
		d := deliverer(t, m, p)
		var busy []webhook.Result
		go func() {
			for range 49 {
				time.Sleep(time.Second)
				busy = append(busy, d.Deliver(t.Context(), []webhook.Target{ci}, true)[ci])
			}
		}()
		d.Deliver(t.Context(), []webhook.Target{ci}, false)
		if d := cmp.Diff([]string{"acme-ci-1", "acme-ci-2", "acme-ci-3", "acme-ci-4", "acme-ci-5"}, p.got["https://acme.ci"]); d != "" {
			t.Errorf("sent (-want +got):\n%s", d)
		}
		if len(busy) < 45 || slices.ContainsFunc(busy, func(r webhook.Result) bool { return r != webhook.Result{Busy: true} }) {
			t.Errorf("the other process: %+v", busy)
		}
	})
}

func TestNoSecretIsInWhatIsLogged(t *testing.T) {
	t.Parallel()
	m, p := newMemory(), &post{answer: failing}
	m.add(ci, 1, time.Now())
	d := deliverer(t, m, p)
	var out bytes.Buffer
	d.Log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d.Deliver(t.Context(), []webhook.Target{ci}, false)
	p.answer = nil
	d.Deliver(t.Context(), []webhook.Target{ci}, true)
	d.Secrets = func(ref string) (webhook.Secrets, error) {
		return webhook.Source{Getenv: func(string) string { return webhooktest.Secret + "!" }}.Secrets(ref)
	}
	m.add(ci, 1, time.Now())
	d.Deliver(t.Context(), []webhook.Target{ci}, false)
	for _, want := range []string{"not delivered", "delivered", "cannot sign"} {
		if !strings.Contains(out.String(), "webhooks: "+want) {
			t.Errorf("the log does not say %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), strings.TrimPrefix(webhooktest.Secret, "whsec_")) {
		t.Errorf("the secret is in the log:\n%s", out.String())
	}
}
