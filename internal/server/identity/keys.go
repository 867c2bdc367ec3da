package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// fetchEvery is the shortest time between two fetches of an issuer's keys,
	// whatever tokens say and whether it answers or not.
	fetchEvery = time.Minute
	// fetchTimeout is how long a fetch may take, and so how long a call can wait for one.
	fetchTimeout = 3 * time.Second
	// refreshAfter is how old keys may be before they are fetched again: so long a key
	// lives that its issuer has withdrawn.
	refreshAfter = 10 * time.Minute
	// believedFor is how long keys are good of an issuer that does not answer.
	believedFor = 24 * time.Hour
	// unusedFor is how long the keys of an issuer are kept that nobody comes with.
	unusedFor = 2 * time.Hour

	maxDiscovery = 64 << 10
	maxKeySet    = 512 << 10
	maxKeys      = 100
	minRSABits   = 2048
)

// issuers has the keys of all issuers that were asked for. An issuer of several
// orgs is fetched once.
type issuers struct {
	client *http.Client
	now    func() time.Time

	mu  sync.Mutex
	all map[string]*keySet
}

func newIssuers(transport http.RoundTripper, now func() time.Time) *issuers {
	return &issuers{now: now, all: map[string]*keySet{}, client: &http.Client{
		Transport: transport,
		// The keys of an issuer are where it says, and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// of is the key set of an issuer that an org's access names.
func (i *issuers) of(url string) *keySet {
	i.mu.Lock()
	defer i.mu.Unlock()
	k, ok := i.all[url]
	if !ok {
		k = &keySet{issuer: url, client: i.client, now: i.now, used: i.now()}
		i.all[url] = k
	}
	return k
}

// refresh fetches the keys again that are in use and old, and forgets the others.
func (i *issuers) refresh(ctx context.Context) {
	var old []*keySet
	i.mu.Lock()
	for url, k := range i.all {
		switch k.state() {
		case unused:
			delete(i.all, url)
		case aged:
			old = append(old, k)
		case fresh:
		}
	}
	i.mu.Unlock()
	places := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for _, k := range old {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			_ = k.fetch(ctx) // it is noted in the set, and tried again
		})
	}
	wg.Wait()
}

// keySet has the keys of one issuer. It is an oidc.KeySet that fetches at most
// once a minute, and goes on with what it knows while the issuer is away.
type keySet struct {
	issuer string
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // the last time that the issuer answered
	tried   time.Time
	used    time.Time
	failure error         // of the last try; nil: it succeeded
	trying  chan struct{} // closed when the try ends that is under way; nil: there is none
}

type age int

const (
	fresh age = iota
	aged
	unused
)

func (k *keySet) state() age {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	switch {
	case k.trying != nil:
		return fresh
	case now.Sub(k.used) > unusedFor:
		return unused
	case now.Sub(k.fetched) > refreshAfter:
		return aged
	}
	return fresh
}

// candidates are the keys that a token may be signed with: by its kid, or the
// only one of an issuer that names none.
func (k *keySet) candidates(kid, algorithm string) (found []jose.JSONWebKey, several bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	k.used = now
	if now.Sub(k.fetched) > believedFor {
		return nil, false
	}
	if kid == "" && len(k.keys) > 1 {
		return nil, true
	}
	for _, key := range k.keys {
		if (kid == "" || key.KeyID == kid) && (key.Algorithm == "" || key.Algorithm == algorithm) && fits(key, algorithm) {
			found = append(found, key)
		}
	}
	return found, false
}

// fits reports whether an algorithm is one for a key: of two keys with one kid,
// or for one key two algorithms, only this pair is tried.
func fits(key jose.JSONWebKey, algorithm string) bool {
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return algorithm[:2] == "RS" || algorithm[:2] == "PS"
	case *ecdsa.PublicKey:
		return map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[algorithm] == public.Curve
	case ed25519.PublicKey:
		return algorithm == string(jose.EdDSA)
	}
	return false
}

