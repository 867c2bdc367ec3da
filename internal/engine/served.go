package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"freehold.dev/freehold/internal/localhost"
)

// look is what a run of the CLI does before it changes something.
type look int

const (
	// looksFirst is an up that looks at everything before it makes anything: a
	// violation found half-way would leave half of the layer made. The CLI does
	// both in one process; the Automation API would have it skip the preview.
	looksFirst look = iota
	// looksOnly is an up, or a refresh, that changes nothing.
	looksOnly
	// justDoes is for what has no preview.
	justDoes
)

// maxMessage is what the engine itself allows.
const maxMessage = 400 << 20

// follow serves the CLI what it needs of this process in its next run: the stack's
// program, and somebody who listens to its events.
//
// The Automation API would serve both, on ports that every user of this machine may
// connect to: who does can have the program run against an engine of their own, which
// is told all that a customer's stack is made of, and can report events that never
// happened. It also expects one stream of events, and an up that looks first has two.
func follow(ctx context.Context, st auto.Stack, program pulumi.RunFunc, how look, w *watch) (stop func(), err error) {
	cli, err := cliIn(st.Workspace())
	if err != nil {
		return nil, err
	}
	listener, err := localhost.Listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("serve the CLI: %w", err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.WaitForHandlers(true))
	pulumirpc.RegisterEventsServer(server, &eventServer{w: w, looksFirst: how == looksFirst})
	pulumirpc.RegisterLanguageRuntimeServer(server, &programServer{program: program, w: w})
	go func() {
		// It returns when it is stopped; a loopback listener has no other end.
		_ = server.Serve(listener)
	}()
	cli.follower, cli.look = listener.Addr().String(), how
	switch how {
	case looksFirst:
		w.expects(2)
	case looksOnly:
		w.expects(1)
	case justDoes:
		// Nothing hangs on its events: what ended well is gone, and its stack with it.
		w.expects(0)
	}
	// The CLI has closed its streams before it ends.
	return func() {
		server.Stop()
		cli.follower = ""
	}, nil
}

// followed are a command line's arguments for a CLI that is followed. The Automation
// API has no preview without a server of its own for the events, so a preview comes
// here as the command that would change something.
func (c *stackCLI) followed(args []string) []string {
	without := func(flags ...string) {
		args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return slices.Contains(flags, a) })
	}
	switch {
	case c.look == looksFirst:
		without("--skip-preview")
	case c.look == looksOnly && args[0] == "up":
		without("--skip-preview", "--yes")
		args[0] = "preview"
	case c.look == looksOnly:
		without("--skip-preview", "--yes")
		args = append(args, "--preview-only")
	}
	without("--exec-kind=" + constant.ExecKindAutoLocal)
	return append(args, "--exec-kind="+constant.ExecKindAutoInline, "--client="+c.follower, "--event-log", "tcp://"+c.follower)
}

// eventServer takes the events of a run, or those of its preview and then its own.
type eventServer struct {
	pulumirpc.UnimplementedEventsServer
	w          *watch
	looksFirst bool

	mu      sync.Mutex
	streams int
}

// StreamEvents takes one stream.
func (s *eventServer) StreamEvents(stream grpc.ClientStreamingServer[pulumirpc.EventRequest, emptypb.Empty]) error {
	s.mu.Lock()
	s.streams++
	s.w.begin(s.looksFirst && s.streams == 1)
	s.mu.Unlock()
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			s.w.streamEnded()
			if s.w.refused() {
				// The CLI waits for this answer before it goes on to the update.
				s.w.stop(errRefused)
				<-stream.Context().Done()
				return errRefused
			}
			return stream.SendAndClose(&emptypb.Empty{})
		}
		if err != nil {
			return err
		}
		var ev apitype.EngineEvent
		if err := json.Unmarshal([]byte(req.GetEvent()), &ev); err != nil {
			return status.Errorf(codes.InvalidArgument, "an event cannot be read: %v", err) // see unheard
		}
		s.w.take(ev)
	}
}

// programServer is Pulumi's language host for one program, which is in this process.
type programServer struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	program pulumi.RunFunc
	w       *watch
}

// GetPluginInfo returns nothing: there is no plugin.
func (*programServer) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "1.0.0"}, nil
}

// GetRequiredPlugins and GetRequiredPackages need none: the cloud serves the providers,
// or the CLI finds them.
func (*programServer) GetRequiredPlugins(context.Context, *pulumirpc.GetRequiredPluginsRequest) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

// InstallDependencies installs nothing: the program is compiled in.
func (*programServer) InstallDependencies(*pulumirpc.InstallDependenciesRequest, grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse]) error {
	return nil
}

// Run runs the program.
func (s *programServer) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	monitor, stop, err := between(ctx, s.w, req.GetMonitorAddress(), req.GetDryRun())
	if err != nil {
		return nil, err
	}
	defer stop()
	info := pulumi.RunInfo{
		MonitorAddr:      monitor,
		Config:           req.GetConfig(),
		ConfigSecretKeys: req.GetConfigSecretKeys(),
		Project:          req.GetProject(),
		Stack:            req.GetStack(),
		Parallel:         req.GetParallel(),
		DryRun:           req.GetDryRun(),
		Organization:     req.GetOrganization(),
	}
	if args := req.GetArgs(); len(args) > 0 {
		info.EngineAddr = args[0]
	}
	program, err := pulumi.NewContext(ctx, info)
	if err != nil {
		return nil, fmt.Errorf("reach the engine: %w", err)
	}
	defer func() { _ = program.Close() }()
	if err := s.run(program); err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	return &pulumirpc.RunResponse{}, nil
}

// run runs the program, whose panic is its failure and not this process's.
func (s *programServer) run(ctx *pulumi.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the stack's program failed: %v", r)
		}
	}()
	return pulumi.RunWithContext(ctx, s.program)
}
