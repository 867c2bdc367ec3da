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

// A set is what there is of one program: files in docs/monitoring, and the page
// that says what to do about its alerts.
type set struct{ metrics, alerts, dashboard, page string }

var sets = map[string]set{
	"the controller": {"metrics.txt", "alerts.yaml", "dashboard.json", "controller.md"},
	"the server":     {"server-metrics.txt", "server-alerts.yaml", "server-dashboard.json", "deploy/README.md"},
}

// each runs a test for each program.
func each(t *testing.T, test func(t *testing.T, s set)) {
	t.Helper()
	for name, s := range sets {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

// A family is what the list says of one metric: its type and its labels.
type family struct {
	kind   string
	labels []string
}

func families(t *testing.T, s set) map[string]family {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "monitoring", s.metrics))
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
			t.Fatalf("%s: %q", s.metrics, line)
		}
		found := family{kind: f[1]}
		if len(f) == 3 {
			found.labels = strings.Split(f[2], ",")
		}
		out[f[0]] = found
	}
	return out
}

func alerts(t *testing.T, s set) map[string]rulefmt.Rule {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "monitoring", s.alerts))
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

func panels(t *testing.T, s set) []panel {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "monitoring", s.dashboard))
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

func TestAlertsAndPanelsAskForWhatIsServed(t *testing.T) { each(t, checkQueries) }

func checkQueries(t *testing.T, s set) {
	known := families(t, s)
	asked := map[string]string{}
	for name, r := range alerts(t, s) {
		asked["alert "+name] = r.Expr
	}
	for _, p := range panels(t, s) {
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
		t.Errorf("%s: no metric %s is served", where, s.Name)
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

func TestEveryAlertSaysWhatItIsAndWhatToDo(t *testing.T) { each(t, checkTexts) }

func checkTexts(t *testing.T, s set) {
	text, err := os.ReadFile(filepath.Join(docs, s.page))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range alerts(t, s) {
		if severity := r.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s is %q, want critical or warning", name, severity)
		}
		for _, a := range []string{"summary", "description"} {
			if r.Annotations[a] == "" {
				t.Errorf("%s has no %s", name, a)
			}
		}
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/%s does not say what to do about %s", s.page, name)
		}
	}
}

func TestPanelsAreTitledAndDoNotOverlap(t *testing.T) { each(t, checkPanels) }

func checkPanels(t *testing.T, s set) {
	all := panels(t, s)
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
	tested := map[string]bool{}
	all := map[string]rulefmt.Rule{}
	for _, s := range sets {
		maps.Copy(all, alerts(t, s))
	}
	cases := map[string]histories{}
	maps.Copy(cases, controllerHistories)
	maps.Copy(cases, serverHistories)
	for name, h := range cases {
		t.Run(name, func(t *testing.T) {
			r, ok := all[name]
			if !ok {
				t.Fatal("there is no such alert")
			}
			for reason, series := range h.fires {
				if !fires(t, r, series, minutes) {
					t.Errorf("it is quiet, though %s", reason)
				}
			}
			for reason, series := range h.quiet {
				if fires(t, r, series, minutes) {
					t.Errorf("it fires, though %s", reason)
				}
			}
			if len(h.fires) == 0 || len(h.quiet) == 0 {
				t.Error("there is no history of both kinds")
			}
			tested[name] = true
		})
	}
	for name := range all {
		if !tested[name] {
			t.Errorf("%s has no history", name)
		}
	}
}

// minutes is how long a history is.
const minutes = 60

func steady(series string) string { return series + " 1x60" }

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
