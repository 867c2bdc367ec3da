package webhook

import (
	"context"
	"sync"
	"time"
)

// together is how many endpoints are sent to at once, and ofOneOrg how many of
// one org, so that an org whose endpoints are all slow holds up no other.
const together, ofOneOrg = 64, 8

// crowd are the endpoints that are sent to, each once at a time.
type crowd struct {
	sync.WaitGroup

	all place
	mu  sync.Mutex
	in  map[Target]bool
	org map[string]place
}

// place has room for as many as its capacity.
type place chan struct{}

func newCrowd() *crowd {
	return &crowd{all: make(place, together), in: map[Target]bool{}, org: map[string]place{}}
}

// start runs one turn of a target, unless one is running, waits to, or is less
// long ago than it said.
func (c *crowd) start(ctx context.Context, t Target, turn func() (rest time.Duration)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in[t] {
		return
	}
	c.in[t] = true
	if c.org[t.Org] == nil {
		c.org[t.Org] = make(place, ofOneOrg)
	}
	// The org's place comes first: who waits for it holds none of the others'.
	places := []place{c.org[t.Org], c.all}
	c.Go(func() {
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.in, t)
		}()
		select {
		case <-ctx.Done():
		case <-time.After(in(ctx, places, turn)):
		}
	})
}

// in calls do with a room in each of the places. It returns 0 without a call
// when ctx ends first.
func in(ctx context.Context, places []place, do func() time.Duration) time.Duration {
	for _, p := range places {
		select {
		case <-ctx.Done():
			return 0
		case p <- struct{}{}:
			defer func() { <-p }()
		}
	}
	return do()
}
