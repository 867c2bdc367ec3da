package remote

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// readWithin bounds a call that only reads what is recorded.
const readWithin = time.Minute

// firstPause is that before a call is made for the second time.
var firstPause = 250 * time.Millisecond

// again is the schedule of calls that are made again: soon at first, and less often later.
func again() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = firstPause, 40*firstPause
	return b
}

// repeat makes a call that changes nothing, or that the server knows again by its
// request id, until somebody answers.
func repeat[T any](ctx context.Context, within time.Duration, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var last error
	got, err := backoff.Retry(ctx, func() (T, error) {
		got, err := call(ctx)
		if err != nil && !passing(ctx, err) {
			return got, backoff.Permanent(err)
		}
		last = err
		return got, err
	}, backoff.WithBackOff(again()), backoff.WithMaxTries(5))
	if err != nil && last != nil && ctx.Err() != nil {
		err = last // why it was made again says more than that time ran out
	}
	return got, err
}

// read makes a call that reads what is recorded.
func read[Q, A any](ctx context.Context, call func(context.Context, Q) (A, error), q Q) (A, error) {
	return repeat(ctx, readWithin, func(ctx context.Context) (A, error) { return call(ctx, q) })
}
