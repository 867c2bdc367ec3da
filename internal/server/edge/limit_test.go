package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func limiter(change func(*Limits)) (*Limiter, *clock) {
	l, c := DefaultLimits(), &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if change != nil {
		change(&l)
	}
	return NewLimiter(l, c.now), c
}

func TestAnOrgGetsItsRateWhateverOthersDo(t *testing.T) {
	l, c := limiter(func(l *Limits) { l.PerSecond, l.Burst = 10, 20 })
	admitted := map[string]int{}
	ask := func(org string) {
		done, limited := l.Admit(org, false)
		if limited == nil {
			admitted[org]++
			done()
		} else if limited.By != "rate" || limited.After <= 0 || limited.After > time.Second {
			t.Fatalf("%+v", limited)
		}
	}
	// For ten seconds one org asks 1000 times a second, and another one 5 times.
	for tick := range 10_000 {
		ask("noisy")
		if tick%200 == 0 {
			ask("quiet")
		}
		c.t = c.t.Add(time.Millisecond)
	}
	if admitted["quiet"] != 50 {
		t.Errorf("the quiet org had %d of 50 requests admitted", admitted["quiet"])
	}
	if n := admitted["noisy"]; n < 115 || n > 120 {
		t.Errorf("the noisy org had %d requests admitted, want its burst and ten per second", n)
	}
}

func TestFailuresOfAnAddressAreCounted(t *testing.T) {
	l, c := limiter(func(l *Limits) { l.FailuresPerSecond, l.FailuresBurst, l.Unauthenticated = 1, 2, 3 })
	try := func(addr string, authenticated bool) *Limited {
		done, limited := l.Authenticating(netip.MustParseAddr(addr))
		if limited == nil {
			done(authenticated)
		}
		return limited
	}
	for range 100 {
		if limited := try("192.0.2.1", true); limited != nil {
			t.Fatalf("%+v", limited)
		}
	}
	for range 2 {
		if limited := try("192.0.2.1", false); limited != nil {
			t.Fatalf("%+v", limited)
		}
	}
	if limited := try("192.0.2.1", true); limited == nil || limited.By != "peer" || limited.After != time.Second {
		t.Errorf("%+v", limited)
	}
	if limited := try("192.0.2.2", false); limited != nil {
		t.Errorf("another address: %+v", limited)
	}
	c.t = c.t.Add(time.Second)
	if limited := try("192.0.2.1", true); limited != nil {
		t.Errorf("a second later: %+v", limited)
	}
	// An IPv6 network is one address.
	for i := range 2 {
		if limited := try(fmt.Sprintf("2001:db8:0:1::%d", i+1), false); limited != nil {
			t.Fatalf("%+v", limited)
		}
	}
	if try("2001:db8:0:1:ffff::1", true) == nil {
		t.Error("the same network is not limited")
	}
	if limited := try("2001:db8:0:2::1", true); limited != nil {
		t.Errorf("another network: %+v", limited)
	}
	// Requests that wait for identity are bounded, too.
	for range 3 {
		if _, limited := l.Authenticating(netip.MustParseAddr("192.0.2.9")); limited != nil {
			t.Fatalf("%+v", limited)
		}
	}
	if _, limited := l.Authenticating(netip.MustParseAddr("192.0.2.9")); limited == nil {
		t.Error("a fourth one may wait")
	}
}

func TestTheLimiterRemembersABoundedNumberOfAddresses(t *testing.T) {
	l, c := limiter(func(l *Limits) { l.Addresses = 100 })
	for i := range 10_000 {
		done, limited := l.Authenticating(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
		if limited != nil {
			t.Fatalf("%+v", limited)
		}
		done(false)
		c.t = c.t.Add(time.Millisecond)
	}
	if n := len(l.peers.entries); n > 100 {
		t.Errorf("%d addresses are remembered", n)
	}
	// Those that were quiet for long enough are forgotten.
	c.t = c.t.Add(time.Hour)
	if _, limited := l.Authenticating(netip.Addr{}); limited != nil {
		t.Errorf("%+v", limited)
	}
	if n := len(l.peers.entries); n != 1 {
		t.Errorf("%d addresses are remembered after an hour", n)
	}
}

func TestOperations(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(NewMetrics())
	var notReady error
	h := Operations(registry, func(context.Context) error { return notReady }, slog.New(slog.DiscardHandler))
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": `freehold_requests_limited_total{by="rate"} 0`} {
		if code, body := ask(path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	notReady = errors.New("service drift does not answer")
	if code, body := ask("/readyz"); code != 503 || body != "not ready: service drift does not answer\n" {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := ask("/healthz"); code != 200 {
		t.Error("a process that waits for another one is not dead")
	}
	if code, _ := ask("/v1/projects"); code != 404 {
		t.Errorf("/v1/projects: %d", code)
	}
}
