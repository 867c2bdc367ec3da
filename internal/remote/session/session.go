// Package session logs somebody in to a Freehold server by its org's own
// identity provider, and keeps what that gave: in the keyring of the operating
// system, or where there is none in a file that nobody else can read.
//
// A token is handed out for the host that it was issued for, and for no other.
package session

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/gofrs/flock"
	"golang.org/x/oauth2"

	"freehold.dev/freehold/internal/remote/dial"
)

// ErrLoggedOut is wrapped when there is no token for a host, or none that is still good.
var ErrLoggedOut = errors.New("not logged in")

// early is how long before its end a token is renewed.
const early = time.Minute

// Sessions are the logins of one person on one machine, one per host.
type Sessions struct {
	// Home is the folder for what no keyring keeps.
	Home string
	// Keyring keeps the tokens; nil: that of the operating system.
	Keyring Keyring
	// Client reaches a host, without a token.
	Client func(host string) (*http.Client, error)
	// Getenv reads FREEHOLD_TOKEN and FREEHOLD_TOKEN_FILE, which win over what is kept.
	Getenv func(string) string
	// Warn says what somebody should know who logs in.
	Warn func(string)
	Now  func() time.Time

	mu    sync.Mutex
	known map[string]entry
}

// entry is one login.
type entry struct {
	Issuer   string    `json:"issuer"`
	ClientID string    `json:"clientId"`
	Token    string    `json:"token"`
	Expiry   time.Time `json:"expiry"`
	Refresh  string    `json:"refresh,omitempty"`
}

// Token returns the token for a server: the environment's, or that of the login,
// renewed if it is about to end. It wraps ErrLoggedOut when there is none.
func (s *Sessions) Token(ctx context.Context, server dial.Server) (string, error) {
	token, name, err := s.environment()
	if err != nil {
		return "", err
	}
	if name != "" {
		// It is checked before it is sent: whoever got it could use it.
		if got := claimsOf(token).Audience; !slices.Equal(got, []string{server.Name()}) {
			return "", fmt.Errorf("%s was not sent: its audience is %q, and only a token for %q belongs there", name, strings.Join(got, " "), server.Name())
		}
		return token, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.known[server.Host()]
	if !ok {
		if e, err = s.load(server); err != nil {
			return "", err
		}
		s.know(server, e)
	}
	if s.Now().Add(early).Before(e.Expiry) {
		return e.Token, nil
	}
	if e, err = s.renew(ctx, server); err != nil {
		return "", err
	}
	s.know(server, e)
	return e.Token, nil
}

// Environment reports whether the token comes from the environment: no login is looked at then.
func (s *Sessions) Environment() bool {
	return s.Getenv("FREEHOLD_TOKEN") != "" || s.Getenv("FREEHOLD_TOKEN_FILE") != ""
}

// environment returns the token of the environment, and which variable named it.
// A file is read each time: whoever wrote it replaces it before the token ends.
func (s *Sessions) environment() (token, name string, err error) {
	if token := strings.TrimSpace(s.Getenv("FREEHOLD_TOKEN")); token != "" {
		return token, "FREEHOLD_TOKEN", nil
	}
	file := s.Getenv("FREEHOLD_TOKEN_FILE")
	if file == "" {
		return "", "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", "", fmt.Errorf("FREEHOLD_TOKEN_FILE: %w", err)
	}
	return strings.TrimSpace(string(text)), "FREEHOLD_TOKEN_FILE", nil
}

func (s *Sessions) know(server dial.Server, e entry) {
	if s.known == nil {
		s.known = map[string]entry{}
	}
	s.known[server.Host()] = e
}

// renew gets a new token for a login that ends. One process at a time does it: a
// refresh token is good for one use.
func (s *Sessions) renew(ctx context.Context, server dial.Server) (entry, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return entry{}, err
	}
	defer unlock()
	e, err := s.load(server)
	if err != nil || s.Now().Add(early).Before(e.Expiry) {
		return e, err // another process was here before
	}
	if e.Refresh == "" {
		return e, ended(server, s.Now(), e)
	}
	provider, ctx, err := s.provider(ctx, e.Issuer)
	if err != nil {
		return e, fmt.Errorf("renew the login to %s: %w", server.Name(), err)
	}
	got, err := config(provider, e.ClientID, nil).TokenSource(ctx, &oauth2.Token{RefreshToken: e.Refresh}).Token()
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return e, fmt.Errorf("%w to %s: %s did not renew the login: %s", ErrLoggedOut, server.Name(), e.Issuer, reason(refused))
	}
	if err != nil {
		return e, fmt.Errorf("renew the login to %s: %w", server.Name(), err)
	}
	next, err := s.accept(ctx, server, provider, e.ClientID, "", got)
	if err != nil {
		return e, err
	}
	if next.Refresh == "" {
		next.Refresh = e.Refresh // it may be used again then (RFC 6749, section 6)
	}
	return next, s.save(server, next)
}

