package source

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// server is an API as the contract in docs/controller.md has it, and worse
// where a test says so.
type server struct {
	*httptest.Server
	t       *testing.T
	allowed func(token string) bool

	mu       sync.Mutex
	set      v1alpha1.ProjectSet
	instead  http.HandlerFunc // answers in place of the set
	answered map[int]int      // answers by status
}

func serve(t *testing.T, set v1alpha1.ProjectSet, allowed func(token string) bool) *server {
	t.Helper()
	s := &server{t: t, allowed: allowed, set: set, answered: map[int]int{}}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	allowed := s.allowed(token)
	s.mu.Lock()
	defer s.mu.Unlock()
	counted := &counter{ResponseWriter: w, code: http.StatusOK}
	// After the answer: who sees the number may take the answer as given.
	defer func() { s.answered[counted.code]++ }()
	text, err := json.Marshal(s.set)
	if err != nil {
		s.t.Error(err)
	}
	etag := fmt.Sprintf("%q", s.set.Revision)
	switch {
	case s.instead != nil:
		s.instead(counted, r)
	case r.Method != http.MethodGet || r.URL.Path != "/orgs/acme/projects":
		counted.WriteHeader(http.StatusNotFound)
	case !allowed:
		counted.WriteHeader(http.StatusUnauthorized)
	case r.Header.Get("If-None-Match") == etag:
		counted.WriteHeader(http.StatusNotModified)
	default:
		counted.Header().Set("ETag", etag)
		_, _ = counted.Write(text)
	}
}

type counter struct {
	http.ResponseWriter
	code int
}

func (c *counter) WriteHeader(code int) { c.code = code; c.ResponseWriter.WriteHeader(code) }

// does changes the server under its lock.
func (s *server) does(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *server) answers(code int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered[code]
}

func (s *server) options(t *testing.T, token string) APIOptions {
	t.Helper()
	dir := t.TempDir()
	o := APIOptions{
		URL: s.URL + "/orgs/acme/projects", Org: "acme",
		TokenFile: filepath.Join(dir, "token"), CAFile: filepath.Join(dir, "ca.crt"),
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	for file, text := range map[string]string{o.TokenFile: token, o.CAFile: string(ca)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func is(token string) func(string) bool { return func(got string) bool { return got == token } }

func setOf(revision string, projects ...v1alpha1.NamedProject) v1alpha1.ProjectSet {
	return v1alpha1.ProjectSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "freehold.dev/v1alpha1", Kind: "ProjectSet"},
		Org:      "acme", Revision: revision, Projects: append([]v1alpha1.NamedProject{}, projects...),
	}
}

func project(name string, pods int32) v1alpha1.NamedProject {
	q := v1alpha1.MustQuantity
	return v1alpha1.NamedProject{Name: name, Spec: v1alpha1.ProjectSpec{Org: "acme", ProjectSettings: v1alpha1.ProjectSettings{
		Quota:  v1alpha1.Quota{CPU: q("4"), Memory: q("8Gi"), Storage: q("1Gi"), Pods: pods},
		Limits: v1alpha1.Limits{DefaultCPU: q("1"), DefaultMemory: q("1Gi"), MaxCPU: q("4"), MaxMemory: q("8Gi")},
		// What the API server fills in here must not look like a change.
		Egress: []v1alpha1.Egress{{CIDR: "192.0.2.0/24", Ports: []int32{443}}},
	}}}
}

func TestASetIsReadOnceAndThenAskedWhetherItChanged(t *testing.T) {
	s := serve(t, setOf("1", project("shop", 5)), is("secret"))
	api, err := NewAPI(s.options(t, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got, err := api.Projects(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.set, got); diff != "" {
			t.Errorf("set (-want +got):\n%s", diff)
		}
	}
	if got := map[string]int{"200": s.answers(200), "304": s.answers(304)}; !cmp.Equal(got, map[string]int{"200": 1, "304": 2}) {
		t.Errorf("it was answered %v", got)
	}
	s.does(func() { s.set = setOf("2") })
	got, err := api.Projects(t.Context())
	if err != nil || len(got.Projects) != 0 || got.Revision != "2" {
		t.Errorf("after a change: %v, %v", got, err)
	}
}

func TestWhatIsNoSetOfTheOrgIsRefused(t *testing.T) {
	text := func(change func(*v1alpha1.ProjectSet)) string {
		set := setOf("1", project("shop", 5))
		change(&set)
		b, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	whole := text(func(*v1alpha1.ProjectSet) {})
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	code := func(code int, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(code)
		}
	}
	other := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect brought the token to another host: %v", r.Header)
	}))
	defer other.Close()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
		pause  time.Duration
	}{
		"another org's":               {body(text(func(s *v1alpha1.ProjectSet) { s.Org = "globex" })), `the set of the org "globex"`, 0},
		"no org's":                    {body(text(func(s *v1alpha1.ProjectSet) { s.Org = "" })), `the set of the org ""`, 0},
		"another org's project":       {body(text(func(s *v1alpha1.ProjectSet) { s.Projects[0].Spec.Org = "globex" })), `project "shop" is of the org "globex"`, 0},
		"without projects":            {body(text(func(s *v1alpha1.ProjectSet) { s.Projects = nil })), "lacks projects", 0},
		"another kind":                {body(text(func(s *v1alpha1.ProjectSet) { s.Kind = "List" })), "is a List of freehold.dev/v1alpha1", 0},
		"another version":             {body(text(func(s *v1alpha1.ProjectSet) { s.APIVersion = "freehold.dev/v2" })), "is a ProjectSet of freehold.dev/v2", 0},
		"a name twice":                {body(text(func(s *v1alpha1.ProjectSet) { s.Projects = append(s.Projects, s.Projects[0]) })), `"shop" is there twice`, 0},
		"a name that is none":         {body(text(func(s *v1alpha1.ProjectSet) { s.Projects[0].Name = "../x" })), `projects[0].name "../x"`, 0},
		"a field that nobody knows":   {body(strings.Replace(whole, `"quota"`, `"moreFences":true,"quota"`, 1)), `unknown field "projects[0].spec.moreFences"`, 0},
		"a field twice":               {body(strings.Replace(whole, `"org":"acme"`, `"org":"globex","org":"acme"`, 1)), `duplicate field "org"`, 0},
		"half":                        {body(whole[:len(whole)/2]), "is not a set of projects", 0},
		"two":                         {body(whole + whole), "is not a set of projects", 0},
		"a page for people":           {body("<html>"), "is not a set of projects", 0},
		"nothing":                     {body(""), "is not a set of projects", 0},
		"endless":                     {body(whole + strings.Repeat(" ", maxBody)), "longer than", 0},
		"unauthorized":                {code(401), "401 Unauthorized: the token is not taken", 0},
		"forbidden":                   {code(403), "403 Forbidden: this controller may not", 0},
		"not there":                   {code(404), "404 Not Found", 0},
		"a 304 that nobody asked for": {code(304), "304 Not Modified", 0},
		"an error":                    {code(500), "500 Internal Server Error", 0},
		"busy":                        {code(503, "Retry-After", "120"), "503 Service Unavailable", 2 * time.Minute},
		"busy for days":               {code(429, "Retry-After", "999999"), "429 Too Many Requests", longestPause},
		"a redirect":                  {code(307, "Location", other.URL), "307 Temporary Redirect", 0},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(whole[:20]))
		}, "broke off", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, setOf("1"), is("secret"))
			s.instead = c.answer
			api, err := NewAPI(s.options(t, "secret"))
			if err != nil {
				t.Fatal(err)
			}
			set, err := api.Projects(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), s.URL) {
				t.Errorf("got %v and the error %v, want one that says %q", set, err, c.says)
			}
			if got := pauseOf(err); got != c.pause {
				t.Errorf("it asks for a pause of %s, want %s", got, c.pause)
			}
			// What was refused is not what a 304 is about.
			s.does(func() { s.instead = nil })
			if set, err := api.Projects(t.Context()); err != nil || set.Revision != "1" {
				t.Errorf("afterwards: %v, %v", set, err)
			}
		})
	}
}

