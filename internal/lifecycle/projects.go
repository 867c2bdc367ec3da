package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/stacks"
)

// ProjectChange is one change to the projects that an org was onboarded with:
// exactly one of the two.
type ProjectChange struct {
	// Add is made; that it is there already, as it is here, is no mistake.
	Add *spec.Project
	// Remove is the name of one that goes.
	Remove string
}

// on returns a plan's projects with the change made to them. What an operation
// that did not end has taken out already may be taken out again.
func (c ProjectChange) on(d plan.Plan, unfinished bool) ([]plan.ProjectPlan, error) {
	org, all := d.Org, d.Bootstrap.Projects
	invalid := func(next, format string, args ...any) error {
		return &Error{Org: org, Err: fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...), Next: next}
	}
	if c.Add != nil {
		for _, m := range c.Add.Members {
			if p := d.Cluster.IdentityProvider; p != nil && !spec.IdentityProvider(*p).LetsIn(m) {
				return nil, invalid("give it the prefix of cluster.identityProvider in the org's spec",
					"the member %s of project %s is nobody whom the org's identity provider lets in", m.Group+m.User, c.Add.Name)
			}
		}
		added := plan.ProjectOf(org, *c.Add)
		i := slices.IndexFunc(all, func(p plan.ProjectPlan) bool { return p.Name == added.Name })
		switch {
		case i < 0:
			return append(slices.Clone(all), added), nil
		case !reflect.DeepEqual(all[i], added):
			return nil, invalid("change it in the org's spec, and run freehold onboard -f with it",
				"there is a project %s, and it is another one", added.Name)
		}
		return all, nil
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(p plan.ProjectPlan) bool { return p.Name == c.Remove })
	if len(rest) == len(all) && !unfinished {
		return nil, invalid("freehold projects list "+org+" shows them", "there is no project %s", c.Remove)
	}
	for _, p := range rest {
		for _, in := range p.Ingress {
			if in.Project == c.Remove {
				return nil, invalid("take it out of that project's ingress first", "project %s lets %s in", p.Name, c.Remove)
			}
		}
	}
	return rest, nil
}

// PlanProjects says what ChangeProjects would do. It changes nothing.
func (s *Service) PlanProjects(ctx context.Context, org string, c ProjectChange) (event.Plan, error) {
	out := event.Plan{Org: org}
	d, err := s.changed(ctx, org, c)
	if err != nil {
		return out, fail(org, "", err)
	}
	out.Hash, out.HashVersion, out.Decided = d.plan.Hash, d.plan.HashVersion, d.plan
	for _, l := range d.layers {
		in, err := s.input(ctx, d.dataPlane, l)
		if err != nil {
			return out, fail(org, string(l), err)
		}
		st, err := s.stack(d.dataPlane, l, in)
		if err != nil {
			return out, fail(org, string(l), err)
		}
		began := s.Now()
		run, err := s.Engine.Preview(ctx, st, nil)
		if err != nil {
			return out, fail(org, string(l), err)
		}
		out.Policy = append(out.Policy, run.Policy...)
		out.Layers = append(out.Layers, event.LayerResult{
			Layer: string(l), Stack: st.Name, State: layerDone, Changes: run.Changes, Resources: run.Resources(), Duration: s.Now().Sub(began),
		})
		out.Changes = append(out.Changes, changesOf(l, run.Steps)...)
	}
	return out, nil
}

// ChangeProjects changes what the org is recorded to be, and then its bootstrap
// layer, and where roles of pods come or go its cluster layer, as onboard would:
// under the org's lock, with the same checks, and until every project is ready.
// It may be run again at any time, also after a kill.
func (s *Service) ChangeProjects(ctx context.Context, org string, c ProjectChange, sink event.Sink) (event.Onboarding, error) {
	out := event.Onboarding{Org: org}
	// An org that is not known is not held.
	if _, err := s.Registry.Org(ctx, org); err != nil {
		return out, fail(org, "", err)
	}
	op, err := s.begin(ctx, org, "projects", sink)
	if err != nil {
		return out, err
	}
	err = s.changeProjects(ctx, op, org, c, &out)
	return out, s.finish(ctx, op, &out, err)
}

func (s *Service) changeProjects(ctx context.Context, op *operation, org string, c ProjectChange, out *event.Onboarding) error {
	d, err := s.changed(ctx, org, c)
	if err != nil {
		return fail(org, "", err)
	}
	if err := s.checkExceptions(d.plan); err != nil {
		return fail(org, "", err)
	}
	if c.Remove != "" {
		// Asking for it by name is what a namespace that goes with its project waits for.
		if err := s.confirmDeletion(ctx, d.dataPlane, c.Remove); err != nil {
			return fail(org, string(plan.LayerBootstrap), err)
		}
	}
	if err := s.putOrg(ctx, d.dataPlane, "onboarding"); err != nil {
		return fail(org, "", err)
	}
	for _, l := range d.layers {
		if err := s.onboardLayer(ctx, op, d.dataPlane, l, drift.Declared{}, out); err != nil {
			return errors.Join(fail(org, string(l), err), s.putOrg(context.WithoutCancel(ctx), d.dataPlane, "failed"))
		}
	}
	out.DataPlane = facts(d.plan, d.outs)
	return fail(org, "", s.putOrg(ctx, d.dataPlane, "ready"))
}

// changing is a data plane with a change of its projects in its plan.
type changing struct {
	dataPlane

	layers []plan.Layer // that are to be run, in order
}

