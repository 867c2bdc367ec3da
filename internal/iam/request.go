package iam

import (
	"slices"
	"strings"
	"unicode/utf8"
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
	// Lists are the condition keys that AWS calls multivalued, also those that hold
	// one value now. A key with none is known to be absent, whatever Unknown says.
	Lists map[string]Values
	// Unknown are patterns of the condition keys of which nobody knows whether
	// the request carries them, unless Context or Lists has them. All others that
	// these lack are absent.
	Unknown []string
}

// fact returns the values of a condition key, whose case does not matter, and
// whether the request carries it. A key that it carries twice, in two cases, is
// not believed in either: AWS matches one of them "but not both". The same is
// true for one that contradicts the caller.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requesttag
func (r Request) fact(key string) (Values, Answer) {
	carried, sure := r.carried(key)
	if v, ok := r.ofCaller(lowered(key)); ok {
		if len(carried) > 0 && (!sure || !slices.Equal(carried, Values{v})) {
			return nil, CannotTell
		}
		return Values{v}, Yes
	}
	switch {
	case !sure:
		return nil, CannotTell
	case carried != nil:
		return carried, answer(len(carried) > 0)
	case slices.ContainsFunc(r.Unknown, func(p string) bool { return match(p, key, true) }):
		return nil, CannotTell
	default:
		return nil, No
	}
}

// isList reports whether a key is one of Lists.
func (r Request) isList(key string) bool {
	for k := range r.Lists {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// carried returns the values that the request has for a key in whatever case; nil
// if it does not have the key. It is not sure of a key that is there twice, and of
// one that is the same only in letters outside of ASCII, of whose case AWS says
// nothing.
func (r Request) carried(key string) (values Values, sure bool) {
	sure = true
	take := func(k string, v Values) {
		if strings.EqualFold(k, key) {
			sure = sure && values == nil && lowered(k) == lowered(key)
			values = append(Values{}, v...)
		}
	}
	for k, v := range r.Context {
		take(k, Values{v})
	}
	for k, v := range r.Lists {
		take(k, v)
	}
	return values, sure
}

// lowered is a text with the letters of ASCII as small ones. Unicode folds other
// letters into these as well, "\u017f" into "s", and AWS's own names have none.
func lowered(s string) string {
	return strings.Map(func(c rune) rune {
		if c < utf8.RuneSelf {
			return rune(lower(byte(c)))
		}
		return c
	}, s)
}

// twice returns a name that differs from one before it in nothing but case.
func twice(names []string) (again string, found bool) {
	for i, name := range names {
		if slices.ContainsFunc(names[:i], func(before string) bool { return strings.EqualFold(before, name) }) {
			return name, true
		}
	}
	return "", false
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
