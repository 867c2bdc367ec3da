package lifecycle

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// project is one project of a spec.
func project(t *testing.T, text string) *spec.Project {
	t.Helper()
	return &document(t, "projects: ["+text+"]").Projects[0]
}

func (p *process) change(c ProjectChange) (event.Onboarding, error) {
	return p.ChangeProjects(p.Context(), "acme", c, Call{}, p.Sink(p.sink))
}

// began are the layers that the process began with, in order.
func (p *process) began() (layers []string) {
	for _, ev := range p.shown {
		if ev.Type == event.LayerStarted {
			layers = append(layers, ev.Layer)
		}
	}
	return layers
}

func TestAChangeOfProjectsRunsTheLayersThatItConcernsInTheirOrder(t *testing.T) {
	start := onboarded(t, "projects: [{name: lab}, "+shop+"]")
	pods := strings.Replace(shop, "name: shop", "name: fresh", 1)
	for reason, tc := range map[string]struct {
		change  ProjectChange
		began   []string
		changed bool
		left    []string
	}{
		"a project without a role": {ProjectChange{Add: project(t, "{name: fresh}")}, []string{"bootstrap"}, true, []string{"fresh", "lab", "shop"}},
		"a project whose pods have a role: the role is there first": {
			ProjectChange{Add: project(t, pods)}, []string{"cluster", "bootstrap"}, true, []string{"fresh", "lab", "shop"},
		},
		"a project that is there as it is":                              {ProjectChange{Add: project(t, "{name: lab}")}, []string{"bootstrap"}, false, []string{"lab", "shop"}},
		"a project without a role goes":                                 {ProjectChange{Remove: "lab"}, []string{"bootstrap"}, true, []string{"shop"}},
		"a project whose pods have a role goes: the role goes after it": {ProjectChange{Remove: "shop"}, []string{"bootstrap", "cluster"}, true, []string{"lab"}},
	} {
		t.Run(reason, func(t *testing.T) {
			p := start.copied(t)
			planned := must[event.Plan](t)(p.here().PlanProjects(t.Context(), "acme", tc.change))
			if planned.Different() != tc.changed {
				t.Errorf("planned: %v", changesIn(planned.Changes))
			}
			proc := p.here()
			out := must[event.Onboarding](t)(proc.change(tc.change))
			if diff := cmp.Diff(tc.began, proc.began()); diff != "" {
				t.Errorf("layers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.left, p.names(projectType)); diff != "" || out.Changed != tc.changed {
				t.Errorf("changed: %t; projects (-want +got):\n%s", out.Changed, diff)
			}
			if got := p.states("acme"); got != allDone {
				t.Errorf("layers: %s", got)
			}
			o, _ := p.org("acme")
			var recorded []string
			for _, is := range must[plan.Plan](t)(dataplane.Recorded(o)).Bootstrap.Projects {
				recorded = append(recorded, is.Name)
			}
			slices.Sort(recorded)
			if diff := cmp.Diff(tc.left, recorded); diff != "" {
				t.Errorf("recorded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAChangeOfProjectsThatCannotBeDoneIsRefusedEachTime(t *testing.T) {
	start := onboarded(t, "projects: [{name: lab}, {name: front, ingress: [{project: lab}]}]",
		"cluster: {identityProvider: {issuerUrl: 'https://login.example.com', clientId: acme, usernamePrefix: 'oidc:'}}")
	for reason, tc := range map[string]struct {
		change ProjectChange
		says   string
	}{
		"a name that is mistyped":            {ProjectChange{Remove: "lap"}, "there is no project lap"},
		"a project that another one lets in": {ProjectChange{Remove: "lab"}, "project front lets lab in"},
		"a project with other settings":      {ProjectChange{Add: project(t, "{name: lab, displayName: Another}")}, "project lab already exists with different settings"},
		"a member whom nobody ever lets in":  {ProjectChange{Add: project(t, "{name: fresh, members: [{user: ada, role: viewer}]}")}, "lets nobody called ada in"},
	} {
		t.Run(reason, func(t *testing.T) {
			p := start.copied(t)
			things := p.world.Things("")
			for range 2 {
				_, err := p.here().PlanProjects(t.Context(), "acme", tc.change)
				refused(t, err, ErrInvalid, tc.says)
				_, err = p.here().change(tc.change)
				refused(t, err, ErrInvalid, tc.says)
			}
			if diff := cmp.Diff(things, p.world.Things("")); diff != "" {
				t.Errorf("something was touched (-before +after):\n%s", diff)
			}
			if got := p.states("acme"); got != allDone {
				t.Errorf("layers: %s", got)
			}
		})
	}
}

func TestProjectsAreChangedOnlyWhereThereIsACluster(t *testing.T) {
	remove := ProjectChange{Remove: "lab"}
	p := newPlace(t)
	_, err := p.here().change(remove)
	refused(t, err, ErrInvalid, "unknown org")
	_, err = p.here().PlanProjects(t.Context(), "acme", remove)
	refused(t, err, ErrInvalid, "unknown org")
	if ops := must[[]event.Operation](t)(p.here().store.Org(orgcontexttest.For("acme")).Operations(t.Context())); len(ops) > 0 {
		t.Errorf("an org that is not known was held: %v", ops)
	}

	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Err: errors.New("no")})
	if _, err := p.here().onboard(document(t)); err == nil {
		t.Fatal("the fault was not met")
	}
	_, err = p.here().change(remove)
	refused(t, err, ErrInvalid, "layer cluster is not made")

	whole := onboarded(t, "projects: [{name: lab}]")
	_, err = whole.stranger().change(remove)
	refused(t, err, ErrInvalid, "the org was onboarded from account")
	must[event.Offboarding](t)(whole.here().offboard("acme"))
	_, err = whole.here().change(remove)
	refused(t, err, ErrInvalid, "is not made")
}

// Between "the org is ready" and the end of the operation there is a moment in
// which a kill leaves a removal that is done and not known to be.
func TestARemovalThatWasKilledIsAcceptedOnceMoreAlsoAfterAPreview(t *testing.T) {
	start := onboarded(t, "projects: [{name: lab}, {name: shop}]")
	remove := ProjectChange{Remove: "shop"}
	whole := start.copied(t).here()
	must[event.Onboarding](t)(whole.change(remove))
	ready := slices.Index(whole.Writes(), lifecycletest.Write{To: "registry", What: "org", Of: "ready", Name: "acme"})
	if ready < 0 {
		t.Fatalf("the org is never ready: %v", whole.Writes())
	}
	for n := ready - 1; n <= ready+1; n++ {
		p := start.copied(t)
		killed := p.here()
		killed.KillAfter(n)
		if _, err := killed.change(remove); err == nil {
			t.Fatal("it was not killed")
		}
		for range 2 {
			must[event.Plan](t)(p.here().PlanProjects(t.Context(), "acme", remove))
		}
		must[event.Onboarding](t)(p.here().change(remove))
		if diff := cmp.Diff([]string{"lab"}, p.names(projectType)); diff != "" {
			t.Errorf("projects (-want +got):\n%s", diff)
		}
		_, err := p.here().change(remove)
		refused(t, err, ErrInvalid, "there is no project shop")
	}
}

func TestAChangeOfProjectsThatFailsIsGoneOnWith(t *testing.T) {
	pods := strings.Replace(shop, "name: shop", "name: fresh", 1)
	for reason, fault := range map[string]lifecycletest.Fault{
		"the role is not made":          {On: lifecycletest.Up, Layer: plan.LayerCluster, Made: 1, Err: errors.New("no")},
		"the project is not made":       {On: lifecycletest.Up, Layer: plan.LayerBootstrap, Err: errors.New("no")},
		"the cluster cannot be reached": {On: lifecycletest.Kubeconfig, Err: errors.New("no")},
	} {
		t.Run(reason, func(t *testing.T) {
			p := onboarded(t, "projects: [{name: lab}]")
			p.world.Fail(fault)
			if _, err := p.here().change(ProjectChange{Add: project(t, pods)}); err == nil {
				t.Fatal("the fault was not met")
			}
			if o, _ := p.org("acme"); o.State != "failed" {
				t.Errorf("the org is %s", o.State)
			}
			must[event.Onboarding](t)(p.here().change(ProjectChange{Add: project(t, pods)}))
			if diff := cmp.Diff([]string{"fresh", "lab"}, p.names(projectType)); diff != "" || p.states("acme") != allDone {
				t.Errorf("layers %s; projects (-want +got):\n%s", p.states("acme"), diff)
			}
			if got := len(p.world.Things("aws:eks/podIdentityAssociation:PodIdentityAssociation")); got != 1 {
				t.Errorf("%d roles of pods, want one", got)
			}
		})
	}
}
