package authz_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
	"freehold.dev/freehold/internal/server/authz"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/identity"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/spec"
)

// Ada of globex, with a good token of globex, wants acme's record. She connects to
// her own host, and names acme's in the request. The layers between her and the
// record are taken away one after the other, the outermost first, and each time the
// next one has to refuse her. With none left she has it, or else this test would
// show nothing.
//
// What a layer does is left out by what this test puts together, or by
// export_test.go: no switch for it is in the program.
func TestEachLayerRefusesWhenThoseBeforeItAreGone(t *testing.T) {
	w := defended(t)
	layers := []struct {
		name   string
		refuse string // how it is seen that this layer refused, and no other
		remove func()
	}{
		{"the host", "421 ", func() { w.removed.host = true }},
		{"issuer and audience", "401 issuer", func() { w.removed.issuer = true }},
		{"the context token's org", `401 it is for org "globex", and the request says "acme"`, func() { w.guard.WithoutCompare(orgIn) }},
		{"the policies", "403 forbidden by people-stay-in-their-org", func() { w.guard.WithoutPolicies() }},
		{"the store's context", "500 " + registry.ErrNoOrg.Error(), func() { w.removed.context = true }},
		{"the org in the statement", "200 globex", func() { w.removed.where = true }},
		{"row-level security", "200 globex", func() { w.removed.policies = true }},
	}
	for i, l := range layers {
		if got := w.attack(); !strings.HasPrefix(got, l.refuse) || strings.Contains(got, "acme's secret") {
			t.Errorf("%d layers are gone, and %s answered %q, expected %q", i, l.name, got, l.refuse)
		}
		l.remove()
	}
	if got := w.attack(); !strings.Contains(got, "acme's secret") {
		t.Errorf("without any layer the answer is %q: what did the layers keep?", got)
	}
}

// A transaction that nobody bound to an org sees nothing at all.
func TestTheServersRoleSeesNothingWithoutAnOrg(t *testing.T) {
	w := defended(t)
	conn, err := pgx.Connect(t.Context(), w.db.Service)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	if _, err := conn.Exec(t.Context(), "SELECT org FROM freehold.orgs"); err == nil {
		t.Error("the login itself may read")
	}
	if got := w.selected(conn, "", "SELECT org, state FROM freehold.orgs"); got != "" {
		t.Errorf("without an org it sees %q", got)
	}
}

type defence struct {
	t       *testing.T
	guard   *authz.Guard
	db      pgtest.DB
	store   registry.Store
	removed struct{ host, issuer, context, where, policies bool }

	edge   *httptest.Server
	public *http.Client
	signer *delegation.Signer
	id     *identity.Service
	inner  *http.Client
	url    string
	bearer string
	reason string // why the guard refused, as the operators read it
}

const base = "freehold.example.com"

var (
	domain  = spiffeid.RequireTrustDomainFromString("freehold.example")
	gateway = mtls.ID(domain.Name(), "gateway")
	control = mtls.ID(domain.Name(), "control")
	signing = mtls.ID(domain.Name(), "identity")
)

