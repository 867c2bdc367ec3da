package kubeprovider

import (
	"encoding/base64"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// normalize writes an object of a built-in kind as the API server would, so that
// two ways to write a quantity are the same one. A field that the kind does not
// have is dropped by that, without a word; a value of the wrong type is left for
// the API server to refuse. Custom kinds stay as they are
// (provider/pkg/provider/provider.go, normalizeInputs; provider/pkg/clients/unstructured.go).
func normalize(object map[string]any) map[string]any {
	u := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(object)}
	gvk := u.GroupVersionKind()
	switch gk := gvk.GroupKind(); {
	case gk == definitionKind:
		if preserve, found, err := unstructured.NestedBool(u.Object, "spec", "preserveUnknownFields"); err == nil && found && !preserve {
			unstructured.RemoveNestedField(u.Object, "spec", "preserveUnknownFields")
		}
		delete(u.Object, "status")
	case gk == secretKind:
		normalizeSecret(u.Object)
	case builtin(gvk.Group) && scheme.Scheme.Recognizes(gvk):
		if typed, err := scheme.Scheme.New(gvk); err == nil {
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, typed); err == nil {
				if back, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed); err == nil {
					u.Object = prune(back, u.Object)
				}
			}
		}
	}
	for _, made := range madeByServer {
		unstructured.RemoveNestedField(u.Object, "metadata", made)
	}
	return u.Object
}

// madeByServer are the fields of metadata that nobody can ask for.
var madeByServer = []string{
	"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "uid",
}

// normalizeSecret says stringData as data, which is what the server makes of it.
func normalizeSecret(object map[string]any) {
	text, _, err := unstructured.NestedStringMap(object, "stringData")
	if err != nil {
		return
	}
	data, _, err := unstructured.NestedMap(object, "data")
	if err != nil {
		return
	}
	if len(text) == 0 {
		for k, v := range data {
			if s, ok := v.(string); ok {
				if raw, err := base64.StdEncoding.DecodeString(s); err == nil {
					data[k] = base64.StdEncoding.EncodeToString(raw)
				}
			}
		}
		if len(data) > 0 {
			object["data"] = data
		}
		return
	}
	all := maps.Clone(data)
	if all == nil {
		all = map[string]any{}
	}
	for k, v := range text {
		all[k] = base64.StdEncoding.EncodeToString([]byte(v))
	}
	object["data"] = all
	delete(object, "stringData")
}
