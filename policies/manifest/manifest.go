package manifest

import (
	"slices"
	"strings"

	"freehold.dev/freehold/policies/rule"
)

// Describes reports whether objects of a kind describe others: their keys are no
// settings.
func Describes(kind string) bool {
	return slices.Contains([]string{"CustomResourceDefinition", "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy", "ConfigMap", "Secret"}, kind)
}

// KindOf is the kind of a Kubernetes object's type, "Deployment"; of a list of
// them, or of a patch of one, that one's. It is empty for what is none.
func KindOf(r rule.Resource) string {
	rest, ok := strings.CutPrefix(r.Type, "kubernetes:")
	if !ok {
		return ""
	}
	kind := rest[strings.LastIndexByte(rest, ':')+1:]
	return strings.TrimSuffix(strings.TrimSuffix(kind, "Patch"), "List")
}

// ObjectsOf returns the object that a resource is, or those that it lists.
func ObjectsOf(r rule.Resource) []rule.Value {
	if items := r.Values().Get("items"); items.Raw != nil && strings.HasSuffix(r.Type, "List") {
		return items.Each()
	}
	return []rule.Value{r.Values()}
}

// Visit visits every property of every map in a Kubernetes object that has
// one of these names, of whatever kind the object is: a pod is a pod in a
// Deployment, in a Job of a CronJob, and in an object of a kind that only the
// cluster knows. Paths are written only where somebody reads them: most
// properties of a manifest are of interest to no rule.
func Visit(in map[string]any, names map[string]bool, visit func(key string, v rule.Value)) {
	visitBelow(&rule.Node{Raw: in}, names, visit)
}

func visitBelow(p *rule.Node, names map[string]bool, visit func(key string, v rule.Value)) {
	switch in := p.Raw.(type) {
	case map[string]any:
		for key, v := range in {
			below := &rule.Node{Up: p, Key: key, Raw: v}
			if names[key] {
				visit(key, rule.Value{Path: below.Path(), Raw: v})
			}
			visitBelow(below, names, visit)
		}
	case []any:
		for i, e := range in {
			visitBelow(&rule.Node{Up: p, Index: i, Raw: e}, names, visit)
		}
	}
}

// GVK takes a Kubernetes type apart: the group, the version and the kind, without
// the endings of what patches and lists it.
func GVK(typ string) (group, version, kind string) {
	rest := strings.TrimPrefix(typ, "kubernetes:")
	i := strings.LastIndexByte(rest, ':')
	if i < 0 {
		return rest, "", ""
	}
	api, kind := rest[:i], rest[i+1:]
	group, version, ok := strings.Cut(api, "/")
	if !ok && isVersion(api) { // the core group has no name in an object
		group, version = "core", api
	}
	return group, version, kind
}

func isVersion(text string) bool {
	return len(text) > 1 && text[0] == 'v' && '0' <= text[1] && text[1] <= '9'
}

// ExposureReason is the annotation that says why a service is reachable from outside,
// for whoever reviews the cluster.
const ExposureReason = "freehold.dev/exposure-reason"
