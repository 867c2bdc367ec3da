package main_test

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/sandbox"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/identity"
	"freehold.dev/freehold/internal/server/mtls"
)

// projectsAPI lists the projects of an org to whoever brings a token.
type projectsAPI struct {
	*httptest.Server
	mu    sync.Mutex
	names []string
	token string // the last

	policies map[string]v1alpha1.DeletionPolicy
}

func newProjectsAPI(t *testing.T, org string) *projectsAPI {
	t.Helper()
	a := &projectsAPI{policies: map[string]v1alpha1.DeletionPolicy{"doomed": v1alpha1.DeletionDelete}}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if r.URL.Path != "/v1/orgs/"+org+"/projects" || !bearer {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.token = token
		q := v1alpha1.MustQuantity
		set := v1alpha1.ProjectSet{
			TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindProjectSet},
			Org:      org, Projects: []v1alpha1.NamedProject{},
		}
		for _, name := range a.names {
			set.Projects = append(set.Projects, v1alpha1.NamedProject{Name: name, Spec: v1alpha1.ProjectSpec{ProjectSettings: v1alpha1.ProjectSettings{
				Quota:          v1alpha1.Quota{CPU: q("4"), Memory: q("8Gi"), Storage: q("1Gi"), Pods: 5},
				Limits:         v1alpha1.Limits{DefaultCPU: q("1"), DefaultMemory: q("1Gi"), MaxCPU: q("4"), MaxMemory: q("8Gi")},
				DeletionPolicy: a.policies[name],
			}}})
		}
		_ = json.NewEncoder(w).Encode(set)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *projectsAPI) list(names ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names = names
}

func (a *projectsAPI) lastToken() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.token
}

