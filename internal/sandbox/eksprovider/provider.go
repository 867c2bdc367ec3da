// Package eksprovider serves the Pulumi package "eks" to the engine from inside
// the process. It answers Construct for the components that Freehold uses, and
// promises the children that the genuine pulumi-eks 3.9.1 makes: the same
// types, logical names, parents and inputs. An input that it does not
// implement is refused by name; none is ever ignored.
package eksprovider

import (
	"context"
	"fmt"
	"sync"

	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Version is the version of pulumi-eks whose components this package makes.
const Version = "3.9.1"

const (
	clusterToken    = "eks:index:Cluster"
	nodeGroupToken  = "eks:index:ManagedNodeGroup"
	kubeconfigToken = "eks:index:Cluster/getKubeconfig"
)

// New returns the provider. One value serves any number of engines at once: it
// keeps the engine's address by connection, because each provider resource of
// a program attaches on a connection of its own.
func New() pulumirpc.ResourceProviderServer {
	return &server{engines: map[string]string{}}
}

type server struct {
	pulumirpc.UnimplementedResourceProviderServer

	mu      sync.Mutex
	engines map[string]string // peer address to engine address
}

// Handshake says what the provider understands, and notes the engine.
func (s *server) Handshake(ctx context.Context, req *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	if req.GetEngineAddress() != "" {
		s.remember(ctx, req.GetEngineAddress())
	}
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true, AcceptOutputs: true}, nil
}

// Attach notes the engine that this connection belongs to.
func (s *server) Attach(ctx context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	s.remember(ctx, req.GetAddress())
	return &emptypb.Empty{}, nil
}

// GetPluginInfo tells the version.
func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// GetSchema tells the name and version; nothing here generates an SDK.
func (s *server) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: `{"name":"eks","version":"` + Version + `"}`}, nil
}

// CheckConfig accepts the provider's configuration: components take none of it.
func (s *server) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

// DiffConfig never asks for a replacement.
func (s *server) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{}, nil
}

// Configure has nothing to keep.
func (s *server) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, AcceptResources: true, AcceptOutputs: true, SupportsPreview: true}, nil
}

// Cancel has nothing to stop: a Construct ends with its context.
func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Construct makes a component and its children in the engine that asked.
func (s *server) Construct(ctx context.Context, req *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	var construct provider.ConstructFunc
	switch req.GetType() {
	case clusterToken:
		if err := checkInputs(req, eks.ClusterArgs{}.ElementType(), clusterInputs{}); err != nil {
			return nil, err
		}
		construct = constructCluster
	case nodeGroupToken:
		if err := checkInputs(req, eks.ManagedNodeGroupArgs{}.ElementType(), nodeGroupInputs{}); err != nil {
			return nil, err
		}
		construct = constructNodeGroup
	default:
		return nil, status.Errorf(codes.Unimplemented, "the sandbox does not implement %s", req.GetType())
	}

	conn, err := s.engine(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return provider.Construct(ctx, req, conn, construct)
}

// Call answers the one method that the components have.
func (s *server) Call(ctx context.Context, req *pulumirpc.CallRequest) (*pulumirpc.CallResponse, error) {
	if req.GetTok() != kubeconfigToken {
		return nil, status.Errorf(codes.Unimplemented, "the sandbox does not implement %s", req.GetTok())
	}
	conn, err := s.engine(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return provider.Call(ctx, req, conn, func(_ *pulumi.Context, _ string, args provider.CallArgs) (*provider.CallResult, error) {
		return callKubeconfig(args)
	})
}

func (s *server) remember(ctx context.Context, engine string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.engines[peerOf(ctx)] = engine
}

// engine dials the engine that attached on the caller's connection.
func (s *server) engine(ctx context.Context) (*grpc.ClientConn, error) {
	s.mu.Lock()
	addr := s.engines[peerOf(ctx)]
	s.mu.Unlock()
	if addr == "" {
		return nil, status.Error(codes.FailedPrecondition, "no engine has attached on this connection")
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()), rpcutil.GrpcChannelOptions())
	if err != nil {
		return nil, fmt.Errorf("connecting to the engine at %s: %w", addr, err)
	}
	return conn, nil
}

func peerOf(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	return p.Addr.String()
}
