package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"freehold.dev/freehold/internal/registry/sqlstore"
)

// A process that works on many orgs renews a lease between all that it records of
// the others: it must not be passed by those who came later.
func TestTheGoroutinesOfAProcessWriteInTheOrderInWhichTheyCame(t *testing.T) {
	db, err := connect(filepath.Join(t.TempDir(), "registry.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	d := newDatabase(db)
	begun, release := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		err := d.write(t.Context(), func(sqlstore.Tx) error { close(begun); <-release; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	<-begun

	impatient, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := d.write(impatient, func(sqlstore.Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who has no time waits all the same: %v", err)
	}
	var got, want []int
	var first, last time.Time
	for i := range 10 {
		want = append(want, i)
		group.Go(func() {
			err := d.write(t.Context(), func(sqlstore.Tx) error {
				got = append(got, i) // one at a time is what is promised
				last = time.Now()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		time.Sleep(20 * time.Millisecond) // it has come
	}
	first = time.Now()
	close(release)
	group.Wait()
	if !slices.Equal(got, want) {
		t.Errorf("they wrote in the order %v", got)
	}
	t.Logf("ten who waited wrote within %s", last.Sub(first))
}
