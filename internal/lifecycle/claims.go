package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/audit"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/stacks"
)

// foreseen are the identities of which a plan decides before anything is made.
// account is the org's own, "" while it is not made: nearly everything has its
// id in it.
func foreseen(p plan.Plan, account string) []registry.Identity {
	ids := []registry.Identity{entrance(p)}
	// A token for two clusters would be somebody in both.
	if idp := p.Cluster.IdentityProvider; idp != nil {
		ids = append(ids, registry.Identity{Kind: "identity provider's client", Value: idp.IssuerURL + " " + idp.ClientID})
	}
	if !p.Account.Vended {
		account = accountOf(p.Account.RoleARN)
	}
	if account == "" {
		return ids
	}
	add := func(kind, value string) { ids = append(ids, registry.Identity{Kind: kind, Value: value}) }
	add("account", account)
	add("boundary", "arn:aws:iam::"+account+":policy/"+p.Boundary.BoundaryName)
	for _, name := range []string{
		p.Boundary.ProvisionRole, p.Boundary.ReadRole, p.Boundary.BootstrapRole, p.Boundary.OffboardRole,
		p.Cluster.ClusterRole, p.Cluster.NodeRole, p.Cluster.EBSRole, p.Cluster.FlowLogRole,
	} {
		add("role", "arn:aws:iam::"+account+":role/"+name)
	}
	// The names of buckets are one list for all of AWS.
	for _, pattern := range []string{p.Boundary.LogBucket, p.Boundary.DataBucket} {
		add("bucket", "bucket:"+plan.BucketName(pattern, account))
	}
	add("trail", "arn:aws:cloudtrail:"+p.Region+":"+account+":trail/"+p.Boundary.TrailName)
	add("repository", "arn:aws:ecr:"+p.Region+":"+account+":repository/"+p.Boundary.ControllerRepository)
	add("cluster", "arn:aws:eks:"+p.Region+":"+account+":cluster/"+p.Cluster.Name)
	return ids
}

// entrance is how the org's account is got: nobody else may get theirs by it.
func entrance(p plan.Plan) registry.Identity {
	if p.Account.Vended {
		return registry.Identity{Kind: "e-mail", Value: p.Account.Email}
	}
	return registry.Identity{Kind: "access role", Value: p.Account.RoleARN}
}

// foreseenNow are those of an org as far as it is made.
func foreseenNow(d dataPlane) ([]registry.Identity, error) {
	account, err := outputs[stacks.AccountOut](d.outs, plan.LayerAccount)
	if err != nil {
		return nil, err
	}
	return foreseen(d.plan, account.AccountID), nil
}

// claimForeseen writes down what the org is about to have, before a layer is
// run: what another org owns is refused while nothing is touched.
func (s *Service) claimForeseen(ctx context.Context, d dataPlane) error {
	ids, err := foreseenNow(d)
	if err != nil {
		return err
	}
	return s.claim(ctx, d.plan.Org, ids...)
}

// claim writes the org down as the owner, or refuses the request.
func (s *Service) claim(ctx context.Context, org string, ids ...registry.Identity) error {
	err := s.Registry.Claim(ctx, org, ids...)
	if owned, ok := errors.AsType[*registry.OwnedError](err); ok {
		return refused(org, *owned)
	}
	return err
}

func refused(org string, owned registry.OwnedError) error {
	next := "find out whose it is; freehold audit --all shows what two orgs share"
	switch owned.Kind {
	case "e-mail", "access role", "account":
		next = "give the org an account of its own: another account.email, such as aws+" + org + "@…, or another account.roleArn"
	case "identity provider's client":
		next = "give the org's cluster a client of its own at the identity provider: another cluster.identityProvider.clientId"
	}
	return &Error{Org: org, Err: fmt.Errorf("%w: %w", ErrInvalid, &owned), Next: next}
}

// checkForeseen refuses what claimForeseen would, and claims nothing.
func (s *Service) checkForeseen(ctx context.Context, d dataPlane) error {
	ids, err := foreseenNow(d)
	if err != nil {
		return err
	}
	values := make([]string, len(ids))
	for i, id := range ids {
		values[i] = id.Value
	}
	return s.checkValues(ctx, d.plan.Org, values)
}

func (s *Service) checkValues(ctx context.Context, org string, values []string) error {
	owned, err := s.Registry.OwnedByOthers(ctx, org, values)
	if err != nil {
		return err
	}
	if len(owned) > 0 {
		return refused(org, owned[0])
	}
	return nil
}

// checkSteps refuses a plan whose steps would touch, or only name, an identity
// of another org.
func (s *Service) checkSteps(ctx context.Context, org string, steps []engine.Step) error {
	var values []string
	for _, st := range steps {
		if !st.Custom {
			continue
		}
		for _, id := range audit.Identities(st.Type, st.ID, st.OldOutputs) {
			values = append(values, id.Value)
		}
		values = append(values, audit.Mentions(st.NewInputs)...)
	}
	slices.Sort(values)
	return s.checkValues(ctx, org, slices.Compact(values))
}

// checkState refuses to run a layer whose stored state has a thing of another
// org in it: the run would change or remove that.
func (s *Service) checkState(ctx context.Context, org string, l plan.Layer) error {
	r, err := s.Engine.State(ctx, stackRef(org, l))
	if errors.Is(err, engine.ErrNoStack) {
		return nil
	}
	if err != nil {
		return err
	}
	ids, err := audit.StateIdentities(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("stack %s: %w", plan.StackName(org, l), err)
	}
	values := make([]string, len(ids))
	for i, id := range ids {
		values[i] = id.Value
	}
	return s.checkValues(ctx, org, values)
}

// claimMade writes down what could not be known before the layer was run.
func (s *Service) claimMade(ctx context.Context, org string, steps []engine.Step) error {
	var ids []registry.Identity
	for _, st := range steps {
		if !st.Custom || st.Op == "delete" || st.Op == "read" {
			continue
		}
		out := st.NewOutputs
		if out == nil {
			out = st.OldOutputs
		}
		for _, id := range audit.Identities(st.Type, st.ID, out) {
			ids = append(ids, registry.Identity(id))
		}
	}
	return s.claim(ctx, org, ids...)
}
