package trialtls

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAClientThatTrustsTheAuthorityReachesEveryHost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "serve")
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	verify := func(now time.Time, host string) error {
		t.Helper()
		if err := Files(dir, "freehold.localhost", now); err != nil {
			t.Fatal(err)
		}
		ca, err := os.ReadFile(filepath.Join(dir, Authority))
		if err != nil {
			t.Fatal(err)
		}
		served, err := tls.LoadX509KeyPair(filepath.Join(dir, Certificate), filepath.Join(dir, Key))
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(ca)
		_, err = served.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: now})
		return err
	}
	for _, host := range []string{"acme.freehold.localhost", "op.freehold.localhost", "localhost"} {
		if err := verify(now, host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := verify(now, "acme.freehold.example.com"); err == nil {
		t.Error("the certificate speaks for a host that is not on loopback")
	}
	for _, key := range []string{Key, authorityKey} {
		if info, err := os.Stat(filepath.Join(dir, key)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", key, info.Mode(), err)
		}
	}
	before, err := os.ReadFile(filepath.Join(dir, Authority))
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(now.Add(28*24*time.Hour), "acme.freehold.localhost"); err != nil {
		t.Errorf("near the certificate's end: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, Authority)); err != nil || string(after) != string(before) {
		t.Errorf("the authority changed with the certificate (%v): clients would have to be told", err)
	}
}
