package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/route"
	"freehold.dev/freehold/internal/server/tracing"
)

// Callee is a service that the gateway calls.
type Callee struct {
	// ID is the service's SPIFFE ID: the audience of context tokens for it.
	ID string
	// URL is where it listens: https, host and port.
	URL *url.URL
	// Transport reaches it, over HTTP/2 and mutual TLS. See NewTransport.
	Transport http.RoundTripper
}

// Options are what a gateway is made of. All are required but
// Identity, Public and Tracing.
type Options struct {
	Hosts  edge.Hosts
	Bounds edge.Bounds
	Limits edge.Limits
	// Identity says who calls; nil: the service among Callees.
	Identity Exchanger
	// Callees are all services that answer procedures, and those besides that the
	// gateway is not ready without.
	Callees map[route.Service]Callee
	// Public are handlers that need no token, by the exact path that they answer.
	// What they answer must not depend on whether there is such an org. May be nil.
	Public  map[string]http.Handler
	Metrics *edge.Metrics
	Tracing *tracing.Tracing // nil: no traces
	Log     *slog.Logger
	Now     func() time.Time
}

// Gateway answers requests from outside.
type Gateway struct {
	o          Options
	limiter    *edge.Limiter
	reflection http.Handler
	buffers    *buffers
	recent     *recent
	held       held

	stopping   atomic.Bool
	ending     context.Context // done when streams are to end
	endStreams context.CancelFunc
}

// New makes a gateway, and calls nobody yet.
func New(o Options) (*Gateway, error) {
	if err := o.Hosts.Check(); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	o.Callees = maps.Clone(o.Callees)
	for _, s := range route.Services() {
		c, there := o.Callees[s]
		needed := len(route.Procedures(s)) > 0 || s == route.Identity && o.Identity == nil
		if (needed || there) && (c.URL == nil || c.ID == "" || c.Transport == nil) {
			return nil, fmt.Errorf("gateway: service %s needs a URL, a SPIFFE ID and a transport", s)
		}
		if there {
			c.Transport = o.Tracing.Transport(c.Transport)
			o.Callees[s] = c
		}
	}
	if o.Identity == nil {
		o.Identity = NewExchanger(o.Callees[route.Identity])
	}
	reflection, err := newReflection()
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	g := &Gateway{o: o, limiter: edge.NewLimiter(o.Limits, o.Now), reflection: reflection, buffers: newBuffers(), recent: newRecent(o.Now)}
	g.ending, g.endStreams = context.WithCancel(context.Background())
	return g, nil
}

// Handler answers a request from outside, from its host to the last byte.
func (g *Gateway) Handler() http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.refuse(w, r, "cross-origin") }))
	observer := edge.Observer{Log: g.o.Log, Metrics: g.o.Metrics, Hosts: g.o.Hosts, Now: g.o.Now}
	// It compares Origin with the host, which has to be decided before.
	return g.o.Tracing.Outside(observer.Handler(g.o.Hosts.Handler(crossOrigin.Handler(http.HandlerFunc(g.serve)))))
}

// serve answers a request whose host is known.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	blameless := false
	done, limited := g.limiter.Authenticating(g.o.Hosts.ClientAddr(r))
	if limited != nil {
		g.limit(w, r, limited)
		return
	}
	decided := sync.OnceFunc(func() { done(blameless) })
	defer decided()

	public, isPublic := g.o.Public[r.URL.EscapedPath()]
	if isReflection(r) {
		public, isPublic = http.HandlerFunc(g.reflect), true
	}
	if isPublic {
		edge.RecordOf(r.Context()).Decision = edge.Public
		decided()
		public.ServeHTTP(w, r)
		return
	}
	c, refusal := g.call(r)
	if refusal != nil {
		g.reject(w, r, refusal)
		return
	}
	// A token that was good a moment ago is held to its org's limit before identity
	// is asked, and every other one after.
	key := keyOf(r, c.host)
	known := g.recent.has(key)
	var over func()
	if known {
		if over, limited = g.limiter.Admit(c.host.Org, c.streams); limited != nil {
			blameless = true
			decided()
			g.held.hold(r.Context(), c.host.Org)
			g.limit(w, r, limited)
			return
		}
		defer over()
	}
	if refusal = g.authenticate(r, c); refusal != nil {
		// While identity is away nobody is authenticated, and everybody tries again.
		blameless = refusal.decision == edge.Unavailable && r.Context().Err() == nil
		g.reject(w, r, refusal)
		return
	}
	blameless = true
	decided()
	if !known {
		g.recent.add(key)
		if over, limited = g.limiter.Admit(c.host.Org, c.streams); limited != nil {
			g.limit(w, r, limited)
			return
		}
		defer over()
	}
	edge.RecordOf(r.Context()).Decision = edge.Allowed
	w.Header().Set(requestHeader, c.request)
	c.serve(w, r)
}

// Ready reports why the gateway cannot answer requests now: it stops, it does not
// reach identity, or it reaches none of the others. One that is away is logged
// only. Its procedures are answered with "unavailable", and if that made every
// gateway unready, nobody could use the others either.
func (g *Gateway) Ready(ctx context.Context) error {
	if g.stopping.Load() {
		return errors.New("the gateway is stopping")
	}
	names := slices.Sorted(maps.Keys(g.o.Callees))
	problems := make([]error, len(names))
	var wg sync.WaitGroup
	for i, s := range names {
		wg.Go(func() { problems[i] = g.o.Callees[s].reach(ctx, s) })
	}
	wg.Wait()
	others, away := 0, 0
	for i, s := range names {
		if s == route.Identity && problems[i] != nil {
			return problems[i]
		}
		if s != route.Identity {
			others++
			if problems[i] != nil {
				away++
				g.o.Log.Warn("a service cannot be reached; its procedures are answered with unavailable", "service", string(s), "error", problems[i])
			}
		}
	}
	if away == others {
		return errors.Join(problems...)
	}
	return nil
}

// reach makes sure that a service answers. Go's server answers this request by
// itself, so that no probe is refused, and noted, by who guards the procedures.
// Mutual TLS has said who answers.
func (c Callee) reach(ctx context.Context, s route.Service) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodOptions, c.URL.String(), nil)
	if err != nil {
		return fmt.Errorf("service %s: %w", s, err)
	}
	req.URL.Opaque = "*"
	resp, err := c.Transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("service %s does not answer: %w", s, err)
	}
	return resp.Body.Close()
}
