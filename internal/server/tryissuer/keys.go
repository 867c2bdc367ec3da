package tryissuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"freehold.dev/freehold/internal/wholefile"
	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// keyFolder keeps the signing key of each issuer: one file per org. Several
// processes may use it: a server, and the command that mints a token.
type keyFolder struct{ dir string }

// described is how the issuers of a folder are reached.
type described struct {
	BaseURL string `json:"baseUrl"`
	APIBase string `json:"apiBase"`
}

func (f keyFolder) describe(o Options) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("trial issuer: make the folder of its keys: %w", err)
	}
	text, err := json.Marshal(described{o.BaseURL, o.APIBase})
	if err != nil {
		return err
	}
	if err := wholefile.Replace(filepath.Join(f.dir, "issuer.json"), text); err != nil {
		return fmt.Errorf("trial issuer: %w", err)
	}
	return nil
}

func (f keyFolder) described() (described, error) {
	var d described
	text, err := os.ReadFile(filepath.Join(f.dir, "issuer.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return d, fmt.Errorf("there is no trial issuer in this home: start freehold serve --sandbox with the same --home first")
	}
	if err != nil {
		return d, fmt.Errorf("trial issuer: %w", err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("trial issuer: %s: %w", filepath.Join(f.dir, "issuer.json"), err)
	}
	return d, nil
}

// of returns the key of an org's issuer, and makes it on first use.
func (f keyFolder) of(org string) (signingKey, error) {
	name := org + ".pem"
	for {
		text, err := os.ReadFile(filepath.Join(f.dir, name))
		switch {
		case err == nil:
			return parseKey(org, text)
		case !errors.Is(err, fs.ErrNotExist):
			return signingKey{}, fmt.Errorf("trial issuer: the key of %s: %w", org, err)
		}
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return signingKey{}, fmt.Errorf("trial issuer: make a key: %w", err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return signingKey{}, fmt.Errorf("trial issuer: make a key: %w", err)
		}
		// Whoever is second reads the key of the first.
		err = wholefile.Create(filepath.Join(f.dir, name), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return signingKey{}, fmt.Errorf("trial issuer: %w", err)
		}
	}
}

func parseKey(org string, text []byte) (signingKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return signingKey{}, fmt.Errorf("trial issuer: the key of %s is not PEM", org)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return signingKey{}, fmt.Errorf("trial issuer: the key of %s: %w", org, err)
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return signingKey{}, fmt.Errorf("trial issuer: the key of %s is a %T, want ECDSA", org, key)
	}
	sum, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return signingKey{}, fmt.Errorf("trial issuer: the key of %s: %w", org, err)
	}
	return signingKey{id: base64.RawURLEncoding.EncodeToString(sum), private: private}, nil
}

// signingKey is a key as the provider signs with it.
type signingKey struct {
	id      string
	private *ecdsa.PrivateKey
}

func (k signingKey) ID() string                                  { return k.id }
func (k signingKey) Key() any                                    { return k.private }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }

// publicKey is the same key as the provider publishes it.
type publicKey struct{ signingKey }

func (k publicKey) Key() any                           { return k.private.Public() }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k publicKey) Use() string                        { return "sig" }

var (
	_ op.SigningKey = signingKey{}
	_ op.Key        = publicKey{}
)
