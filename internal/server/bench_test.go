package server_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/server/servertest"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
)

// manyOrgs are in the registry of each benchmark.
const manyOrgs = 1000

func benchOrg(i int) string { return fmt.Sprintf("org-%04d", i) }

// postgresOf is a registry on a server, with many orgs in it.
func postgresOf(b *testing.B, issuer *oidctest.Issuer) (registry.Store, pgtest.DB) {
	b.Helper()
	db := pgtest.Database(b)
	s, err := postgres.Open(b.Context(), db.Service, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	fillMany(b, s, issuer)
	return s, db
}

// sqliteOf is a registry in a file, with as many.
func sqliteOf(b *testing.B, issuer *oidctest.Issuer) registry.Store {
	b.Helper()
	s, err := sqlite.Open(b.Context(), b.TempDir()+"/registry.db", time.Now)
	if err != nil {
		b.Fatal(err)
	}
	fillMany(b, s, issuer)
	return s
}

func fillMany(b *testing.B, s registry.Store, issuer *oidctest.Issuer) {
	b.Helper()
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	began := time.Now()
	orgs := make([]string, manyOrgs)
	for i := range orgs {
		orgs[i] = benchOrg(i)
	}
	if err := servertest.FillAll(b.Context(), s, orgs, issuer.URL, time.Now()); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d orgs were recorded in %s", manyOrgs, time.Since(began).Round(time.Millisecond))
}

// reader reads the operations of an org over a connection of its own.
type reader struct {
	operations freeholdv1connect.OperationServiceClient
}

// newReader connects from an address of its own, as clients do: the gateway takes a
// bounded number of connections from each.
func newReader(w *servertest.World, i int) reader {
	org := benchOrg(i)
	h := w.HTTP()
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(i/250), byte(1+i%250))}}
	h.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return from.DialContext(ctx, network, w.Address)
	}
	return reader{freeholdv1connect.NewOperationServiceClient(w.ClientOver(h, org, w.Token(org, org+"-viewers")))}
}

func (r reader) read(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	_, err := r.operations.ListOperations(ctx, &freeholdv1.ListOperationsRequest{})
	return time.Since(began), err
}

func newReaders(b *testing.B, w *servertest.World) []reader {
	b.Helper()
	all := make([]reader, manyOrgs)
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			for i := k; i < manyOrgs; i += 4 {
				all[i] = newReader(w, i)
				if _, err := all[i].read(b.Context()); err != nil {
					b.Errorf("%s: %v", benchOrg(i), err)
					return
				}
			}
		})
	}
	wg.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return all
}

// times are how long requests took.
type times []time.Duration

func (t times) at(share float64) time.Duration {
	slices.Sort(t)
	return t[min(len(t)-1, int(share*float64(len(t))))]
}

func report(b *testing.B, of string, t times) {
	b.ReportMetric(float64(t.at(.5).Microseconds()), of+"p50-µs")
	b.ReportMetric(float64(t.at(.99).Microseconds()), of+"p99-µs")
}

// callers are how many requests are under way at any time.
const callers = 8

// window has requests made for some of the orgs, each of a random one, for a while.
func window(b *testing.B, all []reader, orgs int, lasts time.Duration) (took times, rate float64) {
	b.Helper()
	began := time.Now()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failed atomic.Int64
	for range callers {
		wg.Go(func() {
			var mine times
			for time.Since(began) < lasts {
				d, err := all[rand.IntN(orgs)].read(b.Context())
				if err != nil {
					failed.Add(1)
					b.Error(err)
					return
				}
				mine = append(mine, d)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
		})
	}
	wg.Wait()
	if failed.Load() > 0 {
		b.FailNow()
	}
	return took, float64(len(took)) / time.Since(began).Seconds()
}

// BenchmarkReads reads operations over the API: TLS, identity, policies, audit log,
// rows. Client, server and database share the machine. A registry holds 1,000 orgs, of
// which 1, 10, 100 and all call, in turns, so that their times can be compared.
func BenchmarkReads(b *testing.B) {
	b.Run("postgres", func(b *testing.B) {
		issuer := oidctest.Serve(b)
		s, _ := postgresOf(b, issuer)
		reads(b, s, issuer)
	})
	b.Run("sqlite", func(b *testing.B) {
		issuer := oidctest.Serve(b)
		reads(b, sqliteOf(b, issuer), issuer)
	})
}

func reads(b *testing.B, s registry.Store, issuer *oidctest.Issuer) {
	w := servertest.Start(b, s, servertest.Options{Issuer: issuer})
	all := newReaders(b, w)
	some := []int{1, 10, 100, manyOrgs}
	took, rates := map[int]times{}, map[int][]float64{}
	for b.Loop() {
		const rounds, lasts, pause = 6, 500 * time.Millisecond, 500 * time.Millisecond
		for range rounds {
			rand.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			for _, orgs := range some {
				// What a window leaves behind, such as garbage, is not the next one's.
				time.Sleep(pause)
				t, rate := window(b, all, orgs, lasts)
				took[orgs], rates[orgs] = append(took[orgs], t...), append(rates[orgs], rate)
			}
		}
	}
	for _, orgs := range some {
		slices.Sort(rates[orgs])
		of := fmt.Sprintf("%d-orgs-", orgs)
		b.ReportMetric(rates[orgs][len(rates[orgs])/2], of+"requests/s")
		report(b, of, took[orgs])
	}
	b.ReportMetric(0, "ns/op") // of windows, which says nothing
}
