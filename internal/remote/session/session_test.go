package session_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
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

	"freehold.dev/freehold/internal/remote/dial"
	"freehold.dev/freehold/internal/remote/session"
	"freehold.dev/freehold/internal/server/discovery"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/tryissuer"
)

// ring is a keyring in memory; a broken one is that of a machine without.
type ring struct {
	mu     sync.Mutex
	kept   map[string]string
	broken bool
}

var errNoRing = errors.New("no keyring")

func (r *ring) Set(_, user, secret string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken {
		return errNoRing
	}
	r.kept[user] = secret
	return nil
}

func (r *ring) Get(_, user string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if secret, ok := r.kept[user]; ok && !r.broken {
		return secret, nil
	}
	return "", errNoRing
}

func (r *ring) Delete(_, user string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.kept[user]; !ok || r.broken {
		return errNoRing
	}
	delete(r.kept, user)
	return nil
}

// world is a server that says where to log in, the issuer there, and a person
// with a browser.
type world struct {
	t       *testing.T
	issuer  string
	rule    discovery.Rule
	said    string // in place of what the rule says
	ring    *ring
	home    string
	env     map[string]string
	browser *http.Client
	roots   *x509.CertPool
	api     string // the address of the server

	mu      sync.Mutex
	now     time.Time
	warned  []string
	renewed int
}

func begin(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, ring: &ring{kept: map[string]string{}}, home: t.TempDir(), env: map[string]string{}, roots: x509.NewCertPool(), now: time.Now()}
	var issuer http.Handler
	login := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.FormValue("grant_type") == "refresh_token" {
			w.mu.Lock()
			w.renewed++
			w.mu.Unlock()
		}
		issuer.ServeHTTP(rw, r)
	}))
	t.Cleanup(login.Close)
	w.issuer = login.URL
	var err error
	issuer, err = tryissuer.New(tryissuer.Options{Dir: filepath.Join(w.home, "issuer"), BaseURL: login.URL, APIBase: "freehold.localhost", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	w.rule = discovery.Rule{Orgs: login.URL + "/{org}", Operators: login.URL + "/op"}
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a token was sent to learn where to log in")
		}
		if w.said != "" {
			_, _ = io.WriteString(rw, w.said)
			return
		}
		r.TLS.ServerName = "acme.freehold.localhost" // httptest's certificate has another name
		edge.Hosts{Base: "freehold.localhost", Operators: "op.freehold.localhost", Port: 8443}.Handler(w.rule.Handler()).ServeHTTP(rw, r)
	}))
	api.StartTLS()
	t.Cleanup(api.Close)
	w.api = api.Listener.Addr().String()
	w.roots.AddCert(login.Certificate())
	w.roots.AddCert(api.Certificate())
	w.browser = login.Client()
	w.browser.Jar, _ = cookiejar.New(nil)
	return w
}

func (w *world) sessions() *session.Sessions {
	return &session.Sessions{
		Home: w.home, Keyring: w.ring, Getenv: func(name string) string { return w.env[name] },
		Warn: func(text string) { w.mu.Lock(); defer w.mu.Unlock(); w.warned = append(w.warned, text) },
		Now:  func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },
		Client: func(host string) (*http.Client, error) {
			t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.roots}}
			if strings.HasSuffix(host, ".localhost") {
				t.TLSClientConfig.ServerName = "example.com"
				t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, network, w.api)
				}
			}
			return &http.Client{Transport: t}, nil
		},
	}
}

