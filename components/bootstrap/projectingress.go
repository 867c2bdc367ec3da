package bootstrap

import (
	"strconv"

	admissionv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/admissionregistration/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/strays"
)

// The groups of the Gateway API, and of what the AWS Load Balancer Controller reads
// of a gateway beside it.
const (
	gatewayGroup    = "gateway.networking.k8s.io"
	newGatewayGroup = "gateway.networking.x-k8s.io"
	awsGatewayGroup = "gateway.k8s.aws"
)

// listens is true for what says under which names a gateway may be called.
const listens = `(request.kind.kind in ["Gateway", "ListenerSet", "XListenerSet"])`

// ownHost is true for a host h that the Project lists.
const ownHost = `variables.hosts.exists(a, h == a || a.startsWith("*.") && h.endsWith(a.substring(1)))`

// projectIngress keeps a project's names to those that its Project lists, and all
// of it inside: whoever serves ingresses and routes for several projects would
// give a name to whoever asks first, and a balancer that faces the internet lets
// the world in past the network policies. The kinds of the Gateway API are held
// to it wherever somebody installs them.
func (b *builder) projectIngress() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	named := check("variables.same || variables.names.all(h, "+ownHost+")", "the project has no such host: add it to hosts of the Project")
	named.MessageExpression = pulumi.String(`"the project has no such host: " + variables.names.filter(h, !(` + ownHost + `)).map(h, h == "" ? "(any)" : h).join(", ") + ` +
		`"; add it to hosts of the Project, and give every rule a host"`)
	only := func(condition, expression, message string) *admissionv1.ValidationArgs {
		return check("variables.same || !("+condition+") || "+expression, message)
	}
	const value = "variables.notes[k]"
	return policy(
		rulesOf(
			onContents([]string{"ingresses"}, "networking.k8s.io"),
			onContents([]string{"ingresses"}, "extensions"),
			onContents([]string{"services"}, ""),
			onContents([]string{"*"}, gatewayGroup),
			onContents([]string{"*"}, newGatewayGroup),
			onContents([]string{"loadbalancerconfigurations"}, awsGatewayGroup),
		),
		named,
		only(ofKind("Ingress"), "!has(object.spec.defaultBackend) && !has(object.spec.backend)", "an ingress without a host takes the requests for every host: leave out defaultBackend, and give each rule a host"),
		only(listens, `!has(object.spec.addresses) && object.spec.?listeners.orValue([]).all(l, l.?allowedRoutes.?namespaces.?from.orValue("Same") == "Same")`,
			"a project's gateway serves its own routes at an address that it is given"),
		only(ofKind("ReferenceGrant"), "false", "a project's objects are used by the project alone: it grants no references"),
		only(`request.kind.group.startsWith("gateway.")`, "variables.notes.all(k, !k.matches("+strconv.Quote(strays.ServedBy)+")) && "+
			"object.?spec.?infrastructure.?annotations.orValue({}).all(k, !k.matches("+strconv.Quote(strays.ServedBy)+"))",
			"a project's gateways and routes say nothing to their controller by annotations"),
		only(ofKind("LoadBalancerConfiguration"), `object.?spec.?scheme.orValue("internal") == "internal"`,
			"a project's load balancers are internal: leave out scheme, or say internal"),
		only(ofKind("Service"), "variables.notes.all(k, !k.matches("+strconv.Quote(strays.ServedBy)+") || k.matches("+strconv.Quote(strays.IngressAnnotations)+"))",
			"a project's services ask for no load balancer: leave out its annotations"),
		only(ofKind("Ingress"), "variables.notes.all(k, !k.matches("+strconv.Quote(strays.ServedBy)+") || k.matches("+strconv.Quote(strays.IngressAnnotations)+") && !"+value+
			`.matches(k.startsWith("alb.") ? "[\\x00-\\x1f\\\\]|(?i)targetgroup(arn|name)" : "[\\x00-\\x1f\\\\;{}]"))`,
			"an ingress says how its own hosts are served, and this annotation says more: see docs/projects.md for those that pass"),
		only(ofKind("Ingress"), `variables.notes.all(k, k != "alb.ingress.kubernetes.io/scheme" || `+value+` == "internal")`,
			"a project's load balancers are internal: leave out alb.ingress.kubernetes.io/scheme, or say internal"),
		only(ofKind("Ingress"), `variables.notes.all(k, k != "alb.ingress.kubernetes.io/group.name" || `+value+` == request.namespace || `+value+`.startsWith(request.namespace + "."))`,
			"a load balancer is shared within the project: let alb.ingress.kubernetes.io/group.name be the project's name, or begin with it and a dot"),
		only(ofKind("Ingress"), `variables.notes.all(k, k != "alb.ingress.kubernetes.io/load-balancer-attributes" || !`+value+`.contains("_logs."))`,
			"the load balancer's logs are not a project's to send: leave out access_logs and connection_logs"),
		only(ofKind("Ingress"), `variables.notes.all(k, !k.matches("/auth-secret$") || !`+value+`.contains("/") || `+value+`.startsWith(request.namespace + "/"))`,
			"a project's ingress uses its own secrets"),
	).with(
		// What was there before can still be marked, by its controller too.
		variable("same", `request.operation == "UPDATE" && object.?spec == oldObject.?spec && object.metadata.?annotations == oldObject.metadata.?annotations`),
		variable("hosts", listed(v1alpha1.AnnotationHosts)),
		variable("notes", `object.metadata.?annotations.orValue({})`),
		variable("names", ofKind("Ingress")+` ? object.spec.?rules.orValue([]).map(r, r.?host.orValue("")) + object.spec.?tls.orValue([]).map(t, t.?hosts.orValue([])).map(l, l.all(h, `+ownHost+`) ? variables.hosts[?0].orValue("") : l.filter(h, !(`+ownHost+`))[0]) : `+
			listens+` ? object.spec.?listeners.orValue([]).map(l, l.?hostname.orValue("")) : `+
			`request.kind.kind.endsWith("Route") ? (object.spec.?hostnames.orValue([]) == [] ? [""] : object.spec.hostnames) : []`),
	).projects()
}
