package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var clock = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func opened(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func row(id string) Row {
	return Row{Account: "1", Region: Global, Type: "role", ID: id, ARN: "arn:" + id, URN: "urn:" + id,
		Inputs: map[string]any{"name": id, "n": 1.0}, Outputs: map[string]any{"list": []any{"a", true}}, Created: clock}
}

func TestARowComesBackAsItWasPut(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	want := row("a")
	want.ByCloud = true
	if err := s.Write(t.Context(), func(tx *Tx) error { return tx.Put(want, "role/a") }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err := opened(t, dir).Read(t.Context(), func(tx *Tx) error {
		got, err := tx.Get("1", Global, "role", "a")
		if err != nil {
			return err
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Error(diff)
		}
		owner, err := tx.Owner("role/a")
		if diff := cmp.Diff(&want, owner); diff != "" {
			t.Error(diff)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestIdentitiesAreClaimedOnceMovedAndGivenBack(t *testing.T) {
	s := opened(t, t.TempDir())
	put := func(id string, keys ...string) error {
		return s.Write(t.Context(), func(tx *Tx) error { return tx.Put(row(id), keys...) })
	}
	if err := put("a", "x", "y"); err != nil {
		t.Fatal(err)
	}
	var taken *DuplicateError
	if err := put("b", "y"); !errors.As(err, &taken) || taken.Key != "y" {
		t.Errorf("got %v, want that y is taken", err)
	}
	if err := s.Read(t.Context(), func(tx *Tx) error {
		b, err := tx.Get("1", Global, "role", "b")
		if b != nil {
			t.Error("the row whose identity was refused is there")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := put("a", "x"); err != nil { // an update gives y up
		t.Fatal(err)
	}
	if err := put("b", "y"); err != nil {
		t.Errorf("y was given up, and refused: %v", err)
	}
	if err := s.Write(t.Context(), func(tx *Tx) error { return tx.Delete(row("b")) }); err != nil {
		t.Fatal(err)
	}
	if err := put("c", "y"); err != nil {
		t.Errorf("y's owner is deleted, and y is refused: %v", err)
	}
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	s := opened(t, t.TempDir())
	boom := errors.New("boom")
	err := s.Write(t.Context(), func(tx *Tx) error {
		if err := tx.Put(row("a"), "x"); err != nil {
			return err
		}
		if err := tx.Journal(Entry{Time: clock, Action: "CreateRole"}); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	entries, err := s.Entries(t.Context(), 0)
	if err != nil || len(entries) != 0 {
		t.Errorf("the journal has %v (%v)", entries, err)
	}
}

func TestFaultsAreUsedUpTogether(t *testing.T) {
	dir := t.TempDir()
	one, two := opened(t, dir), opened(t, dir)
	for round := range 20 {
		if err := one.SetFault(t.Context(), Fault{"iam", "CreateRole", "error", 2}); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		var taken atomic.Int32
		for i := range 16 {
			s := []*Store{one, two}[i%2]
			group.Go(func() {
				kind, err := s.TakeFault(t.Context(), "iam", "CreateRole")
				if err != nil {
					t.Error(err)
				}
				if kind == "error" {
					taken.Add(1)
				}
			})
		}
		group.Wait()
		if n := taken.Load(); n != 2 {
			t.Fatalf("round %d: %d faults happened, 2 were asked for", round, n)
		}
	}
	left, err := two.Faults(t.Context())
	if err != nil || len(left) != 0 {
		t.Errorf("left over: %v (%v)", left, err)
	}
}

func TestManyOpenANewSandboxAtOnce(t *testing.T) {
	for range 5 {
		dir := t.TempDir()
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				s, err := Open(t.Context(), dir)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
}

// worker is this test's binary in another process: it writes rows with a
// journal entry each, and claims identities that the other wants too.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_TEST_DIR"); dir != "" {
		if err := work(context.Background(), dir, os.Getenv("STORE_TEST_NAME")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const rounds = 150

func work(ctx context.Context, dir, name string) error {
	s, err := Open(ctx, dir)
	if err != nil {
		return err
	}
	for i := range rounds {
		err := s.Write(ctx, func(tx *Tx) error {
			n, err := tx.Next("shared")
			if err != nil {
				return err
			}
			id := fmt.Sprintf("%s-%d", name, i)
			if err := tx.Put(row(id), fmt.Sprintf("number/%d", n)); err != nil {
				return err
			}
			return tx.Journal(Entry{Time: clock, Action: "CreateRole", ID: id})
		})
		if err != nil {
			return err
		}
		err = s.Write(ctx, func(tx *Tx) error { return tx.Put(row(fmt.Sprintf("race-%s-%d", name, i)), fmt.Sprintf("race/%d", i)) })
		var taken *DuplicateError
		if err != nil && !errors.As(err, &taken) {
			return err
		}
	}
	return s.Close()
}

func start(t *testing.T, dir, name string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_DIR="+dir, "STORE_TEST_NAME="+name)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// whole says how many rows there are, and fails unless each has its journal
// entry and each entry its row.
func whole(t *testing.T, s *Store) (made, raced int) {
	t.Helper()
	entries, err := s.Entries(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	journal := map[string]bool{}
	for _, e := range entries {
		if journal[e.ID] {
			t.Errorf("%s was made twice", e.ID)
		}
		journal[e.ID] = true
	}
	err = s.Read(t.Context(), func(tx *Tx) error {
		rows, err := tx.List(Filter{})
		for _, r := range rows {
			if len(r.ID) > 5 && r.ID[:5] == "race-" {
				raced++
				continue
			}
			if made++; !journal[r.ID] {
				t.Errorf("%s is there and not in the journal", r.ID)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if made != len(journal) {
		t.Errorf("%d rows, %d journal entries", made, len(journal))
	}
	return made, raced
}

// rows counts, also while somebody writes.
func rows(t *testing.T, s *Store) (n int) {
	t.Helper()
	err := s.Read(t.Context(), func(tx *Tx) error {
		all, err := tx.List(Filter{})
		n = len(all)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTwoProcessesWriteAtOnce(t *testing.T) {
	dir := t.TempDir()
	a, b := start(t, dir, "a"), start(t, dir, "b") // they also make the tables at once
	for _, cmd := range []*exec.Cmd{a, b} {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	made, raced := whole(t, opened(t, dir))
	if made != 2*rounds || raced != rounds {
		t.Errorf("%d rows and %d winners, want %d and %d", made, raced, 2*rounds, rounds)
	}
}

func TestKillingTheWriterLosesNothingThatWasCommitted(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	before := 0
	for i := range 8 {
		cmd := start(t, dir, fmt.Sprint("k", i))
		// A different write each time.
		for deadline := time.Now().Add(2 * time.Minute); rows(t, s) <= before+i; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("round %d has not written %d rows within two minutes", i, i+1)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if died := cmd.ProcessState.Sys().(syscall.WaitStatus); died.Signal() != syscall.SIGKILL {
			t.Fatalf("round %d ended by itself: %s", i, cmd.ProcessState)
		}
		whole(t, s)
		after := rows(t, s)
		if after <= before {
			t.Fatalf("round %d wrote nothing", i)
		}
		before = after
	}
	// And what is left can be written to.
	if err := s.Write(t.Context(), func(tx *Tx) error { return tx.Put(row("last"), "last") }); err != nil {
		t.Error(err)
	}
}

func TestResetForgetsEverything(t *testing.T) {
	s := opened(t, t.TempDir())
	err := s.Write(t.Context(), func(tx *Tx) error {
		if _, err := tx.Next("n"); err != nil {
			return err
		}
		if err := tx.Set("k", "v"); err != nil {
			return err
		}
		return errors.Join(tx.Put(row("a"), "x"), tx.Journal(Entry{Time: clock}))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), func(tx *Tx) error {
		rows, err := tx.List(Filter{})
		if err != nil || len(rows) != 0 {
			t.Errorf("rows %v (%v)", rows, err)
		}
		v, err := tx.Setting("k")
		if err != nil || v != "" {
			t.Errorf("setting %q (%v)", v, err)
		}
		n, err := tx.Next("n")
		if n != 1 {
			t.Errorf("the counter is at %d", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
