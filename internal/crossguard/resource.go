package crossguard

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"

	"freehold.dev/freehold/internal/unknown"
	"freehold.dev/freehold/policies"
)

const providerType = "pulumi:providers:"

// resourceOf returns a resource as rules see it.
func resourceOf(urn, typ, name string, props *structpb.Struct, p *pulumirpc.AnalyzerProviderResource) (policies.Resource, error) {
	r := policies.Resource{URN: urn, Type: typ, Name: name}
	var err error
	if r.Properties, err = plain(urn, props); err != nil {
		return r, err
	}
	if strings.HasPrefix(typ, providerType) {
		decoded(r.Properties)
	}
	if p == nil {
		r.Component = !strings.HasPrefix(typ, providerType)
		return r, nil
	}
	r.Provider.Package = strings.TrimPrefix(p.GetType(), providerType)
	r.Provider.Default = policies.DefaultProvider(p.GetName())
	if r.Provider.Properties, err = plain(p.GetUrn(), p.GetProperties()); err != nil {
		return r, err
	}
	decoded(r.Provider.Properties)
	return r, nil
}

// decoded unfolds what a program hands a provider as JSON in a string, as it
// does with everything that is no string:
// https://github.com/pulumi/pulumi/blob/v3.250.0/sdk/go/pulumi/provider.go
func decoded(properties map[string]any) {
	for k, v := range properties {
		s, ok := v.(string)
		if !ok || !strings.HasPrefix(s, "[") && !strings.HasPrefix(s, "{") {
			continue
		}
		var inner any
		if json.Unmarshal([]byte(s), &inner) == nil {
			properties[k] = inner
		}
	}
}

// plain returns properties as rules want them. Secrets are opened: a rule must
// see them, and what it says of them the engine filters.
func plain(label string, s *structpb.Struct) (map[string]any, error) {
	m, err := plugin.UnmarshalProperties(s, plugin.MarshalOptions{
		Label: label, KeepUnknowns: true, KeepSecrets: true, KeepResources: true, KeepOutputValues: true,
	})
	if err != nil {
		return nil, fmt.Errorf("read the properties of %s: %w", label, err)
	}
	return object(m), nil
}

func object(m resource.PropertyMap) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[string(k)] = value(v)
	}
	return out
}

func value(v resource.PropertyValue) any {
	switch {
	case v.IsNull():
		return nil
	case v.IsBool():
		return v.BoolValue()
	case v.IsNumber():
		return v.NumberValue()
	case v.IsString():
		return unknown.Read(v.StringValue())
	case v.IsArray():
		list := make([]any, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			list[i] = value(e)
		}
		return list
	case v.IsObject():
		return object(v.ObjectValue())
	case v.IsSecret():
		return value(v.SecretValue().Element)
	case v.IsOutput() && v.OutputValue().Known:
		return value(v.OutputValue().Element)
	case v.IsResourceReference():
		ref := v.ResourceReferenceValue()
		return map[string]any{"urn": string(ref.URN), "id": value(ref.ID)}
	case v.IsAsset():
		return assetOf(v.AssetValue())
	case v.IsArchive():
		return archiveOf(v.ArchiveValue())
	default:
		return policies.Unknown{}
	}
}

// needed are outputs that rules over a whole stack need beside the inputs: what
// the cloud made along with a resource, and by what it is called elsewhere.
// Others stay out: they would be judged as if somebody had asked for them.
var needed = []string{
	"defaultSecurityGroupId", "defaultNetworkAclId", "defaultRouteTableId", "mainRouteTableId", "networkInterfaceId",
	"networkInterfaceIds", "clusterSecurityGroupId", "identities", "endpoint",
}

// completed adds to a resource's inputs what only its outputs have.
func completed(r, outputs policies.Resource) policies.Resource {
	r.ID = idOf(r.Type, outputs.Properties)
	r.Properties = withOutputs(r.Properties, outputs.Properties)
	if vpc, ok := outputs.Properties["vpcConfig"].(map[string]any); ok {
		if asked, ok := r.Properties["vpcConfig"].(map[string]any); ok {
			r.Properties["vpcConfig"] = withOutputs(asked, vpc)
		}
	}
	return r
}

func withOutputs(inputs, outputs map[string]any) map[string]any {
	out := maps.Clone(inputs)
	for _, key := range needed {
		v, known := outputs[key]
		if _, asked := out[key]; known && !asked {
			out[key] = v
		}
	}
	return out
}

// idOf is the id of a resource by its outputs; empty before it is made. The
// AWS provider has it among them, and Kubernetes makes it of the object's name.
func idOf(typ string, outputs map[string]any) string {
	if id, ok := outputs["id"].(string); ok {
		return id
	}
	metadata, ok := outputs["metadata"].(map[string]any)
	if !ok || !strings.HasPrefix(typ, "kubernetes:") {
		return ""
	}
	name, _ := metadata["name"].(string)
	if namespace, ok := metadata["namespace"].(string); ok && namespace != "" && name != "" {
		return namespace + "/" + name
	}
	return name
}
