//go:build unix

package engine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// detach puts the command into a process group of its own.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	bind(cmd.SysProcAttr)
}

// runBound runs a command that may be bound to the thread that starts it, and so
// keeps that thread until the command has ended.
func runBound(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
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

// killBelow kills the processes that the process has started, and theirs. A
// plugin is in a process group of its own, so the group does not help.
func killBelow(pid int) {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return // the CLI is told to end all the same, and killed after the grace
	}
	children := map[int][]int{}
	for line := range bytes.Lines(out) {
		var child, parent int
		if _, err := fmt.Sscan(string(line), &child, &parent); err == nil {
			children[parent] = append(children[parent], child)
		}
	}
	for below := children[pid]; len(below) > 0; below = below[1:] {
		// One that has ended by itself is no loss.
		_ = syscall.Kill(below[0], syscall.SIGKILL)
		below = append(below, children[below[0]]...)
	}
}
