package main_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"
	_ "modernc.org/sqlite" // to count in the sandbox's journal
)

// bin is the folder of the binaries under test.
var bin string

// TestMain builds the binaries from the source that is being tested, beside
// the tools that "make build" made.
//
// It is also an operator's policy pack: this binary under its plugin's name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == housePlugin {
		if err := policyx.Main(housePack); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Most of what the tests start ends within seconds: memory is cheaper there
	// than collecting garbage, which takes a fifth of the processor.
	if err := os.Setenv("GOGC", "400"); err != nil {
		panic(err)
	}
	code, err := build(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func build(run func() int) (int, error) {
	tools := os.Getenv("FREEHOLD_TOOLS")
	if tools == "" {
		tools = filepath.Join("..", "..", "bin")
	}
	tools, err := filepath.Abs(tools)
	if err != nil {
		return 1, err
	}
	for _, tool := range []string{"pulumi", "freehold-kube"} {
		if _, err := os.Stat(filepath.Join(tools, tool)); err != nil {
			if os.Getenv("CI") != "" {
				return 1, fmt.Errorf("no test of the whole binary can run: %w: run make build first", err)
			}
			fmt.Printf("SKIP: every test of the whole binary: %v: run make build first\n", err)
			return 0, nil
		}
	}
	if bin, err = os.MkdirTemp("", "freehold-test-"); err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(bin) }()
	for _, tool := range []string{"pulumi", "freehold-kube"} {
		if err := os.Symlink(filepath.Join(tools, tool), filepath.Join(bin, tool)); err != nil {
			return 1, err
		}
	}
	for _, cmd := range []string{"freehold", "namespace-controller"} {
		// What "make build" made of this very source is not linked again.
		if made := filepath.Join(tools, cmd); exists(made) {
			if err := duplicate(context.Background(), made, filepath.Join(bin, cmd)); err != nil {
				return 1, err
			}
		}
		c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(bin, cmd), "freehold.dev/freehold/cmd/"+cmd)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("build %s: %w\n%s", cmd, err, out)
		}
	}
	code := run()
	return code, worlds.remove()
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// home is one user's Freehold: all that it keeps, and the sandbox in it.
type home struct {
	t   testing.TB
	dir string
	// roots are the authorities that the machine trusts, and each cluster's API
	// server with it; empty: the machine's own.
	roots string
	// env is what else each command finds in its environment.
	env []string
	// cloud is the sandbox cloud's folder; empty: the one in the home.
	cloud string
}

// newHome makes an empty home, and stops and removes its sandbox in the end.
func newHome(t testing.TB) home {
	t.Helper()
	dir, err := os.MkdirTemp("", "fh-") //nolint:usetesting // the sandbox is stopped in it before it is removed, and its path stays short
	if err != nil {
		t.Fatal(err)
	}
	h := home{t: t, dir: dir}
	t.Cleanup(h.reset)
	return h
}

// reset stops and removes the home's sandbox, and then the home.
func (h home) reset() {
	h.t.Helper()
	if out, err := h.command(context.Background(), "sandbox", "reset", "--yes").CombinedOutput(); err != nil {
		h.t.Errorf("sandbox reset: %v\n%s", err, out)
	}
	if err := os.RemoveAll(h.dir); err != nil {
		h.t.Error(err)
	}
}

func (h home) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(bin, "freehold"), append([]string{"--sandbox"}, args...)...)
	c.Env = append(os.Environ(), "FREEHOLD_HOME="+h.dir, "FREEHOLD_TOOLS=")
	if h.roots != "" {
		c.Env = append(c.Env, "SSL_CERT_FILE="+h.roots)
	}
	if h.cloud != "" {
		c.Env = append(c.Env, "FREEHOLD_SANDBOX_DIR="+h.cloud)
	}
	c.Env = append(c.Env, h.env...)
	// What it leaves running must not hold the test's pipes.
	c.WaitDelay = 5 * time.Second
	return c
}

// result is one finished command.
type result struct {
	code           int
	stdout, stderr string
	took           time.Duration
}

// run runs freehold and returns how it ended, whatever that is.
func (h home) run(args ...string) result {
	h.t.Helper()
	return h.finish(h.command(h.t.Context(), args...))
}

func (h home) finish(c *exec.Cmd) result {
	h.t.Helper()
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	began := time.Now()
	err := c.Run()
	r := result{stdout: stdout.String(), stderr: stderr.String(), took: time.Since(began)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = exit.ExitCode()
	} else if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		h.t.Fatalf("%v: %v", c.Args, err)
	}
	return r
}

// want runs freehold and fails unless it exits with code.
func (h home) want(code int, args ...string) result {
	h.t.Helper()
	r := h.run(args...)
	if r.code != code {
		h.t.Fatalf("freehold %s: exit %d, want %d (%s)\nstdout:\n%s\nstderr:\n%s",
			strings.Join(args, " "), r.code, code, r.took, r.stdout, r.stderr)
	}
	return r
}

// spec writes a document for the org, with more fields as lines of YAML.
func (h home) spec(org string, more ...string) string {
	h.t.Helper()
	doc := fmt.Sprintf(`apiVersion: freehold.dev/v1alpha1
kind: DataPlane
org: %s
region: eu-west-1
account:
  email: aws+%s@example.com
`, org, org)
	file := filepath.Join(h.dir, org+".yaml")
	if err := os.WriteFile(file, []byte(doc+strings.Join(more, "\n")+"\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return file
}

// decode reads a command's JSON.
func decode[T any](t testing.TB, r result) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, r.stdout)
	}
	return v
}

// sandbox opens the sandbox's own database to look into its journal.
func (h home) sandbox() *sql.DB {
	h.t.Helper()
	cloud := h.cloud
	if cloud == "" {
		cloud = filepath.Join(h.dir, "sandbox", "cloud")
	}
	return h.database(filepath.Join(cloud, "sandbox.db"))
}

// database opens a database for reading.
func (h home) database(file string) *sql.DB {
	h.t.Helper()
	if _, err := os.Stat(file); err != nil {
		h.t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro&_pragma=busy_timeout(30000)")
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = db.Close() })
	return db
}

// madeTwice returns what the sandbox was asked to create more than once with success.
func (h home) madeTwice() []string {
	h.t.Helper()
	rows, err := h.sandbox().QueryContext(h.t.Context(), `select urn, count(*) from journal
		where outcome = 'ok' and urn <> '' and (action like 'Create%' or action like 'Allocate%' or action like 'Put%')
		and action not like '%Version%' and action not like '%Tag%' group by urn, action having count(*) > 1`)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var urn string
		var n int
		if err := rows.Scan(&urn, &n); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s: %d times", urn, n))
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return out
}

// inventory counts what somebody made in an account, by type and name, with the
// org's and the account's own names taken out, so that two orgs can be compared.
func (h home) inventory(org, account string) map[string]int {
	h.t.Helper()
	out := map[string]int{}
	for _, it := range h.made(account) {
		out[strings.NewReplacer(org, "ORG", account, "ACCOUNT").Replace(it)]++
	}
	return out
}

// made lists what is in an account, without what the cloud makes by itself and
// what only waits for its deletion, as a key of KMS does.
func (h home) made(account string) []string {
	h.t.Helper()
	rows, err := h.sandbox().QueryContext(h.t.Context(), `select type || ' ' || coalesce(json_extract(outputs, '$.name'),
		json_extract(outputs, '$.bucket'), json_extract(outputs, '$.tags.Name'), '') from resources
		where account = ? and by_cloud = 0 and coalesce(json_extract(outputs, '$.__gone'), 0) = 0`, account)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return out
}
