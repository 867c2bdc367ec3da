package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/server/route"
)

// Signer signs context tokens: delegation.Signer.
type Signer interface {
	Sign(c delegation.Claims) (string, error)
}

// Options are what the identity service works with. All but Operators, Audit and
// Log are required.
type Options struct {
	// Hosts say which host is which org's, and which the operators'.
	Hosts       edge.Hosts
	TrustDomain string
	Records     Records
	Signer      Signer
	// Bundle has the authorities of the trust domain.
	Bundle x509bundle.Source
	// Transport reaches the issuers. It decides which certificates and addresses are
	// taken: their URLs are the customers' to choose.
	Transport http.RoundTripper
	// Operators are the people of the operators' host. Their roles are fleet-viewer
	// and fleet-operator. nil: nobody.
	Operators *plan.People
	// Audit takes what was refused; nil: nobody does.
	Audit Recorder
	Now   func() time.Time
	// Log is for Freehold's own operators; nil: nothing is logged.
	Log *slog.Logger
}

// Service is the identity service. It is safe for use by several goroutines.
type Service struct {
	hosts       edge.Hosts
	trustDomain string
	orgs        *orgs
	operators   *org
	issuers     *issuers
	signer      Signer
	received    map[spiffeid.ID]*delegation.Verifier // by who shows a context token
	refusals    *refusals
	now         func() time.Time
	log         *slog.Logger
}

// New makes the service. Run has to run beside it.
func New(o Options) (*Service, error) {
	if err := errors.Join(o.Hosts.Check(), mtls.CheckTrustDomain(o.TrustDomain)); err != nil {
		return nil, fmt.Errorf("identity service: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		hosts: o.Hosts, trustDomain: o.TrustDomain, signer: o.Signer, now: o.Now, log: o.Log,
		issuers:  newIssuers(o.Transport, o.Now),
		refusals: newRefusals(o.Audit, o.Now, o.Log),
		received: map[spiffeid.ID]*delegation.Verifier{},
	}
	s.orgs = &orgs{records: o.Records, now: o.Now, build: s.build, all: map[string]*remembered{}}
	for _, service := range hops {
		own := s.id(service)
		s.received[own] = delegation.NewVerifier(o.Bundle, s.id(route.Identity), own, o.Now)
	}
	if p := o.Operators; p != nil {
		for _, r := range p.Roles {
			if !slices.Contains(delegation.FleetRoles, r.Role) {
				return nil, fmt.Errorf("operators: role %q is not known; want one of %s", r.Role, strings.Join(delegation.FleetRoles, ", "))
			}
		}
		s.operators = &org{issuers: map[string]*issuer{p.IssuerURL: s.issuer(p.IssuerURL, o.Hosts.Operators, kinds(p.Tokens), people(*p))}}
	}
	return s, nil
}

// Run fetches keys again before they are old, and writes refusals to the audit
// log, until ctx is done. What is not written by then is written before it returns.
func (s *Service) Run(ctx context.Context) {
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.refusals.run(ctx)
	}()
	tick := time.NewTicker(fetchEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			s.issuers.refresh(ctx)
		}
	}
	<-written
}

func (s *Service) id(service route.Service) spiffeid.ID {
	return mtls.ID(s.trustDomain, string(service))
}

// Exchange is a call from outside, as the gateway has it.
type Exchange struct {
	// Host is the canonical host name, without a port.
	Host string
	// Authorization is the header, as it was sent.
	Authorization string
	// Procedure is what is called, and Audience the SPIFFE ID of who answers it.
	Procedure, Audience string
	// Request is what the gateway calls the request.
	Request string
	// Peer is the address that it came from.
	Peer string
	// Presenter is who asks: the peer of the mutual TLS.
	Presenter spiffeid.ID
}

// Exchange returns a context token for a call from outside, for the one service
// that answers it. Errors wrap ErrRefused, with a *RefusedError, or ErrUnavailable.
func (s *Service) Exchange(ctx context.Context, e Exchange) (string, delegation.Claims, error) {
	c, known, err := s.exchange(ctx, e)
	if err == nil {
		token, err := s.sign(c)
		return token, c, err
	}
	return "", delegation.Claims{}, s.failed(known, somebody(e.Peer), e.Request, "call "+shown(e.Procedure)+" at "+shown(e.Host), err)
}

