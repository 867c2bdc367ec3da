package crossguard

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"freehold.dev/freehold/policies"
)

// engineLost is how often the pack looks whether its engine is still there. An
// orphan would hold the stack's lock, which it has inherited.
const engineLost = 5 * time.Second

// Serve serves the pack until ctx ends or the engine at that address is gone.
// It says the port on stdout, and stdout carries nothing else.
func Serve(ctx context.Context, engine string, stdout io.Writer, rules []policies.Rule, version string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if engine != "" {
		if err := rpcutil.Healthcheck(ctx, engine, engineLost, cancel); err != nil {
			return fmt.Errorf("watch the engine: %w", err)
		}
	}
	stop := make(chan bool)
	context.AfterFunc(ctx, func() { close(stop) })
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel:  stop,
		Options: []grpc.ServerOption{grpc.UnaryInterceptor(recovered)},
		Init: func(g *grpc.Server) error {
			pulumirpc.RegisterAnalyzerServer(g, newServer(rules, version))
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("serve the rules: %w", err)
	}
	if _, err := fmt.Fprintf(stdout, "%d\n", handle.Port); err != nil {
		return fmt.Errorf("report to the engine where the rules are served: %w", err)
	}
	return <-handle.Done
}

// recovered turns a panic into an error of the call, which stops the
// operation and says why. Unrecovered it would too, without a word.
func recovered(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = status.Errorf(codes.Internal, "the policy pack panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return handle(ctx, req)
}
