package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

// slow onboards orgs in the time that each takes, and ends as each ends.
type slow struct {
	takes map[string]time.Duration
	ends  map[string]error

	mu      sync.Mutex
	started []string // "acme at 0s"
	began   time.Time
	running int
	most    int
}

func (s *slow) Plan(context.Context, spec.Spec, lifecycle.PlanOptions, event.Sink) (event.Plan, error) {
	return event.Plan{}, errors.New("nobody asked for a plan")
}

func (s *slow) Onboard(ctx context.Context, doc spec.Spec, _ lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error) {
	s.mu.Lock()
	s.started = append(s.started, fmt.Sprintf("%s at %s", doc.Org, time.Since(s.began)))
	s.running++
	s.most = max(s.most, s.running)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.running--
		s.mu.Unlock()
	}()
	seq := int64(0)
	emit := func(e event.Event) {
		seq++
		e.Org, e.Operation, e.Kind, e.Seq, e.Time = doc.Org, "op-"+doc.Org, "onboard", seq, time.Now()
		sink(e)
	}
	out := event.Onboarding{Org: doc.Org, Operation: "op-" + doc.Org}
	emit(event.Event{Type: event.OperationStarted})
	emit(event.Event{Type: event.LayerStarted, Layer: "account"})
	err := s.ends[doc.Org]
	select {
	case <-time.After(s.takes[doc.Org]):
		emit(event.Event{Type: event.LayerFinished, Layer: "account", Changes: map[string]int{"create": 4}})
	case <-ctx.Done():
		time.Sleep(time.Second) // the current step
		err = &lifecycle.Error{Org: doc.Org, Err: fmt.Errorf("%w: interrupted", lifecycle.ErrCancelled)}
	}
	emit(event.Event{Type: terminalType(err)})
	return out, err
}

// runMany runs orgs, so many at a time, and returns the run and what was written.
func runMany(ctx context.Context, s *slow, format output, places int, orgs ...string) (m *many, stdout, stderr string) {
	var out, errs bytes.Buffer
	a := &app{output: format, env: Env{Stdout: &out, Stderr: &errs, Now: time.Now}}
	m = &many{
		app: a, onboards: s, places: places,
		results: make([]event.OrgOnboarding, len(orgs)), errs: make([]error, len(orgs)),
	}
	for _, org := range orgs {
		m.sheets = append(m.sheets, sheet{org: org, spec: spec.Spec{Org: org}, document: document{name: org + ".yaml"}})
	}
	s.began = time.Now()
	m.view = a.manyView(m.sheets, nil, places)
	m.run(ctx)
	return m, out.String(), errs.String()
}

func states(m *many) map[string]event.OnboardingState {
	out := map[string]event.OnboardingState{}
	for _, r := range m.results {
		out[r.Org] = r.State
	}
	return out
}

// The next org begins as soon as any place is free, in the order of the names:
// one that takes for ever costs its own place and no other, and one that fails
// costs nothing.
func TestOrgsShareThePlacesInTheOrderOfTheirNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{
			takes: map[string]time.Duration{
				"a": time.Hour, "b": 10 * time.Second, "c": 20 * time.Second, "d": 5 * time.Second, "e": 5 * time.Second, "f": time.Second, "g": time.Second,
			},
			ends: map[string]error{"b": errors.New("boom"), "e": lifecycle.ErrPending},
		}
		m, _, _ := runMany(t.Context(), s, asText, 3, "a", "b", "c", "d", "e", "f", "g")
		slices.Sort(s.started) // three begin at once
		want := []string{"a at 0s", "b at 0s", "c at 0s", "d at 10s", "e at 15s", "f at 20s", "g at 20s"}
		if diff := cmp.Diff(want, s.started); diff != "" {
			t.Errorf("starts (-want +got):\n%s", diff)
		}
		if s.most != 3 {
			t.Errorf("%d ran at the same time, want 3", s.most)
		}
		if took := time.Since(s.began); took != time.Hour {
			t.Errorf("all took %s, want the hour of the longest", took)
		}
		wantStates := map[string]event.OnboardingState{
			"a": "succeeded", "b": "failed", "c": "succeeded", "d": "succeeded", "e": "pending", "f": "succeeded", "g": "succeeded",
		}
		if diff := cmp.Diff(wantStates, states(m)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := exitCode(m.verdict()); got != exitFailed {
			t.Errorf("exit status %d", got)
		}
	})
}

func TestOneAtATimeIsInTheOrderOfTheNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: map[string]time.Duration{"a": time.Second, "b": time.Second, "c": time.Second}}
		runMany(t.Context(), s, asText, 1, "a", "b", "c")
		if diff := cmp.Diff([]string{"a at 0s", "b at 1s", "c at 2s"}, s.started); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Ctrl-C lets the running steps finish, begins no other org, and leaves each org
