package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// gone deletes a project and waits until it is gone.
func (k *cluster) gone(name string) {
	k.t.Helper()
	if err := k.Delete(k.t.Context(), project(name)); client.IgnoreNotFound(err) != nil {
		k.t.Fatal(err)
	}
	p, ns := &v1alpha1.Project{}, &corev1.Namespace{}
	// Kubernetes takes its time to empty a namespace.
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if apierrors.IsNotFound(k.Get(k.t.Context(), client.ObjectKey{Name: name}, p)) {
			return
		}
	}
	err := k.Get(k.t.Context(), client.ObjectKey{Name: name}, ns)
	text, _ := yaml.Marshal([]any{p, ns})
	k.t.Fatalf("project %s is not gone within two minutes; its namespace: %v\n%s", name, err, text)
}

func hibernation(t *testing.T, k *cluster, _ *running) {
	k.make(project("sleepy"))
	k.ready("sleepy")
	for i := range 3 {
		k.make(pod("sleepy", fmt.Sprint("p", i)))
	}
	k.settle(settled)
	k.change("sleepy", func(p *v1alpha1.Project) { p.Spec.Hibernate = true })
	k.until("sleepy", "it hibernates", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseHibernated })
	eventually(t, "its pods are gone", func() bool {
		var pods corev1.PodList
		return k.List(t.Context(), &pods, client.InNamespace("sleepy")) == nil && len(pods.Items) == 0
	})
	if err := k.Create(t.Context(), pod("sleepy", "p3")); err == nil || !strings.Contains(err.Error(), "exceeded quota") {
		t.Errorf("a pod starts in a project that hibernates: %v", err)
	}
	k.quiet(2 * time.Second)
	k.change("sleepy", func(p *v1alpha1.Project) { p.Spec.Hibernate = false })
	k.until("sleepy", "it is awake", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseReady })
	eventually(t, "pods start again", func() bool { return k.Create(t.Context(), pod("sleepy", "p3")) == nil })
}

// A project is not called hibernated while one of its pods lives, and one whose
// namespace is to go does not wait longer for pods than its controller does.
func podsThatDoNotEnd(t *testing.T, k *cluster, _ *running) {
	k.make(project("stubborn", func(s *v1alpha1.ProjectSpec) { s.DeletionPolicy = v1alpha1.DeletionDelete }))
	k.ready("stubborn")
	eventually(t, "the service account is there", func() bool {
		return k.Get(t.Context(), client.ObjectKey{Namespace: "stubborn", Name: "default"}, &corev1.ServiceAccount{}) == nil
	})
	const tenYears = 10 * 365 * 24 * 3600
	old := pod("stubborn", "old", func(p *corev1.Pod) {
		p.Spec.TerminationGracePeriodSeconds = new(int64(tenYears))
		p.Spec.NodeName = "some-node" // without one there is nobody who could end it, and it is gone at once
	})
	k.make(old)
	k.change("stubborn", func(p *v1alpha1.Project) { p.Spec.Hibernate = true })
	k.until("stubborn", "it says which pod has not ended", func(p *v1alpha1.Project) bool {
		c := condition(p, v1alpha1.ConditionReady)
		return p.Status.Phase == v1alpha1.PhaseHibernating && c.Reason == "Hibernating" && strings.Contains(c.Message, "waits for 1 pods to end: old")
	})
	for end := time.Now().Add(2 * podsWithin); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if p := k.read("stubborn"); p.Status.Phase != v1alpha1.PhaseHibernating {
			t.Fatalf("a pod lives, and the project is %s", p.Status.Phase)
		}
	}
	k.quiet(2 * time.Second)
	// Nobody has confirmed an end: the pod has its ten years.
	if err := k.Get(t.Context(), client.ObjectKeyFromObject(old), old); err != nil {
		t.Errorf("the pod of a project that sleeps was ended by force: %v", err)
	}
	if err := k.Delete(t.Context(), old, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	k.until("stubborn", "it hibernates once the pod is gone", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseHibernated })

	k.change("stubborn", func(p *v1alpha1.Project) { p.Spec.Hibernate = false })
	k.until("stubborn", "it is awake", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseReady })
	again := old.DeepCopy()
	again.ObjectMeta = metav1.ObjectMeta{Name: "old", Namespace: "stubborn"}
	eventually(t, "a pod starts again", func() bool { return k.Create(t.Context(), again.DeepCopy()) == nil })
	k.change("stubborn", func(p *v1alpha1.Project) {
		p.Annotations = map[string]string{v1alpha1.AnnotationConfirmDelete: "stubborn"}
	})
	began := time.Now()
	if err := k.Delete(t.Context(), project("stubborn")); err != nil {
		t.Fatal(err)
	}
	k.until("stubborn", "it says which pod it waits for", func(p *v1alpha1.Project) bool {
		c := condition(p, v1alpha1.ConditionReady)
		return c.Reason == "PodsEnding" && strings.Contains(c.Message, "waits for 1 pods to end: old")
	})
	k.gone("stubborn")
	if took := time.Since(began); took < podsWithin/2 {
		t.Errorf("the pod had %s to end", took)
	}
	if all := strings.Join(k.events("stubborn"), "\n"); !strings.Contains(all, "PodsForced: pods that were asked to end") {
		t.Errorf("no event tells of the pod: %s", all)
	}
}

