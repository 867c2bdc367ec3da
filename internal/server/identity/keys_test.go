package identity_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/server/identity"
)

// acmeOnly is a world with acme and its people.
func acmeOnly(t *testing.T) *world {
	w := newWorld(t)
	w.record("acme", "ready", event.DataPlane{}, fmt.Sprintf(peopleOf, w.issuer.URL))
	return w
}

// token is one of acme's at the service's time, signed by a key.
func (w *world) token(k oidctest.Key) string {
	now := w.now()
	claims := w.issuer.Claims(ada(map[string]any{"iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}))
	header := map[string]any{"alg": string(k.Algorithm), "kid": k.ID}
	if k.ID == "" {
		delete(header, "kid")
	}
	return k.Sign(w.t, header, claims)
}

func (w *world) fetched(want int, when string) {
	w.t.Helper()
	if got := w.issuer.Fetched(); got != want {
		w.t.Errorf("%s: the keys were fetched %d times, want %d", when, got, want)
	}
}

func TestAKeyThatTheIssuerAddsIsTakenAndOneThatItWithdrawsIsNot(t *testing.T) {
	w := acmeOnly(t)
	first := w.issuer.Key()
	second, third := oidctest.NewKey(t, jose.RS256, "second"), oidctest.NewKey(t, jose.EdDSA, "third")
	w.accepted(call(w.token(first)))
	w.fetched(1, "at first")

	w.issuer.Publish(second, first)
	w.later(2 * time.Minute)
	w.accepted(call(w.token(second)))
	w.accepted(call(w.token(first)))
	w.fetched(2, "after a key that was not known")

	w.issuer.Publish(third)
	w.later(2 * time.Minute)
	w.accepted(call(w.token(first))) // nobody has asked since
	w.accepted(call(w.token(third)))
	w.fetched(3, "after all keys changed")
	for _, k := range []oidctest.Key{first, second} {
		if got := w.refused(call(w.token(k))); got != identity.KeyUnknown {
			t.Errorf("withdrawn key %s: %s", k.ID, got)
		}
	}
	w.fetched(3, "by keys that were withdrawn, within a minute")
}

// Without this a key would be good for as long as nobody comes with a newer one.
func TestAWithdrawnKeyIsNotGoodForEver(t *testing.T) {
	w := acmeOnly(t)
	first := w.issuer.Key()
	w.accepted(call(w.token(first)))
	w.issuer.Publish(oidctest.NewKey(t, jose.ES256, "second"))
	w.later(11 * time.Minute)
	_, _, _ = w.Exchange(t.Context(), call(w.token(first))) // it may be the last one, and has them fetched
	var got identity.Reason
	for begun := time.Now(); got == "" && time.Since(begun) < time.Minute; time.Sleep(time.Millisecond) {
		if _, _, err := w.Exchange(t.Context(), call(w.token(first))); err != nil {
			got = w.refused(call(w.token(first)))
		}
	}
	if got != identity.KeyUnknown {
		t.Errorf("after ten minutes: %s", got)
	}
	w.fetched(2, "after eleven minutes")
}

func TestWhileTheIssuerIsAwayItsKnownKeysGoOnForADay(t *testing.T) {
	w := acmeOnly(t)
	known, unknown := w.issuer.Key(), oidctest.NewKey(t, jose.ES256, "unknown")
	w.accepted(call(w.token(known)))
	asked := 0
	var mu sync.Mutex
	w.issuer.Answer(func(rw http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		rw.WriteHeader(http.StatusServiceUnavailable)
	})
	for minute := range 5 {
		w.later(61 * time.Second)
		for range 20 {
			w.accepted(call(w.token(known)))
			if got := w.refused(call(w.token(unknown))); got != identity.IssuerUnavailable {
				t.Errorf("minute %d, a key that is not known: %s", minute, got)
			}
		}
		mu.Lock()
		if asked != minute+1 {
			t.Errorf("minute %d: the issuer was asked %d times", minute, asked)
		}
		mu.Unlock()
	}
	w.later(25 * time.Hour)
	if got := w.refused(call(w.token(known))); got != identity.IssuerUnavailable {
		t.Errorf("after a day: %s", got)
	}
	w.issuer.Answer(nil)
	w.later(61 * time.Second)
	w.accepted(call(w.token(known)))
}

func TestAnIssuerThatHangsHoldsUpNobodyButItsNewKeys(t *testing.T) {
	w := acmeOnly(t)
	known, unknown := w.issuer.Key(), oidctest.NewKey(t, jose.ES256, "unknown")
	w.accepted(call(w.token(known)))
	release := make(chan struct{})
	defer close(release)
	w.issuer.Answer(func(http.ResponseWriter, *http.Request) { <-release })
	w.later(11 * time.Minute)

	begun := time.Now()
	done := make(chan identity.Reason, 8)
	for range cap(done) {
		go func() { done <- w.refused(call(w.token(unknown))) }()
	}
	for range 20 {
		w.accepted(call(w.token(known)))
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("calls with a known key took %s", took)
	}
	for range cap(done) {
		if got := <-done; got != identity.IssuerUnavailable {
			t.Errorf("a key that is not known: %s", got)
		}
	}
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("calls with an unknown key took %s", took)
	}
	begun = time.Now()
	if got := w.refused(call(w.token(unknown))); got != identity.IssuerUnavailable || time.Since(begun) > time.Second {
		t.Errorf("the next one: %s, after %s", got, time.Since(begun))
	}
	w.fetched(2, "of an issuer that hangs")
}

func TestManyCallsAtOnceFetchKeysOnce(t *testing.T) {
	w := acmeOnly(t)
	k := w.issuer.Key()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { w.accepted(call(w.token(k))) })
	}
	wg.Wait()
	w.fetched(1, "by fifty calls")
	for n := range 50 {
		other := oidctest.NewKey(t, jose.ES256, fmt.Sprint("unknown-", n))
		if got := w.refused(call(w.token(other))); got != identity.KeyUnknown {
			t.Errorf("an unknown key: %s", got)
		}
	}
	w.fetched(1, "by fifty unknown keys within the minute")
}

