package server_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect/v2"

	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/server/config"
	"freehold.dev/freehold/internal/server/servertest"
)

// slower is how many times as long a quiet org's slowest requests may take beside a
// noisy org as without it.
const slower = 2

// BenchmarkAQuietOrgBesideANoisyOne reads for one org 40 times a second, and in every
// other window has another org ask 1,000 times a second on 20 connections, twenty
// times its limit. Under "flood" the noisy org sends the next request as soon as the
// last is answered. It reports the quiet org's times, and fails if its p99 more than
// doubles.
func BenchmarkAQuietOrgBesideANoisyOne(b *testing.B) {
	issuer := oidctest.Serve(b)
	s, _ := postgresOf(b, issuer)
	w := servertest.Start(b, s, servertest.Options{Issuer: issuer, Config: func(c *config.Config) { c.Limits = config.Limits{} }})
	for _, asks := range []struct {
		name  string
		pause time.Duration
	}{{"20_times_its_limit", 20 * time.Millisecond}, {"flood", 0}} {
		b.Run(asks.name, func(b *testing.B) {
			quiet, noisy := newReader(w, 0), make([]reader, 20)
			for i := range noisy {
				noisy[i] = newReader(w, 1)
			}
			var alone, beside times
			var ratios []float64
			n := &noise{pause: asks.pause}
			for b.Loop() {
				const rounds, lasts = 8, 3 * time.Second
				quietly(b, quiet, time.Second) // connects
				for range rounds {
					without := quietly(b, quiet, lasts)
					stop := n.start(b.Context(), noisy)
					time.Sleep(200 * time.Millisecond) // its burst is spent
					with := quietly(b, quiet, lasts)
					stop()
					ratios = append(ratios, float64(with.at(.99))/float64(without.at(.99)))
					alone, beside = append(alone, without...), append(beside, with...)
				}
			}
			report(b, "alone-", alone)
			report(b, "beside-", beside)
			slices.Sort(ratios)
			ratio, median := float64(beside.at(.99))/float64(alone.at(.99)), ratios[len(ratios)/2]
			b.ReportMetric(ratio, "p99-ratio")
			b.ReportMetric(median, "median-p99-ratio")
			b.ReportMetric(float64(n.limited.Load())/float64(n.sent.Load())*100, "limited-%")
			b.ReportMetric(float64(n.sent.Load())/n.lasted.Seconds(), "noisy-requests/s")
			b.ReportMetric(0, "ns/op") // of windows, which says nothing
			// A moment in which the machine does something else is in the one or in the other.
			if min(ratio, median) > slower {
				b.Fatalf("the quiet org's p99 is %s beside the noisy one and %s without it, and in the median window %.1f times as long; at most %d is promised (%d requests in %s)",
					beside.at(.99), alone.at(.99), median, slower, n.sent.Load(), n.lasted)
			}
		})
	}
}

// quietly reads 40 times a second.
func quietly(b *testing.B, r reader, lasts time.Duration) (took times) {
	b.Helper()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(lasts); time.Now().Before(until); {
		<-tick.C
		d, err := r.read(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, d)
	}
	return took
}

// noise is what a noisy org asks.
type noise struct {
	pause         time.Duration // between two requests on a connection
	sent, limited atomic.Int64
	lasted        time.Duration
}

// start reads on all connections, until it is stopped.
func (n *noise) start(ctx context.Context, all []reader) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	began := time.Now()
	var wg sync.WaitGroup
	for i, r := range all {
		wg.Go(func() {
			// Not all at once.
			next := began.Add(n.pause * time.Duration(i) / time.Duration(len(all)))
			for ctx.Err() == nil {
				if n.pause == 0 {
					n.read(ctx, r)
					continue
				}
				// The next one does not wait for the answer.
				time.Sleep(time.Until(next))
				next = next.Add(n.pause)
				wg.Go(func() { n.read(ctx, r) })
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
		n.lasted += time.Since(began)
	}
}

func (n *noise) read(ctx context.Context, r reader) {
	_, err := r.read(context.WithoutCancel(ctx))
	if n.sent.Add(1); connect.CodeOf(err) == connect.CodeResourceExhausted {
		n.limited.Add(1)
	}
}
