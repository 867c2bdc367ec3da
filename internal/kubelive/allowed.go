package kubelive

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// allowance is a field that the cluster's own controllers write.
type allowance struct {
	kind schema.GroupKind // zero: of every object
	path fieldpath.Path
	// below is true when everything below the field is meant.
	below bool
	// by is who writes it.
	by string
}

// allowances are all that may be in an object beside what was asked for. They go
// by the field, and not by who is on record for it: a manager's name is what its
// client says it is, and proves nothing.
var allowances = []allowance{
	// What a status says is nobody's wish.
	{path: field("status"), below: true, by: "the controller of each kind"},
	{path: field("metadata", "managedFields"), below: true, by: "kube-apiserver"},
	{path: field("metadata", "uid"), by: "kube-apiserver"},
	{path: field("metadata", "resourceVersion"), by: "kube-apiserver"},
	{path: field("metadata", "generation"), by: "kube-apiserver"},
	{path: field("metadata", "creationTimestamp"), by: "kube-apiserver"},
	{path: field("metadata", "selfLink"), by: "kube-apiserver"},
	// https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name
	{kind: schema.GroupKind{Kind: "Namespace"}, path: field("metadata", "labels", "kubernetes.io/metadata.name"), by: "kube-apiserver"},
	// https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/#NamespaceSpec
	{kind: schema.GroupKind{Kind: "Namespace"}, path: field("spec", "finalizers"), below: true, by: "kube-apiserver"},
	// kubernetes/kubernetes, pkg/controller/deployment/util/deployment_util.go, RevisionAnnotation
	{kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}, path: field("metadata", "annotations", "deployment.kubernetes.io/revision"), by: "kube-controller-manager"},
	// EKS removes its rules from the nodes before the policy goes
	// (aws/aws-network-policy-agent, issue 568).
	{
		kind: schema.GroupKind{Group: "networking.k8s.io", Kind: "NetworkPolicy"},
		path: fieldpath.MakePathOrDie("metadata", "finalizers", fieldpath.ValueElement(value.NewValueInterface("networking.k8s.aws/resources"))), by: "EKS's network policy controller",
	},
	// internal/controller, which waits with a project until its namespace is gone.
	{
		kind: schema.GroupKind{Group: "freehold.dev", Kind: "Project"},
		path: fieldpath.MakePathOrDie("metadata", "finalizers", fieldpath.ValueElement(value.NewValueInterface("freehold.dev/namespace"))), by: "the namespace controller",
	},
}

func field(names ...any) fieldpath.Path { return fieldpath.MakePathOrDie(names...) }

// allowed reports whether the cluster itself writes a field of a kind.
func allowed(kind schema.GroupKind, path fieldpath.Path) bool {
	for _, a := range allowances {
		if a.kind != (schema.GroupKind{}) && a.kind != kind {
			continue
		}
		if path.Equals(a.path) || a.below && len(path) > len(a.path) && path[:len(a.path)].Equals(a.path) {
			return true
		}
	}
	return false
}
