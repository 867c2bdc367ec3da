//go:build unix

package watchdog

import (
	"os/exec"
	"syscall"
)

// apart puts the watchdog into a process group of its own: what is typed at a
// terminal to stop its owner does not stop it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// KillTree kills a process and what KillBelow kills.
func KillTree(pid int) {
	// Stopped, it starts nobody who would be missed.
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	KillBelow(pid)
	// One that has ended by itself is no loss, here and below.
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// KillBelow kills the processes that a process has started, and theirs. A plugin of
// the CLI is in a process group of its own, so the group does not help.
func KillBelow(pid int) {
	children := map[int][]int{}
	for child, parent := range parents() {
		children[parent] = append(children[parent], child)
	}
	for below := children[pid]; len(below) > 0; below = below[1:] {
		_ = syscall.Kill(below[0], syscall.SIGKILL)
		below = append(below, children[below[0]]...)
	}
}
