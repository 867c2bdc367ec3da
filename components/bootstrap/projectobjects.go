package bootstrap

import (
	"strconv"

	admissionv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/admissionregistration/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// kubernetesSecretTypes are those of Kubernetes' own that only hold something.
// The others make it: a token of a service account that never expires, or one
// that lets a node join.
// https://kubernetes.io/docs/concepts/configuration/secret/#secret-types
var kubernetesSecretTypes = []string{
	"kubernetes.io/tls", "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth",
}

// projectObjects keeps what members make beside pods from outliving them, from
// holding up the nodes that others share, and from taking other projects' disks.
func (b *builder) projectObjects() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	of := func(kind, expression, message string) *admissionv1.ValidationArgs {
		return check("request.kind.kind != "+strconv.Quote(kind)+" || "+expression, message)
	}
	secret := of("Secret", `request.operation != "CREATE" || object.?type.orValue("Opaque") in `+celList(kubernetesSecretTypes)+
		` || !object.?type.orValue("Opaque").matches("^([a-z0-9.-]*[.])?(kubernetes|k8s)[.]io(/|$)")`,
		"the secret's type makes a credential: use a projected volume for a service account's token, which expires")
	return policy(
		rulesOf(
			onContents([]string{"secrets", "persistentvolumeclaims"}, ""),
			onContents([]string{"poddisruptionbudgets"}, "policy"),
			on([]string{"serviceaccounts/token", "pods/eviction"}, "", "CREATE"),
			on([]string{"pods"}, "", "DELETE"),
		),
		secret,
		of("TokenRequest", "object.spec.?expirationSeconds.orValue(0) <= "+strconv.Itoa(mostTokenLife),
			"a service account's token lives at most a day: expirationSeconds is more than "+strconv.Itoa(mostTokenLife)),
		of("PersistentVolumeClaim", unchanged("storageClassName")+" || variables.admin || object.spec.storageClassName in ["+strconv.Quote(b.args.StorageClass)+"] + variables.classes",
			"a project's volume claims are of the storage class "+b.args.StorageClass+", or of one in storageClasses of the Project"),
		// Whoever writes it first decides: a claim can take a volume that was another's.
		of("PersistentVolumeClaim", unchanged("volumeName")+" || variables.admin",
			"a project's volume claims get new volumes: leave volumeName out, or ask an administrator to bind the claim"),
		of("PersistentVolumeClaim", "object.spec.?dataSourceRef.?namespace.orValue(request.namespace) == request.namespace",
			"a project's volumes are copies of its own: dataSourceRef names another namespace"),
		of("PodDisruptionBudget", `variables.same || variables.budget`,
			"the budget would keep a node from ever being emptied: let maxUnavailable be 1 or more, or minAvailable less than 100%"),
		of("Eviction", "object.?deleteOptions.?gracePeriodSeconds.orValue(0) <= "+strconv.Itoa(mostGrace), graceOfDeletion),
		check(`request.operation != "DELETE" || request.?options.?gracePeriodSeconds.orValue(0) <= `+strconv.Itoa(mostGrace), graceOfDeletion),
	).with(
		variable("classes", listed(v1alpha1.AnnotationStorageClasses)),
		variable("admin", b.by(volumeBinders...)),
		variable("same", `request.operation == "UPDATE" && object.spec == oldObject.spec`),
		variable("budget", budget()),
	).projects()
}

// graceOfDeletion is the refusal of a deletion that states more than a pod itself may.
var graceOfDeletion = "a project's pods take at most an hour to end: gracePeriodSeconds is more than " + strconv.Itoa(mostGrace)

// budget is false for a disruption budget that lets nothing go, however many
// pods there are. How many those are, only the disruption controller knows: a
// whole number of them that must stay is taken as it is.
// https://kubernetes.io/docs/tasks/run-application/configure-pdb/#arbitrary-controllers-and-selectors
func budget() string {
	const most, least = "object.spec.maxUnavailable", "object.spec.minAvailable"
	return "(!has(" + most + ") || (type(" + most + ") == int ? " + most + " > 0 : !string(" + most + `).matches("^0+%$"))) && ` +
		"(!has(" + least + ") || type(" + least + ") == int || string(" + least + `).matches("^0*[0-9]{1,2}%$"))`
}

// unchanged is true for a claim whose field is as it was, or is not there.
func unchanged(field string) string {
	return "!has(object.spec." + field + `) || request.operation == "UPDATE" && has(oldObject.spec.` + field + ") && object.spec." + field + " == oldObject.spec." + field
}

// volumeBinders say which volume is a claim's, beside administrators.
var volumeBinders = []string{"system:kube-controller-manager", "system:serviceaccount:kube-system:persistent-volume-binder"}

// projectMarks keeps everybody in a project from marking objects for somebody
// else: with a finalizer that nobody removes, which keeps the namespace from ever
// being empty. The cluster's own controllers are let through, and those that run
// in other namespaces: their accounts have no rights here but what an
// administrator gave them.
// https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
func (b *builder) projectMarks() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	const from, inside = "request.userInfo.username.startsWith", `"system:serviceaccount:" + request.namespace + ":"`
	platform := "(" + from + `("system:") && !` + from + "(" + inside + ") || " + from + `("eks:"))`
	rules := onContents([]string{"*"}, "*")
	// What is in no namespace would be asked about as well.
	rules[0].(*admissionv1.NamedRuleWithOperationsArgs).Scope = pulumi.String("Namespaced")
	return policy(rules,
		check("variables.added == [] || "+platform+" || "+b.by(),
			"the controllers of the cluster put finalizers on a project's objects: leave metadata.finalizers out"),
		check("variables.foreign == []", "the project has no such host: add the names of its DNS records to hosts of the Project"),
	).with(
		variable("hosts", listed(v1alpha1.AnnotationHosts)),
		variable("notes", "object.?metadata.?annotations.orValue({})"),
		// external-dns makes a record of what any object says:
		// https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
		variable("foreign", `variables.notes.filter(k, k.matches("^external-dns[.].*hostname$") && (request.operation == "CREATE" || oldObject.?metadata.?annotations[?k].orValue("") != variables.notes[k]))`+
			`.map(k, variables.notes[k].split(",").filter(h, !(h.trim().lowerAscii().matches("^[a-z0-9*.-]+$") && [h.trim().lowerAscii()].all(h, `+ownHost+` || h.endsWith(".") && variables.hosts.exists(a, h == a + "." || a.startsWith("*.") && h.endsWith(a.substring(1) + ".")))))).filter(l, l != []).map(l, l[0])`),
		variable("added", `object.?metadata.?finalizers.orValue([]).filter(f, request.operation == "CREATE" || !(f in oldObject.?metadata.?finalizers.orValue([])))`+
			// The API server puts it on every claim.
			`.filter(f, !(`+ofKind("PersistentVolumeClaim")+` && f == "kubernetes.io/pvc-protection"))`),
	).projects()
}

// listed are the entries of a list that the controller wrote on the namespace.
func listed(annotation string) string {
	return `namespaceObject.metadata.?annotations[?` + strconv.Quote(annotation) + `].orValue("").split(",").map(r, r.trim()).filter(r, r != "")`
}
