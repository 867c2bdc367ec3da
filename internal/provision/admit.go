package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

// admit refuses what cannot be done before anything is touched, and writes
// down who owns what is about to be made.
func (s *Service) admit(ctx context.Context, p plan.Plan) (dataPlane, error) {
	d := dataPlane{plan: p}
	layers, err := s.Registry.Layers(ctx, p.Org)
	if err != nil {
		return d, err
	}
	if err := s.checkFixed(ctx, p); err != nil {
		return d, err
	}
	if err := s.checkVersion(ctx, p); err != nil {
		return d, err
	}
	if d.id, err = s.Cloud.Identity(ctx); err != nil {
		return d, fmt.Errorf("ask the cloud who we are: %w", err)
	}
	claim := registry.Identity{Kind: "e-mail", Value: p.Account.Email}
	if !p.Account.Vended {
		claim = registry.Identity{Kind: "access role", Value: p.Account.RoleARN}
	}
	owner, err := s.Registry.Owner(ctx, claim)
	if err != nil {
		return d, err
	}
	// Once the account's stack exists, the account is ours, recorded or not.
	if p.Account.Vended && (owner == "" || owner == p.Org) && !s.Engine.Exists(stackRef(p.Org, plan.LayerAccount)) {
		if err := s.checkEmail(ctx, p); err != nil {
			return d, err
		}
	}
	if !p.Account.Vended && (owner == "" || owner == p.Org) {
		if err := s.checkAccess(ctx, p, d.id); err != nil {
			return d, err
		}
	}
	var owned *registry.OwnedError
	if err := s.Registry.Claim(ctx, p.Org, claim); errors.As(err, &owned) {
		return d, &Error{
			Org: p.Org, Err: fmt.Errorf("%w: %w", ErrInvalid, err),
			Next: "give the org an account of its own: another account.email, such as aws+" + p.Org + "@…, or another account.roleArn",
		}
	} else if err != nil {
		return d, err
	}
	d.outs = outputsOf(layers)
	return d, nil
}

// checkEmail refuses an e-mail that an account in the organization has already.
func (s *Service) checkEmail(ctx context.Context, p plan.Plan) error {
	id, err := s.Cloud.Find(ctx, cloud.Account{Region: p.Region}, "aws:organizations/account:Account",
		map[string]any{"email": p.Account.Email})
	if errors.Is(err, cloud.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for an account with e-mail %s: %w", p.Account.Email, err)
	}
	return &Error{
		Org: p.Org, Err: fmt.Errorf("%w: account.email %q is the e-mail of account %s, and AWS has each only once, ever",
			ErrInvalid, p.Account.Email, id),
		Next: "choose another account.email, such as aws+" + p.Org + "-2@…; if it is the account that an earlier " +
			"offboarding of the org kept, bring it with account.mode: existing",
	}
}

// checkAccess tries the role of an account that the org brings. A role that
// does not let us in will not by itself: waiting, as for a new account, is no help.
func (s *Service) checkAccess(ctx context.Context, p plan.Plan, us cloud.Identity) error {
	id := strings.Split(p.Account.RoleARN, ":")[4]
	err := s.Cloud.Usable(ctx, cloud.Account{
		ID: id, Region: p.Region, RoleARN: p.Account.RoleARN, ExternalID: p.Account.ExternalID,
	})
	if !errors.Is(err, cloud.ErrNotUsable) {
		return err
	}
	unsaid := cloud.ErrNotUsable.Error() // and "yet"
	because := strings.NewReplacer(unsaid+": ", "", ": "+unsaid, "").Replace(err.Error())
	return &Error{
		Org: p.Org, Err: fmt.Errorf("account %s does not let us in: %s", id, because),
		Next: fmt.Sprintf("correct account.roleArn and account.externalId, or let the trust policy of %s allow %s with that external id",
			p.Account.RoleARN, us.ARN),
	}
}

// checkVersion refuses a Kubernetes version that the cloud does not have.
func (s *Service) checkVersion(ctx context.Context, p plan.Plan) error {
	err := s.Cloud.CheckVersion(ctx, p.Cluster.Version)
	if !errors.Is(err, cloud.ErrUnsupported) {
		return err
	}
	return &Error{
		Org: p.Org, Err: fmt.Errorf("%w: cluster.version %q: %w", ErrInvalid, p.Cluster.Version, err),
		Next: "set cluster.version to one that this cloud runs",
	}
}

// checkFixed refuses changes that AWS could only do by making the data plane anew.
func (s *Service) checkFixed(ctx context.Context, p plan.Plan) error {
	o, err := s.Registry.Org(ctx, p.Org)
	if errors.Is(err, registry.ErrUnknownOrg) || err == nil && o.State == "offboarded" {
		return nil
	}
	if err != nil {
		return err
	}
	var old plan.Plan
	if err := json.Unmarshal(o.Plan, &old); err != nil {
		return fmt.Errorf("read the plan that %s was onboarded with: %w", p.Org, err)
	}
	mode := func(vended bool) string {
		if vended {
			return string(spec.AccountVended)
		}
		return string(spec.AccountExisting)
	}
	for _, f := range []struct{ field, old, new string }{
		{"region", old.Region, p.Region},
		{"account.mode", mode(old.Account.Vended), mode(p.Account.Vended)},
		{"account.email", old.Account.Email, p.Account.Email},
		{"account.roleArn", old.Account.RoleARN, p.Account.RoleARN},
		{"network.cidr", old.Cluster.CIDR, p.Cluster.CIDR},
	} {
		if f.old != f.new {
			return &Error{
				Org:  p.Org,
				Err:  fmt.Errorf("%w: %s cannot change from %q to %q: the data plane would have to be made anew", ErrInvalid, f.field, f.old, f.new),
				Next: "set it back, or offboard the org and onboard it again",
			}
		}
	}
	return nil
}
