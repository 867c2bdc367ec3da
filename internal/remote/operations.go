package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"google.golang.org/protobuf/types/known/durationpb"

	v1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
)

// page is how many records one call returns.
const page = 1000

// Operations returns the org's operations, the newest first.
func (c *Client) Operations(ctx context.Context, org string) ([]event.Operation, error) {
	if err := c.asked(org); err != nil {
		return nil, err
	}
	var out []event.Operation
	for token := ""; ; {
		got, err := read(ctx, c.operation.ListOperations, &v1.ListOperationsRequest{PageSize: page, PageToken: token})
		if err := c.mine("list operations", got.GetOrg(), err); err != nil {
			return nil, err
		}
		for _, o := range got.GetOperations() {
			out = append(out, operationOf(org, o))
		}
		if token = got.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}

// Operation says everything about one operation; an empty id is the newest.
func (c *Client) Operation(ctx context.Context, org, id string) (event.OperationDetail, error) {
	if err := c.asked(org); err != nil {
		return event.OperationDetail{}, err
	}
	got, err := read(ctx, c.operation.GetOperation, &v1.GetOperationRequest{Operation: id})
	if err := c.mine("show the operation", got.GetOrg(), err); err != nil {
		return event.OperationDetail{}, err
	}
	out := event.OperationDetail{Org: org, Operation: operationOf(org, got.GetOperation()), Events: got.GetEvents()}
	for _, s := range got.GetSteps() {
		out.Steps = append(out.Steps, stepOf(s))
	}
	if h := got.GetHolder(); h != nil {
		out.Holder = &event.Holder{Process: h.GetProcess(), Until: at(h.GetLeaseExpireTime())}
	}
	if got.GetTerminal() != nil {
		last, err := eventOf(org, got.GetTerminal())
		if err != nil {
			return out, c.problem("show the operation", err)
		}
		out.Terminal = &last
	}
	return out, nil
}

// Events returns the stored events that follow the one with the given sequence
// number; an empty operation is the newest.
func (c *Client) Events(ctx context.Context, org, id string, after int64) ([]event.Event, error) {
	if err := c.asked(org); err != nil {
		return nil, err
	}
	var out []event.Event
	f := follower{c: c, org: org, id: id, after: after, show: func(e event.Event) { out = append(out, e) }}
	return out, f.run(ctx, false)
}

// Follow shows the events that follow the one with the given sequence number,
// until the terminal one, each once: a stream that breaks is resumed after the
// last one.
func (c *Client) Follow(ctx context.Context, org, id string, after int64, sink event.Sink) error {
	if err := c.asked(org); err != nil {
		return err
	}
	detail, err := c.Operation(ctx, org, id)
	if err != nil {
		return err
	}
	// By its id, so that a newer operation is not taken for it.
	f := follower{c: c, org: org, id: detail.Operation.ID, after: after, show: sink}
	return f.run(ctx, true)
}

// Wait returns the terminal event once there is one, and the error that the
// operation ended with; an empty id is the newest.
func (c *Client) Wait(ctx context.Context, org, id string, within time.Duration) (event.Event, error) {
	const doing = "wait for the operation"
	detail, err := c.Operation(ctx, org, id)
	if err != nil {
		return event.Event{}, err
	}
	until := c.o.Now().Add(within)
	schedule := again()
	h := hearing{now: c.o.Now, since: c.o.Now()}
	last, err := backoff.Retry(ctx, func() (event.Event, error) {
		began := c.o.Now()
		left := min(until.Sub(began), waitAtOnce)
		if left <= 0 {
			return event.Event{}, backoff.Permanent(&lifecycle.Error{
				Org: org, Err: fmt.Errorf("%w: %s %s still runs after %s", lifecycle.ErrBusy, detail.Operation.Kind, detail.Operation.ID, within),
				Next: "wait longer, or look at it with: freehold operations events --follow",
			})
		}
		call, cancel := context.WithTimeout(ctx, left+readWithin)
		defer cancel()
		got, err := c.operation.WaitOperation(call, &v1.WaitOperationRequest{Operation: detail.Operation.ID, Timeout: durationpb.New(left)})
		if err != nil && passing(ctx, err) {
			return event.Event{}, h.after(began, false, err)
		}
		if err := c.mine(doing, got.GetOrg(), err); err != nil {
			return event.Event{}, backoff.Permanent(err)
		}
		if got.GetTerminal() == nil {
			if c.o.Now().Sub(began) >= left/2 {
				h.since = c.o.Now() // it waited, as it was asked to
				schedule.Reset()
			}
			return event.Event{}, h.after(began, false, errBroken)
		}
		last, err := eventOf(org, got.GetTerminal())
		if err != nil {
			return last, backoff.Permanent(err)
		}
		return last, nil
	}, backoff.WithBackOff(schedule), backoff.WithMaxElapsedTime(0))
	switch {
	case errors.Is(err, errBroken):
		return event.Event{}, c.abandoned(detail.Operation.ID)
	case err != nil:
		return event.Event{}, c.problem(doing, err)
	default:
		return last, ended(last)
	}
}

// waitAtOnce is how long one call waits: shorter than what stands between a
// client and a server usually lets a call last.
const waitAtOnce = 45 * time.Second

// Resume goes on with an operation whose process is gone, on the server, and
// returns its result once it has ended.
func (c *Client) Resume(ctx context.Context, org, id string, sink event.Sink) (any, error) {
	if err := c.asked(org); err != nil {
		return nil, err
	}
	got, err := c.operation.ResumeOperation(ctx, &v1.ResumeOperationRequest{Operation: id})
	if err := c.mine("resume the operation", got.GetOrg(), err); err != nil {
		return nil, err
	}
	return c.watch(ctx, got.GetOperation(), sink)
}

// Cancel asks an operation to stop.
func (c *Client) Cancel(ctx context.Context, org, id string, _ event.Sink) (event.Operation, error) {
	if err := c.asked(org); err != nil {
		return event.Operation{}, err
	}
	got, err := c.operation.CancelOperation(ctx, &v1.CancelOperationRequest{Operation: id})
	if err := c.mine("cancel the operation", got.GetOrg(), err); err != nil {
		return event.Operation{}, err
	}
	return operationOf(org, got.GetOperation()), nil
}

// watch shows all events of an operation that the server runs, and returns what
// came of it. Whoever stops watching does not stop the operation.
func (c *Client) watch(ctx context.Context, o *v1.Operation, sink event.Sink) (any, error) {
	var last event.Event
	f := follower{c: c, org: c.Org(), id: o.GetId(), show: func(e event.Event) {
		last = e
		if sink != nil {
			sink(e)
		}
	}}
	if err := f.run(ctx, true); err != nil {
		if ctx.Err() != nil {
			return nil, &lifecycle.Error{
				Org:  c.Org(),
				Err:  fmt.Errorf("%w: %s %s goes on on the server", lifecycle.ErrCancelled, o.GetKind(), o.GetId()),
				Next: fmt.Sprintf("freehold operations events %s --follow goes on showing it, freehold operations cancel %s stops it", o.GetId(), o.GetId()),
			}
		}
		return nil, err
	}
	return last.Result, ended(last)
}

// ended is how an operation ended, with what the policies found.
func ended(last event.Event) error {
	err := lifecycle.Ended(last)
	if e, ok := errors.AsType[*lifecycle.Error](err); ok {
		if r, ok := last.Result.(event.Onboarding); ok && last.Type == event.OperationBlocked {
			e.Policy = r.Policy
		}
	}
	return err
}

// abandoned is the error of an operation that does not go on by itself.
func (c *Client) abandoned(id string) error {
	return &lifecycle.Error{
		Org: c.Org(), Err: fmt.Errorf("%w: operation %s has not ended", lifecycle.ErrAbandoned, id),
		Next: "go on with it: freehold operations resume " + id,
	}
}
