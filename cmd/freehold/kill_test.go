package main_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
)

// kills is how many random moments are tried. FREEHOLD_TEST_KILLS sets another number.
func kills(t *testing.T) int {
	if s := os.Getenv("FREEHOLD_TEST_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 20
}

// Each round onboards a new org, is killed with -9 at a random moment, and is
// run again: it must end as an undisturbed run does, with nothing made twice
// and nobody unlocking anything.
func TestAKilledOnboardEndsAsAnUndisturbedOne(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	calm := decode[event.Onboarding](t, h.want(0, "onboard", "-f", h.spec("k00", twoProjects), "-o", "json",
		"--quota", "organizations:accounts=50"))
	want := h.inventory("k00", calm.DataPlane.AccountID)
	h.want(0, "sandbox", "stop", "k00")

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, an undisturbed run takes %s", seed, calm.Duration.Round(time.Millisecond))
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // moments, not secrets
	for i := range kills(t) {
		org := fmt.Sprintf("k%02d", i+1)
		// Evenly over the run, so that each layer has its share.
		at := time.Duration((float64(i) + random.Float64()) / float64(kills(t)) * float64(calm.Duration))
		t.Run(fmt.Sprintf("%s killed after %s", org, at.Round(time.Millisecond)), func(t *testing.T) {
			h := home{t: t, dir: h.dir}
			file := h.spec(org, twoProjects)
			killed := h.killed(at, "onboard", "-f", file)
			events := h.want(0, "onboard", "-f", file, "-o", "ndjson").stdout
			if n := strings.Count(events, `"dev.freehold.operation.succeeded"`); n != 1 {
				t.Errorf("the run after the kill sent %d succeeded events, want 1", n)
			}
			// The killed operation's own terminal event, unless it was killed
			// before it began or after it had ended.
			if n := strings.Count(events, `"dev.freehold.operation.failed"`); n > 1 {
				t.Errorf("%d operations were ended for the killed one", n)
			}
			if diff := cmp.Diff(want, h.inventory(org, accountOf(t, h, org))); diff != "" {
				t.Errorf("killed in the middle of %q it ends otherwise (-undisturbed +this):\n%s", killed, diff)
			}
			if twice := h.madeTwice(); len(twice) > 0 {
				t.Errorf("made twice: %v", twice)
			}
			if r := h.run("drift", org); r.code != 0 {
				t.Errorf("drift after it: exit %d\n%s%s", r.code, r.stdout, r.stderr)
			}
			h.want(0, "sandbox", "stop", org)
		})
	}
}

// killed starts freehold, kills it with -9 after a while, and returns the last
// line that it had written.
func (h home) killed(after time.Duration, args ...string) string {
	h.t.Helper()
	c := h.command(h.t.Context(), args...)
	var out strings.Builder
	c.Stderr = &out
	if err := c.Start(); err != nil {
		h.t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = c.Process.Signal(syscall.SIGKILL) })
	defer timer.Stop()
	_ = c.Wait()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return lines[len(lines)-1]
}

// killedWhen starts freehold, and kills it with -9 as soon as it says something.
func (h home) killedWhen(said string, args ...string) {
	h.t.Helper()
	c := h.command(h.t.Context(), args...)
	progress, err := c.StderrPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		h.t.Fatal(err)
	}
	lines := bufio.NewScanner(progress)
	for lines.Scan() {
		if strings.Contains(lines.Text(), said) {
			_ = c.Process.Signal(syscall.SIGKILL)
			_ = c.Wait()
			return
		}
	}
	h.t.Fatalf("freehold %v never said %q: %v", args, said, c.Wait())
}

func TestASecondOnboardOfTheSameOrgIsRefusedWhileTheFirstRuns(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := h.spec("acme", twoProjects)
	first := h.command(t.Context(), "onboard", "-f", file, "--latency", "realistic/600")
	progress, err := first.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(progress)
	if !lines.Scan() {
		t.Fatalf("the first run said nothing: %v", lines.Err())
	}
	r := h.want(5, "onboard", "-f", file)
	if !strings.Contains(r.stderr, "acme") || !strings.Contains(r.stderr, "next:") {
		t.Errorf("it does not say what to do:\n%s", r.stderr)
	}
	// Reading is not refused: status and drift hold nothing.
	h.want(0, "status", "acme")
	h.run("drift", "acme")
	for lines.Scan() {
		t.Log(lines.Text())
	}
	if err := first.Wait(); err != nil {
		t.Errorf("the first: %v", err)
	}
	h.want(0, "drift", "acme")
}

func TestAnInterruptLetsTheCurrentStepFinishAndTheNextRunGoesOn(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := h.spec("acme", twoProjects)
	c := h.command(t.Context(), "onboard", "-f", file, "--latency", "realistic/600")
	var out strings.Builder
	c.Stderr = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * time.Second)
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	var exit *exec.ExitError
	if !asExit(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("interrupted: %v, want exit 1\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "cancelled") {
		t.Errorf("it does not say that it was cancelled:\n%s", out.String())
	}
	h.want(0, "onboard", "-f", file)
	if twice := h.madeTwice(); len(twice) > 0 {
		t.Errorf("made twice: %v", twice)
	}
}
