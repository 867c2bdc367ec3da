package controller

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
)

// TestMain lets the test binary be a controller in a process of its own, which
// can be killed.
func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	if text := os.Getenv(processVariable); text != "" {
		os.Exit(beProcess(text))
	}
	// A check takes a second of real processes; -rapid.checks asks for more.
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

const processVariable = "FREEHOLD_TEST_CONTROLLER"

// process says how a controller in a process of its own runs.
type process struct {
	Kubeconfig string
	Health     string
	Metrics    string
	Resync     time.Duration
	// Namespace holds the lease; empty: there is no leader election.
	Namespace string
	// The process kills itself at a write that is about Project: the Die-th one,
	// before it is sent, or After it was answered. Zero: never.
	Project string
	Die     int64
	After   bool
}

func beProcess(text string) int {
	var p process
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	rc, err := clientcmd.BuildConfigFromFlags("", p.Kubeconfig)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	rc.Wrap(func(rt http.RoundTripper) http.RoundTripper { return &suicide{RoundTripper: rt, p: p} })
	err = Run(context.Background(), Options{
		Config: rc, Org: "acme", Registry: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/",
		HealthAddress: p.Health, LeaderElection: p.Namespace != "", Namespace: p.Namespace, MetricsAddress: p.Metrics,
		usageEvery: usageEvery, contestQuiet: contestQuiet, podsWithin: podsWithin, Resync: cmp.Or(p.Resync, time.Second),
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Now: time.Now,
	})
	fmt.Fprintln(os.Stderr, err)
	return 1
}

type suicide struct {
	http.RoundTripper
	p process
	n atomic.Int64
}

func (s *suicide) RoundTrip(r *http.Request) (*http.Response, error) {
	dies := s.p.Die > 0 && r.Method != http.MethodGet && s.about(r) && s.n.Add(1) == s.p.Die
	if dies && !s.p.After {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	resp, err := s.RoundTripper.RoundTrip(r)
	if dies {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	return resp, err
}

// about reports whether a request is about the process's project: its path says
// so, or the object that it makes.
func (s *suicide) about(r *http.Request) bool {
	if strings.Contains(r.URL.Path, "/events") {
		return false
	}
	if strings.Contains(r.URL.Path+"/", "/"+s.p.Project+"/") {
		return true
	}
	if r.Method != http.MethodPost || r.Body == nil {
		return false
	}
	body, err := io.ReadAll(r.Body)
	r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && bytes.Contains(body, []byte(s.p.Project))
}
