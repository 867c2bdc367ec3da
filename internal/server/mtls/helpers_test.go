package mtls

import (
	"crypto/x509"
	"io"
	"log"
	"time"
)

// quiet is for servers that report each refused handshake.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func rootsOf(certs ...*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool
}

func optionsAt(roots *x509.CertPool, now time.Time) x509.VerifyOptions {
	return x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
}
