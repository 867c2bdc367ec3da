package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"golang.org/x/sync/errgroup"

	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/server/config"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/gateway"
	"freehold.dev/freehold/internal/server/identity"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/server/route"
	"freehold.dev/freehold/internal/server/rpc"
	"freehold.dev/freehold/internal/server/tracing"
)

// Options are what a server is made of. All but Trial, Tracing and
// Listening are required, and Registry and As only where a service other than the
// gateway runs.
type Options struct {
	Config config.Config
	// Dir is the folder of what the server keeps on this machine. All of it can be
	// made again.
	Dir      string
	Registry registry.Store
	// As returns the use cases in the hands of a caller.
	As func(orgcontext.Authority) rpc.UseCases
	// Internet is how the keys of identity providers are reached.
	Internet http.RoundTripper
	// Trial are identity providers for trying, served at Config.TrialIssuer. Nil: none.
	Trial http.Handler
	// Tracing sends traces; nil: none.
	Tracing *tracing.Tracing
	Now     func() time.Time
	Log     *slog.Logger
	// Listening is called once clients can connect.
	Listening func(Addresses)
}

// Addresses are where a server listens.
type Addresses struct {
	Public     string // of the gateway; empty: it does not run here
	Operations string
}

// server is one process.
type server struct {
	Options

	runs     *rpc.Runs
	stopping chan struct{}

	mu      sync.Mutex
	sources map[route.Service]mtls.Source
	// addresses are where services listen, also those of other processes.
	addresses map[route.Service]string
}

// Run serves until ctx ends, and then stops in order: streams are told where to
// resume, what is under way gets Config.StopWithin to end.
func Run(ctx context.Context, o Options) error {
	s := &server{
		Options: o, stopping: make(chan struct{}), sources: map[route.Service]mtls.Source{}, addresses: map[route.Service]string{},
		runs: rpc.NewRuns(o.Config.Limits.Operations, o.Log),
	}
	defer s.close()
	return s.run(ctx)
}

func (s *server) close() {
	for name, source := range s.sources {
		if err := source.Close(); err != nil {
			s.Log.Warn("close the source of identities", "service", name, "error", err)
		}
	}
}

func (s *server) run(ctx context.Context) error {
	// Internal services go on while the gateway lets requests end.
	inner, stopInner := context.WithCancel(context.WithoutCancel(ctx))
	defer stopInner()
	group, inner := errgroup.WithContext(inner)
	outer, stopOuter := context.WithCancel(ctx)
	defer stopOuter()
	// A service that fails takes the process with it: whoever runs it starts it again.
	context.AfterFunc(inner, stopOuter)

	for _, name := range route.Services() {
		switch {
		case name == route.Gateway:
		case !s.Config.Runs(name):
			s.addresses[name] = s.Config.Address(name)
		default:
			if err := s.serveInternal(inner, group, name); err != nil {
				return fmt.Errorf("service %s: %w", name, err)
			}
		}
	}
	front := &front{stop: stopOuter, failed: make(chan error, 3)}
	at, err := s.serveFront(outer, front)
	if err != nil {
		return err
	}
	if s.Config.Runs(route.Worker) {
		group.Go(func() error { return s.resume(outer) })
	}
	if s.Listening != nil {
		s.Listening(at)
	}

	<-outer.Done()
	close(s.stopping)
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Config.StopWithin)
	defer cancel()
	var runs sync.WaitGroup
	runs.Go(func() { s.runs.Stop(within) })
	err = front.wait()
	runs.Wait()
	stopInner()
	return errors.Join(err, group.Wait())
}

// front is what clients and operators reach: it stops first, and what it needs of the
// other services goes on until it has.
type front struct {
	stop   context.CancelFunc
	served sync.WaitGroup
	failed chan error // has room for an error of each
}

func (f *front) begin(what string, serve func() error) {
	f.served.Go(func() {
		if err := serve(); err != nil {
			f.failed <- fmt.Errorf("%s: %w", what, err)
			f.stop()
		}
	})
}