func server(t *testing.T, raw string) dial.Server {
	t.Helper()
	s, err := dial.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var field = regexp.MustCompile(`name="(request|user_code)" value="([^"]+)"`)

// chooses lets a person open a page and choose a user.
func (w *world) chooses(user string) func(page string) error {
	return func(page string) error {
		got, err := w.browser.Get(page)
		if err != nil {
			return err
		}
		body, _ := io.ReadAll(got.Body)
		got.Body.Close()
		found := field.FindStringSubmatch(string(body))
		if found == nil {
			return errors.New("no form in " + string(body))
		}
		action := *got.Request.URL
		action.RawQuery = ""
		got, err = w.browser.PostForm(action.String(), url.Values{found[1]: {found[2]}, "user": {user}})
		if err != nil {
			return err
		}
		body, _ = io.ReadAll(got.Body)
		got.Body.Close()
		if !strings.Contains(string(body), "Logged in") {
			return errors.New("the last page says " + string(body))
		}
		return nil
	}
}

// logIn logs in by a device flow, or with a browser.
func (w *world) logIn(s *session.Sessions, user string, browser bool) (session.Login, error) {
	r := session.Request{Server: server(w.t, "https://acme.freehold.localhost:8443"), Visit: func(string, string) {}}
	choose := w.chooses(user)
	if browser {
		r.Open = func(page string) error {
			go func() {
				if err := choose(page); err != nil {
					w.t.Error(err)
				}
			}()
			return nil
		}
	} else {
		r.Visit = func(page, code string) {
			if !strings.Contains(page, code) || code == "" {
				w.t.Errorf("page %q, code %q", page, code)
			}
			if err := choose(page); err != nil {
				w.t.Error(err)
			}
		}
	}
	return s.Login(w.t.Context(), r)
}

func subject(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token %q", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Sub, Iss, Aud any }
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	sub, _ := c.Sub.(string)
	return sub
}

func TestABrowserOrADeviceLogsInAtTheIssuerThatTheServerNames(t *testing.T) {
	for name, browser := range map[string]bool{"browser": true, "device": false} {
		t.Run(name, func(t *testing.T) {
			w := begin(t)
			got, err := w.logIn(w.sessions(), "vera", browser)
			if err != nil || got.Issuer != w.issuer+"/acme" || !got.Renews {
				t.Fatalf("%+v, %v", got, err)
			}
			// Another process finds it.
			token, err := w.sessions().Token(t.Context(), server(t, "https://acme.freehold.localhost:8443"))
			if err != nil || subject(t, token) != "vera" {
				t.Fatalf("token %q, %v", token, err)
			}
			for _, other := range []string{"https://globex.freehold.localhost:8443", "https://acme.freehold.localhost", "https://acme.freehold.localhost:9443"} {
				if _, err := w.sessions().Token(t.Context(), server(t, other)); !errors.Is(err, session.ErrLoggedOut) {
					t.Errorf("%s: %v", other, err)
				}
			}
			if _, err := os.Stat(filepath.Join(w.home, "logins", "acme.freehold.localhost_8443.json")); err == nil {
				t.Error("the keyring has it, and a file too")
			}
		})
	}
}

func TestALoginIsRenewedOnceBeforeItEndsAndEndsWithALogout(t *testing.T) {
	w := begin(t)
	s := w.sessions()
	if _, err := w.logIn(s, "ada", false); err != nil {
		t.Fatal(err)
	}
	at := server(t, "https://acme.freehold.localhost:8443")
	first, err := s.Token(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(14*time.Minute + 30*time.Second)
	// Several processes find at the same time that it ends.
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if got, err := w.sessions().Token(t.Context(), at); err != nil || subject(t, got) != "ada" {
				t.Errorf("renewed: %v", err)
			}
		})
	}
	all.Wait()
	w.mu.Lock()
	renewed := w.renewed
	w.mu.Unlock()
	// The clock of the issuer stands still, and so does the end of its tokens:
	// each process renews, one after the other, with the refresh token of the one before.
	if renewed != 4 {
		t.Errorf("renewed %d times, want 4", renewed)
	}
	if first == "" {
		t.Error("no token")
	}
	w.now = time.Now()
	was, err := s.Logout(t.Context(), at)
	if err != nil || !was {
		t.Fatalf("logout: %v %v", was, err)
	}
	if _, err := w.sessions().Token(t.Context(), at); !errors.Is(err, session.ErrLoggedOut) {
		t.Errorf("after the logout: %v", err)
	}
	if was, err := w.sessions().Logout(t.Context(), at); err != nil || was {
		t.Errorf("another logout: %v %v", was, err)
	}
	if len(w.warned) > 0 {
		t.Errorf("warned of %q", w.warned)
	}
}

