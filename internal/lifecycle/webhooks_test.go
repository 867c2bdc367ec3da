package lifecycle

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/render"
	"freehold.dev/freehold/internal/webhook"
	"freehold.dev/freehold/internal/webhook/webhooktest"
)

// mail is a network in which each URL leads to a receiver. It signs as a Client
// does, and answers without a connection.
type mail map[string]*webhooktest.Receiver

func (m mail) Send(_ context.Context, to registry.Endpoint, with webhook.Secrets, d registry.Delivery, at time.Time) webhook.Outcome {
	req := httptest.NewRequest(http.MethodPost, to.URL, bytes.NewReader(d.Body))
	if err := with.Sign(req.Header, d.ID, at, d.Body); err != nil {
		return webhook.Outcome{Error: err.Error()}
	}
	w := httptest.NewRecorder()
	m[to.URL].ServeHTTP(w, req)
	return webhook.Outcome{Delivered: w.Code < 300, Gone: w.Code == http.StatusGone, Error: fmt.Sprintf("it answered %d", w.Code)}
}

// signed are secrets that every variable holds.
var signed = webhook.Source{Getenv: func(string) string { return webhooktest.Secret }}

const (
	endsURL = "https://ends.example.com/in"
	allURL  = "https://all.example.com/in"
)

// hooked is a place in which acme's events are sent to two endpoints.
func hooked(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	proc := p.here()
	for _, w := range []Webhook{
		{Name: "ends", URL: endsURL, Secret: "env:SECRET"},
		{Name: "all", URL: allURL, Secret: "env:SECRET", Events: []string{"operation", "layer", "diagnostic"}},
	} {
		proc.Hooks.Secrets = signed
		if _, notes, err := proc.AddWebhook(t.Context(), "acme", w); err != nil || len(notes) != 1 {
			t.Fatalf("%q, %v", notes, err)
		}
	}
	return p
}

// expected are the ids of acme's stored events that an endpoint selects, in the
// order in which they were stored.
func expected(t *testing.T, p *process, types event.Selection) (ids []string) {
	t.Helper()
	ops := must[[]event.Operation](t)(p.registryOf("acme").Operations(t.Context()))
	slices.Reverse(ops)
	for _, op := range ops {
		for _, ev := range must[[]event.Event](t)(p.registryOf("acme").Events(t.Context(), op.ID, 0)) {
			if types.Wants(ev.Type) {
				ids = append(ids, render.CloudEventID(ev, 0))
			}
		}
	}
	return ids
}

