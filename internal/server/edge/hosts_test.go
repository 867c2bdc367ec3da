package edge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const base = "freehold.example.com"

var hosts = Hosts{Base: base, Operators: "op." + base, Port: 8443}

// asked is what of a request decides about its host.
type asked struct {
	host   string
	sni    string
	plain  bool   // no TLS
	header string // an HTTP/2 request's Host header beside :authority
	target string // default "/"
	method string // default GET
}

func (a asked) request() *http.Request {
	target := a.target
	if target == "" {
		target = "/"
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		u = nil
	}
	r := &http.Request{Method: a.method, Host: a.host, RequestURI: target, URL: u, Header: http.Header{}, ProtoMajor: 2, RemoteAddr: "192.0.2.1:1234"}
	if !a.plain {
		r.TLS = &tls.ConnectionState{ServerName: a.sni}
	}
	if a.header != "" {
		r.Header["Host"] = []string{a.header}
	}
	return r
}

func TestCanonical(t *testing.T) {
	acme := Host{Name: "acme." + base, Org: "acme"}
	const sni = "acme." + base
	for _, c := range []struct {
		reason string
		asked
		want    Host
		refused RefusedError
	}{
		{reason: "an org's host", asked: asked{host: sni, sni: sni}, want: acme},
		{reason: "with the one port", asked: asked{host: sni + ":8443", sni: sni}, want: acme},
		{reason: "in another case", asked: asked{host: "ACME.Freehold.Example.COM", sni: "Acme." + base}, want: acme},
		{reason: "the operators'", asked: asked{host: "op." + base, sni: "op." + base}, want: Host{Name: "op." + base}},
		{reason: "an org with digits and hyphens", asked: asked{host: "a-1-b." + base, sni: "a-1-b." + base}, want: Host{Name: "a-1-b." + base, Org: "a-1-b"}},
		{reason: "the same host as :authority and as header", asked: asked{host: sni, sni: sni, header: sni}, want: acme},

		{reason: "no host", asked: asked{sni: sni}, refused: RefusedError{400, NoHost}},
		{reason: "another port", asked: asked{host: sni + ":443", sni: sni}, refused: RefusedError{400, HostPort}},
		{reason: "the port, written otherwise", asked: asked{host: sni + ":08443", sni: sni}, refused: RefusedError{400, HostPort}},
		{reason: "an empty port", asked: asked{host: sni + ":", sni: sni}, refused: RefusedError{400, HostPort}},
		{reason: "two ports", asked: asked{host: sni + ":8443:8443", sni: sni}, refused: RefusedError{400, HostPort}},
		{reason: "a trailing dot", asked: asked{host: sni + ".", sni: sni}, refused: RefusedError{400, HostSyntax}},
		{reason: "a trailing dot before the port", asked: asked{host: sni + ".:8443", sni: sni}, refused: RefusedError{400, HostSyntax}},
		{reason: "an empty label", asked: asked{host: "acme.." + base, sni: sni}, refused: RefusedError{400, HostSyntax}},
		{reason: "an underscore", asked: asked{host: "a_b." + base, sni: "a_b." + base}, refused: RefusedError{400, HostSyntax}},
		{reason: "an encoded dot", asked: asked{host: "acme%2e" + base, sni: sni}, refused: RefusedError{400, HostSyntax}},
		{reason: "two hosts", asked: asked{host: sni + ", globex." + base, sni: sni}, refused: RefusedError{400, HostSyntax}},
		{reason: "a user", asked: asked{host: "globex@" + sni, sni: sni}, refused: RefusedError{400, HostSyntax}},
		{reason: "the Kelvin sign, which Unicode folds to k", asked: asked{host: "\u212Aelvin." + base, sni: "kelvin." + base}, refused: RefusedError{400, HostSyntax}},
		{reason: "a full-width dot", asked: asked{host: "acme\uFF0E" + base, sni: sni}, refused: RefusedError{400, HostSyntax}},
		{reason: "a zero byte", asked: asked{host: "acme\x00." + base, sni: sni}, refused: RefusedError{400, HostSyntax}},
		{reason: "a line break", asked: asked{host: sni + "\n", sni: sni}, refused: RefusedError{400, HostSyntax}},
		{reason: "IPv6", asked: asked{host: "[::1]", sni: sni}, refused: RefusedError{400, HostPort}},
		{reason: "IPv4", asked: asked{host: "127.0.0.1", sni: "127.0.0.1"}, refused: RefusedError{400, HostUnknown}},
		{reason: "the base domain", asked: asked{host: base, sni: base}, refused: RefusedError{400, HostUnknown}},
		{reason: "two labels", asked: asked{host: "x.acme." + base, sni: "x.acme." + base}, refused: RefusedError{400, HostUnknown}},
		{reason: "a domain that ends like the base", asked: asked{host: "acme.evil" + base, sni: "acme.evil" + base}, refused: RefusedError{400, HostUnknown}},
		{reason: "an IDN", asked: asked{host: "xn--acm-epa." + base, sni: "xn--acm-epa." + base}, refused: RefusedError{400, HostUnknown}},
		{reason: "two letters that are not the operators'", asked: asked{host: "ab." + base, sni: "ab." + base}, refused: RefusedError{400, HostUnknown}},
		{reason: "more letters than an org has", asked: asked{host: strings.Repeat("a", 41) + "." + base, sni: sni}, refused: RefusedError{400, HostUnknown}},
		{reason: "somebody else's host", asked: asked{host: "acme.example.org", sni: "acme.example.org"}, refused: RefusedError{400, HostUnknown}},

		{reason: "a connection for another org", asked: asked{host: sni, sni: "globex." + base}, refused: RefusedError{421, TLSNameMismatch}},
		{reason: "a connection for nobody", asked: asked{host: sni}, refused: RefusedError{421, TLSNameMismatch}},
		{reason: "no TLS", asked: asked{host: sni, plain: true}, refused: RefusedError{421, TLSNameMismatch}},
		{reason: ":authority and Host differ", asked: asked{host: sni, sni: sni, header: "globex." + base}, refused: RefusedError{400, HostAmbiguous}},
		{reason: "an absolute target", asked: asked{host: sni, sni: sni, target: "https://" + sni + "/"}, refused: RefusedError{400, TargetForm}},
		{reason: "an asterisk", asked: asked{host: sni, sni: sni, target: "*", method: http.MethodOptions}, refused: RefusedError{400, TargetForm}},
		{reason: "a tunnel", asked: asked{host: sni, sni: sni, method: http.MethodConnect}, refused: RefusedError{400, TargetForm}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			got, err := hosts.Canonical(c.request())
			refused := &RefusedError{}
			if err != nil && !errors.As(err, &refused) {
				t.Fatal(err)
			}
			if got != c.want || *refused != c.refused {
				t.Errorf("got %+v, %v; want %+v, %v", got, err, c.want, &c.refused)
			}
		})
	}
}

