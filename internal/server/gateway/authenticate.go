package gateway

import (
	"context"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	internalv1 "freehold.dev/freehold/internal/api/freeholdinternal/v1"
	"freehold.dev/freehold/internal/api/freeholdinternal/v1/internalv1connect"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/route"
)

// Exchanger says who calls, for which org, and gives a context token that says so
// to one service.
type Exchanger interface {
	Exchange(context.Context, *internalv1.ExchangeRequest) (*internalv1.ExchangeResponse, error)
}

// NewExchanger returns the identity service, as the gateway calls it.
func NewExchanger(identity Callee) Exchanger {
	return internalv1connect.NewIdentityServiceClient(connect.NewClient(
		connecthttp.NewTransport(&http.Client{Transport: identity.Transport}, strings.TrimSuffix(identity.URL.String(), "/")),
	))
}

// longestPath is how much of a path that nobody answers is kept in a log.
const longestPath = 200

// exchangeIn is how long identity may take.
const exchangeIn = 10 * time.Second

// refusal is why a request goes no further. The caller does not see it.
type refusal struct {
	decision edge.Decision // Refused or Unavailable
	reason   string
}

func refused(reason string) *refusal { return &refusal{edge.Refused, reason} }

// call is one request on its way to a service.
type call struct {
	g         *Gateway
	host      edge.Host
	procedure string
	callee    Callee
	streams   bool // the answer is a stream
	projects  bool // it came as GET /v1/projects

	request string // the request's id
	token   string // the context token
}

// projectsPath is the one thing that is had by plain HTTP: the namespace
// controller's own set of projects.
const projectsPath = "/v1/projects"

// call finds out what is called.
func (g *Gateway) call(r *http.Request) (*call, *refusal) {
	host, known := edge.HostOf(r.Context())
	if !known {
		return nil, refused("no host")
	}
	c := &call{g: g, host: host, request: edge.RecordOf(r.Context()).Request}
	path := r.URL.EscapedPath()
	if path == projectsPath {
		if r.Method != http.MethodGet {
			return nil, refused("method")
		}
		c.projects = true
		path = freeholdv1connect.ProjectServiceGetProjectSetProcedure
	}
	service, ok := route.Of(path)
	if !ok {
		_, _ = g.exchange(r, host, path[:min(len(path), longestPath)], "") // for the record: it is refused
		return nil, refused("no such procedure")
	}
	method := methods[path]
	edge.RecordOf(r.Context()).Procedure = path
	switch {
	case route.Fleet(path) != (host.Org == ""):
		_, _ = g.exchange(r, host, path, "") // for the record: it is refused
		return nil, refused("procedure of another host")
	case r.Method == http.MethodPost, r.Method == http.MethodGet && method.readOnly:
	default:
		return nil, refused("method")
	}
	c.procedure, c.callee, c.streams = path, g.o.Callees[service], method.streams
	return c, nil
}

// method is what the definition of a procedure says.
type method struct{ streams, takesStream, readOnly bool }

var methods = func() map[string]method {
	all := map[string]method{}
	for _, s := range route.Services() {
		for _, p := range route.Procedures(s) {
			name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(p, "/"), "/", "."))
			d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
			if err != nil {
				continue // a test of route finds those that are not defined
			}
			m, isMethod := d.(protoreflect.MethodDescriptor)
			if !isMethod {
				continue
			}
			options, _ := m.Options().(*descriptorpb.MethodOptions)
			all[p] = method{
				streams:     m.IsStreamingServer(),
				takesStream: m.IsStreamingClient(),
				readOnly:    options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS,
			}
		}
	}
	return all
}()

// exchange asks identity who calls. It is asked about a request without a token as
// well, and about one for a procedure that nobody answers: it keeps the record of who
// was refused. None of them can be answered with a token.
func (g *Gateway) exchange(r *http.Request, host edge.Host, procedure, audience string) (*internalv1.ExchangeResponse, error) {
	ctx, cancel := context.WithTimeout(r.Context(), exchangeIn)
	defer cancel()
	record := edge.RecordOf(r.Context())
	return g.o.Identity.Exchange(ctx, &internalv1.ExchangeRequest{
		Host: host.Name, Authorization: text(r.Header["Authorization"]), Procedure: procedure, Audience: audience,
		RequestId: record.Request, Peer: record.Peer,
	})
}

// authenticate finds out who calls, and gets the token that says so to the callee.
func (g *Gateway) authenticate(r *http.Request, c *call) *refusal {
	record := edge.RecordOf(r.Context())
	resp, err := g.exchange(r, c.host, c.procedure, c.callee.ID)
	if err != nil {
		switch len(r.Header["Authorization"]) {
		case 0:
			return refused("no token")
		case 1:
		default:
			return refused("several tokens")
		}
		if undecided(err) {
			return &refusal{edge.Unavailable, "identity: " + connect.CodeOf(err).String()}
		}
		return refused(err.Error())
	}
	// Identity decides by the host. An answer for another org is a fault of ours,
	// and must not become an answer to this caller.
	if resp.GetOrg() != c.host.Org || resp.GetToken() == "" || len(r.Header["Authorization"]) != 1 {
		g.o.Log.Error("the identity service answered for another org than the host names", "host", c.host.Name, "answered", resp.GetOrg(), "request", c.request)
		return refused("identity answered for another org")
	}
	record.Caller, c.token = resp.GetSubject(), resp.GetToken()
	return nil
}

// text is a header as it can be sent on. A token of other bytes than text is none, with
// these replaced as well.
func text(header []string) string {
	return strings.ToValidUTF8(strings.Join(header, ", "), "\uFFFD")
}

// undecided reports whether identity has not said who calls. One that dies in the
// middle of its answer leaves an internal or an unknown error.
func undecided(err error) bool {
	switch connect.CodeOf(err) {
	case connect.CodeUnauthenticated, connect.CodePermissionDenied, connect.CodeInvalidArgument, connect.CodeNotFound:
		return false
	default:
		return true
	}
}