// TestNoWebhookIsMissingAfterAKillBetweenAnyTwoWrites kills an onboard that then
// delivers, after its writes in turn, and while a receiver answers. What follows
// on another machine delivers the rest.
func TestNoWebhookIsMissingAfterAKillBetweenAnyTwoWrites(t *testing.T) {
	t.Parallel()
	start := hooked(t)
	run := func(p *process, m mail) error {
		p.Hooks = Hooks{Sender: m, Secrets: signed}
		_, err := p.onboard(document(t, oneGateway))
		if err == nil {
			_, err = p.DeliverWebhooks(p.Context(), []string{"acme"}, false)
		}
		return err
	}
	calm := start.copied(t).here()
	if err := run(calm, mail{endsURL: {}, allURL: {}}); err != nil {
		t.Fatal(err)
	}
	writes := calm.Writes()
	// checked is what follows a kill: everything came to the receivers, once for
	// the first time in the order of the events, and verified.
	checked := func(t *testing.T, p *place, m mail) {
		t.Helper()
		again := p.start(lifecycletest.Machine{Name: "b"})
		p.world.Sleep(again.Holding.TTL)
		if err := run(again, m); err != nil {
			t.Fatal(err)
		}
		for url, types := range map[string]event.Selection{endsURL: event.Terminal(), allURL: {"operation", "layer", "diagnostic"}} {
			if d := cmp.Diff(expected(t, again, types), m[url].IDs()); d != "" {
				t.Errorf("%s received (-want +got):\n%s", url, d)
			}
		}
	}
	late := 0
	for n, w := range writes {
		sending := slices.Contains([]string{"take", "next", "attempted", "yield", "end", "delivered"}, w.What)
		if sending {
			late++
		}
		if !sending && n%15 != 0 {
			continue
		}
		t.Run(fmt.Sprintf("%d, after %s", n+1, w), func(t *testing.T) {
			p, m := start.copied(t), mail{endsURL: {}, allURL: {}}
			proc := p.start(lifecycletest.Machine{Name: "a"})
			proc.KillAfter(n + 1)
			_ = run(proc, m) // nobody hears it
			if !proc.Killed() {
				t.Fatal("it lives")
			}
			checked(t, p, m)
		})
	}
	if late < 20 {
		t.Errorf("only %d writes are about sending: %v", late, writes)
	}
	for n := range 4 {
		t.Run(fmt.Sprintf("while answer %d is on its way", n+1), func(t *testing.T) {
			p := start.copied(t)
			proc := p.start(lifecycletest.Machine{Name: "a"})
			dies := &webhooktest.Receiver{Answer: func(got int, w http.ResponseWriter, _ webhooktest.Received) {
				if got == n+1 {
					proc.Kill()
				}
				w.WriteHeader(http.StatusNoContent)
			}}
			m := mail{endsURL: {}, allURL: dies}
			_ = run(proc, m)
			if !proc.Killed() {
				t.Fatal("it lives")
			}
			checked(t, p, m)
			if all := dies.All(); all[n].ID != all[n+1].ID || !bytes.Equal(all[n].Body, all[n+1].Body) {
				t.Errorf("then came %s, want %s again", all[n+1].ID, all[n].ID)
			}
		})
	}
}

// An event is what the operation's own stream showed: the same id, the same document.
func TestAnEventArrivesByTLSAsTheStreamShowedIt(t *testing.T) {
	t.Parallel()
	var receiver webhooktest.Receiver
	server := httptest.NewTLSServer(&receiver)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	hosts := webhook.Hosts{"127.0.0.1"}
	p := newPlace(t).here()
	p.Hooks = Hooks{Sender: webhook.NewClient(webhook.ClientOptions{Allowed: hosts, Roots: roots}), Secrets: signed, Allowed: hosts}
	must2(t)(p.AddWebhook(t.Context(), "acme", Webhook{Name: "ci", URL: server.URL, Secret: "env:SECRET", Events: []string{"operation"}}))
	must[event.Onboarding](t)(p.onboard(document(t)))
	d := must[[]event.Deliveries](t)(p.DeliverWebhooks(t.Context(), nil, false))
	if len(d) != 1 || d[0].Endpoints[0].Delivered != 2 || d[0].Endpoints[0].Waiting != 0 || d[0].Trouble() {
		t.Errorf("%+v", d)
	}
	var shown []string
	for _, ev := range p.shown {
		if strings.HasPrefix(string(ev.Type), "operation.") {
			shown = append(shown, string(must[[]byte](t)(render.CloudEvent(ev, 0))))
		}
	}
	var got []string
	for _, r := range receiver.All() {
		if !r.Verified {
			t.Errorf("%s is not verified", r.ID)
		}
		got = append(got, string(r.Body))
	}
	if d := cmp.Diff(shown, got); d != "" {
		t.Errorf("bodies (-shown +received):\n%s", d)
	}
	if d := must[[]event.Deliveries](t)(p.DeliverWebhooks(t.Context(), nil, false)); len(d) != 0 {
		t.Errorf("nothing is due, and it sent %+v", d)
	}
}

