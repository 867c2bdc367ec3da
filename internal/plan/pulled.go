package plan

import (
	"slices"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// Declared is the layer without the pulled projects: what the layer itself makes.
func (b Bootstrap) Declared() Bootstrap {
	b.Projects = slices.DeleteFunc(slices.Clone(b.Projects), func(p ProjectPlan) bool { return p.Pulled })
	return b
}

// Pulled are the projects that the controller makes, in the order of the plan.
func (b Bootstrap) Pulled() []ProjectPlan {
	return slices.DeleteFunc(slices.Clone(b.Projects), func(p ProjectPlan) bool { return !p.Pulled })
}

// Project returns the project of a name, if there is one.
func (b Bootstrap) Project(name string) (ProjectPlan, bool) {
	i := slices.IndexFunc(b.Projects, func(p ProjectPlan) bool { return p.Name == name })
	if i < 0 {
		return ProjectPlan{}, false
	}
	return b.Projects[i], true
}

// Object is the Project of an org's cluster that the plan asks for. roles are the
// ARNs of the roles of its service accounts, by their names.
func (p ProjectPlan) Object(org string, roles map[string]string) v1alpha1.NamedProject {
	spec := v1alpha1.ProjectSpec{Org: org, ProjectSettings: p.ProjectSettings.DeepCopy()}
	for _, name := range p.ServiceAccounts {
		spec.ServiceAccounts = append(spec.ServiceAccounts, v1alpha1.ServiceAccount{Name: name, PodIdentityRole: roles[name]})
	}
	return v1alpha1.NamedProject{Name: p.Name, Spec: spec}
}
