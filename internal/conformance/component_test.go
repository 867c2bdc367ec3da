package conformance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"freehold.dev/freehold/internal/sandbox/eksprovider"
)

// child is one resource that a component registers.
type child struct {
	Type     string         `json:"type"`
	Name     string         `json:"name"`
	Parent   string         `json:"parent"`
	Provider string         `json:"provider,omitempty"`
	Ignores  []string       `json:"ignores,omitempty"`
	Inputs   map[string]any `json:"inputs,omitempty"`
}

// stage is an engine for components: it takes what a component registers, and
// answers as if it were made. Nothing is made.
type stage struct {
	pulumirpc.UnimplementedResourceMonitorServer
	pulumirpc.UnimplementedEngineServer

	address string

	mu    sync.Mutex
	of    string // the component that is made; a refused one may go on for a while
	made  []child
	asked []string // invokes
	state map[string]map[string]any
	said  []string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{address: l.Addr().String()}
	s.clear("")
	g := grpc.NewServer()
	pulumirpc.RegisterResourceMonitorServer(g, s)
	pulumirpc.RegisterEngineServer(g, s)
	go func() { _ = g.Serve(l) }() // it returns when the server is stopped
	t.Cleanup(g.Stop)
	return s
}

// The resources that a component is given.
const (
	stagePrefix  = "urn:pulumi:test::freehold::"
	givenCluster = stagePrefix + "aws:eks/cluster:Cluster::given"
	givenRole    = stagePrefix + "aws:iam/role:Role::given"
	awsProvider  = stagePrefix + "pulumi:providers:aws::org"
	kubeProvider = stagePrefix + "pulumi:providers:kubernetes::kube"
)

func (s *stage) clear(of string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of = of
	s.made, s.asked, s.said = nil, nil, nil
	s.state = map[string]map[string]any{
		givenCluster: outputsOf("aws:eks/cluster:Cluster", "given", map[string]any{"accessConfig": map[string]any{"authenticationMode": "API"}}),
		givenRole:    outputsOf("aws:iam/role:Role", "given", nil),
		awsProvider:  {"id": "org-id"},
		kubeProvider: {"id": "kube-id"},
	}
}

// outputsOf are what AWS adds to the inputs of some types.
func outputsOf(typ, name string, inputs map[string]any) map[string]any {
	out := maps.Clone(inputs)
	if out == nil {
		out = map[string]any{}
	}
	out["id"], out["arn"] = name+"-id", "arn:aws:any:eu-west-1:111122223333:"+name
	if out["name"] == nil {
		out["name"] = name
	}
	switch typ {
	case "aws:iam/role:Role":
		out["id"] = out["name"]
	case "aws:eks/cluster:Cluster":
		out["id"] = out["name"]
		out["endpoint"] = "https://cluster.example"
		out["certificateAuthority"] = map[string]any{"data": "Q0E="}
		out["identities"] = []any{map[string]any{"oidcs": []any{map[string]any{"issuer": "https://oidc.eks.eu-west-1.amazonaws.com/id/0"}}}}
		if out["version"] == nil {
			out["version"] = "1.35"
		}
		vpc, _ := out["vpcConfig"].(map[string]any)
		vpc = maps.Clone(vpc)
		if vpc == nil {
			vpc = map[string]any{}
		}
		vpc["clusterSecurityGroupId"], vpc["vpcId"] = "sg-cloud", "vpc-1"
		out["vpcConfig"] = vpc
		if out["kubernetesNetworkConfig"] == nil {
			out["kubernetesNetworkConfig"] = map[string]any{"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16"}
		}
	case "aws:ec2/launchTemplate:LaunchTemplate":
		out["latestVersion"] = 1.0
	case "aws:ec2/securityGroupRule:SecurityGroupRule":
		out["securityGroupRuleId"] = "sgr-" + name
	}
	return out
}

// saidBy is what a provider said, with what it found wrong with each property.
func saidBy(err error) string {
	s, _ := status.FromError(err)
	text := s.Message()
	for _, d := range s.Details() {
		if in, is := d.(*pulumirpc.InputPropertiesError); is {
			for _, e := range in.GetErrors() {
				text += "; " + e.GetPropertyPath() + ": " + e.GetReason()
			}
		}
	}
	return text
}

var onWire = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true}

