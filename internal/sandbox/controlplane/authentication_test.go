package controlplane

import (
	"encoding/json"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"freehold.dev/freehold/internal/oidctest"
)

func TestAnIdentityProvidersPeopleAreCalledAsOnEKS(t *testing.T) {
	const url = "https://login.example.com"
	for reason, c := range map[string]struct {
		p    IdentityProvider
		want string
	}{
		"a subject is behind the issuer": {
			IdentityProvider{IssuerURL: url, ClientID: "k8s"},
			`{"username": {"claim": "sub", "prefix": "https://login.example.com#"}}`,
		},
		"so is every other claim": {
			IdentityProvider{IssuerURL: url, ClientID: "k8s", UsernameClaim: "name"},
			`{"username": {"claim": "name", "prefix": "https://login.example.com#"}}`,
		},
		"an e-mail address is as it is": {
			IdentityProvider{IssuerURL: url, ClientID: "k8s", UsernameClaim: "email"},
			`{"username": {"claim": "email", "prefix": ""}}`,
		},
		"a hyphen is no prefix": {
			IdentityProvider{IssuerURL: url, ClientID: "k8s", UsernamePrefix: "-"},
			`{"username": {"claim": "sub", "prefix": ""}}`,
		},
		"groups have the prefix that is given": {
			IdentityProvider{IssuerURL: url, ClientID: "k8s", UsernamePrefix: "a:", GroupsClaim: "roles", GroupsPrefix: "b:"},
			`{"username": {"claim": "sub", "prefix": "a:"}, "groups": {"claim": "roles", "prefix": "b:"}}`,
		},
	} {
		text, err := json.Marshal(authentication(&c.p)["jwt"])
		if err != nil {
			t.Fatal(err)
		}
		var got []struct{ ClaimMappings, Issuer any }
		var want any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got[0].ClaimMappings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
}

// as asks a cluster who somebody with a token is.
func as(t *testing.T, m *Manager, token string) (authenticationv1.UserInfo, error) {
	t.Helper()
	e, err := m.Get(acme)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(&rest.Config{Host: e.URL, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: e.CA}})
	if err != nil {
		t.Fatal(err)
	}
	review, err := client.AuthenticationV1().SelfSubjectReviews().Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return authenticationv1.UserInfo{}, err
	}
	return review.Status.UserInfo, nil
}

func TestAClusterBelievesTheIdentityProviderThatItHasNow(t *testing.T) {
	if runtime.GOOS == "darwin" {
		t.Skip("NOT TESTED: macOS has its authorities in the keychain, and none by SSL_CERT_FILE")
	}
	withTools(t)
	issuer := oidctest.Serve(t)
	t.Setenv("SSL_CERT_FILE", issuer.Roots)
	m := started(t)
	token := issuer.Token(map[string]any{"aud": "k8s", "sub": "ada", "roles": []string{"shop", "system:masters"}, "hd": "example.com"})
	if who, err := as(t, m, token); !apierrors.IsUnauthorized(err) {
		t.Fatalf("a token of nobody's issuer is %+v, %v", who, err)
	}
	supervisor := supervisorOf(t, m).PID

	provider := &IdentityProvider{
		IssuerURL: issuer.URL, ClientID: "k8s", UsernamePrefix: "oidc:", GroupsClaim: "roles", GroupsPrefix: "oidc:",
		RequiredClaims: map[string]string{"hd": "example.com"},
	}
	if err := m.Authenticate(t.Context(), acme, provider); err != nil {
		t.Fatal(err)
	}
	believed := func() bool {
		who, err := as(t, m, token)
		if err == nil {
			want := authenticationv1.UserInfo{Username: "oidc:ada", Groups: []string{"oidc:shop", "oidc:system:masters", "system:authenticated"}}
			if diff := cmp.Diff(want.Groups, who.Groups); diff != "" || who.Username != want.Username {
				t.Errorf("the token is of %s (-want +got):\n%s", who.Username, diff)
			}
		}
		return err == nil
	}
	begin := time.Now()
	eventually(t, "a cluster that runs believes the issuer", believed)
	t.Logf("believed after %s", time.Since(begin).Round(time.Millisecond))
	if now := supervisorOf(t, m).PID; now != supervisor {
		t.Error("the cluster was started anew for it")
	}
	// The others go on to get in, and nobody without a name.
	if who, err := core(t, m, admin).Namespaces().List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("by a certificate: %v, %v", who, err)
	}
	if who, err := as(t, m, ""); !apierrors.IsUnauthorized(err) {
		t.Errorf("nobody is %+v, %v", who, err)
	}
	for reason, claims := range map[string]map[string]any{
		"another audience":         {"aud": "wiki", "sub": "ada", "hd": "example.com"},
		"a claim that is required": {"aud": "k8s", "sub": "ada"},
		"its time is over":         {"aud": "k8s", "sub": "ada", "hd": "example.com", "exp": time.Now().Add(-time.Hour).Unix()},
		"another issuer":           {"aud": "k8s", "sub": "ada", "hd": "example.com", "iss": "https://login.example.com"},
	} {
		if who, err := as(t, m, issuer.Token(claims)); !apierrors.IsUnauthorized(err) {
			t.Errorf("%s: the token is of %+v, %v", reason, who, err)
		}
	}
	if who, err := as(t, m, oidctest.Serve(t).Token(map[string]any{"aud": "k8s", "sub": "ada", "hd": "example.com", "iss": issuer.URL})); !apierrors.IsUnauthorized(err) {
		t.Errorf("a token with the issuer's name and another's signature is of %+v, %v", who, err)
	}

	if err := m.Stop(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a cluster that was stopped believes the issuer", believed)

	if err := m.Authenticate(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nobody believes an issuer that was taken away", func() bool {
		_, err := as(t, m, token)
		return apierrors.IsUnauthorized(err)
	})
}
