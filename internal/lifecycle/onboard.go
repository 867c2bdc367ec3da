package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

// Onboard brings the org's data plane to what the spec says: it makes what is
// missing, changes what differs, puts back what was changed by hand and
// touches nothing else. It may be run again at any time, also after a kill.
func (s *Service) Onboard(ctx context.Context, doc spec.Spec, opts OnboardOptions, sink event.Sink) (event.Onboarding, error) {
	p := plan.Build(doc)
	out := event.Onboarding{Org: p.Org}
	op, err := s.begin(ctx, p.Org, "onboard", sink)
	if err != nil {
		return out, err
	}
	err = s.onboard(ctx, op, p, opts, &out)
	return out, s.finish(ctx, op, &out, err)
}

// finish ends an operation that ran layers, with what they changed in all.
func (s *Service) finish(ctx context.Context, op *operation, out *event.Onboarding, err error) error {
	changes := map[string]int{}
	for _, l := range out.Layers {
		for k, n := range l.Changes {
			changes[k] += n
		}
	}
	out.Operation = op.ID
	out.Changed = changed(changes)
	out.Duration = s.Now().Sub(op.began)
	return s.end(ctx, op, changes, err)
}

func (s *Service) onboard(ctx context.Context, op *operation, p plan.Plan, opts OnboardOptions, out *event.Onboarding) error {
	d, err := s.admit(ctx, p)
	if err != nil {
		return fail(p.Org, "", err)
	}
	if err := s.putOrg(ctx, d, "onboarding"); err != nil {
		return fail(p.Org, "", err)
	}
	declared := drift.Declared{}
	for _, l := range plan.Layers() {
		var err error
		if l == plan.LayerCluster && opts.Prune {
			err = s.clearIdentityProvider(ctx, d)
		}
		if err == nil {
			err = s.onboardLayer(ctx, op, d, l, declared, out)
		}
		if err != nil {
			return errors.Join(fail(p.Org, string(l), err), s.putOrg(context.WithoutCancel(ctx), d, "failed"))
		}
	}
	out.DataPlane = facts(p, d.outs)
	if out.Unmanaged, err = s.unmanaged(ctx, d, declared, opts.Prune); err != nil {
		return fail(p.Org, "", err)
	}
	return fail(p.Org, "", s.putOrg(ctx, d, "ready"))
}

func (s *Service) putOrg(ctx context.Context, d dataPlane, state string) error {
	p := d.plan
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write the plan of %s: %w", p.Org, err)
	}
	return s.Registry.PutOrg(ctx, registry.Org{Org: p.Org, State: state, Plan: raw, Hash: p.Hash, HashVersion: p.HashVersion, Management: d.id.AccountID})
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
	declared drift.Declared, out *event.Onboarding,
) (err error) {
	began := s.Now()
	org := d.plan.Org
	res := event.LayerResult{Layer: string(l), Stack: plan.StackName(org, l)}
	op.emit(event.Event{Type: event.LayerStarted, Layer: string(l), Total: s.expected(ctx, org, l)})
	defer func() {
		res.Duration = s.Now().Sub(began)
		ev := event.Event{Type: event.LayerFinished, Layer: string(l), Duration: res.Duration, Changes: res.Changes}
		res.State = layerDone
		if err != nil {
			err = fail(org, string(l), err)
			res.State, res.Error = layerFailed, err.Error()
			ev.Type, ev.Message = event.LayerFailed, err.Error()
		}
		out.Layers = append(out.Layers, res)
		rec := registry.Layer{
			Layer: string(l), State: res.State, Outputs: d.outs[l], Resources: res.Resources,
			Duration: res.Duration, Error: res.Error,
		}
		err = errors.Join(err, s.Registry.PutLayer(context.WithoutCancel(ctx), org, rec))
		op.emit(ev)
	}()

	if err := s.claimForeseen(ctx, d); err != nil {
		return err
	}
	if err := s.checkState(ctx, org, l); err != nil {
		return err
	}
	if err := s.checkRoom(ctx, d, l); err != nil {
		return err
	}
	in, err := s.input(ctx, d, l)
	if err != nil {
		return err
	}
	st, err := s.stack(d, l, in)
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
		if blocked, ok := errors.AsType[*engine.Error](err); ok {
			out.Policy = append(out.Policy, blocked.Policy...)
		}
		return err
	}
	out.Policy = append(out.Policy, settled(run.Policy)...)
	res.Resources = run.Resources()
	d.outs[l] = run.Outputs
	declare(declared, run.Steps)
	if err := s.claimMade(ctx, org, run.Steps); err != nil {
		return err
	}
	return s.afterLayer(ctx, op, d, l)
}

