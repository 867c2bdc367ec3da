package webhook_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/webhook"
	"freehold.dev/freehold/internal/webhook/webhooktest"
)

// serve is a server whose host is allowed, and a client that trusts it.
func serve(t *testing.T, h http.Handler) (*httptest.Server, *webhook.Client) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, trusting(s, 5*time.Second)
}

func trusting(s *httptest.Server, timeout time.Duration) *webhook.Client {
	o := webhook.ClientOptions{Allowed: webhook.Hosts{"127.0.0.1"}, Timeout: timeout, Version: "v1"}
	if s.Certificate() != nil {
		o.Roots = x509.NewCertPool()
		o.Roots.AddCert(s.Certificate())
	}
	return webhook.NewClient(o)
}

func TestARequestIsASignedCloudEvent(t *testing.T) {
	t.Parallel()
	var r webhooktest.Receiver
	s, c := serve(t, &r)
	body := []byte(`{"specversion":"1.0","id":"op-1","type":"dev.freehold.operation.succeeded"}`)
	d := registry.Delivery{ID: "op-1", Body: body}
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	out := c.Send(t.Context(), registry.Endpoint{URL: s.URL + "/a?b=c"}, secrets(t, webhooktest.OldSecret, webhooktest.Secret), d, at)
	if !out.Delivered {
		t.Fatalf("%+v", out)
	}
	got := r.All()[0]
	if !got.Verified || got.ID != "op-1" {
		t.Errorf("verified is %v of %q", got.Verified, got.ID)
	}
	if d := cmp.Diff(string(body), string(got.Body)); d != "" {
		t.Error(d)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/cloudevents+json; charset=utf-8", "Webhook-Timestamp": "1777896000", "User-Agent": "Freehold-Webhooks/v1", "Accept-Encoding": "",
	} {
		if got := got.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestAnAnswer(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	answer := func(code int, after string) func(int, http.ResponseWriter, webhooktest.Received) {
		return func(_ int, w http.ResponseWriter, _ webhooktest.Received) {
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(code)
		}
	}
	for name, c := range map[string]struct {
		code  int
		after string
		want  webhook.Outcome
	}{
		"200":                                {200, "", webhook.Outcome{Delivered: true}},
		"204":                                {204, "", webhook.Outcome{Delivered: true}},
		"299":                                {299, "7", webhook.Outcome{Delivered: true}},
		"410":                                {410, "7", webhook.Outcome{Gone: true, Error: "HOST answered 410 Gone"}},
		"301":                                {301, "", webhook.Outcome{Error: "HOST answered 301 Moved Permanently: redirects are not followed, name the final URL"}},
		"307":                                {307, "", webhook.Outcome{Error: "HOST answered 307 Temporary Redirect: redirects are not followed, name the final URL"}},
		"400":                                {400, "", webhook.Outcome{Error: "HOST answered 400 Bad Request"}},
		"500":                                {500, "", webhook.Outcome{Error: "HOST answered 500 Internal Server Error"}},
		"599":                                {599, "", webhook.Outcome{Error: "HOST answered 599 "}},
		"429 with seconds":                   {429, "120", webhook.Outcome{Error: "HOST answered 429 Too Many Requests", Wait: 2 * time.Minute}},
		"503 with a date":                    {503, at.Add(time.Hour).Format(http.TimeFormat), webhook.Outcome{Error: "HOST answered 503 Service Unavailable", Wait: time.Hour}},
		"503 with a date that is past":       {503, at.Add(-time.Hour).Format(http.TimeFormat), webhook.Outcome{Error: "HOST answered 503 Service Unavailable"}},
		"503 with what is neither":           {503, "soon", webhook.Outcome{Error: "HOST answered 503 Service Unavailable"}},
		"503 with less than nothing":         {503, "-1", webhook.Outcome{Error: "HOST answered 503 Service Unavailable"}},
		"503 with more seconds than fit":     {503, "99999999999999999999", webhook.Outcome{Error: "HOST answered 503 Service Unavailable"}},
		"502 with seconds, as a proxy gives": {502, "5", webhook.Outcome{Error: "HOST answered 502 Bad Gateway", Wait: 5 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := webhooktest.Receiver{Answer: answer(c.code, c.after)}
			s, client := serve(t, &r)
			out := client.Send(t.Context(), registry.Endpoint{URL: s.URL}, secrets(t), registry.Delivery{ID: "op-1"}, at)
			out.Error = strings.ReplaceAll(out.Error, strings.TrimPrefix(s.URL, "https://"), "HOST")
			if d := cmp.Diff(c.want, out); d != "" {
				t.Errorf("outcome (-want +got):\n%s", d)
			}
			if n := len(r.All()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// A receiver that can be anybody's writes what it likes. None of it is for the
// operator's terminal, or for whoever may read why a delivery failed.
func TestNothingThatAReceiverWritesIsInAnError(t *testing.T) {
	t.Parallel()
	const theirs = "\x1b[31mTheirs"
	raw := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte(text))
				_ = conn.Close()
			}
		})
	}
	for name, text := range map[string]string{
		"a status of its own":     "HTTP/1.1 500 " + theirs + "\r\nContent-Length: 6\r\n\r\nTheirs",
		"what is not HTTP":        "220 " + theirs + "\r\n",
		"a header that is none":   "HTTP/1.1 500 X\r\n" + theirs + "\r\n\r\n",
		"a status that is none":   "HTTP/1.1 Theirs X\r\n\r\n",
		"a length that is none":   "HTTP/1.1 200 OK\r\nContent-Length: Theirs\r\n\r\n",
		"an encoding of its own":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: Theirs\r\n\r\n",
		"more headers than fit":   "HTTP/1.1 500 X\r\nA: " + strings.Repeat("Theirs", 20_000) + "\r\n\r\n",
		"nothing":                 "",
		"an answer without a end": "HTTP/1.1 500",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(raw(text))
			t.Cleanup(s.Close)
			out := trusting(s, 5*time.Second).Send(t.Context(), registry.Endpoint{URL: s.URL + "/?token=private"}, secrets(t), registry.Delivery{ID: "op-1"}, time.Now())
			if out.Delivered || out.Error == "" {
				t.Fatalf("%+v", out)
			}
			for _, not := range []string{"Theirs", "\x1b", "private"} {
				if strings.Contains(out.Error, not) {
					t.Errorf("%q is in %q", not, out.Error)
				}
			}
		})
	}
}

