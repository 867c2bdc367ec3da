package identity_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/identity"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/spec"
)

const (
	base      = "freehold.example.com"
	acmeHost  = "acme." + base
	globeHost = "globex." + base
	operators = "op." + base
	domain    = "freehold.example"
	account   = "123456789012"

	list    = freeholdv1connect.OperationServiceListOperationsProcedure
	listAll = freeholdv1connect.FleetServiceListOrganizationsProcedure

	peopleOf = "access: {people: {issuerUrl: '%s', usernameClaim: email, roles: [{role: admin, groups: [admins]}, {role: viewer, groups: [security, audit]}]}}"
)

var (
	gateway = mtls.ID(domain, "gateway")
	control = mtls.ID(domain, "control")
	worker  = mtls.ID(domain, "worker")
	drift   = mtls.ID(domain, "drift")
	self    = mtls.ID(domain, "identity")
)

// world is an identity service over a real registry and a real issuer.
type world struct {
	*identity.Service

	t      testing.TB
	store  *sqlite.Store
	issuer *oidctest.Issuer
	source mtls.Source
	ahead  atomic.Int64 // of the service's clock, in nanoseconds
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// later lets time pass for the service.
func (w *world) later(d time.Duration) { w.ahead.Add(int64(d)) }

func newWorld(t testing.TB, change ...func(*world, *identity.Options)) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, issuer: oidctest.Serve(t)}
	var err error
	if w.store, err = sqlite.Open(t.Context(), filepath.Join(dir, "registry.db"), time.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	if w.source, err = mtls.BuiltIn(filepath.Join(dir, "issuer"), domain, "identity", w.now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.source.Close() })
	o := identity.Options{
		Hosts: edge.Hosts{Base: base, Operators: operators}, TrustDomain: domain, Records: w.store, Audit: w.store,
		Signer: delegation.NewSigner(w.source), Bundle: w.source, Transport: w.issuer.Transport(), Now: w.now,
	}
	for _, c := range change {
		c(w, &o)
	}
	if w.Service, err = identity.New(o); err != nil {
		t.Fatal(err)
	}
	return w
}

// record records an org as onboard does; the fields are those of its spec.
func (w *world) record(org, state string, has event.DataPlane, fields ...string) {
	w.t.Helper()
	document := "org: " + org + "\nregion: eu-central-1\naccount: {email: " + org + "@example.com}\n" + strings.Join(fields, "\n") + "\n"
	s, err := spec.Parse(org+".yaml", strings.NewReader(document))
	if err != nil {
		w.t.Fatal(err)
	}
	p := plan.Build(s)
	text, err := json.Marshal(p)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx := w.t.Context()
	store := w.store.Org(orgcontexttest.For(org))
	begun, err := store.Begin(ctx, registry.Request{Kind: "onboard", Holder: "test", TTL: time.Minute})
	if err != nil {
		w.t.Fatal(err)
	}
	has.Org, has.Region = org, p.Region
	if err := errors.Join(
		store.PutOrg(ctx, begun.Lease, registry.Org{Org: org, State: state, Plan: text, Hash: p.Hash, HashVersion: p.HashVersion}),
		store.PutDataPlane(ctx, begun.Lease, has),
	); err != nil {
		w.t.Fatal(err)
	}
	if _, err := store.End(ctx, begun.Lease, event.Event{Type: event.OperationSucceeded, Org: org, Operation: begun.Operation.ID, Kind: "onboard", Time: time.Now()}); err != nil {
		w.t.Fatal(err)
	}
}

// call is a call of acme's people, with a token.
func call(token string) identity.Exchange {
	return identity.Exchange{
		Host: acmeHost, Authorization: "Bearer " + token, Procedure: list, Audience: control.String(), Request: "req-1",
		Peer: "192.0.2.1", Presenter: gateway,
	}
}

// refused is why a call was refused.
func (w *world) refused(e identity.Exchange) identity.Reason {
	w.t.Helper()
	token, claims, err := w.Exchange(w.t.Context(), e)
	if err == nil {
		w.t.Errorf("accepted as %+v", claims)
		return ""
	}
	r, ok := errors.AsType[*identity.RefusedError](err)
	if !ok || !errors.Is(err, identity.ErrRefused) || token != "" || claims.Subject != "" {
		w.t.Errorf("token %q, claims %+v, error %v", token, claims, err)
		return ""
	}
	return r.Reason
}

// accepted are the claims for a call, as the callee reads them.
func (w *world) accepted(e identity.Exchange) delegation.Claims {
	w.t.Helper()
	token, claims, err := w.Exchange(w.t.Context(), e)
	if err != nil {
		w.t.Error(err)
		return claims
	}
	callee := control
	if e.Audience != callee.String() {
		w.t.Fatalf("a call for %s", e.Audience)
	}
	v, err := delegation.NewVerifier(w.source, self, callee, w.now).Verify(w.t.Context(), token, claims.Org, gateway)
	if err != nil {
		w.t.Error(err)
	}
	return v.Claims()
}

// run runs the service until the test ends, or stop is called.
func (w *world) run() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// elsewhere sends the requests to a host to the test's issuer, at a path.
type elsewhere struct {
	http.RoundTripper

	host, to, path string
}

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != e.host {
		return e.RoundTripper.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.URL.Host, r.URL.Path = strings.TrimPrefix(e.to, "https://"), e.path+r.URL.Path
	return e.RoundTripper.RoundTrip(r)
}
