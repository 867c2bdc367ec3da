package lifecycle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
)

// accountsMade are the accounts that anybody has created, as the processes wrote them.
func accountsMade(by ...*process) (n int) {
	for _, p := range by {
		for _, w := range p.Writes() {
			if w.To == "cloud" && w.What == "make" && w.Of == accountType {
				n++
			}
		}
	}
	return n
}

// Two machines want the same org, and one of them is killed at a moment around the
// creation of its account: the other goes on, and makes no second one.
func TestTwoMachinesThatRaceForAnOrgMakeOneAccountWhereverOneIsKilled(t *testing.T) {
	want := newPlace(t)
	first := want.here()
	if _, err := first.onboard(document(t)); err != nil {
		t.Fatal(err)
	}
	// The moments from the beginning of the account layer to its end.
	begins := slices.IndexFunc(first.Writes(), func(w lifecycletest.Write) bool { return w.What == "event" && strings.Contains(w.Of, "layer.started") })
	ends := slices.IndexFunc(first.Writes(), func(w lifecycletest.Write) bool { return w.What == "event" && strings.Contains(w.Of, "layer.finished") })
	if begins < 0 || ends-begins < 10 || accountsMade(first) != 1 {
		t.Fatalf("the account layer is written from %d to %d, and %d accounts", begins, ends, accountsMade(first))
	}
	for n := begins; n <= ends+1; n++ {
		t.Run(fmt.Sprintf("killed after %s", first.Writes()[n-1]), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			killed, other := p.start(lifecycletest.Machine{Name: "a"}), p.start(lifecycletest.Machine{Name: "b"})
			killed.KillAfter(n)
			began, over := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(over)
				close(began)
				_, _ = killed.onboard(document(t))
			}()
			<-began
			for {
				_, err := other.onboard(document(t))
				if err == nil {
					break
				}
				if !errors.Is(err, ErrBusy) {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Millisecond)
				if killed.Killed() {
					p.world.Sleep(other.Holding.TTL) // only its own machine can tell that it is dead
				}
			}
			<-over
			if n, there := accountsMade(killed, other), len(p.world.Things(accountType)); n != 1 || there != 1 {
				t.Errorf("%d accounts were made, and %d are there", n, there)
			}
			p.ends("acme") // exactly one terminal event each
			if got := p.states("acme"); got != allDone {
				t.Errorf("layers: %s", got)
			}
		})
	}
}
