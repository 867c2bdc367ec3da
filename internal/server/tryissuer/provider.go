package tryissuer

import (
	"context"
	"crypto/rand"
	"html/template"
	"net/http"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// provider is the issuer of one org: the protocol is the library's, the pages
// on which a user is chosen are ours.
type provider struct {
	o     Options
	org   string
	store *store
	op    *op.Provider
}

func newProvider(o Options, org string, key signingKey) (http.Handler, error) {
	p := &provider{o: o, org: org, store: newStore(o, org, key)}
	config := &op.Config{
		CodeMethodS256:        true,
		GrantTypeRefreshToken: true,
		SupportedScopes:       []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail, oidc.ScopeOfflineAccess, "groups"},
		SupportedClaims:       []string{"sub", "aud", "exp", "iat", "iss", "auth_time", "nonce", "name", "preferred_username", "email", "email_verified", "groups"},
		DeviceAuthorization: op.DeviceAuthorizationConfig{
			Lifetime: 10 * time.Minute, PollInterval: time.Second, UserFormPath: "/" + org + "/device", UserCode: op.UserCodeBase20,
		},
	}
	// It encrypts codes and access tokens, which nobody needs after a restart.
	if _, err := rand.Read(config.CryptoKey[:]); err != nil {
		return nil, err
	}
	var err error
	p.op, err = op.NewProvider(config, p.store, op.StaticIssuer(o.Issuer(org)), op.WithLogger(o.Log), op.WithCORSOptions(nil))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.about)
	mux.HandleFunc("GET /login", p.chooseForLogin)
	mux.HandleFunc("POST /login", p.login)
	mux.HandleFunc("GET /device", p.chooseForDevice)
	mux.HandleFunc("POST /device", p.device)
	mux.Handle("/", p.op)
	return http.StripPrefix("/"+org, mux), nil
}

func (p *provider) about(w http.ResponseWriter, _ *http.Request) {
	p.show(w, http.StatusOK, page{Text: "Log in with: freehold login https://" + p.o.Audience(p.org)})
}

func (p *provider) chooseForLogin(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("request")
	if _, err := p.store.AuthRequestByID(r.Context(), id); err != nil {
		p.show(w, http.StatusBadRequest, page{Text: "This login has expired. Start it again."})
		return
	}
	p.show(w, http.StatusOK, page{Action: "login", Hidden: map[string]string{"request": id}, Users: users(p.org)})
}

func (p *provider) login(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("request")
	if err := p.store.choose(id, r.PostFormValue("user")); err != nil {
		p.show(w, http.StatusBadRequest, page{Text: "This login has expired. Start it again."})
		return
	}
	back := op.AuthCallbackURL(p.op)(op.ContextWithIssuer(r.Context(), p.o.Issuer(p.org)), id)
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func (p *provider) chooseForDevice(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("user_code")
	if code == "" {
		p.show(w, http.StatusOK, page{Action: "device", Method: "get", Ask: "user_code", Text: "Enter the code that the command printed."})
		return
	}
	if !p.store.waits(code) {
		p.show(w, http.StatusBadRequest, page{Text: "The code " + code + " is unknown or has expired. Start the login again."})
		return
	}
	p.show(w, http.StatusOK, page{
		Action: "device", Hidden: map[string]string{"user_code": code}, Users: users(p.org),
		Text: "Code " + code + ". Go on only if your own command shows the same code.",
	})
}

func (p *provider) device(w http.ResponseWriter, r *http.Request) {
	code := r.PostFormValue("user_code")
	if err := p.store.approve(code, r.PostFormValue("user")); err != nil {
		p.show(w, http.StatusBadRequest, page{Text: "The code " + code + " is unknown or has expired. Start the login again."})
		return
	}
	p.show(w, http.StatusOK, page{Text: "Logged in. You can close this page and return to the command."})
}

// page is what a person sees.
type page struct {
	Org, Host string
	Text      string
	Action    string // the path, below the issuer's, that a form is sent to
	Method    string // "" is post
	Hidden    map[string]string
	Ask       string // a field to fill in
	Users     []user
}

// About is for the template, which cannot read what is not exported.
func (u user) About() string { return u.about }

// Name is for the template.
func (u user) Name() string { return u.name }

var pages = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Freehold: trial login for {{.Org}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}
.trial{background:#fff3cd;padding:.5rem 1rem;border-radius:4px}button{font:inherit;padding:.4rem .8rem;margin:.25rem 0;display:block}</style></head>
<body><h1>{{.Host}}</h1>
<p class="trial">This login is for trying Freehold out. It asks for no password: never use it for anything real.</p>
{{with .Text}}<p>{{.}}</p>{{end}}
{{if .Action}}<form action="{{.Action}}" method="{{or .Method "post"}}">
{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
{{with .Ask}}<label>Code <input name="{{.}}" autocomplete="off" autofocus></label> <button>Continue</button>{{end}}
{{range .Users}}<button name="user" value="{{.Name}}">{{.Name}}: {{.About}}</button>
{{end}}</form>{{end}}
</body></html>
`))

func (p *provider) show(w http.ResponseWriter, status int, of page) {
	of.Org, of.Host = p.org, p.o.Audience(p.org)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := pages.Execute(w, of); err != nil {
		p.o.Log.ErrorContext(context.Background(), "trial issuer: write a page", "err", err)
	}
}
