package mtls

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// agent is a Workload API on loopback, which gives every caller the SVIDs of
// some services.
type agent struct {
	workload.UnimplementedSpiffeWorkloadAPIServer

	services []string

	mu      sync.Mutex
	current authority
	changed chan struct{}
}

func serveAgent(t *testing.T, a authority, services ...string) (*agent, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &agent{services: services, current: a, changed: make(chan struct{})}
	server := grpc.NewServer()
	workload.RegisterSpiffeWorkloadAPIServer(server, s)
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() { server.Stop(); wg.Wait() })
	return s, "tcp://" + listener.Addr().String()
}

// use makes the agent issue SVIDs of another authority.
func (s *agent) use(a authority) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = a
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *agent) state() (authority, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, s.changed
}

func (s *agent) FetchX509SVID(_ *workload.X509SVIDRequest, stream grpc.ServerStreamingServer[workload.X509SVIDResponse]) error {
	if md, _ := metadata.FromIncomingContext(stream.Context()); !slices.Equal(md.Get("workload.spiffe.io"), []string{"true"}) {
		return status.Error(codes.InvalidArgument, "the security header is missing")
	}
	for {
		a, changed := s.state()
		var answer workload.X509SVIDResponse
		for _, service := range s.services {
			v, err := a.issue(ID(domain, service), time.Now())
			if err != nil {
				return err
			}
			certs, key, err := v.MarshalRaw()
			if err != nil {
				return err
			}
			answer.Svids = append(answer.Svids, &workload.X509SVID{
				SpiffeId: v.ID.String(), X509Svid: certs, X509SvidKey: key, Bundle: a.cert.Raw,
			})
		}
		if err := stream.Send(&answer); err != nil {
			return err
		}
		select {
		case <-stream.Context().Done():
			return nil
		case <-changed:
		}
	}
}

