package awsprovider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"freehold.dev/freehold/internal/sandbox/store"
)

// version is the genuine provider's that this one stands for.
const version = "6.83.0"

// server is the provider of package aws. Each provider resource of a program
// has a connection of its own, and what it was configured with lives there.
type server struct {
	pulumirpc.UnimplementedResourceProviderServer
	backend *Backend
}

// Register puts the provider on a gRPC server that was made with ServerOptions.
func Register(g *grpc.Server, b *Backend) {
	pulumirpc.RegisterResourceProviderServer(g, &server{backend: b})
}

// ServerOptions are those that the provider needs: a state for each
// connection, and panics turned into errors, because a panic in a provider
// that lives in the engine's caller would take that down.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.StatsHandler(tagger{}),
		grpc.ChainUnaryInterceptor(recovered),
	}
}

func recovered(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = status.Errorf(codes.Internal, "sandbox: %s panicked: %v\n%s", info.FullMethod, p, debug.Stack())
		}
	}()
	return next(ctx, req)
}

func (s *server) Handshake(ctx context.Context, req *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	if err := connectionOf(ctx).dial(req.GetEngineAddress()); err != nil {
		return nil, err
	}
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true, AcceptOutputs: true}, nil
}

func (s *server) Attach(ctx context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, connectionOf(ctx).dial(req.GetAddress())
}

func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

func (s *server) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: `{"name":"aws","version":"` + version + `","resources":{},"functions":{}}`}, nil
}

func (s *server) Cancel(ctx context.Context, _ *emptypb.Empty) (*emptypb.Empty, error) {
	connectionOf(ctx).cancel()
	return &emptypb.Empty{}, nil
}

// read takes properties off the wire.
func read(label string, p *structpb.Struct) (map[string]any, map[string]bool, error) {
	m, err := plugin.UnmarshalProperties(p, plugin.MarshalOptions{Label: label, KeepUnknowns: true, KeepSecrets: true, SkipNulls: true})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", label, err)
	}
	return plain(m)
}

// write puts properties on the wire; the cloud's own outputs stay behind.
func write(label string, m map[string]any, secrets map[string]bool) (*structpb.Struct, error) {
	p := properties(m, secrets)
	for k := range p {
		if resource.IsInternalPropertyKey(k) && k != "__defaults" {
			delete(p, k)
		}
	}
	return plugin.MarshalProperties(p, plugin.MarshalOptions{Label: label, KeepUnknowns: true, KeepSecrets: true})
}

// identified adds the id, which the genuine provider has among the outputs too.
func identified(outputs map[string]any, id any) map[string]any {
	out := maps.Clone(outputs)
	if out == nil {
		out = map[string]any{}
	}
	out["id"] = id
	return out
}

func typeOf(urn string) (*Type, error) {
	token := string(resource.URN(urn).Type())
	t := byToken[token]
	if t == nil {
		return nil, status.Errorf(codes.Unimplemented, "the sandbox cloud has no %s%s", token, suggest(token, Tokens()))
	}
	return t, nil
}

func (s *server) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	t, err := typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	old, _, err := read("olds", req.GetOlds())
	if err != nil {
		return nil, err
	}
	in, secrets, err := read("news", req.GetNews())
	if err != nil {
		return nil, err
	}
	in, fails := check(t, req.GetUrn(), req.GetRandomSeed(), old, in)
	return checked(in, secrets, fails)
}

// checked is the answer to a check: the inputs, and what is wrong with them.
func checked(in map[string]any, secrets map[string]bool, fails []failure) (*pulumirpc.CheckResponse, error) {
	var out pulumirpc.CheckResponse
	for _, f := range fails {
		out.Failures = append(out.Failures, &pulumirpc.CheckFailure{Property: f.path, Reason: fmt.Sprintf("%s: %s", f.path, f.reason)})
	}
	var err error
	out.Inputs, err = write("inputs", in, secrets)
	return &out, err
}

func (s *server) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	t, err := typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	old, in, err := compared(req)
	if err != nil {
		return nil, err
	}
	return diffed(t, old, in, req.GetIgnoreChanges()), nil
}

// compared are the inputs that a diff is asked for: those that were, which an
// older engine leaves out for the outputs, and those that are wanted.
func compared(req *pulumirpc.DiffRequest) (old, in map[string]any, err error) {
	from := req.GetOldInputs()
	if from == nil {
		from = req.GetOlds()
	}
	if old, _, err = read("olds", from); err != nil {
		return nil, nil, err
	}
	in, _, err = read("news", req.GetNews())
	return old, in, err
}

func diffed(t *Type, old, in map[string]any, ignore []string) *pulumirpc.DiffResponse {
	out := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true, DetailedDiff: map[string]*pulumirpc.PropertyDiff{}}
	seen := map[string]bool{}
	for _, d := range differences(t, old, in) {
		top := steps(d.path)[0]
		if ignored(ignore, d.path) {
			continue
		}
		out.Changes = pulumirpc.DiffResponse_DIFF_SOME
		if !seen[top] {
			seen[top] = true
			out.Diffs = append(out.Diffs, top)
		}
		if d.replace {
			out.Replaces = append(out.Replaces, d.path)
		}
		out.DetailedDiff[d.path] = &pulumirpc.PropertyDiff{Kind: kindOfDiff(d), InputDiff: true}
	}
	out.DeleteBeforeReplace = len(out.Replaces) > 0 && t.deleteFirst(old, in)
	return out
}

