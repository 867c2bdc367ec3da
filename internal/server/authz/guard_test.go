package authz

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/server/mtls"
)

func TestARequestThatIsAllowedReachesTheHandler(t *testing.T) {
	w := newWorld(t)
	w.serve(w.guard.Handler(echo))
	gateway := w.client("gateway")
	got := w.ask(gateway, listAudit, w.token(w.claims("acme", "viewer")), "acme", func(r *http.Request) {
		r.Header.Set("X-Other", "stays")
	})
	var heard said
	if err := json.Unmarshal([]byte(got.body), &heard); err != nil || got.status != http.StatusOK {
		t.Fatal(got)
	}
	const ada = `user:https://login.acme.example#1 "ada@acme.example"`
	if diff := cmp.Diff(said{Org: "acme", Actor: ada, Deadline: true}, heard); diff != "" {
		t.Errorf("the handler knows (+): %s", diff)
	}
	got = w.ask(gateway, listOrgs, w.token(w.fleetClaims("fleet-viewer")), "")
	heard = said{}
	if err := json.Unmarshal([]byte(got.body), &heard); err != nil || !heard.Fleet || heard.Org != "" {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{ada + " req-1 " + listAudit + ": allowed: viewers-read"}, w.entries("acme")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`user:https://login.x.example#1 "ada@x.example" req-1 ` + listOrgs + ": allowed: fleet-viewers-read"}, w.entries("")); diff != "" {
		t.Error(diff)
	}
}

// Who is known and not allowed hears so, and the org reads it in its log.
func TestARequestThatIsDeniedIsInTheOrgsLog(t *testing.T) {
	w := newWorld(t)
	w.serve(w.guard.Handler(unreachable(t)))
	const onboard = "/freehold.v1.DataPlaneService/OnboardDataPlane"
	got := w.ask(w.client("gateway"), onboard, w.token(w.claims("acme", "viewer")), "acme")
	if got.status != http.StatusForbidden || got.body != `{"code":"permission_denied","message":"permission denied"}` {
		t.Error(got)
	}
	want := []string{`user:https://login.acme.example#1 "ada@acme.example" req-1 ` + onboard + ": denied: no policy permits it to the role viewer"}
	if diff := cmp.Diff(want, w.entries("acme")); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(w.logged.String(), "no policy permits it to the role viewer") {
		t.Error("the service's own log does not say why")
	}
}

func unreachable(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		t.Error("a refused request reached the handler")
		w.WriteHeader(http.StatusTeapot)
	})
}

// A stranger learns nothing from the answer: it is the same for all of these, in
// every byte. The operators read the reason in the fleet's log.
func TestARequestOfNobodyGetsOneAnswer(t *testing.T) {
	w := newWorld(t)
	w.serve(w.guard.Handler(unreachable(t)))
	gateway := w.client("gateway")
	good := w.token(w.claims("acme", "admin"))
	stale := w.claims("acme", "admin")
	stale.Issued, stale.Expires = stale.Issued.Add(-time.Hour), stale.Issued.Add(-time.Hour+time.Minute)
	elsewhere := w.claims("acme", "admin")
	elsewhere.Audience = serviceID("worker")
	var first *answer
	for name, c := range map[string]struct {
		client     *http.Client
		token, org string
		change     func(*http.Request)
		reason     string
	}{
		"no token":                 {gateway, "", "acme", nil, "there is none"},
		"nothing at all":           {gateway, "", "", nil, "there is none"},
		"a word":                   {gateway, "acme", "acme", nil, "it is not a JWT"},
		"expired":                  {gateway, w.token(stale), "acme", nil, "it ended at"},
		"for another service":      {gateway, w.token(elsewhere), "acme", nil, "it is for spiffe"},
		"another org's header":     {gateway, good, "globex", nil, `it is for org "acme", and the request says "globex"`},
		"no org header":            {gateway, good, "", nil, `it is for org "acme", and the request says ""`},
		"a forged org":             {gateway, good, "acme\tx", nil, "(the request says org"},
		"another service":          {w.client("worker"), good, "acme", nil, "freehold/worker presents it"},
		"two tokens":               {gateway, good, "acme", func(r *http.Request) { r.Header.Add(delegation.ContextHeader, good) }, "there are 2 headers Freehold-Context"},
		"two orgs":                 {gateway, good, "acme", func(r *http.Request) { r.Header.Add(delegation.OrgHeader, "globex") }, "there are 2 headers Freehold-Org"},
		"the token in a word more": {gateway, "Bearer " + good, "acme", nil, "it is not a JWT"},
	} {
		before := len(w.entries(""))
		change := c.change
		if change == nil {
			change = func(*http.Request) {}
		}
		got := w.ask(c.client, listAudit, c.token, c.org, change)
		if got.status != http.StatusUnauthorized || got.body != `{"code":"unauthenticated","message":"unauthenticated"}` {
			t.Errorf("%s: %+v", name, got)
		}
		if first == nil {
			first = &got
		}
		if diff := cmp.Diff(*first, got, cmp.AllowUnexported(answer{})); diff != "" {
			t.Errorf("%s is answered in another way: %s", name, diff)
		}
		entries := w.entries("")[before:]
		if len(entries) != 1 || !strings.Contains(entries[0], c.reason) || !strings.HasPrefix(entries[0], "service:spiffe://freehold.example/freehold/") {
			t.Errorf("%s: the log says %q, expected one entry with %q", name, entries, c.reason)
		}
	}
	if all := w.entries("acme"); len(all) != 0 {
		t.Errorf("acme's log holds what nobody of acme did: %q", all)
	}
}

