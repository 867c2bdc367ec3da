package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/pids"
)

// Result is what a run did or, for a preview, would do.
type Result struct {
	// Outputs are the stack's outputs; a value that is not known yet is absent.
	Outputs map[string]any
	// Changes counts resources by what happened to them.
	Changes map[string]int
	// Steps are the engine's steps in the order in which they ended.
	Steps []Step
	// Recorded is how many resources the state has after an up or a destroy that
	// failed, whose Steps are not all of them; nil after a run that went well, and
	// where the state cannot be read.
	Recorded *int
	// Policy is what the policy packs found and did not stop the run for: what
	// somebody answers for, and in a preview what is not known yet.
	Policy []finding.Policy
}

// Resources counts what is there after the run: the resources of a provider,
// without the components that group them.
func (r Result) Resources() int {
	if r.Recorded != nil {
		return *r.Recorded
	}
	there := map[string]bool{}
	for _, s := range r.Steps {
		if s.Custom {
			there[s.URN] = there[s.URN] && s.Op != "delete" || !strings.HasPrefix(s.Op, "delete")
		}
	}
	n := 0
	for _, ok := range there {
		if ok {
			n++
		}
	}
	return n
}

// Up brings the stack's resources to what its program says. It reads them
// first, so that what was changed behind Freehold's back is put back. What the
// policies do not allow stops it before anything is made.
func (e *Engine) Up(ctx context.Context, s Stack, sink event.Sink) (Result, error) {
	return e.run(ctx, s, "update", true, sink, e.analyzed(s, looksFirst))
}

// Preview says what Up would do, after reading what is there. It changes
// nothing, not even the state.
func (e *Engine) Preview(ctx context.Context, s Stack, sink event.Sink) (Result, error) {
	return e.read(ctx, s, "preview", sink, e.analyzed(s, looksOnly))
}

// analyzed is an up that the policies analyze.
func (e *Engine) analyzed(s Stack, how look) operation {
	return func(ctx context.Context, st auto.Stack, w *watch) error {
		if err := e.policies.there(); err != nil {
			return err
		}
		w.analyzedBy(ctx, e.policies)
		served, err := e.policies.serve(ctx, st.Workspace())
		if err != nil {
			return err
		}
		defer served()
		stop, err := follow(ctx, st, s.Program, how, w)
		if err != nil {
			return err
		}
		defer stop()
		_, err = st.Up(ctx, optup.Refresh(), optup.SuppressOutputs(), optup.SuppressProgress(),
			optup.ShowSecrets(false), optup.PolicyPacks(e.policies.folders()...), optup.Exclude(s.Hold))
		return err
	}
}

// PreviewRefresh compares the stack's state with what is there. It runs no
// program, changes nothing and takes no lock in the backend.
func (e *Engine) PreviewRefresh(ctx context.Context, s Stack, sink event.Sink) (Result, error) {
	return e.read(ctx, s, "read", sink, func(ctx context.Context, st auto.Stack, w *watch) error {
		stop, err := follow(ctx, st, s.Program, looksOnly, w)
		if err != nil {
			return err
		}
		defer stop()
		_, err = st.Refresh(ctx, optrefresh.SuppressProgress(), optrefresh.ShowSecrets(false))
		return err
	})
}

// Destroy removes the stack's resources and then the stack itself. It wraps
// ErrNoStack when there is none.
func (e *Engine) Destroy(ctx context.Context, s Stack, sink event.Sink) (Result, error) {
	res, err := e.run(ctx, s, "destroy", false, sink, func(ctx context.Context, st auto.Stack, w *watch) error {
		cli, err := cliIn(st.Workspace())
		if err != nil {
			return err
		}
		cli.removes = true
		stop, err := follow(ctx, st, s.Program, justDoes, w)
		if err != nil {
			return err
		}
		defer stop()
		_, err = st.Destroy(ctx, optdestroy.Refresh(), optdestroy.SuppressOutputs(), optdestroy.SuppressProgress(), optdestroy.ShowSecrets(false))
		return err
	})
	if err != nil {
		return res, err
	}
	return res, os.RemoveAll(e.stackDir(s))
}

type operation func(context.Context, auto.Stack, *watch) error