// with its one terminal event, which says whether it was started.
func TestAnInterruptionEndsAllInOrder(t *testing.T) {
	for _, format := range []output{asText, asNDJSON} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := &slow{takes: map[string]time.Duration{"a": time.Second, "b": time.Hour, "c": time.Hour, "d": time.Hour}}
			time.AfterFunc(time.Minute, cancel)
			m, stdout, stderr := runMany(ctx, s, format, 2, "a", "b", "c", "d", "e")
			if took := time.Since(s.began); took != time.Minute+time.Second {
				t.Errorf("it ended after %s", took)
			}
			want := map[string]event.OnboardingState{"a": "succeeded", "b": "failed", "c": "failed", "d": "not-started", "e": "not-started"}
			if diff := cmp.Diff(want, states(m)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if n := strings.Count(stderr, stopping); n != 1 {
				t.Errorf("how to stop at once is said %d times: %s", n, stderr)
			}
			if format == asNDJSON {
				checkStream(t, stdout, "a", "b", "c", "d", "e")
			}
			err := m.verdict()
			if exitCode(err) != exitFailed || !errors.Is(err, lifecycle.ErrCancelled) {
				t.Errorf("verdict %v", err)
			}
			var printed bytes.Buffer
			printError(&printed, err, false)
			wantPrinted := `freehold: b: cancelled: interrupted
next: run the same command again; it continues where it stopped
freehold: c: cancelled: interrupted
next: run the same command again; it continues where it stopped
freehold: cancelled: not started: d, e
next: run the same command again; it changes nothing in the orgs that are ready
`
			if diff := cmp.Diff(wantPrinted, printed.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// checkStream wants of each org its events in their order and one terminal event, the last.
func checkStream(t *testing.T, stdout string, orgs ...string) {
	t.Helper()
	last := map[string]event.Event{}
	for line := range strings.Lines(stdout) {
		var e struct{ Data event.Event }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		before, seen := last[e.Data.Org]
		if before.Type.Terminal() || seen && e.Data.Seq != before.Seq+1 || !slices.Contains(orgs, e.Data.Org) {
			t.Errorf("%s after %+v", line, before)
		}
		last[e.Data.Org] = e.Data
	}
	for _, org := range orgs {
		if !last[org].Type.Terminal() {
			t.Errorf("the last event of %s is %+v", org, last[org])
		}
	}
}

func TestEventsOfAllOrgsAreInOneStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		takes := map[string]time.Duration{}
		var orgs []string
		for i := range 40 {
			org := fmt.Sprintf("org-%02d", i)
			orgs, takes[org] = append(orgs, org), time.Duration(i%7)*time.Second
		}
		_, stdout, stderr := runMany(t.Context(), &slow{takes: takes}, asNDJSON, 16, orgs...)
		checkStream(t, stdout, orgs...)
		if stderr != "" {
			t.Errorf("beside the stream: %q", stderr)
		}
	})
}

func TestTheExitStatusOfSeveralIsTheWorst(t *testing.T) {
	of := map[int]error{
		0: nil, 1: errors.New("boom"), 3: lifecycle.ErrBlocked, 4: lifecycle.ErrInvalid, 5: lifecycle.ErrBusy, 6: lifecycle.ErrPending,
	}
	for want, statuses := range map[int][][]int{
		0: {{0}, {0, 0, 0}},
		1: {{1}, {1, 0}, {0, 6, 5, 4, 3, 1}, {1, 3}, {4, 1}},
		3: {{3}, {0, 3, 0}, {3, 5}, {6, 3}},
		4: {{4}, {4, 3}, {0, 4}, {6, 5, 4}},
		5: {{5}, {5, 6}, {6, 0, 5}},
		6: {{6}, {0, 6}},
	} {
		for _, all := range statuses {
			m := &many{results: make([]event.OrgOnboarding, len(all))}
			for _, s := range all {
				m.errs = append(m.errs, of[s])
			}
			if got := exitCode(m.verdict()); got != want {
				t.Errorf("of %v: exit status %d, want %d", all, got, want)
			}
			if got := exitCode(errors.Join(m.verdict(), nil)); got != want {
				t.Errorf("of %v, after closing: exit status %d, want %d", all, got, want)
			}
		}
	}
	if got := worse(99, exitInvalid); got != 99 {
		t.Errorf("a status that nobody knows is not the worst, but %d", got)
	}
}

