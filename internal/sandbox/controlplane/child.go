package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	// A child that ends this often within this time is not started again.
	tooManyDeaths = 5
	deathsWithin  = time.Minute
	// logLimit is the size at which a log starts anew.
	logLimit = 8 << 20
)

// spawner starts processes from one thread that never ends: Linux ties a
// child's parent-death signal to the thread, not to the process.
type spawner chan func()

func newSpawner() spawner {
	s := make(spawner)
	go func() {
		runtime.LockOSThread()
		for f := range s {
			f()
		}
	}()
	return s
}

func (s spawner) start(cmd *exec.Cmd) error {
	err := make(chan error, 1)
	s <- func() { err <- cmd.Start() }
	return <-err
}

// child is a process that is kept running.
type child struct {
	name  string
	path  string
	args  []string
	env   []string
	log   string
	grace time.Duration // between SIGTERM and SIGKILL
	// started and ended tell the owner which process runs; they may be nil.
	started func(process)
	ended   func(process)
}

// keep runs the child until ctx ends, starting it again when it dies. It fails
// when the child dies too often. When it returns, no process is left.
func (c child) keep(ctx context.Context, sp spawner, log *slog.Logger, now func() time.Time) error {
	var deaths []time.Time
	for {
		err := c.once(ctx, sp)
		if ctx.Err() != nil {
			return nil
		}
		deaths = append(deaths, now())
		if len(deaths) > tooManyDeaths {
			deaths = deaths[1:]
		}
		if len(deaths) == tooManyDeaths && now().Sub(deaths[0]) < deathsWithin {
			return fmt.Errorf("%s ended %d times within %s: %w: %s", c.name, tooManyDeaths, deathsWithin, err, lastLine(c.log))
		}
		pause := 100 * time.Millisecond << len(deaths)
		log.Warn("child ended", "child", c.name, "error", err, "startAgainIn", pause)
		if !sleep(ctx, pause) {
			return nil
		}
	}
}

// once runs the child to its end, which ctx brings about.
func (c child) once(ctx context.Context, sp spawner) error {
	out, err := openLog(c.log)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(c.path, c.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = c.env, out, out, childAttr()
	if err := sp.start(cmd); err != nil {
		return fmt.Errorf("start %s: %w", c.name, err)
	}
	p, err := newProcess(c.name, cmd.Process.Pid)
	if err == nil && c.started != nil {
		c.started(p)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = end(cmd.Process, done, c.grace)
	}
	if c.ended != nil {
		c.ended(p)
	}
	if err == nil {
		err = errors.New("exit status 0")
	}
	return err
}

// end asks a process of ours to end, and makes it.
func end(p *os.Process, done <-chan error, grace time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return <-done
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-t.C:
		_ = p.Kill() // it fails only if the process has ended
		return <-done
	}
}

// openLog opens a log to append to, or anew when it has grown large.
func openLog(file string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if info, err := os.Stat(file); err == nil && info.Size() > logLimit {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(file, flags, 0o600)
}

// lastLine returns what a log ends with, for an error that a person reads.
func lastLine(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return "no log"
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > 4096 {
		_, _ = f.Seek(-4096, io.SeekEnd) // from the start is fine too
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return "no log"
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return fmt.Sprintf("%s (log: %s)", lines[len(lines)-1], file)
}
