package kubeprovider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Annotations that mean something to the provider
// (provider/pkg/metadata/annotations.go).
const (
	autonamed           = "pulumi.com/autonamed" // on objects whose name was made up
	skipAwait           = "pulumi.com/skipAwait"
	waitFor             = "pulumi.com/waitFor"
	timeoutSeconds      = "pulumi.com/timeoutSeconds"
	replaceUnready      = "pulumi.com/replaceUnready"
	patchForce          = "pulumi.com/patchForce"
	patchFieldManager   = "pulumi.com/patchFieldManager"
	deletionPropagation = "pulumi.com/deletionPropagationPolicy"
)

// Check writes the inputs as the API server would, and fills in what a program
// may leave out: a name and the namespace. The API server checks the rest, in a
// preview already.
func (p *Provider) Check(ctx context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	urn := resource.URN(req.GetUrn())
	c := p.of(ctx)
	if c.settings().skipUpdateUnreachable && c.unreachable(ctx) != nil {
		c.report(ctx, pulumirpc.LogSeverity_WARNING, req.GetUrn(), "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping...", false)
		return &pulumirpc.CheckResponse{Inputs: req.GetOlds()}, nil
	}
	if isList(urn) {
		return nil, errors.New("list resources exist for compatibility with YAML manifests and Helm charts, " +
			"and cannot be created directly. Use the underlying resource type instead")
	}
	olds, err := unmarshal("Check.olds", req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal("Check.news", req.GetNews())
	if err != nil {
		return nil, err
	}
	object, old := plainMap(news), plainMap(olds)
	if isPatch(urn, object) {
		return nil, status.Errorf(codes.Unimplemented, "patch resources are not served by the sandbox: %s", urn.Type())
	}
	if m, set := object["metadata"]; set && !isObject(m) {
		return nil, fmt.Errorf("expected .metadata to be a map[string]interface{}, got %T", m)
	}
	if !hasUnknown(object) {
		object = normalize(object)
	}
	for name := range annotations(object) {
		if strings.HasPrefix(name, autonamed) {
			c.report(ctx, pulumirpc.LogSeverity_WARNING, req.GetUrn(), fmt.Sprintf("ignoring user-specified value for internal annotation %q", name), false)
		}
	}
	if err := name(object, old, len(olds) > 0, urn, req); err != nil {
		return nil, err
	}
	gvk, err := typeOf(urn)
	if err != nil {
		return nil, err
	}
	c.warnOfVersion(ctx, req.GetUrn(), gvk)
	if names(object).namespace == "" && decided(object, "metadata", "namespace") {
		if namespaced, sure := c.namespaced(ctx, gvk); namespaced || !sure {
			setNamespace(object, c.settings().namespace)
		}
	}
	if kindOf(object).GroupKind() == definitionKind {
		if err := c.remember(object); err != nil {
			return nil, err
		}
	}
	inputs, err := marshal("Check.inputs", outputsAs(object, news))
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: inputs}, nil
}

// typeOf returns the version and kind of a resource type,
// "kubernetes:apps/v1:Deployment".
func typeOf(urn resource.URN) (schema.GroupVersionKind, error) {
	parts := strings.Split(string(urn.Type()), ":")
	if len(parts) != 3 || parts[0] != "kubernetes" {
		return schema.GroupVersionKind{}, fmt.Errorf("unrecognized resource type: %q for this provider", urn.Type())
	}
	group, version, ok := strings.Cut(parts[1], "/")
	if !ok || strings.Contains(version, "/") {
		return schema.GroupVersionKind{}, fmt.Errorf("apiVersion does not have both a group and a version: %q", parts[1])
	}
	if group == "core" {
		group = ""
	}
	return schema.GroupVersionKind{Group: group, Version: version, Kind: parts[2]}, nil
}

func isPatch(urn resource.URN, object map[string]any) bool {
	return string(urn.Type().Name()) == stringOf(object["kind"])+"Patch"
}

// isList reports whether a type is a list of a built-in kind; a custom kind may
// be called a list.
func isList(urn resource.URN) bool {
	gvk, err := typeOf(urn)
	return err == nil && builtin(gvk.Group) && strings.HasSuffix(gvk.Kind, "List")
}

// isObject reports whether a value is an object, or may be one when it is known.
func isObject(v any) bool {
	switch v.(type) {
	case map[string]any, unknownValue:
		return true
	}
	return false
}

func annotations(object map[string]any) map[string]any {
	m, _ := object["metadata"].(map[string]any)
	all, _ := m["annotations"].(map[string]any)
	return all
}

// decided reports whether nothing on the way to a property is an unknown.
func decided(object map[string]any, path ...string) bool {
	var v any = object
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			_, unknown := v.(unknownValue)
			return !unknown
		}
		v = m[name]
	}
	_, unknown := v.(unknownValue)
	return !unknown
}

// name makes up a name for an object that has none, and keeps one made up
// before. With a state there was a name already, so none is made up then.
func name(object, old map[string]any, exists bool, urn resource.URN, req *pulumirpc.CheckRequest) error {
	if names(object).name != "" || !decided(object, "metadata", "name") {
		return nil
	}
	m, _ := object["metadata"].(map[string]any)
	if m["generateName"] != nil {
		return errors.New("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
	}
	made := names(old).name
	if exists && !isTrue(old, autonamed) {
		return nil
	}
	if !exists {
		switch auto := req.GetAutonaming(); {
		case auto != nil && auto.GetMode() == pulumirpc.CheckRequest_AutonamingOptions_DISABLE:
			return errors.New("autonaming is disabled, resource requires the .metadata.name field to be set")
		case auto != nil:
			made = auto.GetProposedName()
		default:
			var err error
			if made, err = resource.NewUniqueName(req.GetRandomSeed(), urn.Name()+"-", 0, 0, nil); err != nil {
				return fmt.Errorf("make up a name: %w", err)
			}
		}
	}
	if m == nil {
		m = map[string]any{}
		object["metadata"] = m
	}
	m["name"] = made
	if _, unknown := m["annotations"].(unknownValue); unknown {
		return nil // the name holds without the mark
	}
	all, _ := m["annotations"].(map[string]any)
	if all == nil {
		all = map[string]any{}
	}
	all[autonamed] = "true"
	m["annotations"] = all
	return nil
}

// remember keeps a definition that the program is about to make, so that it is
// known whether its objects are in namespaces before the server knows it.
func (c *connection) remember(definition map[string]any) error {
	group, _, _ := unstructured.NestedString(definition, "spec", "group")
	kind, _, _ := unstructured.NestedString(definition, "spec", "names", "kind")
	scope, _, _ := unstructured.NestedString(definition, "spec", "scope")
	if group == "" {
		return errors.New("expected .spec.group")
	}
	if kind == "" {
		return errors.New("expected .spec.names.kind")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.defined[schema.GroupKind{Group: group, Kind: kind}] = scope == "Namespaced"
	return nil
}

// namespaced reports whether objects of a kind are in namespaces, and whether
// that is known: it is not for a custom kind before its definition.
func (c *connection) namespaced(ctx context.Context, gvk schema.GroupVersionKind) (namespaced, sure bool) {
	if builtin(gvk.Group) {
		if clusterScoped[gvk.GroupKind()] {
			return false, true
		}
		return true, true
	}
	c.mu.Lock()
	namespaced, sure = c.defined[gvk.GroupKind()]
	c.mu.Unlock()
	if sure {
		return namespaced, true
	}
	cl, err := c.reach(ctx)
	if err != nil {
		return false, false
	}
	_, namespaced, err = cl.resource(ctx, gvk, impatient)
	return namespaced, err == nil
}
