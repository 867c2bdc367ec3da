package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/localhost"
)

// Ask is what a program asks the engine for beside the resources that it makes.
type Ask string

// What a program can ask for.
const (
	AskImport  Ask = "import"  // to take over what is there
	AskRead    Ask = "read"    // to read what is there
	AskInvoke  Ask = "invoke"  // a provider's function
	AskCall    Ask = "call"    // a method of a component
	AskPackage Ask = "package" // a provider that is made of another
)

// Asked is one such question. The engine shows it to no policy pack, or only when it
// has been answered.
type Asked struct {
	Stack string // whose program asks
	Kind  Ask
	// Token is the resource's type, the function's name, or the package's.
	Token string
	Name  string
	ID    string
	// Inputs are what is known of a resource, or the function's arguments.
	Inputs *structpb.Struct
	// Provider is who answers, where the program has made it.
	Provider *AskedProvider
	// Made are the ids and names of what the program has made so far.
	Made []string
}

// AskedProvider is a provider as the program has made it.
type AskedProvider struct {
	Type, Name string
	Inputs     *structpb.Struct
}

// between serves a program a monitor of ours in the place of the engine's until stop:
// what the program asks for is judged before it is asked. It returns its address.
func between(ctx context.Context, w *watch, engine string, dry bool) (address string, stop func(), err error) {
	conn, err := grpc.NewClient(engine, grpc.WithTransportCredentials(insecure.NewCredentials()), rpcutil.GrpcChannelOptions())
	if err != nil {
		return "", nil, fmt.Errorf("reach the engine at %s: %w", engine, err)
	}
	listener, err := localhost.Listen(ctx)
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("listen for the program: %w", err), conn.Close())
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
	pulumirpc.RegisterResourceMonitorServer(server, &monitor{
		to: pulumirpc.NewResourceMonitorClient(conn), w: w, dry: dry, providers: map[string]*AskedProvider{},
	})
	go func() {
		// It returns when it is stopped; a loopback listener has no other end.
		_ = server.Serve(listener)
	}()
	return listener.Addr().String(), func() {
		server.Stop()
		_ = conn.Close() // nothing is under way any more
	}, nil
}

// monitor is the engine's, as the program sees it. It has each method of the pinned
// protocol, and a new one does not compile until somebody says what it does with it.
type monitor struct {
	pulumirpc.UnsafeResourceMonitorServer
	to  pulumirpc.ResourceMonitorClient
	w   *watch
	dry bool // nothing is made, and what is not known yet may stay open

	mu sync.Mutex
	// providers are those that the program has made, by URN.
	providers map[string]*AskedProvider
	made      []string
}

