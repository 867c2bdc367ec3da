package strays

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// Kind is a kind that only some clusters have: of a network plug-in, or of what
// serves requests from outside. Its objects count from when somebody installs it.
type Kind struct {
	Group, Kind, Resource string
	// Namespaced is false for what is about the whole cluster, which only its
	// administrators remove.
	Namespaced bool
	// why says what an object does beside the Project. Kinds without it say
	// something about others: see Public.
	why func(o *unstructured.Unstructured, in Space) string
}

// Definition is the name of the CustomResourceDefinition that installs the kind.
func (k Kind) Definition() string { return k.Resource + "." + k.Group }

// Resources are the resources of the installed kinds, by their group.
func Resources() map[string][]string {
	out := map[string][]string{}
	for _, k := range Installed {
		out[k.Group] = append(out[k.Group], k.Resource)
	}
	return out
}

// Judges reports whether the kind's objects are judged by themselves.
func (k Kind) Judges() bool { return k.why != nil }

// The groups of the kinds that are looked for.
const (
	gatewayGroup    = "gateway.networking.k8s.io"
	newGatewayGroup = "gateway.networking.x-k8s.io"
	awsPolicyGroup  = "networking.k8s.aws"
	awsGatewayGroup = "gateway.k8s.aws"
)

// Installed are the kinds that open the network beside network policies, or that
// give a project names and ways in, where the cluster has them.
//
// A baseline admin policy is none of them: it decides only where no network policy
// does, and one that denies selects every pod of a project.
// https://network-policy-api.sigs.k8s.io/api-overview/
var Installed = []Kind{
	// https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
	{awsPolicyGroup, "ApplicationNetworkPolicy", "applicationnetworkpolicies", true, letsThrough},
	{awsPolicyGroup, "PolicyEndpoint", "policyendpoints", true, endpointsByHand},
	{awsPolicyGroup, "ClusterNetworkPolicy", "clusternetworkpolicies", false, overrules},
	{"policy.networking.k8s.io", "ClusterNetworkPolicy", "clusternetworkpolicies", false, overrules},
	{"policy.networking.k8s.io", "AdminNetworkPolicy", "adminnetworkpolicies", false, overrules},
	// https://docs.cilium.io/en/stable/security/policy/language/
	{"cilium.io", "CiliumNetworkPolicy", "ciliumnetworkpolicies", true, cilium},
	{"cilium.io", "CiliumClusterwideNetworkPolicy", "ciliumclusterwidenetworkpolicies", false, cilium},
	// https://docs.tigera.io/calico/latest/reference/resources/networkpolicy
	{"crd.projectcalico.org", "NetworkPolicy", "networkpolicies", true, calico},
	{"crd.projectcalico.org", "GlobalNetworkPolicy", "globalnetworkpolicies", false, calico},
	{"projectcalico.org", "NetworkPolicy", "networkpolicies", true, calico},
	{"projectcalico.org", "GlobalNetworkPolicy", "globalnetworkpolicies", false, calico},
	// https://gateway-api.sigs.k8s.io/reference/spec/
	{gatewayGroup, "Gateway", "gateways", true, gateway},
	{gatewayGroup, "ListenerSet", "listenersets", true, gateway},
	{newGatewayGroup, "XListenerSet", "xlistenersets", true, gateway},
	{gatewayGroup, "HTTPRoute", "httproutes", true, route},
	{gatewayGroup, "GRPCRoute", "grpcroutes", true, route},
	{gatewayGroup, "TLSRoute", "tlsroutes", true, route},
	{gatewayGroup, "TCPRoute", "tcproutes", true, route},
	{gatewayGroup, "UDPRoute", "udproutes", true, route},
	{gatewayGroup, "ReferenceGrant", "referencegrants", true, grant},
	{gatewayGroup, "GatewayClass", "gatewayclasses", false, nil},
	// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/loadbalancerconfig/
	{awsGatewayGroup, "LoadBalancerConfiguration", "loadbalancerconfigurations", true, nil},
	// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/ingress_class/
	{"elbv2.k8s.aws", "IngressClassParams", "ingressclassparams", false, nil},
	// https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-alb.html
	{"eks.amazonaws.com", "IngressClassParams", "ingressclassparams", false, nil},
}

