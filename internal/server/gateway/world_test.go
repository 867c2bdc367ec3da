package gateway

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/prometheus/client_golang/prometheus"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	internalv1 "freehold.dev/freehold/internal/api/freeholdinternal/v1"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/edge/edgetest"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/server/route"
)

const (
	base        = "freehold.example.com"
	acme        = "acme." + base
	globex      = "globex." + base
	trustDomain = "freehold.test"
)

// world is a gateway on loopback, in front of one server that plays all services.
type world struct {
	t       testing.TB
	gateway *Gateway
	addr    string
	tls     *tls.Config // of clients
	service *service
	log     *syncBuffer
	metrics *prometheus.Registry
	stop    func() error // ends Serve, and returns what it did

	kill, restart func() // the services
}

// identity knows tokens of the form "token of acme", which are good on acme's host.
type identity struct {
	down  bool
	asked *atomic.Int64 // may be nil
}

func (i identity) Exchange(_ context.Context, r *internalv1.ExchangeRequest) (*internalv1.ExchangeResponse, error) {
	if i.asked != nil {
		i.asked.Add(1)
	}
	if i.down {
		return nil, connect.NewError(connect.CodeUnavailable, "the registry does not answer")
	}
	org, ok := strings.CutPrefix(r.GetAuthorization(), "Bearer token of ")
	host := org + "." + base
	if org == "operators" {
		org, host = "", "op."+base
	}
	if org == "confused" {
		return &internalv1.ExchangeResponse{Token: "x", Org: "globex", Subject: "user:x"}, nil
	}
	if !ok || r.GetHost() != host {
		return nil, connect.NewError(connect.CodeUnauthenticated, "the token is not for "+r.GetHost())
	}
	return &internalv1.ExchangeResponse{Token: "context of " + org + " for " + r.GetAudience() + " to " + r.GetProcedure(), Org: org, Subject: "user:somebody"}, nil
}

// service plays the services that the gateway calls. Its answers say what it saw.
type service struct {
	freeholdv1connect.UnimplementedOperationServiceHandler
	freeholdv1connect.UnimplementedProjectServiceHandler
	freeholdv1connect.UnimplementedFleetServiceHandler

	open     atomic.Int64 // streams
	mu       sync.Mutex
	seen     []*http.Request
	next     chan struct{} // each receive lets one event go; closed: the stream ends with resume
	revision string
	down     bool
	org      string // whose set is answered instead of the caller's
}

func (s *service) last() *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) == 0 {
		return nil
	}
	return s.seen[len(s.seen)-1]
}

func orgOf(ctx context.Context) string {
	info, _ := connect.CallInfoForServerContext(ctx)
	return info.RequestHeader().Get("Freehold-Org")
}

func (s *service) ListOperations(ctx context.Context, r *freeholdv1.ListOperationsRequest) (*freeholdv1.ListOperationsResponse, error) {
	switch r.GetPageToken() {
	case "forbidden":
		return nil, connect.NewError(connect.CodePermissionDenied, "permission denied")
	case "wait":
		select {
		case <-ctx.Done():
		case <-s.next:
		}
	}
	return &freeholdv1.ListOperationsResponse{Org: orgOf(ctx), NextPageToken: strings.Repeat("x", int(r.GetPageSize()))}, nil
}

func (s *service) StreamOperationEvents(ctx context.Context, r *freeholdv1.StreamOperationEventsRequest, stream freeholdv1connect.OperationServiceStreamOperationEventsServerStream) error {
	if r.GetOperation() == "missing" {
		return connect.NewError(connect.CodeNotFound, "no such operation")
	}
	s.open.Add(1)
	defer s.open.Add(-1)
	if err := stream.SendHeaders(); err != nil {
		return err
	}
	for n := r.GetAfterSequence() + 1; ; n++ {
		if r.GetFollow() {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case _, more := <-s.next:
				if !more {
					return stream.Send(&freeholdv1.StreamOperationEventsResponse{Org: orgOf(ctx), Content: &freeholdv1.StreamOperationEventsResponse_Resume{
						Resume: &freeholdv1.StreamResume{AfterSequence: n - 1, Reason: "the server stops"},
					}})
				}
			}
		} else if n > 3 && r.GetOperation() != "endless" {
			return nil
		}
		event := &freeholdv1.OperationEvent{Sequence: n, Message: "an event"}
		if r.GetOperation() == "endless" {
			event.Message = strings.Repeat("x", 60000)
		}
		if err := stream.Send(&freeholdv1.StreamOperationEventsResponse{Org: orgOf(ctx), Content: &freeholdv1.StreamOperationEventsResponse_Event{Event: event}}); err != nil {
			return err
		}
	}
}

func (s *service) GetProjectSet(ctx context.Context, _ *freeholdv1.GetProjectSetRequest) (*freeholdv1.GetProjectSetResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, connect.NewError(connect.CodeUnavailable, "secret of the registry")
	}
	return &freeholdv1.GetProjectSetResponse{Org: cmp.Or(s.org, orgOf(ctx)), Document: `{"kind":"ProjectSet","org":"` + orgOf(ctx) + `"}`, Revision: s.revision}, nil
}