func TestAnAnswerIsInTheCallersProtocol(t *testing.T) {
	w := newWorld(t)
	w.serve(w.guard.Handler(unreachable(t)))
	gateway := w.client("gateway")
	known := w.token(w.claims("acme"))
	for _, c := range []struct {
		protocol, token string
		want            func(answer) bool
	}{
		{"application/json", "", func(a answer) bool {
			return a.status == 401 && a.body == `{"code":"unauthenticated","message":"unauthenticated"}`
		}},
		{"application/proto", known, func(a answer) bool {
			return a.status == 403 && a.body == `{"code":"permission_denied","message":"permission denied"}`
		}},
		{"application/connect+json", "", func(a answer) bool {
			return a.status == 200 && a.body[5:] == `{"error":{"code":"unauthenticated","message":"unauthenticated"}}`
		}},
		{"application/connect+proto", known, func(a answer) bool {
			return a.status == 200 && a.body[5:] == `{"error":{"code":"permission_denied","message":"permission denied"}}`
		}},
		{"application/grpc", "", grpc("16", "unauthenticated")},
		{"application/grpc+proto", known, grpc("7", "permission%20denied")},
		{"application/grpc-web", "", grpc("16", "unauthenticated")},
		{"application/grpc-web+json", known, grpc("7", "permission%20denied")},
		{"text/plain", "", func(a answer) bool { return a.status == 401 }},
	} {
		got := w.ask(gateway, listAudit, c.token, "acme", func(r *http.Request) {
			r.Header.Set("Content-Type", c.protocol)
		})
		if !c.want(got) {
			t.Errorf("%s: %+v", c.protocol, got)
		}
	}
	got := w.ask(gateway, listAudit, "", "acme", func(r *http.Request) { r.Method, r.Body = http.MethodGet, nil })
	if got.status != http.StatusUnauthorized {
		t.Errorf("GET: %+v", got)
	}
}

func grpc(code, message string) func(answer) bool {
	return func(a answer) bool {
		for _, h := range []http.Header{a.header, a.trailer} {
			if h.Get("Grpc-Status") == code {
				return a.status == 200
			}
		}
		return a.status == 200 && strings.Contains(strings.ToLower(a.body), "grpc-status: "+code) && strings.Contains(a.body, message)
	}
}

func TestADecisionThatCannotBeNotedIsARefusal(t *testing.T) {
	w := newWorld(t)
	w.guard.recorder = NewRecorder(full{w.store})
	w.serve(w.guard.Handler(unreachable(t)))
	for _, roles := range [][]string{{"viewer"}, nil} {
		got := w.ask(w.client("gateway"), listAudit, w.token(w.claims("acme", roles...)), "acme")
		if got.status != http.StatusServiceUnavailable || got.body != `{"code":"unavailable","message":"unavailable"}` {
			t.Errorf("%v: %+v", roles, got)
		}
	}
	if !strings.Contains(w.logged.String(), "the disk is full") {
		t.Error("the service's own log does not say why")
	}
}