func TestWithoutAKeyringTheLoginIsInAFileThatNobodyElseReads(t *testing.T) {
	w := begin(t)
	w.ring.broken = true
	if _, err := w.logIn(w.sessions(), "ada", false); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.home, "logins", "acme.freehold.localhost_8443.json")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	if len(w.warned) != 1 || !strings.Contains(w.warned[0], file) {
		t.Errorf("warned of %q", w.warned)
	}
	at := server(t, "https://acme.freehold.localhost:8443")
	if token, err := w.sessions().Token(t.Context(), at); err != nil || subject(t, token) != "ada" {
		t.Errorf("token %q %v", token, err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := w.sessions().Token(t.Context(), at); !errors.Is(err, session.ErrLoggedOut) || !strings.Contains(err.Error(), "others can read") {
		t.Errorf("a file that others can read: %v", err)
	}
	if was, err := w.sessions().Logout(t.Context(), at); err != nil || !was {
		t.Errorf("logout: %v %v", was, err)
	}
}

func TestATokenOfTheEnvironmentWinsAndGoesToItsOwnHostOnly(t *testing.T) {
	w := begin(t)
	token, err := tryissuer.Mint(filepath.Join(w.home, "issuer"), "acme", "oscar", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	acme, globex := server(t, "https://acme.freehold.localhost:8443"), server(t, "https://globex.freehold.localhost:8443")
	if _, err := w.logIn(w.sessions(), "ada", false); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"FREEHOLD_TOKEN": token, "FREEHOLD_TOKEN_FILE": file} {
		w.env = map[string]string{name: value}
		if got, err := w.sessions().Token(t.Context(), acme); err != nil || subject(t, got) != "oscar" {
			t.Errorf("%s: %q %v", name, got, err)
		}
		got, err := w.sessions().Token(t.Context(), globex)
		if err == nil || got != "" || !strings.Contains(err.Error(), name+" was not sent") || strings.Contains(err.Error(), token) {
			t.Errorf("%s on another host: %q %v", name, got, err)
		}
	}
	w.env = map[string]string{"FREEHOLD_TOKEN": "opaque"}
	if _, err := w.sessions().Token(t.Context(), acme); err == nil {
		t.Error("a token that is no JWT was sent")
	}
}

func TestALoginThatCannotBe(t *testing.T) {
	w := begin(t)
	w.rule = discovery.Rule{}
	if _, err := w.logIn(w.sessions(), "ada", false); !errors.Is(err, session.ErrNoIssuer) {
		t.Errorf("a server that does not say where: %v", err)
	}
	for _, said := range []string{
		`{"resource":"https://globex.freehold.localhost:8443","authorization_servers":["` + w.issuer + `/acme"]}`,
		`{"resource":"https://acme.freehold.localhost:8443","authorization_servers":["` + w.issuer + `/acme","https://login.example.com"]}`,
		`{"resource":"https://acme.freehold.localhost:8443"}`,
		`no JSON`,
	} {
		w.said = said
		if _, err := w.logIn(w.sessions(), "ada", false); !errors.Is(err, session.ErrNoIssuer) {
			t.Errorf("%s: %v", said, err)
		}
	}
	w.said = ""
	at := server(t, "https://acme.freehold.localhost:8443")
	visit := func(string, string) { t.Error("somebody was asked to log in") }
	for name, r := range map[string]session.Request{
		"the issuer of another org": {Server: at, Issuer: w.issuer + "/globex", Visit: visit},
		"without TLS":               {Server: at, Issuer: "http://login.example.com", Visit: visit},
		"a client that is unknown":  {Server: at, Issuer: w.issuer + "/acme", ClientID: "else", Visit: visit},
	} {
		if _, err := w.sessions().Login(t.Context(), r); err == nil {
			t.Errorf("%s: logged in", name)
		}
	}
	// The issuer is named once, and then known.
	if _, err := w.sessions().Login(t.Context(), session.Request{Server: at, Issuer: w.issuer + "/acme", Visit: func(page, _ string) {
		if err := w.chooses("ada")(page); err != nil {
			t.Error(err)
		}
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.logIn(w.sessions(), "oscar", false); err != nil {
		t.Errorf("again, without --issuer: %v", err)
	}
}

// Any page can send a browser to the port on loopback, with a code of its own.
func TestTheBrowsersAnswerIsTheOneToThisLogin(t *testing.T) {
	w := begin(t)
	choose := w.chooses("ada")
	_, err := w.sessions().Login(t.Context(), session.Request{
		Server: server(t, "https://acme.freehold.localhost:8443"), Visit: func(string, string) {},
		Open: func(page string) error {
			asked, err := url.Parse(page)
			if err != nil {
				return err
			}
			for _, state := range []string{"", "?state=guess&code=theirs", "?code=theirs&state="} {
				got, err := http.Get(asked.Query().Get("redirect_uri") + state)
				if err != nil {
					return err
				}
				got.Body.Close()
				if got.StatusCode != http.StatusBadRequest {
					t.Errorf("%q: %s", state, got.Status)
				}
			}
			go func() {
				if err := choose(page); err != nil {
					t.Error(err)
				}
			}()
			return nil
		},
	})
	if err != nil {
		t.Error(err)
	}
}
