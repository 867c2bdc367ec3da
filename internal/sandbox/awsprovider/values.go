package awsprovider

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// unknown stands for a value that a preview does not know yet.
type unknown struct{}

// plain turns properties into plain JSON values and tells which top-level
// properties hold a secret. Nulls are dropped: absent and null are one to AWS.
func plain(m resource.PropertyMap) (map[string]any, map[string]bool, error) {
	out, secrets := map[string]any{}, map[string]bool{}
	for k, v := range m {
		if v.ContainsSecrets() {
			secrets[string(k)] = true
		}
		p, err := plainValue(v)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", k, err)
		}
		if p != nil {
			out[string(k)] = p
		}
	}
	return out, secrets, nil
}

func plainValue(v resource.PropertyValue) (any, error) {
	switch {
	case v.IsNull():
		return nil, nil
	case v.IsBool():
		return v.BoolValue(), nil
	case v.IsNumber():
		return v.NumberValue(), nil
	case v.IsString():
		return v.StringValue(), nil
	case v.IsSecret():
		return plainValue(v.SecretValue().Element)
	case v.IsComputed():
		return unknown{}, nil
	case v.IsOutput():
		if o := v.OutputValue(); o.Known {
			return plainValue(o.Element)
		}
		return unknown{}, nil
	case v.IsArray():
		out := make([]any, 0, len(v.ArrayValue()))
		for _, e := range v.ArrayValue() {
			p, err := plainValue(e)
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		return out, nil
	case v.IsObject():
		out := map[string]any{}
		for k, e := range v.ObjectValue() {
			p, err := plainValue(e)
			if err != nil {
				return nil, err
			}
			if p != nil {
				out[string(k)] = p
			}
		}
		return out, nil
	case v.IsResourceReference():
		if id, ok := v.ResourceReferenceValue().IDString(); ok {
			return id, nil
		}
		return unknown{}, nil
	default:
		return nil, fmt.Errorf("a value of type %s cannot be used here", v.TypeString())
	}
}

// properties is the way back; top-level properties in secrets become secrets.
func properties(m map[string]any, secrets map[string]bool) resource.PropertyMap {
	out := resource.PropertyMap{}
	for k, v := range m {
		p := property(v)
		if secrets[k] {
			p = resource.MakeSecret(p)
		}
		out[resource.PropertyKey(k)] = p
	}
	return out
}

func property(v any) resource.PropertyValue {
	switch v := v.(type) {
	case unknown:
		return resource.MakeComputed(resource.NewStringProperty(""))
	case []any:
		out := make([]resource.PropertyValue, len(v))
		for i, e := range v {
			out[i] = property(e)
		}
		return resource.NewArrayProperty(out)
	case map[string]any:
		return resource.NewObjectProperty(properties(v, nil))
	default:
		return resource.NewPropertyValue(v)
	}
}

// hasUnknown reports whether any part of v is unknown.
func hasUnknown(v any) bool {
	switch v := v.(type) {
	case unknown:
		return true
	case []any:
		return slices.ContainsFunc(v, hasUnknown)
	case map[string]any:
		for _, e := range v {
			if hasUnknown(e) {
				return true
			}
		}
	}
	return false
}

// clone copies v deeply.
func clone(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = clone(e)
		}
		return out
	case map[string]any:
		return cloneMap(v)
	default:
		return v
	}
}

func cloneMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = clone(v)
	}
	return out
}

// at is one value and where it is.
type at struct {
	path  string
	value any
}

// walk finds every value at a path such as "vpcConfig.subnetIds[*]". A missing
// step finds nothing; an unknown one is found as unknown.
func walk(root any, path string) []at {
	found := []at{{value: root}}
	for _, step := range steps(path) {
		var next []at
		for _, f := range found {
			next = append(next, f.step(step)...)
		}
		found = next
	}
	return found
}

func (a at) step(step string) []at {
	switch v := a.value.(type) {
	case unknown:
		return []at{a}
	case map[string]any:
		if step == "*" {
			var out []at
			for _, k := range slices.Sorted(maps.Keys(v)) {
				out = append(out, at{join(a.path, k), v[k]})
			}
			return out
		}
		if e, ok := v[step]; ok {
			return []at{{join(a.path, step), e}}
		}
	case []any:
		if step == "*" {
			var out []at
			for i, e := range v {
				out = append(out, at{index(a.path, i), e})
			}
			return out
		}
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(v) {
			return []at{{index(a.path, i), v[i]}}
		}
	}
	return nil
}

// steps splits a path: "a.b[*].c" and `tags["freehold.dev/org"]` are understood.
func steps(path string) []string {
	var out []string
	for path != "" {
		switch {
		case strings.HasPrefix(path, `["`):
			key, rest, _ := strings.Cut(path[2:], `"]`)
			out, path = append(out, key), rest
		case path[0] == '[':
			key, rest, _ := strings.Cut(path[1:], "]")
			out, path = append(out, key), rest
		case path[0] == '.':
			path = path[1:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			out, path = append(out, path[:end]), path[end:]
		}
	}
	return out
}

func join(path, key string) string {
	switch {
	case strings.ContainsAny(key, `.[]"/ `):
		return path + `["` + key + `"]`
	case path == "":
		return key
	default:
		return path + "." + key
	}
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// text writes a scalar as AWS would in a name; "" for what is none.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	default:
		return ""
	}
}
