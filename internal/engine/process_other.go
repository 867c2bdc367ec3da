//go:build unix && !linux && !darwin

package engine

import "syscall"

// bind does nothing: only Linux can make a process die with the one that starts it.
func bind(*syscall.SysProcAttr) {}

// zombie does not know.
func zombie(int) bool { return false }
