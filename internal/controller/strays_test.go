package controller

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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

// kindOfOthers is the definition of a kind that a test installs.
func kindOfOthers(definition, version string) *apiextensionsv1.CustomResourceDefinition {
	k, _ := kindOf(definition)
	d := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: definition, Annotations: map[string]string{"api-approved.kubernetes.io": "unapproved, test-only"}}}
	scope := apiextensionsv1.ClusterScoped
	if k.Namespaced {
		scope = apiextensionsv1.NamespaceScoped
	}
	d.Spec = apiextensionsv1.CustomResourceDefinitionSpec{
		Group: k.Group, Scope: scope,
		Names: apiextensionsv1.CustomResourceDefinitionNames{Kind: k.Kind, ListKind: k.Kind + "List", Plural: k.Resource, Singular: strings.ToLower(k.Kind)},
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: version, Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{
			OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(true)},
		}}},
	}
	return d
}

func installedLater(t *testing.T, k *cluster, _ *running) {
	const name, cilium = "plugged", "ciliumnetworkpolicies.cilium.io"
	k.make(project(name, func(s *v1alpha1.ProjectSpec) { s.Hosts = []string{"shop.example.com"} }))
	k.ready(name)
	of := func(version, api, kind, called, namespace string, spec map[string]any) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		o.SetAPIVersion(api + "/" + version)
		o.SetKind(kind)
		o.SetName(called)
		o.SetNamespace(namespace)
		return o
	}
	open := map[string]any{"endpointSelector": map[string]any{}, "egress": []any{map[string]any{"toEntities": []any{"world"}}}}
	put := func(o client.Object) {
		t.Helper()
		eventually(t, o.GetName()+" can be made", func() bool {
			err := k.Create(t.Context(), o)
			if err != nil && !meta.IsNoMatchError(err) && !apierrors.IsNotFound(err) {
				t.Fatal(err)
			}
			return err == nil
		})
	}
	says := func(text string) {
		t.Helper()
		k.until(name, "it says that "+text, func(p *v1alpha1.Project) bool {
			c := condition(p, v1alpha1.ConditionNetworkFenced)
			return c.Status == metav1.ConditionFalse && c.Reason == v1alpha1.ReasonStrays && strings.Contains(c.Message, text) && condition(p, v1alpha1.ConditionReady).Status == metav1.ConditionFalse
		})
	}
	// In one version, and once it was taken away, in another.
	for _, version := range []string{"v2", "v3"} {
		d := kindOfOthers(cilium, version)
		k.make(d)
		put(of(version, "cilium.io", "CiliumNetworkPolicy", "closed", name, map[string]any{"endpointSelector": map[string]any{}, "egress": []any{map[string]any{}}}))
		put(of(version, "cilium.io", "CiliumNetworkPolicy", "open", name, open))
		says("CiliumNetworkPolicy.cilium.io open lets traffic through")
		if c := condition(k.read(name), v1alpha1.ConditionNetworkFenced); strings.Contains(c.Message, "closed") {
			t.Errorf("what denies is named: %s", c.Message)
		}
		if err := k.Delete(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		k.ready(name)
		eventually(t, "the kind is gone", func() bool {
			return apierrors.IsNotFound(k.Get(t.Context(), client.ObjectKeyFromObject(d), &apiextensionsv1.CustomResourceDefinition{}))
		})
	}

	// What is in no namespace is for administrators to remove, whatever the project says.
	k.change(name, func(p *v1alpha1.Project) {
		p.Annotations = map[string]string{v1alpha1.AnnotationStrays: v1alpha1.StraysRemove}
	})
	admins := kindOfOthers("adminnetworkpolicies.policy.networking.k8s.io", "v1alpha1")
	k.make(admins)
	here := map[string]any{"namespaces": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": name}}}
	allow := of("v1alpha1", "policy.networking.k8s.io", "AdminNetworkPolicy", "allow", "", map[string]any{"subject": here, "egress": []any{map[string]any{"action": "Allow"}}})
	put(allow)
	says("AdminNetworkPolicy.policy.networking.k8s.io allow lets traffic through, past the network policies of namespaces. Remove")
	if err := k.Delete(t.Context(), allow); err != nil {
		t.Fatal(err)
	}
	k.ready(name)

	// A class that is made public takes its ingresses with it.
	parameters := kindOfOthers("ingressclassparams.elbv2.k8s.aws", "v1beta1")
	k.make(parameters)
	class := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "alb"}, Spec: networkingv1.IngressClassSpec{
		Controller: "ingress.k8s.aws/alb", Parameters: &networkingv1.IngressClassParametersReference{APIGroup: new("elbv2.k8s.aws"), Kind: "IngressClassParams", Name: "alb"},
	}}
	k.make(class)
	scheme := of("v1beta1", "elbv2.k8s.aws", "IngressClassParams", "alb", "", map[string]any{"scheme": "internal"})
	put(scheme)
	served := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: name}, Spec: networkingv1.IngressSpec{
		IngressClassName: new("alb"), Rules: []networkingv1.IngressRule{{Host: "shop.example.com"}},
	}}
	k.make(served)
	k.quiet(time.Second)
	k.ready(name)
	if err := k.Get(t.Context(), client.ObjectKeyFromObject(served), served); err != nil {
		t.Fatalf("an ingress inside of the network: %v", err)
	}
	k.change(name, func(p *v1alpha1.Project) { p.Annotations = nil })
	if err := k.Patch(t.Context(), scheme, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"scheme":"internet-facing"}}`))); err != nil {
		t.Fatal(err)
	}
	says("Ingress web faces the internet: the scheme of IngressClassParams alb is internet-facing, which IngressClass alb has")
	k.change(name, func(p *v1alpha1.Project) {
		p.Annotations = map[string]string{v1alpha1.AnnotationStrays: v1alpha1.StraysRemove}
	})
	k.ready(name)
	if err := k.Get(t.Context(), client.ObjectKeyFromObject(served), served); !apierrors.IsNotFound(err) {
		t.Errorf("the ingress is there: %v", err)
	}
	for _, o := range []client.Object{admins, parameters, class} {
		if err := k.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}
