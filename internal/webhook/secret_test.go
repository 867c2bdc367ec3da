package webhook_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/webhook"
	"freehold.dev/freehold/internal/webhook/webhooktest"
)

// secrets are the receivers'.
func secrets(t *testing.T, all ...string) webhook.Secrets {
	t.Helper()
	if len(all) == 0 {
		all = []string{webhooktest.Secret}
	}
	s, err := webhook.Source{Getenv: func(string) string { return strings.Join(all, "\n") }}.Secrets("env:SECRET")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The vector is the one that the libraries of the specification test themselves with:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/go/webhook_test.go
func TestASignatureIsAsThePublishedOne(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	if err := secrets(t).Sign(h, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)); err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Webhook-Id": {"msg_p5jXN8AQM9LWM0D4loKWxJek"}, "Webhook-Timestamp": {"1614265330"},
		"Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	}
	if d := cmp.Diff(want, h); d != "" {
		t.Errorf("headers (-want +got):\n%s", d)
	}
}

func TestDuringARotationEachSecretSigns(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	if err := secrets(t, webhooktest.Secret, webhooktest.OldSecret).Sign(h, "op-1", time.Unix(1614265330, 0), []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(h.Get("webhook-signature"), " ")
	if len(parts) != 2 || parts[0] == parts[1] {
		t.Fatalf("signatures %q, want two", parts)
	}
	for i, s := range []string{webhooktest.Secret, webhooktest.OldSecret} {
		one := http.Header{}
		if err := secrets(t, s).Sign(one, "op-1", time.Unix(1614265330, 0), []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		if got := one.Get("webhook-signature"); got != parts[i] {
			t.Errorf("signature %d is %s, want %s", i+1, parts[i], got)
		}
	}
}

func TestAReference(t *testing.T) {
	t.Parallel()
	for ref, good := range map[string]bool{
		"env:SECRET": true, "env:_s1": true, "file:/run/secrets/hook": true,
		"": false, "env:": false, "env:A B": false, "env:1A": false, "env:A=B": false, "file:": false, "file:hook": false, "file:../hook": false,
		"file:/run/../etc/hook": false, "SECRET": false, "vault:hook": false, "file://host/hook": false, webhooktest.Secret: false, "env:" + webhooktest.Secret: false,
	} {
		err := webhook.CheckReference(ref)
		if good != (err == nil) || err != nil && !errors.Is(err, webhook.ErrReference) {
			t.Errorf("%q: %v", ref, err)
		}
	}
	if err := webhook.CheckReference(webhooktest.Secret); err == nil || strings.Contains(err.Error(), webhooktest.Secret) {
		t.Errorf("%v, want an error without the secret", err)
	}
}

func TestWhatIsNotASecretIsRefusedAndNotShown(t *testing.T) {
	t.Parallel()
	const raw = "SuperSecretText+"
	short, long := base64.StdEncoding.EncodeToString([]byte(raw)), base64.StdEncoding.EncodeToString([]byte(strings.Repeat(raw, 5)))
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"not set":              {"", webhook.ErrNoSecret},
		"only white space":     {" \n", webhook.ErrBadSecret},
		"no prefix":            {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", webhook.ErrBadSecret},
		"not base64":           {"whsec_SuperSecretText-and-more", webhook.ErrBadSecret},
		"too short":            {"whsec_" + short, webhook.ErrBadSecret},
		"too long":             {"whsec_" + long, webhook.ErrBadSecret},
		"a private key":        {"whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", webhook.ErrBadSecret},
		"the second of two":    {webhooktest.Secret + " whsec_SuperSecretText", webhook.ErrBadSecret},
		"more than are needed": {strings.Repeat(webhooktest.Secret+"\n", 9), webhook.ErrBadSecret},
	} {
		_, err := webhook.Source{Getenv: func(string) string { return c.text }}.Secrets("env:SECRET")
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		for word := range strings.FieldsSeq(strings.NewReplacer("whsec_", " ", "-", " ").Replace(c.text)) {
			if len(word) > 8 && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), word) {
				t.Errorf("%s: the error shows %q: %v", name, word, err)
			}
		}
	}
}

func TestASecretOfAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hook")
	if _, err := webhook.OS().Secrets("file:" + file); !errors.Is(err, webhook.ErrNoSecret) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, want ErrNoSecret and ErrNotExist", err)
	}
	if err := os.WriteFile(file, []byte(webhooktest.Secret+"\n"+webhooktest.OldSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := webhook.OS().Secrets("file:" + file); err != nil {
		t.Error(err)
	}
	endless := webhook.Source{Open: func(string) (io.ReadCloser, error) { return io.NopCloser(zeros{}), nil }}
	if _, err := endless.Secrets("file:/dev/zero"); !errors.Is(err, webhook.ErrNoSecret) {
		t.Errorf("an endless file: %v, want ErrNoSecret", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestSecretsShowThemselvesToNobody(t *testing.T) {
	t.Parallel()
	s := secrets(t)
	var out bytes.Buffer
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, format+"\n", s)
		fmt.Fprintf(&out, format+"\n", []any{s, &s, struct{ S webhook.Secrets }{s}})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("a", "s", s, "in", map[string]any{"s": s})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("a", "s", s, "in", struct{ S webhook.Secrets }{s})
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhooktest.Secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{"MfKQ9r8G", string(key[:6]), fmt.Sprintf("%x", key[:6]), fmt.Sprint(key[:6])[1:8], fmt.Sprintf("%#v", key[:3])[7:14]} {
		if strings.Contains(out.String(), shown) {
			t.Errorf("%q is in %s", shown, out.String())
		}
	}
}
