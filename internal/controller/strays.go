package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/strays"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// strayKind is a kind of which an object that nobody made for the project may give
// rights in its namespace, open its network or take its node, and the condition
// that does not hold then.
type strayKind struct {
	object    client.Object
	list      client.ObjectList
	condition string
	// kept is true where the steps keep what carries the label as it should be.
	kept bool
	// everywhere is true for what is in no namespace.
	everywhere bool
	// group is the kind's, where another of the name is Kubernetes' own.
	group string
}

// called is a kind as people write it.
func (k strayKind) called(kind schema.GroupVersionKind) string {
	if k.group == "" {
		return kind.Kind
	}
	return kind.Kind + "." + k.group
}

// strayKinds are those whose objects the caches hold, whoever made them. Secrets
// are not among them: who may list them reads them all, and a token gives what its
// service account is bound to, which is looked at.
var strayKinds = []strayKind{
	{object: &corev1.Pod{}, list: &corev1.PodList{}, condition: v1alpha1.ConditionNamespaceReady},
	{object: &corev1.ResourceQuota{}, list: &corev1.ResourceQuotaList{}, condition: v1alpha1.ConditionQuotaApplied, kept: true},
	{object: &corev1.LimitRange{}, list: &corev1.LimitRangeList{}, condition: v1alpha1.ConditionQuotaApplied, kept: true},
	{object: &networkingv1.NetworkPolicy{}, list: &networkingv1.NetworkPolicyList{}, condition: v1alpha1.ConditionNetworkFenced, kept: true},
	{object: &corev1.Service{}, list: &corev1.ServiceList{}, condition: v1alpha1.ConditionNetworkFenced},
	{object: &networkingv1.Ingress{}, list: &networkingv1.IngressList{}, condition: v1alpha1.ConditionNetworkFenced},
	{object: &rbacv1.RoleBinding{}, list: &rbacv1.RoleBindingList{}, condition: v1alpha1.ConditionAccessApplied, kept: true},
	{object: &rbacv1.Role{}, list: &rbacv1.RoleList{}, condition: v1alpha1.ConditionAccessApplied},
	{object: &rbacv1.ClusterRoleBinding{}, list: &rbacv1.ClusterRoleBindingList{}, condition: v1alpha1.ConditionAccessApplied, everywhere: true},
}

// strayKinds are those above, and those that somebody has installed. The late ones
// are in the cluster, and not in the cache yet.
func (r *projects) strayKinds() (kinds []strayKind, late []string) {
	kinds = slices.Clone(strayKinds)
	for _, k := range r.installed.all() {
		if !k.informer.HasSynced() {
			late = append(late, k.Definition())
		}
		if k.Judges() {
			kinds = append(kinds, strayKind{object: k.object(), list: k.list(), condition: v1alpha1.ConditionNetworkFenced, everywhere: !k.Namespaced, group: k.Group})
		}
	}
	return kinds, late
}

// space is what is known of the project's namespace. What classes say counts where
// an object may have one.
func (l *look) space(ctx context.Context, condition string) (strays.Space, error) {
	labels := l.namespaceLabels()
	ns, err := l.cachedNamespace(ctx)
	if err != nil {
		return strays.Space{}, err
	}
	if ns != nil {
		labels = merged(ns.Labels, labels)
	}
	if condition != v1alpha1.ConditionNetworkFenced {
		return strays.SpaceOf(l.p.Name, labels, l.namespaceAnnotations(), nil), nil
	}
	var list networkingv1.IngressClassList
	if err := l.client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return strays.Space{}, fmt.Errorf("list the ingress classes: %w", err)
	}
	var classes []*networkingv1.IngressClass
	for i := range list.Items {
		classes = append(classes, &list.Items[i])
	}
	var others []*unstructured.Unstructured
	for _, k := range l.installed.all() {
		if k.Judges() || !k.informer.HasSynced() {
			continue
		}
		list := k.list()
		if err := l.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return strays.Space{}, fmt.Errorf("list the %s: %w", k.Definition(), err)
		}
		for i := range list.Items {
			others = append(others, &list.Items[i])
		}
	}
	return strays.SpaceOf(l.p.Name, labels, l.namespaceAnnotations(), strays.Public(classes, others)), nil
}

// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch;delete
// +kubebuilder:rbac:groups="",resources=services,verbs=list;watch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses,verbs=list;watch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingressclasses,verbs=list;watch
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=roles,verbs=list;watch;delete
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=clusterrolebindings,verbs=list;watch

// strays is the answer of a step beside whose objects there are others that undo
// what it does. They are removed where the project says so.
func (l *look) strays(ctx context.Context, condition string) (answer, error) {
	in, err := l.space(ctx, condition)
	if err != nil {
		return answer{}, err
	}
	remove := l.p.Annotations[v1alpha1.AnnotationStrays] == v1alpha1.StraysRemove
	var left []string
	var failures []error
	going := true
	kinds, late := l.strayKinds()
	if len(late) > 0 && condition == v1alpha1.ConditionNetworkFenced {
		// What there is of them may open the network.
		l.soon(2 * time.Second)
		return answer{reason: v1alpha1.ReasonStrays, message: "it is not known yet what there is of " + strings.Join(late, ", "), ours: true}, nil
	}
	for _, k := range kinds {
		if k.condition != condition {
			continue
		}
		found, err := l.straysOf(ctx, k, in)
		if err != nil {
			return answer{}, err
		}
		for _, f := range found {
			left = append(left, f.text)
			if !remove || f.object.GetNamespace() == "" {
				going = going && !f.object.GetDeletionTimestamp().IsZero()
				continue
			}
			if f.object.GetDeletionTimestamp().IsZero() {
				failures = append(failures, l.removeExtra(ctx, f.object))
			}
		}
	}
	if len(left) == 0 || len(failures) > 0 && errors.Join(failures...) != nil {
		return answer{}, errors.Join(failures...)
	}
	slices.Sort(left)
	const most = 8
	text := strings.Join(left[:min(most, len(left))], "; ")
	if len(left) > most {
		text += fmt.Sprintf("; and %d more", len(left)-most)
	}
	if going {
		return answer{reason: v1alpha1.ReasonStrays, message: "these are being removed: " + text, ours: true, expected: true}, nil
	}
	return answer{reason: v1alpha1.ReasonStrays, message: fmt.Sprintf(
		"the project does not ask for these: %s. Remove them with kubectl, or annotate the project with %s=%s to have removed what is in its namespace",
		text, v1alpha1.AnnotationStrays, v1alpha1.StraysRemove)}, nil
}

