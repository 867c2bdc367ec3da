package delegation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// noPeer is that of a connection that shows nobody.
var noPeer spiffeid.ID

// fixed is a source of one SVID.
type fixed struct{ svid *x509svid.SVID }

func (f fixed) GetX509SVID() (*x509svid.SVID, error) { return f.svid, nil }

// es256 signs by hand, so that the library's care is not what a test shows.
func es256(t *testing.T, by *x509svid.SVID, text string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, by.PrivateKey.(*ecdsa.PrivateKey), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func unsigned(t *testing.T, token string) string {
	t.Helper()
	return token[:strings.LastIndex(token, ".")+1]
}

// hs256 takes the certificate, which everybody has, for a secret.
func hs256(t *testing.T, by *x509svid.SVID) string {
	t.Helper()
	text := segment(t, headerOf(by, map[string]any{"alg": "HS256"})) + "." + segment(t, written(acme(), identity.String()))
	mac := hmac.New(sha256.New, by.Certificates[0].RawSubjectPublicKeyInfo)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func rs256(t *testing.T, by *x509svid.SVID) string {
	t.Helper()
	text := segment(t, headerOf(by, map[string]any{"alg": "RS256"})) + "." + segment(t, written(acme(), identity.String()))
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, rsaKey(t), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func p384(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
