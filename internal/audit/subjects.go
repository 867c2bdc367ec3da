package audit

import (
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/internal/report"
	"freehold.dev/freehold/policies"
)

// subjects turns the resources of a state into what rules look at. A provider's
// inputs go with each resource that it made.
type subjects struct {
	list      []policies.Resource
	providers map[string]policies.Provider
	// sealed are the resources of which every unknown value is a secret, by
	// URN. What hangs on one is not decided here: an audit does not open
	// secrets, and the plan, which had the value, was asked.
	sealed map[string]bool
}

func newSubjects() *subjects {
	return &subjects{providers: map[string]policies.Provider{}, sealed: map[string]bool{}}
}

func (s *subjects) add(r resource) {
	var made policies.Provider
	secret := r.secrets > 0
	if urn := judge.ProviderURN(r.Provider); urn != "" {
		made = s.providers[urn]
		secret = secret || s.sealed[urn]
	}
	if pkg, is := strings.CutPrefix(r.Type, "pulumi:providers:"); is {
		s.providers[r.URN] = policies.Provider{Package: pkg, Default: policies.DefaultProvider(r.name()), Properties: r.Inputs}
	}
	if secret && !r.unknown {
		s.sealed[r.URN] = true
	}
	s.list = append(s.list, policies.Resource{
		URN: r.URN, Type: r.Type, Name: r.name(), ID: r.ID, Properties: r.Inputs, Provider: made, Component: !r.Custom,
	})
}

// judge asks the rules about all of them, for the last time: what is not
// decided now never will be, and is a finding. whole tells whether they are all
// that the stack has.
func (s *subjects) judge(rules *judge.Index, scope policies.Scope, now time.Time, whole bool) []report.PolicyFinding {
	scope.Exceptions = judge.Current(scope.Exceptions, now)
	ask := rules.All
	if !whole {
		ask = rules.Part
	}
	return slices.DeleteFunc(ask(s.list, scope), func(f report.PolicyFinding) bool {
		return f.Answer == string(policies.Undecided) && s.sealed[f.Resource.URN]
	})
}
