package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"freehold.dev/freehold/internal/environ"
	"freehold.dev/freehold/internal/event"
)

// A workspace is a folder with a project file and a stack's settings file. It
// is written again for each run: the key that opens the stack's secrets comes
// from its stored state, everything else from the Stack. What the last run left
// there helps a person with the plain CLI, and no run reads it.

// access is how the CLI opens a stack's secrets.
type access struct {
	provider string // for a stack to make
	env      map[string]string
	needs    environ.Need // of whoever holds the key
}

// open prepares a stack's own folder and returns the Automation API's stack. A
// stack that is not in the backend is made where create says so, and else an
// error that wraps ErrNoStack. Only making it may start a CLI process.
func (e *Engine) open(ctx context.Context, s Stack, create bool, sink event.Sink) (auto.Stack, error) {
	dir := e.stackDir(s)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return auto.Stack{}, fmt.Errorf("make the folder of stack %s: %w", s.Name, err)
	}
	// An earlier process may still make or remove the stack, and writes to the folder.
	held, err := e.lockIn(s, dir, sink).acquire(ctx)
	if err != nil {
		return auto.Stack{}, e.classify(ctx, s, "open", err, nil)
	}
	_ = held.Close()
	c, exists, err := e.stored(ctx, s)
	if err != nil {
		return auto.Stack{}, err
	}
	var how access
	switch {
	case exists:
		how, err = e.oldAccess(s, c.Key)
	case create:
		how, err = e.newAccess(ctx, s)
	default:
		return auto.Stack{}, &Error{
			Stack: s.Name, Doing: "open", Kind: ErrNoStack, Detail: "the backend does not have it", Next: "onboard the org first",
		}
	}
	if err != nil {
		return auto.Stack{}, e.classify(ctx, s, "open the secrets", err, nil)
	}
	ws, err := e.workspace(ctx, s, dir, e.opts.BackendURL, how, sink)
	if err != nil {
		return auto.Stack{}, err
	}
	cli, err := cliIn(ws)
	if err != nil {
		return auto.Stack{}, err
	}
	if e.opts.Watch != nil {
		cli.watch = func(pid int) (func() (bool, error), error) { return e.opts.Watch(pid, s.Org) }
	}
	if !exists {
		if _, err := e.create(ctx, s, ws, e.files, how); err != nil {
			return auto.Stack{}, err
		}
		switch c, exists, err = e.stored(ctx, s); {
		case err != nil:
			return auto.Stack{}, err
		case !exists:
			return auto.Stack{}, unreachable(s, errors.New("it was just made, and the backend does not have it"),
				"check that --backend names one place for everybody")
		}
	}
	return e.stackIn(ctx, s, ws, c.Key)
}

// openToRead prepares a throw-away folder, so that a reader neither waits for a
// deploy nor holds one up. A stack that does not exist is made in a throw-away
// backend: looking leaves nothing behind, not even a passphrase.
func (e *Engine) openToRead(ctx context.Context, s Stack) (_ auto.Stack, closeIt func(), err error) {
	c, exists, err := e.stored(ctx, s)
	if err != nil {
		return auto.Stack{}, nil, err
	}
	dir, remove, err := e.throwAway(ctx, s)
	if err != nil {
		return auto.Stack{}, nil, err
	}
	defer func() {
		if err != nil {
			remove()
		}
	}()
	backend, files := e.opts.BackendURL, e.files
	var how access
	if exists {
		how, err = e.oldAccess(s, c.Key)
	} else {
		backend, files, how, err = e.scratch(s, dir)
	}
	if err != nil {
		return auto.Stack{}, nil, e.classify(ctx, s, "open the secrets", err, nil)
	}
	ws, err := e.workspace(ctx, s, dir, backend, how, nil)
	if err != nil {
		return auto.Stack{}, nil, err
	}
	if exists {
		st, err := e.stackIn(ctx, s, ws, c.Key)
		return st, remove, err
	}
	byCLI, err := e.create(ctx, s, ws, files, how)
	if err != nil {
		return auto.Stack{}, nil, err
	}
	settings := &workspace.ProjectStack{}
	if byCLI {
		// It has written the new key there, and nobody else can have.
		if settings, err = ws.StackSettings(ctx, s.Name); err != nil {
			return auto.Stack{}, nil, fmt.Errorf("read the settings of stack %s: %w", s.Name, err)
		}
	}
	st, err := e.configured(ctx, s, ws, settings)
	return st, remove, err
}

// scratch makes a backend in a throw-away folder. What is read there is
// encrypted as the stack will be, or with a passphrase that goes with the folder.
func (e *Engine) scratch(s Stack, dir string) (url string, files *fileBackend, how access, err error) {
	state := filepath.Join(dir, "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		return "", nil, access{}, fmt.Errorf("prepare to read stack %s: %w", s.Name, err)
	}
	how, err = e.accessFor(s)
	if errors.Is(err, ErrSecrets) {
		here := Passphrases{Dir: filepath.Join(dir, "secrets")}
		if err = here.Make(s.Org); err == nil {
			how.provider, how.env, err = here.For(s.Org)
		}
	}
	return "file://" + filepath.ToSlash(state), &fileBackend{dir: state, project: e.opts.Project}, how, err
}

