package bootstrap

import (
	admissionv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/admissionregistration/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// onPods fits pods, and every kind of Kubernetes' own that makes them: who
// applies a Deployment hears the refusal, and not its ReplicaSet. Kinds of
// others make pods, which are looked at.
func onPods() admissionv1.NamedRuleWithOperationsArray {
	return rulesOf(
		onContents([]string{"pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates"}, ""),
		onContents([]string{"deployments", "daemonsets", "replicasets", "statefulsets"}, "apps"),
		onContents([]string{"jobs", "cronjobs"}, "batch"),
	)
}

// podVariables find the pod in what was sent. "same" is true for an update that
// leaves it as it was: what was there before a policy can still be scaled,
// marked and deleted.
func podVariables() []*admissionv1.VariableArgs {
	pod := func(object string) string {
		return ofKind("Pod") + " ? " + object + ".spec : " +
			ofKind("CronJob") + " ? " + object + ".spec.jobTemplate.spec.template.spec : " +
			ofKind("PodTemplate") + " ? " + object + ".template.spec : " + object + ".spec.template.spec"
	}
	return []*admissionv1.VariableArgs{
		variable("pod", pod("object")),
		variable("same", `request.operation == "UPDATE" && variables.pod == (`+pod("oldObject")+")"),
		variable("containers", "variables.pod.containers + variables.pod.?initContainers.orValue([]) + variables.pod.?ephemeralContainers.orValue([])"),
		variable("volumes", "variables.pod.?volumes.orValue([])"),
	}
}

// nodeAccess keeps pods from the node that they run on, in every namespace but
// kube-system, where the add-ons of EKS need it. Nobody is excepted: an
// administrator who needs a pod on the host starts it there.
func (b *builder) nodeAccess() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	refuse := func(expression, what string) *admissionv1.ValidationArgs {
		return check("variables.same || "+expression, "outside of kube-system no pod has "+what)
	}
	spec := policy(onPods(),
		refuse("!variables.pod.?hostNetwork.orValue(false) && !variables.pod.?hostPID.orValue(false) && !variables.pod.?hostIPC.orValue(false)",
			"the node's network or processes (hostNetwork, hostPID, hostIPC)"),
		refuse("variables.volumes.all(v, !has(v.hostPath))", "files of the node (hostPath)"),
		refuse("variables.containers.all(c, c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))", "a port of the node (hostPort)"),
		refuse("variables.containers.all(c, !c.?securityContext.?privileged.orValue(false) && "+
			`c.?securityContext.?procMount.orValue("Default") == "Default")`, "a privileged container, or one with an unmasked /proc"),
		refuse("variables.containers.all(c, !c.?securityContext.?windowsOptions.?hostProcess.orValue(false)) && "+
			"!variables.pod.?securityContext.?windowsOptions.?hostProcess.orValue(false)", "a host process"),
		refuse("variables.containers.all(c, c.?securityContext.?capabilities.?add.orValue([]).all(a, "+
			`a == "NET_BIND_SERVICE"))`, "capabilities beyond NET_BIND_SERVICE"),
	).with(podVariables()...).spec
	spec.MatchConstraints.(*admissionv1.MatchResourcesArgs).NamespaceSelector = &metav1.LabelSelectorArgs{
		// The API server sets this label, and nobody can change it.
		MatchExpressions: metav1.LabelSelectorRequirementArray{&metav1.LabelSelectorRequirementArgs{
			Key: pulumi.String("kubernetes.io/metadata.name"), Operator: pulumi.String("NotIn"), Values: stringArray("kube-system"),
		}},
	}
	return spec
}

// nodeVolumes keeps the node's files from coming as a volume of the cluster.
func (b *builder) nodeVolumes() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	return policy(
		onContents([]string{"persistentvolumes"}, ""),
		check(`request.operation == "UPDATE" && object.spec == oldObject.spec || !has(object.spec.hostPath) && !has(object.spec.local)`,
			"no volume is files of a node (hostPath, local)"),
	).spec
}

// projectImages lets the pods of a project run images of the registries that
// the controller wrote on its namespace, the org's own first, and no others. A
// namespace without the annotation runs nothing.
//
// What ends with a slash is a beginning. Without one, a host must end where it
// ends, or registry.example would let in registry.example.evil.com and
// registry.example:5000; a repository may go on with a tag, a digest or a path.
func (b *builder) projectImages() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	const allowed = `variables.registries.exists(r, r.endsWith("/") ? i.startsWith(r) : ` +
		`i.startsWith(r + "/") || r.contains("/") && (i == r || i.startsWith(r + ":") || i.startsWith(r + "@")))`
	named := check("variables.same || variables.images.all(i, "+allowed+")", "the image is of no registry that the project may use")
	named.MessageExpression = pulumi.String(`"a project may only run images of " + variables.registries.join(", ") + ", and this is: " + ` +
		"variables.images.filter(i, !(" + allowed + `)).join(", ")`)
	return policy(onPods(), named).with(append(podVariables(),
		variable("entries", ofHosts(listed(v1alpha1.AnnotationRegistries))),
		variable("registries", "variables.entries + variables.entries.filter(r, "+ofLibrary+")"+library),
		variable("named", "variables.containers.map(c, c.?image.orValue('')) + variables.volumes.filter(v, has(v.image)).map(v, v.image.?reference.orValue(''))"),
		variable("hosted", ofHosts("variables.named.map(r, r.matches('^([^/]*[.:A-Z][^/]*|localhost)/') ? r : 'docker.io/' + r)")),
		variable("images", "variables.hosted.filter(r, !"+ofLibrary+") + variables.hosted.filter(r, "+ofLibrary+")"+library),
	)...).projects()
}

// The nodes read an image without a host as Docker Hub's, and one of Docker Hub's
// without a user as library's. So every name of an image is judged alike.
// https://pkg.go.dev/github.com/distribution/reference#ParseNormalizedNamed
const (
	ofLibrary = `r.matches("^docker[.]io/[^/]+$")`
	library   = `.map(r, "docker.io/library/" + r.substring(10))`
)

// ofHosts writes the hosts of images, or of beginnings of images, in one way:
// Docker Hub has several, and each counts in lower case and without the port
// that it has anyway.
func ofHosts(list string) string {
	return list +
		`.map(r, [r.split("/")[0].lowerAscii(), r.substring(r.split("/")[0].size())])` +
		`.map(p, [p[0].matches(":0*443$") ? p[0].substring(0, p[0].lastIndexOf(":")) : p[0], p[1]])` +
		`.map(p, (p[0] in ["index.docker.io", "registry-1.docker.io"] ? "docker.io" : p[0]) + p[1])`
}
