package kubeprovider

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// pluginVersion is the version of the SDK whose resources are served.
const pluginVersion = "4.28.0"

// Resolve returns how the API server of a kubeconfig is reached. It may start
// the server, and is called again after a pause in use.
type Resolve func(ctx context.Context, kubeconfig string) (*rest.Config, error)

// Provider serves any number of provider resources at a time; each has a
// connection of its own, and its configuration is kept by connection.
type Provider struct {
	pulumirpc.UnimplementedResourceProviderServer
	resolve Resolve
	now     func() time.Time
	// retryPause is before the second try of a create whose kind or namespace
	// is not there; it doubles.
	retryPause time.Duration

	mu          sync.Mutex
	connections map[string]*connection
}

// New returns a provider whose kubeconfigs resolve by the given function.
func New(resolve Resolve, now func() time.Time) *Provider {
	return &Provider{resolve: resolve, now: now, retryPause: time.Second, connections: map[string]*connection{}}
}

// connection is one provider resource of one engine.
type connection struct {
	provider *Provider
	ctx      context.Context // until the engine cancels or disconnects
	cancel   context.CancelFunc

	mu      sync.Mutex
	engine  *grpc.ClientConn
	config  config
	cluster *cluster
	used    time.Time
	defined map[schema.GroupKind]bool // by the program; true: in namespaces
}

// ServerOptions make a gRPC server tell the provider which connections ended,
// so that it forgets them.
func (p *Provider) ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.StatsHandler(connectionEnds{p})}
}

type connectionEnds struct{ p *Provider }

type addressKey struct{}

func (connectionEnds) TagConn(ctx context.Context, i *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, addressKey{}, i.RemoteAddr.String())
}

func (e connectionEnds) HandleConn(ctx context.Context, s stats.ConnStats) {
	if _, ended := s.(*stats.ConnEnd); ended {
		if address, ok := ctx.Value(addressKey{}).(string); ok {
			e.p.forget(address)
		}
	}
}

func (connectionEnds) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
func (connectionEnds) HandleRPC(context.Context, stats.RPCStats)                       {}

func (p *Provider) forget(address string) {
	p.mu.Lock()
	c := p.connections[address]
	delete(p.connections, address)
	p.mu.Unlock()
	if c != nil {
		c.cancel()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.engine != nil {
			c.engine.Close()
		}
		if c.cluster != nil {
			c.cluster.leave()
		}
	}
}

// of returns the connection that a request came on.
func (p *Provider) of(ctx context.Context) *connection {
	address := ""
	if from, ok := peer.FromContext(ctx); ok && from.Addr != nil {
		address = from.Addr.String()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.connections[address]
	if c == nil {
		// A connection outlives the request that it is first seen with.
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		c = &connection{provider: p, ctx: ctx, cancel: cancel, config: defaultConfig(), defined: map[schema.GroupKind]bool{}}
		p.connections[address] = c
	}
	return c
}

// operation returns a context that ends with the request and with the engine's
// cancellation.
func (c *connection) operation(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// clusterPause is how long a cluster is taken to be still there after use.
const clusterPause = time.Minute

// reach returns the connection's cluster, resolving its kubeconfig when it is
// needed for the first time or was not used for a while.
func (c *connection) reach(ctx context.Context) (*cluster, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.provider.now()
	if c.cluster == nil || now.Sub(c.used) > clusterPause {
		rc, err := c.provider.resolve(ctx, c.config.kubeconfig)
		if err != nil {
			return nil, fmt.Errorf("%w: unable to load schema information from the API server: %w", errUnreachable, err)
		}
		next, err := newCluster(rc, c.provider.now)
		if err != nil {
			return nil, err
		}
		if c.cluster != nil {
			c.cluster.leave()
		}
		c.cluster = next
	}
	c.used = now
	return c.cluster, nil
}

// errUnreachable is wrapped when the API server cannot be had.
var errUnreachable = errors.New("configured Kubernetes cluster is unreachable")

// unreachable returns why the API server cannot be had; nil when it can.
func (c *connection) unreachable(ctx context.Context) error {
	_, err := c.reach(ctx)
	return err
}

// Attach connects to the engine, which shows what is waited for.
func (p *Provider) Attach(ctx context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	c := p.of(ctx)
	engine, err := grpc.NewClient(req.GetAddress(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("connect to the engine: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.engine != nil {
		c.engine.Close()
	}
	c.engine = engine
	return &emptypb.Empty{}, nil
}

// report shows a line at a resource; a status line goes when the next one comes.
func (c *connection) report(ctx context.Context, severity pulumirpc.LogSeverity, urn, message string, passing bool) {
	c.mu.Lock()
	engine := c.engine
	c.mu.Unlock()
	if engine == nil {
		return
	}
	// The operation does not fail because it could not be reported.
	_, _ = pulumirpc.NewEngineClient(engine).Log(ctx, &pulumirpc.LogRequest{
		Severity: severity, Urn: urn, Message: message, Ephemeral: passing,
	})
}

// GetPluginInfo tells the version of the served package.
func (p *Provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: pluginVersion}, nil
}

// Cancel ends what runs on the connection.
func (p *Provider) Cancel(ctx context.Context, _ *emptypb.Empty) (*emptypb.Empty, error) {
	p.of(ctx).cancel()
	return &emptypb.Empty{}, nil
}

// Invoke refuses every function.
func (p *Provider) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	return nil, status.Errorf(codes.Unimplemented, "function %s is not served by the sandbox", req.GetTok())
}

// Construct refuses every component.
func (p *Provider) Construct(_ context.Context, req *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	return nil, status.Errorf(codes.Unimplemented, "component %s is not served by the sandbox", req.GetType())
}
