// Package encryption holds the rules about keys and logs: that what is kept is encrypted
// with keys of the org, and that what happens is written down and kept.
package encryption

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
