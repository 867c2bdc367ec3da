package conformance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"freehold.dev/freehold/internal/conformance/lab"
)

// sample is one resource as a program of ours makes it.
type sample struct {
	where, token string
	inputs       props
}

// component is what eks:index:Cluster and eks:index:ManagedNodeGroup, which the
// engine shows to no golden file, set of their children and the world does not.
var component = []sample{
	{"eks:index:Cluster", clusterToken, props{"name": "cl", "roleArn": "arn:aws:iam::111122223333:role/r", "version": "1.33",
		"vpcConfig":               props{"subnetIds": []any{"subnet-1", "subnet-2"}},
		"kubernetesNetworkConfig": props{"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16"},
		"accessConfig":            props{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true}}},
	{"eks:index:Cluster", groupRuleToken, props{"description": "Nodes talk to each other", "type": "ingress", "fromPort": 0, "toPort": 0, "protocol": "-1", "securityGroupId": "sg-1", "self": true}},
	{"eks:index:Cluster", groupRuleToken, props{"description": "The API reaches the nodes", "type": "ingress", "fromPort": 1025, "toPort": 65535, "protocol": "tcp", "securityGroupId": "sg-1", "sourceSecurityGroupId": "sg-2"}},
	{"eks:index:Cluster", addonToken, props{"clusterName": "cl", "addonName": "vpc-cni", "addonVersion": "v1.20.4-eksbuild.2", "configurationValues": "{}", "preserve": true, "resolveConflictsOnCreate": "OVERWRITE", "resolveConflictsOnUpdate": "OVERWRITE"}},
	{"eks:index:Cluster", accessEntryToken, props{"clusterName": "cl", "principalArn": "arn:aws:iam::111122223333:role/r", "type": "STANDARD", "userName": "someone"}},
	{"eks:index:ManagedNodeGroup", nodeGroupToken, props{"clusterName": "cl", "nodeGroupName": "n", "nodeRoleArn": "arn:aws:iam::111122223333:role/r", "subnetIds": []any{"subnet-1"},
		"scalingConfig": props{"minSize": 1, "desiredSize": 1, "maxSize": 1}, "diskSize": 20, "forceUpdateVersion": true, "releaseVersion": "1.33.0-20260801", "version": "1.33"}},
}

// samples are the resources of the stacks' golden files, of the EKS component,
// and of the world of these tests.
func samples(t *testing.T) []sample {
	t.Helper()
	out := slices.Clone(component)
	for _, th := range estate {
		out = append(out, sample{"the world's " + th.name, th.token, plausible(th.props).(props)})
	}
	files, err := filepath.Glob("../../stacks/testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files of the stacks: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var resources []struct {
			Type, Name string
			Inputs     props
		}
		if err := json.Unmarshal(text, &resources); err != nil {
			t.Fatal(err)
		}
		for _, r := range resources {
			if strings.HasPrefix(r.Type, "aws:") {
				out = append(out, sample{filepath.Base(file) + ": " + r.Name, r.Type, written(r.Inputs).(props)})
			}
		}
	}
	return out
}

