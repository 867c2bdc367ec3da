package bootstrap_test

import (
	"cmp"
	"strings"

	"freehold.dev/freehold/internal/strays"
)

// ingress is one of the project shop, by host; "": none.
func ingress(host string, notes fields) fields {
	o := inNamespace("shop", "networking.k8s.io/v1", "Ingress", "i", nil)
	rule := fields{"http": fields{"paths": []any{fields{"path": "/", "pathType": "Prefix", "backend": fields{"service": fields{"name": "s", "port": fields{"number": 80}}}}}}}
	if host != "" {
		rule["host"] = host
	}
	o["spec"] = fields{"rules": []any{rule}}
	if notes != nil {
		noted(o, notes)
	}
	return o
}

// gateway is an object of the Gateway API, of which the test installs the kinds.
func gateway(kind, version string, spec fields) fields {
	o := inNamespace("shop", "gateway.networking.k8s.io/"+version, kind, "g", nil)
	o["spec"] = spec
	return o
}

// versions are those of kinds that are not in v1.
var versions = map[string]string{"TLSRoute": "v1alpha2", "TCPRoute": "v1alpha2", "UDPRoute": "v1alpha2", "ReferenceGrant": "v1beta1"}

func versionOf(k strays.Kind) string { return cmp.Or(versions[k.Kind], "v1") }

