package operation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/uptime"
	"freehold.dev/freehold/internal/wait"
)

// Options are what operations have in common.
type Options struct {
	Store  registry.Store
	Now    func() time.Time
	Holder Holder
	// TTL is how long a lease lasts unless it is renewed, which is tried every
	// third of it. 0: 15 seconds.
	TTL time.Duration
	// Uptime is by what the process judges its own leases; nil: uptime.Now.
	Uptime func() time.Duration
	// Held are told of the orgs that operations hold; nil: nobody is.
	Held *Held
}

const defaultTTL = 15 * time.Second

// Request is what an operation is to do.
type Request struct {
	Kind string // onboard, offboard, projects…
	// ID is what the caller knows the request by; empty: by nothing. Document is
	// what it asks for, and Resume the operation to go on with. See
	// registry.Request.
	ID, Document, Resume string
}

// Operation is a running operation that holds its org until End. Its methods
// may be called by several goroutines at once.
type Operation struct {
	o     Options
	store registry.OrgStore
	lease registry.Lease
	kind  string
	began time.Time

	ctx    context.Context
	cancel context.CancelCauseFunc
	// stop ends the goroutine that renews the lease; renewing is closed when it has ended.
	stop     context.CancelFunc
	renewing chan struct{}
	// until is the uptime until which nobody else can have taken the org.
	until    atomic.Int64
	confirms sync.Mutex

	log eventLog
}

// Begin starts an operation on the org. It answers with a *registry.BusyError
// while another holds the org. A holder that is known to be dead is no other, nor
// is one that has let its lease expire, which may take the length of the lease
// to see.
//
// Terminal events of earlier operations that nobody was sent go to sink first,
// then the operation's own start. The caller must call End, also when ctx has
// ended.
func Begin(ctx context.Context, o Options, org orgcontext.Context, req Request, sink event.Sink) (*Operation, error) {
	o = o.withDefaults()
	store := o.Store.Org(org)
	ask := registry.Request{Kind: req.Kind, Holder: o.Holder.Name(), TTL: o.TTL, ID: req.ID, Document: req.Document, Resume: req.Resume}
	asked := o.Uptime()
	begun, err := store.Begin(ctx, ask)
	for {
		busy, ok := errors.AsType[*registry.BusyError](err)
		if !ok {
			break
		}
		over, left := o.abandoned(ctx, store, busy)
		if !left {
			return nil, err
		}
		// Should somebody else be faster, or the holder wake up, the lease is no
		// longer as it was seen.
		ask.Over, asked = over, o.Uptime()
		begun, err = store.Begin(ctx, ask)
	}
	if err != nil {
		return nil, err
	}
	op := hold(ctx, o, store, begun.Lease, begun.Operation, asked, sink)
	for _, ev := range begun.Undelivered {
		// It reads as it would have when the operation ended. A result that is no
		// longer understood is shown as it is.
		if restored, err := ev.Restored(); err == nil {
			ev = restored
		}
		op.log.deliver(context.WithoutCancel(ctx), ev)
	}
	op.log.show(begun.Started)
	return op, nil
}

// Abandoned reports whether the holder that was found to hold an org is gone, so
// that nobody but another process will end its operation. On another machine's
// holder it waits for up to the length of the lease.
func Abandoned(ctx context.Context, o Options, org orgcontext.Context, busy *registry.BusyError) bool {
	_, gone := o.withDefaults().abandoned(ctx, o.Store.Org(org), busy)
	return gone
}

// abandoned reports whether the holder of an org is gone, and how its lease was
// seen last. It watches the lease where only time can tell.
//
// Two machines have two clocks, so the times in a lease say nothing to another
// one. It takes as long as the lease lasts, by its own clock, to see that nobody
// renews it.
func (o Options) abandoned(ctx context.Context, store registry.OrgStore, busy *registry.BusyError) (registry.Sighting, bool) {
	if o.Holder.Dead(busy.Holder) {
		return busy.Seen, true
	}
	if o.Holder.SameClock(busy.Holder) {
		return busy.Seen, !busy.Until.After(o.Now())
	}
	free, every := false, min(busy.TTL/20, time.Second)
	err := wait.Until(ctx, wait.For{
		What: fmt.Sprintf("%s %s to renew its lease on the org, or to lose it: it runs on another machine", busy.Kind, busy.Operation),
		// A probe that would come too late is not made, and the lease has to be over.
		Every: every, Within: busy.TTL + every, Now: o.Now,
	}, func(ctx context.Context) (changed bool, err error) {
		now, err := store.Holder(ctx)
		free = err == nil && now == nil
		return free || now != nil && now.Seen != busy.Seen, err
	})
	// A registry that does not answer does not say that nobody renews.
	return busy.Seen, free || errors.Is(err, wait.ErrDeadline)
}

