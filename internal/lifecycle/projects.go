package lifecycle

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/policies"
)

// ProjectChange is one change to the projects that an org was onboarded with.
type ProjectChange = dataplane.ProjectChange

// PlanProjects says what ChangeProjects would do. It changes nothing.
func (s *Service) PlanProjects(ctx context.Context, org string, c ProjectChange) (event.Plan, error) {
	out := event.Plan{Org: org}
	in, err := s.change(ctx, org, c)
	if err != nil {
		return out, fail(org, "", err)
	}
	w, err := s.admitChange(ctx, in)
	if err != nil {
		return out, fail(org, "", err)
	}
	p := w.DataPlane.Plan
	out.Hash, out.HashVersion, out.Decided = p.Hash, p.HashVersion, p
	for _, l := range w.Layers {
		look, err := s.preview(ctx, w.DataPlane, l, watcher{sink: serialized(nil), now: s.Now})
		out.Policy = append(out.Policy, look.policy...)
		if err != nil {
			return out, fail(org, string(l), err)
		}
		changes, err := s.changes(ctx, w.DataPlane, l, look)
		if err != nil {
			return out, fail(org, string(l), err)
		}
		out.Layers = append(out.Layers, counted(look.result, len(changes)-len(look.changes(l))))
		out.Changes = append(out.Changes, changes...)
	}
	if ops := w.recorded(c.Name()); ops != nil {
		out.Layers = append(out.Layers, event.LayerResult{
			Layer: string(plan.LayerBootstrap), Stack: plan.StackName(org, plan.LayerBootstrap), State: dataplane.Done, Changes: ops,
		})
		for op := range ops {
			out.Changes = append(out.Changes, event.Change{Layer: string(plan.LayerBootstrap), Op: op, Type: projectToken, Name: c.Name()})
		}
	}
	return out, nil
}

// ChangeProjects changes what the org is recorded to be, and then its bootstrap
// layer, and where roles of pods come or go its cluster layer, as onboard would:
// as an operation, with the same checks, and until every project is ready. For a
// pulled project it runs no layer, and waits until the controller of the org's
// cluster has pulled the change. It may be run again at any time, also after a kill.
func (s *Service) ChangeProjects(ctx context.Context, org string, c ProjectChange, call Call, sink event.Sink) (event.Onboarding, error) {
	out := event.Onboarding{Org: org, Layers: []event.LayerResult{}}
	if _, err := s.of(org).Org(ctx); err != nil {
		return out, fail(org, "", err) // an org that is not known is not held
	}
	in, err := s.change(ctx, org, c)
	if err != nil {
		return out, fail(org, "", err)
	}
	req, err := request("projects", call, c)
	if err != nil {
		return out, fail(org, "", err)
	}
	err = s.operate(ctx, org, req, sink, result(&out), func(ctx context.Context, r *run) (ending, error) {
		w, err := do(ctx, r.step("admit", ""), r.admitChange, in)
		switch {
		case err != nil:
		case c.Remove != "":
			err = r.removeProject(ctx, w, c.Remove, &out)
		default:
			err = r.make(ctx, w.work, &out)
		}
		end := r.onboarded(&out)
		if ops := w.recorded(c.Name()); err == nil && ops != nil {
			out.Changed = true
			end = ending{result: out, changes: together(end.changes, ops)}
		}
		return end, fail(org, "", err)
	})
	return out, err
}

// removeProject makes a change by which a project goes.
func (r *run) removeProject(ctx context.Context, w changeOut, name string, out *event.Onboarding) error {
	d := w.DataPlane
	if _, err := do(ctx, r.step("confirm", plan.LayerBootstrap), r.confirm, confirmIn{DataPlane: d, Was: w.Was, Project: name}); err != nil {
		return fail(d.Plan.Org, string(plan.LayerBootstrap), err)
	}
	return r.make(ctx, w.work, out)
}

// confirmIn is a project that goes, and the plan that has it.
type confirmIn struct {
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	Was       plan.Plan           `json:"was"`
	Project   string              `json:"project"`
}

// confirm asks for the end of a project by name, which is what a namespace that
// goes with its project waits for.
func (r *run) confirm(ctx context.Context, in confirmIn) (none, error) {
	if err := r.confirmDeletion(ctx, in.DataPlane, in.Was, in.Project); err != nil {
		return none{}, err
	}
	return none{}, r.reviveController(ctx, in.DataPlane, toLetGo)
}

// changeIn is a change that is asked for.
type changeIn struct {
	Org    string        `json:"org"`
	Change ProjectChange `json:"change"`
	// Unfinished says that the operation before this one was killed: what it has
	// taken out already may be taken out again.
	Unfinished bool `json:"unfinished,omitempty"`
}

// change is a change before its operation begins: beginning ends one that was killed.
func (s *Service) change(ctx context.Context, org string, c ProjectChange) (changeIn, error) {
	last, err := s.of(org).Last(ctx)
	return changeIn{Org: org, Change: c, Unfinished: last != nil && last.State == event.OperationStarted.State()}, err
}

