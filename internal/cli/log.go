package cli

import (
	"io"
	"sync"
)

// logWriter takes what the services log: it writes to standard error, above the
// drawing while a screen draws there.
type logWriter struct {
	mu    sync.Mutex
	plain io.Writer
	above func(line string) // nil: nothing is drawn
}

// Write writes whole lines.
func (l *logWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.above == nil {
		return l.plain.Write(p)
	}
	line := string(p)
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1] // the screen ends lines itself
	}
	l.above(line)
	return len(p), nil
}

// drawn sets how to write above a drawing; nil: nothing is drawn any more.
func (l *logWriter) drawn(above func(string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.above = above
}
