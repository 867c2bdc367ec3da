package edge

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACME gets a certificate for each host from an authority that speaks RFC 8555,
// when the host is first asked for. The authority proves that the host is ours
// over the public listener itself (tls-alpn-01), so no other port has to be open.
//
// Each certificate is in the public logs of certificate transparency, and so is
// the name of each org. Where that may not be, serve a wildcard certificate from
// files: the API itself does not say which orgs there are.
type ACME struct {
	// Directory is the authority's; empty: Let's Encrypt.
	Directory string
	// Email is where the authority writes to, if it does.
	Email string
	// Cache is a folder that nobody else can read: it holds the keys.
	Cache string
	// Hosts says which names are hosts at all.
	Hosts Hosts
	// Known reports whether there is such an org. Without it, anybody could have
	// certificates issued until the authority refuses further ones.
	Known func(ctx context.Context, org string) (bool, error)
	// Client reaches the authority; nil: Go's own.
	Client *http.Client
}

// TLS returns the configuration of a public listener.
func (a ACME) TLS() *tls.Config {
	m := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      autocert.DirCache(a.Cache),
		HostPolicy: a.policy,
		Email:      a.Email,
		Client:     &acme.Client{DirectoryURL: a.Directory, HTTPClient: a.Client, UserAgent: "freehold"},
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		NextProtos:     []string{"h2", "http/1.1", acme.ALPNProto},
		GetCertificate: m.GetCertificate,
	}
}

// policy lets only hosts have a certificate that Canonical accepts.
func (a ACME) policy(ctx context.Context, name string) error {
	host, reason := a.Hosts.parse(name)
	if reason != "" || host.Name != name {
		return fmt.Errorf("%w: %s", errNotServed, reason)
	}
	if host.Org == "" {
		return nil
	}
	known, err := a.Known(ctx, host.Org)
	if err != nil {
		return fmt.Errorf("cannot tell whether org %s exists: %w", host.Org, err)
	}
	if !known {
		return fmt.Errorf("%w: org %s does not exist", errNotServed, host.Org)
	}
	return nil
}