// Attach goes on with a running operation that another process has begun and
// left, and holds its org from now on. It wraps registry.ErrLost when the
// operation has ended. The caller must call End, or Detach.
func Attach(ctx context.Context, o Options, org orgcontext.Context, l registry.Lease, sink event.Sink) (*Operation, error) {
	o = o.withDefaults()
	store := o.Store.Org(org)
	asked := o.Uptime()
	if err := store.Renew(ctx, l, o.Holder.Name(), o.TTL); err != nil {
		return nil, err
	}
	// An operation that holds its org is the org's last.
	last, err := store.Last(ctx)
	if err != nil {
		return nil, err
	}
	if last == nil || last.ID != l.Operation {
		return nil, fmt.Errorf("resume operation %s of org %s: %w", l.Operation, l.Org, registry.ErrLost)
	}
	return hold(ctx, o, store, l, *last, asked, sink), nil
}

func (o Options) withDefaults() Options {
	if o.TTL == 0 {
		o.TTL = defaultTTL
	}
	if o.Uptime == nil {
		o.Uptime = uptime.Now
	}
	return o
}

// hold makes the handle of an operation whose lease was asked for at that time, and
// keeps renewing it.
func hold(ctx context.Context, o Options, store registry.OrgStore, l registry.Lease, op event.Operation, asked time.Duration, sink event.Sink) *Operation {
	h := &Operation{o: o, store: store, lease: l, kind: op.Kind, began: op.Started, renewing: make(chan struct{})}
	h.ctx, h.cancel = context.WithCancelCause(ctx)
	h.log = eventLog{store: store, lease: l, sink: sink}
	h.until.Store(int64(asked + o.TTL))
	o.Held.add(h)
	// The lease outlives ctx: an operation that is told to stop still has to
	// record how far it came.
	renewal, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.stop = stop
	go func() {
		defer close(h.renewing)
		h.renew(renewal)
	}()
	return h
}

// Context is derived from the context of Begin. It ends when the operation has
// lost its org, with registry.ErrLost as its cause, when somebody cancels the
// operation, with registry.ErrCancelled, and with End.
func (h *Operation) Context() context.Context { return h.ctx }

// Lease is what another process needs to Attach.
func (h *Operation) Lease() registry.Lease { return h.lease }

// ID is the operation's id.
func (h *Operation) ID() string { return h.lease.Operation }

// Org is the org that the operation holds.
func (h *Operation) Org() string { return h.lease.Org }

// Kind is the use case: onboard, offboard, projects…
func (h *Operation) Kind() string { return h.kind }

// Began is when the operation started, in whichever process.
func (h *Operation) Began() time.Time { return h.began }

// PutOrg records the org's state and plan.
func (h *Operation) PutOrg(ctx context.Context, o registry.Org) error {
	return h.checked(h.store.PutOrg(ctx, h.lease, o))
}

// PutDataPlane records what the org owns, in place of what was.
func (h *Operation) PutDataPlane(ctx context.Context, d event.DataPlane) error {
	return h.checked(h.store.PutDataPlane(ctx, h.lease, d))
}

// PutLayer records what is known of a layer, in place of what was.
func (h *Operation) PutLayer(ctx context.Context, l registry.Layer) error {
	return h.checked(h.store.PutLayer(ctx, h.lease, l))
}

// PutLayerRun records how long the operation's run of a layer took.
func (h *Operation) PutLayerRun(ctx context.Context, r registry.LayerRun) error {
	return h.checked(h.store.PutLayerRun(ctx, h.lease, r))
}

// Claim makes the org the owner of the identities, all or none. An identity
// that another org owns is a *registry.OwnedError. What is only foreseen, and
// not made yet, can be released.
func (h *Operation) Claim(ctx context.Context, made bool, ids ...finding.Identity) error {
	return h.checked(h.store.Claim(ctx, h.lease, made, ids...))
}

// Release drops claims on what was foreseen and never made.
func (h *Operation) Release(ctx context.Context, ids ...finding.Identity) error {
	return h.checked(h.store.Release(ctx, h.lease, ids...))
}

// Emit stores an event and then shows it. It says which org and operation the
// event belongs to. An event that could not be stored is kept, and tried again
// with the next; what is still not stored at End is an error there.
func (h *Operation) Emit(ev event.Event) {
	// The log of an operation that is told to stop goes on to its end.
	h.noteLost(h.log.emit(context.WithoutCancel(h.ctx), h.filled(ev)))
}

// filled says what ev belongs to, and when it was.
func (h *Operation) filled(ev event.Event) event.Event {
	ev.Org, ev.Operation, ev.Kind = h.lease.Org, h.lease.Operation, h.kind
	if ev.Time.IsZero() {
		ev.Time = h.o.Now()
	}
	return ev
}

// End records how the operation ended, with its terminal event, shows that
// event, and lets go of the org. It works although ctx has ended. If it fails,
// the operation has not ended, and no terminal event is shown: the next
// operation on the org ends it.
func (h *Operation) End(ctx context.Context, terminal event.Event) error {
	ctx = context.WithoutCancel(ctx)
	terminal = h.filled(terminal)
	if terminal.Duration == 0 {
		terminal.Duration = terminal.Time.Sub(h.began)
	}
	// Renewed to the last: the registry may be slow.
	err := h.checked(h.log.end(ctx, terminal))
	h.Detach()
	return err
}

// Detach lets another process go on with the operation, which does not end: it
// holds its org until the lease expires.
func (h *Operation) Detach() {
	h.o.Held.remove(h)
	h.stop()
	<-h.renewing
	h.cancel(nil)
}
