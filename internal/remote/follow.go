package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cenkalti/backoff/v5"

	v1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
)

// silence is how long nobody may answer until following is given up. The
// operation goes on all the same.
const silence = 10 * time.Minute

// follower shows the events of one operation, in order, each once. It remembers
// what it has shown, so that a stream that breaks is resumed after that.
type follower struct {
	c     *Client
	org   string
	id    string // "": the newest
	after int64
	show  event.Sink
}

// errBroken is why a stream that came to an end is resumed.
var errBroken = errors.New("the stream ended before the operation did")

// A server that ends each stream at once, with nothing new, has nobody who runs
// the operation. It may have a process that takes it over, so that it is asked
// again for a while.
const (
	atOnce         = 30 * time.Second
	abandonedAfter = time.Minute
)

// hearing is since when nothing new was heard of an operation.
type hearing struct {
	now   func() time.Time
	since time.Time
}

// after judges a call that took until now, since began, and ended with err.
// Something new, or a call that lasted, shows that somebody is there. Otherwise the
// error is final once it has lasted too long.
func (h *hearing) after(began time.Time, isNew bool, err error) error {
	now := h.now()
	switch still := now.Sub(h.since); {
	case isNew || now.Sub(began) >= atOnce:
		h.since = now
		return err
	case errors.Is(err, errBroken) && still > abandonedAfter:
		return backoff.Permanent(err)
	case still > silence:
		return backoff.Permanent(err)
	default:
		return err
	}
}

// run shows what is stored, and with follow what is still to come, up to the
// terminal event.
func (f *follower) run(ctx context.Context, follow bool) error {
	const doing = "follow the operation"
	schedule, noticed := again(), false
	h := hearing{now: f.c.o.Now, since: f.c.o.Now()}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		before, began := f.after, f.c.o.Now()
		err := f.stream(ctx, follow)
		if err == nil {
			return struct{}{}, nil
		}
		if !errors.Is(err, errBroken) && !passing(ctx, err) {
			return struct{}{}, backoff.Permanent(err)
		}
		if f.after > before {
			schedule.Reset()
			noticed = false
		}
		return struct{}{}, h.after(began, f.after > before, err)
	}, backoff.WithBackOff(schedule), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, _ time.Duration) {
		if !noticed && !errors.Is(err, errBroken) {
			noticed = true
			f.c.o.Notice(fmt.Sprintf("the connection to %s broke; going on after event %d when it answers", f.c.o.Server.URL(), f.after))
		}
	}))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &lifecycle.Error{Org: f.org, Err: fmt.Errorf("%w: %w", lifecycle.ErrCancelled, context.Cause(ctx))}
	case errors.Is(err, errBroken):
		return f.c.abandoned(f.id)
	default:
		return f.c.problem(doing, err)
	}
}

// stream shows one stream's events. Its error is nil once everything was shown.
func (f *follower) stream(ctx context.Context, follow bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := f.c.operation.StreamOperationEvents(ctx, &v1.StreamOperationEventsRequest{Operation: f.id, AfterSequence: f.after, Follow: follow})
	if err != nil {
		return err
	}
	defer s.Close()
	first := true
	for {
		got, err := s.Receive()
		switch {
		case errors.Is(err, io.EOF) && !follow:
			return nil
		case errors.Is(err, io.EOF):
			return errBroken
		case err != nil:
			return err
		}
		if err := f.c.mine("follow the operation", got.GetOrg(), nil); err != nil {
			return err
		}
		if got.GetResume() != nil {
			return errBroken
		}
		e, err := eventOf(f.org, got.GetEvent())
		if err != nil {
			return f.c.problem("follow the operation", err)
		}
		switch {
		case e.Seq <= f.after:
			continue // shown already
		case e.Seq > f.after+1 && !first:
			return errBroken // something is missing: it is asked for
		}
		// That the log itself goes on with a higher number is no gap.
		f.after, f.id, first = e.Seq, e.Operation, false
		f.show(e)
		if e.Type.Terminal() {
			return nil
		}
	}
}
