package webhook

import (
	"time"

	"freehold.dev/freehold/internal/registry"
)

// pauses are those after the first failure, the second, and so on: the schedule
// of the specification of Standard Webhooks 1.0.0.
var pauses = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// LongestPause is longer than any time between two attempts.
const LongestPause = 2 * mostWait

const (
	// patience is how long a delivery is tried at least, also when somebody asks
	// for more attempts in between.
	patience = 72 * time.Hour
	// mostWait bounds how long a receiver can put off a delivery.
	mostWait = 24 * time.Hour
	// jitter is the part of a pause by which it may become longer, so that what
	// failed at one time does not come back at one time.
	jitter = 0.1
)

// attempt is what to record of an outcome. random is from 0 to 1.
func attempt(d registry.Delivery, o Outcome, now time.Time, random float64) registry.Attempt {
	switch {
	case o.Delivered:
		return registry.Attempt{Delivered: true}
	case o.Gone:
		return registry.Attempt{Error: o.Error, Next: now, Disable: true}
	case d.Attempts >= len(pauses) && now.Sub(d.Created) >= patience:
		return registry.Attempt{Error: o.Error, Dead: true}
	}
	pause := pauses[min(d.Attempts, len(pauses)-1)]
	pause += time.Duration(jitter * random * float64(pause))
	return registry.Attempt{Error: o.Error, Next: now.Add(max(pause, min(o.Wait, mostWait)))}
}
