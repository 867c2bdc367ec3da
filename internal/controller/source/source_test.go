package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
)

// audience is that of the API, for which kubelet gives the controller a token.
const audience = "freehold"

// cluster is a real control plane that knows Projects.
type cluster struct {
	client.Client
	t     *testing.T
	asked atomic.Int64 // changes that a Syncer asked for
}

func start(t *testing.T) *cluster {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	_, rc := controlplanetest.Start(t)
	rc.QPS = -1
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		v1alpha1.AddToScheme, apiextensionsv1.AddToScheme, corev1.AddToScheme, authenticationv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.New(rc, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	k := &cluster{Client: c, t: t}
	text, err := os.ReadFile("../../../components/bootstrap/project-crd.yaml")
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
	k.eventually("projects are served", func() bool { return c.List(t.Context(), &v1alpha1.ProjectList{}) == nil })
	return k
}

func (k *cluster) eventually(what string, ok func() bool) {
	k.t.Helper()
	for range 1200 {
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	k.t.Fatalf("not within 30 s: %s", what)
}

// token is one that the cluster gives a service account for an audience.
func (k *cluster) token(audience string) string {
	k.t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "namespace-controller", Namespace: "default"}}
	if err := k.Create(k.t.Context(), account); client.IgnoreAlreadyExists(err) != nil {
		k.t.Fatal(err)
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: []string{audience}}}
	if err := k.SubResource("token").Create(k.t.Context(), account, request); err != nil {
		k.t.Fatal(err)
	}
	return request.Status.Token
}

// allows asks the cluster whose a token is, as the API asks its issuer's keys.
func (k *cluster) allows(token string) bool {
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{audience}}}
	if err := k.Create(k.t.Context(), review); err != nil {
		return false
	}
	return review.Status.Authenticated && review.Status.User.Username == "system:serviceaccount:default:namespace-controller" &&
		slices.Equal(review.Status.Audiences, []string{audience})
}

// pods are the projects of the cluster: name, whose, and pods, which stand for
// the spec. A project that is going is still there.
func (k *cluster) pods() map[string]string {
	k.t.Helper()
	out := map[string]string{}
	for _, p := range k.all() {
		out[p.Name] = fmt.Sprintf("%s %d", p.Labels[v1alpha1.LabelSource], p.Spec.Quota.Pods)
	}
	return out
}

func (k *cluster) versions() map[string]string {
	k.t.Helper()
	out := map[string]string{}
	for _, p := range k.all() {
		out[p.Name] = p.ResourceVersion
	}
	return out
}

func (k *cluster) all() []v1alpha1.Project {
	k.t.Helper()
	var all v1alpha1.ProjectList
	if err := k.List(k.t.Context(), &all); err != nil {
		k.t.Fatal(err)
	}
	return all.Items
}

