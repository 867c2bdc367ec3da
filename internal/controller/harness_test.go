package controller

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/sandbox/controlplane"
	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
)

var update = flag.Bool("update", false, "write the golden files")

// cluster is a real control plane that knows projects.
type cluster struct {
	client.Client
	t       testing.TB
	manager *controlplane.Manager
	rc      *rest.Config
	raw     kubernetes.Interface
}

const definitionFile = "../../components/bootstrap/project-crd.yaml"

// start starts a control plane with the Project kind of a file, and the roles
// that bootstrap makes.
func start(t testing.TB, definition string) *cluster {
	t.Helper()
	m, rc := controlplanetest.Start(t)
	rc.QPS = -1
	scheme, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(rc, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := kubernetes.NewForConfig(rc)
	if err != nil {
		t.Fatal(err)
	}
	k := &cluster{Client: c, t: t, manager: m, rc: rc, raw: raw}
	if definition != "" {
		k.define(definition)
	}
	for _, role := range []string{"admin", "editor", "viewer"} {
		verbs := []string{"get", "list", "watch", "create", "delete"}
		if role == "viewer" {
			verbs = verbs[:3]
		}
		k.make(&rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: projectRolePrefix + role},
			Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps", "pods"}, Verbs: verbs}},
		})
	}
	return k
}

// define makes the Project kind what a file says.
func (k *cluster) define(file string) {
	k.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		k.t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &crd); err != nil {
		k.t.Fatal(err)
	}
	live := crd.DeepCopy()
	if err := k.Get(k.t.Context(), client.ObjectKeyFromObject(&crd), live); apierrors.IsNotFound(err) {
		k.make(&crd)
	} else {
		live.Spec = crd.Spec
		if err := k.Client.Update(k.t.Context(), live); err != nil {
			k.t.Fatal(err)
		}
	}
	eventually(k.t, "the kind is served", func() bool { return k.List(k.t.Context(), &v1alpha1.ProjectList{}) == nil })
}

func (k *cluster) make(o client.Object) {
	k.t.Helper()
	if err := k.Create(k.t.Context(), o); err != nil {
		k.t.Fatal(err)
	}
}

// as is a client of somebody else.
func (k *cluster) as(user string, groups ...string) client.Client {
	k.t.Helper()
	rc := rest.CopyConfig(k.rc)
	rc.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:authenticated")}
	c, err := client.New(rc, client.Options{Scheme: k.Scheme()})
	if err != nil {
		k.t.Fatal(err)
	}
	return c
}

// project is a project with something of everything.
func project(name string, changes ...func(*v1alpha1.ProjectSpec)) *v1alpha1.Project {
	q := v1alpha1.MustQuantity
	p := &v1alpha1.Project{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ProjectSpec{
		Org: "acme",
		ProjectSettings: v1alpha1.ProjectSettings{
			DisplayName: "Team " + name,
			Quota: v1alpha1.Quota{
				CPU: q("4"), Memory: q("8Gi"), Storage: q("50Gi"), Pods: 5, GPUs: 1,
				Objects: v1alpha1.ObjectCounts{ConfigMaps: new(int32(20)), Jobs: new(int32(3))},
			},
			Limits: v1alpha1.Limits{
				DefaultCPU: q("250m"), DefaultMemory: q("256Mi"),
				MaxCPU: q("2"), MaxMemory: q("4Gi"), MinCPU: q("10m"),
			},
			Members: []v1alpha1.Member{
				{User: "ada@acme.example", Role: v1alpha1.RoleAdmin}, {Group: name + "-devs", Role: v1alpha1.RoleEditor},
				{Group: "auditors", Role: v1alpha1.RoleViewer},
			},
			Egress:         []v1alpha1.Egress{{CIDR: "10.0.0.0/8", Ports: []int32{443, 5432}, Protocol: "TCP"}, {CIDR: "192.0.2.0/24", Protocol: "UDP"}},
			Ingress:        []v1alpha1.Ingress{{Project: "front", Ports: []int32{8080}, Protocol: "TCP"}},
			Registries:     []string{"public.ecr.aws/docker/library"},
			PodSecurity:    v1alpha1.PodSecurityRestricted,
			DeletionPolicy: v1alpha1.DeletionRetain,
		},
		ServiceAccounts: []v1alpha1.ServiceAccount{{Name: "web", PodIdentityRole: "arn:aws:iam::123456789012:role/web"}, {Name: "job"}},
	}}
	for _, change := range changes {
		change(&p.Spec)
	}
	return p
}

func (k *cluster) read(name string) *v1alpha1.Project {
	k.t.Helper()
	var p v1alpha1.Project
	if err := k.Get(k.t.Context(), client.ObjectKey{Name: name}, &p); err != nil {
		k.t.Fatal(err)
	}
	return &p
}

// change edits a project until nobody else was faster.
func (k *cluster) change(name string, how func(*v1alpha1.Project)) {
	k.t.Helper()
	for {
		p := k.read(name)
		how(p)
		err := k.Client.Update(k.t.Context(), p, client.FieldOwner("freehold-cli"))
		if err == nil {
			return
		}
		if !apierrors.IsConflict(err) {
			k.t.Fatal(err)
		}
	}
}

