package crossguard

import (
	"context"
	"fmt"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/internal/unknown"
	"freehold.dev/freehold/policies"
)

// Read judges a resource that a program only reads: a reference to another
// stack, or something looked up by its id. The engine shows those to no policy
// pack, but reports them in its events when they have been read: Ask judges them
// before. ledger says whose accounts are; nil: nobody does.
func Read(ctx context.Context, rules []policies.Rule, scope string, r policies.Resource, ledger Ledger) ([]finding.Policy, error) {
	s, err := scopeOf(stackOf(r.URN), map[string]string{ScopeKey: scope})
	if err != nil {
		return nil, err
	}
	r.Properties, r.Provider.Properties = unknown.Properties(r.Properties), unknown.Properties(r.Provider.Properties)
	decoded(r.Provider.Properties)
	return alone(ctx, rules, s, r, ledger)
}

// alone judges a resource by itself, as a stack of one.
func alone(ctx context.Context, rules []policies.Rule, s policies.Scope, r policies.Resource, ledger Ledger) ([]finding.Policy, error) {
	var err error
	if s.Foreign, err = foreign(ctx, ledger, s.Org, r); err != nil {
		return nil, err
	}
	j := judge.Judge{Rules: rules, Scope: s}
	return append(j.Resource(r), j.Stack([]policies.Resource{r})...), nil
}

// foreign are the accounts of other orgs that a resource may name. A ledger that does
// not answer stops the operation: what it would have said is not known.
func foreign(ctx context.Context, ledger Ledger, org string, r policies.Resource) ([]string, error) {
	if ledger == nil {
		return nil, nil
	}
	accounts := policies.Candidates(r)
	if len(accounts) == 0 {
		return nil, nil
	}
	theirs, err := ledger.Foreign(ctx, org, accounts)
	if err != nil {
		return nil, fmt.Errorf("look up in the ledger whose the accounts are that %s names: %w", r.URN, err)
	}
	return theirs, nil
}
