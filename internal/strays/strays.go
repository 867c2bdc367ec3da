// Package strays says which objects in a project's namespace give rights, open the
// network or take the node beside what the Project says. It is what the fences
// around projects would refuse today, of whatever was there before them or an
// administrator has made since: the namespace controller does not call a project
// fenced that has one, and drift lists them.
//
// What carries the controller's label is not judged here: the controller keeps that
// as it should be, and removes what should not be.
package strays

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// Space is a project's namespace.
type Space struct {
	Name string
	// Registries are the beginnings of images that may run in it, as its annotation
	// lists them.
	Registries []string
	// Hosts are the names under which it may be called, as its annotation lists them.
	Hosts []string
	// Labels are the namespace's, by which policies for the whole cluster select it.
	Labels map[string]string
	// Public says of classes by what they face the internet: see the function.
	Public map[string]string
}

// SpaceOf is the namespace of a project by what its controller wrote on it.
func SpaceOf(name string, labels, annotations map[string]string, public map[string]string) Space {
	return Space{
		Name: name, Labels: labels, Public: public,
		Registries: listed(annotations[v1alpha1.AnnotationRegistries]), Hosts: listed(annotations[v1alpha1.AnnotationHosts]),
	}
}

// listed reads the list of an annotation.
func listed(text string) []string {
	var out []string
	for r := range strings.SplitSeq(text, ",") {
		if r = strings.TrimSpace(r); r != "" {
			out = append(out, r)
		}
	}
	return out
}

// Why says what an object does beside the Project; empty: nothing.
func Why(o any, in Space) string {
	switch o := o.(type) {
	case *rbacv1.RoleBinding:
		return binding(o.RoleRef, o.Subjects)
	case *rbacv1.ClusterRoleBinding:
		return inCluster(o, in)
	case *rbacv1.Role:
		return role(o)
	case *networkingv1.NetworkPolicy:
		// Policies only add up: one without a rule opens nothing.
		if len(o.Spec.Ingress)+len(o.Spec.Egress) > 0 {
			return "lets traffic through"
		}
	case *corev1.Service:
		return service(o, in)
	case *networkingv1.Ingress:
		return ingress(o, in)
	case *unstructured.Unstructured:
		return installed(o, in)
	case *corev1.ResourceQuota:
		return "changes what the project may use"
	case *corev1.LimitRange:
		return "changes what its containers get"
	case *corev1.Pod:
		return pod(o, in)
	}
	return ""
}

func binding(role rbacv1.RoleRef, subjects []rbacv1.Subject) string {
	if len(subjects) == 0 {
		return "" // it gives nobody anything
	}
	names := make([]string, len(subjects))
	for i, s := range subjects {
		names[i] = s.Kind + " " + s.Name
		if s.Namespace != "" {
			names[i] = s.Kind + " " + s.Namespace + "/" + s.Name
		}
	}
	return "gives " + role.Kind + "/" + role.Name + " to " + some(names)
}

// inCluster judges rights in the whole cluster by whether a pod of the project has
// them. What people have in the cluster is their administrators' to say.
func inCluster(b *rbacv1.ClusterRoleBinding, in Space) string {
	of := slices.DeleteFunc(slices.Clone(b.Subjects), func(s rbacv1.Subject) bool { return !podsOf(s, in.Name) })
	if len(of) == 0 {
		return ""
	}
	return binding(b.RoleRef, of) + " in the whole cluster"
}

// podsOf reports whether a subject is a pod of a namespace, in one of the ways in
// which RBAC says so.
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
func podsOf(s rbacv1.Subject, namespace string) bool {
	switch s.Kind {
	case rbacv1.ServiceAccountKind:
		return s.Namespace == namespace
	case rbacv1.UserKind:
		return strings.HasPrefix(s.Name, "system:serviceaccount:"+namespace+":")
	case rbacv1.GroupKind:
		return s.Name == "system:serviceaccounts:"+namespace
	}
	return false
}

