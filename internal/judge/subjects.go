package judge

import (
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/policies"
)

// Subject is a resource that is there.
type Subject struct {
	// Resource lacks its provider, which is found by Provider.
	Resource policies.Resource
	// Provider is a reference to the provider that made it: its URN and its id.
	Provider string
	// Secret is true if one of its values is a secret, which nobody opened, and
	// Unknown if one is not known for another reason.
	Secret, Unknown bool
}

// Subjects are the resources of a stack that is there, as a state or a refresh
// tells of them. The zero value has none.
type Subjects struct {
	list []Subject
}

// Add adds a resource. The order does not matter.
func (s *Subjects) Add(one Subject) { s.list = append(s.list, one) }

// Judge asks the rules about all of them, for the last time: what is not
// decided now never will be, and is a finding. What hangs on a secret alone is
// not: the plan, which had the value, was asked. Exceptions whose day is over
// count for nothing. whole reports whether these are all that the stack has.
func (s *Subjects) Judge(rules *Index, scope policies.Scope, now time.Time, whole bool) []finding.Policy {
	providers := map[string]policies.Provider{}
	sealed := map[string]bool{}
	for _, one := range s.list {
		r := one.Resource
		if pkg, is := strings.CutPrefix(r.Type, "pulumi:providers:"); is {
			providers[r.URN] = policies.Provider{Package: pkg, Default: policies.DefaultProvider(r.Name), Properties: r.Properties}
			sealed[r.URN] = one.Secret && !one.Unknown
		}
	}
	all := make([]policies.Resource, len(s.list))
	for i, one := range s.list {
		by := ProviderURN(one.Provider)
		all[i] = one.Resource
		all[i].Provider = providers[by]
		if (one.Secret || sealed[by]) && !one.Unknown {
			sealed[one.Resource.URN] = true
		}
	}
	scope.Exceptions = Current(scope.Exceptions, now)
	ask := rules.All
	if !whole {
		ask = rules.Part
	}
	return slices.DeleteFunc(ask(all, scope), func(f finding.Policy) bool {
		return f.Answer == string(policies.Undecided) && sealed[f.Resource.URN]
	})
}
