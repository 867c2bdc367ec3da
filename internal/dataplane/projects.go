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
// exactly one of Add and Remove.
type ProjectChange struct {
	// Add is made; that it is there already, with the same settings, is no mistake.
	Add *spec.Project `json:"add,omitempty"`
	// Remove is the name of one that goes.
	Remove string `json:"remove,omitempty"`
	// Pulled says that the project is made through Freehold's API: the controller
	// of the org's cluster pulls it, and no layer has it. Add then also changes a
	// pulled project that is there with other settings, because no document does.
	// Remove needs it only to refuse a project of the org's document.
	Pulled bool `json:"pulled,omitempty"`
}

// Name is the project's.
func (c ProjectChange) Name() string {
	if c.Add != nil {
		return c.Add.Name
	}
	return c.Remove
}

// Change returns the data plane with a change of its projects in its plan, and
// the layers that have to be run for it, in order: none for a pulled project.
// unfinished says that an earlier operation did not end: what that has taken out
// already may be taken out again.
func (d DataPlane) Change(c ProjectChange, unfinished bool) (DataPlane, []plan.Layer, *Refusal) {
	for _, l := range []plan.Layer{plan.LayerAccount, plan.LayerBoundary, plan.LayerCluster} {
		if d.Outputs(l) == nil {
			return d, nil, &Refusal{
				Message: fmt.Sprintf("layer %s is not made: the org has no cluster to have projects in", l),
				Next:    "onboard the org first",
			}
		}
	}
	pulled := c.pulled(d.Plan)
	if pulled {
		if refused := d.checkPulled(c); refused != nil {
			return d, nil, refused
		}
	}
	projects, refused := c.on(d.Plan, unfinished)
	if refused != nil {
		return d, nil, refused
	}
	d.Plan = d.Plan.WithProjects(projects)
	if pulled {
		bootstrap := d.Layer(plan.LayerBootstrap)
		if bootstrap.State == Done && !bootstrap.Unclean {
			return d, nil, nil
		}
		// What a run of the layer has left half done may be what pulls.
		return d, []plan.Layer{plan.LayerBootstrap}, nil
	}
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

// pulled reports whether the change is about a project that no layer has.
func (c ProjectChange) pulled(p plan.Plan) bool {
	is, recorded := p.Bootstrap.Project(c.Name())
	return c.Pulled || c.Remove != "" && recorded && is.Pulled
}

// checkPulled refuses what only a layer can make, and what nobody would pull.
func (d DataPlane) checkPulled(c ProjectChange) *Refusal {
	if d.Outputs(plan.LayerBootstrap) == nil {
		return &Refusal{
			Message: fmt.Sprintf("layer %s is not made: the org has no namespace controller to pull projects", plan.LayerBootstrap),
			Next:    "onboard the org first",
		}
	}
	if c.Add == nil {
		return nil
	}
	if d.Plan.Bootstrap.ProjectSource == nil {
		return &Refusal{
			Message: "the org's spec has no projectSource, so its namespace controller pulls no projects",
			Next:    "set projectSource.url in the org's spec to https://, the org's host at Freehold's API, and /v1/projects; run freehold onboard with it, and add the project then",
		}
	}
	for i, a := range c.Add.ServiceAccounts {
		if len(a.PodIdentity.Policies) > 0 {
			return &Refusal{
				Field: fmt.Sprintf("serviceAccounts[%d].podIdentity", i),
				Message: fmt.Sprintf("service account %s of project %s has a podIdentity: its role belongs to the cluster layer, which is not run for a pulled project",
					a.Name, c.Add.Name),
				Next: "leave podIdentity out, or add the project to the org's spec and run freehold onboard with it",
			}
		}
	}
	return nil
}

// on returns a plan's projects with the change made to them.
func (c ProjectChange) on(p plan.Plan, unfinished bool) ([]plan.ProjectPlan, *Refusal) {
	if c.Add != nil {
		return c.added(p)
	}
	all := p.Bootstrap.Projects
	if is, recorded := p.Bootstrap.Project(c.Remove); recorded && c.Pulled && !is.Pulled {
		return nil, &Refusal{
			Field: "name", Message: fmt.Sprintf("project %s belongs to the org's spec", c.Remove),
			Next: "remove it from the spec, and run freehold onboard with it; or run freehold projects remove " + p.Org + " " + c.Remove,
		}
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(is plan.ProjectPlan) bool { return is.Name == c.Remove })
	if len(rest) == len(all) && !unfinished {
		return nil, &Refusal{Message: "there is no project " + c.Remove, Next: "freehold projects list " + p.Org + " shows them"}
	}
	if by, lets := letsIn(rest, c.Remove); lets {
		return nil, &Refusal{
			Message: fmt.Sprintf("project %s lets %s in", by, c.Remove),
			Next:    "take it out of that project's ingress first",
		}
	}
	return rest, nil
}

// letsIn is the first of some projects that lets another one in.
func letsIn(projects []plan.ProjectPlan, other string) (name string, lets bool) {
	for _, is := range projects {
		for _, in := range is.Ingress {
			if in.Project == other {
				return is.Name, true
			}
		}
	}
	return "", false
}

// added returns a plan's projects with the one that is added.
func (c ProjectChange) added(p plan.Plan) ([]plan.ProjectPlan, *Refusal) {
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
	added.Pulled = c.Pulled
	for i, in := range added.Ingress {
		field := fmt.Sprintf("ingress[%d].project", i)
		switch by, there := p.Bootstrap.Project(in.Project); {
		case !there:
			return nil, &Refusal{
				Field: field, Message: fmt.Sprintf("project %s lets %s in, and the org has no such project", added.Name, in.Project),
				Next: "name a project of the org: freehold projects list " + p.Org + " shows them",
			}
		case by.Pulled && !c.Pulled:
			return nil, &Refusal{
				Field: field, Message: fmt.Sprintf("project %s lets %s in, which was added through Freehold's API: a spec can only name its own projects", added.Name, in.Project),
				Next: "add both of them through the API, or both to the spec",
			}
		}
	}
	all := slices.Clone(p.Bootstrap.Projects)
	i := slices.IndexFunc(all, func(is plan.ProjectPlan) bool { return is.Name == added.Name })
	switch {
	case i < 0:
		return append(all, added), nil
	case all[i].Pulled && !c.Pulled:
		return nil, &Refusal{
			Field: "name", Message: fmt.Sprintf("project %s already exists: it was added through Freehold's API", added.Name),
			Next: fmt.Sprintf("choose another name, or remove that one first with freehold projects remove %s %s", p.Org, added.Name),
		}
	case c.Pulled && !all[i].Pulled:
		return nil, &Refusal{
			Field: "name", Message: fmt.Sprintf("project %s already exists: it belongs to the org's spec", added.Name),
			Next: "choose another name, or change it in the spec and run freehold onboard with it",
		}
	case c.Pulled:
		all[i] = added
	case !reflect.DeepEqual(all[i], added):
		return nil, &Refusal{
			Field: "name", Message: fmt.Sprintf("project %s already exists with different settings", added.Name),
			Next: "change it in the org's spec, and run freehold onboard -f with it",
		}
	}
	return all, nil
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
