package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// TestProjects runs one controller against one control plane, and each case with
// projects of its own.
func TestProjects(t *testing.T) {
	k := start(t, definitionFile)
	r := run(t, k.rc)
	r.ready(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, *cluster, *running)
	}{
		{"a project is made whole, and then nothing is written", madeWhole},
		{"a change arrives, and what is no longer asked for goes", changed},
		{"a member works in one project, and nowhere else", membersWork},
		{"the quota, the limits and the Pod Security Standard are enforced", quotaHolds},
		{"what is edited or deleted by hand is restored within a second", handsOff},
		{"somebody who keeps changing things is named, and not raced", contest},
		{"a namespace that is not ours is left alone until it is handed over", taken},
		{"another org's project is refused", otherOrg},
		{"a project hibernates and wakes", hibernation},
		{"a project whose time is over hibernates", timeToLive},
		{"a deleted project leaves its namespace, and another one of its name gets it", retained},
		{"a namespace is deleted only when that was confirmed, in order", deleted},
		{"a project may call the one that lets it in", callees},
		{"the cluster's API moves", apiMoves},
		{"the metrics tell it", metricsTell},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := *k
			of.t = t
			c.test(t, &of, r)
		})
	}
}

func madeWhole(t *testing.T, k *cluster, r *running) {
	k.make(project("whole"))
	k.ready("whole")
	k.quiet(2 * time.Second)
	sent, looks := r.writes.n.Load(), r.metric(t, "freehold_reconcile_duration_seconds_count")
	for i := range 5 {
		k.change("whole", func(p *v1alpha1.Project) { p.Annotations = map[string]string{"touched": fmt.Sprint(i)} })
		time.Sleep(300 * time.Millisecond)
	}
	if n := r.metric(t, "freehold_reconcile_duration_seconds_count") - looks; n < 5 {
		t.Errorf("only %v looks", n)
	}
	if n := r.writes.n.Load(); n != sent {
		t.Errorf("the controller sent %d writes for a project that has not changed", n-sent)
	}
	golden(t, "whole.golden", k.dump("whole"))
}

func changed(t *testing.T, k *cluster, _ *running) {
	k.make(project("moving"))
	k.ready("moving")
	next := project("moving", func(s *v1alpha1.ProjectSpec) {
		s.DisplayName, s.PodSecurity, s.Registries = "", v1alpha1.PodSecurityBaseline, nil
		s.Quota.Pods, s.Quota.Objects, s.Limits.MinCPU = 7, v1alpha1.ObjectCounts{Secrets: new(int32(9))}, nil
		s.Members, s.Egress, s.Ingress = []v1alpha1.Member{{User: "bo", Role: v1alpha1.RoleViewer}}, nil, nil
		s.ServiceAccounts = []v1alpha1.ServiceAccount{{Name: "web"}}
	})
	k.change("moving", func(p *v1alpha1.Project) { p.Spec = next.Spec })
	k.ready("moving")
	k.quiet(0)
	golden(t, "changed.golden", k.dump("moving"))
}

func membersWork(t *testing.T, k *cluster, _ *running) {
	of := func(name string) *v1alpha1.Project {
		return project(name, func(s *v1alpha1.ProjectSpec) {
			s.Members = []v1alpha1.Member{
				{User: "dev-of-" + name, Role: v1alpha1.RoleEditor}, {User: "dev-of-" + name, Role: v1alpha1.RoleViewer},
				{Group: "readers-of-" + name, Role: v1alpha1.RoleViewer},
			}
		})
	}
	k.make(of("mine"))
	k.make(of("theirs"))
	k.ready("mine", "theirs")
	configMap := func(ns string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: ns}}
	}
	dev, reader := k.as("dev-of-mine"), k.as("eve", "readers-of-mine")
	// The API server learns of a binding a moment later.
	eventually(t, "a member may work", func() bool { return dev.Create(t.Context(), configMap("mine")) == nil })
	for name, c := range map[string]struct {
		err     error
		allowed bool
	}{
		"an editor reads":                    {dev.List(t.Context(), &corev1.PodList{}, client.InNamespace("mine")), true},
		"a viewer reads":                     {reader.List(t.Context(), &corev1.PodList{}, client.InNamespace("mine")), true},
		"a viewer writes":                    {reader.Delete(t.Context(), configMap("mine")), false},
		"an editor reads another project":    {dev.List(t.Context(), &corev1.PodList{}, client.InNamespace("theirs")), false},
		"an editor writes another project":   {dev.Create(t.Context(), configMap("theirs")), false},
		"an editor reads the whole cluster":  {dev.List(t.Context(), &corev1.PodList{}), false},
		"an editor makes a namespace":        {dev.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "own"}}), false},
		"an editor changes the project":      {dev.Delete(t.Context(), project("mine")), false},
		"a stranger reads":                   {k.as("mallory").List(t.Context(), &corev1.PodList{}, client.InNamespace("mine")), false},
		"a member of another project enters": {k.as("dev-of-theirs").List(t.Context(), &corev1.PodList{}, client.InNamespace("mine")), false},
	} {
		if c.allowed != (c.err == nil) || c.err != nil && !apierrors.IsForbidden(c.err) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	k.change("mine", func(p *v1alpha1.Project) { p.Spec.Members = nil })
	eventually(t, "who is no member any more is out", func() bool {
		return apierrors.IsForbidden(dev.List(t.Context(), &corev1.PodList{}, client.InNamespace("mine")))
	})
}

