package strays

import (
	"regexp"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// IngressAnnotations are what an ingress may say to the controller that serves
// it: how its own names are served. Their values are judged below.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
// https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
const IngressAnnotations = `^(kubernetes[.]io/ingress[.]class|ingress[.]kubernetes[.]io/(ssl-redirect|force-ssl-redirect|rewrite-target)|` +
	`alb[.]ingress[.]kubernetes[.]io/(scheme|target-type|listen-ports|ssl-redirect|ssl-policy|certificate-arn|backend-protocol|backend-protocol-version|` +
	`healthcheck-[a-z-]+|healthy-threshold-count|unhealthy-threshold-count|success-codes|target-group-attributes|load-balancer-attributes|group[.]name|group[.]order|` +
	`ip-address-type|inbound-cidrs|subnets|tags|wafv2-acl-arn|actions[.][a-z0-9-]+|target-node-labels|auth-(type|scope|session-cookie|session-timeout|on-unauthenticated-request))|` +
	`nginx[.]ingress[.]kubernetes[.]io/(rewrite-target|use-regex|app-root|ssl-redirect|force-ssl-redirect|preserve-trailing-slash|backend-protocol|` +
	`proxy-(body-size|buffering|buffer-size|buffers-number|max-temp-file-size|request-buffering|http-version|connect-timeout|read-timeout|send-timeout|next-upstream|next-upstream-tries|next-upstream-timeout|cookie-path)|` +
	`client-body-buffer-size|affinity|affinity-mode|session-cookie-[a-z-]+|upstream-hash-by|service-upstream|load-balance|enable-cors|cors-[a-z-]+|` +
	`limit-[a-z-]+|whitelist-source-range|denylist-source-range|canary|canary-[a-z-]+|permanent-redirect|permanent-redirect-code|temporal-redirect|` +
	`auth-type|auth-secret|auth-secret-type|auth-realm|auth-signin|auth-response-headers|custom-http-errors|enable-access-log|satisfy|websocket-services|x-forwarded-prefix))$`

// ServedBy fits the annotations that a controller of ingresses, gateways or load
// balancers may read, whoever's it is.
const ServedBy = `ingress|gateway|load-?balanc|^service[.]beta[.]|nginx|traefik|haproxy|konghq|contour|ambassador|istio|envoy|elbv2|(^|[.])alb[.]|(^|[.])nlb[.]`

// External DNS makes a record of what any object says:
// https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
var (
	ingressAnnotations = regexp.MustCompile(IngressAnnotations)
	servedBy           = regexp.MustCompile(ServedBy)
	recordOf           = regexp.MustCompile(`^external-dns[.].*hostname$`)

	targetGroups = regexp.MustCompile(`[\x00-\x1f\\]|(?i)targetgroup(arn|name)`)
	snippets     = regexp.MustCompile(`[\x00-\x1f\\;{}]`)
)

const alb = "alb.ingress.kubernetes.io/"

// Judged reports whether an annotation is looked at here.
func Judged(annotation string) bool {
	return servedBy.MatchString(annotation) || recordOf.MatchString(annotation)
}

// ingress judges an ingress as the admission policy freehold-project-ingress does,
// and by its class besides, which others make.
func ingress(o *networkingv1.Ingress, in Space) string {
	if o.Spec.DefaultBackend != nil {
		return "takes the requests for every host"
	}
	class := o.Annotations["kubernetes.io/ingress.class"]
	if o.Spec.IngressClassName != nil {
		class = *o.Spec.IngressClassName
	}
	if why := in.Public["IngressClass/"+class]; why != "" {
		return "faces the internet: " + why
	}
	if scheme := o.Annotations[alb+"scheme"]; scheme != "" && scheme != "internal" {
		return "faces the internet: its annotation " + alb + "scheme is " + scheme
	}
	if key := unexpected(o.Annotations, func(key string) bool {
		return ingressAnnotations.MatchString(key) && within(key, o.Annotations[key], in)
	}); key != "" {
		return "says " + key + " to the controller that serves it"
	}
	var hosts []string
	for _, r := range o.Spec.Rules {
		hosts = append(hosts, r.Host)
	}
	for _, t := range o.Spec.TLS {
		hosts = append(hosts, t.Hosts...)
	}
	return called(hosts, o.Annotations, in)
}

// within reports whether the value of an annotation is about the ingress itself.
func within(key, value string, in Space) bool {
	values := snippets
	if strings.HasPrefix(key, "alb.") {
		values = targetGroups
	}
	switch {
	case values.MatchString(value):
		return false
	case key == alb+"group.name":
		return value == in.Name || strings.HasPrefix(value, in.Name+".")
	case key == alb+"load-balancer-attributes":
		return !strings.Contains(value, "_logs.")
	case strings.HasSuffix(key, "/auth-secret"):
		return !strings.Contains(value, "/") || strings.HasPrefix(value, in.Name+"/")
	}
	return true
}

// unexpected is the first annotation to a controller that serves requests which may not
// be there; empty: there is none.
func unexpected(annotations map[string]string, may func(key string) bool) string {
	var all []string
	for key := range annotations {
		if servedBy.MatchString(key) && !may(key) {
			all = append(all, key)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return slices.Min(all)
}

// called judges the names that an object asks for.
func called(hosts []string, annotations map[string]string, in Space) string {
	for key, value := range annotations {
		if recordOf.MatchString(key) {
			for name := range strings.SplitSeq(value, ",") {
				hosts = append(hosts, strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), "."))
			}
		}
	}
	hosts = slices.DeleteFunc(hosts, func(h string) bool { return ownHost(h, in.Hosts) })
	if len(hosts) == 0 {
		return ""
	}
	slices.Sort(hosts)
	if hosts[0] == "" {
		return "takes the requests for every host"
	}
	return "is called " + some(slices.Compact(hosts)) + ", which hosts of the Project does not list"
}

// ownHost reports whether a project lists a host, or one above it with "*.".
func ownHost(host string, own []string) bool {
	return slices.ContainsFunc(own, func(h string) bool {
		return host == h || strings.HasPrefix(h, "*.") && strings.HasSuffix(host, h[1:])
	})
}

// Public says of classes of ingresses and of gateways, and of parameters of
// gateways, by what they face the internet; those that do not are not in it. An
// object of the project says nothing of it then.
func Public(classes []*networkingv1.IngressClass, installed []*unstructured.Unstructured) map[string]string {
	facing := map[string]string{}
	for _, o := range installed {
		scheme, _, err := unstructured.NestedString(o.Object, "spec", "scheme")
		if kind := o.GetKind(); (kind == "IngressClassParams" || kind == "LoadBalancerConfiguration") && (err != nil || scheme != "" && scheme != "internal") {
			facing[o.GroupVersionKind().Group+"/"+kind+"/"+at(o.GetNamespace(), o.GetName())] = "the scheme of " + kind + " " + o.GetName() + " is " + scheme
		}
	}
	public := map[string]string{}
	for _, c := range classes {
		p := c.Spec.Parameters
		if p == nil || p.APIGroup == nil {
			continue
		}
		if why := facing[*p.APIGroup+"/"+p.Kind+"/"+p.Name]; why != "" {
			public["IngressClass/"+c.Name] = why + ", which IngressClass " + c.Name + " has"
		}
	}
	for _, o := range installed {
		switch o.GetKind() {
		case "GatewayClass":
			p, _, _ := unstructured.NestedStringMap(o.Object, "spec", "parametersRef")
			if why := facing[p["group"]+"/"+p["kind"]+"/"+at(p["namespace"], p["name"])]; why != "" {
				public["GatewayClass/"+o.GetName()] = why + ", which GatewayClass " + o.GetName() + " has"
			}
		case "LoadBalancerConfiguration":
			if why := facing[awsGatewayGroup+"/LoadBalancerConfiguration/"+at(o.GetNamespace(), o.GetName())]; why != "" {
				public["LoadBalancerConfiguration/"+o.GetNamespace()+"/"+o.GetName()] = why
			}
		}
	}
	return public
}

func at(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}
