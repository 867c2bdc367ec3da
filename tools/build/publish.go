package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// A publisher puts a binary, or a folder with one in it, into the cache so that
// whoever finds it there may run it. It compiles to another name in the same
// folder, runs the result, and only then renames it: a rename within a folder
// happens or does not. A build that is killed leaves what no one looks for,
// which the next build of the same key removes.
type publisher struct {
	cache   string
	say     *printer
	program string // path of the binary in what is published; empty: it is the binary
	compile func(ctx context.Context, out string) error
	check   func(ctx context.Context, file string) error
}

// publish returns the path of what is published, and whether this call built it.
func (p publisher) publish(ctx context.Context, name, key, file string) (path string, built bool, err error) {
	dir := filepath.Join(p.cache, name+"-"+key)
	path = filepath.Join(dir, file)
	if p.found(path) {
		return path, false, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", false, fmt.Errorf("making the cache folder (FREEHOLD_CACHE names another): %w", err)
	}
	unlock, err := p.lock(ctx, name)
	if err != nil {
		return "", false, err
	}
	defer unlock()
	if p.found(path) {
		return path, false, nil // the build that we waited for was the same
	}
	// A build of another key may have pruned the folder while we waited.
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", false, err
	}
	if err := removeHalves(dir); err != nil {
		return "", false, err
	}
	half := filepath.Join(dir, fmt.Sprintf("half-%d-%s", os.Getpid(), file))
	defer os.RemoveAll(half)
	if err := p.compile(ctx, half); err != nil {
		return "", false, err
	}
	if err := p.check(ctx, half); err != nil {
		return "", false, fmt.Errorf("the new binary does not work, and is not used: %w", err)
	}
	if err := os.Rename(half, path); err != nil {
		return "", false, err
	}
	touch(dir)
	if err := prune(p.cache, name); err != nil {
		// Old builds that stay cost space and nothing else.
		p.say.line("%s: could not remove old builds: %v", name, err)
	}
	return path, true, nil
}

// found reports whether a binary is in the cache, and notes its use for prune.
func (p publisher) found(path string) bool {
	info, err := os.Stat(filepath.Join(path, p.program))
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	touch(filepath.Dir(path))
	return true
}

// touch notes the last use. A cache that may only be read works all the same.
func touch(dir string) {
	now := time.Now()
	_ = os.Chtimes(dir, now, now)
}

// lock waits until no other build of the tool runs. The lock is the operating
// system's and ends with the process, however that ends.
func (p publisher) lock(ctx context.Context, name string) (unlock func(), err error) {
	file := filepath.Join(p.cache, name+".lock")
	l := flock.New(file)
	ok, err := l.TryLock()
	if err == nil && !ok {
		p.say.line("%s: another build holds %s; waiting for it", name, file)
		ok, err = l.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("waiting for the lock %s: %w", file, err)
	}
	if !ok {
		return nil, fmt.Errorf("the lock %s was not given", file)
	}
	return func() { _ = l.Unlock() }, nil
}

func removeHalves(dir string) error {
	halves, err := filepath.Glob(filepath.Join(dir, "half-*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, h := range halves {
		errs = append(errs, os.RemoveAll(h))
	}
	return errors.Join(errs...)
}

// linkAll makes the tool's names in a folder point at its binary.
func linkAll(t tool, file, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range append([]string{t.file()}, t.aliases...) {
		if err := link(file, filepath.Join(dir, name+exe())); err != nil {
			return err
		}
	}
	return nil
}

// link replaces to by a symlink to from, or by a copy where there are none.
// Whoever opens to meanwhile gets the old one or the new one.
func link(from, to string) error {
	if at, err := os.Readlink(to); err == nil && at == from {
		return nil
	}
	next := fmt.Sprintf("%s.%d", to, os.Getpid())
	defer os.Remove(next)
	if err := os.Symlink(from, next); err != nil {
		if err := copyFile(from, next); err != nil {
			return err
		}
	}
	return os.Rename(next, to)
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
