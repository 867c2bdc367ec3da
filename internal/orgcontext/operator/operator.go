// Package operator makes contexts for the person at the command line. Whoever
// can run it with the registry's credentials runs the whole fleet, so the org
// is the one that the command names. Nothing that takes requests from others may
// import this package: the test of the import directions holds it.
package operator

import (
	"os"
	"os/user"

	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/internal/claim"
)

// Operator is a person at a machine.
type Operator struct{ actor, request string }

// Local is the user of this process. request is what the command is known by,
// for the audit log; it may be empty.
func Local(request string) Operator {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return Operator{actor: "operator:" + name + "@" + host, request: request}
}

// For is the context of an org. It makes no difference whether there is one.
func (o Operator) For(org string) orgcontext.Context {
	return orgcontext.Of(claim.Org{Org: org, Actor: o.actor, Request: o.request})
}

// Fleet is the right to read over all orgs.
func (o Operator) Fleet() orgcontext.Fleet {
	return orgcontext.OfFleet(claim.Fleet{Actor: o.actor, Request: o.request})
}
