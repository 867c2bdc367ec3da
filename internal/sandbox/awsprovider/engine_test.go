package awsprovider

import (
	"context"
	"net"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// logs is an engine that only listens.
type logs struct {
	pulumirpc.UnimplementedEngineServer
	got []*pulumirpc.LogRequest
}

func (l *logs) Log(_ context.Context, req *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	l.got = append(l.got, req)
	return &emptypb.Empty{}, nil
}

func (l *logs) serve(t *testing.T) string {
	t.Helper()
	g := grpc.NewServer()
	pulumirpc.RegisterEngineServer(g, l)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = g.Serve(listener) }()
	t.Cleanup(g.Stop)
	return listener.Addr().String()
}
