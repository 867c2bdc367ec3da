package sandbox

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/localhost"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
	"freehold.dev/freehold/internal/sandbox/eksprovider"
	"freehold.dev/freehold/internal/sandbox/hold"
	"freehold.dev/freehold/internal/sandbox/kubeprovider"
)

// maxMessage is what the engine itself allows.
const maxMessage = 1024 * 1024 * 400

// Provider is one provider that is served from this process.
type Provider struct {
	Name     string // the package's, "aws"
	Options  []grpc.ServerOption
	Register func(*grpc.Server)
}

// Kubernetes is the provider of that name over any clusters.
func Kubernetes(p *kubeprovider.Provider) Provider {
	return Provider{"kubernetes", p.ServerOptions(), func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, p) }}
}

// EKS is the provider of the eks component. It makes its parts by the engine,
// whoever serves their provider.
func EKS() Provider {
	return Provider{"eks", nil, func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, eksprovider.New()) }}
}

// Attach serves providers on loopback ports until ctx ends, and returns the
// value of PULUMI_DEBUG_PROVIDERS by which the engine attaches them. They ask may
// before each change, unless it is nil.
func Attach(ctx context.Context, may cloud.May, providers ...Provider) (string, error) {
	var ports []string
	for _, p := range providers {
		listener, err := localhost.Listen(ctx)
		if err != nil {
			return "", fmt.Errorf("serve provider %s: %w", p.Name, err)
		}
		options := append(awsprovider.ServerOptions(), grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
			grpc.ChainUnaryInterceptor(asking(may)))
		server := grpc.NewServer(append(options, p.Options...)...)
		p.Register(server)
		go func() {
			// It returns when it is stopped; a loopback listener has no other end.
			_ = server.Serve(listener)
		}()
		context.AfterFunc(ctx, server.Stop)
		ports = append(ports, fmt.Sprintf("%s:%d", p.Name, listener.Addr().(*net.TCPAddr).Port))
	}
	return strings.Join(ports, ","), nil
}

// asking has the calls ask may, each for the stack of its resource.
func asking(may cloud.May) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if may == nil {
			return next(ctx, req)
		}
		stack := ""
		if r, ok := req.(interface{ GetUrn() string }); ok && r.GetUrn() != "" {
			stack = string(resource.URN(r.GetUrn()).Stack())
		}
		return next(hold.With(ctx, func(ctx context.Context) error { return may(ctx, stack) }), req)
	}
}

// ProviderEnv serves the three providers on loopback ports until ctx ends. They ask
// may before each change.
func (c *Cloud) ProviderEnv(ctx context.Context, may cloud.May) (map[string]string, error) {
	attached, err := Attach(ctx, may,
		Provider{"aws", nil, func(s *grpc.Server) { awsprovider.Register(s, c.backend) }},
		EKS(), Kubernetes(kubeprovider.New(c.resolve, c.o.Clock)))
	if err != nil {
		return nil, err
	}
	env, err := pulumiHome(c.o.Dir)
	if err != nil {
		return nil, err
	}
	env["PULUMI_DEBUG_PROVIDERS"] = attached
	// A state names the plugins that it was made with, and the engine would
	// fetch them before a refresh: hundreds of megabytes that nobody uses.
	env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
	return env, nil
}