// manyAt is a run over five orgs after a while: one ready, one failed, two
// running, one waiting.
func manyAt(t *testing.T, width, height int) (manyModel, *time.Time) {
	t.Helper()
	start := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	now := start
	var m tea.Model = newManyModel(newManyBoard([]string{"acme", "globex", "hooli", "initech", "umbrella"}, 2, start), func() time.Time { return now }, width)
	send := func(s int, msg tea.Msg) {
		now = start.Add(time.Duration(s) * time.Second)
		if e, ok := msg.(manyEvent); ok {
			e.e.Time = now
			msg = e
		}
		m, _ = m.Update(msg)
	}
	send(0, tea.WindowSizeMsg{Width: width, Height: height})
	send(0, manyStarted{0})
	send(0, manyStarted{1})
	send(0, manyEvent{0, event.Event{Type: event.LayerStarted, Layer: "account", Total: 4}})
	send(5, manyEvent{0, event.Event{Type: event.LayerFinished, Layer: "account", Changes: map[string]int{"create": 4}}})
	send(5, manyEvent{1, event.Event{Type: event.LayerStarted, Layer: "account"}})
	send(9, manyEvent{1, event.Event{Type: event.LayerFailed, Layer: "account"}})
	send(9, manyEnded{1, event.OrgOnboarding{
		Org: "globex", State: event.OnboardingFailed, Exit: 1, Duration: 9 * time.Second, Error: `globex: account: aws:organizations/account:Account "account": create: TooManyRequests`,
	}})
	send(9, manyStarted{2})
	send(12, manyEvent{2, event.Event{Type: event.LayerStarted, Layer: "cluster", Total: 60}})
	send(30, manyEvent{2, event.Event{Type: event.ResourceStarted, Layer: "cluster", URN: "eks", Op: "create", ResourceType: "aws:eks/cluster:Cluster", ResourceName: "eks"}})
	send(31, manyEvent{2, event.Event{Type: event.Diagnostic, Layer: "cluster", Message: "throttled"}})
	send(65, manyEnded{0, event.OrgOnboarding{Org: "acme", State: event.OnboardingSucceeded, Duration: 65 * time.Second}})
	send(66, manyStarted{3})
	now = start.Add(100 * time.Second)
	return m.(manyModel), &now
}

func TestTheScreenHasOneLineForEachOrg(t *testing.T) {
	m, _ := manyAt(t, 120, 24)
	want := `onboard 5 orgs  1m40s  1 ready, 1 failed, 2 running, 1 waiting
  ✓ acme      ready, 4 created                    1m05s
  ✗ globex    failed                              9.0s  account: aws:organizations/account:Account "account": create: …
  ⠋ hooli     cluster    0/60 resources           1m31s
  ⠋ initech   starting                            34s
  · umbrella  waiting
  ! hooli: cluster: throttled
`
	if diff := cmp.Diff(want, stripped(m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A terminal has fewer lines than a fleet has orgs: what runs stays in sight.
func TestTheScreenFitsTheTerminal(t *testing.T) {
	m, _ := manyAt(t, 60, 6)
	want := `onboard 5 orgs  1m40s  1 ready, 1 failed, 2 running, 1 wai…
  ⠋ hooli    cluster    0/60 resources           1m31s
  ⠋ initech  starting                            34s
    and 1 ready, 1 failed, 1 waiting
  ! hooli: cluster: throttled
`
	if diff := cmp.Diff(want, stripped(m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for height := range 9 {
		small, _ := manyAt(t, 60, height)
		if lines := strings.Count(stripped(small), "\n") + 1; height >= 5 && lines > height {
			t.Errorf("%d lines on a terminal of %d", lines, height)
		}
	}
}

func TestTheScreenOfEndedOrgsIsEmpty(t *testing.T) {
	m, _ := manyAt(t, 80, 24)
	var model tea.Model = m
	for _, i := range []int{2, 3, 4} {
		model, _ = model.Update(manyEnded{i, event.OrgOnboarding{State: event.OnboardingNotStarted}})
	}
	if got := stripped(model.(manyModel)); got != "" {
		t.Errorf("it leaves %q behind; the result says the same", got)
	}
}

// The views that follow a run are told of every org that was started and ended,
// from several goroutines, and of an interruption.
func TestTheScreenIsDrawnFromSeveralGoroutines(t *testing.T) {
	var out bytes.Buffer
	env := Env{Stderr: &out, Getenv: func(string) string { return "" }, Now: time.Now, Width: func() int { return 80 }}
	log := &logWriter{plain: &out}
	s := newManyScreen(env, log, newManyBoard([]string{"acme", "globex"}, 2, time.Now()))
	var running sync.WaitGroup
	for i := range 2 {
		running.Go(func() {
			s.start(i)
			s.event(i, event.Event{Type: event.LayerStarted, Layer: "account", Time: time.Now()})
		})
	}
	running.Wait()
	s.say(stopping)
	fmt.Fprintln(log, "level=WARN above the drawing")
	time.Sleep(2 * frame)
	for i := range 2 {
		s.end(i, event.OrgOnboarding{State: event.OnboardingSucceeded})
	}
	s.close()
	for _, want := range []string{"onboard 2 orgs", "account", "press ctrl-c again", "above the drawing"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q was not shown: %q", want, out.String())
		}
	}
}

func stripped(m manyModel) string { return drawText(m.View().Content) }
