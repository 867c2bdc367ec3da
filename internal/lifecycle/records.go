package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/registry"
)

// Records is the registry, in the hands of somebody who acts for some orgs.
type Records struct {
	Registry registry.Store
	// Who says for which orgs the caller acts, and whether it may read over all.
	Who orgcontext.Authority
}

// of is the registry as an org has it.
func (r Records) of(org string) registry.OrgStore { return r.Registry.Org(r.Who.For(org)) }

// fleet reads over all orgs.
func (r Records) fleet() registry.FleetStore { return r.Registry.Fleet(r.Who.Fleet()) }

// owned returns which of some values other orgs own.
func (r Records) owned(ctx context.Context, org string, values []string) ([]registry.OwnedError, error) {
	taken, err := r.of(org).Taken(ctx, values)
	if err != nil {
		return nil, err
	}
	for i := range taken {
		if taken[i], err = r.named(ctx, taken[i]); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// Foreign returns those of some accounts that another org than this one owns.
func (r Records) Foreign(ctx context.Context, org string, accounts []string) ([]string, error) {
	taken, err := r.of(org).Taken(ctx, accounts)
	if err != nil {
		return nil, fmt.Errorf("read whose accounts these are: %w", err)
	}
	foreign := make([]string, 0, len(taken))
	for _, t := range taken {
		foreign = append(foreign, t.Value)
	}
	return foreign, nil
}

// named adds the owner for a caller that may know of all orgs. Any other hears
// no more than the org itself does.
func (r Records) named(ctx context.Context, taken registry.OwnedError) (registry.OwnedError, error) {
	owner, err := r.fleet().Owner(ctx, taken.Identity)
	if errors.Is(err, registry.ErrNoOrg) {
		return taken, nil
	}
	taken.Owner = owner
	return taken, err
}
