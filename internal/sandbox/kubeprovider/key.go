package kubeprovider

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// key is an object's place within its kind.
type key struct{ namespace, name string }

// names returns an object's place as it says it itself.
func names(object map[string]any) key {
	m, _ := object["metadata"].(map[string]any)
	return key{stringOf(m["namespace"]), stringOf(m["name"])}
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

// orDefault is the namespace of what names none, to compare it.
func orDefault(namespace string) string {
	if namespace == "" {
		return "default"
	}
	return namespace
}

// setNamespace says an object's namespace in it; "" takes it away.
func setNamespace(object map[string]any, namespace string) {
	m, _ := object["metadata"].(map[string]any)
	switch {
	case namespace == "":
		delete(m, "namespace")
	case m == nil:
		if _, set := object["metadata"]; !set { // not known yet otherwise
			object["metadata"] = map[string]any{"namespace": namespace}
		}
	default:
		m["namespace"] = namespace
	}
}

// annotation returns one of an object's annotations.
func annotation(object map[string]any, name string) string {
	m, _ := object["metadata"].(map[string]any)
	all, _ := m["annotations"].(map[string]any)
	return stringOf(all[name])
}

func isTrue(object map[string]any, name string) bool { return annotation(object, name) == "true" }

// kindOf returns an object's version and kind as it says them itself.
func kindOf(object map[string]any) schema.GroupVersionKind {
	version := strings.TrimPrefix(stringOf(object["apiVersion"]), "core/")
	return schema.FromAPIVersionAndKind(version, stringOf(object["kind"]))
}
