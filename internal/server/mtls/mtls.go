// Package mtls is how services of Freehold prove to each other who they are.
// Each has a SPIFFE identity, spiffe://<trust domain>/freehold/<service>, and a
// short-lived X.509 document (SVID) that shows it. A connection between two
// services is TLS 1.3 and HTTP/2. Both sides check the other's SVID against the
// trust domain's bundle, and then against the list of those that they expect.
//
// Two sources give out the documents: BuiltIn for one machine, and WorkloadAPI
// where SPIRE or another implementation of the SPIFFE Workload API runs. Both
// renew them long before they end.
package mtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// Source is a service's own SVID, renewed, and the bundle of its trust domain.
// It is safe for use by several goroutines.
type Source interface {
	x509svid.Source
	x509bundle.Source
	io.Closer
}

// ErrPeer is wrapped when the other side of a connection is not one of those
// that this side accepts.
var ErrPeer = errors.New("the peer is refused")

// ID is the identity of a service of Freehold. It panics where no SPIFFE
// identity can be made of the two: CheckTrustDomain says so of a configuration.
func ID(trustDomain, service string) spiffeid.ID {
	return spiffeid.RequireFromSegments(spiffeid.RequireTrustDomainFromString(trustDomain), "freehold", service)
}

// CheckTrustDomain reports why a name from a configuration is not the name of a
// trust domain.
func CheckTrustDomain(name string) error {
	td, err := spiffeid.TrustDomainFromString(name)
	if err != nil {
		return fmt.Errorf("trust domain %q: %w", name, err)
	}
	// An authority says for which domain it signs, and X.509 has no such constraint
	// for addresses.
	if _, err := netip.ParseAddr(name); err == nil {
		return fmt.Errorf("trust domain %q: an address cannot be one, write a name", name)
	}
	// A whole SPIFFE identity is accepted above, and its path would be lost.
	if td.Name() != name {
		return fmt.Errorf("trust domain %q: write the name alone, such as %s", name, td.Name())
	}
	return nil
}

// ServerConfig accepts connections of the callers, and of nobody else. Without
// callers it accepts none.
func ServerConfig(s Source, callers ...spiffeid.ID) *tls.Config {
	return &tls.Config{
		MinVersion:       tls.VersionTLS13,
		NextProtos:       []string{"h2"},
		ClientAuth:       tls.RequireAnyClientCert,
		GetCertificate:   tlsconfig.GetCertificate(s),
		VerifyConnection: verify(s, callers),
		// A resumed session would outlive the SVID that began it.
		SessionTicketsDisabled: true,
	}
}

// ClientConfig connects to the callee, and to nobody else, whatever its address.
func ClientConfig(s Source, callee spiffeid.ID) *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		NextProtos:           []string{"h2"},
		GetClientCertificate: tlsconfig.GetClientCertificate(s),
		// The name of a SPIFFE peer is in its SVID and not in DNS: verify does it all.
		InsecureSkipVerify:     true, //nolint:gosec // G402: see above
		VerifyConnection:       verify(s, []spiffeid.ID{callee}),
		SessionTicketsDisabled: true,
	}
}

// verify is called for each handshake, also for one that resumes a session,
// which VerifyPeerCertificate is not.
func verify(s Source, allowed []spiffeid.ID) func(tls.ConnectionState) error {
	allowed = slices.Clone(allowed)
	return func(cs tls.ConnectionState) error {
		id, _, err := x509svid.Verify(cs.PeerCertificates, s, x509svid.WithTime(clock(s)))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrPeer, err)
		}
		if !slices.Contains(allowed, id) {
			return fmt.Errorf("%w: %s is not listed here", ErrPeer, id)
		}
		return nil
	}
}

// clock is the time by which a source's documents are judged; zero: now.
func clock(s Source) time.Time {
	if c, ok := s.(interface{ clock() time.Time }); ok {
		return c.clock()
	}
	return time.Time{}
}

// PeerOf is who sent a request. It believes the connection, so it may be asked
// only of a server with a ServerConfig.
func PeerOf(r *http.Request) (spiffeid.ID, bool) {
	leaf, ok := leafOf(r)
	if !ok {
		return spiffeid.ID{}, false
	}
	id, err := x509svid.IDFromCert(leaf)
	return id, err == nil
}

// PeerUntil is when the SVID ends that the sender of a request showed. A
// connection outlives it, unless the server ends the connection.
func PeerUntil(r *http.Request) time.Time {
	leaf, ok := leafOf(r)
	if !ok {
		return time.Time{}
	}
	return leaf.NotAfter
}

func leafOf(r *http.Request) (*x509.Certificate, bool) {
	if r.TLS == nil || !r.TLS.HandshakeComplete || len(r.TLS.PeerCertificates) == 0 {
		return nil, false
	}
	return r.TLS.PeerCertificates[0], true
}
