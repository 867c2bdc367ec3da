package controlplane

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"freehold.dev/freehold/internal/wait"
)

// process names one process for good: ids are reused, ids with start times are not.
type process struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Start string `json:"start"` // as startOf tells it
}

// newProcess identifies a process that has just been started by us.
func newProcess(name string, pid int) (process, error) {
	start, err := startOf(pid)
	if err != nil {
		return process{}, fmt.Errorf("identify %s, process %d: %w", name, pid, err)
	}
	return process{Name: name, PID: pid, Start: start}, nil
}

// alive reports whether that very process still runs.
func (p process) alive() bool {
	if p.PID <= 1 || p.Start == "" {
		return false
	}
	start, err := startOf(p.PID)
	return err == nil && start == p.Start
}

// signal sends a signal to that very process, and does nothing if it is gone.
func (p process) signal(s syscall.Signal) error {
	if !p.alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %s, process %d: %w", p.Name, p.PID, err)
	}
	return nil
}

// gone waits until the process has ended.
func (p process) gone(ctx context.Context, within time.Duration, now func() time.Time) error {
	return wait.Until(ctx, wait.For{
		What: fmt.Sprintf("%s, process %d, to end", p.Name, p.PID), Every: 20 * time.Millisecond, Within: within, Now: now,
	}, func(context.Context) (bool, error) { return !p.alive(), nil })
}

// sleep pauses between two rounds of what goes on until ctx ends, and reports
// whether it paused to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
