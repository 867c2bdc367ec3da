package awsprovider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"

	"freehold.dev/freehold/internal/sandbox/hold"
	"freehold.dev/freehold/internal/sandbox/store"
)

// Options are what a Backend is made from.
type Options struct {
	Store   *store.Store
	Env     Env
	Latency Latency
	// Faults without a count hold for this process; counted ones go to the
	// store, where all processes use them up together.
	Faults []Fault
	Log    *slog.Logger
}

// Backend answers AWS's calls. It is safe for concurrent use.
type Backend struct {
	Options
	faults map[string]Kind // "service:Action", for each time
}

// New returns a backend and makes what a cloud has from its start.
func New(ctx context.Context, o Options) (*Backend, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	o.Env.Latency = o.Latency.Of
	o.Env.Setting = func(ctx context.Context, name string) (value string, err error) {
		err = o.Store.Read(ctx, func(tx *store.Tx) error {
			value, err = tx.Setting(name)
			return err
		})
		return value, err
	}
	b := &Backend{Options: o, faults: map[string]Kind{}}
	for _, f := range o.Faults {
		if f.Count == 0 {
			b.faults[f.Service+":"+f.Action] = f.Kind
			continue
		}
		if err := o.Store.SetFault(ctx, store.Fault{Service: f.Service, Action: f.Action, Kind: string(f.Kind), Remaining: f.Count}); err != nil {
			return nil, err
		}
	}
	return b, o.Store.Write(ctx, func(tx *store.Tx) error { return seed(tx, o.Env.Now()) })
}

// request is one call of an API: who calls what, and whom to tell of retries.
type request struct {
	caller  caller
	service string
	action  string
	takes   time.Duration
	token   string
	urn     string
	warn    func(text string)
	id      string
	// reads is true if there is no effect, and nothing to journal.
	reads bool
	// before runs ahead of the effect, outside of its transaction.
	before func(ctx context.Context) error
}

// maxAttempts is after how many throttled calls the provider gives up.
const maxAttempts = 8

var errThrottled = errors.New("throttled")

// do runs one call: injected faults first, then its effect with the journal's
// entry in one transaction, then the time that it takes. The effect comes
// before the wait, as with AWS: who is killed while waiting finds it done.
func (b *Backend) do(ctx context.Context, r *request, effect func(tx *store.Tx) error) error {
	timeouts := 0
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval = max(b.Latency.hang(time.Second), time.Millisecond)
	wait.MaxInterval = max(b.Latency.hang(20*time.Second), 10*time.Millisecond)
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := b.once(ctx, r, effect)
		var e *apiError
		switch {
		case errors.As(err, &e) && e.code == "ThrottlingException":
			return struct{}{}, fmt.Errorf("%w: %w", errThrottled, err)
		case errors.As(err, &e) && e.code == "RequestTimeout":
			if timeouts++; timeouts > 1 {
				return struct{}{}, backoff.Permanent(err)
			}
			return struct{}{}, err
		case err != nil:
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, nil
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(maxAttempts), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, d time.Duration) {
		kind := "Throttling"
		if !errors.Is(err, errThrottled) {
			kind = "Timeout"
		}
		b.Log.Warn("retrying", "call", r.service+":"+r.action, "reason", kind, "in", d)
		if r.warn != nil {
			r.warn(fmt.Sprintf("%s: retrying %s:%s in %s", kind, r.service, r.action, d.Round(time.Millisecond)))
		}
	}))
	// What backoff wraps around it is of no interest to the caller.
	if e, is := errors.AsType[*apiError](err); is {
		return e
	}
	return err
}

func (b *Backend) once(ctx context.Context, r *request, effect func(tx *store.Tx) error) error {
	kind, err := b.fault(ctx, r.service, r.action)
	if err != nil {
		return err
	}
	switch kind {
	case FaultThrottle:
		return b.refuse(ctx, r, errf("ThrottlingException", "Rate exceeded"))
	case FaultError:
		return b.refuse(ctx, r, errf("InternalFailure", "We encountered an internal error. Please try again. (injected)"))
	case FaultLost: // after the effect, below
	case FaultTimeout:
		if err := sleep(ctx, b.Latency.hang(30*time.Second)); err != nil {
			return err
		}
		return b.refuse(ctx, r, errf("RequestTimeout", "request send failed: context deadline exceeded (injected)"))
	}
	takes := b.Latency.Of(r.takes)
	if r.reads {
		return sleep(ctx, takes)
	}
	if r.before != nil {
		if err := hold.Check(ctx); err != nil {
			return err
		}
		if err := r.before(ctx); err != nil {
			return err
		}
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		if err := effect(tx); err != nil {
			return err
		}
		if err := tx.Journal(b.entry(r, "ok", takes)); err != nil {
			return err
		}
		// Last of all: what was waited for so far may have taken long.
		return hold.Check(ctx)
	})
	if e, is := errors.AsType[*apiError](err); is {
		return b.refuse(ctx, r, e)
	}
	if err != nil {
		return err
	}
	if kind == FaultLost {
		return errf("RequestError", "send request failed: read: connection reset by peer; whether it happened is not known (injected)")
	}
	return sleep(ctx, takes)
}

// refuse journals a call that had no effect.
func (b *Backend) refuse(ctx context.Context, r *request, why error) error {
	if err := b.Store.Write(ctx, func(tx *store.Tx) error { return tx.Journal(b.entry(r, codeOf(why), 0)) }); err != nil {
		return errors.Join(why, err)
	}
	return why
}

func (b *Backend) entry(r *request, outcome string, takes time.Duration) store.Entry {
	return store.Entry{Time: b.Env.Now(), Account: r.caller.account, Region: r.caller.region, Service: r.service, Action: r.action,
		Type: r.token, ID: r.id, URN: r.urn, Outcome: outcome, Latency: takes}
}

func (b *Backend) fault(ctx context.Context, service, action string) (Kind, error) {
	if k, is := b.faults[service+":"+action]; is {
		return k, nil
	}
	k, err := b.Store.TakeFault(ctx, service, action)
	return Kind(k), err
}
