package main_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/plan"
)

// The plain pulumi CLI, through Pulumi.yaml at the root, sees what freehold made.
func TestThePlainPulumiCLIRunsALayersStack(t *testing.T) {
	t.Parallel()
	h, _ := onboarded(t)
	states := h.files("state")

	preview := func(layer, settings string) result {
		t.Helper()
		c := h.command(t.Context(), "sandbox", "exec", "--",
			"pulumi", "preview", "--stack", plan.StackName("acme", plan.Layer(layer)), "--config-file", settings, "--expect-no-changes")
		c.Dir = filepath.Join("..", "..")
		return h.finish(c)
	}
	for _, l := range plan.Layers() {
		t.Run("a preview of layer "+string(l)+" shows no changes", func(t *testing.T) {
			r := preview(string(l), "$FREEHOLD_STACKS/acme/"+string(l)+"/Pulumi."+plan.StackName("acme", l)+".yaml")
			if r.code != 0 || !strings.Contains(r.stdout, " unchanged") {
				t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
			}
		})
	}
	t.Run("with other settings it shows what would change", func(t *testing.T) {
		settings, err := os.ReadFile(filepath.Join(h.dir, "sandbox", "stacks", "acme", "boundary", "Pulumi.acme.boundary.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		other := filepath.Join(t.TempDir(), "Pulumi.acme.boundary.yaml")
		if err := os.WriteFile(other, []byte(strings.ReplaceAll(string(settings), "blue", "red")), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := preview("boundary", other); r.code == 0 || !strings.Contains(r.stdout, "to update") {
			t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
		}
	})
	t.Run("a program that fails says why", func(t *testing.T) {
		empty := filepath.Join(t.TempDir(), "Pulumi.acme.boundary.yaml")
		settings, err := os.ReadFile(filepath.Join(h.dir, "sandbox", "stacks", "acme", "boundary", "Pulumi.acme.boundary.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(empty, []byte(strings.ReplaceAll(string(settings), "freehold:in", "freehold:out")), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := preview("boundary", empty); r.code == 0 || !strings.Contains(r.stdout+r.stderr, "freehold:in") {
			t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
		}
	})
	if d := cmp.Diff(states, h.files("state")); d != "" {
		t.Errorf("a preview wrote to the states (-before +after):\n%s", d)
	}
}

func TestExecReturnsTheCommandsStatus(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	for script, want := range map[string]int{
		"exit 0":      0,
		"exit 3":      3,
		"kill -9 $$":  137,
		"kill -15 $$": 143,
	} {
		h.want(want, "sandbox", "exec", "--", "sh", "-c", script)
	}
	if r := h.want(1, "sandbox", "exec", "--", "no-such-command"); !strings.Contains(r.stderr, "no-such-command") {
		t.Errorf("it does not name the command:\n%s", r.stderr)
	}
}

// A passphrase in one shell's environment would be taken for the org's own, and
// a setting for how every org is made.
func TestSettingsOfPulumisInTheEnvironmentAreDroppedAndNamed(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.env = []string{"PULUMI_CONFIG_PASSPHRASE=of-the-shell", "PULUMI_SKIP_CHECKPOINTS=true", "PULUMI_ACCESS_TOKEN=pul-of-the-shell"}
	const named = "PULUMI_CONFIG_PASSPHRASE PULUMI_SKIP_CHECKPOINTS"
	r := h.want(0, "-v", "sandbox", "exec", "--", "sh", "-c", "env")
	if strings.Contains(r.stdout, "PULUMI_CONFIG_PASSPHRASE=") || strings.Contains(r.stdout, "SKIP_CHECKPOINTS") || !strings.Contains(r.stdout, "PULUMI_BACKEND_URL=file://") {
		t.Errorf("the command's environment:\n%s", r.stdout)
	}
	if !strings.Contains(r.stderr, named) || strings.Contains(r.stderr, "of-the-shell") {
		t.Errorf("with -v, want %q and no value:\n%s", named, r.stderr)
	}
	if r := h.want(0, "sandbox", "exec", "--", "true"); strings.Contains(r.stderr, "PULUMI_") {
		t.Errorf("without -v:\n%s", r.stderr)
	}
}

// A signal reaches the command once, whether it was sent to freehold alone or,
// as a shell's job control and CI systems do, to its whole group.
func TestExecHandsEachSignalToTheCommandOnce(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	const script = `n=0; trap 'n=$((n+1)); echo $n' INT; trap 'exit $((10+n))' TERM; echo $$; while :; do sleep 0.05; done`
	for name, to := range map[string]func(pid int) int{
		"to freehold alone": func(pid int) int { return pid },
		"to its group":      func(pid int) int { return -pid },
	} {
		t.Run(name, func(t *testing.T) {
			c := h.command(t.Context(), "sandbox", "exec", "--", "sh", "-c", script)
			c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			stdout, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			said := bufio.NewReader(stdout)
			child := numberOf(t, said)
			// Signals that come close together count as one: that the second of
			// a pair would never arrive is seen by the group.
			if group, err := syscall.Getpgid(child); err != nil || group == c.Process.Pid {
				t.Errorf("the command is in freehold's group, and gets twice what the group gets (%v)", err)
			}
			// Two interrupts, each when the one before has arrived: the second one
			// must not end freehold itself.
			for _, want := range []int{1, 2} {
				if err := syscall.Kill(to(c.Process.Pid), syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
				if got := numberOf(t, said); got != want {
					t.Fatalf("after %d interrupts the command has got %d", want, got)
				}
			}
			if err := syscall.Kill(to(c.Process.Pid), syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			err = c.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 12 {
				t.Errorf("it ended with %v, want exit status 12: two interrupts, then terminated", err)
			}
		})
	}
	t.Run("a hang-up ends both", func(t *testing.T) {
		c := h.command(t.Context(), "sandbox", "exec", "--", "sh", "-c", "echo $$; exec sleep 60")
		stdout, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		child := numberOf(t, bufio.NewReader(stdout))
		if err := errors.Join(c.Process.Signal(syscall.SIGHUP), waitStatus(c.Wait(), 128+1)); err != nil {
			t.Error(err)
		}
		if err := syscall.Kill(child, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d of the command lives on: %v", child, err)
		}
	})
}

// numberOf reads the next line that a command writes, a number.
func numberOf(t *testing.T, said *bufio.Reader) int {
	t.Helper()
	line, err := said.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// waitStatus fails unless err is the exit status that is wanted.
func waitStatus(err error, want int) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == want {
		return nil
	}
	return errors.Join(errors.New("want exit status "+strconv.Itoa(want)), err)
}
