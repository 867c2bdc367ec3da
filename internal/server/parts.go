package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"golang.org/x/sync/errgroup"

	internalv1 "freehold.dev/freehold/internal/api/freeholdinternal/v1"
	"freehold.dev/freehold/internal/api/freeholdinternal/v1/internalv1connect"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/server/authz"
	"freehold.dev/freehold/internal/server/config"
	"freehold.dev/freehold/internal/server/discovery"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/gateway"
	"freehold.dev/freehold/internal/server/identity"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/server/route"
)

// identity is the service that says who calls.
func (s *server) identity(ctx context.Context, group *errgroup.Group, source mtls.Source) (http.Handler, error) {
	id, err := identity.New(identity.Options{
		Hosts: s.hosts(0), TrustDomain: s.Config.Internal.TrustDomain, Records: s.Registry, Signer: delegation.NewSigner(source), Bundle: source,
		Transport: s.Internet, Operators: s.operators(), Audit: s.Registry, Now: s.Now, Log: s.Log,
	})
	if err != nil {
		return nil, err
	}
	group.Go(func() error {
		id.Run(ctx)
		return nil
	})
	gate, err := s.guard(route.Identity, source)
	if err != nil {
		return nil, err
	}
	return gate.Services(id.Handler()), nil
}

// operators are the people of the operators' host, nil for nobody.
func (s *server) operators() *plan.People {
	o := s.Config.Operators
	if o.IssuerURL == "" {
		return nil
	}
	p := &plan.People{IssuerURL: o.IssuerURL, Tokens: "id", UsernameClaim: o.UsernameClaim, GroupsClaim: o.GroupsClaim}
	for _, r := range []plan.GroupRole{{Role: "fleet-operator", Groups: o.OperatorGroups}, {Role: "fleet-viewer", Groups: o.ViewerGroups}} {
		if len(r.Groups) > 0 {
			p.Roles = append(p.Roles, r)
		}
	}
	return p
}

// guard is in front of what a service answers.
func (s *server) guard(name route.Service, source mtls.Source) (*authz.Guard, error) {
	td, err := spiffeid.TrustDomainFromString(s.Config.Internal.TrustDomain)
	if err != nil {
		return nil, fmt.Errorf("trust domain %s: %w", s.Config.Internal.TrustDomain, err)
	}
	engine, err := authz.New(td)
	if err != nil {
		return nil, err
	}
	return authz.NewGuard(authz.Options{
		Self: mtls.ID(td.Name(), string(name)), Identity: mtls.ID(td.Name(), string(route.Identity)), Source: source, Engine: engine,
		Registry: s.Registry, Now: s.Now, Log: s.Log,
	}), nil
}

// gateway is what clients reach, where it listens, and with which certificate.
func (s *server) gateway(ctx context.Context, metrics *edge.Metrics) (*gateway.Gateway, net.Listener, *tls.Config, error) {
	source, err := s.source(ctx, route.Gateway)
	if err != nil {
		return nil, nil, nil, err
	}
	listener, err := net.Listen("tcp", s.Config.Listen.Address)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("listen for clients: %w", err)
	}
	hosts := s.hosts(cmp.Or(s.Config.Listen.Port, portOf(listener)))
	certificate, err := s.certificate(ctx, source, hosts)
	if err != nil {
		return nil, nil, nil, errors.Join(err, listener.Close())
	}
	callees := map[route.Service]gateway.Callee{}
	for _, name := range route.Services() {
		if name != route.Gateway {
			callees[name] = s.callee(source, name)
		}
	}
	limits := edge.DefaultLimits()
	limits.PerSecond, limits.Burst, limits.Concurrent = s.Config.Limits.RequestsPerSecond, s.Config.Limits.Burst, s.Config.Limits.Concurrent
	public := map[string]http.Handler{}
	if rule := (discovery.Rule{Orgs: s.Config.Login.Orgs, Operators: s.Config.Login.Operators}); rule != (discovery.Rule{}) {
		if err := rule.Check(); err != nil {
			return nil, nil, nil, errors.Join(fmt.Errorf("%w: %w", config.ErrInvalid, err), listener.Close())
		}
		public[discovery.Path] = rule.Handler()
	}
	g, err := gateway.New(gateway.Options{
		Hosts: hosts, Bounds: edge.DefaultBounds(), Limits: limits, Callees: callees,
		Metrics: metrics, Log: s.Log, Now: s.Now, Public: public, Tracing: s.Tracing,
	})
	if err != nil {
		return nil, nil, nil, errors.Join(err, listener.Close())
	}
	return g, listener, certificate, nil
}

// certificate is the one that clients see.
func (s *server) certificate(ctx context.Context, source mtls.Source, hosts edge.Hosts) (*tls.Config, error) {
	t := s.Config.TLS
	if t.Certificate != "" {
		files, err := edge.CertificateFiles(t.Certificate, t.Key, s.Log, s.Now)
		if err != nil {
			return nil, err
		}
		go files.Watch(ctx)
		return files.TLS(), nil
	}
	cache := t.ACME.Cache
	if cache == "" {
		cache = filepath.Join(s.Dir, "acme")
	}
	return edge.ACME{Directory: t.ACME.Directory, Email: t.ACME.Email, Cache: cache, Hosts: hosts, Known: s.known(source)}.TLS(), nil
}

// known asks the identity service whether there is an org.
func (s *server) known(source mtls.Source) func(context.Context, string) (bool, error) {
	identity := s.identityFor(source)
	return func(ctx context.Context, org string) (bool, error) {
		resp, err := identity.Recognize(ctx, &internalv1.RecognizeRequest{Host: org + "." + s.Config.Domain})
		return resp.GetKnown(), err
	}
}

// identityFor is the identity service, as another service calls it.
func (s *server) identityFor(source mtls.Source) internalv1connect.IdentityServiceClient {
	called := s.callee(source, route.Identity)
	return internalv1connect.NewIdentityServiceClient(connect.NewClient(
		connecthttp.NewTransport(&http.Client{Transport: called.Transport}, called.URL.String()),
	))
}

// serveTrial serves the identity providers for trying.
func (s *server) serveTrial(ctx context.Context, f *front) error {
	at, err := url.Parse(s.Config.TrialIssuer)
	if err != nil {
		return err
	}
	files, err := edge.CertificateFiles(s.Config.TLS.Certificate, s.Config.TLS.Key, s.Log, s.Now)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", at.Port()))
	if err != nil {
		return fmt.Errorf("listen for the identity providers for trying: %w", err)
	}
	f.begin("identity providers for trying", func() error {
		return serveUntil(ctx, &http.Server{Handler: s.Trial, ReadHeaderTimeout: headerTime}, listener, files.TLS())
	})
	return nil
}

// hosts are the host names that are answered, on a port.
func (s *server) hosts(port int) edge.Hosts {
	h := edge.Hosts{Base: s.Config.Domain, Operators: s.Config.Operators.Host, Port: port}
	for _, p := range s.Config.Listen.Proxies {
		h.Proxies = append(h.Proxies, netip.MustParsePrefix(p)) // the configuration was checked
	}
	return h
}

func portOf(l net.Listener) int {
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0 // no listener of TCP has such an address
	}
	n, _ := strconv.Atoi(port)
	return n
}
