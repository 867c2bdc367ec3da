package gateway

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// heldFor is for how long, on average, an answer is kept back that says to wait.
	heldFor = 100 * time.Millisecond
	// maxHeld is how many answers to one org are kept back at once.
	maxHeld = 512
)

// held keeps answers back that say to wait, to callers who were authenticated a moment
// ago. A client that does not wait, and asks again as soon as it is answered, would
// otherwise take whatever the gateway's machine can do: the limit bounds what is done
// for its org, and not how often it is told no.
type held struct {
	mu  sync.Mutex
	all map[string]int // by org
}

// hold returns after a moment, or when ctx ends.
func (h *held) hold(ctx context.Context, org string) {
	if !h.begin(org) {
		return
	}
	defer h.end(org)
	// Clients that came together ask again apart.
	wait := time.NewTimer(heldFor/2 + rand.N(heldFor))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
}

func (h *held) begin(org string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all[org] >= maxHeld {
		return false
	}
	if h.all == nil {
		h.all = map[string]int{}
	}
	h.all[org]++
	return true
}

func (h *held) end(org string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all[org]--; h.all[org] == 0 {
		delete(h.all, org)
	}
}
