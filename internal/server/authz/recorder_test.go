package authz

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
)

// slow is a log of orgs in which a commit takes a second, as long as it is not
// told otherwise.
type slow struct {
	mu      sync.Mutex
	commits map[string][]int
	fails   error
	takes   time.Duration
}

func (s *slow) commit(ctx context.Context, notes []registry.Note) error {
	org := notes[0].By.Org()
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range notes {
		if n.By.Org() != org {
			return errors.New("two orgs in one transaction")
		}
	}
	if s.commits == nil {
		s.commits = map[string][]int{}
	}
	s.commits[org] = append(s.commits[org], len(notes))
	return s.fails
}

func recorderOver(s *slow) *Recorder { return &Recorder{orgs: logs[registry.Note]{commit: s.commit}} }

func note(ctx context.Context, r *Recorder, org string) error {
	return r.org(ctx, orgcontexttest.For(org), "/x", "allowed: y")
}

// The first entry is stored alone; those that come meanwhile share the next
// transaction, up to as many as one holds.
func TestEntriesOfAnOrgShareTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: time.Second}
		r := recorderOver(s)
		begin := time.Now()
		var wg sync.WaitGroup
		var took [1 + together + 1]time.Duration
		for i := range took {
			wg.Go(func() {
				if err := note(t.Context(), r, "acme"); err != nil {
					t.Error(err)
				}
				took[i] = time.Since(begin)
			})
			synctest.Wait()
		}
		wg.Wait()
		if want := []int{1, together, 1}; !slices.Equal(s.commits["acme"], want) {
			t.Errorf("transactions of %v entries, expected %v", s.commits["acme"], want)
		}
		// An answer before its entry is stored would be one that nobody can prove.
		if took[0] != time.Second || took[1] != 2*time.Second || took[together+1] != 3*time.Second {
			t.Errorf("entries were answered after %s, %s, %s", took[0], took[1], took[together+1])
		}
		if len(r.orgs.all) != 0 {
			t.Error("a queue is kept that is empty")
		}
	})
}

func TestOrgsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorderOver(&slow{takes: time.Second})
		begin := time.Now()
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				if err := note(t.Context(), r, fmt.Sprintf("org-%d", i)); err != nil || time.Since(begin) != time.Second {
					t.Errorf("%v after %s", err, time.Since(begin))
				}
			})
		}
		wg.Wait()
	})
}

func TestAnEntryThatCannotBeStoredIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{fails: errors.New("the disk is full")}
		r := recorderOver(s)
		if err := note(t.Context(), r, "acme"); !errors.Is(err, s.fails) {
			t.Errorf("got %v", err)
		}
		s.fails = nil
		if err := note(t.Context(), r, "acme"); err != nil {
			t.Errorf("once it can be stored again: %v", err)
		}
		if err := r.org(t.Context(), orgcontexttest.By("", "", ""), "/x", "allowed"); !errors.Is(err, registry.ErrNoOrg) {
			t.Errorf("nobody's entry: %v", err)
		}
	})
}

// A caller who leaves takes nobody else along, and a database that does not answer
// holds nobody for ever.
func TestACallerWhoLeavesTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorderOver(&slow{takes: time.Second})
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := note(ctx, r, "acme"); !errors.Is(err, context.Canceled) {
				t.Errorf("who left hears %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if err := note(t.Context(), r, "acme"); err != nil {
				t.Errorf("who stayed hears %v", err)
			}
		})
		leave()
		wg.Wait()
		hung := recorderOver(&slow{takes: time.Hour})
		begin := time.Now()
		if err := note(t.Context(), hung, "acme"); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != commitWithin {
			t.Errorf("a database that hangs: %v after %s", err, time.Since(begin))
		}
	})
}

func TestAnOrgWithTooManyEntriesIsRefusedAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorderOver(&slow{takes: time.Second})
		var full atomic.Int64
		var wg sync.WaitGroup
		for range 1 + waiting + 10 {
			wg.Go(func() {
				if err := note(t.Context(), r, "acme"); errors.Is(err, errFull) {
					full.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := note(t.Context(), r, "globex"); err != nil {
			t.Errorf("another org: %v", err)
		}
		wg.Wait()
		// The first batch is what had come by the time that it was taken.
		if n := full.Load(); n == 0 || n > 10 {
			t.Errorf("%d were refused, expected 1 to 10", n)
		}
	})
}

// BenchmarkRecorder notes for one org and for a hundred, by one caller at a time
// and by many, in a file. It reports how many entries a transaction holds.
func BenchmarkRecorder(b *testing.B) {
	for _, orgs := range []int{1, 100} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("%d_orgs_%d_callers", orgs, callers), func(b *testing.B) {
				store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "registry.db"), time.Now)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { _ = store.Close() })
				r := NewRecorder(store)
				var commits atomic.Int64
				inner := r.orgs.commit
				r.orgs.commit = func(ctx context.Context, n []registry.Note) error { commits.Add(1); return inner(ctx, n) }
				var next atomic.Int64
				b.ResetTimer()
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						for {
							i := next.Add(1)
							if i > int64(b.N) {
								return
							}
							if err := note(b.Context(), r, fmt.Sprintf("org-%03d", i%int64(orgs))); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/float64(commits.Load()), "entries/commit")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
			})
		}
	}
}

// BenchmarkQuietOrg is how long the entry of an org takes that asks for little,
// alone and beside one that asks for as much as it can.
func BenchmarkQuietOrg(b *testing.B) {
	for _, noisy := range []int{0, 64} {
		b.Run(fmt.Sprintf("beside_%d_callers", noisy), func(b *testing.B) {
			store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "registry.db"), time.Now)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = store.Close() })
			r := NewRecorder(store)
			ctx, stop := context.WithCancel(b.Context())
			var wg sync.WaitGroup
			for range noisy {
				wg.Go(func() {
					for ctx.Err() == nil {
						_ = note(ctx, r, "noisy")
					}
				})
			}
			took := make([]time.Duration, 0, 1<<12)
			for b.Loop() {
				begin := time.Now()
				if err := note(b.Context(), r, "quiet"); err != nil {
					b.Error(err)
				}
				took = append(took, time.Since(begin))
			}
			stop()
			wg.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
