//go:build linux || darwin

package operation

import (
	"errors"
	"syscall"

	"freehold.dev/freehold/internal/pids"
)

// look says whether there is a process with the pid, and when it started, ""
// if that is not known.
func look(pid int) (life, string) {
	// The signal 0 reaches also what /proc may hide from other users.
	err := syscall.Kill(pid, 0)
	switch {
	case errors.Is(err, syscall.ESRCH):
		return gone, ""
	case err != nil && !errors.Is(err, syscall.EPERM):
		return unknown, ""
	}
	start, ended := pids.Started(pid)
	if ended {
		return gone, ""
	}
	return lives, start
}
