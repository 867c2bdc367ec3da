package document

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/rule"
)

// Stranger is somebody who is not of an account, and whom a document of the
// account names: lets in, or may act on.
type Stranger struct {
	// ID is how the document says it: an account, an ARN, an organization
	// "o-abc123", an identity provider, "*" for anybody.
	ID string
	// By is the service through which they come, for whichever account it acts;
	// empty: they come themselves.
	By string
	// Statement says so, as JSON.
	Statement string
}

// Anybody is the ID of everyone.
const Anybody = "*"

// LetIn returns whom a resource policy of an account lets in from outside, with
// the answers of FH305: a condition that only the account's own can meet keeps
// others out, and one that nobody can decide does not.
func LetIn(document any, account string) ([]Stranger, error) {
	return strangers(document, func(st iam.Statement) []Stranger {
		out := letIn(st, account, nil)
		for _, service := range Services(st, account) {
			out = append(out, Stranger{ID: Anybody, By: service})
		}
		if st.Principal == nil && st.NotPrincipal == nil {
			out = append(out, Stranger{ID: Anybody})
		}
		return out
	})
}

// Trusted returns whom the trust policy of a role lets in from outside, beside
// friends (exact ARNs). Services are at home in one: they act for the account.
func Trusted(document any, account string, friends ...string) ([]Stranger, error) {
	return strangers(document, func(st iam.Statement) []Stranger { return letIn(st, account, friends) })
}

// MayReach returns the things of other accounts that a policy of an identity
// lets it act on. Only what is named counts: "*" opens nothing that the other
// account does not open itself.
func MayReach(document any, account string) ([]Stranger, error) {
	return strangers(document, func(st iam.Statement) []Stranger {
		if ComparesAccount(st, account) {
			return nil
		}
		var out []Stranger
		for _, resource := range st.Resource {
			if other := rule.AccountNamed(resource); other != "" && other != account {
				out = append(out, Stranger{ID: resource})
			}
		}
		return out
	})
}

// strangers gathers whom the statements of a document name that allow something.
func strangers(document any, of func(iam.Statement) []Stranger) ([]Stranger, error) {
	doc, err := Parse(document)
	if err != nil {
		return nil, err
	}
	var out []Stranger
	for _, st := range doc.Statement {
		if st.Effect != iam.Allow {
			continue
		}
		for _, s := range of(st) {
			s.Statement = st.String()
			out = append(out, s)
		}
	}
	return out, nil
}

// letIn is outsiders, with how the statement names each.
func letIn(st iam.Statement, account string, friends []string) []Stranger {
	var out []Stranger
	for _, p := range outside(st, account, friends) {
		if p.id != "*" {
			out = append(out, Stranger{ID: p.id})
			continue
		}
		if orgs := organizations(st); len(orgs) > 0 {
			for _, o := range orgs {
				out = append(out, Stranger{ID: o})
			}
			continue
		}
		out = append(out, Stranger{ID: Anybody})
	}
	return out
}

// organizations are those that a statement lets in: conditions on them keep out
// everybody else, and no customer.
func organizations(st iam.Statement) []string {
	var out []string
	st.Condition.Any(func(operator, key string, values iam.Values) bool {
		if _, ok := Positive(operator); ok && slices.ContainsFunc(organizationKeys, func(k string) bool { return strings.EqualFold(k, key) }) {
			out = append(out, values...)
		}
		return false
	})
	return out
}

// Outside reports whether a principal that stands by itself, not in a document,
// is of another account, or anybody. An empty one is nobody. What is not known
// to be of the account is outside.
func Outside(principal, account string) bool {
	return principal != "" && !Within("AWS", principal, account, nil)
}
