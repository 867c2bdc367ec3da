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

// Assume returns a context token by which presenter acts for an org in its own
// name: it is the subject and the audience, and has no role. It is on the org's
// record before it is given out.
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
	by := service.For(org, presenter.String(), request)
	if err := s.orgs.records.Org(by).Note(ctx, registry.Note{By: by, What: what, Result: "allowed: " + presenter.String() + " resumes operations"}); err != nil {
		return "", delegation.Claims{}, s.failed(org, presenter.String(), request, what, fmt.Errorf("%w: %w", ErrUnavailable, err))
	}
	return token, c, nil
}

func (s *Service) assume(ctx context.Context, presenter spiffeid.ID, org, request string) (c delegation.Claims, known string, err error) {
	if !slices.ContainsFunc(assumers, func(a route.Service) bool { return s.id(a) == presenter }) {
		return c, "", refuse(PresenterRefused, "%s acts for org %s", presenter, shown(org))
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
	now := s.now().Truncate(time.Second)
	return delegation.Claims{
		Org: org, Subject: "service:" + presenter.String(), Act: []string{presenter.String()}, Audience: presenter.String(),
		Request: request, Issued: now, Expires: now.Add(delegation.MaxLife),
	}, org, nil
}