func ended(server dial.Server, now time.Time, e entry) error {
	if now.Before(e.Expiry) {
		return fmt.Errorf("%w to %s: the login ends within a minute", ErrLoggedOut, server.Name())
	}
	return fmt.Errorf("%w to %s: the login ended at %s", ErrLoggedOut, server.Name(), e.Expiry.Format(time.RFC3339))
}

func (s *Sessions) lock(ctx context.Context) (func(), error) {
	if err := os.MkdirAll(s.dir(), 0o700); err != nil {
		return nil, fmt.Errorf("the folder of logins: %w", err)
	}
	l := flock.New(filepath.Join(s.dir(), "lock"), flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return nil, fmt.Errorf("the folder of logins: %w", err)
	}
	return func() { _ = l.Unlock() }, nil
}

// accept makes a login of what an identity provider gave. Where it issues access
// tokens for the server's host (RFC 9068), that is meant to be used; else it is the
// ID token, and else an access token of another form.
func (s *Sessions) accept(ctx context.Context, server dial.Server, p *oidc.Provider, clientID, nonce string, got *oauth2.Token) (entry, error) {
	e := entry{Issuer: claimed(p), ClientID: clientID, Refresh: got.RefreshToken}
	raw, _ := got.Extra("id_token").(string)
	var offered []string
	tokens := []string{raw, got.AccessToken}
	if typed := strings.ToLower(claimsOf(got.AccessToken).Type); typed == "at+jwt" || typed == "application/at+jwt" {
		slices.Reverse(tokens)
	}
	for _, token := range tokens {
		c := claimsOf(token)
		if !slices.Equal(c.Audience, []string{server.Name()}) {
			offered = append(offered, c.Audience...)
			continue
		}
		// Whoever logs in hears at once of what the server would refuse later.
		verified, err := p.VerifierContext(ctx, &oidc.Config{ClientID: server.Name(), Now: s.Now}).Verify(ctx, token)
		if err != nil {
			return e, fmt.Errorf("the token of %s: %w", e.Issuer, err)
		}
		if token == raw && nonce != "" && verified.Nonce != nonce {
			return e, fmt.Errorf("the token of %s answers another login", e.Issuer)
		}
		e.Token, e.Expiry = token, verified.Expiry
		return e, nil
	}
	return e, fmt.Errorf("%s gave no token for %s: the audiences are %q; its client must be called %s, or its access tokens must have that audience",
		e.Issuer, server.Name(), strings.Join(offered, " "), server.Name())
}

// claims are what is read of a token without having verified it: enough to say
// that it is not meant for a host, and for nothing else.
type claims struct {
	Audience audience `json:"aud"`
	Type     string   `json:"-"` // of the header
}

type audience []string

func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = []string{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

func claimsOf(token string) claims {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c
	}
	var header struct {
		Type string `json:"typ"`
	}
	for i, into := range []any{&header, &c} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			return claims{}
		}
	}
	c.Type = header.Type
	return c
}

// reason is what an identity provider says of a refusal.
func reason(e *oauth2.RetrieveError) string {
	switch {
	case e.ErrorDescription != "":
		return e.ErrorDescription
	case e.ErrorCode != "":
		return e.ErrorCode
	case e.Response != nil:
		return e.Response.Status
	default:
		return "no reason was given"
	}
}
