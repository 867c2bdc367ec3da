package controller

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// openThings are what gives rights in a namespace or opens its network, each with
// the condition that it makes false and what that says of it.
func openThings(name string) []struct {
	object          client.Object
	condition, says string
} {
	at := func(called string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: called, Namespace: name} }
	admin := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"}
	foreign := pod(name, "miner", func(p *corev1.Pod) { p.Spec.Containers[0].Image = "docker.io/evil/miner" })
	onNode := pod(name, "spy", func(p *corev1.Pod) { p.Spec.HostNetwork = true })
	return []struct {
		object          client.Object
		condition, says string
	}{
		{&rbacv1.RoleBinding{ObjectMeta: at("legacy"), RoleRef: admin, Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "eve"}}}, v1alpha1.ConditionAccessApplied, "RoleBinding legacy gives ClusterRole/cluster-admin to User eve"},
		{&rbacv1.Role{ObjectMeta: at("any"), Rules: []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}}}, v1alpha1.ConditionAccessApplied, "Role any allows * on *"},
		{&networkingv1.NetworkPolicy{ObjectMeta: at("open"), Spec: networkingv1.NetworkPolicySpec{Egress: []networkingv1.NetworkPolicyEgressRule{{}}}}, v1alpha1.ConditionNetworkFenced, "NetworkPolicy open lets traffic through"},
		{&corev1.Service{ObjectMeta: at("front"), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 80}}}}, v1alpha1.ConditionNetworkFenced, "Service front is of type LoadBalancer"},
		{&corev1.Service{ObjectMeta: at("away"), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "evil.example"}}, v1alpha1.ConditionNetworkFenced, "Service away is of type ExternalName"},
		{&corev1.LimitRange{ObjectMeta: at("looser")}, v1alpha1.ConditionQuotaApplied, "LimitRange looser changes what its containers get"},
		{&corev1.ResourceQuota{ObjectMeta: at("other"), Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/leases.coordination.k8s.io": resource.MustParse("9")}}}, v1alpha1.ConditionQuotaApplied, "ResourceQuota other changes what the project may use"},
		{foreign, v1alpha1.ConditionNamespaceReady, "Pod miner runs docker.io/evil/miner"},
		{onNode, v1alpha1.ConditionNamespaceReady, "Pod spy is on its node's network"},
	}
}

// harmless are what an honest team keeps in a namespace.
func harmless(name string) []client.Object {
	at := func(called string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: called, Namespace: name} }
	return []client.Object{
		&corev1.ConfigMap{ObjectMeta: at("settings")},
		&corev1.Service{ObjectMeta: at("app"), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}},
		&networkingv1.NetworkPolicy{ObjectMeta: at("deny"), Spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{"Ingress", "Egress"}}},
		&rbacv1.Role{ObjectMeta: at("reader"), Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get"}}}},
		&corev1.ServiceAccount{ObjectMeta: at("theirs")},
		pod(name, "app"),
	}
}

