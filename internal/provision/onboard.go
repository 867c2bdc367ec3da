package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/report"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/stacks"
)

// Onboard brings the org's data plane to what the spec says: it makes what is
// missing, changes what differs, puts back what was changed by hand and
// touches nothing else. It may be run again at any time, also after a kill.
func (s *Service) Onboard(ctx context.Context, doc spec.Spec, opts OnboardOptions, sink report.Sink) (report.Onboarding, error) {
	p := plan.Build(doc)
	out := report.Onboarding{Org: p.Org}
	op, err := s.begin(ctx, p.Org, "onboard", sink)
	if err != nil {
		return out, err
	}
	out.Operation = op.ID
	changes := map[string]int{}
	err = s.onboard(ctx, op, p, opts, &out)
	for _, l := range out.Layers {
		for k, n := range l.Changes {
			changes[k] += n
		}
	}
	out.Changed = changed(changes)
	out.Duration = s.Now().Sub(op.began)
	return out, s.end(ctx, op, changes, err)
}

func (s *Service) onboard(ctx context.Context, op *operation, p plan.Plan, opts OnboardOptions, out *report.Onboarding) error {
	d, err := s.admit(ctx, p)
	if err != nil {
		return fail(p.Org, "", err)
	}
	if err := s.putOrg(ctx, p, "onboarding"); err != nil {
		return fail(p.Org, "", err)
	}
	declared := map[string]map[string]bool{}
	for _, l := range plan.Layers() {
		if err := s.onboardLayer(ctx, op, d, l, declared, out); err != nil {
			return errors.Join(fail(p.Org, string(l), err), s.putOrg(context.WithoutCancel(ctx), p, "failed"))
		}
	}
	out.DataPlane = facts(p, d.outs)
	if out.Unmanaged, err = s.unmanaged(ctx, d, declared, opts.Prune); err != nil {
		return fail(p.Org, "", err)
	}
	return fail(p.Org, "", s.putOrg(ctx, p, "ready"))
}

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

func (s *Service) putOrg(ctx context.Context, p plan.Plan, state string) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write the plan of %s: %w", p.Org, err)
	}
	return s.Registry.PutOrg(ctx, registry.Org{Org: p.Org, State: state, Plan: raw, Hash: p.Hash, HashVersion: p.HashVersion})
}

// States of a layer in the registry and in reports.
const (
	layerDone    = "done"
	layerFailed  = "failed"
	layerRemoved = "removed"
	layerPending = "not-started"
	layerSkipped = "skipped"
)

func (s *Service) onboardLayer(ctx context.Context, op *operation, d dataPlane, l plan.Layer,
	declared map[string]map[string]bool, out *report.Onboarding,
) (err error) {
	began := s.Now()
	org := d.plan.Org
	res := report.LayerResult{Layer: string(l), Stack: plan.StackName(org, l)}
	op.emit(report.Event{Type: report.LayerStarted, Layer: string(l), Total: s.expected(ctx, org, l)})
	defer func() {
		res.Duration = s.Now().Sub(began)
		ev := report.Event{Type: report.LayerFinished, Layer: string(l), Duration: res.Duration, Changes: res.Changes}
		res.State = layerDone
		if err != nil {
			err = fail(org, string(l), err)
			res.State, res.Error = layerFailed, err.Error()
			ev.Type, ev.Message = report.LayerFailed, err.Error()
		}
		out.Layers = append(out.Layers, res)
		rec := registry.Layer{
			Layer: string(l), State: res.State, Outputs: d.outs[l], Resources: res.Resources,
			Duration: res.Duration, Error: res.Error,
		}
		err = errors.Join(err, s.Registry.PutLayer(context.WithoutCancel(ctx), org, rec))
		op.emit(ev)
	}()

	in, err := s.input(ctx, d, l)
	if err != nil {
		return err
	}
	st, err := s.stack(org, l, in)
	if err != nil {
		return err
	}
	if op.Unclean && s.Engine.Exists(st) {
		find, err := s.finder(d, l)
		if err != nil {
			return err
		}
		if _, err := s.Engine.Adopt(ctx, st, find, op.emit); err != nil {
			return err
		}
	}
	run, err := s.Engine.Up(ctx, st, op.emit)
	res.Changes = run.Changes
	if err != nil {
		return err
	}
	res.Resources = run.Resources()
	d.outs[l] = run.Outputs
	declare(declared, run.Steps)
	return s.afterLayer(ctx, op, d, l)
}

