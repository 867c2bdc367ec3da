package main_test

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
)

// Two machines share a backend, a registry on a server, the secrets' passphrases
// and the cloud, and nothing else: what one began, the other goes on with.
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
	db := pgtest.Database(t)
	machine := func() home {
		h := newHome(t)
		h.cloud = filepath.Join(shared, "cloud")
		h.env = []string{
			"FREEHOLD_BACKEND=file://" + filepath.Join(shared, "state"),
			"FREEHOLD_REGISTRY=" + db.Service,
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

	t.Run("the same request on either machine is one operation", func(t *testing.T) {
		var streams [2]string
		a, b := a, b
		a.t, b.t = t, t
		for i, h := range []home{a, b} {
			streams[i] = h.want(0, "onboard", "-f", h.spec("acme", more...), "--request-id", "build-7", "-o", "ndjson").stdout
		}
		if d := cmp.Diff(streams[0], streams[1]); d != "" {
			t.Errorf("B's events (-A's +B's):\n%s", d)
		}
		if r := b.run("onboard", "-f", b.spec("acme", twoProjects), "--request-id", "build-7"); r.code != 4 {
			t.Errorf("another document under the same id: exit %d:\n%s", r.code, r.stderr)
		}
	})

	t.Run("the registry is moved to a file, and is the same one there", func(t *testing.T) {
		a, moved := a, machine()
		a.t, moved.t = t, t
		moved.env[1] = "FREEHOLD_REGISTRY=" + filepath.Join(shared, "registry.db")
		text := a.want(0, "registry", "export").stdout
		c := moved.command(t.Context(), "registry", "import")
		c.Stdin = strings.NewReader(text)
		if r := moved.finish(c); r.code != 0 {
			t.Fatalf("import: exit %d:\n%s", r.code, r.stderr)
		}
		if again := moved.want(0, "registry", "export").stdout; again != text {
			t.Error("what was imported is exported as something else")
		}
		for _, what := range [][]string{
			{"operations", "list", "acme", "-o", "json"}, {"operations", "events", "acme", "-o", "ndjson"}, {"claims", "acme", "-o", "json"},
			{"audit-log", "verify", "acme", "-o", "json"}, {"status", "acme", "-o", "json"},
		} {
			if d := cmp.Diff(a.want(0, what...).stdout, moved.want(0, what...).stdout); d != "" {
				t.Errorf("freehold %s (-server +file):\n%s", strings.Join(what, " "), d)
			}
		}
		moved.want(0, "plan", "-f", moved.spec("acme", more...))
		noSecretIn(t, text, shared, db.Service)
	})

	off := decode[event.Offboarding](t, b.want(0, "offboard", "acme", "--yes", "acme", "--close-account", "-o", "json"))
	if !off.AccountClosed || len(off.Left) > 0 {
		t.Errorf("offboarded from B: %+v", off)
	}
	if left := a.made(account); len(left) > 0 {
		t.Errorf("account %s is not empty: %v", account, left)
	}
}

// noSecretIn searches all that a registry holds for every secret that the
// machines had: the passphrases of the states, the password of the registry, and
// the keys that clusters' callers signed with.
func noSecretIn(t *testing.T, text, shared, service string) {
	t.Helper()
	secrets := map[string]string{}
	u, err := url.Parse(service)
	if err != nil {
		t.Fatal(err)
	}
	if password, ok := u.User.Password(); ok {
		secrets["the registry's password"] = password
	}
	for _, dir := range []string{"secrets", "cloud"} {
		err := filepath.WalkDir(filepath.Join(shared, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			secret := dir == "secrets" || slices.Contains([]string{".key", ".token", ".csv"}, filepath.Ext(name))
			if !secret {
				return nil
			}
			held, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			for i, l := range strings.FieldsFunc(string(held), func(r rune) bool { return r == '\n' || r == ',' }) {
				if l = strings.TrimSpace(l); len(l) >= 16 && !strings.HasPrefix(l, "-----") {
					secrets[fmt.Sprintf("line %d of %s", i+1, name)] = l
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(secrets) < 3 {
		t.Fatalf("found %d secrets to look for", len(secrets))
	}
	for what, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the registry holds %s", what)
		}
	}
}