func TestAnAbsoluteTargetIsRefusedHoweverItIsSeen(t *testing.T) {
	r := asked{host: "acme." + base, sni: "acme." + base}.request()
	r.URL.Host = "globex." + base
	if got, err := hosts.Canonical(r); err == nil {
		t.Errorf("accepted as %+v", got)
	}
}

func TestAConfigurationThatCouldBeReadInTwoWaysIsRefused(t *testing.T) {
	if err := hosts.Check(); err != nil {
		t.Error(err)
	}
	for reason, h := range map[string]Hosts{
		"no base":                                {Operators: "op.example.com"},
		"no operators' host":                     {Base: base},
		"the operators' host is an org's":        {Base: base, Operators: "operators." + base},
		"a base in upper case":                   {Base: "Freehold.example.com", Operators: "op.example.com"},
		"a base that an address could end with":  {Base: "0.0.1", Operators: "op.example.com"},
		"a base with a trailing dot":             {Base: base + ".", Operators: "op." + base},
		"a port that does not exist":             {Base: base, Operators: "op." + base, Port: 70000},
		"a base of one label, which the host of": {Base: "localhost", Operators: "op.localhost"},
	} {
		if h.Check() == nil {
			t.Errorf("%s: accepted", reason)
		}
	}
}

// oracle says which org a request reaches, in another way than Canonical does:
// by one pattern over what the request says, put together.
var oracle = regexp.MustCompile(`\A([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)\.[Ff][Rr][Ee][Ee][Hh][Oo][Ll][Dd]\.[Ee][Xx][Aa][Mm][Pp][Ll][Ee]\.[Cc][Oo][Mm](?::8443)?\z`)