func TestOnlyAServerOfTheAuthorityIsAsked(t *testing.T) {
	s := serve(t, setOf("1"), func(string) bool { t.Error("the token was sent"); return true })
	o := s.options(t, "secret")
	o.CAFile = "" // the system does not know the test's server
	api, err := NewAPI(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.Projects(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("it ended with %v", err)
	}
}

func TestAPIOptionsThatWouldLeakOrFailAreRefused(t *testing.T) {
	s := serve(t, setOf("1"), is("secret"))
	for name, c := range map[string]struct {
		change func(*APIOptions)
		says   string
	}{
		"in the clear":       {func(o *APIOptions) { o.URL = "http://freehold.example/x" }, "is not https://"},
		"no host":            {func(o *APIOptions) { o.URL = "https:///x" }, "is not https://"},
		"no URL":             {func(o *APIOptions) { o.URL = ":" }, "the projects' URL"},
		"a password":         {func(o *APIOptions) { o.URL = "https://me:hush@freehold.example" }, "holds a user"},
		"no token":           {func(o *APIOptions) { o.TokenFile = "" }, "needs a token file"},
		"no org":             {func(o *APIOptions) { o.Org = "" }, "needs the org"},
		"an authority, lost": {func(o *APIOptions) { o.CAFile += ".not" }, "ca.crt.not"},
	} {
		t.Run(name, func(t *testing.T) {
			o := s.options(t, "secret")
			c.change(&o)
			_, err := NewAPI(o)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
				t.Errorf("it ended with %v, want %q", err, c.says)
			}
		})
	}
}

func TestATokenThatIsRefusedIsReadAgain(t *testing.T) {
	token := "first"
	s := serve(t, setOf("1"), func(got string) bool { return got == token })
	o := s.options(t, "first")
	api, err := NewAPI(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.Projects(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.TokenFile, []byte("second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.does(func() { token = "second" })
	if _, err := api.Projects(t.Context()); err == nil {
		t.Error("the old token is taken")
	}
	if _, err := api.Projects(t.Context()); err != nil {
		t.Errorf("the new token: %v", err)
	}
}

// A server that takes the connection and says nothing must not hold a round
// after the controller was asked to stop.
func TestAnAnswerThatNeverComesEndsWithTheController(t *testing.T) {
	s := serve(t, setOf("1"), is("secret"))
	asked, end := make(chan struct{}), make(chan struct{})
	s.instead = func(http.ResponseWriter, *http.Request) { close(asked); <-end }
	defer close(end)
	api, err := NewAPI(s.options(t, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	begin := time.Now()
	if _, err := api.Projects(ctx); err == nil {
		t.Error("it answered")
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s to end", took)
	}
}
