package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

// patience is how long a log stays silent while a layer runs.
const patience = 10 * time.Second

// lines shows progress without a terminal: a line when a layer starts and ends,
// every warning, and, after patience without a line, what each layer waits for.
type lines struct {
	w       io.Writer
	now     func() time.Time
	verbose bool

	mu    sync.Mutex
	board *board
	last  time.Time // when the last line was written

	done    chan struct{}
	stopped chan struct{}
}

// newLines starts a lines that watches the clock until it is closed.
func newLines(env Env, kind, org string, o *outlook, verbose bool) *lines {
	l := &lines{
		w: env.Stderr, now: env.Now, verbose: verbose,
		board: newBoard(org, kind, env.Now()), last: env.Now(),
		done: make(chan struct{}), stopped: make(chan struct{}),
	}
	l.board.outlook = o
	go func() {
		defer close(l.stopped)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				l.tick()
			case <-l.done:
				return
			}
		}
	}()
	return l
}

func (l *lines) close() {
	close(l.done)
	<-l.stopped
}

func (l *lines) event(e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.board.apply(e)
	switch e.Type {
	case event.LayerStarted:
		l.write(e.Layer, "started")
	case event.LayerFinished:
		layer := l.board.layer(e.Layer)
		l.write(e.Layer, "done in %s, %s", render.Took(layer.took), l.board.outcome(layer))
	case event.LayerFailed:
		l.write(e.Layer, "failed after %s", render.Took(l.board.layer(e.Layer).took))
	case event.ResourceFailed:
		text := e.Message
		if !l.verbose {
			text = cloudsWords(text)
		}
		l.write(e.Layer, "%s failed: %s", resource(e), text)
	case event.Diagnostic:
		l.write(e.Layer, "%s", e.Message)
	case event.ResourceFinished:
		if l.verbose && e.Op != "same" {
			l.write(e.Layer, "%s %s", e.Op, resource(e))
		}
	case event.Waiting:
		if l.verbose {
			l.write(e.Layer, "waiting for %s", strings.TrimPrefix(e.Message, "waiting for "))
		}
	default:
		// What happens to single resources is counted, not listed.
	}
}

// tick writes what each running layer waits for when no line was written lately.
func (l *lines) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.last) < patience {
		return
	}
	for _, layer := range l.board.layers {
		if layer.state != layerRuns {
			continue
		}
		text := fmt.Sprintf("%s, %s", layer.progress(), render.Took(layer.elapsed(now)))
		if usually := l.board.usually(layer, now); usually != "" {
			text += ", " + usually
		}
		if on := layer.waitsFor(now); on != "" {
			text += ", waiting for " + on
		}
		l.write(layer.name, "%s", text)
	}
}

func (l *lines) write(layer, format string, args ...any) {
	l.last = l.now()
	head := l.board.org
	if layer != "" {
		head += ": " + layer
	}
	if head != "" {
		head += ": "
	}
	fmt.Fprintf(l.w, "%s%s\n", head, fmt.Sprintf(format, args...))
}
