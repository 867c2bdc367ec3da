package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/orgcontext/service"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/server/route"
)

// hops are the services that a request goes to, and from one to another.
var hops = []route.Service{route.Control, route.Worker, route.Drift}

// assumers are the services that act for an org without a request of its own.
var assumers = []route.Service{route.Worker}

// Delegate returns a context token for the next hop of a request: for audience, made
// of the token that presenter was given. Who asks and for which org stay as they
// are, and the new token ends no later than the other.
func (s *Service) Delegate(ctx context.Context, presenter spiffeid.ID, given, audience string) (string, delegation.Claims, error) {
	c, err := s.delegate(ctx, presenter, given, audience)
	if err == nil {
		token, err := s.sign(c)
		return token, c, err
	}
	// The log of an org is for those who have shown that they speak for it.
	return "", delegation.Claims{}, s.failed("", presenter.String(), "", "pass a request on to "+shown(audience), err)
}

func (s *Service) delegate(ctx context.Context, presenter spiffeid.ID, given, audience string) (delegation.Claims, error) {
	received, ok := s.received[presenter]
	if !ok {
		return delegation.Claims{}, refuse(PresenterRefused, "%s passes a request on", presenter)
	}
	if audience == presenter.String() || !slices.ContainsFunc(hops, func(h route.Service) bool { return s.id(h).String() == audience }) {
		return delegation.Claims{}, refuse(PresenterRefused, "%s passes a request on to %s", presenter, shown(audience))
	}
	c, err := received.Given(ctx, given)
	if err != nil {
		return delegation.Claims{}, refuse(ContextRefused, "%v", err)
	}
	now := s.now().Truncate(time.Second)
	c.Act = append([]string{presenter.String()}, c.Act...)
	c.Audience, c.Issued, c.Expires = audience, now, until(now, c.Expires)
	return c, nil
}

// Assume returns a context token by which presenter acts for an org in its own name,
// or reads over all orgs where org is empty. Presenter is the subject and the
// audience, and has no role. It is in the audit log before it is given out.
func (s *Service) Assume(ctx context.Context, presenter spiffeid.ID, org, purpose string) (string, delegation.Claims, error) {
	what := "act for the org: " + shown(purpose)
	request := "assume-" + rand.Text()
	c, known, err := s.assume(ctx, presenter, org, request)
	if err != nil {
		return "", delegation.Claims{}, s.failed(known, presenter.String(), request, what, err)
	}
	token, err := s.sign(c)
	if err != nil {
		return "", delegation.Claims{}, err
	}
	if err := s.noteAssumed(ctx, presenter, org, request, what); err != nil {
		return "", delegation.Claims{}, s.failed(org, presenter.String(), request, what, fmt.Errorf("%w: %w", ErrUnavailable, err))
	}
	return token, c, nil
}

func (s *Service) assume(ctx context.Context, presenter spiffeid.ID, org, request string) (c delegation.Claims, known string, err error) {
	if !slices.ContainsFunc(assumers, func(a route.Service) bool { return s.id(a) == presenter }) {
		return c, "", refuse(PresenterRefused, "%s acts for org %s", presenter, shown(org))
	}
	now := s.now().Truncate(time.Second)
	c = delegation.Claims{
		Org: org, Fleet: org == "", Subject: "service:" + presenter.String(), Act: []string{presenter.String()}, Audience: presenter.String(),
		Request: request, Issued: now, Expires: now.Add(delegation.MaxLife),
	}
	if org == "" {
		return c, "", nil
	}
	if !orgcontext.IsName(org) {
		return c, "", refuse(OrgUnknown, "%s", shown(org))
	}
	who, err := s.orgs.of(ctx, org, request)
	if err != nil {
		return c, "", errors.Join(ErrUnavailable, err)
	}
	if who == nil {
		return c, "", refuse(OrgUnknown, "%s", shown(org))
	}
	return c, org, nil
}

// noteAssumed puts a context that presenter is going to have into the audit log of
// the org, or into the fleet's.
func (s *Service) noteAssumed(ctx context.Context, presenter spiffeid.ID, org, request, what string) error {
	result := "allowed: " + presenter.String() + " resumes operations"
	if org == "" {
		by := service.Fleet(presenter.String(), request)
		return s.orgs.records.Fleet(by).Note(ctx, registry.FleetNote{By: by, What: what, Result: result})
	}
	by := service.For(org, presenter.String(), request)
	return s.orgs.records.Org(by).Note(ctx, registry.Note{By: by, What: what, Result: result})
}

// Recognize reports whether there is an org with the host name.
func (s *Service) Recognize(ctx context.Context, host string) (bool, error) {
	name, fleet := s.orgOf(host)
	if fleet || name == "" {
		return fleet, nil
	}
	who, err := s.orgs.of(ctx, name, "")
	if err != nil {
		return false, errors.Join(ErrUnavailable, err)
	}
	return who != nil, nil
}
