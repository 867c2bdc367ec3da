package monitoring

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

const docs = "../../docs"

var promQL = parser.NewParser(parser.Options{})

// target are labels that a scrape adds, wherever the metric is from.
var target = []string{"cluster", "instance"}

// A family is what metrics.txt says of one metric: its type and its labels.
type family struct {
	kind   string
	labels []string
}

func families(t *testing.T) map[string]family {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "monitoring", "metrics.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]family{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) < 2 || len(f) > 3 {
			t.Fatalf("metrics.txt: %q", line)
		}
		found := family{kind: f[1]}
		if len(f) == 3 {
			found.labels = strings.Split(f[2], ",")
		}
		out[f[0]] = found
	}
	return out
}

func alerts(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "monitoring", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation, promQL, slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	out := map[string]rulefmt.Rule{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if _, twice := out[r.Alert]; twice || r.Alert == "" {
				t.Errorf("an alert %q is there twice, or has no name", r.Alert)
			}
			out[r.Alert] = r
		}
	}
	return out
}

// A panel is the part of Grafana's that is checked.
type panel struct {
	ID         int    `json:"id"`
	Title      string `json:"title"`
	Datasource struct {
		UID string `json:"uid"`
	} `json:"datasource"`
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
	GridPos struct{ X, Y, W, H int } `json:"gridPos"`
}

