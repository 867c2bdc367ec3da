package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "freehold.dev/freehold/internal/api/freehold/v1"
	_ "freehold.dev/freehold/internal/api/freeholdinternal/v1"
	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/server/config"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/server/rpc"
	"freehold.dev/freehold/internal/server/servertest"
	"freehold.dev/freehold/internal/spec"
)

// The matrix asks a whole server, over real sockets and with real tokens, as
// everybody, for everything, at every kind of host. What is accepted is compared
// with the one table that a reviewer reads.

// verdict is how a request was answered.
type verdict string

const (
	accepted verdict = "accepted" // it reached a handler
	denied   verdict = "denied"   // known, and not allowed
	nobody   verdict = "nobody"   // the one answer to whoever is not known
	nowhere  verdict = "nowhere"  // the host is refused
)

// matrix is the server with two orgs, acme and globex.
type matrix struct {
	t      *testing.T
	world  *servertest.World
	store  registry.Store
	client *http.Client
	root   *oidctest.Issuer // the operators'
	ci     *oidctest.Issuer // of everybody's pipelines
	asked  int
	orgs   map[string]*oidctest.Issuer
}

func newMatrix(t *testing.T, change ...func(*servertest.Options)) *matrix {
	t.Helper()
	root := oidctest.Serve(t)
	m := &matrix{t: t, store: fleet(t, root), root: root, orgs: map[string]*oidctest.Issuer{}}
	m.ci = root.At("/ci")
	for _, org := range []string{"acme", "globex"} {
		m.orgs[org] = root.At("/" + org)
		m.onboard(org)
	}
	o := servertest.Options{Issuer: root, As: func(orgcontext.Authority) rpc.UseCases { return reached{} }, Config: func(c *config.Config) {
		// Each request comes from another address, or the limit of failures for each
		// address would be what refuses most of them.
		c.Listen.Proxies = []string{"127.0.0.1/32"}
	}}
	for _, c := range change {
		c(&o)
	}
	m.world = servertest.Start(t, m.store, o)
	m.client = m.world.HTTP()
	t.Cleanup(m.client.CloseIdleConnections)
	return m
}

