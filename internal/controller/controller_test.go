package controller

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/cloud/sandbox/controlplane/controlplanetest"
	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

func TestAcceptTellsWhatWasReadAndNothingMore(t *testing.T) {
	first, later := time.Unix(1000, 5), time.Unix(2000, 0)
	p := &v1alpha1.Project{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
	accept(p, first)
	want := v1alpha1.ProjectStatus{
		Phase:              v1alpha1.PhasePending,
		ObservedGeneration: 2,
		Conditions: []metav1.Condition{{
			Type: "Accepted", Status: "True", ObservedGeneration: 2, Reason: "Observed",
			LastTransitionTime: metav1.NewTime(time.Unix(1000, 0).UTC()),
			Message:            "the namespace controller has read this project; it does not make namespaces yet",
		}},
	}
	if diff := cmp.Diff(want, p.Status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	accept(p, later)
	if diff := cmp.Diff(want, p.Status); diff != "" {
		t.Errorf("a second look changed the status (-want +got):\n%s", diff)
	}
}

// running is a controller and how it ends.
type running struct {
	health string
	end    func() error
}

func run(t *testing.T, rc *rest.Config) running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	health := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{Config: rc, HealthAddress: health, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	}()
	t.Cleanup(cancel)
	return running{health, func() error { cancel(); return <-done }}
}

func (r running) answers(path string) string {
	resp, err := http.Get("http://" + r.health + path)
	if err != nil {
		return err.Error()
	}
	resp.Body.Close()
	return resp.Status
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 300 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not within 15 s: %s", what)
}

func TestAgainstARealAPIServer(t *testing.T) {
	_, rc := controlplanetest.Start(t)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.New(rc, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}

	before := run(t, rc)
	eventually(t, "it is alive", func() bool { return strings.HasPrefix(before.answers("/healthz"), "200") })
	if got := before.answers("/readyz"); !strings.HasPrefix(got, "500") {
		t.Errorf("without the Project kind, /readyz answers %s", got)
	}
	if err := before.end(); err != nil && !strings.Contains(err.Error(), "Project") {
		t.Errorf("it ended with %v", err)
	}

	text, err := os.ReadFile("../../components/bootstrap/project-crd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &crd); err != nil {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), &crd); err != nil {
		t.Fatal(err)
	}
	project := &v1alpha1.Project{
		ObjectMeta: metav1.ObjectMeta{Name: "team-a"},
		Spec: v1alpha1.ProjectSpec{
			Quota:  v1alpha1.Quota{CPU: resource.MustParse("4"), Memory: resource.MustParse("8Gi"), Storage: resource.MustParse("1Gi"), Pods: 5},
			Limits: v1alpha1.Limits{DefaultCPU: resource.MustParse("1"), DefaultMemory: resource.MustParse("1Gi"), MaxCPU: resource.MustParse("4"), MaxMemory: resource.MustParse("8Gi")},
		},
	}
	eventually(t, "the kind is served", func() bool { return c.Create(t.Context(), project) == nil })

	r := run(t, rc)
	eventually(t, "it is ready", func() bool { return strings.HasPrefix(r.answers("/readyz"), "200") })
	read := func() v1alpha1.Project {
		var p v1alpha1.Project
		if err := c.Get(t.Context(), client.ObjectKey{Name: "team-a"}, &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	eventually(t, "the project is accepted", func() bool { return read().Status.ObservedGeneration == 1 })
	settled := read()
	settled.Spec.Quota.Pods = 6
	if err := c.Update(t.Context(), &settled); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the change is accepted", func() bool { return read().Status.ObservedGeneration == 2 })
	version := read().ResourceVersion
	time.Sleep(500 * time.Millisecond)
	if again := read().ResourceVersion; again != version {
		t.Errorf("a settled project is written: %s, then %s", version, again)
	}
	begin := time.Now()
	if err := r.end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("it took %s to end", took)
	}
	if got := r.answers("/healthz"); !strings.Contains(got, "refused") {
		t.Errorf("after its end, /healthz answers %s", fmt.Sprint(got))
	}
}
