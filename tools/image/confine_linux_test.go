package main

import (
	"os/exec"
	"syscall"
)

// confine makes a program see one folder and nothing else, as the image's user.
func confine(cmd *exec.Cmd, root string) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot:     root,
		Credential: &syscall.Credential{Uid: 65532, Gid: 65532},
	}
}
