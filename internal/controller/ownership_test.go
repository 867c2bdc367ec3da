package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// objects are those of a project, its namespace first.
func (k *cluster) objects(name string) []client.Object {
	k.t.Helper()
	ns := &corev1.Namespace{}
	if err := k.Get(k.t.Context(), client.ObjectKey{Name: name}, ns); err != nil {
		k.t.Fatal(err)
	}
	return append([]client.Object{ns}, k.within(name)...)
}

// loosen changes what an object fences.
func loosen(o client.Object) {
	switch o := o.(type) {
	case *corev1.Namespace:
		o.Labels["pod-security.kubernetes.io/enforce"] = "privileged"
	case *corev1.ResourceQuota:
		o.Spec.Hard[corev1.ResourcePods] = resource.MustParse("1000")
	case *corev1.LimitRange:
		o.Spec.Limits = nil
	case *networkingv1.NetworkPolicy:
		o.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{}}
		o.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{}}
	case *corev1.ServiceAccount:
		o.AutomountServiceAccountToken = new(true)
	case *rbacv1.RoleBinding:
		o.Subjects = append(o.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "eve"})
	}
}

// widen adds to what an object lets through, and leaves what it has.
func widen(o client.Object) {
	switch o := o.(type) {
	case *corev1.Namespace:
		o.Labels["pod-security.kubernetes.io/enforce-version"] = "v1.24"
		delete(o.Labels, "pod-security.kubernetes.io/audit")
	case *corev1.ResourceQuota:
		o.Spec.Hard["requests.mallory.example/device"] = resource.MustParse("8")
	case *corev1.LimitRange:
		o.Spec.Limits = append(o.Spec.Limits, corev1.LimitRangeItem{Type: corev1.LimitTypePod, Max: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1000")}})
	case *networkingv1.NetworkPolicy:
		o.Spec.PodSelector.MatchLabels = map[string]string{"none": "such"}
		o.Spec.Ingress = append(o.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{})
		o.Spec.PolicyTypes = o.Spec.PolicyTypes[:1]
	case *corev1.ServiceAccount:
		o.AutomountServiceAccountToken = nil
	case *rbacv1.RoleBinding:
		o.Subjects = append(o.Subjects, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: "kube-system", Name: "default"})
	}
}

func handsOff(t *testing.T, k *cluster, _ *running) {
	const name = "fenced"
	k.make(project(name))
	k.ready(name)
	k.settle(settled)
	fences := func() string {
		objects, _, _ := strings.Cut(k.dump(name), "---\nfinalizers")
		return objects
	}
	want, whole := fences(), k.dump(name)
	kinds := map[string]bool{}
	restored := func(what string) {
		t.Helper()
		for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			got := fences()
			if got == want {
				return
			}
			if time.Since(begin) > time.Second {
				t.Errorf("%s is not restored within a second (-want +got):\n%s", what, cmp.Diff(want, got))
				eventually(t, what+" is restored", func() bool { return fences() == want })
				return
			}
		}
	}
	var owner corev1.Namespace
	if err := k.Get(t.Context(), client.ObjectKey{Name: metav1.NamespaceDefault}, &owner); err != nil {
		t.Fatal(err)
	}
	hands := client.FieldOwner("kubectl-edit")
	for i, o := range k.objects(name) {
		kind := strings.TrimPrefix(fmt.Sprintf("%T", o), "*v1.")
		what := kind + " " + o.GetName()
		kinds[kind] = true
		key := client.ObjectKeyFromObject(o)
		edit := func(how string, change func(client.Object)) {
			t.Helper()
			edited := o.DeepCopyObject().(client.Object)
			for {
				if err := k.Get(t.Context(), key, edited); err != nil {
					t.Fatal(err)
				}
				change(edited)
				err := k.Client.Update(t.Context(), edited, hands)
				if err == nil {
					break
				}
				if !apierrors.IsConflict(err) {
					t.Fatalf("%s %s: %v", how, what, err)
				}
			}
			restored(what + ", " + how)
		}
		edit("loosened", loosen)
		edit("widened", widen)
		// Whoever removes the owner would remove the fence with it.
		edit("given an owner", func(o client.Object) {
			o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "Namespace", Name: owner.Name, UID: owner.UID}})
		})
		if i > 0 {
			// A fence that is deleted and cannot go is one that is not enforced.
			edit("held by a finalizer", func(o client.Object) { o.SetFinalizers([]string{"by.hand/stays"}) })
		}
		edit("taken over", func(o client.Object) { o.SetLabels(nil) })
		edit("given to another project", func(o client.Object) { o.GetLabels()[v1alpha1.LabelProject] = "other" })
		if i == 0 {
			continue // a namespace is deleted below, with what is in it
		}
		if err := k.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		restored(what + ", deleted")
		// What is known of it in a cluster where the fence was made anew by hand.
		if b, ok := o.(*rbacv1.RoleBinding); ok {
			other := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: b.Name, Namespace: name}, RoleRef: b.RoleRef, Subjects: b.Subjects}
			other.RoleRef.Name = "cluster-admin"
			for {
				if err := k.Delete(t.Context(), o); client.IgnoreNotFound(err) != nil {
					t.Fatal(err)
				}
				err := k.Create(t.Context(), other, hands)
				if err == nil {
					break
				}
				if !apierrors.IsAlreadyExists(err) {
					t.Fatal(err)
				}
			}
			restored(what + ", made anew for another role")
		}
		eventually(t, "an event tells of "+what, func() bool {
			all := strings.Join(k.events(name), "\n")
			return strings.Contains(all, o.GetName()+" was changed by kubectl-edit, and was restored") &&
				strings.Contains(all, o.GetName()+" was deleted by somebody, and was made again")
		})
	}
	if len(kinds) != 6 {
		t.Errorf("only %v were tried", kinds)
	}
	// An extra object that carries the label, and is none of the project's.
	open := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{
		Name: "open", Namespace: name, Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
	}}
	open.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{}}
	k.make(open)
	restored("a policy that is not the project's")

	if err := k.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a deleted namespace is made again", func() bool { return k.dump(name) == whole })
	k.settle(settled)
}

