package bootstrap

import (
	"strconv"
	"strings"

	admissionv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/admissionregistration/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// volumeKinds are the volumes that a project's pods may have: what its namespace
// holds, what its quota counts, and images, which freehold-project-images judges.
// Every other kind reaches a server or a disk by an address that the pod states,
// past the network policies: the node mounts it. A kind that Kubernetes gets
// tomorrow is refused until it is listed here.
// https://kubernetes.io/docs/concepts/storage/volumes/
var volumeKinds = []string{
	"configMap", "secret", "downwardAPI", "projected", "emptyDir", "persistentVolumeClaim", "ephemeral", "image",
}

const (
	// mostGrace is how long a pod may take to end, in seconds. Whoever waits for a
	// node or a namespace to be empty waits that long.
	mostGrace = 3600
	// mostTokenLife is how long a service account's token lives at most, in
	// seconds; it is what EKS grants:
	// https://docs.aws.amazon.com/eks/latest/userguide/service-accounts.html
	mostTokenLife = 86400
)

// nodeTaints begin or are the keys of taints by which Kubernetes, EKS and the
// autoscalers keep pods off a node that is not fit for them, or about to go.
// https://kubernetes.io/docs/reference/labels-annotations-taints/
// https://karpenter.sh/docs/concepts/disruption/
const nodeTaints = `^((node|node-role|node[.]cloudprovider)[.]kubernetes[.]io/|karpenter[.]sh/(disrupt|unregistered)|` +
	`(ToBeDeletedByClusterAutoscaler|DeletionCandidateOfClusterAutoscaler|CriticalAddonsOnly)$)`

// daemonSetControllers give the pods of a DaemonSet tolerations of their own:
// https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
var daemonSetControllers = []string{"system:serviceaccount:kube-system:daemon-set-controller", "system:kube-controller-manager"}

// projectPods keeps the pods of a project to what is the project's: its volumes,
// and a place in the queue for nodes that takes nothing from the others.
func (b *builder) projectPods() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	kinds := make([]string, len(volumeKinds))
	for i, kind := range volumeKinds {
		kinds[i] = "has(v." + kind + ")"
	}
	known := "(" + strings.Join(kinds, " || ") + ")"
	refuse := func(expression, message string) *admissionv1.ValidationArgs {
		return check("variables.same || "+expression, message)
	}
	volumes := refuse("variables.volumes.all(v, "+known+")", "a project's volumes are "+strings.Join(volumeKinds, ", "))
	volumes.MessageExpression = pulumi.String(`"a project's volumes are ` + strings.Join(volumeKinds, ", ") +
		`, and these are of another kind: " + variables.volumes.filter(v, !` + known + `).map(v, v.name).join(", ")`)
	return policy(onPods(),
		volumes,
		refuse(`variables.pod.?priorityClassName.orValue("") in [""] + variables.classes`,
			"the project may not use this priority class: add it to priorityClasses of the Project. Pods of a higher one stop other projects' pods to make room"),
		// A class chooses what starts containers, without a sandbox or with the node's
		// devices, and adds tolerations, which were added when this is asked.
		// https://kubernetes.io/docs/concepts/containers/runtime-class/
		refuse(`variables.pod.?runtimeClassName.orValue("") in [""] + variables.runtimes`,
			"the project may not use this runtime class: add it to runtimeClasses of the Project"),
		refuse("variables.terms.all(t, !has(t.namespaceSelector) && t.?namespaces.orValue([]).all(n, n == request.namespace))",
			"a project's pods choose nodes by their own namespace's pods: leave out namespaces and namespaceSelector in podAffinity and podAntiAffinity"),
		// Nobody can change it of a pod, which has it from the scheduler.
		refuse(`variables.pod.?nodeName.orValue("") == "" || `+ofKind("Pod")+` && request.operation == "UPDATE"`,
			"a project's pods are placed by the scheduler: use nodeSelector or nodeAffinity in place of nodeName"),
		refuse("variables.tolerations.all(t, "+mayTolerate()+")",
			"a project's pods tolerate taints by their key, and none of those that Kubernetes puts on nodes, "+
				"but node.kubernetes.io/not-ready and unreachable with the effect NoExecute and tolerationSeconds"),
		refuse("variables.pod.?terminationGracePeriodSeconds.orValue(0) <= "+strconv.Itoa(mostGrace),
			"a project's pods take at most an hour to end: terminationGracePeriodSeconds is more than "+strconv.Itoa(mostGrace)),
		refuse("variables.volumes.all(v, v.?projected.?sources.orValue([]).all(s, s.?serviceAccountToken.?expirationSeconds.orValue(0) <= "+strconv.Itoa(mostTokenLife)+"))",
			"a service account's token lives at most a day: expirationSeconds is more than "+strconv.Itoa(mostTokenLife)),
		// A controller makes pods and claims of a template, and may set any.
		check(`variables.finalizers == [] || request.operation == "UPDATE" && variables.finalizers == variables.finalizersBefore`,
			"templates of pods and of volume claims have no finalizers: nobody would remove them, and what is made of the template would stay"),
	).with(append(podVariables(),
		variable("classes", listed(v1alpha1.AnnotationPriorityClasses)),
		variable("runtimes", listed(v1alpha1.AnnotationRuntimeClasses)),
		variable("terms", terms("podAffinity")+" + "+terms("podAntiAffinity")),
		variable("tolerations", ofKind("Pod")+` && request.operation == "UPDATE" ? `+
			`variables.pod.?tolerations.orValue([]).filter(t, !(t in oldObject.spec.?tolerations.orValue([]))) : variables.pod.?tolerations.orValue([])`),
		variable("finalizers", templateFinalizers("object")),
		variable("finalizersBefore", templateFinalizers("oldObject")),
	)...).projects()
}

// terms are a pod's wishes to be near other pods, or apart from them. A pod that
// is to be apart from others keeps those off its node, too.
func terms(kind string) string {
	of := "variables.pod.?affinity.?" + kind
	return of + ".?requiredDuringSchedulingIgnoredDuringExecution.orValue([]) + " +
		of + ".?preferredDuringSchedulingIgnoredDuringExecution.orValue([]).map(p, p.podAffinityTerm)"
}

// mayTolerate is true for a toleration of a taint that is there to keep some
// projects' pods off, and for those that end with the node's trouble, which the
// API server adds to every pod.
func mayTolerate() string {
	key := `t.?key.orValue("")`
	return "(" + key + ` != "" && !` + key + `.matches("` + nodeTaints + `") || ` +
		key + ` in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] && t.?effect.orValue("") == "NoExecute" && has(t.tolerationSeconds) || ` +
		key + `.startsWith("node.kubernetes.io/") && request.userInfo.username in ` + celList(daemonSetControllers) + ")"
}

// templateFinalizers are those that what is made of an object will have: pods, and the volume claims of a StatefulSet.
func templateFinalizers(object string) string {
	return ofKind("Pod") + " || " + ofKind("CronJob") + " ? [] : " +
		"(" + ofKind("PodTemplate") + " ? " + object + ".template : " + object + ".spec.template).?metadata.?finalizers.orValue([]) + " +
		"(" + ofKind("StatefulSet") + " ? " + object + ".spec.?volumeClaimTemplates.orValue([]).filter(c, c.?metadata.?finalizers.orValue([]) != []).map(c, c.metadata.name) : [])"
}