// pod meets the restricted standard.
func pod(ns, name string, changes ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns}, Spec: corev1.PodSpec{
		SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{{Name: "c", Image: "example.com/c", SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		}}},
	}}
	for _, change := range changes {
		change(p)
	}
	return p
}

func quotaHolds(t *testing.T, k *cluster, _ *running) {
	k.make(project("bounded"))
	k.ready("bounded")
	counted := func(pods string) {
		k.until("bounded", pods+" pods are counted", func(p *v1alpha1.Project) bool {
			used := p.Status.Quota["pods"].Used
			return used.String() == pods
		})
	}
	counted("0")
	for i := range 5 {
		p := pod("bounded", fmt.Sprint("p", i))
		k.make(p)
		if p.Spec.AutomountServiceAccountToken != nil || slices.ContainsFunc(p.Spec.Volumes, func(v corev1.Volume) bool { return v.Projected != nil }) {
			t.Error("a pod of the default service account has its token")
		}
		if cpu := p.Spec.Containers[0].Resources.Limits.Cpu().String(); cpu != "250m" {
			t.Errorf("a container that asks for no limit gets %s", cpu)
		}
	}
	for says, p := range map[string]*corev1.Pod{
		"exceeded quota": pod("bounded", "one-more"),
		"maximum cpu usage per": pod("bounded", "large", func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("3")}
		}),
		"violates PodSecurity": pod("bounded", "root", func(p *corev1.Pod) { p.Spec.SecurityContext.RunAsNonRoot = nil }),
	} {
		if err := k.Create(t.Context(), p); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("a pod is not refused for %q: %v", says, err)
		}
	}
	counted("5")
	k.quiet(0)
}

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

func handsOff(t *testing.T, k *cluster, _ *running) {
	const name = "fenced"
	k.make(project(name))
	k.ready(name)
	k.quiet(0)
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
	k.quiet(0)
}

func contest(t *testing.T, k *cluster, _ *running) {
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
	k.until("contested", "it says who", func(p *v1alpha1.Project) bool {
		c := condition(p, v1alpha1.ConditionDegraded)
		return c.Status == metav1.ConditionTrue && c.Reason == "Contested" && strings.Contains(c.Message, "rival keeps changing NetworkPolicy default-deny")
	})
	k.until("contested", "it is well again", func(p *v1alpha1.Project) bool {
		return condition(p, v1alpha1.ConditionDegraded).Status == metav1.ConditionFalse
	})
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

func otherOrg(t *testing.T, k *cluster, _ *running) {
	k.make(project("strange", func(s *v1alpha1.ProjectSpec) { s.Org = "globex" }))
	k.until("strange", "it is refused", func(p *v1alpha1.Project) bool {
		c := condition(p, v1alpha1.ConditionNamespaceReady)
		return c.Reason == "WrongOrg" && p.Status.Phase == v1alpha1.PhaseFailed && p.Status.Namespace == ""
	})
	if got := k.dump("strange"); !strings.HasPrefix(got, "no namespace: NotFound") {
		t.Errorf("something was made for it:\n%s", got)
	}
	k.gone("strange")
}

func hibernation(t *testing.T, k *cluster, _ *running) {
	k.make(project("sleepy"))
	k.ready("sleepy")
	for i := range 3 {
		k.make(pod("sleepy", fmt.Sprint("p", i)))
	}
	k.quiet(0)
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

func timeToLive(t *testing.T, k *cluster, _ *running) {
	k.make(project("brief", func(s *v1alpha1.ProjectSpec) { s.TTL = &metav1.Duration{Duration: 3 * time.Second} }))
	k.until("brief", "it lives", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseReady })
	k.until("brief", "its time is over", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseHibernated })
	if p := k.read("brief"); !strings.Contains(condition(p, v1alpha1.ConditionReady).Message, "time to live was over") {
		t.Errorf("conditions: %+v", p.Status.Conditions)
	}
	k.change("brief", func(p *v1alpha1.Project) { p.Spec.TTL = &metav1.Duration{Duration: time.Hour} })
	k.until("brief", "a longer time wakes it", func(p *v1alpha1.Project) bool { return p.Status.Phase == v1alpha1.PhaseReady })
}

