package cli

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
)

// TestStreamEndsOnce feeds a stream whatever a use case may do, and wants
// exactly one terminal event of the operation, the last, in agreement with the
// exit status.
func TestStreamEndsOnce(t *testing.T) {
	kinds := []error{nil, errors.New("boom"), lifecycle.ErrBusy, lifecycle.ErrBlocked, lifecycle.ErrPending, lifecycle.ErrInvalid, lifecycle.ErrCancelled, errDifferent}
	types := []event.Type{
		event.LayerStarted, event.LayerFinished, event.LayerFailed, event.ResourceStarted, event.ResourceFinished, event.ResourceFailed,
		event.Diagnostic, event.Waiting, event.OperationSucceeded, event.OperationFailed, event.OperationBlocked, event.OperationPending,
	}
	rapid.Check(t, func(t *rapid.T) {
		var got []event.Event
		s := newStream("onboard", "acme", time.Now, func(e event.Event) { got = append(got, e) })
		before := rapid.IntRange(0, 2).Draw(t, "operations that were killed")
		for range before {
			s.sink(event.Event{Type: event.OperationFailed, Operation: "dead", Org: "acme"})
		}
		started := rapid.Bool().Draw(t, "started")
		if started {
			s.sink(event.Event{Type: event.OperationStarted, Operation: "op", Org: "acme"})
			for _, typ := range rapid.SliceOf(rapid.SampledFrom(types)).Draw(t, "events") {
				s.sink(event.Event{Type: typ, Operation: "op", Org: "acme"})
			}
		}
		err := rapid.SampledFrom(kinds).Draw(t, "error")
		s.end(nil, err)
		s.end(nil, nil)
		s.sink(event.Event{Type: event.OperationSucceeded, Operation: "op"})

		terminal, dead := 0, 0
		for _, e := range got {
			switch {
			case e.Operation == "dead":
				dead++
			case e.Type.Terminal():
				terminal++
			}
		}
		if terminal != 1 || dead != before {
			t.Fatalf("%d terminal events and %d of killed operations, want 1 and %d: %+v", terminal, dead, before, got)
		}
		last := got[len(got)-1]
		if !last.Type.Terminal() || last.Org != "acme" || last.Kind != "onboard" || (started && last.Operation != "op") {
			t.Fatalf("last event %+v", last)
		}
		want := map[int]event.Type{exitDone: event.OperationSucceeded, exitDifferent: event.OperationSucceeded, exitBlocked: event.OperationBlocked, exitPending: event.OperationPending}[exitCode(err)]
		if want == "" {
			want = event.OperationFailed
		}
		if last.Type != want {
			t.Fatalf("%v ends as %s, want %s", err, last.Type, want)
		}
		if err != nil && !errors.Is(err, errDifferent) && last.Message == "" {
			t.Fatalf("%v is not in the message: %+v", err, last)
		}
	})
}

// What the registry's log holds is shown as it is there: a replay must give the
// same events.
func TestAStreamShowsStoredEventsAsTheyAre(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	stored := func(seq int64, typ event.Type, message string) event.Event {
		return event.Event{Type: typ, Time: at, Org: "acme", Operation: "op", Kind: "onboard", Seq: seq, Message: message}
	}
	started, waiting := stored(1, event.OperationStarted, ""), stored(2, event.Waiting, "for the account")
	succeeded, takenOver := stored(3, event.OperationSucceeded, ""), stored(3, event.OperationFailed, "another process took over")
	lost := &lifecycle.Error{Org: "acme", Layer: "cluster", Err: errors.New("the operation no longer holds its org"), Next: "look"}
	own := event.Event{
		Type: event.OperationFailed, Time: at.Add(time.Hour), Org: "acme", Operation: "op", Kind: "onboard", Layer: "cluster",
		Message: lost.Error(), Next: "look",
	}
	for reason, tc := range map[string]struct {
		sent   []event.Event
		logged *event.Event
		err    error
		want   []event.Event
	}{
		"the terminal event is shown when it comes": {
			sent: []event.Event{started, waiting, succeeded}, want: []event.Event{started, waiting, succeeded},
		},
		"and not changed by what the use case returns": {
			sent: []event.Event{started, waiting, succeeded}, err: lost, want: []event.Event{started, waiting, succeeded},
		},
		"nothing comes after it": {
			sent: []event.Event{started, succeeded, waiting}, want: []event.Event{started, succeeded},
		},
		"an operation that lost its org ends as the log says": {
			sent: []event.Event{started, waiting}, logged: &takenOver, err: lost, want: []event.Event{started, waiting, takenOver},
		},
		"and with an event of its own where the log has no end": {
			sent: []event.Event{started, waiting}, err: lost, want: []event.Event{started, waiting, own},
		},
		"the log is not asked when the end was shown": {
			sent: []event.Event{started, succeeded}, logged: &takenOver, err: lost, want: []event.Event{started, succeeded},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			var got []event.Event
			s := newStream("onboard", "acme", func() time.Time { return at.Add(time.Hour) }, func(e event.Event) { got = append(got, e) })
			s.logged = func(org, operation string) (event.Event, bool) {
				if org != "acme" || operation != "op" || tc.logged == nil {
					return event.Event{}, false
				}
				return *tc.logged, true
			}
			for _, e := range tc.sent {
				s.sink(e)
			}
			s.end(nil, tc.err)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// The terminal event must be written before the use case goes on: it then notes
// in the log that the event was delivered, and may be killed at any moment.
func TestAStoredTerminalEventIsNotHeldBack(t *testing.T) {
	written := false
	s := newStream("onboard", "acme", time.Now, func(e event.Event) { written = written || e.Type.Terminal() })
	s.sink(event.Event{Type: event.OperationStarted, Org: "acme", Operation: "op", Seq: 1})
	s.sink(event.Event{Type: event.OperationSucceeded, Org: "acme", Operation: "op", Seq: 2})
	if !written {
		t.Error("it waits for the use case to return")
	}
}
