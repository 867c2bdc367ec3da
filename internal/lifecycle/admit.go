package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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
	if err := s.checkExceptions(p); err != nil {
		return d, err
	}
	if err := s.checkFixed(ctx, p); err != nil {
		return d, err
	}
	if err := s.checkRemovals(ctx, p); err != nil {
		return d, err
	}
	d.outs = outputsOf(layers)
	if err := s.checkRelease(ctx, p, d); err != nil {
		return d, err
	}
	if d.id, err = s.identity(ctx, p.Org); err != nil {
		return d, err
	}
	owner, err := s.Registry.Owner(ctx, entrance(p))
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
	return d, s.claimForeseen(ctx, d)
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

// checkRelease refuses a version of Kubernetes or of an add-on that the cloud
// does not have. What the org runs already is not asked about again: AWS
// withdraws versions, and a cluster that has one keeps it.
func (s *Service) checkRelease(ctx context.Context, p plan.Plan, d dataPlane) error {
	release := cloud.Release{Region: p.Region, Kubernetes: p.Cluster.Version, Addons: map[string]string{}}
	for _, a := range p.Cluster.Addons {
		release.Addons[a.Name] = a.Version
	}
	if d.outs[plan.LayerCluster] != nil {
		old, _, err := s.planned(ctx, p.Org)
		if err != nil {
			return err
		}
		if old.Cluster.Version == p.Cluster.Version {
			for _, a := range old.Cluster.Addons {
				if release.Addons[a.Name] == a.Version {
					delete(release.Addons, a.Name)
				}
			}
		}
	}
	err := s.Cloud.CheckRelease(ctx, release)
	if !errors.Is(err, cloud.ErrUnsupported) {
		return err
	}
	field, next := "cluster.version "+strconv.Quote(p.Cluster.Version), "set cluster.version to one that this cloud runs"
	if missing, ok := errors.AsType[*cloud.UnsupportedError](err); ok && missing.Addon != "" {
		name := addonFields[missing.Addon]
		field, next = fmt.Sprintf("%s %q", name, missing.Asked), "set "+name+" to one that this cloud has"
		if len(missing.Has) > 0 {
			next += ", such as " + missing.Has[0]
		}
	}
	return &Error{Org: p.Org, Err: fmt.Errorf("%w: %s: %w", ErrInvalid, field, err), Next: next}
}

// addonFields are the fields of the spec that choose an add-on's version.
var addonFields = map[string]string{
	"vpc-cni":                "versions.vpcCni",
	"coredns":                "versions.coreDns",
	"kube-proxy":             "versions.kubeProxy",
	"aws-ebs-csi-driver":     "versions.ebsCsi",
	"eks-pod-identity-agent": "versions.podIdentityAgent",
}

// planned returns the plan that the org was last onboarded with; ok is false if
// there is none that still counts.
func (s *Service) planned(ctx context.Context, org string) (old plan.Plan, ok bool, err error) {
	o, err := s.Registry.Org(ctx, org)
	if errors.Is(err, registry.ErrUnknownOrg) || err == nil && o.State == "offboarded" {
		return old, false, nil
	}
	if err != nil {
		return old, false, err
	}
	old, err = planOf(o)
	return old, err == nil, err
}

// checkFixed refuses changes that AWS could only do by making the data plane anew.
func (s *Service) checkFixed(ctx context.Context, p plan.Plan) error {
	old, ok, err := s.planned(ctx, p.Org)
	if err != nil || !ok {
		return err
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
