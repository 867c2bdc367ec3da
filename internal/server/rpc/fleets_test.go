package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connectinprocess"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/server/route"
	"freehold.dev/freehold/internal/server/rpc"
	"freehold.dev/freehold/internal/server/servertest"
	"freehold.dev/freehold/internal/spec"
)

const issuer = "https://login.example.com"

func noon() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

// open is a registry with some orgs in it.
func open(t testing.TB, dir string, orgs ...string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "registry.db"), noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, org := range orgs {
		if err := servertest.Fill(t.Context(), s, org, issuer, noon()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Org(orgcontexttest.For(org)).Begin(t.Context(), registry.Request{Kind: "projects", Holder: operation.ThisProcess().Name(), TTL: time.Minute}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// serving answers the API over a registry, to a caller that its context carries. What
// asks a cloud is not there.
func serving(s registry.Store) connect.Transport {
	server := connect.NewServer()
	cases := &lifecycle.Service{
		Records: lifecycle.Records{Registry: s}, Now: noon, Log: slog.New(slog.DiscardHandler),
		Holding: operation.Options{Store: s, Now: noon, Holder: operation.ThisProcess()},
	}
	rpc.Register(server, rpc.Options{
		As: func(who orgcontext.Authority) rpc.UseCases {
			own := orgcontext.Context{}
			if v, ok := who.(delegation.Verified); ok {
				own = v.Context()
			}
			return clouded{cases.As(who), s.Org(own)}
		},
		Registry: s, Runs: rpc.NewRuns(1, cases.Log), Now: noon, Log: cases.Log,
		Administers: func(context.Context, delegation.Claims) bool { return true },
	})
	return connectinprocess.New(server)
}

// methods are all that any service answers.
func methods(t testing.TB) []protoreflect.MethodDescriptor {
	t.Helper()
	var out []protoreflect.MethodDescriptor
	for _, s := range route.Services() {
		for _, p := range route.Procedures(s) {
			d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(p, "/"), "/", ".")))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, d.(protoreflect.MethodDescriptor))
		}
	}
	return out
}

// clouded are the use cases with those that ask a cloud in place of a cloud: they
// read the records of the org that they are asked about, in the hands of their caller,
// and answer with what is in them. A handler that asked about another org would show.
type clouded struct {
	*lifecycle.Service

	records registry.OrgStore
}

func (c clouded) of(ctx context.Context, org string) (event.DataPlane, error) {
	d, err := c.records.DataPlane(ctx)
	if err == nil && d.Org != org {
		err = registry.ErrNoOrg
	}
	return d, err
}

func (c clouded) began(ctx context.Context, org string, sink event.Sink) (event.Onboarding, error) {
	d, err := c.of(ctx, org)
	if err != nil {
		return event.Onboarding{}, err
	}
	last, err := c.records.Last(ctx)
	if err != nil {
		return event.Onboarding{}, err
	}
	sink(event.Event{Type: event.OperationStarted, Org: org, Operation: last.ID})
	return event.Onboarding{Org: org, DataPlane: d}, nil
}

func (c clouded) Plan(ctx context.Context, s spec.Spec, _ lifecycle.PlanOptions, _ event.Sink) (event.Plan, error) {
	d, err := c.of(ctx, s.Org)
	return event.Plan{Org: s.Org, Decided: d}, err
}

func (c clouded) Onboard(ctx context.Context, s spec.Spec, _ lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error) {
	return c.began(ctx, s.Org, sink)
}

func (c clouded) ChangeProjects(ctx context.Context, org string, _ lifecycle.ProjectChange, _ lifecycle.Call, sink event.Sink) (event.Onboarding, error) {
	return c.began(ctx, org, sink)
}

func (c clouded) Resume(ctx context.Context, org, _ string, sink event.Sink) (any, error) {
	return c.began(ctx, org, sink)
}

func (c clouded) Projects(ctx context.Context, org string) (event.Projects, error) {
	d, err := c.of(ctx, org)
	out := event.Projects{Org: org}
	for _, name := range d.Projects {
		out.Projects = append(out.Projects, event.Project{Org: org, Name: name})
	}
	return out, err
}

func (c clouded) Drift(ctx context.Context, org string, _ event.Sink) (event.Drift, error) {
	d, err := c.of(ctx, org)
	return event.Drift{Org: org, Findings: []finding.Finding{{Kind: finding.Missing, Name: d.ClusterName}}}, err
}

// message is an empty message of a type.
func message(t testing.TB, d protoreflect.MessageDescriptor) proto.Message {
	t.Helper()
	typ, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	if err != nil {
		t.Fatal(err)
	}
	return typ.New().Interface()
}

