// Package tryissuer is an OpenID Connect provider for trying Freehold out:
// "freehold serve --sandbox" has one, so that a person can log in without an
// identity provider of their own. It asks nobody for a password and signs in
// whoever is chosen on a page, so it answers on loopback only, and every page
// says what it is for.
//
// Each org has an issuer of its own, the path that is the first label of its
// host: https://localhost:8444/acme issues tokens for acme.freehold.localhost.
// The issuer "op" belongs to the operators' host; no org has so short a name.
// Every issuer has a signing key of its own, and a token of one is never
// accepted by the other.
//
// A client says which API a token is for by its client id, which is the API's
// host name: an ID token then has exactly that one audience.
package tryissuer

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"freehold.dev/freehold/internal/orgcontext"
)

// Operators is the issuer's path, and the first label of the host, of those who run the fleet.
const Operators = "op"

// tokenLifetime is how long an ID token is valid.
const tokenLifetime = 15 * time.Minute

// ErrUnknown is wrapped by the error about an org or a user that no issuer has.
var ErrUnknown = errors.New("unknown to the trial issuer")

// Options say where the issuers are reached, and for which APIs they are.
type Options struct {
	// Dir keeps the signing keys, and how the issuers are reached. It is made
	// with 0700, and each file in it with 0600.
	Dir string
	// BaseURL is the issuers' URL without a path: https://localhost:8444. Its
	// host must be a name or an address of loopback.
	BaseURL string
	// APIBase is the domain that the orgs' hosts are below: freehold.localhost.
	APIBase string
	Now     func() time.Time
	// Log takes what goes wrong in a request; nil: nothing is logged.
	Log *slog.Logger
}

// Issuer is the iss of an org's tokens, to the letter.
func (o Options) Issuer(org string) string { return o.BaseURL + "/" + org }

// Audience is the host of an org's API: the only aud of its tokens, and the
// client id that a client names to get one.
func (o Options) Audience(org string) string { return org + "." + o.APIBase }

// known reports whether there is an issuer of that name.
func known(org string) bool {
	return org == Operators || orgcontext.IsName(org)
}

// check completes the options, and refuses an issuer that others could reach.
func (o *Options) check() error {
	u, err := url.Parse(o.BaseURL)
	if err != nil {
		return fmt.Errorf("trial issuer: %w", err)
	}
	if u.Scheme != "https" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || !loopback(u.Hostname()) {
		return fmt.Errorf("trial issuer: URL %q: want https:// and a host on loopback, such as https://localhost:8444", o.BaseURL)
	}
	if o.APIBase == "" || o.Dir == "" {
		return errors.New("trial issuer: the folder of keys and the domain of the orgs' hosts are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

func loopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}

// issuers are all of them; one is made when it is first asked for.
type issuers struct {
	o    Options
	host string // what a request must have as its Host
	keys keyFolder

	mu  sync.Mutex
	one map[string]http.Handler
}

// New returns the handler of all issuers. It refuses requests that reached this
// machine from outside, and those to another host name than its own.
func New(o Options) (http.Handler, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	keys := keyFolder{dir: o.Dir}
	if err := keys.describe(o); err != nil {
		return nil, err
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil {
		return nil, err
	}
	all := &issuers{o: o, host: u.Host, keys: keys, one: map[string]http.Handler{}}
	// A page of another site may not choose a user in a person's browser.
	return http.NewCrossOriginProtection().Handler(all), nil
}

func (i *issuers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !local(r) || r.Host != i.host {
		http.Error(w, "the trial issuer answers on loopback only, at "+i.o.BaseURL, http.StatusMisdirectedRequest)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	org, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !known(org) {
		http.NotFound(w, r)
		return
	}
	handler, err := i.of(org)
	if err != nil {
		i.o.Log.ErrorContext(r.Context(), "trial issuer", "org", org, "err", err)
		http.Error(w, "the trial issuer failed; the server's log says why", http.StatusInternalServerError)
		return
	}
	handler.ServeHTTP(w, r)
}

// local reports whether a request came in on a loopback address.
func local(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}

func (i *issuers) of(org string) (http.Handler, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if h := i.one[org]; h != nil {
		return h, nil
	}
	key, err := i.keys.of(org)
	if err != nil {
		return nil, err
	}
	h, err := newProvider(i.o, org, key)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: %w", i.o.Issuer(org), err)
	}
	i.one[org] = h
	return h, nil
}
