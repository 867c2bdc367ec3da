package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Key signs tokens.
type Key struct {
	ID        string
	Algorithm jose.SignatureAlgorithm

	private crypto.Signer
}

// NewKey makes a key for ES256, RS256 or EdDSA.
func NewKey(t testing.TB, algorithm jose.SignatureAlgorithm, id string) Key {
	t.Helper()
	k := Key{ID: id, Algorithm: algorithm}
	var err error
	switch algorithm {
	case jose.ES256:
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.RS256:
		k.private, err = rsa.GenerateKey(rand.Reader, 2048)
	case jose.EdDSA:
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("no keys for %s", algorithm)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (k Key) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.ID, Algorithm: string(k.Algorithm), Use: "sig"}
}

// Sign makes a token of any header and claims, signed as the key does, whatever
// the header says.
func (k Key) Sign(t testing.TB, header, claims map[string]any) string {
	t.Helper()
	return k.SignText(t, text(t, header), text(t, claims))
}

// SignText makes a token of a header and claims that need not be JSON.
func (k Key) SignText(t testing.TB, header, claims string) string {
	t.Helper()
	signed := Unsigned(header, claims)
	var signature []byte
	var err error
	sum := sha256.Sum256([]byte(signed))
	switch private := k.private.(type) {
	case *ecdsa.PrivateKey:
		r, s, failed := ecdsa.Sign(rand.Reader, private, sum[:])
		if err = failed; err == nil {
			signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	default:
		signature, err = private.Sign(rand.Reader, []byte(signed), crypto.Hash(0))
	}
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// Confused signs with HMAC, and with the public key for a secret: what a verifier
// accepts that lets a token choose the algorithm.
func (k Key) Confused(t testing.TB, header, claims map[string]any) string {
	t.Helper()
	secret, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	signed := Unsigned(text(t, header), text(t, claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Unsigned is a header and claims without a signature.
func Unsigned(header, claims string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
}

func text(t testing.TB, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
