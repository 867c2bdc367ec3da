package policies

import "slices"

const (
	typeNamespace = "kubernetes:core/v1:Namespace"
	typeFence     = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
)

// clustersOwn are the namespaces that every cluster has. Their pods are EKS's.
var clustersOwn = []string{"default", "kube-system", "kube-public", "kube-node-lease"}

var fencedNamespaces = Rule{
	ID:       "FH907",
	Title:    "Every namespace denies by default",
	Why:      "a pod that no policy selects talks to everybody and is talked to by everybody",
	Fix:      "make a NetworkPolicy in it with an empty podSelector and policyTypes Ingress and Egress; or ask for a Project, which brings one",
	Severity: High,
	Criteria: []string{"CC6.6"},
	Types:    []string{typeNamespace},
	CheckStack: onStack([]string{typeNamespace}, func(j *judge, r Resource, stack []Resource, _ Scope) {
		if name := r.values().get("metadata", "name"); !name.unknown() && name.is(clustersOwn...) {
			return
		}
		unknown := false
		for _, fence := range stack {
			if fence.Type != typeFence {
				continue
			}
			in, denies := fence.values().get("metadata", "namespace"), deniesAll(fence)
			here, known := in.isOf(r)
			if name := r.values().get("metadata", "name"); known && !here {
				here, known = !name.unknown() && name.text() != "" && in.is(name.text()), !name.unknown()
			}
			if here && denies == Pass {
				return
			}
			unknown = unknown || denies != Violated && !known || here && denies == Undecided
		}
		if unknown {
			j.undecided("metadata.name")
			return
		}
		j.violate("metadata.name", "the namespace has no policy that denies by default")
	}),
	Good: []Example{
		shows("a namespace with its fence", typeNamespace, named("shop"), beside(typeFence, "shop-fence", fencePolicy("shop", object{}, "Ingress", "Egress"))),
		shows("a fence with a gate for name lookups", typeNamespace, named("shop"), beside(typeFence, "shop-fence", func() object {
			f := fencePolicy("shop", object{}, "Ingress", "Egress")
			f["spec"].(object)["egress"] = list{object{"ports": list{object{"port": 53.0}}}}
			return f
		}())),
		shows("a namespace that every cluster has", typeNamespace, named("kube-system")),
	},
	Bad: []Example{
		shows("a namespace without", typeNamespace, named("shop")),
		shows("the fence of its neighbour", typeNamespace, named("shop"), beside(typeFence, "lab-fence", fencePolicy("lab", object{}, "Ingress", "Egress"))),
		shows("a fence for some pods", typeNamespace, named("shop"), beside(typeFence, "shop-fence", fencePolicy("shop", object{"matchLabels": object{"app": "api"}}, "Ingress", "Egress"))),
		shows("a fence one way", typeNamespace, named("shop"), beside(typeFence, "shop-fence", fencePolicy("shop", object{}, "Ingress"))),
		shows("a fence whose gate is the fence", typeNamespace, named("shop"), beside(typeFence, "shop-fence", func() object {
			f := fencePolicy("shop", object{}, "Ingress", "Egress")
			f["spec"].(object)["ingress"] = list{object{}}
			return f
		}())),
	},
}

// named is an object that has nothing but a name.
func named(name string) object { return object{"metadata": object{"name": name}} }

// fencePolicy is a network policy for the pods of a selector.
func fencePolicy(namespace string, pods object, directions ...any) object {
	return object{
		"metadata": object{"name": "fence", "namespace": namespace},
		"spec":     object{"podSelector": pods, "policyTypes": directions},
	}
}

// deniesAll reports whether a policy selects every pod, in both directions, and
// has no gate that is open to everything.
func deniesAll(r Resource) Answer {
	spec := r.values().get("spec")
	selector, directions := spec.get("podSelector"), spec.get("policyTypes")
	if selector.unknown() || directions.unknown() || spec.get("ingress").unknown() || spec.get("egress").unknown() {
		return Undecided
	}
	if !selectsAll(selector.v) {
		return Violated
	}
	for _, direction := range []string{"Ingress", "Egress"} {
		if !slices.ContainsFunc(directions.each(), func(v value) bool { return v.is(direction) }) {
			return Violated
		}
	}
	for _, gate := range append(spec.all("ingress"), spec.all("egress")...) {
		if gate.unknown() {
			return Undecided
		}
		if m, ok := gate.v.(map[string]any); ok && len(m) == 0 {
			return Violated
		}
	}
	return Pass
}

