package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
)

// held is the lock of a stack that somebody has.
func held(t *testing.T, waits func(string, time.Duration)) (by *os.File, l lock) {
	t.Helper()
	file := filepath.Join(t.TempDir(), ".lock")
	by, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = by.Close() })
	if ok, err := tryLock(by); !ok {
		t.Fatalf("the lock: %v", err)
	}
	return by, lock{stack: "acme.cluster", file: file, within: 20 * time.Minute, now: time.Now, waits: waits}
}

func TestTheWaitForAnEarlierProcessIsReportedAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		by, l := held(t, func(what string, waited time.Duration) { said = append(said, fmt.Sprintf("%s: %s", waited, what)) })
		time.AfterFunc(25*time.Second, func() { _ = by.Close() })
		began := time.Now()
		got, err := l.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = got.Close() }()
		if waited := time.Since(began); waited < 25*time.Second || waited > 26*time.Second {
			t.Errorf("it waited %s, and the lock was free after 25s", waited)
		}
		want := []string{
			"0s: an earlier pulumi process of stack acme.cluster to finish",
			"10s: an earlier pulumi process of stack acme.cluster to finish",
			"20s: an earlier pulumi process of stack acme.cluster to finish",
		}
		if d := cmp.Diff(want, said); d != "" {
			t.Errorf("it said (-want +got):\n%s", d)
		}
	})
}

func TestTheWaitForAnEarlierProcessHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, l := held(t, func(string, time.Duration) {})
		began := time.Now()
		_, err := l.acquire(t.Context())
		var failed *Error
		if !errors.Is(err, ErrLocked) || !errors.As(err, &failed) {
			t.Fatalf("got %v", err)
		}
		if waited := time.Since(began); waited != 20*time.Minute {
			t.Errorf("it waited %s, want 20m", waited)
		}
		if failed.Stack != "acme.cluster" || !strings.Contains(failed.Detail, "is still running after 20m") || !strings.Contains(failed.Next, l.file) {
			t.Errorf("%v\nnext: %s", err, failed.Next)
		}
	})
}

func TestACancelledWaitForAnEarlierProcessIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, l := held(t, func(string, time.Duration) {})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := l.acquire(ctx); !errors.Is(err, ErrCancelled) || errors.Is(err, ErrLocked) {
			t.Errorf("got %v", err)
		}
	})
}

// A process that outlived the Freehold that started it has inherited the file.
func TestTheProcessThatHoldsALockIsNamed(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("this system does not show the files of a process")
	}
	by, l := held(t, nil)
	child := exec.CommandContext(t.Context(), "sleep", "60")
	child.ExtraFiles = []*os.File{by}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = child.Process.Kill(), child.Wait() })
	if err := by.Close(); err != nil { // the child has it still
		t.Fatal(err)
	}
	var said string
	l.within, l.waits = 60*time.Millisecond, func(what string, _ time.Duration) { said = what }
	_, err := l.acquire(t.Context())
	var failed *Error
	if !errors.Is(err, ErrLocked) || !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	process := fmt.Sprintf("process %d, sleep", child.Process.Pid)
	if !strings.Contains(failed.Detail, process) || !strings.Contains(said, process) {
		t.Errorf("it does not name %s:\n%v\n%s", process, err, said)
	}
	if !strings.Contains(failed.Next, "end it if it hangs") {
		t.Errorf("next: %s", failed.Next)
	}
}

// An earlier process may still be making the stack, or removing it: what the
// backend says meanwhile is not what this run will find.
func TestARunAsksTheBackendWhenNoEarlierProcessIsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := t.TempDir()
		e := noCLI(t, "file://"+backend)
		file := store(t, backend, "acme.account.json", []byte(one))
		lock := filepath.Join(e.stackDir(account), ".lock")
		if err := os.MkdirAll(filepath.Dir(lock), 0o700); err != nil {
			t.Fatal(err)
		}
		by, err := os.OpenFile(lock, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := tryLock(by); !ok {
			t.Fatalf("the lock: %v", err)
		}
		// The earlier process was just removing the stack.
		time.AfterFunc(15*time.Second, func() { _, _ = os.Remove(file), by.Close() })
		var waited []time.Duration
		_, err = e.Destroy(t.Context(), account, func(ev event.Event) { waited = append(waited, ev.Duration) })
		if !errors.Is(err, ErrNoStack) {
			t.Errorf("got %v", err)
		}
		if d := cmp.Diff([]time.Duration{0, 10 * time.Second}, waited); d != "" {
			t.Errorf("it reported (-want +got):\n%s", d)
		}
	})
}

func TestWhatAStackWaitsForIsAnEvent(t *testing.T) {
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	var got []event.Event
	e := &Engine{opts: Options{Now: func() time.Time { return now }}}
	e.waiting(Stack{Org: "acme", Layer: "cluster"}, func(ev event.Event) { got = append(got, ev) })("an earlier pulumi process to finish", 10*time.Second)
	e.waiting(Stack{}, nil)("nobody is told", 0)
	want := []event.Event{{
		Type: event.Waiting, Time: now, Org: "acme", Layer: "cluster", Duration: 10 * time.Second,
		Message: "waiting for an earlier pulumi process to finish",
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Whoever started it may be stopped, and not ask how it ended.
func TestACLIThatHasEndedIsDeadBeforeAnybodyAsksHow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pulumi")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nread line\n"), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if !pulumiAlive(cmd.Process.Pid) {
		t.Error("one that runs is dead")
	}
	_ = in.Close()
	dead := false
	for range 500 {
		if dead = !pulumiAlive(cmd.Process.Pid); dead {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !dead {
		t.Error("one that has ended is alive")
	}
	_ = cmd.Wait()
}
