package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/engine/enginetest"
)

// fleet is a provider that notes what it makes and deletes. What has another
// "kind" is another thing.
type fleet struct {
	enginetest.Agreeable

	mu    sync.Mutex
	calls []string
}

func (f *fleet) note(verb, urn string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, verb+" "+resource.URN(urn).Name())
}

func (f *fleet) taken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.calls
	f.calls = nil
	return out
}

func (f *fleet) Create(_ context.Context, r *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	if !r.GetPreview() {
		f.note("create", r.GetUrn())
	}
	return &pulumirpc.CreateResponse{Id: resource.URN(r.GetUrn()).Name(), Properties: r.GetProperties()}, nil
}

func (f *fleet) Read(_ context.Context, r *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	return &pulumirpc.ReadResponse{Id: r.GetId(), Properties: r.GetProperties(), Inputs: r.GetInputs()}, nil
}

func (f *fleet) Delete(_ context.Context, r *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	f.note("delete", r.GetUrn())
	return &emptypb.Empty{}, nil
}

func (f *fleet) Diff(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	if r.GetOldInputs().GetFields()["kind"].GetStringValue() == r.GetNews().GetFields()["kind"].GetStringValue() {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	return &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_SOME, Diffs: []string{"kind"}, Replaces: []string{"kind"}, DeleteBeforeReplace: true,
	}, nil
}

// fleetEngine is an engine over a fleet.
func fleetEngine(t *testing.T, change ...func(*engine.Policies)) (*engine.Engine, *fleet) {
	t.Helper()
	dir, cli, f := t.TempDir(), pulumiCLI(t), &fleet{}
	state := filepath.Join(dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{
		CLI:     func(context.Context) (string, semver.Version, error) { return cli, semver.MustParse("3.250.0"), nil },
		Project: "freehold", BackendURL: "file://" + state, Dir: filepath.Join(dir, "stacks"),
		Secrets:  engine.Passphrases{Dir: filepath.Join(dir, "secrets")},
		Policies: func() (engine.Policies, error) { return pack(t, dir, change...) },
		Connect: func(context.Context) (map[string]string, error) {
			return map[string]string{"PULUMI_DEBUG_PROVIDERS": fmt.Sprintf("fleet:%d", enginetest.Serve(t, f))}, nil
		},
		Now: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e, f
}

type ship struct{ pulumi.CustomResourceState }

// ships makes a component for each "name=kind" of the configuration, with a
// resource in it, and another resource that the first one needs.
func ships(ctx *pulumi.Context) error {
	in, _ := ctx.GetConfig("freehold:in")
	var p pulumi.ProviderResourceState
	if err := ctx.RegisterResource("pulumi:providers:fleet", "fleet", pulumi.Map{}, &p); err != nil {
		return err
	}
	for pair := range strings.SplitSeq(in, " ") {
		name, kind, _ := strings.Cut(pair, "=")
		var g group
		if err := ctx.RegisterComponentResource("test:index:Group", name, &g, pulumi.ProviderMap(map[string]pulumi.ProviderResource{"fleet": &p})); err != nil {
			return err
		}
		var mast, hull ship
		if err := ctx.RegisterResource("fleet:index:Mast", name, pulumi.Map{"kind": pulumi.String("oak")}, &mast, pulumi.Parent(&g)); err != nil {
			return err
		}
		if err := ctx.RegisterResource("fleet:index:Ship", name, pulumi.Map{"kind": pulumi.String(kind), "mast": mast.ID()}, &hull, pulumi.Parent(&g)); err != nil {
			return err
		}
	}
	return nil
}

func fleetStack(in string, change ...func(*engine.Stack)) engine.Stack {
	s := stack(in)
	s.Program = ships
	for _, c := range change {
		c(&s)
	}
	return s
}

// What is held stays as it is until a run does not hold it, declared or not.
func TestWhatIsHeldIsNeitherChangedNorDeleted(t *testing.T) {
	e, f := fleetEngine(t)
	up := func(s engine.Stack, want ...string) {
		t.Helper()
		if _, err := e.Up(t.Context(), s, nil); err != nil {
			t.Fatal(err)
		}
		got := f.taken()
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
	}
	up(fleetStack("old=sail"), "create old", "create old")
	held := func(s *engine.Stack) {
		s.Hold = []string{
			"urn:pulumi:acme.account::freehold::test:index:Group::old",
			"urn:pulumi:acme.account::freehold::test:index:Group$fleet:index:Mast::old",
			"urn:pulumi:acme.account::freehold::test:index:Group$fleet:index:Ship::old",
		}
	}
	up(fleetStack("new=steam", held), "create new", "create new")
	up(fleetStack("new=steam", held))
	up(fleetStack("new=steam"), "delete old", "delete old")
}

func TestAnUpThatWouldReplaceWhatMustBeMadeFirstChangesNothing(t *testing.T) {
	e, f := fleetEngine(t)
	if _, err := e.Up(t.Context(), fleetStack("one=sail two=sail"), nil); err != nil {
		t.Fatal(err)
	}
	f.taken()
	first := func(s *engine.Stack) { s.NewFirst = []string{"fleet:index:Ship"} }
	_, err := e.Up(t.Context(), fleetStack("one=steam two=sail three=sail", first), nil)
	var replace *engine.ReplaceError
	if !errors.As(err, &replace) {
		t.Fatalf("got %v", err)
	}
	if len(replace.Steps) != 1 || replace.Steps[0].Name != "one" || replace.Steps[0].NewInputs["kind"] != "steam" || replace.Steps[0].OldInputs["kind"] != "sail" {
		t.Errorf("steps: %+v", replace.Steps)
	}
	if got := f.taken(); got != nil {
		t.Errorf("it has made or deleted: %v", got)
	}
	if _, err := e.Up(t.Context(), fleetStack("one=steam two=sail"), nil); err != nil {
		t.Errorf("the run after it: %v", err)
	}
	if d := cmp.Diff([]string{"delete one", "create one"}, f.taken()); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}
