package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
)

// pulumiCLI returns the CLI that "make build" made or found, or skips.
func pulumiCLI(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("FREEHOLD_TOOLS"); dir != "" {
		return filepath.Join(dir, "pulumi")
	}
	if p, err := filepath.Abs("../../bin/pulumi"); err == nil {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	p, err := exec.LookPath("pulumi")
	if err != nil {
		t.Skip("there is no pulumi CLI: run make build first")
	}
	return p
}

func newEngine(t *testing.T, change ...func(*engine.Policies)) *engine.Engine {
	t.Helper()
	return newEngineOn(t, pulumiCLI(t), change...)
}

// newEngineOn is an engine that runs another CLI.
func newEngineOn(t *testing.T, cli string, change ...func(*engine.Policies)) *engine.Engine {
	t.Helper()
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{
		CLI: func(context.Context) (string, semver.Version, error) {
			return cli, semver.MustParse("3.250.0"), nil
		},
		Project:    "freehold",
		BackendURL: "file://" + state,
		Dir:        filepath.Join(dir, "stacks"),
		Secrets:    engine.Passphrases{Dir: filepath.Join(dir, "secrets")},
		Policies:   func() (engine.Policies, error) { return pack(t, dir, change...) },
		// How the pack misbehaves is told it by its environment.
		Connect: func(context.Context) (map[string]string, error) {
			return map[string]string{packMode: os.Getenv(packMode)}, nil
		},
		Now: time.Now,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

type group struct{ pulumi.ResourceState }

func program(ctx *pulumi.Context) error {
	in, _ := ctx.GetConfig("freehold:in")
	var g group
	if err := ctx.RegisterComponentResource("test:index:Group", "g", &g); err != nil {
		return err
	}
	if err := ctx.RegisterResourceOutputs(&g, pulumi.Map{}); err != nil {
		return err
	}
	ctx.Export("in", pulumi.String(in))
	ctx.Export("list", pulumi.ToStringArray([]string{"a", "b"}))
	return nil
}

func stack(in string) engine.Stack {
	return engine.Stack{
		Org: "acme", Layer: "account", Name: "acme.account", Program: program, Scope: `{"Org":"acme","Layer":"account"}`,
		Config: map[string]string{"freehold:in": in},
	}
}

func TestUpReturnsOutputsAndStepsWithOneCLICallEach(t *testing.T) {
	e := newEngine(t)
	var events []event.Type
	sink := func(ev event.Event) { events = append(events, ev.Type) }
	res, err := e.Up(t.Context(), stack("one"), sink)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"in": "one", "list": []any{"a", "b"}}
	if d := cmp.Diff(want, res.Outputs); d != "" {
		t.Errorf("outputs (-want +got):\n%s", d)
	}
	if len(res.Steps) != 1 || res.Steps[0].Op != "create" || res.Steps[0].Type != "test:index:Group" {
		t.Errorf("steps: %+v", res.Steps)
	}
	if got := e.Calls(); got != 1 { // up
		t.Errorf("the first up started the CLI %d times, want 1", got)
	}
	began := time.Now()
	if res, err = e.Up(t.Context(), stack("two"), sink); err != nil {
		t.Fatal(err)
	}
	t.Logf("second up: %s, changes %v", time.Since(began), res.Changes)
	if res.Outputs["in"] != "two" {
		t.Errorf("outputs of the second run: %v", res.Outputs)
	}
	if got := e.Calls(); got != 2 {
		t.Errorf("two ups started the CLI %d times, want 2", got)
	}
}

func TestPreviewOfANewStackLeavesNothingBehind(t *testing.T) {
	e := newEngine(t)
	res, err := e.Preview(t.Context(), stack("one"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Steps) != 1 || res.Steps[0].Op != "create" {
		t.Errorf("steps: %+v", res.Steps)
	}
	if got, err := e.Stat(t.Context(), stack("one")); err != nil || got != (engine.Info{Fresh: true}) {
		t.Errorf("the preview made the stack: %+v, %v", got, err)
	}
}

func TestACancelledContextIsErrCancelled(t *testing.T) {
	e := newEngine(t)
	s := stack("one")
	ctx, cancel := context.WithCancel(t.Context())
	s.Program = func(*pulumi.Context) error {
		cancel()
		time.Sleep(time.Second)
		return nil
	}
	_, err := e.Up(ctx, s, nil)
	if !errors.Is(err, engine.ErrCancelled) {
		t.Fatalf("got %v", err)
	}
	if _, err := e.Up(t.Context(), stack("one"), nil); err != nil {
		t.Fatalf("the run after a cancelled one: %v", err)
	}
}
