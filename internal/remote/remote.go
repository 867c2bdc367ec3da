// Package remote is a client of a Freehold server: the use cases that it offers,
// as the command line knows them, over Connect. Whatever they return is a value
// of package event, and whatever goes wrong is an error of package lifecycle, so
// that nobody can tell by them where an operation ran.
//
// A token goes to the server's own host over HTTPS, and nowhere else. An answer
// about another org than that of the host is an error, whoever gave it.
package remote

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"

	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/remote/dial"
)

// Options say which server is used, and by whom.
type Options struct {
	Server dial.Server
	// HTTP reaches the server. It must not follow redirects.
	HTTP *http.Client
	// Token returns the token for the server.
	Token func(context.Context) (string, error)
	// Renewable says that the token is that of a login, and not the environment's.
	Renewable bool
	Now       func() time.Time
	// Notice takes what a person should know while a command goes on; nil: nobody does.
	Notice func(string)
}

// Client is a client of one server.
type Client struct {
	o Options

	organization freeholdv1connect.OrganizationServiceClient
	dataPlane    freeholdv1connect.DataPlaneServiceClient
	operation    freeholdv1connect.OperationServiceClient
	project      freeholdv1connect.ProjectServiceClient
	drift        freeholdv1connect.DriftServiceClient
	audit        freeholdv1connect.AuditServiceClient
	exception    freeholdv1connect.ExceptionServiceClient
	evidence     freeholdv1connect.EvidenceServiceClient
	fleet        freeholdv1connect.FleetServiceClient
}

// New returns a client. It sends nothing yet.
func New(o Options) *Client {
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	with := *o.HTTP
	with.Transport = bearer{next: o.HTTP.Transport, server: o.Server, token: o.Token}
	c := connect.NewClient(connecthttp.NewTransport(&with, o.Server.URL(), connecthttp.WithReadMaxBytes(mostRead)))
	return &Client{
		o:            o,
		organization: freeholdv1connect.NewOrganizationServiceClient(c),
		dataPlane:    freeholdv1connect.NewDataPlaneServiceClient(c),
		operation:    freeholdv1connect.NewOperationServiceClient(c),
		project:      freeholdv1connect.NewProjectServiceClient(c),
		drift:        freeholdv1connect.NewDriftServiceClient(c),
		audit:        freeholdv1connect.NewAuditServiceClient(c),
		exception:    freeholdv1connect.NewExceptionServiceClient(c),
		evidence:     freeholdv1connect.NewEvidenceServiceClient(c),
		fleet:        freeholdv1connect.NewFleetServiceClient(c),
	}
}

// mostRead bounds one message: a plan of a large data plane has thousands of changes.
const mostRead = 64 << 20

// Org is the org of the server's host; "" on the operators' host.
func (c *Client) Org() string { return c.o.Server.Org() }

// bearer adds the token to each request, for its own host only.
type bearer struct {
	next   http.RoundTripper
	server dial.Server
	token  func(context.Context) (string, error)
}

// tokenError says that a request was not sent, because there is no token for it.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	refuse := func(err error) (*http.Response, error) {
		if r.Body != nil {
			_ = r.Body.Close() // as a RoundTripper must
		}
		return nil, &tokenError{err}
	}
	if r.URL.Scheme != "https" || r.URL.Host != b.server.Host() {
		return refuse(fmt.Errorf("the token for %s was not sent to %s", b.server.Host(), r.URL.Host))
	}
	token, err := b.token(r.Context())
	if err != nil {
		return refuse(err)
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return b.next.RoundTrip(r)
}

// mine refuses an answer that is about another org than the host's.
func (c *Client) mine(doing, org string, err error) error {
	if err != nil {
		return c.problem(doing, err)
	}
	if org != c.Org() {
		return &lifecycle.Error{
			Org: c.Org(), Doing: doing, Err: fmt.Errorf("%s answered about org %q, expected %q; the answer is not used", c.o.Server.URL(), org, c.Org()),
			Next: "report this to whoever runs the server: an answer must never be about another org",
		}
	}
	return nil
}

// asked refuses to ask a server about an org that it is not the host of.
func (c *Client) asked(org string) error {
	if org == c.Org() {
		return nil
	}
	return &lifecycle.Error{
		Org: org, Err: fmt.Errorf("%w: %s is the server of %s", lifecycle.ErrInvalid, c.o.Server.URL(), whose(c.Org())),
		Next: "use the server of the org: its host name begins with " + org + ".",
	}
}

func whose(org string) string {
	if org == "" {
		return "the operators"
	}
	return "org " + org
}
