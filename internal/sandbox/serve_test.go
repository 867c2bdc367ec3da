package sandbox

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"
)

// A call may have waited while its process was stopped, and the answer of a moment
// ago is worth nothing then: it is asked for when the change is about to be made.
func TestAProviderChangesTheCloudOnlyAsLongAsItMay(t *testing.T) {
	c := open(t, Options{})
	lost := errors.New("the org is another machine's")
	var refuses atomic.Bool
	var asked []string
	env, err := c.ProviderEnv(t.Context(), func(_ context.Context, stack string) error {
		asked = append(asked, stack)
		if refuses.Load() {
			return lost
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	aws := served(t, env["PULUMI_DEBUG_PROVIDERS"], "aws")
	if _, err := aws.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: wire(t, map[string]any{"region": region})}); err != nil {
		t.Fatal(err)
	}
	const urn = "urn:pulumi:acme.boundary::freehold::aws:iam/role:Role::nodes"
	inputs := wire(t, map[string]any{"name": "nodes", "assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`})
	journal := func() int {
		entries, err := c.Journal(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}

	refuses.Store(true)
	if _, err := aws.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: inputs}); err == nil || !strings.Contains(err.Error(), lost.Error()) {
		t.Errorf("create: %v, want %v", err, lost)
	}
	if n := journal(); n != 0 {
		t.Errorf("%d calls are in the journal", n)
	}
	if _, err := aws.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: inputs, Preview: true}); err != nil {
		t.Errorf("preview: %v", err)
	}
	if len(asked) != 1 || asked[0] != "acme.boundary" {
		t.Errorf("asked for the stacks %q", asked)
	}

	refuses.Store(false)
	made, err := aws.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: inputs})
	if err != nil {
		t.Fatal(err)
	}
	refuses.Store(true)
	before := journal()
	if read, err := aws.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn, Id: made.GetId(), Properties: made.GetProperties(), Inputs: inputs}); err != nil || read.GetId() == "" {
		t.Errorf("read: %v, %v", read, err)
	}
	if _, err := aws.Delete(t.Context(), &pulumirpc.DeleteRequest{Urn: urn, Id: made.GetId(), Properties: made.GetProperties()}); err == nil || !strings.Contains(err.Error(), lost.Error()) {
		t.Errorf("delete: %v, want %v", err, lost)
	}
	if n := journal() - before; n != 0 {
		t.Errorf("%d more calls are in the journal", n)
	}
}

// served connects to one of the providers that the engine is told of.
func served(t *testing.T, attached, name string) pulumirpc.ResourceProviderClient {
	t.Helper()
	for one := range strings.SplitSeq(attached, ",") {
		port, is := strings.CutPrefix(one, name+":")
		if !is {
			continue
		}
		conn, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return pulumirpc.NewResourceProviderClient(conn)
	}
	t.Fatalf("provider %s is not in %s", name, attached)
	return nil
}

func wire(t *testing.T, v map[string]any) *structpb.Struct {
	t.Helper()
	p, err := plugin.MarshalProperties(resource.NewPropertyMapFromMap(v), plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