func TestAnAnswerWithoutAnEndIsNotRead(t *testing.T) {
	t.Parallel()
	s, c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	}))
	began := time.Now()
	if out := c.Send(t.Context(), registry.Endpoint{URL: s.URL}, secrets(t), registry.Delivery{ID: "op-1"}, time.Now()); !out.Delivered {
		t.Errorf("%+v", out)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAReceiverThatDoesNotAnswerIsGivenUp(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	out := trusting(s, 50*time.Millisecond).Send(t.Context(), registry.Endpoint{URL: s.URL}, secrets(t), registry.Delivery{ID: "op-1"}, time.Now())
	if out.Delivered || !strings.HasSuffix(out.Error, " did not answer in time") {
		t.Errorf("%+v", out)
	}
}

func TestACertificateIsVerified(t *testing.T) {
	t.Parallel()
	var r webhooktest.Receiver
	s, _ := serve(t, &r)
	to := func(url string, o webhook.ClientOptions) string {
		o.Allowed = webhook.Hosts{"127.0.0.1", "localhost"}
		return webhook.NewClient(o).Send(t.Context(), registry.Endpoint{URL: url}, secrets(t), registry.Delivery{ID: "op-1"}, time.Now()).Error
	}
	if got := to(s.URL, webhook.ClientOptions{}); !strings.HasSuffix(got, "has a certificate of an authority that is not trusted here") {
		t.Errorf("of nobody: %q", got)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if got := to(strings.Replace(s.URL, "127.0.0.1", "localhost", 1), webhook.ClientOptions{Roots: roots}); !strings.HasSuffix(got, "has a certificate that is for another host") {
		t.Errorf("of another host: %q", got)
	}
	plain := httptest.NewServer(&r)
	t.Cleanup(plain.Close)
	if got := to(strings.Replace(plain.URL, "http:", "https:", 1), webhook.ClientOptions{}); !strings.HasSuffix(got, "does not speak TLS") {
		t.Errorf("of a host without TLS: %q", got)
	}
	old := httptest.NewUnstartedServer(&r)
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10} //nolint:gosec // what is refused
	old.StartTLS()
	t.Cleanup(old.Close)
	if got := to(old.URL, webhook.ClientOptions{Roots: roots}); !strings.HasSuffix(got, "refused the TLS connection") {
		t.Errorf("of an old version: %q", got)
	}
	if n := len(r.All()); n > 0 {
		t.Errorf("%d requests came through", n)
	}
}

// A proxy connects for whoever asks: where to, is not seen here.
func TestAProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	var proxied webhooktest.Receiver
	proxy := httptest.NewServer(&proxied)
	t.Cleanup(proxy.Close)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	c, connected := dialled(t, &names{answers: map[string][][]string{"hooks.example.com": {{"93.184.215.14"}}, "in.example.com": {{"10.0.0.1"}}}})
	send(t, c, "https://hooks.example.com/")
	send(t, c, "https://in.example.com/")
	if d := cmp.Diff([]string{"93.184.215.14:443"}, connected()); d != "" {
		t.Errorf("connected to (-want +got):\n%s", d)
	}
	if n := len(proxied.All()); n > 0 {
		t.Errorf("%d requests went to the proxy", n)
	}
}

func TestAHostThatCannotBeReachedIsNamed(t *testing.T) {
	t.Parallel()
	c := webhook.NewClient(webhook.ClientOptions{Allowed: webhook.Hosts{"127.0.0.1"}, Resolver: (&names{asked: map[string]int{}}).resolver()})
	if got := send(t, c, "https://nobody.example.com/?token=private").Error; got != "nobody.example.com has no address: the name is unknown" {
		t.Errorf("a name that is unknown: %q", got)
	}
	deaf := webhook.NewClient(webhook.ClientOptions{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, io.ErrUnexpectedEOF
	}}})
	if got := send(t, deaf, "https://nobody.example.com/?token=private").Error; got != "nobody.example.com has no known address: the name server did not answer" {
		t.Errorf("without a name server: %q", got)
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	if got := send(t, c, closed.URL+"/?token=private").Error; !strings.HasSuffix(got, "connection refused") || strings.Contains(got, "private") {
		t.Errorf("a port that nobody listens at: %q", got)
	}
}
