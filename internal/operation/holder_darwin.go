package operation

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// kernel identifies the kernel's boot. Pids are the same for all processes.
func kernel() (boot, space string) {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return "", ""
	}
	return id, "darwin"
}

// zombie is SZOMB of sys/proc.h.
const zombie = 5

// started is when a process that exists started. A process that has ended, and
// only waits for its parent to ask how, is ended.
func started(pid int) (start string, ended bool) {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return "", false
	}
	at := p.Proc.P_starttime
	return fmt.Sprintf("%d.%06d", at.Sec, at.Usec), p.Proc.P_stat == zombie
}
