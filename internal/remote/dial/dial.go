// Package dial reaches a Freehold server: over HTTPS only, without following a
// redirect, and with names below ".localhost" on this machine.
package dial

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"freehold.dev/freehold/internal/localhost"
)

// Server is where a server is reached. Its host says for which org.
type Server struct {
	name string // acme.freehold.localhost
	port string // "" is 443
}

// ErrServer is wrapped by what is wrong with the URL of a server.
var ErrServer = errors.New("server URL")

// hostname is a host as the server compares it: in small letters, without a dot
// at the end, and below a domain.
var hostname = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)

// Parse reads the URL of a server: https, a host name, and at most a port.
func Parse(raw string) (Server, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Server{}, fmt.Errorf("%w %q is not a URL", ErrServer, raw)
	}
	s := Server{name: strings.ToLower(u.Hostname()), port: u.Port()}
	switch {
	case u.Scheme != "https":
		return Server{}, fmt.Errorf("%w %q: want https://, such as https://acme.freehold.example.com", ErrServer, raw)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return Server{}, fmt.Errorf("%w %q: want a host and at most a port, such as https://acme.freehold.example.com", ErrServer, raw)
	case !hostname.MatchString(s.name) || net.ParseIP(s.name) != nil:
		return Server{}, fmt.Errorf("%w %q: want the host name of an org, such as acme.freehold.example.com", ErrServer, raw)
	}
	if s.port == "443" {
		s.port = ""
	}
	return s, nil
}

// URL is the server's, without a slash at the end.
func (s Server) URL() string { return "https://" + s.Host() }

// Host is the name, with the port if it is not 443.
func (s Server) Host() string {
	if s.port == "" {
		return s.name
	}
	return net.JoinHostPort(s.name, s.port)
}

// Name is the host without a port: the audience of the server's tokens.
func (s Server) Name() string { return s.name }

// Org is the org that the host names; "" on the operators' host.
func (s Server) Org() string {
	first, _, _ := strings.Cut(s.name, ".")
	if first == operators {
		return ""
	}
	return first
}

// operators is the first label of the operators' host. It is too short for an org.
const operators = "op"

// Trust says whose certificates are believed, beside those that this machine trusts.
type Trust struct {
	// CA is a file of certificates, PEM; "" is none.
	CA string
	// Trial is a file of certificates that are believed for names on this machine
	// only; one that does not exist is none.
	Trial string
}

// Client returns an HTTP client for one host, which sends no token.
func (t Trust) Client(host string) (*http.Client, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if t.CA != "" {
		if err := add(roots, t.CA); err != nil {
			return nil, err
		}
	}
	if t.Trial != "" && localhost.Is(host) {
		if err := add(roots, t.Trial); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 15 * time.Second}
	transport := &http.Transport{
		Proxy:               proxy,
		DialContext:         localhost.Dial(dialer),
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 15 * time.Second,
		ForceAttemptHTTP2:   true,
		// A server that is gone without a word ends a stream, which is then resumed.
		HTTP2:           &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		IdleConnTimeout: 90 * time.Second,
	}
	return &http.Client{Transport: transport, CheckRedirect: refuse}, nil
}

// refuse keeps what is sent to one host from being sent to another.
func refuse(r *http.Request, _ []*http.Request) error {
	return fmt.Errorf("refused to follow a redirect to %s", r.URL.Redacted())
}

func add(roots *x509.CertPool, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("certificates of the server's authority: %w", err)
	}
	if !roots.AppendCertsFromPEM(text) {
		return fmt.Errorf("certificates of the server's authority: %s holds no certificate in PEM", file)
	}
	return nil
}

func proxy(r *http.Request) (*url.URL, error) {
	if localhost.Is(r.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}
