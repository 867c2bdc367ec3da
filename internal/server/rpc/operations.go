package rpc

import (
	"context"
	"errors"
	"strconv"
	"time"

	"connectrpc.com/connect/v2"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
)

// Bounds of a call that waits. A stream ends after an hour, and the client resumes it
// with a token that is fresh.
const (
	usualWait  = time.Minute
	longestRun = 10 * time.Minute
	streamLife = time.Hour
	pageSize   = 100
	mostOnPage = 1000
)

type operations struct{ *handlers }

// ListOperations returns a page of the org's operations, the newest first.
func (h operations) ListOperations(ctx context.Context, in *freeholdv1.ListOperationsRequest) (*freeholdv1.ListOperationsResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.cases.Operations(ctx, c.org)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	from, err := afterToken(in.GetPageToken(), all, func(op event.Operation) string { return op.ID })
	if err != nil {
		return nil, err
	}
	shown, next := page(all, from, int(in.GetPageSize()), pageSize, mostOnPage)
	out := &freeholdv1.ListOperationsResponse{Org: c.org, Operations: operationsOf(shown)}
	if next > 0 {
		out.NextPageToken = shown[len(shown)-1].ID
	}
	return out, nil
}

// afterToken is the index behind the item that a page token names. A token is the
// last item of the page before: an operation that begins in between moves no page.
func afterToken[T any](token string, all []T, name func(T) string) (int, error) {
	if token == "" {
		return 0, nil
	}
	for i, one := range all {
		if name(one) == token {
			return i + 1, nil
		}
	}
	return 0, connect.Errorf(connect.CodeInvalidArgument, "page_token %s: want the next_page_token of an answer", strconv.Quote(token))
}

// GetOperation returns one operation of the org.
func (h operations) GetOperation(ctx context.Context, in *freeholdv1.GetOperationRequest) (*freeholdv1.GetOperationResponse, error) {
	c, err := h.caller(ctx)
	if err == nil {
		err = short("operation", in.GetOperation())
	}
	if err != nil {
		return nil, err
	}
	d, err := c.cases.Operation(ctx, c.org, in.GetOperation())
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	out := &freeholdv1.GetOperationResponse{Org: c.org, Operation: operationOf(d.Operation), Events: d.Events}
	for _, st := range d.Steps {
		out.Steps = append(out.Steps, &freeholdv1.OperationStep{
			Sequence: st.Seq, Name: st.Name, Layer: st.Layer, Attempt: int32(st.Attempt), State: st.State, StartTime: stamp(st.Started),
			EndTime: stamp(st.Finished), Deadline: stamp(st.Deadline), Error: st.Error,
		})
	}
	if d.Holder != nil {
		out.Holder = &freeholdv1.OperationHolder{Process: d.Holder.Process, LeaseExpireTime: stamp(d.Holder.Until)}
	}
	if d.Terminal != nil {
		if out.Terminal, err = eventOf(*d.Terminal); err != nil {
			return nil, h.answer(ctx, err)
		}
	}
	return out, nil
}

// WaitOperation returns once the operation has ended, or the timeout is over.
func (h operations) WaitOperation(ctx context.Context, in *freeholdv1.WaitOperationRequest) (*freeholdv1.WaitOperationResponse, error) {
	c, err := h.caller(ctx)
	if err == nil {
		err = short("operation", in.GetOperation())
	}
	if err != nil {
		return nil, err
	}
	within := usualWait
	if in.GetTimeout() != nil {
		within = min(max(in.GetTimeout().AsDuration(), 0), longestRun)
	}
	op, terminal, err := h.wait(ctx, c.cases, c.org, in.GetOperation(), within)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	out := &freeholdv1.WaitOperationResponse{Org: c.org, Operation: operationOf(op)}
	if terminal != nil {
		if out.Terminal, err = eventOf(*terminal); err != nil {
			return nil, h.answer(ctx, err)
		}
	}
	return out, nil
}

// wait returns the operation once it has ended, or as it is when the time is over or
// the server stops.
func (h *handlers) wait(ctx context.Context, cases UseCases, org, id string, within time.Duration) (event.Operation, *event.Event, error) {
	d, err := cases.Operation(ctx, org, id)
	if err != nil || d.Terminal != nil {
		return d.Operation, d.Terminal, err
	}
	waiting, stop := h.untilStop(ctx, within)
	defer stop()
	// What is stored is read again below, so nothing that is heard is needed.
	err = cases.Follow(waiting, org, d.Operation.ID, d.Events, func(event.Event) {})
	if err != nil && waiting.Err() == nil && !errors.Is(err, lifecycle.ErrAbandoned) {
		return d.Operation, nil, err
	}
	if err := ctx.Err(); err != nil {
		return d.Operation, nil, err
	}
	d, err = cases.Operation(ctx, org, d.Operation.ID)
	return d.Operation, d.Terminal, err
}