// somebody is how a log names who was refused.
func somebody(peer string) string {
	if !printable(peer, 100) {
		peer = shown(peer)
	}
	return "somebody at " + peer
}

// exchange also returns the org whose audit log a refusal belongs to: "" is the
// fleet's.
func (s *Service) exchange(ctx context.Context, e Exchange) (c delegation.Claims, known string, err error) {
	if e.Presenter != s.id(route.Gateway) {
		return c, "", refuse(PresenterRefused, "%s asks in the name of an outside caller", e.Presenter)
	}
	name, fleet := s.orgOf(e.Host)
	if name == "" && !fleet {
		return c, "", refuse(HostUnknown, "%s", shown(e.Host))
	}
	who := s.operators
	if !fleet {
		if who, err = s.orgs.of(ctx, name, e.Request); err != nil {
			return c, "", fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	if who == nil {
		return c, "", refuse(OrgUnknown, "nobody may call at %s", shown(e.Host))
	}
	known = name
	service, ok := route.Of(e.Procedure)
	if !ok || route.Fleet(e.Procedure) != fleet || s.id(service).String() != e.Audience {
		return c, known, refuse(ProcedureUnknown, "%s at %s is not answered by %s", shown(e.Procedure), shown(e.Host), shown(e.Audience))
	}
	t, by, err := s.authenticate(ctx, who, e)
	if err != nil {
		return c, known, err
	}
	now := s.now().Truncate(time.Second)
	return delegation.Claims{
		Org: name, Fleet: fleet, Subject: by.subject, Name: by.name, Roles: by.roles,
		Act: []string{e.Presenter.String()}, Audience: e.Audience, Request: e.Request, Host: e.Host,
		Issued: now, Expires: until(now, t.expiry.Add(Skew)),
	}, known, nil
}

// authenticate returns who shows a token. The order matters: what is compared
// costs less than a signature, and nothing is fetched for a token that could not
// be accepted.
func (s *Service) authenticate(ctx context.Context, at *org, e Exchange) (token, caller, error) {
	raw, err := bearer(e.Authorization)
	if err != nil {
		return token{}, caller{}, err
	}
	t, err := parse(raw)
	if err != nil {
		return t, caller{}, err
	}
	from, ok := at.issuers[t.issuer]
	if !ok {
		return t, caller{}, refuse(IssuerUnknown, "%s at %s", shown(t.issuer), shown(e.Host))
	}
	if err := t.suits(from.kinds, e.Host); err != nil {
		return t, caller{}, err
	}
	if err := t.addressed(e.Host, s.now()); err != nil {
		return t, caller{}, err
	}
	by, err := from.verify(ctx, t)
	return t, by, err
}

// orgOf is the org of a host. fleet is true on the operators'.
func (s *Service) orgOf(host string) (name string, fleet bool) {
	if host == s.hosts.Operators && host != "" {
		return "", true
	}
	name, under := strings.CutSuffix(host, "."+s.hosts.Base)
	if !under || !orgcontext.IsName(name) {
		return "", false
	}
	return name, false
}

// until is the end of a context token that begins now, and may not outlive last.
func until(now, last time.Time) time.Time {
	end := now.Add(delegation.MaxLife)
	if last.Before(end) {
		end = last.Truncate(time.Second)
	}
	if !end.After(now) {
		end = now.Add(time.Second)
	}
	return end
}

func (s *Service) sign(c delegation.Claims) (string, error) {
	token, err := s.signer.Sign(c)
	if err != nil {
		s.log.Error("a context token cannot be signed", "request", c.Request, "err", err)
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return token, nil
}

// failed notes why a call gets no token.
func (s *Service) failed(org, actor, request, what string, err error) error {
	refused, ok := errors.AsType[*RefusedError](err)
	if ok {
		s.refusals.add(org, actor, request, what, refused)
		return err
	}
	if !errors.Is(err, ErrUnavailable) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s.log.Error("it cannot be said who calls", "request", request, "err", err)
	return err
}
