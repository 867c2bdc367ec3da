package bootstrap_test

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// editor is somebody who works in a project; admission alone answers, so that a
// right that some role gives by mistake shows as well.
const editor = "bo@acme.example"

// makers are the kinds that have pods or make them.
var makers = []struct{ api, kind string }{
	{"v1", "Pod"},
	{"apps/v1", "Deployment"},
	{"apps/v1", "DaemonSet"},
	{"apps/v1", "StatefulSet"},
	{"apps/v1", "ReplicaSet"},
	{"batch/v1", "Job"},
	{"batch/v1", "CronJob"},
	{"v1", "ReplicationController"},
	{"v1", "PodTemplate"},
}

func ofMaker(namespace, api, kind string, spec fields) fields {
	if kind == "Pod" {
		return pod(namespace, spec)
	}
	return workload(namespace, api, kind, spec)
}

// projectPodAttempts are pods that take from other projects, or reach past the
// fences, and beside each what honest teams run.
func projectPodAttempts() []attempt {
	const pods, objects, marks = "'freehold-project-pods'", "'freehold-project-objects'", "'freehold-project-marks'"
	runs := func(spec fields) fields { return with(running(registry+"/app"), spec) }
	volume := func(kind string, source any) fields {
		return runs(fields{"volumes": []any{fields{"name": "v", kind: source}}})
	}
	tolerating := func(tolerations ...any) fields { return runs(fields{"tolerations": tolerations}) }
	near := func(kind string, term fields) fields {
		term["topologyKey"] = "kubernetes.io/hostname"
		return runs(fields{"affinity": fields{kind: fields{"requiredDuringSchedulingIgnoredDuringExecution": []any{term}}}})
	}
	rather := func(kind string, term fields) fields {
		term["topologyKey"] = "kubernetes.io/hostname"
		return runs(fields{"affinity": fields{kind: fields{"preferredDuringSchedulingIgnoredDuringExecution": []any{fields{"weight": 1, "podAffinityTerm": term}}}}})
	}
	token := func(seconds int) fields {
		return volume("projected", fields{"sources": []any{fields{"serviceAccountToken": fields{"path": "token", "audience": "vault", "expirationSeconds": seconds}}}})
	}
	claim := fields{"volumeClaimTemplate": fields{"spec": fields{
		"accessModes": []any{"ReadWriteOnce"}, "resources": fields{"requests": fields{"storage": "1Gi"}},
	}}}
	app := fields{"labelSelector": fields{"matchLabels": fields{"app": "w"}}}
	settings := []struct {
		name   string
		spec   fields
		denied string
	}{
		{"a disk of EBS by its id", volume("awsElasticBlockStore", fields{"volumeID": "vol-1"}), pods},
		{"a file server", volume("nfs", fields{"server": "10.0.0.1", "path": "/"}), pods},
		{"an iSCSI target", volume("iscsi", fields{"targetPortal": "10.0.0.1:3260", "iqn": "iqn.2001-04.com.example:storage", "lun": 0}), pods},
		{"a CephFS", volume("cephfs", fields{"monitors": []any{"10.0.0.1:6789"}}), pods},
		{"a Ceph block device", volume("rbd", fields{"monitors": []any{"10.0.0.1:6789"}, "image": "i"}), pods},
		{"a flex volume", volume("flexVolume", fields{"driver": "example.com/any"}), pods},
		{"a CSI volume of its own", volume("csi", fields{"driver": "ebs.csi.aws.com"}), pods},
		{"secrets of a CSI driver", volume("csi", fields{"driver": "secrets-store.csi.k8s.io", "readOnly": true, "volumeAttributes": fields{"secretProviderClass": "any"}}), pods},
		{"a disk of Google's", volume("gcePersistentDisk", fields{"pdName": "d"}), pods},
		{"a disk of Azure's", volume("azureDisk", fields{"diskName": "d", "diskURI": "https://a.blob.core.windows.net/c/d.vhd"}), pods},
		{"a share of Azure's", volume("azureFile", fields{"secretName": "s", "shareName": "u"}), pods},
		{"a fibre channel", volume("fc", fields{"targetWWNs": []any{"50060e801049cfd1"}, "lun": 0}), pods},
		{"a Gluster volume", volume("glusterfs", fields{"endpoints": "e", "path": "p"}), pods},
		{"a Portworx volume", volume("portworxVolume", fields{"volumeID": "v"}), pods},
		{"a Quobyte volume", volume("quobyte", fields{"registry": "r:1", "volume": "v"}), pods},
		{"a ScaleIO volume", volume("scaleIO", fields{"gateway": "g", "system": "s", "volumeName": "v", "secretRef": fields{"name": "s"}}), pods},
		{"a StorageOS volume", volume("storageos", fields{"volumeName": "v"}), pods},
		{"a disk of vSphere's", volume("vsphereVolume", fields{"volumePath": "p"}), pods},
		{"a Cinder volume", volume("cinder", fields{"volumeID": "v"}), pods},
		{"a Flocker volume", volume("flocker", fields{"datasetName": "d"}), pods},
		{"a git repository", volume("gitRepo", fields{"repository": "https://git.example/r"}), pods},
		{"files of the node", volume("hostPath", fields{"path": "/"}), pods},
		{"a config map", volume("configMap", fields{"name": "c"}), ""},
		{"a secret", volume("secret", fields{"secretName": "s"}), ""},
		{"what is known of the pod", volume("downwardAPI", fields{"items": []any{fields{"path": "l", "fieldRef": fields{"fieldPath": "metadata.labels"}}}}), ""},
		{"an empty directory", volume("emptyDir", fields{"sizeLimit": "1Gi"}), ""},
		{"an empty directory in memory", volume("emptyDir", fields{"medium": "Memory"}), ""},
		{"a claim", volume("persistentVolumeClaim", fields{"claimName": "c"}), ""},
		{"a claim that ends with the pod", volume("ephemeral", claim), ""},
		{"an image of the org's as a volume", volume("image", fields{"reference": registry + "/model:v1"}), ""},
		{"a token for an hour", token(3600), ""},
		{"a token for a day", token(86400), ""},
		{"a token for ten years", token(315360000), pods},
		{"no volume", runs(nil), ""},

		{"no node of its own", runs(fields{"nodeSelector": fields{"kubernetes.io/arch": "arm64"}}), ""},
		{"a node by its name", runs(fields{"nodeName": "ip-10-0-0-1.ec2.internal"}), pods},

		{"a toleration of every taint", tolerating(fields{"operator": "Exists"}), pods},
		{"a toleration of every taint that keeps off", tolerating(fields{"operator": "Exists", "effect": "NoSchedule"}), pods},
		{"a toleration of nodes that are not ready, for ever", tolerating(fields{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}), pods},
		{"a toleration of nodes that are not ready, whatever the effect", tolerating(fields{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}), pods},
		{"a toleration of full disks", tolerating(fields{"key": "node.kubernetes.io/disk-pressure", "operator": "Exists"}), pods},
		{"a toleration of nodes that are drained", tolerating(fields{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}), pods},
		{"a toleration of the control plane", tolerating(fields{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}), pods},
		{"a toleration of nodes that a cloud has not set up", tolerating(fields{"key": "node.cloudprovider.kubernetes.io/uninitialized", "operator": "Exists"}), pods},
		{"a toleration of nodes that Karpenter removes", tolerating(fields{"key": "karpenter.sh/disrupted", "operator": "Exists"}), pods},
		{"a toleration of nodes that the autoscaler removes", tolerating(fields{"key": "ToBeDeletedByClusterAutoscaler", "operator": "Exists"}), pods},
		{"a toleration of nodes for add-ons", tolerating(fields{"key": "CriticalAddonsOnly", "operator": "Exists"}), pods},
		{"a toleration of a taint of the org's, and of every other", tolerating(fields{"key": "dedicated", "operator": "Exists"}, fields{"operator": "Exists", "effect": "NoExecute"}), pods},
		{"a toleration of a pool for GPUs", tolerating(fields{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}), ""},
		{"a toleration of a pool of its own", tolerating(fields{"key": "dedicated", "operator": "Equal", "value": "batch"}), ""},
		{"a toleration of spot instances", tolerating(fields{"key": "karpenter.sh/capacity-type", "value": "spot", "effect": "NoSchedule"}), ""},
		{"a toleration of another architecture", tolerating(fields{"key": "kubernetes.io/arch", "value": "arm64", "effect": "NoSchedule"}), ""},
		{"a toleration of nodes that are not ready, for a while", tolerating(
			fields{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30},
			fields{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 6000}), ""},

		{"a wish to be apart from every project's pods", near("podAntiAffinity", fields{"labelSelector": fields{}, "namespaceSelector": fields{}}), pods},
		{"a wish to be apart from some projects' pods", near("podAntiAffinity", fields{"labelSelector": fields{}, "namespaceSelector": fields{"matchLabels": fields{"freehold.dev/org": "acme"}}}), pods},
		{"a wish to be apart from another project's pods", near("podAntiAffinity", fields{"labelSelector": fields{}, "namespaces": []any{"shop", "theirs"}}), pods},
		{"a wish rather to be apart from every project's pods", rather("podAntiAffinity", fields{"labelSelector": fields{}, "namespaceSelector": fields{}}), pods},
		{"a wish to be near another project's pods", near("podAffinity", fields{"labelSelector": fields{}, "namespaces": []any{"theirs"}}), pods},
		{"a wish rather to be near every project's pods", rather("podAffinity", fields{"labelSelector": fields{}, "namespaceSelector": fields{}}), pods},
		{"a wish to be apart from its own pods", near("podAntiAffinity", with(fields{}, app)), ""},
		{"a wish to be apart from its own namespace's pods, by name", near("podAntiAffinity", with(fields{"namespaces": []any{"shop"}}, app)), ""},
		{"a wish rather to be near its own pods", rather("podAffinity", with(fields{}, app)), ""},
		{"a wish to be spread", runs(fields{"topologySpreadConstraints": []any{with(fields{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}, app)}}), ""},
		{"a wish for some nodes", runs(fields{"affinity": fields{"nodeAffinity": fields{"requiredDuringSchedulingIgnoredDuringExecution": fields{"nodeSelectorTerms": []any{
			fields{"matchExpressions": []any{fields{"key": "karpenter.sh/capacity-type", "operator": "In", "values": []any{"spot"}}}},
		}}}}}), ""},

		{"ten years to end", runs(fields{"terminationGracePeriodSeconds": 315360000}), pods},
		{"a second more than an hour to end", runs(fields{"terminationGracePeriodSeconds": 3601}), pods},
		{"an hour to end", runs(fields{"terminationGracePeriodSeconds": 3600}), ""},
		{"no time to end", runs(fields{"terminationGracePeriodSeconds": 0}), ""},
		{"processes in one view, and hosts of its own", runs(fields{"shareProcessNamespace": true, "hostAliases": []any{fields{"ip": "10.0.0.1", "hostnames": []any{"db"}}}}), ""},
	}
	var tests []attempt
	by := func(name string, do func(client.Client) error, denied string) {
		tests = append(tests, attempt{name, editor, all, do, denied})
	}
	for _, c := range settings {
		for _, m := range makers {
			denied := c.denied
			if c.name == "files of the node" {
				denied = "ValidatingAdmissionPolicy 'freehold-" // node-access refuses it as well
			}
			by("a "+m.kind+" of a project with "+c.name, create(ofMaker("shop", m.api, m.kind, c.spec)), denied)
		}
	}
	for _, m := range makers {
		for _, class := range []string{"system-node-critical", "system-cluster-critical"} {
			by("a "+m.kind+" of a project with the priority "+class, create(ofMaker("shop", m.api, m.kind, runs(fields{"priorityClassName": class}))), pods)
		}
	}
	// The API server asks of a pod whether there is such a class.
	for _, m := range makers[1:] {
		by("a "+m.kind+" of a project with a priority that is listed", create(ofMaker("shop", m.api, m.kind, runs(fields{"priorityClassName": "batch"}))), "")
		by("a "+m.kind+" of a project with a priority that is not", create(ofMaker("shop", m.api, m.kind, runs(fields{"priorityClassName": "batch-first"}))), pods)
		by("a "+m.kind+" of a project without priorities with one", create(ofMaker("plain", m.api, m.kind, with(running("nginx.example/app"), fields{"priorityClassName": "batch"}))), pods)
	}
	for _, m := range makers {
		by("a "+m.kind+" of a project with a runtime that is not listed", create(ofMaker("shop", m.api, m.kind, runs(fields{"runtimeClassName": "privileged"}))), pods)
		by("a "+m.kind+" of a project without runtimes with one", create(ofMaker("plain", m.api, m.kind, with(running("nginx.example/app"), fields{"runtimeClassName": "nvidia"}))), pods)
		by("a "+m.kind+" of a project with a runtime that is listed", create(ofMaker("shop", m.api, m.kind, runs(fields{"runtimeClassName": "nvidia"}))), "")
	}
	by("a pod whose runtime makes it tolerate every taint", create(pod("shop", runs(fields{"runtimeClassName": "tolerant"}))), pods)
	stays := func(o fields, template ...string) fields {
		at := o
		for _, key := range template {
			at = at[key].(fields)
		}
		meta, _ := at["metadata"].(fields)
		at["metadata"] = with(fields{"finalizers": []any{"acme.example/stays"}}, meta)
		return o
	}
	deployed := func() fields { return workload("shop", "apps/v1", "Deployment", runs(nil)) }
	set := func(claim fields) fields {
		o := workload("shop", "apps/v1", "StatefulSet", runs(nil))
		o["spec"].(fields)["volumeClaimTemplates"] = []any{claim}
		return o
	}
	disk := func(change fields) fields {
		o := inNamespace("shop", "v1", "PersistentVolumeClaim", "c", nil)
		o["spec"] = with(fields{"accessModes": []any{"ReadWriteOnce"}, "resources": fields{"requests": fields{"storage": "1Gi"}}}, change)
		return o
	}
	unnamed := disk(nil)
	delete(unnamed["metadata"].(fields), "namespace")

	by("a deployment whose pods would stay", create(stays(deployed(), "spec", "template")), pods)
	by("a template whose pods would stay", create(stays(workload("shop", "v1", "PodTemplate", runs(nil)), "template")), pods)
	by("a stateful set whose claims would stay", create(set(stays(with(fields{}, unnamed)))), pods)
	by("a stateful set with claims", create(set(disk(nil))), "")
	by("a pod of before is marked", annotate(inNamespace("shop", "v1", "Pod", "old", nil)), "")
	by("a deployment of before is scaled", patch(inNamespace("shop", "apps/v1", "Deployment", "old", nil), `{"spec":{"replicas":3}}`), "")
	by("a pod of before tolerates every taint", tolerate(fields{"operator": "Exists"}), pods)
	by("a pod of before tolerates a pool of its own", tolerate(fields{"key": "dedicated", "operator": "Exists"}), "")
	tests = append(tests,
		attempt{"a daemon set's controller starts its pod", "system:serviceaccount:kube-system:daemon-set-controller", all, create(pod("shop", tolerating(
			fields{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
			fields{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"},
		))), ""},
		attempt{"a daemon set's controller starts a pod that tolerates every taint", "system:serviceaccount:kube-system:daemon-set-controller", all, create(pod("shop", tolerating(fields{"operator": "Exists"}))), pods},
		attempt{"somebody's pod elsewhere tolerates every taint", stranger, all, create(pod("theirs", fields{"tolerations": []any{fields{"operator": "Exists"}}})), ""},
	)

	// Beside pods.
	secret := func(kind string, data fields) fields {
		o := inNamespace("shop", "v1", "Secret", "s", nil)
		if kind != "" {
			o["type"] = kind
		}
		if data != nil {
			o["stringData"] = data
		}
		return o
	}
	for _, c := range []struct {
		kind   string
		data   fields
		denied string
	}{
		{"kubernetes.io/service-account-token", nil, objects},
		{"bootstrap.kubernetes.io/token", nil, objects},
		{"kubernetes.io/tomorrow", nil, objects},
		{"tokens.k8s.io", nil, objects},
		{"", fields{"a": "b"}, ""},
		{"Opaque", fields{"a": "b"}, ""},
		{"kubernetes.io/basic-auth", fields{"username": "a", "password": "b"}, ""},
		{"kubernetes.io/ssh-auth", fields{"ssh-privatekey": "a"}, ""},
		{"kubernetes.io/dockerconfigjson", fields{".dockerconfigjson": "{}"}, ""},
		{"kubernetes.io/dockercfg", fields{".dockercfg": "{}"}, ""},
		{"helm.sh/release.v1", fields{"release": "a"}, ""},
		{"acme.example/keys", nil, ""},
		{"generic", nil, ""},
	} {
		o := secret(c.kind, c.data)
		if c.kind == "kubernetes.io/service-account-token" {
			o = annotated(o, "kubernetes.io/service-account.name", "default")
		}
		by("a secret of the type "+c.kind, create(o), c.denied)
	}
	tests = append(tests, attempt{"an administrator makes a token that never expires", "ops", []string{"freehold:administrators"},
		create(annotated(secret("kubernetes.io/service-account-token", nil), "kubernetes.io/service-account.name", "default")), objects})
	by("a token that never expires elsewhere", create(annotated(func() fields {
		o := secret("kubernetes.io/service-account-token", nil)
		o["metadata"].(fields)["namespace"] = "theirs"
		return o
	}(), "kubernetes.io/service-account.name", "default")), "")
	by("a token for ten years", tokenOf("shop", 315360000), objects)
	by("a token for a day", tokenOf("shop", 86400), "")
	by("a token for as long as is usual", tokenOf("shop", 0), "")

	by("a claim of no class", create(disk(nil)), "")
	by("a claim of a class that is listed", create(disk(fields{"storageClassName": "efs"})), "")
	by("a claim of the org's class", create(disk(fields{"storageClassName": "freehold-gp3"})), "")
	by("a claim of EKS's class", create(disk(fields{"storageClassName": "gp2"})), objects)
	by("a claim of what is there", create(disk(fields{"storageClassName": ""})), objects)
	by("a claim of a volume by its name", create(disk(fields{"volumeName": "v"})), objects)
	by("a claim is given a volume by its name", patch(inNamespace("shop", "v1", "PersistentVolumeClaim", "old", nil), `{"spec":{"volumeName":"v"}}`), objects)
	by("a claim grows", patch(inNamespace("shop", "v1", "PersistentVolumeClaim", "old", nil), `{"metadata":{"labels":{"a":"b"}}}`), "")
	by("a copy of its own claim", create(disk(fields{"dataSource": fields{"kind": "PersistentVolumeClaim", "name": "old"}})), "")
	tests = append(tests,
		attempt{"the cluster binds a claim", "system:serviceaccount:kube-system:persistent-volume-binder", all, patch(inNamespace("shop", "v1", "PersistentVolumeClaim", "old", nil), `{"spec":{"volumeName":"v"}}`), ""},
		attempt{"an administrator makes a claim of a volume", "ops", []string{"freehold:administrators"}, create(disk(fields{"storageClassName": "", "volumeName": "v"})), ""},
	)

	budget := func(spec fields) fields {
		o := inNamespace("shop", "policy/v1", "PodDisruptionBudget", "b", nil)
		o["spec"] = with(fields{"selector": fields{"matchLabels": fields{"app": "w"}}}, spec)
		return o
	}
	const budgets = "'freehold-project-budgets'"
	by("a budget that lets nothing go", create(budget(fields{"maxUnavailable": 0})), budgets)
	by("a budget that lets none of a hundred go", create(budget(fields{"maxUnavailable": "0%"})), budgets)
	by("a budget that lets none go, in more digits", create(budget(fields{"maxUnavailable": "000%"})), budgets)
	by("a budget that keeps all", create(budget(fields{"minAvailable": "100%"})), budgets)
	by("a budget that keeps all, in more digits", create(budget(fields{"minAvailable": "0100%"})), budgets)
	by("a budget that lets one go", create(budget(fields{"maxUnavailable": 1})), "")
	by("a budget that lets a quarter go", create(budget(fields{"maxUnavailable": "25%"})), "")
	by("a budget that lets all go", create(budget(fields{"maxUnavailable": "100%"})), "")
	by("a budget that keeps one", create(budget(fields{"minAvailable": 1})), "")
	by("a budget that keeps half", create(budget(fields{"minAvailable": "50%"})), "")
	// In plain, which may have five pods.
	few := func(spec fields) fields {
		o := budget(spec)
		o["metadata"].(fields)["namespace"] = "plain"
		return o
	}
	by("a budget that keeps as many as there may be", create(few(fields{"minAvailable": 5})), budgets)
	by("a budget that keeps more than there may be", create(few(fields{"minAvailable": 1000000})), budgets)
	by("a budget that keeps such a part of them that none may go", create(few(fields{"minAvailable": "81%"})), budgets)
	by("a budget that keeps all but one of those that there may be", create(few(fields{"minAvailable": 4})), "")
	by("a budget that keeps all but one of them as a part", create(few(fields{"minAvailable": "80%"})), "")
	by("a budget that keeps one of a few", create(few(fields{"minAvailable": 1})), "")
	by("a budget that keeps none of a few", create(few(fields{"minAvailable": 0})), "")
	by("a budget where nothing says how many there may be", create(called("b", func() fields {
		o := few(fields{"minAvailable": 1})
		o["metadata"].(fields)["namespace"] = "bare"
		return o
	}())), "")

	file := func(kind, field, value string) fields {
		o := inNamespace("shop", "v1", kind, "big", nil)
		o[field] = fields{"a": value, "b": "b"}
		return o
	}
	const most = 512 << 10
	full, wide := strings.Repeat("x", most-1), strings.Repeat("ä", most/2)
	encoded := func(bytes int) string { return base64.StdEncoding.EncodeToString(make([]byte, bytes)) }
	by("a config map of half a megabyte", create(file("ConfigMap", "data", full)), "")
	by("a config map of a byte more", create(file("ConfigMap", "data", full+"x")), objects)
	by("a config map of as many letters, of which some have two bytes", create(file("ConfigMap", "data", wide)), objects)
	by("a config map of a megabyte in two files", create(filled(file("ConfigMap", "data", full), fields{"binaryData": fields{"c": encoded(most)}})), objects)
	by("a config map of other than text", create(encodedFile("ConfigMap", encoded(most-2))), "")
	by("a config map of more than that", create(encodedFile("ConfigMap", encoded(most+3))), objects)
	by("a secret of half a megabyte", create(file("Secret", "stringData", full[:most-8])), "")
	by("a secret of more", create(file("Secret", "stringData", full+"xxxx")), objects)
	by("a config map of before is marked", annotate(inNamespace("shop", "v1", "ConfigMap", "old", nil)), "")
	by("a config map of before gets smaller", patch(inNamespace("shop", "v1", "ConfigMap", "old", nil), `{"data":{"b":null}}`), "")
	by("a config map of before grows", patch(inNamespace("shop", "v1", "ConfigMap", "old", nil), `{"data":{"c":"c"}}`), objects)

	by("a deletion that takes ten years", deleting("shop", 315360000), objects)
	by("a deletion that takes a minute", deleting("shop", 60), "")
	by("a deletion at once", deleting("shop", 0), "")
	by("an eviction that takes ten years", evicting("shop", 315360000), objects)
	by("an eviction", evicting("shop", 60), "")

	by("a config map that stays", create(stays(inNamespace("shop", "v1", "ConfigMap", "c", nil))), marks)
	by("a pod that stays", create(stays(pod("shop", runs(nil)))), marks)
	by("a pod is made to stay", patch(inNamespace("shop", "v1", "Pod", "old", nil), `{"metadata":{"finalizers":["acme.example/stays"]}}`), marks)
	by("a pod is made to stay under Kubernetes' name", patch(inNamespace("shop", "v1", "Pod", "old", nil), `{"metadata":{"finalizers":["kubernetes.io/pvc-protection"]}}`), marks)
	tests = append(tests,
		attempt{"a workload of the project makes a lease that stays", "system:serviceaccount:shop:app", all, create(stays(inNamespace("shop", "coordination.k8s.io/v1", "Lease", "l", nil))), marks},
		attempt{"the job controller keeps a pod until it has counted it", "system:serviceaccount:kube-system:job-controller", all, patch(inNamespace("shop", "v1", "Pod", "old", nil), `{"metadata":{"finalizers":["batch.kubernetes.io/job-tracking"]}}`), ""},
		attempt{"a load balancer's controller keeps an ingress until it is gone", "system:serviceaccount:alb:aws-load-balancer-controller", all, create(stays(service("shop", fields{}))), ""},
	)
	return slices.Clip(tests)
}

// The requests. They are dry runs, as all of these tests' are.

// encodedFile is an object of one file that is not text.
func encodedFile(kind, encoded string) fields {
	o := inNamespace("shop", "v1", kind, "big", nil)
	o["binaryData"] = fields{"a": encoded}
	return o
}

// tolerate adds a toleration to a pod that is there.
func tolerate(toleration fields) func(client.Client) error {
	return func(c client.Client) error {
		p := object(inNamespace("shop", "v1", "Pod", "old", nil))
		if err := c.Get(context.Background(), client.ObjectKeyFromObject(p), p); err != nil {
			return err
		}
		spec := p.Object["spec"].(fields)
		spec["tolerations"] = append(spec["tolerations"].([]any), toleration)
		return c.Update(context.Background(), p, client.DryRunAll)
	}
}

func tokenOf(namespace string, seconds int) func(client.Client) error {
	return func(c client.Client) error {
		account := object(inNamespace(namespace, "v1", "ServiceAccount", "default", nil))
		asked := clusterObject("authentication.k8s.io/v1", "TokenRequest", "")
		asked["spec"] = fields{"audiences": []any{"https://acme.example"}}
		if seconds > 0 {
			asked["spec"].(fields)["expirationSeconds"] = seconds
		}
		return c.SubResource("token").Create(context.Background(), account, object(asked),
			&client.SubResourceCreateOptions{CreateOptions: client.CreateOptions{DryRun: []string{"All"}}})
	}
}

func deleting(namespace string, seconds int64) func(client.Client) error {
	return func(c client.Client) error {
		return c.Delete(context.Background(), object(inNamespace(namespace, "v1", "Pod", "placed", nil)), client.DryRunAll, client.GracePeriodSeconds(seconds))
	}
}

func evicting(namespace string, seconds int64) func(client.Client) error {
	return func(c client.Client) error {
		eviction := inNamespace(namespace, "policy/v1", "Eviction", "placed", nil)
		eviction["deleteOptions"] = fields{"gracePeriodSeconds": seconds, "dryRun": []any{"All"}}
		return c.SubResource("eviction").Create(context.Background(), object(inNamespace(namespace, "v1", "Pod", "placed", nil)), object(eviction),
			&client.SubResourceCreateOptions{CreateOptions: client.CreateOptions{DryRun: []string{"All"}}})
	}
}
