package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/engine"
)

// shared is what machines have in common: a backend of files and a folder of
// passphrases.
type shared struct{ dir string }

func newShared(t *testing.T) shared {
	t.Helper()
	s := shared{t.TempDir()}
	for _, dir := range []string{s.state(), s.secrets()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s shared) state() string   { return filepath.Join(s.dir, "state") }
func (s shared) secrets() string { return filepath.Join(s.dir, "secrets") }

// file is a stack's checkpoint.
func (s shared) file(name string) string {
	return filepath.Join(s.state(), ".pulumi", "stacks", "freehold", name+".json")
}

// machine is an engine with a home of its own.
type machine struct {
	*engine.Engine
	home string
}

func (s shared) machine(t *testing.T, change ...func(*engine.Options)) machine {
	t.Helper()
	home, cli := t.TempDir(), pulumiCLI(t)
	o := engine.Options{
		CLI: func(context.Context) (string, semver.Version, error) {
			return cli, semver.MustParse("3.250.0"), nil
		},
		Project:    "freehold",
		BackendURL: "file://" + s.state(),
		Dir:        filepath.Join(home, "stacks"),
		Secrets:    engine.Passphrases{Dir: s.secrets(), Shared: true},
		Policies:   func() (engine.Policies, error) { return pack(t, home) },
		Now:        time.Now,
		Log:        slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, c := range change {
		c(&o)
	}
	e, err := engine.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return machine{e, home}
}

// secretProgram has a component and an output that is secret.
func secretProgram(ctx *pulumi.Context) error {
	if err := program(ctx); err != nil {
		return err
	}
	ctx.Export("token", pulumi.ToSecret(pulumi.String("s3cr3t")))
	return nil
}

func secretStack(in string) engine.Stack {
	s := stack(in)
	s.Program = secretProgram
	return s
}

// key is the encryption of a stored state.
func (s shared) key(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(s.file(name))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Checkpoint struct {
			Latest struct {
				Secrets json.RawMessage `json:"secrets_providers"`
			} `json:"latest"`
		} `json:"checkpoint"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return string(c.Checkpoint.Latest.Secrets)
}

func TestTwoMachinesWithOneBackendSeeTheSameStacks(t *testing.T) {
	t.Parallel()
	both := newShared(t)
	a, b := both.machine(t), both.machine(t)
	ctx := t.Context()

	if got, err := b.Stat(ctx, stack("")); err != nil || got != (engine.Info{Fresh: true}) {
		t.Fatalf("before: %+v, %v", got, err)
	}
	first, err := a.Up(ctx, secretStack("one"), nil)
	if err != nil {
		t.Fatalf("up from A: %v", err)
	}
	key := both.key(t, "acme.account")
	if !strings.Contains(key, "passphrase") {
		t.Fatalf("the state has no key: %s", key)
	}
	if _, err := os.Stat(filepath.Join(a.home, "stacks", "acme", "account", ".opened")); err != nil {
		t.Errorf("A will try the passphrase that it has just made the stack with: %v", err)
	}

	// B has never seen the stack.
	if got, err := b.Stat(ctx, stack("")); err != nil || got != (engine.Info{Exists: true}) {
		t.Errorf("stat from B: %+v, %v", got, err)
	}
	if err := b.Check(ctx, stack("")); err != nil {
		t.Errorf("check from B: %v", err)
	}
	if res, err := b.Preview(ctx, secretStack("one"), nil); err != nil || res.Changes["same"] != 2 || len(res.Changes) != 1 {
		t.Errorf("preview from B: %v, %v", res.Changes, err)
	}
	second, err := b.Up(ctx, secretStack("one"), nil)
	if err != nil {
		t.Fatalf("up from B: %v", err)
	}
	if d := cmp.Diff(first.Outputs, second.Outputs); d != "" {
		t.Errorf("outputs (-from A +from B):\n%s", d)
	}
	if second.Changes["same"] != 2 || len(second.Changes) != 1 {
		t.Errorf("B made something: %v", second.Changes)
	}
	if got := both.key(t, "acme.account"); got != key {
		t.Errorf("B has encrypted it anew:\n%s\n%s", key, got)
	}
	if n := b.Calls(); n != 2 {
		t.Errorf("B started the CLI %d times, want 2: preview and up", n)
	}

	// A forgets everything.
	if err := os.RemoveAll(filepath.Join(a.home, "stacks")); err != nil {
		t.Fatal(err)
	}
	if res, err := a.Up(ctx, secretStack("two"), nil); err != nil || res.Outputs["in"] != "two" || res.Changes["create"] != 0 {
		t.Errorf("up from A without its folder: %v, %v, %v", res.Outputs, res.Changes, err)
	}
	if got := both.key(t, "acme.account"); got != key {
		t.Errorf("A has encrypted it anew:\n%s\n%s", key, got)
	}
	r, err := b.State(ctx, stack(""))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || strings.Contains(string(raw), "s3cr3t") || !strings.Contains(string(raw), `"two"`) {
		t.Errorf("the state from B: %v\n%s", err, raw)
	}

	if _, err := b.Destroy(ctx, secretStack("two"), nil); err != nil {
		t.Fatalf("destroy from B: %v", err)
	}
	if n := b.Calls(); n != 3 {
		t.Errorf("B started the CLI %d times, want 3: preview, up and destroy", n)
	}
	for name, m := range map[string]machine{"A": a, "B": b} {
		if got, err := m.Stat(ctx, stack("")); err != nil || got != (engine.Info{}) {
			t.Errorf("stat from %s, after: %+v, %v", name, got, err)
		}
	}
	// A still has a workspace of the stack that is gone.
	if _, err := a.Destroy(ctx, secretStack("two"), nil); !errors.Is(err, engine.ErrNoStack) {
		t.Errorf("destroy from A: %v", err)
	}
	if _, err := a.Up(ctx, secretStack("three"), nil); err != nil {
		t.Fatalf("up from A, again: %v", err)
	}
	if got := both.key(t, "acme.account"); got == key {
		t.Error("the new stack has the salt of the one that is gone: the workspace's settings were read")
	}
}

func TestAMachineWithoutThePassphraseSaysSoAndTouchesNothing(t *testing.T) {
	t.Parallel()
	both := newShared(t)
	a := both.machine(t)
	if _, err := a.Up(t.Context(), secretStack("one"), nil); err != nil {
		t.Fatal(err)
	}
	before := files(t, both.dir)
	for reason, prepare := range map[string]func(t *testing.T, file string){
		"the file is missing": func(*testing.T, string) {},
		"another one is there": func(t *testing.T, file string) {
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte("another"), 0o600)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(reason, func(t *testing.T) {
			own := filepath.Join(t.TempDir(), "secrets")
			b := both.machine(t, func(o *engine.Options) { o.Secrets = engine.Passphrases{Dir: own} })
			file := filepath.Join(own, "acme.passphrase")
			prepare(t, file)
			_, statErr := os.Stat(own)

			err := b.Check(t.Context(), stack(""))
			var failed *engine.Error
			if !errors.Is(err, engine.ErrSecrets) || !errors.As(err, &failed) {
				t.Fatalf("check: %v", err)
			}
			if said := err.Error() + failed.Next; !strings.Contains(said, "acme.account") || !strings.Contains(said, "org acme") || !strings.Contains(said, file) {
				t.Errorf("it does not name the stack, the org and the file:\n%v\n%s", err, failed.Next)
			}
			runs := map[string]func() error{
				"the check, again": func() error { return b.Check(t.Context(), stack("")) },
				"up":               func() error { _, err := b.Up(t.Context(), secretStack("two"), nil); return err },
			}
			if statErr != nil { // without a file no CLI is started, so there may be many
				next := secretStack("one")
				next.Layer, next.Name = "boundary", "acme.boundary"
				runs["up of the org's next stack"] = func() error { _, err := b.Up(t.Context(), next, nil); return err }
				runs["preview"] = func() error { _, err := b.Preview(t.Context(), secretStack("two"), nil); return err }
				runs["read"] = func() error { _, err := b.PreviewRefresh(t.Context(), secretStack("two"), nil); return err }
				runs["destroy"] = func() error { _, err := b.Destroy(t.Context(), secretStack("two"), nil); return err }
			}
			for doing, run := range runs {
				if err := run(); !errors.Is(err, engine.ErrSecrets) {
					t.Errorf("%s: %v", doing, err)
				}
			}
			if d := cmp.Diff(before, files(t, both.dir)); d != "" {
				t.Errorf("something was touched (-before +after):\n%s", d)
			}
			if _, err := os.Stat(own); statErr != nil && err == nil {
				t.Error("a passphrase was made for an org that has another")
			}
		})
	}
}

// files are the files below a folder with their content, without what the CLI
// locks and unlocks.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(name, "/locks/") {
			return err
		}
		raw, err := os.ReadFile(name)
		out[strings.TrimPrefix(name, dir)] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// "stack init" writes the checkpoint twice: without a deployment, and with its
// key. It may be killed before either, or before it writes its settings.
func TestAStackWhoseCreationWasKilledIsGoneOnWith(t *testing.T) {
	t.Parallel()
	both := newShared(t)
	a := both.machine(t)
	if _, err := a.Up(t.Context(), secretStack("one"), nil); err != nil {
		t.Fatal(err)
	}
	const unkeyed = `{"version":3,"checkpoint":{"stack":"organization/freehold/acme.account"}}`
	keyed := `{"version":3,"checkpoint":{"stack":"organization/freehold/acme.account","latest":{"manifest":{"time":"2026-11-29T00:06:56Z",` +
		`"magic":"9efda2e66c69194595f1be2c3587ab931ef188c15697bed0da0a960b45186d89","version":"v3.250.0"},"secrets_providers":` +
		both.key(t, "acme.account") + `,"metadata":{}}}}`
	up := func(m machine) error {
		if _, err := m.Up(t.Context(), secretStack("one"), nil); err != nil {
			return err
		}
		// The key that it was given then is in the state, for everybody.
		_, err := both.machine(t).PreviewRefresh(t.Context(), secretStack("one"), nil)
		return err
	}
	for reason, tc := range map[string]struct {
		checkpoint string
		run        func(machine) error
	}{
		"before its key was written, then checked": {unkeyed, func(m machine) error { return m.Check(t.Context(), stack("")) }},
		"before its key was written, then up":      {unkeyed, up},
		"after its key was written, then up":       {keyed, up},
		"before its key was written, then previewed": {unkeyed, func(m machine) error {
			res, err := m.Preview(t.Context(), secretStack("one"), nil)
			if err == nil && res.Changes["create"] != 2 {
				err = errors.New("it would not make what is missing")
			}
			return err
		}},
		"before its key was written, then destroyed": {unkeyed, func(m machine) error {
			_, err := m.Destroy(t.Context(), secretStack("one"), nil)
			return err
		}},
	} {
		if err := os.WriteFile(both.file("acme.account"), []byte(tc.checkpoint), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := a.Stat(t.Context(), stack("")); err != nil || got != (engine.Info{Exists: true}) {
			t.Errorf("%s: stat: %+v, %v", reason, got, err)
		}
		if err := tc.run(both.machine(t)); err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
}
