package operation

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// eventLog stores events and then shows them, both in one order.
type eventLog struct {
	store interface {
		registry.Log
		registry.Leases
	}
	lease registry.Lease
	sink  event.Sink

	mu sync.Mutex
	// pending could not be stored yet, and failure says why.
	pending []event.Event
	failure error
	// misuse is an event that nobody may emit.
	misuse error
}

// emit stores and shows what is pending and ev. The error is also remembered.
func (l *eventLog) emit(ctx context.Context, ev event.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ev.Type.Terminal() {
		l.misuse = fmt.Errorf("event %s was emitted: only End may end an operation", ev.Type)
		return l.misuse
	}
	if errors.Is(l.failure, registry.ErrLost) {
		return l.failure
	}
	l.pending = append(l.pending, ev)
	return l.flush(ctx)
}

func (l *eventLog) flush(ctx context.Context) error {
	if len(l.pending) == 0 || errors.Is(l.failure, registry.ErrLost) {
		return l.failure
	}
	stored, err := l.store.Append(ctx, l.lease, l.pending...)
	l.failure = err
	if err != nil {
		return err
	}
	l.pending = nil
	for _, ev := range stored {
		l.show(ev)
	}
	return nil
}

// end stores the operation's end and then shows it.
func (l *eventLog) end(ctx context.Context, terminal event.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	// How the operation ended matters more than what is missing in its log.
	lost := l.flush(ctx)
	stored, err := l.store.End(ctx, l.lease, terminal)
	if err == nil {
		l.deliver(ctx, stored)
	}
	if lost != nil && !errors.Is(lost, registry.ErrLost) {
		err = errors.Join(err, fmt.Errorf("%d events of operation %s were not stored: %w", len(l.pending), l.lease.Operation, lost))
	}
	return errors.Join(err, l.misuse)
}

// deliver shows a terminal event and records that it was shown.
func (l *eventLog) deliver(ctx context.Context, ev event.Event) {
	l.show(ev)
	// If this fails, the next operation on the org shows the event again, with
	// the same number. That is no reason for this one to fail.
	_ = l.store.Delivered(ctx, ev.Operation)
}

func (l *eventLog) show(ev event.Event) {
	if l.sink != nil {
		l.sink(ev)
	}
}