// onboard fills an org, whose pipelines have the tokens of the test's issuer.
func (m *matrix) onboard(org string) {
	m.t.Helper()
	if err := servertest.Fill(m.t.Context(), m.store, org, m.orgs[org].URL, time.Now()); err != nil {
		m.t.Fatal(err)
	}
	text := servertest.Document(org, m.orgs[org].URL)
	const public = "https://token.actions.githubusercontent.com"
	if !strings.Contains(text, public) {
		m.t.Fatalf("the pipelines of the document have another issuer: %s", text)
	}
	doc, err := spec.Parse(org, strings.NewReader(strings.ReplaceAll(text, public, m.ci.URL)))
	if err != nil {
		m.t.Fatal(err)
	}
	p := plan.Build(doc)
	recorded, err := json.Marshal(p)
	if err != nil {
		m.t.Fatal(err)
	}
	records := m.store.Org(orgcontexttest.For(org))
	begun, err := records.Begin(m.t.Context(), registry.Request{Kind: "onboard", Holder: "a test", TTL: time.Minute})
	if err == nil {
		err = records.PutOrg(m.t.Context(), begun.Lease, registry.Org{Org: org, State: "ready", Plan: recorded, Hash: p.Hash, HashVersion: p.HashVersion})
	}
	if err == nil {
		_, err = records.End(m.t.Context(), begun.Lease, event.Event{
			Type: event.OperationSucceeded, Org: org, Operation: begun.Operation.ID, Kind: "onboard", Time: time.Now(),
		})
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// caller is somebody with a token for a host. column is where the table has them.
type caller struct {
	name   string
	column int // -1: refused everywhere
	home   string
	token  func(audience string) string
}

func (m *matrix) callers() []caller {
	acme, cluster := m.orgs["acme"], m.root.At("/acme/cluster-of-acme")
	person := func(groups ...string) func(string) string {
		return func(audience string) string {
			return acme.Token(map[string]any{"sub": "ada", "email": "ada@acme.example", "aud": audience, "groups": groups})
		}
	}
	program := func(i *oidctest.Issuer, subject string) func(string) string {
		return func(audience string) string { return i.Token(map[string]any{"sub": subject, "aud": audience}) }
	}
	operator := func(groups ...string) func(string) string {
		return func(audience string) string {
			return m.root.Token(map[string]any{"sub": "olga", "aud": audience, "groups": groups})
		}
	}
	return []caller{
		{"a viewer", 0, "acme", person("acme-viewers")},
		{"a pipeline", 1, "acme", program(m.ci, "repo:acme/platform:ref:refs/heads/main")},
		{"an operator of the org", 2, "acme", person("acme-operators")},
		{"an admin", 3, "acme", person("acme-admins")},
		{"a viewer and operator", 2, "acme", person("acme-viewers", "acme-operators")},
		{"everything at once", 3, "acme", person("acme-viewers", "acme-operators", "acme-admins")},
		{"the controller", 4, "acme", program(cluster, "system:serviceaccount:freehold-system:namespace-controller")},
		{"a person without a role", 5, "acme", person("globex-admins", "operators")},
		{"another pipeline", 5, "acme", program(m.ci, "repo:initech/platform:ref:refs/heads/main")},
		{"another service account", 5, "acme", program(cluster, "system:serviceaccount:default:namespace-controller")},
		{"a viewer of the fleet", 6, "op", operator("reviewers")},
		{"an operator of the fleet", 7, "op", operator("operators")},
		{"an operator without a role", 8, "op", operator("acme-admins")},
		{"nobody", -1, "acme", func(string) string { return "" }},
	}
}

// table is what may be accepted: by procedure, a mark for each column.
func table(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("authz", "testdata", "who-may-what.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if procedure, marks, ok := strings.Cut(line, " "); ok && strings.HasPrefix(line, "/") {
			marks = strings.ReplaceAll(strings.TrimSpace(marks), " ", "")
			out[procedure] = marks[:9]
		}
	}
	return out
}

// procedure is one that is defined, with how its answer comes.
type procedure struct {
	path    string
	streams bool
}

func procedures() (out []procedure) {
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			for j := range s.Methods().Len() {
				if m := s.Methods().Get(j); strings.HasPrefix(string(f.Package()), "freehold.") {
					out = append(out, procedure{fmt.Sprintf("/%s/%s", s.FullName(), m.Name()), m.IsStreamingServer()})
				}
			}
		}
		return true
	})
	slices.SortFunc(out, func(a, b procedure) int { return strings.Compare(a.path, b.path) })
	return out
}

// place is where a request is sent: the name of the TLS connection, and the host
// that the request names; empty: the same.
type place struct{ tls, host string }

