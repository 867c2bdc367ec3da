package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// explained says why a request got no answer. It repeats neither the URL, whose
// query may be private, nor what the other side has written: of errors that are
// not listed here, nobody knows what is in them.
func explained(u *url.URL, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	var (
		slow      net.Error
		network   *net.OpError
		lookup    *net.DNSError
		unknown   x509.UnknownAuthorityError
		other     x509.HostnameError
		invalid   x509.CertificateInvalidError
		plaintext tls.RecordHeaderError
	)
	say := func(what string) error { return fmt.Errorf("%s %s", u.Host, what) }
	switch {
	case errors.Is(err, ErrRefused):
		if errors.As(err, &network) {
			err = network.Err
		}
		return fmt.Errorf("%s: %w; only a host that is allowed by name may have such an address", u.Host, err)
	case errors.As(err, &slow) && slow.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return say("did not answer in time")
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return say("has no address: the name is unknown")
	case errors.As(err, &lookup):
		return say("has no known address: the name server did not answer")
	case errors.As(err, &unknown):
		return say("has a certificate of an authority that is not trusted here")
	case errors.As(err, &other):
		return say("has a certificate that is for another host")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return say("has a certificate that has expired or is not valid yet")
	case errors.As(err, &invalid):
		return say("has a certificate that is not valid")
	case errors.As(err, &plaintext), errors.Is(err, http.ErrSchemeMismatch):
		return say("does not speak TLS")
	case errors.As(err, &network) && network.Op == "remote error": // crypto/tls: the other side sent an alert
		return say("refused the TLS connection")
	case errors.As(err, &network):
		return fmt.Errorf("%s: %w", u.Host, network)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return say("closed the connection without an answer")
	default:
		return say("did not answer with HTTP")
	}
}
