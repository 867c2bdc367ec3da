package controller

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// BenchmarkProjects makes fleets of projects from nothing against a real control
// plane, with the controller in a process of its own. FREEHOLD_BENCH_PROJECTS
// names other sizes, such as 100,1000,5000: the last takes a quarter of an hour.
//
// It reports, for each size, how long it takes until all are ready; how long
// one more project takes then; what the controller writes for a project, and
// uses of memory and processor; and that a controller that starts anew, and so
// looks at every project, writes nothing. What grew is a ratio to the size before.
func BenchmarkProjects(b *testing.B) {
	sizes := "100,1000"
	if given := os.Getenv("FREEHOLD_BENCH_PROJECTS"); given != "" {
		sizes = given
	}
	var before fleetCost
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			b.Fatalf("FREEHOLD_BENCH_PROJECTS: %v", err)
		}
		b.Run("projects="+size, func(b *testing.B) {
			var now fleetCost
			for b.Loop() {
				now = measure(b, n)
			}
			now.report(b)
			if before.projects > 0 {
				b.ReportMetric(float64(now.projects)/float64(before.projects), "x-projects")
				b.ReportMetric(now.all.Seconds()/before.all.Seconds(), "x-time")
				b.ReportMetric(now.processor.Seconds()/before.processor.Seconds(), "x-cpu")
				b.ReportMetric(now.megabytes/before.megabytes, "x-memory")
				b.ReportMetric(now.one[len(now.one)/2].Seconds()/before.one[len(before.one)/2].Seconds(), "x-one-more")
			}
			before = now
		})
	}
}

// fleetCost is what some projects took.
type fleetCost struct {
	projects  int
	all       time.Duration   // from nothing to all ready
	processor time.Duration   // of the controller, for it
	one       []time.Duration // for each of some more, sorted
	writes    float64         // of the controller for a project
	answered  float64         // by the API server for a project, whoever wrote
	megabytes float64         // of the controller, at most
	again     time.Duration   // a new controller's first pass
	againCPU  time.Duration
}

func (c fleetCost) report(b *testing.B) {
	n := float64(c.projects)
	b.ReportMetric(c.all.Seconds(), "s/all-ready")
	b.ReportMetric(c.all.Seconds()*1e3/n, "ms/project")
	b.ReportMetric(c.processor.Seconds()*1e3/n, "cpu-ms/project")
	b.ReportMetric(float64(c.one[len(c.one)/2].Milliseconds()), "ms/one-more-p50")
	b.ReportMetric(float64(c.one[(len(c.one)*99)/100].Milliseconds()), "ms/one-more-p99")
	b.ReportMetric(c.writes, "writes/project")
	b.ReportMetric(c.answered, "all-writes/project")
	b.ReportMetric(c.megabytes, "peak-MB")
	b.ReportMetric(c.again.Seconds(), "s/full-pass")
	b.ReportMetric(c.againCPU.Seconds()*1e3/n, "full-pass-cpu-ms/project")
	b.ReportMetric(0, "resync-writes")
	b.ReportMetric(0, "ns/op")
}

func measure(b *testing.B, n int) fleetCost {
	k := start(b, definitionFile)
	p := process{Kubeconfig: k.kubeconfig(), Health: freeAddress(b), Metrics: freeAddress(b), Resync: 10 * time.Minute}
	r := &running{health: p.Health, metrics: p.Metrics}
	cmd := k.spawn(p)
	r.ready(b)
	w := k.watchReady()
	c := fleetCost{projects: n}

	began, wrote := time.Now(), k.seen()
	queue := make(chan string)
	var makers sync.WaitGroup
	for range 8 {
		makers.Go(func() {
			for name := range queue {
				if err := k.Create(b.Context(), project(name)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("p%05d", i))
		queue <- names[i]
	}
	close(queue)
	makers.Wait()
	w.wait(b, names...)
	c.all, c.processor = time.Since(began), processorOf(b, cmd)
	k.settle(2 * time.Second)
	c.writes = r.metric(b, "freehold_writes_total") / float64(n)
	c.answered = float64(k.seen()-wrote-n) / float64(n)

	for i := range 50 {
		name := fmt.Sprintf("one-more-%d", i)
		began := time.Now()
		k.make(project(name))
		w.wait(b, name)
		c.one = append(c.one, time.Since(began))
	}
	slices.Sort(c.one)
	k.settle(2 * time.Second)
	c.megabytes = memoryOf(b, cmd)

	cmd.kill()
	p.Health, p.Metrics = freeAddress(b), freeAddress(b)
	began = time.Now()
	cmd = k.spawn(p)
	r = &running{health: p.Health, metrics: p.Metrics}
	r.ready(b)
	c.again, c.againCPU = time.Since(began), processorOf(b, cmd)
	time.Sleep(2 * time.Second)
	// What its client has sent; Kubernetes' own controllers go on counting quotas.
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		if got := r.metric(b, "rest_client_requests_total", `method="`+method+`"`); got > 0 {
			b.Errorf("a full pass over %d projects that have not changed sent %v %s requests", n, got, method)
		}
	}
	for _, kind := range []string{"Project", "Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "RoleBinding"} {
		if got := r.metric(b, "freehold_writes_total", `kind="`+kind+`"`); got > 0 {
			b.Errorf("%v of them are of %ss", got, kind)
		}
	}
	if got := r.metric(b, "rest_client_requests_total", `method="GET"`); got <= 0 {
		b.Error("its requests are not counted")
	}
	return c
}

// readiness knows which projects are ready.
type readiness struct {
	mu    sync.Mutex
	ready map[string]bool
}

// watchReady watches projects until the benchmark ends.
func (k *cluster) watchReady() *readiness {
	k.t.Helper()
	w := &readiness{ready: map[string]bool{}}
	c, err := client.NewWithWatch(k.rc, client.Options{Scheme: k.Scheme()})
	if err != nil {
		k.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	watching, err := c.Watch(ctx, &v1alpha1.ProjectList{})
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { cancel(); watching.Stop() })
	go func() {
		for e := range watching.ResultChan() {
			p, ok := e.Object.(*v1alpha1.Project)
			if !ok || e.Type == watch.Deleted {
				continue
			}
			c := condition(p, v1alpha1.ConditionReady)
			w.mu.Lock()
			w.ready[p.Name] = c.Status == metav1.ConditionTrue && c.ObservedGeneration == p.Generation
			w.mu.Unlock()
		}
	}()
	return w
}

func (w *readiness) wait(b *testing.B, names ...string) {
	b.Helper()
	end := time.Now().Add(15 * time.Minute)
	for _, name := range names {
		for {
			w.mu.Lock()
			ok := w.ready[name]
			w.mu.Unlock()
			if ok {
				break
			}
			if time.Now().After(end) {
				b.Fatalf("project %s is not ready within a quarter of an hour", name)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// processorOf is what a process has used of all processors.
func processorOf(b *testing.B, cmd child) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
	if err != nil {
		b.Skipf("only Linux tells what a process uses: %v", err)
	}
	// The name, in parentheses, may hold anything; the fields follow it.
	fields := strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+1:])
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100 everywhere
}

// memoryOf is the most memory that a process has had, in megabytes.
func memoryOf(b *testing.B, cmd child) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kilobytes) / 1024
}
