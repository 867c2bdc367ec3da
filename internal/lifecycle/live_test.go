package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
)

const (
	projectType   = "kubernetes:freehold.dev/v1alpha1:Project"
	namespaceType = "kubernetes:core/v1:Namespace"
	clusterType   = "aws:eks/cluster:Cluster"
)

// stages are what a cluster says of its projects, look by look; the last one stays.
type stages struct {
	of    [][]v1alpha1.Project
	errs  []error
	looks int
}

func (s *stages) list(context.Context) ([]v1alpha1.Project, error) {
	i := s.looks
	s.looks++
	var err error
	if i < len(s.errs) {
		err = s.errs[i]
	}
	return s.of[min(i, len(s.of)-1)], err
}

func seen(name string, phase v1alpha1.Phase, status metav1.ConditionStatus, generation, observed int64, message string) v1alpha1.Project {
	p := v1alpha1.Project{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: generation}}
	p.Status.Phase, p.Status.ObservedGeneration = phase, observed
	p.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, ObservedGeneration: observed, Reason: "Because", Message: message}}
	return p
}

func TestOnboardIsDoneWhenEveryProjectIsReady(t *testing.T) {
	p := plan.Plan{Org: "acme"}
	p.Bootstrap.Projects = []plan.ProjectPlan{{Name: "shop"}, {Name: "lab"}}
	ready := func(name string) v1alpha1.Project { return seen(name, v1alpha1.PhaseReady, "True", 2, 2, "") }
	failed := seen("lab", v1alpha1.PhaseFailed, "False", 2, 2, "there is a namespace lab that is not this project's")
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "projects"}, "", errors.New("no"))
	for reason, c := range map[string]struct {
		cluster stages
		want    string // what the error says; empty: none
		said    []string
	}{
		"all are ready": {stages{of: [][]v1alpha1.Project{{ready("shop"), ready("lab"), {}}}}, "", nil},
		"one sleeps":    {stages{of: [][]v1alpha1.Project{{ready("shop"), seen("lab", v1alpha1.PhaseHibernated, "True", 1, 1, "")}}}, "", nil},
		"one was ready before it changed": {
			stages{of: [][]v1alpha1.Project{{ready("shop"), seen("lab", v1alpha1.PhaseReady, "True", 2, 1, "")}, {ready("shop"), ready("lab")}}}, "",
			[]string{"project lab is not ready: the namespace controller has not looked at it yet"},
		},
		"one comes late": {
			stages{of: [][]v1alpha1.Project{{ready("shop")}, {ready("shop"), ready("lab")}}}, "",
			[]string{"project lab is not ready: the cluster has no such Project"},
		},
		"both are late, and then one": {
			stages{of: [][]v1alpha1.Project{{}, {ready("shop")}, {ready("shop"), ready("lab")}}}, "",
			[]string{
				"project shop is not ready: the cluster has no such Project; project lab is not ready: the cluster has no such Project",
				"project lab is not ready: the cluster has no such Project",
			},
		},
		"the API server is down for a moment": {
			stages{of: [][]v1alpha1.Project{nil, {ready("shop"), ready("lab")}}, errs: []error{errors.New("connection refused")}}, "", []string{"connection refused"},
		},
		"it may not be read": {stages{of: [][]v1alpha1.Project{nil}, errs: []error{forbidden}}, "forbidden", nil},
		"one is failed for a moment": {
			stages{of: [][]v1alpha1.Project{{ready("shop"), failed}, {ready("shop"), failed}, {ready("shop"), ready("lab")}}}, "",
			[]string{"project lab is not ready: Because: there is a namespace lab that is not this project's"},
		},
		"one is failed and stays so": {
			stages{of: [][]v1alpha1.Project{{ready("shop"), failed}}}, "acme: bootstrap: project lab: Because: there is a namespace lab that is not this project's",
			[]string{"project lab is not ready: Because: there is a namespace lab that is not this project's"},
		},
		"one is never ready": {
			stages{of: [][]v1alpha1.Project{{ready("shop"), seen("lab", v1alpha1.PhasePending, "False", 1, 1, "waits")}}}, "project lab is not ready: Because: waits",
			[]string{"project lab is not ready: Because: waits"},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			now := time.Unix(0, 0)
			// Each look at the clock takes four seconds that nobody waits for.
			s := &Service{
				ProbeEvery: time.Millisecond, ProjectsWithin: time.Minute,
				Now: func() time.Time { now = now.Add(4 * time.Second); return now },
			}
			var said []string
			ctx := wait.Heard(t.Context(), func(r wait.Report) { said = append(said, r.Reason.Error()) })
			err := s.awaitReady(ctx, p, c.cluster.list)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if e, ok := errors.AsType[*Error](err); ok && e.Next == "" {
				t.Errorf("%v does not say what to do next", err)
			}
			if diff := cmp.Diff(c.said, said); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWaitForProjectsEndsWithItsContext(t *testing.T) {
	p := plan.Plan{Org: "acme"}
	p.Bootstrap.Projects = []plan.ProjectPlan{{Name: "shop"}}
	ctx, cancel := context.WithCancel(t.Context())
	s := &Service{ProbeEvery: time.Millisecond, Now: func() time.Time { return time.Unix(0, 0) }}
	err := s.awaitReady(wait.Heard(ctx, func(wait.Report) { cancel() }), p, (&stages{of: [][]v1alpha1.Project{nil}}).list)
	if !errors.Is(err, ErrCancelled) {
		t.Errorf("got %v, want it cancelled", err)
	}
}

func TestAProjectIsReadyOnlyWithItsCurrentGeneration(t *testing.T) {
	leaving := seen("shop", v1alpha1.PhaseTerminating, "True", 1, 1, "")
	leaving.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	stale := seen("shop", v1alpha1.PhaseReady, "True", 2, 2, "")
	stale.Status.Conditions[0].ObservedGeneration = 1
	for reason, tc := range map[string]struct {
		project v1alpha1.Project
		ready   bool
		why     string
	}{
		"it is":                                {seen("shop", v1alpha1.PhaseReady, "True", 3, 3, ""), true, ""},
		"it is being removed":                  {leaving, false, "it is Terminating"},
		"the controller looked before it":      {seen("shop", v1alpha1.PhaseReady, "True", 3, 2, ""), false, "the namespace controller has not looked at it yet"},
		"its condition is of an older one":     {stale, false, "it is Ready"},
		"its condition says no, and why":       {seen("shop", v1alpha1.PhaseFailed, "False", 1, 1, "no quota"), false, "Because: no quota"},
		"it has no condition, and has a phase": {v1alpha1.Project{Status: v1alpha1.ProjectStatus{Phase: v1alpha1.PhasePending}}, false, "it is Pending"},
	} {
		t.Run(reason, func(t *testing.T) {
			if got := ready(&tc.project); got != tc.ready {
				t.Errorf("ready: %t, want %t", got, tc.ready)
			}
			if got := why(&tc.project); got != tc.why {
				t.Errorf("why: %q, want %q", got, tc.why)
			}
		})
	}
}

func TestAReportOfAProjectHasAllThatTheClusterSays(t *testing.T) {
	p := seen("shop", v1alpha1.PhaseFailed, "False", 2, 2, "no quota")
	p.CreationTimestamp = metav1.NewTime(time.Unix(7, 0))
	p.Spec.DisplayName = "The shop"
	p.Spec.Members = []v1alpha1.Member{{Group: "oidc:shop", Role: "admin"}, {User: "oidc:ada", Role: "view"}}
	p.Status.Namespace = "shop"
	p.Status.Quota = map[string]v1alpha1.Usage{"cpu": {Hard: resource.MustParse("4"), Used: resource.MustParse("1500m")}}
	got := must[event.Project](t)(projectReport("acme", &p))
	if got.Spec["displayName"] != "The shop" {
		t.Errorf("the spec: %v", got.Spec)
	}
	got.Spec = nil
	want := event.Project{
		Org: "acme", Name: "shop", DisplayName: "The shop", Phase: "Failed", Message: "Because: no quota", Namespace: "shop",
		Created: time.Unix(7, 0), Usage: map[string]event.ProjectUsage{"cpu": {Used: "1500m", Hard: "4"}},
		Members:    []event.ProjectMember{{Group: "oidc:shop", Role: "admin"}, {User: "oidc:ada", Role: "view"}},
		Conditions: []event.ProjectCondition{{Type: "Ready", Status: "False", Reason: "Because", Message: "no quota"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// byHand adds a project to acme's cluster that no spec has, with its namespace.
func (p *place) byHand(name, policy string) {
	p.t.Helper()
	where := p.world.Things(clusterType)[0].ARN
	p.world.Put(lifecycletest.Thing{
		Where: where, Type: projectType, ID: name, Name: name,
		Inputs: map[string]any{"spec": map[string]any{"deletionPolicy": policy}}, Outputs: map[string]any{"spec": nil},
	})
	p.world.Put(lifecycletest.Thing{Where: where, Type: namespaceType, ID: name, Name: name, ByWorkload: true})
}

// names are the names of what there is of a type, but for Freehold's own.
func (p *place) names(typ string) []string {
	var out []string
	for _, thing := range p.world.Things(typ) {
		if !strings.HasPrefix(thing.Name, "freehold") {
			out = append(out, thing.Name)
		}
	}
	slices.Sort(out)
	return out
}

func TestTheProjectsOfAClusterAreThoseThatAreRecordedAndThoseThatAreThere(t *testing.T) {
	p := onboarded(t, "projects: [{name: shop}, {name: lab}]")
	p.byHand("extra", "Delete")
	p.world.Take(projectType, "lab")
	got := must[event.Projects](t)(p.here().Projects(t.Context(), "acme"))
	for i := range got.Projects {
		got.Projects[i].Spec, got.Projects[i].Conditions = nil, nil
	}
	live := func(name, source string, recorded bool) event.Project {
		return event.Project{
			Org: "acme", Name: name, Source: source, Recorded: recorded, Phase: "Ready", Ready: true, Namespace: name, Usage: map[string]event.ProjectUsage{},
		}
	}
	want := event.Projects{Org: "acme", Projects: []event.Project{
		live("extra", "", false),
		{Org: "acme", Name: "lab", Source: event.SourceSpec, Recorded: true, Phase: "Missing", Message: "the cluster has no such Project"},
		live("shop", event.SourceSpec, true),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProjectsAreNotListedWhereTheClusterCannotBeAsked(t *testing.T) {
	_, err := newPlace(t).here().Projects(t.Context(), "acme")
	refused(t, err, ErrInvalid, "unknown org")

	half := newPlace(t)
	half.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerBootstrap, Err: errors.New("no")})
	if _, err := half.here().onboard(document(t)); err == nil {
		t.Fatal("the fault was not met")
	}
	_, err = half.here().Projects(t.Context(), "acme")
	if e := refused(t, err, ErrInvalid, "the org has no projects yet"); e.Layer != "bootstrap" {
		t.Errorf("layer: %s", e.Layer)
	}

	mute := onboarded(t)
	mute.world.Fail(lifecycletest.Fault{On: lifecycletest.Kubeconfig, Err: errors.New("no answer")})
	if _, err := mute.here().Projects(t.Context(), "acme"); err == nil || !strings.Contains(err.Error(), "reach cluster freehold-acme: no answer") {
		t.Errorf("a cluster that does not answer: %v", err)
	}
}

// The kind of projects waits for the last of them, and the controller that
// removes them goes before it.
func TestOffboardRemovesTheProjectsThatNoSpecHas(t *testing.T) {
	p := onboarded(t, "projects: [{name: shop, deletionPolicy: Delete}]")
	p.byHand("pulled", "Delete")
	p.byHand("kept", "Retain")
	must[event.Offboarding](t)(p.here().offboard("acme"))
	if got := p.names(projectType); got != nil {
		t.Errorf("projects are left: %v", got)
	}
}

func TestANamespaceGoesWithItsProjectOnlyWhereThatIsItsPolicy(t *testing.T) {
	start := onboarded(t, "projects: [{name: shop, deletionPolicy: Delete}, {name: lab}]")
	for name, want := range map[string][]string{"shop": {"lab"}, "lab": {"lab", "shop"}} {
		t.Run(name, func(t *testing.T) {
			p := start.copied(t)
			proc := p.here()
			must[event.Onboarding](t)(proc.ChangeProjects(proc.Context(), "acme", ProjectChange{Remove: name}, Call{}, nil))
			if diff := cmp.Diff(want, p.names(namespaceType)); diff != "" {
				t.Errorf("namespaces (-want +got):\n%s", diff)
			}
			confirmed := slices.Contains(proc.Writes(), lifecycletest.Write{To: "cloud", What: "patch", Of: projectType, Name: name})
			if confirmed != (name == "shop") {
				t.Errorf("somebody confirmed that the namespace goes: %t", confirmed)
			}
		})
	}
}
