package strays

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

func TestWhatCountsBesideAProject(t *testing.T) {
	in := Space{Name: "shop", Registries: []string{"1.dkr.ecr.example/", "quay.io/acme/tools", "registry.example"}}
	admin := rbacv1.RoleRef{Kind: "ClusterRole", Name: "cluster-admin"}
	everywhere := func(s ...rbacv1.Subject) *rbacv1.ClusterRoleBinding {
		return &rbacv1.ClusterRoleBinding{RoleRef: admin, Subjects: s}
	}
	rules := func(groups, resources, verbs []string) *rbacv1.Role {
		return &rbacv1.Role{Rules: []rbacv1.PolicyRule{{APIGroups: groups, Resources: resources, Verbs: verbs}}}
	}
	pod := func(image string, change func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: image}}}}
		if change != nil {
			change(p)
		}
		return p
	}
	const own = "1.dkr.ecr.example/app"
	for _, c := range []struct {
		what, want string
		o          any
	}{
		{"a binding to a person", "gives ClusterRole/cluster-admin to User eve", &rbacv1.RoleBinding{RoleRef: admin, Subjects: []rbacv1.Subject{{Kind: "User", Name: "eve"}}}},
		{"a binding to nobody", "", &rbacv1.RoleBinding{RoleRef: admin}},
		{"rights in the cluster for its service account", "gives ClusterRole/cluster-admin to ServiceAccount shop/web in the whole cluster", everywhere(rbacv1.Subject{Kind: "ServiceAccount", Namespace: "shop", Name: "web"})},
		{"rights in the cluster for all of its pods", "gives ClusterRole/cluster-admin to Group system:serviceaccounts:shop in the whole cluster", everywhere(rbacv1.Subject{Kind: "Group", Name: "system:serviceaccounts:shop"})},
		{"rights in the cluster for its service account by its user name", "gives ClusterRole/cluster-admin to User system:serviceaccount:shop:web in the whole cluster", everywhere(rbacv1.Subject{Kind: "User", Name: "system:serviceaccount:shop:web"})},
		{"rights in the cluster for another namespace whose name begins like it", "", everywhere(rbacv1.Subject{Kind: "Group", Name: "system:serviceaccounts:shop-two"}, rbacv1.Subject{Kind: "User", Name: "system:serviceaccount:shop-two:web"})},
		{"rights in the cluster for administrators", "", everywhere(rbacv1.Subject{Kind: "Group", Name: "platform-team"})},
		{"a role that escalates", "allows escalate on roles", rules([]string{rbacv1.GroupName}, []string{"roles"}, []string{"escalate"})},
		{"a role that does everything", "allows * on *", rules([]string{"*"}, []string{"*"}, []string{"*"})},
		{"a role that writes network policies", "allows changes to the project's fences", rules([]string{"networking.k8s.io"}, []string{"networkpolicies"}, []string{"create"})},
		{"a role that reads config maps", "", rules([]string{""}, []string{"configmaps"}, []string{"get", "list"})},
		{"a policy with a way out", "lets traffic through", &networkingv1.NetworkPolicy{Spec: networkingv1.NetworkPolicySpec{Egress: []networkingv1.NetworkPolicyEgressRule{{}}}}},
		{"a policy with a way in", "lets traffic through", &networkingv1.NetworkPolicy{Spec: networkingv1.NetworkPolicySpec{Ingress: []networkingv1.NetworkPolicyIngressRule{{}}}}},
		{"a policy that denies", "", &networkingv1.NetworkPolicy{Spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{"Ingress", "Egress"}}}},
		{"a load balancer", "is of type LoadBalancer", &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}}},
		{"a node port", "is of type NodePort", &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort}}},
		{"an external name", "is of type ExternalName", &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName}}},
		{"external addresses", "takes the traffic of 192.0.2.1", &corev1.Service{Spec: corev1.ServiceSpec{ExternalIPs: []string{"192.0.2.1"}}}},
		{"a service inside the cluster", "", &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP}}},
		{"another quota", "changes what the project may use", &corev1.ResourceQuota{}},
		{"other limits", "changes what its containers get", &corev1.LimitRange{}},
		{"the org's own image", "", pod(own, nil)},
		{"a repository with a tag", "", pod("quay.io/acme/tools:v1", nil)},
		{"a repository with a digest", "", pod("quay.io/acme/tools@sha256:aa", nil)},
		{"a repository whose name goes on", "runs quay.io/acme/tools-evil, which is of no registry of the project", pod("quay.io/acme/tools-evil", nil)},
		{"a host whose name goes on", "runs registry.example.evil.com/x, which is of no registry of the project", pod("registry.example.evil.com/x", nil)},
		{"a foreign image that has ended", "", pod("evil.example/x", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })},
		{"a foreign image in a container for debugging", "runs busybox, which is of no registry of the project", pod(own, func(p *corev1.Pod) {
			p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Image: "busybox"}}}
		})},
		{"a foreign image before the others", "runs busybox, which is of no registry of the project", pod(own, func(p *corev1.Pod) { p.Spec.InitContainers = []corev1.Container{{Image: "busybox"}} })},
		{"a foreign image as a volume", "runs busybox, which is of no registry of the project", pod(own, func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: "busybox"}}}}
		})},
		{"the node's network", "is on its node's network or among its processes", pod(own, func(p *corev1.Pod) { p.Spec.HostNetwork = true })},
		{"the node's files", "has files of its node", pod(own, func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
		})},
		{"a privileged container", "has a privileged container, c", pod(own, func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
		})},
		{"more capabilities", "has a container with more capabilities, c", pod(own, func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"SYS_ADMIN"}}}
		})},
		{"a port of the node", "has a port of its node, by container c", pod(own, func(p *corev1.Pod) { p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: 80}} })},
		{"settings", "", &corev1.ConfigMap{}},
	} {
		t.Run(c.what, func(t *testing.T) {
			if got := Why(c.o, in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