// Namespaces are those to whose pods a binding gives rights.
func Namespaces(b *rbacv1.ClusterRoleBinding) []string {
	var out []string
	for _, s := range b.Subjects {
		switch s.Kind {
		case rbacv1.ServiceAccountKind:
			out = append(out, s.Namespace)
		case rbacv1.UserKind:
			if rest, ok := strings.CutPrefix(s.Name, "system:serviceaccount:"); ok {
				namespace, _, _ := strings.Cut(rest, ":")
				out = append(out, namespace)
			}
		case rbacv1.GroupKind:
			if namespace, ok := strings.CutPrefix(s.Name, "system:serviceaccounts:"); ok {
				out = append(out, namespace)
			}
		}
	}
	return out
}

// role finds a role that reaches the fences when somebody binds it. Any other gives
// nothing by itself, and a binding of it is a stray.
func role(r *rbacv1.Role) string {
	for _, rule := range r.Rules {
		has := func(list []string, one ...string) bool {
			return slices.ContainsFunc(list, func(s string) bool { return s == "*" || slices.Contains(one, s) })
		}
		switch {
		case has(rule.Verbs, "escalate", "bind", "impersonate"):
			return "allows " + strings.Join(rule.Verbs, ", ") + " on " + strings.Join(rule.Resources, ", ")
		case has(rule.Verbs, "create", "update", "patch", "delete", "deletecollection") && (slices.Contains(rule.Resources, "*") ||
			slices.Contains(rule.APIGroups, "*") || has(rule.APIGroups, rbacv1.GroupName) ||
			has(rule.Resources, "networkpolicies", "resourcequotas", "limitranges", "serviceaccounts/token")):
			return "allows changes to the project's fences"
		}
	}
	return ""
}

func service(s *corev1.Service, in Space) string {
	switch {
	case s.Spec.Type != "" && s.Spec.Type != corev1.ServiceTypeClusterIP:
		return "is of type " + string(s.Spec.Type)
	case len(s.Spec.ExternalIPs) > 0:
		return "takes the traffic of " + some(s.Spec.ExternalIPs)
	}
	return called(nil, s.Annotations, in)
}

func pod(p *corev1.Pod, in Space) string {
	if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return "" // it has ended
	}
	switch s := p.Spec; {
	case s.HostNetwork, s.HostPID, s.HostIPC:
		return "is on its node's network or among its processes"
	case slices.ContainsFunc(s.Volumes, func(v corev1.Volume) bool { return v.HostPath != nil }):
		return "has files of its node"
	}
	var images []string
	for _, c := range Containers(p) {
		if sc := c.SecurityContext; sc != nil {
			if sc.Privileged != nil && *sc.Privileged {
				return "has a privileged container, " + c.Name
			}
			if sc.Capabilities != nil && slices.ContainsFunc(sc.Capabilities.Add, func(c corev1.Capability) bool { return c != "NET_BIND_SERVICE" }) {
				return "has a container with more capabilities, " + c.Name
			}
		}
		if slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.HostPort != 0 }) {
			return "has a port of its node, by container " + c.Name
		}
		images = append(images, c.Image)
	}
	for _, v := range p.Spec.Volumes {
		if v.Image != nil {
			images = append(images, v.Image.Reference)
		}
	}
	images = slices.DeleteFunc(images, func(i string) bool { return may(i, in.Registries) })
	if len(images) > 0 {
		return "runs " + some(images) + ", which is of no registry of the project"
	}
	return ""
}

// Containers are all of a pod's.
func Containers(p *corev1.Pod) []corev1.Container {
	all := slices.Concat(p.Spec.Containers, p.Spec.InitContainers)
	for _, e := range p.Spec.EphemeralContainers {
		all = append(all, corev1.Container(e.EphemeralContainerCommon))
	}
	return all
}

// may reports whether an image is of one of some registries, as the admission
// policy freehold-project-images reads them.
func may(image string, registries []string) bool {
	return slices.ContainsFunc(registries, func(r string) bool {
		if strings.HasSuffix(r, "/") {
			return strings.HasPrefix(image, r)
		}
		return strings.HasPrefix(image, r+"/") || strings.Contains(r, "/") &&
			(image == r || strings.HasPrefix(image, r+":") || strings.HasPrefix(image, r+"@"))
	})
}

// some is the beginning of a list.
func some(all []string) string {
	const most = 3
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}
