package authz

import (
	"context"
	"errors"
	"sync"
	"time"

	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/registry"
)

const (
	// together is how many entries one transaction adds at most.
	together = 128
	// waiting is how many entries of one org wait at most. At a millisecond for each
	// commit the last of them waits for 32.
	waiting = 4096
	// commitWithin is how long a commit may take before its requests are refused.
	commitWithin = 5 * time.Second
)

// errFull says that the org has more requests than can be noted.
var errFull = errors.New("too many requests of the org wait for the audit log")

// Recorder notes decisions in audit logs. A call returns once its entry is stored.
// Entries of one log that come while another is being stored wait for each other
// and share the next transaction, so that a busy org costs few of them. Orgs do
// not wait for each other. It is safe for use by several goroutines.
type Recorder struct {
	orgs  logs[registry.Note]
	fleet logs[registry.FleetNote]
}

// NewRecorder notes in the store.
func NewRecorder(store registry.Store) *Recorder {
	return &Recorder{
		orgs: logs[registry.Note]{commit: func(ctx context.Context, all []registry.Note) error {
			return store.Org(all[0].By).Note(ctx, all...)
		}},
		fleet: logs[registry.FleetNote]{commit: func(ctx context.Context, all []registry.FleetNote) error {
			return store.Fleet(all[0].By).Note(ctx, all...)
		}},
	}
}

// Note notes how a verified caller's request was decided.
func (r *Recorder) Note(ctx context.Context, v delegation.Verified, what, result string) error {
	if f := v.Fleet(); f.Valid() {
		return r.fleet.add(ctx, "", registry.FleetNote{By: f, What: what, Result: result})
	}
	return r.org(ctx, v.Context(), what, result)
}

func (r *Recorder) org(ctx context.Context, by orgcontext.Context, what, result string) error {
	if !by.Valid() {
		return registry.ErrNoOrg
	}
	return r.orgs.add(ctx, by.Org(), registry.Note{By: by, What: what, Result: result})
}

// logs are those that somebody waits for, by org.
type logs[N any] struct {
	commit func(context.Context, []N) error

	mu  sync.Mutex
	all map[string]*queue[N]
}

// queue are the entries of one log that are not stored yet. It is there for as
// long as there are some, and so is the goroutine that stores them.
type queue[N any] struct{ entries []entryOf[N] }

type entryOf[N any] struct {
	note   N
	stored chan<- error
}

// add returns once the note is stored, or cannot be, or ctx ends. In the last case
// it may be stored all the same: a request was decided, and its caller left.
func (l *logs[N]) add(ctx context.Context, log string, note N) error {
	stored := make(chan error, 1)
	if err := l.enqueue(log, entryOf[N]{note, stored}); err != nil {
		return err
	}
	select {
	case err := <-stored:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *logs[N]) enqueue(log string, e entryOf[N]) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.all[log]
	if q == nil {
		if l.all == nil {
			l.all = map[string]*queue[N]{}
		}
		q = &queue[N]{}
		l.all[log] = q
		go l.store(log, q)
	}
	if len(q.entries) >= waiting {
		return errFull
	}
	q.entries = append(q.entries, e)
	return nil
}

// store stores entries until none is left.
func (l *logs[N]) store(log string, q *queue[N]) {
	for {
		batch := l.next(log, q)
		if batch == nil {
			return
		}
		notes := make([]N, len(batch))
		for i, e := range batch {
			notes[i] = e.note
		}
		// Not under the context of one of the callers: the others are in it as well.
		ctx, stop := context.WithTimeout(context.Background(), commitWithin)
		err := l.commit(ctx, notes)
		stop()
		for _, e := range batch {
			e.stored <- err
		}
	}
}

// next takes entries off the queue, and the queue away if there is none.
func (l *logs[N]) next(log string, q *queue[N]) []entryOf[N] {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(q.entries), together)
	if n == 0 {
		delete(l.all, log)
		return nil
	}
	batch := q.entries[:n:n]
	q.entries = q.entries[n:]
	return batch
}