// selectsAll reports whether a label selector has no condition.
func selectsAll(selector any) bool {
	m, _ := selector.(map[string]any)
	for _, part := range m {
		switch part := part.(type) {
		case map[string]any:
			if len(part) > 0 {
				return false
			}
		case []any:
			if len(part) > 0 {
				return false
			}
		case nil:
		default:
			return false
		}
	}
	return true
}

var openFences = Rule{
	ID:       "FH908",
	Title:    "No network policy lets everybody in",
	Why:      "policies add up: one that is open opens the namespace, whatever the others deny",
	Fix:      "name the pods, namespaces or ranges that may enter",
	Severity: High,
	Criteria: []string{"CC6.6"},
	Types:    []string{typeFence + "*"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		for _, o := range objectsOf(r) {
			if !j.known(o.get("spec", "ingress")) {
				continue
			}
			for _, gate := range o.all("spec.ingress") {
				from := gate.get("from")
				if j.known(gate) && j.known(from) && len(from.each()) == 0 {
					j.violate(gate.path, "it lets in everybody")
				}
				for _, peer := range from.each() {
					j.peer(peer)
				}
			}
		}
	}),
	Good: []Example{
		shows("pods of the same namespace", typeFence, gate(object{"podSelector": object{}})),
		shows("the load balancer's subnets", typeFence, gate(object{"ipBlock": object{"cidr": "10.0.224.0/19"}})),
	},
	Bad: []Example{
		shows("everybody", typeFence, object{"spec": object{"podSelector": object{}, "ingress": list{object{}}}}),
		shows("everybody on one port", typeFence, object{"spec": object{"podSelector": object{}, "ingress": list{object{"ports": list{object{"port": 443.0}}}}}}),
		shows("every namespace", typeFence, gate(object{"namespaceSelector": object{}})),
		shows("the internet", typeFence, gate(object{"ipBlock": object{"cidr": "0.0.0.0/0"}})),
	},
}

// gate is a policy that lets one peer in.
func gate(peer object) object {
	return object{"spec": object{"podSelector": object{}, "ingress": list{object{"from": list{peer}}}}}
}

func (j *judge) peer(peer value) {
	if !j.known(peer) {
		return
	}
	j.closed(peer.get("ipBlock", "cidr"))
	namespaces, pods := peer.get("namespaceSelector"), peer.get("podSelector")
	if !j.known(namespaces) || !j.known(pods) {
		return
	}
	if namespaces.v != nil && selectsAll(namespaces.v) && selectsAll(pods.v) {
		j.violate(namespaces.path, "it lets in the pods of every namespace")
	}
}

// podSecurity is by namespace: the pods that come later, members' own, are seen
// by no rule, but by Kubernetes' admission.
// https://kubernetes.io/docs/concepts/security/pod-security-admission/
var podSecurity = Rule{
	ID:       "FH909",
	Title:    "Every namespace refuses pods with access to the node",
	Why:      "what members of a project start is seen by no plan; without the label Kubernetes admits a privileged pod",
	Fix:      "label the namespace pod-security.kubernetes.io/enforce: restricted, or baseline",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    []string{typeNamespace, "kubernetes:core/v1:NamespacePatch"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		const label = "pod-security.kubernetes.io/enforce"
		name, enforced := r.values().get("metadata", "name"), r.values().get("metadata", "labels", label)
		if !name.unknown() && name.is(clustersOwn...) && enforced.v == nil || enforced.v == nil && r.Type != typeNamespace {
			return
		}
		j.must(enforced, []string{"restricted", "baseline"}, "pods are held to %s", orDefault(enforced.text(), "nothing"))
	}),
	Good: []Example{
		shows("restricted", typeNamespace, object{"metadata": object{"name": "shop", "labels": object{"pod-security.kubernetes.io/enforce": "restricted"}}}),
		shows("another label of a namespace that exists", "kubernetes:core/v1:NamespacePatch", object{"metadata": object{"name": "shop", "labels": object{"team": "a"}}}),
	},
	Bad: []Example{
		shows("nothing said", typeNamespace, named("shop")),
		shows("a warning only", typeNamespace, object{"metadata": object{"name": "shop", "labels": object{"pod-security.kubernetes.io/warn": "restricted"}}}),
		shows("a patch that takes the fence down", "kubernetes:core/v1:NamespacePatch", object{"metadata": object{"name": "shop", "labels": object{"pod-security.kubernetes.io/enforce": "privileged"}}}),
	},
}
