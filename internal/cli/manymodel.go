package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

// manyScreen draws several running operations on a terminal.
type manyScreen struct{ *screen }

func newManyScreen(env Env, log *logWriter, b *manyBoard) manyScreen {
	return manyScreen{drawn(env, log, newManyModel(b, env.Now, env.Width()))}
}

// What the model is told beside an org's events.
type (
	manyStarted struct{ i int }
	manyEvent   struct {
		i int
		e event.Event
	}
	manyEnded struct {
		i int
		r event.OrgOnboarding
	}
	manySaid string
)

func (s manyScreen) start(i int)                      { s.program.Send(manyStarted{i}) }
func (s manyScreen) event(i int, e event.Event)       { s.program.Send(manyEvent{i, e}) }
func (s manyScreen) end(i int, r event.OrgOnboarding) { s.program.Send(manyEnded{i, r}) }
func (s manyScreen) say(text string)                  { s.program.Send(manySaid(text)) }

// manyModel is what the screen shows of several orgs: the totals, one line for
// each org, and the last warnings.
type manyModel struct {
	board         *manyBoard
	now           func() time.Time
	width, height int
	step          int
	warnings      []string
}

// usualHeight is a terminal's, where it does not say.
const usualHeight = 24

func newManyModel(b *manyBoard, now func() time.Time, width int) manyModel {
	return manyModel{board: b, now: now, width: width, height: usualHeight}
}

// Init starts the spinner.
func (m manyModel) Init() tea.Cmd { return nextFrame() }

// Update folds one message in.
func (m manyModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case manyStarted:
		m.board.start(msg.i, m.now())
	case manyEvent:
		row := m.board.rows[msg.i]
		row.apply(msg.e)
		if text := warning(msg.e); text != "" {
			m.warnings = lastWarnings(m.warnings, row.org+": "+text)
		}
	case manyEnded:
		m.board.end(msg.i, msg.r)
	case manySaid:
		m.warnings = lastWarnings(m.warnings, string(msg))
	case tea.WindowSizeMsg:
		if msg.Width > 0 {
			m.width = msg.Width
		}
		if msg.Height > 0 {
			m.height = msg.Height
		}
	case frameMsg:
		m.step++
		return m, nextFrame()
	}
	return m, nil
}

// View draws the board. When all have ended it leaves no trace: the result, which
// follows on standard output, and the errors say the same.
func (m manyModel) View() tea.View {
	var lines []string
	if m.board.unfinished() {
		lines = m.lines()
	}
	return drawing(lines)
}

func (m manyModel) lines() []string {
	now := m.now()
	n := len(m.board.rows)
	orgs := "orgs"
	if n == 1 {
		orgs = "org"
	}
	head := bold.Render(fmt.Sprintf("onboard %d %s", n, orgs)) + "  " + faint.Render(render.Took(now.Sub(m.board.started))) + "  " + m.board.totals()
	if left := m.board.left(now).String(); left != "" {
		head += "  " + faint.Render(left)
	}
	out := []string{head}
	// Beside the rows there are the head, the warnings and the line for the cursor.
	shown, hidden := m.board.fitting(m.height - 2 - len(m.warnings))
	wide := 0
	for _, r := range shown {
		wide = max(wide, len(r.org))
	}
	for _, r := range shown {
		out = append(out, m.rowLine(r, wide, now))
	}
	if hidden != "" {
		out = append(out, faint.Render("    "+hidden))
	}
	for _, w := range m.warnings {
		out = append(out, warn.Render("  ! "+w))
	}
	return cut(append(out, ""), m.width)
}

// rowLine is one org: its state, its layer, how long it has been running, and the
// forecast.
func (m manyModel) rowLine(r *manyRow, wide int, now time.Time) string {
	line := func(mark, text, took string) string {
		if took == "" {
			return fmt.Sprintf("  %s %-*s  %s", mark, wide, r.org, text)
		}
		return fmt.Sprintf("  %s %-*s  %-34s  %s", mark, wide, r.org, text, faint.Render(took))
	}
	switch {
	case r.waits():
		text := "waiting"
		if about := r.board.left(now).About(); about != "" {
			text += ", takes " + about
		}
		return line(faint.Render("·"), text, "")
	case r.runs():
		text := "starting"
		if l := r.layer(); l != nil {
			text = fmt.Sprintf("%-9s  %s", l.name, l.progress())
		}
		return line(busy.Render(spinner[m.step%len(spinner)]), text, render.Took(now.Sub(r.started))) + faint.Render(r.outlook(now))
	}
	mark, took := good.Render("✓"), render.Took(r.ended.Duration)
	word, text := r.outcome()
	switch r.ended.State {
	case event.OnboardingSucceeded:
	case event.OnboardingNotStarted:
		mark, took = faint.Render("·"), ""
	default:
		mark = bad.Render("✗")
		return line(mark, word, took) + "  " + text
	}
	return line(mark, strings.TrimSuffix(word+", "+text, ", "), took)
}

// fitting are the rows that fit into so many lines, in the order of the orgs, and
// in words how many do not. What runs is shown first, then what did not end well,
// then what waits, and last what is ready.
func (b *manyBoard) fitting(lines int) (shown []*manyRow, hidden string) {
	if len(b.rows) <= max(lines, 1) {
		return b.rows, ""
	}
	rank := func(r *manyRow) int {
		switch {
		case r.runs():
			return 0
		case r.waits():
			return 2
		case r.ended.State == event.OnboardingSucceeded:
			return 3
		default:
			return 1
		}
	}
	order := slices.Clone(b.rows)
	slices.SortStableFunc(order, func(a, b *manyRow) int { return rank(a) - rank(b) })
	room := max(lines-1, 1) // one line says what is hidden
	keep := order[:room]
	rest := &manyBoard{rows: order[room:]}
	for _, r := range b.rows {
		if slices.Contains(keep, r) {
			shown = append(shown, r)
		}
	}
	return shown, "and " + rest.totals()
}

// cut makes lines fit the terminal's width.
func cut(lines []string, width int) []string {
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, max(width-1, 20), "…")
	}
	return lines
}

// drawing is a view of lines, the last of which is for the cursor. The cursor
// stays visible, so that a killed process does not leave the terminal without one.
func drawing(lines []string) tea.View {
	v := tea.NewView(strings.Join(lines, "\n"))
	v.DisableBracketedPasteMode = true
	v.Cursor = tea.NewCursor(0, max(len(lines)-1, 0))
	return v
}

func lastWarnings(all []string, one string) []string {
	all = append(all, one)
	return all[max(len(all)-warningsShown, 0):]
}