func panels(t *testing.T) []panel {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "monitoring", "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID        string  `json:"uid"`
		Panels     []panel `json:"panels"`
		Templating struct {
			List []struct {
				Name string `json:"name"`
			} `json:"list"`
		} `json:"templating"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	known := []string{"__rate_interval"}
	for _, v := range d.Templating.List {
		known = append(known, v.Name)
	}
	for _, m := range regexp.MustCompile(`\$\{?(\w+)`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(known, m[1]) && m[1] != "__all" {
			t.Errorf("the dashboard uses $%s, which it does not define", m[1])
		}
	}
	if d.UID == "" || len(d.Panels) == 0 {
		t.Error("the dashboard is empty")
	}
	return d.Panels
}

func TestAlertsAndPanelsAskForWhatTheControllerServes(t *testing.T) {
	known := families(t)
	asked := map[string]string{}
	for name, r := range alerts(t) {
		asked["alert "+name] = r.Expr
	}
	for _, p := range panels(t) {
		for i, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$cluster", ".*").Replace(target.Expr)
			asked[fmt.Sprintf("panel %q, %d", p.Title, i)] = expr
		}
	}
	for _, where := range slices.Sorted(maps.Keys(asked)) {
		expr, err := promQL.ParseExpr(asked[where])
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			switch n := n.(type) {
			case *parser.VectorSelector:
				checkSelector(t, where, n, known)
			case *parser.AggregateExpr:
				for _, l := range n.Grouping {
					if l != "le" && !slices.Contains(target, l) && !labelOfAny(expr, known, l) {
						t.Errorf("%s: nothing in %s has the label %s", where, n, l)
					}
				}
			}
			return nil
		})
	}
}

// base returns the family of a metric: a histogram's has three.
func base(name string, known map[string]family) (string, bool) {
	if f, ok := known[name]; ok {
		return name, f.kind != "histogram"
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if cut, ok := strings.CutSuffix(name, suffix); ok && known[cut].kind == "histogram" {
			return cut, true
		}
	}
	return "", false
}

func checkSelector(t *testing.T, where string, s *parser.VectorSelector, known map[string]family) {
	t.Helper()
	name, ok := base(s.Name, known)
	if !ok {
		t.Errorf("%s: the controller serves no %s", where, s.Name)
		return
	}
	for _, m := range s.LabelMatchers {
		if m.Name != model.MetricNameLabel && !slices.Contains(target, m.Name) && !slices.Contains(known[name].labels, m.Name) {
			t.Errorf("%s: %s has no label %s", where, s.Name, m.Name)
		}
	}
}

func labelOfAny(expr parser.Expr, known map[string]family, label string) bool {
	found := false
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			name, _ := base(s.Name, known)
			found = found || slices.Contains(known[name].labels, label)
		}
		return nil
	})
	return found
}

func TestEveryAlertSaysWhatItIsAndWhatToDo(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docs, "controller.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range alerts(t) {
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s is %q, want critical or warning", name, s)
		}
		for _, a := range []string{"summary", "description"} {
			if r.Annotations[a] == "" {
				t.Errorf("%s has no %s", name, a)
			}
		}
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/controller.md does not say what to do about %s", name)
		}
	}
}

func TestPanelsAreTitledAndDoNotOverlap(t *testing.T) {
	all := panels(t)
	for i, p := range all {
		if p.Title == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %d has no title, no data source or no query", p.ID)
		}
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%q is wider than the page", p.Title)
		}
		for _, q := range all[:i] {
			a, b := p.GridPos, q.GridPos
			if p.ID == q.ID || a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%q and %q have one place or one id", p.Title, q.Title)
			}
		}
	}
}

// Each alert has a history in which it fires, and others, close to it, in which
// it does not. A series has a value a minute, from minute 0 to the last.
func TestAlertsFireWhenTheyShouldAndOnlyThen(t *testing.T) {
	const minutes = 60
	steady := func(series string) string { return series + " 1x60" }
	for name, cases := range map[string]struct{ fires, quiet map[string]string }{
		"FreeholdControllerAbsent": {
			fires: map[string]string{"nothing is scraped": "up 1x60"},
			quiet: map[string]string{"it is there": "freehold_last_full_pass_timestamp_seconds 0+60x60"},
		},
		"FreeholdNoLeader": {
			fires: map[string]string{"two follow": `leader_election_master_status{name="namespace-controller",instance="a"} 0x60
				leader_election_master_status{name="namespace-controller",instance="b"} 0x60`},
			quiet: map[string]string{
				"one leads": `leader_election_master_status{name="namespace-controller",instance="a"} 0x60
				leader_election_master_status{name="namespace-controller",instance="b"} 1x60`,
				"a change of leaders": `leader_election_master_status{name="namespace-controller"} 1x55 0x2 1x10`,
			},
		},
		"FreeholdFullPassStale": {
			fires: map[string]string{"the leader passed once": `freehold_last_full_pass_timestamp_seconds{instance="a"} 60x60
				freehold_last_full_pass_timestamp_seconds{instance="b"} 0x60`},
			quiet: map[string]string{"a pass every ten minutes": "freehold_last_full_pass_timestamp_seconds 0x4 300x9 900x9 1500x9 2100x9 2700x9 3300x9"},
		},
		"FreeholdNetworkUnfenced": {
			fires: map[string]string{
				"one is not":     `freehold_projects{condition="NetworkFenced",status="False"} 1x60`,
				"one is not yet": `freehold_projects{condition="NetworkFenced",status="Unknown"} 0x50 1x10`,
			},
			quiet: map[string]string{
				"all are":           `freehold_projects{condition="NetworkFenced",status="True"} 7x60`,
				"one is being made": `freehold_projects{condition="NetworkFenced",status="Unknown"} 0x57 1x3`,
				"another condition": `freehold_projects{condition="QuotaApplied",status="False"} 1x60`,
			},
		},
		"FreeholdProjectsNotReady": {
			fires: map[string]string{"two of seven": `freehold_projects{condition="Ready",status="False"} 2x60`},
			quiet: map[string]string{
				"all are ready":   `freehold_projects{condition="Ready",status="True"} 7x60`,
				"for ten minutes": `freehold_projects{condition="Ready",status="False"} 0x50 2x10`,
			},
		},
		"FreeholdProjectsDegraded": {
			fires: map[string]string{"one is": `freehold_projects{condition="Degraded",status="True"} 1x60`},
			quiet: map[string]string{"none is": `freehold_projects{condition="Degraded",status="False"} 7x60`},
		},
		"FreeholdProjectsBehind": {
			fires: map[string]string{"one stays behind": "freehold_projects_behind 1x60"},
			quiet: map[string]string{"each catches up": "freehold_projects_behind 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5"},
		},
		"FreeholdReconcileFailing": {
			fires: map[string]string{"half fail": `controller_runtime_reconcile_total{controller="project",result="error"} 0+6x60
				controller_runtime_reconcile_total{controller="project",result="success"} 0+6x60`},
			quiet: map[string]string{
				"one in a hundred": `controller_runtime_reconcile_total{controller="project",result="error"} 0+1x60
				controller_runtime_reconcile_total{controller="project",result="success"} 0+99x60`,
				"nothing to do": `controller_runtime_reconcile_total{controller="project",result="error"} 5x60
				controller_runtime_reconcile_total{controller="project",result="success"} 5x60`,
			},
		},
		"FreeholdReconcileSlow": {
			fires: map[string]string{"all take ten seconds": `controller_runtime_reconcile_time_seconds_bucket{controller="project",le="5"} 0x60
				controller_runtime_reconcile_time_seconds_bucket{controller="project",le="10"} 0+9x60
				controller_runtime_reconcile_time_seconds_bucket{controller="project",le="+Inf"} 0+9x60`},
			quiet: map[string]string{"all take a moment": `controller_runtime_reconcile_time_seconds_bucket{controller="project",le="5"} 0+9x60
				controller_runtime_reconcile_time_seconds_bucket{controller="project",le="+Inf"} 0+9x60`},
		},
		"FreeholdWorkStuck": {
			fires: map[string]string{"one never ends": `workqueue_longest_running_processor_seconds{name="project"} 0+60x60`},
			quiet: map[string]string{"each ends": steady(`workqueue_longest_running_processor_seconds{name="project"}`)},
		},
		"FreeholdFoughtOver": {
			fires: map[string]string{"ten a minute": `freehold_restored_total{kind="NetworkPolicy"} 0+10x60`},
			quiet: map[string]string{
				"somebody tried once": `freehold_restored_total{kind="NetworkPolicy"} 0x40 3x20`,
				"nobody ever":         `freehold_writes_total{kind="NetworkPolicy"} 0+10x60`,
			},
		},
		"FreeholdProjectsPullFailing": {
			fires: map[string]string{"all fail": `freehold_projects_pulls_total{result="failed"} 0+1x60
				freehold_projects_pulls_total{result="done"} 4x60`},
			quiet: map[string]string{
				"some fail": `freehold_projects_pulls_total{result="failed"} 0+1x60
				freehold_projects_pulls_total{result="done"} 0+1x60`,
				"nothing is pulled": `freehold_projects_pulls_total{result="failed"} 0x60
				freehold_projects_pulls_total{result="done"} 0x60`,
			},
		},
		"FreeholdPulledProjectsRefused": {
			fires: map[string]string{"a name is somebody's": `freehold_projects_pulled{state="foreign"} 1x60`},
			quiet: map[string]string{"all are in place": `freehold_projects_pulled{state="listed"} 9x60
				freehold_projects_pulled{state="foreign"} 0x60`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, ok := alerts(t)[name]
			if !ok {
				t.Fatal("there is no such alert")
			}
			for reason, series := range cases.fires {
				if !fires(t, r, series, minutes) {
					t.Errorf("it is quiet, though %s", reason)
				}
			}
			for reason, series := range cases.quiet {
				if fires(t, r, series, minutes) {
					t.Errorf("it fires, though %s", reason)
				}
			}
			if len(cases.fires) == 0 || len(cases.quiet) == 0 {
				t.Error("there is no history of both kinds")
			}
			tested[name] = true
		})
	}
	for name := range alerts(t) {
		if !tested[name] {
			t.Errorf("%s has no history", name)
		}
	}
}

var tested = map[string]bool{}

// fires reports whether an alert fires in the last minute: whether its
// expression has had the same answer, label for label, for as long as it says.
func fires(t *testing.T, r rulefmt.Rule, series string, minutes int) bool {
	t.Helper()
	input := "load 1m\n"
	for line := range strings.Lines(series) {
		input += "  " + strings.TrimSpace(line) + "\n"
	}
	store := promqltest.LoadedStorage(t, input)
	defer store.Close()
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 1_000_000)
	end := time.Unix(0, 0).Add(time.Duration(minutes) * time.Minute)
	var held map[string]bool
	for at := end.Add(-time.Duration(r.For)); !at.After(end); at = at.Add(30 * time.Second) {
		q, err := engine.NewInstantQuery(t.Context(), store, nil, r.Expr, at)
		if err != nil {
			t.Fatal(err)
		}
		answer := q.Exec(t.Context())
		v, err := answer.Vector()
		if err != nil {
			t.Fatal(err)
		}
		now := map[string]bool{}
		for _, sample := range v {
			if key := key(sample); held == nil || held[key] {
				now[key] = true
			}
		}
		held = now
		q.Close()
	}
	return len(held) > 0
}

func key(s promql.Sample) string { return s.Metric.String() }
