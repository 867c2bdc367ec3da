package awsprovider

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// check completes and judges inputs as the genuine provider does before
// anything is made: the name, the types, what is required, the tables' rules.
func check(t *Type, urn string, seed []byte, old, in map[string]any) (map[string]any, []failure) {
	in = cloneMap(in)
	delete(in, "__defaults")
	var fails []failure
	if t.Name.Prefix != "" && len(present(in, []string{t.Name.Property, t.Name.Prefix})) == 2 {
		fails = append(fails, failure{t.Name.Property, "conflicts with " + t.Name.Prefix})
	}
	t.autoname(urn, seed, old, in)
	fails = append(fails, shapesOf(t).inputs.object("", in)...)
	for _, p := range t.Required {
		if _, is := in[p]; !is {
			fails = append(fails, failure{p, "missing required property"})
		}
	}
	for _, group := range t.Conflicts {
		if given := present(in, group); len(given) > 1 {
			fails = append(fails, failure{given[0], fmt.Sprintf("conflicts with %s", strings.Join(given[1:], ", "))})
		}
	}
	for _, group := range t.ExactlyOne {
		if given := present(in, group); len(given) != 1 {
			fails = append(fails, failure{group[0], fmt.Sprintf("exactly one of %s must be given, got %d", strings.Join(group, ", "), len(given))})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(t.Fields)) {
		for _, found := range walk(in, path) {
			if hasUnknown(found.value) {
				continue
			}
			for _, rule := range t.Fields[path] {
				if why := rule(found.value); why != "" {
					fails = append(fails, failure{found.path, why})
				}
			}
		}
	}
	for path := range t.Policies {
		for _, found := range walk(in, path) {
			if why := jsonText(found.value); why != "" {
				fails = append(fails, failure{found.path, why})
			}
		}
	}
	if tags, ok := in["tags"].(map[string]any); ok && t.Tags {
		fails = append(fails, tagRules(tags)...)
	}
	slices.SortStableFunc(fails, func(a, b failure) int { return strings.Compare(a.path, b.path) })
	return in, fails
}

// present returns the paths of those that are given. What is inside of something
// unknown may not be.
func present(in map[string]any, paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		return !slices.ContainsFunc(walk(in, path), func(a at) bool { return a.path == path })
	})
}

// autoname gives a name to a resource whose program gives none: the last one's,
// or the logical name with seven hex digits. "__defaults" tells which
// properties the program did not give, as the genuine provider does.
func (t *Type) autoname(urn string, seed []byte, old, in map[string]any) {
	p := t.Name.Property
	if p == "" || len(present(in, []string{p})) > 0 {
		return
	}
	prefix, prefixed := in[t.Name.Prefix].(string)
	if _, is := in[t.Name.Prefix].(unknown); is {
		in[p] = unknown{}
		return
	}
	in["__defaults"] = []any{p}
	if was, ok := old[p].(string); ok && slices.Contains(list(old["__defaults"]), any(p)) &&
		(!prefixed || strings.HasPrefix(was, prefix)) {
		in[p] = was
		return
	}
	if !prefixed {
		prefix = resource.URN(urn).Name() + "-"
	}
	if t.Name.Lower {
		prefix = strings.ToLower(prefix)
	}
	if keep := t.Name.Max - 7 - len(t.Name.Before); t.Name.Max > 0 && len(prefix) > keep {
		prefix = prefix[:keep]
	}
	if len(seed) == 0 {
		seed = []byte(urn)
	}
	in[p] = t.Name.Before + prefix + generate("hex:7", hex.EncodeToString(seed))
}
