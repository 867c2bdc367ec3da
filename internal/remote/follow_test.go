package remote_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/structpb"

	"connectrpc.com/connect/v2"

	v1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/remote"
)

// numbered is an event of op-1; the last of ten ends it.
func numbered(n int64) *v1.StreamOperationEventsResponse {
	e := &v1.OperationEvent{Type: "diagnostic", Sequence: n, Operation: "op-1", Kind: "onboard"}
	if n == 10 {
		e.Type = "operation.succeeded"
		e.Result, _ = structpb.NewStruct(map[string]any{"org": "acme", "operation": "op-1", "changed": true, "duration": 6.1e11})
	}
	return &v1.StreamOperationEventsResponse{Org: "acme", Content: &v1.StreamOperationEventsResponse_Event{Event: e}}
}

var resume = &v1.StreamOperationEventsResponse{Org: "acme", Content: &v1.StreamOperationEventsResponse_Resume{Resume: &v1.StreamResume{Operation: "op-1", Reason: "the server stops"}}}

// A stream that breaks in any way is resumed without a gap and without a repeat.
func TestAStreamThatBreaksIsResumedAfterTheLastEvent(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		f := &fake{}
		f.stream = func(q *v1.StreamOperationEventsRequest, send func(*v1.StreamOperationEventsResponse) error) error {
			if q.GetOperation() != "op-1" || !q.GetFollow() {
				t.Errorf("asked for %v", q)
			}
			n := q.GetAfterSequence() + 1
			if random.IntN(3) == 0 && n > 1 {
				n-- // an event that was sent before
			}
			for ; n <= 10; n++ {
				switch random.IntN(8) {
				case 0:
					return send(resume)
				case 1:
					return nil // without a word
				case 2:
					return connect.NewError(connect.CodeUnavailable, "the worker went away")
				case 3:
					panic(http.ErrAbortHandler) // as a process that is killed
				case 4:
					if n > q.GetAfterSequence()+1 && n < 10 {
						n++ // one is lost
					}
				}
				if err := send(numbered(n)); err != nil {
					return err
				}
			}
			return nil
		}
		c := f.serve(t)
		var got []int64
		if err := c.Follow(t.Context(), "acme", "", 0, func(e event.Event) { got = append(got, e.Seq) }); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff([]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, got); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

func TestAnOnboardingThatTheServerRunsHasTheResultOfOneHere(t *testing.T) {
	f := &fake{begin: func(*v1.OnboardDataPlaneRequest) (*v1.Operation, error) { return &v1.Operation{Id: "op-1"}, nil }}
	f.stream = func(q *v1.StreamOperationEventsRequest, send func(*v1.StreamOperationEventsResponse) error) error {
		for n := q.GetAfterSequence() + 1; n <= 10; n++ {
			if err := send(numbered(n)); err != nil {
				return err
			}
		}
		return nil
	}
	events := 0
	got, err := f.serve(t).Onboard(t.Context(), "acme", []byte("org: acme"), lifecycle.OnboardOptions{}, func(event.Event) { events++ })
	want := event.Onboarding{Org: "acme", Operation: "op-1", Changed: true, Duration: 610 * time.Second}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || events != 10 {
		t.Errorf("%d events, %v, result (-want +got):\n%s", events, err, diff)
	}
}

// The answer to a call that begins an operation is lost: the call is made again,
// and the server knows it by its id.
func TestALostAnswerBeginsNoSecondOperation(t *testing.T) {
	begun := map[string]string{}
	f := &fake{}
	f.begin = func(q *v1.OnboardDataPlaneRequest) (*v1.Operation, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if q.GetRequestId() == "" {
			return &v1.Operation{Id: "op-9"}, connect.NewError(connect.CodeInvalidArgument, "a request without an id is another one each time")
		}
		if begun[q.GetRequestId()] == "" {
			begun[q.GetRequestId()] = fmt.Sprintf("op-%d", len(begun)+1)
			panic(http.ErrAbortHandler)
		}
		return &v1.Operation{Id: begun[q.GetRequestId()]}, nil
	}
	f.stream = func(_ *v1.StreamOperationEventsRequest, send func(*v1.StreamOperationEventsResponse) error) error {
		return errors.Join(send(numbered(1)), send(numbered(10)))
	}
	if _, err := f.serve(t).Onboard(t.Context(), "acme", nil, lifecycle.OnboardOptions{}, nil); err != nil {
		t.Error(err)
	}
	if len(begun) != 1 {
		t.Errorf("begun %v", begun)
	}
}

func TestWhoeverStopsWatchingDoesNotStopTheOperation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &fake{begin: func(*v1.OnboardDataPlaneRequest) (*v1.Operation, error) {
		return &v1.Operation{Id: "op-1", Kind: "onboard"}, nil
	}}
	f.stream = func(_ *v1.StreamOperationEventsRequest, send func(*v1.StreamOperationEventsResponse) error) error {
		err := send(numbered(1))
		<-ctx.Done()
		return err
	}
	_, err := f.serve(t).Onboard(ctx, "acme", nil, lifecycle.OnboardOptions{}, func(event.Event) { cancel() })
	e, _ := errors.AsType[*lifecycle.Error](err)
	if !errors.Is(err, lifecycle.ErrCancelled) || e == nil || !strings.Contains(e.Next, "operations cancel op-1") {
		t.Errorf("got %v", err)
	}
}

