// Package hold is asked by the sandbox's providers whether a call may still change
// something. They are served from the process that holds the org, and when that
// process was stopped and wakes up, the calls that have come meanwhile are carried
// out before anybody can tell it that the org is somebody else's.
package hold

import (
	"context"
	"net/http"
)

type key struct{}

// With is the context of a call whose changes depend on may.
func With(ctx context.Context, may func(context.Context) error) context.Context {
	return context.WithValue(ctx, key{}, may)
}

// Check is nil where the call with the context may change something now, and where
// nobody minds.
func Check(ctx context.Context) error {
	if may, ok := ctx.Value(key{}).(func(context.Context) error); ok {
		return may(ctx)
	}
	return nil
}

// Transport checks each request to a Kubernetes API server that changes something.
func Transport(next http.RoundTripper) http.RoundTripper { return transport{next} }

type transport struct{ next http.RoundTripper }

// RoundTrip sends the request, if it may.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	if !reads && !r.URL.Query().Has("dryRun") {
		if err := Check(r.Context()); err != nil {
			return nil, err
		}
	}
	return t.next.RoundTrip(r)
}

// WrappedRoundTripper is what it wraps, by which client-go closes connections.
func (t transport) WrappedRoundTripper() http.RoundTripper { return t.next }