func rivalry(t *testing.T, k *cluster, _ *running) {
	k.make(project("contested"))
	k.ready("contested")
	var stop time.Time
	key := client.ObjectKey{Namespace: "contested", Name: "default-deny"}
	edits, restored, bystander := 0, 0, false
	for stop = time.Now().Add(8 * time.Second); time.Now().Before(stop); {
		var p networkingv1.NetworkPolicy
		if err := k.Get(t.Context(), key, &p); err != nil {
			t.Fatal(err)
		}
		if len(p.Spec.Ingress) > 0 {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		restored++
		if restored == contestBurst/2 && !bystander {
			bystander = true
			k.make(project("bystander"))
		}
		loosen(&p)
		if err := k.Client.Update(t.Context(), &p, client.FieldOwner("rival")); err == nil {
			edits++
		}
	}
	if most := contestBurst + 10; restored > most {
		t.Errorf("it was restored %d times in 8 seconds, at most %d are meant", restored, most)
	}
	if edits < contestBurst/2 {
		t.Fatalf("only %d edits: nothing was contested", edits)
	}
	if by := k.read("bystander"); by.Status.Phase != v1alpha1.PhaseReady || by.Status.LastSync.Sub(by.CreationTimestamp.Time) > 3*time.Second {
		t.Errorf("another project had to wait for it: %+v", by.Status)
	}
	for _, c := range []struct {
		kind   string
		status metav1.ConditionStatus
	}{
		{v1alpha1.ConditionDegraded, metav1.ConditionTrue}, {v1alpha1.ConditionNetworkFenced, metav1.ConditionFalse}, {v1alpha1.ConditionReady, metav1.ConditionFalse},
	} {
		k.until("contested", c.kind+" says who", func(p *v1alpha1.Project) bool {
			c, is := c, condition(p, c.kind)
			return is.Status == c.status && is.Reason == reasonContested && strings.Contains(is.Message, "rival keeps changing NetworkPolicy default-deny")
		})
	}
	quiet := time.Now()
	k.ready("contested")
	if took := time.Since(quiet); took > 10*contestQuiet {
		t.Errorf("it is called contested for %s after the end of it", took)
	}
	if p := k.read("contested"); condition(p, v1alpha1.ConditionDegraded).Status != metav1.ConditionFalse || condition(p, v1alpha1.ConditionNetworkFenced).Status != metav1.ConditionTrue {
		t.Errorf("it is not well again: %+v", p.Status.Conditions)
	}
}

// Whatever fence somebody works against, the condition that is about it says so as
// long as they do, and names them; the others are left alone.
func contestedOfEachKind(t *testing.T, k *cluster, _ *running) {
	const name = "embattled"
	k.make(project(name))
	k.ready(name)
	open := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{
		Name: "open", Namespace: name, Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
	}}
	open.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{}}
	in := func(o client.Object, called string) client.Object {
		o.SetNamespace(name)
		o.SetName(called)
		return o
	}
	hands := client.FieldOwner("rival")
	loosened := func(o client.Object) func() error {
		return func() error {
			if err := k.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
				return err
			}
			loosen(o)
			return k.Client.Update(t.Context(), o, hands)
		}
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	all := []string{v1alpha1.ConditionNamespaceReady, v1alpha1.ConditionQuotaApplied, v1alpha1.ConditionNetworkFenced, v1alpha1.ConditionAccessApplied}
	for _, c := range []struct {
		what, condition, says string
		do                    func() error
	}{
		{"the namespace's labels", v1alpha1.ConditionNamespaceReady, "rival keeps changing Namespace embattled", loosened(namespace)},
		{"the quota", v1alpha1.ConditionQuotaApplied, "rival keeps changing ResourceQuota quota", loosened(in(&corev1.ResourceQuota{}, quotaName))},
		{"the limits", v1alpha1.ConditionQuotaApplied, "rival keeps changing LimitRange limits", loosened(in(&corev1.LimitRange{}, limitsName))},
		{"a way out", v1alpha1.ConditionNetworkFenced, "rival keeps changing NetworkPolicy egress", loosened(in(&networkingv1.NetworkPolicy{}, "egress"))},
		{"a policy that is deleted", v1alpha1.ConditionNetworkFenced, "somebody keeps deleting NetworkPolicy default-deny", func() error {
			return k.Delete(t.Context(), in(&networkingv1.NetworkPolicy{}, "default-deny"))
		}},
		{"a policy that is made again and again", v1alpha1.ConditionNetworkFenced, "rival keeps making NetworkPolicy open", func() error {
			return k.Create(t.Context(), open.DeepCopy(), hands)
		}},
		{"a role's members", v1alpha1.ConditionAccessApplied, "rival keeps changing RoleBinding freehold-viewer", loosened(in(&rbacv1.RoleBinding{}, "freehold-viewer"))},
		{"a service account", v1alpha1.ConditionAccessApplied, "rival keeps changing ServiceAccount default", loosened(in(&corev1.ServiceAccount{}, "default"))},
	} {
		var p *v1alpha1.Project
		eventually(t, c.what+" is contested", func() bool {
			_ = c.do() // it may be restored this very moment
			p = k.read(name)
			is := condition(p, c.condition)
			return is.Status == metav1.ConditionFalse && is.Reason == reasonContested && strings.Contains(is.Message, c.says)
		})
		if ready := condition(p, v1alpha1.ConditionReady); ready.Status != metav1.ConditionFalse || ready.Reason != reasonContested {
			t.Errorf("%s: the project is called ready meanwhile: %+v", c.what, ready)
		}
		for _, other := range all {
			if is := condition(p, other); other != c.condition && is.Status != metav1.ConditionTrue {
				t.Errorf("%s: %s is not true, either: %+v", c.what, other, is)
			}
		}
		k.ready(name)
	}
	// Twice is a slip.
	before := k.read(name).Status.Conditions
	for range contestedAfter - 1 {
		o := in(&rbacv1.RoleBinding{}, "freehold-admin")
		eventually(t, "the binding is edited", func() bool { return loosened(o)() == nil })
		eventually(t, "the binding is restored", func() bool {
			return k.Get(t.Context(), client.ObjectKeyFromObject(o), o) == nil && len(o.(*rbacv1.RoleBinding).Subjects) == 1
		})
	}
	k.settle(settled)
	if diff := cmp.Diff(before, k.read(name).Status.Conditions); diff != "" {
		t.Errorf("two edits are a contest (-before +after):\n%s", diff)
	}
}