// The whole way: the spec names an API and its authority, and what the API lists
// becomes a fenced namespace of the org's cluster, and goes again.
func TestAnAPIsProjectsComeAndGo(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	api := newProjectsAPI(t, "acme")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
	file := h.spec("acme", "deletionProtection: false", "projects: [{name: web}]", "projectSource:",
		"  url: "+api.URL+"/v1/orgs/acme/projects", "  interval: 5s",
		"  caBundle: |", "    "+strings.ReplaceAll(strings.TrimSpace(string(ca)), "\n", "\n    "))
	api.list("shop")
	h.want(0, "onboard", "-f", file)

	states := func() map[string]string {
		got := map[string]string{}
		for _, p := range decode[event.Projects](t, h.want(0, "projects", "list", "acme", "-o", "json")).Projects {
			got[p.Name] = p.Phase
		}
		return got
	}
	until := func(what string, ok func(map[string]string) bool) {
		t.Helper()
		var got map[string]string
		for begun := time.Now(); time.Since(begun) < 5*time.Minute; time.Sleep(500 * time.Millisecond) {
			if got = states(); ok(got) {
				return
			}
		}
		t.Fatalf("%s: not within five minutes; projects: %v", what, got)
	}
	until("the API's project is ready", func(p map[string]string) bool { return p["shop"] == "Ready" })

	c := h.cluster(t, "acme")
	ns, err := c.administrator().CoreV1().Namespaces().Get(t.Context(), "shop", metav1.GetOptions{})
	if err != nil || ns.Labels["freehold.dev/project"] != "shop" {
		t.Errorf("the namespace: %v %v", ns.GetLabels(), err)
	}
	// The API can tell who asked, and nobody can use what it got at the cluster.
	review := func(audiences ...string) authenticationv1.TokenReviewStatus {
		r, err := c.administrator().AuthenticationV1().TokenReviews().Create(t.Context(), &authenticationv1.TokenReview{
			Spec: authenticationv1.TokenReviewSpec{Token: api.lastToken(), Audiences: audiences},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return r.Status
	}
	host, _, err := net.SplitHostPort(strings.TrimPrefix(api.URL, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	if s := review(host); !s.Authenticated || s.User.Username != "system:serviceaccount:freehold-system:namespace-controller" {
		t.Errorf("for the API, the token is %+v", s)
	}
	if s := review(); s.Authenticated {
		t.Errorf("for the cluster, the token is %+v", s)
	}
	h.acceptsControllerOnly(t, c)
	h.want(0, "drift", "acme")
	if again := h.want(0, "onboard", "-f", file); !strings.Contains(again.stdout, "nothing to change") {
		t.Errorf("the same spec again changes something:\n%s", again.stdout)
	}

	api.list()
	until("the API's project is gone, and the spec's is not", func(p map[string]string) bool { return len(p) == 1 && p["web"] == "Ready" })

	// What was pulled goes with the org, though the API still lists it, and
	// though nobody has confirmed that the namespace goes.
	api.list("doomed")
	until("the next project is ready", func(p map[string]string) bool { return p["doomed"] == "Ready" })
	off := decode[event.Offboarding](t, h.want(0, "offboard", "acme", "--yes", "acme", "--keep-account", "-o", "json"))
	if len(off.Layers) != 4 || off.Layers[0].Error != "" {
		t.Errorf("offboarding: %+v", off.Layers)
	}
}

// acceptsControllerOnly shows a token that the org's API server has signed to an
// identity service that knows what the registry does, and nothing else.
func (h home) acceptsControllerOnly(t *testing.T, c cluster) {
	t.Helper()
	cl, err := sandbox.Open(t.Context(), sandbox.Options{Dir: filepath.Join(h.dir, "sandbox", "cloud"), Clock: time.Now, Executable: filepath.Join(bin, "freehold")})
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	reg, err := sqlite.Open(t.Context(), filepath.Join(h.dir, "sandbox", "registry.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	const domain, base = "freehold.example", "freehold.example.com"
	source, err := mtls.BuiltIn(filepath.Join(t.TempDir(), "issuer"), domain, "identity", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	// Another org, whose cluster has another issuer.
	org := reg.Org(orgcontexttest.For("globex"))
	begun, err := org.Begin(t.Context(), registry.Request{Kind: "onboard", Holder: "test", TTL: time.Minute})
	if err == nil {
		err = errors.Join(
			org.PutOrg(t.Context(), begun.Lease, registry.Org{Org: "globex", State: "ready", Plan: []byte("{}")}),
			org.PutDataPlane(t.Context(), begun.Lease, event.DataPlane{Org: "globex", OIDCIssuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/0"}),
		)
	}
	if err != nil {
		t.Fatal(err)
	}
	who, err := identity.New(identity.Options{
		Hosts: edge.Hosts{Base: base, Operators: "op." + base}, TrustDomain: domain, Records: reg, Audit: reg,
		Signer: delegation.NewSigner(source), Bundle: source, Transport: cl.Issuers(unreached{t}), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	call := func(account, audience, host string) (delegation.Claims, error) {
		token, err := c.administrator().CoreV1().ServiceAccounts("freehold-system").CreateToken(t.Context(), account, &authenticationv1.TokenRequest{
			Spec: authenticationv1.TokenRequestSpec{Audiences: []string{audience}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, claims, err := who.Exchange(t.Context(), identity.Exchange{
			Host: host, Authorization: "Bearer " + token.Status.Token, Procedure: freeholdv1connect.ProjectServiceGetProjectSetProcedure,
			Audience: mtls.ID(domain, "control").String(), Request: "1", Presenter: mtls.ID(domain, "gateway"),
		})
		return claims, err
	}
	got, err := call("namespace-controller", "acme."+base, "acme."+base)
	if err != nil || got.Org != "acme" || !slices.Equal(got.Roles, []string{"controller"}) {
		t.Errorf("the controller is %+v, %v", got, err)
	}
	for reason, tc := range map[string]struct{ account, audience, host, want string }{
		"another service account": {"default", "acme." + base, "acme." + base, string(identity.SubjectRefused)},
		"for another host":        {"namespace-controller", "globex." + base, "acme." + base, string(identity.AudienceRefused)},
		"at another org":          {"namespace-controller", "globex." + base, "globex." + base, string(identity.IssuerUnknown)},
	} {
		if got, err := call(tc.account, tc.audience, tc.host); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%s: %+v, %v", reason, got, err)
		}
	}
}

// unreached is a network that a sandbox does not need.
type unreached struct{ t *testing.T }

func (u unreached) RoundTrip(r *http.Request) (*http.Response, error) {
	u.t.Errorf("asked for %s", r.URL)
	return nil, errors.New("no network")
}
