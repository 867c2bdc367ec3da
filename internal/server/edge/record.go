package edge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"freehold.dev/freehold/internal/server/tracing"
)

// Record is what becomes known of a request on its way. It ends in one line of
// the access log, and in the metrics. It never holds a token.
type Record struct {
	// Request is the id that the server gave; an id from outside is not taken.
	Request string
	// Org is the org that the host names. There may be no such org unless
	// Decision is Allowed.
	Org string
	// Caller is who calls, once that was established.
	Caller string
	// Procedure is one of those that there are, or empty.
	Procedure string
	// Decision is what came of the request before any service saw it.
	Decision Decision
	// Reason says why, where Decision is not Allowed.
	Reason string
	// Code is the RPC's code, such as "ok"; where there is none, it is made of
	// the HTTP status.
	Code string
	// Peer is the address of the client.
	Peer string
}

// Decision is what came of a request at the edge.
type Decision string

// The decisions.
const (
	Allowed      Decision = "allowed"      // passed on to a service, which decides itself
	Misaddressed Decision = "misaddressed" // its host was refused
	Refused      Decision = "refused"      // unauthenticated
	RateLimited  Decision = "limited"      // it has to wait
	Unavailable  Decision = "unavailable"  // whether it is authenticated cannot be said now
	Public       Decision = "public"       // needs no caller
)

type recordKey struct{}

// RecordOf returns the record of the request, which its handlers complete. Of a
// context without one it returns a record that nobody reads.
func RecordOf(ctx context.Context) *Record {
	if r, ok := ctx.Value(recordKey{}).(*Record); ok {
		return r
	}
	return &Record{}
}

// Observer is the outermost of all handlers: whatever becomes of a request is
// logged and counted, once.
type Observer struct {
	Log     *slog.Logger
	Metrics *Metrics
	Hosts   Hosts
	Now     func() time.Time
}

// Handler observes next.
func (o Observer) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := o.Now()
		record := &Record{Request: newRequest(), Peer: o.Hosts.ClientAddr(r).String()}
		counted := &countingWriter{ResponseWriter: w}
		o.Metrics.inFlight.Inc()
		defer func() {
			o.Metrics.inFlight.Dec()
			// A handler that gives up in the middle of an answer panics with
			// http.ErrAbortHandler, and the server handles that.
			broken := recover()
			if broken != nil && record.Code == "" {
				record.Code = "aborted"
			}
			o.done(r, record, counted, o.Now().Sub(began))
			if broken != nil {
				panic(broken)
			}
		}()
		next.ServeHTTP(counted, r.WithContext(context.WithValue(r.Context(), recordKey{}, record)))
	})
}

func (o Observer) done(r *http.Request, record *Record, w *countingWriter, took time.Duration) {
	if record.Code == "" {
		record.Code = codeOfStatus(w.status)
	}
	o.Metrics.observe(record, took)
	tracing.Note(r.Context(), record.Procedure, record.Org, record.Request, record.Code)
	o.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("request", record.Request), slog.String("org", record.Org), slog.String("caller", record.Caller),
		slog.String("procedure", record.Procedure), slog.String("decision", string(record.Decision)), slog.String("reason", record.Reason),
		slog.String("code", record.Code), slog.Int("status", w.status), slog.Int64("bytes", w.bytes),
		slog.Duration("took", took), slog.String("peer", record.Peer), slog.String("protocol", r.Proto),
		slog.String("trace", tracing.ID(r.Context())),
	)
}

// newRequest makes an id for a request. crypto/rand does not fail.
func newRequest() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// codeOfStatus makes a code of the status of an answer that says none itself.
func codeOfStatus(status int) string {
	if status < 400 {
		return "ok"
	}
	return "http_" + strconv.Itoa(status)
}

// countingWriter notes the status and the size of an answer.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countingWriter) WriteHeader(status int) {
	// Informational headers may come before the answer.
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Flush is for handlers that do not know http.ResponseController.
func (w *countingWriter) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController calls.
func (w *countingWriter) FlushError() error {
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController set deadlines.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