// ask sends a request, and says how it was answered. No answer may speak of globex.
func (m *matrix) ask(p procedure, at place, token string, change ...func(*http.Request)) (verdict, string) {
	m.t.Helper()
	body, contentType := []byte("{}"), "application/json"
	if p.streams {
		body, contentType = append([]byte{0, 0, 0, 0, 2}, body...), "application/connect+json"
	}
	url := strings.Replace(m.world.URL("x"), servertest.Host("x"), at.tls, 1)
	r, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, url+p.path, bytes.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	if at.host != "" {
		r.Host = at.host
	}
	r.Header.Set("Content-Type", contentType)
	m.asked++
	r.Header.Set("X-Forwarded-For", netip.AddrFrom4([4]byte{10, byte(m.asked >> 16), byte(m.asked >> 8), byte(m.asked)}).String())
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, f := range change {
		f(r)
	}
	answer, err := m.client.Do(r)
	if err != nil {
		m.t.Fatalf("%s at %+v: %v", p.path, at, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		m.t.Fatalf("%s at %+v: %v", p.path, at, err)
	}
	if strings.Contains(string(text), "globex") && !strings.HasPrefix(p.path, "/freehold.v1.FleetService/") {
		m.t.Errorf("%s at %+v: the answer speaks of globex: %s", p.path, at, text)
	}
	return judge(m.t, answer.StatusCode, text), string(text)
}

func judge(t *testing.T, status int, text []byte) verdict {
	t.Helper()
	var e struct{ Code, Message string }
	if at := bytes.LastIndex(text, []byte(`{"error":`)); at >= 0 {
		var end struct {
			Error struct{ Code, Message string }
		}
		if json.Unmarshal(text[at:], &end) == nil {
			e = end.Error
		}
	} else if json.Unmarshal(text, &e) != nil {
		e.Code = ""
	}
	switch {
	case e.Code == "unauthenticated" && e.Message == "unauthenticated":
		return nobody
	case e.Code == "permission_denied" && e.Message == "permission denied":
		return denied
	case e.Code == "" && (status == http.StatusBadRequest || status == http.StatusMisdirectedRequest):
		return nowhere
	case e.Code == "unavailable" || e.Code == "resource_exhausted" || e.Code == "unimplemented" || e.Code == "unauthenticated" || e.Code == "permission_denied":
		t.Errorf("the answer is %d %s", status, text)
	}
	return accepted
}

func TestWhatIsAcceptedIsInTheTable(t *testing.T) {
	m := newMatrix(t)
	want := table(t)
	if len(want) < len(procedures()) {
		t.Fatalf("the table has %d rows, and there are %d procedures", len(want), len(procedures()))
	}
	counted := map[verdict]int{}
	for _, c := range m.callers() {
		home := servertest.Host(c.home)
		token := c.token(home)
		for _, p := range procedures() {
			got, _ := m.ask(p, place{tls: home}, token)
			counted[got]++
			may := c.column >= 0 && want[p.path] != "" && want[p.path][c.column] == 'x'
			if (got == accepted) != may {
				t.Errorf("%s, %s: %s, and the table says %v", c.name, p.path, got, may)
			}
		}
		m.elsewhere(c, counted)
	}
	for _, v := range []verdict{accepted, denied, nobody, nowhere} {
		if counted[v] == 0 {
			t.Errorf("no request was answered with %q: the matrix is not what it is meant to be", v)
		}
	}
	t.Logf("answers: %v", counted)
}

// some are procedures of each kind: a read, a change, the controller's, the
// fleet's, an internal one, and none.
var some = []procedure{
	{"/freehold.v1.OperationService/ListOperations", false}, {"/freehold.v1.OperationService/StreamOperationEvents", true},
	{"/freehold.v1.DataPlaneService/OnboardDataPlane", false}, {"/freehold.v1.ProjectService/GetProjectSet", false},
	{"/freehold.v1.FleetService/ListOrganizations", false}, {"/freehold.internal.v1.IdentityService/Exchange", false},
	{"/freehold.v1.OperationService/Nothing", false},
}

// elsewhere asks at hosts that are not the caller's, with the token for home and
// with one for the host.
func (m *matrix) elsewhere(c caller, counted map[verdict]int) {
	m.t.Helper()
	home := servertest.Host(c.home)
	away := map[string]place{
		"another org's":              {tls: servertest.Host("globex")},
		"that of no org":             {tls: servertest.Host("initech")},
		"the operators' or an org's": {tls: servertest.Host(map[string]string{"acme": "op", "op": "acme"}[c.home])},
	}
	for where, at := range away {
		for _, token := range []string{c.token(home), c.token(at.tls)} {
			for _, p := range some {
				if got, text := m.ask(p, at, token); got != nobody {
					m.t.Errorf("%s at %s, %s: %s: %s", c.name, where, p.path, got, text)
				}
				counted[nobody]++
			}
		}
	}
	for where, at := range map[string]place{
		"home, for another org":       {home, servertest.Host("globex")},
		"home, for no org":            {home, servertest.Host("initech")},
		"home, with a dot":            {home, home + "."},
		"home, with another port":     {home, home + ":1"},
		"two labels":                  {home, "acme.globex." + servertest.Domain},
		"an IDN":                      {home, servertest.Host("xn--acme-9la")},
		"an underscore":               {home, servertest.Host("ac_me")},
		"the domain itself":           {home, servertest.Domain},
		"a name that ends like ours":  {home, "acme.x" + servertest.Domain},
		"an address":                  {home, "127.0.0.1"},
		"a name too short for an org": {servertest.Host("ab"), ""},
	} {
		for _, p := range some[:3] {
			if got, text := m.ask(p, at, c.token(home)); got != nowhere {
				m.t.Errorf("%s at %s, %s: %s: %s", c.name, where, p.path, got, text)
			}
			counted[nowhere]++
		}
	}
}

// What an outsider can do to a token and to a request. Each is tried by an admin,
// who is accepted with a good token, and each gets the one answer; the org or the
// operators read the reason.
func TestWhatIsWrongWithATokenIsNotSaid(t *testing.T) {
	m := newMatrix(t)
	acme, globex := m.orgs["acme"], m.orgs["globex"]
	host := servertest.Host("acme")
	mine := map[string]any{"sub": "ada", "email": "ada@acme.example", "aud": host, "groups": []string{"acme-admins"}}
	with := func(changes map[string]any) map[string]any {
		all := map[string]any{}
		for _, from := range []map[string]any{mine, changes} {
			maps.Copy(all, from)
		}
		return acme.Claims(all)
	}
	k := acme.Key()
	header := map[string]any{"alg": k.Algorithm, "kid": k.ID}
	signed := func(changes map[string]any) string { return k.Sign(t, header, with(changes)) }
	good := signed(nil)
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	plain := func(h, c map[string]any) string {
		ht, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		ct, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return oidctest.Unsigned(string(ht), string(ct))
	}
	faults := map[string]struct{ token, reason string }{
		"none":                     {"", ""},
		"a word":                   {"acme", "token-malformed"},
		"an expired one":           {signed(map[string]any{"iat": at(-2 * time.Hour), "exp": at(-time.Hour)}), "token-expired"},
		"one that is not yet good": {signed(map[string]any{"nbf": at(time.Hour)}), "token-not-yet-valid"},
		"one from the future":      {signed(map[string]any{"iat": at(time.Hour), "exp": at(2 * time.Hour)}), "token-not-yet-valid"},
		"one without an end":       {signed(map[string]any{"exp": nil}), "claim-missing"},
		"another issuer's name":    {signed(map[string]any{"iss": m.root.URL + "/other"}), "issuer-unknown"},
		"another org's issuer":     {signed(map[string]any{"iss": globex.URL}), "issuer-unknown"},
		"the operators' issuer":    {signed(map[string]any{"iss": m.root.URL}), "issuer-unknown"},
		"no issuer":                {signed(map[string]any{"iss": nil}), "claim-missing"},
		"another org's audience":   {signed(map[string]any{"aud": servertest.Host("globex")}), "audience-refused"},
		"the operators' audience":  {signed(map[string]any{"aud": servertest.Host("op")}), "audience-refused"},
		"a URL as audience":        {signed(map[string]any{"aud": "https://" + host}), "audience-refused"},
		"several audiences":        {signed(map[string]any{"aud": []string{host, "https://console.acme.example"}}), "audience-refused"},
		"no audience":              {signed(map[string]any{"aud": nil}), "audience-refused"},
		"no subject":               {signed(map[string]any{"sub": nil}), "claim-missing"},
		"alg none":                 {plain(map[string]any{"alg": "none"}, with(nil)) + ".", "algorithm-refused"},
		"alg None with a key":      {k.Sign(t, map[string]any{"alg": "None", "kid": k.ID}, with(nil)), "algorithm-refused"},
		"HMAC with the public key": {k.Confused(t, map[string]any{"alg": "HS256", "kid": k.ID}, with(nil)), "algorithm-refused"},
		"an unknown key":           {k.Sign(t, map[string]any{"alg": k.Algorithm, "kid": "another"}, with(nil)), "key-unknown"},
		"another org's key":        {globex.Key().Sign(t, header, with(nil)), "signature-wrong"},
		"a key of its own":         {k.Sign(t, map[string]any{"alg": k.Algorithm, "kid": k.ID, "jwk": map[string]any{"kty": "EC"}}, with(nil)), "header-refused"},
		"a changed signature":      {good[:len(good)-6] + "AAAAAA", "signature-wrong"},
		"no signature":             {good[:strings.LastIndex(good, ".")+1], "token-malformed"},
		"a context token":          {m.context(delegation.Claims{Org: "acme", Host: host, Roles: []string{"admin"}}), "header-refused"},
	}
	for _, p := range some[:3] {
		if got, text := m.ask(p, place{tls: host}, good); got != accepted {
			t.Fatalf("a good token, %s: %s: %s", p.path, got, text)
		}
	}
	var reasons []string
	for name, f := range faults {
		p := some[len(name)%3]
		if f.reason != "" {
			reasons = append(reasons, "denied: "+f.reason)
		}
		if got, text := m.ask(p, place{tls: host}, f.token); got != nobody {
			t.Errorf("%s, %s: %s: %s", name, p.path, got, text)
		}
	}
	// How the token is sent.
	for name, change := range map[string]func(*http.Request){
		"another scheme":    func(r *http.Request) { r.Header.Set("Authorization", "Basic "+good) },
		"no scheme":         func(r *http.Request) { r.Header.Set("Authorization", good) },
		"two tokens":        func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer " + good, "Bearer " + good} },
		"in the query":      func(r *http.Request) { r.URL.RawQuery = "access_token=" + good },
		"in a cookie":       func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "token", Value: good}) },
		"in another header": func(r *http.Request) { r.Header.Set("X-Forwarded-Authorization", "Bearer "+good) },
	} {
		if got, text := m.ask(some[0], place{tls: host}, "", change); got != nobody {
			t.Errorf("%s: %s: %s", name, got, text)
		}
	}
	m.noted("acme", reasons...)
}

