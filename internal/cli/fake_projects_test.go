package cli_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

func (w *world) Projects(_ context.Context, name string) (event.Projects, error) {
	out := event.Projects{Org: name}
	o := w.orgs[name]
	if o == nil {
		return out, w.unknown(name, "projects")
	}
	if w.trouble == "cluster" {
		return out, &lifecycle.Error{Org: name, Layer: "bootstrap", Err: errors.New("list the cluster's projects: connection refused"), Next: "look at the cluster"}
	}
	for _, p := range o.spec.Projects {
		one := event.Project{
			Org: name, Name: p.Name, DisplayName: p.DisplayName, Source: event.SourceSpec, Recorded: true, Phase: "Ready", Ready: true, Namespace: p.Name,
			Usage: map[string]event.ProjectUsage{
				"limits.cpu": {Used: "1", Hard: p.Quota.CPU.Text}, "limits.memory": {Used: "1Gi", Hard: p.Quota.Memory.Text}, "pods": {Used: "3", Hard: fmt.Sprint(p.Quota.Pods)},
			},
			Conditions: []event.ProjectCondition{{Type: "Ready", Status: "True", Reason: "Fenced", Message: "the namespace is there with every fence"}},
		}
		for _, m := range p.Members {
			one.Members = append(one.Members, event.ProjectMember{Group: m.Group, User: m.User, Role: string(m.Role)})
		}
		if w.trouble == "taken" {
			one.Phase, one.Ready, one.Message = "Failed", false, "NamespaceTaken: there is a namespace "+p.Name+" that is not this project's"
		}
		out.Projects = append(out.Projects, one)
	}
	if w.trouble == "byhand" {
		out.Projects = append(out.Projects, event.Project{Org: name, Name: "stray", Phase: "Ready", Ready: true})
	}
	if w.trouble == "pulled" {
		out.Projects = append(out.Projects,
			event.Project{Org: name, Name: "edge", Source: event.SourceAPI, Recorded: true, Phase: "Ready", Ready: true},
			event.Project{Org: name, Name: "past", Source: event.SourceAPI, Phase: "Ready", Ready: true},
		)
	}
	return out, nil
}

// pulled reports whether a change is about a project that the API has.
func (w *world) pulled(c lifecycle.ProjectChange) bool {
	return w.trouble == "pulled" && c.Remove == "edge"
}

func (w *world) PlanProjects(_ context.Context, name string, c lifecycle.ProjectChange) (event.Plan, error) {
	out := event.Plan{Org: name}
	next, err := w.changed(name, c)
	if err != nil {
		return out, err
	}
	out.Layers = []event.LayerResult{{Layer: "bootstrap", Stack: name + ".bootstrap", State: "done", Resources: 12}}
	op, project := "create", ""
	if c.Add != nil {
		project = c.Add.Name
	} else {
		op, project = "delete", c.Remove
	}
	if len(next) != len(w.orgs[name].spec.Projects) {
		out.Changes = []event.Change{{Layer: "bootstrap", Op: op, Type: "kubernetes:freehold.dev/v1alpha1:Project", Name: "bootstrap-project-" + project}}
	}
	return out, nil
}

func (w *world) changed(name string, c lifecycle.ProjectChange) ([]spec.Project, error) {
	o := w.orgs[name]
	if o == nil {
		return nil, w.unknown(name, "projects")
	}
	named := func(want string) func(spec.Project) bool { return func(p spec.Project) bool { return p.Name == want } }
	if w.pulled(c) {
		return o.spec.Projects, nil
	}
	if c.Add == nil {
		if !slices.ContainsFunc(o.spec.Projects, named(c.Remove)) {
			return nil, &lifecycle.Error{Org: name, Err: fmt.Errorf("%w: project %s does not exist", lifecycle.ErrInvalid, c.Remove)}
		}
		return slices.DeleteFunc(slices.Clone(o.spec.Projects), named(c.Remove)), nil
	}
	if i := slices.IndexFunc(o.spec.Projects, named(c.Add.Name)); i >= 0 {
		if !reflect.DeepEqual(o.spec.Projects[i], *c.Add) {
			return nil, &lifecycle.Error{Org: name, Err: fmt.Errorf("%w: project %s already exists with different settings", lifecycle.ErrInvalid, c.Add.Name)}
		}
		return o.spec.Projects, nil
	}
	return append(slices.Clone(o.spec.Projects), *c.Add), nil
}

func (w *world) ChangeProjects(_ context.Context, name string, c lifecycle.ProjectChange, _ lifecycle.Call, sink event.Sink) (event.Onboarding, error) {
	out := event.Onboarding{Org: name}
	if err := w.fail(name, ""); err != nil {
		return out, err
	}
	next, err := w.changed(name, c)
	if err != nil {
		return out, err
	}
	op := w.begin(name, "projects", sink)
	out.Operation = op.ID
	emit := op.emit
	o := w.orgs[name]
	out.Changed = len(next) != len(o.spec.Projects) || w.pulled(c)
	if w.pulled(c) {
		out.DataPlane, out.Duration = o.status.DataPlane, 2*time.Second
		return out, op.end(out, nil)
	}
	emit(event.Event{Type: event.LayerStarted, Layer: "bootstrap"})
	w.clock.pass(2 * time.Second)
	emit(event.Event{Type: event.LayerFinished, Layer: "bootstrap"})
	o.spec.Projects, o.status.DataPlane.Projects = next, nil
	for _, p := range next {
		o.status.DataPlane.Projects = append(o.status.DataPlane.Projects, p.Name)
	}
	changes := map[string]int{"same": 12}
	if out.Changed {
		changes["create"] = 1
	}
	out.Layers = []event.LayerResult{{Layer: "bootstrap", Stack: name + ".bootstrap", State: "done", Resources: 12, Duration: 2 * time.Second, Changes: changes}}
	out.DataPlane, out.Duration = o.status.DataPlane, 2*time.Second
	return out, op.end(out, nil)
}