func newTestAuthority(t *testing.T, trustDomain string) authority {
	t.Helper()
	a, err := newAuthority(spiffeid.RequireTrustDomainFromString(trustDomain), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func workloadSource(t *testing.T, addr, service string) Source {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	s, err := WorkloadAPI(ctx, addr, domain, service)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestAServiceTakesTheSVIDWithItsOwnName(t *testing.T) {
	_, addr := serveAgent(t, newTestAuthority(t, domain), "gateway", "control", "worker")
	for _, service := range []string{"control", "worker"} {
		if got := svid(t, workloadSource(t, addr, service)).ID; got != ID(domain, service) {
			t.Errorf("%s got the SVID of %s", service, got)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if _, err := WorkloadAPI(ctx, addr, domain, "identity"); err == nil {
		t.Error("a service that is not registered got the SVID of another")
	}
}

func TestAWorkloadAPIIsNamedInFull(t *testing.T) {
	t.Setenv("SPIFFE_ENDPOINT_SOCKET", "")
	for _, addr := range []string{"/run/spire/api.sock", "tcp://localhost:1", "unix:relative"} {
		if _, err := WorkloadAPI(t.Context(), addr, domain, "control"); err == nil {
			t.Errorf("%s was accepted", addr)
		}
	}
	_, addr := serveAgent(t, newTestAuthority(t, domain), "control")
	t.Setenv("SPIFFE_ENDPOINT_SOCKET", addr)
	workloadSource(t, "", "control")
}

// An authority is replaced while a server runs: what comes after is accepted
// under the new one, and no longer under the old one.
func TestAServerFollowsTheWorkloadAPI(t *testing.T) {
	old, next := newTestAuthority(t, domain), newTestAuthority(t, domain)
	server, addr := serveAgent(t, old, "control", "gateway")
	control, gateway := workloadSource(t, addr, "control"), workloadSource(t, addr, "gateway")
	url := serve(t, ServerConfig(control, ID(domain, "gateway")))
	if err := call(t, url, ClientConfig(gateway, ID(domain, "control"))); err != nil {
		t.Fatal(err)
	}
	was := fixed{svid: svid(t, gateway), bundles: gateway}
	server.use(next)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if signedBy(svid(t, control), next) && signedBy(svid(t, gateway), next) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the sources did not follow")
		}
	}
	if err := call(t, url, ClientConfig(gateway, ID(domain, "control"))); err != nil {
		t.Error(err)
	}
	if err := call(t, url, ClientConfig(was, ID(domain, "control"))); err == nil {
		t.Error("an SVID of an authority that is no longer trusted is accepted")
	}
}

func signedBy(v *x509svid.SVID, a authority) bool {
	return v.Certificates[0].CheckSignatureFrom(a.cert) == nil
}

func TestWhoMayConnect(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "issuer")
	granting := newTestAuthority(t, domain)
	_, addr := serveAgent(t, granting, "control", "gateway", "drift")
	for name, source := range map[string]struct {
		of        func(string) Source
		authority func() authority
	}{
		"built-in issuer": {
			func(service string) Source { return builtin(t, dir, service, time.Now) },
			func() authority {
				all, err := folder{dir: dir, td: spiffeid.RequireTrustDomainFromString(domain)}.read()
				if err != nil {
					t.Fatal(err)
				}
				return all[0]
			},
		},
		"Workload API": {
			func(service string) Source { return workloadSource(t, addr, service) },
			func() authority { return granting },
		},
	} {
		t.Run(name, func(t *testing.T) {
			of := source.of
			control, gateway := of("control"), of("gateway")
			url := serve(t, ServerConfig(control, ID(domain, "gateway"), ID(domain, "worker")))
			callee := ID(domain, "control")
			if err := call(t, url, ClientConfig(gateway, callee)); err != nil {
				t.Errorf("a listed caller: %v", err)
			}
			own := source.authority()
			if err := call(t, url, ClientConfig(fixed{certified(t, &own, ID(domain, "gateway")), gateway}, callee)); err != nil {
				t.Errorf("a certificate of one name, made as those below are: %v", err)
			}
			stranger := newTestAuthority(t, domain)
			abroad := newTestAuthority(t, "other.example")
			now := time.Now()
			for name, c := range map[string]*tls.Config{
				"a caller that is not listed":    ClientConfig(of("drift"), callee),
				"the callee itself":              ClientConfig(control, callee),
				"a caller without certificate":   {MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, InsecureSkipVerify: true},
				"a caller of another CA":         ClientConfig(fixed{issued(t, stranger, ID(domain, "gateway"), now), gateway}, callee),
				"a caller of another domain":     ClientConfig(fixed{issued(t, abroad, ID("other.example", "gateway"), now), gateway}, callee),
				"a self-signed caller":           ClientConfig(fixed{certified(t, nil, ID(domain, "gateway")), gateway}, callee),
				"a client that expects another":  ClientConfig(gateway, ID(domain, "worker")),
				"a client of another bundle":     ClientConfig(fixed{svid(t, gateway), x509bundle.FromX509Authorities(spiffeid.RequireTrustDomainFromString(domain), []*x509.Certificate{stranger.cert})}, callee),
				"a caller with TLS 1.2":          older(ClientConfig(gateway, callee)),
				"a caller with two identities":   ClientConfig(fixed{certified(t, &own, ID(domain, "gateway"), ID(domain, "worker")), gateway}, callee),
				"a caller that shows an old one": ClientConfig(fixed{issued(t, own, ID(domain, "gateway"), now.Add(-svidLife-time.Minute)), gateway}, callee),
			} {
				if err := call(t, url, c); err == nil {
					t.Errorf("%s got an answer", name)
				}
			}
		})
	}
}

func TestAServerWithoutCallersAcceptsNobody(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "issuer")
	url := serve(t, ServerConfig(builtin(t, dir, "control", time.Now)))
	for _, service := range []string{"gateway", "control", "identity"} {
		if err := call(t, url, ClientConfig(builtin(t, dir, service, time.Now), ID(domain, "control"))); err == nil {
			t.Errorf("%s got an answer", service)
		}
	}
}

// Everybody's clock is two hours ahead of the SVID's end; only that differs
// between the two calls.
func TestAnExpiredSVIDIsRefused(t *testing.T) {
	clock := newHand()
	dir := filepath.Join(t.TempDir(), "issuer")
	control, gateway := builtin(t, dir, "control", clock.now), builtin(t, dir, "gateway", clock.now)
	url := serve(t, ServerConfig(control, ID(domain, "gateway")))
	old := fixed{svid(t, gateway), gateway}
	config := ClientConfig(old, ID(domain, "control"))
	config.VerifyConnection = nil // what the server does is in question
	if err := call(t, url, config); err != nil {
		t.Fatal(err)
	}
	clock.pass(svidLife + time.Second)
	if err := call(t, url, config); err == nil {
		t.Error("an expired SVID is accepted")
	}
}

func TestAServerKnowsItsPeer(t *testing.T) {
	if _, ok := PeerOf(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)); ok {
		t.Error("a request without TLS has a peer")
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://x/", nil)
	r.TLS.PeerCertificates = nil
	if _, ok := PeerOf(r); ok {
		t.Error("a request without certificate has a peer")
	}
	if !PeerUntil(r).IsZero() {
		t.Error("a request without certificate has an SVID that ends")
	}
}

// serve answers over HTTP/2 with the name of the peer.
func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{TLSConfig: config, ErrorLog: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, ok := PeerOf(r)
		if !ok || r.ProtoMajor != 2 || !PeerUntil(r).Equal(r.TLS.PeerCertificates[0].NotAfter) {
			http.Error(w, "no peer", http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, id.String())
	})}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.ServeTLS(listener, "", "") })
	t.Cleanup(func() { _ = server.Close(); wg.Wait() })
	return "https://" + listener.Addr().String()
}

func call(t *testing.T, url string, config *tls.Config) error {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	name, err := io.ReadAll(answer.Body)
	if err == nil && string(name) != ID(domain, "gateway").String() {
		t.Errorf("the server took the peer for %s", name)
	}
	return err
}

// fixed shows one SVID, whatever the time.
type fixed struct {
	svid    *x509svid.SVID
	bundles x509bundle.Source
}

func (f fixed) GetX509SVID() (*x509svid.SVID, error) { return f.svid, nil }

func (f fixed) GetX509BundleForTrustDomain(td spiffeid.TrustDomain) (*x509bundle.Bundle, error) {
	return f.bundles.GetX509BundleForTrustDomain(td)
}

func (fixed) Close() error { return nil }

func issued(t *testing.T, a authority, id spiffeid.ID, now time.Time) *x509svid.SVID {
	t.Helper()
	v, err := a.issue(id, now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// certified is a certificate with these names, signed by the authority, or by
// itself if there is none.
func certified(t *testing.T, by *authority, ids ...spiffeid.ID) *x509svid.SVID {
	t.Helper()
	var names []*url.URL
	for _, id := range ids {
		names = append(names, id.URL())
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), URIs: names, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &x509svid.SVID{Certificates: []*x509.Certificate{cert}, PrivateKey: key}
}

func older(c *tls.Config) *tls.Config {
	c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	return c
}
