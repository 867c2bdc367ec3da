package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const key = "0123456789abcdef"

func works(context.Context, string) error { return nil }

const whole = "a whole binary"

// compileTo is a compiler that writes its file in two halves.
func compileTo(between func()) func(context.Context, string) error {
	return func(_ context.Context, out string) error {
		half := len(whole) / 2
		if err := os.WriteFile(out, []byte(whole[:half]), 0o755); err != nil {
			return err
		}
		if between != nil {
			between()
		}
		return os.WriteFile(out, []byte(whole), 0o755)
	}
}

func newPublisher(cache string, compile func(context.Context, string) error) publisher {
	return publisher{cache: cache, say: &printer{w: io.Discard}, compile: compile, check: works}
}

func TestConcurrentPublishesBuildOnce(t *testing.T) {
	const callers = 8
	cache := t.TempDir()
	var compiled, built atomic.Int32
	first := make(chan struct{})
	var said bytes.Buffer
	say := &printer{w: &said} // one printer, as its lock makes the buffer safe
	p := newPublisher(cache, compileTo(func() {
		compiled.Add(1)
		<-first
	}))
	p.say = say
	var wait sync.WaitGroup
	for range callers {
		wait.Go(func() {
			path, mine, err := p.publish(t.Context(), "kube", key, "freehold-kube")
			if err != nil {
				t.Error(err)
				return
			}
			if mine {
				built.Add(1)
			}
			if content, err := os.ReadFile(path); err != nil || string(content) != whole {
				t.Errorf("published %q, %v", content, err)
			}
		})
	}
	// All the others must have met the lock before the first one is done.
	deadline := time.Now().Add(20 * time.Second)
	for waiting := 0; waiting < callers-1; {
		if time.Now().After(deadline) {
			t.Errorf("%d of %d callers said that they wait", waiting, callers-1)
			break
		}
		time.Sleep(time.Millisecond)
		say.mu.Lock()
		waiting = strings.Count(said.String(), "waiting for it")
		say.mu.Unlock()
	}
	close(first)
	wait.Wait()
	if compiled.Load() != 1 || built.Load() != 1 {
		t.Errorf("compiled %d times, and %d callers say they built; want 1 and 1", compiled.Load(), built.Load())
	}
}

func TestWaitingForAnotherBuildCanBeStopped(t *testing.T) {
	cache := t.TempDir()
	inside, release := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		p := newPublisher(cache, compileTo(func() { close(inside); <-release }))
		if _, _, err := p.publish(t.Context(), "kube", key, "freehold-kube"); err != nil {
			t.Error(err)
		}
	})
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, _, err := newPublisher(cache, compileTo(nil)).publish(ctx, "kube", key, "freehold-kube")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	close(release)
	wait.Wait()
}

func TestNothingUnusableIsPublished(t *testing.T) {
	broken := errors.New("broken")
	cases := map[string]struct {
		reason  string
		compile func(context.Context, string) error
		check   func(context.Context, string) error
	}{
		"compiler fails": {
			reason: "a linker that runs out of disk leaves a part of a file",
			compile: func(ctx context.Context, out string) error {
				return errors.Join(compileTo(nil)(ctx, out), broken)
			},
			check: works,
		},
		"binary does not run": {
			reason:  "it compiled, and reports the wrong version",
			compile: compileTo(nil),
			check:   func(context.Context, string) error { return broken },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			p := newPublisher(cache, tc.compile)
			p.check = tc.check
			if _, _, err := p.publish(t.Context(), "kube", key, "freehold-kube"); !errors.Is(err, broken) {
				t.Fatalf("%s: got %v", tc.reason, err)
			}
			left, err := filepath.Glob(filepath.Join(cache, "kube-*", "*"))
			if err != nil || len(left) != 0 {
				t.Errorf("%s: left %q, %v", tc.reason, left, err)
			}
			// The next build is not in the way of the last one.
			_, built, err := newPublisher(cache, compileTo(nil)).publish(t.Context(), "kube", key, "freehold-kube")
			if err != nil || !built {
				t.Errorf("the next one: built %v, %v", built, err)
			}
		})
	}
}

// TestKilledBuild kills a process in the middle of writing a binary, as a full
// machine or an impatient person does, and builds again.
func TestKilledBuild(t *testing.T) {
	if cache := os.Getenv("TEST_BUILD_AND_HANG"); cache != "" {
		p := newPublisher(cache, compileTo(func() {
			os.Stdout.WriteString("half\n")
			select {}
		}))
		_, _, err := p.publish(t.Context(), "kube", key, "freehold-kube")
		t.Fatal("was not killed", err)
	}
	cache := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledBuild$")
	cmd.Env = append(os.Environ(), "TEST_BUILD_AND_HANG="+cache)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("half\n"))
	if _, err := io.ReadFull(stdout, line); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed

	halves, err := filepath.Glob(filepath.Join(cache, "kube-"+key, "*"))
	if err != nil || len(halves) != 1 || !strings.HasPrefix(filepath.Base(halves[0]), "half-") {
		t.Fatalf("the killed build left %q, %v; want the one half", halves, err)
	}
	path, built, err := newPublisher(cache, compileTo(nil)).publish(t.Context(), "kube", key, "freehold-kube")
	if err != nil || !built {
		t.Fatalf("the next build: built %v, %v; want its own", built, err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != whole {
		t.Errorf("published %q, %v", content, err)
	}
	if left, err := filepath.Glob(filepath.Join(cache, "kube-"+key, "half-*")); err != nil || len(left) != 0 {
		t.Errorf("halves left: %q, %v", left, err)
	}
}

func TestLinkReplacesWhatIsThere(t *testing.T) {
	cases := map[string]struct {
		reason string
		before func(t *testing.T, to string)
	}{
		"nothing":      {"a fresh checkout", func(*testing.T, string) {}},
		"a copy":       {"an earlier build copied, or a person did", func(t *testing.T, to string) { must(t, os.WriteFile(to, []byte("old"), 0o755)) }},
		"another link": {"the pin moved", func(t *testing.T, to string) { must(t, os.Symlink(os.Args[0], to)) }},
		"a dead link":  {"the cache was emptied", func(t *testing.T, to string) { must(t, os.Symlink(to+".gone", to)) }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := write(t, map[string]string{"cache/pulumi": "new"})
			out := filepath.Join(dir, "bin")
			must(t, os.Mkdir(out, 0o755))
			tc.before(t, filepath.Join(out, "pulumi"))
			for range 2 { // the second finds its own link
				must(t, linkAll(tool{name: "pulumi"}, filepath.Join(dir, "cache", "pulumi"), out))
			}
			if content, err := os.ReadFile(filepath.Join(out, "pulumi")); err != nil || string(content) != "new" {
				t.Errorf("%s: %q, %v", tc.reason, content, err)
			}
			if entries, err := os.ReadDir(out); err != nil || len(entries) != 1 {
				t.Errorf("%s: bin holds %v, %v; want the link alone", tc.reason, entries, err)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
