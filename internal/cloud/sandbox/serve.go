package sandbox

import (
	"context"
	"fmt"
	"net"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"freehold.dev/freehold/internal/cloud/sandbox/awsprovider"
	"freehold.dev/freehold/internal/cloud/sandbox/eksprovider"
	"freehold.dev/freehold/internal/cloud/sandbox/kubeprovider"
)

// maxMessage is what the engine itself allows.
const maxMessage = 1024 * 1024 * 400

// ProviderEnv serves the three providers on loopback ports until ctx ends.
func (c *Cloud) ProviderEnv(ctx context.Context) (map[string]string, error) {
	kube := kubeprovider.New(c.resolve, c.o.Clock)
	providers := []struct {
		name     string
		options  []grpc.ServerOption
		register func(*grpc.Server)
	}{
		{"aws", nil, func(s *grpc.Server) { awsprovider.Register(s, c.backend) }},
		{"eks", nil, func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, eksprovider.New()) }},
		{"kubernetes", kube.ServerOptions(), func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, kube) }},
	}
	var ports []string
	for _, p := range providers {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("serve provider %s: %w", p.name, err)
		}
		options := append(awsprovider.ServerOptions(), grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
		server := grpc.NewServer(append(options, p.options...)...)
		p.register(server)
		go func() {
			// It returns when it is stopped; a loopback listener has no other end.
			_ = server.Serve(listener)
		}()
		context.AfterFunc(ctx, server.Stop)
		ports = append(ports, fmt.Sprintf("%s:%d", p.name, listener.Addr().(*net.TCPAddr).Port))
	}
	return map[string]string{
		"PULUMI_DEBUG_PROVIDERS": strings.Join(ports, ","),
		// A state names the plugins that it was made with, and the engine would
		// fetch them before a refresh: hundreds of megabytes that nobody uses.
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
	}, nil
}
