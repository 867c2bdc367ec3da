package wait

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// SaysEvery is how often a wait that goes on for the same reason says so again.
const SaysEvery = time.Minute

// Report says that something is still waited for.
type Report struct {
	// What completes "waiting for …".
	What string
	// Reason is why it is not over yet; nil: nobody has said.
	Reason error
	Waited time.Duration
}

// String is the report in words.
func (r Report) String() string {
	if r.Reason == nil {
		return "waiting for " + r.What
	}
	return fmt.Sprintf("waiting for %s: %v", r.What, r.Reason)
}

type listenerKey struct{}

// Heard returns a context whose waits report to hear, instead of to whoever heard
// those of ctx. hear must not block, and be safe for use by several goroutines if
// the context's waits are.
func Heard(ctx context.Context, hear func(Report)) context.Context {
	return context.WithValue(ctx, listenerKey{}, hear)
}

// speaker reports one wait to the listener of its context.
type speaker struct {
	what string
	hear func(Report) // nil: nobody listens
	last Report
	ever bool
}

func listening(ctx context.Context, f For) speaker {
	hear, _ := ctx.Value(listenerKey{}).(func(Report))
	return speaker{what: f.What, hear: hear}
}

// say reports what is new, and every SaysEvery what is not.
func (s *speaker) say(waited time.Duration, reason error) {
	r := Report{What: s.what, Reason: reason, Waited: waited}
	if s.hear == nil || s.ever && r.String() == s.last.String() && waited-s.last.Waited < SaysEvery {
		return
	}
	s.ever, s.last = true, r
	s.hear(r)
}

// While calls wait, which waits for something by itself, and reports that
// meanwhile: after f.Every for the first time, and then every minute. It is for waits
// of others, such as an SDK's: they end with f.Within, and have no reason to give.
func While(ctx context.Context, f For, wait func(context.Context) error) error {
	if f.What == "" || f.Every <= 0 || f.Within <= 0 || f.Now == nil {
		return unset(f)
	}
	within, cancel := context.WithTimeout(ctx, f.Within)
	defer cancel()
	began, s := f.Now(), listening(ctx, f)
	done := make(chan error, 1)
	go func() { done <- wait(within) }()
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil && ctx.Err() == nil && errors.Is(within.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("%w for %s after %s: %w", ErrDeadline, f.What, f.Now().Sub(began).Round(time.Second), err)
			}
			return err
		case <-tick.C:
			s.say(f.Now().Sub(began), nil)
		}
	}
}

func unset(f For) error {
	return fmt.Errorf("wait for %q: What, Every, Within and Now must be set", f.What)
}
