package controlplane

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
)

// IdentityProvider is an OpenID Connect issuer whose tokens a cluster believes,
// as EKS is configured with it. Its certificate has to be of an authority that the
// machine trusts.
type IdentityProvider struct {
	IssuerURL string `json:"issuerUrl"`
	ClientID  string `json:"clientId"`
	// UsernameClaim says who somebody is; empty: sub.
	UsernameClaim string `json:"usernameClaim,omitempty"`
	// UsernamePrefix begins a user's name; "-": nothing does. Empty: the issuer
	// and "#", or nothing where the claim is email.
	UsernamePrefix string            `json:"usernamePrefix,omitempty"`
	GroupsClaim    string            `json:"groupsClaim,omitempty"`
	GroupsPrefix   string            `json:"groupsPrefix,omitempty"`
	RequiredClaims map[string]string `json:"requiredClaims,omitempty"`
}

// Authenticate has a cluster believe the tokens of an identity provider, and of
// no other; nil: of none. One that runs reads it within seconds, and is not
// stopped for it; nothing is done where it holds already.
func (m *Manager) Authenticate(ctx context.Context, c Cluster, p *IdentityProvider) error {
	f, r, err := m.record(c)
	if err != nil {
		return err
	}
	if reflect.DeepEqual(r.IdentityProvider, p) {
		return writeAuthentication(f) // a kill may have come between the two
	}
	// A supervisor that starts meanwhile must not read the old one and write it last.
	unlock, err := lockFile(ctx, f.startLock())
	if err != nil {
		return fmt.Errorf("cluster %s: identity provider: %w", c, err)
	}
	defer unlock()
	if f, r, err = m.record(c); err != nil {
		return err
	}
	r.IdentityProvider = p
	if err := writeJSON(f.record(), r); err != nil {
		return fmt.Errorf("cluster %s: identity provider: %w", c, err)
	}
	if err := writeAuthentication(f); err != nil {
		return fmt.Errorf("cluster %s: identity provider: %w", c, err)
	}
	return nil
}

// writeAuthentication configures whom the API server believes, where it is not
// configured so already: it looks at the file while it runs.
func writeAuthentication(f files) error {
	r, err := readRecord(f)
	if err != nil {
		return err
	}
	want, err := json.Marshal(authentication(r.IdentityProvider))
	if err != nil {
		return fmt.Errorf("encode %s: %w", f.authentication(), err)
	}
	if is, err := os.ReadFile(f.authentication()); err == nil && bytes.Equal(is, want) {
		return nil
	}
	return writeFile(f.authentication(), want)
}

// authentication is an AuthenticationConfiguration: it lets nobody in without a
// name, except to ask for health, and the people of an identity provider under
// the names that EKS gives them. The types of Kubernetes' own package would
// bring its metrics along.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
func authentication(p *IdentityProvider) map[string]any {
	type object = map[string]any
	config := object{
		"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration",
		"anonymous": object{"enabled": true, "conditions": []object{{"path": "/livez"}, {"path": "/readyz"}, {"path": "/healthz"}}},
	}
	if p == nil {
		return config
	}
	username := object{"claim": cmp.Or(p.UsernameClaim, "sub"), "prefix": p.UsernamePrefix}
	switch {
	case p.UsernamePrefix == "-":
		username["prefix"] = ""
	case p.UsernamePrefix == "" && p.UsernameClaim != "email":
		username["prefix"] = p.IssuerURL + "#"
	}
	mappings := object{"username": username}
	if p.GroupsClaim != "" {
		mappings["groups"] = object{"claim": p.GroupsClaim, "prefix": p.GroupsPrefix}
	}
	rules := []object{}
	for _, claim := range slices.Sorted(maps.Keys(p.RequiredClaims)) {
		rules = append(rules, object{"claim": claim, "requiredValue": p.RequiredClaims[claim]})
	}
	config["jwt"] = []object{{
		"issuer":               object{"url": p.IssuerURL, "audiences": []string{p.ClientID}},
		"claimMappings":        mappings,
		"claimValidationRules": rules,
	}}
	return config
}
