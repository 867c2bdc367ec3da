// Package home says whether a folder is one that this process's user alone can
// change. What lies in Freehold's home is run and believed: the plugin that judges
// every resource, the states, the registry.
package home

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrOpen matches, with errors.Is, what Check returns for a folder that somebody else
// can change.
var ErrOpen = errors.New("another user of this machine can change it")

// OpenError says what somebody else can change.
type OpenError struct {
	Path string // the folder, or what is in it
	Why  string // "user 1001 owns it"
}

// Error says it in a sentence without a full stop.
func (e *OpenError) Error() string { return e.Path + ": " + e.Why }

// Is matches ErrOpen.
func (e *OpenError) Is(target error) bool { return target == ErrOpen }

// depth is how far down a home is looked at: its clouds, and what each of them has.
// Below that are folders for each org, and what is run, in the folder of that name.
const (
	depth = 2
	runs  = "policy"
)

// Check looks at a folder, at what is in it and at the folders that it is in. It returns
// an *OpenError unless all of that belongs to this user, or to root, and nobody else
// may write to it, or put something else in its place. A folder that is not there is
// nobody's.
//
// Where files have no owner of that kind, on Windows, it accepts everything.
func Check(dir string) error {
	const links = 40 // as many as Linux follows
	return explained(dir, errors.Join(reached(dir, links), below(dir)))
}

// CheckBelow is Check without the folders that it is in.
func CheckBelow(dir string) error { return explained(dir, below(dir)) }

func explained(dir string, err error) error {
	if is, ok := errors.AsType[*OpenError](err); ok || err == nil {
		if !ok {
			return nil
		}
		return is
	}
	return fmt.Errorf("look who can change %s: %w", dir, err)
}

func below(dir string) error {
	folder, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return look(folder, depth, false)
}

// reached looks at the folders and links that lead to a path. In a folder with the
// sticky bit, as /tmp is, everybody may write, and nobody moves what is another's.
func reached(path string, links int) error {
	if links == 0 {
		return fmt.Errorf("%s: too many links", path)
	}
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && (at != path || info.Mode().Type() == fs.ModeSymlink) {
			if why := open(info, info.Mode()&fs.ModeSticky != 0); why != "" {
				return &OpenError{Path: at, Why: why}
			}
		}
		if err == nil && info.Mode().Type() == fs.ModeSymlink {
			to, err := os.Readlink(at)
			if err != nil {
				return err
			}
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(at), to)
			}
			if err := reached(filepath.Join(to, strings.TrimPrefix(path, at)), links-1); err != nil {
				return err
			}
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// look looks at a file or a folder, and at what is so many folders down. Closed says
// that nobody else can enter a folder above, so that modes below it mean nothing.
func look(path string, down int, closed bool) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another process of ours has removed it meanwhile
	}
	if err != nil {
		return err
	}
	if why := open(info, closed); why != "" {
		return &OpenError{Path: path, Why: why}
	}
	if down == 0 && filepath.Base(path) == runs {
		down++
	}
	if down == 0 || !info.IsDir() {
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if err := look(filepath.Join(path, e.Name()), down-1, closed || info.Mode().Perm()&0o077 == 0); err != nil {
			return err
		}
	}
	return nil
}
