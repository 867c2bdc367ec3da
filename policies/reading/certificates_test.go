package reading

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// A certificate has two dates of twelve digits, wherever the lines of its PEM end.
func TestACertificateNamesNoAccount(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for length := range 64 {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: strings.Repeat("k", length)},
			NotBefore: time.Date(2026, 11, 30, 14, 15, 50, 0, time.UTC), NotAfter: time.Date(2036, 11, 27, 14, 15, 50, 0, time.UTC),
		}
		der, err := x509.CreateCertificate(nil, template, template, public, private)
		if err != nil {
			t.Fatal(err)
		}
		authority := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		for _, text := range []string{authority, `{"clusters":[{"cluster":{"certificate-authority-data":"` + authority + `"}}]}`} {
			if found, whole := AllMentions(text); len(found) > 0 || !whole {
				t.Errorf("with a name of %d letters: %+v, read to its end: %t", length, found, whole)
			}
		}
	}
}