// A context from outside is not looked at: neither does it help who has no token,
// nor does it turn who has one into somebody else.
func TestAContextFromOutsideIsWorthNothing(t *testing.T) {
	m := newMatrix(t)
	acme, globex := servertest.Host("acme"), servertest.Host("globex")
	ada := m.orgs["acme"].Token(map[string]any{"sub": "ada", "aud": acme, "groups": []string{"acme-viewers"}})
	// Really signed by the identity service, for the service that is asked.
	stolen := m.context(delegation.Claims{Org: "globex", Host: globex, Roles: []string{"admin"}})
	forge := func(token, org string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set(delegation.ContextHeader, token)
			r.Header["freehold-context"] = []string{token}
			r.Header.Set(delegation.OrgHeader, org)
			r.Header.Set("X-Forwarded-Host", globex)
			r.Header.Set("Forwarded", "host="+globex)
			r.Header.Set("X-Original-Host", globex)
		}
	}
	for _, p := range some {
		if got, text := m.ask(p, place{tls: acme}, "", forge(stolen, "globex")); got != nobody {
			t.Errorf("without a token, %s: %s: %s", p.path, got, text)
		}
	}
	whoami := procedure{"/freehold.v1.OrganizationService/GetCaller", false}
	if got, text := m.ask(whoami, place{tls: acme}, ada, forge(stolen, "globex")); got != accepted || !strings.Contains(text, `"org":"acme"`) {
		t.Errorf("a viewer of acme: %s: %s", got, text)
	}
	if got, text := m.ask(some[2], place{tls: acme}, ada, forge(stolen, "globex")); got != denied {
		t.Errorf("a viewer of acme who would be an admin of globex: %s: %s", got, text)
	}
}

