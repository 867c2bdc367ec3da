package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

func TestExitCodeIsTheContract(t *testing.T) {
	wrapped := func(err error) error {
		return fmt.Errorf("onboard: %w", &lifecycle.Error{Org: "acme", Err: fmt.Errorf("%w: more", err)})
	}
	for reason, c := range map[string]struct {
		err  error
		want int
	}{
		"nothing went wrong":                    {nil, 0},
		"anything else failed":                  {errors.New("boom"), 1},
		"protection stands in the way":          {wrapped(lifecycle.ErrProtected), 1},
		"the operator stopped it":               {wrapped(lifecycle.ErrCancelled), 1},
		"the context ended":                     {context.Canceled, 1},
		"a result that reports its own failure": {errReported, 1},
		"differences":                           {errDifferent, 2},
		"differences beside a failure":          {&differentError{wrapped(lifecycle.ErrInvalid)}, 2},
		"a policy blocked it":                   {wrapped(lifecycle.ErrBlocked), 3},
		"the spec is wrong":                     {spec.Mistakes{{File: "a.yaml", Line: 1, Column: 1, Problem: "is empty"}}, 4},
		"the request is wrong":                  {wrapped(lifecycle.ErrInvalid), 4},
		"the command line is wrong":             {&usageError{command: "freehold", text: "no"}, 4},
		"another operation holds the org":       {wrapped(lifecycle.ErrBusy), 5},
		"the cloud must act first":              {wrapped(lifecycle.ErrPending), 6},
		"a command run for the user":            {childError{42}, 42},
		"closing fails after a policy blocked":  {errors.Join(wrapped(lifecycle.ErrBlocked), errors.New("close")), 3},
		"closing fails after an org was locked": {errors.Join(wrapped(lifecycle.ErrBusy), errors.New("close")), 5},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%s: exit status %d, want %d", reason, got, c.want)
		}
	}
}

// events are one onboarding, up to a failure, as seconds since its start.
func events(start time.Time) []event.Event {
	at := func(s int, e event.Event) event.Event {
		e.Time, e.Org, e.Kind = start.Add(time.Duration(s)*time.Second), "acme", "onboard"
		return e
	}
	started := func(urn, typ, name string) event.Event {
		return event.Event{Type: event.ResourceStarted, Layer: "cluster", URN: urn, Op: "create", ResourceType: typ, ResourceName: name}
	}
	return []event.Event{
		at(0, event.Event{Type: event.OperationStarted}),
		at(0, event.Event{Type: event.LayerStarted, Layer: "account", Total: 4}),
		at(12, event.Event{Type: event.LayerFinished, Layer: "account", Changes: map[string]int{"create": 4}}),
		at(12, event.Event{Type: event.LayerStarted, Layer: "boundary", Total: 31}),
		at(20, event.Event{Type: event.LayerFinished, Layer: "boundary", Changes: map[string]int{"same": 31}}),
		at(20, event.Event{Type: event.LayerStarted, Layer: "cluster", Total: 60}),
		at(21, started("vpc", "aws:ec2/vpc:Vpc", "vpc")),
		at(23, event.Event{Type: event.ResourceFinished, Layer: "cluster", URN: "vpc"}),
		at(24, started("eks", "aws:eks/cluster:Cluster", "eks")),
		at(25, started("log", "aws:cloudwatch/logGroup:LogGroup", "flow")),
		at(30, event.Event{Type: event.Diagnostic, Layer: "cluster", Message: "throttled, trying\nagain in 2s"}),
	}
}

func draw(m model) string { return drawText(m.View().Content) }

func drawText(view string) string { return ansi.Strip(view) }

