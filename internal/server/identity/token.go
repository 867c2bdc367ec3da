package identity

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

const (
	// maxToken is twice the largest that providers are known to make: those of
	// AWS with tags, and those of Entra ID with 200 groups.
	maxToken = 16 << 10
	// Skew is how far the clocks of an issuer and of Freehold may be apart. It is
	// the only tolerance there is.
	Skew = 30 * time.Second
	// MaxLife is the longest life of a token, from iat to exp.
	MaxLife = 24 * time.Hour
)

// algorithms are those that prove that the issuer signed. With HMAC whoever can
// verify a token can also make one, and "none" proves nothing.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// brought are header fields by which a token would say how it wants to be verified.
var brought = []string{"crit", "jku", "jwk", "x5u", "b64", "zip", "enc"}

// token is what a JWT says. Nothing in it is verified.
type token struct {
	raw       string
	algorithm string
	kid       string
	kind      string // "typ", in lower case, without "application/"
	claims    claims

	issuer, subject       string
	audience              []string
	issued, begin, expiry time.Time // begin is zero where the token does not say
}

// access reports whether it is an access token of RFC 9068.
func (t token) access() bool { return t.kind == "at+jwt" }

// claims are a token's, by their names to the letter.
type claims map[string]json.RawMessage

// text is a claim that is a text.
func (c claims) text(name string) (string, bool) {
	var s string
	ok := c.read(name, &s)
	return s, ok
}

// read reports whether there is a claim of a type.
func (c claims) read(name string, into any) bool {
	raw, ok := c[name]
	return ok && !bytes.Equal(raw, []byte("null")) && json.Unmarshal(raw, into) == nil
}

// is reports whether a claim has a value; one that is no text is compared as JSON
// writes it.
func (c claims) is(name, value string) bool {
	if s, ok := c.text(name); ok {
		return s == value
	}
	raw := string(c[name])
	if raw != "true" && raw != "false" && (raw == "" || strings.Trim(raw, "0123456789") != "") {
		return false
	}
	return raw == value
}

// bearer is the token of an Authorization header (RFC 6750, section 2.1).
func bearer(header string) (string, error) {
	if header == "" {
		return "", refuse(TokenMissing, "there is no Authorization header")
	}
	scheme, raw, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || raw == "" || strings.ContainsAny(raw, " \t,") {
		return "", refuse(SchemeUnknown, "the Authorization header is not exactly one Bearer token")
	}
	if len(raw) > maxToken {
		return "", refuse(TokenTooLarge, "it has %d bytes, and at most %d are read", len(raw), maxToken)
	}
	return raw, nil
}

// parse reads a JWT. What it accepts is what every reader below it would read the
// same way: no name twice, in no other case, and no unusual form.
func parse(raw string) (token, error) {
	t := token{raw: raw}
	// Decoders overlook line breaks.
	if strings.Trim(raw, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return t, refuse(TokenMalformed, "it is not three parts of base64url")
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return t, refuse(TokenMalformed, "it has %d parts", len(parts))
	}
	header, err := object(parts[0])
	if err != nil {
		return t, refuse(TokenMalformed, "its header: %v", err)
	}
	if err := t.readHeader(header); err != nil {
		return t, err
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(parts[2]); err != nil || parts[2] == "" {
		return t, refuse(TokenMalformed, "its signature is not base64url")
	}
	if t.claims, err = object(parts[1]); err != nil {
		return t, refuse(TokenMalformed, "its claims: %v", err)
	}
	return t, t.readClaims()
}

func object(part string) (map[string]json.RawMessage, error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, err
	}
	var out map[string]json.RawMessage
	// This reader takes names to the letter, and refuses one that is there twice.
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, err
	}
	return out, nil
}

func (t *token) readHeader(header claims) error {
	var ok bool
	if t.algorithm, ok = header.text("alg"); !ok || !slices.Contains(algorithms, jose.SignatureAlgorithm(t.algorithm)) {
		return refuse(AlgorithmRefused, "algorithm %s", shown(string(header["alg"])))
	}
	for _, name := range brought {
		if _, there := header[name]; there {
			return refuse(HeaderRefused, "its header has %s", name)
		}
	}
	if _, there := header["kid"]; there {
		if t.kid, ok = header.text("kid"); !ok {
			return refuse(TokenMalformed, "its kid is not a text")
		}
	}
	if _, there := header["typ"]; there {
		if t.kind, ok = header.text("typ"); !ok {
			return refuse(TokenMalformed, "its typ is not a text")
		}
		t.kind = strings.TrimPrefix(strings.ToLower(t.kind), "application/")
	}
	return nil
}

