package controller

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"freehold.dev/freehold/internal/localhost"
)

// counter counts the writes that leave a client.
type counter struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/leases") && !strings.Contains(r.URL.Path, "/events") {
		c.n.Add(1)
	}
	return c.RoundTripper.RoundTrip(r)
}

// usageEvery is that of the tests: they wait for it often.
const usageEvery = 500 * time.Millisecond

// settled is how long nobody writes once everything is done: usage is written a
// moment after the quota has counted it.
const settled = 3 * usageEvery

// contestQuiet is that of the tests: short, so that they see the end of it.
const contestQuiet = 3 * time.Second

// podsWithin is that of the tests: longer than it takes to see a project wait.
const podsWithin = 8 * time.Second

// running is a controller in this process and how it ends.
type running struct {
	health  string
	metrics string
	writes  *counter
	end     func() error
	log     *safeBuffer
}

func freeAddress(t testing.TB) string {
	t.Helper()
	address, err := localhost.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// often makes a controller look at every project each second. Without it, it
// looks only when something happened, so that a watch that is missing shows.
func often(o *Options) { o.Resync = time.Second }

// run runs a controller until the test ends, or it is ended.
func run(t testing.TB, rc *rest.Config, changes ...func(*Options)) *running {
	t.Helper()
	r := &running{health: freeAddress(t), metrics: freeAddress(t), writes: &counter{}, log: &safeBuffer{}}
	config := rest.CopyConfig(rc)
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper {
		r.writes.RoundTripper = rt
		return r.writes
	})
	o := Options{
		Config: config, Org: "acme", Registry: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/",
		HealthAddress: r.health, MetricsAddress: r.metrics, usageEvery: usageEvery, contestQuiet: contestQuiet, podsWithin: podsWithin,
		Log: slog.New(slog.NewTextHandler(r.log, nil)), Now: time.Now,
	}
	for _, change := range changes {
		change(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, o) }()
	r.end = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := r.end(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the controller ended: %v", err)
		}
		if t.Failed() {
			t.Logf("the controller said:\n%s", r.log.tail())
		}
	})
	return r
}

func (r *running) answers(path string) string {
	resp, err := http.Get("http://" + r.health + path)
	if err != nil {
		return err.Error()
	}
	resp.Body.Close()
	return resp.Status
}

func (r *running) ready(t testing.TB) {
	t.Helper()
	eventually(t, "the controller is ready", func() bool { return strings.HasPrefix(r.answers("/readyz"), "200") })
}

// scrape is what Prometheus would read.
func (r *running) scrape(t testing.TB) string {
	t.Helper()
	resp, err := http.Get("http://" + r.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// metric is the sum of a metric's values whose labels contain some text.
func (r *running) metric(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	sum, found := 0.0, false
	for line := range strings.Lines(r.scrape(t)) {
		has := strings.HasPrefix(line, name+"{") || strings.HasPrefix(line, name+" ")
		for _, l := range labels {
			has = has && strings.Contains(line, l)
		}
		if !has {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]), 64)
		if err != nil {
			t.Fatal(err)
		}
		sum, found = sum+v, true
	}
	if !found {
		return -1
	}
	return sum
}

// safeBuffer is written by a controller and read by a test.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) tail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.b.String()
	return text[max(0, len(text)-6000):]
}
