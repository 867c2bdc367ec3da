package main_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// use looks at the processes of a home until ctx ends, and then says what they
// took: those that name the home in their arguments or their environment.
func use(ctx context.Context, home string) <-chan usage {
	out := make(chan usage, 1)
	go func() {
		var u usage
		clusters := map[int]time.Duration{} // by supervisor: what ends with one was counted before
		for {
			done := ctx.Err() != nil
			var memory int64
			awake := 0
			for supervisor, cpu := range look(home, &memory, &awake) {
				clusters[supervisor] = max(clusters[supervisor], cpu)
			}
			u.last, u.most, u.awake = memory, max(u.most, memory), max(u.awake, awake)
			if done {
				break
			}
			select {
			case <-time.After(5 * time.Second):
			case <-ctx.Done():
			}
		}
		for _, cpu := range clusters {
			u.cpu += cpu
		}
		out <- u
	}()
	return out
}

// look adds up the memory of a home's processes, counts API servers, and returns
// the processor's time that each supervisor and its children have taken. What
// cannot be read has ended.
func look(home string, memory *int64, awake *int) map[int]time.Duration {
	supervisors, others := map[int]time.Duration{}, map[int]time.Duration{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		args, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if !bytes.Contains(args, []byte(home)) && !bytes.Contains(env, []byte(home)) {
			continue
		}
		*memory += proportional(dir)
		pid, parent, own, waited := times(dir)
		switch {
		case bytes.Contains(args, []byte("serve-cluster")):
			supervisors[pid] += own + waited
		case bytes.Contains(args, []byte("\x00kube-apiserver\x00")):
			*awake++
			others[parent] += own
		default:
			others[parent] += own
		}
	}
	for pid := range supervisors {
		supervisors[pid] += others[pid]
	}
	return supervisors
}

// proportional is a process's memory, of which what is shared counts in part.
// https://docs.kernel.org/filesystems/proc.html
func proportional(dir string) int64 {
	text, _ := os.ReadFile(filepath.Join(dir, "smaps_rollup"))
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
			kib, _ := strconv.ParseInt(f[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// times reads a process's own time, and that of the children it has waited for.
func times(dir string) (pid, parent int, own, waited time.Duration) {
	stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
	// The second field is the command in brackets and may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 15 {
		return 0, 0, 0, 0
	}
	number := func(i int) time.Duration {
		n, _ := strconv.Atoi(fields[i])
		return time.Duration(n) * 10 * time.Millisecond // a tick, which Linux counts in on every machine that Go knows
	}
	pid, _ = strconv.Atoi(filepath.Base(dir))
	parent, _ = strconv.Atoi(fields[1])
	return pid, parent, number(11) + number(12), number(13) + number(14)
}
