package workloads

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/policies/document"
	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/manifest"
	"freehold.dev/freehold/policies/rule"
)

// rules are the rules about what is in the cluster.
var rules = []rule.Rule{
	hostAccess, podImages, clusterAdmins, allPowers, everybodysRights, ownSubjects, publishedServices,
	fencedNamespaces, openFences, podSecurity,
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

var hostNames = toVisit(podParts, slices.Sorted(maps.Keys(hostSettings)), []string{"hostPath", "capabilities"})

// harmless are the capabilities that Kubernetes' baseline lets a container add.
// https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
var harmless = []string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

var hostAccess = rule.Rule{
	ID:       "FH901",
	Title:    "No pod has access to its node",
	Why:      "a pod with the node's files, network or processes has the credentials of every other pod on it",
	Fix:      "take the setting out; what needs the node is an add-on of EKS",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    []string{"kubernetes:*"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		if manifest.Describes(manifest.KindOf(r)) {
			return
		}
		manifest.Visit(r.Properties, hostNames, func(key string, part rule.Value) {
			switch off, setting := hostSettings[key]; {
			case setting:
				j.Must(part, off, "%s is %s", key, part.Text())
			case key == "hostPath":
				if j.Known(part) && part.Raw != nil {
					j.Violate(part.Path, "the pod mounts files of the node")
				}
			case key == "capabilities":
				capabilities(j, part)
			default:
				allKnown(j, part)
			}
		})
	}),
	Good: []rule.Example{
		example.Shows("a pod that runs as anybody else", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{
			object{"securityContext": object{"privileged": false, "capabilities": object{"drop": list{"ALL"}, "add": list{"NET_BIND_SERVICE"}}}},
		}, "hostNetwork": false})),
		example.Shows("an image that is known later", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{object{"image": rule.Unknown{}}}})),
		example.Shows("a kind whose schema speaks of it", "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", object{"spec": object{"properties": object{"hostNetwork": object{"type": "boolean"}}}}),
	},
	Bad: []rule.Example{
		example.Shows("the node's files", "kubernetes:apps/v1:DaemonSet", pods(object{"volumes": list{object{"name": "root", "hostPath": object{"path": "/"}}}})),
		example.Shows("only the container that starts first", "kubernetes:apps/v1:Deployment", pods(object{"initContainers": list{object{"securityContext": object{"privileged": true}}}})),
		example.Shows("a job that runs at night", "kubernetes:batch/v1:CronJob", object{"spec": object{"jobTemplate": object{"spec": object{"template": object{"spec": object{"hostPID": true}}}}}}),
		example.Shows("a kind that only the cluster knows", "kubernetes:argoproj.io/v1alpha1:Rollout", pods(object{"hostNetwork": true})),
		example.Shows("a patch of an object that exists", "kubernetes:apps/v1:DeploymentPatch", pods(object{"hostIPC": true})),
		example.Shows("a volume that stands for the node's files", "kubernetes:core/v1:PersistentVolume", object{"spec": object{"hostPath": object{"path": "/var/lib/kubelet"}}}),
		example.Shows("a capability that is as good", "kubernetes:core/v1:Pod", object{"spec": object{"containers": list{object{"securityContext": object{"capabilities": object{"add": list{"SYS_ADMIN"}}}}}}}),
		example.Shows("one of a list", "kubernetes:core/v1:PodList", object{"items": list{object{"spec": object{}}, object{"spec": object{"hostNetwork": true}}}}),
	},
}

// pods is an object that makes pods of this specification.
func pods(spec object) object { return object{"spec": object{"template": object{"spec": spec}}} }

// capabilities violates where a container adds more than is harmless.
func capabilities(j *rule.Judge, v rule.Value) {
	if !j.Known(v) {
		return
	}
	for _, added := range v.All("add") {
		if j.Known(added) && !slices.Contains(harmless, strings.TrimPrefix(strings.ToUpper(added.Text()), "CAP_")) {
			j.Violate(added.Path, "the capability %s gives access to the node", added.Text())
		}
	}
}

// allKnown notes as undecided a part, or an element of it, that is not known.
func allKnown(j *rule.Judge, part rule.Value) {
	for _, e := range part.Each() {
		j.Known(e)
	}
}

var imageNames = toVisit(podParts)

// digest ends an image that is always the same one.
var digest = regexp.MustCompile(`^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[A-Za-z0-9_.-]+)?@sha256:[0-9a-f]{64}$`)

