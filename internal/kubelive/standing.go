package kubelive

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	rbacGroup     = "rbac.authorization.k8s.io"
	systemSpace   = "kube-system"
	anAccount     = "ServiceAccount/" + systemSpace + "/"
	bindingSource = "https://github.com/kubernetes/kubernetes/blob/v1.35.4/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/"
)

// grant is a binding that every cluster has, and all that it gives to whom. A
// label that says whose it is proves nothing: anybody can write it.
type grant struct {
	// id is "name" of a ClusterRoleBinding, "namespace/name" of a RoleBinding.
	id string
	// role is "Kind/name".
	role string
	// subjects are "Kind/name", and "ServiceAccount/namespace/name".
	subjects []string
}

func clusterGrant(name, role string, subjects ...string) grant {
	return grant{name, "ClusterRole/" + role, subjects}
}

func systemGrant(name, role string, subjects ...string) grant {
	return grant{systemSpace + "/" + name, "Role/" + role, subjects}
}

// standing are the bindings of Kubernetes itself, of EKS, and of the add-ons that
// every org's cluster has.
var standing = slices.Concat(kubernetesGrants, controllerGrants(), eksGrants, addonGrants)

// kubernetesGrants is what the API server makes when it starts: policy.go and
// namespace_policy.go in bindingSource.
var kubernetesGrants = []grant{
	clusterGrant("cluster-admin", "cluster-admin", "Group/system:masters"),
	clusterGrant("system:basic-user", "system:basic-user", "Group/system:authenticated"),
	clusterGrant("system:discovery", "system:discovery", "Group/system:authenticated"),
	clusterGrant("system:kube-controller-manager", "system:kube-controller-manager", "User/system:kube-controller-manager"),
	clusterGrant("system:kube-dns", "system:kube-dns", anAccount+"kube-dns"),
	clusterGrant("system:kube-scheduler", "system:kube-scheduler", "User/system:kube-scheduler"),
	clusterGrant("system:monitoring", "system:monitoring", "Group/system:monitoring"),
	clusterGrant("system:node", "system:node"),
	clusterGrant("system:node-proxier", "system:node-proxier", "User/system:kube-proxy"),
	clusterGrant("system:public-info-viewer", "system:public-info-viewer", "Group/system:authenticated", "Group/system:unauthenticated"),
	clusterGrant("system:service-account-issuer-discovery", "system:service-account-issuer-discovery", "Group/system:serviceaccounts"),
	clusterGrant("system:volume-scheduler", "system:volume-scheduler", "User/system:kube-scheduler"),

	systemGrant("system::extension-apiserver-authentication-reader", "extension-apiserver-authentication-reader",
		"User/system:kube-controller-manager", "User/system:kube-scheduler"),
	systemGrant("system::leader-locking-kube-controller-manager", "system::leader-locking-kube-controller-manager",
		"User/system:kube-controller-manager", anAccount+"kube-controller-manager", anAccount+"leader-election-controller"),
	systemGrant("system::leader-locking-kube-scheduler", "system::leader-locking-kube-scheduler",
		"User/system:kube-scheduler", anAccount+"kube-scheduler"),
	systemGrant("system:controller:bootstrap-signer", "system:controller:bootstrap-signer", anAccount+"bootstrap-signer"),
	systemGrant("system:controller:cloud-provider", "system:controller:cloud-provider", anAccount+"cloud-provider"),
	systemGrant("system:controller:token-cleaner", "system:controller:token-cleaner", anAccount+"token-cleaner"),
}

// controllers each have a role and a binding called after them, some only behind
// a feature gate: controller_policy.go in bindingSource.
var controllers = []string{
	"attachdetach-controller", "certificate-controller", "clusterrole-aggregation-controller", "cronjob-controller",
	"daemon-set-controller", "deployment-controller", "device-taint-eviction-controller", "disruption-controller",
	"endpoint-controller", "endpointslice-controller", "endpointslicemirroring-controller", "ephemeral-volume-controller",
	"expand-controller", "generic-garbage-collector", "horizontal-pod-autoscaler", "job-controller",
	"kube-apiserver-serving-clustertrustbundle-publisher", "legacy-service-account-token-cleaner", "namespace-controller",
	"node-controller", "persistent-volume-binder", "pod-garbage-collector", "podcertificaterequestcleaner",
	"pv-protection-controller", "pvc-protection-controller", "replicaset-controller", "replication-controller",
	"resource-claim-controller", "resourcequota-controller", "root-ca-cert-publisher", "route-controller",
	"selinux-warning-controller", "service-account-controller", "service-cidrs-controller", "service-controller",
	"statefulset-controller", "storage-version-garbage-collector", "storage-version-migrator-controller",
	"ttl-after-finished-controller", "ttl-controller", "validatingadmissionpolicy-status-controller",
	"volumeattributesclass-protection-controller",
}

