package edge

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Certificates serves a certificate from two files, and the next one once the
// files hold it. Connections that are open stay so.
type Certificates struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	current atomic.Pointer[loaded]
}

type loaded struct {
	certPEM, keyPEM []byte
	cert            tls.Certificate
}

// CertificateFiles reads a certificate with its chain, and its key. Both are PEM.
func CertificateFiles(certFile, keyFile string, log *slog.Logger, now func() time.Time) (*Certificates, error) {
	c := &Certificates{certFile: certFile, keyFile: keyFile, log: log, now: now}
	first, err := c.read()
	if err != nil {
		return nil, err
	}
	c.current.Store(first)
	return c, nil
}

// every is how often the files are looked at. Reading two small files costs less
// than being told of changes, and needs to know nothing of the links through
// which Kubernetes replaces a mounted secret.
const every = 5 * time.Second

// Watch reads the files again and again until ctx ends.
func (c *Certificates) Watch(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var last string
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// Once per failure, and not every five seconds.
		failure := ""
		if err := c.Reload(); err != nil {
			failure = err.Error()
			if failure != last {
				c.log.Error("cannot use the new TLS certificate; still serving the old one", "error", err, "expires", c.expires())
			}
		}
		last = failure
	}
}

// Reload reads the files once. Where they hold no certificate that can be
// served, the old one stays and the error says why.
func (c *Certificates) Reload() error {
	next, err := c.read()
	if err != nil {
		return err
	}
	old := c.current.Load()
	if bytes.Equal(next.certPEM, old.certPEM) && bytes.Equal(next.keyPEM, old.keyPEM) {
		return nil
	}
	c.current.Store(next)
	c.log.Info("TLS certificate replaced", "file", c.certFile, "expires", c.expires())
	return nil
}

func (c *Certificates) expires() time.Time { return c.current.Load().cert.Leaf.NotAfter }

func (c *Certificates) read() (*loaded, error) {
	certPEM, err := os.ReadFile(c.certFile)
	if err != nil {
		return nil, fmt.Errorf("read the TLS certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(c.keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the key of the TLS certificate: %w", err)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("TLS certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	if c.now().After(cert.Leaf.NotAfter) {
		return nil, fmt.Errorf("TLS certificate %s expired on %s", c.certFile, cert.Leaf.NotAfter)
	}
	return &loaded{certPEM, keyPEM, cert}, nil
}

// TLS returns the configuration of a public listener. TLS 1.3 is the least: the
// API's clients are Freehold's own, gRPC's, browsers' and curl, all of which have
// had it for years, and its handshake does not show the certificate to a listener.
func (c *Certificates) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.current.Load().cert, nil
		},
	}
}

// errNotServed is the error of a handshake for a host that gets no certificate.
var errNotServed = errors.New("no certificate is served for this host")
