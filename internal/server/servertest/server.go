package servertest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"

	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/server"
	"freehold.dev/freehold/internal/server/config"
	"freehold.dev/freehold/internal/server/rpc"
	"freehold.dev/freehold/internal/server/trialtls"
)

// Domain is that of the hosts of a World.
const Domain = "freehold.test"

// World is a whole server that runs in this process, on real sockets, with a real
// identity provider. It has no cloud: what only reads the registry works.
type World struct {
	Issuer *oidctest.Issuer
	// Dir has the identities of the services, in its folder spiffe.
	Dir string
	// Address is where clients connect, and Operations where health and metrics are.
	Address, Operations string

	roots *x509.CertPool
	stop  func() error
}

// Options change a World; the zero value is a usual one.
type Options struct {
	// Config is called with the configuration before it is used.
	Config func(*config.Config)
	Log    *slog.Logger
	// As returns the use cases; nil: those of a lifecycle without a cloud.
	As func(orgcontext.Authority) rpc.UseCases
	// Dir keeps the certificates and identities of services; empty: a new folder.
	Dir string
	// Issuer is the identity provider; nil: a new one.
	Issuer *oidctest.Issuer
}

// Start runs a server over a registry until the test ends, or Stop is called.
func Start(t testing.TB, s registry.Store, o Options) *World {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Issuer == nil {
		o.Issuer = oidctest.Serve(t)
	}
	if err := trialtls.Files(o.Dir, Domain, time.Now()); err != nil {
		t.Fatal(err)
	}
	c := config.Config{
		Domain: Domain, Listen: config.Listen{Address: "127.0.0.1:0", Operations: "127.0.0.1:0"},
		TLS:       config.TLS{Certificate: filepath.Join(o.Dir, trialtls.Certificate), Key: filepath.Join(o.Dir, trialtls.Key)},
		Operators: config.Operators{IssuerURL: o.Issuer.URL, OperatorGroups: []string{"operators"}, ViewerGroups: []string{"reviewers"}},
		Limits:    config.Limits{RequestsPerSecond: 1e6, Burst: 1e6, Concurrent: 1000}, StopWithin: 5 * time.Second,
	}
	if o.Config != nil {
		o.Config(&c)
	}
	c, err := config.Load(c, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	cases := &lifecycle.Service{
		Records: lifecycle.Records{Registry: s}, Now: time.Now, Log: o.Log,
		Holding: operation.Options{Store: s, Now: time.Now, Holder: operation.ThisProcess()},
	}
	if o.As == nil {
		o.As = func(who orgcontext.Authority) rpc.UseCases { return cases.As(who) }
	}
	w := &World{Issuer: o.Issuer, Dir: o.Dir, roots: pool(t, filepath.Join(o.Dir, trialtls.Authority))}
	listening := make(chan server.Addresses, 1)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Options{
			Config: c, Dir: o.Dir, Registry: s, As: o.As,
			Internet: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool(t, o.Issuer.Roots), MinVersion: tls.VersionTLS12}},
			Now:      time.Now, Log: o.Log, Listening: func(a server.Addresses) { listening <- a },
		})
	}()
	w.stop = func() error {
		cancel()
		err := <-ended
		ended <- nil
		return err
	}
	t.Cleanup(func() { w.Stop(t) })
	select {
	case a := <-listening:
		w.Address, w.Operations = a.Public, a.Operations
	case err := <-ended:
		ended <- nil
		t.Fatalf("the server ended: %v", err)
	}
	return w
}

// At is a server that runs elsewhere: it listens at an address, and its certificate is
// that of a folder.
func At(t testing.TB, issuer *oidctest.Issuer, address, dir string) *World {
	t.Helper()
	return &World{Issuer: issuer, Address: address, roots: pool(t, filepath.Join(dir, trialtls.Authority)), stop: func() error { return nil }}
}

// Roots are the authorities of the server's certificate.
func (w *World) Roots() *x509.CertPool { return w.roots }

// Stop stops the server in order. It may be called again.
func (w *World) Stop(t testing.TB) {
	t.Helper()
	if err := w.stop(); err != nil {
		t.Errorf("stop the server: %v", err)
	}
}

func pool(t testing.TB, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(text)
	return p
}

// Host is an org's, or with "op" the operators'.
func Host(label string) string { return label + "." + Domain }

// Token is one of the issuer for somebody in groups, for the API at a host.
func (w *World) Token(label string, groups ...string) string {
	return w.Issuer.Token(map[string]any{"sub": "somebody", "email": "somebody@" + label + ".example", "aud": Host(label), "groups": groups})
}

// HTTP is a client whose connections lead to the server, whatever host a URL has.
func (w *World) HTTP() *http.Client {
	dialer := &net.Dialer{}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, w.Address)
			},
			TLSClientConfig:   &tls.Config{RootCAs: w.roots, MinVersion: tls.VersionTLS13},
			ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// URL is that of an org's API, or with "op" the operators'.
func (w *World) URL(label string) string {
	_, port, _ := net.SplitHostPort(w.Address)
	return "https://" + Host(label) + ":" + port
}

// Client calls the API at a host with a token; an empty token is none.
func (w *World) Client(label, token string, options ...connecthttp.Option) *connect.Client {
	return w.ClientOver(w.HTTP(), label, token, options...)
}

// ClientOver calls the API over the connections of another client.
func (w *World) ClientOver(over *http.Client, label, token string, options ...connecthttp.Option) *connect.Client {
	client := *over
	client.Transport = bearer{token, over.Transport}
	return connect.NewClient(connecthttp.NewTransport(&client, w.URL(label), options...))
}

type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.token != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(b.token))
	}
	return b.next.RoundTrip(r)
}
