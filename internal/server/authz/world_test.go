package authz

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/server/route"
)

// world is the control service behind its guard, and sources of all services that
// may call it.
type world struct {
	t     testing.TB
	guard *Guard
	url   string
	store registry.Store

	mu     sync.Mutex
	later  time.Duration // by how much the guard's clock is ahead
	logged bytes.Buffer
	dir    string
	shared map[string]mtls.Source
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "issuer"), shared: map[string]mtls.Source{}}
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w.store = store
	w.guard = NewGuard(Options{
		Self: mtls.ID(td.Name(), "control"), Identity: mtls.ID(td.Name(), "identity"), Source: w.source("control"),
		Engine: newTestEngine(t), Registry: store, Now: w.now, Log: slog.New(slog.NewTextHandler(&w.logged, nil)),
	})
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.later)
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.later += d
}

func (w *world) source(service string) mtls.Source {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.shared[service]; ok {
		return s
	}
	s, err := mtls.BuiltIn(w.dir, td.Name(), service, time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.shared[service] = s
	return s
}

// serve serves what is behind the guard. Every service may connect, as the policies
// are what is in question.
func (w *world) serve(h http.Handler) {
	w.t.Helper()
	var callers []spiffeid.ID
	for _, s := range route.Services() {
		callers = append(callers, mtls.ID(td.Name(), string(s)))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	server := &http.Server{Handler: h, TLSConfig: mtls.ServerConfig(w.source("control"), callers...), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.ServeTLS(listener, "", "") })
	w.t.Cleanup(func() { _ = server.Close(); wg.Wait() })
	w.url = "https://" + listener.Addr().String()
}

// client calls as a service.
func (w *world) client(service string) *http.Client {
	t := &http.Transport{TLSClientConfig: mtls.ClientConfig(w.source(service), mtls.ID(td.Name(), "control")), ForceAttemptHTTP2: true}
	w.t.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

// claims are those of a person of an org who was let in by the gateway just now.
func (w *world) claims(org string, roles ...string) delegation.Claims {
	now := w.now()
	return delegation.Claims{
		Org: org, Subject: "user:https://login." + org + ".example#1", Name: "ada@" + org + ".example", Roles: roles,
		Act: []string{serviceID("gateway")}, Audience: serviceID("control"), Request: "req-1", Host: org + ".freehold.example.com",
		Issued: now, Expires: now.Add(time.Minute),
	}
}

func (w *world) fleetClaims(roles ...string) delegation.Claims {
	c := w.claims("x", roles...)
	c.Org, c.Fleet, c.Host = "", true, "op.freehold.example.com"
	return c
}

func (w *world) token(c delegation.Claims) string {
	w.t.Helper()
	token, err := delegation.NewSigner(w.source("identity")).Sign(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// answer is what a service hears.
type answer struct {
	status  int
	body    string
	header  http.Header
	trailer http.Header
}

// ask sends a request of the Connect protocol with the headers, "" for none.
func (w *world) ask(client *http.Client, procedure, token, org string, change ...func(*http.Request)) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+procedure, bytes.NewReader([]byte("{}")))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set(delegation.ContextHeader, token)
	}
	if org != "" {
		r.Header.Set(delegation.OrgHeader, org)
	}
	for _, f := range change {
		f(r)
	}
	res, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Header.Del("Date")
	return answer{res.StatusCode, string(body), res.Header, res.Trailer}
}

// said is what echo answers.
type said struct {
	Org, Actor string
	Fleet      bool
	Headers    []string
	Deadline   bool
}

// echo says what a handler behind the guard knows.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	v, ok := delegation.From(r.Context())
	if !ok {
		http.Error(w, "nobody", http.StatusTeapot)
		return
	}
	s := said{Org: v.Context().Org(), Actor: v.Claims().Actor(), Fleet: v.Fleet().Valid()}
	for name := range r.Header {
		if len(name) > 8 && name[:8] == "Freehold" {
			s.Headers = append(s.Headers, name)
		}
	}
	_, s.Deadline = r.Context().Deadline()
	_ = json.NewEncoder(w).Encode(s)
})

// entries are what a log says, each in one line. "" is the fleet's.
func (w *world) entries(org string) (out []string) {
	w.t.Helper()
	var all []event.AuditEntry
	var err error
	if org == "" {
		all, err = w.store.Fleet(orgcontexttest.Fleet()).Audited(w.t.Context(), 0)
	} else {
		all, err = w.store.Org(orgcontexttest.For(org)).Audited(w.t.Context(), 0)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if err := registry.Verify(event.AuditEntry{}, all); err != nil {
		w.t.Error(err)
	}
	for _, e := range all {
		if e.What != "read the fleet's audit log" {
			out = append(out, fmt.Sprintf("%s %s %s: %s", e.Actor, e.Request, e.What, e.Result))
		}
	}
	return out
}

// full is a registry whose logs cannot be written.
type full struct{ registry.Store }

func (f full) Org(c orgcontext.Context) registry.OrgStore { return fullOrg{f.Store.Org(c)} }

type fullOrg struct{ registry.OrgStore }

func (fullOrg) Note(context.Context, ...registry.Note) error { return errors.New("the disk is full") }

// traced counts the connections that a request is sent on, by their local address.
func traced(ctx context.Context, seen map[string]bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		seen[c.Conn.LocalAddr().String()] = true
	}})
}
