package rpc

import (
	"context"
	"log/slog"
	"sync"

	"connectrpc.com/connect/v2"

	"freehold.dev/freehold/internal/event"
)

// Runs are the operations of this process. They go on after the call that began
// them, and are bounded in number, as each runs a Pulumi engine.
type Runs struct {
	log   *slog.Logger
	slots chan struct{}

	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
	count   int
	ids     map[string]bool
}

// NewRuns makes room for so many operations at a time.
func NewRuns(most int, log *slog.Logger) *Runs {
	return &Runs{log: log, slots: make(chan struct{}, most), ids: map[string]bool{}}
}

// Running is how many there are now.
func (r *Runs) Running() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Has reports whether an operation runs in this process.
func (r *Runs) Has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ids[id]
}

// Begin runs an operation, and returns its id once it has begun, which is when its
// first event says so. An operation that ends before returns its error. When the
// caller goes before that, the run is given up; after it, the run goes on.
func (r *Runs) Begin(ctx context.Context, run func(context.Context, event.Sink) error) (id string, err error) {
	if err := r.enter(); err != nil {
		return "", err
	}
	began := make(chan string, 1)
	ended := make(chan error, 1)
	// What the run is done for travels in the context; the caller's patience does not.
	running, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		id := ""
		defer func() { r.leave(id) }()
		defer giveUp()
		err := run(running, func(ev event.Event) {
			if id == "" && ev.Operation != "" {
				id = ev.Operation
				r.has(id)
				began <- id
			}
		})
		ended <- err
	}()
	select {
	case id := <-began:
		return id, nil
	case err := <-ended:
		select {
		case id := <-began: // it ended well, or was shown again
			return id, nil
		default:
		}
		if err == nil {
			err = connect.NewError(connect.CodeInternal, "the operation ended without an event")
		}
		return "", err
	case <-ctx.Done():
		select {
		case id := <-began:
			return id, nil
		default:
		}
		giveUp()
		return "", ctx.Err()
	}
}

func (r *Runs) enter() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return connect.NewError(connect.CodeUnavailable, "the server stops; try again in a moment")
	}
	select {
	case r.slots <- struct{}{}:
	default:
		return connect.Errorf(connect.CodeResourceExhausted, "%d operations run already, as many as this server runs at a time; try again in a moment", cap(r.slots))
	}
	r.count++
	r.running.Add(1)
	return nil
}

func (r *Runs) has(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[id] = true
}

func (r *Runs) leave(id string) {
	r.mu.Lock()
	r.count--
	delete(r.ids, id)
	r.mu.Unlock()
	<-r.slots
	r.running.Done()
}

// Stop takes no more operations, and waits for those that run until ctx ends. One
// that still runs then is not cancelled: the process ends, as if it was killed, and
// the next one that starts goes on with it.
func (r *Runs) Stop(ctx context.Context) {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	done := make(chan struct{})
	go func() {
		r.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		r.log.Warn("operations are left to the next worker", "operations", r.Running())
	}
}
