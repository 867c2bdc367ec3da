// Package ownership holds the rules about whose a resource is: its tags, the provider and
// the account that make it, and that a rule sees whatever is made.
package ownership

import (
	"slices"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

// Rules returns the rules of this topic.
func Rules() []rule.Rule {
	return slices.Concat(rules, []rule.Rule{classified, accountLayer}, providerRules)
}

// How examples write what JSON calls so.
type (
	object = example.Object
	list   = example.List
)
