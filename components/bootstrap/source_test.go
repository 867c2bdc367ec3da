package bootstrap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/components/bootstrap"
	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/controller/source"
)

const sourceBundle = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

func withSource() bootstrap.Args {
	a := args()
	a.ProjectSource = &bootstrap.ProjectSource{URL: "https://api.example.com:8443/projects", CABundle: sourceBundle, Interval: "30s"}
	return a
}

// added lists what b has and a has not, or has otherwise.
func added(a, b *componenttest.Recorder) []componenttest.Resource {
	return slices.DeleteFunc(slices.Clone(b.Resources), func(r componenttest.Resource) bool {
		return slices.ContainsFunc(a.Resources, func(o componenttest.Resource) bool {
			return o.Type == r.Type && o.Name == r.Name && cmp.Equal(o, r)
		})
	})
}

func TestASourceOfProjectsAddsThis(t *testing.T) {
	more := added(record(t), componenttest.Record(t, program(withSource())))
	for _, r := range more {
		if strings.HasSuffix(r.Type, ":ClusterRole") && r.Name == "bootstrap-reader" {
			r.Inputs["rules"] = r.Inputs["rules"].([]any)[len(r.Inputs["rules"].([]any))-1]
		}
	}
	componenttest.Golden(t, "bootstrap-source.json", more)
}

