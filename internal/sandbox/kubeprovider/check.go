package kubeprovider

import (
	"context"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// autonamed is the annotation of objects whose name was made up.
const autonamed = "pulumi.com/autonamed"

// Check fills in what a program may leave out: version and kind from the type,
// the namespace, a name. The API server checks the rest, in a preview already.
func (p *Provider) Check(ctx context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	urn := resource.URN(req.GetUrn())
	olds, err := unmarshal("Check.olds", req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal("Check.news", req.GetNews())
	if err != nil {
		return nil, err
	}
	var failures []*pulumirpc.CheckFailure
	fail := func(property, format string, args ...any) {
		failures = append(failures, &pulumirpc.CheckFailure{Property: property, Reason: fmt.Sprintf(format, args...)})
	}
	gvk, err := kindOf(string(urn.Type()), news)
	if err != nil {
		fail("kind", "%v", err)
	} else {
		news["apiVersion"] = resource.NewProperty(gvk.GroupVersion().String())
		news["kind"] = resource.NewProperty(gvk.Kind)
	}
	meta, ok := metadataOf(news)
	if !ok {
		fail("metadata", "metadata is not an object")
	}
	if len(failures) == 0 && meta != nil {
		if err := name(meta, olds, urn, req.GetRandomSeed()); err != nil {
			fail("metadata.name", "%v", err)
		}
		c := p.of(ctx).settings()
		if _, set := meta["namespace"]; !set && builtin(gvk.Group) && !clusterScoped[gvk.GroupKind()] {
			meta["namespace"] = resource.NewProperty(c.namespace)
		}
		news["metadata"] = keepSecret(resource.NewProperty(meta), news["metadata"])
		hideSecretData(news)
	}
	inputs, err := marshal("Check.inputs", news)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: inputs, Failures: failures}, nil
}

// kindOf returns an object's version and kind: its own, else those of its type,
// "kubernetes:apps/v1:Deployment".
func kindOf(token string, m resource.PropertyMap) (schema.GroupVersionKind, error) {
	values := plainMap(resource.PropertyMap{"apiVersion": m["apiVersion"], "kind": m["kind"]})
	version, kind := stringOf(values["apiVersion"]), stringOf(values["kind"])
	parts := strings.Split(token, ":")
	if len(parts) != 3 {
		return schema.GroupVersionKind{}, fmt.Errorf("%q is not a resource type", token)
	}
	if strings.HasSuffix(parts[2], "Patch") && kind != parts[2] {
		return schema.GroupVersionKind{}, fmt.Errorf("patch resources are not served by the sandbox: %s", token)
	}
	if version == "" {
		version = strings.TrimPrefix(parts[1], "core/")
	}
	if kind == "" {
		kind = parts[2]
	}
	gv, err := schema.ParseGroupVersion(version)
	if err != nil || gv.Version == "" {
		return schema.GroupVersionKind{}, fmt.Errorf("%q is not an API version", version)
	}
	return gv.WithKind(kind), nil
}

// metadataOf returns a copy of an object's metadata; nil when it is not known yet.
func metadataOf(m resource.PropertyMap) (meta resource.PropertyMap, ok bool) {
	v, set := m["metadata"]
	if set && v.IsSecret() {
		v = v.SecretValue().Element
	}
	switch {
	case !set || v.IsNull():
		return resource.PropertyMap{}, true
	case v.IsComputed():
		return nil, true
	case v.IsObject():
		return v.ObjectValue().Copy(), true
	}
	return nil, false
}

// name makes up a name for an object that has none, and keeps one made up before.
func name(meta, olds resource.PropertyMap, urn resource.URN, seed []byte) error {
	if _, set := meta["name"]; set {
		return nil
	}
	if _, set := meta["generateName"]; set {
		return nil
	}
	made := ""
	if old, _ := metadataOf(olds); old != nil {
		was := plainMap(old)
		annotations, _ := was["annotations"].(map[string]any)
		if annotations[autonamed] == "true" {
			made = stringOf(was["name"])
		}
	}
	if made == "" {
		var err error
		if made, err = resource.NewUniqueName(seed, strings.ToLower(urn.Name())+"-", 8, 0, []rune("0123456789abcdef")); err != nil {
			return fmt.Errorf("make up a name: %w", err)
		}
	}
	meta["name"] = resource.NewProperty(made)
	annotations := resource.PropertyMap{}
	if v, set := meta["annotations"]; set {
		if !v.IsObject() {
			return nil // not known yet: the name holds without the mark
		}
		annotations = v.ObjectValue().Copy()
	}
	annotations[autonamed] = resource.NewProperty("true")
	meta["annotations"] = resource.NewProperty(annotations)
	return nil
}
