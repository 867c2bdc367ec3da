package kubelive

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/strays"
)

// makes are what Kubernetes' and EKS's own controllers make of an object, each
// with the object as its controller. They also end what only pretends to be
// theirs: a ReplicaSet counts the pods that name it.
var makes = map[schema.GroupKind][]schema.GroupKind{
	{Group: "apps", Kind: "Deployment"}:        {{Group: "apps", Kind: "ReplicaSet"}},
	{Group: "apps", Kind: "ReplicaSet"}:        {{Kind: "Pod"}},
	{Group: "apps", Kind: "StatefulSet"}:       {{Kind: "Pod"}, {Group: "apps", Kind: "ControllerRevision"}},
	{Group: "apps", Kind: "DaemonSet"}:         {{Kind: "Pod"}, {Group: "apps", Kind: "ControllerRevision"}},
	{Kind: "ReplicationController"}:            {{Kind: "Pod"}},
	{Group: "batch", Kind: "CronJob"}:          {{Group: "batch", Kind: "Job"}},
	{Group: "batch", Kind: "Job"}:              {{Kind: "Pod"}},
	{Kind: "Service"}:                          {{Group: "discovery.k8s.io", Kind: "EndpointSlice"}},
	{Group: networkGroup, Kind: networkPolicy}: {{Group: "networking.k8s.aws", Kind: "PolicyEndpoint"}}, // aws/amazon-network-policy-controller-k8s, pkg/policyendpoints/manager.go
}

const networkGroup, networkPolicy = "networking.k8s.io", "NetworkPolicy"

// born are objects that Kubernetes or the controller makes in the layer's own
// namespace.
var born = map[string]string{
	keyOf(schema.GroupKind{Kind: "ConfigMap"}, "kube-root-ca.crt"):                               "kube-controller-manager, in every namespace",
	keyOf(schema.GroupKind{Kind: "ServiceAccount"}, "default"):                                   "kube-controller-manager, in every namespace",
	keyOf(schema.GroupKind{Group: "coordination.k8s.io", Kind: "Lease"}, "namespace-controller"): "the controller's replicas, to choose who leads",
}

