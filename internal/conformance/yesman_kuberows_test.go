package conformance_test

import (
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const (
	configMapToken    = "kubernetes:core/v1:ConfigMap"
	namespaceToken    = "kubernetes:core/v1:Namespace"
	secretToken       = "kubernetes:core/v1:Secret"
	serviceToken      = "kubernetes:core/v1:Service"
	claimToken        = "kubernetes:core/v1:PersistentVolumeClaim"
	deploymentToken   = "kubernetes:apps/v1:Deployment"
	statefulSetToken  = "kubernetes:apps/v1:StatefulSet"
	daemonSetToken    = "kubernetes:apps/v1:DaemonSet"
	jobToken          = "kubernetes:batch/v1:Job"
	clusterRoleToken  = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
	roleBindingToken  = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
	storageClassToken = "kubernetes:storage.k8s.io/v1:StorageClass"
	definitionToken   = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
)

func configMapOf(data props, more ...string) props {
	return props{"apiVersion": "v1", "kind": "ConfigMap", "metadata": marked("$x", more...), "data": data}
}

// marked is metadata with annotations, name after value.
func marked(name string, annotations ...string) props {
	m := props{"name": name, "namespace": "$ns"}
	if len(annotations) > 0 {
		all := props{}
		for i := 0; i < len(annotations); i += 2 {
			all[annotations[i]] = annotations[i+1]
		}
		m["annotations"] = all
	}
	return m
}

func labelled(labels props) props {
	return props{"apiVersion": "v1", "kind": "Namespace", "metadata": props{"name": "$x", "labels": labels}}
}

func clusterRoleOf(verbs ...any) props {
	return props{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": props{"name": "$x"},
		"rules": []any{props{"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": verbs}}}
}

func roleBindingOf(role string) props {
	return props{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": props{"name": "$x"},
		"roleRef": props{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}}
}

func classOf(parameter, policy string) props {
	return props{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": props{"name": "$x"}, "provisioner": "example.com/none",
		"parameters": props{"type": parameter}, "reclaimPolicy": policy}
}

// workloadOf is something with pods, which nobody runs here.
func workloadOf(version, kind, app, image string, annotations ...string) props {
	spec := props{
		"selector": props{"matchLabels": props{"app": app}},
		"template": props{"metadata": props{"labels": props{"app": app}}, "spec": props{"containers": []any{props{"name": "c", "image": image}}}},
	}
	switch kind {
	case "Job":
		delete(spec, "selector")
		spec["template"].(props)["spec"].(props)["restartPolicy"] = "Never"
	case "StatefulSet":
		spec["serviceName"] = "s"
	}
	return props{"apiVersion": version, "kind": kind, "metadata": marked("$x", annotations...), "spec": spec}
}

func waited(annotations ...string) []string {
	return append([]string{"pulumi.com/skipAwait", "true"}, annotations...)
}

const conflictWords = `server-side apply field conflict detected, see https://www\.pulumi\.com/\S+ for troubleshooting help\n` +
	`The resource managed by field manager "[a-z0-9-]+" had an apply conflict: Apply failed with 1 conflict: conflict with "%s"( using v1)?: \.data\.k`

var kubeRows = []kubeRow{
	// Check
	{name: "a namespaced object without a namespace is in default", typ: configMapToken, do: "check",
		with: props{"apiVersion": "v1", "kind": "ConfigMap", "metadata": props{"name": "x"}},
		want: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"default"}}`},
	{name: "a cluster's object is in none", typ: clusterRoleToken, do: "check",
		with: props{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": props{"name": "x"}},
		want: `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"x"}}`},
	{name: "a missing name is made up, and marked", typ: namespaceToken, do: "check",
		with: props{"apiVersion": "v1", "kind": "Namespace", "metadata": props{}},
		want: `{"apiVersion":"v1","kind":"Namespace","metadata":{"annotations":{"pulumi.com/autonamed":"true"},"name":"x-[0-9a-f]{8}"}}`},
	{name: "a name that nobody may make up", typ: namespaceToken, do: "check",
		with: props{"apiVersion": "v1", "kind": "Namespace", "metadata": props{}},
		auto: &pulumirpc.CheckRequest_AutonamingOptions{Mode: pulumirpc.CheckRequest_AutonamingOptions_DISABLE},
		want: `error: autonaming is disabled, resource requires the \.metadata\.name field to be set`},
	{name: "a name that the engine proposes", typ: namespaceToken, do: "check",
		with: props{"apiVersion": "v1", "kind": "Namespace", "metadata": props{}},
		auto: &pulumirpc.CheckRequest_AutonamingOptions{Mode: pulumirpc.CheckRequest_AutonamingOptions_PROPOSE, ProposedName: "mine"},
		want: `.*"name":"mine".*`},
	{name: "generateName", typ: configMapToken, do: "check",
		with: props{"apiVersion": "v1", "kind": "ConfigMap", "metadata": props{"generateName": "x-", "namespace": "$ns"}},
		want: "error: the `\\.metadata\\.generateName` field is not supported in Server-Side Apply mode"},
	{name: "a list of objects", typ: "kubernetes:core/v1:ConfigMapList", do: "check",
		with: props{"apiVersion": "v1", "kind": "ConfigMapList", "items": []any{}},
		want: `error: list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created directly.*`},
	{name: "a field that the kind does not have is dropped", typ: configMapToken, do: "check",
		with: props{"apiVersion": "v1", "kind": "ConfigMap", "metadata": props{"name": "x", "namespace": "$ns"}, "daat": props{"k": "v"}},
		want: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"yes-[a-z]+"}}`},
	{name: "a quantity is written as the server would", typ: claimToken, do: "check",
		with: props{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": marked("x"), "spec": props{"resources": props{"requests": props{"storage": "1024Mi"}}}},
		want: `.*"storage":"1Gi".*`},
	{name: "a secret's text is data", typ: secretToken, do: "check",
		with: props{"apiVersion": "v1", "kind": "Secret", "metadata": marked("x"), "stringData": props{"p": "x"}, "data": props{"q": "eQ=="}},
		want: `{"apiVersion":"v1","data":{"p":"eA==","q":"eQ=="},"kind":"Secret","metadata":{"name":"x","namespace":"yes-[a-z]+"}}`},
	{name: "a definition without a group", typ: definitionToken, do: "check",
		with: props{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": props{"name": "x"}, "spec": props{}},
		want: `error: expected \.spec\.group`},
	{name: "what the server makes is not asked for", typ: namespaceToken, do: "check",
		with: props{"apiVersion": "v1", "kind": "Namespace", "metadata": props{"name": "x", "uid": "1", "resourceVersion": "2", "generation": 3}},
		want: `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"x"}}`},
	{name: "a custom kind of which nobody knows is taken for a namespaced one", typ: "kubernetes:example.com/v1:Thing", do: "check",
		with: props{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": props{"name": "x"}},
		want: `{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"x","namespace":"default"}}`},

	// Create
	{name: "a right object", typ: configMapToken, do: "create", with: configMapOf(props{"k": "v"}), want: `made yes-[a-z]+/.*`},
	{name: "a preview has no id", typ: configMapToken, do: "preview", with: configMapOf(props{"k": "v"}), want: `made `},
	{name: "a preview in a namespace that is to be", typ: configMapToken, do: "preview",
		with: props{"apiVersion": "v1", "kind": "ConfigMap", "metadata": props{"name": "x", "namespace": "not-yet"}}, want: `made `},
	{name: "a preview of a kind that is to be", typ: "kubernetes:example.com/v1:Thing", do: "preview",
		with: props{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": props{"name": "x"}}, want: `made `},
	{name: "a name that is none", typ: configMapToken, do: "preview",
		with: props{"apiVersion": "v1", "kind": "ConfigMap", "metadata": props{"name": "NOT_A_NAME", "namespace": "$ns"}},
		want: `error: resource "urn:.*" was not successfully created by the Kubernetes API server: .*"NOT_A_NAME" is invalid.*`},
	{name: "a value of the wrong type", typ: configMapToken, do: "create",
		with: props{"apiVersion": "v1", "kind": "ConfigMap", "metadata": marked("$x"), "data": "text"},
		want: `error: resource "urn:.*" was not successfully created by the Kubernetes API server: .*\.data: expected map.*`},
	{name: "what somebody made with kubectl and another value", typ: configMapToken, do: "create",
		hand: byHand{manager: "kubectl-create", create: configMapOf(props{"k": "theirs"})}, with: configMapOf(props{"k": "ours"}),
		want: `error: resource "urn:.*" was not successfully created by the Kubernetes API server: ` + fmt.Sprintf(conflictWords, "kubectl-create")},
	{name: "what somebody made and is the same", typ: configMapToken, do: "create",
		hand: byHand{manager: "kubectl-create", create: configMapOf(props{"k": "ours"})}, with: configMapOf(props{"k": "ours"}), want: `made yes-[a-z]+/.*`},
	{name: "a preview does not see that conflict", typ: configMapToken, do: "preview",
		hand: byHand{manager: "kubectl-create", create: configMapOf(props{"k": "theirs"})}, with: configMapOf(props{"k": "ours"}), want: `made `},
	{name: "what somebody made, by force", typ: configMapToken, do: "create",
		hand: byHand{manager: "kubectl-create", create: configMapOf(props{"k": "theirs"})}, with: configMapOf(props{"k": "ours"}, "pulumi.com/patchForce", "true"),
		want: `made yes-[a-z]+/.*`},

	{name: "a version that Kubernetes removed", typ: "kubernetes:apps/v1beta1:Deployment", do: "create", with: workloadOf("apps/v1beta1", "Deployment", "a", "i"),
		want: `error: resource "urn:.*" was not successfully created by the Kubernetes API server: apiVersion "apps/v1beta1/Deployment" was removed in Kubernetes 1\.16\. Use "apps/v1/Deployment" instead\..*`},

	// Await
	{name: "a deployment that nobody rolls out", typ: deploymentToken, do: "create", with: workloadOf("apps/v1", "Deployment", "a", "i"), seconds: 1,
		want: `kept: resource "urn:.*" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: '.*' timed out waiting to be Ready \| .*Minimum number of live Pods was not attained.*`},
	{name: "the time in an annotation", typ: deploymentToken, do: "create", with: workloadOf("apps/v1", "Deployment", "a", "i", "pulumi.com/timeoutSeconds", "1"),
		want: `kept: .*timed out waiting to be Ready.*`},
	{name: "a deployment that is not waited for", typ: deploymentToken, do: "create", with: workloadOf("apps/v1", "Deployment", "a", "i", waited()...), want: `made yes-[a-z]+/.*`},
	{name: "a stateful set that nobody rolls out", typ: statefulSetToken, do: "create", with: workloadOf("apps/v1", "StatefulSet", "a", "i"), seconds: 1,
		want: `kept: .*timed out waiting to be Ready \| 0 out of .* replicas succeeded readiness checks.*`},
	{name: "a job that nobody starts", typ: jobToken, do: "create", with: workloadOf("batch/v1", "Job", "a", "i"), seconds: 1,
		want: `kept: .*timed out waiting to be Ready.*`},
	{name: "a daemon set that nobody rolls out", typ: daemonSetToken, do: "create", with: workloadOf("apps/v1", "DaemonSet", "a", "i"), seconds: 1,
		want: `kept: .*timed out waiting for the condition.*`},
	{name: "a claim that waits for a pod", typ: claimToken, do: "create",
		with: props{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": marked("$x"), "spec": props{"storageClassName": "late-$who", "accessModes": []any{"ReadWriteOnce"},
			"resources": props{"requests": props{"storage": "1Gi"}}}}, want: `made yes-[a-z]+/.*`},
	{name: "a service without a selector", typ: serviceToken, do: "create",
		with: props{"apiVersion": "v1", "kind": "Service", "metadata": marked("$x"), "spec": props{"ports": []any{props{"port": 80}}}}, want: `made yes-[a-z]+/.*`},
	{name: "a condition of the program's own", typ: configMapToken, do: "create", with: configMapOf(props{"k": "v"}, "pulumi.com/waitFor", "jsonpath={.data.k}=v"), seconds: 5,
		want: `made yes-[a-z]+/.*`},
	{name: "a condition that does not come true", typ: configMapToken, do: "create", with: configMapOf(props{"k": "v"}, "pulumi.com/waitFor", "condition=Ready"), seconds: 1,
		want: `kept: .*timed out waiting for the condition`},

	// Diff
	{name: "nothing changed", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "diff", want: `same`},
	{name: "a name", typ: namespaceToken, given: labelled(props{"a": "b"}), do: "diff", with: props{"apiVersion": "v1", "kind": "Namespace", "metadata": props{"name": "other-$x", "labels": props{"a": "b"}}},
		want: `UPDATE_REPLACE metadata\.name`},
	{name: "data of a config map", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "diff", with: configMapOf(props{"k": "w"}), want: `UPDATE_REPLACE data\.k; delete first`},
	{name: "more data of a config map", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "diff", with: configMapOf(props{"k": "v", "l": "w"}), want: `ADD_REPLACE data\.l; delete first`},
	{name: "a label that goes", typ: namespaceToken, given: labelled(props{"a": "b", "c": "d"}), do: "diff", with: labelled(props{"a": "b"}), want: `DELETE metadata\.labels\.c`},
	{name: "a label with a domain", typ: namespaceToken, given: labelled(props{"a.example.com/b": "c"}), do: "diff", with: labelled(props{"a.example.com/b": "d"}),
		want: `UPDATE metadata\.labels\["a\.example\.com/b"\]`},
	{name: "what is ignored", typ: namespaceToken, given: labelled(props{"a": "b"}), do: "diff", with: labelled(props{"a": "c"}), ignore: []string{"metadata.labels.a"}, want: `same`},
	{name: "a binding's role", typ: roleBindingToken, given: roleBindingOf("a"), do: "diff", with: roleBindingOf("b"), want: `UPDATE_REPLACE roleRef\.name; delete first`},
	{name: "a class's parameter", typ: storageClassToken, given: classOf("gp2", "Delete"), do: "diff", with: classOf("gp3", "Delete"), want: `UPDATE_REPLACE parameters\.type; delete first`},
	{name: "a class's policy is not known to be immutable", typ: storageClassToken, given: classOf("gp2", "Delete"), do: "diff", with: classOf("gp2", "Retain"), want: `UPDATE reclaimPolicy`},
	{name: "a deployment's selector", typ: deploymentToken, given: workloadOf("apps/v1", "Deployment", "a", "i", waited()...), do: "diff", with: workloadOf("apps/v1", "Deployment", "b", "i", waited()...),
		want: `UPDATE_REPLACE spec\.selector\.matchLabels\.app; UPDATE spec\.template\.metadata\.labels\.app; delete first`},
	{name: "a deployment's image", typ: deploymentToken, given: workloadOf("apps/v1", "Deployment", "a", "i", waited()...), do: "diff", with: workloadOf("apps/v1", "Deployment", "a", "j", waited()...),
		want: `UPDATE spec\.template\.spec\.containers\[0\]\.image`},
	{name: "a job's image", typ: jobToken, given: workloadOf("batch/v1", "Job", "a", "i", waited()...), do: "diff", with: workloadOf("batch/v1", "Job", "a", "j", waited()...),
		want: `UPDATE_REPLACE spec\.template\.spec\.containers\[0\]\.image; delete first`},
	{name: "a rule's verbs", typ: clusterRoleToken, given: clusterRoleOf("get", "list"), do: "diff", with: clusterRoleOf("get"), want: `DELETE rules\[0\]\.verbs\[1\]`},

	// Refresh
	{name: "an edit by hand", typ: configMapToken, given: configMapOf(props{"k": "v"}), hand: byHand{manager: "kubectl-edit", patch: `{"data":{"k":"theirs"}}`}, do: "refresh",
		want: `UPDATE_REPLACE data\.k; delete first`},
	{name: "data that somebody adds is invisible", typ: configMapToken, given: configMapOf(props{"k": "v"}), hand: byHand{manager: "kubectl-edit", patch: `{"data":{"l":"theirs"}}`}, do: "refresh", want: `same`},
	{name: "a label that somebody adds is invisible", typ: namespaceToken, given: labelled(props{"a": "b"}), hand: byHand{manager: "kubectl-label", patch: `{"metadata":{"labels":{"c":"d"}}}`}, do: "refresh", want: `same`},
	{name: "a label that somebody takes away", typ: namespaceToken, given: labelled(props{"a": "b", "c": "d"}), hand: byHand{manager: "kubectl-label", patch: `{"metadata":{"labels":{"c":null}}}`}, do: "refresh",
		want: `ADD metadata\.labels\.c`},
	{name: "a rule that somebody adds is invisible", typ: clusterRoleToken, given: clusterRoleOf("get"),
		hand: byHand{manager: "kubectl-edit", patch: `{"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]},{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}`}, do: "refresh", want: `same`},
	{name: "a rule that somebody puts before ours", typ: clusterRoleToken, given: clusterRoleOf("get"),
		hand: byHand{manager: "kubectl-edit", patch: `{"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]},{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}`}, do: "refresh",
		want: `UPDATE rules\[0\]\.apiGroups\[0\]; UPDATE rules\[0\]\.resources\[0\]; UPDATE rules\[0\]\.verbs\[0\]`},
	{name: "a deleted object", typ: configMapToken, given: configMapOf(props{"k": "v"}), hand: byHand{patch: "-"}, do: "refresh", want: `gone`},

	// Update
	{name: "a preview over what kubectl wrote", typ: configMapToken, given: configMapOf(props{"k": "v"}), hand: byHand{manager: "kubectl-label", patch: `{"data":{"k":"theirs"}}`}, do: "preview of an update",
		want: `kept: the Kubernetes API server reported that ".*" failed to fully initialize or become live: ` + fmt.Sprintf(conflictWords, "kubectl-label")},
	{name: "an update over what kubectl wrote takes all of it", typ: configMapToken, given: configMapOf(props{"k": "v"}), hand: byHand{manager: "kubectl-label", patch: `{"data":{"k":"theirs","l":"theirs"}}`}, do: "update",
		want: `{"data":{"k":"v"},"labels":null}`},
	{name: "an update over what a controller wrote", typ: configMapToken, given: configMapOf(props{"k": "v"}), hand: byHand{manager: "flux", patch: `{"data":{"k":"theirs"}}`}, do: "update",
		want: `kept: the Kubernetes API server reported that ".*" failed to fully initialize or become live: ` + fmt.Sprintf(conflictWords, "flux")},
	{name: "an update by force takes what is ours", typ: configMapToken, given: configMapOf(props{"k": "v"}, "pulumi.com/patchForce", "true"),
		hand: byHand{manager: "flux", patch: `{"data":{"k":"theirs","l":"theirs"}}`}, do: "update", want: `{"data":{"k":"v","l":"theirs"},"labels":null}`},
	{name: "an update of what cannot change", typ: storageClassToken, given: classOf("gp2", "Delete"), do: "update", with: classOf("gp2", "Retain"),
		want: `kept: the Kubernetes API server reported that ".*" failed to fully initialize or become live: .*reclaimPolicy.*`},
	{name: "an update of what is gone", typ: configMapToken, given: configMapOf(props{"k": "v"}), hand: byHand{patch: "-"}, do: "update",
		want: `error: update of resource "urn:.*" failed: .*not found\nunable to get cluster state: .*not found`},

	// Delete
	{name: "a delete", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "delete", seconds: 5, want: `gone`},
	{name: "a delete of what is gone", typ: configMapToken, given: configMapOf(props{"k": "v"}), hand: byHand{patch: "-"}, do: "delete", seconds: 5, want: `gone`},
	{name: "a delete that a finalizer stops", typ: configMapToken, given: configMapOf(props{"k": "v"}), hand: byHand{manager: "theirs", patch: `{"metadata":{"finalizers":["example.com/hold"]}}`},
		do: "delete", seconds: 1, want: `kept: timed out waiting for the condition.*`},

	// The provider's own settings
	{name: "the same cluster as another user", typ: configMapToken, do: "configure anew", with: props{"kubeconfig": "https://a.example.com other"}, want: `kept`},
	{name: "another cluster", typ: configMapToken, do: "configure anew", with: props{"kubeconfig": "https://b.example.com u"}, want: `replaced: kubeconfig`},
	{name: "a cluster that is not known yet", typ: configMapToken, do: "configure anew", with: props{"kubeconfig": "unknown"}, want: `replaced: kubeconfig`},
	{name: "the same identifier at another address", typ: configMapToken, do: "configure anew",
		with: props{"was": props{"clusterIdentifier": "i"}, "kubeconfig": "https://b.example.com u", "clusterIdentifier": "i"}, want: `kept`},
	{name: "another identifier at the same address", typ: configMapToken, do: "configure anew",
		with: props{"was": props{"clusterIdentifier": "i"}, "kubeconfig": "https://a.example.com u", "clusterIdentifier": "j"}, want: `replaced: clusterIdentifier`},
	{name: "an identifier that is new", typ: configMapToken, do: "configure anew", with: props{"kubeconfig": "https://a.example.com u", "clusterIdentifier": "i"}, want: `kept`},

	// A cluster that is not there
	{name: "a create without a cluster", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "unreachable", with: props{"ask": "create"},
		want: `error: configured Kubernetes cluster is unreachable: unable to load schema information from the API server: .*`},
	{name: "a preview without a cluster", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "unreachable", with: props{"ask": "preview"}, want: `accepted`},
	{name: "a refresh without a cluster", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "unreachable", with: props{"ask": "read"},
		want: `error: failed to read resource state due to unreachable cluster\. If the cluster was deleted, you can remove this resource from Pulumi state.*`},
	{name: "a refresh that takes it for deleted", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "unreachable",
		with: props{"ask": "read", "settings": props{"deleteUnreachable": "true"}}, want: `gone`},
	{name: "a refresh that leaves it as it was", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "unreachable",
		with: props{"ask": "read", "settings": props{"skipUpdateUnreachable": "true"}}, want: `accepted`},
	{name: "a delete without a cluster", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "unreachable", with: props{"ask": "delete"},
		want: `error: configured Kubernetes cluster is unreachable\. If the cluster was deleted, you can remove this resource from Pulumi state.*`},
	{name: "a delete of what is taken for deleted", typ: configMapToken, given: configMapOf(props{"k": "v"}), do: "unreachable",
		with: props{"ask": "delete", "settings": props{"deleteUnreachable": "true"}}, want: `accepted`},
}