func must2(t *testing.T) func(event.Webhook, []string, error) {
	return func(_ event.Webhook, _ []string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAWebhookWithMistakesIsRefusedWithAllOfThem(t *testing.T) {
	t.Parallel()
	p := newPlace(t).here()
	p.Hooks.Secrets = signed
	good := Webhook{Name: "ci", URL: "https://hooks.example.com/", Secret: "env:SECRET"}
	for sentence, c := range map[string]struct {
		org    string
		change func(*Webhook)
		want   string
	}{
		"an org that cannot be":    {"Acme", func(*Webhook) {}, `org "Acme" is not a DNS label`},
		"a name that is no label":  {"acme", func(w *Webhook) { w.Name = "my hook" }, `name "my hook" is not a DNS label`},
		"no TLS":                   {"acme", func(w *Webhook) { w.URL = "http://hooks.example.com/" }, "invalid webhook URL: want https"},
		"a private address":        {"acme", func(w *Webhook) { w.URL = "https://10.0.0.1/" }, "10.0.0.1 is not a public address; --allow-host allows a host by name"},
		"a secret that is typed":   {"acme", func(w *Webhook) { w.Secret = webhooktest.Secret }, "want env:NAME or file:/path, and not the secret itself"},
		"a type that is not there": {"acme", func(w *Webhook) { w.Events = []string{"layer", "lair"} }, `event type "lair" is unknown`},
		"all at once": {
			"acme", func(w *Webhook) { w.Name, w.URL, w.Secret, w.Events = "", "ftp://x", "x", []string{"x"} },
			`name "" is not a DNS label of at most 40 characters; invalid webhook URL: want https://HOST/PATH; invalid secret reference: want env:NAME or file:/path; event type "x" is unknown`,
		},
	} {
		w := good
		c.change(&w)
		_, _, err := p.AddWebhook(t.Context(), c.org, w)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", sentence, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), strings.TrimPrefix(webhooktest.Secret, "whsec_")) {
			t.Errorf("%s: the secret is in the error", sentence)
		}
	}
	if _, err := p.Webhooks(t.Context(), "acme"); !errors.Is(err, ErrInvalid) {
		t.Errorf("something was recorded: %v", err)
	}
	p.Hooks.Secrets.Getenv = func(string) string { return "whsec_short" }
	if _, _, err := p.AddWebhook(t.Context(), "acme", good); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "not a signing secret") {
		t.Errorf("a secret that is none: %v", err)
	}
	p.Hooks.Secrets.Getenv = func(string) string { return "" }
	_, notes, err := p.AddWebhook(t.Context(), "acme", good)
	want := []string{
		"no secret to sign with: env:SECRET: the variable is not set: the process that sends needs it",
		"acme is not onboarded yet; the events of its first onboard will be sent",
	}
	if d := cmp.Diff(want, notes); d != "" || err != nil {
		t.Errorf("%v, notes (-want +got):\n%s", err, d)
	}
}

