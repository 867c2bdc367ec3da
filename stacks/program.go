package stacks

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/plan"
)

// ConfigKey is the stack configuration that holds a program's In, as JSON.
const ConfigKey = "freehold:in"

// Program returns the Pulumi program of a layer. It reads the layer's In from
// the stack's configuration and exports each field of its Out under its JSON
// name; Decode reads them back.
func Program(l plan.Layer) pulumi.RunFunc {
	switch l {
	case plan.LayerAccount:
		return withIn(Account)
	case plan.LayerBoundary:
		return withIn(Boundary)
	case plan.LayerCluster:
		return withIn(Cluster)
	case plan.LayerBootstrap:
		return withIn(Bootstrap)
	default:
		return func(*pulumi.Context) error { return fmt.Errorf("unknown layer %q", l) }
	}
}

// withIn reads a program's In. Unknown fields are refused: they were written
// by another version of Freehold, and this one would ignore what they ask.
func withIn[In any](program func(*pulumi.Context, In) error) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		text, ok := ctx.GetConfig(ConfigKey)
		if !ok {
			return fmt.Errorf("stack configuration %s is not set", ConfigKey)
		}
		var in In
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return fmt.Errorf("stack configuration %s: %w", ConfigKey, err)
		}
		return program(ctx, in)
	}
}
