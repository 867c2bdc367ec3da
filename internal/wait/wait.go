// Package wait waits for something outside this process: a cloud that settles,
// a cluster that answers, another process that ends. Every wait has a name, a
// clock and a deadline, says what it waits for to whoever listens, and ends with
// the context.
//
// An operation listens once, with Heard, and so hears every wait under it: at
// once, whenever the reason changes, and then every minute.
//
// What goes on for as long as the process lives is a schedule and not a wait:
// a poll, a renewal, the next start of a child. It has nothing to give up on,
// and pauses by itself.
package wait

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// ErrDeadline is wrapped when what was waited for did not happen in time.
var ErrDeadline = errors.New("gave up waiting")

// For describes a wait.
type For struct {
	// What completes "waiting for …": "account 111122223333 to become usable". Required.
	What string
	// Every is the pause between two probes. Required.
	Every time.Duration
	// Within is how long to wait in all. It also bounds a probe that hangs. Required.
	Within time.Duration
	// Now is the clock. Required.
	Now func() time.Time
	// Say takes the place of the context's listener. It is called with how long the
	// wait has lasted, after the first probe that says "not yet" and then every
	// SayEvery. Optional.
	Say func(waited time.Duration)
	// SayEvery is the least time between two calls of Say; 0 calls it after
	// each probe.
	SayEvery time.Duration
}

// NotYet is what a probe returns to go on waiting and to say why. The error of
// a wait that gives up wraps the last reason.
func NotYet(reason error) error { return notYet{reason} }

type notYet struct{ reason error }

func (n notYet) Error() string { return n.reason.Error() }
func (n notYet) Unwrap() error { return n.reason }

// Until calls probe until it is done, and at least once. A probe goes on with
// (false, nil) or NotYet; any other error of it ends the wait and is returned
// as it is. Until wraps ErrDeadline when the time is up, and the context's
// cause when the context ends first.
func Until(ctx context.Context, f For, probe func(context.Context) (done bool, err error)) error {
	if f.What == "" || f.Every <= 0 || f.Within <= 0 || f.Now == nil {
		return unset(f)
	}
	within, cancel := context.WithTimeout(ctx, f.Within)
	defer cancel()
	w := waiter{For: f, began: f.Now(), hears: listening(ctx, f)}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		done, err := probe(within)
		_, waits := errors.AsType[notYet](err)
		switch {
		case err == nil && done:
			return struct{}{}, nil
		case err == nil:
			w.reason = nil
		case waits:
			w.reason = err
		case ctx.Err() == nil && within.Err() != nil:
			// The deadline cut this probe off: the one before it may know why.
			return struct{}{}, backoff.Permanent(w.gaveUp(cmp.Or(w.reason, err)))
		default:
			return struct{}{}, backoff.Permanent(err)
		}
		w.say()
		return struct{}{}, errNotDone
	}, backoff.WithBackOff(&w), backoff.WithMaxElapsedTime(0))
	switch {
	case errors.Is(err, errNotDone):
		return w.gaveUp(w.reason)
	case err != nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return fmt.Errorf("interrupted while waiting for %s: %w", f.What, err)
	default:
		return err
	}
}

var errNotDone = errors.New("not done yet")

// waiter is a wait that is under way. It is the schedule of its own retries, so
// that the deadline goes by the clock that was handed in.
type waiter struct {
	For
	began  time.Time
	said   time.Time // when Say was last called
	reason error     // the last probe's, or nil
	hears  speaker
}

// NextBackOff returns the pause before the next probe, or Stop when that probe
// would come too late.
func (w *waiter) NextBackOff() time.Duration {
	if w.waited()+w.Every > w.Within {
		return backoff.Stop
	}
	return w.Every
}

// Reset does nothing: a wait happens once.
func (*waiter) Reset() {}

func (w *waiter) waited() time.Duration { return w.Now().Sub(w.began) }

func (w *waiter) say() {
	if w.Say == nil {
		w.hears.say(w.waited(), w.reason)
		return
	}
	if !w.said.IsZero() && w.Now().Sub(w.said) < w.SayEvery {
		return
	}
	w.said = w.Now()
	w.Say(w.waited())
}

func (w *waiter) gaveUp(reason error) error {
	waited := w.waited().Round(time.Second)
	if reason == nil {
		return fmt.Errorf("%w for %s after %s", ErrDeadline, w.What, waited)
	}
	return fmt.Errorf("%w for %s after %s: %w", ErrDeadline, w.What, waited, reason)
}
