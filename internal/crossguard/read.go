package crossguard

import (
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/internal/unknown"
	"freehold.dev/freehold/policies"
)

// Read judges a resource that a program only reads: a reference to another
// stack, or something looked up by its id. The engine shows those to no policy
// pack, but reports them in its events when they have been read: Ask judges them
// before.
func Read(rules []policies.Rule, scope string, r policies.Resource) ([]finding.Policy, error) {
	s, err := scopeOf(stackOf(r.URN), map[string]string{ScopeKey: scope})
	if err != nil {
		return nil, err
	}
	r.Properties, r.Provider.Properties = unknown.Properties(r.Properties), unknown.Properties(r.Provider.Properties)
	decoded(r.Provider.Properties)
	return alone(rules, s, r), nil
}

// alone judges a resource by itself, as a stack of one.
func alone(rules []policies.Rule, s policies.Scope, r policies.Resource) []finding.Policy {
	j := judge.Judge{Rules: rules, Scope: s}
	return append(j.Resource(r), j.Stack([]policies.Resource{r})...)
}