func orgByOracle(a asked) string {
	m := oracle.FindStringSubmatch(a.host)
	if m == nil || len(m[1]) < 3 || len(m[1]) > 40 || a.plain || a.header != "" && a.header != a.host ||
		a.target != "" && a.target[0] != '/' || a.method == "CONNECT" {
		return ""
	}
	bare, _, _ := strings.Cut(a.host, ":")
	if len(bare) != len(a.sni) || !strings.EqualFold(bare, a.sni) || !ascii(a.sni) {
		return ""
	}
	return strings.ToLower(m[1])
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}

// checkAgainstOracle also demands that a request that names no org's host is refused.
func checkAgainstOracle(t testing.TB, a asked) (reached bool) {
	t.Helper()
	got, err := hosts.Canonical(a.request())
	if want := orgByOracle(a); got.Org != want {
		t.Errorf("%+v reaches %q, want %q", a, got.Org, want)
	}
	if got.Org == "" && err == nil && got.Name != hosts.Operators {
		t.Errorf("%+v is accepted as %+v", a, got)
	}
	return got.Org != ""
}

func FuzzCanonical(f *testing.F) {
	const acme = "acme." + base
	for _, host := range []string{
		acme, acme + ":8443", "ACME.Freehold.Example.COM", acme + ".", acme + ":443", "acme.." + base, "a_b." + base, "acme%2e" + base, "[::1]",
		"\u212Aelvin." + base, acme + ", globex." + base, "globex@" + acme, "", base, "x." + acme, "xn--acm-epa." + base, "op." + base,
	} {
		f.Add(host, acme, "", "/", false)
		f.Add(host, host, "", "/", false)
	}
	f.Add(acme, acme, "globex."+base, "/", false)
	f.Add("globex."+base, acme, "", "https://acme."+base+"/", false)
	f.Add(acme, acme, "", "//globex."+base+"/", false)
	f.Add(acme, acme, "", "/", true)
	f.Fuzz(func(t *testing.T, host, sni, header, target string, plain bool) {
		if target == "" {
			t.Skip("Go's servers refuse it")
		}
		if _, err := url.ParseRequestURI(target); err != nil {
			t.Skip("Go's servers refuse it")
		}
		checkAgainstOracle(t, asked{host: host, sni: sni, header: header, target: target, plain: plain})
	})
}

// How many hosts TestGeneratedHosts tries. A million take about 3 s.
const generatedVariable = "FREEHOLD_GENERATED_HOSTS"