func (s *service) ListOrganizations(context.Context, *freeholdv1.ListOrganizationsRequest) (*freeholdv1.ListOrganizationsResponse, error) {
	return &freeholdv1.ListOrganizationsResponse{}, nil
}

func (s *service) handler() http.Handler {
	server := connect.NewServer()
	freeholdv1connect.RegisterOperationServiceHandler(server, s)
	freeholdv1connect.RegisterProjectServiceHandler(server, s)
	freeholdv1connect.RegisterFleetServiceHandler(server, s)
	mux := http.NewServeMux()
	connecthttp.Mount(mux, server)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.Clone(r.Context()))
		s.mu.Unlock()
		// What services tell each other must not reach the caller.
		w.Header().Set("Freehold-Secret", "x")
		mux.ServeHTTP(w, r)
	})
}

func source(t testing.TB, dir, name string) mtls.Source {
	t.Helper()
	s, err := mtls.BuiltIn(dir, trustDomain, name, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// newWorld starts everything; change may change the options.
func newWorld(t testing.TB, change func(*Options)) *world {
	t.Helper()
	w := &world{t: t, service: &service{next: make(chan struct{}), revision: "r1"}, log: &syncBuffer{}, metrics: prometheus.NewRegistry()}
	dir := filepath.Join(t.TempDir(), "ca")
	control := &http.Server{
		Handler: w.service.handler(), ErrorLog: edgetest.Quiet(),
		TLSConfig: mtls.ServerConfig(source(t, dir, "control"), mtls.ID(trustDomain, "gateway")),
	}
	inside := listen(t, "127.0.0.1:0")
	go func() { _ = control.ServeTLS(inside, "", "") }()
	t.Cleanup(func() { control.Close() })
	w.kill = func() { control.Close() }
	w.restart = func() {
		again := &http.Server{Handler: control.Handler, ErrorLog: control.ErrorLog, TLSConfig: mtls.ServerConfig(source(t, dir, "control"), mtls.ID(trustDomain, "gateway"))}
		l := listen(t, inside.Addr().String())
		go func() { _ = again.ServeTLS(l, "", "") }()
		t.Cleanup(func() { again.Close() })
	}
	at := &url.URL{Scheme: "https", Host: inside.Addr().String()}
	ours := source(t, dir, "gateway")
	metrics := edge.NewMetrics()
	w.metrics.MustRegister(metrics)
	o := Options{
		Hosts: edge.Hosts{Base: base, Operators: "op." + base, Port: 8443}, Bounds: edge.DefaultBounds(), Limits: edge.DefaultLimits(),
		Identity: identity{}, Callees: map[route.Service]Callee{}, Metrics: metrics, Log: slog.New(slog.NewJSONHandler(w.log, nil)), Now: time.Now,
	}
	for _, s := range []route.Service{route.Control, route.Worker, route.Drift} {
		o.Callees[s] = Callee{
			ID: mtls.ID(trustDomain, string(s)).String(), URL: at,
			Transport: NewTransport(mtls.ClientConfig(ours, mtls.ID(trustDomain, "control")), time.Now),
		}
	}
	if change != nil {
		change(&o)
	}
	var err error
	if w.gateway, err = New(o); err != nil {
		t.Fatal(err)
	}
	ca := edgetest.NewCA(t)
	w.tls = &tls.Config{RootCAs: ca.Pool()}
	l := listen(t, "127.0.0.1:0")
	w.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- w.gateway.Serve(ctx, l, &tls.Config{Certificates: []tls.Certificate{ca.Certificate(t, "*."+base)}}, Stop{Streams: 200 * time.Millisecond, Requests: 5 * time.Second})
	}()
	w.stop = sync.OnceValue(func() error { cancel(); return <-served })
	t.Cleanup(func() {
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func listen(t testing.TB, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// dialer connects to the gateway, whatever host is asked for.
func (w *world) dialer() func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, w.addr)
	}
}

// http returns a client over HTTP/2, or HTTP/1.
func (w *world) http(h2 bool) *http.Client {
	t := &http.Transport{DialContext: w.dialer(), TLSClientConfig: w.tls.Clone(), Protocols: new(http.Protocols), DisableCompression: true}
	t.Protocols.SetHTTP1(!h2)
	t.Protocols.SetHTTP2(h2)
	w.t.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// bearer sends a token with each request.
type bearer struct {
	client *http.Client
	token  string
}

func (b bearer) Do(r *http.Request) (*http.Response, error) {
	if b.token != "" {
		r.Header.Set("Authorization", b.token)
	}
	return b.client.Do(r)
}

// operations is a client of acme's, in one of the protocols.
func (w *world) operations(options ...connecthttp.Option) freeholdv1connect.OperationServiceClient {
	return freeholdv1connect.NewOperationServiceClient(w.client(acme, "Bearer token of acme", options...))
}

func (w *world) client(host, token string, options ...connecthttp.Option) *connect.Client {
	return connect.NewClient(connecthttp.NewTransport(bearer{w.http(true), token}, "https://"+host, options...))
}

// answer is what came back for a request, without what differs each time.
func dump(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	var out bytes.Buffer
	fmt.Fprintln(&out, resp.Status)
	resp.Header.Del("Date")
	if err := resp.Header.Write(&out); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&out)
	if _, err := out.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&out)
	if err := resp.Trailer.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// syncBuffer is a log that a test may read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
