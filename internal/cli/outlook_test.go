package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/forecast"
	"freehold.dev/freehold/internal/plan"
)

// past is a history in which the first run of every layer took from low to high,
// so many times, and one that changed nothing a tenth of that.
func past(n int, low, high time.Duration) *forecast.Book {
	book := &forecast.Book{}
	for i := range n {
		took := low + time.Duration(i)*(high-low)/time.Duration(max(n-1, 1))
		for _, l := range plan.Layers() {
			book.Add(string(l), forecast.First, took)
			book.Add(string(l), forecast.Same, took/10)
		}
	}
	return book
}

// at is a board of acme's onboard in which the cluster layer runs, and waits for
// the control plane.
func at(o *outlook, op string, start time.Time) *board {
	b := newBoard("acme", "onboard", start)
	b.outlook = o
	for _, e := range []event.Event{
		{Type: event.LayerStarted, Layer: "account", Op: op},
		{Type: event.LayerFinished, Layer: "account"},
		{Type: event.LayerStarted, Layer: "boundary", Op: op},
		{Type: event.LayerFinished, Layer: "boundary"},
		{Type: event.LayerStarted, Layer: "cluster", Op: op, Total: 60},
	} {
		e.Time = start
		b.apply(e)
	}
	return b
}

func create(name string, now time.Time) event.Event {
	return event.Event{Type: event.ResourceStarted, Time: now, Layer: "cluster", URN: name, Op: "create", ResourceType: "aws:eks/cluster:Cluster", ResourceName: name}
}

func TestLinesCompareALayerWithEarlierRuns(t *testing.T) {
	start := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for reason, c := range map[string]struct {
		book    *forecast.Book
		op      string
		changes bool
		after   time.Duration
		want    string
	}{
		"usually":                          {past(20, 8*time.Minute, 12*time.Minute), "create", true, 7*time.Minute + 12*time.Second, `usually 9m54s, p95 11m47s, waiting for create aws:eks/cluster:Cluster "eks" (7m12s)`},
		"past p99, with what it waits for": {past(100, 8*time.Minute, 12*time.Minute), "create", true, 13 * time.Minute, `slower than 99 of 100 (usually 9m59s), waiting for create aws:eks/cluster:Cluster "eks" (13m00s)`},
		"no history":                       {&forecast.Book{}, "create", true, 7 * time.Minute, `no history here yet; AWS and Pulumi users report 10m to 21m, waiting for create aws:eks/cluster:Cluster "eks" (7m00s)`},
		"a layer that is as it should be":  {past(20, 10*time.Minute, 10*time.Minute), "update", false, time.Minute, "usually 1m, p95 1m"},
		"a layer that is changed":          {past(20, 10*time.Minute, 10*time.Minute), "update", true, time.Minute, `no history here yet; EKS users report 21m to 1h00m for a new Kubernetes version, waiting for create aws:eks/cluster:Cluster "eks" (1m00s)`},
		"nothing can be told":              {nil, "create", true, time.Minute, `waiting for create aws:eks/cluster:Cluster "eks" (1m00s)`},
	} {
		now := start
		var out strings.Builder
		var o *outlook
		if c.book != nil {
			o = &outlook{book: c.book}
		}
		l := &lines{w: &out, now: func() time.Time { return now }, board: at(o, c.op, start), last: start}
		if c.changes {
			l.board.apply(create("eks", start))
		}
		now = start.Add(c.after)
		l.tick()
		if _, got, _ := strings.Cut(strings.TrimSpace(out.String()), "resources, "); !strings.HasSuffix(got, ", "+c.want) {
			t.Errorf("%s:\n got %s\nwant …, %s", reason, got, c.want)
		}
	}
}