func TestScreenShowsLayersWorkAndWarnings(t *testing.T) {
	start := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	now := start
	var m tea.Model = newModel("onboard", "acme", func() time.Time { return now }, 80)
	for _, e := range events(start) {
		m, _ = m.Update(e)
	}
	now = start.Add(65 * time.Second)
	m, again := m.Update(frameMsg{})
	if again == nil {
		t.Error("the spinner stops after one frame")
	}
	want := `acme onboard  1m05s
  ✓ account    4 created                 12s
  ✓ boundary   no changes                8.0s
  ⠙ cluster    1/60 resources            45s
      create aws:eks/cluster:Cluster "eks" (41s) and 1 more
  · bootstrap
  ! cluster: throttled, trying again in 2s
`
	if diff := cmp.Diff(want, draw(m.(model))); diff != "" {
		t.Errorf("while it runs (-want +got):\n%s", diff)
	}

	m, _ = m.Update(event.Event{Type: event.Waiting, Time: now, Layer: "cluster", Message: "the account to be usable: iam"})
	m, _ = m.Update(tea.WindowSizeMsg{Width: 30, Height: 10})
	want = `acme onboard  1m05s
  ✓ account    4 created    …
  ✓ boundary   no changes   …
  ⠙ cluster    1/60 resource…
      the account to be usab…
  · bootstrap
  ! cluster: throttled, tryi…
`
	if diff := cmp.Diff(want, draw(m.(model))); diff != "" {
		t.Errorf("on a narrow terminal (-want +got):\n%s", diff)
	}
	m, _ = m.Update(tea.WindowSizeMsg{Width: 80, Height: 10})

	failed, _ := m.Update(event.Event{Type: event.ResourceFailed, Time: now, Layer: "cluster", URN: "eks", ResourceType: "aws:eks/cluster:Cluster", ResourceName: "eks", Message: "LimitExceededException"})
	failed, _ = failed.Update(event.Event{Type: event.LayerFailed, Time: now, Layer: "cluster"})
	failed, _ = failed.Update(event.Event{Type: event.OperationFailed, Time: now})
	want = `acme onboard  1m05s
  ✓ account    4 created                 12s
  ✓ boundary   no changes                8.0s
  ✗ cluster    failed                    45s
  · bootstrap
  ! cluster: throttled, trying again in 2s
  ! cluster: aws:eks/cluster:Cluster "eks" failed: LimitExceededException
`
	if diff := cmp.Diff(want, draw(failed.(model))); diff != "" {
		t.Errorf("after it failed (-want +got):\n%s", diff)
	}
}

func TestScreenOfASuccessIsEmpty(t *testing.T) {
	m := newModel("onboard", "acme", time.Now, 80)
	m.board.apply(event.Event{Type: event.OperationSucceeded})
	if got := draw(m); got != "" {
		t.Errorf("it leaves %q behind; the result says the same", got)
	}
}

