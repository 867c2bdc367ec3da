package policies

import (
	"maps"
	"slices"

	"freehold.dev/freehold/internal/iam"
)

// AccountDigits is the length of an account's id.
const AccountDigits = 12

// Asset is a file, or an archive of files, as a rule sees it: code, for the most part,
// with whatever examples and test data its libraries bring along. Its text is not
// judged as an input is. An account that the registry knows as another org's is.
type Asset struct {
	SHA256 string
	// Accounts are the numbers in it that have as many digits as an account, sorted.
	Accounts []string
}

// Candidates returns the numbers among a resource's inputs, and in its assets, that
// may be accounts: what a registry is to be asked for Scope.Foreign.
func Candidates(r Resource) []string {
	found := map[string]bool{}
	var j judge
	visitInputs(&j, r, func(in *input) {
		for _, m := range Mentions(in.text) {
			if iam.IsAccount(m.Account) {
				found[m.Account] = true
			}
		}
	})
	visitAssets(r, func(_ *place, a Asset) {
		for _, account := range a.Accounts {
			found[account] = true
		}
	})
	return slices.Sorted(maps.Keys(found))
}

func visitAssets(r Resource, visit func(*place, Asset)) {
	visitLeaves(&place{v: r.Properties}, func(p *place) {
		if a, ok := p.v.(Asset); ok {
			visit(p, a)
		}
	})
}