// readToTheLetter are the claims that another reader would also find in another case.
var readToTheLetter = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "nonce", "at_hash", "_claim_names", "_claim_sources"}

func (t *token) readClaims() error {
	for name := range t.claims {
		if slices.ContainsFunc(readToTheLetter, func(known string) bool { return name != known && strings.EqualFold(name, known) }) {
			return refuse(TokenMalformed, "it has a claim %s", shown(name))
		}
	}
	var ok bool
	if t.issuer, ok = t.claims.text("iss"); !ok || t.issuer == "" {
		return refuse(ClaimMissing, "it has no iss")
	}
	if t.subject, ok = t.claims.text("sub"); !ok || t.subject == "" {
		return refuse(ClaimMissing, "it has no sub")
	}
	if one, ok := t.claims.text("aud"); ok {
		t.audience = []string{one}
	} else if !t.claims.read("aud", &t.audience) {
		return refuse(ClaimMissing, "it has no aud")
	}
	for _, m := range []struct {
		name string
		into *time.Time
	}{{"exp", &t.expiry}, {"iat", &t.issued}, {"nbf", &t.begin}} {
		raw, there := t.claims[m.name]
		if !there && m.name != "nbf" {
			return refuse(ClaimMissing, "it has no %s", m.name)
		}
		if !there {
			continue
		}
		if *m.into, ok = moment(string(raw)); !ok {
			return refuse(TokenMalformed, "its %s is %s", m.name, shown(string(raw)))
		}
	}
	return nil
}

// moment is a NumericDate (RFC 7519, section 2): seconds, perhaps with a fraction.
func moment(raw string) (time.Time, bool) {
	const last = 1 << 36 // beyond the year 4000
	if raw == "" || strings.Trim(raw, "0123456789.") != "" {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseFloat(raw, 64)
	if err != nil || seconds <= 0 || seconds > last {
		return time.Time{}, false
	}
	whole := int64(seconds)
	return time.Unix(whole, int64((seconds-float64(whole))*1e9)), true
}

// addressed reports why a token is not one that somebody may show now at a host.
func (t token) addressed(host string, now time.Time) error {
	switch {
	case len(t.audience) != 1 || t.audience[0] != host:
		return refuse(AudienceRefused, "it is for %s, expected %s and nothing else", shown(strings.Join(t.audience, " ")), host)
	case !now.Before(t.expiry.Add(Skew)):
		return refuse(TokenExpired, "it ended at %s", t.expiry.UTC().Format(time.RFC3339))
	case !t.begin.IsZero() && now.Add(Skew).Before(t.begin):
		return refuse(TokenNotYetValid, "it begins at %s", t.begin.UTC().Format(time.RFC3339))
	case now.Add(Skew).Before(t.issued):
		return refuse(TokenNotYetValid, "it is issued at %s", t.issued.UTC().Format(time.RFC3339))
	case !t.issued.Before(t.expiry) || t.expiry.Sub(t.issued) > MaxLife:
		return refuse(LifetimeTooLong, "it is good for %s, expected at most %s", t.expiry.Sub(t.issued), MaxLife)
	}
	return nil
}

// kinds says which kinds of tokens an issuer's callers show.
type kinds string

const (
	plainTokens  kinds = ""       // of jobs and workloads: no type, or JWT
	idTokens     kinds = "id"     // of people: ID tokens, and access tokens
	accessTokens kinds = "access" // of people: access tokens of RFC 9068 alone
)

// suits reports why a token is not of the kinds that an issuer's callers show.
//
// An ID token is for the client that it was issued to, which is its audience: a
// client registered under the org's host name. An authorized party that is
// somebody else would be a client to which Freehold's token was lent. An access
// token names the client that got it, and this is not Freehold: nothing is
// compared with it.
func (t token) suits(k kinds, host string) error {
	switch {
	case t.access() && k == plainTokens, !t.access() && k == accessTokens, !t.access() && t.kind != "" && t.kind != "jwt":
		return refuse(TypeRefused, "its type is %s", shown(t.kind))
	case t.access():
		for _, name := range []string{"client_id", "jti"} {
			if s, ok := t.claims.text(name); !ok || s == "" {
				return refuse(ClaimMissing, "it is an access token and has no %s (RFC 9068)", name)
			}
		}
		return nil
	}
	// A logout token (OpenID Connect Back-Channel Logout) has no type of its own everywhere.
	if _, there := t.claims["events"]; there {
		return refuse(TypeRefused, "it reports events")
	}
	if _, there := t.claims["azp"]; there && !t.claims.is("azp", host) {
		return refuse(PartyRefused, "its azp is %s, expected %s", shown(string(t.claims["azp"])), host)
	}
	return nil
}