func retained(t *testing.T, k *cluster, _ *running) {
	k.make(project("left"))
	k.ready("left")
	k.make(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "left"}})
	k.quiet(0)
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
	k.quiet(0)
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

func callees(t *testing.T, k *cluster, _ *running) {
	wayTo := func(name string) bool {
		var p networkingv1.NetworkPolicy
		err := k.Get(t.Context(), client.ObjectKey{Namespace: "front", Name: "egress"}, &p)
		return err == nil && slices.ContainsFunc(p.Spec.Egress, func(r networkingv1.NetworkPolicyEgressRule) bool {
			s := r.To[0].NamespaceSelector
			return s != nil && s.MatchLabels[corev1.LabelMetadataName] == name && s.MatchLabels[v1alpha1.LabelOrg] == "acme" && r.Ports[0].Port.IntVal == 8080
		})
	}
	k.make(project("front"))
	k.make(project("back"))
	k.ready("front", "back")
	eventually(t, "front may call back", func() bool { return wayTo("back") })
	k.change("back", func(p *v1alpha1.Project) { p.Spec.Ingress = nil })
	eventually(t, "front may not call back any more", func() bool { return !wayTo("back") })
	k.change("back", func(p *v1alpha1.Project) { p.Spec.Ingress = project("back").Spec.Ingress })
	eventually(t, "front may call back again", func() bool { return wayTo("back") })
	k.gone("back")
	eventually(t, "front may not call what is gone", func() bool { return !wayTo("back") })
}

func apiMoves(t *testing.T, k *cluster, _ *running) {
	k.make(project("caller"))
	k.ready("caller")
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "kubernetes", Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"10.1.2.4"}}, {Addresses: []string{"10.1.2.3"}}},
		Ports:       []discoveryv1.EndpointPort{{Name: new("https"), Port: new(int32(6443)), Protocol: new(corev1.ProtocolTCP)}},
	}
	ways := func() (all []string) {
		var p networkingv1.NetworkPolicy
		if err := k.Get(t.Context(), client.ObjectKey{Namespace: "caller", Name: "allow-api"}, &p); err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Spec.Egress {
			for _, to := range r.To {
				all = append(all, fmt.Sprintf("%s:%d", to.IPBlock.CIDR, r.Ports[0].Port.IntVal))
			}
		}
		return all
	}
	k.make(slice)
	want := []string{"172.20.0.1/32:443", "10.1.2.3/32:6443", "10.1.2.4/32:6443"}
	eventually(t, "its addresses are open", func() bool { return slices.Equal(ways(), want) })
	slice.Endpoints = slice.Endpoints[:1]
	if err := k.Client.Update(t.Context(), slice); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an address that is no longer the API's is closed", func() bool { return slices.Equal(ways(), []string{want[0], want[2]}) })
	if err := k.Delete(t.Context(), slice); err != nil {
		t.Fatal(err)
	}
	eventually(t, "only the service's is left", func() bool { return slices.Equal(ways(), want[:1]) })
	if all := k.events("caller"); len(all) > 0 {
		t.Errorf("somebody is blamed for it: %v", all)
	}
}

func metricsTell(t *testing.T, k *cluster, r *running) {
	var all v1alpha1.ProjectList
	if err := k.List(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	ready := 0
	for _, p := range all.Items {
		if condition(&p, v1alpha1.ConditionReady).Status == metav1.ConditionTrue {
			ready++
		}
	}
	for name, c := range map[string]struct {
		got  float64
		fits func(float64) bool
	}{
		"ready projects":   {r.metric(t, "freehold_projects", `condition="Ready"`, `status="True"`), func(v float64) bool { return v == float64(ready) }},
		"all projects":     {r.metric(t, "freehold_projects", `condition="Ready"`), func(v float64) bool { return v == float64(len(all.Items)) }},
		"lag":              {r.metric(t, "freehold_observed_generation_lag"), func(v float64) bool { return v == 0 }},
		"applied policies": {r.metric(t, "freehold_writes_total", `kind="NetworkPolicy"`, `verb="apply"`), func(v float64) bool { return v >= 6 }},
		"restored":         {r.metric(t, "freehold_restored_total", `kind="RoleBinding"`), func(v float64) bool { return v >= 3 }},
		"looks":            {r.metric(t, "freehold_reconcile_duration_seconds_count", `result="done"`), func(v float64) bool { return v > 0 }},
		"last full pass": {r.metric(t, "freehold_last_full_pass_timestamp_seconds"), func(v float64) bool {
			return time.Since(time.Unix(int64(v), 0)) < 10*time.Minute
		}},
	} {
		if !c.fits(c.got) {
			t.Errorf("%s: %v", name, c.got)
		}
	}
}
