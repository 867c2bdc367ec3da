package kubelive

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"freehold.dev/freehold/internal/finding"
)

// Result is how one live object differs from what was applied.
type Result struct {
	Object      Object               `json:"object"`
	Differences []finding.Difference `json:"differences,omitempty"`
	// By are the field managers that are on record for it; empty: nobody is.
	By []string `json:"by,omitempty"`
	// Unowned is true where something is there that nobody owns and that was not
	// there before, or where the layer's own ownership was taken away.
	Unowned bool `json:"unowned,omitempty"`
	// Live is the object as it is now, with all that somebody added to it.
	Live map[string]any `json:"-"`
}

// Why says who did it, as far as the object has it on record.
func (r Result) Why() string {
	switch {
	case len(r.By) > 0:
		return "field managers on record: " + strings.Join(r.By, ", ")
	case r.Unowned:
		return "no field manager is on record for it"
	default:
		return ""
	}
}

// ownershipPath stands for who owns what in a difference.
const ownershipPath = "metadata.managedFields"

// Compare lists how a live object differs from what was applied.
func Compare(o Object, live *unstructured.Unstructured) Result {
	c := comparison{object: o, kind: live.GroupVersionKind().GroupKind(), out: Result{Object: o}}
	manager := o.Manager
	if manager == "" {
		manager = guessed(live)
	}
	all, err := ownersOf(live.GetManagedFields(), manager)
	if err != nil {
		c.unowned(ownershipPath, manager, err.Error())
	}
	known := slices.ContainsFunc(all, isOurs)
	if err == nil && !known {
		c.unowned(ownershipPath, manager, nil)
	}
	c.owned = known
	now, _ := written(live.Object).(map[string]any)
	c.mapping(place{}, o.Want, o.Was, now, o.Was != nil, all)
	for _, one := range all {
		if !one.ours {
			c.foreign(one, now)
		}
	}
	if at := live.GetDeletionTimestamp(); at != nil {
		c.differ("metadata.deletionTimestamp", nil, at.UTC().Format(time.RFC3339))
	}
	slices.SortFunc(c.out.Differences, func(a, b finding.Difference) int { return strings.Compare(a.Path, b.Path) })
	slices.Sort(c.out.By)
	c.out.By = slices.Compact(c.out.By)
	return c.out
}

// guessed is the manager of a layer that does not record its own: it is the
// provider's, if there is one that begins like it and no second.
func guessed(live *unstructured.Unstructured) string {
	const provider = "pulumi-kubernetes"
	name := ""
	for _, e := range live.GetManagedFields() {
		if !ours(e, e.Manager) || !strings.HasPrefix(e.Manager, provider) {
			continue
		}
		if name != "" && name != e.Manager {
			return provider
		}
		name = e.Manager
	}
	if name == "" {
		return provider
	}
	return name
}

// comparison is one object while it is compared.
type comparison struct {
	object Object
	kind   schema.GroupKind
	// owned is true where the layer owns anything at all: where it does not, that
	// is one difference, and not one for each field.
	owned bool
	out   Result
}

func (c *comparison) differ(path string, want, have any) {
	d := finding.Difference{Path: path, Want: finding.Text(want), Have: finding.Text(have)}
	if !slices.ContainsFunc(c.out.Differences, func(o finding.Difference) bool { return o.Path == path }) {
		c.out.Differences = append(c.out.Differences, d)
	}
}

func (c *comparison) unowned(path string, want, have any) {
	c.differ(path, want, have)
	c.out.Unowned = true
}

// place is where in the object something is: as people read it, and as
// managedFields has it.
type place struct {
	text string
	in   fieldpath.Path
}

func (p place) field(name string) (place, fieldpath.PathElement) {
	pe := fieldpath.FieldNameElement(name)
	return place{finding.Join(p.text, name), append(p.in.Copy(), pe)}, pe
}

func (p place) item(index int, pe fieldpath.PathElement) place {
	return place{finding.JoinIndex(p.text, index), append(p.in.Copy(), pe)}
}

// named reports whether a field is by which the object is found, and so no
// property of it.
func (p place) named() bool {
	switch p.text {
	case "apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata.generateName":
		return true
	}
	return false
}

// mapping compares the fields of a map.
func (c *comparison) mapping(at place, want, was, live map[string]any, known bool, all owners) {
	for k, w := range want {
		next, pe := at.field(k)
		if next.named() || next.text == "status" {
			continue
		}
		c.value(next, w, was[k], live[k], known, all.at(pe))
	}
	for k, l := range live {
		if _, ok := want[k]; ok {
			continue
		}
		next, pe := at.field(k)
		c.added(next, was[k], l, known, all.at(pe))
	}
}

// value compares what was asked for with what is there.
func (c *comparison) value(at place, want, was, live any, known bool, all owners) {
	if finding.Empty(want) && live == nil {
		return
	}
	switch w := want.(type) {
	case map[string]any:
		if l, ok := live.(map[string]any); ok {
			was, _ := was.(map[string]any)
			c.mapping(at, w, was, l, known, all)
			return
		}
	case []any:
		if l, ok := live.([]any); ok {
			was, _ := was.([]any)
			c.list(at, w, was, l, known, all)
			return
		}
	}
	if !equal(want, live) {
		c.differ(at.text, want, live)
		return
	}
	// Equal, and yet not the layer's any more: whoever took it may change it next.
	if c.owned && !all.own(isAnybodys) {
		c.unowned(ownershipPath, "the field "+at.text, nil)
	}
}

