package cli

import (
	"context"
	"fmt"
	"io"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

// stopping is what an operator reads after the first ctrl-c.
const stopping = "finishing the current step; press ctrl-c again to stop at once"

// progress shows an operation while it runs. Close leaves the terminal as it
// was; it is called after the last event.
type progress interface {
	event(event.Event)
	close()
}

// operate runs one use case under a stream and under the progress that the
// output format and the terminal call for.
func (a *app) operate(ctx context.Context, kind, org string, use func(event.Sink) (any, error)) error {
	p := a.progress(kind, org)
	s := newStream(kind, org, a.env.Now, p.event)
	a.streamed = true
	// The advice goes through the stream: nothing else may write meanwhile.
	quiet := context.AfterFunc(ctx, func() {
		s.sink(event.Event{Type: event.Diagnostic, Time: a.env.Now(), Org: org, Kind: kind, Message: stopping})
	})
	result, err := use(s.sink)
	quiet()
	s.end(result, err)
	p.close()
	return err
}

func (a *app) progress(kind, org string) progress {
	switch {
	case a.output == asNDJSON:
		return &eventLines{w: a.env.Stdout}
	case a.env.Terminal:
		return newScreen(a.env, a.log, kind, org)
	default:
		return newLines(a.env, kind, org, a.opt.Verbose)
	}
}

// eventLines writes each event as a CloudEvent on one line.
type eventLines struct {
	w   io.Writer
	seq int
}

func (l *eventLines) event(e event.Event) {
	l.seq++
	line, err := render.CloudEvent(e, l.seq)
	if err != nil {
		// Only a result that is no JSON gets here; the event matters more.
		e.Result = nil
		if line, err = render.CloudEvent(e, l.seq); err != nil {
			return
		}
	}
	fmt.Fprintf(l.w, "%s\n", line)
}

func (l *eventLines) close() {}
