package kubelive

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"freehold.dev/freehold/internal/finding"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// plain is an object as JSON has it, without what the cluster notes about it.
func plain(object map[string]any) (map[string]any, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode the object: %w", err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("decode the object: %w", err)
	}
	delete(out, "status")
	if meta, ok := out["metadata"].(map[string]any); ok {
		delete(meta, "managedFields")
	}
	return out, nil
}

// equal compares values that written has been over. Empty and absent are one:
// the API server leaves out what is empty.
func equal(a, b any) bool {
	return reflect.DeepEqual(a, b) || finding.Empty(a) && finding.Empty(b)
}

func contains(list []any, v any) bool {
	return slices.ContainsFunc(list, func(e any) bool { return equal(e, v) })
}

// find looks a path up in an object.
func find(in map[string]any, p fieldpath.Path) (at place, v any, there bool) {
	v = in
	for _, pe := range p {
		switch {
		case pe.FieldName != nil:
			m, ok := v.(map[string]any)
			if v, there = m[*pe.FieldName]; !ok || !there {
				return at, nil, false
			}
			at, _ = at.field(*pe.FieldName)
		default:
			list, _ := v.([]any)
			i := slices.IndexFunc(list, func(e any) bool { return is(e, pe) })
			if pe.Index != nil && *pe.Index < len(list) {
				i = *pe.Index
			}
			if i < 0 {
				return at, nil, false
			}
			v, at = list[i], at.item(i, pe)
		}
	}
	return at, v, true
}

// is reports whether an item of a list is the one that a path means.
func is(item any, pe fieldpath.PathElement) bool {
	if pe.Value != nil {
		return equal(item, written((*pe.Value).Unstructured()))
	}
	m, ok := item.(map[string]any)
	if !ok || pe.Key == nil {
		return false
	}
	for _, f := range *pe.Key {
		if v, said := m[f.Name]; said && !equal(v, written(f.Value.Unstructured())) {
			return false
		}
	}
	return true
}