func (c *comparison) list(at place, want, was, live []any, known bool, all owners) {
	names := all.keyNames()
	switch {
	case names != nil:
		c.items(at, want, was, live, known, all, names)
	case all.isSet():
		for i, w := range want {
			if j := slices.IndexFunc(live, func(l any) bool { return equal(w, l) }); j < 0 {
				c.differ(at.item(i, valueElement(w)).text, w, nil)
			}
		}
		for i, l := range live {
			if contains(want, l) {
				continue
			}
			pe := valueElement(l)
			var before any
			if contains(was, l) {
				before = l
			}
			c.added(at.item(i, pe), before, l, known, all.at(pe))
		}
	case len(want) != len(live):
		c.differ(at.text, want, live)
	default:
		for i, w := range want {
			var before any
			if i < len(was) {
				before = was[i]
			}
			c.value(at.item(i, fieldpath.IndexElement(i)), w, before, live[i], known, all.at(fieldpath.IndexElement(i)))
		}
	}
}

// items compares lists whose items are kept apart by keys, wherever they have moved.
func (c *comparison) items(at place, want, was, live []any, known bool, all owners, names []string) {
	claimed := map[int]bool{}
	for i, w := range want {
		j := itemLike(live, w, names, claimed)
		if j < 0 {
			c.differ(at.item(i, fieldpath.IndexElement(i)).text, w, nil)
			continue
		}
		claimed[j] = true
		l, _ := live[j].(map[string]any)
		pe := itemElement(l, names)
		c.value(at.item(j, pe), w, before(was, l, names), l, known, all.at(pe))
	}
	for j, l := range live {
		if claimed[j] {
			continue
		}
		item, _ := l.(map[string]any)
		pe := itemElement(item, names)
		c.added(at.item(j, pe), before(was, item, names), l, known, all.at(pe))
	}
}

// itemLike finds the item with the same keys, but for those that are taken; a key
// that was left to a default fits.
func itemLike(in []any, like any, names []string, taken map[int]bool) int {
	w, _ := like.(map[string]any)
	for i, e := range in {
		l, ok := e.(map[string]any)
		if !ok || taken[i] {
			continue
		}
		if !slices.ContainsFunc(names, func(n string) bool {
			v, said := w[n]
			return said && !equal(v, l[n])
		}) {
			return i
		}
	}
	return -1
}

func before(was []any, item map[string]any, names []string) any {
	if i := itemLike(was, item, names, nil); i >= 0 {
		return was[i]
	}
	return nil
}

// added judges what is there and was not asked for: a default, what the cluster
// itself writes, or a difference. What others own is looked at by foreign.
func (c *comparison) added(at place, was, live any, known bool, all owners) {
	if at.named() || allowed(c.kind, at.in) || finding.Empty(live) && was == nil && !all.own(isAnybodys) {
		return
	}
	switch l := live.(type) {
	case map[string]any:
		if len(l) > 0 {
			was, _ := was.(map[string]any)
			c.mapping(at, nil, was, l, known, all)
			return
		}
	case []any:
		if names := all.keyNames(); names != nil {
			was, _ := was.([]any)
			c.items(at, nil, was, l, known, all, names)
			return
		}
		if all.isSet() {
			was, _ := was.([]any)
			c.list(at, nil, was, l, known, all)
			return
		}
	}
	switch {
	case all.own(namesExactly):
		// The layer's own name is on it, and the layer never asked for it.
		c.differ(at.text, nil, live)
		c.out.By = append(c.out.By, c.object.Manager)
	case all.own(namedByAnother):
		// It is looked at with all else that they own.
	case all.own(isAnothers):
		// Of what somebody took as a whole, this is what they added.
		if known && !equal(was, live) {
			c.differ(at.text, nil, live)
		}
	case known && !equal(was, live):
		c.unowned(at.text, nil, live)
	}
}

// foreign lists what another manager owns of the object. Whatever its value is
// now, it is no longer the layer's alone.
func (c *comparison) foreign(o owner, live map[string]any) {
	o.set.Leaves().Iterate(func(p fieldpath.Path) {
		p = p.Copy()
		if allowed(c.kind, p) {
			return
		}
		at, have, there := find(live, c.whole(p))
		if !there || at.named() {
			return
		}
		c.out.By = append(c.out.By, o.name)
		if slices.ContainsFunc(c.out.Differences, func(d finding.Difference) bool {
			return finding.Within(d.Path, at.text) || finding.Within(at.text, d.Path)
		}) {
			return
		}
		_, want, _ := find(c.object.Want, p)
		c.differ(at.text, want, have)
	})
}

// whole is the item of a list that a field is in, where nobody asked for any of
// it, and else the field itself.
func (c *comparison) whole(p fieldpath.Path) fieldpath.Path {
	for i, pe := range p {
		if pe.Key != nil {
			if _, _, asked := find(c.object.Want, p[:i+1]); !asked {
				return p[:i+1]
			}
		}
	}
	return p
}
