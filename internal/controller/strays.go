package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/strays"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
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
}

// strayKinds are those whose objects the caches hold, whoever made them. Secrets
// are not among them: who may list them reads them all, and a token gives what its
// service account is bound to, which is looked at.
var strayKinds = []strayKind{
	{&corev1.Pod{}, &corev1.PodList{}, v1alpha1.ConditionNamespaceReady},
	{&corev1.ResourceQuota{}, &corev1.ResourceQuotaList{}, v1alpha1.ConditionQuotaApplied},
	{&corev1.LimitRange{}, &corev1.LimitRangeList{}, v1alpha1.ConditionQuotaApplied},
	{&networkingv1.NetworkPolicy{}, &networkingv1.NetworkPolicyList{}, v1alpha1.ConditionNetworkFenced},
	{&corev1.Service{}, &corev1.ServiceList{}, v1alpha1.ConditionNetworkFenced},
	{&rbacv1.RoleBinding{}, &rbacv1.RoleBindingList{}, v1alpha1.ConditionAccessApplied},
	{&rbacv1.Role{}, &rbacv1.RoleList{}, v1alpha1.ConditionAccessApplied},
	{&rbacv1.ClusterRoleBinding{}, &rbacv1.ClusterRoleBindingList{}, v1alpha1.ConditionAccessApplied},
}

// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch;delete
// +kubebuilder:rbac:groups="",resources=services,verbs=list;watch;delete
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=roles,verbs=list;watch;delete
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=clusterrolebindings,verbs=list;watch

// strays is the answer of a step beside whose objects there are others that undo
// what it does. They are removed where the project says so.
func (l *look) strays(ctx context.Context, condition string) (answer, error) {
	in := strays.Space{Name: l.p.Name, Registries: strays.Registries(l.namespaceAnnotations())}
	remove := l.p.Annotations[v1alpha1.AnnotationStrays] == v1alpha1.StraysRemove
	var left []string
	var failures []error
	going := true
	for _, k := range strayKinds {
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
	if _, everywhere := k.object.(*rbacv1.ClusterRoleBinding); !everywhere {
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
		if found.GetNamespace() != "" && found.GetLabels()[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy {
			return nil
		}
		if why := strays.Why(found, in); why != "" {
			out = append(out, strayed{found.DeepCopyObject().(client.Object), kind.Kind + " " + found.GetName() + " " + why})
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
		s.Annotations, s.Status = nil, corev1.ServiceStatus{}
		s.Spec = corev1.ServiceSpec{Type: s.Spec.Type, ExternalIPs: s.Spec.ExternalIPs}
	}
	return forgetFields(in)
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