// afterLayer does what belongs to a layer and is no Pulumi resource.
func (s *Service) afterLayer(ctx context.Context, op *operation, d dataPlane, l plan.Layer) error {
	switch l {
	case plan.LayerAccount:
		o, err := stacks.Decode[stacks.AccountOut](d.outs[l])
		if err != nil {
			return err
		}
		if err := s.Registry.Claim(ctx, d.plan.Org, registry.Identity{Kind: "account", Value: o.AccountID}); err != nil {
			return err
		}
		a, err := d.account("", "")
		if err != nil {
			return err
		}
		return s.awaitUsable(ctx, op, a)
	case plan.LayerBoundary:
		o, err := stacks.Decode[stacks.BoundaryOut](d.outs[l])
		if err != nil {
			return err
		}
		return s.Registry.Claim(ctx, d.plan.Org,
			registry.Identity{Kind: "boundary", Value: o.BoundaryARN},
			registry.Identity{Kind: "key", Value: o.DataKeyARN},
			registry.Identity{Kind: "key", Value: o.LogKeyARN})
	case plan.LayerCluster:
		o, err := stacks.Decode[stacks.ClusterOut](d.outs[l])
		if err != nil {
			return err
		}
		if err := s.Registry.Claim(ctx, d.plan.Org,
			registry.Identity{Kind: "cluster", Value: o.ARN},
			registry.Identity{Kind: "endpoint", Value: o.Endpoint},
			registry.Identity{Kind: "OIDC issuer", Value: o.OIDCIssuer},
			registry.Identity{Kind: "VPC", Value: o.VPCID}); err != nil {
			return err
		}
		b, err := stacks.Decode[stacks.BoundaryOut](d.outs[plan.LayerBoundary])
		if err != nil {
			return err
		}
		ref, err := s.clusterRef(d, b, o)
		if err != nil {
			return err
		}
		// EKS deletion protection is in neither provider: it is set beside them.
		if err := s.Cloud.ProtectCluster(ctx, ref, d.plan.Protected); err != nil {
			return fmt.Errorf("set deletion protection of cluster %s: %w", o.Name, err)
		}
		return nil
	case plan.LayerBootstrap:
		return nil
	}
	return nil
}

// awaitUsable probes a new account until two clean reads in a row: what AWS
// says is created is not usable for minutes (terraform-provider-aws#15654),
// and the services do not become usable at once.
func (s *Service) awaitUsable(ctx context.Context, op *operation, a cloud.Account) error {
	within, every := s.UsableWithin, s.ProbeEvery
	if within == 0 {
		within = 30 * time.Minute
	}
	if every == 0 {
		every = 10 * time.Second
	}
	began := s.Now()
	for clean := 0; ; {
		err := s.Cloud.Usable(ctx, a)
		switch {
		case err == nil:
			if clean++; clean == 2 {
				return nil
			}
			continue
		case !errors.Is(err, cloud.ErrNotUsable):
			return fmt.Errorf("probe account %s: %w", a.ID, err)
		}
		clean = 0
		waited := s.Now().Sub(began)
		if waited > within {
			return fmt.Errorf("account %s is still not usable after %s: %w", a.ID, waited.Round(time.Second), err)
		}
		op.emit(report.Event{
			Type: report.Waiting, Layer: string(plan.LayerAccount), Duration: waited,
			Message: fmt.Sprintf("account %s is not usable yet: %v", a.ID, err),
		})
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w while waiting for account %s: %w", ErrCancelled, a.ID, context.Cause(ctx))
		case <-time.After(every):
		}
	}
}

// expected guesses how many resources a layer has: as many as it had before,
// or as another org's has. 0 is "not known".
func (s *Service) expected(ctx context.Context, org string, l plan.Layer) int {
	names := []string{org}
	if orgs, err := s.Registry.Orgs(ctx); err == nil {
		for _, o := range orgs {
			names = append(names, o.Org)
		}
	}
	for _, name := range names {
		if layers, err := s.Registry.Layers(ctx, name); err == nil && layers[string(l)].Resources > 0 {
			return layers[string(l)].Resources
		}
	}
	return 0
}

// unmanaged lists what is in the org's account and in no layer, and removes it
// when told to.
func (s *Service) unmanaged(ctx context.Context, d dataPlane, declared map[string]map[string]bool, prune bool) ([]report.Finding, error) {
	a, err := d.account("", "")
	if err != nil {
		return nil, err
	}
	items, err := s.Cloud.Inventory(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("list account %s: %w", a.ID, err)
	}
	var left []report.Finding
	for _, it := range items {
		if it.ByCloud || declared[it.Type][it.ID] {
			continue
		}
		if prune {
			if err := s.Cloud.Remove(ctx, a, it); err != nil {
				return nil, fmt.Errorf("remove %s %s, which no layer declares: %w", it.Type, it.ID, err)
			}
			continue
		}
		left = append(left, finding(it))
	}
	return left, nil
}

func finding(it cloud.Item) report.Finding {
	return report.Finding{
		Kind: report.Unmanaged, Type: it.Type, Name: it.Name, ID: it.ID, Message: "no layer declares it",
	}
}

// declare notes the ids of a layer's resources by type.
func declare(declared map[string]map[string]bool, steps []engine.Step) {
	for _, st := range steps {
		if st.Op == "delete" {
			continue
		}
		if declared[st.Type] == nil {
			declared[st.Type] = map[string]bool{}
		}
		declared[st.Type][st.ID] = true
	}
}

// changed reports whether any resource was touched.
func changed(changes map[string]int) bool {
	for op, n := range changes {
		switch op {
		case "same", "read", "refresh":
		default:
			if n > 0 {
				return true
			}
		}
	}
	return false
}
