package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"freehold.dev/freehold/internal/sandbox/controlplane"
)

// others is the network that is not the sandbox's.
type others []string

func (o *others) RoundTrip(r *http.Request) (*http.Response, error) {
	*o = append(*o, r.URL.String())
	return &http.Response{StatusCode: http.StatusTeapot, Body: http.NoBody, Request: r}, nil
}

func TestTheIssuerOfAClustersTokensAnswersInTheSandbox(t *testing.T) {
	c := open(t, Options{Executable: "/nowhere"})
	made, err := c.clusters.Create(t.Context(), controlplane.Spec{Cluster: controlplane.Cluster{Account: "123456789012", Region: region, Name: "freehold-acme"}})
	if err != nil {
		t.Fatal(err)
	}
	var network others
	get := func(url string, into any) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := (&http.Client{Transport: c.Issuers(&network)}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode == http.StatusOK {
			if err := json.NewDecoder(res.Body).Decode(into); err != nil {
				t.Fatal(err)
			}
		}
		return res.StatusCode
	}
	var found struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if code := get(made.Issuer+"/.well-known/openid-configuration", &found); code != http.StatusOK || found.Issuer != made.Issuer {
		t.Errorf("%d: %+v", code, found)
	}
	var keys jose.JSONWebKeySet
	if code := get(found.JWKSURI, &keys); code != http.StatusOK || len(keys.Keys) != 1 || !keys.Keys[0].IsPublic() || keys.Keys[0].KeyID == "" {
		t.Errorf("%d: %+v", code, keys)
	}
	for _, url := range []string{
		made.Issuer, made.Issuer + "/", made.Issuer + "/keys/", made.Issuer + "/keys/.well-known/openid-configuration", made.Issuer + "0/keys",
		strings.Replace(made.Issuer, region, "eu-west-2", 1) + "/keys", "https://oidc.eks.eu-west-1.amazonaws.com/keys",
	} {
		if code := get(url, &found); code != http.StatusNotFound {
			t.Errorf("%s: %d", url, code)
		}
	}
	if len(network) > 0 {
		t.Errorf("asked of others: %v", network)
	}
	for _, url := range []string{"https://token.actions.githubusercontent.com/.well-known/openid-configuration", "https://oidc.eks.example.com/keys", "https://localhost:8444/acme/keys"} {
		if code := get(url, &found); code != http.StatusTeapot {
			t.Errorf("%s: %d", url, code)
		}
	}
}