// inNamespace lists what is in the layer's own namespace and belongs to nobody.
func (l *look) inNamespace(ctx context.Context) []Stray {
	var mu sync.Mutex
	var all []head
	kinds := slices.DeleteFunc(slices.Clone(l.kinds), func(k listed) bool {
		// What happened is not what is there.
		return !k.namespaced || k.kind.Kind == "Event" && (k.kind.Group == "" || k.kind.Group == "events.k8s.io")
	})
	together(kinds, func(k listed) {
		heads, err := l.client.heads(ctx, k, l.sought.Namespace, "")
		if err != nil {
			l.reading.failure("in namespace "+l.sought.Namespace, k, err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, heads...)
	})
	belongs := func(h head) bool {
		return l.declared[h.key()] || born[keyOf(h.kind.GroupKind(), h.Name)] != ""
	}
	return append(l.roots(all, "no layer declares it", belongs), l.changedPods(ctx, index(all), belongs)...)
}

func index(all []head) map[types.UID]head {
	byUID := map[types.UID]head{}
	for _, h := range all {
		byUID[h.UID] = h
	}
	return byUID
}

// roots are those objects that neither belong nor were made of another one.
func (l *look) roots(all []head, why string, belongs func(head) bool) []Stray {
	byUID := index(all)
	var out []Stray
	at := map[types.UID]int{}
	made := map[int][]head{} // by how far they are from what they were made of
	for _, h := range all {
		_, steps := rootOf(h, byUID)
		switch {
		case belongs(h):
		case steps > 0:
			made[steps] = append(made[steps], h)
		default:
			at[h.UID] = len(out)
			out = append(out, stray(h, why))
		}
	}
	for _, steps := range slices.Sorted(maps.Keys(made)) {
		for _, h := range made[steps] {
			root, _ := rootOf(h, byUID)
			if i, is := at[root.UID]; is {
				out[i].made = append(out[i].made, h)
			}
		}
	}
	for i := range out {
		if len(out[i].made) > 0 {
			out[i].Why += "; Kubernetes made of it: " + named(out[i].made)
		}
	}
	return out
}

// rootOf is the object at the beginning of a chain, and how far it is. There is
// an end to it: nothing in makes comes back to where it began.
func rootOf(h head, byUID map[types.UID]head) (root head, steps int) {
	for {
		maker, made := makerOf(h, byUID)
		if !made {
			return h, steps
		}
		h, steps = maker, steps+1
	}
}

// makerOf is the object of which a controller made this one.
func makerOf(h head, byUID map[types.UID]head) (head, bool) {
	ref := metav1.GetControllerOf(&h.ObjectMeta)
	if ref == nil {
		return head{}, false
	}
	maker, there := byUID[ref.UID]
	if !there || maker.Name != ref.Name || maker.UID == h.UID {
		return head{}, false
	}
	return maker, slices.Contains(makes[maker.kind.GroupKind()], h.kind.GroupKind())
}

func named(heads []head) string {
	text := ""
	for i, h := range heads {
		switch {
		case i == 5:
			return text + fmt.Sprintf(" and %d more", len(heads)-i)
		case i > 0:
			text += ", "
		}
		text += h.kind.Kind + " " + h.Name
	}
	return text
}

// fences are the kinds of which nobody but the namespace controller should have
// any in the namespaces of projects: they only ever open what its own close. Those
// of network plug-ins are looked for where the cluster has them; EKS enforces its own.
// https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
var fences = []schema.GroupKind{
	{Group: "networking.k8s.aws", Kind: "ApplicationNetworkPolicy"}, {Group: "cilium.io", Kind: "CiliumNetworkPolicy"},
	{Group: "crd.projectcalico.org", Kind: "NetworkPolicy"}, {Group: "projectcalico.org", Kind: "NetworkPolicy"},
	{Kind: "ResourceQuota"}, {Kind: "LimitRange"},
	{Group: networkGroup, Kind: networkPolicy}, {Group: "networking.k8s.aws", Kind: "PolicyEndpoint"},
	{Group: rbacGroup, Kind: "Role"}, {Group: rbacGroup, Kind: "RoleBinding"},
}

// inProjects lists the fences in the namespaces of projects that are not the
// namespace controller's.
func (l *look) inProjects(ctx context.Context) []Stray {
	namespaces, known := l.kind("", "Namespace")
	if !known {
		return nil
	}
	const ours = v1alpha1.LabelManagedBy + "=" + v1alpha1.ManagedBy
	spaces, err := l.client.heads(ctx, namespaces, "", ours)
	if err != nil {
		l.reading.failure("with the label "+ours, namespaces, err)
		return nil
	}
	if len(spaces) == 0 {
		return nil
	}
	orphans := l.orphans(ctx, spaces)
	of := map[string]bool{}
	for _, s := range spaces {
		of[s.Name] = true
	}
	var kinds []listed
	for _, f := range fences {
		if k, is := l.kind(f.Group, f.Kind); is {
			kinds = append(kinds, k)
		}
	}
	var mu sync.Mutex
	var all []head
	together(kinds, func(k listed) {
		heads, err := l.client.heads(ctx, k, "", "")
		if err != nil {
			l.reading.failure("in the namespaces of projects", k, err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, slices.DeleteFunc(heads, func(h head) bool { return !of[h.Namespace] })...)
	})
	return slices.Concat(orphans, l.judged(ctx, spaces), l.roots(all, "a fence of a project that is not the namespace controller's", func(h head) bool {
		// What has the label and is not the controller's own, the controller removes.
		return h.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy || l.declared[h.key()]
	}))
}

// judged lists what undoes a fence in the namespaces of projects of kinds that
// projects are full of, or that others install. Pods are the namespace controller's
// to look at, whose findings are in the Project's status: what reads the cluster for
// drift does not read what people write into pods.
func (l *look) judged(ctx context.Context, spaces []head) []Stray {
	public, known := l.public(ctx)
	of := map[string]strays.Space{}
	for _, s := range spaces {
		of[s.Name] = strays.SpaceOf(s.Name, s.Labels, s.Annotations, public)
	}
	kinds := []strays.Kind{{Kind: "Service", Namespaced: true}}
	if known { // which classes face the internet
		kinds = append(kinds, strays.Kind{Group: networkGroup, Kind: "Ingress", Namespaced: true})
	}
	for _, k := range strays.Installed {
		if k.Judges() && !slices.Contains(fences, schema.GroupKind{Group: k.Group, Kind: k.Kind}) {
			kinds = append(kinds, k)
		}
	}
	var mu sync.Mutex
	var out []Stray
	together(kinds, func(want strays.Kind) {
		k, is := l.kind(want.Group, want.Kind)
		if !is {
			return
		}
		list, ok := l.list(ctx, k, "in the namespaces of projects")
		if !ok {
			return
		}
		var found []Stray
		for i := range list.Items {
			o := &list.Items[i]
			in := []strays.Space{of[o.GetNamespace()]}
			if !want.Namespaced {
				in = in[:0]
				for _, s := range spaces {
					in = append(in, of[s.Name])
				}
			}
			for _, space := range in {
				if space.Name == "" {
					continue // it is no project's
				}
				why, err := whyOf(o, space)
				if err != nil {
					l.reading.failure("in the namespaces of projects", k, err)
					break
				}
				if why == "" {
					continue
				}
				s := stray(headOf(k, o), "it undoes a fence of its project: it "+why)
				if !want.Namespaced {
					s = stray(headOf(k, o), "it undoes a fence of project "+space.Name+": it "+why)
				}
				s.Live = o.Object
				found = append(found, s)
				break
			}
		}
		mu.Lock()
		defer mu.Unlock()
		out = append(out, found...)
	})
	return out
}

// whyOf judges an object as the namespace controller does.
func whyOf(o *unstructured.Unstructured, in strays.Space) (string, error) {
	var typed any
	switch o.GetObjectKind().GroupVersionKind().GroupKind() {
	case schema.GroupKind{Kind: "Service"}:
		typed = &corev1.Service{}
	case schema.GroupKind{Group: networkGroup, Kind: "Ingress"}:
		typed = &networkingv1.Ingress{}
	default:
		return strays.Why(o, in), nil
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, typed); err != nil {
		return "", err
	}
	return strays.Why(typed, in), nil
}

// public says which classes face the internet; false: it is not known.
func (l *look) public(ctx context.Context) (map[string]string, bool) {
	var classes []*networkingv1.IngressClass
	var others []*unstructured.Unstructured
	for _, want := range append([]strays.Kind{{Group: networkGroup, Kind: "IngressClass"}}, strays.Installed...) {
		k, is := l.kind(want.Group, want.Kind)
		if !is || want.Judges() {
			continue
		}
		list, ok := l.list(ctx, k, "in the whole cluster")
		if !ok {
			return nil, false
		}
		for i := range list.Items {
			if want.Kind != "IngressClass" {
				others = append(others, &list.Items[i])
				continue
			}
			var class networkingv1.IngressClass
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, &class); err != nil {
				l.reading.failure("in the whole cluster", k, err)
				return nil, false
			}
			classes = append(classes, &class)
		}
	}
	return strays.Public(classes, others), true
}

// list reads all objects of a kind, whole.
func (l *look) list(ctx context.Context, k listed, place string) (*unstructured.UnstructuredList, bool) {
	list, err := l.client.in(shelf{k.resource, ""}).List(ctx, metav1.ListOptions{})
	if err != nil {
		l.reading.failure(place, k, err)
		return nil, false
	}
	return list, true
}

// orphans are the namespaces that were made for a project which is not there, and
// that no project retained: whoever was let into them still is.
func (l *look) orphans(ctx context.Context, spaces []head) []Stray {
	kind, known := l.kind(v1alpha1.GroupVersion.Group, "Project")
	if !known {
		return nil
	}
	projects, err := l.client.heads(ctx, kind, "", "")
	if err != nil {
		l.reading.failure("whose namespaces may be left", kind, err)
		return nil
	}
	has := map[string]bool{}
	for _, p := range projects {
		has[p.Name] = true
	}
	var out []Stray
	for _, ns := range spaces {
		if has[ns.Name] || ns.Annotations[v1alpha1.AnnotationRetained] == "true" {
			continue
		}
		s := stray(ns, "it was made for project "+ns.Name+", which does not exist, and it is not retained by one: add the project again, or delete the namespace with kubectl")
		s.Kept = true // what people keep in it would go with it
		out = append(out, s)
	}
	return out
}
