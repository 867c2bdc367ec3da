package cli

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

// model is what the screen shows: the board, a spinner and the last warnings.
type model struct {
	board    *board
	now      func() time.Time
	width    int
	step     int
	warnings []string
}

// warningsShown are the last warnings that stay on the screen.
const warningsShown = 4

func newModel(kind, org string, now func() time.Time, width int) model {
	return model{board: newBoard(org, kind, now()), now: now, width: width}
}

// Init starts the spinner.
func (m model) Init() tea.Cmd { return nextFrame() }

// Update folds one event, one resize or one frame in.
func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case event.Event:
		m.board.apply(msg)
		if text := warning(msg); text != "" {
			m.warnings = lastWarnings(m.warnings, text)
		}
	case tea.WindowSizeMsg:
		if msg.Width > 0 {
			m.width = msg.Width
		}
	case frameMsg:
		m.step++
		return m, nextFrame()
	}
	return m, nil
}

func warning(e event.Event) string {
	if e.Type != event.Diagnostic && e.Type != event.ResourceFailed {
		return ""
	}
	text := e.Message
	if e.Type == event.ResourceFailed {
		text = resource(e) + " failed: " + cloudsWords(text)
	}
	if e.Layer != "" {
		text = e.Layer + ": " + text
	}
	return strings.Join(strings.Fields(text), " ")
}

// View draws the board. An operation that succeeded leaves no trace: its result,
// which follows on standard output, says the same.
func (m model) View() tea.View {
	var lines []string
	if m.board.ended == nil || m.board.ended.Type != event.OperationSucceeded {
		lines = m.lines()
	}
	return drawing(lines)
}

var (
	faint = lipgloss.NewStyle().Faint(true)
	bold  = lipgloss.NewStyle().Bold(true)
	good  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	bad   = lipgloss.NewStyle().Foreground(lipgloss.Red)
	busy  = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	warn  = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
)

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

func (m model) lines() []string {
	now := m.now()
	head := bold.Render(m.board.org) + " " + m.board.kind + "  " + faint.Render(render.Took(now.Sub(m.board.started)))
	if left := m.board.left(now).String(); left != "" {
		head += faint.Render(", " + left)
	}
	out := []string{head}
	for _, l := range m.board.layers {
		line := m.layerLine(l, now)
		usually := ""
		if l.state == layerRuns {
			usually = m.board.usually(l, now)
		}
		// What does not fit beside the duration is below it.
		below := ansi.StringWidth(line)+len(", "+usually) >= m.width
		if usually != "" && !below {
			line += faint.Render(", " + usually)
		}
		out = append(out, line)
		if usually != "" && below {
			out = append(out, faint.Render("      "+usually))
		}
		if on := l.waitsFor(now); on != "" && l.state == layerRuns {
			out = append(out, faint.Render("      "+on))
		}
	}
	for _, w := range m.warnings {
		out = append(out, warn.Render("  ! "+w))
	}
	// One spare line for the cursor, below everything.
	return cut(append(out, ""), m.width)
}

func (m model) layerLine(l *layerBoard, now time.Time) string {
	mark, text, style := faint.Render("·"), "", lipgloss.NewStyle()
	switch l.state {
	case layerWaits:
	case layerRuns:
		mark = busy.Render(spinner[m.step%len(spinner)])
		text = l.progress()
	case layerDone:
		mark = good.Render("✓")
		text = m.board.outcome(l)
	case layerFailed:
		mark, text, style = bad.Render("✗"), "failed", bad
	}
	line := fmt.Sprintf("  %s %-9s", mark, l.name)
	if l.state == layerWaits {
		return line
	}
	return line + "  " + style.Render(fmt.Sprintf("%-24s", text)) + "  " + faint.Render(render.Took(l.elapsed(now)))
}
