package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
)

// number reads a number from the environment, or returns what holds without it.
func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// Each round onboards a new org, is killed with -9 at a random event, and is
// run again: it must end as an undisturbed run does, with nothing made twice
// and nobody unlocking anything. In every other round the run after the kill is
// killed, too. Rounds run beside each other, as orgs do.
//
// FREEHOLD_TEST_KILLS sets another number of kills, and FREEHOLD_TEST_SEED
// draws the moments of an earlier run again.
func TestAKilledOnboardEndsAsAnUndisturbedOne(t *testing.T) {
	t.Parallel()
	rounds := roundsOf(int(number(t, "FREEHOLD_TEST_KILLS", 20)))
	seed := number(t, "FREEHOLD_TEST_SEED", uint64(time.Now().UnixNano()))

	h := newHome(t)
	calm := decodeEvents(t, h.want(0, "onboard", "-f", h.spec("k00", twoProjects), "-o", "ndjson",
		"--quota", "organizations:accounts=100"))
	want := h.inventory("k00", accountOf(t, h, "k00"))
	h.want(0, "sandbox", "stop", "k00")
	// After the terminal event there is nothing to disturb.
	events := len(calm) - 1
	t.Logf("FREEHOLD_TEST_SEED=%d, an undisturbed run sends %d events before its end", seed, events)

	for i, kills := range rounds {
		random := rand.New(rand.NewPCG(seed, uint64(i))) //nolint:gosec // moments, not secrets
		// Evenly over the run, so that each layer has its share.
		draw := func() int {
			return 1 + int((float64(i)+random.Float64())/float64(len(rounds))*float64(events))
		}
		t.Run(fmt.Sprintf("round %02d", i+1), func(t *testing.T) {
			t.Parallel()
			h := home{t: t, dir: h.dir}
			org, killed := h.killedOnboard(fmt.Sprintf("k%02d", i+1), draw)
			for range kills - 1 {
				killed += ", then at " + h.killedAgain(org, 1+random.IntN(events))
			}
			resumed := decodeEvents(t, h.want(0, "onboard", "-f", h.spec(org, twoProjects), "-o", "ndjson"))
			ends := map[event.Type]int{}
			for _, e := range resumed {
				if e.Type.Terminal() {
					ends[e.Type]++
				}
			}
			// The killed operation's own terminal event is among them, unless it
			// was killed before it began or after it had ended.
			if ends[event.OperationSucceeded] != 1 || ends[event.OperationFailed] > 1 || len(ends) > 2 {
				t.Errorf("the run after the kill sent the terminal events %v", ends)
			}
			if diff := cmp.Diff(want, h.inventory(org, accountOf(t, h, org))); diff != "" {
				t.Errorf("killed at %s it ends otherwise (-undisturbed +this):\n%s", killed, diff)
			}
			if twice := h.madeTwice(); len(twice) > 0 {
				t.Errorf("killed at %s, made twice: %v", killed, twice)
			}
			if r := h.run("drift", org); r.code != 0 {
				t.Errorf("killed at %s, drift after it: exit %d\n%s%s", killed, r.code, r.stdout, r.stderr)
			}
			h.want(0, "sandbox", "stop", org)
		})
	}
}

// roundsOf shares a number of kills out to rounds of one and of two.
func roundsOf(kills int) (rounds []int) {
	for kills > 0 {
		n := min(kills, 1+len(rounds)%2)
		rounds, kills = append(rounds, n), kills-n
	}
	return rounds
}

// killedOnboard onboards an org, kills it with -9 after the event that is drawn,
// and says which that was. Where the run had ended before the kill, another org
// is tried at another moment.
func (h home) killedOnboard(name string, draw func() int) (org, at string) {
	h.t.Helper()
	var late []string
	for _, try := range []string{"", "b", "c", "d"} {
		org, n := name+try, draw()
		at, killed := h.killedAfter(org, n)
		if killed {
			return org, at
		}
		late = append(late, at)
		h.want(0, "sandbox", "stop", org)
	}
	h.t.Fatalf("every kill came too late: %q", late)
	return "", ""
}

// killedAgain onboards an org that a kill has left unfinished and kills that, too,
// after n events or, where the run ends before, after fewer in one more run.
func (h home) killedAgain(org string, n int) (at string) {
	h.t.Helper()
	for ; n > 0; n /= 2 {
		if at, killed := h.killedAfter(org, n); killed {
			return at
		}
	}
	h.t.Fatalf("%s: every second kill came too late", org)
	return ""
}

// killedAfter onboards an org and kills it with -9 after n events, and says which
// the last one was. It reports false where the run had ended before.
func (h home) killedAfter(org string, n int) (at string, killed bool) {
	h.t.Helper()
	r := h.start("onboard", "-f", h.spec(org, twoProjects))
	var last event.Event
	for range n {
		e, more := r.next()
		if !more {
			break
		}
		last = e
	}
	err := r.kill()
	at = fmt.Sprintf("event %d, %s", n, strings.Join(strings.Fields(fmt.Sprint(last.Type, " ", last.Layer, " ", last.Op, " ", last.ResourceName)), " "))
	if err == nil {
		h.t.Logf("%s killed at %s", org, at)
	}
	return at, err == nil
}

func TestASecondOnboardOfTheSameOrgIsRefusedWhileTheFirstRuns(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := h.spec("acme", twoProjects)
	first := h.start("onboard", "-f", file, "--latency", "realistic/600")
	first.until(func(e event.Event) bool { return e.Type == event.OperationStarted })
	r := h.want(5, "onboard", "-f", file)
	if !strings.Contains(r.stderr, "acme") || !strings.Contains(r.stderr, "next:") {
		t.Errorf("it does not say what to do:\n%s", r.stderr)
	}
	// Reading is not refused: status and drift hold nothing.
	h.want(0, "status", "acme")
	h.run("drift", "acme")
	if rest, code := first.wait(); code != 0 {
		t.Errorf("the first: exit %d after %d more events\n%s", code, len(rest), first.stderr)
	}
	h.want(0, "drift", "acme")
}

func TestAnInterruptLetsTheCurrentStepFinishAndTheNextRunGoesOn(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := h.spec("acme", twoProjects)
	r := h.start("onboard", "-f", file, "--latency", "realistic/600")
	inside := r.until(func(e event.Event) bool { return e.Type == event.ResourceStarted && e.Layer == "boundary" })
	// One request to stop may come several times: to the group, and from a script in it.
	for began := time.Now(); time.Since(began) < 300*time.Millisecond; time.Sleep(time.Millisecond) {
		if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	rest, code := r.wait()
	if code != 1 || !strings.Contains(r.stderr.String(), "cancelled") {
		t.Fatalf("interrupted: exit %d, want 1 and that it was cancelled\n%s", code, r.stderr)
	}
	finished := false
	for _, e := range rest {
		finished = finished || e.Type == event.ResourceFinished && e.URN == inside.URN
		if e.Type == event.LayerStarted {
			t.Errorf("after the interrupt, layer %s was started", e.Layer)
		}
	}
	if !finished {
		t.Errorf("what had begun was not finished: %s %s", inside.Op, inside.URN)
	}
	h.want(0, "onboard", "-f", file)
	if twice := h.madeTwice(); len(twice) > 0 {
		t.Errorf("made twice: %v", twice)
	}
}