// clock passes as it is looked at.
func hastily(o *remote.Options) {
	now := time.Now()
	o.Now = func() time.Time { now = now.Add(20 * time.Second); return now }
}

func TestAnOperationWithoutAProcessIsGivenUpAfterAWhile(t *testing.T) {
	f := &fake{
		stream: func(_ *v1.StreamOperationEventsRequest, send func(*v1.StreamOperationEventsResponse) error) error {
			return send(resume)
		},
		wait: func() (*v1.Operation, *v1.OperationEvent) { return &v1.Operation{Id: "op-1"}, nil },
	}
	c := f.serve(t, hastily)
	if err := c.Follow(t.Context(), "acme", "", 0, func(event.Event) {}); !errors.Is(err, lifecycle.ErrAbandoned) {
		t.Errorf("follow: %v", err)
	}
	if _, err := c.Wait(t.Context(), "acme", "", time.Hour); !errors.Is(err, lifecycle.ErrAbandoned) && !errors.Is(err, lifecycle.ErrBusy) {
		t.Errorf("wait: %v", err)
	}
}

func TestWaitEndsAsTheOperationDid(t *testing.T) {
	for typ, want := range map[event.Type]error{
		event.OperationSucceeded: nil, event.OperationBlocked: lifecycle.ErrBlocked, event.OperationPending: lifecycle.ErrPending,
	} {
		calls := 0
		f := &fake{wait: func() (*v1.Operation, *v1.OperationEvent) {
			if calls++; calls == 1 {
				return &v1.Operation{Id: "op-1"}, nil
			}
			return &v1.Operation{Id: "op-1", Done: true}, &v1.OperationEvent{Type: string(typ), Operation: "op-1", Sequence: 9}
		}}
		last, err := f.serve(t).Wait(t.Context(), "acme", "", time.Hour)
		if last.Type != typ || !errors.Is(err, want) || (want == nil) != (err == nil) {
			t.Errorf("%s: %v, %v", typ, last.Type, err)
		}
	}
	f := &fake{wait: func() (*v1.Operation, *v1.OperationEvent) { return &v1.Operation{Id: "op-1"}, nil }}
	if _, err := f.serve(t).Wait(t.Context(), "acme", "", 10*time.Millisecond); !errors.Is(err, lifecycle.ErrBusy) {
		t.Errorf("still running: %v", err)
	}
}
