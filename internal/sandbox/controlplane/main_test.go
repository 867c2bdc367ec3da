package controlplane

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary stand for the two programs that a sandbox
// needs beside freehold-kube: freehold itself, as a supervisor, and the
// namespace controller.
func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == controllerBinary:
		os.Exit(beController())
	case len(os.Args) > 1 && os.Args[1] == "serve-cluster":
		os.Exit(beSupervisor(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func beSupervisor(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	set := flag.NewFlagSet("serve-cluster", flag.ExitOnError)
	dir := set.String("dir", "", "")
	idle := set.Duration("idle", 0, "")
	awake := set.Int("awake", 0, "")
	quiet := set.Duration("quiet", 0, "")
	_ = set.Parse(args) // it exits on an error
	err := Serve(ctx, *dir, ServeOptions{Idle: *idle, Awake: *awake, Quiet: *quiet, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Now: time.Now})
	if err != nil && !errors.Is(err, ErrRunning) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// beController is ready when the file READY_FILE is there, and dies when the
// file DIE_FILE is.
func beController() int {
	set := flag.NewFlagSet(controllerBinary, flag.ContinueOnError)
	health := set.String("health-probe-bind-address", "", "")
	token := set.String("token-file", "", "")
	for _, name := range []string{"server", "certificate-authority", "metrics-bind-address"} {
		set.String(name, "", "")
	}
	if err := set.Parse(os.Args[1:]); err != nil {
		return 2
	}
	if b, err := os.ReadFile(*token); err != nil || len(b) == 0 {
		fmt.Fprintln(os.Stderr, "no token:", err)
		return 3
	}
	go func() {
		for range time.Tick(50 * time.Millisecond) {
			if _, err := os.Stat(os.Getenv("DIE_FILE")); err == nil {
				fmt.Fprintln(os.Stderr, "dying as asked")
				os.Exit(4)
			}
		}
	}()
	err := http.ListenAndServe(*health, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := os.Stat(os.Getenv("READY_FILE")); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "waiting for the first list")
		}
	}))
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// withTools makes the real binaries findable, or skips: loudly, and never in CI.
func withTools(t *testing.T) string {
	t.Helper()
	if os.Getenv(ToolsVariable) == "" {
		bin, err := filepath.Abs("../../../bin")
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv(ToolsVariable, bin)
	}
	kube, err := FindTool(kubeBinary)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED against a real control plane: %v", err)
	}
	return kube
}

// withController makes a tools folder in which this binary is the namespace controller.
func withController(t *testing.T) {
	t.Helper()
	kube := withTools(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := errors.Join(os.Symlink(kube, filepath.Join(dir, kubeBinary)), os.Symlink(self, filepath.Join(dir, controllerBinary))); err != nil {
		t.Fatal(err)
	}
	t.Setenv(ToolsVariable, dir)
}

var acme = Cluster{Account: "123456789012", Region: "eu-central-1", Name: "freehold-acme"}

// newManager returns a manager over a root, whose clusters stop with the test,
// and whose supervisors get further flags.
func newManager(t *testing.T, root string, idle time.Duration, flags ...string) *Manager {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m := NewManager(Options{Root: root, Executable: self, ServeArgs: append([]string{"serve-cluster"}, flags...), Idle: idle, Now: time.Now})
	t.Cleanup(func() {
		if err := m.StopAll(context.Background()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			logs, _ := filepath.Glob(filepath.Join(root, "*", "*", "*", "log", "*.log"))
			for _, file := range logs {
				t.Logf("%s: %s", filepath.Base(file), lastLine(file))
			}
		}
	})
	return m
}

// started returns a manager with acme's cluster running.
func started(t *testing.T) *Manager {
	t.Helper()
	m := newManager(t, t.TempDir(), time.Minute)
	if _, err := m.Create(t.Context(), Spec{Cluster: acme}); err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), acme, func(s string) { t.Log(s) }); err != nil {
		t.Fatal(err)
	}
	return m
}
