package lifecycle

import (
	"sync"
	"time"

	"freehold.dev/freehold/internal/event"
)

// watcher shows the progress of a use case that changes nothing, and therefore
// is no operation: nothing of it is stored.
type watcher struct {
	sink event.Sink
	org  string
	kind string
	now  func() time.Time
}

func (w watcher) emit(ev event.Event) {
	ev.Org, ev.Kind, ev.Time = w.org, w.kind, w.now()
	w.sink(ev)
}

// waits passes on what a run of the engine waits for, and nothing else of it.
func (w watcher) waits(ev event.Event) {
	if ev.Type == event.Waiting {
		w.emit(ev)
	}
}

// serialized makes a sink safe to call from several layers at once.
func serialized(sink event.Sink) event.Sink {
	if sink == nil {
		return func(event.Event) {}
	}
	var mu sync.Mutex
	return func(ev event.Event) {
		mu.Lock()
		defer mu.Unlock()
		sink(ev)
	}
}
