// Package references holds the rules about what a resource names: accounts, buckets,
// networks, clusters and stacks of others; and about what a program imports and looks up.
package references

import (
	"slices"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

// Rules returns the rules of this topic.
func Rules() []rule.Rule { return slices.Concat(rules, lookups) }

// How examples write what JSON calls so.
type (
	object = example.Object
	list   = example.List
)
