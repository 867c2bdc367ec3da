package identity

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/witness"
)

const (
	// Noted is how many refusals of one org and reason have entries of their own in
	// a minute. One more entry says how many there were besides: an outsider cannot
	// fill a log that is kept for ever.
	Noted = 10

	refusalWindow = time.Minute
	refusalQueue  = 1024
	flushEvery    = 10 * time.Second
	writeTimeout  = 10 * time.Second
)

// Recorder adds a refusal to an org's audit log, or to the fleet's: registry.Store.
type Recorder interface {
	Refused(ctx context.Context, w orgcontext.Witness, what, reason string) error
}

// refusals writes refusals to the audit log, a bounded number of them, and beside
// the calls: a refusal takes as long as the log is slow for nobody.
type refusals struct {
	to  Recorder
	now func() time.Time
	log *slog.Logger

	queue chan entry
	mu    sync.Mutex
	all   map[kind]*window
}

type kind struct {
	org    string
	reason Reason
}

// window is a minute of refusals of a kind.
type window struct {
	began       time.Time
	noted, more int
}

type entry struct{ org, actor, request, what, reason string }

func newRefusals(to Recorder, now func() time.Time, log *slog.Logger) *refusals {
	return &refusals{to: to, now: now, log: log, queue: make(chan entry, refusalQueue), all: map[kind]*window{}}
}

// add notes that actor was refused, or counts it.
func (r *refusals) add(org, actor, request, what string, err *RefusedError) {
	r.log.Debug("refused", "org", org, "actor", actor, "request", request, "what", what, "reason", err.Reason, "detail", err.Detail)
	k := kind{org, err.Reason}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	w := r.all[k]
	if w != nil && now.Sub(w.began) >= refusalWindow {
		r.close(k, w)
		w = nil
	}
	if w == nil {
		w = &window{began: now}
		r.all[k] = w
	}
	if w.noted >= Noted || !r.put(entry{org, actor, request, what, "denied: " + err.Error()}) {
		w.more++
		return
	}
	w.noted++
	r.log.Info("refused", "org", org, "actor", actor, "request", request, "what", what, "reason", err.Reason, "detail", err.Detail)
}

// put reports whether there was room.
func (r *refusals) put(e entry) bool {
	select {
	case r.queue <- e:
		return true
	default:
		return false
	}
}

// close ends a window. One whose last entry finds no room stays for the next time.
func (r *refusals) close(k kind, w *window) {
	if w.more == 0 || r.put(entry{
		org: k.org, actor: "several", what: fmt.Sprintf("calls in the minute from %s", w.began.UTC().Format(time.RFC3339)),
		reason: fmt.Sprintf("denied: %s: %d more times", k.reason, w.more),
	}) {
		delete(r.all, k)
	}
}

func (r *refusals) flush(all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for k, w := range r.all {
		if all || now.Sub(w.began) >= refusalWindow {
			r.close(k, w)
		}
	}
}

// run writes entries until ctx is done, and then those that are left.
func (r *refusals) run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case e := <-r.queue:
			r.write(ctx, e)
		case <-tick.C:
			r.flush(false)
		}
	}
	r.flush(true)
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer stop()
	for {
		select {
		case e := <-r.queue:
			r.write(ctx, e)
		default:
			return
		}
	}
}

func (r *refusals) write(ctx context.Context, e entry) {
	if r.to == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer stop()
	if err := r.to.Refused(ctx, witness.Of(e.org, e.actor, e.request), e.what, e.reason); err != nil {
		r.log.Error("a refusal is not in the audit log", "org", e.org, "actor", e.actor, "request", e.request, "what", e.what, "reason", e.reason, "err", err)
	}
}