func ignored(ignore []string, path string) bool {
	for _, i := range ignore {
		want, at := steps(i), steps(path)
		if len(want) <= len(at) {
			same := true
			for k := range want {
				same = same && (want[k] == "*" || want[k] == at[k])
			}
			if same {
				return true
			}
		}
	}
	return false
}

func kindOfDiff(d change) pulumirpc.PropertyDiff_Kind {
	kinds := map[changeKind][2]pulumirpc.PropertyDiff_Kind{
		added:   {pulumirpc.PropertyDiff_ADD, pulumirpc.PropertyDiff_ADD_REPLACE},
		removed: {pulumirpc.PropertyDiff_DELETE, pulumirpc.PropertyDiff_DELETE_REPLACE},
		changed: {pulumirpc.PropertyDiff_UPDATE, pulumirpc.PropertyDiff_UPDATE_REPLACE},
	}[d.kind]
	if d.replace {
		return kinds[1]
	}
	return kinds[0]
}

func (s *server) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	t, err := typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	ctx, cancel, conn, who, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	in, secrets, err := read("properties", req.GetProperties())
	if err != nil {
		return nil, err
	}
	if req.GetPreview() {
		props, err := write("outputs", identified(s.foresee(t, who, req.GetUrn(), in), unknown{}), secrets)
		return &pulumirpc.CreateResponse{Properties: props}, err
	}
	row, err := s.backend.Create(ctx, who, t, req.GetUrn(), in, conn.warn(ctx, req.GetUrn()))
	if _, is := errors.AsType[*partialError](err); is {
		return nil, halfMade(row, in, secrets, err)
	}
	if err != nil {
		return nil, err
	}
	props, err := write("outputs", identified(row.Outputs, row.ID), secrets)
	return &pulumirpc.CreateResponse{Id: row.ID, Properties: props}, err
}

// halfMade tells the engine to record a resource that exists but was not waited for.
func halfMade(row *store.Row, in map[string]any, secrets map[string]bool, why error) error {
	props, err := write("outputs", identified(row.Outputs, row.ID), secrets)
	if err != nil {
		return err
	}
	inputs, err := write("inputs", in, secrets)
	if err != nil {
		return err
	}
	st, err := status.New(codes.Unknown, why.Error()).WithDetails(&pulumirpc.ErrorResourceInitFailed{
		Id: row.ID, Properties: props, Inputs: inputs, Reasons: []string{why.Error()},
	})
	if err != nil {
		return err
	}
	return st.Err()
}

// foresee returns the outputs that a preview of a creation can tell.
func (s *server) foresee(t *Type, who caller, urn string, in map[string]any) map[string]any {
	c := &Call{Verb: Creating, Type: t, Account: who.account, Region: who.region, URN: urn, In: in, Out: map[string]any{}, Env: &s.backend.Env}
	if t.Global {
		c.Region = store.Global
	}
	c.fill(true)
	c.veil()
	return c.Out
}

func (s *server) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	t, err := typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	ctx, cancel, conn, who, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	_, secrets, err := read("inputs", req.GetInputs())
	if err != nil {
		return nil, err
	}
	_, more, err := read("properties", req.GetProperties())
	if err != nil {
		return nil, err
	}
	for k := range more {
		secrets[k] = true
	}
	row, err := s.backend.Read(ctx, who, t, req.GetUrn(), req.GetId(), conn.warn(ctx, req.GetUrn()))
	if err != nil || row == nil {
		return &pulumirpc.ReadResponse{}, err
	}
	props, err := write("outputs", identified(row.Outputs, row.ID), secrets)
	if err != nil {
		return nil, err
	}
	in, err := write("inputs", row.Inputs, secrets)
	return &pulumirpc.ReadResponse{Id: row.ID, Properties: props, Inputs: in}, err
}

func (s *server) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	t, err := typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	ctx, cancel, conn, who, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	in, secrets, err := read("news", req.GetNews())
	if err != nil {
		return nil, err
	}
	if req.GetPreview() {
		old, _, err := read("olds", req.GetOlds())
		if err != nil {
			return nil, err
		}
		was, _, err := read("old inputs", req.GetOldInputs())
		if err != nil {
			return nil, err
		}
		c := &Call{Verb: Updating, Type: t, Account: who.account, Region: who.region, URN: req.GetUrn(), ID: req.GetId(), In: in, OldIn: was, OldOut: old, Out: cloneMap(old), Env: &s.backend.Env}
		c.forget()
		c.fill(false)
		c.renew()
		props, err := write("outputs", identified(c.Out, req.GetId()), secrets)
		return &pulumirpc.UpdateResponse{Properties: props}, err
	}
	row, err := s.backend.Update(ctx, who, t, req.GetUrn(), req.GetId(), in, conn.warn(ctx, req.GetUrn()))
	if err != nil {
		return nil, err
	}
	props, err := write("outputs", identified(row.Outputs, row.ID), secrets)
	return &pulumirpc.UpdateResponse{Properties: props}, err
}

func (s *server) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	t, err := typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	ctx, cancel, conn, who, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	return &emptypb.Empty{}, s.backend.Delete(ctx, who, t, req.GetUrn(), req.GetId(), conn.warn(ctx, req.GetUrn()))
}
