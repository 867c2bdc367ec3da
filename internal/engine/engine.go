// Package engine runs Pulumi programs: up, preview, read-only refresh,
// destroy, cancel. It is the only user of the Automation API and the only
// reader of the CLI's text: what leaves it are typed results, events
// and errors that wrap the sentinels of errors.go.
//
// It keeps nothing that matters on this machine. The backend says whether a
// stack exists and how it is encrypted, and a workspace is written from that for
// each run, so any machine that reaches the backend can go on. An answer that
// the backend does not give is an error, and never "no".
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
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"freehold.dev/freehold/internal/environ"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/wait"
	"github.com/blang/semver"
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
	// Dir holds a folder for each stack. Nothing in it matters: see workspace.go.
	Dir string
	// Secrets encrypts the states.
	Secrets Secrets
	// Connect returns what is added to the CLI's environment: how it reaches
	// the providers. It is called once, before the first run; nil adds nothing.
	Connect func(context.Context) (map[string]string, error)
	// Providers is what the providers' plugins need of this process's environment,
	// beside what every CLI gets: see package environ.
	Providers []environ.Need
	// Environ is this process's environment; nil: os.Environ.
	Environ func() []string
	// Policies finds the policy packs. It is called once, before the first run.
	Policies func() (Policies, error)
	// Parallel bounds the stacks that run at the same time; 0 means 4.
	Parallel int
	// LockWait is how long a run waits for an earlier CLI process of its stack,
	// such as one whose Freehold was killed; 0 means 20 minutes.
	LockWait time.Duration
	// Grace is how long a cancelled CLI may take to finish its current step.
	// It is then killed, and the next run repairs; 0 means 20 minutes, the
	// longest step that AWS has (a cluster).
	Grace time.Duration
	// Lost is the cause of a context's end for which a run is killed at once, and
	// not ended in order: somebody else may be at its stack. nil: none.
	Lost error
	// Over reports whether the operation that made a lock of the backend on another
	// machine is known to be over. Such a lock is removed. nil: nobody knows.
	Over func(ctx context.Context, s Stack, l Lock) (bool, error)
	// Watch has a CLI that changes something for an org, and all that it has started,
	// ended by another process when this one stands still for longer than it holds
	// the org. stop is called when the CLI has ended, and reports whether that is
	// why. nil: nobody watches.
	Watch func(pid int, org string) (stop func() (ended bool, err error), err error)
	// Now is the clock.
	Now func() time.Time
	// Log takes what only a developer wants to know.
	Log *slog.Logger
}

// Engine runs stacks. It is safe for use by several goroutines.
type Engine struct {
	opts  Options
	files *fileBackend // nil: a backend that only the CLI reads
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
	if opts.LockWait == 0 {
		opts.LockWait = 20 * time.Minute
	}
	if opts.Grace == 0 {
		opts.Grace = 20 * time.Minute
	}
	if opts.Environ == nil {
		opts.Environ = os.Environ
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	files, url, err := filesOf(opts.BackendURL, opts.Project)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	opts.BackendURL = url
	return &Engine{opts: opts, files: files, slots: make(chan struct{}, opts.Parallel)}, nil
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
	e.cli = &cli{path: path, version: version, grace: e.opts.Grace, lost: e.opts.Lost, log: e.opts.Log}
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
	// Scope says whose stack it is, for the policy packs. Without it they allow nothing.
	Scope string
	// Hold are the URNs of resources that an up or a preview leaves as they are,
	// also where the program no longer declares them.
	Hold []string
	// Until says when the provider is done with a step on a resource of a type, for
	// whoever waits for it. Optional.
	Until func(typ, op string) string
	// NewFirst are the types of which a resource may be deleted only when what
	// takes its place is there, under a name of its own. An up that would replace
	// one stops before it changes anything, and returns a *ReplaceError.
	NewFirst []string
}

// Dir is the folder of a stack's project and settings files.
func (e *Engine) stackDir(s Stack) string {
	return filepath.Join(e.opts.Dir, s.Org, s.Layer)
}

// slot waits for one of the engine's places, and says so.
func (e *Engine) slot(ctx context.Context, s Stack, sink event.Sink) (release func(), err error) {
	release, began, says := func() { <-e.slots }, e.opts.Now(), e.waiting(s, sink)
	tick := time.NewTicker(wait.SaysEvery)
	defer tick.Stop()
	for {
		select {
		case e.slots <- struct{}{}:
			return release, nil
		default:
		}
		says(fmt.Sprintf("another stack to finish: %d run at the same time", cap(e.slots)), e.opts.Now().Sub(began))
		select {
		case e.slots <- struct{}{}:
			return release, nil
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrCancelled, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
