package bootstrap_test

import (
	"context"
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// registry is the org's own, as the controller writes it on a namespace.
const registry = "210987654321.dkr.ecr.eu-central-1.amazonaws.com"

// probes are refused by one policy each, as soon as it is there.
var probes = map[string]func(client.Client) error{
	"owned-objects":     annotate(namespace("shop", nil)),
	"namespaces":        patch(namespace("theirs", nil), `{"metadata":{"annotations":{"freehold.dev/adopt":"theirs"}}}`),
	"project-fences":    create(inNamespace("shop", "v1", "LimitRange", "more", nil)),
	"project-services":  create(service("shop", fields{"type": "NodePort"})),
	"project-pods":      create(pod("shop", with(running(registry+"/app"), fields{"nodeName": "n"}))),
	"project-objects":   create(with(inNamespace("shop", "v1", "Secret", "s", nil), fields{"type": "bootstrap.kubernetes.io/token"})),
	"project-budgets":   create(with(inNamespace("shop", "policy/v1", "PodDisruptionBudget", "b", nil), fields{"spec": fields{"maxUnavailable": 0}})),
	"project-ingress":   create(ingress("theirs.example.com", nil)),
	"project-marks":     create(noted(service("shop", fields{}), fields{"external-dns.alpha.kubernetes.io/hostname": "theirs.example.com"})),
	"project-images":    create(pod("shop", running("nginx"))),
	"project-resources": create(pod("shop", running(registry+"/app", asking(nil, fields{"nvidia.com/gpu": "1"})))),
	"project-devices":   create(claim("shop", "tpu.example.com")),
	"bindings":          create(clusterBinding("more", "view", user("bo"))),
	"everybody":         create(bound("theirs", group("system:authenticated"))),
	"node-access":       create(pod("theirs", fields{"hostPID": true})),
	"node-volumes":      create(volume(fields{"hostPath": fields{"path": "/"}})),
}

type fields = map[string]any

// fenceAttempts are what people try, and beside each what looks like it and must pass.
var fenceAttempts = func() []attempt {
	const (
		belongs   = "ValidatingAdmissionPolicy 'freehold-"
		marks     = "'freehold-namespaces'"
		fences    = "'freehold-project-fences'"
		services  = "'freehold-project-services'"
		images    = "'freehold-project-images'"
		resources = "'freehold-project-resources'"
		devices   = "'freehold-project-devices'"
		bindings  = "'freehold-bindings'"
		everyone  = "'freehold-everybody'"
		node      = "'freehold-node-access'"
		volumes   = "'freehold-node-volumes'"
		reach     = "'freehold-controller-reach'"
	)
	admins := []string{"freehold:administrators"}
	anybody := func(name string, do func(client.Client) error, denied string) attempt {
		return attempt{name, stranger, all, do, denied}
	}
	allowed := func(spec fields) fields {
		own := running(registry + "/freehold-acme/app:v1")
		maps.Copy(own, spec)
		return own
	}
	tests := []attempt{
		// The namespaces of projects, and what marks them.
		anybody("somebody writes a namespace's status to unmark it", patchPart(namespace("shop", nil), "status", `{"metadata":{"labels":{"freehold.dev/managed-by":null}}}`), marks),
		anybody("somebody finalizes a namespace to unmark it", finalize("shop"), marks),
		anybody("somebody allows a registry", patch(namespace("shop", nil), `{"metadata":{"annotations":{"freehold.dev/registries":"docker.io/"}}}`), belongs),
		anybody("somebody lowers a project's pod security", patch(namespace("shop", nil), `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`), belongs),
		anybody("somebody gives a namespace to be adopted", patch(namespace("theirs", nil), `{"metadata":{"annotations":{"freehold.dev/adopt":"theirs"}}}`), marks),
		anybody("somebody makes a namespace that is to be adopted", create(annotated(namespace("mine", nil), "freehold.dev/adopt", "mine")), marks),
		anybody("somebody takes back a namespace that was given", patch(namespace("given", nil), `{"metadata":{"annotations":{"freehold.dev/adopt":null}}}`), marks),
		anybody("somebody labels a namespace with a project's name", patch(namespace("theirs", nil), `{"metadata":{"labels":{"freehold.dev/project":"shop"}}}`), marks),
		anybody("somebody annotates a namespace that was given", annotate(namespace("given", nil)), ""),
		anybody("somebody makes a namespace of their own", create(namespace("mine", fields{"freehold-dev": "no"})), ""),
		{"an administrator gives a namespace to be adopted", "ops", admins, patch(namespace("theirs", nil), `{"metadata":{"annotations":{"freehold.dev/adopt":"theirs"}}}`), ""},
		{"the controller adopts what was given", controllerAccount, nil, label(namespace("given", nil)), ""},
		{"the controller adopts what was given to another project", controllerAccount, nil, label(namespace("misgiven", nil)), "may only write namespaces that are its own"},
		{"the controller removes what was given", controllerAccount, nil, remove(namespace("given", nil)), "may only write namespaces that are its own"},
		{"the controller takes back a namespace whose label was taken away", controllerAccount, nil, label(namespace("unmarked", nil)), ""},
		{"the controller removes a quota that somebody left in a project", controllerAccount, nil, remove(inNamespace("bare", "v1", "ResourceQuota", "left", nil)), ""},
		{"the controller fences a namespace that is no project's", controllerAccount, nil, create(inNamespace("theirs", "networking.k8s.io/v1", "NetworkPolicy", "fence", owned)), reach},
		{"the controller binds in a namespace that is no project's", controllerAccount, nil, create(binding("theirs", "more", "freehold-project-editor", "bo", owned)), reach},
		{"the controller writes a service account of a project", controllerAccount, all, create(inNamespace("shop", "v1", "ServiceAccount", "app", owned)), ""},
		{"the controller writes a service account elsewhere", controllerAccount, all, create(inNamespace("kube-system", "v1", "ServiceAccount", "app", owned)), reach},
		{"the controller removes a pod elsewhere", controllerAccount, all, remove(inNamespace("theirs", "v1", "Pod", "old", nil)), reach},
		{"the controller removes a pod of a project", controllerAccount, all, remove(inNamespace("shop", "v1", "Pod", "old", nil)), ""},

		{"the controller stops a deployment", controllerAccount, nil, patch(inNamespace("shop", "apps/v1", "Deployment", "old", nil), `{"spec":{"replicas":0}}`), ""},
		{"the controller stops a deployment elsewhere", controllerAccount, nil, patch(inNamespace("theirs", "apps/v1", "Deployment", "old", nil), `{"spec":{"replicas":0}}`), reach},
		{"the controller changes what a deployment runs", controllerAccount, nil, patch(inNamespace("shop", "apps/v1", "Deployment", "sound", nil), `{"spec":{"template":{"spec":{"serviceAccountName":"web"}}}}`), "changes nothing of what they run"},

		// What lies beside the controller's own in them.
		anybody("somebody adds a network policy", create(inNamespace("shop", "networking.k8s.io/v1", "NetworkPolicy", "open", nil)), fences),
		anybody("somebody adds a quota", create(inNamespace("shop", "v1", "ResourceQuota", "more", nil)), fences),
		anybody("somebody adds limits", create(inNamespace("shop", "v1", "LimitRange", "more", nil)), fences),
		anybody("somebody removes the fence", remove(inNamespace("shop", "networking.k8s.io/v1", "NetworkPolicy", "fence", nil)), belongs),
		anybody("somebody lets somebody in", create(binding("shop", "guest", "view", "eve", nil)), fences),
		anybody("somebody makes a role in a project", create(inNamespace("shop", "rbac.authorization.k8s.io/v1", "Role", "r", nil)), fences),
		anybody("somebody adds a network policy elsewhere", create(inNamespace("theirs", "networking.k8s.io/v1", "NetworkPolicy", "open", nil)), ""),
		anybody("somebody lets somebody in elsewhere", create(binding("theirs", "guest", "view", "eve", nil)), ""),
		{"an administrator opens the way to a node's credentials", "ops", admins, create(opened("169.254.169.254/32")), fences},
		{"an administrator opens the way to a node's credentials among others", "ops", admins, create(opened("169.254.0.0/16")), fences},
		{"an administrator opens every way", "ops", admins, create(opened("0.0.0.0/0")), fences},
		{"an administrator opens every way of IPv6", "ops", admins, create(opened("::/0")), fences},
		{"an administrator opens the way to a node's credentials by IPv6", "ops", admins, create(opened("fd00:ec2::254/128")), fences},
		{"an administrator opens every way but another", "ops", admins, create(opened("0.0.0.0/0", "169.254.169.0/25")), fences},
		{"an administrator opens the way to everything without naming it", "ops", admins, create(opened("")), fences},
		{"the controller opens the way to a node's credentials", controllerAccount, nil, create(labelled(opened("169.254.169.254/32"), "freehold.dev/managed-by", "namespace-controller")), fences},
		{"an administrator opens every way but that", "ops", admins, create(opened("0.0.0.0/0", "169.254.0.0/16")), ""},
		{"an administrator opens every way of IPv6 but that", "ops", admins, create(opened("::/0", "fd00:ec2::/32")), ""},
		{"an administrator opens the way to one network", "ops", admins, create(opened("10.0.0.0/8")), ""},
		{"the controller opens the way to the agent of Pod Identity", controllerAccount, nil, create(labelled(opened("169.254.170.23/32"), "freehold.dev/managed-by", "namespace-controller")), ""},
		{"an administrator adds a network policy", "ops", admins, create(inNamespace("shop", "networking.k8s.io/v1", "NetworkPolicy", "open", nil)), ""},
		{"the controller adds limits", controllerAccount, nil, create(inNamespace("shop", "v1", "LimitRange", "l", owned)), ""},

		// Services.
		anybody("a service of every node", create(service("shop", fields{"type": "NodePort"})), services),
		anybody("a load balancer", create(service("shop", fields{"type": "LoadBalancer"})), services),
		anybody("a name outside of the cluster", create(service("shop", fields{"type": "ExternalName", "externalName": "db.evil.example"})), services),
		anybody("somebody else's address", create(service("shop", fields{"externalIPs": []any{"203.0.113.7"}})), services),
		anybody("a service inside the cluster", create(service("shop", fields{})), ""),
		anybody("a service without an address of its own", create(service("shop", fields{"clusterIP": "None"})), ""),
		anybody("a load balancer elsewhere", create(service("theirs", fields{"type": "LoadBalancer"})), ""),

		// Images.
		anybody("an image of nobody's registry", create(pod("shop", running("nginx"))), images),
		anybody("a host that begins as the org's registry", create(pod("shop", running(registry+".evil.com/app"))), images),
		anybody("a host that begins as an allowed one", create(pod("shop", running("registry.example.evil.com/app"))), images),
		anybody("another port of an allowed host", create(pod("shop", running("registry.example:5000/app"))), images),
		anybody("an allowed host as a user", create(pod("shop", running("registry.example@evil.com/app"))), images),
		anybody("an allowed host as a path", create(pod("shop", running("evil.com/"+registry+"/app"))), images),
		anybody("a repository that begins as an allowed one", create(pod("shop", running("quay.io/acme/tools-evil:v1"))), images),
		anybody("a container that starts first", create(pod("shop", allowed(fields{"initContainers": containers("busybox")}))), images),
		anybody("an image as a volume", create(pod("shop", allowed(fields{"volumes": []any{fields{"name": "v", "image": fields{"reference": "quay.io/x/y:1"}}}}))), images),
		anybody("a container for debugging", debug("shop", "old", fields{"image": "busybox"}), images),
		anybody("a container for debugging of the org's own", debug("shop", "old", fields{"image": registry + "/debug"}), ""),
		anybody("a deployment of nobody's registry", create(workload("shop", "apps/v1", "Deployment", running("nginx"))), images),
		anybody("a job of nobody's registry", create(workload("shop", "batch/v1", "Job", running("nginx"))), images),
		anybody("a job at night of nobody's registry", create(workload("shop", "batch/v1", "CronJob", running("nginx"))), images),
		anybody("in a namespace whose registries nobody wrote", create(pod("bare", running(registry+"/app"))), images),
		anybody("an image of the org's registry", create(pod("shop", allowed(nil))), ""),
		anybody("an image of it by digest", create(pod("shop", running(registry+"/app@sha256:"+image[len(image)-64:]))), ""),
		anybody("an image of an allowed host", create(pod("shop", running("registry.example/app"))), ""),
		anybody("an allowed repository by tag", create(pod("shop", running("quay.io/acme/tools:v1"))), ""),
		anybody("an allowed repository as it is", create(pod("shop", running("quay.io/acme/tools"))), ""),
		anybody("below an allowed repository", create(pod("shop", running("quay.io/acme/tools/curl"))), ""),
		anybody("an image of Docker Hub's library", create(pod("shop", running("library/nginx"))), images),
		anybody("an image of Docker Hub's library, in full", create(pod("shop", running("docker.io/library/nginx:1"))), images),
		anybody("an image of Docker Hub by its other name", create(pod("shop", running("index.docker.io/library/nginx"))), images),
		anybody("an image of Docker Hub by its registry's name", create(pod("shop", running("registry-1.docker.io/library/nginx"))), images),
		anybody("an image of Docker Hub at its port", create(pod("shop", running("docker.io:443/library/nginx"))), images),
		anybody("an image of Docker Hub by digest alone", create(pod("shop", running("nginx@sha256:"+image[len(image)-64:]))), images),
		anybody("an image of another user of Docker Hub", create(pod("shop", running("acme-evil/app"))), images),
		anybody("an image of another port of an allowed host", create(pod("shop", running("registry.example:8443/tls/app"))), images),
		anybody("an image of another account", create(pod("shop", running("111122223333.dkr.ecr.eu-central-1.amazonaws.com/app"))), images),
		anybody("an image of an allowed user of Docker Hub", create(pod("shop", running("docker.io/acme/app"))), ""),
		anybody("an image of that user without a host", create(pod("shop", running("acme/app:v1"))), ""),
		anybody("an image of that user by Docker Hub's other name", create(pod("shop", running("index.docker.io/acme/app"))), ""),
		anybody("an image of that user at Docker Hub's port", create(pod("shop", running("docker.io:443/acme/app"))), ""),
		anybody("an allowed image of Docker Hub's library", create(pod("shop", running("postgres:17"))), ""),
		anybody("an allowed image of Docker Hub's library, in full", create(pod("shop", running("docker.io/library/postgres:17"))), ""),
		anybody("an image of an allowed host at its port", create(pod("shop", running("registry.example:443/app"))), ""),
		anybody("an image of a host that is allowed with its port", create(pod("shop", running("registry.example/tls/app"))), ""),
		anybody("an image of the org's registry in capitals", create(pod("shop", running(strings.ToUpper(registry[:30])+registry[30:]+"/app"))), ""),
		anybody("a deployment of the org's registry", create(workload("shop", "apps/v1", "Deployment", allowed(nil))), ""),
		anybody("any image elsewhere", create(pod("theirs", running("nginx"))), ""),

		// Claims of devices.
		anybody("a claim of a device that is listed", create(claim("shop", "gpu.nvidia.com")), ""),
		anybody("a claim of a device that is not listed", create(claim("shop", "neuron.amazonaws.com")), devices),
		anybody("a claim of a device that is listed as none", create(claim("shop", "tpu.example.com")), devices),
		anybody("a claim of two devices, one of which is listed", create(claim("shop", "gpu.nvidia.com", "neuron.amazonaws.com")), devices),
		anybody("a claim of whichever of two devices is there", create(claimOfFirst("shop", "gpu.nvidia.com", "neuron.amazonaws.com")), devices),
		anybody("a claim in an older version of its API", create(oldClaim("shop", "neuron.amazonaws.com")), devices),
		anybody("a claim of a listed device in an older version of its API", create(oldClaim("shop", "gpu.nvidia.com")), ""),
		anybody("a template of claims that is not listed", create(claimTemplate("shop", "neuron.amazonaws.com")), devices),
		anybody("a template of claims that is listed", create(claimTemplate("shop", "gpu.nvidia.com")), ""),
		anybody("a claim where no device is listed", create(claim("plain", "gpu.nvidia.com")), devices),
		anybody("a claim elsewhere", create(claim("theirs", "neuron.amazonaws.com")), ""),
		anybody("a pod with a claim where devices are listed", create(pod("shop", allowed(claiming))), ""),
		anybody("a pod with a claim where none is listed", create(pod("plain", with(running("nginx.example/app"), claiming))), resources),
		anybody("any resource elsewhere", create(pod("theirs", running("nginx", asking(nil, fields{"nvidia.com/gpu": "1"})))), ""),

		// Rights.
		anybody("somebody who holds everything binds in the whole cluster", create(clusterBinding("more", "view", user("bo"))), bindings),
		anybody("somebody removes a binding of the whole cluster", remove(clusterObject("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "freehold-reader")), bindings),
		{"a service account that may bind", "system:serviceaccount:theirs:app", all, create(clusterBinding("more", "cluster-admin", user("bo"))), bindings},
		{"an administrator binds in the whole cluster", "ops", admins, create(clusterBinding("more", "view", user("bo"))), ""},
		{"EKS binds for an add-on", "eks:addon-manager", all, create(clusterBinding("eks:more", "view", user("eks:x"))), ""},
		{"an add-on that calls itself so", "eks:addon-manager2", all, create(clusterBinding("eks:more", "view", user("eks:x"))), bindings},
		{"an administrator gives everybody a right", "ops", admins, create(clusterBinding("more", "view", group("system:authenticated"))), everyone},
		{"an administrator gives whoever comes a right", "ops", admins, create(clusterBinding("more", "view", user("system:anonymous"))), everyone},
		{"an administrator gives every pod a right", "ops", admins, create(clusterBinding("more", "view", group("system:serviceaccounts"))), everyone},
		{"one of several subjects is everybody", "ops", admins, create(clusterBinding("more", "view", user("bo"), group("system:unauthenticated"))), everyone},
		anybody("everybody in one namespace", create(bound("theirs", group("system:authenticated"))), everyone),
		{"the pods of one namespace", "ops", admins, create(clusterBinding("more", "view", group("system:serviceaccounts:theirs"))), ""},
		{"somebody whose name is like everybody's", "ops", admins, create(clusterBinding("more", "view", user("system:authenticated"))), ""},
		{"Kubernetes' own right for everybody", "ops", admins, create(clusterBinding("more", "system:discovery", group("system:authenticated"))), ""},

		// The node's volumes.
		anybody("a volume of the node's files", create(volume(fields{"hostPath": fields{"path": "/"}})), volumes),
		anybody("a volume of a node's disk", create(volume(fields{"local": fields{"path": "/"}, "nodeAffinity": fields{"required": fields{"nodeSelectorTerms": []any{
			fields{"matchExpressions": []any{fields{"key": "a", "operator": "Exists"}}},
		}}}})), volumes),
		anybody("a volume of EBS", create(volume(fields{"csi": fields{"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"}})), ""),
	}

	// Resources that the project does not list, wherever a pod may ask for them.
	asked := func(requests, limits fields) fields { return running(registry+"/app", asking(requests, limits)) }
	for name, c := range map[string]struct {
		spec   fields
		denied string
	}{
		"what everybody may have":          {asked(fields{"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"}, fields{"cpu": "1"}), ""},
		"what is listed":                   {asked(nil, fields{"aws.amazon.com/neuron": "1"}), ""},
		"huge pages that are listed":       {asked(fields{"cpu": "1"}, fields{"hugepages-2Mi": "2Mi"}), ""},
		"huge pages of another size":       {asked(fields{"cpu": "1"}, fields{"hugepages-1Gi": "1Gi"}), resources},
		"what is listed as none":           {asked(nil, fields{"nvidia.com/gpu": "1"}), resources},
		"a part of a GPU":                  {asked(nil, fields{"nvidia.com/mig-1g.10gb": "1"}), resources},
		"a shared GPU":                     {asked(fields{"nvidia.com/gpu.shared": "1"}, fields{"nvidia.com/gpu.shared": "1"}), resources},
		"another of a listed domain":       {asked(nil, fields{"aws.amazon.com/neurondevice": "1"}), resources},
		"none of what is not listed":       {asked(nil, fields{"nvidia.com/gpu.shared": "0"}), resources},
		"what is not listed, at first":     {allowed(fields{"initContainers": containers(registry+"/app", asking(nil, fields{"amd.com/gpu": "1"}))}), resources},
		"a listed one, and one that isn't": {asked(nil, fields{"aws.amazon.com/neuron": "1", "smarter-devices/fuse": "1"}), resources},
	} {
		tests = append(tests, anybody("a pod that asks for "+name, create(pod("shop", c.spec)), c.denied))
		for kind, api := range map[string]string{
			"Deployment": "apps/v1", "DaemonSet": "apps/v1", "StatefulSet": "apps/v1", "ReplicaSet": "apps/v1",
			"Job": "batch/v1", "CronJob": "batch/v1", "ReplicationController": "v1", "PodTemplate": "v1",
		} {
			tests = append(tests, anybody("a "+kind+" that asks for "+name, create(workload("shop", api, kind, c.spec)), c.denied))
		}
	}
	whole := running("nginx.example/app")
	whole["resources"] = fields{"requests": fields{"cpu": "1"}, "limits": fields{"cpu": "1", "hugepages-2Mi": "2Mi"}}
	tests = append(tests, anybody("a pod that asks for huge pages as a whole", create(pod("plain", whole)), resources))

	// The node: each setting in a pod, and in every kind that makes one.
	secured := func(c fields) fields { return running("nginx", fields{"securityContext": c}) }
	for name, c := range map[string]struct {
		spec   fields
		denied string
	}{
		"the node's network":         {allowed(fields{"hostNetwork": true}), node},
		"the node's processes":       {allowed(fields{"hostPID": true}), node},
		"the node's memory":          {allowed(fields{"hostIPC": true}), node},
		"the node's files":           {allowed(fields{"volumes": []any{fields{"name": "v", "hostPath": fields{"path": "/"}}}}), node},
		"a port of the node":         {running("nginx", fields{"ports": []any{fields{"containerPort": 80, "hostPort": 80}}}), node},
		"privileges":                 {secured(fields{"privileged": true}), node},
		"a capability":               {secured(fields{"capabilities": fields{"add": []any{"SYS_ADMIN"}}}), node},
		"every capability":           {secured(fields{"capabilities": fields{"add": []any{"NET_BIND_SERVICE", "ALL"}}}), node},
		"privileges that come first": {allowed(fields{"initContainers": containers("busybox", fields{"securityContext": fields{"privileged": true}})}), node},
		"no network of the node":     {allowed(fields{"hostNetwork": false, "hostPID": false}), ""},
		"a port of its own":          {running("nginx", fields{"ports": []any{fields{"containerPort": 80}}}), ""},
		"no privileges":              {secured(fields{"privileged": false, "capabilities": fields{"drop": []any{"ALL"}, "add": []any{"NET_BIND_SERVICE"}}}), ""},
		"files of its own":           {allowed(fields{"volumes": []any{fields{"name": "v", "emptyDir": fields{}}}}), ""},
	} {
		tests = append(tests, anybody("a pod with "+name, create(pod("theirs", c.spec)), c.denied))
		for kind, api := range map[string]string{
			"Deployment": "apps/v1", "DaemonSet": "apps/v1", "StatefulSet": "apps/v1", "ReplicaSet": "apps/v1",
			"Job": "batch/v1", "CronJob": "batch/v1", "ReplicationController": "v1", "PodTemplate": "v1",
		} {
			tests = append(tests, anybody("a "+kind+" with "+name, create(workload("theirs", api, kind, c.spec)), c.denied))
		}
	}
	return append(tests,
		anybody("a pod of an add-on with the node's network", create(pod("kube-system", allowed(fields{"hostNetwork": true}))), ""),
		attempt{"an administrator's pod with the node's files", "ops", admins, create(pod("default", allowed(fields{"volumes": []any{fields{"name": "v", "hostPath": fields{"path": "/"}}}}))), node},
		anybody("a container for debugging with privileges", debug("theirs", "old", fields{"image": "busybox", "securityContext": fields{"privileged": true}}), node),
		anybody("a container for debugging without", debug("theirs", "old", fields{"image": "busybox"}), ""),
		anybody("a pod from before the fences is marked", annotate(inNamespace("default", "v1", "Pod", "old", nil)), ""),
		anybody("a pod from before the fences is removed", remove(inNamespace("default", "v1", "Pod", "old", nil)), ""),
		anybody("a deployment from before the fences is scaled", patch(inNamespace("shop", "apps/v1", "Deployment", "old", nil), `{"spec":{"replicas":0}}`), ""),
		anybody("a deployment from before the fences changes", patch(inNamespace("shop", "apps/v1", "Deployment", "old", nil), `{"spec":{"template":{"metadata":{"labels":{"x":"y"}},"spec":{"containers":[{"name":"c","image":"`+registry+`/app"}],"hostIPC":true}}}}`), node),
	)
}()

// The objects.

func containers(image string, more ...fields) []any {
	c := fields{"name": "c", "image": image}
	for _, m := range more {
		maps.Copy(c, m)
	}
	return []any{c}
}

func running(image string, more ...fields) fields {
	return fields{"containers": containers(image, more...)}
}

func with(spec, more fields) fields {
	maps.Copy(spec, more)
	return spec
}

// asking are the resources of a container.
func asking(requests, limits fields) fields {
	return fields{"resources": fields{"requests": requests, "limits": limits}}
}

// claiming is a pod's part that claims a device.
var claiming = fields{"resourceClaims": []any{fields{"name": "device", "resourceClaimTemplateName": "device"}}}

func claimed(requests ...any) fields { return fields{"devices": fields{"requests": requests}} }

func exactly(classes []string) (requests []any) {
	for i, class := range classes {
		requests = append(requests, fields{"name": fmt.Sprint("r", i), "exactly": fields{"deviceClassName": class}})
	}
	return requests
}

func claim(namespace string, classes ...string) fields {
	o := inNamespace(namespace, "resource.k8s.io/v1", "ResourceClaim", "claim", nil)
	o["spec"] = claimed(exactly(classes)...)
	return o
}

func claimOfFirst(namespace string, classes ...string) fields {
	o := claim(namespace)
	var first []any
	for i, class := range classes {
		first = append(first, fields{"name": fmt.Sprint("s", i), "deviceClassName": class})
	}
	o["spec"] = claimed(fields{"name": "r", "firstAvailable": first})
	return o
}

func oldClaim(namespace, class string) fields {
	o := inNamespace(namespace, "resource.k8s.io/v1beta1", "ResourceClaim", "claim", nil)
	o["spec"] = claimed(fields{"name": "r", "deviceClassName": class})
	return o
}

func claimTemplate(namespace string, classes ...string) fields {
	o := inNamespace(namespace, "resource.k8s.io/v1", "ResourceClaimTemplate", "claim", nil)
	o["spec"] = fields{"spec": claimed(exactly(classes)...)}
	return o
}

func pod(namespace string, spec fields) fields {
	o := inNamespace(namespace, "v1", "Pod", "app", nil)
	o["spec"] = podSpec(spec)
	return o
}

func podSpec(spec fields) fields {
	s := running("nginx")
	maps.Copy(s, spec)
	if spec["initContainers"] != nil {
		s["initContainers"].([]any)[0].(fields)["name"] = "first"
	}
	return s
}

func workload(namespace, api, kind string, spec fields) fields {
	o := inNamespace(namespace, api, kind, "w", nil)
	marked := fields{"app": "w"}
	inner := podSpec(spec)
	template := fields{"metadata": fields{"labels": marked}, "spec": inner}
	switch kind {
	case "PodTemplate":
		o["template"] = template
	case "ReplicationController":
		o["spec"] = fields{"selector": marked, "template": template}
	case "Job":
		inner["restartPolicy"] = "Never"
		o["spec"] = fields{"template": fields{"spec": inner}}
	case "CronJob":
		inner["restartPolicy"] = "Never"
		o["spec"] = fields{"schedule": "0 3 * * *", "jobTemplate": fields{"spec": fields{"template": fields{"spec": inner}}}}
	default:
		o["spec"] = fields{"selector": fields{"matchLabels": marked}, "template": template}
	}
	return o
}

func service(namespace string, spec fields) fields {
	o := inNamespace(namespace, "v1", "Service", "s", nil)
	s := fields{"ports": []any{fields{"port": 80}}}
	maps.Copy(s, spec)
	o["spec"] = s
	return o
}

// opened is a network policy with one way out.
func opened(cidr string, except ...any) fields {
	o := inNamespace("shop", "networking.k8s.io/v1", "NetworkPolicy", "open", nil)
	way := fields{}
	if cidr != "" {
		block := fields{"cidr": cidr}
		if len(except) > 0 {
			block["except"] = except
		}
		way["to"] = []any{fields{"ipBlock": block}}
	}
	o["spec"].(fields)["egress"] = []any{way}
	o["spec"].(fields)["policyTypes"] = []any{"Egress"}
	return o
}

func volume(spec fields) fields {
	o := clusterObject("v1", "PersistentVolume", "v")
	s := fields{"capacity": fields{"storage": "1Gi"}, "accessModes": []any{"ReadWriteOnce"}}
	maps.Copy(s, spec)
	o["spec"] = s
	return o
}

func user(name string) any {
	return fields{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}
}

func group(name string) any {
	return fields{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name}
}

func clusterBinding(name, role string, subjects ...any) fields {
	o := clusterObject("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", name)
	o["roleRef"] = fields{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
	o["subjects"] = subjects
	return o
}

func bound(namespace string, subject any) fields {
	o := binding(namespace, "more", "view", "bo", nil)
	o["subjects"] = []any{subject}
	return o
}

// The requests.

func patchPart(o fields, part, body string) func(client.Client) error {
	return func(c client.Client) error {
		return c.SubResource(part).Patch(context.Background(), object(o), client.RawPatch("application/merge-patch+json", []byte(body)),
			&client.SubResourcePatchOptions{PatchOptions: client.PatchOptions{DryRun: []string{"All"}}})
	}
}

// finalize writes a namespace by its subresource, without its labels.
func finalize(name string) func(client.Client) error {
	return func(c client.Client) error {
		ctx := context.Background()
		var ns corev1.Namespace
		if err := c.Get(ctx, client.ObjectKey{Name: name}, &ns); err != nil {
			return err
		}
		ns.Labels = nil
		return c.SubResource("finalize").Update(ctx, &ns, &client.SubResourceUpdateOptions{UpdateOptions: client.UpdateOptions{DryRun: []string{"All"}}})
	}
}

// debug adds a container to a running pod, as kubectl debug does.
func debug(namespace, name string, container fields) func(client.Client) error {
	return func(c client.Client) error {
		container["name"] = "debugger"
		p := object(inNamespace(namespace, "v1", "Pod", name, nil))
		if err := c.Get(context.Background(), client.ObjectKeyFromObject(p), p); err != nil {
			return err
		}
		p.Object["spec"].(fields)["ephemeralContainers"] = []any{whole(container)}
		return c.SubResource("ephemeralcontainers").Update(context.Background(), p,
			&client.SubResourceUpdateOptions{UpdateOptions: client.UpdateOptions{DryRun: []string{"All"}}})
	}
}
