package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/oidctest"
)

// people are an identity provider, and who has tokens of it.
type people struct{ *oidctest.Issuer }

// newPeople is an identity provider that a machine with its roots trusts.
func newPeople(t *testing.T) people {
	t.Helper()
	if runtime.GOOS == "darwin" {
		t.Skip("NOT TESTED: macOS has its authorities in the keychain, and none by SSL_CERT_FILE")
	}
	return people{oidctest.Serve(t)}
}

// client is how the provider knows the cluster of these tests.
const client = "acme-kubernetes"

// provided adds an identity provider to a spec, with the prefix "acme:".
func (p people) provided(document []byte) []byte {
	return append(document, "cluster:\n  identityProvider: {issuerUrl: '"+p.URL+"', clientId: "+client+
		", usernameClaim: email, usernamePrefix: 'acme:', groupsClaim: groups, groupsPrefix: 'acme:', requiredClaims: {hd: acme.example}}\n"...)
}

// token is somebody's, in groups as the provider calls them.
func (p people) token(email string, groups ...string) string {
	return p.but(nil, email, groups...)
}

// but is a token that differs from somebody's in some claims.
func (p people) but(change map[string]any, email string, groups ...string) string {
	claims := map[string]any{"aud": client, "sub": "1", "email": email, "email_verified": true, "groups": groups, "hd": "acme.example"}
	maps.Copy(claims, change)
	return p.Token(claims)
}

func unauthorized(t *testing.T, what string, err error) {
	t.Helper()
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("%s: %v, want that it is nobody's", what, err)
	}
}

// TestPeopleComeAndGoWithTheIdentityProvider gives a cluster that exists an
// identity provider, another client of it, and takes it away again.
func TestPeopleComeAndGoWithTheIdentityProvider(t *testing.T) {
	t.Parallel()
	provider := newPeople(t)
	h, without := onboarded(t)
	h.roots = provider.Roots
	document, err := os.ReadFile(without)
	if err != nil {
		t.Fatal(err)
	}
	written := func(name string, text []byte) string {
		t.Helper()
		file := filepath.Join(h.dir, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	with := written("with.yaml", provider.provided(slices.Clone(document)))
	other := written("other.yaml", bytes.Replace(provider.provided(slices.Clone(document)), []byte(client), []byte("another"), 1))
	c := h.cluster(t, "acme")
	// becomes waits until the API server has read who its people are.
	becomes := func(token, want string) {
		t.Helper()
		var got string
		for range 120 {
			who, err := c.with(token).AuthenticationV1().SelfSubjectReviews().Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
			if err != nil && !apierrors.IsUnauthorized(err) {
				t.Fatal(err)
			}
			if got = who.Status.UserInfo.Username; got == want {
				return
			}
			time.Sleep(500 * time.Millisecond)
		}
		t.Errorf("the token is of %q, want %q", got, want)
	}
	// onboard returns what it did to the cluster layer.
	onboard := func(file string) map[string]int {
		t.Helper()
		h.want(2, "plan", "-f", file)
		for _, l := range decode[event.Onboarding](t, h.want(0, "onboard", "-f", file, "-o", "json")).Layers {
			if l.Layer == "cluster" {
				return l.Changes
			}
		}
		return nil
	}
	ada, adas := provider.token("ada@acme.example"), provider.but(map[string]any{"aud": "another"}, "ada@acme.example")
	h.want(0, "projects", "list", "acme") // it wakes the cluster
	becomes(ada, "")

	if did := onboard(with); did["create"] != 1 || did["delete"]+did["replace"]+did["update"] > 0 {
		t.Errorf("with an identity provider the cluster layer did %v", did)
	}
	becomes(ada, "acme:ada@acme.example")
	becomes(adas, "")
	h.want(0, "drift", "acme")
	h.want(0, "sandbox", "stop", "acme")
	c = h.cluster(t, "acme")
	h.want(0, "projects", "list", "acme") // it wakes the cluster
	becomes(ada, "acme:ada@acme.example")

	// A token for two clusters would be somebody in both.
	theirs := written("globex.yaml", provider.provided(bytes.ReplaceAll(document, []byte("acme"), []byte("globex"))))
	if r := h.want(4, "onboard", "-f", theirs); !strings.Contains(r.stderr, "cluster.identityProvider.clientId") {
		t.Errorf("another org with the same client is told:\n%s", r.stderr)
	}

	if did := onboard(other); did["replace"] != 1 || did["update"] > 0 {
		t.Errorf("with another client the cluster layer did %v", did)
	}
	becomes(ada, "")
	becomes(adas, "acme:ada@acme.example")
	h.want(0, "drift", "acme")

	// Somebody puts an issuer of theirs in its place, and calls its people as ours.
	const typ = "aws:eks/identityProviderConfig:IdentityProviderConfig"
	mallorys := provider.but(map[string]any{"aud": "mallory"}, "ada@acme.example")
	oidc, err := json.Marshal(map[string]string{
		"identityProviderConfigName": "mallory", "issuerUrl": provider.URL, "clientId": "mallory", "usernameClaim": "email", "usernamePrefix": "acme:",
	})
	if err != nil {
		t.Fatal(err)
	}
	h.want(0, "sandbox", "rm", "acme", typ, "freehold-acme:freehold-acme")
	h.want(0, "sandbox", "create", "acme", typ, "mallory", "clusterName=freehold-acme", "oidc="+string(oidc))
	becomes(mallorys, "acme:ada@acme.example")
	var found []string
	for _, f := range decode[event.Drift](t, h.want(2, "drift", "acme", "-o", "json")).Findings {
		found = append(found, fmt.Sprint(f.Kind, " ", f.Type, " ", f.ID))
	}
	slices.Sort(found)
	if d := cmp.Diff([]string{"missing " + typ + " freehold-acme:freehold-acme", "unmanaged " + typ + " freehold-acme:mallory"}, found); d != "" {
		t.Errorf("drift (-want +got):\n%s", d)
	}
	if a := decode[finding.Audit](t, h.want(3, "audit", "acme", "-o", "json")); len(a.Findings) != 1 || a.Findings[0].Rule != "FH803" {
		t.Errorf("the audit says %+v", a.Findings)
	}
	if r := h.want(1, "onboard", "-f", other); !strings.Contains(r.stderr, "onboard --prune removes it") {
		t.Errorf("where another stands it is told:\n%s", r.stderr)
	}
	h.want(0, "onboard", "-f", other, "--prune", "--yes=acme")
	becomes(mallorys, "")
	becomes(adas, "acme:ada@acme.example")
	h.want(0, "drift", "acme")

	if did := onboard(without); did["delete"] != 1 || did["create"]+did["replace"]+did["update"] > 0 {
		t.Errorf("without the identity provider the cluster layer did %v", did)
	}
	becomes(adas, "")
	h.want(0, "drift", "acme")
}
