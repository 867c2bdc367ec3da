//go:build !(linux && (amd64 || arm64))

package localhost

import "errors"

// GuardKnown reports that Guarded keeps nobody out.
func GuardKnown() error {
	return errors.New("this system does not let a process look at who connects to one that it started")
}

// Guarded calls run. Other users of this machine can reach what it starts.
func Guarded(run func() error, _ func(error)) error { return run() }
