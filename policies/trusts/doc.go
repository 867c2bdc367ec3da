// Package trusts holds the rules about who is let in: by the trust policy of a role, by
// the policy of a resource, by a grant, or by a list of accounts.
package trusts

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
