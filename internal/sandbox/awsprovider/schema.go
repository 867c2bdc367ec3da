package awsprovider

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// shape is the type of a value.
type shape struct {
	kind  reflect.Kind // String, Bool, Int, Float64, Slice, Map, Struct, or Interface for anything
	elem  *shape       // of a Slice or Map
	props map[string]prop
}

// prop is one property of a Struct.
type prop struct {
	*shape
	required bool
}

// shapes are the inputs and outputs of one resource type.
type shapes struct {
	inputs  *shape
	outputs map[string]output
}

// output is one output property.
type output struct {
	*shape
	// always is true if the property has a value whatever the inputs are, as
	// the SDK says by an output type without "Ptr".
	always bool
}

var shapeCache sync.Map // token -> shapes

// shapesOf reads a type's shapes from the SDK's Go types.
func shapesOf(t *Type) shapes {
	if s, ok := shapeCache.Load(t.Token); ok {
		return s.(shapes)
	}
	s := shapes{inputs: shapeOf(t.Args.ElementType()), outputs: map[string]output{}}
	state := reflect.TypeOf(t.State)
	for f := range state.Fields() {
		name, ok := f.Tag.Lookup("pulumi")
		if !ok {
			continue
		}
		o := reflect.Zero(f.Type).Interface().(pulumi.Output).ElementType()
		s.outputs[name] = output{shape: shapeOf(o), always: o.Kind() != reflect.Pointer && o.Kind() != reflect.Slice && o.Kind() != reflect.Map}
	}
	shapeCache.Store(t.Token, s)
	return s
}

func shapeOf(t reflect.Type) *shape {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := &shape{kind: t.Kind()}
	switch t.Kind() {
	case reflect.Slice, reflect.Map:
		s.elem = shapeOf(t.Elem())
	case reflect.Struct:
		s.props = map[string]prop{}
		for f := range t.Fields() {
			if name, ok := f.Tag.Lookup("pulumi"); ok {
				// A list, a map or a union looks the same whether it is required
				// or not: Type.Required names those.
				optional := []reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface}
				s.props[name] = prop{shape: shapeOf(f.Type), required: !slices.Contains(optional, f.Type.Kind())}
			}
		}
	}
	return s
}

// failure is one thing that is wrong with the inputs.
type failure struct{ path, reason string }

// conforms tells what of v does not fit the shape.
func (s *shape) conforms(path string, v any) []failure {
	if _, is := v.(unknown); is || v == nil || s.kind == reflect.Interface {
		return nil
	}
	wrong := func(want string) []failure {
		return []failure{{path, fmt.Sprintf("expected %s, got %s", want, kindOf(v))}}
	}
	switch s.kind {
	case reflect.String:
		if _, ok := v.(string); !ok {
			return wrong("a string")
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			return wrong("a boolean")
		}
	case reflect.Int:
		if f, ok := v.(float64); !ok || f != math.Trunc(f) {
			return wrong("an integer")
		}
	case reflect.Float64:
		if _, ok := v.(float64); !ok {
			return wrong("a number")
		}
	case reflect.Slice:
		list, ok := v.([]any)
		if !ok {
			return wrong("a list")
		}
		var out []failure
		for i, e := range list {
			out = append(out, s.elem.conforms(index(path, i), e)...)
		}
		return out
	case reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			return wrong("a map")
		}
		var out []failure
		for _, k := range slices.Sorted(maps.Keys(m)) {
			out = append(out, s.elem.conforms(join(path, k), m[k])...)
		}
		return out
	case reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			return wrong("an object")
		}
		return s.object(path, m)
	}
	return nil
}

func (s *shape) object(path string, m map[string]any) []failure {
	var out []failure
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(k, "__") {
			continue
		}
		p, ok := s.props[k]
		if !ok {
			out = append(out, failure{join(path, k), "unknown property" + suggest(k, slices.Collect(maps.Keys(s.props)))})
			continue
		}
		out = append(out, p.conforms(join(path, k), m[k])...)
	}
	for _, k := range slices.Sorted(maps.Keys(s.props)) {
		if _, ok := m[k]; s.props[k].required && !ok {
			out = append(out, failure{join(path, k), "missing required property"})
		}
	}
	return out
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case float64:
		return "a number"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

// suggest names the known word that is nearest to a mistaken one.
func suggest(word string, known []string) string {
	best, least := "", len(word)/3+2
	slices.Sort(known)
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
