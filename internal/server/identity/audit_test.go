package identity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/server/identity"
)

// denials are the entries of a log about refused calls, in one line each.
func denials(t *testing.T, entries []event.AuditEntry, err error) (out []string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Result, "denied") {
			out = append(out, strings.Join([]string{e.Actor, e.Request, e.What, e.Result}, " | "))
		}
	}
	return out
}

func TestARefusalIsInTheLogOfTheHostsOrgOrElseInTheFleets(t *testing.T) {
	w := acmeOnly(t)
	stop := w.run()
	w.refused(call(w.issuer.Token(ada(map[string]any{"aud": globeHost}))))
	e := call(w.issuer.Token(ada(nil)))
	e.Host, e.Peer = "hooli."+base, "192.0.2.1\nroot"
	w.refused(e)
	_, _, _ = w.Delegate(t.Context(), control, "x", worker.String())
	stop()

	acme, err := w.store.Org(orgcontexttest.For("acme")).Audited(t.Context(), 0)
	want := []string{
		`somebody at 192.0.2.1 | req-1 | call "/freehold.v1.OperationService/ListOperations" at "acme.freehold.example.com"` +
			` | denied: audience-refused: it is for "globex.freehold.example.com", expected acme.freehold.example.com and nothing else`,
	}
	if diff := cmp.Diff(want, denials(t, acme, err)); diff != "" {
		t.Errorf("acme's log (-want +got):\n%s", diff)
	}
	fleet, err := w.store.Fleet(orgcontexttest.Fleet()).Audited(t.Context(), 0)
	want = []string{
		`somebody at "192.0.2.1\nroot" | req-1 | call "/freehold.v1.OperationService/ListOperations" at "hooli.freehold.example.com"` +
			` | denied: org-unknown: nobody may call at "hooli.freehold.example.com"`,
		`spiffe://freehold.example/freehold/control |  | pass a request on to "spiffe://freehold.example/freehold/worker"` +
			` | denied: context-refused: the context token is refused: it is not a JWT`,
	}
	if diff := cmp.Diff(want, denials(t, fleet, err)); diff != "" {
		t.Errorf("the fleet's log (-want +got):\n%s", diff)
	}
	hooli, err := w.store.Org(orgcontexttest.For("hooli")).Audited(t.Context(), 0)
	if got := denials(t, hooli, err); len(got) > 0 {
		t.Errorf("the log of an org that there is not: %v", got)
	}
}

// The log is kept for ever, and an outsider can call as often as they like.
func TestAnOutsiderCannotFillALog(t *testing.T) {
	w := acmeOnly(t)
	stop := w.run()
	expired := call(w.issuer.Token(ada(map[string]any{"iat": time.Now().Add(-time.Hour).Unix(), "exp": time.Now().Add(-time.Minute).Unix()})))
	for n := range 3000 {
		w.refused(expired)
		e := expired
		e.Host = fmt.Sprintf("org-%d.%s", n, base)
		w.refused(e)
	}
	w.refused(call(""))
	w.later(61 * time.Second)
	w.refused(expired)
	stop()
	log, err := w.store.Org(orgcontexttest.For("acme")).Audited(t.Context(), 0)
	kinds := map[string]int{}
	for _, d := range denials(t, log, err) {
		_, result, _ := strings.Cut(d, "denied: ")
		reason, more, _ := strings.Cut(result, ": ")
		if strings.HasSuffix(more, "more times") {
			reason += " " + more
		}
		kinds[reason]++
	}
	want := map[string]int{"token-expired": identity.Noted + 1, "token-expired 2990 more times": 1, "scheme-unknown": 1}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("acme's log (-want +got):\n%s", diff)
	}
	fleet, err := w.store.Fleet(orgcontexttest.Fleet()).Audited(t.Context(), 0)
	if got := len(denials(t, fleet, err)); got != identity.Noted+1 {
		t.Errorf("the fleet's log has %d entries about 3,000 hosts of nobody", got)
	}
}
