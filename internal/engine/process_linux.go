package engine

import (
	"syscall"

	"github.com/prometheus/procfs"
)

// bind makes the process die with the thread that starts it: a CLI whose Freehold
// was killed must not go on writing to a state that is somebody else's by then.
// https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
func bind(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// zombie reports whether the process has ended, and nobody has asked how.
func zombie(pid int) bool {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return false
	}
	stat, err := p.Stat()
	return err == nil && (stat.State == "Z" || stat.State == "X")
}
