package kubelive

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is one object that a layer made, as its state has it.
type Object struct {
	URN  string `json:"urn"`
	Type string `json:"type"` // Pulumi's
	Name string `json:"name"` // the resource's, in its program
	ID   string `json:"id"`   // "namespace/name", or "name"
	// Want is what was applied.
	Want map[string]any `json:"want"`
	// Was is the object as it was live after that; nil: not known.
	Was map[string]any `json:"was,omitempty"`
	// Manager is who applied it, as managedFields has it; empty: not known.
	Manager string `json:"manager,omitempty"`
}

// typePrefix begins the types of Kubernetes' objects.
const typePrefix = "kubernetes:"

// managerKey is where pulumi-kubernetes keeps the field manager, which is
// another one for each object (provider/pkg/provider/provider.go, checkpointObject).
const managerKey = "__fieldManager"

// Of returns the object of a resource in a state; false: it is none.
func Of(urn, typ, name, id string, inputs, outputs map[string]any) (Object, bool) {
	if !strings.HasPrefix(typ, typePrefix) {
		return Object{}, false
	}
	o := Object{URN: urn, Type: typ, Name: name, ID: id}
	o.Want, _ = written(inputs).(map[string]any)
	o.Was, _ = written(outputs).(map[string]any)
	o.Manager, _ = outputs[managerKey].(string)
	return o, true
}

// written is a value of a state as it is sent to the API server: without the
// engine's and the provider's own keys, and with the names that Pulumi has no
// spelling for (provider/pkg/provider/util.go, mapReplUnderscoreToDash).
func written(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if strings.HasPrefix(k, "__") || e == nil {
				continue
			}
			if rest, ok := strings.CutPrefix(k, "x_kubernetes_"); ok {
				k = "x-kubernetes-" + strings.ReplaceAll(rest, "_", "-")
			}
			out[k] = written(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = written(e)
		}
		return out
	case float64:
		if whole := int64(v); float64(whole) == v {
			return whole // as the API server reads it
		}
	case int:
		return int64(v)
	}
	return v
}

// kind is the object's, which its inputs say.
func (o Object) kind() (schema.GroupVersionKind, error) {
	u := unstructured.Unstructured{Object: o.Want}
	gv, err := schema.ParseGroupVersion(u.GetAPIVersion())
	kind := u.GetKind()
	if err == nil && (gv.Version == "" || kind == "") {
		// What a state leaves out, the type says: "kubernetes:apps/v1:Deployment".
		parts := strings.Split(strings.TrimPrefix(o.Type, typePrefix), ":")
		if len(parts) != 2 {
			return schema.GroupVersionKind{}, fmt.Errorf("%s %s: the state does not say which kind it is", o.Type, o.ID)
		}
		gv, err = schema.ParseGroupVersion(strings.TrimPrefix(parts[0], "core/"))
		kind = parts[1]
	}
	if err != nil {
		return schema.GroupVersionKind{}, fmt.Errorf("%s %s: %w", o.Type, o.ID, err)
	}
	return gv.WithKind(kind), nil
}

// place is where the object is.
func (o Object) place() (namespace, name string) {
	if namespace, name, ok := strings.Cut(o.ID, "/"); ok {
		return namespace, name
	}
	return "", o.ID
}
