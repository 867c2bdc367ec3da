package edge

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freehold.dev/freehold/internal/server/edge/edgetest"
)

func write(t *testing.T, dir string, cert, key []byte) (certFile, keyFile string) {
	t.Helper()
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for name, content := range map[string][]byte{certFile: cert, keyFile: key} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestANewCertificateIsServedWithoutClosingConnections(t *testing.T) {
	ca, dir := edgetest.NewCA(t), t.TempDir()
	cert, key := ca.PEM(t, "*."+base)
	certFile, keyFile := write(t, dir, cert, key)
	certs, err := CertificateFiles(certFile, keyFile, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", certs.TLS())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: edgetest.Quiet()}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	connect := func() *tls.Conn {
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: ca.Pool(), ServerName: "acme." + base, NextProtos: []string{"http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	serial := func(c *tls.Conn) string { return c.ConnectionState().PeerCertificates[0].SerialNumber.String() }
	old := connect()
	if v := old.ConnectionState().Version; v != tls.VersionTLS13 {
		t.Errorf("TLS version %x", v)
	}

	// A key that is not the certificate's, as between two writes.
	next, nextKey := ca.PEM(t, "*."+base)
	write(t, dir, next, key)
	if certs.Reload() == nil {
		t.Error("a certificate without its key is accepted")
	}
	if serial(connect()) != serial(old) {
		t.Error("the old certificate is not served any more")
	}
	write(t, dir, []byte("rubbish"), nextKey)
	if certs.Reload() == nil || serial(connect()) != serial(old) {
		t.Error("rubbish is accepted")
	}
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	if certs.Reload() == nil || serial(connect()) != serial(old) {
		t.Error("a missing file is accepted")
	}

	write(t, dir, next, nextKey)
	if err := certs.Reload(); err != nil {
		t.Error(err)
	}
	if serial(connect()) == serial(old) {
		t.Error("the new certificate is not served")
	}
	fmt.Fprint(old, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(old), nil)
	if err != nil {
		t.Fatalf("the connection was closed: %v", err)
	}
	resp.Body.Close()
}

func TestAnExpiredCertificateIsRefused(t *testing.T) {
	ca := edgetest.NewCA(t)
	cert, key := ca.PEM(t, "*."+base)
	certFile, keyFile := write(t, t.TempDir(), cert, key)
	_, err := CertificateFiles(certFile, keyFile, slog.New(slog.DiscardHandler), func() time.Time { return time.Now().Add(2 * time.Hour) })
	if err == nil || !strings.Contains(err.Error(), "expired on") {
		t.Errorf("got %v", err)
	}
}

func TestFilesAreLookedAtAndAFailureIsLoggedOnce(t *testing.T) {
	ca, dir := edgetest.NewCA(t), t.TempDir()
	cert, key := ca.PEM(t, "*."+base)
	certFile, keyFile := write(t, dir, cert, key)
	next, nextKey := ca.PEM(t, "*."+base)
	synctest.Test(t, func(t *testing.T) {
		var log lines
		// The certificates are of a time that the bubble's clock has not reached.
		certs, err := CertificateFiles(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); certs.Watch(ctx) }()
		write(t, dir, next, key)
		time.Sleep(4*every + every/2)
		write(t, dir, next, nextKey)
		time.Sleep(4*every + every/2)
		cancel()
		<-done
		if got := log.String(); strings.Count(got, "level=ERROR") != 1 || strings.Count(got, "TLS certificate replaced") != 1 {
			t.Errorf("the log says:\n%s", got)
		}
	})
}

type lines struct {
	mu sync.Mutex
	strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Builder.Write(p)
}

func TestACMEAsksForHostsOfOursOnly(t *testing.T) {
	away := errors.New("the registry does not answer")
	a := ACME{
		Hosts: hosts, Cache: t.TempDir(), Directory: "https://127.0.0.1:1/directory",
		Known: func(_ context.Context, org string) (bool, error) {
			if org == "broken" {
				return true, away
			}
			return org == "acme", nil
		},
		Client: &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })},
	}
	for name, want := range map[string]error{
		"acme." + base: nil, "op." + base: nil, "globex." + base: errNotServed, "broken." + base: away, base: errNotServed, "x.acme." + base: errNotServed,
		"ACME." + base: errNotServed, "acme." + base + ":8443": errNotServed, "example.org": errNotServed, "xn--acm-epa." + base: errNotServed, "127.0.0.1": errNotServed, "": errNotServed,
	} {
		if err := a.policy(t.Context(), name); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	// The handshake asks the policy before anything is asked of the authority.
	for name, asked := range map[string]bool{"globex." + base: false, "acme." + base: true} {
		_, err := a.TLS().GetCertificate(&tls.ClientHelloInfo{ServerName: name, SupportedProtos: []string{"h2"}, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, SupportedCurves: []tls.CurveID{tls.CurveP256}})
		if err == nil || errors.Is(err, errNotServed) == asked {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
