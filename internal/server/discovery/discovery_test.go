package discovery_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/server/discovery"
	"freehold.dev/freehold/internal/server/edge"
)

func ask(rule discovery.Rule, host, path string) *httptest.ResponseRecorder {
	hosts := edge.Hosts{Base: "freehold.example.com", Operators: "op.freehold.example.com", Port: 8443}
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host, r.TLS = host, &tls.ConnectionState{ServerName: strings.Split(host, ":")[0]}
	w := httptest.NewRecorder()
	hosts.Handler(rule.Handler()).ServeHTTP(w, r)
	return w
}

func TestTheAnswerFollowsFromTheHostAlone(t *testing.T) {
	both := discovery.Rule{Orgs: "https://login.example.com/realms/{org}", Operators: "https://login.example.com/ops"}
	for name, c := range map[string]struct {
		rule       discovery.Rule
		host, path string
		status     int
		body       string
	}{
		"an org": {both, "acme.freehold.example.com:8443", discovery.Path, 200,
			`{"authorization_servers":["https://login.example.com/realms/acme"],"bearer_methods_supported":["header"],"resource":"https://acme.freehold.example.com:8443"}`},
		"an org that nobody has": {both, "nobody-has-it.freehold.example.com", discovery.Path, 200,
			`{"authorization_servers":["https://login.example.com/realms/nobody-has-it"],"bearer_methods_supported":["header"],"resource":"https://nobody-has-it.freehold.example.com"}`},
		"the operators": {both, "op.freehold.example.com", discovery.Path, 200,
			`{"authorization_servers":["https://login.example.com/ops"],"bearer_methods_supported":["header"],"resource":"https://op.freehold.example.com"}`},
		"one issuer for all": {discovery.Rule{Orgs: "https://login.example.com"}, "acme.freehold.example.com", discovery.Path, 200,
			`{"authorization_servers":["https://login.example.com"],"bearer_methods_supported":["header"],"resource":"https://acme.freehold.example.com"}`},
		"no rule":                   {discovery.Rule{}, "acme.freehold.example.com", discovery.Path, 404, "404 page not found"},
		"no rule for the operators": {discovery.Rule{Orgs: both.Orgs}, "op.freehold.example.com", discovery.Path, 404, "404 page not found"},
		"another path":              {both, "acme.freehold.example.com", discovery.Path + "/x", 404, "404 page not found"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(c.rule, c.host, c.path)
			if w.Code != c.status || strings.TrimSpace(w.Body.String()) != c.body {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

func TestARuleIsAnHTTPSURL(t *testing.T) {
	for raw, ok := range map[string]bool{
		"": true, "https://login.example.com": true, "https://{org}.login.example.com/": true,
		"http://login.example.com": false, "login.example.com": false, "https://login.example.com?x={org}": false,
	} {
		for _, r := range []discovery.Rule{{Orgs: raw}, {Operators: strings.ReplaceAll(raw, "{org}", "op")}} {
			if err := r.Check(); (err == nil) != ok {
				t.Errorf("%+v: %v", r, err)
			}
		}
	}
}
