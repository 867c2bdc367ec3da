package delegation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// Signer signs context tokens. Only the identity service has a source with which
// a token is accepted. It is safe for use by several goroutines.
type Signer struct {
	source x509svid.Source

	mu   sync.Mutex
	svid *x509svid.SVID
	with jose.Signer
}

// NewSigner signs with the source's SVID, whichever it is at the time.
func NewSigner(source x509svid.Source) *Signer { return &Signer{source: source} }

// Sign makes a token. It refuses claims that every callee would refuse.
func (s *Signer) Sign(c Claims) (string, error) {
	if err := c.check(); err != nil {
		return "", fmt.Errorf("sign a context token: %w", err)
	}
	signer, svid, err := s.current()
	if err != nil {
		return "", fmt.Errorf("sign a context token: %w", err)
	}
	token, err := jwt.Signed(signer).Claims(written(c, svid.ID.String())).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign a context token: %w", err)
	}
	return token, nil
}

// current is a signer with the SVID of this moment. It is made once for each.
func (s *Signer) current() (jose.Signer, *x509svid.SVID, error) {
	svid, err := s.source.GetX509SVID()
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if svid == s.svid {
		return s.with, svid, nil
	}
	public, ok := svid.PrivateKey.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, nil, fmt.Errorf("the SVID of %s has a key for which there is no ES256: let the issuer of SVIDs use ec-p256", svid.ID)
	}
	var chain []string
	for _, c := range svid.Certificates {
		chain = append(chain, base64.StdEncoding.EncodeToString(c.Raw))
	}
	with, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: cryptosigner.Opaque(svid.PrivateKey)},
		(&jose.SignerOptions{}).WithType(tokenType).WithHeader("x5c", chain))
	if err != nil {
		return nil, nil, err
	}
	s.svid, s.with = svid, with
	return with, svid, nil
}
