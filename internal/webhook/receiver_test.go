package webhook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/webhook"
	"freehold.dev/freehold/internal/webhook/webhooktest"
)

// CloudEvent is what of an event a receiver usually looks at.
type CloudEvent struct {
	ID   string          `json:"id"`   // the same as webhook-id
	Type string          `json:"type"` // dev.freehold.operation.succeeded
	Org  string          `json:"org"`
	Data json.RawMessage `json:"data"`
}

// Receive verifies each request and stores its event. store does nothing for an
// id that it has, and returns after the event is safe.
func Receive(secrets []string, store func(CloudEvent) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "cannot read the body", http.StatusBadRequest)
			return
		}
		verified := false
		for _, secret := range secrets { // whsec_…; two while one takes the place of the other
			hook, err := standardwebhooks.NewWebhook(secret)
			verified = verified || err == nil && hook.Verify(body, r.Header) == nil
		}
		if !verified {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		var e CloudEvent
		if err := json.Unmarshal(body, &e); err != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		if err := store(e); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced is the only block of a language in a page.
func fenced(t *testing.T, page, language string) string {
	t.Helper()
	_, after, ok := strings.Cut(page, "```"+language+"\n")
	block, _, closed := strings.Cut(after, "```")
	if !ok || !closed {
		t.Fatalf("the page has no block of %s", language)
	}
	return block
}

func TestTheReceiverOfTheDocsIsTheOneThatIsTested(t *testing.T) {
	t.Parallel()
	block := fenced(t, guide(t), "go")
	source, err := os.ReadFile("receiver_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(source, []byte(block)) {
		t.Errorf("this is not the code of receiver_test.go:\n%s", block)
	}
}

func TestTheReceiverOfTheDocsTakesWhatIsSent(t *testing.T) {
	t.Parallel()
	stored := map[string]CloudEvent{}
	full := false
	handler := Receive([]string{webhooktest.Secret, webhooktest.OldSecret}, func(e CloudEvent) error {
		if full {
			return errors.New("no space left")
		}
		stored[e.ID] = e
		return nil
	})
	s, c := serve(t, handler)
	body := []byte(`{"specversion":"1.0","id":"op-1","type":"dev.freehold.operation.succeeded","org":"acme","data":{"sequence":1}}`)
	post := func(with webhook.Secrets, at time.Time) string {
		return c.Send(t.Context(), registry.Endpoint{URL: s.URL}, with, registry.Delivery{ID: "op-1", Body: body}, at).Error
	}
	now := time.Now()
	for sentence, got := range map[string]string{
		"the secret":                      post(secrets(t), now),
		"the old secret":                  post(secrets(t, webhooktest.OldSecret), now),
		"both, as in a rotation":          post(secrets(t, webhooktest.OldSecret, webhooktest.Secret), now),
		"another secret is refused":       strings.TrimPrefix(post(secrets(t, "whsec_"+strings.Repeat("A", 32)), now), strings.TrimPrefix(s.URL, "https://")+" answered 401 Unauthorized"),
		"an old request is not repeated":  strings.TrimPrefix(post(secrets(t), now.Add(-6*time.Minute)), strings.TrimPrefix(s.URL, "https://")+" answered 401 Unauthorized"),
		"nor is one of the future's time": strings.TrimPrefix(post(secrets(t), now.Add(6*time.Minute)), strings.TrimPrefix(s.URL, "https://")+" answered 401 Unauthorized"),
	} {
		if got != "" {
			t.Errorf("%s: %s", sentence, got)
		}
	}
	want := map[string]CloudEvent{"op-1": {ID: "op-1", Type: "dev.freehold.operation.succeeded", Org: "acme", Data: json.RawMessage(`{"sequence":1}`)}}
	if d := cmp.Diff(want, stored); d != "" {
		t.Errorf("stored (-want +got):\n%s", d)
	}
	full = true
	if got := post(secrets(t), now); !strings.HasSuffix(got, "answered 503 Service Unavailable") {
		t.Errorf("what cannot be stored: %q, want it to be sent again", got)
	}
}

// The page's Python has no dependency, for those who have no Go.
func TestThePythonOfTheDocsVerifiesWhatIsSent(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	file := filepath.Join(t.TempDir(), "verify.py")
	main := `
import json, sys
request = json.load(sys.stdin)
sys.exit(0 if verified(request["headers"], request["body"].encode(), request["secrets"]) else 3)
`
	if err := os.WriteFile(file, []byte(fenced(t, guide(t), "python")+main), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(with webhook.Secrets, at time.Time, body string, known ...string) error {
		h := http.Header{}
		if err := with.Sign(h, "op-1", at, []byte(body)); err != nil {
			t.Fatal(err)
		}
		headers := map[string]string{}
		for name := range h {
			headers[strings.ToLower(name)] = h.Get(name)
		}
		request, err := json.Marshal(map[string]any{"headers": headers, "body": `{"id":"op-1"}`, "secrets": known})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), python, file)
		cmd.Stdin = bytes.NewReader(request)
		return cmd.Run()
	}
	now := time.Now()
	if err := verify(secrets(t, webhooktest.OldSecret, webhooktest.Secret), now, `{"id":"op-1"}`, webhooktest.Secret); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for sentence, err := range map[string]error{
		"another body":   verify(secrets(t), now, `{"id":"op-2"}`, webhooktest.Secret),
		"another secret": verify(secrets(t), now, `{"id":"op-1"}`, webhooktest.OldSecret),
		"an old one":     verify(secrets(t), now.Add(-6*time.Minute), `{"id":"op-1"}`, webhooktest.Secret),
	} {
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 3 {
			t.Errorf("%s: %v, want it refused", sentence, err)
		}
	}
}
