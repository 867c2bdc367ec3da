package pids

import (
	"strconv"

	"github.com/prometheus/procfs"
)

// Started is when a process that exists started, in clock ticks since the boot:
// the wall clock's time of it would change whenever that clock is set. A
// process that has ended, and only waits for its parent to ask how, is ended.
func Started(pid int) (start string, ended bool) {
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
