package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// buildFlags are the same for everything in this repository, so that the tools
// and the main module share Go's build cache. Without cgo no C compiler is
// needed. Stamping asks git, which refuses a checkout of another user's.
var buildFlags = []string{"-trimpath", "-buildvcs=false"}

// cacheDir is where built tools live: outside the checkout, so that
// "git clean" and a second clone cost nothing.
func cacheDir(override string) (string, error) {
	if override != "" {
		abs, err := filepath.Abs(override)
		return filepath.Join(abs, "tools"), err
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no cache folder for this user (%w): set FREEHOLD_CACHE to one", err)
	}
	return filepath.Join(dir, "freehold", "tools"), nil
}

// keyOf names the content of a tool: equal keys mean equal binaries. It covers
// everything that we decide; what the modules hold is covered by go.sum.
func keyOf(t tool, module, version, platform string) (string, error) {
	h := sha256.New()
	add := func(name string, data []byte) { fmt.Fprintf(h, "%s %d\n%s\n", name, len(data), data) }
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			return "", err
		}
		add(name, data)
	}
	if t.source != "" {
		root := filepath.Join(module, t.source)
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(file, "_test.go") {
				return err
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, file)
			add(filepath.ToSlash(name), data)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	add("package", []byte(t.pkg))
	add("ldflags", []byte(t.ldflags(version)))
	add("flags", []byte(strings.Join(buildFlags, " ")))
	add("platform", []byte(platform))
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// keep is how many builds of a tool stay: this one, and that of the branch
// that one came from.
const keep = 2

// prune removes all but the most recently used builds of a tool. The caller
// holds the tool's lock.
func prune(cache, name string) error {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return err
	}
	type build struct {
		dir  string
		used time.Time
	}
	var builds []build
	for _, e := range entries {
		key, ok := strings.CutPrefix(e.Name(), name+"-")
		if !ok || !e.IsDir() || len(key) != 16 {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		builds = append(builds, build{filepath.Join(cache, e.Name()), info.ModTime()})
	}
	slices.SortFunc(builds, func(a, b build) int { return cmp.Compare(b.used.UnixNano(), a.used.UnixNano()) })
	var errs []error
	for i, b := range builds {
		if i >= keep {
			errs = append(errs, os.RemoveAll(b.dir))
		}
	}
	return errors.Join(errs...)
}