func TestGeneratedHostsReachNoOrgButTheOneTheyName(t *testing.T) {
	n := 100_000
	if s := os.Getenv(generatedVariable); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	reached := 0
	for range n {
		if checkAgainstOracle(t, generated(random)) {
			reached++
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	// Hosts that are all refused would show nothing.
	if share := float64(reached) / float64(n); share < 0.1 || share > 0.7 {
		t.Errorf("%.0f %% of the hosts reach an org", 100*share)
	}
	t.Logf("%d of %d reach an org", reached, n)
}

// generated makes a request for a host that is right, or wrong in one to three places.
func generated(random *rand.Rand) asked {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	org := pick("acme", "globex", "a-b", "abc", "o8", "a", "acme-", "-acme", "a--b", "xn--bcher-kva", strings.Repeat("z", 40), strings.Repeat("z", 41), "op")
	domain := base
	if random.IntN(8) == 0 {
		domain = pick("freehold.example.org", "evil"+base, "example.com", base+"."+base, "x."+base, "", "localhost", "0.0.1")
	}
	host := org + "." + domain
	a := asked{sni: host}
	if random.IntN(4) == 0 {
		a.sni = pick("acme."+base, "globex."+base, "", "ACME."+base, host+".", strings.ToUpper(host))
	}
	if random.IntN(3) == 0 {
		host += pick(":8443", ":8443", ":8443", ":443", ":", ":08443", ":8443 ", ":84 43", ":８４４３")
	}
	for random.IntN(3) == 0 {
		switch at := random.IntN(len(host) + 1); random.IntN(4) {
		case 0:
			host = host[:at] + pick(".", "-", "_", "%2e", "\x00", "\t", " ", "@", ",", "/", "\\", "#", "é", "\u212A", "\uFF0E", "\u200B", "\xff", "[", "]", ":") + host[at:]
		case 1:
			host = host[:at] + strings.ToUpper(host[at:])
		case 2:
			host = host[:at]
		case 3:
			host = pick("acme.", "globex@", "https://", "//", ".", "[") + host
		}
	}
	a.host = host
	if random.IntN(8) == 0 {
		a.header = pick(host, host, "acme."+base, "globex."+base)
	}
	if random.IntN(16) == 0 {
		a.target = pick("/", "/x", "//globex."+base, "https://globex."+base+"/", "https://"+host+"/", "*")
		if _, err := url.ParseRequestURI(a.target); err != nil {
			a.target = ""
		}
	}
	a.plain = random.IntN(32) == 0
	return a
}

func BenchmarkCanonical(b *testing.B) {
	r := asked{host: "acme." + base + ":8443", sni: "acme." + base}.request()
	for b.Loop() {
		if _, err := hosts.Canonical(r); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOnlyHeadersOfTheListPassTheEdge(t *testing.T) {
	h := hosts
	h.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	sent := http.Header{}
	for _, name := range []string{
		"Authorization", "Content-Type", "Connect-Protocol-Version", "Grpc-Timeout", "Te", "Traceparent",
		"Freehold-Context", "Freehold-Org", "Freehold-Anything", "Freehold_context", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Client-Cert",
		"Forwarded", "X-Original-Host", "X-Original-Url", "X-Host", "X-Real-Ip", "X-Http-Host-Override", "X-Rewrite-Url", "True-Client-Ip", "X-Request-Id",
		"X-Http-Method-Override", "Cookie", "Via", "Tracestate", "Baggage", "Proxy-Authorization", "X-Amzn-Oidc-Data",
	} {
		sent[name] = []string{"globex"}
	}
	pass := []string{"Authorization", "Connect-Protocol-Version", "Content-Type", "Grpc-Timeout", "Te", "Traceparent"}
	for peer, want := range map[string][]string{
		"192.0.2.1:1":         pass,
		"10.1.2.3:1":          append(slices.Clip(pass), "X-Forwarded-For"),
		"[::ffff:10.1.2.3]:1": append(slices.Clip(pass), "X-Forwarded-For"),
		"":                    pass,
	} {
		r := asked{host: "acme." + base, sni: "acme." + base}.request()
		r.Header, r.RemoteAddr = sent.Clone(), peer
		r.Trailer = http.Header{"Freehold-Context": {"globex"}}
		var got http.Header
		h.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = r.Header
			if r.Trailer != nil {
				t.Errorf("trailers pass: %v", r.Trailer)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
		wanted := http.Header{}
		for _, name := range want {
			wanted[name] = []string{"globex"}
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("from %s (-want +got):\n%s", peer, diff)
		}
	}
}

func TestTheClientsAddressIsTheOneThatTheOutermostProxySaw(t *testing.T) {
	h := hosts
	h.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct{ reason, peer, forwarded, want string }{
		{"no proxy", "192.0.2.1:1", "", "192.0.2.1"},
		{"no proxy, and a claim", "192.0.2.1:1", "198.51.100.1", "192.0.2.1"},
		{"one proxy", "10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"two proxies", "10.0.0.1:1", "198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"a client that claims an address", "10.0.0.1:1", "203.0.113.9, 198.51.100.1", "198.51.100.1"},
		{"a client that claims to be a proxy", "10.0.0.1:1", "203.0.113.9, 10.9.9.9, 198.51.100.1", "198.51.100.1"},
		{"not an address", "10.0.0.1:1", "unknown", "10.0.0.1"},
		{"a proxy that says nothing", "[fd00::1]:1", "", "fd00::1"},
		{"IPv4 in IPv6", "10.0.0.1:1", "::ffff:198.51.100.1", "198.51.100.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := fmt.Sprint(h.ClientAddr(r)); got != c.want {
			t.Errorf("%s: %s, want %s", c.reason, got, c.want)
		}
	}
}
