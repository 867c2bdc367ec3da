package kubeprovider

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// What a state has beside the live object, under the official provider's names
// (provider/pkg/provider/provider.go, checkpointObject).
const (
	inputsKey         = "__inputs"            // what the program asked for
	initialVersionKey = "__initialApiVersion" // that the object was made with
	managerKey        = "__fieldManager"      // who owns the program's fields
)

// checkpoint is what the engine keeps of an object: all of it as it is live,
// and what of it the program asked for.
type checkpoint struct {
	live    map[string]any
	inputs  map[string]any
	version string
	manager string
}

// checkpointOf reads a state, with its secrets opened.
func checkpointOf(state resource.PropertyMap) checkpoint {
	c := checkpoint{
		live:    plainMap(state),
		inputs:  map[string]any{},
		version: stringProperty(state[initialVersionKey]),
		manager: stringProperty(state[managerKey]),
	}
	if asked := state[inputsKey]; asked.IsSecret() || asked.IsObject() {
		c.inputs, _ = plain(asked).(map[string]any)
	}
	return c
}

// state is the reverse of checkpointOf. What is secret in like is secret in both
// halves, and so are a Secret's values.
func (c checkpoint) state(like resource.PropertyMap) resource.PropertyMap {
	out := outputsOf(c.live, like)
	out[inputsKey] = resource.NewProperty(outputsOf(c.inputs, like))
	out[initialVersionKey] = resource.NewProperty(c.version)
	out[managerKey] = resource.NewProperty(c.manager)
	return out
}

// outputsOf are an object's properties, secret where the inputs are.
func outputsOf(object map[string]any, inputs resource.PropertyMap) resource.PropertyMap {
	out := keepSecret(propertyNamed(object, typedName), resource.NewProperty(inputs)).ObjectValue()
	hideSecretData(out)
	return out
}

func stringProperty(v resource.PropertyValue) string {
	if v.IsSecret() {
		v = v.SecretValue().Element
	}
	if !v.IsString() {
		return ""
	}
	return v.StringValue()
}

// extension is how a schema's x-kubernetes-… fields are named in programs and
// states: a dash cannot be in the name of a typed argument.
const extension, typedExtension = "x-kubernetes-", "x_kubernetes_"

func typedName(k string) string {
	if rest, ok := strings.CutPrefix(k, extension); ok {
		return typedExtension + strings.ReplaceAll(rest, "-", "_")
	}
	return k
}

func objectName(k string) string {
	if rest, ok := strings.CutPrefix(k, typedExtension); ok {
		return extension + strings.ReplaceAll(rest, "_", "-")
	}
	return k
}

// outputsAs are outputsOf with every field under the object's own name.
func outputsAs(object map[string]any, inputs resource.PropertyMap) resource.PropertyMap {
	out := keepSecret(property(object), resource.NewProperty(inputs)).ObjectValue()
	hideSecretData(out)
	return out
}
