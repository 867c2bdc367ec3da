package session

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"freehold.dev/freehold/internal/remote/dial"
)

// ErrNoIssuer is wrapped when nothing says where an org logs in.
var ErrNoIssuer = errors.New("the issuer of the org's logins is unknown")

// patienceOfPeople is how long somebody has to log in with a browser.
const patienceOfPeople = 10 * time.Minute

// Request says where and how to log in.
type Request struct {
	Server dial.Server
	// Issuer is the identity provider's; empty: what the server says, or else
	// that of the login before.
	Issuer string
	// ClientID is how the identity provider knows the command line; empty: by the
	// server's host name.
	ClientID string
	// Open opens a page in a browser on this machine; nil: there is none, and any
	// other device will do.
	Open func(url string) error
	// Visit tells a person which page to visit; with a code, that the page must show it.
	Visit func(url, code string)
}

// Login is what somebody got.
type Login struct {
	Server string    `json:"server"`
	Issuer string    `json:"issuer"`
	Expiry time.Time `json:"expires"`
	// Renews is whether the login goes on after that by itself.
	Renews bool `json:"renews"`
}

// Login logs somebody in, and keeps the token.
func (s *Sessions) Login(ctx context.Context, r Request) (Login, error) {
	issuer, clientID, err := s.where(ctx, r)
	if err != nil {
		return Login{}, err
	}
	provider, ctx, err := s.provider(ctx, issuer)
	if err != nil {
		return Login{}, err
	}
	c := config(provider, clientID, scopes(provider))
	ctx, cancel := context.WithTimeout(ctx, patienceOfPeople)
	defer cancel()
	var got *oauth2.Token
	nonce := ""
	if r.Open != nil {
		nonce = rand.Text()
		got, err = s.browse(ctx, c, issuer, nonce, r)
	} else {
		got, err = device(ctx, c, r)
	}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return Login{}, fmt.Errorf("log in at %s: %s", issuer, reason(refused))
	}
	if err != nil {
		return Login{}, fmt.Errorf("log in at %s: %w", issuer, err)
	}
	e, err := s.accept(ctx, r.Server, provider, clientID, nonce, got)
	if err != nil {
		return Login{}, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return Login{}, err
	}
	defer unlock()
	if err := s.save(r.Server, e); err != nil {
		return Login{}, err
	}
	return Login{Server: r.Server.URL(), Issuer: issuer, Expiry: e.Expiry, Renews: e.Refresh != ""}, nil
}

// Logout removes the login to a server, and reports whether there was one. The
// identity provider is asked to end it too, if it offers that; it is gone from
// here in any case.
func (s *Sessions) Logout(ctx context.Context, server dial.Server) (bool, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	e, unknown := s.load(server)
	was, err := s.forget(server)
	if err == nil && unknown == nil && e.Refresh != "" {
		if err := s.revoke(ctx, e); err != nil {
			s.Warn(fmt.Sprintf("%s did not end the login: %v; the login is gone from this machine", e.Issuer, err))
		}
	}
	return was, err
}

// revoke ends a login at the identity provider (RFC 7009).
func (s *Sessions) revoke(ctx context.Context, e entry) error {
	provider, ctx, err := s.provider(ctx, e.Issuer)
	if err != nil {
		return err
	}
	var said struct {
		URL string `json:"revocation_endpoint"`
	}
	if err := provider.Claims(&said); err != nil || said.URL == "" {
		return err
	}
	client, _ := ctx.Value(oauth2.HTTPClient).(*http.Client)
	form := url.Values{"token": {e.Refresh}, "token_type_hint": {"refresh_token"}, "client_id": {e.ClientID}}
	asked, err := http.NewRequestWithContext(ctx, http.MethodPost, said.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	asked.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := client.Do(asked)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return errors.New(got.Status)
	}
	return nil
}

// where finds the issuer and the client id of a login.
func (s *Sessions) where(ctx context.Context, r Request) (issuer, clientID string, err error) {
	issuer, clientID = r.Issuer, r.ClientID
	before, unknown := s.load(r.Server)
	if issuer == "" {
		var said error
		issuer, said = s.discover(ctx, r.Server)
		switch {
		case said == nil:
		case unknown == nil:
			issuer = before.Issuer
		default:
			return "", "", said
		}
	}
	if clientID == "" && unknown == nil && before.Issuer == issuer {
		clientID = before.ClientID
	}
	if clientID == "" {
		clientID = r.Server.Name()
	}
	return issuer, clientID, nil
}