// installed judges an object of one of the kinds above.
func installed(o *unstructured.Unstructured, in Space) string {
	gvk := o.GroupVersionKind()
	for _, k := range Installed {
		if k.Group == gvk.Group && k.Kind == gvk.Kind && k.why != nil {
			return k.why(o, in)
		}
	}
	return ""
}

const lets = "lets traffic through"

// rules are the rules of a policy for a direction.
func rules(spec map[string]any, direction string) []any {
	list, _, err := unstructured.NestedSlice(spec, direction)
	if err != nil {
		return []any{err} // what cannot be read may let anything through
	}
	return list
}

// letsThrough judges policies that only add up, as Kubernetes' own do.
func letsThrough(o *unstructured.Unstructured, _ Space) string {
	spec, _, _ := unstructured.NestedMap(o.Object, "spec")
	if len(rules(spec, "ingress"))+len(rules(spec, "egress")) > 0 {
		return lets
	}
	return ""
}

// endpointsByHand judges what EKS makes of each policy for its nodes. One of a
// policy goes with it, and lets through what it does; any other is somebody's.
// aws/amazon-network-policy-controller-k8s, pkg/policyendpoints/manager.go
func endpointsByHand(o *unstructured.Unstructured, _ Space) string {
	owner := metav1.GetControllerOf(o)
	if owner != nil && (owner.Kind == "NetworkPolicy" && strings.HasPrefix(owner.APIVersion, "networking.k8s.io/") ||
		owner.Kind == "ApplicationNetworkPolicy" && strings.HasPrefix(owner.APIVersion, awsPolicyGroup+"/")) {
		return ""
	}
	return lets + ", and EKS made it of no policy"
}

// overrules judges policies that are asked before a namespace's own. Those of the
// baseline tier are asked after.
func overrules(o *unstructured.Unstructured, in Space) string {
	spec, _, _ := unstructured.NestedMap(o.Object, "spec")
	if tier, _ := spec["tier"].(string); tier == "Baseline" {
		return ""
	}
	subject, _ := spec["subject"].(map[string]any)
	selector, _, err := unstructured.NestedMap(subject, "namespaces")
	if pods, is := subject["pods"].(map[string]any); is {
		selector, _, err = unstructured.NestedMap(pods, "namespaceSelector")
	}
	if err == nil && !selects(selector, in) {
		return ""
	}
	for _, rule := range slices.Concat(rules(spec, "ingress"), rules(spec, "egress")) {
		m, _ := rule.(map[string]any)
		if action, _ := m["action"].(string); action != "Deny" && action != "Pass" {
			return lets + ", past the network policies of namespaces"
		}
	}
	return ""
}

// selects reports whether a label selector selects a namespace. One that cannot be
// read does.
func selects(selector map[string]any, in Space) bool {
	var s metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(selector, &s); err != nil {
		return true
	}
	match, err := metav1.LabelSelectorAsSelector(&s)
	if err != nil {
		return true
	}
	set := labels.Set{nameLabel: in.Name}
	maps.Copy(set, in.Labels)
	return match.Matches(set)
}

// nameLabel is the label that every namespace has.
const nameLabel = "kubernetes.io/metadata.name"

// cilium judges policies that allow. An empty rule allows nothing: it is how one
// says that the rest is denied.
// https://docs.cilium.io/en/stable/security/policy/language/#ingress-egress-default-deny
func cilium(o *unstructured.Unstructured, in Space) string {
	all, _, err := unstructured.NestedSlice(o.Object, "specs")
	if err != nil {
		return lets
	}
	for _, one := range append(all, o.Object["spec"]) {
		spec, _ := one.(map[string]any)
		if _, ofNodes := spec["nodeSelector"]; ofNodes || o.GetNamespace() == "" && !ciliumSelects(spec, in) {
			continue
		}
		for _, rule := range slices.Concat(rules(spec, "ingress"), rules(spec, "egress")) {
			if m, is := rule.(map[string]any); !is || len(m) > 0 {
				return lets
			}
		}
	}
	return ""
}

