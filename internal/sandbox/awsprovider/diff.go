package awsprovider

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// change is one property that differs between two sets of inputs.
type change struct {
	path    string
	kind    changeKind
	replace bool
}

type changeKind int

const (
	changed changeKind = iota
	added
	removed
)

// differences compares inputs, property by property and into nested values.
// Policy documents that say the same are the same.
func differences(t *Type, old, in map[string]any) []change {
	var out []change
	compare(t, "", strip(old), strip(in), &out)
	for i := range out {
		out[i].replace = t.replaces(out[i].path) || out[i].kind == removed && slices.Contains(t.ReplaceGone, out[i].path)
	}
	return out
}

func strip(m map[string]any) map[string]any {
	out := maps.Clone(m)
	maps.DeleteFunc(out, func(k string, _ any) bool { return strings.HasPrefix(k, "__") })
	return out
}

func compare(t *Type, path string, old, in any, out *[]change) {
	if equal(old, in) {
		return
	}
	if _, is := t.Policies[path]; is && !hasUnknown(in) && samePolicy(old, in) {
		return
	}
	switch o := old.(type) {
	case map[string]any:
		n, ok := in.(map[string]any)
		if !ok {
			break
		}
		keys := slices.Collect(maps.Keys(o))
		for k := range n {
			if _, is := o[k]; !is {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
		for _, k := range keys {
			before, was := o[k]
			after, is := n[k]
			switch {
			case !was:
				*out = append(*out, change{path: join(path, k), kind: added})
			case !is:
				*out = append(*out, change{path: join(path, k), kind: removed})
			default:
				compare(t, join(path, k), before, after, out)
			}
		}
		return
	case []any:
		n, ok := in.([]any)
		if !ok {
			break
		}
		for i := range max(len(o), len(n)) {
			switch {
			case i >= len(o):
				*out = append(*out, change{path: index(path, i), kind: added})
			case i >= len(n):
				*out = append(*out, change{path: index(path, i), kind: removed})
			default:
				compare(t, index(path, i), o[i], n[i], out)
			}
		}
		return
	}
	*out = append(*out, change{path: path, kind: changed})
}

// replaces reports whether a change at a path makes a new resource.
func (t *Type) replaces(path string) bool {
	at := steps(path)
	if at[0] == "tags" || at[0] == "timeouts" {
		return false
	}
	if t.API.Update == "" && t.API.Updates[at[0]] == "" {
		return true
	}
	for _, r := range t.Replace {
		if r == "*" {
			return true
		}
		want := steps(r)
		n := min(len(want), len(at))
		if slices.EqualFunc(want[:n], at[:n], func(w, a string) bool { return w == "*" || w == a }) {
			return true
		}
	}
	return false
}

// deleteFirst reports whether the old resource must go before its replacement
// comes: it has an identity that the new one has too.
func (t *Type) deleteFirst(old, in map[string]any) bool {
	if t.DeleteFirst || t.Upsert {
		return true
	}
	before, after := &Call{Type: t, In: old, Out: withDefaults(t, old)}, &Call{Type: t, In: in, Out: withDefaults(t, in)}
	for _, u := range t.Unique {
		k := before.Expand(u.Key)
		if k != "" && k == after.Expand(u.Key) {
			return true
		}
	}
	return false
}

func withDefaults(t *Type, in map[string]any) map[string]any {
	out := maps.Clone(t.Defaults)
	if out == nil {
		out = map[string]any{}
	}
	maps.Copy(out, in)
	return out
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }
