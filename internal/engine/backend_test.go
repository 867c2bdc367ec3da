package engine

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// noCLI is an engine over a backend of files that fails the test when it
// starts the CLI.
func noCLI(t *testing.T, backend string) *Engine {
	t.Helper()
	dir := t.TempDir()
	e, err := New(Options{
		CLI: func(context.Context) (string, semver.Version, error) {
			t.Error("the CLI was looked for")
			return "", semver.Version{}, errors.New("no CLI")
		},
		Project: "freehold", BackendURL: backend, Dir: filepath.Join(dir, "stacks"),
		Secrets: Passphrases{Dir: filepath.Join(dir, "secrets")}, Policies: func() (Policies, error) { return Policies{}, nil },
		Now: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var account = Stack{Org: "acme", Layer: "account", Name: "acme.account"}

// store puts a stack's state into a backend of files.
func store(t *testing.T, backend, name string, content []byte) string {
	t.Helper()
	file := filepath.Join(backend, ".pulumi", "stacks", "freehold", name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t *testing.T, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(text), nil)
}

const one = `{"version":3,"checkpoint":{"stack":"s","latest":{"resources":[{"urn":"p","custom":true,"type":"pulumi:providers:aws"},
	{"urn":"u","custom":true,"type":"aws:ec2/vpc:Vpc"}],"pending_operations":[{"type":"creating"}]}}}`

func TestStatSaysYesOrNo(t *testing.T) {
	made := Info{Exists: true, Resources: 1, Pending: 1}
	for reason, tc := range map[string]struct {
		files map[string][]byte
		want  Info
	}{
		"there is nothing in the backend":             {nil, Info{Fresh: true}},
		"there is another stack":                      {map[string][]byte{"acme.boundary.json": []byte(one)}, Info{}},
		"another org's name begins with it":           {map[string][]byte{"acme.account2.json": []byte(one)}, Info{}},
		"only the backup of a stack that was removed": {map[string][]byte{"acme.account.json.bak": []byte(one)}, Info{}},
		"it is there":                              {map[string][]byte{"acme.account.json": []byte(one)}, made},
		"it is there, packed":                      {map[string][]byte{"acme.account.json.gz": zipped(t, one)}, made},
		"it is there, packed another way":          {map[string][]byte{"acme.account.json.zst": zstandard(t, one)}, made},
		"it is there, and its creation was killed": {map[string][]byte{"acme.account.json": []byte(beginning)}, Info{Exists: true}},
	} {
		t.Run(reason, func(t *testing.T) {
			backend := t.TempDir()
			for name, content := range tc.files {
				store(t, backend, name, content)
			}
			got, err := noCLI(t, "file://"+backend).Stat(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestStatReadsTheNewestFormOfAState(t *testing.T) {
	backend := t.TempDir()
	old := store(t, backend, "acme.account.json", []byte(beginning))
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	store(t, backend, "acme.account.json.gz", zipped(t, one))
	got, err := noCLI(t, "file://"+backend).Stat(t.Context(), account)
	if err != nil || got.Resources != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whatever is in the way, "no" would let a caller forget what is still there.
func TestStatSaysWhenItCannotTell(t *testing.T) {
	for reason, tc := range map[string]struct {
		backend func(t *testing.T) string
		says    string
	}{
		"the folder is missing": {
			func(t *testing.T) string { return filepath.Join(t.TempDir(), "not-mounted") }, "not-mounted",
		},
		"the folder is a file": {
			func(t *testing.T) string { return store(t, t.TempDir(), "x", nil) }, "is not a folder",
		},
		"a folder above it is a file": {
			func(t *testing.T) string { return filepath.Join(store(t, t.TempDir(), "x", nil), "below") }, "not a directory",
		},
		"the state is a folder": {
			func(t *testing.T) string {
				b := t.TempDir()
				if err := os.MkdirAll(filepath.Join(b, ".pulumi", "stacks", "freehold", "acme.account.json"), 0o700); err != nil {
					t.Fatal(err)
				}
				return b
			}, "damaged",
		},
		"the folder of states is a file": {
			func(t *testing.T) string {
				b := t.TempDir()
				store(t, b, "x", nil)
				stacks := filepath.Join(b, ".pulumi", "stacks", "freehold")
				if err := errors.Join(os.RemoveAll(stacks), os.WriteFile(stacks, nil, 0o600)); err != nil {
					t.Fatal(err)
				}
				return b
			}, "not a directory",
		},
		// Not even root gets past this one, as it would past a mode.
		"the state is a link to itself": {
			func(t *testing.T) string {
				b := t.TempDir()
				state := store(t, b, "acme.account.json", []byte(one))
				if err := errors.Join(os.Remove(state), os.Symlink(state, state)); err != nil {
					t.Fatal(err)
				}
				return b
			}, "too many levels of symbolic links",
		},
		"the state is empty": {
			func(t *testing.T) string { b := t.TempDir(); store(t, b, "acme.account.json", nil); return b }, "damaged",
		},
		"the state is cut off": {
			func(t *testing.T) string {
				b := t.TempDir()
				store(t, b, "acme.account.json", []byte(one[:len(one)-9]))
				return b
			}, "damaged",
		},
		"the packed state is not packed": {
			func(t *testing.T) string {
				b := t.TempDir()
				store(t, b, "acme.account.json.gz", []byte(one))
				return b
			}, "gzip",
		},
		"the packed state is cut off": {
			func(t *testing.T) string {
				b := t.TempDir()
				store(t, b, "acme.account.json.zst", zstandard(t, one)[:20])
				return b
			}, "damaged",
		},
		"the state lies where an earlier CLI put it": {
			func(t *testing.T) string {
				b := t.TempDir()
				store(t, b, filepath.Join("..", "acme.account.json"), []byte(one))
				return b
			}, "layout of an earlier pulumi",
		},
	} {
		t.Run(reason, func(t *testing.T) {
			e := noCLI(t, "file://"+tc.backend(t))
			_, err := e.Stat(t.Context(), account)
			var failed *Error
			if !errors.Is(err, ErrUnreachable) || errors.Is(err, ErrNoStack) || !errors.As(err, &failed) {
				t.Fatalf("got %v", err)
			}
			if failed.Stack != "acme.account" || !strings.Contains(failed.Detail, tc.says) || failed.Next == "" {
				t.Errorf("stack %q, next %q\n%v\nwant it to say %q", failed.Stack, failed.Next, err, tc.says)
			}
			// Neither a check nor a run goes past it.
			if err := e.Check(t.Context(), account); !errors.Is(err, ErrUnreachable) {
				t.Errorf("Check: %v", err)
			}
			for doing, run := range map[string]func() error{
				"Up":             func() error { _, err := e.Up(t.Context(), account, nil); return err },
				"Preview":        func() error { _, err := e.Preview(t.Context(), account, nil); return err },
				"PreviewRefresh": func() error { _, err := e.PreviewRefresh(t.Context(), account, nil); return err },
				"Destroy":        func() error { _, err := e.Destroy(t.Context(), account, nil); return err },
			} {
				if err := run(); !errors.Is(err, ErrUnreachable) {
					t.Errorf("%s: %v", doing, err)
				}
			}
		})
	}
}

func TestAStackThatIsNotThereIsNotDestroyedAndHasNoState(t *testing.T) {
	e := noCLI(t, "file://"+t.TempDir())
	if _, err := e.Destroy(t.Context(), account, nil); !errors.Is(err, ErrNoStack) {
		t.Errorf("Destroy: %v", err)
	}
	if _, err := e.State(t.Context(), account); !errors.Is(err, ErrNoStack) {
		t.Errorf("State: %v", err)
	}
	if err := e.Check(t.Context(), account); err != nil {
		t.Errorf("Check: %v", err)
	}
}

// The CLI resolves a relative folder in the folder that it runs in, which is
// another for each stack.
func TestABackendsFolderIsMadeAbsoluteOnce(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("HOME", "/home/ops")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string][2]string{
		"file:///srv/state":          {"/srv/state", "file:///srv/state"},
		"file://state":               {here + "/state", "file://" + here + "/state"},
		"file://./a/../state":        {here + "/state", "file://" + here + "/state"},
		"file://~":                   {"/home/ops", "file:///home/ops"},
		"file://~/state":             {"/home/ops/state", "file:///home/ops/state"},
		"file:///srv?metadata=skip":  {"/srv", "file:///srv?metadata=skip"},
		"s3://bucket/x?region=eu":    {"", "s3://bucket/x?region=eu"},
		"https://api.pulumi.com":     {"", "https://api.pulumi.com"},
		"azblob://container?x=~file": {"", "azblob://container?x=~file"},
	} {
		files, canonical, err := filesOf(url, "freehold")
		if err != nil {
			t.Fatal(err)
		}
		got := [2]string{"", canonical}
		if files != nil {
			got[0] = files.dir
		}
		if got != want {
			t.Errorf("%s: got %v, want %v", url, got, want)
		}
	}
}

func TestTheStacksOfAnOrgAreFoundByItsName(t *testing.T) {
	backend := t.TempDir()
	for _, name := range []string{"acme.account.json", "acme.boundary.json.gz", "acme.cluster.json.bak", "acme-two.account.json", "acme.json.attrs"} {
		store(t, backend, name, []byte(one))
	}
	got, err := noCLI(t, "file://"+backend).stacksOf(t.Context(), Stack{Org: "acme", Name: "acme.bootstrap"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"acme.account", "acme.boundary"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// askedCLI is an engine over a backend that only the CLI reads; the CLI is a
// script.
func askedCLI(t *testing.T, script string) *Engine {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the CLI is a shell script")
	}
	cli := filepath.Join(t.TempDir(), "pulumi")
	if err := os.WriteFile(cli, []byte("#!/bin/sh\n"+script), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	e := noCLI(t, "s3://bucket")
	e.opts.CLI = func(context.Context) (string, semver.Version, error) { return cli, semver.MustParse("3.250.0"), nil }
	e.opts.Policies = func() (Policies, error) {
		return Policies{Pack: t.TempDir(), Name: "freehold", Analyzer: "freehold", ScopeKey: "freehold:scope"}, nil
	}
	return e
}

func TestAnotherBackendIsAskedThroughTheCLI(t *testing.T) {
	for reason, tc := range map[string]struct {
		script string
		want   Info
		err    error
	}{
		"yes":                    {"cat <<'.'\n{\"version\":3,\"deployment\":" + deploymentOf(one) + "}\n.\n", Info{Exists: true, Resources: 1, Pending: 1}, nil},
		"no":                     {"echo \"error: no stack named 'acme.account' found\" >&2; exit 6", Info{}, nil},
		"the bucket is away":     {"echo 'error: read \".pulumi/meta.yaml\": blob (code=NotFound): NoSuchBucket' >&2; exit 255", Info{}, ErrUnreachable},
		"the network is away":    {"echo 'error: dial tcp: lookup bucket.s3.amazonaws.com: no such host' >&2; exit 255", Info{}, ErrUnreachable},
		"nobody may read it":     {"echo 'error: api error AccessDenied: Access Denied' >&2; exit 255", Info{}, ErrUnreachable},
		"the credentials are up": {"echo 'error: api error ExpiredToken: The provided token has expired.' >&2; exit 255", Info{}, ErrUnreachable},
		"it says nothing":        {"exit 0", Info{}, ErrUnreachable},
		"it dies":                {"kill -9 $$", Info{}, ErrUnreachable},
		"a proxy answers":        {"echo '<html>'", Info{}, ErrUnreachable},
	} {
		t.Run(reason, func(t *testing.T) {
			got, err := askedCLI(t, tc.script).Stat(t.Context(), account)
			if !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Fatalf("got %v, want %v", err, tc.err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func deploymentOf(checkpoint string) string {
	_, d, _ := strings.Cut(checkpoint, `"latest":`)
	return d[:len(d)-2]
}

func TestTheStacksOfAnotherBackendAreListedThroughTheCLI(t *testing.T) {
	e := askedCLI(t, `echo "$*" | grep -q "stack ls --json" || exit 1
echo '[{"name":"acme.account"},{"name":"org/freehold/acme.boundary"},{"name":"globex.account"}]'`)
	got, err := e.stacksOf(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"acme.account", "acme.boundary"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, err := askedCLI(t, "exit 1").stacksOf(t.Context(), account); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a list that cannot be had: %v", err)
	}
}
