package main_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
)

// leaseAndMore is longer than a lease lasts.
const leaseAndMore = 17 * time.Second

// makes is an event of a layer that is in the middle of making things: what the
// engine has asked for by then waits for an answer.
func makes(layer string) func(event.Event) bool {
	return func(e event.Event) bool {
		return e.Type == event.ResourceFinished && e.Layer == layer && e.Op == "create"
	}
}

func (r *running) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// A process that stands still keeps the calls that its engine has made until it
// wakes up. Only if nobody has come meanwhile are they carried out.
func TestAMachineThatWasStoppedForLongerThanItsLease(t *testing.T) {
	t.Parallel()
	machines := fleet(t, 2, func(string) string { return pgtest.Database(t).Service })
	a, b := machines[0], machines[1]

	// Nobody came: it goes on.
	alone := a.start("onboard", "-f", a.spec("acme", twoProjects))
	alone.until(makes("boundary"))
	alone.signal(syscall.SIGSTOP)
	time.Sleep(leaseAndMore)
	alone.signal(syscall.SIGCONT)
	if _, code := alone.wait(); code != 0 {
		t.Fatalf("a machine that woke up, and was not missed, exits with %d:\n%s", code, alone.stderr)
	}

	// Another machine came, while the first still stood.
	more := []string{twoProjects, "  - name: lab", "network: {flowLogRetentionDays: 90, nat: per-zone}"}
	slow := a.start("onboard", "-f", a.spec("acme", more...))
	slow.until(makes("cluster"))
	slow.signal(syscall.SIGSTOP)
	stopped := time.Now()
	// Both have one clock here, so the other is busy until it is over.
	for ; ; time.Sleep(time.Second) {
		if r := b.run("onboard", "-f", b.spec("acme", more...)); r.code == 0 {
			break
		} else if r.code != 5 || time.Since(stopped) > 2*leaseAndMore {
			t.Fatalf("the other machine exits with %d:\n%s", r.code, r.stderr)
		}
	}
	changes, writes := a.journal(), b.operations()
	slow.signal(syscall.SIGCONT)
	rest, code := slow.wait()
	if code != 5 {
		t.Errorf("a machine that has lost its org exits with %d, want 5:\n%s", code, slow.stderr)
	}
	if n := a.journal() - changes; n != 0 {
		t.Errorf("it asked the cloud for %d more changes", n)
	}
	// The other machine has ended its operation, and it shows that.
	ends := slices.DeleteFunc(rest, func(e event.Event) bool { return !e.Type.Terminal() })
	if len(ends) != 1 || ends[0].Type != event.OperationFailed || ends[0].Seq == 0 {
		t.Errorf("it ends with %+v", ends)
	}
	if after := b.operations(); after != writes {
		t.Errorf("it changed what is recorded:\n%s\nand before\n%s", after, writes)
	}
	if twice := a.madeTwice(); len(twice) > 0 {
		t.Errorf("made twice: %v", twice)
	}
	b.want(0, "plan", "-f", b.spec("acme", more...))
}

// operations is what the registry holds of acme's operations, and of their events.
func (h home) operations() string {
	h.t.Helper()
	return h.want(0, "operations", "list", "acme", "-o", "json").stdout + h.want(0, "operations", "events", "acme", "-o", "ndjson").stdout
}