// Whoever reaches a service past the gateway has to be the gateway, and to bring a
// token of the identity service for that service.
func TestAServiceAnswersTheGatewayOnly(t *testing.T) {
	address := freeAddress(t)
	m := newMatrix(t, func(o *servertest.Options) {
		o.Dir = t.TempDir()
		o.Config = func(c *config.Config) { c.Internal.Control = address }
	})
	list := "https://" + address + some[0].path
	good := func() string {
		return m.context(delegation.Claims{Org: "acme", Host: servertest.Host("acme"), Roles: []string{"viewer"}})
	}
	ask := func(config *tls.Config, token, org string) (verdict, error) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}
		defer client.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, list, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Content-Type": {"application/json"}}
		if token != "" {
			r.Header.Set(delegation.ContextHeader, token)
		}
		if org != "" {
			r.Header.Set(delegation.OrgHeader, org)
		}
		answer, err := client.Do(r)
		if err != nil {
			return "", err
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return judge(t, answer.StatusCode, text), nil
	}
	as := func(service string) *tls.Config {
		return mtls.ClientConfig(m.source(service), mtls.ID(servertest.Domain, "control"))
	}
	if got, err := ask(as("gateway"), good(), "acme"); err != nil || got != accepted {
		t.Fatalf("the gateway with a good token: %s, %v", got, err)
	}
	for name, c := range map[string]*tls.Config{
		"a client without certificate":  {InsecureSkipVerify: true, MinVersion: tls.VersionTLS13},
		"the identity service":          as("identity"),
		"the worker":                    as("worker"),
		"drift":                         as("drift"),
		"a service that does not exist": as("mailer"),
	} {
		if got, err := ask(c, good(), "acme"); err == nil {
			t.Errorf("%s was answered: %s", name, got)
		}
	}
	foreign, err := mtls.BuiltIn(filepath.Join(t.TempDir(), "issuer"), servertest.Domain, "gateway", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	stranger := mtls.ClientConfig(foreign, mtls.ID(servertest.Domain, "control"))
	stranger.VerifyConnection = nil
	if got, err := ask(stranger, good(), "acme"); err == nil {
		t.Errorf("a gateway of another authority was answered: %s", got)
	}
	before := time.Now().Add(-time.Hour)
	for name, c := range map[string]struct{ token, org string }{
		"no token":             {"", "acme"},
		"neither":              {"", ""},
		"another org's header": {good(), "globex"},
		"no header":            {good(), ""},
		"for another service": {m.context(delegation.Claims{
			Org: "acme", Host: servertest.Host("acme"), Roles: []string{"viewer"}, Audience: mtls.ID(servertest.Domain, "worker").String(),
		}), "acme"},
		"given to another": {m.context(delegation.Claims{
			Org: "acme", Host: servertest.Host("acme"), Roles: []string{"viewer"}, Act: []string{mtls.ID(servertest.Domain, "worker").String()},
		}), "acme"},
		"an hour ago": {m.context(delegation.Claims{
			Org: "acme", Host: servertest.Host("acme"), Roles: []string{"viewer"}, Issued: before, Expires: before.Add(time.Minute),
		}), "acme"},
		"of the gateway itself": {m.signed("gateway", delegation.Claims{Org: "acme", Host: servertest.Host("acme"), Roles: []string{"viewer"}}), "acme"},
	} {
		if got, err := ask(as("gateway"), c.token, c.org); err != nil || got != nobody {
			t.Errorf("the gateway with a token %s: %s, %v", name, got, err)
		}
	}
}