func TestAnEndpointIsChangedOnlyOnPurpose(t *testing.T) {
	t.Parallel()
	p := onboarded(t).here()
	m := mail{endsURL: {Answer: func(_ int, w http.ResponseWriter, _ webhooktest.Received) { w.WriteHeader(http.StatusGone) }}, allURL: {}}
	p.Hooks = Hooks{Sender: m, Secrets: signed}
	one := Webhook{Name: "ci", URL: endsURL, Secret: "env:SECRET"}
	must2(t)(p.AddWebhook(t.Context(), "acme", one))
	must2(t)(p.AddWebhook(t.Context(), "acme", one))
	two := one
	two.URL = allURL
	if _, _, err := p.AddWebhook(t.Context(), "acme", two); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "endpoint ci is there already, with other settings") {
		t.Errorf("%v", err)
	}
	must[event.Onboarding](t)(p.onboard(document(t)))
	for range 2 {
		d := must[[]event.Deliveries](t)(p.DeliverWebhooks(t.Context(), []string{"acme"}, true))
		if e := d[0].Endpoints[0]; e.Disabled != "it answered 410" || e.Waiting != 1 || e.Busy {
			t.Errorf("%+v", e)
		}
	}
	if n := len(m[endsURL].All()); n != 1 {
		t.Errorf("it was sent to %d times, and wants nothing", n)
	}
	if _, notes, err := p.AddWebhook(t.Context(), "acme", one); err != nil || len(notes) != 1 || !strings.Contains(notes[0], "freehold webhooks enable acme ci") {
		t.Errorf("%q, %v", notes, err)
	}
	two.Replace = true
	must2(t)(p.AddWebhook(t.Context(), "acme", two))
	d := must[[]event.Deliveries](t)(p.DeliverWebhooks(t.Context(), []string{"acme"}, false))
	if e := d[0].Endpoints[0]; e.Delivered != 1 || e.Waiting != 0 || len(m[allURL].IDs()) != 1 {
		t.Errorf("%+v", e)
	}
	for what, call := range map[string]func(string) error{
		"remove": func(name string) error { _, err := p.RemoveWebhook(t.Context(), "acme", name); return err },
		"enable": func(name string) error { _, err := p.EnableWebhook(t.Context(), "acme", name); return err },
		"dead":   func(name string) error { _, err := p.DeadLetters(t.Context(), "acme", name); return err },
		"resend": func(name string) error { _, err := p.ResendWebhooks(t.Context(), "acme", name, nil); return err },
	} {
		if err := call("nobody"); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `unknown endpoint "nobody"`) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := p.ResendWebhooks(t.Context(), "acme", "", []string{"x-1"}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `unknown dead letter "x-1"`) {
		t.Errorf("%v", err)
	}
}

func TestWhatIsFollowedIsSentAsItBecomesDue(t *testing.T) {
	t.Parallel()
	for sentence, orgs := range map[string][]string{"of one org": {"acme"}, "of all": nil} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			p := onboarded(t).here()
			m := mail{endsURL: {}}
			p.Hooks = Hooks{Sender: m, Secrets: signed, Every: time.Millisecond}
			must2(t)(p.AddWebhook(t.Context(), "acme", Webhook{Name: "ends", URL: endsURL, Secret: "env:SECRET"}))
			ctx, stop := context.WithCancel(t.Context())
			heard, done := make(chan event.Deliveries, 10), make(chan error, 1)
			go func() { done <- p.FollowWebhooks(ctx, orgs, func(d event.Deliveries) { heard <- d }) }()
			for range 2 {
				must[event.Onboarding](t)(p.onboard(document(t)))
				got := <-heard
				want := event.Deliveries{Org: "acme", Endpoints: []event.Delivery{{
					Webhook: event.Webhook{Name: "ends", URL: endsURL, Secret: "env:SECRET", Events: event.Terminal()}, Delivered: 1,
				}}}
				if d := cmp.Diff(want, got, cmpopts.IgnoreFields(event.Webhook{}, "Created")); d != "" {
					t.Errorf("heard (-want +got):\n%s", d)
				}
			}
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if _, err := p.DeliverWebhooks(t.Context(), []string{"nobody"}, false); !errors.Is(err, ErrInvalid) {
				t.Errorf("an org that is not there: %v", err)
			}
			if err := p.FollowWebhooks(t.Context(), []string{"nobody"}, nil); !errors.Is(err, ErrInvalid) {
				t.Errorf("an org that is not there: %v", err)
			}
		})
	}
}