var podImages = rule.Rule{
	ID:       "FH902",
	Title:    "Pods run images of the org's own registry, by digest",
	Why:      "whoever can push to another registry, or move a tag, runs their code in the customer's cluster",
	Fix:      "copy the image to the org's registry, and name it with @sha256:…",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.8", "CC8.1"},
	Types:    []string{"kubernetes:*"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		if manifest.Describes(manifest.KindOf(r)) {
			return
		}
		manifest.Visit(r.Properties, imageNames, func(key string, part rule.Value) {
			switch key {
			case "containers", "initContainers", "ephemeralContainers":
				for _, container := range part.Each() {
					image(j, container.Get("image"), s)
				}
			case "volumes":
				for _, reference := range part.All("image.reference") {
					image(j, reference, s)
				}
			default:
				allKnown(j, part)
			}
		})
	}),
	Good: []rule.Example{
		example.Shows("the org's image", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{object{"image": example.Registry + "/freehold-acme/app@sha256:" + someDigest}}})),
		example.Shows("with its tag, for people", "kubernetes:batch/v1:Job", pods(object{"containers": list{object{"image": example.Registry + "/freehold-acme/app:v1@sha256:" + someDigest}}})),
	},
	Bad: []rule.Example{
		example.Shows("Docker Hub", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{object{"image": "nginx@sha256:" + someDigest}}})),
		example.Shows("the org's registry, by tag", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{object{"image": example.Registry + "/freehold-acme/app:v1"}}})),
		example.Shows("another customer's registry", "kubernetes:core/v1:Pod", object{"spec": object{"containers": list{object{"image": "444455556666.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:" + someDigest}}}}),
		example.Shows("a host that begins as the org's registry does", "kubernetes:apps/v1:Deployment", pods(object{"containers": list{object{"image": example.Registry + ".example.com/app@sha256:" + someDigest}}})),
		example.Shows("the container that starts first", "kubernetes:batch/v1:CronJob", object{"spec": object{"jobTemplate": object{"spec": object{"template": object{"spec": object{
			"initContainers": list{object{"image": "busybox"}},
		}}}}}}),
		example.Shows("an image as a volume", "kubernetes:core/v1:Pod", object{"spec": object{"volumes": list{object{"image": object{"reference": "quay.io/x/y:1"}}}}}),
	},
}

const someDigest = "6672656568f1d0c0a17e0de1b1d2c3f405162738495a6b7c8d9eafb0c1d2e3f4"

func image(j *rule.Judge, v rule.Value, s rule.Scope) {
	if !j.Known(v) || v.Text() == "" {
		return
	}
	if s.Registry == "" {
		j.Undecided(v.Path)
		return
	}
	path, own := strings.CutPrefix(v.Text(), s.Registry+"/")
	switch {
	case document.RegistryOfAWS(v.Text()): // AWS publishes by tag, and pins nothing
	case !own:
		j.Violate(v.Path, "%s is not from the org's registry %s", v.Text(), s.Registry)
	case !digest.MatchString(path):
		j.Violate(v.Path, "%s is not pinned by digest", v.Text())
	}
}

var publishedServices = rule.Rule{
	ID:       "FH906",
	Title:    "What a service publishes has a reason",
	Why:      "a load balancer or a port of every node puts the service on the network, and an external name or address sends pods' traffic to whoever it names",
	Fix:      "use a ClusterIP, or write the reason into the annotation " + manifest.ExposureReason,
	Severity: rule.High,
	Criteria: []string{"CC6.6"},
	Types:    []string{"kubernetes:core/v1:Service", "kubernetes:core/v1:ServicePatch", "kubernetes:core/v1:ServiceList"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		for _, o := range manifest.ObjectsOf(r) {
			published(j, o)
		}
	}),
	Good: []rule.Example{
		example.Shows("inside the cluster", "kubernetes:core/v1:Service", object{"metadata": object{"name": "api"}, "spec": object{"ports": list{object{"port": 80.0}}}}),
		example.Shows("a load balancer with a reason", "kubernetes:core/v1:Service", object{
			"metadata": object{"annotations": object{manifest.ExposureReason: "the shop's public web site, SEC-1234"}}, "spec": object{"type": "LoadBalancer"},
		}),
	},
	Bad: []rule.Example{
		example.Shows("a load balancer", "kubernetes:core/v1:Service", object{"spec": object{"type": "LoadBalancer"}}),
		example.Shows("a port of every node, for a test", "kubernetes:core/v1:Service", object{"spec": object{"type": "NodePort"}}),
		example.Shows("a name outside of the cluster", "kubernetes:core/v1:Service", object{"spec": object{"type": "ExternalName", "externalName": "db.globex.example"}}),
		example.Shows("an empty reason", "kubernetes:core/v1:Service", object{"metadata": object{"annotations": object{manifest.ExposureReason: " "}}, "spec": object{"type": "LoadBalancer"}}),
		example.Shows("somebody else's address as one's own", "kubernetes:core/v1:Service", object{"spec": object{"type": "ClusterIP", "externalIPs": list{"203.0.113.7"}}}),
	},
}

func published(j *rule.Judge, o rule.Value) {
	kind, addresses := o.Get("spec", "type"), o.Get("spec", "externalIPs")
	if !j.Known(kind) || !j.Known(addresses) {
		return
	}
	if kind.Is("", "ClusterIP") && len(addresses.Each()) == 0 {
		return
	}
	why := o.Get("metadata", "annotations", manifest.ExposureReason)
	if j.Known(why) && strings.TrimSpace(why.Text()) == "" {
		j.Violate(kind.Path, "the service is reachable from outside as %s, and its annotation %s does not say why", cmp.Or(kind.Text(), "ClusterIP"), manifest.ExposureReason)
	}
}
