package operation

import (
	"os"
	"strconv"
	"strings"
)

// Holder names this process, and tells of a process that named itself in the
// same way whether it is dead for sure. Where it cannot tell, it says no: then
// the lease has to expire, which costs seconds. Two processes that work on one
// org at once could cost far more.
type Holder interface {
	Name() string
	Dead(name string) bool
	// SameClock reports whether the process that has the name stamps its lease
	// with the clock that this one reads. Where it cannot tell, it says no.
	SameClock(name string) bool
}

// Process is the Holder of an operating system's process.
type Process struct {
	self process
}

// process identifies a process so that no other, at any time and on any
// machine, is taken for it. What is not known is empty.
type process struct {
	host string
	pid  int
	// start is when the process started, in whatever unit, as long as it is the
	// same whenever it is asked: a pid is used again.
	start string
	// boot identifies this run of the kernel, and space what within it gives
	// pids and start times their meaning.
	boot, space string
}

// ThisProcess is the Holder of the process that calls it.
func ThisProcess() Process {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	boot, space := kernel()
	_, start := look(os.Getpid())
	return Process{self: process{host: host, pid: os.Getpid(), start: start, boot: boot, space: space}}
}

// Name is the process in one line, its host and pid first.
func (p Process) Name() string {
	fields := []string{p.self.host, strconv.Itoa(p.self.pid), p.self.start, p.self.boot, p.self.space}
	for i, f := range fields {
		if f = strings.Join(strings.Fields(f), "_"); f == "" {
			f = "-"
		}
		fields[i] = f
	}
	return strings.Join(fields, " ")
}

// Dead reports whether the process that has the name is dead for sure. Only a
// process of the same host, the same boot and the same name spaces can tell.
func (p Process) Dead(name string) bool {
	mine, its := strings.Fields(p.Name()), strings.Fields(name)
	if len(its) != len(mine) {
		return false
	}
	for _, i := range []int{0, 3, 4} {
		if its[i] != mine[i] || its[i] == "-" {
			return false
		}
	}
	pid, err := strconv.Atoi(its[1])
	if err != nil || pid <= 0 {
		return false
	}
	life, start := look(pid)
	switch life {
	case gone:
		return true
	case lives:
		// Another process has its pid now.
		return start != "" && its[2] != "-" && start != its[2]
	default:
		return false
	}
}

// SameClock reports whether the process that has the name ran on the same boot
// of the same host.
func (p Process) SameClock(name string) bool {
	mine, its := strings.Fields(p.Name()), strings.Fields(name)
	return len(its) == len(mine) && its[0] == mine[0] && its[3] == mine[3] && its[0] != "-" && its[3] != "-"
}

// life is what is known of a pid.
type life int

const (
	unknown life = iota
	lives
	gone
)
