package delegation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/internal/claim"
)

// ErrRefused is wrapped by every error of Verify. Its text is for Freehold's own
// logs: whoever sent the token is told nothing.
var ErrRefused = errors.New("the context token is refused")

// maxToken bounds what is parsed: an SVID with three authorities above it, and
// claims as long as they may be, are half of it.
const maxToken = 16 << 10

// Verifier verifies the tokens for one service. It is safe for use by several
// goroutines.
type Verifier struct {
	identity, own spiffeid.ID
	chains        *chains
	now           func() time.Time
}

// NewVerifier verifies for the service own what identity signed, by the
// authorities in bundle.
func NewVerifier(bundle x509bundle.Source, identity, own spiffeid.ID, now func() time.Time) *Verifier {
	return &Verifier{identity: identity, own: own, chains: newChains(bundle, identity), now: now}
}

// Verify says for whom a request is made that peer presented with the token and
// the header for the org.
func (v *Verifier) Verify(_ context.Context, token, orgHeader string, peer spiffeid.ID) (Verified, error) {
	c, err := v.verify(token, orgHeader, peer)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return Verified{claims: c, ok: true}, nil
}

func (v *Verifier) verify(token, orgHeader string, peer spiffeid.ID) (Claims, error) {
	c, err := v.claimed(token)
	switch {
	case err != nil:
		return Claims{}, err
	case peer.IsZero() || c.Act[0] != peer.String():
		return Claims{}, fmt.Errorf("it was given to %s, and %s presents it", c.Act[0], peer)
	case c.Org != orgHeader:
		return Claims{}, fmt.Errorf("it is for org %q, and the request says %q", c.Org, orgHeader)
	}
	return c, nil
}

// claimed is what a token says that the identity service signed for own, and that
// is good now.
func (v *Verifier) claimed(token string) (Claims, error) {
	now := v.now()
	p, err := v.open(token, now)
	if err != nil {
		return Claims{}, err
	}
	if p.Issuer != v.identity.String() {
		return Claims{}, fmt.Errorf("it was issued by %q, expected %s", p.Issuer, v.identity)
	}
	if len(p.Audience) != 1 {
		return Claims{}, fmt.Errorf("it has %d audiences, expected one", len(p.Audience))
	}
	if p.Issued == nil || p.Expires == nil {
		return Claims{}, errors.New("it does not say when it begins and ends")
	}
	if p.Begins != nil && now.Add(Skew).Before(p.Begins.Time()) {
		return Claims{}, fmt.Errorf("it is good from %s", p.Begins.Time().UTC().Format(time.RFC3339))
	}
	c := p.claims()
	c.Audience = p.Audience[0]
	if err := errors.Join(c.check(), c.current(now)); err != nil {
		return Claims{}, err
	}
	if c.Audience != v.own.String() {
		return Claims{}, fmt.Errorf("it is for %s, and this is %s", c.Audience, v.own)
	}
	return c, nil
}

// open returns what the identity service signed.
func (v *Verifier) open(token string, now time.Time) (payload, error) {
	if token == "" {
		return payload{}, errors.New("there is none")
	}
	if len(token) > maxToken {
		return payload{}, fmt.Errorf("it has %d bytes, and at most %d are read", len(token), maxToken)
	}
	// The library would overlook white space, and read JSON as well.
	if !compact(token) {
		return payload{}, errors.New("it is not a JWT")
	}
	header, _, _ := strings.Cut(token, ".")
	key, err := v.chains.key(header, now)
	if err != nil {
		return payload{}, err
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return payload{}, err
	}
	body, err := signed.Verify(key)
	if err != nil {
		return payload{}, err
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return payload{}, err
	}
	return p, nil
}

// compact reports whether a text is three parts of base64url.
func compact(token string) bool {
	dots := 0
	for i := range len(token) {
		switch c := token[i]; {
		case c == '.':
			dots++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return dots == 2
}

// Verified is for whom a request is made. Only Verify makes one; the zero value
// is for nobody.
type Verified struct {
	claims Claims
	ok     bool
}

var _ orgcontext.Authority = Verified{}

// Claims are what the identity service said. They are not to be changed.
func (v Verified) Claims() Claims { return v.claims }

// Context is that of the request's org, and nobody's for the fleet.
func (v Verified) Context() orgcontext.Context {
	if !v.ok || v.claims.Fleet {
		return orgcontext.Context{}
	}
	return orgcontext.Of(claim.Org{Org: v.claims.Org, Actor: v.claims.Actor(), Request: v.claims.Request})
}

// For is the context of the request's org, and nobody's for every other. Operators
// run the whole fleet: their request has the context of the org that it names, in
// the one service whose requests name one. A service that reads over the fleet has
// no such context: it asks for each org.
func (v Verified) For(org string) orgcontext.Context {
	switch {
	case v.ok && v.claims.Fleet && strings.HasPrefix(v.claims.Subject, "user:") && orgcontext.IsName(org):
		return orgcontext.Of(claim.Org{Org: org, Actor: v.claims.Actor(), Request: v.claims.Request})
	case org != v.claims.Org:
		return orgcontext.Context{}
	default:
		return v.Context()
	}
}

// Fleet is the right to read over all orgs if the request is the fleet's, and
// nobody's otherwise.
func (v Verified) Fleet() orgcontext.Fleet {
	if !v.ok || !v.claims.Fleet {
		return orgcontext.Fleet{}
	}
	return orgcontext.OfFleet(claim.Fleet{Actor: v.claims.Actor(), Request: v.claims.Request})
}

type key struct{}

// Into returns a context that carries v.
func Into(ctx context.Context, v Verified) context.Context { return context.WithValue(ctx, key{}, v) }

// From returns what Into put there.
func From(ctx context.Context) (Verified, bool) {
	v, ok := ctx.Value(key{}).(Verified)
	return v, ok && v.ok
}
