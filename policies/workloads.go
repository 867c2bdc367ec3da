package policies

import (
	"regexp"
	"slices"
	"strings"
)

// workloads are the rules about what is in the cluster.
var workloads = []Rule{
	hostAccess, podImages, clusterAdmins, allPowers, everybodysRights, ownSubjects, publishedServices,
	fencedNamespaces, openFences, podSecurity,
}

// kindOf is the kind of a Kubernetes object's type, "Deployment"; of a list of
// them, or of a patch of one, that one's. It is empty for what is none.
func kindOf(r Resource) string {
	rest, ok := strings.CutPrefix(r.Type, "kubernetes:")
	if !ok {
		return ""
	}
	kind := rest[strings.LastIndexByte(rest, ':')+1:]
	return strings.TrimSuffix(strings.TrimSuffix(kind, "Patch"), "List")
}

// objectsOf returns the object that a resource is, or those that it lists.
func objectsOf(r Resource) []value {
	if items := r.values().get("items"); items.v != nil && strings.HasSuffix(r.Type, "List") {
		return items.each()
	}
	return []value{r.values()}
}

// schemas are objects that describe others: their keys are no settings.
var schemas = []string{"CustomResourceDefinition", "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy", "ConfigMap", "Secret"}

// visitObjects visits every property of every map in a Kubernetes object that has
// one of these names, of whatever kind the object is: a pod is a pod in a
// Deployment, in a Job of a CronJob, and in an object of a kind that only the
// cluster knows. Paths are written only where somebody reads them: most
// properties of a manifest are of interest to no rule.
func visitObjects(in map[string]any, names map[string]bool, visit func(key string, v value)) {
	visitBelow(&place{v: in}, names, visit)
}

func visitBelow(p *place, names map[string]bool, visit func(key string, v value)) {
	switch in := p.v.(type) {
	case map[string]any:
		for key, v := range in {
			below := &place{up: p, key: key, v: v}
			if names[key] {
				visit(key, value{below.path(), v})
			}
			visitBelow(below, names, visit)
		}
	case []any:
		for i, e := range in {
			visitBelow(&place{up: p, index: i, v: e}, names, visit)
		}
	}
}

// podParts are where a pod, or a part of one, may be that is not known yet.
var podParts = []string{
	"spec", "template", "jobTemplate", "podTemplate", "items",
	"containers", "initContainers", "ephemeralContainers", "volumes", "securityContext",
}

// toVisit are the names of these parts and settings.
func toVisit(lists ...[]string) map[string]bool {
	names := map[string]bool{}
	for _, name := range slices.Concat(lists...) {
		names[name] = true
	}
	return names
}

// hostSettings give a pod the node, wherever in an object they are, and what
// they may say.
var hostSettings = map[string][]string{
	"hostNetwork": {"", "false"},
	"hostPID":     {"", "false"},
	"hostIPC":     {"", "false"},
	"hostProcess": {"", "false"},
	"hostPort":    {"", "0"},
	"privileged":  {"", "false"},
	"procMount":   {"", "Default"},
}

var hostNames = toVisit(podParts, sortedKeysOf(hostSettings), []string{"hostPath", "capabilities"})

// harmless are the capabilities that Kubernetes' baseline lets a container add.
// https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
var harmless = []string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