// What somebody puts into a path or a header stays one line of a log.
func TestALogIsNotWrittenByWhoeverIsRefused(t *testing.T) {
	w := newWorld(t)
	w.serve(w.guard.Handler(unreachable(t)))
	gateway := w.client("gateway")
	long := strings.Repeat("a", 3000)
	for _, path := range []string{"/x%0Aallowed", "/x%00", "/x%ff", "/" + long, "/freehold.v1.AuditService/ListAuditEntries/", "//freehold.v1.AuditService/ListAuditEntries", "/"} {
		if got := w.ask(gateway, path, w.token(w.claims("acme", "admin")), "acme"); got.status != http.StatusForbidden {
			t.Errorf("%.40s: %+v", path, got)
		}
	}
	for _, e := range w.entries("acme") {
		if strings.ContainsAny(e, "\n\x00") || len(e) > 700 || !strings.HasSuffix(e, "denied: the procedure is not an action of the schema") {
			t.Errorf("the log says %.100q", e)
		}
	}
}

// A stream that has begun goes on after its token has ended: the decision was made
// at its start.
func TestAStreamOutlivesItsToken(t *testing.T) {
	w := newWorld(t)
	begun, passed := make(chan time.Time), make(chan struct{})
	w.serve(w.guard.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		end, ok := r.Context().Deadline()
		if !ok {
			t.Error("a stream has no end")
		}
		_ = http.NewResponseController(rw).Flush()
		begun <- end
		<-passed
		_, _ = fmt.Fprint(rw, "more")
	})))
	go func() {
		end := <-begun
		if left := time.Until(end); left > MaxCall || left < MaxCall-time.Minute {
			t.Errorf("a stream may go on for %s, expected %s", left, MaxCall)
		}
		w.pass(10 * time.Minute)
		close(passed)
	}()
	token := w.token(w.claims("acme", "viewer"))
	gateway := w.client("gateway")
	if got := w.ask(gateway, "/freehold.v1.OperationService/StreamOperationEvents", token, "acme"); got.status != http.StatusOK || got.body != "more" {
		t.Errorf("%+v", got)
	}
	if got := w.ask(gateway, "/freehold.v1.OperationService/StreamOperationEvents", token, "acme"); got.status != http.StatusUnauthorized {
		t.Errorf("the token still begins streams: %+v", got)
	}
}

// A connection does not outlive the SVID that it began with: the client connects
// again, and shows the one that it has by then.
func TestAConnectionEndsBeforeItsSVID(t *testing.T) {
	w := newWorld(t)
	w.serve(w.guard.Handler(echo))
	gateway := w.client("gateway")
	connections := map[string]bool{}
	ask := func() answer {
		return w.ask(gateway, listAudit, w.token(w.claims("acme", "viewer")), "acme", func(r *http.Request) {
			*r = *r.WithContext(traced(r.Context(), connections))
		})
	}
	for range 3 {
		if got := ask(); got.status != http.StatusOK {
			t.Fatal(got)
		}
	}
	if len(connections) != 1 {
		t.Fatalf("3 requests took %d connections", len(connections))
	}
	w.pass(56 * time.Minute)
	for range 3 {
		if got := ask(); got.status != http.StatusOK {
			t.Fatal(got)
		}
	}
	if len(connections) < 3 {
		t.Errorf("a connection is used on until its SVID ends: %d were made", len(connections))
	}
	w.pass(10 * time.Minute)
	if got := ask(); got.status != http.StatusServiceUnavailable {
		t.Errorf("after the SVID's end: %+v", got)
	}
}

