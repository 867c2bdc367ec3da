// Package trialtls makes the certificates of "freehold serve --sandbox": an
// authority of this machine's own, and below it a certificate for the loopback
// names that the trial is reached by. Nobody else's machine trusts either.
package trialtls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"freehold.dev/freehold/internal/wholefile"
)

// The files in the folder.
const (
	Authority   = "ca.pem" // what a client trusts
	Certificate = "tls.pem"
	Key         = "tls.key"

	authorityKey = "ca.key"
)

// How long certificates are good for, and how long before their end they are
// replaced. Clients were told of the authority, so it lasts.
const (
	authorityLife   = 10 * 365 * 24 * time.Hour
	certificateLife = 30 * 24 * time.Hour
	renewBefore     = 7 * 24 * time.Hour
)

// Files makes what is missing in a folder, or ends soon: a certificate for the
// domain, all names right below it, and localhost.
func Files(dir, domain string, now time.Time) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("folder of the trial's certificates: %w", err)
	}
	ca, err := read(dir, Authority, authorityKey)
	if errors.Is(err, fs.ErrNotExist) || err == nil && now.After(ca.cert.NotAfter.Add(-renewBefore)) {
		ca, err = made(&x509.Certificate{
			Subject: pkix.Name{CommonName: "Freehold trial"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(authorityLife), IsCA: true,
			BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
			// It can speak for loopback only, also if its key gets out.
			PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{domain, "localhost"},
			PermittedIPRanges: []*net.IPNet{{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)}},
		}, nil)
		if err == nil {
			err = ca.write(dir, Authority, authorityKey)
		}
	}
	if err != nil {
		return fmt.Errorf("authority of the trial: %w", err)
	}
	leaf, err := read(dir, Certificate, Key)
	if err == nil && now.Before(leaf.cert.NotAfter.Add(-renewBefore)) && leaf.cert.VerifyHostname("acme."+domain) == nil && leaf.cert.CheckSignatureFrom(ca.cert) == nil {
		return nil
	}
	leaf, err = made(&x509.Certificate{
		Subject: pkix.Name{CommonName: domain}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{domain, "*." + domain, "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, &ca)
	if err == nil {
		err = leaf.write(dir, Certificate, Key)
	}
	if err != nil {
		return fmt.Errorf("certificate of the trial: %w", err)
	}
	return nil
}

type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// made signs a certificate by an authority, or by itself without one.
func made(template *x509.Certificate, by *pair) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return pair{}, err
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return pair{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return pair{cert, key}, err
}

func (p pair) write(dir, cert, key string) error {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return err
	}
	// The key first: a certificate without its key would count as made.
	if err := wholefile.Replace(filepath.Join(dir, key), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return err
	}
	return wholefile.Replace(filepath.Join(dir, cert), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}))
}

func read(dir, cert, key string) (pair, error) {
	certText, err := os.ReadFile(filepath.Join(dir, cert))
	if err != nil {
		return pair{}, err
	}
	keyText, err := os.ReadFile(filepath.Join(dir, key))
	if err != nil {
		return pair{}, err
	}
	certBlock, _ := pem.Decode(certText)
	keyBlock, _ := pem.Decode(keyText)
	if certBlock == nil || keyBlock == nil {
		return pair{}, fmt.Errorf("%s or %s in %s is not PEM: remove both, and they are made again", cert, key, dir)
	}
	parsed, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return pair{}, err
	}
	private, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return pair{}, err
	}
	ecKey, ok := private.(*ecdsa.PrivateKey)
	if !ok || !ecKey.PublicKey.Equal(parsed.PublicKey) {
		return pair{}, fmt.Errorf("%s in %s is not the key of %s: remove both, and they are made again", key, dir, cert)
	}
	return pair{parsed, ecKey}, nil
}
