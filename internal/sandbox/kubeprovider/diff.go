package kubeprovider

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Diff compares inputs with inputs. What changed in the cluster is in the old
// inputs after a refresh, so no cluster is asked, and none is woken.
func (p *Provider) Diff(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	was := req.GetOldInputs()
	if was == nil {
		was = req.GetOlds()
	}
	olds, err := unmarshal("Diff.olds", was)
	if err != nil {
		return nil, err
	}
	news, err := unmarshal("Diff.news", req.GetNews())
	if err != nil {
		return nil, err
	}
	olds, news = strip(olds), strip(news)
	diff := plugin.NewDetailedDiffFromObjectDiff(olds.Diff(news), true)
	if len(diff) == 0 {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	gvk, err := kindOf(string(resource.URN(req.GetUrn()).Type()), news)
	if err != nil {
		return nil, err
	}
	resp := &pulumirpc.DiffResponse{
		Changes:         pulumirpc.DiffResponse_DIFF_SOME,
		DetailedDiff:    map[string]*pulumirpc.PropertyDiff{},
		HasDetailedDiff: true,
	}
	force := replaces(gvk.GroupKind(), p.of(ctx).settings())
	if old, err := kindOf(string(resource.URN(req.GetUrn()).Type()), olds); err == nil && old.Group != gvk.Group {
		force = append(force, "apiVersion")
	}
	top := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(diff)) {
		d := diff[path]
		if slices.ContainsFunc(force, func(f string) bool { return touches(path, f) }) {
			d = d.ToReplace()
			resp.Replaces = append(resp.Replaces, path)
		}
		resp.DetailedDiff[path] = &pulumirpc.PropertyDiff{Kind: pulumirpc.PropertyDiff_Kind(d.Kind), InputDiff: d.InputDiff}
		top[firstOf(path)] = true
	}
	resp.Diffs = slices.Sorted(maps.Keys(top))
	resp.DeleteBeforeReplace = len(resp.Replaces) > 0 && sameName(olds, news)
	return resp, nil
}

// touches reports whether a changed path is a property, in it, or around it.
func touches(path, property string) bool {
	within := func(inner, outer string) bool {
		rest, ok := strings.CutPrefix(inner, outer)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	}
	return within(path, property) || within(property, path)
}

func firstOf(path string) string {
	if i := strings.IndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return path
}

// sameName reports whether two objects cannot be there at the same time.
func sameName(olds, news resource.PropertyMap) bool {
	was, is := names(olds), names(news)
	return was.name != "" && was == is
}

// key is an object's place within its kind.
type key struct{ namespace, name string }

func names(m resource.PropertyMap) key {
	meta, _ := metadataOf(m)
	values := plainMap(meta)
	return key{stringOf(values["namespace"]), stringOf(values["name"])}
}

func (k key) id() string {
	if k.namespace == "" {
		return k.name
	}
	return k.namespace + "/" + k.name
}

func keyOf(id string) key {
	if namespace, name, ok := strings.Cut(id, "/"); ok {
		return key{namespace, name}
	}
	return key{name: id}
}
