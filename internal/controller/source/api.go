package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/localhost"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
	"sigs.k8s.io/json"
)

// maxBody bounds a set: some ten thousand projects. Without a bound, whoever
// answers decides about the controller's memory.
const maxBody = 32 << 20

// answerIn is how long an answer may take, to its last byte.
const answerIn = 30 * time.Second

// dialIn is how long a connection may take, which client-go allows too.
const dialIn = 30 * time.Second

// longestPause bounds what a Retry-After may ask for.
const longestPause = 15 * time.Minute

// APIOptions say where the set of an org is, and who asks.
type APIOptions struct {
	// URL is the set's, whole: https and nothing else; required.
	URL string
	// TokenFile holds the controller's service account token for the audience of
	// the API. It is read again when it is a minute old, and when it was refused.
	// Required.
	TokenFile string
	// CAFile holds the authorities that the API's certificate may be of; empty:
	// those of the system.
	CAFile string
	// Org is the org whose set it is; another's is refused. Required.
	Org string
}

// API is the Source that asks Freehold's API. It never connects to anything
// but its URL's host, and follows no redirect.
type API struct {
	url, org string
	client   *http.Client

	mu   sync.Mutex
	etag string
	last v1alpha1.ProjectSet // what etag is of
}

var _ Source = (*API)(nil)

// NewAPI opens no connection: a URL that nobody answers is found out later.
func NewAPI(o APIOptions) (*API, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("the projects' URL: %w", err)
	}
	switch {
	case u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("the projects' URL %q is not https://HOST/…: a token is not sent in the clear", u.Redacted())
	case u.User != nil:
		return nil, fmt.Errorf("the projects' URL %q holds a user: the token file says who asks", u.Redacted())
	case o.TokenFile == "":
		return nil, errors.New("the projects' URL needs a token file")
	case o.Org == "":
		return nil, errors.New("the projects' URL needs the org, so that another's set is refused")
	}
	client, err := rest.HTTPClientFor(&rest.Config{
		Host:            o.URL,
		UserAgent:       "freehold-namespace-controller",
		TLSClientConfig: rest.TLSClientConfig{CAFile: o.CAFile},
		Timeout:         answerIn,
		Dial:            localhost.Dial(&net.Dialer{Timeout: dialIn, KeepAlive: dialIn}),
		// Of client-go's ways to a token in a file, the one that reads it again
		// after a 401.
		WrapTransport: transport.ResettableTokenSourceWrapTransport(transport.NewCachedFileTokenSource(o.TokenFile)),
	})
	if err != nil {
		return nil, fmt.Errorf("reach the projects' URL: %w", err)
	}
	// The transport would hand the token to whatever host a redirect names.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &API{url: o.URL, org: o.Org, client: client}, nil
}

// Projects returns the org's set, as new as the API has it.
func (a *API) Projects(ctx context.Context) (v1alpha1.ProjectSet, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	set, err := a.ask(ctx)
	if err != nil {
		return v1alpha1.ProjectSet{}, fmt.Errorf("read the projects of %s from %s: %w", a.org, a.url, err)
	}
	return set, nil
}

func (a *API) ask(ctx context.Context) (v1alpha1.ProjectSet, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return v1alpha1.ProjectSet{}, err
	}
	req.Header.Set("Accept", "application/json")
	if a.etag != "" {
		req.Header.Set("If-None-Match", a.etag)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return v1alpha1.ProjectSet{}, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && a.etag != "":
		return a.last, nil
	case resp.StatusCode != http.StatusOK:
		return v1alpha1.ProjectSet{}, refused(resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return v1alpha1.ProjectSet{}, fmt.Errorf("the answer broke off: %w", err)
	}
	if len(body) > maxBody {
		return v1alpha1.ProjectSet{}, fmt.Errorf("the answer is longer than %d bytes", maxBody)
	}
	set, err := parse(body, a.org)
	if err != nil {
		return v1alpha1.ProjectSet{}, err
	}
	// Only what was right is worth a 304.
	a.etag, a.last = resp.Header.Get("ETag"), set
	return set, nil
}

// parse reads a set strictly. A field that this controller does not know may
// be a fence: it is refused, rather than left out.
func parse(body []byte, org string) (v1alpha1.ProjectSet, error) {
	var set v1alpha1.ProjectSet
	mistakes, err := json.UnmarshalStrict(body, &set)
	if err = errors.Join(append(mistakes, err)...); err != nil {
		return set, fmt.Errorf("the answer is not a set of projects: %w", err)
	}
	if want := v1alpha1.GroupVersion.String(); set.APIVersion != want || set.Kind != v1alpha1.KindProjectSet {
		return set, fmt.Errorf("the answer is a %s of %s, want a %s of %s", set.Kind, set.APIVersion, v1alpha1.KindProjectSet, want)
	}
	if set.Org != org {
		return set, fmt.Errorf("the answer is the set of the org %q: nothing of it is taken", set.Org)
	}
	if set.Projects == nil {
		return set, errors.New("the answer lacks projects, which an empty set has too")
	}
	names := map[string]bool{}
	for i := range set.Projects {
		p := &set.Projects[i]
		switch wrong := validation.IsDNS1123Label(p.Name); {
		case len(wrong) > 0:
			return set, fmt.Errorf("projects[%d].name %q: %s", i, p.Name, strings.Join(wrong, ", "))
		case names[p.Name]:
			return set, fmt.Errorf("projects[%d].name %q is there twice", i, p.Name)
		case p.Spec.Org != "" && p.Spec.Org != org:
			return set, fmt.Errorf("project %q is of the org %q: nothing of the set is taken", p.Name, p.Spec.Org)
		}
		names[p.Name] = true
		p.Spec.Org = org
	}
	return set, nil
}

// refusal is an answer without a set.
type refusal struct {
	text  string
	after time.Duration
}

func (r *refusal) Error() string { return r.text }

func refused(resp *http.Response) error {
	r := &refusal{text: "it answers " + resp.Status}
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		r.text += ": the token is not taken; is its audience the API's, and does the API know this cluster's issuer?"
	case http.StatusForbidden:
		r.text += ": this controller may not read this set; is the URL that of its own org?"
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		r.after = min(time.Duration(seconds)*time.Second, longestPause)
	}
	return r
}

// pauseOf returns how long an error asks to be left alone.
func pauseOf(err error) time.Duration {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.after
	}
	return 0
}
