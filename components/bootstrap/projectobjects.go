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
// filling the store that others share, and from taking other projects' disks.
func (b *builder) projectObjects() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	of := func(kind, expression, message string) *admissionv1.ValidationArgs {
		return check("request.kind.kind != "+strconv.Quote(kind)+" || "+expression, message)
	}
	secret := of("Secret", `request.operation != "CREATE" || object.?type.orValue("Opaque") in `+celList(kubernetesSecretTypes)+
		` || !object.?type.orValue("Opaque").matches("^([a-z0-9.-]*[.])?(kubernetes|k8s)[.]io(/|$)")`,
		"the secret's type makes a credential: use a projected volume for a service account's token, which expires")
	return policy(
		rulesOf(
			onContents([]string{"secrets", "configmaps", "persistentvolumeclaims"}, ""),
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
		check("variables.bytes <= "+strconv.Itoa(mostBytes)+` || request.operation == "UPDATE" && variables.bytes <= variables.bytesBefore`,
			"what a project stores in one object is at most 512 KiB, and this is more: split it, or keep it in an image or a volume"),
		of("Eviction", "object.?deleteOptions.?gracePeriodSeconds.orValue(0) <= "+strconv.Itoa(mostGrace), graceOfDeletion),
		check(`request.operation != "DELETE" || request.?options.?gracePeriodSeconds.orValue(0) <= `+strconv.Itoa(mostGrace), graceOfDeletion),
	).with(
		variable("classes", listed(v1alpha1.AnnotationStorageClasses)),
		variable("admin", b.by(volumeBinders...)),
		variable("bytes", bytesOf("object")),
		variable("bytesBefore", bytesOf("oldObject")),
	).projects()
}

// mostBytes is how much one ConfigMap or Secret holds, so that the quota, which
// counts objects, bounds bytes too. All of a cluster is in one etcd, which is meant
// for 8 GiB at most and takes no writes when it is full. The largest dashboards and
// bundles of certificates that charts bring are a little less.
// https://etcd.io/docs/latest/dev-guide/limit/
const mostBytes = 512 << 10

// bytesOf is how much is in an object of either kind. What is not text comes as
// base64, which has a third more letters.
func bytesOf(object string) string {
	sum := func(field, of string) string {
		return object + ".?" + field + ".orValue({}).map(k, " + of + ").sum()"
	}
	const at = ".data[k]"
	text := sum("data", "bytes(string("+object+at+")).size()")
	binary := sum("binaryData", "string("+object+".binaryData[k]).size() * 3 / 4")
	secret := sum("data", "string("+object+at+").size() * 3 / 4")
	return ofKind("ConfigMap") + " ? " + text + " + " + binary + " : " + ofKind("Secret") + " ? " + secret + " : 0"
}

// graceOfDeletion is the refusal of a deletion that states more than a pod itself may.
var graceOfDeletion = "a project's pods take at most an hour to end: gracePeriodSeconds is more than " + strconv.Itoa(mostGrace)

// projectBudgets keeps disruption budgets from holding up the nodes that others
// share: those that can let nothing go, however many pods the project has. One that
// a project with more pods can meet is taken as it is; where its pods are too few,
// or not healthy, whoever empties a node waits for a while, and then deletes them
// (internal/lifecycle/move.go).
// https://kubernetes.io/docs/tasks/run-application/configure-pdb/#arbitrary-controllers-and-selectors
func (b *builder) projectBudgets() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	const most, least = "object.spec.maxUnavailable", "object.spec.minAvailable"
	return policy(onContents([]string{"poddisruptionbudgets"}, "policy"),
		check("variables.same || !has("+most+") || (type("+most+") == int ? "+most+" > 0 : !string("+most+`).matches("^0+%$"))`,
			"the budget would keep a node from ever being emptied: let maxUnavailable be 1 or more"),
		check("variables.same || !has("+least+") || (type("+least+") == int ? variables.pods == 0 || "+least+" < variables.pods : "+
			"string("+least+`).matches("^0*[0-9]{1,2}%$") && (variables.pods == 0 || (100 - int(string(`+least+`).replace("%", ""))) * variables.pods >= 100))`,
			"the budget would keep a node from ever being emptied: let minAvailable be less than the pods that the project may have (quota.pods), or use maxUnavailable"),
	).with(append(bound,
		variable("same", `request.operation == "UPDATE" && object.spec == oldObject.spec`),
		// None while the project hibernates: how many it will have is not known then.
		variable("pods", `quantity(string(variables.hard[?"pods"].orValue("0"))).asInteger()`),
	)...).ofQuota().projects()
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
