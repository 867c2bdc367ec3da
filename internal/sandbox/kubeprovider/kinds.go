package kubeprovider

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// builtin reports whether a group is Kubernetes' own, whose kinds are in the tables below.
func builtin(group string) bool {
	switch group {
	case "", "apps", "batch", "autoscaling", "policy":
		return true
	}
	return strings.HasSuffix(group, ".k8s.io")
}

// clusterScoped are the built-in kinds that live in no namespace.
var clusterScoped = map[schema.GroupKind]bool{
	{Kind: "Namespace"}:        true,
	{Kind: "Node"}:             true,
	{Kind: "PersistentVolume"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicy"}:          true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicyBinding"}:   true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:     true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"}:        true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}:   true,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:                 true,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:                             true,
	{Group: "certificates.k8s.io", Kind: "CertificateSigningRequest"}:                 true,
	{Group: "certificates.k8s.io", Kind: "ClusterTrustBundle"}:                        true,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "FlowSchema"}:                       true,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "PriorityLevelConfiguration"}:       true,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                                true,
	{Group: "networking.k8s.io", Kind: "IPAddress"}:                                   true,
	{Group: "networking.k8s.io", Kind: "ServiceCIDR"}:                                 true,
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                                      true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                         true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                  true,
	{Group: "resource.k8s.io", Kind: "DeviceClass"}:                                   true,
	{Group: "resource.k8s.io", Kind: "ResourceSlice"}:                                 true,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                               true,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                                      true,
	{Group: "storage.k8s.io", Kind: "CSINode"}:                                        true,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                                   true,
	{Group: "storage.k8s.io", Kind: "VolumeAttachment"}:                               true,
	{Group: "storage.k8s.io", Kind: "VolumeAttributesClass"}:                          true,
}

// immutable are the properties that the API server does not let change: the
// object is made anew. Every kind's name, namespace and kind are among them.
var immutable = map[schema.GroupKind][]string{
	{Kind: "PersistentVolumeClaim"}: {"spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeMode", "spec.volumeName"},
	{Kind: "Secret"}:                {"type"},
	{Kind: "Service"}:               {"spec.clusterIP", "spec.clusterIPs"},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: {"spec.group", "spec.scope", "spec.names.plural"},
	{Group: "apps", Kind: "DaemonSet"}:                                {"spec.selector"},
	{Group: "apps", Kind: "Deployment"}:                               {"spec.selector"},
	{Group: "apps", Kind: "ReplicaSet"}:                               {"spec.selector"},
	{Group: "apps", Kind: "StatefulSet"}:                              {"spec.selector", "spec.serviceName", "spec.volumeClaimTemplates", "spec.podManagementPolicy"},
	{Group: "batch", Kind: "Job"}:                                     {"spec.selector", "spec.template", "spec.completionMode"},
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                {"spec.controller"},
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                      {"handler"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:  {"roleRef"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:         {"roleRef"},
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:               {"value", "preemptionPolicy"},
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                      {"spec.attachRequired", "spec.fsGroupPolicy", "spec.volumeLifecycleModes"},
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                   {"parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"},
	{Group: "storage.k8s.io", Kind: "VolumeAttributesClass"}:          {"parameters", "driverName"},
}

// replaces returns the properties whose change replaces an object of a kind.
// The data of ConfigMaps and Secrets is among them, as the genuine provider has
// it by default, so that what reads them notices.
func replaces(gk schema.GroupKind, c config) []string {
	paths := append([]string{"kind", "metadata.name", "metadata.namespace"}, immutable[gk]...)
	switch {
	case gk == schema.GroupKind{Kind: "ConfigMap"} && !c.configMapMutable:
		paths = append(paths, "data", "binaryData")
	case gk == schema.GroupKind{Kind: "Secret"} && !c.secretMutable:
		paths = append(paths, "data", "stringData")
	}
	return paths
}
