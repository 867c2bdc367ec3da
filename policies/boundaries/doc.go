// Package boundaries holds the rules about the permissions boundary: that every role has
// it, that it cannot be taken off from inside, and that nothing goes around it.
package boundaries

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
)
