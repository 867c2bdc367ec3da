package crossguard

import (
	"strings"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/internal/unknown"
	"freehold.dev/freehold/policies"
)

// Read judges a resource that a program only reads: a reference to another
// stack, or something looked up by its id. The engine shows those to no policy
// pack, but reports them in its events. The reader is unknown at that point, so a
// rule that must know it is undecided.
func Read(rules []policies.Rule, scope string, r policies.Resource) ([]finding.Policy, error) {
	stack, _, _ := strings.Cut(strings.TrimPrefix(r.URN, "urn:pulumi:"), "::")
	s, err := scopeOf(stack, map[string]string{ScopeKey: scope})
	if err != nil {
		return nil, err
	}
	r.Properties = unknown.Properties(r.Properties)
	j := judge.Judge{Rules: rules, Scope: s}
	return append(j.Resource(r), j.Stack([]policies.Resource{r})...), nil
}
