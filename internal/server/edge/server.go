package edge

import (
	"log/slog"
	"net/http"
	"time"
)

// Bounds are what one request, and one connection, may take.
type Bounds struct {
	HeaderBytes int           // of a request, its token among them
	HeaderTime  time.Duration // from the first byte of a request to the end of its headers
	BodyBytes   int64
	BodyTime    time.Duration // from the end of the headers to the end of the body
	// RequestTime is how long a request may take that is not a stream. The longest
	// that there is waits 10 minutes for an operation.
	RequestTime time.Duration
	// StreamTime is how long a stream may be open. Its client goes on with
	// another one, for which it is authenticated again. Services end a call after
	// an hour, with an error; this comes before, and says that the client may go on.
	StreamTime time.Duration
	// WriteTime is how long one write to a client may take that reads slowly.
	WriteTime time.Duration
	// IdleTime is how long a connection without a request is kept.
	IdleTime time.Duration
	// Streams are the requests that may be under way on one HTTP/2 connection.
	Streams int
	// Connections may be open, and PeerConnections of them from one address.
	Connections, PeerConnections int
}

// DefaultBounds suit the API's own requests and answers.
func DefaultBounds() Bounds {
	return Bounds{
		HeaderBytes: 64 << 10, HeaderTime: 10 * time.Second, BodyBytes: 4 << 20, BodyTime: 30 * time.Second,
		RequestTime: 15 * time.Minute, StreamTime: 55 * time.Minute, WriteTime: 30 * time.Second, IdleTime: 2 * time.Minute, Streams: 100,
		Connections: 10_000, PeerConnections: 256,
	}
}

// Server returns a server for h that holds clients to the bounds which Go's
// server can see to. The others are h's: a server's WriteTimeout would end streams.
func (b Bounds) Server(h http.Handler, log *slog.Logger, now func() time.Time) *http.Server {
	return &http.Server{
		Handler:           b.readIn(h, now),
		MaxHeaderBytes:    b.HeaderBytes,
		ReadHeaderTimeout: b.HeaderTime,
		IdleTimeout:       b.IdleTime,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: b.Streams,
			SendPingTimeout:      b.WriteTime,
			PingTimeout:          b.WriteTime,
			WriteByteTimeout:     b.WriteTime,
		},
		// "OPTIONS *" would be answered without asking h, and so without a host.
		DisableGeneralOptionsHandler: true,
		// Handshakes and malformed requests from the Internet.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// readIn gives a request's body until BodyTime to arrive, or to be discarded
// when it was refused. A handler that read the body may lift the deadline.
func (b Bounds) readIn(h http.Handler, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only a writer of a test has no deadline.
		_ = http.NewResponseController(w).SetReadDeadline(now().Add(b.BodyTime))
		h.ServeHTTP(w, r)
	})
}
