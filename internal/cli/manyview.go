package cli

import (
	"fmt"
	"io"
	"sync"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

// manyView shows the operations of several orgs while they run. Orgs are named by
// their places in the run. Events of different orgs come at the same time, those
// of one org in their order, between its start and its end; an org that was not
// started has an end only.
type manyView interface {
	start(i int)
	event(i int, e event.Event)
	end(i int, r event.OrgOnboarding)
	// say shows what is of no org.
	say(text string)
	close()
}

func (a *app) manyView(sheets []sheet, outlooks []*outlook, places int) manyView {
	names := make([]string, len(sheets))
	for i, s := range sheets {
		names[i] = s.org
	}
	b := newManyBoard(names, places, a.env.Now())
	for i, o := range outlooks {
		b.rows[i].board.outlook = o
	}
	switch {
	case a.output == asNDJSON:
		return &manyEvents{lines: eventLines{w: a.env.Stdout}, stderr: a.env.Stderr}
	case a.env.Terminal:
		return newManyScreen(a.env, a.log, b)
	default:
		return newManyLines(a.env, b, a.opt.Verbose)
	}
}

// manyEvents writes the events of all orgs as they come, one line each.
type manyEvents struct {
	mu     sync.Mutex
	lines  eventLines
	stderr io.Writer
}

func (m *manyEvents) event(_ int, e event.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines.event(e)
}

func (m *manyEvents) say(text string)              { fmt.Fprintf(m.stderr, "freehold: %s\n", text) }
func (m *manyEvents) start(int)                    {}
func (m *manyEvents) end(int, event.OrgOnboarding) {}
func (m *manyEvents) close()                       {}

// manyLines shows the progress of several orgs without a terminal: each org's own
// lines, and where the whole run is whenever an org starts or ends.
type manyLines struct {
	env     Env
	verbose bool

	mu    sync.Mutex
	board *manyBoard
	each  []*lines // nil: not running
}

func newManyLines(env Env, b *manyBoard, verbose bool) *manyLines {
	m := &manyLines{env: env, verbose: verbose, board: b, each: make([]*lines, len(b.rows))}
	m.env.Stderr = &lockedWriter{w: env.Stderr} // its lines come from several orgs
	return m
}

func (m *manyLines) start(i int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row := m.board.start(i, m.env.Now())
	l := newLines(m.env, "onboard", row.org, row.board.outlook, m.verbose)
	m.each[i] = l
	fmt.Fprintf(m.env.Stderr, "%s: started, %d of %d\n", row.org, i+1, len(m.board.rows))
}

func (m *manyLines) event(i int, e event.Event) {
	m.mu.Lock()
	m.board.rows[i].apply(e)
	l := m.each[i]
	m.mu.Unlock()
	if l != nil {
		l.event(e)
	}
}

func (m *manyLines) end(i int, r event.OrgOnboarding) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.each[i]; l != nil {
		l.close()
	}
	row := m.board.end(i, r)
	word, text := row.outcome()
	switch r.State {
	case event.OnboardingNotStarted:
	case event.OnboardingSucceeded:
		word = fmt.Sprintf("%s in %s, %s", word, render.Took(r.Duration), text)
	default:
		word = fmt.Sprintf("%s after %s: %s", word, render.Took(r.Duration), text)
	}
	totals := m.board.totals()
	if left := m.board.left(m.env.Now()).String(); left != "" && m.board.unfinished() {
		totals += "; " + left
	}
	fmt.Fprintf(m.env.Stderr, "%s: %s (%s)\n", row.org, word, totals)
}

func (m *manyLines) say(text string) { fmt.Fprintln(m.env.Stderr, text) }
func (m *manyLines) close()          {}

// lockedWriter writes what comes at the same time one after the other.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