func TestAContestGoesOnInTheNextProcess(t *testing.T) {
	k := start(t, definitionFile)
	slow := func(o *Options) { o.contestQuiet = 15 * time.Second }
	before := run(t, k.rc, slow)
	k.make(project("contested"))
	k.ready("contested")
	deny := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "default-deny", Namespace: "contested"}}
	var was metav1.Condition
	eventually(t, "it is contested", func() bool {
		if err := k.Get(t.Context(), client.ObjectKeyFromObject(deny), deny); err == nil {
			loosen(deny)
			_ = k.Client.Update(t.Context(), deny, client.FieldOwner("rival")) // it may be restored this very moment
		}
		was = condition(k.read("contested"), v1alpha1.ConditionNetworkFenced)
		return was.Reason == reasonContested
	})
	if err := before.end(); err != nil {
		t.Fatal(err)
	}
	run(t, k.rc, slow).ready(t)
	began := time.Now()
	if is := condition(k.read("contested"), v1alpha1.ConditionNetworkFenced); is != was {
		t.Errorf("the next process says %+v, and not %+v", is, was)
	}
	k.ready("contested")
	if took := time.Since(began); took < 5*time.Second {
		t.Errorf("the next process calls it well after %s", took)
	}
}

func taken(t *testing.T, k *cluster, r *running) {
	theirs := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "taken", Labels: map[string]string{"team": "legacy"}}}
	k.make(theirs)
	k.make(project("taken"))
	k.until("taken", "the name is taken", func(p *v1alpha1.Project) bool {
		ns, ready := condition(p, v1alpha1.ConditionNamespaceReady), condition(p, v1alpha1.ConditionReady)
		return ns.Status == metav1.ConditionFalse && ns.Reason == "NamespaceTaken" && ready.Reason == "NamespaceTaken" && p.Status.Phase == v1alpha1.PhaseFailed
	})
	k.quiet(2 * time.Second)
	looks := r.metric(t, "freehold_reconcile_duration_seconds_count")
	time.Sleep(2 * time.Second)
	if n := r.metric(t, "freehold_reconcile_duration_seconds_count") - looks; n > 3*20 {
		t.Errorf("%v looks in two seconds", n)
	}
	live := &corev1.Namespace{}
	if err := k.Get(t.Context(), client.ObjectKey{Name: "taken"}, live); err != nil {
		t.Fatal(err)
	}
	// Kubernetes' own controllers write into every namespace, and not the namespace.
	if live.ResourceVersion != theirs.ResourceVersion {
		t.Errorf("it was touched: %+v", live)
	}
	var quotas corev1.ResourceQuotaList
	if err := k.List(t.Context(), &quotas, client.InNamespace("taken")); err != nil || len(quotas.Items) > 0 {
		t.Errorf("something was made in it: %v %v", quotas.Items, err)
	}
	annotate := func(value string) {
		patch := client.MergeFrom(live.DeepCopy())
		live.Annotations = map[string]string{v1alpha1.AnnotationAdopt: value}
		if err := k.Patch(t.Context(), live, patch); err != nil {
			t.Fatal(err)
		}
	}
	annotate("another")
	k.quiet(time.Second)
	if p := k.read("taken"); condition(p, v1alpha1.ConditionNamespaceReady).Status != metav1.ConditionFalse {
		t.Errorf("it was handed to another project, and taken: %+v", p.Status)
	}
	annotate("taken")
	k.ready("taken")
	if err := k.Get(t.Context(), client.ObjectKey{Name: "taken"}, live); err != nil {
		t.Fatal(err)
	}
	if live.Labels["team"] != "legacy" || live.Labels[v1alpha1.LabelProject] != "taken" {
		t.Errorf("labels: %v", live.Labels)
	}

	// One that goes makes room.
	k.make(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "leaving"}})
	k.make(project("leaving"))
	k.until("leaving", "the name is taken", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseFailed })
	if err := k.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "leaving"}}); err != nil {
		t.Fatal(err)
	}
	k.ready("leaving")

	// A project that never had its namespace leaves it when it goes.
	k.make(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kept"}})
	k.make(project("kept", func(s *v1alpha1.ProjectSpec) { s.DeletionPolicy = v1alpha1.DeletionDelete }))
	k.until("kept", "the name is taken", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseFailed })
	k.change("kept", func(p *v1alpha1.Project) { p.Annotations = map[string]string{v1alpha1.AnnotationConfirmDelete: "kept"} })
	k.gone("kept")
	if err := k.Get(t.Context(), client.ObjectKey{Name: "kept"}, live); err != nil || !live.DeletionTimestamp.IsZero() {
		t.Errorf("another's namespace went with the project: %v, %v", live.DeletionTimestamp, err)
	}
}
