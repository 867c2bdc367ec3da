package gateway

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
)

// BenchmarkRequest is a unary request from a client on loopback to a service and
// back: TLS, host, exchange (in process), limits, HTTP/2 over mutual TLS, log and
// metrics. The client and the service are in the time.
func BenchmarkRequest(b *testing.B) {
	w := newWorld(b, func(o *Options) { o.Limits.PerSecond, o.Limits.Burst, o.Limits.Concurrent = 1e9, 1e9, 1e9 })
	client := w.operations()
	var mu sync.Mutex
	var all []time.Duration
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var mine []time.Duration
		for pb.Next() {
			mine = append(mine, ask(b, client))
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, mine...)
	})
	report(b, all, "")
}

func ask(tb testing.TB, client freeholdv1connect.OperationServiceClient) time.Duration {
	began := time.Now()
	if _, err := client.ListOperations(context.Background(), &freeholdv1.ListOperationsRequest{}); err != nil {
		tb.Error(err)
	}
	return time.Since(began)
}

func report(b *testing.B, all []time.Duration, of string) (p99 time.Duration) {
	slices.Sort(all)
	at := func(share float64) time.Duration { return all[min(len(all)-1, int(share*float64(len(all))))] }
	b.ReportMetric(float64(at(.5).Microseconds()), of+"p50-µs")
	b.ReportMetric(float64(at(.99).Microseconds()), of+"p99-µs")
	return at(.99)
}

// BenchmarkAQuietOrgBesideANoisyOne asks for one org 40 times a second, first alone
// and then while another org asks 1,000 times a second on 20 connections, which is
// twenty times its limit.
func BenchmarkAQuietOrgBesideANoisyOne(b *testing.B) {
	w := newWorld(b, nil)
	quiet := freeholdv1connect.NewOperationServiceClient(w.client(globex, "Bearer token of globex"))
	measure := func() []time.Duration {
		var all []time.Duration
		tick := time.NewTicker(25 * time.Millisecond)
		defer tick.Stop()
		for range 200 {
			<-tick.C
			all = append(all, ask(b, quiet))
		}
		return all
	}
	for b.Loop() {
		alone := report(b, measure(), "alone-")
		ctx, cancel := context.WithCancel(b.Context())
		var wg sync.WaitGroup
		var sent, limited atomic.Int64
		for range 20 {
			noisy := w.operations()
			wg.Go(func() {
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for ctx.Err() == nil {
					<-tick.C
					sent.Add(1)
					if _, err := noisy.ListOperations(context.Background(), &freeholdv1.ListOperationsRequest{}); err != nil {
						limited.Add(1)
					}
				}
			})
		}
		beside := report(b, measure(), "beside-")
		cancel()
		wg.Wait()
		b.ReportMetric(float64(beside)/float64(alone), "p99-ratio")
		b.ReportMetric(float64(limited.Load())/float64(sent.Load())*100, "noisy-limited-%")
	}
}
