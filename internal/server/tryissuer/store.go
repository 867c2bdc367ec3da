package tryissuer

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// loginLifetime is how long somebody has to choose a user, and refreshLifetime
// how long a login can be renewed.
const (
	loginLifetime   = 10 * time.Minute
	refreshLifetime = 12 * time.Hour
)

var errGone = errors.New("unknown or expired")

// store keeps the logins of one issuer that are under way, and those that can
// be renewed, in memory: after a restart everybody logs in again.
type store struct {
	o   Options
	org string
	key signingKey

	mu      sync.Mutex
	logins  map[string]*login
	devices map[string]*device // by device code
	renewed map[string]grant   // by refresh token
}

func newStore(o Options, org string, key signingKey) *store {
	return &store{o: o, org: org, key: key, logins: map[string]*login{}, devices: map[string]*device{}, renewed: map[string]grant{}}
}

// grant is who logged in, and for what. It is what the library makes tokens of.
type grant struct {
	user   string
	scopes []string
	client string
	at     time.Time
	until  time.Time
}

func (g grant) GetSubject() string         { return g.user }
func (g grant) GetAudience() []string      { return []string{g.client} }
func (g grant) GetScopes() []string        { return g.scopes }
func (g grant) GetClientID() string        { return g.client }
func (g grant) GetAMR() []string           { return nil }
func (g grant) GetAuthTime() time.Time     { return g.at }
func (g *grant) SetCurrentScopes([]string) {} // a renewal has the scopes of the login

// login is an authorization request of a browser.
type login struct {
	grant
	id, code string
	asked    oidc.AuthRequest
}

func (l *login) GetID() string                      { return l.id }
func (l *login) GetACR() string                     { return "" }
func (l *login) GetNonce() string                   { return l.asked.Nonce }
func (l *login) GetRedirectURI() string             { return l.asked.RedirectURI }
func (l *login) GetResponseType() oidc.ResponseType { return l.asked.ResponseType }
func (l *login) GetResponseMode() oidc.ResponseMode { return l.asked.ResponseMode }
func (l *login) GetState() string                   { return l.asked.State }
func (l *login) Done() bool                         { return l.user != "" }
func (l *login) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: l.asked.CodeChallenge, Method: l.asked.CodeChallengeMethod}
}

// copy is for the library, which reads it without the store's lock.
func (l *login) copy() *login {
	c := *l
	return &c
}

// device is a login for a command that has no browser.
type device struct {
	grant
	userCode string
}

// sweep forgets what is over. The caller holds the lock.
func (s *store) sweep() {
	now := s.o.Now()
	for k, v := range s.logins {
		if now.After(v.until) {
			delete(s.logins, k)
		}
	}
	for k, v := range s.devices {
		if now.After(v.until) {
			delete(s.devices, k)
		}
	}
	for k, v := range s.renewed {
		if now.After(v.until) {
			delete(s.renewed, k)
		}
	}
}

// choose says who logs in with a browser.
func (s *store) choose(id, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	l := s.logins[id]
	_, known := find(s.org, name)
	if l == nil || !known || l.Done() {
		return errGone
	}
	l.user, l.at = name, s.o.Now()
	return nil
}

// waits reports whether a device with that code waits for somebody to log in.
func (s *store) waits(code string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting(code) != nil
}

func (s *store) waiting(code string) *device {
	s.sweep()
	for _, d := range s.devices {
		// People type what they read, in their own way.
		if d.user == "" && strings.EqualFold(d.userCode, strings.TrimSpace(code)) {
			return d
		}
	}
	return nil
}

// approve says who logs in on a device.
func (s *store) approve(code, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.waiting(code)
	_, known := find(s.org, name)
	if d == nil || !known {
		return errGone
	}
	d.user, d.at = name, s.o.Now()
	return nil
}

func (s *store) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if asked.CodeChallenge == "" || asked.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("a code challenge with the method S256 is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	l := &login{
		grant: grant{client: asked.ClientID, scopes: asked.Scopes, until: s.o.Now().Add(loginLifetime)},
		id:    rand.Text(), asked: *asked,
	}
	s.logins[l.id] = l
	return l.copy(), nil
}

func (s *store) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	if l := s.logins[id]; l != nil {
		return l.copy(), nil
	}
	return nil, errGone
}

// AuthRequestByCode finds the login of a code, and forgets the code: it is good for one try.
func (s *store) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	for id, l := range s.logins {
		if l.code != "" && l.code == code {
			delete(s.logins, id)
			return l, nil
		}
	}
	return nil, errGone
}

func (s *store) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.logins[id]
	if l == nil || l.code != "" {
		return errGone
	}
	l.code = code
	return nil
}

func (s *store) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.logins, id)
	return nil
}

// CreateAccessToken makes the token that the protocol asks for beside the ID
// token. It is opaque, and opens nothing.
func (s *store) CreateAccessToken(context.Context, op.TokenRequest) (string, time.Time, error) {
	return rand.Text(), s.o.Now().Add(tokenLifetime), nil
}

