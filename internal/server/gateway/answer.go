package gateway

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"

	"freehold.dev/freehold/internal/server/edge"
)

var errorWriter = connecthttp.NewErrorWriter()

// answer answers with a code in the caller's protocol: Connect, gRPC, gRPC-web,
// or JSON when it cannot be told.
func answer(w http.ResponseWriter, r *http.Request, code connect.Code, message string) {
	edge.RecordOf(r.Context()).Code = code.String()
	private(w.Header())
	// An error here is that of a client that is gone.
	_ = errorWriter.Write(w, r, connect.NewError(code, message))
}

// private keeps an answer out of caches, and browsers from guessing at it.
func private(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}

// refuse is the one answer to whatever is wrong with who calls, for which org,
// and what. It depends on nothing but the protocol that is spoken: not on
// whether there is such an org, or such a procedure, or what is wrong with the token.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, reason string) {
	record := edge.RecordOf(r.Context())
	record.Decision, record.Reason = edge.Refused, reason
	w.Header().Set("WWW-Authenticate", "Bearer")
	answer(w, r, connect.CodeUnauthenticated, "unauthenticated")
}

func (g *Gateway) reject(w http.ResponseWriter, r *http.Request, why *refusal) {
	if why.decision == edge.Refused {
		g.refuse(w, r, why.reason)
		return
	}
	record := edge.RecordOf(r.Context())
	record.Decision, record.Reason = why.decision, why.reason
	unavailable(w, r)
}

// unavailable answers that a service of ours does not.
func unavailable(w http.ResponseWriter, r *http.Request) {
	retryAfter(w.Header(), time.Second)
	answer(w, r, connect.CodeUnavailable, "unavailable")
}

// limit answers that the caller has to wait.
func (g *Gateway) limit(w http.ResponseWriter, r *http.Request, l *edge.Limited) {
	record := edge.RecordOf(r.Context())
	record.Decision, record.Reason = edge.RateLimited, l.By
	retryAfter(w.Header(), l.After)
	answer(w, r, connect.CodeResourceExhausted, "too many requests")
}

func retryAfter(h http.Header, d time.Duration) {
	h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(d.Seconds())))))
}
