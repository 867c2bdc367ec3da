package iam

import (
	"slices"
	"strings"
)

// Request is one call to AWS, as a policy sees it: a plain value.
type Request struct {
	Action   string // "s3:GetObject"
	Resource string // ARN; "*" for actions without a resource
	// Principal is the caller's ARN, role and not session; empty: not signed in.
	Principal string
	// Session is the ARN of the role's session, where Principal is a role;
	// empty: not known.
	Session string
	// Service is the calling AWS service, "cloudtrail.amazonaws.com"; empty: none.
	Service string
	// Federated is the identity provider that vouches for the caller; empty: none.
	Federated string
	// Context are the condition keys that the request carries, those with one value.
	Context map[string]string
	// Lists are the condition keys that hold many values. A key with none is
	// known to be absent, whatever Unknown says.
	Lists map[string]Values
	// Unknown are patterns of the condition keys of which nobody knows whether
	// the request carries them, unless Context or Lists has them. All others that
	// these lack are absent.
	Unknown []string
}

// fact returns the values of a condition key, whose case does not matter, and
// whether the request carries it.
func (r Request) fact(key string) (Values, Answer) {
	if v, ok := r.ofCaller(strings.ToLower(key)); ok {
		return Values{v}, Yes
	}
	for k, v := range r.Context {
		if strings.EqualFold(k, key) {
			return Values{v}, Yes
		}
	}
	for k, list := range r.Lists {
		if strings.EqualFold(k, key) {
			return list, answer(len(list) > 0)
		}
	}
	if slices.ContainsFunc(r.Unknown, func(p string) bool { return match(p, key, true) }) {
		return nil, CannotTell
	}
	return nil, No
}

// ofCaller are the keys that say who calls.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (r Request) ofCaller(key string) (string, bool) {
	switch key {
	case "aws:principalarn":
		return r.Principal, r.Principal != ""
	case "aws:principalaccount":
		account := AccountIn(r.Principal)
		return account, account != ""
	case "aws:principalisawsservice":
		if r.Service != "" {
			return "true", true
		}
		return "false", true
	default:
		return "", false
	}
}
