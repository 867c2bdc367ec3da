package lifecycle

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
)

const (
	source = "projectSource: {url: 'https://acme.freehold.example.com/v1/projects'}"
	// A project whose namespace goes with it.
	pulledShop = `{name: shop, deletionPolicy: Delete, quota: {cpu: "2"}, serviceAccounts: [{name: web}]}`
)

// pulledProject is a project that is made through the API.
func pulledProject(t *testing.T, text string) ProjectChange {
	t.Helper()
	return ProjectChange{Add: project(t, text), Pulled: true}
}

// pulledIn is a place in which acme has the project lab by its document, and one
// that its cluster has pulled.
func pulledIn(t *testing.T, text string) *place {
	t.Helper()
	return onboarded(t, oneGateway, source, "projects: [{name: lab}]").pulling(text)
}

// pulling is the place once acme's cluster has pulled a project, too.
func (p *place) pulling(text string) *place {
	p.t.Helper()
	must[event.Onboarding](p.t)(p.here().change(pulledProject(p.t, text)))
	return p
}

func TestAPulledProjectIsRecordedAndPulledAndNoLayerRuns(t *testing.T) {
	p := onboarded(t, oneGateway, source, "projects: [{name: lab}]")
	_, before := p.org("acme")
	add := pulledProject(t, pulledShop)
	planned := must[event.Plan](t)(p.here().PlanProjects(t.Context(), "acme", add))
	if got := changesIn(planned.Changes); len(got) != 1 || !planned.Different() {
		t.Errorf("planned: %v", got)
	}
	for range 2 {
		proc := p.here()
		out := must[event.Onboarding](t)(proc.change(add))
		if len(proc.began()) > 0 || len(out.Layers) > 0 {
			t.Errorf("layers ran: %v, %+v", proc.began(), out.Layers)
		}
		if want := add.Add != nil && out.Operation == proc.terminals(t, 1)[0].Operation; out.Changed != want {
			t.Errorf("changed: %t, want %t", out.Changed, want)
		}
		if diff := cmp.Diff([]string{"lab", "shop"}, p.names(projectType)); diff != "" {
			t.Errorf("projects (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"lab", "shop"}, out.DataPlane.Projects); diff != "" {
			t.Errorf("the org owns (-want +got):\n%s", diff)
		}
	}
	o, after := p.org("acme")
	if diff := cmp.Diff(before, after); diff != "" || o.State != dataplane.OrgReady {
		t.Errorf("org %s; layers (-before +after):\n%s", o.State, diff)
	}
	if planned := must[event.Plan](t)(p.here().PlanProjects(t.Context(), "acme", add)); planned.Different() {
		t.Errorf("planned again: %v", changesIn(planned.Changes))
	}

	t.Log("other settings are a change")
	other := pulledProject(t, `{name: shop, quota: {cpu: "3"}}`)
	proc := p.here()
	if out := must[event.Onboarding](t)(proc.change(other)); !out.Changed || len(proc.began()) > 0 {
		t.Errorf("changed: %t; layers %v", out.Changed, proc.began())
	}
	listed := must[event.Projects](t)(p.here().Projects(t.Context(), "acme")).Projects
	var got []string
	for _, l := range listed {
		got = append(got, l.Name+" "+l.Source)
	}
	quota, _ := listed[1].Spec["quota"].(map[string]any)
	if diff := cmp.Diff([]string{"lab spec", "shop api"}, got); diff != "" || quota["cpu"] != "3" {
		t.Errorf("quota %v; projects (-want +got):\n%s", quota, diff)
	}

	t.Log("it goes, and no layer runs")
	proc = p.here()
	if out := must[event.Onboarding](t)(proc.change(ProjectChange{Remove: "shop", Pulled: true})); !out.Changed || len(proc.began()) > 0 {
		t.Errorf("changed: %t; layers %v", out.Changed, proc.began())
	}
	if diff := cmp.Diff([]string{"lab"}, p.names(projectType)); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
	_, err := p.here().change(ProjectChange{Remove: "shop", Pulled: true})
	refused(t, err, ErrInvalid, "there is no project shop")
}

func TestAPulledProjectThatCannotBeMadeIsRefused(t *testing.T) {
	start := pulledIn(t, `{name: shop, ingress: [{project: lab}]}, {name: lab}`)
	alone := onboarded(t, oneGateway)
	for reason, tc := range map[string]struct {
		in     *place
		change ProjectChange
		says   string
	}{
		"nobody pulls":                   {alone, pulledProject(t, pulledShop), "no projectSource"},
		"pods with a role":               {start, pulledProject(t, strings.Replace(shop, "name: shop", "name: fresh", 1)), "has a podIdentity"},
		"a name of the document":         {start, pulledProject(t, "{name: lab}"), "belongs to the org's spec"},
		"a declared one of its name":     {start, ProjectChange{Add: project(t, "{name: shop}")}, "was added through Freehold's API"},
		"a declared one that lets it in": {start, ProjectChange{Add: project(t, "{name: fresh, ingress: [{project: shop}]}, {name: shop}")}, "was added through Freehold's API"},
		"the document's is removed":      {start, ProjectChange{Remove: "lab", Pulled: true}, "belongs to the org's spec"},
		"one that it lets in is removed": {start, ProjectChange{Remove: "lab"}, "project shop lets lab in"},
		"one that is not there":          {start, ProjectChange{Remove: "nothing", Pulled: true}, "there is no project nothing"},
	} {
		t.Run(reason, func(t *testing.T) {
			p := tc.in.copied(t)
			things, set := p.world.Things(""), must[v1alpha1.ProjectSet](t)(p.here().ProjectSet(t.Context(), "acme"))
			_, err := p.here().PlanProjects(t.Context(), "acme", tc.change)
			refused(t, err, ErrInvalid, tc.says)
			_, err = p.here().change(tc.change)
			refused(t, err, ErrInvalid, tc.says)
			if diff := cmp.Diff(things, p.world.Things("")); diff != "" {
				t.Errorf("something changed (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(set, must[v1alpha1.ProjectSet](t)(p.here().ProjectSet(t.Context(), "acme"))); diff != "" {
				t.Errorf("the set changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestADocumentKeepsWhatItsClusterPulls(t *testing.T) {
	p := pulledIn(t, `{name: shop, deletionPolicy: Delete, ingress: [{project: lab}]}, {name: lab}`)
	same, fresh := document(t, oneGateway, source, "projects: [{name: lab}]"), document(t, oneGateway, source, "projects: [{name: fresh}, {name: lab}]")
	planned := must[event.Plan](t)(p.here().Plan(t.Context(), same, PlanOptions{Prune: true}, nil))
	if planned.Different() {
		t.Errorf("the same document: %v, %v", changesIn(planned.Changes), planned.Prune)
	}
	must[event.Onboarding](t)(p.here().onboard(fresh))
	out := must[event.Onboarding](t)(p.here().Onboard(t.Context(), same, OnboardOptions{Prune: true}, nil))
	if len(out.Pruned)+len(out.Unmanaged) > 0 {
		t.Errorf("pruned %v, unmanaged %v", out.Pruned, out.Unmanaged)
	}
	if diff := cmp.Diff([]string{"lab", "shop"}, p.names(projectType)); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
	set := must[v1alpha1.ProjectSet](t)(p.here().ProjectSet(t.Context(), "acme"))
	if len(set.Projects) != 1 || set.Projects[0].Name != "shop" || set.Projects[0].Spec.DeletionPolicy != "Delete" {
		t.Errorf("the set is %+v", set)
	}
	for reason, tc := range map[string]struct{ projects, source, field, says string }{
		"a document that takes the name": {"projects: [{name: lab}, {name: shop}]", source, "projects[1].name", "project shop already exists: it was added through Freehold's API"},
		"one that drops what it lets in": {"projects: [{name: other}]", source, "projects", "the spec no longer has project lab, which project shop lets in"},
		"one by which nobody pulls it":   {"projects: [{name: lab}]", oneGateway, "projectSource", "the spec no longer has a projectSource"},
	} {
		t.Run(reason, func(t *testing.T) {
			doc := document(t, oneGateway, tc.projects, tc.source)
			_, err := p.here().onboard(doc)
			e := refused(t, err, ErrInvalid, tc.says)
			if len(e.Refusals) != 1 || e.Refusals[0].Field != tc.field {
				t.Errorf("refusals: %+v", e.Refusals)
			}
			_, err = p.here().Plan(t.Context(), doc, PlanOptions{}, nil)
			refused(t, err, ErrInvalid, tc.says)
			_, offline, err := PlanOffline(t.Context(), p.here().records(), doc, p.world.Now())
			if err != nil || len(offline) != 1 {
				t.Errorf("offline: %+v, %v", offline, err)
			}
		})
	}
}

func TestDriftMissesAPulledProjectAndAdoptsNone(t *testing.T) {
	start := pulledIn(t, pulledShop)
	for reason, tc := range map[string]struct {
		change func(p *place)
		want   []string
	}{
		"it is there": {func(*place) {}, nil},
		"it is gone":  {func(p *place) { p.world.Take(projectType, "shop") }, []string{"missing shop: the namespace controller has not pulled it yet"}},
		"another has its name": {
			func(p *place) {
				p.world.Take(projectType, "shop")
				cluster := p.world.Things(clusterType)[0].ARN
				p.world.Put(lifecycletest.Thing{Where: cluster, Type: projectType, ID: "shop", Name: "shop", Inputs: map[string]any{}, Outputs: map[string]any{}})
			},
			[]string{"missing shop: the cluster has another Project of that name", "unmanaged shop: no layer declares it"},
		},
		"somebody has changed it": {
			func(p *place) {
				p.world.Edit(projectType, "shop", func(t *lifecycletest.Thing) { t.Inputs["spec"].(map[string]any)["hibernate"] = true })
			},
			[]string{"changed shop: the namespace controller has not pulled its last change yet"},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			p := start.copied(t)
			proc := p.here()
			p.world.PullFrom(nil) // the API does not answer
			tc.change(p)
			var got []string
			for _, f := range must[event.Drift](t)(proc.Drift(t.Context(), "acme", nil)).Findings {
				if f.Kind == finding.Violated {
					continue // the rules are content with no stand-in
				}
				if f.Type != projectType || f.Kind == finding.Changed && len(f.Differences) == 0 {
					t.Errorf("found %+v", f)
				}
				got = append(got, string(f.Kind)+" "+f.Name+": "+f.Message)
			}
			slices.Sort(got)
			if !slices.EqualFunc(got, tc.want, strings.HasPrefix) {
				t.Errorf("found %q, want %q", got, tc.want)
			}
		})
	}
}

func TestASetHasExactlyThePulledProjectsInOneOrder(t *testing.T) {
	p := onboarded(t, oneGateway, source, "projects: [{name: lab}]")
	set := func() v1alpha1.ProjectSet {
		return must[v1alpha1.ProjectSet](t)(p.here().ProjectSet(t.Context(), "acme"))
	}
	none := set()
	text, err := json.Marshal(none)
	if err != nil || !strings.Contains(string(text), `"projects":[]`) || none.Kind != v1alpha1.KindProjectSet || none.APIVersion != "freehold.dev/v1alpha1" || none.Org != "acme" {
		t.Errorf("the set without projects is %s, %v", text, err)
	}
	revisions := map[string]bool{none.Revision: true}
	for _, name := range []string{"zoo", "art"} {
		must[event.Onboarding](t)(p.here().change(pulledProject(t, "{name: "+name+"}")))
		revisions[set().Revision] = true
	}
	both := set()
	if len(both.Projects) != 2 || both.Projects[0].Name != "art" || both.Projects[1].Name != "zoo" || len(revisions) != 3 || !revisions[both.Revision] {
		t.Errorf("the set is %+v, of the revisions %v", both, revisions)
	}
	must[event.Onboarding](t)(p.here().change(ProjectChange{Remove: "art"}))
	must[event.Onboarding](t)(p.here().change(ProjectChange{Remove: "zoo"}))
	if diff := cmp.Diff(none, set()); diff != "" {
		t.Errorf("the set that is empty again (-want +got):\n%s", diff)
	}
	if _, err := p.here().ProjectSet(t.Context(), "nobody"); err == nil {
		t.Error("an org that is not known has a set")
	}
	if _, err := p.here().offboard("acme"); err != nil {
		t.Fatal(err)
	}
	_, err = p.here().ProjectSet(t.Context(), "acme")
	refused(t, err, ErrInvalid, "the org is offboarded")
}

// Each look at the clock takes four seconds that nobody waits for.
func TestAWaitForAPullSaysWhenTheControllerAsks(t *testing.T) {
	p := plan.Plan{Org: "acme"}
	want := plan.ProjectPlan{Name: "shop", Pulled: true}
	p.Bootstrap.Projects = []plan.ProjectPlan{want}
	p.Bootstrap.ProjectSource = &plan.ProjectSource{URL: "https://acme.example.com/v1/projects", Interval: "10m0s"}
	of := func(labels map[string]string, change func(*v1alpha1.Project)) v1alpha1.Project {
		is := seen("shop", v1alpha1.PhaseReady, "True", 1, 1, "")
		is.Labels, is.Spec = labels, want.Object("acme", nil).Spec
		if change != nil {
			change(&is)
		}
		return is
	}
	api := map[string]string{v1alpha1.LabelSource: v1alpha1.SourceAPI}
	ready := []v1alpha1.Project{of(api, nil)}
	for reason, tc := range map[string]struct {
		first []v1alpha1.Project
		then  []v1alpha1.Project
		says  string // the error does; empty: there is none
		after time.Duration
	}{
		"it is there": {ready, ready, "", 0},
		"it comes":    {nil, ready, "", 0},
		"it never comes": {
			nil, nil, "project shop is not ready: the namespace controller has not pulled it yet: it asks https://acme.example.com/v1/projects every 10m0s", 13 * time.Minute,
		},
		"its change never comes": {
			[]v1alpha1.Project{of(api, func(p *v1alpha1.Project) { p.Spec.Hibernate = true })}, nil, "has not pulled", 13 * time.Minute,
		},
		"another has its name": {[]v1alpha1.Project{of(nil, nil)}, []v1alpha1.Project{of(nil, nil)}, "another Project of that name", failedFor},
		"an earlier one is still going": {
			[]v1alpha1.Project{of(api, func(p *v1alpha1.Project) { p.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} })}, ready, "", 0,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			now := time.Unix(0, 0)
			s := &Service{ProbeEvery: time.Millisecond, ProjectsWithin: time.Minute, Now: func() time.Time { now = now.Add(4 * time.Second); return now }}
			err := s.awaitReady(t.Context(), p, (&stages{of: [][]v1alpha1.Project{tc.first, tc.then}}).list)
			if tc.says == "" && err != nil || tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says)) {
				t.Fatalf("got %v, want %q", err, tc.says)
			}
			if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Next == "") {
				t.Errorf("%v does not say what to do next", err)
			}
			if took := now.Sub(time.Unix(0, 0)); took < tc.after || took > tc.after+30*time.Second {
				t.Errorf("it took %s, want %s", took, tc.after)
			}
		})
	}
}

func TestARemovalThatNobodyPullsSaysWhatItWaitsForAndGoesOnLater(t *testing.T) {
	p := pulledIn(t, pulledShop)
	const says = "project shop is not removed yet: the namespace controller has not pulled its removal: it asks https://acme.freehold.example.com/v1/projects every 1m"
	// The second one no longer finds the project in what is recorded.
	for _, c := range []ProjectChange{{Remove: "shop", Pulled: true}, {Remove: "shop"}} {
		proc, now := p.here(), p.world.Now()
		p.world.PullFrom(nil) // the API does not answer
		// Each look at the clock takes four seconds that nobody waits for.
		proc.ProjectsWithin, proc.Now = time.Minute, func() time.Time { now = now.Add(4 * time.Second); return now }
		_, err := proc.change(c)
		e, ok := errors.AsType[*Error](err)
		if !ok || !strings.Contains(err.Error(), says) || !strings.Contains(e.Next, "logs deploy/namespace-controller") {
			t.Fatalf("%+v: got %v, with %+v", c, err, e)
		}
	}
	if set := must[v1alpha1.ProjectSet](t)(p.here().ProjectSet(t.Context(), "acme")); len(set.Projects) > 0 {
		t.Errorf("the set still has %+v", set.Projects)
	}
	must[event.Onboarding](t)(p.here().change(ProjectChange{Remove: "shop", Pulled: true}))
	if diff := cmp.Diff([]string{"lab"}, p.names(projectType)); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
}

// The controller may have asked before the change was recorded, and act after it.
func TestAProjectThatWasPulledAfterItsEndWasConfirmedGoesAllTheSame(t *testing.T) {
	p := pulledIn(t, pulledShop)
	proc := p.here()
	stale, given := must[v1alpha1.ProjectSet](t)(proc.ProjectSet(t.Context(), "acme")), false
	p.world.Take(projectType, "shop")
	p.world.PullFrom(func(org string) (v1alpha1.ProjectSet, error) {
		set, err := proc.ProjectSet(t.Context(), org)
		switch {
		case err != nil || len(set.Projects) > 0:
			return set, errors.New("it has not asked yet")
		case !given:
			given = true
			return stale, nil
		default:
			return set, nil
		}
	})
	must[event.Onboarding](t)(proc.change(ProjectChange{Remove: "shop"}))
	if diff := cmp.Diff([]string{"lab"}, p.names(projectType)); diff != "" || !given || slices.Contains(p.names(namespaceType), "shop") {
		t.Errorf("namespaces %v; projects (-want +got):\n%s", p.names(namespaceType), diff)
	}
}

func TestAProjectThatANewCommandAddsWakesAControllerThatDoesNotRun(t *testing.T) {
	p := onboarded(t, oneGateway, source)
	p.world.Edit(controllerType, "namespace-controller", func(t *lifecycletest.Thing) { t.Added = map[string]any{"spec.replicas": 0} })
	must[event.Onboarding](t)(p.here().change(pulledProject(t, pulledShop)))
	if diff := cmp.Diff([]string{"shop"}, p.names(projectType)); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
}