var hostAccess = Rule{
	ID:       "FH901",
	Title:    "No pod has access to its node",
	Why:      "a pod with the node's files, network or processes has the credentials of every other pod on it",
	Fix:      "take the setting out; what needs the node is an add-on of EKS",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    []string{"kubernetes:*"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		if slices.Contains(schemas, kindOf(r)) {
			return
		}
		visitObjects(r.Properties, hostNames, func(key string, part value) {
			switch off, setting := hostSettings[key]; {
			case setting:
				j.must(part, off, "%s is %s", key, part.text())
			case key == "hostPath":
				if j.known(part) && part.v != nil {
					j.violate(part.path, "the pod mounts files of the node")
				}
			case key == "capabilities":
				j.capabilities(part)
			default:
				j.allKnown(part)
			}
		})
	}),
	Good: []Example{
		shows("a pod that runs as anybody else", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{
			object{"securityContext": object{"privileged": false, "capabilities": object{"drop": list{"ALL"}, "add": list{"NET_BIND_SERVICE"}}}},
		}, "hostNetwork": false})),
		shows("an image that is known later", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{object{"image": Unknown{}}}})),
		shows("a kind whose schema speaks of it", "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", object{"spec": object{"properties": object{"hostNetwork": object{"type": "boolean"}}}}),
	},
	Bad: []Example{
		shows("the node's files", "kubernetes:apps/v1:DaemonSet", pods(object{"volumes": list{object{"name": "root", "hostPath": object{"path": "/"}}}})),
		shows("only the container that starts first", "kubernetes:apps/v1:Deployment", pods(object{"initContainers": list{object{"securityContext": object{"privileged": true}}}})),
		shows("a job that runs at night", "kubernetes:batch/v1:CronJob", object{"spec": object{"jobTemplate": object{"spec": object{"template": object{"spec": object{"hostPID": true}}}}}}),
		shows("a kind that only the cluster knows", "kubernetes:argoproj.io/v1alpha1:Rollout", pods(object{"hostNetwork": true})),
		shows("a patch of an object that exists", "kubernetes:apps/v1:DeploymentPatch", pods(object{"hostIPC": true})),
		shows("a volume that stands for the node's files", "kubernetes:core/v1:PersistentVolume", object{"spec": object{"hostPath": object{"path": "/var/lib/kubelet"}}}),
		shows("a capability that is as good", "kubernetes:core/v1:Pod", object{"spec": object{"containers": list{object{"securityContext": object{"capabilities": object{"add": list{"SYS_ADMIN"}}}}}}}),
		shows("one of a list", "kubernetes:core/v1:PodList", object{"items": list{object{"spec": object{}}, object{"spec": object{"hostNetwork": true}}}}),
	},
}

// pods is an object that makes pods of this specification.
func pods(spec object) object { return object{"spec": object{"template": object{"spec": spec}}} }

// capabilities violates where a container adds more than is harmless.
func (j *judge) capabilities(v value) {
	if !j.known(v) {
		return
	}
	for _, added := range v.all("add") {
		if j.known(added) && !slices.Contains(harmless, strings.TrimPrefix(strings.ToUpper(added.text()), "CAP_")) {
			j.violate(added.path, "the capability %s gives access to the node", added.text())
		}
	}
}

// allKnown notes as undecided a part, or an element of it, that is not known.
func (j *judge) allKnown(part value) {
	for _, e := range part.each() {
		j.known(e)
	}
}

var imageNames = toVisit(podParts)

// digest ends an image that is always the same one.
var digest = regexp.MustCompile(`^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[A-Za-z0-9_.-]+)?@sha256:[0-9a-f]{64}$`)

var podImages = Rule{
	ID:       "FH902",
	Title:    "Pods run images of the org's own registry, by digest",
	Why:      "whoever can push to another registry, or move a tag, runs their code in the customer's cluster",
	Fix:      "copy the image to the org's registry, and name it with @sha256:…",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.8", "CC8.1"},
	Types:    []string{"kubernetes:*"},
	Check: on(func(j *judge, r Resource, s Scope) {
		if slices.Contains(schemas, kindOf(r)) {
			return
		}
		visitObjects(r.Properties, imageNames, func(key string, part value) {
			switch key {
			case "containers", "initContainers", "ephemeralContainers":
				for _, container := range part.each() {
					j.image(container.get("image"), s)
				}
			case "volumes":
				for _, reference := range part.all("image.reference") {
					j.image(reference, s)
				}
			default:
				j.allKnown(part)
			}
		})
	}),
	Good: []Example{
		shows("the org's image", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{object{"image": acme.Registry + "/freehold-acme/app@sha256:" + someDigest}}})),
		shows("with its tag, for people", "kubernetes:batch/v1:Job", pods(object{"containers": list{object{"image": acme.Registry + "/freehold-acme/app:v1@sha256:" + someDigest}}})),
	},
	Bad: []Example{
		shows("Docker Hub", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{object{"image": "nginx@sha256:" + someDigest}}})),
		shows("the org's registry, by tag", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{object{"image": acme.Registry + "/freehold-acme/app:v1"}}})),
		shows("another customer's registry", "kubernetes:core/v1:Pod", object{"spec": object{"containers": list{object{"image": "444455556666.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:" + someDigest}}}}),
		shows("a host that begins as the org's registry does", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{object{"image": acme.Registry + ".example.com/app@sha256:" + someDigest}}})),
		shows("the container that starts first", "kubernetes:batch/v1:CronJob", object{"spec": object{"jobTemplate": object{"spec": object{"template": object{"spec": object{
			"initContainers": list{object{"image": "busybox"}},
		}}}}}}),
		shows("an image as a volume", "kubernetes:core/v1:Pod", object{"spec": object{"volumes": list{object{"image": object{"reference": "quay.io/x/y:1"}}}}}),
	},
}