// installedKinds are the definitions of all that others may install, as far as a
// policy reads them.
func installedKinds() (definitions []fields) {
	for _, k := range strays.Installed {
		o := clusterObject("apiextensions.k8s.io/v1", "CustomResourceDefinition", k.Definition())
		noted(o, fields{"api-approved.kubernetes.io": "unapproved, test-only"})
		scope := "Cluster"
		if k.Namespaced {
			scope = "Namespaced"
		}
		o["spec"] = fields{
			"group": k.Group, "scope": scope,
			"names": fields{"kind": k.Kind, "listKind": k.Kind + "List", "plural": k.Resource, "singular": strings.ToLower(k.Kind)},
			"versions": []any{fields{"name": versionOf(k), "served": true, "storage": true, "schema": fields{
				"openAPIV3Schema": fields{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
			}}},
		}
		definitions = append(definitions, o)
	}
	return definitions
}

// opening is an object of a kind that others install, which lets traffic through
// or takes every name.
func opening(namespace string, k strays.Kind) fields {
	o := clusterObject(k.Group+"/"+versionOf(k), k.Kind, "open")
	if k.Namespaced {
		o = inNamespace(namespace, k.Group+"/"+versionOf(k), k.Kind, "open", nil)
	}
	o["spec"] = fields{"ingress": []any{fields{"action": "Allow", "fromEntities": []any{"all"}}}, "listeners": []any{fields{"port": 80}}}
	return o
}

// projectIngressAttempts ask for names of others and for ways in from outside,
// and beside each for what honest teams serve.
func projectIngressAttempts() (tests []attempt) {
	const ways, marks, own = "'freehold-project-ingress'", "'freehold-project-marks'", "shop.example.com"
	by := func(name string, o fields, denied string) {
		tests = append(tests, attempt{name, editor, all, create(o), denied})
	}
	shaped := func(change fields) fields {
		o := ingress(own, nil)
		with(o["spec"].(fields), change)
		return o
	}
	backend := fields{"service": fields{"name": "s", "port": fields{"number": 80}}}
	by("an ingress of its own host", ingress(own, nil), "")
	by("an ingress below its own host", ingress("api.shop.example.com", nil), "")
	by("an ingress of all below its own host", ingress("*.shop.example.com", nil), "")
	by("an ingress of another's host", ingress("billing.example.com", nil), ways)
	by("an ingress of a host that ends as its own", ingress("evilshop.example.com", nil), ways)
	by("an ingress of the host above its own", ingress("example.com", nil), ways)
	by("an ingress of all hosts beside its own", ingress("*.example.com", nil), ways)
	by("an ingress of any host", ingress("", nil), ways)
	by("an ingress of what nobody asks for", shaped(fields{"defaultBackend": backend}), ways)
	by("an ingress of nothing else", shaped(fields{"rules": []any{}, "defaultBackend": backend}), ways)
	by("an ingress with another's certificate", shaped(fields{"tls": []any{fields{"hosts": []any{own, "billing.example.com"}, "secretName": "t"}}}), ways)
	by("an ingress with its own certificate", shaped(fields{"tls": []any{fields{"hosts": []any{own}, "secretName": "t"}}}), "")
	by("an ingress with a class", shaped(fields{"ingressClassName": "nginx", "tls": []any{fields{"secretName": "t"}}}), "")
	elsewhere := ingress("billing.example.com", nil)
	elsewhere["metadata"].(fields)["namespace"] = "theirs"
	by("an ingress elsewhere", elsewhere, "")

	const alb, nginx = "alb.ingress.kubernetes.io/", "nginx.ingress.kubernetes.io/"
	for _, c := range []struct{ key, value, denied string }{
		{alb + "scheme", "internet-facing", ways},
		{alb + "scheme", "Internet-Facing", ways},
		{alb + "scheme", "internal", ""},
		{alb + "target-type", "ip", ""},
		{alb + "listen-ports", `[{"HTTPS":443}]`, ""},
		{alb + "certificate-arn", "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555", ""},
		{alb + "healthcheck-path", "/healthz", ""},
		{alb + "actions.ssl-redirect", `{"Type":"redirect","RedirectConfig":{"Protocol":"HTTPS","Port":"443","StatusCode":"HTTP_301"}}`, ""},
		{alb + "actions.forward", `{"type":"forward","targetGroupARN":"arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a/b"}`, ways},
		{alb + "actions.forward", "{\"type\":\"forward\",\"\\u0074argetGroupARN\":\"a\"}", ways},
		{alb + "conditions.any", `[{"field":"host-header","hostHeaderConfig":{"values":["billing.example.com"]}}]`, ways},
		{alb + "group.name", "shop", ""},
		{alb + "group.name", "shop.public", ""},
		{alb + "group.name", "billing", ways},
		{alb + "group.name", "shop-b", ways},
		{alb + "load-balancer-attributes", "idle_timeout.timeout_seconds=600", ""},
		{alb + "load-balancer-attributes", "access_logs.s3.enabled=true,access_logs.s3.bucket=theirs", ways},
		{alb + "security-groups", "sg-0123456789abcdef0", ways},
		{alb + "customer-owned-ipv4-pool", "p", ways},
		{alb + "of-tomorrow", "p", ways},
		{nginx + "configuration-snippet", "return 200;", ways},
		{nginx + "server-snippet", "return 200;", ways},
		{nginx + "stream-snippet", "return 200;", ways},
		{nginx + "auth-snippet", "return 200;", ways},
		{nginx + "server-alias", "billing.example.com", ways},
		{nginx + "auth-url", "http://169.254.169.254/", ways},
		{nginx + "mirror-target", "https://mallory.example", ways},
		{nginx + "auth-tls-secret", "billing/ca", ways},
		{nginx + "auth-secret", "billing/users", ways},
		{nginx + "auth-secret", "users", ""},
		{nginx + "rewrite-target", "/$2", ""},
		{nginx + "rewrite-target", "/;} location / { return 200", ways},
		{nginx + "proxy-body-size", "50m", ""},
		{nginx + "proxy-read-timeout", "3600", ""},
		{nginx + "ssl-redirect", "true", ""},
		{nginx + "cors-allow-origin", "https://shop.example.com", ""},
		{nginx + "limit-rps", "10", ""},
		{"nginx.org/server-snippets", "return 200;", ways},
		{"haproxy.org/backend-config-snippet", "x", ways},
		{"traefik.ingress.kubernetes.io/router.middlewares", "billing-auth@kubernetescrd", ways},
		{"konghq.com/plugins", "p", ways},
		{"kubernetes.io/ingress.class", "alb", ""},
		{"cert-manager.io/cluster-issuer", "letsencrypt", ""},
		{"argocd.argoproj.io/sync-wave", "1", ""},
		{"acme.example/owner", "team", ""},
		{"external-dns.alpha.kubernetes.io/hostname", "shop.example.com, api.shop.example.com.", ""},
		{"external-dns.alpha.kubernetes.io/hostname", "shop.example.com,billing.example.com", marks},
		{"external-dns.alpha.kubernetes.io/internal-hostname", "billing.example.com", marks},
		{"external-dns.alpha.kubernetes.io/hostname", "Billing.Example.com.", marks},
		{"external-dns.alpha.kubernetes.io/ttl", "60", ""},
	} {
		by("an ingress that says "+c.key+": "+c.value, ingress(own, fields{c.key: c.value}), c.denied)
	}
	for _, c := range []struct{ key, value, denied string }{
		{"service.beta.kubernetes.io/aws-load-balancer-scheme", "internet-facing", ways},
		{"service.beta.kubernetes.io/aws-load-balancer-internal", "false", ways},
		{"service.beta.kubernetes.io/aws-load-balancer-type", "external", ways},
		{"external-dns.alpha.kubernetes.io/hostname", "billing.example.com", marks},
		{"external-dns.alpha.kubernetes.io/hostname", "db.shop.example.com", ""},
		{"alb.ingress.kubernetes.io/healthcheck-path", "/healthz", ""},
		{"service.kubernetes.io/topology-mode", "Auto", ""},
		{"prometheus.io/scrape", "true", ""},
	} {
		by("a service that says "+c.key+": "+c.value, noted(service("shop", fields{}), fields{c.key: c.value}), c.denied)
	}
	by("a config map that asks for another's name", noted(inNamespace("shop", "v1", "ConfigMap", "c", nil), fields{"external-dns.alpha.kubernetes.io/hostname": "billing.example.com"}), marks)
	by("a pod that asks for another's name", noted(pod("shop", running(registry+"/app")), fields{"external-dns.alpha.kubernetes.io/hostname": "billing.example.com"}), marks)

	named := func(hosts ...any) fields { return fields{"parentRefs": []any{fields{"name": "g"}}, "hostnames": hosts} }
	listening := func(change fields) fields {
		return fields{"gatewayClassName": "any", "listeners": []any{with(fields{"name": "l", "port": 443, "protocol": "HTTPS", "hostname": own}, change)}}
	}
	for _, kind := range []struct{ kind, version string }{{"HTTPRoute", "v1"}, {"GRPCRoute", "v1"}, {"TLSRoute", "v1alpha2"}} {
		by("a "+kind.kind+" of its own host", gateway(kind.kind, kind.version, named(own, "*.shop.example.com")), "")
		by("a "+kind.kind+" of another's host", gateway(kind.kind, kind.version, named(own, "billing.example.com")), ways)
		by("a "+kind.kind+" of any host", gateway(kind.kind, kind.version, fields{"parentRefs": []any{}}), ways)
	}
	by("a route of whatever comes", gateway("TCPRoute", "v1alpha2", fields{"parentRefs": []any{}}), ways)
	by("a gateway of its own host", gateway("Gateway", "v1", listening(nil)), "")
	by("a gateway of another's host", gateway("Gateway", "v1", listening(fields{"hostname": "billing.example.com"})), ways)
	by("a gateway for every namespace's routes", gateway("Gateway", "v1", listening(fields{"allowedRoutes": fields{"namespaces": fields{"from": "All"}}})), ways)
	by("a gateway at an address of its own", gateway("Gateway", "v1", with(listening(nil), fields{"addresses": []any{fields{"value": "203.0.113.7"}}})), ways)
	by("a gateway that faces the internet", noted(gateway("Gateway", "v1", listening(nil)), fields{"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}), ways)
	by("a gateway whose balancer is told to face the internet", gateway("Gateway", "v1", with(listening(nil), fields{"infrastructure": fields{"annotations": fields{"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}}})), ways)
	by("a gateway whose balancer has a tag of the team's", gateway("Gateway", "v1", with(listening(nil), fields{"infrastructure": fields{"annotations": fields{"acme.example/team": "shop"}}})), "")
	by("listeners of its own host", gateway("ListenerSet", "v1", with(listening(nil), fields{"parentRef": fields{"name": "g"}})), "")
	by("listeners of another's host", gateway("ListenerSet", "v1", listening(fields{"hostname": "billing.example.com"})), ways)
	experimental := gateway("XListenerSet", "v1", listening(fields{"hostname": "billing.example.com"}))
	experimental["apiVersion"] = "gateway.networking.x-k8s.io/v1"
	by("listeners of another's host, before they were in the API", experimental, ways)
	balancer := func(spec fields) fields {
		o := inNamespace("shop", "gateway.k8s.aws/v1", "LoadBalancerConfiguration", "lb", nil)
		o["spec"] = spec
		return o
	}
	by("a balancer for gateways that faces the internet", balancer(fields{"scheme": "internet-facing"}), ways)
	by("a balancer for gateways inside", balancer(fields{"scheme": "internal", "loadBalancerAttributes": []any{}}), "")
	by("a balancer for gateways that says nothing of it", balancer(fields{}), "")
	by("a grant of references", gateway("ReferenceGrant", "v1beta1", fields{"from": []any{}, "to": []any{}}), ways)
	return tests
}
