package eksprovider_test

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"freehold.dev/freehold/internal/engine/enginetest"
	"freehold.dev/freehold/internal/sandbox/eksprovider"
)

func TestInputsAreRefusedByName(t *testing.T) {
	const attached = "no engine has attached on this connection" // what comes after the inputs are accepted
	cases := map[string]struct {
		typ    string
		inputs map[string]any
		want   []string
	}{
		"implemented inputs pass": {
			typ: "eks:index:Cluster",
			inputs: map[string]any{
				"vpcId": "vpc-1", "skipDefaultNodeGroup": true, "authenticationMode": "API",
				"accessEntries": map[string]any{"a": map[string]any{"principalArn": "arn", "accessPolicies": map[string]any{
					"p": map[string]any{"policyArn": "arn", "accessScope": map[string]any{"type": "cluster"}}}}},
			},
			want: []string{attached},
		},
		"an input of the SDK that is not implemented": {
			typ:    "eks:index:Cluster",
			inputs: map[string]any{"fargate": true, "autoMode": map[string]any{"enabled": true}},
			want: []string{
				"the sandbox does not implement eks:index:Cluster.autoMode",
				"the sandbox does not implement eks:index:Cluster.fargate",
			},
		},
		"a nested input that is not implemented": {
			typ:    "eks:index:Cluster",
			inputs: map[string]any{"vpcCniOptions": map[string]any{"securityContextPrivileged": true}},
			want:   []string{"the sandbox does not implement eks:index:Cluster.vpcCniOptions.securityContextPrivileged"},
		},
		"inputs that the SDK does not have": {
			typ: "eks:index:Cluster",
			inputs: map[string]any{
				"deletionProtection": true,
				"accessEntries":      map[string]any{"a": map[string]any{"policies": "x"}},
			},
			want: []string{
				"eks:index:Cluster.accessEntries.a.policies: no such input",
				"eks:index:Cluster.deletionProtection: no such input",
			},
		},
		"inputs of another type": {
			typ: "eks:index:Cluster",
			inputs: map[string]any{
				"subnetIds": "subnet-1", "tags": map[string]any{"a": 1.0}, "serviceRole": "arn", "skipDefaultNodeGroup": "yes",
			},
			want: []string{
				"eks:index:Cluster.serviceRole: want a resource, got string",
				"eks:index:Cluster.skipDefaultNodeGroup: want true or false, got string",
				"eks:index:Cluster.subnetIds: want a list, got string",
				"eks:index:Cluster.tags.a: want a string, got number",
			},
		},
		"a node group's user data": {
			typ:    "eks:index:ManagedNodeGroup",
			inputs: map[string]any{"userData": "#!/bin/sh", "diskSize": 1.5},
			want: []string{
				"eks:index:ManagedNodeGroup.diskSize: want a whole number, got number",
				"the sandbox does not implement eks:index:ManagedNodeGroup.userData",
			},
		},
		"another component": {
			typ:  "eks:index:NodeGroupV2",
			want: []string{"the sandbox does not implement eks:index:NodeGroupV2"},
		},
	}
	client := dial(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inputs, err := plugin.MarshalProperties(resource.NewPropertyMapFromMap(tc.inputs), plugin.MarshalOptions{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Construct(t.Context(), &pulumirpc.ConstructRequest{Type: tc.typ, Name: "x", Inputs: inputs})
			if err == nil {
				t.Fatal("no error")
			}
			_, got, _ := strings.Cut(err.Error(), "desc = ")
			if want := strings.Join(tc.want, "\n"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func dial(t *testing.T) pulumirpc.ResourceProviderClient {
	t.Helper()
	port := enginetest.Serve(t, eksprovider.New())
	conn, err := grpc.NewClient(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return pulumirpc.NewResourceProviderClient(conn)
}
