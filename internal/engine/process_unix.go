//go:build unix

package engine

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// detach puts the command into a process group of its own.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// tryLock takes the file's lock if nobody has it. The lock belongs to the open
// file, not to the process, so a child that inherits the file keeps it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
