// Package engine runs Pulumi programs: up, preview, read-only refresh,
// destroy, cancel. It is the only user of the Automation API and the only
// reader of the CLI's text: what leaves it are typed results, report.Events
// and errors that wrap the sentinels of errors.go.
//
// Each stack has a folder of its own for its project and settings files, so
// that stacks that run side by side never share a workspace file
// (pulumi/pulumi#8186), and a lock in it that the CLI inherits: while any CLI
// process of the stack lives, also one whose Freehold was killed, the next one
// waits.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Options are what an Engine needs.
type Options struct {
	// CLI finds the Pulumi CLI. It is called once, before the first run.
	CLI func(context.Context) (path string, version semver.Version, err error)
	// Project is the Pulumi project's name.
	Project string
	// BackendURL is where states are kept: file://, s3://, gs://, azblob:// or https://.
	BackendURL string
	// Dir holds a folder for each stack.
	Dir string
	// Secrets encrypts the states.
	Secrets Secrets
	// Connect returns what is added to the CLI's environment: how it reaches
	// the providers. It is called once, before the first run; nil adds nothing.
	Connect func(context.Context) (map[string]string, error)
	// Policies finds the policy packs. It is called once, before the first run.
	Policies func() (Policies, error)
	// Parallel bounds the stacks that run at the same time; 0 means 4.
	Parallel int
	// Grace is how long a cancelled CLI may take to finish its current step.
	// It is then killed, and the next run repairs; 0 means 20 minutes, the
	// longest step that AWS has (a cluster).
	Grace time.Duration
	// Now is the clock.
	Now func() time.Time
	// Log takes what only a developer wants to know.
	Log *slog.Logger
}

// Engine runs stacks. It is safe for use by several goroutines.
type Engine struct {
	opts  Options
	slots chan struct{}

	mu  sync.Mutex
	cli *cli              // nil before the first run
	env map[string]string // set with cli
	// policies are set with cli.
	policies Policies
}

// New returns an Engine. It starts nothing.
func New(opts Options) (*Engine, error) {
	for name, v := range map[string]string{"Project": opts.Project, "BackendURL": opts.BackendURL, "Dir": opts.Dir} {
		if v == "" {
			return nil, fmt.Errorf("engine: %s is not set", name)
		}
	}
	if opts.CLI == nil || opts.Secrets == nil || opts.Now == nil || opts.Policies == nil {
		return nil, errors.New("engine: CLI, Secrets, Now and Policies must be set")
	}
	if opts.Parallel == 0 {
		opts.Parallel = 4
	}
	if opts.Grace == 0 {
		opts.Grace = 20 * time.Minute
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Engine{opts: opts, slots: make(chan struct{}, opts.Parallel)}, nil
}

// ready finds the CLI and connects the providers, at the first run.
func (e *Engine) ready(ctx context.Context) (*cli, map[string]string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cli != nil {
		return e.cli, e.env, nil
	}
	path, version, err := e.opts.CLI(ctx)
	if err != nil {
		return nil, nil, err
	}
	if e.policies, err = e.opts.Policies(); err != nil {
		return nil, nil, err
	}
	if err := e.policies.check(); err != nil {
		return nil, nil, err
	}
	if e.opts.Connect != nil {
		// The providers outlive a cancelled run: its current step must finish.
		if e.env, err = e.opts.Connect(context.WithoutCancel(ctx)); err != nil {
			return nil, nil, fmt.Errorf("connect the providers: %w", err)
		}
	}
	e.cli = &cli{path: path, version: version, grace: e.opts.Grace, log: e.opts.Log}
	return e.cli, e.env, nil
}

// Calls returns how many CLI processes the engine has started.
func (e *Engine) Calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cli == nil {
		return 0
	}
	return int(e.cli.calls.Load())
}

// Stack is one stack to run.
type Stack struct {
	Org   string
	Layer string
	// Name is the stack's name in the backend.
	Name string
	// Program makes the resources.
	Program pulumi.RunFunc
	// Config is the stack's configuration; the values are not secret.
	Config map[string]string
	// Scope tells the policy packs whose stack it is. Without it they allow nothing.
	Scope string
}

// Dir is the folder of a stack's project and settings files.
func (e *Engine) stackDir(s Stack) string {
	return filepath.Join(e.opts.Dir, s.Org, s.Layer)
}

// slot waits for one of the engine's places.
func (e *Engine) slot(ctx context.Context) (release func(), err error) {
	select {
	case e.slots <- struct{}{}:
		return func() { <-e.slots }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrCancelled, context.Cause(ctx))
	}
}

// open prepares a stack's own folder and returns the Automation API's stack. It
// starts a CLI process only when the stack is new.
func (e *Engine) open(ctx context.Context, s Stack) (auto.Stack, error) {
	dir := e.stackDir(s)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return auto.Stack{}, fmt.Errorf("make the folder of stack %s: %w", s.Name, err)
	}
	return e.openIn(ctx, s, dir, e.opts.BackendURL)
}

