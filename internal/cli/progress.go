package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

// stopping is what an operator reads after the first ctrl-c.
const stopping = "finishing the current step; press ctrl-c again to stop at once"

// logPatience bounds how long the log is read for at the end of an operation
// that may have been interrupted.
const logPatience = 10 * time.Second

// progress shows an operation while it runs. Close leaves the terminal as it
// was; it is called after the last event.
type progress interface {
	event(event.Event)
	close()
}

// operate runs one use case under a stream, with the progress that fits the
// output format and the terminal.
func (a *app) operate(ctx context.Context, kind, org string, use func(event.Sink) (any, error)) error {
	p := a.progress(kind, org, a.outlook(ctx, a.history(ctx, kind), org))
	a.streamed = true
	err := a.follow(ctx, kind, org, p, use)
	if org != "" && slices.Contains(stored, kind) {
		a.flush(ctx, org)
	}
	return err
}

// stored are the kinds of operations whose events are stored, and so sent.
var stored = []string{"onboard", "offboard", "projects", "release"}

// preview runs a use case whose result is only shown to be confirmed: people see
// its progress, and no stream of events begins.
func (a *app) preview(ctx context.Context, org string, use func(event.Sink) (any, error)) error {
	if a.output == asNDJSON {
		_, err := use(func(event.Event) {})
		return err
	}
	return a.follow(ctx, "plan", org, a.progress("plan", org, nil), use)
}

func (a *app) follow(ctx context.Context, kind, org string, p progress, use func(event.Sink) (any, error)) error {
	s := newStream(kind, org, a.env.Now, p.event)
	s.logged = a.logged(ctx)
	quiet := context.AfterFunc(ctx, func() { a.announceStop(s, org, kind) })
	result, err := use(s.sink)
	quiet()
	s.end(result, err)
	p.close()
	return err
}

// announceStop says how to stop at once. It goes through the stream, as nothing
// else may write to a terminal meanwhile; but a stream of events that programs
// read has only what the log has.
func (a *app) announceStop(s *stream, org, kind string) {
	stopping := stopping
	if a.opt.Server != "" {
		stopping = "no longer following; what runs on the server goes on"
	}
	if a.output == asNDJSON {
		fmt.Fprintf(a.env.Stderr, "freehold: %s\n", stopping)
		return
	}
	s.sink(event.Event{Type: event.Diagnostic, Time: a.env.Now(), Org: org, Kind: kind, Message: stopping})
}

// logged finds how an operation ended in the registry's log. The operation's
// own context may have ended.
func (a *app) logged(ctx context.Context) func(org, operation string) (event.Event, bool) {
	log := OperationLog(a.lifecycle)
	if log == nil {
		return nil
	}
	return func(org, operation string) (event.Event, bool) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logPatience)
		defer cancel()
		all, err := log.Events(ctx, org, operation, 0)
		if err != nil || len(all) == 0 || !all[len(all)-1].Type.Terminal() {
			return event.Event{}, false
		}
		last, err := all[len(all)-1].Restored()
		return last, err == nil
	}
}

func (a *app) progress(kind, org string, o *outlook) progress {
	switch {
	case a.output == asNDJSON:
		return &eventLines{w: a.env.Stdout}
	case a.env.Terminal:
		return newScreen(a.env, a.log, kind, org, o)
	default:
		return newLines(a.env, kind, org, o, a.opt.Verbose)
	}
}

// eventLines writes each event as a CloudEvent on one line.
type eventLines struct {
	w     io.Writer
	count int
}

func (l *eventLines) event(e event.Event) {
	l.count++
	line, err := render.CloudEvent(e, l.count)
	if err != nil {
		// Only a result that cannot be written as JSON gets here; the event matters more.
		e.Result = nil
		if line, err = render.CloudEvent(e, l.count); err != nil {
			return
		}
	}
	fmt.Fprintf(l.w, "%s\n", line)
}

func (l *eventLines) close() {}
