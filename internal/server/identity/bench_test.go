package identity_test

import (
	"fmt"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/oidctest"
)

// BenchmarkExchange is what each call costs whose keys and org are known: the
// token verified, and a context token signed.
func BenchmarkExchange(b *testing.B) {
	for _, algorithm := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256} {
		b.Run(string(algorithm), func(b *testing.B) {
			w := newWorld(b)
			w.issuer.Publish(oidctest.NewKey(b, algorithm, "k"))
			w.record("acme", "ready", event.DataPlane{}, fmt.Sprintf(peopleOf, w.issuer.URL))
			e := call(w.issuer.Token(ada(nil)))
			for b.Loop() {
				if _, _, err := w.Exchange(b.Context(), e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
