package eksprovider

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// checkInputs holds a request's inputs against the SDK's own argument type and
// against ours. What the SDK does not know or types otherwise is refused, and so
// is what ours lacks: ours lists what is implemented. All mistakes come back
// together.
func checkInputs(req *pulumirpc.ConstructRequest, sdk reflect.Type, ours any) error {
	in, err := plugin.UnmarshalProperties(req.GetInputs(), plugin.MarshalOptions{
		KeepUnknowns: true, KeepSecrets: true, KeepResources: true, KeepOutputValues: true,
	})
	if err != nil {
		return fmt.Errorf("reading the inputs of %s: %w", req.GetType(), err)
	}
	c := &checker{}
	c.object(req.GetType(), in, sdk, reflect.TypeOf(ours))
	if len(c.mistakes) == 0 {
		return nil
	}
	return status.Error(codes.InvalidArgument, errors.Join(c.mistakes...).Error())
}

type checker struct{ mistakes []error }

func (c *checker) addf(format string, args ...any) {
	c.mistakes = append(c.mistakes, fmt.Errorf(format, args...))
}

// object walks the fields of a struct. A nil type of ours means that everything
// below is handed on as it is.
func (c *checker) object(at string, in resource.PropertyMap, sdk, ours reflect.Type) {
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if resource.IsInternalPropertyKey(key) || in[key].IsNull() {
			continue
		}
		path := at + "." + string(key)
		sdkField, known := fieldByTag(sdk, string(key))
		if !known {
			c.addf("%s: no such input", path)
			continue
		}
		var ourField reflect.Type
		if ours != nil {
			var implemented bool
			if ourField, implemented = fieldByTag(ours, string(key)); !implemented {
				c.addf("the sandbox does not implement %s", path)
				continue
			}
		}
		c.value(path, in[key], sdkField, ourField)
	}
}

func (c *checker) value(at string, v resource.PropertyValue, sdk, ours reflect.Type) {
	for v.IsSecret() || v.IsOutput() {
		if v.IsSecret() {
			v = v.SecretValue().Element
			continue
		}
		if !v.OutputValue().Known {
			return
		}
		v = v.OutputValue().Element
	}
	if v.IsNull() || v.IsComputed() {
		return
	}
	for sdk.Kind() == reflect.Pointer {
		if sdk.Implements(resourceType) {
			if !v.IsResourceReference() {
				c.addf("%s: want a resource, got %s", at, v.TypeString())
			}
			return
		}
		sdk = sdk.Elem()
	}
	ours = structured(ours)

	switch sdk.Kind() {
	case reflect.Struct:
		if !v.IsObject() {
			c.addf("%s: want an object, got %s", at, v.TypeString())
			return
		}
		if ours != nil && ours.Kind() != reflect.Struct {
			ours = nil
		}
		c.object(at, v.ObjectValue(), sdk, ours)
	case reflect.Map:
		if !v.IsObject() {
			c.addf("%s: want a map, got %s", at, v.TypeString())
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v.ObjectValue())) {
			c.value(at+"."+string(key), v.ObjectValue()[key], sdk.Elem(), elem(ours, reflect.Map))
		}
	case reflect.Slice:
		if !v.IsArray() {
			c.addf("%s: want a list, got %s", at, v.TypeString())
			return
		}
		for i, e := range v.ArrayValue() {
			c.value(fmt.Sprintf("%s[%d]", at, i), e, sdk.Elem(), elem(ours, reflect.Slice))
		}
	case reflect.String:
		if !v.IsString() {
			c.addf("%s: want a string, got %s", at, v.TypeString())
		}
	case reflect.Bool:
		if !v.IsBool() {
			c.addf("%s: want true or false, got %s", at, v.TypeString())
		}
	case reflect.Int:
		if !v.IsNumber() || v.NumberValue() != math.Trunc(v.NumberValue()) {
			c.addf("%s: want a whole number, got %s", at, v.TypeString())
		}
	case reflect.Float64:
		if !v.IsNumber() {
			c.addf("%s: want a number, got %s", at, v.TypeString())
		}
	}
}

var (
	resourceType = reflect.TypeFor[pulumi.Resource]()
	inputType    = reflect.TypeFor[pulumi.Input]()
)

// structured returns t without pointers if it is a plain type of ours that
// lists fields, and nil if the value is handed on whole.
func structured(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Implements(inputType) {
		return nil
	}
	return t
}

func elem(t reflect.Type, kind reflect.Kind) reflect.Type {
	if t == nil || t.Kind() != kind {
		return nil
	}
	return t.Elem()
}

func fieldByTag(t reflect.Type, key string) (reflect.Type, bool) {
	for field := range t.Fields() {
		tag, _, _ := strings.Cut(field.Tag.Get("pulumi"), ",")
		if tag == key {
			return field.Type, true
		}
	}
	return nil, false
}