func (m *matrix) source(service string) mtls.Source {
	m.t.Helper()
	s, err := mtls.BuiltIn(filepath.Join(m.world.Dir, "spiffe"), servertest.Domain, service, time.Now)
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

// context is a context token that the identity service signed for the control
// service, given to the gateway now, if the claims do not say otherwise.
func (m *matrix) context(c delegation.Claims) string { return m.signed("identity", c) }

func (m *matrix) signed(by string, c delegation.Claims) string {
	m.t.Helper()
	c.Subject, c.Request = "user:https://login.example#1", "req-of-the-test"
	if c.Act == nil {
		c.Act = []string{mtls.ID(servertest.Domain, "gateway").String()}
	}
	if c.Audience == "" {
		c.Audience = mtls.ID(servertest.Domain, "control").String()
	}
	if c.Issued.IsZero() {
		c.Issued = time.Now()
		c.Expires = c.Issued.Add(delegation.MaxLife)
	}
	token, err := delegation.NewSigner(m.source(by)).Sign(c)
	if err != nil {
		m.t.Fatal(err)
	}
	return token
}

// noted waits until an org's log holds entries with these results.
func (m *matrix) noted(org string, results ...string) {
	m.t.Helper()
	var all []event.AuditEntry
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var err error
		if all, err = m.store.Org(orgcontexttest.For(org)).Audited(m.t.Context(), 0); err != nil {
			m.t.Fatal(err)
		}
		missing := slices.DeleteFunc(slices.Clone(results), func(r string) bool {
			return slices.ContainsFunc(all, func(e event.AuditEntry) bool { return strings.Contains(e.Result, r) })
		})
		if len(missing) == 0 {
			if err := registry.Verify(event.AuditEntry{}, all); err != nil {
				m.t.Error(err)
			}
			return
		}
	}
	m.t.Errorf("the log of %s lacks %q: %s", org, results, cmp.Diff(nil, all))
}

