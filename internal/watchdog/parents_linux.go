package watchdog

import "github.com/prometheus/procfs"

// parents are the parents of all processes, none where they cannot be listed.
func parents() map[int]int {
	all, err := procfs.AllProcs()
	if err != nil {
		return nil
	}
	out := map[int]int{}
	for _, p := range all {
		if stat, err := p.Stat(); err == nil { // else it has ended
			out[p.PID] = stat.PPID
		}
	}
	return out
}
