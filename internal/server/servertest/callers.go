package servertest

import (
	"fmt"
	"testing"
	"time"

	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/server/mtls"
)

// TrustDomain is that of the services of Callers.
const TrustDomain = "freehold.test"

// Callers makes contexts that were really signed and verified.
type Callers struct {
	signer   *delegation.Signer
	verifier *delegation.Verifier
	now      func() time.Time
	count    int
}

// NewCallers makes the identity and the control service of a test.
func NewCallers(t testing.TB, now func() time.Time) *Callers {
	t.Helper()
	dir := t.TempDir()
	source := func(service string) mtls.Source {
		s, err := mtls.BuiltIn(dir+"/spiffe", TrustDomain, service, now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	return &Callers{
		signer:   delegation.NewSigner(source("identity")),
		verifier: delegation.NewVerifier(source("control"), mtls.ID(TrustDomain, "identity"), mtls.ID(TrustDomain, "control"), now),
		now:      now,
	}
}

// Of is a caller of an org.
func (c *Callers) Of(t testing.TB, org string, roles ...string) delegation.Verified {
	t.Helper()
	return c.verified(t, delegation.Claims{Org: org, Roles: roles, Host: org + ".freehold.test"})
}

// Operator is a caller over the fleet.
func (c *Callers) Operator(t testing.TB, roles ...string) delegation.Verified {
	t.Helper()
	return c.verified(t, delegation.Claims{Fleet: true, Roles: roles, Host: "op.freehold.test"})
}

func (c *Callers) verified(t testing.TB, claims delegation.Claims) delegation.Verified {
	t.Helper()
	c.count++
	gateway := mtls.ID(TrustDomain, "gateway")
	claims.Subject, claims.Act, claims.Audience = "user:https://login.example.com#1", []string{gateway.String()}, mtls.ID(TrustDomain, "control").String()
	claims.Request, claims.Issued, claims.Expires = fmt.Sprint("req-", c.count), c.now(), c.now().Add(delegation.MaxLife)
	token, err := c.signer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.verifier.Verify(t.Context(), token, claims.Org, gateway)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
