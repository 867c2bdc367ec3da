package gateway

import (
	"crypto/tls"
	"net/http"
	"sync"
	"time"
)

// connectionLife is for how long requests are sent over a connection. The other
// side judged our certificate when it was opened, and that lives for an hour.
const connectionLife = 10 * time.Minute

// NewTransport reaches one service, over HTTP/2 and with whatever c demands of it.
func NewTransport(c *tls.Config, now func() time.Time) http.RoundTripper {
	return &transport{now: now, open: func() *http.Transport {
		t := &http.Transport{
			TLSClientConfig: c.Clone(),
			Protocols:       new(http.Protocols),
			// What the service compressed is the caller's to unpack.
			DisableCompression:  true,
			TLSHandshakeTimeout: 10 * time.Second,
			IdleConnTimeout:     2 * time.Minute,
			HTTP2: &http.HTTP2Config{
				// A service that is gone without a word is noticed while a stream waits.
				SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second,
				// What a slow client has not read yet is kept here: 4 MiB by default.
				MaxReceiveBufferPerStream: 256 << 10,
			},
		}
		t.Protocols.SetHTTP2(true)
		return t
	}}
}

// transport opens new connections from time to time. The old ones close
// themselves once what is under way on them has ended.
type transport struct {
	now  func() time.Time
	open func() *http.Transport

	mu      sync.Mutex
	current *http.Transport
	since   time.Time
}

// RoundTrip sends a request.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) { return t.get().RoundTrip(r) }

func (t *transport) get() *http.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.now(); t.current == nil || now.Sub(t.since) > connectionLife {
		if t.current != nil {
			t.current.CloseIdleConnections()
		}
		t.current, t.since = t.open(), now
	}
	return t.current
}

// CloseIdleConnections closes those that nothing is under way on.
func (t *transport) CloseIdleConnections() { t.get().CloseIdleConnections() }
