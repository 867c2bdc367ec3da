// Package discovery tells a client where an org logs in: OAuth 2.0 Protected
// Resource Metadata (RFC 9728). It answers outsiders, so it says only what
// follows from the host name that they asked: it looks nothing up, and its
// answer is the same whether there is such an org or not.
//
// A deployment in which each org has an identity provider of its own has no
// such rule. It serves no discovery; its users pass --issuer to freehold login.
package discovery

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"freehold.dev/freehold/internal/server/edge"
)

// Path is where the document is.
const Path = "/.well-known/oauth-protected-resource"

// placeholder stands for the org in a rule.
const placeholder = "{org}"

// Rule says which issuer an org's people log in at: a URL in which {org} stands
// for the org's name, as in https://login.example.com/realms/{org}. Without {org}
// all orgs have the same one. The empty rule answers nobody.
type Rule struct {
	Orgs string
	// Operators is the issuer on the operators' host; "": not answered.
	Operators string
}

// Check reports a rule that names no issuer.
func (r Rule) Check() error {
	for _, raw := range []string{strings.ReplaceAll(r.Orgs, placeholder, "acme"), r.Operators} {
		if raw == "" {
			continue
		}
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("login discovery %q: want an https URL without a query, such as https://login.example.com/realms/{org}", raw)
		}
	}
	return nil
}

// issuer is the one of a host; "": not answered.
func (r Rule) issuer(h edge.Host) string {
	if h.Org == "" {
		return r.Operators
	}
	return strings.ReplaceAll(r.Orgs, placeholder, h.Org)
}

// Handler answers at Path, and with 404 everywhere else and where the rule says
// nothing. It stands behind edge.Hosts.Handler, and needs no token.
func (r Rule) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, func(w http.ResponseWriter, q *http.Request) {
		host, ok := edge.HostOf(q.Context())
		issuer := r.issuer(host)
		if !ok || issuer == "" {
			http.NotFound(w, q)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "max-age=300")
		_ = json.NewEncoder(w).Encode(map[string]any{ // a client that is gone needs no answer
			"resource":                 "https://" + strings.ToLower(q.Host),
			"authorization_servers":    []string{issuer},
			"bearer_methods_supported": []string{"header"},
		})
	})
	return mux
}
