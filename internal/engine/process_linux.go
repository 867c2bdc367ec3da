package engine

import "syscall"

// bind makes the process die with the thread that starts it: a CLI whose Freehold
// was killed must not go on writing to a state that is somebody else's by then.
// https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
func bind(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
