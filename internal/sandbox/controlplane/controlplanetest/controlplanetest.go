// Package controlplanetest gives tests a real Kubernetes API server.
package controlplanetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"freehold.dev/freehold/internal/sandbox/controlplane"
	"freehold.dev/freehold/internal/wait"
)

// Cluster is the cluster that Start starts.
var Cluster = controlplane.Cluster{Account: "123456789012", Region: "eu-central-1", Name: "freehold-acme"}

// Start runs a control plane for as long as the test, supervised by the test's
// own process, and returns how it is reached by an administrator. Without the
// control plane's binary it skips the test, and says so; in CI it fails.
func Start(t testing.TB) (*controlplane.Manager, *rest.Config) {
	t.Helper()
	kube(t)
	root := t.TempDir()
	m := controlplane.NewManager(controlplane.Options{Root: root, Now: time.Now})
	roots.Store(m, root)
	t.Cleanup(func() { roots.Delete(m) })
	if _, err := m.Create(t.Context(), controlplane.Spec{Cluster: Cluster}); err != nil {
		t.Fatal(err)
	}
	Serve(t, m, root, Cluster, controlplane.ServeOptions{})
	rc, err := m.RESTConfig(Cluster, controlplane.Identity{User: "freehold:bootstrap", Groups: []string{controlplane.Administrators}})
	if err != nil {
		t.Fatal(err)
	}
	return m, rc
}

// Serve runs one cluster of a manager for as long as the test, supervised by
// the test's own process, and returns when it is ready. It says itself how long
// the cluster may be idle, and has the time.
func Serve(t testing.TB, m *controlplane.Manager, root string, c controlplane.Cluster, o controlplane.ServeOptions) {
	t.Helper()
	o.Idle, o.Now = time.Hour, time.Now
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- controlplane.Serve(ctx, filepath.Join(root, c.Account, c.Region, c.Name), o) }()
	ended := false
	t.Cleanup(func() {
		cancel()
		if ended {
			return
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	err := wait.Until(t.Context(), wait.For{
		What: "a supervisor of control plane " + c.String(), Every: 10 * time.Millisecond, Within: time.Minute, Now: time.Now,
	}, func(context.Context) (bool, error) {
		select {
		case err := <-done:
			ended = true
			return false, errors.Join(fmt.Errorf("control plane %s ended", c), err)
		default:
			return m.Running(c)
		}
	})
	if err == nil {
		err = m.Ensure(t.Context(), c, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// roots are the folders of the managers that Start returned.
var roots sync.Map

// Crash kills one process of a cluster that Start started, such as
// kube-apiserver, as a machine without memory would; it is started again.
func Crash(t testing.TB, m *controlplane.Manager, name string) {
	t.Helper()
	root, ok := roots.Load(m)
	if !ok {
		t.Fatal("Start did not start this cluster")
	}
	text, err := os.ReadFile(filepath.Join(root.(string), Cluster.Account, Cluster.Region, Cluster.Name, "supervisor.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Children []struct {
			Name string
			PID  int
		}
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Children {
		if c.Name == name && c.PID > 1 {
			if err := syscall.Kill(c.PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("the cluster has no process %s: %+v", name, s.Children)
}

// binAbove finds the repository's bin folder from the folder that the test runs in.
func binAbove(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	return filepath.Join(dir, "bin")
}

// UseController makes an executable the namespace controller of the clusters
// that the test starts after.
func UseController(t testing.TB, executable string) {
	t.Helper()
	dir, kube := t.TempDir(), kube(t)
	if err := errors.Join(
		os.Symlink(kube, filepath.Join(dir, "freehold-kube")),
		os.Symlink(executable, filepath.Join(dir, "namespace-controller")),
	); err != nil {
		t.Fatal(err)
	}
	t.Setenv(controlplane.ToolsVariable, dir)
}

// kube finds the control plane's binary, or skips the test.
func kube(t testing.TB) string {
	t.Helper()
	if os.Getenv(controlplane.ToolsVariable) == "" {
		t.Setenv(controlplane.ToolsVariable, binAbove(t))
	}
	path, err := controlplane.FindTool("freehold-kube")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED against a real control plane: %v", err)
	}
	return path
}
