package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// export makes the stack's outputs of the fields of Out, under their JSON
// names. It fails when outputs and fields are not the same, so that a field
// that nobody exports is found by the first test and not by the next layer.
func export[Out any](ctx *pulumi.Context, outputs pulumi.Map) error {
	var want []string
	for _, f := range fieldsOf[Out]() {
		want = append(want, f.name)
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(outputs)); !slices.Equal(got, want) {
		return fmt.Errorf("the program exports %v, and its Out is %v", got, want)
	}
	for name, value := range outputs {
		ctx.Export(name, value)
	}
	return nil
}

// Decode reads a layer's Out from its stack's outputs. A field that is
// missing, empty or of another type is an error that names it, because the
// next layer would otherwise run with a hole in its input. Fields that are
// marked omitempty may be missing; outputs that Out does not know are left out.
func Decode[Out any](outputs map[string]any) (Out, error) {
	var out Out
	var mistakes []error
	v := reflect.ValueOf(&out).Elem()
	for _, f := range fieldsOf[Out]() {
		if err := decodeField(v.Field(f.index), outputs[f.name], f.optional); err != nil {
			mistakes = append(mistakes, fmt.Errorf("stack output %s %w", f.name, err))
		}
	}
	return out, errors.Join(mistakes...)
}

func decodeField(dst reflect.Value, value any, optional bool) error {
	if value == nil {
		if optional {
			return nil
		}
		return errors.New("is missing")
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if err := json.Unmarshal(text, dst.Addr().Interface()); err != nil {
		return fmt.Errorf("is a %T, want %s", value, dst.Type())
	}
	if dst.Kind() == reflect.String && dst.Len() == 0 && !optional {
		return errors.New("is empty")
	}
	return nil
}

type field struct {
	index    int
	name     string
	optional bool
}

// fieldsOf lists the fields of an Out, which are plain and flat.
func fieldsOf[Out any]() []field {
	t := reflect.TypeFor[Out]()
	fields := make([]field, t.NumField())
	for i := range fields {
		name, rest, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[i] = field{index: i, name: name, optional: rest == "omitempty"}
	}
	return fields
}
