// Package clusters holds the rules about the EKS cluster itself: who enters it, whose
// tokens it believes, and which version and add-ons it runs.
package clusters

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
