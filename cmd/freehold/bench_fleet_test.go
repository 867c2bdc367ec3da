package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// BenchmarkOnboardMany measures, in one run and on one machine, how long many
// orgs take with the injected latencies of a cloud that is 60 times as fast, one
// by one and several at a time: as multiples of one org's critical path, which no
// number of machines gets below, and of the processor's time, which no order of
// orgs gets below. Memory is that of the freehold process alone.
//
// Each org keeps a control plane of half a GiB, so FREEHOLD_BENCH_ORGS orgs need
// half as many GiB; 50 of them take a machine with 32.
func BenchmarkOnboardMany(b *testing.B) {
	orgs := 8
	if n := os.Getenv("FREEHOLD_BENCH_ORGS"); n != "" {
		if _, err := fmt.Sscan(n, &orgs); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		for _, parallel := range []int{1, 4, 16} {
			h := newHome(b)
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
			c := h.command(b.Context(), "onboard", "-f", dir, "--parallel", fmt.Sprint(parallel),
				"--latency", "realistic/60", "--quota", "organizations:accounts=100")
			r := h.finish(c)
			if r.code != 0 {
				b.Fatalf("exit %d:\n%s", r.code, r.stderr)
			}
			path, _ := h.criticalPath("many00")
			usage := c.ProcessState.SysUsage().(*syscall.Rusage)
			cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
			at := fmt.Sprintf("-at-%d", parallel)
			b.ReportMetric(r.took.Seconds(), "s"+at)
			b.ReportMetric(r.took.Seconds()/path.Seconds(), "x-critical-path"+at)
			b.ReportMetric(r.took.Seconds()/cpu.Seconds(), "x-cpu-time"+at)
			b.ReportMetric(float64(usage.Maxrss)/1024, "MiB"+at)
			for i := range orgs {
				h.want(0, "sandbox", "stop", fmt.Sprintf("many%02d", i))
			}
		}
		b.ReportMetric(float64(orgs), "orgs")
		b.ReportMetric(0, "ns/op")
	}
}
