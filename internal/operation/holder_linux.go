package operation

import (
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
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

// started is when a process that exists started, in clock ticks since the boot:
// the wall clock's time of it would change whenever that clock is set. A
// process that has ended, and only waits for its parent to ask how, is ended.
func started(pid int) (start string, ended bool) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return "", false
	}
	stat, err := p.Stat()
	if err != nil {
		return "", false
	}
	switch stat.State {
	case "Z", "X", "x":
		return "", true
	}
	return strconv.FormatUint(stat.Starttime, 10), false
}
