package engine

import (
	"context"
	"os"
	"regexp"
	"strconv"
	"time"
)

// Lock is a lock of a stack in the backend, as the CLI names it.
type Lock struct {
	Host string
	PID  int
	// At is when it was made, by the clock of its host and to the second; zero: the
	// CLI did not say.
	At time.Time
}

var lockMadeBy = regexp.MustCompile(`created by \S*@(\S+) \(pid (\d+)\)(?: at (\S+))?`)

// locksOf reads the locks that are in the way from the CLI's words.
func locksOf(text string) []Lock {
	var out []Lock
	for _, m := range lockMadeBy.FindAllStringSubmatch(text, -1) {
		pid, err := strconv.Atoi(m[2])
		if err != nil {
			continue
		}
		l := Lock{Host: m[1], PID: pid}
		if at, err := time.Parse(time.RFC3339, m[3]); err == nil {
			l.At = at
		}
		out = append(out, l)
	}
	return out
}

// abandoned reports whether every lock is one that nobody holds any more: that of
// a process of this machine that is gone, or of an operation that is over on
// another. A lock that cannot be judged counts as held.
func (e *Engine) abandoned(ctx context.Context, s Stack, text string) bool {
	locks := locksOf(text)
	self, err := os.Hostname()
	if err != nil || len(locks) == 0 {
		return false
	}
	for _, l := range locks {
		if l.Host == self && pulumiAlive(l.PID) || l.Host != self && !e.over(ctx, s, l) {
			return false
		}
	}
	return true
}

// over reports whether the operation that made a lock on another machine is known
// to be over.
func (e *Engine) over(ctx context.Context, s Stack, l Lock) bool {
	if e.opts.Over == nil || l.At.IsZero() {
		return false
	}
	over, err := e.opts.Over(ctx, s, l)
	if err != nil {
		e.opts.Log.WarnContext(ctx, "it cannot be told whether the stack's lock is still held", "stack", s.Name, "host", l.Host, "err", err)
		return false
	}
	return over
}
