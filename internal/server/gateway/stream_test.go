package gateway

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
)

type events = freeholdv1connect.OperationServiceStreamOperationEventsClientStream

func (w *world) follow(client freeholdv1connect.OperationServiceClient) events {
	w.t.Helper()
	stream, err := client.StreamOperationEvents(w.t.Context(), &freeholdv1.StreamOperationEventsRequest{Follow: true})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { stream.Close() })
	return stream
}

// stream asks for the events of operations with a request that no client of
// Connect wrote: its answer is read as it comes.
func (w *world) stream(h2 bool, message string) *http.Response {
	w.t.Helper()
	// A message in Connect's envelope: a byte of flags, and its length in four.
	body := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "https://"+acme+"/freehold.v1.OperationService/StreamOperationEvents", bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/connect+json")
	req.Header.Set("Authorization", "Bearer token of acme")
	resp, err := w.http(h2).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

func receive(t *testing.T, stream events, want int64) {
	t.Helper()
	m, err := stream.Receive()
	if err != nil || m.GetEvent().GetSequence() != want {
		t.Fatalf("got %v, %v; want event %d", m, err, want)
	}
}

func TestEachEventArrivesBeforeTheNextOneHappens(t *testing.T) {
	w := newWorld(t, nil)
	for name, options := range protocols {
		stream := w.follow(w.operations(options...))
		for n := range 3 {
			w.service.next <- struct{}{}
			receive(t, stream, int64(n+1))
		}
		if err := stream.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// The service learns that nobody listens any more.
		eventually(t, func() bool { return w.service.open.Load() == 0 })
	}
	eventually(t, func() bool { return strings.Count(w.log.String(), `"code":"canceled"`) == len(protocols) })
}

func TestAGatewayThatStopsLetsAServiceSayWhereToResume(t *testing.T) {
	w := newWorld(t, nil)
	stream := w.follow(w.operations())
	w.service.next <- struct{}{}
	receive(t, stream, 1)
	stopped := make(chan error, 1)
	go func() { stopped <- w.stop() }()
	eventually(t, func() bool { return w.gateway.Ready(t.Context()) != nil })
	close(w.service.next) // the service stops as well
	m, err := stream.Receive()
	if err != nil || m.GetResume().GetAfterSequence() != 1 {
		t.Errorf("got %v, %v", m, err)
	}
	if _, err = stream.Receive(); !errorsIsEOF(err) {
		t.Errorf("the stream ends with %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func errorsIsEOF(err error) bool { return err != nil && strings.HasSuffix(err.Error(), "EOF") }

func TestAGatewayThatStopsEndsStreamsBetweenTwoMessages(t *testing.T) {
	for name, options := range protocols {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			stream := w.follow(w.operations(options...))
			w.service.next <- struct{}{}
			receive(t, stream, 1)
			began := time.Now()
			stopped := make(chan error, 1)
			go func() { stopped <- w.stop() }()
			_, err := stream.Receive()
			if connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), stopMessage) {
				t.Errorf("the stream ends with %v", err)
			}
			if err := <-stopped; err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
			eventually(t, func() bool { return strings.Contains(w.log.String(), `"code":"unavailable"`) })
		})
	}
}

func TestAGatewayThatStopsAnswersWhatIsUnderWay(t *testing.T) {
	w := newWorld(t, nil)
	client := w.operations()
	got := make(chan error, 1)
	go func() {
		_, err := client.ListOperations(context.WithoutCancel(t.Context()), &freeholdv1.ListOperationsRequest{PageToken: "wait"})
		got <- err
	}()
	eventually(t, func() bool { return w.service.last() != nil })
	stopped := make(chan error, 1)
	go func() { stopped <- w.stop() }()
	eventually(t, func() bool { return w.gateway.Ready(t.Context()) != nil })
	time.Sleep(300 * time.Millisecond) // longer than streams get
	w.service.next <- struct{}{}
	if err := <-got; err != nil {
		t.Error(err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := client.ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{}); connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("afterwards: %v", err)
	}
}

func TestAServiceThatDiesEndsStreamsWhereTheyCanGoOn(t *testing.T) {
	for name, options := range protocols {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			client := w.operations(options...)
			stream := w.follow(client)
			w.service.next <- struct{}{}
			receive(t, stream, 1)
			w.kill()
			if _, err := stream.Receive(); connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), stopMessage) {
				t.Errorf("the stream ends with %v", err)
			}
			if _, err := client.ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{}); connect.CodeOf(err) != connect.CodeUnavailable {
				t.Errorf("while there is no service: %v", err)
			}
			w.restart()
			if got := sequences(t, client, &freeholdv1.StreamOperationEventsRequest{AfterSequence: 1}); got != "2 3 <nil>" {
				t.Errorf("the stream goes on with %s", got)
			}
		})
	}
}

func TestAStreamEndsWhenItsTimeIsOver(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Bounds.StreamTime = 100 * time.Millisecond })
	stream := w.follow(w.operations())
	w.service.next <- struct{}{}
	receive(t, stream, 1)
	if _, err := stream.Receive(); connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), stopMessage) {
		t.Errorf("the stream ends with %v", err)
	}
}

func TestAClientThatDoesNotReadLosesItsStreamAndNobodyElseDoes(t *testing.T) {
	for _, h2 := range []bool{true, false} {
		w := newWorld(t, func(o *Options) { o.Bounds.WriteTime = 300 * time.Millisecond })
		quick := w.follow(w.operations())
		resp := w.stream(h2, `{"operation":"endless"}`)
		defer resp.Body.Close()
		eventually(t, func() bool {
			return strings.Contains(w.log.String(), `"procedure":"/freehold.v1.OperationService/StreamOperationEvents"`)
		})
		if n, err := io.Copy(io.Discard, resp.Body); err == nil {
			t.Errorf("HTTP/2 %v: the stream goes on: %d bytes", h2, n)
		}
		// This one was idle for longer than a write may take.
		w.service.next <- struct{}{}
		receive(t, quick, 1)
	}
}
