package dataplane

import (
	"fmt"
	"reflect"
	"slices"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/stacks"
)

// ProjectChange is one change to the projects that an org was onboarded with:
// exactly one of the two.
type ProjectChange struct {
	// Add is made; that it is there already, with the same settings, is no mistake.
	Add *spec.Project `json:"add,omitempty"`
	// Remove is the name of one that goes.
	Remove string `json:"remove,omitempty"`
}

// Change returns the data plane with a change of its projects in its plan, and
// the layers that have to be run for it, in order. unfinished says that an
// earlier operation did not end: what that has taken out already may be taken
// out again.
func (d DataPlane) Change(c ProjectChange, unfinished bool) (DataPlane, []plan.Layer, *Refusal) {
	for _, l := range []plan.Layer{plan.LayerAccount, plan.LayerBoundary, plan.LayerCluster} {
		if d.Outputs(l) == nil {
			return d, nil, &Refusal{
				Message: fmt.Sprintf("layer %s is not made: the org has no cluster to have projects in", l),
				Next:    "onboard the org first",
			}
		}
	}
	projects, refused := c.on(d.Plan, unfinished)
	if refused != nil {
		return d, nil, refused
	}
	d.Plan = d.Plan.WithProjects(projects)
	roles, err := d.rolesDiffer()
	if err != nil {
		return d, nil, &Refusal{Message: err.Error(), Next: "onboard the org once more"}
	}
	cluster := d.Layer(plan.LayerCluster)
	switch {
	case !roles && cluster.State == Done && !cluster.Unclean:
		return d, []plan.Layer{plan.LayerBootstrap}, nil
	case c.Add != nil:
		return d, []plan.Layer{plan.LayerCluster, plan.LayerBootstrap}, nil
	default:
		// A role goes after the project that says its pods have it.
		return d, []plan.Layer{plan.LayerBootstrap, plan.LayerCluster}, nil
	}
}

// on returns a plan's projects with the change made to them.
func (c ProjectChange) on(p plan.Plan, unfinished bool) ([]plan.ProjectPlan, *Refusal) {
	all := p.Bootstrap.Projects
	if c.Add != nil {
		for _, m := range c.Add.Members {
			if idp := p.Cluster.IdentityProvider; idp != nil && !spec.IdentityProvider(*idp).LetsIn(m) {
				return nil, &Refusal{
					Field:   "members",
					Message: fmt.Sprintf("the org's identity provider lets nobody called %s in, whom project %s has as a member", m.Group+m.User, c.Add.Name),
					Next:    "give it the prefix of cluster.identityProvider in the org's spec",
				}
			}
		}
		added := plan.ProjectOf(p.Org, *c.Add)
		i := slices.IndexFunc(all, func(is plan.ProjectPlan) bool { return is.Name == added.Name })
		switch {
		case i < 0:
			return append(slices.Clone(all), added), nil
		case !reflect.DeepEqual(all[i], added):
			return nil, &Refusal{
				Field: "name", Message: fmt.Sprintf("project %s already exists with different settings", added.Name),
				Next: "change it in the org's spec, and run freehold onboard -f with it",
			}
		}
		return all, nil
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(is plan.ProjectPlan) bool { return is.Name == c.Remove })
	if len(rest) == len(all) && !unfinished {
		return nil, &Refusal{Message: "there is no project " + c.Remove, Next: "freehold projects list " + p.Org + " shows them"}
	}
	for _, is := range rest {
		for _, in := range is.Ingress {
			if in.Project == c.Remove {
				return nil, &Refusal{
					Message: fmt.Sprintf("project %s lets %s in", is.Name, c.Remove),
					Next:    "take it out of that project's ingress first",
				}
			}
		}
	}
	return rest, nil
}

// rolesDiffer reports whether the cluster layer was last made with roles for
// other service accounts than the plan has: also when a run was killed between
// two layers.
func (d DataPlane) rolesDiffer() (bool, error) {
	made, err := Decode[stacks.ClusterOut](d, plan.LayerCluster)
	if err != nil {
		return false, err
	}
	for _, r := range d.Plan.Cluster.ProjectRoles {
		if _, ok := made.ProjectRoleARNs[r.Account()]; !ok {
			return true, nil
		}
	}
	return len(made.ProjectRoleARNs) != len(d.Plan.Cluster.ProjectRoles), nil
}
