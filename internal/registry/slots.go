package registry

import (
	"context"
	"fmt"
	"time"
)

// Slots bound what all orgs together do at once, and how fast, where a cloud
// counts it over all of them. A slot belongs to an operation, and is free as soon
// as that ends or is taken over. One of an operation that nobody takes over is
// free for whoever sees that nobody renews it, as with a lease: an operation's
// renewals are those of its slots.
//
// An OrgStore does not say whose the slots are.
type Slots interface {
	// TakeSlot takes a slot for the operation. It is a *FullError when there is
	// none. An operation that has one of the kind keeps it.
	TakeSlot(ctx context.Context, l Lease, r SlotRequest) error
	// FreeSlot gives up the operation's slot of the kind, if it has one.
	FreeSlot(ctx context.Context, l Lease, kind string) error
}

// SlotRequest asks for a slot.
type SlotRequest struct {
	Kind string
	// Limit is how many slots of the kind there are.
	Limit int
	// Every is the time that one taking of a slot costs, and Burst how many may
	// come at once. 0: as fast as anybody likes. Processes share a pace as far as
	// their clocks agree.
	Every time.Duration
	Burst int
	// TTL is how long the slot lasts unless the operation is renewed.
	TTL time.Duration
	// Over are slots that are taken over if they are still as they were seen:
	// nobody has renewed them for as long as they last.
	Over []SlotSighting
}

// SlotSighting is a taken slot as it was seen.
type SlotSighting struct {
	Slot     int
	Taken    int64 // how often it was taken
	Renewals int64
	TTL      time.Duration
}

// FullError says that no slot could be had now. It wraps ErrFull.
type FullError struct {
	Kind  string
	Limit int
	// Seen are the slots, all taken; none: there is a free one, and the pace asks
	// for a pause.
	Seen []SlotSighting
	// After is that pause; 0: nobody knows how long.
	After time.Duration
}

// Error says why there is none.
func (e *FullError) Error() string {
	if len(e.Seen) == 0 {
		return fmt.Sprintf("%s: the pace allows the next one in %s", e.Kind, e.After.Round(time.Second))
	}
	return fmt.Sprintf("%s: %d of %d are under way", e.Kind, len(e.Seen), e.Limit)
}

// Unwrap makes it an ErrFull.
func (*FullError) Unwrap() error { return ErrFull }