// strayed is one object, and what it does.
type strayed struct {
	object client.Object
	text   string
}

func (l *look) straysOf(ctx context.Context, k strayKind, in strays.Space) ([]strayed, error) {
	list := k.list.DeepCopyObject().(client.ObjectList)
	options := []client.ListOption{client.UnsafeDisableDeepCopy}
	if !k.everywhere {
		options = append(options, client.InNamespace(l.p.Name))
	}
	if err := l.client.List(ctx, list, options...); err != nil {
		return nil, fmt.Errorf("list what is in the namespace: %w", err)
	}
	kind, err := l.kind(k.object)
	if err != nil {
		return nil, err
	}
	var out []strayed
	err = meta.EachListItem(list, func(o runtime.Object) error {
		found := o.(client.Object)
		// What carries the label is the steps' own, or goes with them.
		if k.kept && found.GetLabels()[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy {
			return nil
		}
		if why := strays.Why(found, in); why != "" {
			out = append(out, strayed{found.DeepCopyObject().(client.Object), k.called(kind) + " " + found.GetName() + " " + why})
		}
		return nil
	})
	return out, err
}

// forgetPod leaves of a pod what is judged here: what it runs, and what it has of
// its node.
func forgetPod(in any) (any, error) {
	p, ok := in.(*corev1.Pod)
	if !ok {
		return in, nil
	}
	p.Labels, p.Annotations, p.ManagedFields, p.OwnerReferences = nil, nil, nil, nil
	p.Status = corev1.PodStatus{Phase: p.Status.Phase}
	spec := corev1.PodSpec{HostNetwork: p.Spec.HostNetwork, HostPID: p.Spec.HostPID, HostIPC: p.Spec.HostIPC}
	for _, c := range strays.Containers(p) {
		short := corev1.Container{Name: c.Name, Image: c.Image}
		for _, port := range c.Ports {
			if port.HostPort != 0 {
				short.Ports = append(short.Ports, corev1.ContainerPort{HostPort: port.HostPort})
			}
		}
		if sc := c.SecurityContext; sc != nil && (sc.Privileged != nil && *sc.Privileged || sc.Capabilities != nil && len(sc.Capabilities.Add) > 0) {
			short.SecurityContext = &corev1.SecurityContext{Privileged: sc.Privileged}
			if sc.Capabilities != nil {
				short.SecurityContext.Capabilities = &corev1.Capabilities{Add: sc.Capabilities.Add}
			}
		}
		spec.Containers = append(spec.Containers, short)
	}
	for _, v := range p.Spec.Volumes {
		if v.HostPath != nil || v.Image != nil {
			spec.Volumes = append(spec.Volumes, v)
		}
	}
	p.Spec = spec
	return p, nil
}

// forgetService leaves of a service what is judged here; of the API's own its
// addresses besides: see network.go.
func forgetService(in any) (any, error) {
	s, ok := in.(*corev1.Service)
	if ok && !isAPI(s) {
		s.Annotations, s.Status = judgedNotes(s.Annotations), corev1.ServiceStatus{}
		s.Spec = corev1.ServiceSpec{Type: s.Spec.Type, ExternalIPs: s.Spec.ExternalIPs}
	}
	return forgetFields(in)
}

// forgetIngress leaves of an ingress what is judged here.
func forgetIngress(in any) (any, error) {
	if o, ok := in.(*networkingv1.Ingress); ok {
		o.Annotations, o.Status = judgedNotes(o.Annotations), networkingv1.IngressStatus{}
		for i := range o.Spec.Rules {
			o.Spec.Rules[i].IngressRuleValue = networkingv1.IngressRuleValue{}
		}
	}
	return forgetFields(in)
}

// judgedNotes are the annotations that are judged.
func judgedNotes(all map[string]string) map[string]string {
	maps.DeleteFunc(all, func(key, _ string) bool { return !strays.Judged(key) })
	return all
}

// isAPI reports whether a service is the one in front of the cluster's API.
func isAPI(o client.Object) bool {
	return o.GetNamespace() == corev1.NamespaceDefault && o.GetName() == apiService
}

// podsEnter reports whether a change of a pod can make it a stray, or end one.
func podsEnter(was, is client.Object) bool {
	before, after := was.(*corev1.Pod), is.(*corev1.Pod)
	return before.Generation != after.Generation || before.Status.Phase != after.Status.Phase
}

// ofPods asks for the projects to whose pods a binding gives rights.
func ofPods(_ context.Context, o client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, name := range strays.Namespaces(o.(*rbacv1.ClusterRoleBinding)) {
		requests = append(requests, request(name)...)
	}
	slices.SortFunc(requests, func(a, b reconcile.Request) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Compact(requests)
}
