package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/internal/wait"
)

// ErrAbandoned is wrapped when an operation does not go on by itself: its
// process is gone.
var ErrAbandoned = errors.New("the operation's process is gone")

// onboarding is what an onboarding was asked for.
type onboarding struct {
	Spec    spec.Spec      `json:"spec"`
	Options OnboardOptions `json:"options"`
}

// followEvery is the pause between two looks at what an operation says.
const followEvery = 300 * time.Millisecond

// Operations lists the org's operations, the newest first.
func (s *Service) Operations(ctx context.Context, org string) ([]event.Operation, error) {
	ops, err := s.of(org).Operations(ctx)
	if err == nil && len(ops) == 0 {
		_, err = s.of(org).Org(ctx)
	}
	return ops, fail(org, "", err)
}

// Operation says everything about one operation; an empty id is the newest.
func (s *Service) Operation(ctx context.Context, org, id string) (event.OperationDetail, error) {
	op, err := s.FindOperation(ctx, org, id)
	out := event.OperationDetail{Org: org, Operation: op}
	if err != nil {
		return out, err
	}
	events, err := s.of(org).Events(ctx, op.ID, 0)
	if err != nil {
		return out, fail(org, "", err)
	}
	for _, ev := range events {
		out.Events = ev.Seq
		if ev.Type.Terminal() {
			if ev, err = ev.Restored(); err != nil {
				return out, fail(org, "", err)
			}
			out.Terminal = &ev
		}
	}
	if out.Steps, err = s.Steps(ctx, org, op.ID); err != nil {
		return out, err
	}
	if op.State == event.OperationStarted.State() {
		busy, err := s.of(org).Holder(ctx)
		if err != nil {
			return out, fail(org, "", err)
		}
		if busy != nil && busy.Operation == op.ID {
			out.Holder = &event.Holder{Process: busy.Holder, Until: busy.Until}
		}
	}
	return out, nil
}

// Steps lists the steps of an operation; an empty id is the newest.
func (s *Service) Steps(ctx context.Context, org, id string) ([]event.Step, error) {
	op, err := s.FindOperation(ctx, org, id)
	if err != nil {
		return nil, err
	}
	steps, err := s.of(org).Steps(ctx, op.ID)
	return steps, fail(org, "", err)
}

// FindOperation finds an operation of the org; an empty id is the newest.
func (s *Service) FindOperation(ctx context.Context, org, id string) (event.Operation, error) {
	if id != "" {
		op, err := s.of(org).Operation(ctx, id)
		return op, fail(org, "", err)
	}
	last, err := s.of(org).Last(ctx)
	switch {
	case err != nil:
		return event.Operation{}, fail(org, "", err)
	case last == nil:
		if _, err := s.of(org).Org(ctx); err != nil {
			return event.Operation{}, fail(org, "", err)
		}
		return event.Operation{}, fail(org, "", fmt.Errorf("%w: it never had one", registry.ErrUnknownOperation))
	default:
		return *last, nil
	}
}

// Events returns what an operation said after an event, as it was stored; an
// empty operation is the newest.
func (s *Service) Events(ctx context.Context, org, id string, after int64) ([]event.Event, error) {
	op, err := s.FindOperation(ctx, org, id)
	if err != nil {
		return nil, err
	}
	evs, err := s.of(org).Events(ctx, op.ID, after)
	return evs, fail(org, "", err)
}

// Follow shows what an operation says after an event, until its terminal event;
// an empty id is the newest. It returns nil however the operation ended, and
// wraps ErrAbandoned when it does not go on by itself.
func (s *Service) Follow(ctx context.Context, org, id string, after int64, sink event.Sink) error {
	op, err := s.FindOperation(ctx, org, id)
	if err != nil {
		return err
	}
	isGone, stop := s.watchFor(ctx, org, op.ID)
	defer stop()
	for {
		// Answered before the events are read: what it says until its end is then all there.
		gone := isGone()
		evs, err := s.of(org).Events(ctx, op.ID, after)
		if err != nil {
			return fail(org, "", err)
		}
		for _, ev := range evs {
			after = ev.Seq
			if ev, err = ev.Restored(); err != nil {
				return fail(org, "", err)
			}
			sink(ev)
			if ev.Type.Terminal() {
				return nil
			}
		}
		if gone {
			return abandoned(org, op)
		}
		select {
		case <-ctx.Done():
			return fail(org, "", fmt.Errorf("%w: %w", ErrCancelled, context.Cause(ctx)))
		case <-time.After(followEvery):
		}
	}
}

// watchFor watches an operation, and isGone is what was found last: whether nobody
// runs it any more. Of a holder on another machine it takes as long as the lease to
// find that, and whoever asks does not wait for it.
func (s *Service) watchFor(ctx context.Context, org, op string) (isGone func() bool, stop func()) {
	ctx, stop = context.WithCancel(ctx)
	found := make(chan bool, 1)
	look := func() { found <- s.gone(ctx, org, op) }
	go look()
	return func() bool {
		select {
		case gone := <-found:
			go look()
			return gone
		default:
			return false
		}
	}, stop
}

// gone reports whether the operation runs, and nobody runs it.
func (s *Service) gone(ctx context.Context, org, op string) bool {
	busy, err := s.of(org).Holder(ctx)
	return err == nil && busy != nil && busy.Operation == op && operation.Abandoned(ctx, s.Holding, s.Who.For(org), busy)
}

func abandoned(org string, op event.Operation) error {
	return &Error{
		Org: org, Err: fmt.Errorf("%w: %s %s has not ended", ErrAbandoned, op.Kind, op.ID),
		Next: "go on with it: freehold operations resume " + org,
	}
}

