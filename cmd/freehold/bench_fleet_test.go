package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkOnboardMany measures how long many orgs take with the injected
// latencies of a cloud that is 60 times as fast, one by one and several at a
// time: as multiples of one org's critical path, which no number of machines gets
// below, and of the processor's time, of which one core cannot give more than one
// second in a second. Both time and memory are those of freehold, of what it
// starts, and of the control planes, of which those that nobody uses sleep.
//
// FREEHOLD_BENCH_ORGS is how many orgs there are; without it there are 8.
func BenchmarkOnboardMany(b *testing.B) {
	orgs := 8
	if n := os.Getenv("FREEHOLD_BENCH_ORGS"); n != "" {
		if _, err := fmt.Sscan(n, &orgs); err != nil {
			b.Fatal(err)
		}
	}
	for _, parallel := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("parallel_%d", parallel), func(b *testing.B) {
			for b.Loop() {
				onboardMany(b, orgs, parallel)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func onboardMany(b *testing.B, orgs, parallel int) {
	h := newHome(b)
	h.env = append(h.env, "GOGC=") // a user's machine is asked for memory as it comes
	dir := filepath.Join(h.dir, "customers")
	if err := os.Mkdir(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	for i := range orgs {
		org := fmt.Sprintf("many%02d", i)
		if err := os.Rename(h.spec(org, twoProjects), filepath.Join(dir, org+".yaml")); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	used := use(ctx, h.dir)
	c := h.command(b.Context(), "onboard", "-f", dir, "--parallel", fmt.Sprint(parallel),
		"--latency", "realistic/60", "--quota", "organizations:accounts=100")
	r := h.finish(c)
	cancel()
	if r.code != 0 {
		b.Fatalf("exit %d:\n%s", r.code, r.stderr)
	}
	u := <-used
	path, _ := h.criticalPath("many00")
	cpu := u.cpu + c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	b.ReportMetric(float64(orgs), "orgs")
	b.ReportMetric(r.took.Seconds(), "s")
	b.ReportMetric(r.took.Seconds()/path.Seconds(), "x-critical-path")
	b.ReportMetric(cpu.Seconds()/float64(orgs), "cpu-s/org")
	b.ReportMetric(r.took.Seconds()/cpu.Seconds(), "x-cpu-time")
	b.ReportMetric(float64(u.most)/(1<<20), "MiB-most")
	b.ReportMetric(float64(u.last)/(1<<20), "MiB-at-the-end")
	b.ReportMetric(float64(u.awake), "control-planes-awake-most")
}

// usage is what the processes of a home took.
type usage struct {
	cpu        time.Duration // of control planes
	most, last int64         // bytes of memory; what several share is counted once
	awake      int           // API servers, at most
}