// verify returns what a key of the issuer has signed.
func (k *keySet) verify(ctx context.Context, t token) ([]byte, error) {
	found, several := k.candidates(t.kid, t.algorithm)
	if several {
		return nil, refuse(KeyUnnamed, "it has no kid, and %s has several keys", k.issuer)
	}
	if len(found) == 0 {
		failed := k.fetch(ctx)
		if found, several = k.candidates(t.kid, t.algorithm); several {
			return nil, refuse(KeyUnnamed, "it has no kid, and %s has several keys", k.issuer)
		}
		if len(found) == 0 && failed != nil {
			return nil, refuse(IssuerUnavailable, "%v", failed)
		}
		if len(found) == 0 {
			return nil, refuse(KeyUnknown, "%s has no key %s for %s", k.issuer, shown(t.kid), t.algorithm)
		}
	} else if k.state() == aged {
		go func() { _ = k.fetch(context.WithoutCancel(ctx)) }() // the call goes on with what is known
	}
	signed, err := jose.ParseSignedCompact(t.raw, algorithms)
	if err != nil {
		return nil, refuse(TokenMalformed, "%v", err)
	}
	for _, key := range found {
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, refuse(SignatureWrong, "key %s of %s has not signed it", shown(t.kid), k.issuer)
}

// fetch asks the issuer for its keys, unless that was done less than a minute
// ago. It waits for a fetch that is under way. The error is that of the last one.
func (k *keySet) fetch(ctx context.Context) error {
	k.mu.Lock()
	now := k.now()
	if k.trying == nil && (k.tried.IsZero() || now.Sub(k.tried) >= fetchEvery) {
		k.tried, k.trying = now, make(chan struct{})
		go k.try(context.WithoutCancel(ctx)) // whoever waits may go: the others need it
	}
	trying := k.trying
	k.mu.Unlock()
	if trying != nil {
		select {
		case <-trying:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.failure
}

func (k *keySet) try(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, fetchTimeout)
	defer stop()
	keys, err := k.get(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		// What the issuer has withdrawn goes, whether something new came or not.
		k.keys, k.fetched = keys, k.now()
	}
	k.failure = err
	close(k.trying)
	k.trying = nil
}

// get asks the issuer where its keys are, and for those (OpenID Connect Discovery
// 1.0, sections 4.2 and 4.3).
func (k *keySet) get(ctx context.Context) ([]jose.JSONWebKey, error) {
	var discovered struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := k.read(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration", maxDiscovery, &discovered); err != nil {
		return nil, fmt.Errorf("discovery of %s: %w", k.issuer, err)
	}
	if discovered.Issuer != k.issuer {
		return nil, fmt.Errorf("discovery of %s: it calls itself %s", k.issuer, shown(discovered.Issuer))
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := k.read(ctx, discovered.JWKSURI, maxKeySet, &set); err != nil {
		return nil, fmt.Errorf("keys of %s: %w", k.issuer, err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("keys of %s: there are %d, and at most %d are read", k.issuer, len(set.Keys), maxKeys)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		// Others may have keys that we cannot read, for purposes of their own.
		if json.Unmarshal(raw, &key) == nil && usable(key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("keys of %s: none of %d can verify a signature", k.issuer, len(set.Keys))
	}
	return keys, nil
}

// usable leaves out keys for other purposes, weak ones, and those that the issuer
// should have kept to itself.
func usable(key jose.JSONWebKey) bool {
	if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
		return false
	}
	if public, ok := key.Key.(*rsa.PublicKey); ok {
		return public.N.BitLen() >= minRSABits
	}
	return true
}

func (k *keySet) read(ctx context.Context, from string, most int64, into any) error {
	u, err := url.Parse(from)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("%s is not an https URL", shown(from))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	res, err := k.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", u.Redacted(), res.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		return err
	}
	if int64(len(text)) > most {
		return fmt.Errorf("%s answers more than %d bytes", u.Redacted(), most)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return errors.New(u.Redacted() + " does not answer JSON of that kind")
	}
	return nil
}
