package session

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"freehold.dev/freehold/internal/remote/dial"
)

// Identity providers differ in what they can put into which token.
func TestTheTokenThatIsKeptIsTheOneThatIsMeantForTheServer(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	provider := httptest.NewTLSServer(mux)
	t.Cleanup(provider.Close)
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) }
	}
	mux.Handle("/.well-known/openid-configuration", answer(map[string]any{
		"issuer": provider.URL, "jwks_uri": provider.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"},
	}))
	mux.Handle("/keys", answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}}))
	sign := func(typ string, aud any, more ...string) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
		if err != nil {
			t.Fatal(err)
		}
		claims := map[string]any{"iss": provider.URL, "aud": aud, "sub": "ada", "exp": time.Now().Add(time.Hour).Unix(), "nonce": "n"}
		for _, name := range more {
			claims[name] = "else"
		}
		text, _ := json.Marshal(claims)
		signed, err := signer.Sign(text)
		if err != nil {
			t.Fatal(err)
		}
		token, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	ctx := oidc.ClientContext(t.Context(), provider.Client())
	p, err := oidc.NewProvider(ctx, provider.URL)
	if err != nil {
		t.Fatal(err)
	}
	server, err := dial.Parse("https://acme.freehold.example.com")
	if err != nil {
		t.Fatal(err)
	}
	const mine, other = "acme.freehold.example.com", "0oa1"
	idToken, access := sign("JWT", mine), sign("at+jwt", mine)
	for name, c := range map[string]struct {
		id, access string
		want       string // "" is none
		says       string
	}{
		"an ID token for the host":                   {idToken, "opaque", idToken, ""},
		"an access token for the host too":           {idToken, access, access, ""},
		"an access token of another form too":        {idToken, sign("JWT", mine), idToken, ""},
		"a client that is called otherwise":          {sign("JWT", other), access, access, ""},
		"that, and an access token of another form":  {sign("JWT", other), sign("JWT", mine), sign("JWT", mine), ""},
		"one audience in a list":                     {sign("JWT", []string{mine}), "opaque", sign("JWT", []string{mine}), ""},
		"several audiences":                          {sign("JWT", []string{mine, other}), "opaque", "", `audiences are "acme.freehold.example.com 0oa1"`},
		"no token for the host":                      {sign("JWT", other), "opaque", "", `audiences are "0oa1"; its client must be called acme.freehold.example.com`},
		"the answer to another login":                {sign("JWT", mine, "nonce"), "opaque", "", "answers another login"},
		"a signature that is wrong":                  {idToken[:len(idToken)-8] + "AAAAAAAA", "opaque", "", "signature"},
		"no ID token, and an access token of a host": {"", access, access, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Sessions{Now: time.Now}
			got, err := s.accept(ctx, server, p, mine, "n", (&oauth2.Token{AccessToken: c.access}).WithExtra(map[string]any{"id_token": c.id}))
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("got %v", err)
				}
				return
			}
			// Two signatures of one text differ: what was signed is compared.
			if unsigned := func(s string) string { return s[:strings.LastIndex(s, ".")] }; err != nil || unsigned(got.Token) != unsigned(c.want) {
				t.Errorf("kept %q, %v", got.Token, err)
			}
		})
	}
}
