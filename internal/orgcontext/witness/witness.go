// Package witness makes the right to note a refusal, for whoever refused. It is
// harmless in any hands: all that can be done with it is to add to a log.
package witness

import (
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/internal/claim"
)

// Of is the right to note in the log of an org, or in that of the fleet if org is
// empty, that actor was refused. Whether there is such an org is the caller's to
// know: a log of an org that was never onboarded is read by nobody.
func Of(org, actor, request string) orgcontext.Witness {
	return orgcontext.OfWitness(claim.Witness{Org: org, Actor: actor, Request: request})
}
