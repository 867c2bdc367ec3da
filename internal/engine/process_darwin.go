package engine

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// bind does nothing: only Linux can make a process die with the one that starts it.
func bind(*syscall.SysProcAttr) {}

// zombie reports whether the process has ended, and nobody has asked how: SZOMB of
// sys/proc.h.
func zombie(pid int) bool {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	return err == nil && p.Proc.P_stat == 5
}