// wait waits for all of it to end, and returns what failed.
func (f *front) wait() error {
	f.served.Wait()
	close(f.failed)
	var errs []error
	for err := range f.failed {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// serveFront serves clients, where the gateway runs here, and operators.
func (s *server) serveFront(ctx context.Context, f *front) (at Addresses, err error) {
	observed := edge.NewMetrics()
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(observed, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	ready := func(context.Context) error { return nil }
	if s.Config.Runs(route.Gateway) {
		g, listener, certificate, err := s.gateway(ctx, observed)
		if err != nil {
			return at, err
		}
		at.Public, ready = listener.Addr().String(), g.Ready
		f.begin("gateway", func() error { return g.Serve(ctx, listener, certificate, s.stop()) })
	}
	if s.Trial != nil {
		if err := s.serveTrial(ctx, f); err != nil {
			return at, err
		}
	}
	operations, err := net.Listen("tcp", s.Config.Listen.Operations)
	if err != nil {
		return at, fmt.Errorf("listen for /healthz, /readyz and /metrics: %w", err)
	}
	at.Operations = operations.Addr().String()
	f.begin("operations", func() error {
		return serveUntil(ctx, &http.Server{Handler: edge.Operations(metrics, ready, s.Log), ReadHeaderTimeout: headerTime}, operations, nil)
	})
	return at, nil
}

// headerTime bounds how long a client of an internal listener may take to send its
// headers.
const headerTime = 10 * time.Second

// stop is how long the gateway has to stop.
func (s *server) stop() gateway.Stop {
	return gateway.Stop{Streams: s.Config.StopWithin / 4, Requests: s.Config.StopWithin * 2 / 3}
}

// source is by what a service proves who it is.
func (s *server) source(ctx context.Context, name route.Service) (mtls.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if have, ok := s.sources[name]; ok {
		return have, nil
	}
	var source mtls.Source
	var err error
	internal := s.Config.Internal
	if internal.WorkloadAPI != "" {
		source, err = mtls.WorkloadAPI(ctx, internal.WorkloadAPI, internal.TrustDomain, string(name))
	} else {
		dir := internal.IssuerFolder
		if dir == "" {
			dir = filepath.Join(s.Dir, "spiffe")
		}
		source, err = mtls.BuiltIn(dir, internal.TrustDomain, string(name), s.Now)
	}
	if err != nil {
		return nil, fmt.Errorf("the SPIFFE identity of service %s: %w", name, err)
	}
	s.sources[name] = source
	return source, nil
}

// callee is a service, as another calls it.
func (s *server) callee(from mtls.Source, name route.Service) gateway.Callee {
	id := mtls.ID(s.Config.Internal.TrustDomain, string(name))
	return gateway.Callee{
		ID: id.String(), URL: &url.URL{Scheme: "https", Host: s.addresses[name]}, Transport: gateway.NewTransport(mtls.ClientConfig(from, id), s.Now),
	}
}

// serveInternal serves what one service answers to the others.
func (s *server) serveInternal(ctx context.Context, group *errgroup.Group, name route.Service) error {
	source, err := s.source(ctx, name)
	if err != nil {
		return err
	}
	handler, callers, err := s.handler(ctx, group, name, source)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("/", s.Tracing.Inside(handler))
	l, err := net.Listen("tcp", s.Config.Address(name))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.addresses[name] = l.Addr().String()
	config := mtls.ServerConfig(source, callers...)
	group.Go(func() error {
		return serveUntil(ctx, &http.Server{
			Handler: mux, ReadHeaderTimeout: headerTime, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		}, l, config)
	})
	return nil
}

// handler is what a service answers, and to whom.
func (s *server) handler(ctx context.Context, group *errgroup.Group, name route.Service, source mtls.Source) (http.Handler, []spiffeid.ID, error) {
	td := s.Config.Internal.TrustDomain
	if name == route.Identity {
		h, err := s.identity(ctx, group, source)
		return h, identity.Callers(td), err
	}
	gate, err := s.guard(name, source)
	if err != nil {
		return nil, nil, err
	}
	answering := connect.NewServer()
	rpc.Register(answering, rpc.Options{
		As: s.As, Registry: s.Registry, Runs: s.runs, Stopping: s.stopping, Now: s.Now, Log: s.Log, Administers: gate.Administers,
	})
	mux := http.NewServeMux()
	connecthttp.Mount(mux, answering)
	return gate.Handler(mux), []spiffeid.ID{mtls.ID(td, "gateway")}, nil
}

// serveUntil serves until ctx ends, and lets requests end then.
func serveUntil(ctx context.Context, server *http.Server, l net.Listener, config *tls.Config) error {
	server.TLSConfig = config
	served := make(chan error, 1)
	go func() {
		if config != nil {
			served <- server.ServeTLS(l, "", "")
		} else {
			served <- server.Serve(l)
		}
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := server.Shutdown(within); err != nil {
		return server.Close()
	}
	return nil
}
