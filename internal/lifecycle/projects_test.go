package lifecycle

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

func TestAChangeIsMadeOnceAndHurtsNobodyElse(t *testing.T) {
	shop := spec.Project{Name: "shop", ProjectSettings: v1alpha1.ProjectSettings{PodSecurity: "restricted", DeletionPolicy: "Retain"}}
	other := shop
	other.DisplayName = "another one"
	had := []plan.ProjectPlan{
		plan.ProjectOf("acme", shop),
		{Name: "lab"},
		{Name: "front", ProjectSettings: v1alpha1.ProjectSettings{Ingress: []v1alpha1.Ingress{{Project: "lab", Protocol: "TCP"}}}},
	}
	fresh := spec.Project{Name: "fresh"}
	stranger := spec.Project{Name: "fresh", ProjectSettings: v1alpha1.ProjectSettings{
		Members: []v1alpha1.Member{{User: "oidc:ada"}, {Group: "shop"}},
	}}
	p := plan.Plan{
		Org: "acme", Bootstrap: plan.Bootstrap{Projects: had},
		Cluster: plan.Cluster{IdentityProvider: &plan.IdentityProvider{UsernamePrefix: "oidc:", GroupsPrefix: "oidc:"}},
	}
	for reason, c := range map[string]struct {
		change     ProjectChange
		unfinished bool
		want       string // the names that are there then, or what the refusal says
	}{
		"a new one":                                  {ProjectChange{Add: &fresh}, false, "shop lab front fresh"},
		"one that is there as it is":                 {ProjectChange{Add: &shop}, false, "shop lab front"},
		"one that is there and is another":           {ProjectChange{Add: &other}, false, "it is another one"},
		"one with somebody who can never get in":     {ProjectChange{Add: &stranger}, false, "the member shop of project fresh is nobody"},
		"one that goes":                              {ProjectChange{Remove: "shop"}, false, "lab front"},
		"one that another lets in":                   {ProjectChange{Remove: "lab"}, false, "project front lets lab in"},
		"one that is not there":                      {ProjectChange{Remove: "nothing"}, false, "there is no project nothing"},
		"one that a killed run has taken out before": {ProjectChange{Remove: "nothing"}, true, "shop lab front"},
	} {
		t.Run(reason, func(t *testing.T) {
			now, err := c.change.on(p, c.unfinished)
			var names []string
			for _, p := range now {
				names = append(names, p.Name)
			}
			got := strings.Join(names, " ")
			if err != nil {
				got = err.Error()
				if !errors.Is(err, ErrInvalid) {
					t.Errorf("%v is not invalid input", err)
				}
			}
			if !strings.Contains(got, c.want) || err == nil && got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

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
			// Each look takes four seconds of a clock that nobody waits for.
			s := &Service{ProbeEvery: time.Millisecond, Now: func() time.Time { now = now.Add(4 * time.Second); return now }}
			var said []string
			err := s.awaitReady(t.Context(), p, time.Minute, func(text string, _ time.Duration) { said = append(said, text) }, c.cluster.list)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if diff := cmp.Diff(c.said, said); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
		})
	}
}