func controllerGrants() []grant {
	var out []grant
	for _, name := range controllers {
		out = append(out, clusterGrant("system:controller:"+name, "system:controller:"+name, anAccount+name))
	}
	return out
}

// eksGrants are the bindings of EKS's own parts that name somebody beside EKS's
// users. AWS documents whose they are by their names
// (https://docs.aws.amazon.com/eks/latest/userguide/default-roles-users.html);
// the roles and subjects are those that a cluster shows.
var eksGrants = []grant{
	clusterGrant("eks:cloud-provider-extraction-migration", "eks:cloud-provider-extraction-migration", "User/system:kube-controller-manager"),
	clusterGrant("eks:kube-proxy", "system:node-proxier", anAccount+"kube-proxy"),
	clusterGrant("eks:kube-proxy-fargate", "system:node-proxier", "Group/system:node-proxier"),
	clusterGrant("eks:kube-proxy-windows", "system:node-proxier", "Group/eks:kube-proxy-windows"),
	clusterGrant("eks:node-bootstrapper", "eks:node-bootstrapper", "Group/system:bootstrappers", "Group/system:nodes"),
	clusterGrant("eks:tagging-controller", "eks:tagging-controller", anAccount+"tagging-controller"),
	clusterGrant("vpc-resource-controller-rolebinding", "vpc-resource-controller-role", anAccount+"eks-vpc-resource-controller"),
	systemGrant("eks-vpc-resource-controller-rolebinding", "eks-vpc-resource-controller-role", anAccount+"eks-vpc-resource-controller"),
}

// addonGrants are those of the add-ons of components/cluster.
var addonGrants = []grant{
	// https://github.com/aws/amazon-vpc-cni-k8s/blob/master/config/master/aws-k8s-cni.yaml
	clusterGrant("aws-node", "aws-node", anAccount+"aws-node"),
	// https://github.com/coredns/deployment/blob/master/kubernetes/coredns.yaml.sed
	clusterGrant("system:coredns", "system:coredns", anAccount+"coredns"),
	// https://github.com/kubernetes-sigs/aws-ebs-csi-driver/tree/master/deploy/kubernetes/base
	clusterGrant("ebs-csi-attacher-binding", "ebs-external-attacher-role", anAccount+"ebs-csi-controller-sa"),
	clusterGrant("ebs-csi-provisioner-binding", "ebs-external-provisioner-role", anAccount+"ebs-csi-controller-sa"),
	clusterGrant("ebs-csi-resizer-binding", "ebs-external-resizer-role", anAccount+"ebs-csi-controller-sa"),
	clusterGrant("ebs-csi-snapshotter-binding", "ebs-external-snapshotter-role", anAccount+"ebs-csi-controller-sa"),
	clusterGrant("ebs-csi-node-getter-binding", "ebs-csi-node-role", anAccount+"ebs-csi-node-sa"),
	systemGrant("ebs-csi-leases-rolebinding", "ebs-csi-leases-role", anAccount+"ebs-csi-controller-sa"),
}

// standingGrant is the binding of the cluster itself that has this id and role.
func standingGrant(id, role string) (grant, bool) {
	i := slices.IndexFunc(standing, func(g grant) bool { return g.id == id && g.role == role })
	if i < 0 {
		return grant{}, false
	}
	return standing[i], true
}

// subjectOf is a subject as a grant has it.
func subjectOf(subject any) string {
	s, _ := subject.(map[string]any)
	text := func(key string) string { v, _ := s[key].(string); return v }
	if text("kind") == "ServiceAccount" {
		return text("kind") + "/" + text("namespace") + "/" + text("name")
	}
	return text("kind") + "/" + text("name")
}

