package eksprovider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"freehold.dev/freehold/internal/engine/enginetest"
	"freehold.dev/freehold/internal/sandbox/eksprovider"
)

// child is one resource of a state, as the table in the genuine component's
// record shows it.
type child struct{ Type, Name, Parent, Inputs string }

// up runs a program on the real engine, with this package's provider and with
// an AWS and a Kubernetes that accept everything. It returns what was made
// below the stack and the stack's outputs.
func up(t *testing.T, program pulumi.RunFunc) ([]apitype.ResourceV3, auto.OutputMap) {
	t.Helper()
	ctx := t.Context()
	tools := os.Getenv("FREEHOLD_TOOLS")
	if tools == "" {
		tools = filepath.Join("..", "..", "..", "bin")
	}
	tools, err := filepath.Abs(tools)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(tools, "pulumi")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED: bin/pulumi is not built, so the EKS component was not tried on the engine; run make build")
	}
	cli, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: filepath.Dir(tools)})
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	stack, err := auto.NewStackInlineSource(ctx, "test", "freehold", program,
		auto.Pulumi(cli), auto.PulumiHome(home), auto.WorkDir(t.TempDir()),
		auto.Project(workspace.Project{
			Name:    tokens.PackageName("freehold"),
			Runtime: workspace.NewProjectRuntimeInfo("go", nil),
			Backend: &workspace.ProjectBackend{URL: "file://" + home},
		}),
		auto.EnvVars(map[string]string{
			"PULUMI_CONFIG_PASSPHRASE": "test",
			"PULUMI_SKIP_UPDATE_CHECK": "true",
			"PULUMI_DEBUG_PROVIDERS": fmt.Sprintf("aws:%d,kubernetes:%d,eks:%d",
				enginetest.Serve(t, &yesMan{}), enginetest.Serve(t, &yesMan{}), enginetest.Serve(t, eksprovider.New())),
		}))
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.SetConfigWithOptions(ctx, "pulumi:disable-default-providers", auto.ConfigValue{Value: `["*"]`}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := stack.Preview(ctx); err != nil {
		t.Fatalf("preview: %v", err)
	}
	result, err := stack.Up(ctx, optup.SuppressProgress())
	if err != nil {
		t.Fatalf("up: %v", err)
	}
	state, err := stack.Export(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var deployment apitype.DeploymentV3
	if err := json.Unmarshal(state.Deployment, &deployment); err != nil {
		t.Fatal(err)
	}
	return deployment.Resources, result.Outputs
}

// below returns the resources under the component called name, at any depth.
func below(resources []apitype.ResourceV3, name string) []child {
	var children []child
	inside := map[resource.URN]bool{}
	for _, r := range resources {
		if strings.HasPrefix(string(r.Type), "eks:index:") && r.URN.Name() == name {
			inside[r.URN] = true
			continue
		}
		if !inside[r.Parent] {
			continue
		}
		inside[r.URN] = true
		var inputs []string
		for key := range r.Inputs {
			// The engine itself adds to a provider's inputs.
			if isProvider := strings.HasPrefix(string(r.Type), "pulumi:providers:"); !isProvider || key != "version" && key != "__internal" {
				inputs = append(inputs, key)
			}
		}
		slices.Sort(inputs)
		children = append(children, child{string(r.Type), r.URN.Name(), r.Parent.Name(), strings.Join(inputs, " ")})
	}
	slices.SortFunc(children, func(a, b child) int {
		return strings.Compare(a.Type+a.Name, b.Type+b.Name)
	})
	return children
}

// yesMan is a provider that makes whatever it is asked for. It stands for AWS
// and Kubernetes, whose rules are not what is tested here.
type yesMan struct {
	enginetest.Agreeable
	made atomic.Int64
}

func (y *yesMan) Create(_ context.Context, r *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	if r.GetPreview() {
		return &pulumirpc.CreateResponse{Properties: r.GetProperties()}, nil
	}
	out, err := plugin.UnmarshalProperties(r.GetProperties(), plugin.MarshalOptions{KeepSecrets: true, KeepResources: true})
	if err != nil {
		return nil, err
	}
	id := fmt.Sprintf("id-%d", y.made.Add(1))
	name := resource.URN(r.GetUrn()).Name()
	out["arn"] = resource.NewProperty("arn:aws:any:eu-west-1:111122223333:" + name)
	if _, given := out["name"]; !given {
		out["name"] = resource.NewProperty(name)
	}
	switch resource.URN(r.GetUrn()).Type() {
	case "aws:eks/cluster:Cluster":
		if _, given := out["version"]; !given {
			out["version"] = resource.NewProperty("1.35")
		}
		out["endpoint"] = resource.NewProperty("https://127.0.0.1:6443")
		out["certificateAuthority"] = resource.NewProperty(resource.NewPropertyMapFromMap(map[string]any{"data": "Q0E="}))
		out["identities"] = resource.NewProperty([]resource.PropertyValue{resource.NewProperty(resource.NewPropertyMapFromMap(
			map[string]any{"oidcs": []any{map[string]any{"issuer": "https://oidc.eks.eu-west-1.amazonaws.com/id/0"}}}))})
		vpc := out["vpcConfig"].ObjectValue()
		vpc["clusterSecurityGroupId"] = resource.NewProperty("sg-cloud")
	case "aws:ec2/launchTemplate:LaunchTemplate":
		out["latestVersion"] = resource.NewProperty(float64(1))
	case "aws:ec2/securityGroupRule:SecurityGroupRule":
		out["securityGroupRuleId"] = resource.NewProperty("sgr-" + id)
	}
	properties, err := plugin.MarshalProperties(out, plugin.MarshalOptions{KeepSecrets: true, KeepResources: true})
	return &pulumirpc.CreateResponse{Id: id, Properties: properties}, err
}

func (*yesMan) Invoke(_ context.Context, r *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	out := map[string]any{"id": "x"}
	switch r.GetTok() {
	case "aws:eks/getAddonVersion:getAddonVersion":
		out["version"] = "newest-" + r.GetArgs().GetFields()["addonName"].GetStringValue()
	case "aws:index/getPartition:getPartition":
		out["partition"], out["dnsSuffix"] = "aws", "amazonaws.com"
	default:
		return nil, fmt.Errorf("unexpected invoke %s", r.GetTok())
	}
	ret, err := plugin.MarshalProperties(resource.NewPropertyMapFromMap(out), plugin.MarshalOptions{})
	return &pulumirpc.InvokeResponse{Return: ret}, err
}
