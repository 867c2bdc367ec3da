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
// Below that are folders for each org.
const depth = 2

// Check looks at a folder and what is in it, and returns an *OpenError unless all of
// that belongs to this user, or to root, and nobody else may write to it. What is
// above is not looked at: whoever moves the folder away can put in its place only
// what belongs to them. A folder that is not there is nobody's.
//
// Where files have no owner of that kind, on Windows, it accepts everything.
func Check(dir string) error {
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = look(real, depth, false)
	}
	if _, is := errors.AsType[*OpenError](err); err == nil || is {
		return err
	}
	return fmt.Errorf("look who can change %s: %w", dir, err)
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