func adopted(t *testing.T, k *cluster, _ *running) {
	const name = "adopted"
	k.make(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: name}}
	eventually(t, "its service account", func() bool { return k.Get(t.Context(), client.ObjectKeyFromObject(account), account) == nil })
	open := openThings(name)
	for _, o := range open {
		k.make(o.object)
	}
	for _, o := range harmless(name) {
		k.make(o)
	}
	k.make(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "of-adopted"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: name, Name: "theirs"}},
	})
	k.make(project(name))
	k.until(name, "the name is taken", func(p *v1alpha1.Project) bool { return condition(p, v1alpha1.ConditionReady).Reason == reasonTaken })
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := k.Patch(t.Context(), ns, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"freehold.dev/adopt":"adopted"}}}`))); err != nil {
		t.Fatal(err)
	}
	said := func(p *v1alpha1.Project, in, says string) bool {
		c := condition(p, in)
		return c.Status == metav1.ConditionFalse && c.Reason == v1alpha1.ReasonStrays && strings.Contains(c.Message, says)
	}
	for _, o := range open {
		k.until(name, "it says that "+o.says, func(p *v1alpha1.Project) bool { return said(p, o.condition, o.says) })
	}
	k.until(name, "it names what its pods may do in the cluster", func(p *v1alpha1.Project) bool {
		return said(p, v1alpha1.ConditionAccessApplied, "ClusterRoleBinding of-adopted gives ClusterRole/view to ServiceAccount adopted/theirs in the whole cluster")
	})
	p := k.read(name)
	if ready := condition(p, v1alpha1.ConditionReady); ready.Status != metav1.ConditionFalse || p.Status.Phase != v1alpha1.PhaseFailed {
		t.Errorf("it is called ready: %+v", p.Status)
	}
	for _, c := range p.Status.Conditions {
		for _, fine := range []string{"settings", "Service app ", "NetworkPolicy deny", "Role reader", "Pod app "} {
			if strings.Contains(c.Message, fine) {
				t.Errorf("%s is named: %s", fine, c.Message)
			}
		}
	}
	k.quiet(2 * time.Second)
	// Without being asked to, the controller removes nothing.
	for _, o := range open {
		if err := k.Get(t.Context(), client.ObjectKeyFromObject(o.object), o.object); err != nil {
			t.Errorf("%s is not there any more: %v", o.object.GetName(), err)
		}
	}
	var bindings rbacv1.RoleBindingList
	if err := k.List(t.Context(), &bindings, client.InNamespace(name), client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}); err != nil || len(bindings.Items) > 0 {
		t.Errorf("members are let into a namespace that is open: %d, %v", len(bindings.Items), err)
	}

	k.change(name, func(p *v1alpha1.Project) {
		p.Annotations = map[string]string{v1alpha1.AnnotationStrays: v1alpha1.StraysRemove}
	})
	for _, o := range open {
		eventually(t, o.object.GetName()+" is removed", func() bool {
			return apierrors.IsNotFound(k.Get(t.Context(), client.ObjectKeyFromObject(o.object), o.object))
		})
	}
	// What is in the whole cluster is for its administrators to remove.
	k.until(name, "only what is in the whole cluster is left", func(p *v1alpha1.Project) bool {
		return said(p, v1alpha1.ConditionAccessApplied, "of-adopted") && condition(p, v1alpha1.ConditionNamespaceReady).Status == metav1.ConditionTrue &&
			condition(p, v1alpha1.ConditionNetworkFenced).Status == metav1.ConditionTrue && condition(p, v1alpha1.ConditionQuotaApplied).Status == metav1.ConditionTrue
	})
	if err := k.Delete(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "of-adopted"}}); err != nil {
		t.Fatal(err)
	}
	k.ready(name)
	for _, o := range harmless(name) {
		if err := k.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			t.Errorf("%s, which undoes nothing, was removed: %v", o.GetName(), err)
		}
	}
	k.quiet(2 * time.Second)
}

// An administrator passes the fences, and the controller sees what they make.
func addedByAnAdministrator(t *testing.T, k *cluster, _ *running) {
	const name = "amended"
	k.make(project(name))
	k.ready(name)
	for _, o := range openThings(name) {
		switch o.object.GetName() {
		case "spy", "front":
			continue // Pod Security and the quota refuse them to everybody
		}
		k.make(o.object)
		k.until(name, "it says that "+o.says, func(p *v1alpha1.Project) bool {
			c := condition(p, o.condition)
			return c.Status == metav1.ConditionFalse && c.Reason == v1alpha1.ReasonStrays && strings.Contains(c.Message, o.says) &&
				condition(p, v1alpha1.ConditionReady).Status == metav1.ConditionFalse
		})
		if err := k.Delete(t.Context(), o.object, client.GracePeriodSeconds(0)); err != nil {
			t.Fatal(err)
		}
		k.ready(name)
	}
	for _, o := range harmless(name) {
		k.make(o)
	}
	k.quiet(2 * time.Second)
	if c := condition(k.read(name), v1alpha1.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("what undoes nothing makes the project unready: %+v", c)
	}
}
