//go:build unix

package watchdog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Watchdog is a running one. Its methods may be called by several goroutines at once.
type Watchdog struct {
	cmd *exec.Cmd

	mu  sync.Mutex // of the conversation
	in  io.WriteCloser
	out *bufio.Reader
}

// Start starts self, which must call Serve where Serves says so. The watchdog ends
// with this process, whatever becomes of it.
func Start(self string) (*Watchdog, error) {
	cmd := &exec.Cmd{Path: self, Args: []string{name}, Stderr: os.Stderr}
	apart(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	return &Watchdog{cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

// Close ends the watchdog, and what it still watches.
func (w *Watchdog) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.in.Close(), w.cmd.Wait())
}

func (w *Watchdog) say(format string, args ...any) error {
	if _, err := fmt.Fprintf(w.in, format, args...); err != nil {
		return fmt.Errorf("tell the watchdog: %w", err)
	}
	return nil
}

// Watch has the process, and all that it has started, ended at the uptime that
// until returns. It is asked again every second.
func (w *Watchdog) Watch(pid int, until func() time.Duration) (*Watch, error) {
	tell := func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.say("watch %d %d\n", pid, until())
	}
	if err := tell(); err != nil {
		return nil, err
	}
	watch := &Watch{of: w, pid: pid, done: make(chan struct{})}
	watch.telling.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-watch.done:
				return
			case <-tick.C:
			}
			if err := tell(); err != nil {
				return // what it was told last holds, and Stop fails
			}
		}
	})
	return watch, nil
}

// Watch is one process that is watched.
type Watch struct {
	of      *Watchdog
	pid     int
	done    chan struct{}
	telling sync.WaitGroup
}

// Stop is called once, when the process has ended, and reports whether that was
// the watchdog's doing.
func (w *Watch) Stop() (ended bool, err error) {
	close(w.done)
	w.telling.Wait()
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if err := w.of.say("stop %d\n", w.pid); err != nil {
		return false, err
	}
	line, err := w.of.out.ReadString('\n')
	if err != nil {
		return false, fmt.Errorf("hear from the watchdog: %w", err)
	}
	pid := 0
	if _, err := fmt.Sscanf(line, "stopped %d %t\n", &pid, &ended); err != nil || pid != w.pid {
		return false, fmt.Errorf("the watchdog was told to stop %d, and answers %q", w.pid, line)
	}
	return ended, nil
}
