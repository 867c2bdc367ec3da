package operation

import (
	"os"
	"strconv"
	"strings"
)

// kernel identifies the kernel's boot, and the name spaces of pids and of
// clocks: in another, the same number means another process or another time.
func kernel() (boot, space string) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || !procIsOurs() {
		return "", ""
	}
	pids, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "", ""
	}
	clocks, err := os.Readlink("/proc/self/ns/time")
	if err != nil {
		clocks = "time:none" // before Linux 5.6, all have one clock
	}
	return strings.TrimSpace(string(id)), pids + "," + clocks
}

// procIsOurs reports whether /proc has the pids of this process' own name space.
func procIsOurs() bool {
	self, err := os.Readlink("/proc/self")
	return err == nil && self == strconv.Itoa(os.Getpid())
}
