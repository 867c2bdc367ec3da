// Package orgcontexttest makes contexts for tests.
package orgcontexttest

import (
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/internal/claim"
)

// Actor is who acts in every context of this package.
const Actor = "test:somebody"

// For is the context of an org.
func For(org string) orgcontext.Context { return orgcontext.Of(claim.Org{Org: org, Actor: Actor}) }

// By is the context of an org in the hands of somebody, for one request.
func By(org, actor, request string) orgcontext.Context {
	return orgcontext.Of(claim.Org{Org: org, Actor: actor, Request: request})
}

// Witness is the right to note that actor was refused.
func Witness(org, actor string) orgcontext.Witness {
	return orgcontext.OfWitness(claim.Witness{Org: org, Actor: actor})
}

// Fleet is the right to read over all orgs.
func Fleet() orgcontext.Fleet { return orgcontext.OfFleet(claim.Fleet{Actor: Actor}) }

// Everybody is an authority over all orgs and the fleet.
type Everybody struct{}

// For is the context of an org.
func (Everybody) For(org string) orgcontext.Context { return For(org) }

// Fleet is the right to read over all orgs.
func (Everybody) Fleet() orgcontext.Fleet { return Fleet() }
