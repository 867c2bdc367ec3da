package delegation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

const (
	// maxChain bounds how many certificates are parsed: leaf and three above it.
	maxChain = 4
	// kept is how many headers are remembered. The identity service has one for
	// each of its processes, and a new one twice an hour.
	kept = 32
	// rechecked is how long a chain is believed under the same bundle.
	rechecked = time.Minute
)

// chains says which key signed a token. All tokens of one SVID have the same
// header, so a chain is verified once, and found by the hash of the header. Only
// what was verified is remembered: a stranger cannot fill the memory.
type chains struct {
	bundle   x509bundle.Source
	identity spiffeid.ID

	mu  sync.Mutex
	all map[[sha256.Size]byte]chain
}

type chain struct {
	key           *ecdsa.PublicKey
	under         *x509bundle.Bundle
	from, through time.Time // of the shortest certificate
	checked       time.Time
}

func newChains(bundle x509bundle.Source, identity spiffeid.ID) *chains {
	return &chains{bundle: bundle, identity: identity, all: map[[sha256.Size]byte]chain{}}
}

// key is that of the identity service, if the header's chain shows it.
func (c *chains) key(header string, now time.Time) (*ecdsa.PublicKey, error) {
	under, err := c.bundle.GetX509BundleForTrustDomain(c.identity.TrustDomain())
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(header))
	c.mu.Lock()
	found, ok := c.all[hash]
	c.mu.Unlock()
	age := now.Sub(found.checked)
	if ok && found.under == under && 0 <= age && age < rechecked && !now.Before(found.from) && !now.After(found.through) {
		return found.key, nil
	}
	made, err := c.verify(header, under, now)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.all[hash]; !ok && len(c.all) >= kept {
		clear(c.all)
	}
	c.all[hash] = made
	return made.key, nil
}

func (c *chains) verify(header string, under *x509bundle.Bundle, now time.Time) (chain, error) {
	certs, err := certificates(header)
	if err != nil {
		return chain{}, err
	}
	id, verified, err := x509svid.Verify(certs, under, x509svid.WithTime(now))
	if err != nil {
		return chain{}, err
	}
	if id != c.identity {
		return chain{}, fmt.Errorf("%s signed it, and only %s may", id, c.identity)
	}
	key, ok := certs[0].PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return chain{}, errors.New("the key in it is not one for ES256")
	}
	out := chain{key: key, under: under, checked: now, from: certs[0].NotBefore, through: certs[0].NotAfter}
	for _, cert := range verified[0] {
		if cert.NotBefore.After(out.from) {
			out.from = cert.NotBefore
		}
		if cert.NotAfter.Before(out.through) {
			out.through = cert.NotAfter
		}
	}
	return out, nil
}

// certificates are those of a header that says what ours says, and nothing else.
func certificates(header string) ([]*x509.Certificate, error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(header)
	if err != nil {
		return nil, fmt.Errorf("its header: %w", err)
	}
	// This reader takes names to the letter, and refuses one that is there twice.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("its header: %w", err)
	}
	var algorithm, kind string
	var texts []string
	known := map[string]any{"alg": &algorithm, "typ": &kind, "x5c": &texts}
	for name, value := range fields {
		into, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("its header has a field %q, which none of ours has", name)
		}
		if err := json.Unmarshal(value, into); err != nil {
			return nil, fmt.Errorf("%q in its header: %w", name, err)
		}
	}
	switch {
	case algorithm != string(jose.ES256):
		return nil, fmt.Errorf("algorithm %q is not ES256", algorithm)
	case kind != tokenType:
		return nil, fmt.Errorf("type %q is not %s", kind, tokenType)
	case len(texts) == 0 || len(texts) > maxChain:
		return nil, fmt.Errorf("it brings %d certificates, expected 1 to %d", len(texts), maxChain)
	}
	var certs []*x509.Certificate
	for _, text := range texts {
		der, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("a certificate in it: %w", err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("a certificate in it: %w", err)
		}
		certs = append(certs, cert)
	}
	return certs, nil
}