func TestOnlyAnAdminChangesAccess(t *testing.T) {
	w := newWorld(t)
	w.serve(w.guard.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(rw, w.guard.Administers(r.Context(), delegation.Claims{Roles: []string{"admin"}}))
	})))
	const onboard = "/freehold.v1.DataPlaneService/OnboardDataPlane"
	gateway := w.client("gateway")
	for role, want := range map[string]string{"admin": "true", "operator": "false", "pipeline": "false"} {
		if got := w.ask(gateway, onboard, w.token(w.claims("acme", role)), "acme"); got.body != want {
			t.Errorf("%s: %+v", role, got)
		}
	}
	const ada = `user:https://login.acme.example#1 "ada@acme.example" req-1 `
	for _, want := range []string{
		ada + ChangeAccess + ": allowed: admins-administer", ada + ChangeAccess + ": denied: no policy permits it to the role pipeline",
	} {
		if got := w.entries("acme"); !slices.Contains(got, want) {
			t.Errorf("the log %q lacks %q", got, want)
		}
	}
	if w.guard.Administers(t.Context(), delegation.Claims{Roles: []string{"admin"}}) {
		t.Error("a caller whom nobody let through administers")
	}
}

// What a service does without having been asked is decided and noted like a request.
func TestAServiceActsInItsOwnNameByThePolicies(t *testing.T) {
	w := newWorld(t)
	const resume = "/freehold.v1.OperationService/ResumeOperation"
	for _, c := range []struct {
		service, procedure string
		allow              bool
	}{
		{"worker", resume, true}, {"worker", listAudit, false}, {"drift", resume, false}, {"control", resume, false},
	} {
		claims := w.claims("acme")
		claims.Subject, claims.Name, claims.Host = "service:"+serviceID(c.service), "", ""
		claims.Act, claims.Audience = []string{serviceID(c.service)}, serviceID(c.service)
		o := w.guard.Options
		o.Self, o.Source = mtls.ID(td.Name(), c.service), w.source(c.service)
		guard := NewGuard(o)
		v, err := guard.verify(t.Context(), w.token(claims), "acme", o.Self)
		if err != nil {
			t.Fatal(err)
		}
		if err := guard.Act(t.Context(), v, c.procedure); (err == nil) != c.allow {
			t.Errorf("%s, %s: %v", c.service, c.procedure, err)
		}
	}
	entries := w.entries("acme")
	if len(entries) != 4 || entries[0] != "service:"+serviceID("worker")+" req-1 "+resume+": allowed: the-worker-resumes" {
		t.Errorf("the log says %q", entries)
	}
}

// The identity service has no token to look at yet: its callers are services.
func TestTheIdentityServiceIsAskedByItsPeersOnly(t *testing.T) {
	w := newWorld(t)
	w.serve(w.guard.Services(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		peer, _ := mtls.PeerOf(r)
		_, _ = fmt.Fprint(rw, peer.Path())
	})))
	const exchange, assume = "/freehold.internal.v1.IdentityService/Exchange", "/freehold.internal.v1.IdentityService/Assume"
	for _, c := range []struct {
		service, procedure string
		allow              bool
	}{
		{"gateway", exchange, true}, {"worker", assume, true}, {"gateway", assume, false}, {"worker", exchange, false},
		{"control", exchange, false}, {"gateway", listAudit, false}, {"gateway", "/", false},
	} {
		// A token changes nothing here.
		got := w.ask(w.client(c.service), c.procedure, w.token(w.claims("acme", "admin")), "acme")
		if c.allow && (got.status != http.StatusOK || got.body != "/freehold/"+c.service) || !c.allow && got.status != http.StatusForbidden {
			t.Errorf("%s, %s: %+v", c.service, c.procedure, got)
		}
	}
	if n := len(w.entries("")); n != 5 {
		t.Errorf("%d refusals are noted, expected 5", n)
	}
}

// BenchmarkPass is what a request costs before its handler: the token is verified
// and the policies decide. The audit log is measured by BenchmarkRecorder.
func BenchmarkVerifyAndDecide(b *testing.B) {
	w := newWorld(b)
	token := w.token(w.claims("acme", "viewer", "operator"))
	took := make([]time.Duration, 0, 1<<16)
	for b.Loop() {
		begin := time.Now()
		v, err := w.guard.verify(b.Context(), token, "acme", mtls.ID(td.Name(), "gateway"))
		if err != nil {
			b.Fatal(err)
		}
		call := Call{Claims: v.Claims(), Procedure: listAudit, Peer: mtls.ID(td.Name(), "gateway"), Org: "acme"}
		if d := w.guard.decide(b.Context(), call); !d.Allow {
			b.Fatal(d)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
