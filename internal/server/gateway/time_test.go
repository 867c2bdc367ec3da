package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/server/tracing"
)

func TestAStreamOutlivesTheTimesOfItsRequestAndOfItsWrites(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Bounds.BodyTime, o.Bounds.WriteTime, o.Bounds.RequestTime, o.Bounds.IdleTime = 400*time.Millisecond, 400*time.Millisecond, 400*time.Millisecond, 400*time.Millisecond
	})
	for _, h2 := range []bool{true, false} {
		resp := w.stream(h2, `{"follow":true}`)
		defer resp.Body.Close()
		for range 2 {
			time.Sleep(900 * time.Millisecond)
			w.service.next <- struct{}{}
			event := make([]byte, 40)
			if _, err := io.ReadFull(resp.Body, event); err != nil || !strings.Contains(string(event), `{"org":"acme"`) {
				t.Fatalf("HTTP/2 %v: %q, %v", h2, event, err)
			}
			// The rest of it has come with it.
			if _, err := resp.Body.Read(make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
		}
		resp.Body.Close()
		eventually(t, func() bool { return w.service.open.Load() == 0 })
	}
}

func TestARequestThatTakesTooLongIsAnswered(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Bounds.RequestTime = 100 * time.Millisecond })
	for name, options := range protocols {
		_, err := w.operations(options...).ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{PageToken: "wait"})
		if connect.CodeOf(err) != connect.CodeDeadlineExceeded || !strings.Contains(err.Error(), "the request took too long") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAServiceIsToldOurTraceAndNotTheCallers(t *testing.T) {
	// Nothing listens there; what is not sent is thrown away.
	traces, err := tracing.Setup(t.Context(), "gateway", func(name string) string {
		return map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(o *Options) { o.Tracing = traces })
	resp := w.get(acme, "Bearer token of acme", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	parts := strings.Split(w.service.last().Header.Get("Traceparent"), "-")
	if len(parts) != 4 || strings.Contains(parts[1], "0af7651916cd43dd8448eb211c80319c") {
		t.Fatalf("the service is told %v", parts)
	}
	eventually(t, func() bool { return strings.Contains(w.log.String(), `"trace":"`+parts[1]+`"`) })
}
