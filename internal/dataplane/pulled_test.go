package dataplane_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/stacks"
)

const pulls = "projectSource: {url: 'https://acme.freehold.example.com/v1/projects'}"

// withPulled is a plan in which some projects are pulled besides.
func withPulled(t *testing.T, p plan.Plan, projects ...string) plan.Plan {
	t.Helper()
	all := p.Bootstrap.Projects
	for _, text := range projects {
		one := plan.ProjectOf(p.Org, *project(t, "projects: ["+text+", {name: shop}]"))
		one.Pulled = true
		all = append(all, one)
	}
	return p.WithProjects(all)
}

func TestAPulledProjectIsRecordedAndRunsNoLayer(t *testing.T) {
	declared := planOf(t, "acme", region, vended, people, pulls, "projects: [{name: shop}, {name: front, ingress: [{project: shop}]}]")
	p := withPulled(t, declared, "{name: lab}", "{name: edge, ingress: [{project: shop}]}")
	one := func(text string) *spec.Project {
		others := ""
		for _, name := range []string{"shop", "lab"} {
			if !strings.HasPrefix(text, "{name: "+name) {
				others += ", {name: " + name + "}"
			}
		}
		return project(t, "projects: ["+text+others+"]")
	}
	pods := "serviceAccounts: [{name: web}, {name: up, podIdentity: {policies: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']}}]"
	bootstrap := func(change func(*registry.Layer)) dataplane.DataPlane {
		d := whole(p)
		rec := d.Layer(plan.LayerBootstrap)
		change(&rec)
		return d.With(rec)
	}
	for reason, tc := range map[string]struct {
		d          dataplane.DataPlane
		change     dataplane.ProjectChange
		unfinished bool
		want       string // the pulled ones that are there then, or what the refusal says
		field      string
		layers     []plan.Layer
	}{
		"a new one":                       {whole(p), dataplane.ProjectChange{Add: one("{name: fresh}"), Pulled: true}, false, "lab edge fresh", "", nil},
		"one that is there as it is":      {whole(p), dataplane.ProjectChange{Add: one("{name: lab}"), Pulled: true}, false, "lab edge", "", nil},
		"one that is there and changes":   {whole(p), dataplane.ProjectChange{Add: one("{name: lab, hibernate: true}"), Pulled: true}, false, "lab edge", "", nil},
		"one that lets others in":         {whole(p), dataplane.ProjectChange{Add: one("{name: fresh, ingress: [{project: lab}, {project: shop}]}"), Pulled: true}, false, "lab edge fresh", "", nil},
		"one that goes":                   {whole(p), dataplane.ProjectChange{Remove: "lab", Pulled: true}, false, "edge", "", nil},
		"one that goes by its name alone": {whole(p), dataplane.ProjectChange{Remove: "lab"}, false, "edge", "", nil},
		"one that a killed run took out":  {whole(p), dataplane.ProjectChange{Remove: "nothing", Pulled: true}, true, "lab edge", "", nil},
		"after a run of the layer that failed": {
			bootstrap(func(r *registry.Layer) { r.State = dataplane.Failed }), dataplane.ProjectChange{Add: one("{name: fresh}"), Pulled: true}, false,
			"lab edge fresh", "", []plan.Layer{plan.LayerBootstrap},
		},
		"after a run of the layer that was killed": {
			bootstrap(func(r *registry.Layer) { r.Unclean = true }), dataplane.ProjectChange{Remove: "lab"}, false, "edge", "", []plan.Layer{plan.LayerBootstrap},
		},
		"a declared one beside it": {
			whole(p), dataplane.ProjectChange{Add: one("{name: fresh}")}, false, "lab edge", "", []plan.Layer{plan.LayerBootstrap},
		},
		"one whose pods have a role": {
			whole(p), dataplane.ProjectChange{Add: one("{name: fresh, " + pods + "}"), Pulled: true}, false, "service account up of project fresh has a podIdentity", "serviceAccounts[1].podIdentity", nil,
		},
		"one of the document's name": {
			whole(p), dataplane.ProjectChange{Add: one("{name: front}"), Pulled: true}, false, "project front already exists: it belongs to the org's spec", "name", nil,
		},
		"a declared one of its name": {
			whole(p), dataplane.ProjectChange{Add: one("{name: edge}")}, false, "project edge already exists: it was added through Freehold's API", "name", nil,
		},
		"a declared one that lets it in": {
			whole(p), dataplane.ProjectChange{Add: one("{name: fresh, ingress: [{project: lab}]}")}, false, "a spec can only name its own projects", "ingress[0].project", nil,
		},
		"one that lets nobody in": {
			whole(withPulled(t, declared)), dataplane.ProjectChange{Add: one("{name: fresh, ingress: [{project: lab}]}"), Pulled: true}, false, "has no such project", "ingress[0].project", nil,
		},
		"one with somebody who never gets in": {
			whole(p), dataplane.ProjectChange{Add: one("{name: fresh, members: [{user: ada, role: viewer}]}"), Pulled: true}, false, "lets nobody called ada in", "members", nil,
		},
		"the document's goes": {
			whole(p), dataplane.ProjectChange{Remove: "shop", Pulled: true}, false, "project shop belongs to the org's spec", "name", nil,
		},
		"one that it lets in goes": {whole(declaredWithout(p, "front")), dataplane.ProjectChange{Remove: "shop"}, false, "project edge lets shop in", "", nil},
		"one that is not there":    {whole(p), dataplane.ProjectChange{Remove: "nothing", Pulled: true}, false, "there is no project nothing", "", nil},
		"nobody pulls": {
			whole(planOf(t, "acme", region, vended)), dataplane.ProjectChange{Add: one("{name: fresh}"), Pulled: true}, false, "no projectSource", "", nil,
		},
		"the controller was never made": {
			of(p, made(plan.LayerAccount), made(plan.LayerBoundary), made(plan.LayerCluster)), dataplane.ProjectChange{Add: one("{name: fresh}"), Pulled: true}, false,
			"layer bootstrap is not made", "", nil,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			now, layers, refused := tc.d.Change(tc.change, tc.unfinished)
			if refused != nil {
				if !strings.Contains(refused.Message, tc.want) || refused.Field != tc.field || refused.Next == "" {
					t.Errorf("refused: %+v, want %q at %q", *refused, tc.want, tc.field)
				}
				return
			}
			if got := namesOf(now.Plan.Bootstrap.Pulled()); got != tc.want || tc.field != "" {
				t.Errorf("pulled are %q, want %q", got, tc.want)
			}
			if diff := cmp.Diff(tc.layers, layers); diff != "" {
				t.Errorf("layers (-want +got):\n%s", diff)
			}
			in, err := now.Input(plan.LayerBootstrap, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, is := range in.(stacks.BootstrapIn).Plan.Projects {
				if is.Pulled {
					t.Errorf("the layer makes %s", is.Name)
				}
			}
		})
	}
}

