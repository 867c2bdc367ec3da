package kubeprovider

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Diff compares the live object that the state has, pruned to what was asked for
// then, with what is asked for now. The cluster is only asked where a
// custom kind lives.
func (p *Provider) Diff(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	state, err := unmarshal("Diff.olds", req.GetOlds())
	if err != nil {
		return nil, err
	}
	inputs, err := unmarshal("Diff.news", req.GetNews())
	if err != nil {
		return nil, err
	}
	c := p.of(ctx)
	old := checkpointOf(state)
	news := plainMap(inputs)
	if !hasUnknown(news) {
		news = normalize(news)
	}
	was := prune(old.live, normalize(old.inputs))
	gvk := kindOf(news)
	if namespaced, known := c.namespaced(ctx, gvk); namespaced || !known {
		setNamespace(was, orDefault(names(was).namespace))
		setNamespace(news, orDefault(names(news).namespace))
	} else {
		setNamespace(was, "")
		setNamespace(news, "")
	}
	if kindOf(was).Empty() {
		was["apiVersion"], was["kind"] = news["apiVersion"], news["kind"]
	}
	if m, ok := was["metadata"].(map[string]any); ok {
		delete(m, "resourceVersion")
		// A name that the server or Check made up may be written down later.
		if names(news).name != "" && names(old.live).name != "" {
			m["name"] = names(old.live).name
		}
	}

	d := differ{force: forceNew(news, c.settings()), found: map[string]*pulumirpc.PropertyDiff{}}
	d.object(nil, was, news)
	if err := d.ignore(req.GetIgnoreChanges()); err != nil {
		return nil, err
	}
	resp := &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_NONE, DetailedDiff: d.found, HasDetailedDiff: true,
	}
	for _, path := range slices.Sorted(maps.Keys(d.found)) {
		resp.Changes = pulumirpc.DiffResponse_DIFF_SOME
		if kind := d.found[path].GetKind(); replaces(kind) || kind == pulumirpc.PropertyDiff_DELETE && path == "metadata" {
			resp.Replaces = append(resp.Replaces, path)
		}
	}
	is := names(news)
	resp.DeleteBeforeReplace = len(resp.Replaces) > 0 && is.name != "" && !isTrue(news, autonamed) && is == names(old.live)
	return resp, nil
}

// differ finds what changed between two objects, by path.
type differ struct {
	force []string // paths whose change replaces the object
	found map[string]*pulumirpc.PropertyDiff
}

// step is a field's name or an item's position.
type step struct {
	name  string
	index int
	item  bool
}

func (d differ) object(path []step, was, is map[string]any) {
	for k, v := range is {
		before, there := was[k]
		d.value(append(slices.Clip(path), step{name: k}), before, there, v)
	}
	for k := range was {
		if _, stays := is[k]; !stays {
			d.add(append(slices.Clip(path), step{name: k}), pulumirpc.PropertyDiff_DELETE, nil)
		}
	}
}

func (d differ) value(path []step, was any, there bool, is any) {
	switch is := is.(type) {
	case unknownValue:
		if there {
			d.add(path, pulumirpc.PropertyDiff_UPDATE, nil)
		} else {
			d.add(path, pulumirpc.PropertyDiff_ADD, nil)
		}
		return
	case map[string]any:
		if before, ok := was.(map[string]any); ok {
			d.object(path, before, is)
			return
		}
	case []any:
		if before, ok := was.([]any); ok {
			d.list(path, before, is)
			return
		}
	}
	switch {
	case !there:
		d.add(path, pulumirpc.PropertyDiff_ADD, is)
	case !same(was, is):
		d.add(path, pulumirpc.PropertyDiff_UPDATE, is)
	}
}

// list compares items by position: a JSON merge patch knows no keys.
func (d differ) list(path []step, was, is []any) {
	for i := range max(len(was), len(is)) {
		at := append(slices.Clip(path), step{index: i, item: true})
		switch {
		case i >= len(was):
			d.value(at, nil, false, is[i])
		case i >= len(is):
			d.add(at, pulumirpc.PropertyDiff_DELETE, nil)
		default:
			d.value(at, was[i], true, is[i])
		}
	}
}

// replacement is what a kind of difference is called where it replaces the object.
var replacement = map[pulumirpc.PropertyDiff_Kind]pulumirpc.PropertyDiff_Kind{
	pulumirpc.PropertyDiff_ADD:    pulumirpc.PropertyDiff_ADD_REPLACE,
	pulumirpc.PropertyDiff_DELETE: pulumirpc.PropertyDiff_DELETE_REPLACE,
	pulumirpc.PropertyDiff_UPDATE: pulumirpc.PropertyDiff_UPDATE_REPLACE,
}

func replaces(kind pulumirpc.PropertyDiff_Kind) bool {
	return slices.Contains(slices.Collect(maps.Values(replacement)), kind)
}

func (d differ) add(path []step, kind pulumirpc.PropertyDiff_Kind, is any) {
	if slices.ContainsFunc(d.force, func(f string) bool { return touches(path, is, strings.Split(f, ".")) }) {
		kind = replacement[kind]
	}
	d.found[written(path)] = &pulumirpc.PropertyDiff{
		Kind: kind, InputDiff: kind == pulumirpc.PropertyDiff_DELETE || kind == pulumirpc.PropertyDiff_DELETE_REPLACE,
	}
}

// ignore takes away what the program says is not its business.
func (d differ) ignore(paths []string) error {
	for _, text := range paths {
		ignored, err := resource.ParsePropertyPath(text)
		if err != nil {
			return fmt.Errorf("read the path %q of ignoreChanges: %w", text, err)
		}
		maps.DeleteFunc(d.found, func(k string, _ *pulumirpc.PropertyDiff) bool {
			changed, err := resource.ParsePropertyPath(k)
			return err == nil && ignored.Contains(changed)
		})
	}
	return nil
}

// touches reports whether a change is at a property, in it, or brings it along
// in the value that is there now. A property goes through lists at any position.
func touches(path []step, is any, property []string) bool {
	for _, s := range path {
		if s.item {
			continue
		}
		if len(property) == 0 {
			return true
		}
		if s.name != property[0] {
			return false
		}
		property = property[1:]
	}
	return len(property) == 0 || brings(is, property)
}

func brings(v any, property []string) bool {
	if len(property) == 0 {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		inner, there := v[property[0]]
		return there && brings(inner, property[1:])
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return brings(item, property) })
	}
	return false
}

func written(path []step) string {
	var text strings.Builder
	for _, s := range path {
		switch {
		case s.item:
			fmt.Fprintf(&text, "[%d]", s.index)
		case strings.ContainsAny(s.name, `."[]`):
			fmt.Fprintf(&text, `["%s"]`, strings.ReplaceAll(s.name, `"`, `\"`))
		case text.Len() > 0:
			text.WriteString("." + s.name)
		default:
			text.WriteString(s.name)
		}
	}
	return text.String()
}

// same compares scalars; a whole number may come as either kind of number.
func same(a, b any) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	return reflect.DeepEqual(a, b)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
