// Package kinds holds the rules about which Kubernetes kinds and which components may be
// made: those of which it is known what their controllers do, and none that make others.
package kinds

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
