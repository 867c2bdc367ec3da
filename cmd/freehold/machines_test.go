package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
)

// Two machines share a backend, a registry, the secrets' passphrases and the
// cloud, and nothing else: what one began, the other goes on with.
func TestTwoMachinesTakeTurnsOnOneOrg(t *testing.T) {
	t.Parallel()
	shared, err := os.MkdirTemp("", "fh-shared-") //nolint:usetesting // the sandbox is stopped in it before it is removed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(shared); err != nil {
			t.Error(err)
		}
	})
	// A folder that an operator names is not made: it may be one to be mounted.
	for _, dir := range []string{"state", "secrets"} {
		if err := os.Mkdir(filepath.Join(shared, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	machine := func() home {
		h := newHome(t)
		h.cloud = filepath.Join(shared, "cloud")
		h.env = []string{
			"FREEHOLD_BACKEND=file://" + filepath.Join(shared, "state"),
			"FREEHOLD_REGISTRY=" + filepath.Join(shared, "registry.db"),
			"FREEHOLD_SECRETS_PROVIDER=passphrase://" + filepath.Join(shared, "secrets"),
		}
		return h
	}
	a, b := machine(), machine()
	a.want(0, "onboard", "-f", a.spec("acme", twoProjects))
	account := accountOf(t, b, "acme")

	// B sees what A made, and changes just what it is asked to.
	b.want(0, "plan", "-f", b.spec("acme", twoProjects))
	changed := decode[event.Onboarding](t, b.want(0, "onboard", "-f", b.spec("acme", twoProjects, "network: {flowLogRetentionDays: 90}"), "-o", "json"))
	touched := map[string]int{}
	for _, l := range changed.Layers {
		for op, n := range l.Changes {
			if op != "same" {
				touched[op] += n
			}
		}
	}
	if d := cmp.Diff(map[string]int{"update": 1}, touched); d != "" {
		t.Errorf("B's change (-want +got):\n%s", d)
	}

	t.Run("a machine without the passphrases says so before it touches anything", func(t *testing.T) {
		c := machine()
		c.t = t
		c.env = c.env[:2]
		before := a.journal()
		r := c.run("onboard", "-f", c.spec("acme", twoProjects))
		if r.code == 0 || !strings.Contains(r.stderr, "passphrase") || !strings.Contains(r.stderr, "next: ") {
			t.Errorf("exit %d:\n%s", r.code, r.stderr)
		}
		if n := a.journal() - before; n > 0 {
			t.Errorf("%d calls changed the cloud", n)
		}
	})

	// B dies while it makes more, and A goes on, with an empty home.
	more := []string{twoProjects, "  - name: lab", "network: {flowLogRetentionDays: 90, nat: per-zone}"}
	b.killedWhen(func(e event.Event) bool {
		return e.Layer == "cluster" && e.Type == event.ResourceFinished && e.Op == "create"
	}, "onboard", "-f", b.spec("acme", more...))
	if err := os.RemoveAll(filepath.Join(a.dir, "sandbox")); err != nil {
		t.Fatal(err)
	}
	ends := map[event.Type]int{}
	for _, e := range decodeEvents(t, a.want(0, "onboard", "-f", a.spec("acme", more...), "-o", "ndjson")) {
		if e.Type.Terminal() {
			ends[e.Type]++
		}
	}
	if d := cmp.Diff(map[event.Type]int{event.OperationFailed: 1, event.OperationSucceeded: 1}, ends); d != "" {
		t.Errorf("A's run ends its own operation and B's (-want +got):\n%s", d)
	}
	if twice := a.madeTwice(); len(twice) > 0 {
		t.Errorf("made twice: %v", twice)
	}
	for _, h := range []home{a, b} {
		h.want(0, "plan", "-f", h.spec("acme", more...))
		h.want(0, "drift", "acme")
	}

	off := decode[event.Offboarding](t, b.want(0, "offboard", "acme", "--yes", "acme", "--close-account", "-o", "json"))
	if !off.AccountClosed || len(off.Left) > 0 {
		t.Errorf("offboarded from B: %+v", off)
	}
	if left := a.made(account); len(left) > 0 {
		t.Errorf("account %s is not empty: %v", account, left)
	}
}
