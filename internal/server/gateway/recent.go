package gateway

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"freehold.dev/freehold/internal/server/edge"
)

// recent remembers which tokens were good on which host lately. It gives nobody
// any right: identity is asked for each request. It only says whose limit a request
// can be held to before identity is asked, so that an org over its limit does not
// keep identity busy. Requests with any other token are answered as always, which
// keeps the limit of an org from telling outsiders that the org exists.
type recent struct {
	now func() time.Time

	mu        sync.Mutex
	since     time.Time
	new, last map[tokenKey]struct{}
}

type tokenKey [sha256.Size]byte

const (
	recentFor  = 30 * time.Second
	recentMost = 10_000 // tokens, twice: less than 2 MB
)

func newRecent(now func() time.Time) *recent {
	return &recent{now: now, since: now(), new: map[tokenKey]struct{}{}}
}

func keyOf(r *http.Request, host edge.Host) tokenKey {
	return sha256.Sum256([]byte(host.Name + "\x00" + r.Header.Get("Authorization")))
}

func (t *recent) add(k tokenKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.age()
	t.new[k] = struct{}{}
}

func (t *recent) has(k tokenKey) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.age()
	_, isNew := t.new[k]
	_, isLast := t.last[k]
	return isNew || isLast
}

func (t *recent) age() {
	now := t.now()
	passed := now.Sub(t.since)
	if passed < recentFor && len(t.new) < recentMost {
		return
	}
	t.last, t.new, t.since = t.new, map[tokenKey]struct{}{}, now
	if passed > 2*recentFor {
		t.last = nil
	}
}
