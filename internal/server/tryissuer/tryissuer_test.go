package tryissuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"freehold.dev/freehold/internal/server/tryissuer"
)

// world is a server on loopback and a client that trusts it.
type world struct {
	t      *testing.T
	dir    string
	url    string
	client *http.Client
	ctx    context.Context
}

func serve(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "issuer")}
	var handler http.Handler
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	t.Cleanup(server.Close)
	w.url = server.URL
	var err error
	handler, err = tryissuer.New(tryissuer.Options{Dir: w.dir, BaseURL: server.URL, APIBase: "freehold.localhost", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	w.client = server.Client()
	w.client.Jar, _ = cookiejar.New(nil)
	w.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/callback" { // where the command would listen
			return http.ErrUseLastResponse
		}
		return nil
	}
	w.ctx = oidc.ClientContext(t.Context(), w.client)
	return w
}

func (w *world) provider(org string) *oidc.Provider {
	w.t.Helper()
	p, err := oidc.NewProvider(w.ctx, w.url+"/"+org)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) config(org string) *oauth2.Config {
	e := w.provider(org).Endpoint()
	return &oauth2.Config{
		ClientID: org + ".freehold.localhost", Endpoint: e, RedirectURL: "http://127.0.0.1:54321/callback",
		Scopes: []string{"openid", "email", "profile", "groups", "offline_access"},
	}
}

// said are the claims of a token that org's own verifier accepts.
func (w *world) said(org string, token string) map[string]any {
	w.t.Helper()
	id, err := w.provider(org).Verifier(&oidc.Config{ClientID: org + ".freehold.localhost"}).Verify(w.ctx, token)
	if err != nil {
		w.t.Fatal(err)
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		w.t.Fatal(err)
	}
	for _, changing := range []string{"exp", "iat", "auth_time", "at_hash", "c_hash", "nonce"} {
		delete(claims, changing)
	}
	return claims
}

func (w *world) ada(org string) map[string]any {
	return map[string]any{
		"iss": w.url + "/" + org, "sub": "ada", "aud": []any{org + ".freehold.localhost"}, "azp": org + ".freehold.localhost", "client_id": org + ".freehold.localhost",
		"name": "ada", "preferred_username": "ada", "email": "ada@" + org + ".example", "email_verified": true, "groups": []any{org + "-admins"},
	}
}

var hidden = regexp.MustCompile(`name="(request|user_code)" value="([^"]+)"`)

// browse goes to a page and chooses a user on it, as a person would.
func (w *world) browse(page, user string) *http.Response {
	w.t.Helper()
	got, err := w.client.Get(page)
	if err != nil {
		w.t.Fatal(err)
	}
	body, _ := io.ReadAll(got.Body)
	got.Body.Close()
	if got.StatusCode != http.StatusOK || !strings.Contains(string(body), "for trying Freehold out") {
		w.t.Fatalf("%s: %d %s", page, got.StatusCode, body)
	}
	field := hidden.FindStringSubmatch(string(body))
	if field == nil {
		w.t.Fatalf("no form in %s", body)
	}
	action := *got.Request.URL
	action.RawQuery = ""
	posted, err := w.client.PostForm(action.String(), url.Values{field[1]: {field[2]}, "user": {user}})
	if err != nil {
		w.t.Fatal(err)
	}
	posted.Body.Close()
	return posted
}

