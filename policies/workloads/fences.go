package workloads

import (
	"cmp"
	"slices"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/manifest"
	"freehold.dev/freehold/policies/rule"
)

const (
	typeNamespace = "kubernetes:core/v1:Namespace"
	typeFence     = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
)

// clustersOwn are the namespaces that every cluster has. Their pods are EKS's.
var clustersOwn = []string{"default", "kube-system", "kube-public", "kube-node-lease"}

var fencedNamespaces = rule.Rule{
	ID:       "FH907",
	Title:    "Every namespace denies by default",
	Why:      "a pod that no policy selects talks to everybody and is talked to by everybody",
	Fix:      "make a NetworkPolicy in it with an empty podSelector and policyTypes Ingress and Egress; or ask for a Project, which brings one",
	Severity: rule.High,
	Criteria: []string{"CC6.6"},
	Types:    []string{typeNamespace},
	CheckStack: rule.OnStack([]string{typeNamespace}, func(j *rule.Judge, r rule.Resource, stack []rule.Resource, _ rule.Scope) {
		if name := r.Values().Get("metadata", "name"); !name.Unknown() && name.Is(clustersOwn...) {
			return
		}
		unknown := false
		for _, fence := range stack {
			if fence.Type != typeFence {
				continue
			}
			in, denies := fence.Values().Get("metadata", "namespace"), deniesAll(fence)
			here, known := in.IsOf(r)
			if name := r.Values().Get("metadata", "name"); known && !here {
				here, known = !name.Unknown() && name.Text() != "" && in.Is(name.Text()), !name.Unknown()
			}
			if here && denies == rule.Pass {
				return
			}
			unknown = unknown || denies != rule.Violated && !known || here && denies == rule.Undecided
		}
		if unknown {
			j.Undecided("metadata.name")
			return
		}
		j.Violate("metadata.name", "the namespace has no policy that denies by default")
	}),
	Good: []rule.Example{
		example.Shows("a namespace with its fence", typeNamespace, named("shop"), example.Beside(typeFence, "shop-fence", fencePolicy("shop", object{}, "Ingress", "Egress"))),
		example.Shows("a fence with a gate for name lookups", typeNamespace, named("shop"), example.Beside(typeFence, "shop-fence", func() object {
			f := fencePolicy("shop", object{}, "Ingress", "Egress")
			f["spec"].(object)["egress"] = list{object{"ports": list{object{"port": 53.0}}}}
			return f
		}())),
		example.Shows("a namespace that every cluster has", typeNamespace, named("kube-system")),
	},
	Bad: []rule.Example{
		example.Shows("a namespace without", typeNamespace, named("shop")),
		example.Shows("the fence of its neighbour", typeNamespace, named("shop"), example.Beside(typeFence, "lab-fence", fencePolicy("lab", object{}, "Ingress", "Egress"))),
		example.Shows("a fence for some pods", typeNamespace, named("shop"), example.Beside(typeFence, "shop-fence", fencePolicy("shop", object{"matchLabels": object{"app": "api"}}, "Ingress", "Egress"))),
		example.Shows("a fence one way", typeNamespace, named("shop"), example.Beside(typeFence, "shop-fence", fencePolicy("shop", object{}, "Ingress"))),
		example.Shows("a fence whose gate is the fence", typeNamespace, named("shop"), example.Beside(typeFence, "shop-fence", func() object {
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
func deniesAll(r rule.Resource) rule.Answer {
	spec := r.Values().Get("spec")
	selector, directions := spec.Get("podSelector"), spec.Get("policyTypes")
	if selector.Unknown() || directions.Unknown() || spec.Get("ingress").Unknown() || spec.Get("egress").Unknown() {
		return rule.Undecided
	}
	if !selectsAll(selector.Raw) {
		return rule.Violated
	}
	for _, direction := range []string{"Ingress", "Egress"} {
		if !slices.ContainsFunc(directions.Each(), func(v rule.Value) bool { return v.Is(direction) }) {
			return rule.Violated
		}
	}
	for _, gate := range append(spec.All("ingress"), spec.All("egress")...) {
		if gate.Unknown() {
			return rule.Undecided
		}
		if m, ok := gate.Raw.(map[string]any); ok && len(m) == 0 {
			return rule.Violated
		}
	}
	return rule.Pass
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

var openFences = rule.Rule{
	ID:       "FH908",
	Title:    "No network policy lets everybody in",
	Why:      "policies add up: one that is open opens the namespace, whatever the others deny",
	Fix:      "name the pods, namespaces or ranges that may enter",
	Severity: rule.High,
	Criteria: []string{"CC6.6"},
	Types:    []string{typeFence + "*"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		for _, o := range manifest.ObjectsOf(r) {
			if !j.Known(o.Get("spec", "ingress")) {
				continue
			}
			for _, gate := range o.All("spec.ingress") {
				from := gate.Get("from")
				if j.Known(gate) && j.Known(from) && len(from.Each()) == 0 {
					j.Violate(gate.Path, "it lets in everybody")
				}
				for _, peer := range from.Each() {
					checkPeer(j, peer)
				}
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("pods of the same namespace", typeFence, gate(object{"podSelector": object{}})),
		example.Shows("the load balancer's subnets", typeFence, gate(object{"ipBlock": object{"cidr": "10.0.224.0/19"}})),
	},
	Bad: []rule.Example{
		example.Shows("everybody", typeFence, object{"spec": object{"podSelector": object{}, "ingress": list{object{}}}}),
		example.Shows("everybody on one port", typeFence, object{"spec": object{"podSelector": object{}, "ingress": list{object{"ports": list{object{"port": 443.0}}}}}}),
		example.Shows("every namespace", typeFence, gate(object{"namespaceSelector": object{}})),
		example.Shows("the internet", typeFence, gate(object{"ipBlock": object{"cidr": "0.0.0.0/0"}})),
	},
}

// gate is a policy that lets one peer in.
func gate(peer object) object {
	return object{"spec": object{"podSelector": object{}, "ingress": list{object{"from": list{peer}}}}}
}

func checkPeer(j *rule.Judge, peer rule.Value) {
	if !j.Known(peer) {
		return
	}
	j.Closed(peer.Get("ipBlock", "cidr"))
	namespaces, pods := peer.Get("namespaceSelector"), peer.Get("podSelector")
	if !j.Known(namespaces) || !j.Known(pods) {
		return
	}
	if namespaces.Raw != nil && selectsAll(namespaces.Raw) && selectsAll(pods.Raw) {
		j.Violate(namespaces.Path, "it lets in the pods of every namespace")
	}
}

// podSecurity is by namespace: the pods that come later, members' own, are seen
// by no rule, but by Kubernetes' admission.
// https://kubernetes.io/docs/concepts/security/pod-security-admission/
var podSecurity = rule.Rule{
	ID:       "FH909",
	Title:    "Every namespace refuses pods with access to the node",
	Why:      "what members of a project start is seen by no plan; without the label Kubernetes admits a privileged pod",
	Fix:      "label the namespace pod-security.kubernetes.io/enforce: restricted, or baseline",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    []string{typeNamespace, "kubernetes:core/v1:NamespacePatch"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		const label = "pod-security.kubernetes.io/enforce"
		name, enforced := r.Values().Get("metadata", "name"), r.Values().Get("metadata", "labels", label)
		if !name.Unknown() && name.Is(clustersOwn...) && enforced.Raw == nil || enforced.Raw == nil && r.Type != typeNamespace {
			return
		}
		j.Must(enforced, []string{"restricted", "baseline"}, "pods are held to %s", cmp.Or(enforced.Text(), "nothing"))
	}),
	Good: []rule.Example{
		example.Shows("restricted", typeNamespace, object{"metadata": object{"name": "shop", "labels": object{"pod-security.kubernetes.io/enforce": "restricted"}}}),
		example.Shows("another label of a namespace that exists", "kubernetes:core/v1:NamespacePatch", object{"metadata": object{"name": "shop", "labels": object{"team": "a"}}}),
	},
	Bad: []rule.Example{
		example.Shows("nothing said", typeNamespace, named("shop")),
		example.Shows("a warning only", typeNamespace, object{"metadata": object{"name": "shop", "labels": object{"pod-security.kubernetes.io/warn": "restricted"}}}),
		example.Shows("a patch that takes the fence down", "kubernetes:core/v1:NamespacePatch", object{"metadata": object{"name": "shop", "labels": object{"pod-security.kubernetes.io/enforce": "privileged"}}}),
	},
}
