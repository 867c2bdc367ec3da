package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"

	"freehold.dev/freehold/internal/environ"
	"freehold.dev/freehold/internal/localhost"
	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// language is Pulumi's language host "go" for one program: this binary. The
// official one, pulumi-language-go, comes with Pulumi's releases only, not with
// a CLI that was built from source, and would build cmd/freehold anew.
type language struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	self string
	said io.Writer // what a program says beside its events

	mu     sync.Mutex
	engine string
}

// serveLanguage serves the language host on a loopback port until ctx ends, and
// returns the variable by which the CLI finds it.
func serveLanguage(ctx context.Context, said io.Writer) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this executable: %w", err)
	}
	listener, err := localhost.Listen(ctx)
	if err != nil {
		return "", fmt.Errorf("serve the programs: %w", err)
	}
	server := grpc.NewServer()
	pulumirpc.RegisterLanguageRuntimeServer(server, &language{self: self, said: said})
	go func() {
		// It returns when it is stopped; a loopback listener has no other end.
		_ = server.Serve(listener)
	}()
	context.AfterFunc(ctx, server.Stop)
	return fmt.Sprintf("PULUMI_DEBUG_LANGUAGES=go:%d", listener.Addr().(*net.TCPAddr).Port), nil
}

// Handshake learns where the engine is.
func (l *language) Handshake(_ context.Context, req *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.engine = req.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo returns nothing: there is no plugin.
func (l *language) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

// GetRequiredPackages needs none: the cloud serves the providers.
func (l *language) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// Run runs this binary as the stack's program; see programOf.
func (l *language) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	config, err := json.Marshal(req.GetConfig())
	if err != nil {
		return nil, fmt.Errorf("write the stack's configuration: %w", err)
	}
	secrets, err := json.Marshal(req.GetConfigSecretKeys())
	if err != nil {
		return nil, fmt.Errorf("write the configuration's secret keys: %w", err)
	}
	l.mu.Lock()
	engine := l.engine
	l.mu.Unlock()
	cmd := exec.CommandContext(ctx, l.self)
	cmd.Dir = req.GetPwd()
	cmd.Stdout, cmd.Stderr = l.said, l.said
	// Its input is its configuration: it signs in nowhere.
	cmd.Env = append(environ.Passed(os.Environ()),
		"PULUMI_ORGANIZATION="+req.GetOrganization(),
		"PULUMI_PROJECT="+req.GetProject(),
		"PULUMI_STACK="+req.GetStack(),
		"PULUMI_ROOT_DIRECTORY="+req.GetInfo().GetRootDirectory(),
		"PULUMI_CONFIG="+string(config),
		"PULUMI_CONFIG_SECRET_KEYS="+string(secrets),
		"PULUMI_DRY_RUN="+strconv.FormatBool(req.GetDryRun()),
		"PULUMI_PARALLEL="+strconv.Itoa(int(req.GetParallel())),
		"PULUMI_MONITOR="+req.GetMonitorAddress(),
		"PULUMI_ENGINE="+engine,
	)
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == constant.ExitStatusLoggedError:
		return &pulumirpc.RunResponse{Bail: true}, nil // the program has reported it to the engine itself
	case errors.As(err, &exit):
		return &pulumirpc.RunResponse{Error: "the program ended with " + exit.Error()}, nil
	}
	return nil, fmt.Errorf("run the program: %w", err)
}
