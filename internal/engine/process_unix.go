//go:build unix

package engine

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"freehold.dev/freehold/internal/localhost"
	"freehold.dev/freehold/internal/watchdog"
)

// detach puts the command into a process group of its own.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	bind(cmd.SysProcAttr)
}

// runBound runs a command that may be bound to the thread that starts it, and so
// keeps that thread until the command has ended. One for which started fails is
// killed.
//
// The command, and what it starts, hear nobody but this user on the ports that they
// serve: the engine and its plugins ask nobody who they are. said is what a person
// should know of that.
func runBound(cmd *exec.Cmd, started func(pid int) error, said func(error)) error {
	return localhost.Guarded(func() error {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return runHere(cmd, started)
	}, said)
}

func runHere(cmd *exec.Cmd, started func(pid int) error) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := started(cmd.Process.Pid); err != nil {
		watchdog.KillTree(cmd.Process.Pid)
		return errors.Join(err, cmd.Wait())
	}
	return cmd.Wait()
}

// tryLock takes the file's lock if nobody has it. The lock belongs to the open
// file, not to the process, so a child that inherits the file keeps it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
