// Package policies holds the isolation rules: what must never be shared between
// two customers, as data and plain functions over a plain resource. It knows
// nothing of Pulumi and calls nothing: whoever has a resource, planned, made or
// read back, asks the same rules.
//
// A rule has three answers. Pass and Violated are final. Undecided means that
// the answer hangs on a value that is not known yet: it is asked again when the
// value is, and where it never will be, undecided is a violation.
//
// Each topic of rules is a package of its own below this one. They read resources by
// the packages rule, reading, document and manifest, and know nothing of each other.
package policies

import (
	"slices"
	"strings"

	"freehold.dev/freehold/policies/boundaries"
	"freehold.dev/freehold/policies/clusters"
	"freehold.dev/freehold/policies/document"
	"freehold.dev/freehold/policies/encryption"
	"freehold.dev/freehold/policies/exposure"
	"freehold.dev/freehold/policies/kinds"
	"freehold.dev/freehold/policies/ownership"
	"freehold.dev/freehold/policies/reading"
	"freehold.dev/freehold/policies/references"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/sharing"
	"freehold.dev/freehold/policies/trusts"
	"freehold.dev/freehold/policies/workloads"
)

//go:generate go run ./gen

// All returns every rule, by id.
func All() []Rule {
	all := slices.Concat(
		ownership.Rules(), references.Rules(), kinds.Rules(), trusts.Rules(), sharing.Rules(), boundaries.Rules(),
		exposure.Rules(), encryption.Rules(), clusters.Rules(), workloads.Rules(),
	)
	slices.SortFunc(all, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// What rules are, ask about and answer; see package rule.
type (
	Rule             = rule.Rule
	Severity         = rule.Severity
	Resource         = rule.Resource
	Provider         = rule.Provider
	Asset            = rule.Asset
	Unknown          = rule.Unknown
	Scope            = rule.Scope
	IdentityProvider = rule.IdentityProvider
	Pipeline         = rule.Pipeline
	Exception        = rule.Exception
	Verdict          = rule.Verdict
	Finding          = rule.Finding
	Example          = rule.Example
)

// The severities.
const (
	Critical = rule.Critical
	High     = rule.High
	Medium   = rule.Medium
)

// The answers.
const (
	Pass      = rule.Pass
	Violated  = rule.Violated
	Undecided = rule.Undecided
)

// AccountDigits is the length of an account's id.
const AccountDigits = rule.AccountDigits

// AskedType is the type under which rules see what a program imports, reads and calls.
func AskedType(kind, token string) string { return rule.AskedType(kind, token) }

// AccountNamed returns the account that a text names: by itself, in an ARN, in
// the host of a registry or a queue; empty for none.
func AccountNamed(text string) string { return rule.AccountNamed(text) }

// Candidates returns the numbers among a resource's inputs, and in its assets, that
// may be accounts: what a registry is to be asked for Scope.Foreign.
func Candidates(r Resource) []string { return reading.Candidates(r) }

// Shared returns what is an exception to "nothing is shared between customers".
func Shared() []document.Share { return document.Shared() }

// Stranger is somebody who is not of an account, and whom a document of the
// account names: lets in, or may act on.
type Stranger = document.Stranger

// Anybody is the ID of everyone.
const Anybody = document.Anybody

// LetIn returns whom a resource policy of an account lets in from outside.
func LetIn(policy any, account string) ([]Stranger, error) { return document.LetIn(policy, account) }

// Trusted returns whom the trust policy of a role lets in from outside, beside
// friends (exact ARNs).
func Trusted(policy any, account string, friends ...string) ([]Stranger, error) {
	return document.Trusted(policy, account, friends...)
}

// MayReach returns the things of other accounts that a policy of an identity
// lets it act on.
func MayReach(policy any, account string) ([]Stranger, error) {
	return document.MayReach(policy, account)
}

// Outside reports whether a principal that stands by itself, not in a document,
// is of another account, or anybody.
func Outside(principal, account string) bool { return document.Outside(principal, account) }

// ServiceOfAWS reports whether the service of a VPC endpoint is one of AWS's
// own, and not one that some account offers.
func ServiceOfAWS(name string) bool { return sharing.ServiceOfAWS(name) }

// DefaultProvider reports whether a provider of that name is one that the
// engine made by itself.
func DefaultProvider(name string) bool { return ownership.DefaultProvider(name) }