func timeToLive(t *testing.T, k *cluster, _ *running) {
	k.make(project("brief", func(s *v1alpha1.ProjectSpec) { s.TTL = "3s" }))
	k.until("brief", "it lives", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseReady })
	k.until("brief", "its time is over", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseHibernated })
	if p := k.read("brief"); !strings.Contains(condition(p, v1alpha1.ConditionReady).Message, "time to live was over") {
		t.Errorf("conditions: %+v", p.Status.Conditions)
	}
	k.change("brief", func(p *v1alpha1.Project) { p.Spec.TTL = "1h" })
	k.until("brief", "a longer time wakes it", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseReady })
}

func retained(t *testing.T, k *cluster, _ *running) {
	k.make(project("left"))
	k.ready("left")
	k.make(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "left"}})
	k.settle(settled)
	whole := k.dump("left")
	before, _, _ := strings.Cut(whole, "---\nfinalizers")
	k.gone("left")
	k.quiet(time.Second)
	marked := strings.Replace(before, v1alpha1.AnnotationRegistries, v1alpha1.AnnotationRetained+": \"true\"\n    "+v1alpha1.AnnotationRegistries, 1)
	sortedLines := func(s string) []string { l := strings.Split(s, "\n"); slices.Sort(l); return l }
	if diff := cmp.Diff(sortedLines(marked), sortedLines(k.dump("left"))); diff != "" {
		t.Errorf("what is left differs (-before +after):\n%s", diff)
	}
	k.make(project("left"))
	k.ready("left")
	k.settle(settled)
	if diff := cmp.Diff(whole, k.dump("left")); diff != "" {
		t.Errorf("the next project of its name differs (-first +second):\n%s", diff)
	}
	if err := k.Get(t.Context(), client.ObjectKey{Namespace: "left", Name: "data"}, &corev1.ConfigMap{}); err != nil {
		t.Errorf("what was in it: %v", err)
	}
}

func deleted(t *testing.T, k *cluster, _ *running) {
	k.make(project("doomed", func(s *v1alpha1.ProjectSpec) { s.DeletionPolicy = v1alpha1.DeletionDelete }))
	k.ready("doomed")
	held := pod("doomed", "slow", func(p *corev1.Pod) { p.Finalizers = []string{"example.com/slow"} })
	k.make(held)
	data := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "doomed", Finalizers: []string{"example.com/slow"}}}
	k.make(data)
	if err := k.Delete(t.Context(), project("doomed")); err != nil {
		t.Fatal(err)
	}
	k.until("doomed", "it asks for a confirmation", func(p *v1alpha1.Project) bool {
		c := condition(p, v1alpha1.ConditionDegraded)
		return p.Status.Phase == v1alpha1.PhaseTerminating && c.Status == metav1.ConditionTrue && c.Reason == "ConfirmationNeeded" &&
			strings.Contains(c.Message, "freehold.dev/confirm-delete=doomed") && condition(p, v1alpha1.ConditionNetworkFenced).Status == metav1.ConditionTrue
	})
	k.change("doomed", func(p *v1alpha1.Project) { p.Annotations = map[string]string{v1alpha1.AnnotationConfirmDelete: "yes"} })
	// Waiting, it is fenced as ever.
	if err := k.Delete(t.Context(), &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "default-deny", Namespace: "doomed"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a project that waits is fenced", func() bool {
		return k.Get(t.Context(), client.ObjectKey{Namespace: "doomed", Name: "default-deny"}, &networkingv1.NetworkPolicy{}) == nil
	})
	k.quiet(time.Second)

	k.change("doomed", func(p *v1alpha1.Project) {
		p.Annotations = map[string]string{v1alpha1.AnnotationConfirmDelete: "doomed"}
	})
	waits := func(reason, says string) {
		t.Helper()
		k.until("doomed", "it waits for "+says, func(p *v1alpha1.Project) bool {
			c := condition(p, v1alpha1.ConditionReady)
			return c.Reason == reason && strings.Contains(c.Message, says)
		})
	}
	waits("PodsEnding", "1 pods to end: slow")
	var policies networkingv1.NetworkPolicyList
	if err := k.List(t.Context(), &policies, client.InNamespace("doomed")); err != nil || len(policies.Items) != 6 {
		t.Errorf("while pods run, there are %d network policies, %v", len(policies.Items), err)
	}
	var bindings rbacv1.RoleBindingList
	if err := k.List(t.Context(), &bindings, client.InNamespace("doomed")); err != nil || len(bindings.Items) != 0 {
		t.Errorf("while pods end, members are still let in: %d, %v", len(bindings.Items), err)
	}
	release := func(o client.Object) {
		t.Helper()
		if err := k.Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
			t.Fatal(err)
		}
	}
	release(held)
	waits("NamespaceEmptying", "example.com/slow in 1 resource instances")
	release(data)
	k.gone("doomed")
	if got := k.dump("doomed"); !strings.HasPrefix(got, "no namespace: NotFound") {
		t.Errorf("it is still there:\n%s", got)
	}

	k.make(project("spared", func(s *v1alpha1.ProjectSpec) { s.DeletionPolicy = v1alpha1.DeletionDelete }))
	k.ready("spared")
	if err := k.Delete(t.Context(), project("spared")); err != nil {
		t.Fatal(err)
	}
	k.until("spared", "it waits", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseTerminating })
	k.change("spared", func(p *v1alpha1.Project) { p.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
	k.gone("spared")
	if got := k.dump("spared"); !strings.Contains(got, "default-deny") {
		t.Errorf("it was not retained:\n%s", got)
	}
}
