package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/server/identity"
)

func reasonOf(err error) identity.Reason {
	if r, ok := errors.AsType[*identity.RefusedError](err); ok {
		return r.Reason
	}
	return identity.Reason("no refusal: " + time.Now().String())
}

func TestARequestIsPassedOnForTheSameCallerAndNoLonger(t *testing.T) {
	w := acmeOnly(t)
	first, claims, err := w.Exchange(t.Context(), call(w.token(w.issuer.Key())))
	if err != nil {
		t.Fatal(err)
	}
	w.later(20 * time.Second)
	second, passed, err := w.Delegate(t.Context(), control, first, worker.String())
	if err != nil {
		t.Fatal(err)
	}
	want := claims
	want.Act, want.Audience = []string{control.String(), gateway.String()}, worker.String()
	if diff := cmp.Diff(want, passed, cmpopts.IgnoreFields(delegation.Claims{}, "Issued")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	v, err := delegation.NewVerifier(w.source, self, worker, w.now).Verify(t.Context(), second, "acme", control)
	if err != nil || v.Context().Org() != "acme" {
		t.Errorf("the next hop: %+v, %v", v.Claims(), err)
	}
	third, last, err := w.Delegate(t.Context(), worker, second, drift.String())
	if err != nil || strings.Join(last.Act, " ") != strings.Join([]string{worker.String(), control.String(), gateway.String()}, " ") {
		t.Errorf("two hops: %v, %v", last.Act, err)
	}
	_ = third

	for reason, c := range map[string]struct {
		by       spiffeid.ID
		given    string
		audience string
		want     identity.Reason
	}{
		"a token of another service":       {worker, first, drift.String(), identity.ContextRefused},
		"a token that was used to call us": {control, second, drift.String(), identity.ContextRefused},
		"the token of the outside caller":  {control, w.token(w.issuer.Key()), worker.String(), identity.ContextRefused},
		"no token":                         {control, "", worker.String(), identity.ContextRefused},
		"a token that was changed":         {control, first[:len(first)-4] + "AAAA", worker.String(), identity.ContextRefused},
		"the gateway":                      {gateway, first, control.String(), identity.PresenterRefused},
		"somebody of another domain":       {spiffeid.RequireFromString("spiffe://else.example/freehold/control"), first, worker.String(), identity.PresenterRefused},
		"for itself":                       {control, first, control.String(), identity.PresenterRefused},
		"for the gateway":                  {control, first, gateway.String(), identity.PresenterRefused},
		"for the identity service":         {control, first, self.String(), identity.PresenterRefused},
		"for nobody":                       {control, first, "", identity.PresenterRefused},
	} {
		token, _, err := w.Delegate(t.Context(), c.by, c.given, c.audience)
		if got := reasonOf(err); got != c.want || token != "" {
			t.Errorf("%s: %v, want %s", reason, err, c.want)
		}
	}
	w.later(50 * time.Second)
	if _, _, err := w.Delegate(t.Context(), control, first, worker.String()); reasonOf(err) != identity.ContextRefused {
		t.Errorf("after its end: %v", err)
	}
}

func TestTheWorkerActsForAnOrgInItsOwnNameAndOnTheRecord(t *testing.T) {
	w := acmeOnly(t)
	token, claims, err := w.Assume(t.Context(), worker, "acme", "resume operation 7")
	if err != nil {
		t.Fatal(err)
	}
	v, err := delegation.NewVerifier(w.source, self, worker, w.now).Verify(t.Context(), token, "acme", worker)
	if err != nil || v.Claims().Subject != "service:"+worker.String() || len(v.Claims().Roles) > 0 || v.Context().Org() != "acme" {
		t.Errorf("%+v, %v", v.Claims(), err)
	}
	log, err := w.store.Org(orgcontexttest.For("acme")).Audited(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	last := log[len(log)-1]
	want := event.AuditEntry{
		Org: "acme", Actor: "service:" + worker.String(), Request: claims.Request, What: `act for the org: "resume operation 7"`,
		Result: "allowed: " + worker.String() + " resumes operations",
	}
	if diff := cmp.Diff(want, last, cmpopts.IgnoreFields(event.AuditEntry{}, "Seq", "At", "Previous", "Hash")); diff != "" {
		t.Errorf("the last entry (-want +got):\n%s", diff)
	}
	for reason, c := range map[string]struct {
		by   spiffeid.ID
		org  string
		want identity.Reason
	}{
		"the gateway":          {gateway, "acme", identity.PresenterRefused},
		"control":              {control, "acme", identity.PresenterRefused},
		"drift":                {drift, "acme", identity.PresenterRefused},
		"nobody":               {spiffeid.ID{}, "acme", identity.PresenterRefused},
		"for no org":           {worker, "hooli", identity.OrgUnknown},
		"for what is none":     {worker, "Acme'; --", identity.OrgUnknown},
		"the gateway, for all": {gateway, "", identity.PresenterRefused},
	} {
		token, _, err := w.Assume(t.Context(), c.by, c.org, "x")
		if got := reasonOf(err); got != c.want || token != "" {
			t.Errorf("%s: %v, want %s", reason, err, c.want)
		}
	}
	// Without an org it may read over all of them, and act for none.
	if _, c, err := w.Assume(t.Context(), worker, "", "find operations that nobody runs"); err != nil || !c.Fleet || c.Org != "" || len(c.Roles) > 0 {
		t.Errorf("over all orgs: %+v, %v", c, err)
	}
}
