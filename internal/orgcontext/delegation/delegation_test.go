package delegation

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"

	"freehold.dev/freehold/internal/server/mtls"
)

const domain = "freehold.example"

var (
	gateway  = mtls.ID(domain, "gateway")
	control  = mtls.ID(domain, "control")
	worker   = mtls.ID(domain, "worker")
	identity = mtls.ID(domain, "identity")
)

// noon is when every token of these tests is made.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// source is that of a service whose clock stands at noon.
func source(t testing.TB, dir, service string) mtls.Source {
	t.Helper()
	s, err := mtls.BuiltIn(filepath.Join(dir, "issuer"), domain, service, at(noon))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func acme() Claims {
	return Claims{
		Org: "acme", Subject: "user:https://login.acme.example#1234", Name: "ada@acme.example", Roles: []string{"viewer", "operator"},
		Act: []string{gateway.String()}, Audience: control.String(), Request: "req-1", Host: "acme.freehold.example.com",
		Issued: noon, Expires: noon.Add(time.Minute),
	}
}

func fleet() Claims {
	c := acme()
	c.Org, c.Fleet, c.Roles, c.Host = "", true, []string{"fleet-viewer"}, "op.freehold.example.com"
	return c
}

func signed(t testing.TB, s x509svid.Source, c Claims) string {
	t.Helper()
	token, err := NewSigner(s).Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestWhatWasSignedIsWhatIsVerified(t *testing.T) {
	dir := t.TempDir()
	from := source(t, dir, "identity")
	v := NewVerifier(source(t, dir, "control"), identity, control, at(noon))
	through := acme()
	through.Act = []string{gateway.String(), worker.String(), identity.String()}
	nobody := acme()
	nobody.Name, nobody.Roles, nobody.Host = "", nil, ""
	for name, c := range map[string]Claims{"a person": acme(), "an operator": fleet(), "through several services": through, "without roles": nobody} {
		got, err := v.Verify(t.Context(), signed(t, from, c), c.Org, gateway)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c, got.Claims()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAContextIsThatOfTheTokensOrg(t *testing.T) {
	dir := t.TempDir()
	from := source(t, dir, "identity")
	v := NewVerifier(source(t, dir, "control"), identity, control, at(noon))
	org, err := v.Verify(t.Context(), signed(t, from, acme()), "acme", gateway)
	if err != nil {
		t.Fatal(err)
	}
	all, err := v.Verify(t.Context(), signed(t, from, fleet()), "", gateway)
	if err != nil {
		t.Fatal(err)
	}
	looking := fleet()
	looking.Subject, looking.Name, looking.Roles, looking.Host = "service:"+worker.String(), "", nil, ""
	service, err := v.Verify(t.Context(), signed(t, from, looking), "", gateway)
	if err != nil || !service.Fleet().Valid() || service.For("acme").Valid() || service.Context().Valid() {
		t.Errorf("a service that reads over the fleet: %+v, %v", service.For("acme"), err)
	}
	const actor = `user:https://login.acme.example#1234 "ada@acme.example"`
	for _, c := range []struct {
		what     string
		of       Verified
		org, may string
		whose    []string
	}{
		{"a token of acme", org, "acme", "", []string{"acme"}},
		{"a token of the fleet", all, "", "fleet", []string{"acme", "globex"}},
		{"no token", Verified{}, "", "", nil},
	} {
		if got := c.of.Context(); got.Org() != c.org || got.Valid() != (c.org != "") || got.Valid() && (got.Actor() != actor || got.Request() != "req-1") {
			t.Errorf("%s: the context is %+v", c.what, got)
		}
		if got := c.of.Fleet(); got.Valid() != (c.may == "fleet") || got.Valid() && (got.Actor() != actor || got.Request() != "req-1") {
			t.Errorf("%s: the right over the fleet is %+v", c.what, got)
		}
		for _, org := range []string{"acme", "globex", "", "Acme", "acme "} {
			if got := c.of.For(org); got.Valid() != slices.Contains(c.whose, org) || got.Valid() && (got.Org() != org || got.Actor() != actor) {
				t.Errorf("%s: for %q it is %+v", c.what, org, got)
			}
		}
		_, ok := From(Into(t.Context(), c.of))
		if ok != (c.org != "" || c.may != "") {
			t.Errorf("%s: carried on it is verified: %v", c.what, ok)
		}
	}
	if _, ok := From(t.Context()); ok {
		t.Error("a request without a token has a context")
	}
}

// What the signer refuses, a verifier refuses too: an identity service that
// forgets a check is not believed.
func TestClaimsThatNobodyShouldMake(t *testing.T) {
	dir := t.TempDir()
	from := source(t, dir, "identity")
	for name, change := range map[string]func(*Claims){
		"an org and the fleet":        func(c *Claims) { c.Fleet, c.Roles = true, nil },
		"neither":                     func(c *Claims) { c.Org = "" },
		"an upper-case org":           func(c *Claims) { c.Org = "Acme" },
		"an org with a dot":           func(c *Claims) { c.Org = "acme.globex" },
		"an internationalized org":    func(c *Claims) { c.Org = "xn--acm-9la" },
		"an org like the operators":   func(c *Claims) { c.Org = "op" },
		"a role of the fleet":         func(c *Claims) { c.Roles = []string{"viewer", "fleet-operator"} },
		"a role that does not exist":  func(c *Claims) { c.Roles = []string{"root"} },
		"a role twice":                func(c *Claims) { c.Roles = []string{"viewer", "viewer"} },
		"a host of another org":       func(c *Claims) { c.Host = "globex.freehold.example.com" },
		"no subject":                  func(c *Claims) { c.Subject = "" },
		"a subject of no kind":        func(c *Claims) { c.Subject = "ada" },
		"a kind alone":                func(c *Claims) { c.Subject = "user:" },
		"two lines in a subject":      func(c *Claims) { c.Subject += "\noperator" },
		"two lines in a name":         func(c *Claims) { c.Name = "ada\nroot" },
		"a name without end":          func(c *Claims) { c.Name = strings.Repeat("a", 321) },
		"no request":                  func(c *Claims) { c.Request = "" },
		"a request without end":       func(c *Claims) { c.Request = strings.Repeat("a", 129) },
		"nobody presents it":          func(c *Claims) { c.Act = nil },
		"a peer without identity":     func(c *Claims) { c.Act = []string{"gateway"} },
		"a later actor is no service": func(c *Claims) { c.Act = append(c.Act, "https://x") },
		"through too many":            func(c *Claims) { c.Act = slices.Repeat([]string{gateway.String()}, 5) },
		"an audience without identity": func(c *Claims) {
			c.Audience = "control"
		},
		"a life of an hour": func(c *Claims) { c.Expires = c.Issued.Add(time.Hour) },
		"no life":           func(c *Claims) { c.Expires = c.Issued },
		"an end before":     func(c *Claims) { c.Expires = c.Issued.Add(-time.Second) },
		"no times":          func(c *Claims) { c.Issued, c.Expires = time.Time{}, time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			c := acme()
			change(&c)
			if _, err := NewSigner(from).Sign(c); err == nil {
				t.Error("the signer signs it")
			}
			v := NewVerifier(source(t, dir, "control"), identity, control, at(noon))
			token := forged(t, svid(t, from), nil, written(c, identity.String()))
			if got, err := v.Verify(t.Context(), token, c.Org, gateway); !errors.Is(err, ErrRefused) || !cmp.Equal(got.Claims(), Claims{}) {
				t.Errorf("the verifier says %v: %+v", err, got.Claims())
			}
		})
	}
}

func TestATokenIsRefused(t *testing.T) {
	dir := t.TempDir()
	from := source(t, dir, "identity")
	ours := svid(t, from)
	foreign := svid(t, source(t, t.TempDir(), "identity"))
	other := svid(t, source(t, dir, "gateway"))
	good := signed(t, from, acme())
	body := func(change func(map[string]any)) map[string]any {
		text, err := json.Marshal(written(acme(), identity.String()))
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		return m
	}
	with := func(name string, value any) string {
		return forged(t, ours, nil, body(func(m map[string]any) { m[name] = value }))
	}
	without := func(name string) string {
		return forged(t, ours, nil, body(func(m map[string]any) { delete(m, name) }))
	}
	header := func(name string, value any) string {
		return forged(t, ours, map[string]any{name: value}, written(acme(), identity.String()))
	}
	parts := strings.Split(good, ".")
	seconds := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for name, c := range map[string]struct {
		token, org string
		peer       string
		now        time.Time
	}{
		"the good one":           {token: good},
		"five seconds early":     {token: good, now: noon.Add(-Skew)},
		"nearly at its end":      {token: good, now: noon.Add(MaxLife + Skew - time.Second)},
		"too early":              {token: good, now: noon.Add(-Skew - time.Second)},
		"at its end":             {token: good, now: noon.Add(MaxLife + Skew)},
		"years later":            {token: good, now: noon.AddDate(1, 0, 0)},
		"none":                   {token: ""},
		"a word":                 {token: "acme"},
		"dots":                   {token: ".."},
		"without signature":      {token: parts[0] + "." + parts[1] + "."},
		"two parts":              {token: parts[0] + "." + parts[1]},
		"four parts":             {token: good + ".x"},
		"another one's claims":   {token: parts[0] + "." + strings.Split(signed(t, from, fleet()), ".")[1] + "." + parts[2]},
		"as JSON":                {token: `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`},
		"with white space":       {token: good + "\n"},
		"too long":               {token: good + strings.Repeat("A", maxToken)},
		"another presenter":      {token: good, peer: worker.String()},
		"no presenter":           {token: good, peer: "-"},
		"the callee itself":      {token: good, peer: control.String()},
		"another org's header":   {token: good, org: "globex"},
		"no org header":          {token: good, org: "-"},
		"an upper-case header":   {token: good, org: "ACME"},
		"an org header too many": {token: signed(t, from, fleet()), org: "acme"},

		"signed by another service":   {token: forged(t, other, nil, written(acme(), identity.String()))},
		"signed under another bundle": {token: forged(t, foreign, nil, written(acme(), identity.String()))},
		"with another's certificate":  {token: forged(t, &x509svid.SVID{Certificates: ours.Certificates, PrivateKey: other.PrivateKey}, nil, written(acme(), identity.String()))},
		"without certificate":         {token: header("x5c", nil)},
		"with an empty chain":         {token: header("x5c", []string{})},
		"with a broken certificate":   {token: header("x5c", []string{"AAAA"})},
		"with a chain without end":    {token: header("x5c", slices.Repeat([]string{base64.StdEncoding.EncodeToString(ours.Certificates[0].Raw)}, 5))},
		"with the CA as leaf":         {token: header("x5c", []string{base64.StdEncoding.EncodeToString(authority(t, from).Raw)})},
		"with another type":           {token: header("typ", "at+jwt")},
		"with the type JWT":           {token: header("typ", "JWT")},
		"without type":                {token: header("typ", nil)},
		"alg none":                    {token: header("alg", "none")},
		"alg none and no signature":   {token: unsigned(t, header("alg", "none"))},
		"alg HS256":                   {token: hs256(t, ours)},
		"alg ES384 of the same key":   {token: header("alg", "ES384")},
		"an RSA key":                  {token: rs256(t, ours)},
		"with a key id":               {token: header("kid", "1")},
		"with a key of its own":       {token: header("jwk", jose.JSONWebKey{Key: other.PrivateKey.Public()})},
		"with a key's address":        {token: header("jku", "https://keys.example")},
		"with a critical extension":   {token: header("crit", []string{"exp"})},
		"with a field in capitals":    {token: header("X5C", []string{})},
		"with its header twice":       {token: twice(t, ours, written(acme(), identity.String()))},

		"another issuer":      {token: with("iss", gateway.String())},
		"no issuer":           {token: without("iss")},
		"another audience":    {token: with("aud", worker.String())},
		"several audiences":   {token: with("aud", []string{control.String(), worker.String()})},
		"the audience twice":  {token: with("aud", []string{control.String(), control.String()})},
		"no audience":         {token: without("aud")},
		"an empty audience":   {token: with("aud", []string{})},
		"no actor":            {token: without("act")},
		"an empty actor":      {token: with("act", map[string]any{})},
		"the peer further in": {token: with("act", map[string]any{"sub": worker.String(), "act": map[string]any{"sub": gateway.String()}})},
		"no end":              {token: without("exp")},
		"no beginning":        {token: without("iat")},
		"an end in a year":    {token: with("exp", seconds(365*24*time.Hour))},
		"an end as text":      {token: with("exp", "soon")},
		"not yet":             {token: with("nbf", seconds(30*time.Second))},
		"issued later":        {token: forged(t, ours, nil, body(func(m map[string]any) { m["iat"], m["exp"] = seconds(30*time.Second), seconds(time.Minute) }))},
		"no subject":          {token: without("sub")},
		"no request":          {token: without("jti")},
		"no org":              {token: without("org"), org: "-"},
		"another org":         {token: with("org", "globex")},
		"org and fleet":       {token: with("fleet", true)},
		"a role as text":      {token: with("roles", "admin")},
		"a list":              {token: forged(t, ours, nil, []string{"acme"})},
		"nothing in it":       {token: forged(t, ours, nil, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			accepted := slices.Contains([]string{"the good one", "five seconds early", "nearly at its end"}, name)
			now, org, peer := noon, "acme", gateway
			if !c.now.IsZero() {
				now = c.now
			}
			if c.org != "" {
				org = strings.TrimPrefix(c.org, "-")
			}
			switch c.peer {
			case "":
			case "-":
				peer = noPeer
			case worker.String():
				peer = worker
			default:
				peer = control
			}
			v := NewVerifier(source(t, dir, "control"), identity, control, at(now))
			got, err := v.Verify(t.Context(), c.token, org, peer)
			if accepted != (err == nil) || !accepted && !errors.Is(err, ErrRefused) {
				t.Errorf("got %v", err)
			}
			if !accepted && (got.Context().Valid() || got.Fleet().Valid() || got.For("acme").Valid()) {
				t.Error("a refused token is somebody's")
			}
		})
	}
}

// A chain is remembered, and not for longer than it is good.
func TestARememberedChainIsCheckedAgain(t *testing.T) {
	dir := t.TempDir()
	from := source(t, dir, "identity")
	clock := noon
	bundle := source(t, dir, "control")
	v := NewVerifier(bundle, identity, control, func() time.Time { return clock })
	// A token of each minute, as the identity service would go on to sign with an
	// SVID that it cannot renew.
	verify := func() error {
		c := acme()
		c.Issued, c.Expires = clock, clock.Add(time.Minute)
		_, err := v.Verify(t.Context(), signed(t, from, c), "acme", gateway)
		return err
	}
	end := svid(t, from).Certificates[0].NotAfter
	for ; !clock.After(end); clock = clock.Add(10 * time.Second) {
		if err := verify(); err != nil {
			t.Fatalf("at %s: %v", clock, err)
		}
	}
	if err := verify(); err == nil {
		t.Error("an expired SVID's key is still believed")
	}
	clock = noon.Add(-time.Hour)
	if err := verify(); err == nil {
		t.Error("an SVID's key is believed before it began")
	}
}

// An authority that was removed signs nothing any more, at once.
func TestARememberedChainEndsWithItsBundle(t *testing.T) {
	dir := t.TempDir()
	from := source(t, dir, "identity")
	token := signed(t, from, acme())
	of := func(s mtls.Source) *x509bundle.Bundle {
		return x509bundle.FromX509Authorities(identity.TrustDomain(), []*x509.Certificate{authority(t, s)})
	}
	bundles := x509bundle.NewSet(of(from))
	v := NewVerifier(bundles, identity, control, at(noon))
	if _, err := v.Verify(t.Context(), token, "acme", gateway); err != nil {
		t.Fatal(err)
	}
	bundles.Add(of(source(t, t.TempDir(), "identity")))
	if _, err := v.Verify(t.Context(), token, "acme", gateway); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsRememberedThatWasNotVerified(t *testing.T) {
	dir := t.TempDir()
	v := NewVerifier(source(t, dir, "control"), identity, control, at(noon))
	for range 3 {
		foreign := svid(t, source(t, t.TempDir(), "identity"))
		if _, err := v.Verify(t.Context(), forged(t, foreign, nil, written(acme(), identity.String())), "acme", gateway); err == nil {
			t.Fatal("a foreign token was accepted")
		}
	}
	if n := len(v.chains.all); n != 0 {
		t.Errorf("%d foreign chains are remembered", n)
	}
	for range 3 * kept {
		if _, err := v.Verify(t.Context(), signed(t, source(t, dir, "identity"), acme()), "acme", gateway); err != nil {
			t.Fatal(err)
		}
		if n := len(v.chains.all); n == 0 || n > kept {
			t.Fatalf("%d chains are remembered, expected 1 to %d", n, kept)
		}
	}
}

// Many at once, while the SVID changes under the signer.
func TestSignerAndVerifierAreShared(t *testing.T) {
	dir := t.TempDir()
	s, v := NewSigner(source(t, dir, "identity")), NewVerifier(source(t, dir, "control"), identity, control, at(noon))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				token, err := s.Sign(acme())
				if err == nil {
					_, err = v.Verify(t.Context(), token, "acme", gateway)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestAnSVIDWithoutAP256KeySignsNothing(t *testing.T) {
	of := svid(t, source(t, t.TempDir(), "identity"))
	for name, key := range map[string]x509svid.SVID{
		"P-384": {ID: of.ID, Certificates: of.Certificates, PrivateKey: p384(t)},
		"RSA":   {ID: of.ID, Certificates: of.Certificates, PrivateKey: rsaKey(t)},
	} {
		if _, err := NewSigner(fixed{&key}).Sign(acme()); err == nil || !strings.Contains(err.Error(), "ec-p256") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzVerify changes a good token and its headers. Whatever is accepted says what
// the good token says.
func FuzzVerify(f *testing.F) {
	dir := f.TempDir()
	from := source(f, dir, "identity")
	good := signed(f, from, acme())
	v := NewVerifier(source(f, dir, "control"), identity, control, at(noon))
	f.Add(good, "acme")
	f.Add(signed(f, from, fleet()), "")
	f.Add("", "")
	f.Add("eyJhbGciOiJub25lIn0.e30.", "acme")
	f.Fuzz(func(t *testing.T, token, org string) {
		for _, token := range []string{token, good[:len(good)/2] + token, token + good[len(good)/2:]} {
			got, err := v.Verify(t.Context(), token, org, gateway)
			if err != nil {
				if !errors.Is(err, ErrRefused) || got.ok {
					t.Errorf("refused in another way: %v", err)
				}
				continue
			}
			want := map[string]Claims{"acme": acme(), "": fleet()}
			if c, ok := want[org]; !ok || !cmp.Equal(got.Claims(), c) {
				t.Errorf("for %q: %+v", org, got.Claims())
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	dir := b.TempDir()
	token := signed(b, source(b, dir, "identity"), acme())
	v := NewVerifier(source(b, dir, "control"), identity, control, at(noon))
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token, "acme", gateway); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	s := NewSigner(source(b, b.TempDir(), "identity"))
	for b.Loop() {
		if _, err := s.Sign(acme()); err != nil {
			b.Fatal(err)
		}
	}
}

func svid(t testing.TB, s x509svid.Source) *x509svid.SVID {
	t.Helper()
	v, err := s.GetX509SVID()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func authority(t *testing.T, s mtls.Source) *x509.Certificate {
	t.Helper()
	b, err := s.GetX509BundleForTrustDomain(identity.TrustDomain())
	if err != nil {
		t.Fatal(err)
	}
	return b.X509Authorities()[0]
}

// headerOf is the header of a good token of an SVID with changes; nil removes.
func headerOf(of *x509svid.SVID, changes map[string]any) map[string]any {
	var chain []string
	for _, c := range of.Certificates {
		chain = append(chain, base64.StdEncoding.EncodeToString(c.Raw))
	}
	h := map[string]any{"alg": "ES256", "typ": tokenType, "x5c": chain}
	maps.Copy(h, changes)
	maps.DeleteFunc(h, func(_ string, v any) bool { return v == nil })
	return h
}

func segment(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// forged is a token with a good signature of the SVID's key, whatever it says.
func forged(t *testing.T, by *x509svid.SVID, header map[string]any, body any) string {
	t.Helper()
	return es256(t, by, segment(t, headerOf(by, header))+"."+segment(t, body))
}

// twice has a header that says "alg" two times.
func twice(t *testing.T, by *x509svid.SVID, body any) string {
	t.Helper()
	text, err := json.Marshal(headerOf(by, nil))
	if err != nil {
		t.Fatal(err)
	}
	header := `{"alg":"none",` + string(text[1:])
	return es256(t, by, base64.RawURLEncoding.EncodeToString([]byte(header))+"."+segment(t, body))
}