// RegisterResource judges the id of what is to be taken over, and hands it on.
// What is made a policy pack sees.
func (m *monitor) RegisterResource(ctx context.Context, req *pulumirpc.RegisterResourceRequest) (*pulumirpc.RegisterResourceResponse, error) {
	if req.GetImportId() != "" {
		err := m.ask(Asked{
			Kind: AskImport, Token: req.GetType(), Name: req.GetName(), ID: req.GetImportId(), Inputs: req.GetObject(), Provider: m.provider(req.GetProvider()),
		})
		if err != nil {
			return nil, err
		}
	}
	resp, err := m.to.RegisterResource(ctx, req)
	if err != nil || !req.GetCustom() {
		return resp, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if strings.HasPrefix(req.GetType(), "pulumi:providers:") {
		m.providers[resp.GetUrn()] = &AskedProvider{Type: req.GetType(), Name: req.GetName(), Inputs: req.GetObject()}
		return resp, nil
	}
	if resp.GetId() != "" {
		m.made = append(m.made, resp.GetId())
	}
	for _, v := range resp.GetObject().GetFields() {
		if text := v.GetStringValue(); text != "" {
			m.made = append(m.made, text)
		}
	}
	return resp, nil
}

// ReadResource judges what is to be read.
func (m *monitor) ReadResource(ctx context.Context, req *pulumirpc.ReadResourceRequest) (*pulumirpc.ReadResourceResponse, error) {
	err := m.ask(Asked{
		Kind: AskRead, Token: req.GetType(), Name: req.GetName(), ID: req.GetId(), Inputs: req.GetProperties(), Provider: m.provider(req.GetProvider()),
	})
	if err != nil {
		return nil, err
	}
	return m.to.ReadResource(ctx, req)
}

// Invoke judges a function and its arguments.
func (m *monitor) Invoke(ctx context.Context, req *pulumirpc.ResourceInvokeRequest) (*pulumirpc.InvokeResponse, error) {
	err := m.ask(Asked{Kind: AskInvoke, Token: req.GetTok(), Name: req.GetTok(), Inputs: req.GetArgs(), Provider: m.provider(req.GetProvider())})
	if err != nil {
		return nil, err
	}
	return m.to.Invoke(ctx, req)
}

// Call judges a method and its arguments.
func (m *monitor) Call(ctx context.Context, req *pulumirpc.ResourceCallRequest) (*pulumirpc.CallResponse, error) {
	err := m.ask(Asked{Kind: AskCall, Token: req.GetTok(), Name: req.GetTok(), Inputs: req.GetArgs(), Provider: m.provider(req.GetProvider())})
	if err != nil {
		return nil, err
	}
	return m.to.Call(ctx, req)
}

// RegisterPackage judges where a provider comes from. What is made of another
// provider carries a name of its program's choice, "aws" among them.
func (m *monitor) RegisterPackage(ctx context.Context, req *pulumirpc.RegisterPackageRequest) (*pulumirpc.RegisterPackageResponse, error) {
	inputs := map[string]any{"downloadUrl": req.GetDownloadUrl(), "parameterized": req.GetParameterization() != nil || req.GetExtension() != nil}
	in, err := structpb.NewStruct(inputs)
	if err != nil {
		return nil, err
	}
	if err := m.ask(Asked{Kind: AskPackage, Token: req.GetName(), Name: req.GetName(), Inputs: in}); err != nil {
		return nil, err
	}
	return m.to.RegisterPackage(ctx, req)
}

// RegisterStackInvokeTransform is refused: it changes the arguments of functions after
// they have been judged.
func (m *monitor) RegisterStackInvokeTransform(context.Context, *pulumirpc.Callback) (*emptypb.Empty, error) {
	return nil, status.Error(codes.PermissionDenied, "a program may not change the arguments of functions by a transform: nothing judges them afterwards; give the function the arguments that are meant")
}

// RegisterStackTransform hands it on: what a transform makes of a resource a policy
// pack sees, and an import the engine's events show.
func (m *monitor) RegisterStackTransform(ctx context.Context, req *pulumirpc.Callback) (*emptypb.Empty, error) {
	return m.to.RegisterStackTransform(ctx, req)
}

// RegisterResourceOutputs hands it on.
func (m *monitor) RegisterResourceOutputs(ctx context.Context, req *pulumirpc.RegisterResourceOutputsRequest) (*emptypb.Empty, error) {
	return m.to.RegisterResourceOutputs(ctx, req)
}

// RegisterResourceHook hands it on: a hook is code of the program.
func (m *monitor) RegisterResourceHook(ctx context.Context, req *pulumirpc.RegisterResourceHookRequest) (*emptypb.Empty, error) {
	return m.to.RegisterResourceHook(ctx, req)
}

// RegisterErrorHook hands it on: a hook is code of the program.
func (m *monitor) RegisterErrorHook(ctx context.Context, req *pulumirpc.RegisterErrorHookRequest) (*emptypb.Empty, error) {
	return m.to.RegisterErrorHook(ctx, req)
}

// SupportsFeature hands it on.
func (m *monitor) SupportsFeature(ctx context.Context, req *pulumirpc.SupportsFeatureRequest) (*pulumirpc.SupportsFeatureResponse, error) {
	return m.to.SupportsFeature(ctx, req)
}

// GetDeploymentInfo hands it on.
func (m *monitor) GetDeploymentInfo(ctx context.Context, req *emptypb.Empty) (*pulumirpc.DeploymentInfo, error) {
	return m.to.GetDeploymentInfo(ctx, req)
}

// SignalAndWaitForShutdown hands it on, and waits for the engine.
func (m *monitor) SignalAndWaitForShutdown(ctx context.Context, req *emptypb.Empty) (*emptypb.Empty, error) {
	return m.to.SignalAndWaitForShutdown(ctx, req)
}

// provider finds a provider by a reference, its URN and its id.
func (m *monitor) provider(reference string) *AskedProvider {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.providers[reference[:max(strings.LastIndex(reference, "::"), 0)]]
}

// ask is an error where the rules do not allow what is asked for.
func (m *monitor) ask(a Asked) error {
	m.mu.Lock()
	a.Stack, a.Made = m.w.stack.Name, m.made
	m.mu.Unlock()
	refused := m.w.asked(a, m.dry)
	if len(refused) == 0 {
		return nil
	}
	return status.Errorf(codes.PermissionDenied, "%s: %s", refused[0].Rule, refused[0].Message)
}

// asked judges a question, and returns why it must not be asked.
func (w *watch) asked(a Asked, dry bool) []finding.Policy {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pack == "" {
		return nil
	}
	err := errors.New("nothing may be asked for")
	var found []finding.Policy
	if w.analyzeAsked != nil {
		found, err = w.analyzeAsked(w.stack.Scope, a)
	}
	if err != nil {
		found = []finding.Policy{w.unjudged(finding.Resource{Type: a.Token, Name: a.Name, ID: a.ID}, err)}
	}
	before := len(w.reads)
	w.noteReads(found, dry)
	return w.reads[before:]
}