// written turns a golden file's view of JSON texts into the texts.
func written(v any) any {
	switch v := v.(type) {
	case props:
		if doc, is := v["(json)"]; is {
			text, _ := json.Marshal(doc) // it was read from JSON
			return string(text)
		}
		out := props{}
		for k, e := range v {
			out[k] = written(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = written(v[i])
		}
		return out
	default:
		return v
	}
}

// plausible puts something into the world's inputs that could stand there.
func plausible(v any) any {
	switch v := v.(type) {
	case props:
		out := props{}
		for k, e := range v {
			out[k] = plausible(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plausible(v[i])
		}
		return out
	case string:
		for {
			before, rest, is := strings.Cut(v, "$(")
			if !is {
				return v
			}
			word, after, _ := strings.Cut(rest, ")")
			value := map[string]string{"region": lab.Region, "root": "r-abcd", "account": "111122223333", "fresh": "fresh",
				"unit": "ou-abcd-12345678", "doomed-unit": "ou-abcd-12345678", "template": "lt-12345678"}[word]
			switch {
			case value != "":
			case word == "log-group.arn":
				value = "arn:aws:logs:" + lab.Region + ":111122223333:log-group:flow"
			case strings.HasPrefix(word, "key"), word == "plain-key.arn":
				value = "arn:aws:kms:" + lab.Region + ":111122223333:key/1"
			case strings.HasSuffix(word, ".arn"):
				value = "arn:aws:iam::111122223333:role/" + strings.TrimSuffix(word, ".arn")
			default:
				value, _, _ = strings.Cut(word, ".")
			}
			v = before + value + after
		}
	default:
		return v
	}
}

// leaves are the paths of all values of inputs; a tag is the program's own, and
// no property.
func leaves(in resource.PropertyValue, at resource.PropertyPath) []resource.PropertyPath {
	switch {
	case in.IsObject() && !mapped[last(at)]:
		var out []resource.PropertyPath
		for _, k := range in.ObjectValue().StableKeys() {
			if !strings.HasPrefix(string(k), "__") {
				out = append(out, leaves(in.ObjectValue()[k], append(slices.Clone(at), string(k)))...)
			}
		}
		return out
	case in.IsArray() && len(in.ArrayValue()) > 0:
		var out []resource.PropertyPath
		for i, e := range in.ArrayValue() {
			out = append(out, leaves(e, append(slices.Clone(at), i))...)
		}
		return out
	default:
		return []resource.PropertyPath{at}
	}
}

// mapped are the maps whose keys the program chooses.
var mapped = map[string]bool{"tags": true, "labels": true, "requiredClaims": true}

func last(at resource.PropertyPath) string {
	if len(at) == 0 {
		return ""
	}
	name, _ := at[len(at)-1].(string)
	return name
}

// named are the steps of a path without its indexes: what a schema has a name for.
func named(at resource.PropertyPath) []string {
	var out []string
	for _, step := range at {
		if name, is := step.(string); is {
			out = append(out, name)
		}
	}
	return out
}

// TestTheGenuineProviderKnowsEveryProperty shows that each resource type and
// each property that the stacks, the EKS component and these tests set is one
// of the genuine provider's, of the kind that they give it.
func TestTheGenuineProviderKnowsEveryProperty(t *testing.T) {
	t.Parallel()
	l := lab.Start(t)
	c := genuine(t, l)
	p, err := c.connect(t, props{"region": lab.Region, "allowedAccountIds": []any{c.management}})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := p.client.GetSchema(t.Context(), &pulumirpc.GetSchemaRequest{})
	if err != nil {
		t.Logf("the provider shows no schema, and is asked to check: %v", err)
		answer = &pulumirpc.GetSchemaResponse{Schema: "{}"}
	}
	var s schema
	if err := json.Unmarshal([]byte(answer.GetSchema()), &s); err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	for _, sample := range samples(t) {
		in := resource.NewPropertyMapFromMap(sample.inputs)
		tried[sample.token] = true
		if len(s.Resources) > 0 {
			if err := s.conforms(sample.token, in); err != nil {
				t.Errorf("%s: %v", sample.where, err)
			}
			continue
		}
		if err := p.knows(t, sample.token, in, tried); err != nil {
			t.Errorf("%s: %s: %v", sample.where, sample.token, err)
		}
	}
	t.Logf("%d types and properties", len(tried))
}

// knows proves by the protocol alone that a provider knows what is set: it
// accepts the inputs, refuses or drops each property under another name, and
// refuses each value of another kind, texts excepted: a provider may write
// anything as text.
func (c *configured) knows(t *testing.T, token string, in resource.PropertyMap, tried map[string]bool) error {
	t.Helper()
	if _, err := c.check(t, token, "sample", nil, in); err != nil {
		return fmt.Errorf("it is refused: %w", err)
	}
	for _, at := range leaves(resource.NewObjectProperty(in), nil) {
		key := token + "." + strings.Join(named(at), ".")
		if tried[key] {
			continue
		}
		tried[key] = true
		whole := resource.NewObjectProperty(in)
		value, _ := at.Get(whole)

		// The property itself, not an element of the list that it may be.
		property := at
		for len(property) > 0 {
			if _, is := property[len(property)-1].(string); is {
				break
			}
			property = property[:len(property)-1]
		}
		list, _ := property.Get(whole)
		renamed := deepCopy(in)
		other := append(slices.Clone(property[:len(property)-1]), last(property)+"Zzz")
		property.Delete(renamed)
		other.Set(renamed, list)
		if got, err := c.check(t, token, "sample", nil, renamed.ObjectValue()); err == nil {
			if _, kept := other.Get(resource.NewObjectProperty(got)); kept {
				return fmt.Errorf("%s says nothing: the provider takes %s, too", property, other)
			}
		}
		if value.IsString() {
			continue
		}
		mistyped := deepCopy(in)
		at.Set(mistyped, resource.NewObjectProperty(resource.PropertyMap{"no": resource.NewStringProperty("such kind")}))
		if last(at) != "" && mapped[last(at)] {
			at.Set(mistyped, resource.NewBoolProperty(true))
		}
		if _, err := c.check(t, token, "sample", nil, mistyped.ObjectValue()); err == nil {
			return fmt.Errorf("%s may be of another kind", at)
		}
	}
	return nil
}

func deepCopy(in resource.PropertyMap) resource.PropertyValue {
	return resource.NewPropertyValue(resource.NewObjectProperty(in).Mappable())
}

// schema is the part of a Pulumi package schema that is of interest.
// https://www.pulumi.com/docs/iac/packages-and-automation/pulumi-packages/schema/
type schema struct {
	Resources map[string]struct {
		InputProperties map[string]schemaType
		RequiredInputs  []string
	}
	Types map[string]struct {
		Type       string
		Properties map[string]schemaType
		Required   []string
	}
}

type schemaType struct {
	Type                 string
	Ref                  string `json:"$ref"`
	Items                *schemaType
	AdditionalProperties *schemaType
	OneOf                []schemaType
}

func (s schema) conforms(token string, in resource.PropertyMap) error {
	r, is := s.Resources[token]
	if !is {
		return fmt.Errorf("the provider has no %s", token)
	}
	for _, name := range r.RequiredInputs {
		if _, is := in[resource.PropertyKey(name)]; !is {
			return fmt.Errorf("%s.%s is missing", token, name)
		}
	}
	return s.object(token, r.InputProperties, in)
}

func (s schema) object(at string, known map[string]schemaType, in resource.PropertyMap) error {
	for k, v := range in {
		typ, is := known[string(k)]
		if !is {
			return fmt.Errorf("%s has no property %s, it has %q", at, k, slices.Sorted(maps.Keys(known)))
		}
		if err := s.value(at+"."+string(k), typ, v); err != nil {
			return err
		}
	}
	return nil
}

func (s schema) value(at string, typ schemaType, v resource.PropertyValue) error {
	if len(typ.OneOf) > 0 {
		var err error
		for _, one := range typ.OneOf {
			if err = s.value(at, one, v); err == nil {
				return nil
			}
		}
		return err
	}
	if name, is := strings.CutPrefix(typ.Ref, "#/types/"); is {
		named := s.Types[name]
		if named.Type != "object" { // an enumeration, which programs may go beyond
			return s.value(at, schemaType{Type: named.Type}, v)
		}
		if !v.IsObject() {
			return fmt.Errorf("%s is an object, not a %s", at, v.TypeString())
		}
		return s.object(at, named.Properties, v.ObjectValue())
	}
	var fits bool
	switch typ.Type {
	case "string":
		fits = v.IsString()
	case "boolean":
		fits = v.IsBool()
	case "integer", "number":
		fits = v.IsNumber()
	case "array":
		fits = v.IsArray()
		for i := 0; fits && i < len(v.ArrayValue()); i++ {
			if err := s.value(fmt.Sprintf("%s[%d]", at, i), *typ.Items, v.ArrayValue()[i]); err != nil {
				return err
			}
		}
	case "object":
		fits = v.IsObject()
		if !fits || typ.AdditionalProperties == nil {
			break
		}
		for k, e := range v.ObjectValue() {
			if err := s.value(at+"."+string(k), *typ.AdditionalProperties, e); err != nil {
				return err
			}
		}
	default:
		fits = true
	}
	if !fits {
		return fmt.Errorf("%s is a %s, not a %s", at, typ.Type, v.TypeString())
	}
	return nil
}