func defended(t *testing.T) *defence {
	t.Helper()
	w := &defence{t: t, db: pgtest.Database(t)}
	store, err := postgres.Open(t.Context(), w.db.Service, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w.store = store
	issuer := oidctest.Serve(t)
	acme, globex := issuer.At("/acme"), issuer.At("/globex")
	onboarded(t, store, "acme", acme.URL)
	onboarded(t, store, "globex", globex.URL)
	w.bearer = globex.Token(map[string]any{"sub": "ada", "aud": "globex." + base, "email": "ada@globex.example", "groups": []string{"globex-admins"}})

	dir := filepath.Join(t.TempDir(), "issuer")
	source := func(service string) mtls.Source {
		s, err := mtls.BuiltIn(dir, domain.Name(), service, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w.signer = delegation.NewSigner(source("identity"))
	w.id, err = identity.New(identity.Options{
		Hosts: edge.Hosts{Base: base, Operators: "op." + base}, TrustDomain: domain.Name(), Records: store, Signer: w.signer, Bundle: source("identity"),
		Transport: issuer.Transport(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := authz.New(domain)
	if err != nil {
		t.Fatal(err)
	}
	w.guard = authz.NewGuard(authz.Options{
		Self: control, Identity: signing, Source: source("control"), Engine: engine, Registry: store, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(writer(func(line string) { w.reason = line }), nil)),
	})
	w.url = serveInner(t, w.guardedHandler(), mtls.ServerConfig(source("control"), gateway))
	w.inner = &http.Client{Transport: &http.Transport{TLSClientConfig: mtls.ClientConfig(source("gateway"), control), ForceAttemptHTTP2: true}}

	hosts := edge.Hosts{Base: base, Operators: "op." + base}
	passed := http.HandlerFunc(w.exchange)
	outer := hosts.Handler(passed)
	w.edge = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.removed.host {
			passed(rw, r)
			return
		}
		outer.ServeHTTP(rw, r)
	}))
	w.edge.StartTLS()
	t.Cleanup(w.edge.Close)
	w.public = w.edge.Client()
	w.public.Transport.(*http.Transport).TLSClientConfig.ServerName = "globex." + base
	w.public.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
	return w
}

// onboarded records an org whose people log in at an issuer.
func onboarded(t *testing.T, store registry.Store, org, issuer string) {
	t.Helper()
	doc, err := spec.Parse(org, strings.NewReader(fmt.Sprintf(`org: %[1]s
region: eu-central-1
account: {email: aws@%[1]s.example}
access: {people: {issuerUrl: "%[2]s", usernameClaim: email, roles: [{role: admin, groups: [%[1]s-admins]}]}}
`, org, issuer)))
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Build(doc)
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	records := store.Org(orgcontexttest.For(org))
	begun, err := records.Begin(t.Context(), registry.Request{Kind: "onboard", Holder: "a test", TTL: time.Minute})
	if err == nil {
		err = records.PutOrg(t.Context(), begun.Lease, registry.Org{Org: org, State: "ready", Plan: text, Hash: p.Hash, HashVersion: p.HashVersion})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// exchange is what the gateway does: it gets a context token, and calls the service.
func (w *defence) exchange(rw http.ResponseWriter, r *http.Request) {
	const procedure = "/freehold.v1.OrganizationService/GetOrganization"
	host := r.Host
	org := strings.TrimSuffix(host, "."+base)
	token, _, err := w.id.Exchange(r.Context(), identity.Exchange{
		Host: host, Authorization: r.Header.Get("Authorization"), Procedure: procedure, Audience: control.String(), Request: "req-1", Presenter: gateway,
	})
	if err != nil && !w.removed.issuer {
		http.Error(rw, "issuer: "+err.Error(), http.StatusUnauthorized)
		return
	}
	if w.removed.issuer {
		// Somebody of globex has shown a token of globex: that is still known.
		now := time.Now()
		token, err = w.signer.Sign(delegation.Claims{
			Org: "globex", Subject: "user:ada", Roles: []string{"admin"}, Act: []string{gateway.String()}, Audience: control.String(),
			Request: "req-1", Host: "globex." + base, Issued: now, Expires: now.Add(time.Minute),
		})
		if err != nil {
			w.t.Error(err)
		}
	}
	inner, err := http.NewRequestWithContext(r.Context(), http.MethodPost, w.url+procedure, strings.NewReader("{}"))
	if err != nil {
		w.t.Error(err)
		return
	}
	inner.Header = http.Header{"Content-Type": {"application/json"}, delegation.ContextHeader: {token}, delegation.OrgHeader: {org}, "X-Asked": {org}}
	answer, err := w.inner.Do(inner)
	if err != nil {
		w.t.Error(err)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	rw.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(rw, answer.Body)
}

// guardedHandler is a handler with a mistake: it reads the record of the org that
// the request names.
func (w *defence) guardedHandler() http.Handler {
	return w.guard.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		v, _ := delegation.From(r.Context())
		asked := r.Header.Get("X-Asked")
		records := w.store.Org(v.For(asked))
		switch {
		case w.removed.policies:
			_, _ = fmt.Fprint(rw, w.read(w.db.Superuser, "", "SELECT org, state FROM freehold.orgs"))
			return
		case w.removed.where:
			_, _ = fmt.Fprint(rw, w.read(w.db.Service, v.Claims().Org, "SELECT org, state FROM freehold.orgs"))
			return
		case w.removed.context:
			records = w.store.Org(v.Context())
		}
		rec, err := records.Org(r.Context())
		if err != nil {
			http.Error(rw, errors.Unwrap(err).Error(), http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprint(rw, line(rec.Org, rec.State))
	}))
}

func line(org, state string) string { return org + " " + org + "'s secret is " + state + "; " }

// read runs a statement on a connection of its own, bound to an org if that is not
// empty.
func (w *defence) read(url, org, statement string) string {
	conn, err := pgx.Connect(w.t.Context(), url)
	if err != nil {
		w.t.Error(err)
		return ""
	}
	defer func() { _ = conn.Close(context.WithoutCancel(w.t.Context())) }()
	if url == w.db.Superuser {
		return w.rows(conn, statement)
	}
	return w.selected(conn, org, statement)
}

func (w *defence) selected(conn *pgx.Conn, org, statement string) string {
	tx, err := conn.Begin(w.t.Context())
	if err != nil {
		w.t.Error(err)
		return ""
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(w.t.Context())) }()
	if _, err := tx.Exec(w.t.Context(), "SELECT set_config('role', 'freehold_org', true), set_config('app.org', $1, true)", org); err != nil {
		w.t.Error(err)
	}
	return w.rows(tx, statement)
}

func (w *defence) rows(on interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, statement string,
) string {
	rows, err := on.Query(w.t.Context(), statement)
	if err != nil {
		w.t.Error(err)
		return ""
	}
	type found struct{ Org, State string }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
	if err != nil {
		w.t.Error(err)
	}
	var out strings.Builder
	for _, f := range all {
		out.WriteString(line(f.Org, f.State))
	}
	return out.String()
}

// attack is the answer to Ada, with the reason that only the operators see.
func (w *defence) attack() string {
	w.t.Helper()
	w.reason = ""
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.edge.URL+"/", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Host = "acme." + base
	r.Header.Set("Authorization", "Bearer "+w.bearer)
	answer, err := w.public.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	text := string(body)
	if _, reason, ok := strings.Cut(w.reason, "reason="); ok && strings.HasPrefix(text, "{") {
		text = strings.TrimPrefix(strings.ReplaceAll(strings.TrimSpace(reason), `\"`, `"`), `"`)
		text = strings.TrimPrefix(text, delegation.ErrRefused.Error()+": ")
	}
	return fmt.Sprintf("%d %s", answer.StatusCode, text)
}

// orgIn is the org that a token names, without a look at its signature.
func orgIn(token string) string {
	var c struct{ Org string }
	if parts := strings.Split(token, "."); len(parts) == 3 {
		text, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(text, &c)
	}
	return c.Org
}

func serveInner(t *testing.T, h http.Handler, config *tls.Config) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, TLSConfig: config, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.ServeTLS(listener, "", "") })
	t.Cleanup(func() { _ = server.Close(); wg.Wait() })
	return "https://" + listener.Addr().String()
}

type writer func(string)

func (f writer) Write(b []byte) (int, error) { f(string(b)); return len(b), nil }