const someDigest = "6672656568f1d0c0a17e0de1b1d2c3f405162738495a6b7c8d9eafb0c1d2e3f4"

func (j *judge) image(v value, s Scope) {
	if !j.known(v) || v.text() == "" {
		return
	}
	if s.Registry == "" {
		j.undecided(v.path)
		return
	}
	path, own := strings.CutPrefix(v.text(), s.Registry+"/")
	switch {
	case registryOfAWS(v.text()): // AWS publishes by tag, and pins nothing
	case !own:
		j.violate(v.path, "%s is not from the org's registry %s", v.text(), s.Registry)
	case !digest.MatchString(path):
		j.violate(v.path, "%s is not pinned by digest", v.text())
	}
}

// reason is the annotation that says why a service is reachable from outside,
// for whoever reviews the cluster.
const reason = "freehold.dev/exposure-reason"

var publishedServices = Rule{
	ID:       "FH906",
	Title:    "What a service publishes has a reason",
	Why:      "a load balancer or a port of every node puts the service on the network, and an external name or address sends pods' traffic to whoever it names",
	Fix:      "use a ClusterIP, or write the reason into the annotation " + reason,
	Severity: High,
	Criteria: []string{"CC6.6"},
	Types:    []string{"kubernetes:core/v1:Service", "kubernetes:core/v1:ServicePatch", "kubernetes:core/v1:ServiceList"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		for _, o := range objectsOf(r) {
			j.published(o)
		}
	}),
	Good: []Example{
		shows("inside the cluster", "kubernetes:core/v1:Service", object{"metadata": object{"name": "api"}, "spec": object{"ports": list{object{"port": 80.0}}}}),
		shows("a load balancer with a reason", "kubernetes:core/v1:Service", object{
			"metadata": object{"annotations": object{reason: "the shop's public web site, SEC-1234"}}, "spec": object{"type": "LoadBalancer"},
		}),
	},
	Bad: []Example{
		shows("a load balancer", "kubernetes:core/v1:Service", object{"spec": object{"type": "LoadBalancer"}}),
		shows("a port of every node, for a test", "kubernetes:core/v1:Service", object{"spec": object{"type": "NodePort"}}),
		shows("a name outside of the cluster", "kubernetes:core/v1:Service", object{"spec": object{"type": "ExternalName", "externalName": "db.globex.example"}}),
		shows("an empty reason", "kubernetes:core/v1:Service", object{"metadata": object{"annotations": object{reason: " "}}, "spec": object{"type": "LoadBalancer"}}),
		shows("somebody else's address as one's own", "kubernetes:core/v1:Service", object{"spec": object{"type": "ClusterIP", "externalIPs": list{"203.0.113.7"}}}),
	},
}

func (j *judge) published(o value) {
	kind, addresses := o.get("spec", "type"), o.get("spec", "externalIPs")
	if !j.known(kind) || !j.known(addresses) {
		return
	}
	if kind.is("", "ClusterIP") && len(addresses.each()) == 0 {
		return
	}
	why := o.get("metadata", "annotations", reason)
	if j.known(why) && strings.TrimSpace(why.text()) == "" {
		j.violate(kind.path, "the service is reachable from outside as %s, and its annotation %s does not say why", orDefault(kind.text(), "ClusterIP"), reason)
	}
}
