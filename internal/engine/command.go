package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"freehold.dev/freehold/internal/watchdog"
)

// cli starts the Pulumi CLI and counts how often.
type cli struct {
	path    string
	version semver.Version
	grace   time.Duration
	lost    error
	log     *slog.Logger
	calls   atomic.Int64
}

// stackCLI is the CLI for one stack. It implements auto.PulumiCommand.
//
// It differs from the Automation API's own in three ways. A lock that the child
// inherits keeps two CLI processes of one stack apart, also when the first, or a
// plugin of it, has outlived the Freehold that started it: the kernel drops the
// lock with the last process that holds it. On Linux the CLI dies with its
// Freehold, so that nothing of an operation that is over writes to its state. A cancelled CLI gets the time to finish the step
// that it is in; the library's own waits ten seconds, and a cluster takes ten
// minutes. And the history that Up reads back after each run is answered from
// here, since nobody reads it: a CLI start costs 0.3 s.
//
// The CLI writes to files and not to pipes: a CLI that outlives a killed
// Freehold would die at its first word into a broken pipe, with its lock held
// and its state half-reported.
type stackCLI struct {
	*cli
	lock lock
	// notStarted is why the last call did not start the CLI. The Automation API
	// keeps only the text of an error.
	notStarted error
	// said is where the CLI writes to: said+".out" and said+".err".
	said string
	// follower is the address of who follows the next run, "": nobody, and look what it
	// does before it changes something: see follow.
	follower string
	look     look
	// removes makes a destroy that went well remove the stack, in the same process.
	removes bool
	// inherited is what of this process's environment the CLI gets.
	inherited []string
	// watch has the CLI ended when this process stands still; nil: it only reads.
	// stalled is whether the last call ended like that.
	watch   func(pid int) (stop func() (ended bool, err error), err error)
	stalled bool
}

// Version returns the CLI's version.
func (c *stackCLI) Version() semver.Version { return c.version }

// Run starts the CLI and waits for it. A cancelled context interrupts the CLI
// once; after the grace it is killed. One that ended because the org is lost
// kills it and its plugins at once.
func (c *stackCLI) Run(ctx context.Context, dir string, stdin io.Reader, stdouts, stderrs []io.Writer,
	env []string, args ...string,
) (string, string, int, error) {
	if len(args) > 1 && args[0] == "stack" && args[1] == "history" {
		return "[]", "", 0, nil
	}
	held, err := c.lock.acquire(ctx)
	if c.notStarted = err; err != nil {
		return "", "", -1, err
	}
	defer func() { _ = held.Close() }()
	c.stalled = false

	if !slices.Contains(args, "--non-interactive") {
		args = append(slices.Clip(args), "--non-interactive")
	}
	if c.follower != "" {
		args = c.followed(args)
	}
	if c.removes && args[0] == "destroy" {
		args = append(slices.Clip(args), "--remove")
	}
	c.calls.Add(1)
	c.log.DebugContext(ctx, "start the pulumi CLI", "args", strings.Join(args, " "), "dir", dir)
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Dir = dir
	cmd.Stdin = stdin
	cmd.Env = append(slices.Clone(c.inherited), env...)
	// The language plugins of an installed CLI lie beside it.
	cmd.Env = append(cmd.Env, "PULUMI_AUTOMATION_API=true",
		"PATH="+filepath.Dir(c.path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	stdout, err := newSpool(c.said + ".out")
	if err != nil {
		return "", "", -1, err
	}
	stderr, err := newSpool(c.said + ".err")
	if err != nil {
		return "", "", -1, errors.Join(err, stdout.Close())
	}
	cmd.Stdout, cmd.Stderr = stdout.File, stderr.File
	cmd.ExtraFiles = []*os.File{held}
	// Ctrl-C in a terminal goes to the whole process group: the CLI must get
	// its interrupt from us, once, and not a second one, which means "stop now".
	detach(cmd)
	cmd.Cancel = func() error {
		if errors.Is(context.Cause(ctx), errSilent) {
			// What hangs is in its way out; without it the CLI ends in order.
			watchdog.KillBelow(cmd.Process.Pid)
		}
		if errors.Is(context.Cause(ctx), errRefused) {
			// Told to end in order, it would end its preview and go on. It has
			// made nothing, and the next run removes its lock.
			watchdog.KillBelow(cmd.Process.Pid)
			return cmd.Process.Kill()
		}
		if c.lost != nil && errors.Is(context.Cause(ctx), c.lost) {
			watchdog.KillBelow(cmd.Process.Pid)
			return cmd.Process.Kill()
		}
		return cmd.Process.Signal(os.Interrupt)
	}
	cmd.WaitDelay = c.grace

	stop := func() (bool, error) { return false, nil }
	err = runBound(cmd, func(pid int) (err error) {
		// It is the CLI's alone now: while this process stands still, it holds nobody up.
		if err := held.Close(); err != nil {
			return fmt.Errorf("hand the stack's lock on: %w", err)
		}
		if c.watch != nil {
			stop, err = c.watch(pid)
		}
		return err
	}, func(err error) { c.log.WarnContext(ctx, "the pulumi CLI is for this user only", "err", err) })
	ended, werr := stop()
	c.stalled = ended
	code := -1
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err == nil {
		code = 0
	}
	out, oerr := stdout.drain(stdouts)
	text, terr := stderr.drain(stderrs)
	return out, text, code, errors.Join(err, werr, oerr, terr)
}

// stalled reports whether the last call of a workspace's CLI was ended because this
// process stood still.
func stalled(ws auto.Workspace) bool {
	c, err := cliIn(ws)
	return err == nil && c.stalled
}

// cliIn is the CLI of a workspace.
func cliIn(ws auto.Workspace) (*stackCLI, error) {
	c, ok := ws.PulumiCommand().(*stackCLI)
	if !ok {
		return nil, fmt.Errorf("run the CLI in %s: unexpected %T", ws.WorkDir(), ws.PulumiCommand())
	}
	return c, nil
}

// notStarted is why the last call of a workspace's CLI did not start it.
func notStarted(ws auto.Workspace) error {
	if c, err := cliIn(ws); err == nil {
		return c.notStarted
	}
	return nil
}

// spool is a file that a process writes to, and that is read when it has ended.
type spool struct{ *os.File }

func newSpool(name string) (spool, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return spool{}, fmt.Errorf("make room for what the pulumi CLI says: %w", err)
	}
	return spool{f}, nil
}

// drain returns what was written, hands it on, and removes the file.
func (s spool) drain(to []io.Writer) (string, error) {
	defer func() { _ = os.Remove(s.Name()) }()
	raw, err := os.ReadFile(s.Name())
	if err != nil {
		err = fmt.Errorf("read what the pulumi CLI said: %w", err)
	}
	for _, w := range to {
		if _, werr := w.Write(raw); werr != nil {
			err = errors.Join(err, werr)
		}
	}
	return string(raw), errors.Join(err, s.Close())
}
