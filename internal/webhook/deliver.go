package webhook

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"freehold.dev/freehold/internal/registry"
)

// Outbox is what one org's endpoints are to be sent.
type Outbox interface {
	// Take begins a turn at an endpoint. It wraps registry.ErrNotYourTurn when
	// another has one that lasts, and when the endpoint is disabled or not there.
	Take(ctx context.Context, endpoint string, now, until time.Time) (registry.Turn, error)
	// Next makes the turn last until then, and returns the endpoint's oldest
	// waiting delivery; false: there is none that is due by due.
	Next(ctx context.Context, t registry.Turn, due, until time.Time) (registry.Delivery, bool, error)
	// Attempted records what came of a delivery. It and Next wrap
	// registry.ErrNotYourTurn, and change nothing, when another turn has begun or
	// somebody has removed the endpoint; Next also when it is disabled.
	Attempted(ctx context.Context, t registry.Turn, seq int64, a registry.Attempt) error
	// Yield ends the turn.
	Yield(ctx context.Context, t registry.Turn) error
}

// Sender sends a delivery once.
type Sender interface {
	Send(ctx context.Context, to registry.Endpoint, with Secrets, d registry.Delivery, at time.Time) Outcome
}

// Target is an endpoint of an org.
type Target struct{ Org, Endpoint string }

// Result is what became of the deliveries of an endpoint.
type Result struct {
	Delivered int
	// Failed is how many attempts failed, Dead how many of them were the last.
	Failed, Dead int
	// Busy says that another process sends to the endpoint.
	Busy bool
	// Err says why this process could not send: the endpoint is not to blame, and
	// no attempt is counted.
	Err error
}

// Deliverer sends what is due. Its fields are set once.
type Deliverer struct {
	Outbox  func(org string) Outbox
	Sender  Sender
	Secrets func(ref string) (Secrets, error)
	Now     func() time.Time
	Log     *slog.Logger
	// Timeout bounds one request of Sender; 0: DefaultTimeout.
	Timeout time.Duration
	// Random is from 0 to 1; nil: at random.
	Random func() float64
}

const (
	// inARow bounds a turn while others may wait for its place.
	inARow = 100
	// spare is what a turn lasts beyond the request that it is for: the time to
	// record what came of it.
	spare = 15 * time.Second
	// trouble is how long Follow leaves an endpoint alone that it cannot send to.
	trouble = 30 * time.Second
)

// Deliver sends to each target what is due, in order, until nothing is or an
// attempt fails; with early also what would be sent later. It returns when all
// are through or ctx has ended.
func (d *Deliverer) Deliver(ctx context.Context, targets []Target, early bool) map[Target]Result {
	var (
		mu    sync.Mutex
		all   = map[Target]Result{}
		crowd = newCrowd()
	)
	for _, t := range targets {
		crowd.start(ctx, t, func() time.Duration {
			r := d.turn(ctx, t, early, 0)
			mu.Lock()
			defer mu.Unlock()
			all[t] = r
			return 0
		})
	}
	crowd.Wait()
	return all
}

// Follow sends whatever becomes due, until ctx ends. It asks every so often
// which targets have something to be sent; an answer that it does not get is
// logged, and asked for again. It calls heard after each turn, of several
// endpoints at once.
func (d *Deliverer) Follow(ctx context.Context, every time.Duration, due func(context.Context, time.Time) ([]Target, error), heard func(Target, Result)) {
	crowd := newCrowd()
	defer crowd.Wait()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		targets, err := due(ctx, d.Now())
		if err != nil && ctx.Err() == nil {
			d.Log.Warn("webhooks: cannot ask what is due", "error", err)
		}
		for _, t := range targets {
			crowd.start(ctx, t, func() time.Duration {
				r := d.turn(ctx, t, false, inARow)
				heard(t, r)
				if r.Err != nil {
					return trouble // what is wrong here is seldom put right within a second
				}
				return 0
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// turn sends to one endpoint until nothing is due, an attempt fails, or most
// were sent; 0: no bound.
func (d *Deliverer) turn(ctx context.Context, target Target, early bool, most int) (r Result) {
	s := sending{Deliverer: d, box: d.Outbox(target.Org), log: d.Log.With("org", target.Org, "endpoint", target.Endpoint)}
	var err error
	s.turn, err = s.box.Take(ctx, target.Endpoint, d.Now(), d.until())
	switch {
	case errors.Is(err, registry.ErrNotYourTurn):
		return Result{Busy: true}
	case err != nil && ctx.Err() != nil:
		return Result{}
	case err != nil:
		return Result{Err: err}
	}
	defer func() {
		// Also when ctx has ended: otherwise the next process would have to wait.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), spare)
		defer cancel()
		if err := s.box.Yield(last, s.turn); err != nil && !errors.Is(err, registry.ErrNotYourTurn) {
			s.log.Warn("webhooks: cannot end a turn; it ends by itself", "error", err)
		}
	}()
	// Read anew in each turn: a rotation needs no restart.
	if s.secrets, err = d.Secrets(s.turn.Endpoint.Secret); err != nil {
		s.log.Warn("webhooks: cannot sign", "error", err)
		return Result{Err: err}
	}
	for n := 0; most == 0 || n < most; n++ {
		more, err := s.next(ctx, early, &r)
		switch {
		case errors.Is(err, registry.ErrNotYourTurn):
			r.Busy = true
			return r
		case err != nil && ctx.Err() == nil:
			r.Err = err
			return r
		case err != nil || !more:
			return r
		}
	}
	return r
}

// sending is a turn that is under way.
type sending struct {
	*Deliverer

	box     Outbox
	turn    registry.Turn
	secrets Secrets
	log     *slog.Logger
}

// next sends the oldest waiting delivery, if it is due, and adds what came of it
// to r. It reports whether another may follow.
func (s *sending) next(ctx context.Context, early bool, r *Result) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	until, due := s.until(), s.Now()
	if early {
		due = due.Add(LongestPause)
	}
	d, ok, err := s.box.Next(ctx, s.turn, due, until)
	if err != nil || !ok {
		return false, err
	}
	now := s.Now()
	if now.After(until.Add(-s.timeout())) {
		// This process was stopped for long: another may have a turn by now.
		return false, registry.ErrNotYourTurn
	}
	within, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	out := s.Sender.Send(within, s.turn.Endpoint, s.secrets, d, now)
	if !out.Delivered && ctx.Err() != nil {
		return false, ctx.Err() // it was cut off here, and the endpoint is not to blame
	}
	a := attempt(d, out, s.Now(), s.random())
	// What was sent is recorded also when ctx has ended in the meantime.
	record, stop := context.WithTimeout(context.WithoutCancel(ctx), spare)
	defer stop()
	if err := s.box.Attempted(record, s.turn, d.Seq, a); err != nil {
		return false, err
	}
	if a.Delivered {
		r.Delivered++
		s.log.Debug("webhooks: delivered", "id", d.ID)
		return true, nil
	}
	r.Failed++
	if a.Dead {
		r.Dead++
	}
	s.log.Warn("webhooks: not delivered", "id", d.ID, "error", a.Error, "attempts", d.Attempts+1, "dead", a.Dead, "disabled", a.Disable)
	// A dead one is out of the way of those behind it.
	return a.Dead, nil
}

func (d *Deliverer) until() time.Time { return d.Now().Add(d.timeout() + spare) }

func (d *Deliverer) timeout() time.Duration {
	if d.Timeout == 0 {
		return DefaultTimeout
	}
	return d.Timeout
}

func (d *Deliverer) random() float64 {
	if d.Random != nil {
		return d.Random()
	}
	return rand.Float64()
}