func roleOf(binding *unstructured.Unstructured) string {
	kind, _, _ := unstructured.NestedString(binding.Object, "roleRef", "kind")
	name, _, _ := unstructured.NestedString(binding.Object, "roleRef", "name")
	return kind + "/" + name
}

// gains reports whether a subject has more by a role than it has without any
// binding. Nobody but EKS can be one of its users: neither an access entry nor an
// identity provider may begin a name so, and EKS signs no client certificate.
// https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
func (s Sought) gains(subject, role string) bool {
	switch {
	case strings.HasPrefix(subject, "User/eks:"):
		return false
	case subject == "Group/system:masters", subject == "Group/"+s.Administrators:
		return false
	case subject == "Group/"+s.Readers && role == "ClusterRole/view":
		// AmazonEKSViewPolicy, which their access entry has.
		// https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
		return false
	}
	return true
}

// everybodysRoles are what Kubernetes gives to everybody, with all that is in
// them: cluster-roles.yaml in bindingSource. What somebody adds to one of them,
// everybody has.
var everybodysRoles = map[string][]map[string][]string{
	"system:basic-user": {
		{"apiGroups": {"authorization.k8s.io"}, "resources": {"selfsubjectaccessreviews", "selfsubjectrulesreviews"}, "verbs": {"create"}},
		{"apiGroups": {"authentication.k8s.io"}, "resources": {"selfsubjectreviews"}, "verbs": {"create"}},
	},
	"system:discovery": {{
		"nonResourceURLs": {"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"},
		"verbs":           {"get"},
	}},
	"system:public-info-viewer": {{"nonResourceURLs": {"/healthz", "/livez", "/readyz", "/version", "/version/"}, "verbs": {"get"}}},
	"system:service-account-issuer-discovery": {{
		"nonResourceURLs": {"/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/"},
		"verbs":           {"get"},
	}},
}

// within reports whether a rule of a role gives no more than one of these.
func within(rule any, known []map[string][]string) bool {
	r, ok := rule.(map[string]any)
	if !ok {
		return false
	}
	return slices.ContainsFunc(known, func(k map[string][]string) bool {
		for part, v := range r {
			list, _ := v.([]any)
			for _, e := range list {
				text, _ := e.(string)
				if !slices.Contains(k[part], text) {
					return false
				}
			}
		}
		return true
	})
}

// eksHooks are the webhooks that EKS itself runs beside the API server, which is
// why their address is the API server's own machine.
// https://github.com/aws/amazon-eks-pod-identity-webhook
// https://github.com/aws/amazon-vpc-resource-controller-k8s
var eksHooks = []string{
	"pod-identity-webhook", "vpc-resource-mutating-webhook", "vpc-resource-validating-webhook",
	"0500-amazon-eks-fargate-mutation.amazonaws.com",
}

// eksHook reports whether a webhook configuration is one of EKS's own.
func eksHook(o *unstructured.Unstructured) bool {
	hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
	return slices.Contains(eksHooks, o.GetName()) && !slices.ContainsFunc(hooks, func(h any) bool {
		hook, _ := h.(map[string]any)
		url, _, _ := unstructured.NestedString(hook, "clientConfig", "url")
		return !strings.HasPrefix(url, "https://127.0.0.1:") && !strings.HasPrefix(url, "https://localhost:")
	})
}

// eksMetrics is the API by which EKS shows its control plane's metrics.
// https://docs.aws.amazon.com/eks/latest/userguide/view-raw-metrics.html
const eksMetrics, eksMetricsService = "v1.metrics.eks.amazonaws.com", systemSpace + "/eks-extension-metrics-api"

// servedBy is the service that an APIService sends requests to; empty: the API
// server answers them itself.
func servedBy(o *unstructured.Unstructured) string {
	name, _, _ := unstructured.NestedString(o.Object, "spec", "service", "name")
	namespace, _, _ := unstructured.NestedString(o.Object, "spec", "service", "namespace")
	if name == "" {
		return ""
	}
	return namespace + "/" + name
}

// defaultClass reports whether volumes that name no class are of this one.
// https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass
func defaultClass(o *unstructured.Unstructured) bool {
	return o.GetAnnotations()["storageclass.kubernetes.io/is-default-class"] == "true" ||
		o.GetAnnotations()["storageclass.beta.kubernetes.io/is-default-class"] == "true"
}
