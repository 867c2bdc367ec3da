package kubeprovider

import (
	"encoding/json"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// observed returns the inputs as the live object has them. Only what has changed
// since the object was last seen counts, so that neither a default nor another
// way to write a quantity looks like an edit; and only what the inputs set, so
// that another manager's fields are not taken for ours.
func observed(inputs, was map[string]any, live *unstructured.Unstructured) map[string]any {
	seen, _ := observe(inputs, was, live.Object, fieldsOf(live))
	out, _ := seen.(map[string]any)
	return out
}

// fields is the tree of what managers own, as managedFields writes it: "f:name"
// for a map's entry, `k:{"name":"x"}` for a list's item, `v:"x"` for a set's
// value. A node without such children is owned as a whole: it is atomic. What
// nobody owns has no node, nil.
type fields map[string]any

// whole is the node of what is owned as a whole.
var whole = fields{}

// fieldsOf returns the fields of all managers together: it tells how the server
// merges, whoever set a value.
func fieldsOf(live *unstructured.Unstructured) fields {
	all := fields{}
	for _, m := range live.GetManagedFields() {
		var f map[string]any
		if m.FieldsV1 != nil && json.Unmarshal(m.FieldsV1.Raw, &f) == nil {
			all.merge(f)
		}
	}
	return all
}

func (f fields) merge(other map[string]any) {
	for k, v := range other {
		v, _ := v.(map[string]any)
		child, ok := f[k].(fields)
		if !ok {
			child = fields{}
			f[k] = child
		}
		child.merge(v)
	}
}

// child returns a node: whole, below one that is owned as a whole.
func (f fields) child(k string) fields {
	if f.atomic() {
		return whole
	}
	c, _ := f[k].(fields)
	return c
}

// atomic reports whether a node is owned as a whole.
func (f fields) atomic() bool {
	if f == nil {
		return false
	}
	for k := range f {
		if k != "." {
			return false
		}
	}
	return true
}

// observe returns one value of the inputs as it is live, and whether it is there.
func observe(in, was, live any, owned fields) (any, bool) {
	if reflect.DeepEqual(live, was) {
		return in, true // also what is written and never read back
	}
	if live == nil {
		return nil, false
	}
	switch in := in.(type) {
	case map[string]any:
		if live, ok := live.(map[string]any); ok {
			was, _ := was.(map[string]any)
			return observeMap(in, was, live, owned), true
		}
	case []any:
		if live, ok := live.([]any); ok {
			was, _ := was.([]any)
			return observeList(in, was, live, owned), true
		}
	}
	return live, true
}

func observeMap(in, was, live map[string]any, owned fields) map[string]any {
	out := map[string]any{}
	for k, v := range in {
		if seen, there := observe(v, was[k], live[k], owned.child("f:"+k)); there {
			out[k] = seen
		}
	}
	if !owned.atomic() {
		return out
	}
	for k, v := range live {
		if _, ours := in[k]; !ours && !reflect.DeepEqual(v, was[k]) {
			out[k] = v
		}
	}
	return out
}

func observeList(in, was, live []any, owned fields) []any {
	if names := owned.itemKeys(); names != nil {
		return observeItems(in, was, live, owned, names)
	}
	out := []any{}
	if owned.isSet() {
		for _, v := range in {
			if contains(live, v) {
				out = append(out, v)
			}
		}
		return out
	}
	for i, v := range live {
		if i < len(in) && i < len(was) {
			v, _ = observe(in[i], was[i], v, whole)
		}
		out = append(out, v)
	}
	return out
}

// observeItems follows items by their keys, wherever they have moved.
func observeItems(in, was, live []any, owned fields, names []string) []any {
	out := []any{}
	for _, item := range in {
		before, now := find(was, item, names), find(live, item, names)
		if seen, there := observe(item, before, now, owned.item(now, names)); there {
			out = append(out, seen)
		}
	}
	return out
}

// itemKeys returns the names of the fields by which a list's items are kept
// apart; nil when the list has no such items.
func (f fields) itemKeys() []string {
	for k := range f {
		raw, ok := strings.CutPrefix(k, "k:")
		var keys map[string]any
		if !ok || json.Unmarshal([]byte(raw), &keys) != nil {
			continue
		}
		var names []string
		for name := range keys {
			names = append(names, name)
		}
		return names
	}
	return nil
}

func (f fields) isSet() bool {
	for k := range f {
		if strings.HasPrefix(k, "v:") {
			return true
		}
	}
	return false
}

// item returns the node of a list's item.
func (f fields) item(live any, names []string) fields {
	for k := range f {
		raw, ok := strings.CutPrefix(k, "k:")
		var keys map[string]any
		if ok && json.Unmarshal([]byte(raw), &keys) == nil && sameKeys(normal(keys), live, names) {
			return f.child(k)
		}
	}
	return nil
}

// find returns the item with the same keys; a key that one of them leaves to
// the server's default does not tell them apart.
func find(list []any, item any, names []string) any {
	for _, other := range list {
		if sameKeys(item, other, names) {
			return other
		}
	}
	return nil
}

func sameKeys(a, b any, names []string) bool {
	x, ok := a.(map[string]any)
	y, okToo := b.(map[string]any)
	if !ok || !okToo {
		return false
	}
	for _, n := range names {
		if x[n] != nil && y[n] != nil && !reflect.DeepEqual(x[n], y[n]) {
			return false
		}
	}
	return true
}

func contains(list []any, v any) bool {
	for _, other := range list {
		if reflect.DeepEqual(other, v) {
			return true
		}
	}
	return false
}

// normal gives numbers the type that unstructured objects have.
func normal(m map[string]any) map[string]any {
	for k, v := range m {
		if n, ok := v.(float64); ok && n == float64(int64(n)) {
			m[k] = int64(n)
		}
	}
	return m
}