func TestABrowserLogsInWithPKCEAndTheTokenIsForItsOrgOnly(t *testing.T) {
	w := serve(t)
	config, verifier := w.config("acme"), oauth2.GenerateVerifier()
	back := w.browse(config.AuthCodeURL("a-state", oauth2.S256ChallengeOption(verifier)), "ada")
	at, err := back.Location()
	if err != nil || at.Host != "127.0.0.1:54321" || at.Query().Get("state") != "a-state" {
		t.Fatalf("sent to %v, %v", at, err)
	}
	code := at.Query().Get("code")

	if _, err := config.Exchange(w.ctx, code, oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
		t.Error("a code was redeemed with another verifier")
	}
	if _, err := config.Exchange(w.ctx, code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code that somebody tried to redeem is still good")
	}

	back = w.browse(config.AuthCodeURL("a-state", oauth2.S256ChallengeOption(verifier)), "ada")
	at, _ = back.Location()
	token, err := config.Exchange(w.ctx, at.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	id, _ := token.Extra("id_token").(string)
	if diff := cmp.Diff(w.ada("acme"), w.said("acme", id)); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if strings.Count(token.AccessToken, ".") == 2 {
		t.Error("the access token is a JWT, which an API could take for an ID token")
	}

	_, err = w.provider("globex").Verifier(&oidc.Config{SkipClientIDCheck: true, SkipIssuerCheck: true}).Verify(w.ctx, id)
	if err == nil {
		t.Error("globex's keys verify a token of acme")
	}
}

func TestADeviceLogsInOnce(t *testing.T) {
	w := serve(t)
	config := w.config("acme")
	asked, err := config.DeviceAuth(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if want := w.url + "/acme/device"; asked.VerificationURI != want {
		t.Fatalf("verification at %s, want %s", asked.VerificationURI, want)
	}
	if got := w.browse(asked.VerificationURIComplete, "vera"); got.StatusCode != http.StatusOK {
		t.Fatalf("approve: %s", got.Status)
	}
	token, err := config.DeviceAccessToken(w.ctx, asked)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := token.Extra("id_token").(string)
	if got := w.said("acme", id); got["sub"] != "vera" || !cmp.Equal(got["groups"], []any{"acme-viewers"}) || !cmp.Equal(got["aud"], []any{"acme.freehold.localhost"}) {
		t.Errorf("claims %v", got)
	}
	if _, err := config.DeviceAccessToken(w.ctx, asked); err == nil {
		t.Error("a device code was redeemed twice")
	}

	renewed, err := config.TokenSource(w.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		t.Fatal(err)
	}
	again, _ := renewed.Extra("id_token").(string)
	if got := w.said("acme", again); got["sub"] != "vera" || !cmp.Equal(got["aud"], []any{"acme.freehold.localhost"}) {
		t.Errorf("renewed claims %v", got)
	}
	if _, err := config.TokenSource(w.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); err == nil {
		t.Error("a refresh token was used twice")
	}
	revoke, err := w.client.PostForm(w.url+"/acme/revoke", url.Values{"token": {renewed.RefreshToken}, "client_id": {"acme.freehold.localhost"}})
	if err != nil || revoke.StatusCode != http.StatusOK {
		t.Fatalf("revoke: %v %v", revoke, err)
	}
	if _, err := config.TokenSource(w.ctx, &oauth2.Token{RefreshToken: renewed.RefreshToken}).Token(); err == nil {
		t.Error("a refresh token was used that had been revoked")
	}
}

func TestTheOperatorsHaveAnIssuerThatNoOrgCanHave(t *testing.T) {
	w := serve(t)
	token, err := tryissuer.Mint(w.dir, tryissuer.Operators, "olga", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	got := w.said("op", token)
	if got["iss"] != w.url+"/op" || !cmp.Equal(got["aud"], []any{"op.freehold.localhost"}) || !cmp.Equal(got["groups"], []any{"operators"}) {
		t.Errorf("claims %v", got)
	}
	if _, err := tryissuer.Mint(w.dir, "acme", "olga", time.Now()); !errors.Is(err, tryissuer.ErrUnknown) {
		t.Errorf("olga is a user of acme: %v", err)
	}
}

func TestAMintedTokenIsWhatABrowserGets(t *testing.T) {
	w := serve(t)
	token, err := tryissuer.Mint(w.dir, "acme", "ada", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.ada("acme"), w.said("acme", token)); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	late, err := tryissuer.Mint(w.dir, "acme", "ada", time.Now().Add(-16*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.provider("acme").Verifier(&oidc.Config{ClientID: "acme.freehold.localhost"}).Verify(w.ctx, late)
	if expired := new(oidc.TokenExpiredError); !errors.As(err, &expired) {
		t.Errorf("a token of 16 minutes ago: %v", err)
	}
	for _, org := range []string{"", "a", "Acme", "../acme", "acme.globex", "-acme"} {
		if _, err := tryissuer.Mint(w.dir, org, "ada", time.Now()); !errors.Is(err, tryissuer.ErrUnknown) {
			t.Errorf("org %q: %v", org, err)
		}
	}
}

func TestAHomeWithoutAnIssuerMintsNothing(t *testing.T) {
	_, err := tryissuer.Mint(t.TempDir(), "acme", "ada", time.Now())
	if err == nil || !strings.Contains(err.Error(), "freehold serve --sandbox") {
		t.Errorf("got %v", err)
	}
}

func TestKeysAreOneForEachOrgAndNobodyElseReadsThem(t *testing.T) {
	w := serve(t)
	var all sync.WaitGroup
	tokens := make([]string, 8)
	for i := range tokens {
		all.Go(func() { tokens[i], _ = tryissuer.Mint(w.dir, "acme", "ada", time.Now()) })
	}
	all.Wait()
	for _, token := range tokens {
		w.said("acme", token) // who raced for the first key signs with the one that is served
	}
	if _, err := tryissuer.Mint(w.dir, "globex", "ada", time.Now()); err != nil {
		t.Fatal(err)
	}
	got := map[string]fs.FileMode{}
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = info.Mode()
	}
	if diff := cmp.Diff(map[string]fs.FileMode{"acme.pem": 0o600, "globex.pem": 0o600, "issuer.json": 0o600}, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(w.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v %v", info.Mode(), err)
	}
}

func TestWhatTheIssuerRefuses(t *testing.T) {
	w := serve(t)
	challenge := "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
	authorize := "/acme/authorize?response_type=code&scope=openid&state=s"
	mine := "&client_id=acme.freehold.localhost"
	back := "&redirect_uri=" + url.QueryEscape("http://127.0.0.1:1/callback")
	get := func(path string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	cases := map[string]struct {
		request func() *http.Request
		status  int
		says    string
	}{
		"a challenge that shows the verifier": {
			func() *http.Request {
				return get(authorize + mine + back + "&code_challenge=x&code_challenge_method=plain")
			}, http.StatusFound, "error=invalid_request",
		},
		"no challenge": {func() *http.Request { return get(authorize + mine + back) }, http.StatusFound, "error=invalid_request"},
		"the implicit flow": {func() *http.Request {
			return get("/acme/authorize?response_type=id_token&nonce=n&scope=openid" + mine + back + challenge)
		}, http.StatusFound, "error=unauthorized_client"},
		"a client of another org": {func() *http.Request {
			return get(authorize + "&client_id=globex.freehold.localhost" + back + challenge)
		}, http.StatusBadRequest, ""},
		"a redirect to another host": {func() *http.Request {
			return get(authorize + mine + "&redirect_uri=https%3A%2F%2Fevil.example%2Fcallback" + challenge)
		}, http.StatusBadRequest, ""},
		"another path of loopback": {func() *http.Request {
			return get(authorize + mine + "&redirect_uri=http%3A%2F%2F127.0.0.1%2Fother" + challenge)
		}, http.StatusBadRequest, ""},
		"no org's issuer":           {func() *http.Request { return get("/UPPER/.well-known/openid-configuration") }, http.StatusNotFound, ""},
		"a login that nobody began": {func() *http.Request { return get("/acme/login?request=guess") }, http.StatusBadRequest, ""},
		"a device that nobody has":  {func() *http.Request { return get("/acme/device?user_code=AAAA-BBBB") }, http.StatusBadRequest, ""},
		"another host name": {func() *http.Request {
			r := get("/acme/.well-known/openid-configuration")
			r.Host = "attacker.example"
			return r
		}, http.StatusMisdirectedRequest, ""},
		"a form on another site": {func() *http.Request {
			r := get("/acme/device")
			r.Method = http.MethodPost
			r.Header.Set("Origin", "https://evil.example")
			return r
		}, http.StatusForbidden, ""},
	}
	client := &http.Client{Transport: w.client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := client.Do(c.request())
			if err != nil {
				t.Fatal(err)
			}
			defer got.Body.Close()
			body, _ := io.ReadAll(got.Body)
			if got.StatusCode != c.status || !strings.Contains(got.Header.Get("Location"), c.says) {
				t.Errorf("%s, Location %q, body %s", got.Status, got.Header.Get("Location"), body)
			}
		})
	}
}

func TestTheIssuerIsForLoopbackOnly(t *testing.T) {
	for _, base := range []string{"https://login.example.com", "http://localhost:8444", "https://localhost:8444/", "https://0.0.0.0:8444", "https://localhost.example.com"} {
		if _, err := tryissuer.New(tryissuer.Options{Dir: t.TempDir(), BaseURL: base, APIBase: "freehold.localhost", Now: time.Now}); err == nil {
			t.Errorf("%s was accepted", base)
		}
	}
	h, err := tryissuer.New(tryissuer.Options{Dir: t.TempDir(), BaseURL: "https://localhost:8444", APIBase: "freehold.localhost", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	// The recorder knows no address that the request came in on.
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://localhost:8444/acme/keys", nil))
	if w.Code != http.StatusMisdirectedRequest {
		t.Errorf("a request from nowhere: %d", w.Code)
	}
}

func TestDiscoveryNamesWhatIsOffered(t *testing.T) {
	w := serve(t)
	got, err := w.client.Get(w.url + "/acme/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	var d struct {
		Issuer string   `json:"issuer"`
		Algs   []string `json:"id_token_signing_alg_values_supported"`
		PKCE   []string `json:"code_challenge_methods_supported"`
		Device string   `json:"device_authorization_endpoint"`
	}
	if err := json.NewDecoder(got.Body).Decode(&d); err != nil {
		t.Fatal(err)
	}
	if d.Issuer != w.url+"/acme" || !cmp.Equal(d.Algs, []string{"ES256"}) || !cmp.Equal(d.PKCE, []string{"S256"}) || d.Device != w.url+"/acme/device_authorization" {
		t.Errorf("discovery %+v", d)
	}
}
