// Package tracing sends OpenTelemetry traces of what services do for one another.
// It is configured by OpenTelemetry's own environment variables, as in
//
//	OTEL_EXPORTER_OTLP_ENDPOINT=https://collector.example:4317
//	OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.1
//
// and does nothing without them. A trace holds procedures, orgs, codes and request
// ids, and no token.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracing makes the spans of one service. A nil *Tracing makes none.
type Tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// Setup reads the environment. It returns nil when that asks for no traces.
func Setup(ctx context.Context, service string, getenv func(string) string) (*Tracing, error) {
	if !wanted(getenv) {
		return nil, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := getenv(name); p != "" && p != "grpc" {
			return nil, fmt.Errorf("%s is %q: only grpc is supported; set it to grpc, and use the collector's port for it (usually 4317)", name, p)
		}
	}
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("set up traces from the OTEL_ variables: %w", err)
	}
	return with(ctx, service, sdktrace.WithBatcher(exporter))
}

// wanted follows OpenTelemetry's specification of the environment, but for one
// default: traces go nowhere, and not to localhost, when nothing is configured.
func wanted(getenv func(string) string) bool {
	switch exporter := getenv("OTEL_TRACES_EXPORTER"); {
	case strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true"), exporter == "none":
		return false
	case exporter != "":
		return true
	}
	return getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != ""
}

func with(ctx context.Context, service string, options ...sdktrace.TracerProviderOption) (*Tracing, error) {
	// The environment has the last word, and may name the service itself.
	r, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "freehold-"+service)), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("set up traces from the OTEL_ variables: %w", err)
	}
	p := sdktrace.NewTracerProvider(append(options, sdktrace.WithResource(r))...)
	return &Tracing{p, p.Tracer("freehold.dev/freehold")}, nil
}

// Shutdown sends what is left.
func (t *Tracing) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

var propagator propagation.TraceContext

// Outside begins a trace for each request of an outsider. A traceparent that
// comes with it is linked to, and not continued: an outsider can choose neither
// the trace that ours belongs to nor whether it is sampled.
func (t *Tracing) Outside(next http.Handler) http.Handler {
	return t.handler(next, func(ctx context.Context, r *http.Request) (context.Context, []trace.SpanStartOption) {
		remote := trace.SpanContextFromContext(propagator.Extract(context.Background(), propagation.HeaderCarrier(r.Header)))
		options := []trace.SpanStartOption{trace.WithNewRoot()}
		if remote.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: remote}))
		}
		return ctx, options
	})
}

// Inside continues the trace of the service that calls. It is for servers that
// only services can reach.
func (t *Tracing) Inside(next http.Handler) http.Handler {
	return t.handler(next, func(ctx context.Context, r *http.Request) (context.Context, []trace.SpanStartOption) {
		return propagator.Extract(ctx, propagation.HeaderCarrier(r.Header)), nil
	})
}

func (t *Tracing) handler(next http.Handler, begin func(context.Context, *http.Request) (context.Context, []trace.SpanStartOption)) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, options := begin(r.Context(), r)
		// What an outsider asks for is no name of ours: Note says which procedure it was.
		ctx, span := t.tracer.Start(ctx, "request", append(options,
			trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("http.request.method", r.Method)))...)
		defer span.End()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Note says what the request of a span came to.
func Note(ctx context.Context, procedure, org, request, code string) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	if procedure != "" {
		span.SetName(procedure)
	}
	span.SetAttributes(attribute.String("freehold.org", org), attribute.String("freehold.request", request), attribute.String("rpc.response.code", code))
	switch code {
	case "internal", "unknown", "unavailable", "data_loss", "deadline_exceeded", "unimplemented":
		span.SetStatus(codes.Error, code)
	}
}

// ID is the id of the trace that ctx belongs to; "" without one.
func ID(ctx context.Context) string {
	if c := trace.SpanContextFromContext(ctx); c.HasTraceID() {
		return c.TraceID().String()
	}
	return ""
}

// Transport tells the service that a request goes to which trace it belongs to.
func (t *Tracing) Transport(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return transport{next}
}

type transport struct{ next http.RoundTripper }

// RoundTrip sends a request.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	propagator.Inject(r.Context(), propagation.HeaderCarrier(out.Header))
	return t.next.RoundTrip(out)
}
