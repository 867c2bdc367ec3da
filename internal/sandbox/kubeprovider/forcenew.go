package kubeprovider

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// replacing are the properties whose change replaces an object, as the official
// provider has them (provider/pkg/provider/diff.go, forceNew). Whatever else the
// API server does not let change is an error of the update: a StorageClass's
// reclaimPolicy is one.
var replacing = map[schema.GroupKind][]string{
	{Kind: "PersistentVolume"}: fieldsOfSpec(
		"awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
		"gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume",
		"quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
	),
	{Kind: "PersistentVolumeClaim"}: fieldsOfSpec("accessModes", "selector", "storageClassName", "volumeName"),
	{Kind: "Pod"}: append(fieldsOfSpec(
		"affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases", "hostIPC",
		"hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead", "preemptionPolicy",
		"priority", "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName", "schedulerName",
		"securityContext", "serviceAccount", "serviceAccountName", "shareProcessNamespace", "subdomain",
		"terminationGracePeriodSeconds", "volumes",
	), containerFields("spec.containers", "spec.initContainers")...),
	{Kind: "ResourceQuota"}: {"spec.scopes"},
	secretKind:              {"type"},
	{Kind: "Service"}:       {"spec.clusterIP"},
	daemonSetKind:           {"spec.selector"},
	deploymentKind:          {"spec.selector"},
	statefulSetKind: fieldsOfSpec(
		"podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName", "volumeClaimTemplates",
	),
	jobKind: fieldsOfSpec("completions", "parallelism", "selector", "template"),
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: {"roleRef"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        {"roleRef"},
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                  {"parameters", "provisioner"},
}

func fieldsOfSpec(names ...string) []string {
	var paths []string
	for _, n := range names {
		paths = append(paths, "spec."+n)
	}
	return paths
}

func containerFields(lists ...string) []string {
	var paths []string
	for _, list := range lists {
		for field := range strings.FieldsSeq("args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe " +
			"resources securityContext stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices " +
			"volumeMounts workingDir") {
			paths = append(paths, list+"."+field)
		}
	}
	return paths
}

// forceNew returns the properties whose change replaces an object: its name and
// namespace, those of its kind, and the data of a ConfigMap or Secret, so that
// what reads them notices. A kind is not among them: it is in the type, and so
// in the URN.
func forceNew(object map[string]any, c config) []string {
	paths := []string{"metadata.name", "metadata.namespace"}
	frozen, _, _ := unstructured.NestedBool(object, "immutable")
	switch gk := kindOf(object).GroupKind(); {
	case gk == secretKind && (!c.secretMutable || frozen):
		return append(paths, "type", "stringData", "data")
	case gk == configMapKind && (!c.configMapMutable || frozen):
		return append(paths, "binaryData", "data")
	default:
		return append(paths, replacing[gk]...)
	}
}
