package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect/v2"

	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/server/edge"
)

// requestHeader has the request's id: for the callee, and for the caller, who can
// name it to whoever reads the logs.
const requestHeader = "Freehold-Request"

// passed are the headers of a request that a service sees beside Freehold's own.
// Authorization is not among them: no service but identity needs the caller's token.
var passed = []string{
	"Accept", "Accept-Encoding", "Content-Encoding", "Content-Type", "If-None-Match", "Te", "User-Agent", "X-User-Agent",
	"Connect-Accept-Encoding", "Connect-Content-Encoding", "Connect-Protocol-Version", "Connect-Timeout-Ms",
	"Grpc-Accept-Encoding", "Grpc-Encoding", "Grpc-Timeout", "X-Grpc-Web",
}

// serve passes a call on, and its answer back.
func (c *call) serve(w http.ResponseWriter, r *http.Request) {
	b := c.g.o.Bounds
	body, ok := c.readBody(w, r)
	if !ok {
		return
	}
	if c.projects {
		c.serveProjects(w, r)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	controller := http.NewResponseController(w)
	var over atomic.Bool
	if c.streams {
		defer context.AfterFunc(c.g.ending, func() { over.Store(true); cancel() })()
		defer time.AfterFunc(b.StreamTime, func() { over.Store(true); cancel() }).Stop()
		w = &deadlineWriter{w, controller, b.WriteTime, c.g.o.Now}
	} else {
		ctx, cancel = context.WithTimeout(ctx, b.RequestTime)
		defer cancel()
		_ = controller.SetWriteDeadline(c.g.o.Now().Add(b.RequestTime + b.WriteTime))
		// The deadline would outlive the request on an HTTP/1 connection.
		defer func() { _ = controller.SetWriteDeadline(time.Time{}) }()
	}

	record := edge.RecordOf(r.Context())
	var followed *stream
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { c.rewrite(p.Out, body) },
		Transport:     c.callee.Transport,
		FlushInterval: -1, // each message at once
		BufferPool:    c.g.buffers,
		ErrorLog:      slog.NewLogLogger(c.g.o.Log.Handler(), slog.LevelDebug),
		ModifyResponse: func(resp *http.Response) error {
			cleanAnswer(resp.Header)
			if record.Code = codeOf(resp); record.Code == "" {
				followed = &stream{resp: resp, body: resp.Body, ends: c.streams, onBreak: func(err error) {
					if !over.Load() && r.Context().Err() == nil {
						c.g.o.Log.Warn("a service broke off a stream", "service", c.callee.ID, "procedure", c.procedure, "request", c.request, "error", err)
					}
				}}
				resp.Body = followed
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { c.failed(w, r, err, &over) },
	}
	// The proxy panics when an answer breaks off: the code is wanted then, too.
	defer func() {
		if record.Code == "" {
			record.Code = c.codeAtTheEnd(r, followed)
		}
	}()
	proxy.ServeHTTP(w, r.WithContext(ctx))
}

// readBody reads the request as a whole, before any service sees a byte of it. No
// procedure takes a stream of requests, and so a slow client keeps nobody busy,
// and a request whose connection to a service broke can be sent again.
func (c *call) readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	limit := c.g.o.Bounds.BodyBytes
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			answer(w, r, connect.CodeResourceExhausted, fmt.Sprintf("the request is larger than %d bytes", limit))
		} else {
			answer(w, r, connect.CodeDeadlineExceeded, "the request body did not arrive in time")
		}
		return nil, false
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return body, true
}

// rewrite makes of a request from outside the one to the callee. Nothing in it is
// the caller's but the query of a GET, the body, and the headers in passed.
func (c *call) rewrite(out *http.Request, body []byte) {
	u := *c.callee.URL
	u.Path, u.RawPath, u.RawQuery = c.procedure, "", ""
	if out.Method == http.MethodGet {
		u.RawQuery = out.URL.RawQuery
	}
	out.URL, out.Host, out.Trailer = &u, "", nil
	given := out.Header
	out.Header = http.Header{}
	for _, name := range passed {
		if values, ok := given[name]; ok {
			out.Header[name] = values
		}
	}
	if out.Header["User-Agent"] == nil {
		out.Header.Set("User-Agent", "") // otherwise Go sends its own
	}
	c.sign(out)
	setBody(out, body)
}

// sign puts into a request for whom it is made.
func (c *call) sign(out *http.Request) {
	out.Header.Set(delegation.ContextHeader, c.token)
	out.Header.Set(delegation.OrgHeader, c.host.Org)
	out.Header.Set(requestHeader, c.request)
}

func setBody(out *http.Request, body []byte) {
	if len(body) == 0 {
		out.Body, out.ContentLength = http.NoBody, 0
		return
	}
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	out.Body, _ = out.GetBody()
	out.ContentLength = int64(len(body))
}

// cleanAnswer removes from an answer what is between services.
func cleanAnswer(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Freehold-") || name == "Server" {
			delete(h, name)
		}
	}
	private(h)
}

// failed answers when the callee did not.
func (c *call) failed(w http.ResponseWriter, r *http.Request, err error, over *atomic.Bool) {
	switch {
	case over.Load():
		unavailable(w, r)
	case errors.Is(r.Context().Err(), context.DeadlineExceeded):
		answer(w, r, connect.CodeDeadlineExceeded, "the request took too long")
	case r.Context().Err() != nil:
		answer(w, r, connect.CodeCanceled, "canceled") // nobody reads it
	default:
		c.g.o.Log.Error("a service did not answer", "service", c.callee.ID, "procedure", c.procedure, "request", c.request, "error", err)
		unavailable(w, r)
	}
}

// codeAtTheEnd is the code of an answer that had it in its last bytes, or in its
// trailers.
func (c *call) codeAtTheEnd(r *http.Request, s *stream) string {
	if s == nil {
		return ""
	}
	gone := r.Context().Err() != nil
	switch number := s.resp.Trailer.Get(grpcStatus); {
	case gone && (s.broken || !s.ended && number == ""):
		return connect.CodeCanceled.String()
	case s.ended:
		return s.code()
	case number != "":
		return codeOfGRPC(number)
	case s.broken:
		return connect.CodeUnavailable.String()
	case s.resp.StatusCode == http.StatusOK:
		// It ended as no protocol does.
		return connect.CodeUnknown.String()
	}
	return ""
}

// deadlineWriter gives each write of a stream some time. A client that reads nothing
// for longer loses its stream; it can resume after the last message that it got.
type deadlineWriter struct {
	http.ResponseWriter
	controller *http.ResponseController
	each       time.Duration
	now        func() time.Time
}

func (p *deadlineWriter) Write(b []byte) (int, error) {
	defer p.start()()
	return p.ResponseWriter.Write(b)
}

// FlushError is what http.ResponseController calls.
func (p *deadlineWriter) FlushError() error {
	defer p.start()()
	return p.controller.Flush()
}

func (p *deadlineWriter) start() (done func()) {
	_ = p.controller.SetWriteDeadline(p.now().Add(p.each))
	// The next message may be a long time away.
	return func() { _ = p.controller.SetWriteDeadline(time.Time{}) }
}

// buffers are shared by the requests of a gateway.
type buffers struct{ pool sync.Pool }

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}}
}

func (b *buffers) Get() []byte  { return *b.pool.Get().(*[]byte) }
func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
