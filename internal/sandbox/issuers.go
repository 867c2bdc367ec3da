package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"freehold.dev/freehold/internal/sandbox/controlplane"
)

const (
	discoveryPath = "/.well-known/openid-configuration"
	keysPath      = "/keys"
)

// Issuers is the network as it is for whoever asks OpenID Connect issuers for their
// keys: those of EKS's clusters are the sandbox's own, and all others are reached
// by next.
func (c *Cloud) Issuers(next http.RoundTripper) http.RoundTripper { return issuers{c, next} }

type issuers struct {
	c    *Cloud
	next http.RoundTripper
}

// RoundTrip answers as the issuer of a cluster does, which is open to everybody.
// https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html
func (i issuers) RoundTrip(r *http.Request) (*http.Response, error) {
	host := strings.ToLower(r.URL.Hostname())
	if !strings.HasPrefix(host, "oidc.eks.") || !strings.HasSuffix(host, ".amazonaws.com") {
		return i.next.RoundTrip(r)
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	answer := func(status int, v any) (*http.Response, error) {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		return &http.Response{
			Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)),
		}, nil
	}
	base := "https://" + host + r.URL.Path
	url, discovery := strings.CutSuffix(base, discoveryPath)
	url, asksForKeys := strings.CutSuffix(url, keysPath)
	if r.Method != http.MethodGet || discovery == asksForKeys || i.c.clusters == nil {
		return answer(http.StatusNotFound, map[string]string{"message": "Not Found"})
	}
	keys, err := i.c.clusters.AccountKeys(url)
	switch {
	case errors.Is(err, controlplane.ErrNotFound):
		return answer(http.StatusNotFound, map[string]string{"message": "Not Found"})
	case err != nil:
		return nil, err
	case discovery:
		return answer(http.StatusOK, map[string]any{
			"issuer": url, "jwks_uri": url + keysPath, "authorization_endpoint": "urn:kubernetes:programmatic_authorization",
			"response_types_supported": []string{"id_token"}, "subject_types_supported": []string{"public"},
			"claims_supported": []string{"sub", "iss"}, "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	}
	return answer(http.StatusOK, keys)
}