// read runs an operation that changes nothing, in a folder of its own.
func (e *Engine) read(ctx context.Context, s Stack, doing string, sink event.Sink, op operation) (Result, error) {
	release, err := e.slot(ctx, s, sink)
	if err != nil {
		return Result{}, err
	}
	defer release()
	st, closeIt, err := e.openToRead(ctx, s)
	if err != nil {
		return Result{}, err
	}
	defer closeIt()
	for i := 1; ; i++ {
		res, _, err := e.watched(ctx, s, st, doing, sink, op)
		if !errors.Is(err, ErrUnheard) || i == attempts {
			return res, err
		}
		e.opts.Log.WarnContext(ctx, "a read is repeated", "stack", s.Name, "err", err)
	}
}

// attempts is how often a run is begun that something other than itself stood in the
// way of.
const attempts = 3

// watched runs one operation and follows it. raw is the Automation API's own error.
func (e *Engine) watched(ctx context.Context, s Stack, st auto.Stack, doing string, sink event.Sink, op operation) (
	res Result, raw, err error,
) {
	w := newWatch(s, sink, e.opts.Now)
	ctx, release := w.guarded(ctx, e.policies.Within)
	defer release()
	stop := w.reporting(ctx)
	raw = op(ctx, st, w)
	stop()
	if why := notStarted(st.Workspace()); why != nil {
		raw = why
	}
	if raw == nil {
		raw = w.unheard()
	}
	if raw == nil {
		raw = w.unanalyzed()
	}
	if w.replaces != nil {
		return Result{}, raw, w.replaces
	}
	if raw != nil && ctx.Err() == nil && stalled(st.Workspace()) {
		return Result{Changes: w.changes, Steps: w.steps}, raw, &Error{
			Stack: s.Name, Doing: doing, Kind: ErrStalled, Next: nextCancelled,
			Detail: "it was stopped, or its machine slept, for longer than it holds the org",
		}
	}
	if raw != nil {
		err = e.classify(ctx, s, doing, raw, w)
		if w.preview {
			// What it looked at, it did not do.
			return Result{}, raw, err
		}
		return Result{Changes: w.changes, Steps: w.steps}, raw, err
	}
	return Result{Outputs: w.outputs, Changes: w.changes, Steps: w.steps, Policy: w.notes()}, nil, nil
}

// run opens the stack, which create allows to make, runs one operation on it
// and removes a lock that a dead process left in its way.
func (e *Engine) run(ctx context.Context, s Stack, doing string, create bool, sink event.Sink, op operation) (Result, error) {
	release, err := e.slot(ctx, s, sink)
	if err != nil {
		return Result{}, err
	}
	defer release()
	for i := 1; ; i++ {
		st, err := e.open(ctx, s, create, sink)
		if err != nil {
			return e.recorded(ctx, s, Result{}), err
		}
		res, raw, err := e.watched(ctx, s, st, doing, sink, op)
		switch {
		case err == nil:
			e.rememberNew(ctx, s, st.Workspace().GetEnvVars()[passphraseFile])
			return res, nil
		case i == attempts:
			return e.recorded(ctx, s, res), err
		case errors.Is(err, ErrLocked) && e.abandoned(ctx, s, raw.Error()):
			if err := e.unlock(ctx, s, st.Workspace(), raw.Error()); err != nil {
				return e.recorded(ctx, s, res), err
			}
		case errors.Is(err, ErrNoStack) && create:
			// An earlier process was just removing it.
		case errors.Is(err, ErrUnheard):
			// It did what it was to do: once more, it finds that, and says it.
			e.opts.Log.WarnContext(ctx, "a run is repeated", "stack", s.Name, "err", err)
		default:
			return e.recorded(ctx, s, res), err
		}
	}
}

// recorded adds to a failed run's result how many resources there are now. What
// its events say ends where the run failed. A cancelled run's state is read, too.
func (e *Engine) recorded(ctx context.Context, s Stack, res Result) Result {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	c, _, err := e.stored(ctx, s)
	if err != nil {
		e.opts.Log.WarnContext(ctx, "the state after a failed run cannot be read", "stack", s.Name, "err", err)
		return res
	}
	res.Recorded = &c.Custom
	return res
}

// pulumiAlive reports whether the process is there and, where that can be
// told, is a Pulumi CLI: process ids are used again. One that has ended is there
// until whoever started it asks how, which it does not while it is stopped.
func pulumiAlive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil || errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		return false
	}
	if _, ended := pids.Started(pid); ended {
		return false
	}
	comm, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
	if err != nil {
		return !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
	}
	return strings.Contains(string(comm), "pulumi")
}
