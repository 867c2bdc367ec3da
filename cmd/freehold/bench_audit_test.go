package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"freehold.dev/freehold/internal/audit"
	"freehold.dev/freehold/internal/audit/audittest"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/render"
	"freehold.dev/freehold/policies"
)

// BenchmarkAudit audits fleets of three sizes, each ten times the one before,
// with every rule. A customer's states are those of one that was onboarded in
// the sandbox. Beside time and peak memory it reports how both grew: time at
// most linearly, and memory not with the fleet.
func BenchmarkAudit(b *testing.B) {
	fleet := sandboxFleet(b)
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the command does
	type measured struct{ seconds, processor, megabytes float64 }
	var before measured
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprintf("customers=%d", n), func(b *testing.B) {
			names, resources := fleet.Names(n), 0
			var now measured
			for b.Loop() {
				peak := watchMemory(b)
				began, used := time.Now(), processorTime(b)
				out, err := audit.Run(b.Context(), audit.Options{
					About: finding.EveryOrg, Orgs: names, Rules: policies.All(), Now: time.Now, Load: fleet.Load,
				})
				if err != nil {
					b.Fatal(err)
				}
				now = measured{time.Since(began).Seconds(), (processorTime(b) - used).Seconds(), peak()}
				if out.Violated() || !out.Complete() {
					b.Fatalf("a fleet that shares nothing: %d findings, %d shared, %d edges, %d unread: %s",
						len(out.Findings), len(out.Shared), len(out.Edges), len(out.Unread), firstOf(out))
				}
				resources = 0
				for _, o := range out.Orgs {
					resources += o.Resources
				}
			}
			b.ReportMetric(float64(resources)/float64(n), "resources/customer")
			b.ReportMetric(now.megabytes, "peak-MB")
			b.ReportMetric(now.seconds*1e6/float64(resources), "µs/resource")
			// What it takes whatever else the machine does: two cores give two
			// of these in a second.
			b.ReportMetric(now.processor, "cpu-s")
			if before.seconds > 0 {
				b.ReportMetric(now.seconds/before.seconds, "x-time")
				b.ReportMetric(now.processor/before.processor, "x-cpu")
				b.ReportMetric(now.megabytes/before.megabytes, "x-memory")
			}
			before = now
			if now.megabytes > 1024 {
				b.Errorf("peak memory %.0f MB, at most 1024 are promised", now.megabytes)
			}
			if n == 10000 && now.seconds > 60 {
				b.Logf("%.0f seconds: a minute is promised, on two cores that do nothing else", now.seconds)
			}
		})
	}
}

// sandboxFleet onboards one customer and returns a fleet of its kind.
func sandboxFleet(b *testing.B) *audittest.Fleet {
	b.Helper()
	h := newHome(b)
	h.want(0, "onboard", "-f", h.spec("acme", "projects:", "  - name: web"))
	account := decode[event.Status](b, h.want(0, "status", "acme", "-o", "json")).DataPlane.AccountID
	role := func(name string) string { return "arn:aws:iam::" + account + ":role/" + name }
	t := audittest.Template{Org: "acme", AccountID: account}
	for _, l := range []string{"account", "boundary", "cluster", "bootstrap"} {
		state, err := os.ReadFile(filepath.Join(h.dir, "sandbox", "state", ".pulumi", "stacks", "freehold", "acme."+l+".json"))
		if err != nil {
			b.Fatal(err)
		}
		t.Layers = append(t.Layers, audittest.Layer{State: state, Scope: policies.Scope{
			Org: "acme", Layer: l, Region: "eu-west-1", AccountID: account,
			ManagementAccountID: "100000000001", ProvisionerARN: "arn:aws:iam::100000000001:role/freehold-provisioner",
			BoundaryARN:   "arn:aws:iam::" + account + ":policy/freehold-acme-boundary",
			AccessRoleARN: role("OrganizationAccountAccessRole"),
			ClusterRoles: []string{
				role("freehold-acme-provision"), role("freehold-acme-read"), role("freehold-acme-bootstrap"),
				role("freehold-acme-offboard"), role("freehold-acme-node"),
			},
			Registry: account + ".dkr.ecr.eu-west-1.amazonaws.com",
		}})
	}
	return audittest.New(t)
}

func firstOf(a finding.Audit) string {
	for _, f := range render.PolicyFindings(a) {
		return fmt.Sprintf("%+v", f)
	}
	for _, u := range a.Unread {
		return fmt.Sprintf("%+v", u)
	}
	return "nothing"
}

// processorTime is what the process has used of all processors.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// watchMemory returns a function that tells the most memory, in megabytes, that
// the process had since: the kernel's own high-water mark where there is one.
func watchMemory(t testing.TB) func() float64 {
	t.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) == nil {
		return func() float64 {
			raw, err := os.ReadFile("/proc/self/status")
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(raw), "VmHWM:")
			kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return float64(kilobytes) / 1024
		}
	}
	return func() float64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.Sys) / (1 << 20)
	}
}