func (k *cluster) become(want map[string]string) {
	k.t.Helper()
	for range 800 {
		if cmp.Equal(want, k.pods()) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	k.t.Fatalf("not within 20 s (-want +got):\n%s", cmp.Diff(want, k.pods()))
}

// stay fails if a project is written while n more answers of a code are given,
// or if it is only asked for: the API server leaves out a write without a change.
func (k *cluster) stay(s *server, code, n int) {
	k.t.Helper()
	before, answered, asked := k.versions(), s.answers(code), k.asked.Load()
	defer func() {
		if more := k.asked.Load() - asked; more > 0 {
			k.t.Errorf("%d writes were asked for", more)
		}
	}()
	k.eventually(fmt.Sprintf("%d more answers %d", n, code), func() bool { return s.answers(code) >= answered+n })
	if diff := cmp.Diff(before, k.versions()); diff != "" {
		k.t.Errorf("projects were written (-before +after):\n%s", diff)
	}
}

// sync runs a Syncer until the returned function is called.
func (k *cluster) sync(o APIOptions, c client.Client) (end func()) {
	k.t.Helper()
	api, err := NewAPI(o)
	if err != nil {
		k.t.Fatal(err)
	}
	s := New(Options{
		Source: api, Client: counting{c, &k.asked}, Log: slog.New(slog.DiscardHandler), Now: time.Now, Interval: 20 * time.Millisecond, Meters: NewMeters(),
	})
	ctx, cancel := context.WithCancel(k.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	k.t.Cleanup(cancel)
	return func() {
		cancel()
		if err := <-done; err != nil {
			k.t.Error(err)
		}
	}
}

func TestAgainstARealAPIServer(t *testing.T) {
	k := start(t)
	// What bootstrap made, among it a name that the API also has.
	for _, name := range []string{"shop", "lab"} {
		p := project(name, 1)
		if err := k.Create(t.Context(), &v1alpha1.Project{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: p.Spec}); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, setOf("1", project("shop", 9), project("web", 5), project("ml", 6)), k.allows)
	o := s.options(t, k.token(audience))
	end := k.sync(o, k)

	t.Log("what the API lists is made, and a name of bootstrap's is left alone")
	k.become(map[string]string{"shop": " 1", "lab": " 1", "web": "api 5", "ml": "api 6"})
	for _, p := range k.all() {
		if p.Name == "web" && (p.Spec.Org != "acme" || p.Labels[v1alpha1.LabelOrg] != "acme") {
			t.Errorf("the project is %v of %q", p.Labels, p.Spec.Org)
		}
	}

	t.Log("nothing changes: nothing is written")
	k.stay(s, 304, 5)

	t.Log("a change")
	s.does(func() { s.set = setOf("2", project("shop", 9), project("web", 7), project("ml", 6)) })
	k.become(map[string]string{"shop": " 1", "lab": " 1", "web": "api 7", "ml": "api 6"})
	k.stay(s, 304, 5)

	t.Log("an edit by hand goes: of a field of the set, and of one that the set leaves out")
	k.edit("web", func(p *v1alpha1.Project) { p.Spec.Quota.Pods = 99 })
	k.edit("ml", func(p *v1alpha1.Project) { p.Spec.Hibernate = true })
	k.become(map[string]string{"shop": " 1", "lab": " 1", "web": "api 7", "ml": "api 6"})
	k.eventually("ml is awake", func() bool { return !k.get("ml").Spec.Hibernate })

	t.Log("an annotation by hand is somebody's own")
	k.edit("web", func(p *v1alpha1.Project) { p.Annotations = map[string]string{"note": "x"} })
	k.stay(s, 304, 3)
	if k.get("web").Annotations["note"] != "x" {
		t.Error("the note is gone")
	}

	t.Log("a project that the cluster refuses does not hold up the others")
	s.does(func() { s.set = setOf("3", project("bad", -1), project("web", 8), project("ml", 6)) })
	k.become(map[string]string{"shop": " 1", "lab": " 1", "web": "api 8", "ml": "api 6"})

	t.Log("a removal, of the API's own alone")
	s.does(func() { s.set = setOf("4", project("web", 8)) })
	k.become(map[string]string{"shop": " 1", "lab": " 1", "web": "api 8"})

	t.Log("a restart writes nothing")
	end()
	served, before := s.answers(200), k.versions()
	end = k.sync(o, k)
	again := s.answers(304)
	k.eventually("it has read the set, and asked again", func() bool { return s.answers(200) > served && s.answers(304) > again })
	if diff := cmp.Diff(before, k.versions()); diff != "" {
		t.Errorf("projects were written (-before +after):\n%s", diff)
	}

	t.Log("an API that is away, refuses or lies removes nothing")
	for name, c := range map[string]struct {
		code    int
		instead http.HandlerFunc
		set     v1alpha1.ProjectSet
	}{
		"it fails":    {500, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, setOf("5")},
		"it refuses":  {403, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, setOf("5")},
		"another org": {200, nil, func() v1alpha1.ProjectSet { s := setOf("5"); s.Org = "globex"; return s }()},
		"half a set":  {200, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"kind":"ProjectSet"`)) }, setOf("5")},
	} {
		t.Log("  " + name)
		s.does(func() { s.instead, s.set = c.instead, c.set })
		k.stay(s, c.code, 2)
		s.does(func() { s.instead, s.set = nil, setOf("4", project("web", 8)) })
		answered := s.answers(304)
		k.eventually("the API answers again", func() bool { return s.answers(304) > answered })
	}

	t.Log("while the API is away, its projects stay as it said last")
	s.does(func() { s.instead = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) } })
	k.eventually("it is away", func() bool { return s.answers(502) > 0 })
	k.edit("web", func(p *v1alpha1.Project) { p.Spec.Quota.Pods = 98 })
	k.become(map[string]string{"shop": " 1", "lab": " 1", "web": "api 8"})
	s.does(func() { s.instead = nil })

	t.Log("a token for the cluster itself is not for the API; a fresh one is taken from the file")
	answered := s.answers(401)
	write(t, o.TokenFile, k.token("https://kubernetes.default.svc"))
	end()
	end = k.sync(o, k)
	k.eventually("the token is refused", func() bool { return s.answers(401) > answered })
	s.does(func() { s.set = setOf("6", project("web", 4)) })
	write(t, o.TokenFile, k.token(audience))
	k.become(map[string]string{"shop": " 1", "lab": " 1", "web": "api 4"})

	t.Log("an empty set removes all of the API's")
	s.does(func() { s.set = setOf("7") })
	k.become(map[string]string{"shop": " 1", "lab": " 1"})
	end()
}

// counting counts the changes that are asked for.
type counting struct {
	client.Client
	n *atomic.Int64
}

func (c counting) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	c.n.Add(1)
	return c.Client.Create(ctx, o, opts...)
}

func (c counting) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	c.n.Add(1)
	return c.Client.Update(ctx, o, opts...)
}

func (c counting) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	c.n.Add(1)
	return c.Client.Delete(ctx, o, opts...)
}

// Killed after any of its writes, the next one ends at the same state.
func TestKilledBetweenAnyTwoWritesItEndsAtTheSame(t *testing.T) {
	k := start(t)
	for _, name := range []string{"old-a", "old-b"} {
		p := &v1alpha1.Project{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1alpha1.LabelSource: v1alpha1.SourceAPI}}}
		p.Spec = project(name, 1).Spec
		if err := k.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, setOf("1", project("a", 1), project("b", 2), project("old-b", 3)), is("secret"))
	o := s.options(t, "secret")
	kills := 0
	for ; ; kills++ {
		m := &mortal{Client: k}
		end := k.sync(o, m)
		served := s.answers(304) + s.answers(200)
		k.eventually("it dies, or is done", func() bool { return m.dead() || s.answers(304)+s.answers(200) >= served+4 })
		end()
		if !m.dead() {
			break
		}
	}
	if want := map[string]string{"a": "api 1", "b": "api 2", "old-b": "api 3"}; !cmp.Equal(want, k.pods()) {
		t.Errorf("after %d kills (-want +got):\n%s", kills, cmp.Diff(want, k.pods()))
	}
	// Two made, one changed, one removed.
	if kills != 4 {
		t.Errorf("it was killed %d times, want 4", kills)
	}
}

// mortal is a client that makes one change, and then none any more. An answer
// that it gave is lost, as the process is gone.
type mortal struct {
	client.Client
	gone atomic.Bool
}

func (m *mortal) dead() bool { return m.gone.Load() }

func (m *mortal) live(change func() (changed bool, err error)) error {
	if m.dead() {
		return errors.New("killed")
	}
	changed, err := change()
	if changed && err == nil {
		m.gone.Store(true)
		return errors.New("killed")
	}
	return err
}

func (m *mortal) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	return m.live(func() (bool, error) { return true, m.Client.Create(ctx, o, opts...) })
}

func (m *mortal) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	before := o.GetResourceVersion()
	return m.live(func() (bool, error) {
		err := m.Client.Update(ctx, o, opts...)
		return o.GetResourceVersion() != before, err
	})
}

func (m *mortal) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	return m.live(func() (bool, error) { return true, m.Client.Delete(ctx, o, opts...) })
}

func (k *cluster) get(name string) *v1alpha1.Project {
	k.t.Helper()
	var p v1alpha1.Project
	if err := k.Get(k.t.Context(), client.ObjectKey{Name: name}, &p); err != nil {
		k.t.Fatal(err)
	}
	return &p
}

func (k *cluster) edit(name string, how func(*v1alpha1.Project)) {
	k.t.Helper()
	for range 10 {
		p := k.get(name)
		how(p)
		if err := k.Update(k.t.Context(), p); err == nil {
			return
		} else if !strings.Contains(err.Error(), "the object has been modified") {
			k.t.Fatal(err)
		}
	}
	k.t.Fatalf("project %s is written all the time", name)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	// As kubelet does: a reader gets the old or the new one.
	next := filepath.Join(filepath.Dir(file), "next")
	if err := errors.Join(os.WriteFile(next, []byte(text), 0o600), os.Rename(next, file)); err != nil {
		t.Fatal(err)
	}
}
