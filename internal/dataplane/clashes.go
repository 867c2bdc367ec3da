package dataplane

import (
	"fmt"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
)

// Clash is an identity that two of several plans are to have, of which only one
// can: it has one org for ever.
type Clash struct {
	finding.Identity

	// One and Other are the plans, by their places; One comes first.
	One, Other int
	// Field is the field of both specs that asks for it.
	Field string
}

// Clashes finds what two of the plans, each of an org of its own, would take from
// each other, as far as that is known before anything is made.
func Clashes(plans []plan.Plan) ([]Clash, error) {
	var out []Clash
	first := map[finding.Identity]int{}
	for i, p := range plans {
		ids, err := DataPlane{Plan: p}.Foreseen()
		if err != nil {
			return nil, fmt.Errorf("what org %s is to have: %w", p.Org, err)
		}
		found := map[string]bool{}
		for _, id := range ids {
			field := fieldOf(id)
			// The rest follows from the account.
			if field == "" {
				continue
			}
			one, taken := first[id]
			if !taken {
				first[id] = i
				continue
			}
			if !found[field] {
				found[field] = true
				out = append(out, Clash{Identity: id, One: one, Other: i, Field: field})
			}
		}
	}
	return out, nil
}

// fieldOf is the field of a spec that asks for an identity; empty: none does.
func fieldOf(id finding.Identity) string {
	switch id.Kind {
	case KindEmail:
		return "account.email"
	case KindAccessRole, KindAccount:
		return "account.roleArn"
	case KindIdentityClient:
		return "cluster.identityProvider.clientId"
	case KindAccountIssuer:
		return "access.aws.issuerUrl"
	default:
		return ""
	}
}