// SupportsFeature knows what providers hand each other in properties.
func (s *stage) SupportsFeature(_ context.Context, r *pulumirpc.SupportsFeatureRequest) (*pulumirpc.SupportsFeatureResponse, error) {
	has := slices.Contains([]string{"secrets", "resourceReferences", "outputValues", "aliasSpecs", "deletedWith"}, r.GetId())
	return &pulumirpc.SupportsFeatureResponse{HasSupport: has}, nil
}

// RegisterResource notes the resource, and answers as if it were made.
func (s *stage) RegisterResource(_ context.Context, r *pulumirpc.RegisterResourceRequest) (*pulumirpc.RegisterResourceResponse, error) {
	props, err := plugin.UnmarshalProperties(r.GetObject(), plugin.MarshalOptions{KeepUnknowns: true, KeepResources: true})
	if err != nil {
		return nil, err
	}
	inputs, _ := plainOf(resource.NewProperty(props)).(map[string]any)
	// Texts that hold JSON say the same in any order of keys, and the settings of a
	// provider are texts to some SDKs and values to others.
	for _, key := range []string{"kubeconfig", "configurationValues", "enableConfigMapMutable"} {
		var parsed any
		if text, is := inputs[key].(string); is && json.Unmarshal([]byte(text), &parsed) == nil {
			inputs[key] = parsed
		}
	}
	typ := r.GetType()
	urn := stagePrefix + typ + "::" + r.GetName()
	if parent := r.GetParent(); parent != "" {
		before := strings.TrimPrefix(parent, stagePrefix)
		before = before[:strings.LastIndex(before, "::")]
		urn = stagePrefix + before + "$" + typ + "::" + r.GetName()
	}
	c := child{Type: typ, Name: r.GetName(), Parent: lastOf(r.GetParent()), Ignores: r.GetIgnoreChanges()}
	if at := strings.LastIndex(r.GetProvider(), "::"); at > 0 {
		c.Provider = lastOf(r.GetProvider()[:at])
	}
	if r.GetCustom() {
		c.Inputs = inputs
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasPrefix(c.Name, s.of) {
		s.made = append(s.made, c)
	}
	resp := &pulumirpc.RegisterResourceResponse{Urn: urn}
	if !r.GetCustom() {
		return resp, nil
	}
	out := outputsOf(typ, r.GetName(), inputs)
	s.state[urn] = out
	resp.Id, _ = out["id"].(string)
	resp.Object, err = plugin.MarshalProperties(resource.NewPropertyMapFromMap(out), onWire)
	return resp, err
}

func lastOf(urn string) string { return urn[strings.LastIndex(urn, ":")+1:] }

// plainOf is a property without nulls and secrets, and with ids of resources.
func plainOf(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return plainOf(v.SecretValue().Element)
	case v.IsOutput():
		return plainOf(v.OutputValue().Element)
	case v.IsComputed():
		return "(unknown)"
	case v.IsResourceReference():
		id, _ := v.ResourceReferenceValue().IDString()
		return id
	case v.IsArray():
		out := []any{}
		for _, e := range v.ArrayValue() {
			out = append(out, plainOf(e))
		}
		return out
	case v.IsObject():
		out := map[string]any{}
		for k, e := range v.ObjectValue() {
			if p := plainOf(e); p != nil && !resource.IsInternalPropertyKey(k) {
				out[string(k)] = p
			}
		}
		return out
	case v.IsNull():
		return nil
	default:
		return v.V
	}
}

