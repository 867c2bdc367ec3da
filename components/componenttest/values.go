package componenttest

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// plainMap turns Pulumi's property values into what encoding/json would have
// made of them, with Unknown for what is not known. Secrets are opened: a
// test's values are nobody's.
func plainMap(props resource.PropertyMap) map[string]any {
	m := make(map[string]any, len(props))
	for k, v := range props {
		m[string(k)] = plain(v)
	}
	return m
}

func plain(v resource.PropertyValue) any {
	switch {
	case v.IsComputed(), v.IsOutput() && !v.OutputValue().Known:
		return Unknown
	case v.IsOutput():
		return plain(v.OutputValue().Element)
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsArray():
		list := make([]any, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			list[i] = plain(e)
		}
		return list
	case v.IsObject():
		return plainMap(v.ObjectValue())
	case v.IsResourceReference():
		return string(v.ResourceReferenceValue().URN)
	default:
		return v.V // nil, bool, float64, string, and assets as they are
	}
}

// secrets returns the names of the properties that are secret.
func secrets(props resource.PropertyMap) []string {
	var names []string
	for k, v := range props {
		if v.IsSecret() || v.IsOutput() && v.OutputValue().Secret {
			names = append(names, string(k))
		}
	}
	slices.Sort(names)
	return names
}