func TestScreenOfOffboardGoesTheOtherWay(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	m := newModel("offboard", "acme", func() time.Time { return now }, 80)
	want := "acme offboard  0s\n  · bootstrap\n  · cluster  \n  · boundary \n  · account  \n"
	if diff := cmp.Diff(want, draw(m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScreenKeepsTheLastWarnings(t *testing.T) {
	var m tea.Model = newModel("onboard", "acme", time.Now, 80)
	for i := range 9 {
		m, _ = m.Update(event.Event{Type: event.Diagnostic, Message: fmt.Sprint("warning ", i)})
	}
	if diff := cmp.Diff([]string{"warning 5", "warning 6", "warning 7", "warning 8"}, m.(model).warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Answers that nobody reads would be typed into the user's shell, and with the
// enhanced keyboard ctrl-c would be no signal.
func TestScreenAsksTheTerminalNothing(t *testing.T) {
	var out bytes.Buffer
	log := &logWriter{plain: &out}
	s := newScreen(Env{Stderr: &out, Getenv: func(string) string { return "" }, Now: time.Now, Width: func() int { return 80 }}, log, "onboard", "acme", nil)
	for _, e := range events(time.Now()) {
		s.event(e)
	}
	fmt.Fprintln(log, "level=WARN above the drawing")
	s.event(event.Event{Type: event.OperationFailed, Time: time.Now()})
	s.close()
	fmt.Fprintln(log, "level=WARN after the drawing")
	shown := ansi.Strip(out.String())
	if !strings.Contains(shown, "acme onboard") || !strings.Contains(shown, "above the drawing") || !strings.HasSuffix(shown, "after the drawing\n") {
		t.Fatalf("something was not shown: %q", out.String())
	}
	for name, request := range map[string]string{
		"kitty keyboard": "\x1b[>", "kitty keyboard flags": "\x1b[=", "kitty keyboard state": "\x1b[?u",
		"modes": "$p", "bracketed paste": "\x1b[?2004", "device": "\x1b[c", "hidden cursor at the end": "\x1b[?25l\x1b[?25l",
	} {
		if strings.Contains(out.String(), request) {
			t.Errorf("%s: %q is in the output %q", name, request, out.String())
		}
	}
}

func TestLinesSayWhatIsWaitedForEveryTenSeconds(t *testing.T) {
	start := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	now := start
	var out strings.Builder
	l := &lines{w: &out, now: func() time.Time { return now }, board: newBoard("acme", "onboard", start), last: start}
	for _, e := range events(start) {
		now = e.Time
		l.event(e)
	}
	for range 25 {
		now = now.Add(time.Second)
		l.tick()
	}
	l.event(event.Event{Type: event.Waiting, Time: now, Layer: "cluster", Message: "quota"})
	for range 10 {
		now = now.Add(time.Second)
		l.tick()
	}
	want := `acme: account: started
acme: account: done in 12s, 4 created
acme: boundary: started
acme: boundary: done in 8.0s, no changes
acme: cluster: started
acme: cluster: throttled, trying
again in 2s
acme: cluster: 1/60 resources, 20s, waiting for create aws:eks/cluster:Cluster "eks" (16s) and 1 more
acme: cluster: 1/60 resources, 30s, waiting for create aws:eks/cluster:Cluster "eks" (26s) and 1 more
acme: cluster: 1/60 resources, 40s, waiting for quota
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAWaitForAResourceIsShownUntilItIsThere(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	b := newBoard("acme", "onboard", now)
	about := event.Event{Time: now, Layer: "cluster", URN: "eks", ResourceType: "aws:eks/cluster:Cluster", ResourceName: "eks", Op: "create"}
	tell := func(typ event.Type, message string) {
		about.Type, about.Message = typ, message
		b.apply(about)
	}
	tell(event.ResourceStarted, "")
	tell(event.Waiting, `waiting for create of aws:eks/cluster:Cluster "eks" until EKS reports the cluster ACTIVE`)
	if got, want := b.layer("cluster").waitsFor(now), `create of aws:eks/cluster:Cluster "eks" until EKS reports the cluster ACTIVE`; got != want {
		t.Errorf("while it waits: %s", got)
	}
	tell(event.ResourceFinished, "")
	if got := b.layer("cluster").waitsFor(now); got != "" {
		t.Errorf("when it is there: %s", got)
	}
}

func TestAnInterruptionSaysHowToStopAtOnce(t *testing.T) {
	for _, format := range []output{asText, asNDJSON} {
		var stdout, stderr bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		a := &app{output: format, env: Env{Stdout: &stdout, Stderr: &stderr, Now: time.Now}}
		announced := make(chan struct{})
		a.env.Stderr = writerFunc(func(p []byte) (int, error) {
			if bytes.Contains(p, []byte("ctrl-c")) {
				defer close(announced)
			}
			return stderr.Write(p)
		})
		err := a.operate(ctx, "onboard", "acme", func(event.Sink) (any, error) {
			cancel()
			<-announced // it is said by itself
			return nil, lifecycle.ErrCancelled
		})
		if !errors.Is(err, lifecycle.ErrCancelled) {
			t.Fatal(err)
		}
		if got := stderr.String(); strings.Count(got, "press ctrl-c again") != 1 {
			t.Errorf("%s: %q does not say how to stop at once", format, got)
		}
		if got := stdout.String(); strings.Contains(got, "ctrl-c") {
			t.Errorf("%s: a program reads what its log does not have: %q", format, got)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestPathsPutValuesWhereTheySay(t *testing.T) {
	type object = map[string]any
	for arg, want := range map[string]any{
		`a=1`:                     object{"a": 1.0, "l": []any{object{"x": "y"}}},
		`a=`:                      object{"a": "", "l": []any{object{"x": "y"}}},
		`a=b=c`:                   object{"a": "b=c", "l": []any{object{"x": "y"}}},
		`a="1"`:                   object{"a": "1", "l": []any{object{"x": "y"}}},
		`a=null`:                  object{"l": []any{object{"x": "y"}}},
		`l[0].x=true`:             object{"a": "b", "l": []any{object{"x": true}}},
		`l[0]=null`:               object{"a": "b", "l": []any{}},
		`l[1].z[0]=1`:             object{"a": "b", "l": []any{object{"x": "y"}, object{"z": []any{1.0}}}},
		`tags["x.y/z=w"]=v`:       object{"a": "b", "l": []any{object{"x": "y"}}, "tags": object{"x.y/z=w": "v"}},
		`n.m.o={"p":[1]}`:         object{"a": "b", "l": []any{object{"x": "y"}}, "n": object{"m": object{"o": object{"p": []any{1.0}}}}},
		`a`:                       "a: want PATH=VALUE",
		`=1`:                      "=1: the path contains an empty name",
		`a..b=1`:                  "a..b=1: the path contains an empty name",
		`[0]=1`:                   "[0]=1: the path starts with an index",
		`a[x]=1`:                  `a[x]=1: "x" is not a valid index`,
		`a["b=1`:                  `a["b=1: [" is not closed by "]`,
		`a[0=1`:                   `a[0=1: [ is not closed by ]`,
		`a["b"]c=1`:               `a["b"]c=1: want PATH=VALUE`,
		`a.b=1`:                   `a.b=1: "b": the parent is not an object`,
		`a[0]=1`:                  `a[0]=1: [0]: the parent is not a list`,
		`l[5]=1`:                  `l[5]=1: [5]: index out of range, the list has 1 items`,
		`l[-1]=1`:                 `l[-1]=1: "-1" is not a valid index`,
		`l[99999999999999999]=1`:  `l[99999999999999999]=1: [99999999999999999]: index out of range, the list has 1 items`,
		`l[999999999999999999999`: `l[999999999999999999999: [ is not closed by ]`,
	} {
		cmd := (&app{}).version()
		properties := object{"a": "b", "l": []any{object{"x": "y"}}}
		sets, err := parseAssignments(cmd, []string{arg})
		if err == nil {
			err = assign(cmd, properties, sets)
		}
		var got any = properties
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", arg, diff)
		}
	}
}

func TestHomeIsInTheUsersDataDirectory(t *testing.T) {
	for reason, c := range map[string]struct {
		env  map[string]string
		goos string
		want string
	}{
		"linux":                    {map[string]string{"HOME": "/u"}, "linux", "/u/.local/share/freehold"},
		"macOS":                    {map[string]string{"HOME": "/u"}, "darwin", "/u/Library/Application Support/freehold"},
		"XDG wins":                 {map[string]string{"HOME": "/u", "XDG_DATA_HOME": "/d"}, "darwin", "/d/freehold"},
		"a relative XDG is no XDG": {map[string]string{"HOME": "/u", "XDG_DATA_HOME": "d"}, "linux", "/u/.local/share/freehold"},
		"nowhere":                  {nil, "linux", ""},
	} {
		if got := defaultHome(func(k string) string { return c.env[k] }, c.goos); got != c.want {
			t.Errorf("%s: %q, want %q", reason, got, c.want)
		}
	}
}

func TestEveryCommandHasAnExampleAndASentence(t *testing.T) {
	a := &app{env: Env{Stdout: io.Discard, Stderr: io.Discard}}
	rest := a.root().Commands()
	for len(rest) > 0 {
		cmd := rest[0]
		rest = append(rest[1:], cmd.Commands()...)
		if cmd.Name() == "help" {
			continue
		}
		if cmd.Example == "" || cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: example %q, short %q", cmd.CommandPath(), cmd.Example, cmd.Short)
		}
	}
}
