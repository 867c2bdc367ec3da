package dial_test

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/remote/dial"
)

func TestAServerIsAHostOverHTTPSAndNothingElse(t *testing.T) {
	for raw, want := range map[string]string{
		"https://acme.freehold.localhost:8443":  "https://acme.freehold.localhost:8443 acme",
		"https://ACME.Freehold.Example.com/":    "https://acme.freehold.example.com acme",
		"https://acme.freehold.example.com:443": "https://acme.freehold.example.com acme",
		"https://op.freehold.example.com":       "https://op.freehold.example.com ",
		"http://acme.freehold.example.com":      "",
		"acme.freehold.example.com":             "",
		"https://acme":                          "",
		"https://":                              "",
		"https://10.0.0.1":                      "",
		"https://[::1]:8443":                    "",
		"https://ada:pw@acme.example.com":       "",
		"https://acme.example.com/v1":           "",
		"https://acme.example.com?org=globex":   "",
		"https://acme.example.com#globex":       "",
		"https://acme.example.com.":             "",
		"https://ac_me.example.com":             "",
		"https://acme.exa mple.com":             "",
		"https://äcme.example.com":              "",
	} {
		s, err := dial.Parse(raw)
		got := s.URL() + " " + s.Org()
		if want == "" {
			if !errors.Is(err, dial.ErrServer) {
				t.Errorf("%s is accepted as %q, %v", raw, got, err)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", raw, got, err, want)
		}
	}
}

// served is a server whose certificate is for acme.freehold.localhost and example.com.
func served(t *testing.T, h http.HandlerFunc) (port, ca string) {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port(), ca
}

func TestNamesBelowLocalhostAreThisMachine(t *testing.T) {
	port, ca := served(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Got", r.Host) })
	client, err := dial.Trust{CA: ca}.Client("acme.freehold.localhost")
	if err != nil {
		t.Fatal(err)
	}
	// The certificate is httptest's, for example.com: that the handshake gets as
	// far as the name shows that the connection was made.
	_, err = client.Get("https://acme.freehold.localhost:" + port)
	if err == nil || !strings.Contains(err.Error(), "not acme.freehold.localhost") {
		t.Errorf("got %v", err)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	elsewhere, _ := served(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent elsewhere") })
	port, ca := served(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://127.0.0.1:"+elsewhere+"/?token=secret", http.StatusTemporaryRedirect)
	})
	client, err := dial.Trust{CA: ca}.Client("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get("https://127.0.0.1:" + port); err == nil || !strings.Contains(err.Error(), "refused to follow a redirect") {
		t.Errorf("got %v", err)
	}
}

func TestTheTrialsAuthorityIsBelievedOnThisMachineOnly(t *testing.T) {
	port, ca := served(t, func(http.ResponseWriter, *http.Request) {})
	for host, trusted := range map[string]bool{"acme.localhost": true, "localhost": true, "acme.example.com": false, "127.0.0.1": false} {
		client, err := dial.Trust{Trial: ca}.Client(host)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Get("https://127.0.0.1:" + port); (err == nil) != trusted {
			t.Errorf("a client for %s: %v", host, err)
		}
	}
	if _, err := (dial.Trust{Trial: filepath.Join(t.TempDir(), "none")}).Client("acme.localhost"); err != nil {
		t.Errorf("without a trial: %v", err)
	}
	if _, err := (dial.Trust{CA: filepath.Join(t.TempDir(), "none")}).Client("acme.localhost"); err == nil {
		t.Error("an authority that was named is missing, and nobody hears of it")
	}
}