// Wait waits until an operation has ended; an empty id is the newest. It returns
// its terminal event, and the error that the operation ended with.
func (s *Service) Wait(ctx context.Context, org, id string, within time.Duration) (event.Event, error) {
	op, err := s.FindOperation(ctx, org, id)
	if err != nil {
		return event.Event{}, err
	}
	isGone, stop := s.watchFor(ctx, org, op.ID)
	defer stop()
	var last event.Event
	err = wait.Until(ctx, wait.For{
		What: fmt.Sprintf("%s %s to end", op.Kind, op.ID), Every: followEvery, Within: within, Now: s.Now,
	}, func(ctx context.Context) (bool, error) {
		gone := isGone()
		evs, err := s.of(org).Events(ctx, op.ID, last.Seq)
		if err != nil {
			return false, err
		}
		for _, ev := range evs {
			last = ev
		}
		if !last.Type.Terminal() && gone {
			return false, abandoned(org, op)
		}
		return last.Type.Terminal(), nil
	})
	if errors.Is(err, wait.ErrDeadline) {
		return event.Event{}, &Error{
			Org: org, Err: fmt.Errorf("%w: %s %s still runs after %s", ErrBusy, op.Kind, op.ID, within),
			Next: "wait longer, or look at it with: freehold operations events " + org + " --follow",
		}
	}
	if err != nil {
		return event.Event{}, fail(org, "", err)
	}
	if last, err = last.Restored(); err != nil {
		return last, fail(org, "", err)
	}
	return last, Ended(last)
}

// Cancel asks the org's running operation to stop, as an interrupt would: what
// it is doing comes to an end in order, and its terminal event says that it was
// cancelled. An operation whose process is gone is ended at once. An empty id is
// the newest; one that has ended wraps ErrInvalid.
func (s *Service) Cancel(ctx context.Context, org, id string, sink event.Sink) (event.Operation, error) {
	op, err := s.FindOperation(ctx, org, id)
	if err != nil {
		return op, err
	}
	if op.State != event.OperationStarted.State() {
		return op, &Error{Org: org, Err: fmt.Errorf("%w: operation %s has ended: it %s", ErrInvalid, op.ID, op.State), Next: "nothing to do"}
	}
	if s.gone(ctx, org, op.ID) {
		return s.endAbandoned(ctx, org, op, sink)
	}
	if err := s.of(org).Cancel(ctx, op.ID); err != nil {
		return op, fail(org, "", err)
	}
	return op, nil
}

func (s *Service) endAbandoned(ctx context.Context, org string, op event.Operation, sink event.Sink) (event.Operation, error) {
	h, err := operation.Begin(ctx, s.Holding, s.Who.For(org), operation.Request{Kind: op.Kind, Resume: op.ID}, sink)
	if err != nil {
		return op, fail(org, "", err)
	}
	if err := h.End(ctx, event.Event{
		Type: event.OperationFailed, Message: ErrCancelled.Error() + ": its process was gone",
		Next: "run the same command again: it goes on where it stopped",
	}); err != nil {
		return op, fail(org, "", err)
	}
	return s.FindOperation(ctx, org, op.ID)
}

// Resume goes on with the org's running operation, whose process is gone, to its
// one end. Its result is that of the use case. While its process lives it wraps
// ErrBusy.
func (s *Service) Resume(ctx context.Context, org, id string, sink event.Sink) (any, error) {
	op, err := s.FindOperation(ctx, org, id)
	if err != nil {
		return nil, err
	}
	if op.State != event.OperationStarted.State() {
		return nil, &Error{
			Org: org, Err: fmt.Errorf("%w: operation %s has ended: it %s", ErrInvalid, op.ID, op.State),
			Next: "run the command again that began it: it goes on where it stopped",
		}
	}
	busy, err := s.of(org).Holder(ctx)
	if err != nil {
		return nil, fail(org, "", err)
	}
	if busy != nil && !operation.Abandoned(ctx, s.Holding, s.Who.For(org), busy) {
		return nil, fail(org, "", busy)
	}
	document, err := s.of(org).Document(ctx, op.ID)
	if err != nil {
		return nil, fail(org, "", err)
	}
	call := Call{RequestID: op.Request, Resume: op.ID}
	switch op.Kind {
	case "onboard":
		var asked onboarding
		if err := json.Unmarshal([]byte(document), &asked); err != nil {
			return nil, unreadable(org, op, err)
		}
		asked.Options.Call = call
		return s.Onboard(ctx, asked.Spec, asked.Options, sink)
	case "offboard":
		var asked OffboardOptions
		if err := json.Unmarshal([]byte(document), &asked); err != nil {
			return nil, unreadable(org, op, err)
		}
		asked.Call = call
		return s.Offboard(ctx, org, asked, sink)
	case "projects":
		var asked ProjectChange
		if err := json.Unmarshal([]byte(document), &asked); err != nil {
			return nil, unreadable(org, op, err)
		}
		return s.ChangeProjects(ctx, org, asked, call, sink)
	case "release":
		return s.releaseClaims(ctx, org, call, sink)
	default:
		return nil, unreadable(org, op, fmt.Errorf("%s is not known", op.Kind))
	}
}

// unreadable is the error of an operation that another version began.
func unreadable(org string, op event.Operation, err error) error {
	return &Error{
		Org: org, Err: fmt.Errorf("%w: what operation %s was asked for cannot be read: %w", ErrInvalid, op.ID, err),
		Next: "run the command again that began it: it ends this operation and goes on where it stopped",
	}
}