func condition(p *v1alpha1.Project, kind string) metav1.Condition {
	if c := meta.FindStatusCondition(p.Status.Conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// ready waits until a project is ready as it is now.
func (k *cluster) ready(names ...string) {
	k.t.Helper()
	for _, name := range names {
		k.until(name, "it is ready", func(p *v1alpha1.Project) bool {
			c := condition(p, v1alpha1.ConditionReady)
			return p.Status.ObservedGeneration == p.Generation && c.Status == metav1.ConditionTrue && c.ObservedGeneration == p.Generation
		})
	}
}

func (k *cluster) until(name, what string, ok func(*v1alpha1.Project) bool) {
	k.t.Helper()
	var p v1alpha1.Project
	end := time.Now().Add(patience)
	for time.Now().Before(end) {
		if err := k.Get(k.t.Context(), client.ObjectKey{Name: name}, &p); err == nil && ok(&p) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	text, _ := yaml.Marshal(p)
	k.t.Fatalf("project %s, not within %s: %s\n%s", name, patience, what, text)
}

// patience is for a controller that backs off for up to a minute after failures,
// on a machine that does other things, too.
const patience = 3 * time.Minute

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within %s: %s", patience, what)
}

// within are the objects in a project's namespace, of the kinds that are owned.
func (k *cluster) within(name string) []client.Object {
	k.t.Helper()
	var all []client.Object
	for _, list := range []client.ObjectList{
		&corev1.ResourceQuotaList{}, &corev1.LimitRangeList{}, &networkingv1.NetworkPolicyList{}, &corev1.ServiceAccountList{}, &rbacv1.RoleBindingList{},
	} {
		if err := k.List(k.t.Context(), list, client.InNamespace(name)); err != nil {
			k.t.Fatal(err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			k.t.Fatal(err)
		}
		for _, o := range items {
			all = append(all, o.(client.Object))
		}
	}
	return all
}

// dump is everything that a project is in the cluster, without what two clusters
// or two moments would differ in: ids, versions, times, who wrote it.
func (k *cluster) dump(name string) string {
	k.t.Helper()
	var all []string
	add := func(o client.Object) {
		kind, err := k.GroupVersionKindFor(o)
		if err != nil {
			k.t.Fatal(err)
		}
		u, _, err := payload(kind, o)
		if err != nil {
			k.t.Fatal(err)
		}
		m := map[string]any{"name": o.GetName()}
		if v := o.GetLabels(); len(v) > 0 {
			m["labels"] = v
		}
		if v := o.GetAnnotations(); len(v) > 0 {
			m["annotations"] = v
		}
		if v := o.GetFinalizers(); len(v) > 0 {
			m["finalizers"] = v
		}
		if v := o.GetOwnerReferences(); len(v) > 0 {
			m["ownerReferences"] = v
		}
		u.Object["metadata"] = m
		text, err := yaml.Marshal(u.Object)
		if err != nil {
			k.t.Fatal(err)
		}
		all = append(all, string(text))
	}
	var ns corev1.Namespace
	if err := k.Get(k.t.Context(), client.ObjectKey{Name: name}, &ns); err != nil {
		return fmt.Sprintf("no namespace: %v\n", apierrors.ReasonForError(err))
	}
	add(&ns)
	for _, o := range k.within(name) {
		add(o)
	}
	var p v1alpha1.Project
	if err := k.Get(k.t.Context(), client.ObjectKey{Name: name}, &p); err == nil {
		status := p.Status.DeepCopy()
		status.LastSync, status.ObservedGeneration = nil, 0
		for name, u := range status.Quota { // Kubernetes counts when it gets to it
			u.Used = resource.MustParse("0")
			status.Quota[name] = u
		}
		for i := range status.Conditions {
			status.Conditions[i].LastTransitionTime, status.Conditions[i].ObservedGeneration = metav1.Time{}, 0
		}
		slices.SortFunc(status.Conditions, func(a, b metav1.Condition) int { return strings.Compare(a.Type, b.Type) })
		text, err := yaml.Marshal(map[string]any{"finalizers": p.Finalizers, "status": status})
		if err != nil {
			k.t.Fatal(err)
		}
		all = append(all, string(text))
	}
	slices.Sort(all)
	return strings.Join(all, "---\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s, which -update writes (-want +got):\n%s", file, diff)
	}
}

// events are the notes of the events about a project.
func (k *cluster) events(name string) []string {
	k.t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion("events.k8s.io/v1")
	list.SetKind("EventList")
	if err := k.List(k.t.Context(), list); err != nil {
		k.t.Fatal(err)
	}
	var notes []string
	for _, e := range list.Items {
		if about, _, _ := unstructured.NestedString(e.Object, "regarding", "name"); about != name {
			continue
		}
		note, _, _ := unstructured.NestedString(e.Object, "note")
		reason, _, _ := unstructured.NestedString(e.Object, "reason")
		notes = append(notes, reason+": "+note)
	}
	return notes
}