func TestTheScreenHasTheForecast(t *testing.T) {
	start := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	now := start
	show := func(book *forecast.Book, after time.Duration) string {
		var m tea.Model = model{board: at(&outlook{book: book}, "create", start), now: func() time.Time { return now }, width: 80}
		m, _ = m.Update(create("eks", start))
		now = start.Add(after)
		return draw(m.(model))
	}
	for reason, c := range map[string]struct {
		book  *forecast.Book
		after time.Duration
		want  string
	}{
		"with history": {past(20, 8*time.Minute, 12*time.Minute), 7*time.Minute + 12*time.Second, `acme onboard  7m12s, about 13m left
  ✓ account    no changes                0s
  ✓ boundary   no changes                0s
  ⠋ cluster    0/60 resources            7m12s, usually 9m54s, p95 11m47s
      create aws:eks/cluster:Cluster "eks" (7m12s)
  · bootstrap
`},
		"with none": {&forecast.Book{}, 5*time.Minute + 30*time.Second, `acme onboard  5m30s, more than 10m left by what others report
  ✓ account    no changes                0s
  ✓ boundary   no changes                0s
  ⠋ cluster    0/60 resources            5m30s
      no history here yet; AWS and Pulumi users report 10m to 21m
      create aws:eks/cluster:Cluster "eks" (5m30s)
  · bootstrap
`},
	} {
		if diff := cmp.Diff(c.want, show(c.book, c.after)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
}

// Each org's line has its forecast, the head has that of the whole, and what one
// org's layers took counts for the others at once.
func TestTheScreenOfSeveralHasTheForecast(t *testing.T) {
	m, now := manyAt(t, 140, 24)
	book := past(20, 8*time.Minute, 12*time.Minute)
	for _, r := range m.board.rows {
		r.board.outlook = &outlook{book: book}
	}
	want := `onboard 5 orgs  1m40s  1 ready, 1 failed, 2 running, 1 waiting  about 1h18m left
  ✓ acme      ready, 4 created                    1m05s
  ✗ globex    failed                              9.0s  account: aws:organizations/account:Account "account": create: TooManyRequests
  ⠋ hooli     cluster    0/60 resources           1m31s  cluster 1m28s, usually 9m54s, p95 11m47s  about 38m left
  ⠋ initech   starting                            34s  about 40m left
  · umbrella  waiting, takes about 40m
  ! hooli: cluster: throttled
`
	if diff := cmp.Diff(want, stripped(m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	*now, m.width = now.Add(20*time.Minute), 200
	if got := stripped(m); !strings.Contains(got, `cluster 21m28s, slower than all 20 before (usually 9m54s), waiting for create aws:eks/`) {
		t.Errorf("a late org's line does not say what it waits for:\n%s", got)
	}

	none := &forecast.Book{Elsewhere: true}
	for _, r := range m.board.rows {
		r.board.outlook = &outlook{book: none}
	}
	end := event.Event{Type: event.LayerFinished, Time: *now, Layer: "cluster", Duration: 12 * time.Minute}
	m.board.rows[2].apply(end)
	if got := none.Estimate("cluster", forecast.Same).Runs() + none.Estimate("cluster", forecast.First).Runs(); got != 1 {
		t.Errorf("the others have learned of %d runs", got)
	}
}

func TestAnOperationsLayersAreComparedWithRunsOfTheirKind(t *testing.T) {
	start := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for reason, c := range map[string]struct {
		kind, op string
		made     bool
		touched  bool
		want     forecast.Kind
		does     string
	}{
		"a layer that is not there":          {"onboard", "create", true, true, forecast.First, ""},
		"one that is, as far as it shows":    {"onboard", "update", false, false, forecast.Same, ""},
		"one that is and is changed":         {"projects", "update", false, true, forecast.Change, ""},
		"one that is looked through":         {"onboard", "update", true, true, forecast.Same, "refresh"},
		"one of which something is replaced": {"onboard", "update", true, true, forecast.Change, "replace"},
		"one that has not started and is":    {"onboard", "", true, false, forecast.Same, ""},
		"one that has not started, and not":  {"onboard", "", false, false, forecast.First, ""},
		"one of an org that goes":            {"offboard", "", true, false, forecast.Removal, ""},
		"one that goes, and shows as update": {"offboard", "update", true, true, forecast.Removal, ""},
	} {
		b := newBoard("acme", c.kind, start)
		b.outlook = &outlook{book: &forecast.Book{}, made: map[string]bool{"cluster": c.made}}
		if c.op != "" {
			b.apply(event.Event{Type: event.LayerStarted, Layer: "cluster", Op: c.op, Time: start})
		}
		if c.touched {
			e := create("eks", start)
			if c.does != "" {
				e.Op = c.does
			}
			b.apply(e)
		}
		if got := b.kindOf(b.layer("cluster")); got != c.want {
			t.Errorf("%s: %s, want %s", reason, got, c.want)
		}
	}
}

// remembering is a lifecycle of which only the history is asked.
type remembering struct {
	Lifecycle

	book *forecast.Book
	err  error
	org  event.Status
}

func (k remembering) History(context.Context) (*forecast.Book, error)      { return k.book, k.err }
func (k remembering) Status(context.Context, string) (event.Status, error) { return k.org, nil }
func (k remembering) Events(context.Context, string, string, int64) ([]event.Event, error) {
	return nil, nil
}

func TestTheHistoryIsAskedForWhereSomebodyReadsOfIt(t *testing.T) {
	made := event.Status{Layers: []event.LayerResult{{Layer: "account", State: "done"}, {Layer: "cluster", State: "failed"}}}
	for reason, c := range map[string]struct {
		a    app
		kind string
		err  error
		want bool
	}{
		"on a terminal or in a log":           {app{output: asText}, "onboard", nil, true},
		"beside JSON, on standard error":      {app{output: asJSON}, "offboard", nil, true},
		"not in a stream of events":           {app{output: asNDJSON}, "onboard", nil, false},
		"not for what runs no layer":          {app{output: asText}, "release", nil, false},
		"not where the registry cannot say":   {app{output: asText}, "onboard", errors.New("down"), false},
		"not where nobody may read all orgs'": {app{output: asText, opt: Options{Verbose: true}}, "onboard", errors.New("the caller acts for no such org"), false},
	} {
		var log bytes.Buffer
		a := c.a
		a.log, a.lifecycle = &logWriter{plain: &log}, remembering{book: &forecast.Book{}, err: c.err, org: made}
		o := a.outlook(t.Context(), a.history(t.Context(), c.kind), "acme")
		if (o != nil) != c.want {
			t.Errorf("%s: %+v", reason, o)
		}
		if o != nil {
			if diff := cmp.Diff(map[string]bool{"account": true, "cluster": false}, o.made); diff != "" {
				t.Errorf("%s (-want +got):\n%s", reason, diff)
			}
		}
		if verbose := strings.Contains(log.String(), "there is no forecast"); verbose != a.opt.Verbose {
			t.Errorf("%s: the log has %q", reason, log.String())
		}
	}
}

// The sandbox takes seconds for what AWS takes minutes for.
func TestTheSandboxDoesNotCountWithWhatOthersReportOfAWS(t *testing.T) {
	for cloud, want := range map[string]bool{CloudSandbox: false, CloudAWS: true} {
		a := app{output: asText, opt: Options{Cloud: cloud}, lifecycle: remembering{book: &forecast.Book{}}}
		book := a.history(t.Context(), "onboard")
		e := book.Estimate("cluster", forecast.First)
		if got := e.Left(0).Known; got != want {
			t.Errorf("%s: it counts with what others report: %t", cloud, got)
		}
		if got := e.Say(0); got != "no history here yet; AWS and Pulumi users report 10m to 21m" {
			t.Errorf("%s: %s", cloud, got)
		}
	}
}
