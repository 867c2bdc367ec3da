// Package exposure holds the rules about what the internet reaches: buckets, addresses,
// endpoints, subnets and the nodes in them.
package exposure

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
