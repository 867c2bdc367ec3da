package main_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
)

// BenchmarkOnboard measures, in one run and on one machine, how long an onboard
// takes, how long one that changes nothing takes, and how long the injected
// latencies alone would take along their critical path, so that what Freehold
// and the engine add is a ratio.
func BenchmarkOnboard(b *testing.B) {
	const divisor = 60
	for b.Loop() {
		h := newHome(b)
		fast := decode[event.Onboarding](b, h.want(0, "onboard", "-f", h.spec("fast", twoProjects), "-o", "json"))
		again := h.want(0, "onboard", "-f", h.spec("fast", twoProjects))
		h.want(0, "sandbox", "stop", "fast")

		latency := fmt.Sprintf("realistic/%d", divisor)
		slow := decode[event.Onboarding](b, h.want(0, "onboard", "-f", h.spec("slow", twoProjects), "-o", "json", "--latency", latency))
		path, whole := h.criticalPath("slow")
		// Between the first layer and the second nothing can happen until then.
		usable := awsprovider.Durations()[awsprovider.Usable] / divisor
		path, whole = path+usable, whole+usable

		resources := 0
		for _, l := range fast.Layers {
			resources += l.Resources
		}
		b.ReportMetric(float64(resources), "resources")
		b.ReportMetric(fast.Duration.Seconds(), "s/onboard-without-latency")
		b.ReportMetric(again.took.Seconds(), "s/onboard-again")
		b.ReportMetric(slow.Duration.Seconds(), "s/onboard-"+strings.ReplaceAll(latency, "/", "-"))
		b.ReportMetric(path.Seconds(), "s/critical-path")
		b.ReportMetric(whole.Seconds(), "s/all-latencies-in-a-row")
		b.ReportMetric(slow.Duration.Seconds()/path.Seconds(), "x/onboard-to-critical-path")
		b.ReportMetric((slow.Duration-path).Seconds()/fast.Duration.Seconds(), "x/overhead-to-onboard-without-latency")
		b.ReportMetric(0, "ns/op")
	}
}

// BenchmarkPolicies measures, in one run, what the policies cost an engine's
// pass over each layer: the same preview with the pack and without it, in turns.
// Freehold itself cannot leave it out; the plain CLI can.
func BenchmarkPolicies(b *testing.B) {
	const turns = 5
	for b.Loop() {
		h := newHome(b)
		h.want(0, "onboard", "-f", h.spec("acme", twoProjects))
		pack := filepath.Join(h.dir, "sandbox", "policy")
		var with, without time.Duration
		for range turns {
			for _, l := range plan.Layers() {
				preview := []string{"sandbox", "exec", "--", "pulumi", "preview", "--non-interactive", "--stack", plan.StackName("acme", l),
					"--cwd", filepath.Join(h.dir, "sandbox", "stacks", "acme", string(l))}
				without += h.want(0, preview...).took
				with += h.want(0, append(preview, "--policy-pack", pack)...).took
			}
		}
		n := float64(turns * len(plan.Layers()))
		b.ReportMetric(without.Seconds()*1000/n, "ms/preview-without-policies")
		b.ReportMetric(with.Seconds()*1000/n, "ms/preview-with-policies")
		b.ReportMetric(with.Seconds()/without.Seconds(), "x/with-to-without-policies")
		b.ReportMetric(0, "ns/op")
	}
}

// criticalPath returns the longest chain of injected latencies through the
// dependencies that the states record, layer after layer, and their plain sum.
func (h home) criticalPath(org string) (longest, sum time.Duration) {
	h.t.Helper()
	cost := map[string]time.Duration{}
	rows, err := h.sandbox().QueryContext(h.t.Context(), `select urn, sum(latency_ms) from journal group by urn`)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var urn string
		var ms int64
		if err := rows.Scan(&urn, &ms); err != nil {
			h.t.Fatal(err)
		}
		if strings.HasPrefix(urn, "urn:pulumi:"+org+".") {
			cost[urn] = time.Duration(ms) * time.Millisecond
			sum += cost[urn]
		}
	}
	for _, l := range plan.Layers() {
		longest += h.longestChain(plan.StackName(org, l), cost)
	}
	return longest, sum
}

func (h home) longestChain(stack string, cost map[string]time.Duration) time.Duration {
	h.t.Helper()
	var state struct {
		Checkpoint struct {
			Latest struct {
				Resources []struct {
					URN, Parent, Provider string
					Dependencies          []string
				}
			}
		}
	}
	var raw []byte
	err := filepath.WalkDir(h.dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Base(name) == stack+".json" && strings.Contains(name, "stacks") {
			raw, err = os.ReadFile(name)
		}
		return err
	})
	if err == nil {
		err = json.Unmarshal(raw, &state)
	}
	if err != nil {
		h.t.Fatalf("state of %s: %v", stack, err)
	}
	// Resources are recorded behind what they depend on.
	done := map[string]time.Duration{}
	var longest time.Duration
	for _, r := range state.Checkpoint.Latest.Resources {
		var start time.Duration
		// A provider reference is its URN and its id.
		provider := r.Provider
		if i := strings.LastIndex(provider, "::"); i > 0 {
			provider = provider[:i]
		}
		for _, dep := range append(r.Dependencies, r.Parent, provider) {
			start = max(start, done[dep])
		}
		done[r.URN] = start + cost[r.URN]
		longest = max(longest, done[r.URN])
	}
	return longest
}