// CreateAccessAndRefreshTokens also makes the token that renews the login: each
// is used once, and replaced.
func (s *store) CreateAccessAndRefreshTokens(_ context.Context, request op.TokenRequest, current string) (string, string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	now := s.o.Now()
	g := grant{user: request.GetSubject(), scopes: request.GetScopes(), at: now, until: now.Add(refreshLifetime), client: s.o.Audience(s.org)}
	if current != "" {
		before, ok := s.renewed[current]
		if !ok {
			return "", "", time.Time{}, op.ErrInvalidRefreshToken
		}
		g.at, g.until = before.at, before.until
		delete(s.renewed, current)
	}
	next := rand.Text()
	s.renewed[next] = g
	return rand.Text(), next, now.Add(tokenLifetime), nil
}

func (s *store) TokenRequestByRefreshToken(_ context.Context, token string) (op.RefreshTokenRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	g, ok := s.renewed[token]
	if !ok {
		return nil, op.ErrInvalidRefreshToken
	}
	return &g, nil
}

func (s *store) GetRefreshTokenInfo(_ context.Context, _, token string) (string, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.renewed[token]
	if !ok {
		return "", "", op.ErrInvalidRefreshToken
	}
	return g.user, token, nil
}

func (s *store) RevokeToken(_ context.Context, token, _, _ string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.renewed, token)
	return nil
}

// TerminateSession ends nothing: there is no session, every login asks who it is.
func (s *store) TerminateSession(context.Context, string, string) error { return nil }

func (s *store) StoreDeviceAuthorization(_ context.Context, client, deviceCode, userCode string, expires time.Time, scopes []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting(userCode) != nil {
		return op.ErrDuplicateUserCode
	}
	s.devices[deviceCode] = &device{grant: grant{client: client, scopes: scopes, until: expires}, userCode: userCode}
	return nil
}

// GetDeviceAuthorizatonState hands a login out once: its code is used up then.
func (s *store) GetDeviceAuthorizatonState(_ context.Context, client, deviceCode string) (*op.DeviceAuthorizationState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	d := s.devices[deviceCode]
	if d == nil || d.client != client {
		return nil, errGone
	}
	if d.user != "" {
		delete(s.devices, deviceCode)
	}
	return &op.DeviceAuthorizationState{
		ClientID: d.client, Audience: d.GetAudience(), Scopes: d.scopes, Expires: d.until,
		Done: d.user != "", Subject: d.user, AuthTime: d.at,
	}, nil
}

func (s *store) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }

func (s *store) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

func (s *store) KeySet(context.Context) ([]op.Key, error) { return []op.Key{publicKey{s.key}}, nil }

func (s *store) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.o.Audience(s.org) {
		return nil, oidc.ErrInvalidClient().WithDescription("the client id must be the host of the API: %s", s.o.Audience(s.org))
	}
	return client{id: id, login: s.o.Issuer(s.org) + "/login?request="}, nil
}

func (s *store) AuthorizeClientIDSecret(context.Context, string, string) error {
	return oidc.ErrInvalidClient().WithDescription("the client has no secret")
}

func (s *store) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest says in the ID token who somebody is, and their groups.
func (s *store) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, request op.IDTokenRequest, _ []string) error {
	who, ok := find(s.org, request.GetSubject())
	if !ok {
		return errGone
	}
	*info = *who.info(s.org)
	return nil
}

var errNotOffered = errors.New("the trial issuer does not offer this")

func (s *store) SetUserinfoFromToken(context.Context, *oidc.UserInfo, string, string, string) error {
	return errNotOffered
}

func (s *store) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errNotOffered
}

func (s *store) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (s *store) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errNotOffered
}

func (s *store) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errNotOffered
}

func (s *store) Health(context.Context) error { return nil }

// client is the command line: public, and its id is the host that it asks for.
type client struct{ id, login string }

func (c client) GetID() string { return c.id }

// RedirectURIs is the path of the command line's own listener, on any port of loopback (RFC 8252, 7.3).
func (c client) RedirectURIs() []string              { return []string{"http://127.0.0.1/callback"} }
func (c client) PostLogoutRedirectURIs() []string    { return nil }
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeNative }
func (c client) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodNone }
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c client) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeDeviceCode, oidc.GrantTypeRefreshToken}
}
func (c client) LoginURL(id string) string           { return c.login + id }
func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }
func (c client) IDTokenLifetime() time.Duration      { return tokenLifetime }
func (c client) DevMode() bool                       { return false }

//nolint:revive // the name is the library's.
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
func (c client) IsScopeAllowed(scope string) bool {
	return scope == "groups"
}
func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }
func (c client) ClockSkew() time.Duration             { return 0 }

var (
	_ op.Storage                    = (*store)(nil)
	_ op.DeviceAuthorizationStorage = (*store)(nil)
	_ op.CanSetUserinfoFromRequest  = (*store)(nil)
)