// discover asks a server where its org logs in (RFC 9728). A server that does
// not say is not asked again: it says nothing to outsiders.
func (s *Sessions) discover(ctx context.Context, server dial.Server) (string, error) {
	client, err := s.Client(server.Name())
	if err != nil {
		return "", err
	}
	at := server.URL() + "/.well-known/oauth-protected-resource"
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return "", err
	}
	got, err := client.Do(asked)
	if err != nil {
		return "", fmt.Errorf("ask %s where to log in: %w", server.URL(), err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%w: %s does not say where its org logs in", ErrNoIssuer, server.URL())
	}
	var said struct {
		Resource string   `json:"resource"`
		Issuers  []string `json:"authorization_servers"`
	}
	if err := json.NewDecoder(io.LimitReader(got.Body, 1<<16)).Decode(&said); err != nil {
		return "", fmt.Errorf("%w: the answer of %s cannot be read: %w", ErrNoIssuer, at, err)
	}
	if said.Resource != server.URL() || len(said.Issuers) != 1 {
		return "", fmt.Errorf("%w: the answer of %s is about %q with %d issuers, expected %q with one", ErrNoIssuer, at, said.Resource, len(said.Issuers), server.URL())
	}
	return said.Issuers[0], nil
}

// provider finds an identity provider by its issuer. Whatever is asked of it with
// the context that is returned goes over HTTPS, and to no other host.
func (s *Sessions) provider(ctx context.Context, issuer string) (*oidc.Provider, context.Context, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, ctx, fmt.Errorf("issuer %q: want https://", issuer)
	}
	client, err := s.Client(u.Hostname())
	if err != nil {
		return nil, ctx, err
	}
	ctx = oidc.ClientContext(ctx, client)
	p, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, ctx, fmt.Errorf("issuer %s: %w", issuer, err)
	}
	return p, ctx, nil
}

// claimed is the issuer as the provider's own document has it, which NewProvider compared.
func claimed(p *oidc.Provider) string {
	var said struct {
		Issuer string `json:"issuer"`
	}
	_ = p.Claims(&said) // the document was read before
	return said.Issuer
}

func config(p *oidc.Provider, clientID string, scopes []string) *oauth2.Config {
	endpoint := p.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams // a public client has nothing for a header
	return &oauth2.Config{ClientID: clientID, Endpoint: endpoint, Scopes: scopes}
}

// scopes are those that are wanted and that the provider has: some refuse others.
func scopes(p *oidc.Provider) []string {
	wanted := []string{oidc.ScopeOpenID, "profile", "email", "groups", oidc.ScopeOfflineAccess}
	var said struct {
		Scopes []string `json:"scopes_supported"`
	}
	if err := p.Claims(&said); err != nil || len(said.Scopes) == 0 {
		return wanted
	}
	return slices.DeleteFunc(wanted, func(scope string) bool {
		return scope != oidc.ScopeOpenID && !slices.Contains(said.Scopes, scope)
	})
}

// device logs in with a browser on any device (RFC 8628).
func device(ctx context.Context, c *oauth2.Config, r Request) (*oauth2.Token, error) {
	if c.Endpoint.DeviceAuthURL == "" {
		return nil, fmt.Errorf("it has no login for devices: log in on a machine with a browser, without --device")
	}
	asked, err := c.DeviceAuth(ctx)
	if err != nil {
		return nil, err
	}
	page := asked.VerificationURIComplete
	if page == "" {
		page = asked.VerificationURI
	}
	if !strings.HasPrefix(page, "https://") {
		return nil, fmt.Errorf("it names the page %q, which is not https", page)
	}
	r.Visit(page, asked.UserCode)
	return c.DeviceAccessToken(ctx, asked)
}

// browse logs in with a browser on this machine, which comes back to a port of
// loopback (RFC 8252, PKCE with S256).
func (s *Sessions) browse(ctx context.Context, c *oauth2.Config, issuer, nonce string, r Request) (*oauth2.Token, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the browser: %w", err)
	}
	c.RedirectURL = "http://" + listener.Addr().String() + "/callback"
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	back := make(chan url.Values, 1)
	server := &http.Server{Handler: callback(listener.Addr().String(), state, back), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // it ends with Shutdown
	defer func() {
		// The page is still on its way to the browser.
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(late)
	}()
	page := c.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce))
	r.Visit(page, "")
	if err := r.Open(page); err != nil {
		s.Warn(fmt.Sprintf("no browser could be started: %v: open the page yourself, or use --device", err))
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case got := <-back:
		if iss := got.Get("iss"); iss != "" && iss != issuer {
			return nil, fmt.Errorf("%s answered in its place", iss) // RFC 9207
		}
		if failed := got.Get("error"); failed != "" {
			return nil, errors.New(strings.TrimSpace(failed + " " + got.Get("error_description")))
		}
		return c.Exchange(ctx, got.Get("code"), oauth2.VerifierOption(verifier))
	}
}

// callback takes the one answer that the browser brings back.
func callback(host, state string, back chan<- url.Values) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		got := r.URL.Query()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.Host != host || subtle.ConstantTimeCompare([]byte(got.Get("state")), []byte(state)) != 1 {
			http.Error(w, "this is not the answer to the login that runs", http.StatusBadRequest)
			return
		}
		text := "Logged in. You can close this page and return to the command."
		if failed := got.Get("error"); failed != "" {
			text = "The login failed: " + failed
		}
		fmt.Fprintf(w, "<!doctype html><title>Freehold</title><p>%s</p>", html.EscapeString(text))
		select {
		case back <- got:
		default:
		}
	})
	return mux
}
