// Package drift compares what a read-only refresh and an inventory found: which
// resources are not what their layer made them, which are gone, and which are
// there though no layer declares them. It is pure: facts in, findings out.
package drift

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/finding"
)

// Resource is one resource of a layer as it was made and as it was read.
type Resource struct {
	Layer string
	Type  string
	Name  string
	ID    string
	URN   string
	// Gone is true when the cloud no longer has it.
	Gone bool
	// Want and Have are the inputs in the state and as they were read.
	Want, Have map[string]any
}

// Item is one thing of the account's inventory.
type Item struct {
	Type string
	ID   string
	Name string
	// Of is the id of what it is a part of; empty: it stands by itself.
	Of string
}

// Facts are everything that was observed of one org.
type Facts struct {
	Resources []Resource
	// Beside is what was found of them in another way than by reading them again.
	Beside []finding.Finding
	// Items are what the inventory found, without what the cloud itself makes.
	Items []Item
	// Declared is everything that some layer declares.
	Declared Declared
}

// Findings returns what differs, in the order of layers, types and names.
func Findings(f Facts, layers []string) []finding.Finding {
	var out []finding.Finding
	for _, r := range f.Resources {
		base := finding.Finding{Layer: r.Layer, Type: r.Type, Name: r.Name, ID: r.ID, URN: r.URN}
		if r.Gone {
			base.Kind = finding.Missing
			base.Message = "it is gone"
			out = append(out, base)
			continue
		}
		d := Compare(r.Want, without(r.Have, r.Want, awstype.Ignored(r.Type)))
		if d = unscaled(d, r); len(d) > 0 {
			base.Kind, base.Differences = finding.Changed, d
			out = append(out, base)
		}
	}
	for _, b := range f.Beside {
		out = joined(out, b)
	}
	for _, it := range f.Items {
		if f.Declared.Has(it) {
			continue
		}
		out = append(out, finding.Finding{
			Kind: finding.Unmanaged, Type: it.Type, Name: it.Name, ID: it.ID,
			Message: "no layer declares it",
		})
	}
	rank := func(layer string) int {
		if i := slices.Index(layers, layer); i >= 0 {
			return i
		}
		return len(layers)
	}
	slices.SortStableFunc(out, func(a, b finding.Finding) int {
		return cmp.Or(cmp.Compare(rank(a.Layer), rank(b.Layer)), cmp.Compare(a.Type, b.Type),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// unscaled leaves out a number that an autoscaler has set within the bounds that
// the layer declares.
func unscaled(d []finding.Difference, r Resource) []finding.Difference {
	by, ok := awstype.Scaled(r.Type)
	if !ok {
		return d
	}
	is, known := number(r.Have, by.Path)
	least, below := number(r.Want, by.Least)
	most, above := number(r.Want, by.Most)
	if !known || !below || !above || is < least || is > most {
		return d
	}
	return slices.DeleteFunc(d, func(f finding.Difference) bool { return f.Path == by.Path })
}

// number is the number at a path of names with dots.
func number(properties map[string]any, path string) (float64, bool) {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		properties, _ = properties[key].(map[string]any)
	}
	n, err := strconv.ParseFloat(fmt.Sprint(properties[keys[len(keys)-1]]), 64)
	return n, err == nil
}

// joined adds a finding to the others, or what it differs in to the one of the
// same resource.
func joined(out []finding.Finding, b finding.Finding) []finding.Finding {
	i := slices.IndexFunc(out, func(o finding.Finding) bool { return o.Same(b) })
	if i < 0 {
		return append(out, b)
	}
	if out[i].Kind == finding.Missing {
		return out // between the two readings it went
	}
	out[i].Differences, out[i].Message = finding.Union(out[i].Differences, b.Differences), b.Message
	return out
}

// without leaves out what nobody asked for of some properties: of those that
// other resources say, and that providers read back as if they were its own.
// What is there of them that no resource declares, the inventory finds.
func without(have, want map[string]any, properties []string) map[string]any {
	if len(properties) == 0 {
		return have
	}
	have = maps.Clone(have)
	for _, p := range properties {
		if _, asked := want[p]; !asked {
			delete(have, p)
		}
	}
	return have
}

// Compare lists the properties that differ, each by its path, in order. A
// property that the cloud reports and nobody set does not differ: providers
// read defaults back.
func Compare(want, have map[string]any) []finding.Difference {
	var out []finding.Difference
	compareMaps("", want, have, &out)
	return out
}

func compareMaps(path string, want, have map[string]any, out *[]finding.Difference) {
	keys := map[string]bool{}
	for k := range want {
		keys[k] = true
	}
	for k := range have {
		keys[k] = true
	}
	sorted := make([]string, 0, len(keys))
	for k := range keys {
		sorted = append(sorted, k)
	}
	slices.Sort(sorted)
	for _, k := range sorted {
		// The engine's own bookkeeping.
		if k == "__defaults" || k == "__meta" {
			continue
		}
		compare(finding.Join(path, k), want[k], have[k], out)
	}
}

func compare(path string, want, have any, out *[]finding.Difference) {
	if finding.Empty(want) && finding.Empty(have) {
		return
	}
	switch w := want.(type) {
	case map[string]any:
		if h, ok := have.(map[string]any); ok {
			compareMaps(path, w, h, out)
			return
		}
	case []any:
		if h, ok := have.([]any); ok && len(h) == len(w) {
			for i := range w {
				compare(finding.JoinIndex(path, i), w[i], h[i], out)
			}
			return
		}
	case string:
		if h, ok := have.(string); ok && sameJSON(w, h) {
			return
		}
	}
	if reflect.DeepEqual(want, have) || fmt.Sprint(want) == fmt.Sprint(have) && scalar(want) && scalar(have) {
		return
	}
	*out = append(*out, finding.Difference{Path: path, Want: finding.Text(want), Have: finding.Text(have)})
}

// sameJSON reports whether two strings are the same JSON document: AWS returns
// policies with other white space than they were sent with.
func sameJSON(a, b string) bool {
	if a == b {
		return true
	}
	if a == "" || a[0] != '{' && a[0] != '[' {
		return false
	}
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func scalar(v any) bool {
	switch v.(type) {
	case string, bool, float64, int, int64, json.Number:
		return true
	default:
		return false
	}
}
