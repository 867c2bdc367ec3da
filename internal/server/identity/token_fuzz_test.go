package identity

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func FuzzWhatIsReadOfATokenIsWhatEveryOtherReaderReads(f *testing.F) {
	for _, claims := range []string{
		`{"iss":"https://a","sub":"b","aud":"c","exp":2,"iat":1}`,
		`{"iss":"https://a","sub":"b","aud":["c"],"exp":2.5,"iat":1,"nbf":1,"groups":["x"]}`,
		`{"iss":"https://a","Iss":"https://b","sub":"b","aud":"c","exp":2,"iat":1}`,
		`{"iss":"https://a","sub":"b","aud":"c","exp":2,"exp":3,"iat":1}`,
		`{"iss":"https://a","sub":"b","aud":["c",null],"exp":1e400,"iat":-0}`,
		`{"i\u0073s":"https://a","sub":"\ud800","aud":"c","exp":2,"iat":1}`,
		`[]`, `null`, `{`, `{"aud":{}}`, "\ufeff{}",
	} {
		f.Add(`{"alg":"ES256","kid":"a"}`, claims)
	}
	f.Add(`{"alg":"none"}`, `{}`)
	f.Add(`{"alg":"ES256","alg":"HS256"}`, `{}`)
	f.Add(`{"alg":"ES256","crit":[]}`, `{}`)
	f.Fuzz(func(t *testing.T, header, payload string) {
		raw := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
		got, err := parse(raw)
		if err != nil {
			return
		}
		var is struct {
			Iss, Sub string
			Aud      any
			Exp, Iat float64
		}
		var head struct{ Alg, Kid string }
		if err := json.Unmarshal([]byte(payload), &is); err != nil {
			t.Fatalf("%s is no JSON to others: %v", payload, err)
		}
		if err := json.Unmarshal([]byte(header), &head); err != nil {
			t.Fatalf("%s is no JSON to others: %v", header, err)
		}
		if is.Iss != got.issuer || is.Sub != got.subject || got.issuer == "" || got.subject == "" {
			t.Errorf("iss %q and sub %q, and to others %q and %q", got.issuer, got.subject, is.Iss, is.Sub)
		}
		if head.Alg != got.algorithm || !strings.Contains("RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA", got.algorithm) {
			t.Errorf("alg %q, and to others %q", got.algorithm, head.Alg)
		}
		var audience []string
		switch a := is.Aud.(type) {
		case string:
			audience = []string{a}
		case []any:
			for _, one := range a {
				s, _ := one.(string)
				audience = append(audience, s)
			}
		}
		if len(audience)+len(got.audience) > 0 && !reflect.DeepEqual(audience, got.audience) {
			t.Errorf("aud %q, and to others %q", got.audience, audience)
		}
		if d := got.expiry.Sub(time.Unix(int64(is.Exp), 0)); d < 0 || d > time.Second {
			t.Errorf("exp %s, and to others %f", got.expiry, is.Exp)
		}
		// Whatever it is, no token is good at two hosts, or for ever.
		if got.addressed("c", got.issued) == nil && (got.addressed("d", got.issued) == nil || got.addressed("c", got.issued.Add(MaxLife+Skew)) == nil) {
			t.Errorf("good at two hosts, or for ever: %s", payload)
		}
	})
}
