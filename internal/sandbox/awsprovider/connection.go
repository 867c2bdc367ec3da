package awsprovider

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// connection is the state of one connection: one provider resource.
type connection struct {
	mu         sync.Mutex
	who        caller
	configured bool
	engine     *grpc.ClientConn
	cancelled  context.Context
	cancel     context.CancelFunc
}

type connectionKey struct{}

// tagger gives each connection its state.
type tagger struct{}

func (tagger) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	c := &connection{}
	c.cancelled, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return context.WithValue(ctx, connectionKey{}, c)
}

func (tagger) HandleConn(ctx context.Context, s stats.ConnStats) {
	if _, ended := s.(*stats.ConnEnd); ended {
		c := connectionOf(ctx)
		c.cancel()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.engine != nil {
			_ = c.engine.Close()
		}
	}
}

func (tagger) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
func (tagger) HandleRPC(context.Context, stats.RPCStats)                       {}

func connectionOf(ctx context.Context) *connection {
	return ctx.Value(connectionKey{}).(*connection)
}

// dial connects to the engine, so that retries show in its output.
func (c *connection) dial(address string) error {
	if address == "" {
		return nil
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), rpcutil.GrpcChannelOptions())
	if err != nil {
		return fmt.Errorf("connect to the engine: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.engine != nil {
		_ = c.engine.Close()
	}
	c.engine = conn
	return nil
}

// warn returns a function that shows a warning of a resource in the engine's output.
func (c *connection) warn(ctx context.Context, urn string) func(string) {
	return func(text string) {
		c.mu.Lock()
		engine := c.engine
		c.mu.Unlock()
		if engine == nil {
			return
		}
		// A warning that cannot be shown is no reason to fail the call.
		_, _ = pulumirpc.NewEngineClient(engine).Log(ctx, &pulumirpc.LogRequest{
			Severity: pulumirpc.LogSeverity_WARNING, Urn: urn, Message: text,
		})
	}
}

// begin returns the connection's state and caller, and a context that ends
// when the engine cancels the provider.
func begin(ctx context.Context) (context.Context, context.CancelFunc, *connection, caller, error) {
	c := connectionOf(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.configured {
		return nil, nil, nil, caller{}, status.Error(codes.FailedPrecondition, "the aws provider is not configured")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.cancelled, func() { cancel(errCancelled) })
	return ctx, func() { stop(); cancel(nil) }, c, c.who, nil
}

var errCancelled = errors.New("the engine cancelled the operation")
