package pids

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// zombie is SZOMB of sys/proc.h.
const zombie = 5

// Started is when a process that exists started. A process that has ended, and
// only waits for its parent to ask how, is ended.
func Started(pid int) (start string, ended bool) {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return "", false
	}
	at := p.Proc.P_starttime
	return fmt.Sprintf("%d.%06d", at.Sec, at.Usec), p.Proc.P_stat == zombie
}
