// Package oidctest gives tests a real OpenID Connect provider: it serves its
// discovery document and its keys over TLS, and signs tokens, also those that no
// honest provider would.
package oidctest

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Issuer is a provider on loopback, for as long as the test.
type Issuer struct {
	// URL is what the tokens say as "iss".
	URL string
	// Roots is a file for SSL_CERT_FILE: a machine that trusts the issuer's
	// certificate, and none else.
	Roots string

	t      testing.TB
	server *httptest.Server
	mux    *http.ServeMux

	mu      sync.Mutex
	keys    []Key
	fetched int
	handle  http.HandlerFunc
}

// Serve starts an issuer with one key.
func Serve(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{t: t, mux: http.NewServeMux(), Roots: filepath.Join(t.TempDir(), "roots.pem")}
	i.server = httptest.NewTLSServer(i.mux)
	t.Cleanup(i.server.Close)
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.server.Certificate().Raw})
	if err := os.WriteFile(i.Roots, root, 0o600); err != nil {
		t.Fatal(err)
	}
	i.URL = i.server.URL
	i.serve("")
	return i
}

// At is another issuer on the same server, at a path such as "/acme".
func (i *Issuer) At(path string) *Issuer {
	i.t.Helper()
	other := &Issuer{t: i.t, mux: i.mux, server: i.server, Roots: i.Roots, URL: i.server.URL + path}
	other.serve(path)
	return other
}

func (i *Issuer) serve(path string) {
	i.keys = []Key{NewKey(i.t, jose.ES256, "of-the-test")}
	answer := func(v func() any) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			i.mu.Lock()
			handle := i.handle
			i.mu.Unlock()
			if handle != nil {
				handle(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(v()); err != nil {
				i.t.Error(err)
			}
		}
	}
	i.mux.HandleFunc("GET "+path+"/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.fetched++
		i.mu.Unlock()
		answer(func() any {
			return map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"}}
		})(w, r)
	})
	i.mux.HandleFunc("GET "+path+"/keys", answer(func() any {
		i.mu.Lock()
		defer i.mu.Unlock()
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
		for _, k := range i.keys {
			set.Keys = append(set.Keys, k.public())
		}
		return set
	}))
}

// Transport is a client's that trusts the issuer's certificate, and none else.
func (i *Issuer) Transport() *http.Transport {
	pool := x509.NewCertPool()
	pool.AddCert(i.server.Certificate())
	transport, ok := i.server.Client().Transport.(*http.Transport)
	if !ok {
		i.t.Fatal("the server's client has another transport")
	}
	transport = transport.Clone()
	transport.TLSClientConfig.RootCAs = pool
	return transport
}

// Publish makes these the keys that the issuer serves; the first one signs Token.
func (i *Issuer) Publish(keys ...Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = slices.Clone(keys)
}

// Key is the one that signs Token.
func (i *Issuer) Key() Key {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[0]
}

// Answer replaces what the issuer answers; nil puts it back.
func (i *Issuer) Answer(handle http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handle = handle
}

// Fetched is how often somebody asked for the issuer's keys.
func (i *Issuer) Fetched() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetched
}

// Claims are claims, with what they do not say: the issuer, the time, and that the
// token holds for an hour. A claim that is nil is left out.
func (i *Issuer) Claims(claims map[string]any) map[string]any {
	now := time.Now()
	all := map[string]any{"iss": i.URL, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

// Token signs claims. What they do not say is said for them: the issuer, the
// time, and that the token holds for an hour.
func (i *Issuer) Token(claims map[string]any) string {
	i.t.Helper()
	k := i.Key()
	return k.Sign(i.t, map[string]any{"alg": k.Algorithm, "kid": k.ID}, i.Claims(claims))
}
