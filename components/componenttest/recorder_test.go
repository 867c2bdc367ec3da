package componenttest_test

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/organizations"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/componenttest"
)

type group struct{ pulumi.ResourceState }

// program makes a key and its alias in a component, by an explicit provider.
func program(ctx *pulumi.Context) error {
	p, err := aws.NewProvider(ctx, "org", &aws.ProviderArgs{Region: pulumi.String("eu-central-1")})
	if err != nil {
		return err
	}
	var g group
	if err := ctx.RegisterComponentResource("freehold:index:Group", "group", &g, pulumi.Providers(p)); err != nil {
		return err
	}
	if _, err := organizations.LookupOrganization(ctx, pulumi.Parent(&g)); err != nil {
		return err
	}
	key, err := kms.NewKey(ctx, "key", &kms.KeyArgs{Description: pulumi.ToSecret("d").(pulumi.StringOutput)},
		pulumi.Parent(&g), pulumi.Protect(true), pulumi.IgnoreChanges([]string{"description"}),
		pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: "30m"}))
	if err != nil {
		return err
	}
	_, err = kms.NewAlias(ctx, "alias", &kms.AliasArgs{Name: pulumi.String("alias/a"), TargetKeyId: key.KeyId}, pulumi.Parent(&g))
	ctx.Export("keyArn", key.Arn)
	return err
}

func TestRecordTellsAllThatAProgramAsks(t *testing.T) {
	got := componenttest.Record(t, program)
	want := &componenttest.Recorder{
		Resources: []componenttest.Resource{
			{
				Type: "aws:kms/alias:Alias", Name: "alias", ID: "alias-id", Parent: "group", Provider: "org", Custom: true,
				Inputs: map[string]any{"name": "alias/a", "targetKeyId": "key-id"}, DependsOn: []string{"key"},
				DependsOnURNs: []string{"urn:pulumi:acme.test::freehold::freehold:index:Group$aws:kms/key:Key::key"},
			},
			{
				Type: "aws:kms/key:Key", Name: "key", ID: "key-id", Parent: "group", Provider: "org", Custom: true,
				Inputs: map[string]any{"description": "d"}, Secrets: []string{"description"},
				Protect: true, IgnoreChanges: []string{"description"}, Timeouts: map[string]string{"delete": "30m"},
			},
			{Type: "freehold:index:Group", Name: "group", Providers: map[string]string{"aws": "org"}, Inputs: map[string]any{}},
			{
				Type: "pulumi:providers:aws", Name: "org", ID: "org-id", Custom: true,
				// The SDK adds the two skips by itself.
				Inputs: map[string]any{"region": "eu-central-1", "skipCredentialsValidation": false, "skipRegionValidation": true},
			},
		},
		Calls:   []componenttest.Call{{Token: "aws:organizations/getOrganization:getOrganization", Args: map[string]any{}, Provider: "org"}},
		Exports: map[string]any{"keyArn": "arn:aws:kms:eu-central-1:210987654321:key/key-id"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(componenttest.Resource{}, "URN"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

func TestAtPreviewWhatAProviderComputesIsUnknown(t *testing.T) {
	r := componenttest.Record(t, program, componenttest.Preview())
	alias := r.One(t, "aws:kms/alias:Alias", "alias")
	want := map[string]any{"name": "alias/a", "targetKeyId": componenttest.Unknown}
	if diff := cmp.Diff(want, alias.Inputs); diff != "" {
		t.Errorf("alias (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"keyArn": componenttest.Unknown}, r.Exports); diff != "" {
		t.Errorf("exports (-want +got):\n%s", diff)
	}
}

func TestAFunctionThatFailsFailsTheProgram(t *testing.T) {
	_, err := componenttest.Run(program, componenttest.Answer("aws:organizations/getOrganization:getOrganization",
		func(map[string]any) (map[string]any, error) {
			return nil, errors.New("AWSOrganizationsNotInUseException")
		}))
	if err == nil || !strings.Contains(err.Error(), "AWSOrganizationsNotInUseException") {
		t.Errorf("Run: %v, want the function's error", err)
	}
}

func TestGoldenFindsAChange(t *testing.T) {
	// The file holds the key of program, its inputs written out.
	r := componenttest.Record(t, program)
	key := r.One(t, "aws:kms/key:Key", "key")
	key.Inputs["policy"] = `{"Statement":[{"Effect":"Allow"}]}`
	componenttest.Golden(t, "key.json", []componenttest.Resource{key})
	if flag.Lookup("update").Value.String() == "true" {
		return // the second value would be written as well
	}

	key.Inputs["policy"] = `{"Statement":[{"Effect":"Deny"}]}`
	other := &failures{TB: t}
	componenttest.Golden(other, "key.json", []componenttest.Resource{key})
	if len(other.failures) != 1 || !strings.Contains(other.failures[0], "key.json differs") {
		t.Errorf("Golden reported %q for a change", other.failures)
	}
}

// failures keeps what a test would have failed with.
type failures struct {
	testing.TB
	failures []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}
