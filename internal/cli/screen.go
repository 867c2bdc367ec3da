package cli

import (
	"io"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"freehold.dev/freehold/internal/event"
)

// screen draws a running operation on a terminal. It reads no keys: the terminal
// stays in its normal mode, so ctrl-c still sends a signal and a killed process
// leaves nothing to repair.
type screen struct {
	program *tea.Program
	log     *logWriter
	ended   chan struct{}
}

// newScreen starts to draw. Logs are written above the drawing meanwhile.
func newScreen(env Env, log *logWriter, kind, org string, o *outlook) *screen {
	m := newModel(kind, org, env.Now, env.Width())
	m.board.outlook = o
	return drawn(env, log, m)
}

// drawn starts to draw a model.
func drawn(env Env, log *logWriter, m tea.Model) *screen {
	s := &screen{
		program: tea.NewProgram(m,
			tea.WithInput(nil),
			tea.WithOutput(silent(unescaped(env.Stderr))),
			tea.WithEnvironment(environment(env.Getenv)),
			tea.WithWindowSize(env.Width(), usualHeight), // where the output is not a file
			tea.WithoutSignalHandler(),
		),
		log:   log,
		ended: make(chan struct{}),
	}
	log.drawn(func(line string) { s.program.Send(tea.Println(escape(line))()) })
	go func() {
		defer close(s.ended)
		// A terminal that cannot be drawn on must not stop an onboarding.
		_, _ = s.program.Run()
	}()
	return s
}

func (s *screen) event(e event.Event) { s.program.Send(e) }

func (s *screen) close() {
	s.log.drawn(nil)
	s.program.Quit()
	<-s.ended
}

// environment passes on the variables that control colors.
func environment(getenv func(string) string) []string {
	var env []string
	for _, name := range []string{"TERM", "COLORTERM", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TMUX"} {
		if v := getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// keyboard are the requests that Bubble Tea makes for programs that read keys.
// Nobody would read the terminal's answers, which would end up on the shell's
// command line, and the enhanced keyboard would stop ctrl-c from sending a
// signal. The user's cursor is left unchanged too.
var keyboard = strings.NewReplacer(
	ansi.SetModifyOtherKeys2, "",
	ansi.ResetModifyOtherKeys, "",
	ansi.KittyKeyboard(1, 1), "",
	ansi.KittyKeyboard(0, 1), "",
	ansi.RequestKittyKeyboard, "",
	ansi.RequestModeSynchronizedOutput, "",
	ansi.RequestModeUnicodeCore, "",
	ansi.SetCursorStyle(0), "",
	ansi.SetCursorStyle(1), "",
)

// silent returns w without those requests. A file stays a file: Bubble Tea needs
// one to recognize a terminal and its size.
func silent(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok {
		return silentFile{f}
	}
	return silentWriter{w}
}

type silentFile struct{ *os.File }

func (f silentFile) Write(p []byte) (int, error) {
	_, err := keyboard.WriteString(f.File, string(p))
	return len(p), err
}

// WriteString keeps io.WriteString from going round Write.
func (f silentFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

type silentWriter struct{ io.Writer }

func (w silentWriter) Write(p []byte) (int, error) {
	_, err := keyboard.WriteString(w.Writer, string(p))
	return len(p), err
}

// frame is the time between two steps of the spinner.
const frame = 120 * time.Millisecond

type frameMsg struct{}

func nextFrame() tea.Cmd {
	return tea.Tick(frame, func(time.Time) tea.Msg { return frameMsg{} })
}
