package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
)

func TestATerminalIsToldNothingByWhatIsPrinted(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"a title of the window":          {"\x1b]0;owned\a", `\u001b]0;owned\u0007`},
		"a line that is written over":    {"no drift\rDELETED", `no drift\u000dDELETED`},
		"a character that is taken back": {"bad\b\b\bok", `bad\u0008\u0008\u0008ok`},
		"an eight-bit escape":            {"\u009b31m", `\u009b31m`},
		"a byte that is no character":    {"a\x9b31m", `a\ufffd31m`},
		"a turned direction":             {"user\u202etxt.exe", `user\u202etxt.exe`},
		"a name with what is not seen":   {"ac\u200bme", `ac\u200bme`},
		"a mark beyond the first plane":  {"a\U000e0041", `a\udb40\udc41`},
		"a separator of lines":           {"a\u2028b", `a\u2028b`},
		"what people write":              {"Zürich 東京 ✓ é🙂\n\tnext: …\n", "Zürich 東京 ✓ é🙂\n\tnext: …\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := escape(tc.text); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
			// The same in pieces of a byte.
			var out bytes.Buffer
			w := &escaped{w: &out}
			for i := range len(tc.text) {
				if n, err := w.Write([]byte{tc.text[i]}); n != 1 || err != nil {
					t.Fatal(n, err)
				}
			}
			if out.String() != tc.want {
				t.Errorf("byte by byte %q\nwant %q", out.String(), tc.want)
			}
		})
	}
}

func FuzzAJSONDocumentStaysTheSame(f *testing.F) {
	f.Add("\x1b\u009b\u202e\U000e0041\x00\n")
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var want, got string
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(escape(string(raw))), &got); err != nil || got != want {
			t.Errorf("%q became %q, %v", want, got, err)
		}
	})
}

// owns is a text that gives a terminal's window another title.
const owns = "x\x1b]0;owned\a"

func TestNoCommandPrintsWhatATerminalActsOn(t *testing.T) {
	for name, args := range map[string][]string{
		"a command":  {owns},
		"a flag":     {"status", "--" + owns},
		"a value":    {"status", "acme", "-o", owns},
		"an org":     {"status", owns},
		"a file":     {"onboard", "-f", owns},
		"the cloud":  {"status", "acme"},
		"its events": {"onboard", "-f", owns, "-o", "ndjson"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := Run(t.Context(), args, Env{
				Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Width: func() int { return 80 }, Now: time.Now,
				Getenv: func(name string) string { return map[string]string{"FREEHOLD_HOME": t.TempDir()}[name] },
				Wire: func(context.Context, Options) (Services, error) {
					return Services{}, errors.New("the cloud says " + owns)
				},
			})
			said := stdout.String() + stderr.String()
			if status == 0 || !strings.Contains(said, "]0;owned") {
				t.Errorf("exit %d, and it says %q", status, said)
			}
			if strings.ContainsAny(said, "\x1b\a") {
				t.Errorf("the terminal is told %q", said)
			}
		})
	}
}

func TestADrawingShowsAMessageAndDoesNotFollowIt(t *testing.T) {
	var out bytes.Buffer
	env := Env{Stderr: &escaped{w: &out}, Getenv: func(string) string { return "" }, Now: time.Now, Width: func() int { return 120 }}
	log := &logWriter{plain: env.Stderr}
	s := newScreen(env, log, "onboard", "acme", nil)
	s.event(event.Event{Type: event.LayerStarted, Layer: "account", Time: time.Now()})
	s.event(event.Event{Type: event.Waiting, Layer: "account", Message: "waiting for " + owns, Time: time.Now()})
	if _, err := log.Write([]byte("a log says " + owns + "\n")); err != nil {
		t.Fatal(err)
	}
	s.event(event.Event{Type: event.OperationFailed, Time: time.Now()})
	s.close()
	if n := strings.Count(out.String(), `x\u001b]0;owned`); n < 2 {
		t.Errorf("the message and the line of the log are drawn %d times: %q", n, out.String())
	}
	if strings.Contains(out.String(), "]0;owned\a") {
		t.Errorf("the terminal is told %q", out.String())
	}
}
