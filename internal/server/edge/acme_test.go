package edge

import (
	"context"
	"crypto/tls"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/acme"

	"freehold.dev/freehold/internal/server/edge/edgetest"
)

// authority is as much of RFC 8555 as one order takes. It checks the host as a
// public authority does: it connects, and looks at the certificate that is shown
// for the protocol acme-tls/1 (RFC 8737).
type authority struct {
	t      *testing.T
	ca     *edgetest.CA
	url    string
	target string // where hosts are

	host      string
	proven    atomic.Bool
	issued    []byte
	orders    atomic.Int32
	handshake error
}

func serveAuthority(t *testing.T, ca *edgetest.CA) *authority {
	t.Helper()
	a := &authority{t: t, ca: ca}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var jws struct{ Payload string }
	_ = json.NewDecoder(r.Body).Decode(&jws)
	payload, err := base64.RawURLEncoding.DecodeString(jws.Payload)
	if err != nil {
		a.t.Error(err)
	}
	w.Header().Set("Replay-Nonce", "n")
	answer := func(status int, location string, v any) {
		w.Header().Set("Content-Type", "application/json")
		if location != "" {
			w.Header().Set("Location", a.url+location)
		}
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(v); err != nil {
			a.t.Error(err)
		}
	}
	switch r.URL.Path {
	case "/directory":
		answer(200, "", map[string]any{"newNonce": a.url + "/nonce", "newAccount": a.url + "/account", "newOrder": a.url + "/order"})
	case "/nonce":
	case "/account":
		answer(201, "/account/1", map[string]any{"status": "valid"})
	case "/order":
		a.orders.Add(1)
		var order struct{ Identifiers []struct{ Value string } }
		if err := json.Unmarshal(payload, &order); err != nil || len(order.Identifiers) != 1 {
			a.t.Errorf("an order for %v: %v", order, err)
		}
		a.host = order.Identifiers[0].Value
		answer(201, "/order/1", a.order())
	case "/order/1":
		answer(200, "/order/1", a.order())
	case "/authz":
		status := "pending"
		if a.proven.Load() {
			status = "valid"
		}
		answer(200, "", map[string]any{
			"status": status, "identifier": map[string]string{"type": "dns", "value": a.host},
			"challenges": []any{map[string]any{"type": "tls-alpn-01", "url": a.url + "/challenge", "token": "t", "status": status}},
		})
	case "/challenge":
		a.handshake = a.check()
		a.proven.Store(a.handshake == nil)
		answer(200, "", map[string]any{"type": "tls-alpn-01", "url": a.url + "/challenge", "token": "t", "status": "processing"})
	case "/finalize":
		var request struct{ CSR string }
		if err := json.Unmarshal(payload, &request); err != nil {
			a.t.Error(err)
		}
		der, err := base64.RawURLEncoding.DecodeString(request.CSR)
		if err != nil {
			a.t.Error(err)
		}
		a.issued = a.ca.Issue(a.t, der)
		answer(200, "/order/1", a.order())
	case "/certificate":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_, _ = w.Write(a.issued)
	default:
		a.t.Errorf("the authority is asked for %s", r.URL.Path)
	}
}

func (a *authority) order() map[string]any {
	o := map[string]any{
		"status": "pending", "identifiers": []any{map[string]string{"type": "dns", "value": a.host}},
		"authorizations": []string{a.url + "/authz"}, "finalize": a.url + "/finalize",
	}
	switch {
	case a.issued != nil:
		o["status"], o["certificate"] = "valid", a.url+"/certificate"
	case a.proven.Load():
		o["status"] = "ready"
	}
	return o
}

// check proves that whoever ordered holds the host.
func (a *authority) check() error {
	conn, err := tls.Dial("tcp", a.target, &tls.Config{ServerName: a.host, NextProtos: []string{acme.ALPNProto}, InsecureSkipVerify: true})
	if err != nil {
		return err
	}
	defer conn.Close()
	state := conn.ConnectionState()
	cert := state.PeerCertificates[0]
	if state.NegotiatedProtocol != acme.ALPNProto || len(cert.DNSNames) != 1 || cert.DNSNames[0] != a.host {
		return fmt.Errorf("it shows %v by %q", cert.DNSNames, state.NegotiatedProtocol)
	}
	for _, e := range cert.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) && e.Critical {
			return nil
		}
	}
	return fmt.Errorf("the certificate proves nothing")
}

func TestACMEGetsACertificateForAHostThatIsAskedFor(t *testing.T) {
	ca := edgetest.NewCA(t)
	a := serveAuthority(t, ca)
	cache := t.TempDir()
	serve := func() string {
		source := ACME{
			Directory: a.url + "/directory", Email: "ops@example.com", Cache: cache, Hosts: hosts,
			Known: func(_ context.Context, org string) (bool, error) { return org == "acme", nil },
		}
		l, err := tls.Listen("tcp", "127.0.0.1:0", source.TLS())
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: hosts.Handler(http.NotFoundHandler()), ErrorLog: edgetest.Quiet()}
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() { server.Close() })
		return l.Addr().String()
	}
	connect := func(addr, host string) error {
		conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: ca.Pool(), ServerName: host, NextProtos: []string{"http/1.1"}})
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	a.target = serve()
	if err := connect(a.target, "globex."+base); err == nil || a.orders.Load() != 0 {
		t.Errorf("an org that there is not: %v, %d orders", err, a.orders.Load())
	}
	for range 2 {
		if err := connect(a.target, "acme."+base); err != nil {
			t.Errorf("%v; the authority saw: %v", err, a.handshake)
		}
	}
	// The next process finds it in the cache.
	if err := connect(serve(), "acme."+base); err != nil || a.orders.Load() != 1 {
		t.Errorf("%v, %d orders", err, a.orders.Load())
	}
}