// RegisterResourceOutputs needs nothing of them.
func (s *stage) RegisterResourceOutputs(context.Context, *pulumirpc.RegisterResourceOutputsRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RegisterPackage gives every package a name.
func (s *stage) RegisterPackage(_ context.Context, r *pulumirpc.RegisterPackageRequest) (*pulumirpc.RegisterPackageResponse, error) {
	return &pulumirpc.RegisterPackageResponse{Ref: r.GetName()}, nil
}

// Invoke answers the functions that components call.
func (s *stage) Invoke(_ context.Context, r *pulumirpc.ResourceInvokeRequest) (*pulumirpc.InvokeResponse, error) {
	args := r.GetArgs().AsMap()
	out := map[string]any{"id": "x"}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.GetTok() {
	case "pulumi:pulumi:getResource":
		urn, _ := args["urn"].(string)
		state := s.state[urn]
		if state == nil {
			return nil, fmt.Errorf("there is no %s", urn)
		}
		out = map[string]any{"urn": urn, "id": state["id"], "state": state}
	case "aws:eks/getAddonVersion:getAddonVersion":
		out["version"] = fmt.Sprintf("newest-%v-%v", args["addonName"], args["kubernetesVersion"])
	case "aws:index/getPartition:getPartition":
		out["partition"], out["dnsSuffix"] = "aws", "amazonaws.com"
	default:
		return nil, fmt.Errorf("nobody answers %s", r.GetTok())
	}
	if !strings.HasPrefix(r.GetTok(), "pulumi:") {
		text, _ := json.Marshal(args)
		if asked := r.GetTok() + " " + string(text); !slices.Contains(s.asked, asked) {
			s.asked = append(s.asked, asked)
		}
	}
	ret, err := plugin.MarshalProperties(resource.NewPropertyMapFromMap(out), onWire)
	return &pulumirpc.InvokeResponse{Return: ret}, err
}

// Log keeps what the component complains of.
func (s *stage) Log(_ context.Context, r *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	if r.GetSeverity() == pulumirpc.LogSeverity_ERROR {
		s.mu.Lock()
		s.said = append(s.said, r.GetMessage())
		s.mu.Unlock()
	}
	return &emptypb.Empty{}, nil
}

// GetRootResource says that there is none.
func (s *stage) GetRootResource(context.Context, *pulumirpc.GetRootResourceRequest) (*pulumirpc.GetRootResourceResponse, error) {
	return &pulumirpc.GetRootResourceResponse{}, nil
}

// SetRootResource takes whatever is one.
func (s *stage) SetRootResource(context.Context, *pulumirpc.SetRootResourceRequest) (*pulumirpc.SetRootResourceResponse, error) {
	return &pulumirpc.SetRootResourceResponse{}, nil
}

// SignalAndWaitForShutdown waits for nothing.
func (s *stage) SignalAndWaitForShutdown(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// components is a provider of the package eks, and its stage.
type components struct {
	*stage

	client pulumirpc.ResourceProviderClient
	end    func()
}

// sandboxComponents are the sandbox's.
func sandboxComponents(t *testing.T) *components {
	t.Helper()
	s := newStage(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	pulumirpc.RegisterResourceProviderServer(g, eksprovider.New())
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)
	c := &components{stage: s, client: dialed(t, l.Addr().String()), end: func() {}}
	if _, err := c.client.Attach(t.Context(), &pulumirpc.PluginAttach{Address: s.address}); err != nil {
		t.Fatal(err)
	}
	return c
}

// officialComponents are those of the plugin on the PATH; nil: there is none.
func officialComponents(t *testing.T) *components {
	t.Helper()
	file, err := exec.LookPath("pulumi-resource-eks")
	if err != nil {
		return nil
	}
	s := newStage(t)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, file, s.address)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	end := func() { cancel(); _ = cmd.Wait() }
	t.Cleanup(end)
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s does not say its port: %v", file, err)
	}
	return &components{stage: s, client: dialed(t, "127.0.0.1:"+strings.TrimSpace(port)), end: end}
}

func dialed(t *testing.T, address string) pulumirpc.ResourceProviderClient {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return pulumirpc.NewResourceProviderClient(conn)
}

// constructed is what came of one component.
type constructed struct {
	Refused string   `json:"refused,omitempty"`
	Made    []child  `json:"made,omitempty"`
	Asked   []string `json:"asked,omitempty"`
}

// construct has the provider make a component. It is a preview, in which the
// official one asks no API server whether it is there.
func (c *components) construct(t *testing.T, typ, name string, inputs resource.PropertyMap) constructed {
	t.Helper()
	c.clear(name)
	in, err := plugin.MarshalProperties(inputs, onWire)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = c.client.Construct(ctx, &pulumirpc.ConstructRequest{
		Project: "freehold", Stack: "test", Organization: "organization", DryRun: true, Parallel: 16, MonitorEndpoint: c.address,
		Type: typ, Name: name, Inputs: in, AcceptsOutputValues: true,
		Providers: map[string]string{"aws": awsProvider + "::org-id", "kubernetes": kubeProvider + "::kube-id"},
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && len(c.said) > 0 {
		err = errors.New(strings.Join(c.said, "; "))
	}
	if err != nil {
		return constructed{Refused: saidBy(err)}
	}
	out := constructed{Made: c.made, Asked: c.asked}
	slices.SortFunc(out.Made, func(a, b child) int { return strings.Compare(a.Type+" "+a.Name, b.Type+" "+b.Name) })
	slices.Sort(out.Asked)
	// As a file has it.
	raw, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	out = constructed{}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
