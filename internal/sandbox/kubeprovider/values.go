package kubeprovider

import (
	"fmt"
	"math"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/protobuf/types/known/structpb"
)

// unmarshal reads what the engine sent; secrets and unknowns stay what they are.
func unmarshal(label string, s *structpb.Struct) (resource.PropertyMap, error) {
	m, err := plugin.UnmarshalProperties(s, plugin.MarshalOptions{
		Label: label, KeepUnknowns: true, KeepSecrets: true, SkipNulls: true, RejectAssets: true,
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", label, err)
	}
	return m, nil
}

// marshal is the reverse of unmarshal.
func marshal(label string, m resource.PropertyMap) (*structpb.Struct, error) {
	s, err := plugin.MarshalProperties(m, plugin.MarshalOptions{
		Label: label, KeepUnknowns: true, KeepSecrets: true, SkipNulls: true,
	})
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", label, err)
	}
	return s, nil
}

// unknownValue stands for what is not known before the program runs.
type unknownValue struct{}

// plainMap returns the values as Kubernetes has them: secrets opened, whole
// numbers as integers, nulls and internal properties left out. What is not known
// yet is an unknownValue.
func plainMap(m resource.PropertyMap) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if resource.IsInternalPropertyKey(k) || v.IsNull() {
			continue
		}
		out[objectName(string(k))] = plain(v)
	}
	return out
}

func plain(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsComputed():
		return unknownValue{}
	case v.IsOutput():
		if !v.OutputValue().Known {
			return unknownValue{}
		}
		return plain(v.OutputValue().Element)
	case v.IsObject():
		return plainMap(v.ObjectValue())
	case v.IsArray():
		out := []any{}
		for _, e := range v.ArrayValue() {
			out = append(out, plain(e))
		}
		return out
	case v.IsNumber():
		if n := v.NumberValue(); n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n)
		}
		return v.NumberValue()
	case v.IsBool():
		return v.BoolValue()
	case v.IsString():
		return v.StringValue()
	}
	return nil
}

// hasUnknown reports whether a value is not known yet, in any part of it.
func hasUnknown(v any) bool {
	switch v := v.(type) {
	case unknownValue:
		return true
	case map[string]any:
		for _, e := range v {
			if hasUnknown(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasUnknown)
	}
	return false
}

// property is the reverse of plain.
func property(v any) resource.PropertyValue {
	return propertyNamed(v, func(k string) string { return k })
}

// propertyNamed is property, with each field's name as the program has it.
func propertyNamed(v any, named func(string) string) resource.PropertyValue {
	switch v := v.(type) {
	case unknownValue:
		return resource.MakeComputed(resource.NewProperty(""))
	case map[string]any:
		m := resource.PropertyMap{}
		for k, e := range v {
			if e != nil {
				m[resource.PropertyKey(named(k))] = propertyNamed(e, named)
			}
		}
		return resource.NewProperty(m)
	case []any:
		a := []resource.PropertyValue{}
		for _, e := range v {
			a = append(a, propertyNamed(e, named))
		}
		return resource.NewProperty(a)
	case int64:
		return resource.NewProperty(float64(v))
	case float64:
		return resource.NewProperty(v)
	case bool:
		return resource.NewProperty(v)
	case string:
		return resource.NewProperty(v)
	}
	return resource.NewNullProperty()
}

// strip opens secrets, so that only values are compared.
func strip(m resource.PropertyMap) resource.PropertyMap {
	out := resource.PropertyMap{}
	for k, v := range m {
		if !resource.IsInternalPropertyKey(k) {
			out[k] = stripValue(v)
		}
	}
	return out
}

func stripValue(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return stripValue(v.SecretValue().Element)
	case v.IsObject():
		return resource.NewProperty(strip(v.ObjectValue()))
	case v.IsArray():
		a := []resource.PropertyValue{}
		for _, e := range v.ArrayValue() {
			a = append(a, stripValue(e))
		}
		return resource.NewProperty(a)
	}
	return v
}

// keepSecret marks in out what is secret in like. A list with a secret in it is
// secret as a whole: its items may have moved.
func keepSecret(out, like resource.PropertyValue) resource.PropertyValue {
	switch {
	case out.IsSecret() || out.IsNull():
		return out
	case like.IsSecret(), like.IsArray() && like.ContainsSecrets():
		return resource.MakeSecret(out)
	case like.IsObject() && out.IsObject():
		m := out.ObjectValue().Copy()
		for k, v := range like.ObjectValue() {
			if got, ok := m[k]; ok {
				m[k] = keepSecret(got, v)
			}
		}
		return resource.NewProperty(m)
	}
	return out
}

// hideSecretData marks the values of a v1 Secret.
func hideSecretData(m resource.PropertyMap) {
	if !m["kind"].IsString() || m["kind"].StringValue() != "Secret" || !m["apiVersion"].IsString() || m["apiVersion"].StringValue() != "v1" {
		return
	}
	for _, k := range []resource.PropertyKey{"data", "stringData"} {
		if v, ok := m[k]; ok && !v.IsSecret() && !v.IsNull() {
			m[k] = resource.MakeSecret(v)
		}
	}
}
