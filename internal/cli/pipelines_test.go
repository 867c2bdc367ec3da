package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// stub is a freehold that writes down how it was called, and says and ends as
// the next line of its plan does. A status of "hang" waits for a signal.
const stub = `#!/bin/sh
echo "freehold $*" >>calls
case $1 in operations)
	if [ "$2" = cancel ]; then exit "${CANCEL:-0}"; fi
	exit 0 ;;
esac
n=$(($(cat count 2>/dev/null || echo 0) + 1))
echo $n >count
line=$(sed -n "${n}p" plan)
status=${line%% *}
printf '%s\n' "${line#* }"
if [ "$status" = hang ]; then
	trap 'echo TERM >>calls; sleep 0.3; exit 1' TERM
	echo started >started
	while :; do sleep 0.05; done
fi
[ "$status" -lt 128 ] || kill -9 $$
exit "$status"
`

// terminal is a terminal event, with more of its data.
func terminal(kind, operation, more string) string {
	return fmt.Sprintf(`{"id":"x","type":"dev.freehold.operation.%s","subject":"acme","data":{"org":"acme","operation":"%s","message":"a \"reason\":\"no\" of it"%s},"org":"acme"}`, kind, operation, more)
}

// pipeline is a folder in which a script of docs/pipelines runs.
type pipeline struct {
	t   *testing.T
	dir string
}

func newPipeline(t *testing.T, plan ...string) pipeline {
	t.Helper()
	p := pipeline{t, t.TempDir()}
	for name, text := range map[string]string{"freehold": stub, "plan": strings.Join(plan, "\n") + "\n"} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o700); err != nil { //nolint:gosec // it is run
			t.Fatal(err)
		}
	}
	return p
}

func (p pipeline) command(script string, env []string, args ...string) *exec.Cmd {
	p.t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "docs", "pipelines", script))
	if err != nil {
		p.t.Fatal(err)
	}
	c := exec.CommandContext(p.t.Context(), "sh", append([]string{path}, args...)...)
	c.Dir = p.dir
	c.Env = append(os.Environ(), append([]string{"PATH=" + p.dir + ":" + os.Getenv("PATH"), "BUSY_PAUSE=0"}, env...)...)
	return c
}

// has is what a file in the folder holds; nothing where there is none.
func (p pipeline) has(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.t.Fatal(err)
	}
	return string(text)
}

