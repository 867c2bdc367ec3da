package tracing

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

const (
	foreign = "0af7651916cd43dd8448eb211c80319c"
	parent  = "00-" + foreign + "-b7ad6b7169203331-01"
)

func traced(t *testing.T) (*Tracing, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	tracing, err := with(t.Context(), "gateway", sdktrace.WithSpanProcessor(spans))
	if err != nil {
		t.Fatal(err)
	}
	return tracing, spans
}

func TestATraceFromOutsideIsLinkedToAndOneOfAServiceIsContinued(t *testing.T) {
	tracing, spans := traced(t)
	var sent http.Header
	callee := httptest.NewServer(tracing.Inside(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		sent = r.Header
		Note(r.Context(), "/freehold.v1.X/Y", "acme", "r1", "ok")
	})))
	defer callee.Close()
	client := &http.Client{Transport: tracing.Transport(http.DefaultTransport)}
	id := ""
	outside := tracing.Outside(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		id = ID(r.Context())
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, callee.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if req.Header.Get("Traceparent") != "" {
			t.Error("the caller's request was changed")
		}
		Note(r.Context(), "/freehold.v1.X/Y", "acme", "r1", "unavailable")
	}))
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Traceparent", parent)
	outside.ServeHTTP(httptest.NewRecorder(), r)

	ended := spans.Ended()
	if len(ended) != 2 {
		t.Fatalf("%d spans", len(ended))
	}
	inner, outer := ended[0], ended[1]
	if outer.Parent().IsValid() || outer.SpanContext().TraceID().String() == foreign || id != outer.SpanContext().TraceID().String() {
		t.Errorf("the outsider's trace is continued: %v", outer.SpanContext().TraceID())
	}
	if len(outer.Links()) != 1 || outer.Links()[0].SpanContext.TraceID().String() != foreign {
		t.Errorf("links: %v", outer.Links())
	}
	if inner.Parent().SpanID() != outer.SpanContext().SpanID() || sent.Get("Traceparent") == "" {
		t.Errorf("the service's span has the parent %v", inner.Parent())
	}
	if outer.Name() != "/freehold.v1.X/Y" || outer.SpanKind() != trace.SpanKindServer || outer.Status().Description != "unavailable" || inner.Status().Description != "" {
		t.Errorf("got %s, %v, %v", outer.Name(), outer.SpanKind(), outer.Status())
	}
	want := attribute.String("freehold.org", "acme")
	if set := attribute.NewSet(outer.Attributes()...); !set.HasValue(want.Key) {
		t.Errorf("attributes: %v", outer.Attributes())
	}
}

func TestNothingIsSetUpUnlessTheEnvironmentAsksForIt(t *testing.T) {
	for reason, c := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"nothing set":           {nil, false},
		"an endpoint":           {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"}, true},
		"an endpoint of traces": {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4317"}, true},
		"an exporter":           {map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true},
		"no exporter":           {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_TRACES_EXPORTER": "none"}, false},
		"disabled":              {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_SDK_DISABLED": "true"}, false},
	} {
		got, err := Setup(t.Context(), "gateway", func(k string) string { return c.env[k] })
		if err != nil || (got != nil) != c.want {
			t.Errorf("%s: %v, %v", reason, got, err)
		}
		// Nobody listens, and nothing was recorded.
		if err := got.Shutdown(t.Context()); err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
	_, err := Setup(t.Context(), "gateway", func(k string) string {
		return map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}[k]
	})
	if err == nil {
		t.Error("a protocol that is not supported is accepted")
	}
}

func TestWithoutTracingHandlersAreAsTheyWere(t *testing.T) {
	var none *Tracing
	called := false
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		called = true
		Note(r.Context(), "", "", "", "")
		if ID(r.Context()) != "" {
			t.Error("there is a trace")
		}
	})
	none.Outside(none.Inside(h)).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if !called || none.Transport(http.DefaultTransport) != http.DefaultTransport || none.Shutdown(t.Context()) != nil {
		t.Error("it is not a no-op")
	}
}
