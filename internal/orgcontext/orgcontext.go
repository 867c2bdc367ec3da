// Package orgcontext says for which org a caller acts. A store hands out an
// org's records only against a Context, and nobody can make one of a string:
// each way of becoming one is a package below this folder, which decides it by
// what a caller cannot choose.
//
//	operator    the person at the command line, who runs the fleet
//	orgcontexttest   tests
//
// The zero Context and the zero Fleet are nobody's, and every store refuses them.
package orgcontext

import "freehold.dev/freehold/internal/orgcontext/internal/claim"

// Context is the right to read and write the records of one org.
type Context struct{ c claim.Org }

// Of makes a context of what a package below this one has established.
func Of(c claim.Org) Context { return Context{c} }

// Org is the org, "" if the context is nobody's.
func (c Context) Org() string { return c.c.Org }

// Actor is who acts, for the audit log.
func (c Context) Actor() string { return c.c.Actor }

// Request is what the actor's call is known by; empty: by nothing.
func (c Context) Request() string { return c.c.Request }

// Valid reports whether the context is somebody's.
func (c Context) Valid() bool { return c.c.Org != "" && c.c.Actor != "" }

// Fleet is the right to read over all orgs.
type Fleet struct{ c claim.Fleet }

// OfFleet makes the right of what a package below this one has established.
func OfFleet(c claim.Fleet) Fleet { return Fleet{c} }

// Actor is who reads, for the audit log.
func (f Fleet) Actor() string { return f.c.Actor }

// Request is what the actor's call is known by; empty: by nothing.
func (f Fleet) Request() string { return f.c.Request }

// Valid reports whether the right is somebody's.
func (f Fleet) Valid() bool { return f.c.Actor != "" }

// Authority says for which orgs a caller may act. For an org that it may not
// act for, and for a fleet that it may not read, the answer is nobody's.
type Authority interface {
	For(org string) Context
	Fleet() Fleet
}
