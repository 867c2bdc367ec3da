package operation

import "golang.org/x/sys/unix"

// kernel identifies the kernel's boot. Pids are the same for all processes.
func kernel() (boot, space string) {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return "", ""
	}
	return id, "darwin"
}
