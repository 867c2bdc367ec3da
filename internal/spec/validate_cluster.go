package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

func (d *decoder) validateCluster(c Cluster) {
	d.validateEndpoint(c.Endpoint)
	d.unique("cluster.nodePools", len(c.NodePools), ".name", func(i int) string { return c.NodePools[i].Name })
	for i, p := range c.NodePools {
		d.validatePool(p, fmt.Sprintf("cluster.nodePools[%d]", i))
	}
	d.validateHome(c.NodePools)
	d.validateProvider(c.IdentityProvider)
}

func (d *decoder) validateProvider(p IdentityProvider) {
	const provider = "cluster.identityProvider"
	if prefix := provider + ".groupsPrefix"; d.given(prefix) && !d.given(provider+".groupsClaim") {
		d.complain(prefix, "is only for groups, and no claim has them", "groupsClaim beside it, or no groupsPrefix")
	}
	for _, key := range slices.Sorted(maps.Keys(p.RequiredClaims)) {
		if len(key) > 63 || !patterns[visibleASCII].MatchString(key) {
			d.complainOfKey(join(provider+".requiredClaims", key), quote(key)+" is not the name of a claim", "1 to 63 letters, digits and signs")
		}
	}
}

func (d *decoder) validateEndpoint(e Endpoint) {
	const allow = "cluster.endpoint.allow"
	d.unique(allow, len(e.Allow), "", func(i int) string { return e.Allow[i] })
	if !d.ok("cluster.endpoint", "cluster.endpoint.access", allow) {
		return
	}
	switch {
	case e.Access == EndpointPublic && len(e.Allow) == 0:
		// EKS would take an empty list for everybody.
		d.complain(allow, "is missing", "the ranges that may reach a public endpoint, such as 203.0.113.0/24", "cluster.endpoint.access")
	case e.Access == EndpointPrivate && len(e.Allow) > 0:
		d.complain(allow, "is only for a public endpoint", "no allow, or access: public")
	}
}

func (d *decoder) validatePool(p NodePool, path string) {
	d.validateSize(p, path)
	d.validateTypes(p.InstanceTypes, path+".instanceTypes")
	for _, key := range slices.Sorted(maps.Keys(p.Labels)) {
		field := join(path+".labels", key)
		d.validateKey(field, key, d.complainOfKey)
		if problems := validation.IsValidLabelValue(p.Labels[key]); d.ok(field) && len(problems) > 0 {
			d.complain(field, quote(p.Labels[key])+" is not a label's value",
				"up to 63 letters, digits and any of -_. with a letter or digit at both ends")
		}
	}
	first := map[[2]string]int{}
	for i, t := range p.Taints {
		taint := fmt.Sprintf("%s.taints[%d]", path, i)
		if d.ok(taint, taint+".key") {
			d.validateKey(taint+".key", t.Key, func(field, problem, want string) { d.complain(field, problem, want) })
		}
		if problems := validation.IsValidLabelValue(t.Value); d.ok(taint+".value") && len(problems) > 0 {
			d.complain(taint+".value", quote(t.Value)+" is not a taint's value",
				"up to 63 letters, digits and any of -_. with a letter or digit at both ends")
		}
		if !d.ok(taint, taint+".key", taint+".effect") {
			continue
		}
		// A node has one taint for a key and an effect.
		id := [2]string{t.Key, t.Effect}
		if j, again := first[id]; again {
			d.complain(taint, fmt.Sprintf("has the key and the effect of taints[%d]", j), "each once")
			continue
		}
		first[id] = i
	}
}

func (d *decoder) validateSize(p NodePool, path string) {
	if !d.ok(path, path+".min", path+".max", path+".desired") {
		return
	}
	switch {
	case p.Min > p.Max:
		d.complain(path+".min", fmt.Sprintf("min %d is more than max %d", p.Min, p.Max), "min <= desired <= max", path+".max", path)
	case p.Desired < p.Min:
		d.complain(path+".desired", fmt.Sprintf("desired %d is less than min %d", p.Desired, p.Min), "min <= desired <= max", path)
	case p.Desired > p.Max:
		d.complain(path+".desired", fmt.Sprintf("desired %d is more than max %d", p.Desired, p.Max), "min <= desired <= max", path)
	}
}

// validateTypes wants instance types that one image fits: a node group has one.
func (d *decoder) validateTypes(types []string, path string) {
	d.unique(path, len(types), "", func(i int) string { return types[i] })
	for i, t := range types {
		at := fmt.Sprintf("%s[%d]", path, i)
		if i == 0 || !d.ok(at, path+"[0]") {
			continue
		}
		one, other := MachineOf(types[0]), MachineOf(t)
		switch {
		case one.ARM != other.ARM:
			d.complain(at, fmt.Sprintf("%s is %s and %s is %s", quote(t), architecture(other), quote(types[0]), architecture(one)),
				"instance types of one architecture in a pool")
		case one.Accelerator != other.Accelerator:
			d.complain(at, fmt.Sprintf("%s and %s need different images", quote(t), quote(types[0])),
				"instance types with the same accelerator, or none, in a pool")
		}
	}
}

func architecture(m Machine) string {
	if m.ARM {
		return "arm64"
	}
	return "x86_64"
}

// reservedDomains belong to Kubernetes, EKS and Freehold. The kubelet refuses
// most of Kubernetes' own labels, and a node group with one never gets a node.
//
// https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
var reservedDomains = []string{"kubernetes.io", "k8s.io", "eks.amazonaws.com", "freehold.dev"}

// validateKey holds the rules for the key of a label or a taint.
func (d *decoder) validateKey(field, key string, complain func(field, problem, want string)) {
	if problems := validation.IsQualifiedName(key); len(problems) > 0 {
		complain(field, quote(key)+" is not a qualified name", "a key such as team or example.com/team")
		return
	}
	domain, _, prefixed := strings.Cut(key, "/")
	if !prefixed {
		return
	}
	for _, r := range reservedDomains {
		if domain == r || strings.HasSuffix(domain, "."+r) {
			complain(field, quote(key)+" is reserved, as all of "+r, "a key of your own, such as example.com/team")
			return
		}
	}
}

// validateHome wants a node for what tolerates no taint: without one CoreDNS
// stays pending, its add-on never becomes active, and bootstrap waits for a
// controller that has nowhere to run.
func (d *decoder) validateHome(pools []NodePool) {
	if !d.ok("cluster", "cluster.nodePools") {
		return
	}
	for i, p := range pools {
		path := fmt.Sprintf("cluster.nodePools[%d]", i)
		if !d.ok(path, path+".min", path+".max", path+".taints") {
			return
		}
		open := true
		for j, t := range p.Taints {
			taint := fmt.Sprintf("%s.taints[%d]", path, j)
			if !d.ok(taint, taint+".effect") {
				return
			}
			open = open && t.Effect == "PreferNoSchedule"
		}
		if open && p.Min > 0 {
			return
		}
	}
	d.complain("cluster.nodePools", "no pool keeps a node for CoreDNS and the namespace controller",
		"one pool with min 1 or more and no NoSchedule or NoExecute taint")
}
