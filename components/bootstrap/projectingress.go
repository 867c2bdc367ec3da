package bootstrap

import (
	"strconv"

	admissionv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/admissionregistration/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

const gatewayGroup = "gateway.networking.k8s.io"

// ingressAnnotations are what an ingress may say to the controller that serves
// it: how its own names are served. A value is of one line, starts nothing that the
// controller's own configuration could read as a part of itself, and names no
// target group, which may be another project's.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
// https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
const ingressAnnotations = `^(kubernetes[.]io/ingress[.]class|ingress[.]kubernetes[.]io/(ssl-redirect|force-ssl-redirect|rewrite-target)|` +
	`alb[.]ingress[.]kubernetes[.]io/(scheme|target-type|listen-ports|ssl-redirect|ssl-policy|certificate-arn|backend-protocol|backend-protocol-version|` +
	`healthcheck-[a-z-]+|healthy-threshold-count|unhealthy-threshold-count|success-codes|target-group-attributes|load-balancer-attributes|group[.]name|group[.]order|` +
	`ip-address-type|inbound-cidrs|subnets|tags|wafv2-acl-arn|actions[.][a-z0-9-]+|target-node-labels|auth-(type|scope|session-cookie|session-timeout|on-unauthenticated-request))|` +
	`nginx[.]ingress[.]kubernetes[.]io/(rewrite-target|use-regex|app-root|ssl-redirect|force-ssl-redirect|preserve-trailing-slash|backend-protocol|` +
	`proxy-(body-size|buffering|buffer-size|buffers-number|max-temp-file-size|request-buffering|http-version|connect-timeout|read-timeout|send-timeout|next-upstream|next-upstream-tries|next-upstream-timeout|cookie-path)|` +
	`client-body-buffer-size|affinity|affinity-mode|session-cookie-[a-z-]+|upstream-hash-by|service-upstream|load-balance|enable-cors|cors-[a-z-]+|` +
	`limit-[a-z-]+|whitelist-source-range|denylist-source-range|canary|canary-[a-z-]+|permanent-redirect|permanent-redirect-code|temporal-redirect|` +
	`auth-type|auth-secret|auth-secret-type|auth-realm|auth-signin|auth-response-headers|custom-http-errors|enable-access-log|satisfy|websocket-services|x-forwarded-prefix))$`

// servedBy fits the annotations that a controller of ingresses, gateways or load
// balancers may read, whoever's it is.
const servedBy = `ingress|gateway|load-?balanc|^service[.]beta[.]|nginx|traefik|haproxy|konghq|contour|ambassador|istio|envoy|elbv2|(^|[.])alb[.]|(^|[.])nlb[.]`

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
		),
		named,
		only(ofKind("Ingress"), "!has(object.spec.defaultBackend) && !has(object.spec.backend)", "an ingress without a host takes the requests for every host: leave out defaultBackend, and give each rule a host"),
		only(ofKind("Gateway"), `!has(object.spec.addresses) && object.spec.?listeners.orValue([]).all(l, l.?allowedRoutes.?namespaces.?from.orValue("Same") == "Same")`,
			"a project's gateway serves its own routes at an address that it is given"),
		only(ofKind("ReferenceGrant"), "false", "a project's objects are used by the project alone: it grants no references"),
		only(`request.kind.group == "`+gatewayGroup+`"`, "variables.notes.all(k, !k.matches("+strconv.Quote(servedBy)+"))",
			"a project's gateways and routes say nothing to their controller by annotations"),
		only(ofKind("Service"), "variables.notes.all(k, !k.matches("+strconv.Quote(servedBy)+") || k.matches("+strconv.Quote(ingressAnnotations)+"))",
			"a project's services ask for no load balancer: leave out its annotations"),
		only(ofKind("Ingress"), "variables.notes.all(k, !k.matches("+strconv.Quote(servedBy)+") || k.matches("+strconv.Quote(ingressAnnotations)+") && !"+value+
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
			ofKind("Gateway")+` ? object.spec.?listeners.orValue([]).map(l, l.?hostname.orValue("")) : `+
			`request.kind.kind.endsWith("Route") ? (object.spec.?hostnames.orValue([]) == [] ? [""] : object.spec.hostnames) : []`),
	).projects()
}