// fill sets every field to something that may be anybody's.
func fill(m protoreflect.Message, words []string, draw *rand.Rand) {
	for i := range m.Descriptor().Fields().Len() {
		switch f := m.Descriptor().Fields().Get(i); f.Kind() {
		case protoreflect.StringKind:
			word := words[draw.IntN(len(words))]
			if f.Name() == "document" && orgcontext.IsName(word) {
				word = servertest.Document(word, issuer)
			} else if f.Name() == "document" {
				word = "name: lab"
			}
			m.Set(f, protoreflect.ValueOfString(word))
		case protoreflect.Int64Kind:
			m.Set(f, protoreflect.ValueOfInt64(int64(draw.IntN(3))))
		case protoreflect.Int32Kind:
			m.Set(f, protoreflect.ValueOfInt32(int32(draw.IntN(3))))
		case protoreflect.MessageKind:
			m.Mutable(f) // a duration of nothing: nobody waits
		default:
		}
	}
}

// answers returns all messages that a method answers with, and the error.
func answers(ctx context.Context, t testing.TB, to connect.Transport, m protoreflect.MethodDescriptor, request proto.Message) ([]proto.Message, error) {
	t.Helper()
	spec := connect.Spec{Schema: m, Procedure: fmt.Sprintf("/%s/%s", m.Parent().FullName(), m.Name())}
	if m.IsStreamingServer() {
		spec.StreamType = connect.StreamTypeServer
	}
	stream, err := to.NewClientStream(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	if err := stream.Send(request); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	var out []proto.Message
	for {
		answer := message(t, m.Output())
		switch err := stream.Receive(answer); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return out, err
		}
		if out = append(out, answer); !m.IsStreamingServer() {
			return out, nil
		}
	}
}

// Whatever the fleet is, and whatever a caller asks for, it reads of its own org.
func TestNoAnswerHoldsAnythingOfAnotherOrg(t *testing.T) {
	fleets := 40
	if n, err := strconv.Atoi(os.Getenv("FREEHOLD_TEST_FLEETS")); err == nil {
		fleets = n
	}
	seed := rand.Uint64()
	if n, err := strconv.ParseUint(os.Getenv("FREEHOLD_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("FREEHOLD_TEST_SEED=%d FREEHOLD_TEST_FLEETS=%d", seed, fleets)
	draw := rand.New(rand.NewPCG(seed, 0))
	callers := servertest.NewCallers(t, noon)
	answered := map[string]int{}
	for range fleets {
		// Names that begin or end alike are the ones that a careless comparison confuses.
		var orgs []string
		for _, i := range draw.Perm(len(names))[:2+draw.IntN(2)] {
			orgs = append(orgs, names[i])
		}
		s := open(t, t.TempDir(), orgs...)
		to := serving(s)
		for _, own := range orgs {
			words := words(t, s, orgs)
			as := delegation.Into(t.Context(), callers.Of(t, own, "admin"))
			for _, m := range methods(t) {
				for range 2 {
					request := message(t, m.Input())
					fill(request.ProtoReflect(), words, draw)
					got, err := answers(as, t, to, m, request)
					text := ""
					for _, answer := range got {
						one := protojson.Format(answer)
						text += one
						var top struct{ Org string }
						if err := json.Unmarshal([]byte(one), &top); err != nil || top.Org != own {
							t.Errorf("%s as %s: org is %q (%v)", m.FullName(), own, top.Org, err)
						}
					}
					if err != nil {
						text += err.Error()
					}
					for _, other := range orgs {
						if other != own && mentions(text, other, own, request) {
							t.Errorf("%s(%v) as %s, among %q:\n%s", m.FullName(), request, own, orgs, text)
						}
					}
					if err == nil {
						answered[string(m.FullName())]++
					} else if route.Fleet("/"+strings.ReplaceAll(string(m.FullName()), "Service.", "Service/")) && connect.CodeOf(err) != connect.CodeUnauthenticated {
						t.Errorf("%s as %s: %v", m.FullName(), own, err)
					}
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range methods(t) {
		if fleet := string(m.Parent().Name()) == "FleetService"; fleet != (answered[string(m.FullName())] == 0) {
			t.Errorf("%s was answered %d times", m.FullName(), answered[string(m.FullName())])
		}
	}
}

var names = []string{"hooli", "hooli-eu", "hooli2", "globex", "initech", "xhooli", "umbrella", "glo"} // acme is an example in messages

// words are what a caller may send: nothing, its own and others' names, operations and
// identities.
func words(t *testing.T, s registry.Store, orgs []string) []string {
	t.Helper()
	out := []string{"", "", "audit-log", "plan"}
	for _, org := range orgs {
		ops, err := s.Org(orgcontexttest.For(org)).Operations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, org, ops[0].ID, servertest.AccountOf(org), org+"-web")
	}
	return out
}

// mentions reports whether a text has the name of another org in it. What the caller sent
// itself may come back to it, and its own name may have the other one in it.
func mentions(text, other, own string, request proto.Message) bool {
	request.ProtoReflect().Range(func(_ protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if sent, ok := v.Interface().(string); ok && sent != "" && sent != own {
			text = strings.ReplaceAll(text, sent, "")
		}
		return true
	})
	if strings.Contains(own, other) {
		text = strings.ReplaceAll(text, own, "")
	}
	return strings.Contains(text, other)
}