var errReached = errors.New("the use case was reached")

// reached are use cases that do nothing: who gets to them was accepted.
type reached struct{}

func (reached) Status(context.Context, string) (v event.Status, err error) { return v, errReached }

func (reached) Orgs(context.Context) (v []event.Status, err error) { return v, errReached }

func (reached) Shared(context.Context) (v []finding.Shared, err error) { return v, errReached }

func (reached) Plan(context.Context, spec.Spec, lifecycle.PlanOptions, event.Sink) (v event.Plan, err error) {
	return v, errReached
}

func (reached) Onboard(context.Context, spec.Spec, lifecycle.OnboardOptions, event.Sink) (v event.Onboarding, err error) {
	return v, errReached
}

func (reached) Guarded(context.Context, spec.Spec) (v []string, err error) { return v, errReached }

func (reached) Projects(context.Context, string) (v event.Projects, err error) { return v, errReached }

func (reached) ProjectSet(context.Context, string) (v v1alpha1.ProjectSet, err error) {
	return v, errReached
}

func (reached) ChangeProjects(context.Context, string, lifecycle.ProjectChange, lifecycle.Call, event.Sink) (v event.Onboarding, err error) {
	return v, errReached
}

func (reached) Drift(context.Context, string, event.Sink) (v event.Drift, err error) {
	return v, errReached
}

func (reached) Operations(context.Context, string) (v []event.Operation, err error) {
	return v, errReached
}

func (reached) Operation(context.Context, string, string) (v event.OperationDetail, err error) {
	return v, errReached
}

func (reached) Follow(context.Context, string, string, int64, event.Sink) error { return errReached }

func (reached) Events(context.Context, string, string, int64) (v []event.Event, err error) {
	return v, errReached
}

func (reached) Resume(context.Context, string, string, event.Sink) (v any, err error) {
	return v, errReached
}

func (reached) Cancel(context.Context, string, string, event.Sink) (v event.Operation, err error) {
	return v, errReached
}

func (reached) AuditLog(context.Context, string, int64) (v event.AuditLog, err error) {
	return v, errReached
}

func (reached) AuditPage(context.Context, string, int64) (v event.AuditLog, err error) {
	return v, errReached
}

func (reached) VerifyAuditLog(context.Context, string, string) (v event.AuditVerdict, err error) {
	return v, errReached
}

func (reached) Pulls(context.Context, string, string) (v bool, err error) { return v, errReached }

func (reached) FindOperation(context.Context, string, string) (v event.Operation, err error) {
	return v, errReached
}