// openToRead prepares a throw-away folder with the stack's settings, so that a
// reader neither waits for a deploy nor holds one up. A stack that does not
// exist yet is made in a throw-away backend: looking leaves nothing behind.
func (e *Engine) openToRead(ctx context.Context, s Stack) (_ auto.Stack, closeIt func(), err error) {
	dir, err := os.MkdirTemp("", "freehold-read-")
	if err != nil {
		return auto.Stack{}, nil, fmt.Errorf("make a folder to read stack %s: %w", s.Name, err)
	}
	closeIt = func() {
		if err := os.RemoveAll(dir); err != nil {
			e.opts.Log.WarnContext(ctx, "a throw-away folder is left behind", "dir", dir, "err", err)
		}
	}
	backend := e.opts.BackendURL
	settings := settingsFile(s)
	raw, err := os.ReadFile(filepath.Join(e.stackDir(s), settings))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		scratch := filepath.Join(dir, "state")
		err = os.Mkdir(scratch, 0o700)
		backend = "file://" + filepath.ToSlash(scratch)
	case err == nil:
		err = os.WriteFile(filepath.Join(dir, settings), raw, 0o600)
	}
	if err != nil {
		closeIt()
		return auto.Stack{}, nil, fmt.Errorf("prepare to read stack %s: %w", s.Name, err)
	}
	st, err := e.openIn(ctx, s, dir, backend)
	if err != nil {
		closeIt()
		return auto.Stack{}, nil, err
	}
	return st, closeIt, nil
}

func settingsFile(s Stack) string { return "Pulumi." + s.Name + ".yaml" }

func (e *Engine) openIn(ctx context.Context, s Stack, dir, backend string) (auto.Stack, error) {
	cli, connected, err := e.ready(ctx)
	if err != nil {
		return auto.Stack{}, err
	}
	provider, env, err := e.opts.Secrets.For(s.Org)
	if err != nil {
		return auto.Stack{}, fmt.Errorf("secrets of org %s: %w", s.Org, err)
	}
	vars := map[string]string{
		"PULUMI_BACKEND_URL":       backend,
		"PULUMI_SKIP_UPDATE_CHECK": "true",
	}
	maps.Copy(vars, connected)
	maps.Copy(vars, env)
	lw, err := auto.NewLocalWorkspace(ctx,
		auto.WorkDir(dir),
		auto.Program(s.Program),
		auto.Project(workspace.Project{
			Name:    tokens.PackageName(e.opts.Project),
			Runtime: workspace.NewProjectRuntimeInfo("go", nil),
			Plugins: e.policies.plugins(),
		}),
		auto.EnvVars(vars),
		auto.SecretsProvider(provider),
		auto.Pulumi(&stackCLI{cli: cli, lock: filepath.Join(dir, ".lock"), said: filepath.Join(dir, ".cli")}),
	)
	if err != nil {
		return auto.Stack{}, fmt.Errorf("open the workspace of stack %s: %w", s.Name, err)
	}
	local, ok := lw.(*auto.LocalWorkspace)
	if !ok {
		return auto.Stack{}, fmt.Errorf("open the workspace of stack %s: unexpected %T", s.Name, lw)
	}
	ws := quietWorkspace{local}
	settings, err := ws.StackSettings(ctx, s.Name)
	if err != nil {
		// No settings file: the stack is new here. It may still exist in the
		// backend, made from another machine, which is as good.
		if err := e.create(ctx, s, ws); err != nil {
			return auto.Stack{}, err
		}
		if settings, err = ws.StackSettings(ctx, s.Name); err != nil {
			settings = &workspace.ProjectStack{SecretsProvider: provider}
		}
	}
	settings.Config = config.Map{}
	for k, v := range s.Config {
		key, err := config.ParseKey(k)
		if err != nil {
			return auto.Stack{}, fmt.Errorf("configuration of stack %s: %w", s.Name, err)
		}
		settings.Config[key] = config.NewValue(v)
	}
	if s.Scope != "" {
		key, err := config.ParseKey(e.policies.ScopeKey)
		if err != nil {
			return auto.Stack{}, fmt.Errorf("configuration of stack %s: %w", s.Name, err)
		}
		settings.Config[key] = config.NewValue(s.Scope)
	}
	// No default provider: a resource without an explicit one would run with
	// whatever credentials are around.
	settings.Config[config.MustMakeKey("pulumi", "disable-default-providers")] = config.NewObjectValue(`["*"]`)
	if err := ws.SaveStackSettings(ctx, s.Name, settings); err != nil {
		return auto.Stack{}, fmt.Errorf("save the settings of stack %s: %w", s.Name, err)
	}
	st, err := auto.SelectStack(ctx, s.Name, ws)
	if err != nil {
		return auto.Stack{}, e.classify(ctx, s, "select the stack", err, nil)
	}
	return st, nil
}

// create makes the stack, unless it exists.
func (e *Engine) create(ctx context.Context, s Stack, ws quietWorkspace) error {
	return e.pastDeadLock(ctx, s, ws, "create the stack", func() error {
		if err := ws.CreateStack(ctx, s.Name); !auto.IsCreateStack409Error(err) {
			return err
		}
		return nil
	})
}

// quietWorkspace is a LocalWorkspace that starts no CLI process for what the
// engine knows already: every call names its stack, so none needs to be
// selected, and outputs come with the event stream.
type quietWorkspace struct{ *auto.LocalWorkspace }

// SelectStack does nothing: selecting writes to a file that all stacks share.
func (quietWorkspace) SelectStack(context.Context, string) error { return nil }

// StackOutputs returns nothing: see Result.Outputs.
func (quietWorkspace) StackOutputs(context.Context, string) (auto.OutputMap, error) {
	return auto.OutputMap{}, nil
}
