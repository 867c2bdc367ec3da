// Package claim is what a context is made of. Only packages below
// internal/orgcontext can import it, and so only they can say for whom somebody
// speaks: the compiler holds that.
package claim

// Org says that a caller acts for an org.
type Org struct {
	Org string
	// Actor is who acts, in the form "operator:ada@host"; Request is what one of
	// the actor's calls is known by, empty for none.
	Actor, Request string
}

// Witness says that a caller saw somebody refused: on an org's host, or with Org
// empty anywhere else.
type Witness struct{ Org, Actor, Request string }

// Fleet says that a caller may read over all orgs.
type Fleet struct{ Actor, Request string }