func TestATokenWithoutAKidIsGoodWhereTheIssuerHasOneKey(t *testing.T) {
	w := acmeOnly(t)
	k := w.issuer.Key()
	nameless := k
	nameless.ID = ""
	w.accepted(call(w.token(nameless)))
	w.issuer.Publish(k, oidctest.NewKey(t, jose.ES256, "second"))
	w.later(2 * time.Minute)
	if got := w.refused(call(w.token(oidctest.NewKey(t, jose.ES256, "third")))); got != identity.KeyUnknown { // has them fetched
		t.Error(got)
	}
	if got := w.refused(call(w.token(nameless))); got != identity.KeyUnnamed {
		t.Errorf("with two keys: %s", got)
	}
	w.accepted(call(w.token(k)))
}

// An issuer's answers are a stranger's.
func TestAnIssuerThatAnswersOddlyIsTakenForAway(t *testing.T) {
	w := newWorld(t)
	trap := w.issuer.At("/trap")
	k := w.issuer.Key()
	keys := `{"keys":[]}`
	discovery := func(issuer, jwks string) string { return fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, issuer, jwks) }
	n := 0
	for reason, answer := range map[string]func(at string, rw http.ResponseWriter, r *http.Request){
		"a redirect": func(_ string, rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, trap.URL+"/.well-known/openid-configuration", http.StatusFound)
		},
		"another issuer's document": func(_ string, rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(rw, discovery(trap.URL, trap.URL+"/keys"))
		},
		"keys in the clear": func(at string, rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(rw, discovery(at, strings.Replace(trap.URL, "https:", "http:", 1)+"/keys"))
		},
		"keys in a file": func(at string, rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(rw, discovery(at, "file:///etc/passwd"))
		},
		"keys behind a password": func(at string, rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(rw, discovery(at, "https://a:b@127.0.0.1/keys"))
		},
		"no keys": func(at string, rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/keys") {
				fmt.Fprint(rw, keys)
				return
			}
			fmt.Fprint(rw, discovery(at, at+"/keys"))
		},
		"a symmetric key": func(at string, rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/keys") {
				fmt.Fprintf(rw, `{"keys":[{"kty":"oct","kid":%q,"k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`, k.ID)
				return
			}
			fmt.Fprint(rw, discovery(at, at+"/keys"))
		},
		"a short RSA key": func(at string, rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/keys") {
				fmt.Fprintf(rw, `{"keys":[{"kty":"RSA","kid":%q,"n":%q,"e":"AQAB"}]}`, k.ID, strings.Repeat("x", 170))
				return
			}
			fmt.Fprint(rw, discovery(at, at+"/keys"))
		},
		"an endless document": func(_ string, rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(rw, `{"issuer":"`, strings.Repeat("x", 70<<10), `"}`)
		},
		"a page": func(_ string, rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "<html>") },
	} {
		n++
		org := fmt.Sprint("org-", n)
		at := w.issuer.At("/" + org)
		at.Answer(func(rw http.ResponseWriter, r *http.Request) { answer(at.URL, rw, r) })
		w.record(org, "ready", event.DataPlane{}, fmt.Sprintf(peopleOf, at.URL))
		e := call(k.Sign(t, map[string]any{"alg": "ES256", "kid": k.ID}, at.Claims(ada(map[string]any{"aud": org + "." + base}))))
		e.Host = org + "." + base
		if got := w.refused(e); got != identity.IssuerUnavailable {
			t.Errorf("%s: %s", reason, got)
		}
	}
	if n := trap.Fetched(); n > 0 {
		t.Errorf("the trap was asked %d times", n)
	}
}

func TestAnIssuerWhoseCertificateNobodyTrustsIsTakenForAway(t *testing.T) {
	w := newWorld(t)
	other := oidctest.Serve(t)
	other.Answer(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	w.record("acme", "ready", event.DataPlane{}, fmt.Sprintf(peopleOf, other.URL))
	// Test servers share a certificate, so that this one is asked by another name.
	named := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	w.record("globex", "ready", event.DataPlane{}, fmt.Sprintf(peopleOf, named))
	e := call(other.Token(map[string]any{"iss": named, "aud": globeHost, "sub": "1", "groups": "admins"}))
	e.Host = globeHost
	if got := w.refused(e); got != identity.IssuerUnavailable {
		t.Error(got)
	}
}