// settled leaves out what was open while the layer was made: in the end the
// rules were asked again, and were content.
func settled(found []finding.Policy) []finding.Policy {
	return slices.DeleteFunc(slices.Clone(found), finding.Policy.Open)
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

// identityProviderType is what a cluster has room for one of.
const identityProviderType = "aws:eks/identityProviderConfig:IdentityProviderConfig"

// clearIdentityProvider removes an identity provider that somebody gave the
// org's cluster: where it stands, the layer could not make its own, and would
// fail before anything is pruned.
// https://docs.aws.amazon.com/eks/latest/userguide/authenticate-oidc-identity-provider.html
func (s *Service) clearIdentityProvider(ctx context.Context, d dataPlane) error {
	// Without one of its own the layer needs no room.
	if d.plan.Cluster.IdentityProvider == nil || !s.Engine.Exists(stackRef(d.plan.Org, plan.LayerCluster)) {
		return nil
	}
	a, items, err := s.listed(ctx, d)
	if err != nil {
		return err
	}
	cluster := d.plan.Cluster.Name
	for _, it := range items {
		// The layer names its own like the cluster, and puts back what was changed of it.
		if it.Type != identityProviderType || it.ID == cluster+":"+cluster || !strings.HasPrefix(it.ID, cluster+":") {
			continue
		}
		if err := s.prune(ctx, a, it); err != nil {
			return err
		}
	}
	return nil
}

// prune removes what no layer declares.
func (s *Service) prune(ctx context.Context, a cloud.Account, it cloud.Item) error {
	if err := s.Cloud.Remove(ctx, a, it); err != nil {
		return fmt.Errorf("remove %s %s, which no layer declares: %w", it.Type, it.ID, err)
	}
	return nil
}

// unmanaged lists what is in the org's account and in no layer, and removes it
// when told to.
func (s *Service) unmanaged(ctx context.Context, d dataPlane, declared drift.Declared, prune bool) ([]finding.Finding, error) {
	a, items, err := s.listed(ctx, d)
	if err != nil {
		return nil, err
	}
	var left []finding.Finding
	for _, it := range items {
		if it.ByCloud || it.ByWorkload || declared.Has(itemOf(it)) {
			continue
		}
		if prune {
			if err := s.prune(ctx, a, it); err != nil {
				return nil, err
			}
			continue
		}
		left = append(left, findingOf(it))
	}
	return left, nil
}

func findingOf(it cloud.Item) finding.Finding {
	return finding.Finding{
		Kind: finding.Unmanaged, Type: it.Type, Name: it.Name, ID: it.ID, Message: "no layer declares it",
	}
}

func itemOf(it cloud.Item) drift.Item {
	return drift.Item{Type: it.Type, ID: it.ID, Name: it.Name, Of: it.Of}
}

// declare notes what a layer has.
func declare(declared drift.Declared, steps []engine.Step) {
	for _, st := range steps {
		if st.Op == "delete" {
			continue
		}
		in := st.NewInputs
		if in == nil {
			in = st.OldInputs
		}
		declared.Add(st.Type, st.ID, in)
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
