package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/server/servertest"
)

// fleet is a registry with some orgs, whose people log in at one identity provider.
func fleet(t testing.TB, issuer *oidctest.Issuer, orgs ...string) registry.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), t.TempDir()+"/registry.db", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, org := range orgs {
		if err := servertest.Fill(t.Context(), s, org, issuer.URL, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestEachProtocolReachesTheCallersOwnOrg(t *testing.T) {
	issuer := oidctest.Serve(t)
	w := servertest.Start(t, fleet(t, issuer, "acme", "globex"), servertest.Options{Issuer: issuer})
	for _, org := range []string{"acme", "globex"} {
		token := w.Token(org, org+"-viewers")
		for name, options := range map[string][]connecthttp.Option{
			"connect": nil, "connect with JSON": {connecthttp.WithProtoJSON()}, "connect by GET": {connecthttp.WithHTTPGet()},
			"gRPC": {connecthttp.WithGRPC()}, "gRPC-web": {connecthttp.WithGRPCWeb()},
		} {
			c := w.Client(org, token, options...)
			got, err := freeholdv1connect.NewOperationServiceClient(c).ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{})
			if err != nil || got.GetOrg() != org || len(got.GetOperations()) != 1 {
				t.Errorf("%s as %s: %v, %v", name, org, got, err)
			}
			stream, err := freeholdv1connect.NewOperationServiceClient(c).StreamOperationEvents(t.Context(), &freeholdv1.StreamOperationEventsRequest{Follow: true})
			if err != nil {
				t.Errorf("%s as %s: %v", name, org, err)
				continue
			}
			events := 0
			for {
				m, err := stream.Receive()
				if err != nil {
					break
				}
				if events++; m.GetOrg() != org {
					t.Errorf("%s as %s: an event of %s", name, org, m.GetOrg())
				}
			}
			if events != 4 {
				t.Errorf("%s as %s: %d events, want 4", name, org, events)
			}
		}
	}
}

func TestAnOperatorReadsTheFleetAndACallerOfAnOrgDoesNot(t *testing.T) {
	issuer := oidctest.Serve(t)
	w := servertest.Start(t, fleet(t, issuer, "acme", "globex"), servertest.Options{Issuer: issuer})
	list := func(label, token string) (*freeholdv1.ListOrganizationsResponse, error) {
		return freeholdv1connect.NewFleetServiceClient(w.Client(label, token)).ListOrganizations(t.Context(), &freeholdv1.ListOrganizationsRequest{})
	}
	got, err := list("op", w.Token("op", "reviewers"))
	if err != nil || len(got.GetOrganizations()) != 2 {
		t.Errorf("an operator: %v, %v", got, err)
	}
	for what, call := range map[string][2]string{
		"an admin of an org": {"op", w.Token("acme", "acme-admins")}, "an admin of an org at its host": {"acme", w.Token("acme", "acme-admins")},
		"an operator at an org's host": {"acme", w.Token("op", "operators")}, "nobody": {"op", ""},
	} {
		if got, err := list(call[0], call[1]); connect.CodeOf(err) != connect.CodeUnauthenticated {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
}

// A client that is told to resume goes on without a gap.
func TestAServerThatStopsSaysWhereAStreamIsResumed(t *testing.T) {
	issuer := oidctest.Serve(t)
	s := fleet(t, issuer, "acme")
	of := s.Org(orgcontexttest.For("acme"))
	begun, err := of.Begin(t.Context(), registry.Request{Kind: "onboard", Holder: "elsewhere", TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	say := func() {
		if _, err := of.Append(t.Context(), begun.Lease, event.Event{Type: event.Diagnostic, Time: time.Now(), Org: "acme", Operation: begun.Lease.Operation, Kind: "onboard"}); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	w := servertest.Start(t, s, servertest.Options{Issuer: issuer, Dir: dir})
	var seen []int64
	follow := func(after int64, until func()) (resume *freeholdv1.StreamResume) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		stream, err := freeholdv1connect.NewOperationServiceClient(w.Client("acme", w.Token("acme", "acme-viewers"))).
			StreamOperationEvents(ctx, &freeholdv1.StreamOperationEventsRequest{AfterSequence: after, Follow: true})
		if err != nil {
			t.Fatal(err)
		}
		for {
			m, err := stream.Receive()
			if err != nil {
				t.Logf("the stream ends: %v", err)
				return resume
			}
			if r := m.GetResume(); r != nil {
				resume = r
				continue
			}
			if seen = append(seen, m.GetEvent().GetSequence()); until != nil {
				go until()
				until = nil
			}
		}
	}
	say()
	resume := follow(0, func() { w.Stop(t) })
	if resume == nil || resume.GetAfterSequence() != seen[len(seen)-1] {
		t.Fatalf("resume %v after events %v", resume, seen)
	}
	say()
	w = servertest.Start(t, s, servertest.Options{Issuer: issuer, Dir: dir})
	follow(resume.GetAfterSequence(), func() {
		if _, err := of.End(context.WithoutCancel(t.Context()), begun.Lease, event.Event{Type: event.OperationFailed, Time: time.Now(), Org: "acme", Operation: begun.Lease.Operation, Kind: "onboard"}); err != nil && !errors.Is(err, registry.ErrLost) {
			t.Error(err)
		}
	})
	for i, seq := range seen {
		if seq != int64(i+1) {
			t.Errorf("events %v: want each once, in order", seen)
			break
		}
	}
	if len(seen) < 4 {
		t.Errorf("events %v: want at least 4", seen)
	}
}

// Whoever is turned away is in the log of the org at whose host it was, whatever it
// lacked.
func TestWhoeverIsTurnedAwayIsInTheOrgsAuditLog(t *testing.T) {
	issuer := oidctest.Serve(t)
	s := fleet(t, issuer, "acme")
	w := servertest.Start(t, s, servertest.Options{Issuer: issuer})
	client := w.HTTP()
	ask := func(procedure string, authorization ...string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL("acme")+procedure, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header["Authorization"] = authorization
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusUnauthorized || string(body) != `{"code":"unauthenticated","message":"unauthenticated"}` {
			t.Errorf("%s: %s, %s, %v", procedure, resp.Status, body, err)
		}
	}
	good := "Bearer " + w.Token("acme", "acme-admins")
	ask("/freehold.v1.OperationService/ListOperations")
	ask("/freehold.v1.OperationService/ListOperations", good, good)
	ask("/freehold.v1.OperationService/DropOperations", good)
	ask("/freehold.v1.FleetService/ListOrganizations", good)
	w.Stop(t) // what was refused is written by then
	entries, err := s.Org(orgcontexttest.For("acme")).Audited(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	log := fmt.Sprint(entries)
	for _, want := range []string{"token-missing", "scheme-unknown", "DropOperations", "FleetService/ListOrganizations"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
}
