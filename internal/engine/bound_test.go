package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/uptime"
	"freehold.dev/freehold/internal/watchdog"
)

// writer is a CLI that cannot be interrupted, and that writes until it is killed.
const writer = `trap '' INT
sh -c 'trap "" INT; while :; do echo plugin >> "$0"; sleep 0.01; done' "$WRITES" &
while :; do echo cli >> "$WRITES"; sleep 0.01; done`

// grown waits until a file has something in it.
func grown(t *testing.T, file string) {
	t.Helper()
	for range 6000 {
		if raw, err := os.ReadFile(file); err == nil && bytes.Contains(raw, []byte("cli")) && bytes.Contains(raw, []byte("plugin")) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it has written nothing")
}

// silent fails the test if a file goes on growing.
func silent(t *testing.T, file string) {
	t.Helper()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	after, err := os.ReadFile(file)
	if err != nil || len(after) != len(before) {
		t.Errorf("it goes on writing: %d bytes, and then %d, %v", len(before), len(after), err)
	}
}

func TestARunWhoseOrgIsLostIsKilledAtOnceWithItsPlugins(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "writes")
	path := filepath.Join(dir, "pulumi")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+writer), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	lost := errors.New("lost")
	c := &stackCLI{
		cli:  &cli{path: path, grace: time.Hour, lost: lost, log: slog.New(slog.DiscardHandler)},
		lock: lock{stack: "acme.account", file: filepath.Join(dir, ".lock"), within: time.Minute, now: time.Now},
		said: filepath.Join(dir, "said"),
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, _, err := c.Run(ctx, dir, nil, nil, nil, []string{"WRITES=" + file}, "up")
		done <- err
	}()
	grown(t, file)
	began := time.Now()
	cancel(fmt.Errorf("renew: %w", lost))
	if err := <-done; err == nil {
		t.Error("it ended well")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	silent(t, file)
}

// A CLI and its plugins go on by themselves while the process that has started them
// stands still, as they would if that was stopped.
func TestARunIsEndedByTheWatchdogWhenTheOrgIsNoLongerHeld(t *testing.T) {
	dir := t.TempDir()
	file, lockFile := filepath.Join(dir, "writes"), filepath.Join(dir, ".lock")
	path := filepath.Join(dir, "pulumi")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+writer), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dog, err := watchdog.Start(self)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dog.Close(); err != nil {
			t.Error(err)
		}
	})
	held := uptime.Now() + 2*time.Second
	c := &stackCLI{
		cli:  &cli{path: path, grace: time.Hour, log: slog.New(slog.DiscardHandler)},
		lock: lock{stack: "acme.account", file: lockFile, within: time.Minute, now: time.Now},
		said: filepath.Join(dir, "said"),
		watch: func(pid int) (func() (bool, error), error) {
			w, err := dog.Watch(pid, func() time.Duration { return held })
			if err != nil {
				return nil, err
			}
			return w.Stop, nil
		},
	}
	done := make(chan error, 1)
	go func() {
		_, _, _, err := c.Run(t.Context(), dir, nil, nil, nil, []string{"WRITES=" + file}, "up")
		done <- err
	}()
	grown(t, file)
	if err := <-done; err == nil || !c.stalled {
		t.Errorf("it ended with %v; stalled: %t", err, c.stalled)
	}
	if late := uptime.Since(held); late < 0 || late > 5*time.Second {
		t.Errorf("it was ended %s after the org was no longer held", late)
	}
	silent(t, file)
	// Whoever goes on with the stack does not wait for this process.
	next, err := lock{stack: "acme.account", file: lockFile, within: time.Second, now: time.Now}.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = next.Close()
}

// TestThatStartsACLI is the Freehold of the next test, which kills it.
func TestThatStartsACLI(t *testing.T) {
	script := os.Getenv("ENGINE_TEST_CLI")
	if script == "" {
		t.Skip("only for the next test")
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	detach(cmd)
	_ = runBound(cmd, func(int) error { return nil }, func(error) {})
}

func TestTheCLIDiesWithItsFreehold(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux makes a process die with the one that started it")
	}
	file := filepath.Join(t.TempDir(), "writes")
	freehold := exec.CommandContext(t.Context(), os.Args[0], "-test.run=TestThatStartsACLI$")
	freehold.Env = append(os.Environ(), "WRITES="+file, "ENGINE_TEST_CLI="+strings.ReplaceAll(writer, "sh -c", "echo plugin >> \"$WRITES\"; : "))
	if err := freehold.Start(); err != nil {
		t.Fatal(err)
	}
	grown(t, file)
	if err := freehold.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = freehold.Wait()
	silent(t, file)
}
