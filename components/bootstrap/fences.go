package bootstrap

import (
	"strconv"
	"strings"

	admissionv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/admissionregistration/v1"
)

// namespaceMarks keeps Freehold's labels and annotations on namespaces, which
// say whose a namespace is, what may run in it and whether the controller may
// take it over. status and finalize write metadata too.
func (b *builder) namespaceMarks() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	marks := func(object, part string) string {
		return object + ".metadata.?" + part + ".orValue({})"
	}
	same := func(part string) string {
		now, before := marks("object", part), marks("oldObject", part)
		return `(request.operation == "CREATE" ? ` + now + `.all(k, !k.startsWith("freehold.dev/")) : (` +
			now + `.all(k, !k.startsWith("freehold.dev/") || ` + before + `[?k].orValue("") == ` + now + `[k]) && ` +
			before + `.all(k, !k.startsWith("freehold.dev/") || k in ` + now + `)))`
	}
	return policy(
		onContents([]string{"namespaces", "namespaces/status", "namespaces/finalize"}, ""),
		check(b.caretaker()+" || "+same("labels")+" && "+same("annotations"),
			"the labels and annotations freehold.dev/… of a namespace are Freehold's: change the Project"),
	).spec
}

// projectFences lets nobody else put quotas, limits and network policies beside
// the controller's: network policies only ever add ways out, and a second
// LimitRange undoes the first one's defaults. EKS enforces network policies by
// what is in policyendpoints.
func (b *builder) projectFences() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	return policy(
		rulesOf(
			onWrites([]string{"resourcequotas", "limitranges"}, ""),
			onWrites([]string{"networkpolicies"}, "networking.k8s.io"),
			onWrites([]string{"policyendpoints"}, "networking.k8s.aws"),
			onWrites([]string{"rolebindings", "roles"}, rbacGroup),
		),
		check(b.caretaker(), "the fences of a project are the namespace controller's: change the Project"),
		check(`request.operation == "DELETE" || `+`request.kind.kind != "NetworkPolicy" || object.spec == (request.operation == "UPDATE" ? oldObject.spec : null) || object.spec.?egress.orValue([]).all(e, `+
			`e.?to.orValue([]) != [] && e.to.all(t, !has(t.ipBlock) || `+noMetadata("t.ipBlock")+"))",
			"a way out of a project leaves out the addresses at which a node's credentials are: name ranges in \"to\", and "+strings.Join(metadataAddresses, " and ")+" in \"except\" of those that have them"),
	).projects()
}

// metadataAddresses give the node's credentials to whoever asks.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
var metadataAddresses = []string{"169.254.169.254", "fd00:ec2::254"}

// noMetadata is true for a range without them. IPv4 addresses in the form of IPv6
// are no ranges to it, and so not let through.
func noMetadata(block string) string {
	return "isCIDR(" + block + ".cidr) && " + celList(metadataAddresses) + ".all(a, !cidr(" + block + ".cidr).containsIP(a) || " +
		block + ".?except.orValue([]).exists(x, isCIDR(x) && cidr(x).containsIP(a)))"
}

// projectServices keeps the services of projects inside the cluster. Load
// balancers and node ports let the world in past the network policies, and an
// external name or address sends pods' traffic to whomever it names.
func (b *builder) projectServices() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	return policy(
		onContents([]string{"services"}, ""),
		check(`object.spec.?type.orValue("ClusterIP") == "ClusterIP"`,
			"a project's services are of type ClusterIP: LoadBalancer, NodePort and ExternalName leave the cluster"),
		check("object.spec.?externalIPs.orValue([]).size() == 0", "a project's services have no externalIPs"),
	).projects()
}

// bindingMakers bind roles in the whole cluster, beside administrators: the API
// server makes Kubernetes' own bindings, and EKS those of add-ons.
var bindingMakers = []string{
	"system:apiserver",
	"system:kube-controller-manager",
	"system:serviceaccount:kube-system:generic-garbage-collector",
	"eks:cluster-bootstrap",
	"eks:addon-manager",
}

// bindings lets only administrators and the cluster's own parts give rights in
// the whole cluster, whatever else somebody's role allows. Who holds "bind" or
// "escalate" would otherwise hold everything.
func (b *builder) bindings() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	return policy(
		onWrites([]string{"clusterrolebindings"}, rbacGroup),
		check(b.by(bindingMakers...), "only Freehold's administrators and the cluster itself give rights in the whole cluster"),
	).spec
}

// everybodyGroups and everybodyUsers are anybody who can reach the API, and
// every pod of the cluster.
var (
	everybodyGroups = []string{"system:authenticated", "system:unauthenticated", "system:serviceaccounts"}
	everybodyUsers  = []string{"system:anonymous"}
	// everybodysRoles are what Kubernetes itself lets everybody do: see who
	// they are, which kinds there are, and how tokens are signed.
	// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles
	everybodysRoles = []string{
		"system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery",
	}
)

// everybody refuses rights for everybody, whoever gives them.
func (b *builder) everybody() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	anybody := `(s.kind == "Group" && s.name in ` + celList(everybodyGroups) + `) || (s.kind == "User" && s.name in ` + celList(everybodyUsers) + ")"
	known := `object.roleRef.kind == "ClusterRole" && object.roleRef.name in ` + celList(everybodysRoles)
	return policy(
		onContents([]string{"clusterrolebindings", "rolebindings"}, rbacGroup),
		check("("+known+") || !object.?subjects.orValue([]).exists(s, "+anybody+")",
			"no role is given to everybody: name the group, user or service account that needs it"),
	).spec
}

// ofKind is true for requests with an object of this kind.
func ofKind(kind string) string { return "request.kind.kind == " + strconv.Quote(kind) }
