package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/localhost"
)

// Policies are the policy packs that analyze every preview and every up. There
// is no run without them.
type Policies struct {
	// Pack is the folder of Freehold's own pack and of the plugin that serves it.
	Pack string
	// Name is the pack's name in events; Analyzer is the plugin's.
	Name, Analyzer string
	// ScopeKey is the configuration in which the pack reads Stack.Scope.
	ScopeKey string
	// Read asks the rules about what the program only reads, as a stack reference does: the
	// CLI shows that to no pack. Without it nothing may be read.
	Read func(scope string, read Step) ([]finding.Policy, error)
	// More are the folders of the operator's packs.
	More []string
	// Within is how long the engine may say nothing while no resource is being
	// worked on: a pack that hangs says nothing. 0 means 5 minutes.
	Within time.Duration
}

func (p Policies) check() error {
	for name, v := range map[string]string{"Pack": p.Pack, "Name": p.Name, "Analyzer": p.Analyzer, "ScopeKey": p.ScopeKey} {
		if v == "" {
			return fmt.Errorf("engine: Policies.%s is not set", name)
		}
	}
	return nil
}

// there fails unless Freehold's pack can be started. The CLI would look for a
// plugin that is missing in other places, and on the internet.
func (p Policies) there() error {
	for _, name := range []string{"PulumiPolicy.yaml", "pulumi-analyzer-" + p.Analyzer} {
		if _, err := os.Stat(filepath.Join(p.Pack, name)); err != nil {
			return fmt.Errorf("policy pack %s: %w", p.Name, err)
		}
	}
	return nil
}

// folders are the packs as the CLI reads them: each flag is a list with commas.
func (p Policies) folders() []string {
	var out []string
	for _, dir := range append([]string{p.Pack}, p.More...) {
		out = append(out, `"`+strings.ReplaceAll(dir, `"`, `""`)+`"`)
	}
	return out
}

// plugins names the plugin by its place, so that it need not be on PATH, and
// nothing else that is there is taken for it.
func (p Policies) plugins() *workspace.Plugins {
	return &workspace.Plugins{Analyzers: []workspace.PluginOptions{{Name: p.Analyzer, Path: p.Pack}}}
}

// violation reads what a pack found. Freehold's own packs put a whole finding
// into the message; of another pack the message is what was found.
func violation(s Stack, ev apitype.PolicyEvent) finding.Policy {
	text := strings.TrimSpace(ansi.ReplaceAllString(ev.Message, ""))
	var f finding.Policy
	if json.Unmarshal([]byte(text), &f) != nil || f.Rule == "" || f.Rule != ev.PolicyName {
		answer := "violated"
		if ev.EnforcementLevel != mandatory {
			answer = "advised"
		}
		f = finding.Policy{
			Rule: ev.PolicyPackName + "/" + ev.PolicyName, Title: ev.PolicyName, Severity: ev.Severity, Message: clean(text),
			Why: "the policy pack " + ev.PolicyPackName + " says so", Fix: "change what the policy names", Answer: answer,
		}
		if f.Severity == "" {
			f.Severity = "high"
		}
	}
	f.Org, f.Layer = s.Org, s.Layer
	if f.Resource.URN == "" {
		f.Resource = finding.Resource{Type: urnType(ev.ResourceURN), Name: urnName(ev.ResourceURN), URN: ev.ResourceURN}
	}
	return f
}

const mandatory = "mandatory"

// previewFirst makes an up look at everything before it makes anything: a
// violation found half-way would leave half of the layer made. The CLI does
// both in one process; the Automation API would have it skip the preview.
//
// It also serves the CLI's events here, because the Automation API expects one
// stream of them, and each of the two has its own.
func previewFirst(ctx context.Context, st auto.Stack, w *watch) (stop func(), err error) {
	cli, err := cliIn(st.Workspace())
	if err != nil {
		return nil, err
	}
	listener, err := localhost.Listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("listen to the CLI's events: %w", err)
	}
	server := grpc.NewServer()
	pulumirpc.RegisterEventsServer(server, &eventServer{w: w})
	go func() {
		// It returns when it is stopped; a loopback listener has no other end.
		_ = server.Serve(listener)
	}()
	cli.previewFirst, cli.events = true, "tcp://"+listener.Addr().String()
	// The CLI has closed its streams before it ends.
	return server.Stop, nil
}

// eventServer takes the events of a preview and then those of an update.
type eventServer struct {
	pulumirpc.UnimplementedEventsServer
	w *watch

	mu      sync.Mutex
	streams int
}

// StreamEvents takes one stream.
func (s *eventServer) StreamEvents(stream grpc.ClientStreamingServer[pulumirpc.EventRequest, emptypb.Empty]) error {
	s.mu.Lock()
	s.streams++
	s.w.begin(s.streams == 1)
	s.mu.Unlock()
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
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
		if err := json.Unmarshal([]byte(req.GetEvent()), &ev); err == nil {
			s.w.take(ev)
		}
	}
}
