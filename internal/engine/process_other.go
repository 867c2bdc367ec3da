//go:build unix && !linux

package engine

import "syscall"

// bind does nothing: only Linux can make a process die with the one that starts it.
func bind(*syscall.SysProcAttr) {}
