package cli

import (
	"io"
	"sync"
)

// logWriter is where the services log to: standard error, and above the
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
		line = line[:n-1] // the screen ends lines by itself
	}
	l.above(line)
	return len(p), nil
}

// drawn says how to write above a drawing; nil: it is over.
func (l *logWriter) drawn(above func(string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.above = above
}
