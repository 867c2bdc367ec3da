package lab

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

func TestTheFrontPassesOnToAnAPIServerOfTheLab(t *testing.T) {
	healthy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "ok")
	})
	server, other := httptest.NewTLSServer(healthy), httptest.NewTLSServer(healthy)
	t.Cleanup(server.Close)
	t.Cleanup(other.Close)
	f, err := newFront("127.0.0.1:1", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if err := f.reaches(server.URL); err != nil {
		t.Fatal(err)
	}
	proxy, err := url.Parse(f.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := server.Client()
	client.Transport.(*http.Transport).Proxy = http.ProxyURL(proxy)
	ask := func(server string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		return client.Do(req)
	}
	resp, err := ask(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || string(body) != "ok" || err != nil {
		t.Errorf("it answers %s %q, %v", resp.Status, body, err)
	}
	if resp, err := ask(other.URL); err == nil {
		_ = resp.Body.Close()
		t.Error("it passes on to a server that is not the lab's")
	}
	if calls := f.Calls(); len(calls) != 0 {
		t.Errorf("calls to an API server are recorded as AWS's: %+v", calls)
	}
}