func TestTheWayToASourceIsAsNarrowAsItsURLAllows(t *testing.T) {
	const open = 2 // names and TLS
	for url, want := range map[string][]any{
		"https://api.example.com/projects":     nil,
		"https://api.example.com:443/projects": nil,
		"https://192.0.2.7/projects":           nil,
		"https://api.example.com:8443":         {map[string]any{"ports": []any{map[string]any{"port": 8443.0, "protocol": "TCP"}}}},
		"https://192.0.2.7:8443/projects": {map[string]any{
			"ports": []any{map[string]any{"port": 8443.0, "protocol": "TCP"}},
			"to":    []any{map[string]any{"ipBlock": map[string]any{"cidr": "192.0.2.7/32"}}},
		}},
		"https://[2001:db8::7]:8443/projects": {map[string]any{
			"ports": []any{map[string]any{"port": 8443.0, "protocol": "TCP"}},
			"to":    []any{map[string]any{"ipBlock": map[string]any{"cidr": "2001:db8::7/128"}}},
		}},
	} {
		a := withSource()
		a.ProjectSource.URL = url
		fence := componenttest.Record(t, program(a)).One(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "bootstrap-fence")
		if diff := cmp.Diff(want, append([]any(nil), at(fence.Inputs, "spec", "egress").([]any)[open:]...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", url, diff)
		}
	}
	for _, bad := range []string{"", "http://api.example.com", "https://", "https://ada:secret@api.example.com"} {
		a := withSource()
		a.ProjectSource.URL = bad
		if _, err := componenttest.Run(program(a)); err == nil || !strings.Contains(err.Error(), "is not https://HOST") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// listed is a source that says what the test has put into it.
type listed struct {
	mu    sync.Mutex
	names []string
	asked int
}

// rounds is how often it was asked.
func (l *listed) rounds() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

func (l *listed) set(names ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names = names
}

func (l *listed) Projects(context.Context) (v1alpha1.ProjectSet, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	q := v1alpha1.MustQuantity
	set := v1alpha1.ProjectSet{Org: "acme", Projects: []v1alpha1.NamedProject{}}
	for _, name := range l.names {
		set.Projects = append(set.Projects, v1alpha1.NamedProject{Name: name, Spec: v1alpha1.ProjectSpec{Org: "acme", ProjectSettings: v1alpha1.ProjectSettings{
			Quota:  v1alpha1.Quota{CPU: q("4"), Memory: q("8Gi"), Storage: q("1Gi"), Pods: 5},
			Limits: v1alpha1.Limits{DefaultCPU: q("1"), DefaultMemory: q("1Gi"), MaxCPU: q("4"), MaxMemory: q("8Gi")},
		}}})
	}
	return set, nil
}

// It is asked as the controller's own service account, with a token that the
// API server gave it, so that its roles and the fences answer and nothing else.
func TestTheControllerWritesTheProjectsThatItPulledAndNoOthers(t *testing.T) {
	config := apiServer(t)
	admin := as(t, config, "admin", "system:masters")
	apply := func(resources []componenttest.Resource) {
		t.Helper()
		for _, res := range ordered(resources) {
			if err := admin.Create(t.Context(), object(res.Inputs)); err != nil && !apierrors.IsAlreadyExists(err) {
				t.Fatalf("%s %s: %v", res.Type, res.Name, err)
			}
			if strings.HasSuffix(res.Type, ":CustomResourceDefinition") {
				eventually(t, "the Project kind", func() error { return admin.List(t.Context(), list("freehold.dev/v1alpha1", "ProjectList")) })
			}
		}
		admin = as(t, config, "admin", "system:masters")
	}
	without := record(t)
	apply(without.Resources)
	own := ownClient(t, config)

	api := &listed{}
	api.set("pulled")
	// pull makes rounds until the cluster's projects are these; for those that
	// are there before, it makes a few.
	pull := func(names func() []string, want ...string) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		begun := api.rounds()
		s := source.New(source.Options{
			Source: api, Client: own, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
			Interval: 50 * time.Millisecond, Meters: source.NewMeters(),
		})
		done := make(chan error, 1)
		go func() { done <- s.Start(ctx) }()
		eventually(t, "a pull", func() error {
			if diff := cmp.Diff(want, names()); diff != "" || api.rounds() < begun+3 {
				return fmt.Errorf("%d rounds, projects (-want +got):\n%s", api.rounds()-begun, diff)
			}
			return nil
		})
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	names := func() []string {
		var all v1alpha1.ProjectList
		if err := own.List(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, p := range all.Items {
			out = append(out, p.Name+" "+p.Labels[v1alpha1.LabelSource])
		}
		return out
	}
	project := func(name string) *v1alpha1.Project {
		set, _ := (&listed{names: []string{name}}).Projects(t.Context())
		return &v1alpha1.Project{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: set.Projects[0].Spec}
	}
	marked := func(p *v1alpha1.Project) *v1alpha1.Project {
		p.Labels = map[string]string{v1alpha1.LabelSource: v1alpha1.SourceAPI}
		return p
	}
	there := func(name string) *v1alpha1.Project {
		var all v1alpha1.ProjectList // it may list them, and not get one
		if err := own.List(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all.Items, func(p v1alpha1.Project) bool { return p.Name == name })
		if i < 0 {
			t.Fatalf("there is no project %s", name)
		}
		return &all.Items[i]
	}
	update := func(name string, change func(*v1alpha1.Project)) error {
		p := there(name)
		change(p)
		return own.Update(t.Context(), p, client.DryRunAll)
	}
	refused := func(what string, err error, says string) {
		t.Helper()
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want a refusal that says %q", what, err, says)
		}
	}

	const role, fence = "cannot", "may only make, change and remove projects that it pulled"
	refused("a project without a source", own.Create(t.Context(), marked(project("more")), client.DryRunAll), role)
	refused("a removal without a source", own.Delete(t.Context(), there("lab"), client.DryRunAll), role)
	refused("a change without a source", update("lab", func(p *v1alpha1.Project) { p.Spec.Hibernate = true }), role)
	pull(names, "lab ", "shop ")

	apply(added(without, componenttest.Record(t, program(withSource()))))
	eventually(t, "the role and its fence", func() error {
		err := own.Create(t.Context(), project("more"), client.DryRunAll)
		if err == nil || !strings.Contains(err.Error(), fence) {
			return fmt.Errorf("it is not refused by the fence: %w", err)
		}
		return own.Create(t.Context(), marked(project("more")), client.DryRunAll)
	})
	pull(names, "lab ", "pulled api", "shop ")
	refused("it removes bootstrap's", own.Delete(t.Context(), there("lab"), client.DryRunAll), fence)
	refused("it changes bootstrap's", update("lab", func(p *v1alpha1.Project) { p.Spec.Hibernate = true }), fence)
	refused("it takes bootstrap's for its own", update("lab", func(p *v1alpha1.Project) { marked(p) }), fence)
	refused("it gives one of its own away", update("pulled", func(p *v1alpha1.Project) { p.Labels = nil }), fence)
	if err := errors.Join(
		update("lab", func(p *v1alpha1.Project) { p.Finalizers = []string{v1alpha1.Finalizer} }),
		update("pulled", func(p *v1alpha1.Project) { p.Spec.Hibernate = true }),
	); err != nil {
		t.Errorf("it does not write its finalizer, and its own project: %v", err)
	}
	for _, id := range []rest.ImpersonationConfig{{UserName: member}, {UserName: "drift", Groups: []string{"freehold:readers"}}} {
		theirs := rest.CopyConfig(config)
		theirs.Impersonate = id
		who := projectClient(t, theirs)
		refused("somebody makes a project", who.Create(t.Context(), marked(project("more")), client.DryRunAll), role)
		refused("somebody removes a project", who.Delete(t.Context(), there("pulled"), client.DryRunAll), role)
		refused("somebody changes a project", who.Update(t.Context(), there("pulled"), client.DryRunAll), role)
	}

	api.set()
	pull(names, "lab ", "shop ")
}

// ownClient reaches the API server with a token of the controller's service account.
func ownClient(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	core, err := corev1.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	token, err := core.ServiceAccounts("freehold-system").CreateToken(t.Context(), "namespace-controller", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mine := rest.CopyConfig(config)
	mine.BearerToken = token.Status.Token
	return projectClient(t, mine)
}

func projectClient(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