// ciliumSelects reports whether a policy for the whole cluster may be about pods of
// a namespace. Which of its pods those are does not matter.
func ciliumSelects(spec map[string]any, in Space) bool {
	match, _, _ := unstructured.NestedStringMap(spec, "endpointSelector", "matchLabels")
	for key, value := range match {
		if name := strings.TrimPrefix(key, "k8s:"); name == "io.kubernetes.pod.namespace" && value != in.Name {
			return false
		}
	}
	return true
}

// oneNamespace fits a selector of Calico's that is about a single namespace.
var oneNamespace = regexp.MustCompile(`^\s*(?:projectcalico\.org/(?:name|namespace)|kubernetes\.io/metadata\.name)\s*==\s*['"]([a-z0-9-]+)['"]\s*$`)

// calico judges policies whose rules allow, or hand on to what is asked next.
func calico(o *unstructured.Unstructured, in Space) string {
	spec, _, _ := unstructured.NestedMap(o.Object, "spec")
	for _, field := range []string{"namespaceSelector", "selector"} {
		selector, _ := spec[field].(string)
		if m := oneNamespace.FindStringSubmatch(selector); m != nil && m[1] != in.Name {
			return ""
		}
	}
	for _, rule := range slices.Concat(rules(spec, "ingress"), rules(spec, "egress")) {
		m, _ := rule.(map[string]any)
		if action, _ := m["action"].(string); action != "Deny" && action != "Log" && action != "Pass" {
			return lets
		}
	}
	return ""
}

func gateway(o *unstructured.Unstructured, in Space) string {
	spec, _, _ := unstructured.NestedMap(o.Object, "spec")
	var hosts []string
	for _, l := range rules(spec, "listeners") {
		listener, _ := l.(map[string]any)
		host, _ := listener["hostname"].(string)
		hosts = append(hosts, host)
		if from, _, err := unstructured.NestedString(listener, "allowedRoutes", "namespaces", "from"); err != nil || from != "" && from != "Same" {
			return "takes the routes of other namespaces"
		}
	}
	class, _ := spec["gatewayClassName"].(string)
	notes := o.GetAnnotations()
	infrastructure, _, _ := unstructured.NestedStringMap(spec, "infrastructure", "annotations")
	parameters, _, _ := unstructured.NestedString(spec, "infrastructure", "parametersRef", "name")
	switch {
	case spec["addresses"] != nil:
		return "is at an address of its own choice"
	case in.Public["GatewayClass/"+class] != "":
		return "faces the internet: " + in.Public["GatewayClass/"+class]
	case parameters != "" && in.Public["LoadBalancerConfiguration/"+in.Name+"/"+parameters] != "":
		return "faces the internet: " + in.Public["LoadBalancerConfiguration/"+in.Name+"/"+parameters]
	}
	for _, n := range []map[string]string{notes, infrastructure} {
		if key := unexpected(n, func(string) bool { return false }); key != "" {
			return "says " + key + " to the controller that serves it"
		}
	}
	return called(hosts, notes, in)
}

func route(o *unstructured.Unstructured, in Space) string {
	hosts, _, err := unstructured.NestedStringSlice(o.Object, "spec", "hostnames")
	if err != nil || len(hosts) == 0 {
		hosts = []string{""}
	}
	if key := unexpected(o.GetAnnotations(), func(string) bool { return false }); key != "" {
		return "says " + key + " to the controller that serves it"
	}
	return called(hosts, o.GetAnnotations(), in)
}

func grant(*unstructured.Unstructured, Space) string {
	return "lets other namespaces use the project's objects"
}