// changed is the org's data plane as it is recorded, with the change made to
// its plan. A cluster has to be there.
func (s *Service) changed(ctx context.Context, org string, c ProjectChange) (changing, error) {
	o, err := s.Registry.Org(ctx, org)
	if err != nil {
		return changing{}, err
	}
	recorded, layers, err := s.recorded(ctx, o)
	d := changing{dataPlane: recorded}
	if err != nil {
		return d, err
	}
	for _, l := range []plan.Layer{plan.LayerAccount, plan.LayerBoundary, plan.LayerCluster} {
		// A change of the cluster that failed is tried again.
		again := l == plan.LayerCluster && layers[string(l)].State == layerFailed && d.outs[l] != nil
		if layers[string(l)].State != layerDone && !again {
			return d, &Error{
				Org: org, Layer: string(l), Err: fmt.Errorf("%w: the layer is not made: the org has no cluster to have projects in", ErrInvalid),
				Next: "onboard the org first",
			}
		}
	}
	if d.id, err = s.identity(ctx, org); err != nil {
		return d, err
	}
	projects, err := c.on(d.plan, o.State != "ready")
	if err != nil {
		return d, err
	}
	d.plan = d.plan.WithProjects(projects)
	roles, err := rolesDiffer(d.dataPlane)
	switch {
	case err != nil:
		return d, err
	case !roles && layers[string(plan.LayerCluster)].State == layerDone:
		d.layers = []plan.Layer{plan.LayerBootstrap}
	case c.Add != nil:
		d.layers = []plan.Layer{plan.LayerCluster, plan.LayerBootstrap}
	default:
		// A role goes after the project that says its pods have it.
		d.layers = []plan.Layer{plan.LayerBootstrap, plan.LayerCluster}
	}
	return d, nil
}

// rolesDiffer reports whether the cluster layer was last made with roles for
// other service accounts than the plan has: also when a run was killed between
// two layers.
func rolesDiffer(d dataPlane) (bool, error) {
	made, err := stacks.Decode[stacks.ClusterOut](d.outs[plan.LayerCluster])
	if err != nil {
		return false, fmt.Errorf("outputs of layer %s: %w", plan.LayerCluster, err)
	}
	for _, r := range d.plan.Cluster.ProjectRoles {
		if _, ok := made.ProjectRoleARNs[r.Account()]; !ok {
			return true, nil
		}
	}
	return len(made.ProjectRoleARNs) != len(d.plan.Cluster.ProjectRoles), nil
}

// Projects tells of the org's projects: those that are recorded, and what the
// cluster says of them.
func (s *Service) Projects(ctx context.Context, org string) (event.Projects, error) {
	out := event.Projects{Org: org}
	o, err := s.Registry.Org(ctx, org)
	if err != nil {
		return out, fail(org, "", err)
	}
	d, _, err := s.recorded(ctx, o)
	if err != nil {
		return out, fail(org, "", err)
	}
	if d.outs[plan.LayerBootstrap] == nil {
		return out, &Error{
			Org: org, Layer: string(plan.LayerBootstrap), Err: fmt.Errorf("%w: the org has no projects yet", ErrInvalid), Next: "onboard it first",
		}
	}
	live, err := s.live(ctx, d)
	if err != nil {
		return out, fail(org, string(plan.LayerBootstrap), err)
	}
	for _, p := range d.plan.Bootstrap.Projects {
		i := slices.IndexFunc(live, func(l event.Project) bool { return l.Name == p.Name })
		if i < 0 {
			out.Projects = append(out.Projects, event.Project{Org: org, Name: p.Name, Recorded: true, Phase: "Missing", Message: "the cluster has no such Project"})
			continue
		}
		live[i].Recorded = true
	}
	out.Projects = append(out.Projects, live...)
	slices.SortFunc(out.Projects, func(a, b event.Project) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// reach returns a kubeconfig of the org's cluster for the role that pick names.
func (s *Service) reach(ctx context.Context, d dataPlane, pick func(stacks.BoundaryOut) string) ([]byte, error) {
	b, err := stacks.Decode[stacks.BoundaryOut](d.outs[plan.LayerBoundary])
	if err != nil {
		return nil, err
	}
	c, err := stacks.Decode[stacks.ClusterOut](d.outs[plan.LayerCluster])
	if err != nil {
		return nil, err
	}
	ref, err := s.clusterRef(d, b, c)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := s.Cloud.Kubeconfig(ctx, ref, pick(b))
	if err != nil {
		return nil, fmt.Errorf("reach cluster %s: %w", c.Name, err)
	}
	return kubeconfig, nil
}

// checkRemovals refuses to take out of the plan what would take data along
// without anybody having said so by name.
func (s *Service) checkRemovals(ctx context.Context, p plan.Plan) error {
	old, ok, err := s.planned(ctx, p.Org)
	if err != nil || !ok || !s.Engine.Exists(engine.Stack{Org: p.Org, Layer: string(plan.LayerBootstrap), Name: plan.StackName(p.Org, plan.LayerBootstrap)}) {
		return err
	}
	for _, was := range old.Bootstrap.Projects {
		if was.DeletionPolicy != v1alpha1.DeletionDelete ||
			slices.ContainsFunc(p.Bootstrap.Projects, func(is plan.ProjectPlan) bool { return is.Name == was.Name }) {
			continue
		}
		return &Error{
			Org: p.Org,
			Err: fmt.Errorf("%w: the spec has no project %s any more, whose deletionPolicy is Delete: its namespace would be lost with all that is in it", ErrInvalid, was.Name),
			Next: fmt.Sprintf("remove it by name with freehold projects remove %s %s; or put it back, onboard it with deletionPolicy: Retain, and take it out then",
				p.Org, was.Name),
		}
	}
	return nil
}
