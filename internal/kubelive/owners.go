package kubelive

import (
	"bytes"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// owner is one entry of an object's managedFields.
type owner struct {
	name string
	ours bool
	set  *fieldpath.Set
	// exact is true at a field that the entry names, and whole there and below: a
	// map or a list may be owned as one.
	exact, whole bool
}

// owners are the entries of an object at one place in it.
type owners []owner

// ownersOf reads an object's managedFields. Entries of a subresource count as
// well: "kubectl scale" writes the spec.
func ownersOf(entries []metav1.ManagedFieldsEntry, manager string) (owners, error) {
	var out owners
	for _, e := range entries {
		o := owner{name: e.Manager, ours: ours(e, manager), set: &fieldpath.Set{}}
		if e.FieldsV1 == nil {
			return nil, fmt.Errorf("the fields of manager %q are in a form that is not known: %q", e.Manager, e.FieldsType)
		}
		if err := o.set.FromJSON(bytes.NewReader(e.FieldsV1.Raw)); err != nil {
			return nil, fmt.Errorf("the fields of manager %q: %w", e.Manager, err)
		}
		out = append(out, o)
	}
	return out, nil
}

// ours reports whether an entry is the one that the layer's own applies keep.
func ours(e metav1.ManagedFieldsEntry, manager string) bool {
	return e.Manager == manager && e.Operation == metav1.ManagedFieldsOperationApply && e.Subresource == ""
}

// at are the owners one step further in.
func (all owners) at(pe fieldpath.PathElement) owners {
	out := make(owners, len(all))
	for i, o := range all {
		sub := o.set.WithPrefix(pe)
		o.exact = o.set.Members.Has(pe) && sub.Empty()
		o.whole = o.whole || o.exact
		o.set = sub
		out[i] = o
	}
	return out
}

// own reports whether one of those that fit owns this very place, by itself or
// with what is around it.
func (all owners) own(fits func(owner) bool) bool {
	return slices.ContainsFunc(all, func(o owner) bool { return o.whole && fits(o) })
}

func isOurs(o owner) bool         { return o.ours }
func isAnothers(o owner) bool     { return !o.ours }
func isAnybodys(owner) bool       { return true }
func namesExactly(o owner) bool   { return o.ours && o.exact }
func namedByAnother(o owner) bool { return !o.ours && o.exact }

// elements are the steps further in that somebody has in this place.
func (all owners) elements() []fieldpath.PathElement {
	seen := &fieldpath.PathElementSet{}
	for _, o := range all {
		o.set.Members.Iterate(seen.Insert)
		o.set.Children.Iterate(seen.Insert)
	}
	var out []fieldpath.PathElement
	seen.Iterate(func(pe fieldpath.PathElement) { out = append(out, pe) })
	return out
}

// keyNames are the fields by which the items of a list are kept apart; nil: the
// list has no such items.
func (all owners) keyNames() []string {
	for _, pe := range all.elements() {
		if pe.Key == nil {
			continue
		}
		var names []string
		for _, f := range *pe.Key {
			names = append(names, f.Name)
		}
		return names
	}
	return nil
}

// isSet reports whether the list is one of values that each have an owner.
func (all owners) isSet() bool {
	return slices.ContainsFunc(all.elements(), func(pe fieldpath.PathElement) bool { return pe.Value != nil })
}

// itemElement is the step to an item of a list that is kept apart by keys.
func itemElement(item map[string]any, names []string) fieldpath.PathElement {
	var fields value.FieldList
	for _, n := range names {
		fields = append(fields, value.Field{Name: n, Value: value.NewValueInterface(item[n])})
	}
	fields.Sort()
	return fieldpath.PathElement{Key: &fields}
}

func valueElement(v any) fieldpath.PathElement {
	return fieldpath.ValueElement(value.NewValueInterface(v))
}
