package reading

import (
	"maps"
	"slices"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/rule"
)

// Candidates returns the numbers among a resource's inputs, and in its assets, that
// may be accounts: what a registry is to be asked for Scope.Foreign.
func Candidates(r rule.Resource) []string {
	found := map[string]bool{}
	var j rule.Judge
	rule.VisitInputs(&j, r, func(in *rule.Input) {
		for _, m := range Mentions(in.Text) {
			if iam.IsAccount(m.Account) {
				found[m.Account] = true
			}
		}
	})
	rule.VisitAssets(r, func(_ *rule.Node, a rule.Asset) {
		for _, account := range a.Accounts {
			found[account] = true
		}
	})
	return slices.Sorted(maps.Keys(found))
}
