package edge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/metricstest"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

const docs = "../../../docs/"

// decisions are all that a request can come to before a service sees it.
var decisions = []Decision{Allowed, Misaddressed, Refused, RateLimited, Unavailable, Public}

// observed makes one request of each decision, and returns the access log.
func observed(t *testing.T, m *Metrics) string {
	t.Helper()
	var log bytes.Buffer
	o := Observer{Log: slog.New(slog.NewJSONHandler(&log, nil)), Metrics: m, Now: time.Now}
	for _, d := range decisions {
		o.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			record := RecordOf(r.Context())
			record.Decision, record.Procedure, record.Reason = d, "/freehold.v1.OperationService/ListOperations", "rate"
			w.WriteHeader(http.StatusOK)
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody))
	}
	return log.String()
}

// tools/monitoring judges the alerts and the dashboard by this list.
func TestTheListOfMetricsIsWhatIsServed(t *testing.T) {
	m, registry := NewMetrics(), prometheus.NewRegistry()
	registry.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	observed(t, m)
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]string{}
	for _, f := range all {
		labels := map[string]bool{}
		for _, sample := range f.GetMetric() {
			for _, l := range sample.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		row := fmt.Sprintf("%s %s %s", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(slices.Sorted(maps.Keys(labels)), ","))
		served[f.GetName()] = strings.TrimSpace(row)
	}
	metricstest.CheckList(t, docs+"monitoring/server-metrics.txt", served)
}

func TestThePageForOperatorsNamesEachFieldOfTheAccessLog(t *testing.T) {
	text, err := os.ReadFile(docs + "deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "| field | holds |\n|---|---|\n")
	part, _, _ = strings.Cut(part, "\n\n")
	named, meant := map[string]bool{}, ""
	for row := range strings.Lines(part) {
		first, rest, _ := strings.Cut(strings.TrimPrefix(row, "| "), " | ")
		for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(first, -1) {
			named[m[1]] = true
			if m[1] == "decision" {
				meant = rest
			}
		}
	}
	logged := map[string]bool{}
	for line := range strings.Lines(observed(t, NewMetrics())) {
		fields := map[string]any{}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		for name := range fields {
			if !slices.Contains([]string{slog.TimeKey, slog.LevelKey, slog.MessageKey}, name) {
				logged[name] = true
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(logged)), slices.Sorted(maps.Keys(named))); diff != "" {
		t.Errorf("fields (-logged +named):\n%s", diff)
	}
	for _, d := range decisions {
		if !strings.Contains(meant, "`"+string(d)+"`") {
			t.Errorf("it does not say what the decision %s means", d)
		}
	}
}
