package awsprovider

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Latency says how long calls take: what AWS takes, divided by a number. The
// zero Latency is none.
type Latency struct{ divisor float64 }

// ParseLatency reads "none", "realistic" or "realistic/60".
func ParseLatency(s string) (Latency, error) {
	kind, by, divided := strings.Cut(s, "/")
	switch {
	case s == "" || s == "none":
		return Latency{}, nil
	case kind != "realistic":
		return Latency{}, fmt.Errorf("latency %q: want none, realistic or realistic/60", s)
	case !divided:
		return Latency{1}, nil
	}
	n, err := strconv.ParseFloat(by, 64)
	if err != nil || !(n > 0) {
		return Latency{}, fmt.Errorf("latency %q: %q is not a number above zero", s, by)
	}
	return Latency{n}, nil
}

// Of scales a duration of AWS's.
func (l Latency) Of(d time.Duration) time.Duration {
	if l.divisor == 0 {
		return 0
	}
	return time.Duration(float64(d) / l.divisor)
}

// hang is how long a wait of the provider lasts that is no work of AWS: it is
// short, but not nothing, when there is no latency.
func (l Latency) hang(d time.Duration) time.Duration {
	if l.divisor == 0 {
		return d / 1000
	}
	return l.Of(d)
}

// ordinary is what a call takes whose type says nothing else.
var ordinary = map[Verb]time.Duration{
	Creating: 400 * time.Millisecond,
	Reading:  80 * time.Millisecond,
	Updating: 300 * time.Millisecond,
	Deleting: 300 * time.Millisecond,
}

// accountUsable is how long services do not answer in a new account
// (hashicorp/terraform-provider-aws#15654).
const accountUsable = 7 * time.Minute

// accountCloses is how long PENDING_CLOSURE lasts here. AWS takes 90 days to
// close for good; what a caller can wait for is SUSPENDED.
const accountCloses = 10 * time.Minute

func (t *Type) takes(v Verb) time.Duration {
	d := map[Verb]time.Duration{Creating: t.Takes.Create, Updating: t.Takes.Update, Deleting: t.Takes.Delete}[v]
	if d == 0 {
		return ordinary[v]
	}
	return d
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Usable is the key in Durations for the time until a new account can be used.
const Usable = "organizations:usable"

// Durations lists what each call takes at AWS, by "service:Action", for a
// computation of the critical path. What passes between an account's creation
// and its services' first answers is no call, and is listed as Usable.
func Durations() map[string]time.Duration {
	out := map[string]time.Duration{Usable: accountUsable}
	for _, t := range all {
		out[t.Service+":"+t.API.Create] = t.takes(Creating)
		out[t.Service+":"+t.API.Read] = t.takes(Reading)
		for _, action := range t.API.Updates {
			out[t.Service+":"+action] = ordinary[Updating]
		}
		if t.API.Update != "" {
			out[t.Service+":"+t.API.Update] = t.takes(Updating)
		}
		if t.API.Delete != "" {
			out[t.Service+":"+t.API.Delete] = t.takes(Deleting)
		}
	}
	return out
}
