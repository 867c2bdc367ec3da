package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"freehold.dev/freehold/internal/registry"
)

// DefaultTimeout bounds one request. The specification of Standard Webhooks
// recommends 15 to 30 seconds.
const DefaultTimeout = 20 * time.Second

// contentType is that of a CloudEvent in structured mode.
const contentType = "application/cloudevents+json; charset=utf-8"

// Client sends deliveries over HTTP.
type Client struct {
	*dialer

	http  *http.Client
	agent string
}

// ClientOptions say how a Client reaches endpoints.
type ClientOptions struct {
	Allowed Hosts
	// Roots are the authorities to trust; nil: the system's.
	Roots *x509.CertPool
	// Resolver finds addresses; nil: the system's.
	Resolver *net.Resolver
	// Timeout bounds one request; 0: DefaultTimeout.
	Timeout time.Duration
	// Version is Freehold's, for receivers' logs.
	Version string
}

// NewClient returns a Client.
func NewClient(o ClientOptions) *Client {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	d := o.dialer()
	return &Client{dialer: d, agent: "Freehold-Webhooks/" + o.Version, http: &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     o.transport(d),
	}}
}

// Transport connects to public addresses, and to allowed hosts. It is for every URL
// that a customer may choose, and for clients that follow no redirect.
func (o ClientOptions) Transport() *http.Transport { return o.transport(o.dialer()) }

func (o ClientOptions) dialer() *dialer {
	connect := net.Dialer{Timeout: 10 * time.Second, Resolver: o.Resolver}
	guarded := connect
	guarded.Control = control
	return &dialer{allowed: o.Allowed, guarded: &guarded, free: &connect}
}

func (o ClientOptions) transport(d *dialer) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // one from the environment would connect where the dialer may not
		DialContext:            d.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
}

// dialer connects to public addresses, and free to those of allowed hosts.
type dialer struct {
	allowed       Hosts
	guarded, free *net.Dialer
}

// dial connects to the host of a URL, as no redirect is followed.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if d.allowed.allow(host, port) {
		return d.free.DialContext(ctx, network, address)
	}
	return d.guarded.DialContext(ctx, network, address)
}

// Outcome is what an endpoint made of a delivery.
type Outcome struct {
	Delivered bool
	// Gone says that the endpoint wants nothing any more.
	Gone bool
	// Error says why it was not delivered. There is no secret in it, nor anything
	// that the receiver has written.
	Error string
	// Wait is how long the receiver asks to be left alone; 0: it does not say.
	Wait time.Duration
}

// Send sends a delivery once.
func (c *Client) Send(ctx context.Context, to registry.Endpoint, with Secrets, d registry.Delivery, at time.Time) Outcome {
	failed := func(err error) Outcome { return Outcome{Error: err.Error()} }
	u, err := CheckURL(to.URL, c.allowed)
	if err != nil {
		return failed(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(d.Body))
	if err != nil {
		return failed(ErrTarget)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", c.agent)
	if err := with.Sign(req.Header, d.ID, at, d.Body); err != nil {
		return failed(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return failed(explained(u, err))
	}
	// Nothing of the body is read: it could be endless, and it could show to
	// whoever reads the error what only this machine can reach.
	_ = resp.Body.Close()
	return judge(resp, at)
}

func judge(resp *http.Response, now time.Time) Outcome {
	code := resp.StatusCode
	said := fmt.Sprintf("%s answered %d %s", resp.Request.URL.Host, code, http.StatusText(code))
	switch {
	case code >= 200 && code < 300:
		return Outcome{Delivered: true}
	case code == http.StatusGone:
		return Outcome{Gone: true, Error: said}
	case code >= 300 && code < 400:
		return Outcome{Error: said + ": redirects are not followed, name the final URL"}
	default:
		return Outcome{Error: said, Wait: retryAfter(resp.Header.Get("Retry-After"), now)}
	}
}

// retryAfter reads seconds or a date; anything else says nothing.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
