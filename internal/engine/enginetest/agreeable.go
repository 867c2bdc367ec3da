// Package enginetest has providers for tests that run the real engine.
package enginetest

import (
	"context"
	"net"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"freehold.dev/freehold/internal/localhost"
)

// Agreeable accepts every configuration and all inputs as they are, and never
// sees a difference. A provider embeds it and adds Create.
type Agreeable struct {
	pulumirpc.UnimplementedResourceProviderServer
}

// Attach accepts the engine that it is attached to.
func (Agreeable) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// GetPluginInfo says that it is version 1.0.0.
func (Agreeable) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "1.0.0"}, nil
}

// CheckConfig returns the configuration as it is.
func (Agreeable) CheckConfig(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: r.GetNews()}, nil
}

// DiffConfig sees no difference.
func (Agreeable) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{}, nil
}

// Configure accepts everything, and previews creations itself.
func (Agreeable) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, AcceptResources: true, SupportsPreview: true}, nil
}

// Check returns the inputs as they are.
func (Agreeable) Check(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: r.GetNews()}, nil
}

// Diff sees no difference.
func (Agreeable) Diff(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{}, nil
}

// Serve serves a provider on the loopback until the test ends, and returns the
// port: PULUMI_DEBUG_PROVIDERS takes it.
func Serve(t testing.TB, p pulumirpc.ResourceProviderServer) int {
	t.Helper()
	l, err := localhost.Listen(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	pulumirpc.RegisterResourceProviderServer(s, p)
	go func() { _ = s.Serve(l) }() // it returns when the server is stopped
	t.Cleanup(s.Stop)
	return l.Addr().(*net.TCPAddr).Port
}
