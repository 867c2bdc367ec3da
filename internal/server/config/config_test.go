package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const tlsFiles = "tls: {certificate: tls.crt, key: tls.key}\n"

func load(t *testing.T, text string, environ map[string]string) (Config, error) {
	t.Helper()
	file := ""
	if text != "" {
		file = filepath.Join(t.TempDir(), "freehold.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(Config{}, file, environ)
}

func TestADomainAndACertificateAreEnough(t *testing.T) {
	got, err := load(t, "domain: freehold.example.com\n"+tlsFiles, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Domain: "freehold.example.com", Services: []string{"gateway", "identity", "control", "worker", "drift"},
		Listen:     Listen{Address: ":8443", Operations: "127.0.0.1:8445"},
		TLS:        TLS{Certificate: "tls.crt", Key: "tls.key"},
		Operators:  Operators{Host: "op.freehold.example.com", UsernameClaim: "sub", GroupsClaim: "groups"},
		Internal:   Internal{TrustDomain: "freehold.example.com", Identity: "127.0.0.1:0", Control: "127.0.0.1:0", Worker: "127.0.0.1:0", Drift: "127.0.0.1:0"},
		Limits:     Limits{RequestsPerSecond: 50, Burst: 100, Concurrent: 32, Operations: 8},
		StopWithin: 30 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAVariableWinsOverTheFile(t *testing.T) {
	got, err := load(t, "domain: freehold.example.com\nlisten: {proxies: [10.0.0.0/24]}\nlimits: {burst: 7}\n"+tlsFiles, map[string]string{
		"FREEHOLD_SERVE_DOMAIN": "Other.example.com", "FREEHOLD_SERVE_LISTEN_PROXIES": "10.1.0.0/16,10.2.0.0/16",
		"FREEHOLD_SERVE_STOP_WITHIN": "5s", "FREEHOLD_HOME": "/x",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Domain != "other.example.com" || strings.Join(got.Listen.Proxies, " ") != "10.1.0.0/16 10.2.0.0/16" || got.Limits.Burst != 7 || got.StopWithin != 5*time.Second {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	const bare = "domain: freehold.example.com\n"
	const good = bare + tlsFiles
	for _, tc := range []struct {
		name, text string
		environ    map[string]string
		want       string
	}{
		{"no domain", "", nil, "domain"},
		{"a URL for a domain", "domain: https://freehold.example.com\n", nil, "domain"},
		{"a field that there is not", good + "tsl: {}\n", nil, "line 3: field tsl is not a setting"},
		{"a variable that there is not", good, map[string]string{"FREEHOLD_SERVE_DOMIAN": "x"}, "FREEHOLD_SERVE_DOMIAN"},
		{"a variable of another type", good, map[string]string{"FREEHOLD_SERVE_STOP_WITHIN": "soon"}, "FREEHOLD_SERVE_STOP_WITHIN: "},
		{"a service that there is not", good + "services: [gateway, workers]\n", nil, `"workers"`},
		{"operators on a host that could be an org's", good + "operators: {host: fleet.freehold.example.com}\n", nil, "operators.host"},
		{"an issuer without TLS", good + "operators: {issuerUrl: http://login.example.com}\n", nil, "operators.issuerUrl"},
		{"a proxy that is not a range", good + "listen: {proxies: [10.0.0.1]}\n", nil, "listen.proxies"},
		{"no certificate", bare, nil, "tls"},
		{"half a certificate", bare + "tls: {certificate: a.pem}\n", nil, "tls"},
		{"two certificates", bare + "tls: {certificate: a.pem, key: b.pem, acme: {email: a@example.com}}\n", nil, "tls"},
		{"two issuers of SPIFFE IDs", good + "internal: {workloadApi: \"unix:///a\", issuerFolder: /b}\n", nil, "internal"},
		{"services apart without addresses", good + "services: [gateway]\ninternal: {identity: \"127.0.0.1:1\", control: \"127.0.0.1:2\", worker: \"127.0.0.1:3\"}\n", nil, "internal.drift"},
		{"nothing allowed", good + "limits: {burst: -1}\n", nil, "limits"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(t, tc.text, tc.environ)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want it to name %s", err, tc.want)
			}
		})
	}
}

func TestTheTrialIsValid(t *testing.T) {
	if _, err := Load(Trial("/home"), "", nil); err != nil {
		t.Error(err)
	}
}
