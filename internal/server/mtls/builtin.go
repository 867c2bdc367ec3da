package mtls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// recheck is how long a process goes by what it last read of the folder. It is
// far below overlap, after which a new authority signs.
const recheck = 30 * time.Second

// lockWait is how long a process waits for another that makes an authority.
const lockWait = 10 * time.Second

// BuiltIn is the source of a service on one machine. The authorities of the
// trust domain are in dir, which only its owner may reach; the first process
// that needs them makes them. Every process that can read dir signs its own
// SVIDs, of an hour each, and replaces them after half of that.
//
// Nothing runs in the background: what is due is made when it is asked for. As
// long as an SVID is good, it is given out also if dir cannot be read.
func BuiltIn(dir, trustDomain, service string, now func() time.Time) (Source, error) {
	if err := CheckTrustDomain(trustDomain); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of the built-in issuer: %w", err)
	}
	id := ID(trustDomain, service)
	b := &builtIn{folder: folder{dir: dir, td: id.TrustDomain()}, id: id, now: now}
	if _, err := b.GetX509SVID(); err != nil {
		return nil, err
	}
	return b, nil
}

type builtIn struct {
	folder folder
	id     spiffeid.ID
	now    func() time.Time

	mu          sync.Mutex
	closed      bool
	authorities []authority
	read        time.Time
	bundle      *x509bundle.Bundle
	svid        *x509svid.SVID
	renew       time.Time
}

func (b *builtIn) clock() time.Time { return b.now() }

// GetX509SVID is the service's SVID. At least half of its life is left, unless
// the folder cannot be read.
func (b *builtIn) GetX509SVID() (*x509svid.SVID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	err := b.refresh(now)
	if err == nil && (b.svid == nil || !now.Before(b.renew)) {
		err = b.issue(now)
	}
	if err != nil && (b.svid == nil || b.closed || now.After(b.svid.Certificates[0].NotAfter)) {
		return nil, fmt.Errorf("SVID of %s: %w", b.id, err)
	}
	return b.svid, nil
}

// GetX509BundleForTrustDomain is the bundle of the service's own trust domain,
// and an error for every other.
func (b *builtIn) GetX509BundleForTrustDomain(td spiffeid.TrustDomain) (*x509bundle.Bundle, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(b.now()); err != nil && (b.bundle == nil || b.closed) {
		return nil, fmt.Errorf("trust bundle of %s: %w", td, err)
	}
	return b.bundle.GetX509BundleForTrustDomain(td)
}

// Close makes the source answer with errors.
func (b *builtIn) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// refresh reads the folder if that was long ago. The bundle stays the same value
// as long as its authorities do, so that others can tell.
func (b *builtIn) refresh(now time.Time) error {
	if b.closed {
		return errors.New("the source is closed")
	}
	if b.bundle != nil && now.Sub(b.read) < recheck && !now.Before(b.read) {
		return nil
	}
	ctx, stop := context.WithTimeout(context.Background(), lockWait)
	defer stop()
	all, err := b.folder.ready(ctx, now)
	if err != nil {
		return err
	}
	certs := make([]*x509.Certificate, len(all))
	for i, a := range all {
		certs[i] = a.cert
	}
	next := x509bundle.FromX509Authorities(b.folder.td, certs)
	if b.bundle == nil || !b.bundle.Equal(next) {
		b.bundle = next
	}
	b.authorities, b.read = all, now
	return nil
}

func (b *builtIn) issue(now time.Time) error {
	svid, err := b.authorities[signer(b.authorities, now)].issue(b.id, now)
	if err != nil {
		return err
	}
	b.svid, b.renew = svid, now.Add(svidLife/2)
	return nil
}
