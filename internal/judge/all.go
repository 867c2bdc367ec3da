package judge

import (
	"cmp"
	"slices"
	"sync"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/policies"
)

// Index keeps, for many stacks and the same rules, which rules look at a type.
// It is safe for use by several goroutines.
type Index struct {
	rules []policies.Rule
	by    sync.Map // type: []policies.Rule
}

// NewIndex returns an index of the rules.
func NewIndex(rules []policies.Rule) *Index { return &Index{rules: rules} }

func (x *Index) of(typ string) []policies.Rule {
	if rules, known := x.by.Load(typ); known {
		return rules.([]policies.Rule)
	}
	var rules []policies.Rule
	for _, r := range x.rules {
		if r.Check != nil && r.Covers(typ) {
			rules = append(rules, r)
		}
	}
	x.by.Store(typ, rules)
	return rules
}

// All returns what the rules of an index say of the resources of a stack, the
// worst first.
func (x *Index) All(rs []policies.Resource, scope policies.Scope) []finding.Policy {
	return worstFirst(append(x.each(rs, scope), Judge{Rules: x.rules, Scope: scope}.Stack(rs)...))
}

// Part returns what can be said of some of a stack's resources without the
// others: a rule over the whole stack would miss what was not handed in.
func (x *Index) Part(rs []policies.Resource, scope policies.Scope) []finding.Policy {
	return worstFirst(x.each(rs, scope))
}

// each asks about every resource by itself. The bound is on the whole stack, which for a fleet of a million
// resources is much cheaper than one on each answer; only when it does not hold
// is each asked by itself, so that the one that failed is named.
func (x *Index) each(rs []policies.Resource, scope policies.Scope) []finding.Policy {
	j := Judge{Rules: x.rules, Scope: scope, Beside: rs}
	out, failed := bounded(j.within(), func() []finding.Policy {
		var out []finding.Policy
		for _, r := range rs {
			for _, rule := range x.of(r.Type) {
				if v := rule.Check(r, scope); v.Answer != policies.Pass {
					out = append(out, j.findings(rule, r, v, "")...)
				}
			}
		}
		return out
	})
	if failed != "" {
		out = nil
		for _, r := range rs {
			out = append(out, j.Resource(r)...)
		}
	}
	return out
}

func worstFirst(out []finding.Policy) []finding.Policy {
	slices.SortStableFunc(out, func(a, b finding.Policy) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Resource.URN, b.Resource.URN), cmp.Compare(a.Path, b.Path))
	})
	return out
}

var rank = map[string]int{string(policies.Critical): 0, string(policies.High): 1, string(policies.Medium): 2}