// throwAway makes a folder that goes when it is closed.
func (e *Engine) throwAway(ctx context.Context, s Stack) (dir string, closeIt func(), err error) {
	dir, err = os.MkdirTemp("", "freehold-read-")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder to read stack %s: %w", s.Name, err)
	}
	return dir, func() {
		if err := os.RemoveAll(dir); err != nil {
			e.opts.Log.WarnContext(ctx, "a throw-away folder is left behind", "dir", dir, "err", err)
		}
	}, nil
}

// newAccess is for a stack that is about to be made. Its org may have others:
// what opens those is then not made a second time.
func (e *Engine) newAccess(ctx context.Context, s Stack) (how access, err error) {
	how, err = e.accessFor(s)
	if !errors.Is(err, ErrSecrets) {
		return how, err
	}
	others, lerr := e.stacksOf(ctx, s)
	if lerr != nil {
		return how, lerr
	}
	if len(others) > 0 {
		return how, err
	}
	if err := e.opts.Secrets.Make(s.Org); err != nil {
		return how, err
	}
	return e.accessFor(s)
}

// accessFor is for a stack that is not made yet.
func (e *Engine) accessFor(s Stack) (how access, err error) {
	how.provider, how.env, err = e.opts.Secrets.For(s.Org)
	how.needs = environ.Of(how.provider)
	return how, err
}

// oldAccess is for a stack that has a key.
func (e *Engine) oldAccess(s Stack, k Key) (how access, err error) {
	how.env, err = e.opts.Secrets.Open(s.Org, k)
	how.needs = k.needs()
	return how, err
}

// settingsFile is the name of the stack's settings file in its workspace.
func settingsFile(s Stack) string { return "Pulumi." + s.Name + ".yaml" }

// workspace writes the project file to the folder, and removes the settings of
// an earlier run: "stack init" would take their key for the new stack's.
func (e *Engine) workspace(ctx context.Context, s Stack, dir, backend string, how access, sink event.Sink) (quietWorkspace, error) {
	cli, connected, err := e.ready(ctx)
	if err != nil {
		return quietWorkspace{}, err
	}
	if err := os.Remove(filepath.Join(dir, settingsFile(s))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return quietWorkspace{}, fmt.Errorf("make the workspace of stack %s: %w", s.Name, err)
	}
	if e.files != nil {
		if err := e.files.mend(s); err != nil {
			return quietWorkspace{}, err
		}
	}
	vars := map[string]string{
		"PULUMI_BACKEND_URL":       withoutSidecars(backend),
		"PULUMI_SKIP_UPDATE_CHECK": "true",
	}
	maps.Copy(vars, connected)
	maps.Copy(vars, how.env)
	lw, err := auto.NewLocalWorkspace(ctx,
		auto.WorkDir(dir),
		auto.Project(workspace.Project{
			Name:    tokens.PackageName(e.opts.Project),
			Runtime: workspace.NewProjectRuntimeInfo("go", nil),
			Plugins: e.policies.plugins(),
		}),
		auto.EnvVars(vars),
		auto.SecretsProvider(how.provider),
		auto.Pulumi(&stackCLI{
			cli: cli, lock: e.lockIn(s, dir, sink), said: filepath.Join(dir, ".cli"),
			inherited: environ.Passed(e.opts.Environ(),
				append([]environ.Need{environ.Pulumi, environ.Of(backend), how.needs}, e.opts.Providers...)...),
		}),
	)
	if err != nil {
		return quietWorkspace{}, fmt.Errorf("make the workspace of stack %s: %w", s.Name, err)
	}
	local, ok := lw.(*auto.LocalWorkspace)
	if !ok {
		return quietWorkspace{}, fmt.Errorf("make the workspace of stack %s: unexpected %T", s.Name, lw)
	}
	return quietWorkspace{local}, nil
}

func (e *Engine) lockIn(s Stack, dir string, sink event.Sink) lock {
	return lock{
		stack: s.Name, file: filepath.Join(dir, ".lock"), within: e.opts.LockWait, now: e.opts.Now, waits: e.waiting(s, sink),
	}
}

// waiting reports to the sink what a run waits for.
func (e *Engine) waiting(s Stack, sink event.Sink) func(what string, waited time.Duration) {
	if sink == nil {
		return func(string, time.Duration) {}
	}
	return func(what string, waited time.Duration) {
		sink(event.Event{
			Type: event.Waiting, Time: e.opts.Now(), Org: s.Org, Layer: s.Layer, Duration: waited, Message: "waiting for " + what,
		})
	}
}

// stackIn writes the settings with which the CLI opens an existing stack.
func (e *Engine) stackIn(ctx context.Context, s Stack, ws quietWorkspace, k Key) (auto.Stack, error) {
	settings, err := k.settings()
	if err != nil {
		return auto.Stack{}, unreachable(s, fmt.Errorf("its stored state is damaged: %w", err), "restore it from the backend's own backups or versions")
	}
	return e.configured(ctx, s, ws, settings)
}

// configured adds the configuration to the settings and saves them.
func (e *Engine) configured(ctx context.Context, s Stack, ws quietWorkspace, settings *workspace.ProjectStack) (auto.Stack, error) {
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
