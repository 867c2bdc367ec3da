//go:build unix

package watchdog

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"freehold.dev/freehold/internal/uptime"
)

// name is how a watchdog is called. It is not started by hand.
const name = "freehold-watchdog"

// every is how often the watchdog looks at its clock. A machine that wakes up is
// noticed that late.
const every = 200 * time.Millisecond

// Serves reports whether this process was started as a watchdog.
func Serves(argv0 string) bool {
	return strings.TrimSuffix(filepath.Base(argv0), ".exe") == name
}

// Serve watches until in ends. A signal for all processes of a terminal does not
// end it: its owner decides when it is done.
func Serve(in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	lines := make(chan string)
	failed := make(chan error, 1)
	go func() {
		defer close(lines)
		s := bufio.NewScanner(in)
		for s.Scan() {
			lines <- s.Text()
		}
		failed <- s.Err()
	}()
	d := dog{until: map[int]time.Duration{}, ended: map[int]bool{}}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case line, more := <-lines:
			if !more {
				d.end(func(time.Duration) bool { return true })
				return <-failed
			}
			if err := d.take(line, out); err != nil {
				return err
			}
		case <-tick.C:
		}
		d.end(func(until time.Duration) bool { return uptime.Since(until) >= 0 })
	}
}

// dog is what a watchdog knows.
type dog struct {
	until map[int]time.Duration
	ended map[int]bool
}

func (d dog) take(line string, out io.Writer) error {
	var pid int
	var until int64
	if _, err := fmt.Sscanf(line, "watch %d %d", &pid, &until); err == nil {
		if !d.ended[pid] {
			d.until[pid] = time.Duration(until)
		}
		return nil
	}
	if _, err := fmt.Sscanf(line, "stop %d", &pid); err != nil {
		return fmt.Errorf("watchdog: %q is not understood", line)
	}
	ended := d.ended[pid]
	delete(d.until, pid)
	delete(d.ended, pid)
	if _, err := fmt.Fprintf(out, "stopped %d %t\n", pid, ended); err != nil {
		return fmt.Errorf("watchdog: answer: %w", err)
	}
	return nil
}

// end ends the processes whose time is over.
func (d dog) end(over func(until time.Duration) bool) {
	for pid, until := range d.until {
		if over(until) {
			KillTree(pid)
			delete(d.until, pid)
			d.ended[pid] = true
		}
	}
}