// The registry's file and all that was logged, with the secret in use.
func TestNoSecretIsWritten(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	p := place.here()
	var log bytes.Buffer
	p.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	m := mail{endsURL: {Answer: func(n int, w http.ResponseWriter, _ webhooktest.Received) { w.WriteHeader([]int{500, 204}[(n-1)%2]) }}}
	p.Hooks = Hooks{Sender: m, Secrets: signed}
	must2(t)(p.AddWebhook(t.Context(), "acme", Webhook{Name: "ends", URL: endsURL, Secret: "env:SECRET"}))
	must[event.Onboarding](t)(p.onboard(document(t)))
	for range 2 {
		must[[]event.Deliveries](t)(p.DeliverWebhooks(t.Context(), []string{"acme"}, true))
	}
	if !m[endsURL].All()[1].Verified {
		t.Error("it was not signed")
	}
	written := log.Bytes()
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(place.file + suffix)
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, text...)
	}
	if !bytes.Contains(written, []byte("env:SECRET")) || !bytes.Contains(written, []byte("webhooks: delivered")) {
		t.Error("this is not what was written")
	}
	if bytes.Contains(written, []byte(strings.TrimPrefix(webhooktest.Secret, "whsec_"))) {
		t.Error("the secret is in what was written")
	}
}

func TestWhenTheTimeForSendingIsOverItSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	p := onboarded(t).here()
	m := mail{endsURL: {}}
	p.Hooks = Hooks{Sender: m, Secrets: signed}
	must2(t)(p.AddWebhook(t.Context(), "acme", Webhook{Name: "ends", URL: endsURL, Secret: "env:SECRET"}))
	must[event.Onboarding](t)(p.onboard(document(t)))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	d := must[[]event.Deliveries](t)(p.DeliverWebhooks(over, []string{"acme"}, false))
	if e := d[0].Endpoints[0]; e.Waiting != 1 || e.Failed+e.Delivered > 0 || e.Unsent != "" || len(m[endsURL].All()) > 0 {
		t.Errorf("%+v", e)
	}
}

// Two machines send at the same time, receivers fail now and then, and each event
// is still taken for the first time in its place.
func TestTwoProcessesThatSendAtOnceKeepTheOrder(t *testing.T) {
	t.Parallel()
	p := hooked(t)
	all := must[[]event.Webhooks](t)(p.here().AllWebhooks(t.Context()))
	if len(all) != 1 || all[0].Org != "acme" || len(all[0].Endpoints) != 2 {
		t.Errorf("the endpoints of all orgs are %+v", all)
	}
	var mu sync.Mutex
	taken := map[string][]string{}
	flaky := func(url string) *webhooktest.Receiver {
		return &webhooktest.Receiver{Answer: func(n int, w http.ResponseWriter, r webhooktest.Received) {
			if n%3 == 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if !slices.Contains(taken[url], r.ID) {
				taken[url] = append(taken[url], r.ID)
			}
		}}
	}
	m := mail{endsURL: flaky(endsURL), allURL: flaky(allURL)}
	here := p.here()
	onboard := func() { must[event.Onboarding](t)(here.onboard(document(t))) }
	onboard()
	onboard() // so that some wait behind the first that fails
	ctx, stop := context.WithCancel(t.Context())
	var both sync.WaitGroup
	for _, machine := range []string{"b", "c"} {
		follows := p.start(lifecycletest.Machine{Name: machine})
		follows.Hooks = Hooks{Sender: m, Secrets: signed, Every: time.Millisecond}
		both.Go(func() {
			if err := follows.FollowWebhooks(ctx, nil, func(event.Deliveries) {}); err != nil {
				t.Error(err)
			}
		})
	}
	onboard()
	onboard()
	left := func() (n int) {
		for _, e := range must[[]registry.EndpointState](t)(here.registryOf("acme").Endpoints(t.Context())) {
			n += e.Waiting + e.Dead
		}
		return n
	}
	for deadline := time.Now().Add(30 * time.Second); left() > 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		p.world.Sleep(time.Second) // what failed is sent again
	}
	stop()
	both.Wait()
	for url, types := range map[string]event.Selection{endsURL: event.Terminal(), allURL: {"operation", "layer", "diagnostic"}} {
		if d := cmp.Diff(expected(t, here, types), taken[url]); d != "" {
			t.Errorf("%s received (-want +got):\n%s", url, d)
		}
	}
}