func declaredWithout(p plan.Plan, name string) plan.Plan {
	return p.WithProjects(slices.DeleteFunc(slices.Clone(p.Bootstrap.Projects), func(is plan.ProjectPlan) bool { return is.Name == name }))
}

func namesOf(projects []plan.ProjectPlan) string {
	var names []string
	for _, p := range projects {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

func TestADocumentLeavesPulledProjectsAlone(t *testing.T) {
	was := withPulled(t, planOf(t, "acme", region, vended, pulls, "projects: [{name: shop}, {name: front}]"), "{name: lab}", "{name: edge, ingress: [{project: shop}]}")
	for reason, tc := range map[string]struct {
		fields []string
		names  string
		refuse map[string]string // what the refusals say, by field
	}{
		"the same document":    {[]string{pulls, "projects: [{name: shop}, {name: front}]"}, "shop front lab edge", nil},
		"a project less":       {[]string{pulls, "projects: [{name: shop}]"}, "shop lab edge", nil},
		"one more, in between": {[]string{pulls, "projects: [{name: fresh}, {name: shop}, {name: front}]"}, "shop front lab edge fresh", nil},
		"one that is needed": {
			[]string{pulls, "projects: [{name: front}]"}, "front lab edge", map[string]string{"projects": "the spec no longer has project shop, which project edge lets in"},
		},
		"their names are taken": {
			[]string{pulls, "projects: [{name: edge}, {name: shop}, {name: lab}]"}, "shop lab edge",
			map[string]string{"projects[0].name": "project edge already exists: it was added", "projects[2].name": "project lab already exists: it was added"},
		},
		"nobody pulls them": {
			[]string{"projects: [{name: shop}]"}, "shop lab edge", map[string]string{"projectSource": "that its cluster pulls from there: lab, edge"},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			doc := specOf(t, "acme", append([]string{region, vended}, tc.fields...)...)
			f := dataplane.Facts{DataPlane: whole(plan.Again(doc, was)), Recorded: &was, Now: time.Unix(0, 0)}
			for _, p := range doc.Projects {
				f.Listed = append(f.Listed, p.Name)
			}
			if got := namesOf(f.DataPlane.Plan.Bootstrap.Projects); got != tc.names {
				t.Errorf("projects %q, want %q", got, tc.names)
			}
			got := map[string]string{}
			for _, r := range dataplane.Admit(f) {
				got[r.Field] = r.Message
				if !strings.Contains(r.Message, tc.refuse[r.Field]) || tc.refuse[r.Field] == "" || r.Next == "" {
					t.Errorf("refused: %+v", r)
				}
			}
			if len(got) != len(tc.refuse) {
				t.Errorf("refused %v, want %v", got, tc.refuse)
			}
		})
	}
	if same := plan.Again(specOf(t, "acme", region, vended, pulls, "projects: [{name: front}, {name: shop}]"), was); same.Hash != was.Hash {
		t.Error("the document that the org was onboarded with is another plan")
	}
}
