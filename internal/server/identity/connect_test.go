package identity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"

	internalv1 "freehold.dev/freehold/internal/api/freeholdinternal/v1"
	"freehold.dev/freehold/internal/api/freeholdinternal/v1/internalv1connect"
	"freehold.dev/freehold/internal/server/identity"
	"freehold.dev/freehold/internal/server/mtls"
)

// served is the service behind mutual TLS, and a client for each service.
func served(t *testing.T, w *world) (url string, client func(service string) *http.Client) {
	t.Helper()
	dir := t.TempDir()
	source := func(service string) mtls.Source {
		s, err := mtls.BuiltIn(filepath.Join(dir, "issuer"), domain, service, w.now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler: w.Handler(), TLSConfig: mtls.ServerConfig(source("identity"), identity.Callers(domain)...), ReadHeaderTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	return "https://" + listener.Addr().String(), func(service string) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: mtls.ClientConfig(source(service), self), ForceAttemptHTTP2: true}}
	}
}

func TestTheAnswerOutsideIsTheSameForEveryReason(t *testing.T) {
	w := acmeOnly(t)
	url, client := served(t, w)
	gateway := client("gateway")
	ask := func(e identity.Exchange) string {
		body, err := json.Marshal(map[string]string{
			"host": e.Host, "authorization": e.Authorization, "procedure": e.Procedure, "audience": e.Audience, "requestId": e.Request, "peer": e.Peer,
		})
		if err != nil {
			t.Fatal(err)
		}
		res, err := gateway.Post(url+"/freehold.internal.v1.IdentityService/Exchange", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		res.Header.Del("Date")
		return fmt.Sprint(res.StatusCode, res.Header, string(text))
	}
	if got := ask(call(w.issuer.Token(ada(nil)))); !strings.HasPrefix(got, "200") || !strings.Contains(got, `"org":"acme"`) {
		t.Fatalf("a good call: %s", got)
	}
	answers := map[string]string{}
	good := w.issuer.Token(ada(nil))
	for reason, e := range map[string]identity.Exchange{
		"an unknown org":     {Host: "hooli." + base, Authorization: "Bearer " + good, Procedure: list, Audience: control.String(), Request: "1"},
		"an unknown host":    {Host: "localhost", Authorization: "Bearer " + good, Procedure: list, Audience: control.String(), Request: "1"},
		"a wrong audience":   call(w.issuer.Token(ada(map[string]any{"aud": globeHost}))),
		"no role":            call(w.issuer.Token(ada(map[string]any{"groups": []string{}}))),
		"an unknown issuer":  call(w.issuer.Token(ada(map[string]any{"iss": "https://x.example"}))),
		"no token":           {Host: acmeHost, Procedure: list, Audience: control.String(), Request: "1"},
		"the operators' own": {Host: operators, Authorization: "Bearer " + good, Procedure: listAll, Audience: control.String(), Request: "1"},
		"no procedure":       {Host: acmeHost, Authorization: "Bearer " + good, Request: "1"},
	} {
		answers[ask(e)] = reason
	}
	if len(answers) != 1 {
		t.Errorf("%d answers: %v", len(answers), answers)
	}
	for a := range answers {
		if !strings.HasPrefix(a, "401") || !strings.Contains(a, `{"code":"unauthenticated","message":"unauthenticated"}`) {
			t.Error(a)
		}
	}
}

func TestOnlyServicesThatMayAskGetAnAnswer(t *testing.T) {
	w := acmeOnly(t)
	url, client := served(t, w)
	token := w.issuer.Token(ada(nil))
	exchange := func(as string) error {
		c := internalv1connect.NewIdentityServiceClient(connect.NewClient(connecthttp.NewTransport(client(as), url)))
		_, err := c.Exchange(t.Context(), &internalv1.ExchangeRequest{
			Host: acmeHost, Authorization: "Bearer " + token, Procedure: list, Audience: control.String(), RequestId: "1",
		})
		return err
	}
	for as, want := range map[string]connect.Code{"control": connect.CodeUnauthenticated, "worker": connect.CodeUnauthenticated, "unlisted": 0, "identity": 0} {
		// Those whom TLS refuses get no answer at all, and what the client makes of that differs.
		if err := exchange(as); err == nil || want != 0 && connect.CodeOf(err) != want || want == 0 && connect.CodeOf(err) == connect.CodeUnauthenticated {
			t.Errorf("as %s: %v, want %s", as, err, want)
		}
	}
	if err := exchange("gateway"); err != nil {
		t.Error(err)
	}
	if res, err := http.Get(strings.Replace(url, "https", "http", 1)); err == nil && res.StatusCode != http.StatusBadRequest {
		t.Errorf("in the clear: %s", res.Status)
	}
	plain := httptest.NewServer(w.Handler())
	defer plain.Close()
	res, err := http.Post(plain.URL+"/freehold.internal.v1.IdentityService/Assume", "application/json", strings.NewReader(`{"org":"acme"}`))
	if err != nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("without mutual TLS: %v, %v", res.Status, err)
	}

	get := func(as string) internalv1connect.IdentityServiceClient {
		return internalv1connect.NewIdentityServiceClient(connect.NewClient(connecthttp.NewTransport(client(as), url)))
	}
	given, err := get("gateway").Exchange(t.Context(), &internalv1.ExchangeRequest{
		Host: acmeHost, Authorization: "Bearer " + token, Procedure: list, Audience: control.String(), RequestId: "1",
	})
	if err != nil || given.GetOrg() != "acme" || !strings.HasSuffix(given.GetSubject(), "#1234") {
		t.Fatalf("%v, %v", given, err)
	}
	if _, err := get("control").Delegate(t.Context(), &internalv1.DelegateRequest{Token: given.GetToken(), Audience: worker.String()}); err != nil {
		t.Error(err)
	}
	if _, err := get("control").Assume(t.Context(), &internalv1.AssumeRequest{Org: "acme"}); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("control for an org: %v", err)
	}
	if got, err := get("worker").Assume(t.Context(), &internalv1.AssumeRequest{Org: "acme", Purpose: "resume"}); err != nil || got.GetToken() == "" {
		t.Errorf("the worker for an org: %v", err)
	}
}