// changeOut is what it amounts to.
type changeOut struct {
	work

	// Was is the plan before it.
	Was plan.Plan `json:"was"`
}

// recorded says what the change does to a pulled project, which is in no layer's
// changes; nil: nothing.
func (c changeOut) recorded(name string) map[string]int {
	before, had := c.Was.Bootstrap.Project(name)
	after, has := c.DataPlane.Plan.Bootstrap.Project(name)
	switch {
	case !had && has && after.Pulled:
		return map[string]int{"create": 1}
	case had && !has && before.Pulled:
		return map[string]int{"delete": 1}
	case had && has && after.Pulled && !reflect.DeepEqual(before, after):
		return map[string]int{"update": 1}
	default:
		return nil
	}
}

// admitChange is the org's data plane as it is recorded, with the change made to
// its plan, or the reasons why it cannot be. A cluster has to be there.
func (s *Service) admitChange(ctx context.Context, in changeIn) (changeOut, error) {
	o, d, err := s.remembered(ctx, in.Org)
	if err != nil {
		return changeOut{}, err
	}
	if d.Caller, err = s.caller(ctx); err != nil {
		return changeOut{}, err
	}
	was := d.Plan
	if refused := dataplane.CheckCaller(d.Caller, o.Management); refused != nil {
		return changeOut{}, refuse(in.Org, *refused)
	}
	d, found, err := s.seen(ctx, d)
	if err != nil {
		return changeOut{}, err
	}
	d = d.WithoutGone(found)
	d, layers, refused := d.Change(in.Change, in.Unfinished || o.State != dataplane.OrgReady)
	if refused != nil {
		return changeOut{}, refuse(in.Org, *refused)
	}
	reasons := dataplane.CheckExceptions(d.Plan, policies.All(), s.Now())
	if slices.Contains(layers, plan.LayerCluster) {
		running, err := s.running(ctx, d)
		if err != nil {
			return changeOut{}, err
		}
		d = d.Running(running)
		reasons = append(dataplane.CheckVersion(d, &was, running), reasons...)
	}
	w := work{DataPlane: d, Layers: layers, Pulls: in.Change.Pulled}
	if is, recorded := was.Bootstrap.Project(in.Change.Remove); in.Change.Add == nil {
		// Of one that a killed run has taken out, nobody knows any more whether it was pulled.
		w.Pulls = d.Plan.Bootstrap.ProjectSource != nil && (is.Pulled || !recorded)
		w.Gone = plan.ProjectPlan{Name: in.Change.Remove, ProjectSettings: is.ProjectSettings}
	}
	return changeOut{work: w, Was: was}, refuse(in.Org, reasons...)
}

// Projects lists the org's projects: those that are recorded, and what the
// cluster says of them.
func (s *Service) Projects(ctx context.Context, org string) (event.Projects, error) {
	out := event.Projects{Org: org}
	_, d, err := s.remembered(ctx, org)
	if err != nil {
		return out, fail(org, "", err)
	}
	if d.Outputs(plan.LayerBootstrap) == nil {
		return out, &Error{
			Org: org, Layer: string(plan.LayerBootstrap), Err: fmt.Errorf("%w: the org has no projects yet", ErrInvalid), Next: "onboard it first",
		}
	}
	live, err := s.liveProjects(ctx, d)
	if err != nil {
		return out, fail(org, string(plan.LayerBootstrap), err)
	}
	for _, p := range d.Plan.Bootstrap.Projects {
		source := event.SourceSpec
		if p.Pulled {
			source = event.SourceAPI
		}
		i := slices.IndexFunc(live, func(l event.Project) bool { return l.Name == p.Name })
		if i < 0 {
			out.Projects = append(out.Projects, event.Project{
				Org: org, Name: p.Name, Source: source, Recorded: true, Phase: "Missing", Message: missing(d.Plan, p),
			})
			continue
		}
		if p.Pulled && live[i].Source != source {
			live[i].Ready, live[i].Message = false, foreign
		}
		live[i].Source, live[i].Recorded = source, true
	}
	out.Projects = append(out.Projects, live...)
	slices.SortFunc(out.Projects, func(a, b event.Project) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Pulls reports whether the controller of the org's cluster asks the API at a host for
// projects. One that is added there then needs no layer to be run.
func (s *Service) Pulls(ctx context.Context, org, host string) (bool, error) {
	o, err := s.of(org).Org(ctx)
	if err != nil {
		return false, fail(org, "", err)
	}
	p, err := dataplane.Recorded(o)
	if err != nil || p.Bootstrap.ProjectSource == nil {
		return false, fail(org, "", err)
	}
	u, err := url.Parse(p.Bootstrap.ProjectSource.URL)
	if err != nil {
		return false, fail(org, "", fmt.Errorf("projectSource.url: %w", err))
	}
	return strings.EqualFold(u.Hostname(), host), nil
}
