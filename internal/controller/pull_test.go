package controller

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/controller/source"
	"freehold.dev/freehold/internal/metricstest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// listing serves a set of projects, which the returned function changes.
func listing(t *testing.T) (source.Source, func(projects ...*v1alpha1.Project)) {
	t.Helper()
	var answer atomic.Pointer[[]byte]
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(*answer.Load())
	}))
	t.Cleanup(s.Close)
	list := func(projects ...*v1alpha1.Project) {
		set := v1alpha1.ProjectSet{
			TypeMeta: metav1.TypeMeta{APIVersion: "freehold.dev/v1alpha1", Kind: v1alpha1.KindProjectSet},
			Org:      "acme", Projects: []v1alpha1.NamedProject{},
		}
		for _, p := range projects {
			set.Projects = append(set.Projects, v1alpha1.NamedProject{Name: p.Name, Spec: p.Spec})
		}
		text, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		answer.Store(&text)
	}
	list()
	token, ca := filepath.Join(t.TempDir(), "token"), filepath.Join(t.TempDir(), "ca.crt")
	for file, text := range map[string]string{
		token: "secret", ca: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	api, err := source.NewAPI(source.APIOptions{URL: s.URL, TokenFile: token, CAFile: ca, Org: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	return api, list
}

// What the API lists is fenced like what bootstrap made, by the leader alone,
// and what the controller counts meanwhile is what docs/monitoring relies on.
func TestPulledProjectsAreFencedAndCounted(t *testing.T) {
	k := start(t, definitionFile)
	k.make(project("shop"))
	api, list := listing(t)
	pulls := func(o *Options) {
		o.Source, o.SourceInterval = api, 50*time.Millisecond
		o.LeaderElection, o.Namespace = true, "default"
	}
	r := run(t, k.rc, pulls)
	r.ready(t)
	k.ready("shop")

	list(project("web"), project("ml"))
	eventually(t, "the set is made", func() bool {
		return k.Get(t.Context(), client.ObjectKey{Name: "ml"}, &v1alpha1.Project{}) == nil
	})
	k.ready("web", "ml")
	if err := k.DeleteAllOf(t.Context(), &corev1.ResourceQuota{}, client.InNamespace("web")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a hand's work is undone", func() bool { return r.metric(t, "freehold_restored_total", "ResourceQuota") == 1 })
	eventually(t, "writes settle", func() bool { before := r.writes.n.Load(); time.Sleep(time.Second); return r.writes.n.Load() == before })

	checkMetrics(t, r)

	t.Log("to a spec that a plan has decided, the API server adds nothing")
	for _, p := range planned(t) {
		is := &v1alpha1.Project{ObjectMeta: metav1.ObjectMeta{Name: "hooli-" + p.Name}}
		p.Spec.DeepCopyInto(&is.Spec)
		if err := k.Create(t.Context(), is, client.DryRunAll); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(asSent(t, p.Spec), asSent(t, is.Spec)); diff != "" {
			t.Errorf("project %s (-sent +kept):\n%s", p.Name, diff)
		}
	}

	t.Log("a controller that follows the first writes nothing more")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	versions := k.versions()
	r = run(t, k.rc, pulls)
	r.ready(t)
	eventually(t, "it has pulled twice", func() bool { return r.metric(t, "freehold_projects_pulls_total", "done") >= 2 })
	if diff := cmp.Diff(versions, k.versions()); diff != "" {
		t.Errorf("projects were written (-before +after):\n%s", diff)
	}

	t.Log("what is not listed any more goes, by its deletion policy: the namespace stays")
	list(project("web"))
	eventually(t, "ml is gone", func() bool {
		return apierrors.IsNotFound(k.Get(t.Context(), client.ObjectKey{Name: "ml"}, &v1alpha1.Project{}))
	})
	var ns corev1.Namespace
	if err := k.Get(t.Context(), client.ObjectKey{Name: "ml"}, &ns); err != nil || ns.Annotations[v1alpha1.AnnotationRetained] == "" {
		t.Errorf("the namespace is %v, %v", ns.Annotations, err)
	}
	k.ready("web", "shop")
}

func (k *cluster) versions() map[string]string {
	k.t.Helper()
	var all v1alpha1.ProjectList
	if err := k.List(k.t.Context(), &all); err != nil {
		k.t.Fatal(err)
	}
	out := map[string]string{}
	for _, p := range all.Items {
		out[p.Name] = p.ResourceVersion
	}
	return out
}

const metricsFile = "../../docs/monitoring/metrics.txt"

// checkMetrics holds metrics.txt, by which tools/monitoring judges the alerts and
// the dashboard, against a controller that runs. Every metric of ours is in it;
// of others', what is used.
func checkMetrics(t *testing.T, r *running) {
	t.Helper()
	metricstest.CheckList(t, metricsFile, r.families(t))
}

var (
	typeLine   = regexp.MustCompile(`^# TYPE (\S+) (\S+)`)
	sampleLine = regexp.MustCompile(`^([a-zA-Z_:][\w:]*)\{(.*)\} `)
	labelName  = regexp.MustCompile(`(?:^|,)(\w+)="`)
)

// families are the metrics that are served: name, type, and the labels that
// any of their samples has.
func (r *running) families(t *testing.T) map[string]string {
	t.Helper()
	out, labels, name := map[string]string{}, map[string]bool{}, ""
	for line := range strings.Lines(r.scrape(t)) {
		if m := typeLine.FindStringSubmatch(line); m != nil {
			name, labels = m[1], map[string]bool{}
			out[name] = m[1] + " " + m[2]
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil || name == "" {
			continue
		}
		for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" {
				labels[l[1]] = true
			}
		}
		if kind := strings.Fields(out[name])[1]; len(labels) > 0 {
			out[name] = fmt.Sprintf("%s %s %s", name, kind, strings.Join(slices.Sorted(maps.Keys(labels)), ","))
		}
	}
	return out
}

// planned are the projects of the example that shows every field, as a set would
// have them.
func planned(t *testing.T) (out []v1alpha1.NamedProject) {
	t.Helper()
	text, err := os.Open("../../docs/examples/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	doc, err := spec.Parse("full.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plan.Build(doc).Bootstrap.Projects {
		out = append(out, p.Object(doc.Org, nil))
	}
	if len(out) == 0 {
		t.Fatal("the example has no projects")
	}
	return out
}

func asSent(t *testing.T, s v1alpha1.ProjectSpec) string {
	t.Helper()
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
