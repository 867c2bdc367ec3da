// Package service makes contexts for a service of Freehold that has to read an
// org's records before it can know who asks for them. There is one: the identity
// service reads who may call for an org. Nothing else may import this package: the
// test of the import directions holds it.
package service

import (
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/internal/claim"
)

// For is the context of an org, for the service of that name or SPIFFE ID. request is what the
// call is known by that the service answers; it may be empty.
func For(org, name, request string) orgcontext.Context {
	return orgcontext.Of(claim.Org{Org: org, Actor: "service:" + name, Request: request})
}

// Fleet is the right to read over all orgs, for the service of that name or SPIFFE ID.
func Fleet(name, request string) orgcontext.Fleet {
	return orgcontext.OfFleet(claim.Fleet{Actor: "service:" + name, Request: request})
}
