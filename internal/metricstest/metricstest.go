// Package metricstest is for tests of what programs serve to Prometheus.
package metricstest

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// CheckList fails a test where a list of metrics in docs/monitoring is not what
// is served. served has a row for each metric by its name. The list must have
// every metric of Freehold's own, and of those of its libraries the ones that it
// names must be served.
func CheckList(t testing.TB, file string, served map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	used := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			want = append(want, line)
			used[strings.Fields(line)[0]] = true
		}
	}
	var got []string
	for _, name := range slices.Sorted(maps.Keys(served)) {
		if used[name] || strings.HasPrefix(name, "freehold_") {
			got = append(got, served[name])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is not what is served (-file +served):\n%s", file, diff)
	}
}
