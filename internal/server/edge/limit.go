package edge

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits keep one org, or one address, from taking what the others need.
//
// The address is that of the client as far as it is known. Behind a balancer that
// puts its own in place of the clients', all of them are one address: keep the
// clients' addresses, or name the balancer in Hosts.Proxies and have it send
// X-Forwarded-For.
type Limits struct {
	// PerSecond and Burst are the requests that each org may make.
	PerSecond float64
	Burst     int
	// Concurrent are the requests of one org that may be under way at once, and
	// Streams its open streams, which are counted apart: whoever follows a
	// hundred operations can still ask for one.
	Concurrent, Streams int
	// FailuresPerSecond and FailuresBurst are the requests that one address may
	// make without being authenticated. Requests that are cost the address nothing.
	FailuresPerSecond float64
	FailuresBurst     int
	// Unauthenticated are the requests of one address that may be waiting at once
	// for an answer to whether they are authenticated.
	Unauthenticated int
	// Addresses bounds how many addresses are remembered.
	Addresses int
}

// DefaultLimits suit an org with some dozens of people and pipelines.
func DefaultLimits() Limits {
	return Limits{
		PerSecond: 50, Burst: 100, Concurrent: 32, Streams: 32,
		FailuresPerSecond: 2, FailuresBurst: 60, Unauthenticated: 128, Addresses: 65536,
	}
}

// Limiter holds requests to the Limits. Orgs do not share anything in it, and it
// has an entry only for those that were active lately.
type Limiter struct {
	limits Limits
	now    func() time.Time
	orgs   *keyed[string]
	peers  *keyed[netip.Prefix]
}

// NewLimiter makes a Limiter that has seen no request.
func NewLimiter(l Limits, now func() time.Time) *Limiter {
	return &Limiter{
		limits: l, now: now,
		// An org is known here once a request of its own was authenticated, so
		// there are at most as many as there are orgs.
		orgs:  newKeyed[string](rate.Limit(l.PerSecond), l.Burst, 0),
		peers: newKeyed[netip.Prefix](rate.Limit(l.FailuresPerSecond), l.FailuresBurst, l.Addresses),
	}
}

// Limited says that a request has to wait.
type Limited struct {
	By    string        // "peer", "rate", "concurrent" or "streams"
	After time.Duration // when it is worth trying again
}

// Authenticating admits a request of an address that is not authenticated yet.
// done has to be called once that is decided.
func (l *Limiter) Authenticating(addr netip.Addr) (done func(authenticated bool), limited *Limited) {
	key, now := network(addr), l.now()
	l.peers.mu.Lock()
	defer l.peers.mu.Unlock()
	e := l.peers.entry(key, now)
	if wait := e.wait(now); wait > 0 {
		return nil, &Limited{"peer", wait}
	}
	if e.active >= l.limits.Unauthenticated {
		return nil, &Limited{"peer", time.Second}
	}
	e.active++
	return func(authenticated bool) {
		l.peers.mu.Lock()
		defer l.peers.mu.Unlock()
		e.active--
		if !authenticated {
			e.bucket.AllowN(l.now(), 1)
		}
	}, nil
}

// Admit admits a request of an org. done has to be called when it is over.
func (l *Limiter) Admit(org string, stream bool) (done func(), limited *Limited) {
	now := l.now()
	l.orgs.mu.Lock()
	defer l.orgs.mu.Unlock()
	e := l.orgs.entry(org, now)
	count, most, by := &e.active, l.limits.Concurrent, "concurrent"
	if stream {
		count, most, by = &e.streams, l.limits.Streams, "streams"
	}
	if *count >= most {
		return nil, &Limited{by, time.Second}
	}
	if !e.bucket.AllowN(now, 1) {
		return nil, &Limited{"rate", e.wait(now)}
	}
	*count++
	return func() {
		l.orgs.mu.Lock()
		defer l.orgs.mu.Unlock()
		*count--
	}, nil
}

// network is what is counted as one address: an IPv6 host has at least 2^64 of them.
func network(addr netip.Addr) netip.Prefix {
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// keyed holds an entry per key that was active lately.
type keyed[K comparable] struct {
	limit rate.Limit
	burst int
	most  int // 0: no bound

	mu      sync.Mutex
	entries map[K]*entry
	swept   time.Time
}

type entry struct {
	bucket          *rate.Limiter
	active, streams int
}

func newKeyed[K comparable](limit rate.Limit, burst, most int) *keyed[K] {
	return &keyed[K]{limit: limit, burst: burst, most: most, entries: map[K]*entry{}}
}

// entry returns the entry of a key. mu has to be held.
func (k *keyed[K]) entry(key K, now time.Time) *entry {
	if e := k.entries[key]; e != nil {
		return e
	}
	full := k.most > 0 && len(k.entries) >= k.most
	if full || now.Sub(k.swept) > time.Minute {
		k.sweep(now)
	}
	if k.most > 0 && len(k.entries) >= k.most {
		// Whoever has that many addresses is not held up by one of them anyway.
		for other := range k.entries {
			delete(k.entries, other)
			break
		}
	}
	e := &entry{bucket: rate.NewLimiter(k.limit, k.burst)}
	k.entries[key] = e
	return e
}

// sweep forgets the entries that are as a new one would be.
func (k *keyed[K]) sweep(now time.Time) {
	// At most once a second, also when nothing can be forgotten.
	if now.Sub(k.swept) < time.Second {
		return
	}
	k.swept = now
	for key, e := range k.entries {
		if e.active == 0 && e.streams == 0 && e.bucket.TokensAt(now) >= float64(k.burst) {
			delete(k.entries, key)
		}
	}
}

// wait is how long until the bucket holds a token.
func (e *entry) wait(now time.Time) time.Duration {
	missing := 1 - e.bucket.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	if e.bucket.Limit() <= 0 {
		return time.Minute
	}
	return time.Duration(missing / float64(e.bucket.Limit()) * float64(time.Second))
}
