//go:build !linux

package pgtest

import (
	"errors"
	"os"
	"syscall"
)

// asNobody says as whom the server runs, as whoever runs the test, and where it
// finds the programs of bin.
func asNobody(bin, _, _ string) (*syscall.SysProcAttr, string, error) {
	if os.Geteuid() == 0 {
		return nil, "", errors.New("PostgreSQL does not run as root: run the tests as another user")
	}
	return &syscall.SysProcAttr{}, bin, nil
}

// inMemory is a folder in memory, if there is one that is known of.
func inMemory() string { return "" }
