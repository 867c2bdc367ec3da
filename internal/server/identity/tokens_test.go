package identity_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/server/identity"
)

// ada are the claims of somebody of acme who may call.
func ada(change map[string]any) map[string]any {
	all := map[string]any{"sub": "1234", "aud": acmeHost, "email": "ada@acme.example", "groups": []string{"admins", "security"}}
	maps.Copy(all, change)
	return all
}

func TestAPersonOfTheOrgIsAcceptedWithTheRolesOfTheirGroups(t *testing.T) {
	w := newWorld(t)
	w.record("acme", "ready", event.DataPlane{}, fmt.Sprintf(peopleOf, w.issuer.URL))
	want := delegation.Claims{
		Org: "acme", Subject: "user:" + w.issuer.URL + "#1234", Name: "ada@acme.example", Roles: []string{"admin", "viewer"},
		Act: []string{gateway.String()}, Audience: control.String(), Request: "req-1", Host: acmeHost,
	}
	got := w.accepted(call(w.issuer.Token(ada(nil))))
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(delegation.Claims{}, "Issued", "Expires")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if life := got.Expires.Sub(got.Issued); life != delegation.MaxLife || time.Until(got.Expires) > delegation.MaxLife {
		t.Errorf("good for %s, until %s", life, got.Expires)
	}
	now := time.Now()
	for reason, c := range map[string]struct {
		claims map[string]any
		name   string
		roles  string
	}{
		"one group, as a text":              {ada(map[string]any{"groups": "audit"}), "ada@acme.example", "viewer"},
		"one audience, in a list":           {ada(map[string]any{"aud": []string{acmeHost}}), "ada@acme.example", "admin viewer"},
		"no e-mail":                         {ada(map[string]any{"email": nil}), "1234", "admin viewer"},
		"an e-mail that is not verified":    {ada(map[string]any{"email_verified": false}), "1234", "admin viewer"},
		"an e-mail of two lines":            {ada(map[string]any{"email": "ada\nroot"}), "1234", "admin viewer"},
		"an authorized party, the host":     {ada(map[string]any{"azp": acmeHost}), "ada@acme.example", "admin viewer"},
		"expired within the skew":           {ada(map[string]any{"iat": now.Add(-time.Hour).Unix(), "exp": now.Add(-20 * time.Second).Unix()}), "ada@acme.example", "admin viewer"},
		"issued in the future, by the skew": {ada(map[string]any{"iat": now.Add(20 * time.Second).Unix(), "nbf": now.Add(20 * time.Second).Unix()}), "ada@acme.example", "admin viewer"},
		"times with a fraction": {ada(map[string]any{
			"iat": json.Number(fmt.Sprint(now.Unix()) + ".5"), "exp": json.Number(fmt.Sprint(now.Add(time.Minute).Unix()) + ".25"),
		}), "ada@acme.example", "admin viewer"},
		"for a whole day": {ada(map[string]any{"iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix()}), "ada@acme.example", "admin viewer"},
	} {
		got := w.accepted(call(w.issuer.Token(c.claims)))
		if got.Name != c.name || strings.Join(got.Roles, " ") != c.roles || !got.Expires.After(got.Issued) {
			t.Errorf("%s: %+v", reason, got)
		}
	}
	// A context token ends no later than what it was given for.
	short := w.accepted(call(w.issuer.Token(ada(map[string]any{"iat": now.Add(-time.Hour).Unix(), "exp": now.Add(-25 * time.Second).Unix()}))))
	if life := short.Expires.Sub(short.Issued); life > 6*time.Second {
		t.Errorf("good for %s", life)
	}
}

// Each of these is a token that somebody could make. The answer outside is one.
func TestATokenWithAFaultIsRefused(t *testing.T) {
	w := newWorld(t)
	other, stranger := w.issuer.At("/globex"), w.issuer.At("/stranger")
	w.record("acme", "ready", event.DataPlane{}, fmt.Sprintf(peopleOf, w.issuer.URL))
	w.record("globex", "ready", event.DataPlane{}, fmt.Sprintf(peopleOf, other.URL))
	w.record("initech", "offboarded", event.DataPlane{}, fmt.Sprintf(peopleOf, w.issuer.URL))
	w.record("umbrella", "ready", event.DataPlane{})

	k := w.issuer.Key()
	header := func(change map[string]any) map[string]any {
		all := map[string]any{"alg": string(k.Algorithm), "kid": k.ID, "typ": "JWT"}
		maps.Copy(all, change)
		maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
		return all
	}
	with := func(change map[string]any) string { return w.issuer.Token(ada(change)) }
	signed := func(change map[string]any) string { return k.Sign(t, header(change), w.issuer.Claims(ada(nil))) }
	good := with(nil)
	claims, err := json.Marshal(w.issuer.Claims(ada(nil)))
	if err != nil {
		t.Fatal(err)
	}
	plain := `{"alg":"ES256","kid":"of-the-test"}`
	parts := strings.Split(good, ".")
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	rs := oidctest.NewKey(t, jose.RS256, k.ID)

	for reason, c := range map[string]struct {
		token string
		want  identity.Reason
	}{
		"expired":                          {with(map[string]any{"exp": at(-31 * time.Second)}), identity.TokenExpired},
		"expired long ago":                 {with(map[string]any{"iat": at(-48 * time.Hour), "exp": at(-47 * time.Hour)}), identity.TokenExpired},
		"not yet valid":                    {with(map[string]any{"nbf": at(40 * time.Second)}), identity.TokenNotYetValid},
		"issued in the future":             {with(map[string]any{"iat": at(40 * time.Second)}), identity.TokenNotYetValid},
		"good for more than a day":         {with(map[string]any{"exp": at(25 * time.Hour)}), identity.LifetimeTooLong},
		"ends before it begins":            {with(map[string]any{"iat": at(20 * time.Second), "exp": at(10 * time.Second)}), identity.LifetimeTooLong},
		"no end":                           {with(map[string]any{"exp": nil}), identity.ClaimMissing},
		"no beginning":                     {with(map[string]any{"iat": nil}), identity.ClaimMissing},
		"an end in words":                  {with(map[string]any{"exp": "tomorrow"}), identity.TokenMalformed},
		"an end that overflows":            {with(map[string]any{"exp": json.Number("1e300")}), identity.TokenMalformed},
		"a negative beginning":             {with(map[string]any{"iat": -1}), identity.TokenMalformed},
		"no issuer":                        {with(map[string]any{"iss": nil}), identity.ClaimMissing},
		"another issuer":                   {with(map[string]any{"iss": "https://login.example.com"}), identity.IssuerUnknown},
		"the issuer with a slash":          {with(map[string]any{"iss": w.issuer.URL + "/"}), identity.IssuerUnknown},
		"the issuer in another case":       {with(map[string]any{"iss": strings.ToUpper(w.issuer.URL)}), identity.IssuerUnknown},
		"an issuer that is a list":         {with(map[string]any{"iss": []string{w.issuer.URL}}), identity.ClaimMissing},
		"another org's issuer and host":    {other.Token(map[string]any{"sub": "1234", "aud": globeHost, "groups": []string{"admins"}}), identity.IssuerUnknown},
		"another org's issuer":             {other.Token(ada(nil)), identity.IssuerUnknown},
		"another org's key":                {other.Key().Sign(t, header(nil), w.issuer.Claims(ada(nil))), identity.SignatureWrong},
		"a stranger's issuer":              {stranger.Token(ada(nil)), identity.IssuerUnknown},
		"for another org's host":           {with(map[string]any{"aud": globeHost}), identity.AudienceRefused},
		"for the host with a port":         {with(map[string]any{"aud": acmeHost + ":8443"}), identity.AudienceRefused},
		"for the host's URL":               {with(map[string]any{"aud": "https://" + acmeHost}), identity.AudienceRefused},
		"for the host in another case":     {with(map[string]any{"aud": strings.ToUpper(acmeHost)}), identity.AudienceRefused},
		"for two hosts":                    {with(map[string]any{"aud": []string{acmeHost, globeHost}}), identity.AudienceRefused},
		"for the host twice":               {with(map[string]any{"aud": []string{acmeHost, acmeHost}}), identity.AudienceRefused},
		"for nobody":                       {with(map[string]any{"aud": []string{}}), identity.AudienceRefused},
		"no audience":                      {with(map[string]any{"aud": nil}), identity.ClaimMissing},
		"an audience that is a number":     {with(map[string]any{"aud": 7}), identity.ClaimMissing},
		"no subject":                       {with(map[string]any{"sub": nil}), identity.ClaimMissing},
		"an empty subject":                 {with(map[string]any{"sub": ""}), identity.ClaimMissing},
		"a subject of two lines":           {with(map[string]any{"sub": "a\nb"}), identity.SubjectRefused},
		"a subject without an end":         {with(map[string]any{"sub": strings.Repeat("a", 1000)}), identity.SubjectRefused},
		"issued to another client":         {with(map[string]any{"azp": "another-app"}), identity.PartyRefused},
		"issued to a list of clients":      {with(map[string]any{"azp": []string{acmeHost}}), identity.PartyRefused},
		"a logout token":                   {with(map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}), identity.TypeRefused},
		"no groups":                        {with(map[string]any{"groups": nil}), identity.GroupsMissing},
		"groups that are none":             {with(map[string]any{"groups": map[string]any{"admins": true}}), identity.GroupsMissing},
		"groups elsewhere":                 {with(map[string]any{"groups": nil, "_claim_names": map[string]any{"groups": "src"}, "_claim_sources": map[string]any{"src": map[string]any{"endpoint": stranger.URL}}}), identity.GroupsMissing},
		"no group with a role":             {with(map[string]any{"groups": []string{"staff", "Admins", "admins "}}), identity.RoleMissing},
		"algorithm none":                   {oidctest.Unsigned(`{"alg":"none"}`, string(claims)) + ".", identity.AlgorithmRefused},
		"algorithm None":                   {oidctest.Unsigned(`{"alg":"None"}`, string(claims)) + "." + parts[2], identity.AlgorithmRefused},
		"no algorithm":                     {signed(map[string]any{"alg": nil}), identity.AlgorithmRefused},
		"HS256 with the key as a secret":   {k.Confused(t, header(map[string]any{"alg": "HS256"}), w.issuer.Claims(ada(nil))), identity.AlgorithmRefused},
		"another algorithm than its key's": {signed(map[string]any{"alg": "RS256"}), identity.KeyUnknown},
		"a key of its own":                 {signed(map[string]any{"jwk": map[string]any{"kty": "EC"}}), identity.HeaderRefused},
		"a key elsewhere":                  {signed(map[string]any{"jku": stranger.URL + "/keys"}), identity.HeaderRefused},
		"a certificate elsewhere":          {signed(map[string]any{"x5u": stranger.URL}), identity.HeaderRefused},
		"a critical extension":             {signed(map[string]any{"crit": []string{"exp"}, "exp": 1}), identity.HeaderRefused},
		"an unencoded payload":             {signed(map[string]any{"b64": false}), identity.HeaderRefused},
		"compressed":                       {signed(map[string]any{"zip": "DEF"}), identity.HeaderRefused},
		"an unknown kid":                   {signed(map[string]any{"kid": "unknown"}), identity.KeyUnknown},
		"a kid that is a number":           {signed(map[string]any{"kid": 1}), identity.TokenMalformed},
		"another type":                     {signed(map[string]any{"typ": "logout+jwt"}), identity.TypeRefused},
		"a context token's type":           {signed(map[string]any{"typ": "freehold-context+jwt"}), identity.TypeRefused},
		"a type that is none":              {signed(map[string]any{"typ": 1}), identity.TokenMalformed},
		"an access token without a client": {signed(map[string]any{"typ": "at+jwt"}), identity.ClaimMissing},
		"signed with RSA under the kid":    {rs.Sign(t, header(nil), w.issuer.Claims(ada(nil))), identity.SignatureWrong},
		"a signature of something else":    {parts[0] + "." + strings.Split(with(map[string]any{"sub": "5678"}), ".")[1] + "." + parts[2], identity.SignatureWrong},
		"no signature":                     {parts[0] + "." + parts[1] + ".", identity.TokenMalformed},
		"two parts":                        {parts[0] + "." + parts[1], identity.TokenMalformed},
		"five parts":                       {good + ".a.b", identity.TokenMalformed},
		"padding":                          {parts[0] + "=." + parts[1] + "." + parts[2], identity.TokenMalformed},
		"a line break in it":               {parts[0] + ".\n" + parts[1] + "." + parts[2], identity.TokenMalformed},
		"JSON instead":                     {`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, identity.SchemeUnknown},
		"claims that are a list":           {k.SignText(t, plain, `["iss"]`), identity.TokenMalformed},
		"claims that are null":             {k.SignText(t, plain, `null`), identity.ClaimMissing},
		"something after its claims":       {k.SignText(t, plain, string(claims)+"{}"), identity.TokenMalformed},
		"an audience twice":                {k.SignText(t, plain, strings.Replace(string(claims), `{`, `{"aud":"`+globeHost+`",`, 1)), identity.TokenMalformed},
		"an issuer twice":                  {k.SignText(t, plain, strings.Replace(string(claims), `{`, `{"iss":"https://x",`, 1)), identity.TokenMalformed},
		"an audience in another case":      {k.SignText(t, plain, strings.Replace(string(claims), `{`, `{"Aud":"`+globeHost+`",`, 1)), identity.TokenMalformed},
		"a look-alike of iss":              {k.SignText(t, plain, strings.Replace(string(claims), `{`, `{"iſs":"https://x",`, 1)), identity.TokenMalformed},
		"an algorithm twice":               {k.SignText(t, `{"alg":"ES256","alg":"none"}`, string(claims)), identity.TokenMalformed},
		"too large":                        {with(map[string]any{"x": strings.Repeat("x", 17<<10)}), identity.TokenTooLarge},
		"empty":                            {"", identity.SchemeUnknown},
		"a word":                           {"token", identity.TokenMalformed},
		"two tokens":                       {good + " " + good, identity.SchemeUnknown},
		"two headers in one":               {good + ",Bearer " + good, identity.SchemeUnknown},
	} {
		if got := w.refused(call(c.token)); got != c.want {
			t.Errorf("%s: %s, want %s", reason, got, c.want)
		}
	}

	edit := func(change func(*identity.Exchange)) identity.Exchange {
		e := call(good)
		change(&e)
		return e
	}
	for reason, c := range map[string]struct {
		call identity.Exchange
		want identity.Reason
	}{
		"replayed at another org's host":  {edit(func(e *identity.Exchange) { e.Host = globeHost }), identity.IssuerUnknown},
		"at a host of no org":             {edit(func(e *identity.Exchange) { e.Host = "hooli." + base }), identity.OrgUnknown},
		"at the host of an org that left": {edit(func(e *identity.Exchange) { e.Host = "initech." + base }), identity.OrgUnknown},
		"at an org that lets in nobody":   {edit(func(e *identity.Exchange) { e.Host = "umbrella." + base }), identity.IssuerUnknown},
		"at the operators' host":          {edit(func(e *identity.Exchange) { e.Host = operators }), identity.OrgUnknown},
		"at the domain":                   {edit(func(e *identity.Exchange) { e.Host = base }), identity.HostUnknown},
		"at a host below the org's":       {edit(func(e *identity.Exchange) { e.Host = "x." + acmeHost }), identity.HostUnknown},
		"at no host":                      {edit(func(e *identity.Exchange) { e.Host = "" }), identity.HostUnknown},
		"at the host with a port":         {edit(func(e *identity.Exchange) { e.Host = acmeHost + ":8443" }), identity.HostUnknown},
		"for a procedure of nobody":       {edit(func(e *identity.Exchange) { e.Procedure = "/freehold.v1.OperationService/Nothing" }), identity.ProcedureUnknown},
		"for a procedure of operators":    {edit(func(e *identity.Exchange) { e.Procedure = listAll }), identity.ProcedureUnknown},
		"for another service":             {edit(func(e *identity.Exchange) { e.Audience = worker.String() }), identity.ProcedureUnknown},
		"by a service that is no gateway": {edit(func(e *identity.Exchange) { e.Presenter = worker }), identity.PresenterRefused},
		"by nobody":                       {edit(func(e *identity.Exchange) { e.Presenter = spiffeid.ID{} }), identity.PresenterRefused},
		"without a header":                {edit(func(e *identity.Exchange) { e.Authorization = "" }), identity.TokenMissing},
		"with a password":                 {edit(func(e *identity.Exchange) { e.Authorization = "Basic YWRhOmFkYQ==" }), identity.SchemeUnknown},
		"with a tab":                      {edit(func(e *identity.Exchange) { e.Authorization = "Bearer\t" + good }), identity.SchemeUnknown},
	} {
		if got := w.refused(c.call); got != c.want {
			t.Errorf("%s: %s, want %s", reason, got, c.want)
		}
	}
	if n := stranger.Fetched(); n > 0 {
		t.Errorf("a stranger's issuer was asked %d times", n)
	}
	w.accepted(call(good)) // it was good all the time
}

func TestPeopleWhoShowAccessTokensShowNoOthers(t *testing.T) {
	w := newWorld(t)
	w.record("acme", "ready", event.DataPlane{}, strings.Replace(fmt.Sprintf(peopleOf, w.issuer.URL), "usernameClaim", "tokens: access, usernameClaim", 1))
	w.record("globex", "ready", event.DataPlane{}, fmt.Sprintf(peopleOf, w.issuer.URL))
	k := w.issuer.Key()
	token := func(kind, host string, change map[string]any) string {
		claims := w.issuer.Claims(ada(map[string]any{"aud": host, "client_id": "cli", "jti": "1"}))
		maps.Copy(claims, change)
		return k.Sign(t, map[string]any{"alg": "ES256", "kid": k.ID, "typ": kind}, claims)
	}
	for _, kind := range []string{"at+jwt", "AT+JWT", "application/at+jwt"} {
		w.accepted(call(token(kind, acmeHost, nil)))
	}
	// It names the client that got it, and that is not us.
	w.accepted(call(token("at+jwt", acmeHost, map[string]any{"azp": "cli"})))
	if got := w.refused(call(token("JWT", acmeHost, nil))); got != identity.TypeRefused {
		t.Errorf("an ID token: %s", got)
	}
	if got := w.refused(call(w.issuer.Token(ada(nil)))); got != identity.TypeRefused {
		t.Errorf("a token of no type: %s", got)
	}
	if got := w.refused(call(token("at+jwt", acmeHost, map[string]any{"client_id": ""}))); got != identity.ClaimMissing {
		t.Errorf("without a client: %s", got)
	}
	// Where ID tokens are taken, access tokens are, too.
	e := call(token("at+jwt", globeHost, nil))
	e.Host = globeHost
	w.accepted(e)
}
