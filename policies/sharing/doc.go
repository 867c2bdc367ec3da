// Package sharing holds the rules about what AWS offers to share things by: shares,
// peerings, endpoint services, copies, invitations and switches for an organization.
package sharing

import (
	"slices"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

// Rules returns the rules of this topic.
func Rules() []rule.Rule { return slices.Clone(rules) }

// How examples write what JSON calls so.
type (
	object = example.Object
	list   = example.List
)