// untilStop is ctx until the time is over or the server stops.
func (h *handlers) untilStop(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, within)
	go func() {
		select {
		case <-h.Stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// StreamOperationEvents sends the operation's events in order.
func (h operations) StreamOperationEvents(
	ctx context.Context, in *freeholdv1.StreamOperationEventsRequest, stream freeholdv1connect.OperationServiceStreamOperationEventsServerStream,
) error {
	c, err := h.caller(ctx)
	if err == nil {
		err = short("operation", in.GetOperation())
	}
	if err != nil {
		return err
	}
	if in.GetAfterSequence() < 0 {
		return connect.NewError(connect.CodeInvalidArgument, "after_sequence: want 0 or more")
	}
	op, err := c.cases.FindOperation(ctx, c.org, in.GetOperation())
	if err != nil {
		return h.answer(ctx, err)
	}
	// A client has its stream before there is anything to say.
	if err := stream.SendHeaders(); err != nil {
		return err
	}
	s := &sending{stream: stream, org: c.org, last: in.GetAfterSequence()}
	if !in.GetFollow() {
		events, err := c.cases.Events(ctx, c.org, op.ID, s.last)
		for _, ev := range events {
			if err == nil {
				ev, err = ev.Restored()
			}
			if err == nil {
				s.send(ev)
				err = s.err
			}
		}
		return h.answer(ctx, err)
	}
	following, stop := h.untilStop(ctx, streamLife)
	defer stop()
	s.stop = stop
	err = c.cases.Follow(following, c.org, op.ID, s.last, s.send)
	switch {
	case s.err != nil:
		return s.err
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return h.answer(ctx, ctx.Err())
	case following.Err() != nil:
		return s.resume(op.ID, h.reason())
	case errors.Is(err, lifecycle.ErrAbandoned):
		return s.resume(op.ID, "its process is gone; ResumeOperation continues it")
	default:
		return h.answer(ctx, err)
	}
}

func (h *handlers) reason() string {
	select {
	case <-h.Stopping:
		return "the server stops"
	default:
		return "the stream has lasted an hour"
	}
}

// sending is a stream of one operation's events.
type sending struct {
	stream freeholdv1connect.OperationServiceStreamOperationEventsServerStream
	org    string
	last   int64 // the sequence number that was sent last
	stop   context.CancelFunc
	err    error // of the stream
}

// send sends an event. After an error nothing is sent any more.
func (s *sending) send(ev event.Event) {
	if s.err != nil || ev.Seq == 0 {
		return
	}
	out, err := eventOf(ev)
	if err == nil {
		err = s.stream.Send(&freeholdv1.StreamOperationEventsResponse{
			Org: s.org, Content: &freeholdv1.StreamOperationEventsResponse_Event{Event: out},
		})
	}
	if err != nil {
		s.err = err
		if s.stop != nil {
			s.stop()
		}
		return
	}
	s.last = ev.Seq
}

func (s *sending) resume(operation, reason string) error {
	return s.stream.Send(&freeholdv1.StreamOperationEventsResponse{
		Org: s.org, Content: &freeholdv1.StreamOperationEventsResponse_Resume{
			Resume: &freeholdv1.StreamResume{Operation: operation, AfterSequence: s.last, Reason: reason},
		},
	})
}

// CancelOperation asks a running operation to stop.
func (h operations) CancelOperation(ctx context.Context, in *freeholdv1.CancelOperationRequest) (*freeholdv1.CancelOperationResponse, error) {
	c, err := h.caller(ctx)
	if err == nil {
		err = short("operation", in.GetOperation())
	}
	if err != nil {
		return nil, err
	}
	if err := h.stillRuns(ctx, c, in.GetOperation()); err != nil {
		return nil, err
	}
	op, err := c.cases.Cancel(ctx, c.org, in.GetOperation(), nil)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.CancelOperationResponse{Org: c.org, Operation: operationOf(op)}, nil
}

// stillRuns refuses an operation that has ended.
func (h operations) stillRuns(ctx context.Context, c caller, id string) error {
	op, err := c.cases.FindOperation(ctx, c.org, id)
	if err != nil {
		return h.answer(ctx, err)
	}
	if op.State != event.OperationStarted.State() {
		return connect.Errorf(connect.CodeFailedPrecondition, "operation %s has %s", op.ID, op.State)
	}
	return nil
}

// ResumeOperation continues an operation whose process is gone.
func (h operations) ResumeOperation(ctx context.Context, in *freeholdv1.ResumeOperationRequest) (*freeholdv1.ResumeOperationResponse, error) {
	c, err := h.caller(ctx)
	if err == nil {
		err = short("operation", in.GetOperation())
	}
	if err != nil {
		return nil, err
	}
	if err := h.stillRuns(ctx, c, in.GetOperation()); err != nil {
		return nil, err
	}
	op, err := h.begin(ctx, c.cases, c.org, "", func(ctx context.Context, _ lifecycle.Call, sink event.Sink) error {
		_, err := c.cases.Resume(ctx, c.org, in.GetOperation(), sink)
		return err
	})
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.ResumeOperationResponse{Org: c.org, Operation: op}, nil
}
