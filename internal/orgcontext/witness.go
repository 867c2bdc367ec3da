package orgcontext

import "freehold.dev/freehold/internal/orgcontext/internal/claim"

// Witness is the right to note in an audit log that somebody was refused, and
// nothing else: it reads no record, and decides nothing. A request that is refused
// before anybody knows whose it is has no Context.
type Witness struct{ c claim.Witness }

// OfWitness makes the right of what a package below this one has established.
func OfWitness(c claim.Witness) Witness { return Witness{c} }

// Org is the org on whose behalf somebody was refused, "" for the fleet.
func (w Witness) Org() string { return w.c.Org }

// Actor is who was refused, as far as that is known.
func (w Witness) Actor() string { return w.c.Actor }

// Request is what the actor's call is known by; empty: by nothing.
func (w Witness) Request() string { return w.c.Request }

// Valid reports whether the right is somebody's.
func (w Witness) Valid() bool { return w.c.Actor != "" && (w.c.Org == "" || IsName(w.c.Org)) }