func status(t *testing.T, err error) int {
	t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

func TestTheOnboardingScriptBranchesOnEachExitStatus(t *testing.T) {
	const (
		once = "freehold onboard -f acme.yaml --request-id run-1 -o ndjson --sarif f.sarif\n"
		wait = "freehold operations wait acme --timeout 5m\n"
	)
	busy := "5 " + terminal("failed", "", "")
	done := "0 " + terminal("succeeded", "op-1", `,"result":{"org":"acme","policy":[{"exception":{"reason":"old"}}],"retryAt":"never","operation":"op-1"}`)
	for reason, tc := range map[string]struct {
		plan    []string
		env     []string
		exit    int
		calls   string
		outcome string
		says    string
	}{
		"done": {[]string{done}, nil, 0, once, "outcome=ready\norg=acme\noperation=op-1\n", ""},
		"a failure is a failure": {
			[]string{"1 " + terminal("failed", "op-1", "")}, nil, 1, once, "outcome=failed\norg=acme\noperation=op-1\n", "",
		},
		"a policy's block points to the findings": {
			[]string{"3 " + terminal("blocked", "op-1", "")}, nil, 3, once, "outcome=blocked\norg=acme\noperation=op-1\n", "listed above",
		},
		"a wrong document changed nothing": {
			[]string{"4 " + terminal("failed", "", "")}, nil, 4, once, "outcome=invalid\norg=acme\n", "nothing was changed",
		},
		"a held org is waited for and asked for again by the same id": {
			[]string{busy, busy, done}, nil, 0, once + wait + once + wait + once, "outcome=ready\norg=acme\noperation=op-1\n", "attempt 3 of 12",
		},
		"but not for ever": {
			[]string{busy, busy, busy}, []string{"BUSY_TRIES=2"}, 5, once + wait + once, "outcome=busy\norg=acme\n", "still held",
		},
		"what the cloud has to do is no failure, and says when to come back": {
			[]string{"6 " + terminal("pending", "op-1", `,"reason":"account-quota","retryAt":"2026-05-05T12:00:00Z"`)}, nil, 0, once,
			"outcome=pending\norg=acme\noperation=op-1\nreason=account-quota\nretry_at=2026-05-05T12:00:00Z\n", "not before 2026-05-05T12:00:00Z",
		},
		"nobody knows when to come back": {
			[]string{"6 " + terminal("pending", "op-1", "")}, nil, 0, once, "outcome=pending\norg=acme\noperation=op-1\n", "another attempt, later",
		},
		"a pipeline that has a status for pending gets it": {
			[]string{"6 " + terminal("pending", "op-1", "")}, []string{"PENDING_STATUS=6"}, 6, once, "outcome=pending\norg=acme\noperation=op-1\n", "",
		},
		"a process that was killed is gone on with by the next attempt": {
			[]string{`137 {"type":"dev.freehold.operation.started","data":{"org":"acme","operation":"op-1"}}`}, nil, 137, once,
			"outcome=killed\norg=acme\noperation=op-1\n", "the next attempt goes on",
		},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t, tc.plan...)
			c := p.command("onboard.sh", tc.env, "acme.yaml", "run-1", "--sarif", "f.sarif")
			var stderr bytes.Buffer
			c.Stderr = &stderr
			if exit := status(t, c.Run()); exit != tc.exit {
				t.Errorf("exit %d, want %d\n%s", exit, tc.exit, &stderr)
			}
			if d := cmp.Diff(tc.calls, p.has("calls")); d != "" {
				t.Errorf("calls (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.outcome, p.has("onboard.env")); d != "" {
				t.Errorf("outcome (-want +got):\n%s", d)
			}
			if !strings.Contains(stderr.String(), tc.says) {
				t.Errorf("it says %q, want %q", &stderr, tc.says)
			}
			if last := tc.plan[min(len(tc.plan), strings.Count(tc.calls, "onboard"))-1]; p.has("onboard.ndjson") != last[strings.Index(last, " ")+1:]+"\n" {
				t.Errorf("events %q, want those of the last call", p.has("onboard.ndjson"))
			}
		})
	}
}

// A runner signals the script, or its group, and some signal twice.
func TestTheOnboardingScriptHandsOneSignalOnAndWaitsForTheEnd(t *testing.T) {
	p := newPipeline(t, "hang "+terminal("failed", "op-1", ""))
	c := p.command("onboard.sh", nil, "acme.yaml", "run-1")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); p.has("started") == "" && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if exit := status(t, c.Wait()); exit != 1 {
		t.Errorf("exit %d, want freehold's 1", exit)
	}
	if d := cmp.Diff("freehold onboard -f acme.yaml --request-id run-1 -o ndjson\nTERM\n", p.has("calls")); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	if d := cmp.Diff("outcome=cancelled\norg=acme\noperation=op-1\n", p.has("onboard.env")); d != "" {
		t.Errorf("outcome (-want +got):\n%s", d)
	}
}

func TestTheSettlingScriptEndsWhatAKilledJobLeft(t *testing.T) {
	began := `{"type":"dev.freehold.operation.started","data":{"org":"acme","operation":"op-1"}}` + "\n"
	for reason, tc := range map[string]struct {
		events string
		env    []string
		exit   int
		calls  string
	}{
		"it was killed":                    {began + `{"type":"dev.fre`, nil, 0, "freehold operations cancel acme op-1\n"},
		"it had ended":                     {began, []string{"CANCEL=4"}, 0, "freehold operations cancel acme op-1\n"},
		"it cannot be ended":               {began, []string{"CANCEL=1"}, 1, "freehold operations cancel acme op-1\n"},
		"another operation held the org":   {terminal("failed", "", "") + "\n", nil, 0, ""},
		"it was killed before it said any": {"", nil, 0, ""},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t)
			if err := os.WriteFile(filepath.Join(p.dir, "onboard.ndjson"), []byte(tc.events), 0o600); err != nil {
				t.Fatal(err)
			}
			if exit := status(t, p.command("settle.sh", tc.env).Run()); exit != tc.exit {
				t.Errorf("exit %d, want %d", exit, tc.exit)
			}
			if d := cmp.Diff(tc.calls, p.has("calls")); d != "" {
				t.Errorf("calls (-want +got):\n%s", d)
			}
		})
	}
}
