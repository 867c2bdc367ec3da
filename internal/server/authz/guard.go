package authz

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/orgcontext/witness"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/server/mtls"
)

// MaxCall is how long a call may take. A decision is made once, at the start of a
// call, and the end of the token does not end a stream that has begun. So a stream
// ends after MaxCall at the latest, and the client resumes it, which is decided
// anew: whoever lost a role keeps what it had for no longer than this.
const MaxCall = time.Hour

// closing is how long before the end of a peer's SVID its connection is closed. The
// peer has renewed the SVID long before, and connects again with the new one.
const closing = 5 * time.Minute

// Options are what a Guard is made of. All are required.
type Options struct {
	// Self is the service that is guarded, and Identity the one that signs tokens.
	Self, Identity spiffeid.ID
	// Source has the trust bundle.
	Source mtls.Source
	Engine *Engine
	// Registry holds the audit logs.
	Registry registry.Store
	Now      func() time.Time
	Log      *slog.Logger
}

// Guard lets a request through to a service's procedures if its context token is
// good, the policies allow it, and the decision is in the audit log.
type Guard struct {
	Options

	recorder *Recorder
	errors   *connecthttp.ErrorWriter
	verify   func(ctx context.Context, token, org string, peer spiffeid.ID) (delegation.Verified, error)
	decide   func(context.Context, Call) Decision
}

// NewGuard is the guard of a service.
func NewGuard(o Options) *Guard {
	return &Guard{
		Options: o, recorder: NewRecorder(o.Registry), errors: connecthttp.NewErrorWriter(),
		verify: delegation.NewVerifier(o.Source, o.Identity, o.Self, o.Now).Verify,
		decide: o.Engine.Decide,
	}
}

// What a caller hears: that it is not known, that it is not allowed, or that this
// cannot be said now. The reason is in the audit log.
var (
	errUnauthenticated = connect.NewError(connect.CodeUnauthenticated, "unauthenticated")
	errDenied          = connect.NewError(connect.CodePermissionDenied, "permission denied")
	errUnavailable     = connect.NewError(connect.CodeUnavailable, "unavailable")
)

// Handler is in front of procedures that are called for somebody. It expects a
// server with mtls.ServerConfig. Next finds the caller by delegation.From, and
// nothing of the headers that it came in.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := g.peer(w, r)
		if err != nil {
			g.answer(w, r, err)
			return
		}
		call := Call{Procedure: r.URL.Path, Peer: peer, Audience: g.Self.String()}
		v, err := g.caller(r, &call)
		if err == nil {
			err = g.pass(r.Context(), v, call)
		}
		if err != nil {
			g.answer(w, r, err)
			return
		}
		r.Header.Del(delegation.ContextHeader)
		r.Header.Del(delegation.OrgHeader)
		ctx, stop := context.WithTimeout(delegation.Into(r.Context(), v), MaxCall)
		defer stop()
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, callKey{}, call)))
	})
}

// Services is in front of procedures that Freehold's services call in their own
// name: those of the identity service, without which there is no token yet.
func (g *Guard) Services(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := g.peer(w, r)
		if err != nil {
			g.answer(w, r, err)
			return
		}
		call := Call{Procedure: r.URL.Path, Peer: peer, Audience: g.Self.String()}
		if d := g.decide(r.Context(), call); !d.Allow {
			g.refused(r.Context(), call, d.Reason)
			g.answer(w, r, errDenied)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// peer is the service on the other end. A connection is closed before the SVID that
// it began with ends.
func (g *Guard) peer(w http.ResponseWriter, r *http.Request) (spiffeid.ID, error) {
	peer, ok := mtls.PeerOf(r)
	if !ok {
		g.Log.ErrorContext(r.Context(), "a request without a peer: the server has no mutual TLS", "procedure", printable(r.URL.Path))
		return peer, errUnauthenticated
	}
	left := mtls.PeerUntil(r).Sub(g.Now())
	if left < closing {
		// HTTP/2 says so with a GOAWAY after the requests that are under way.
		w.Header().Set("Connection", "close")
	}
	if left < 0 {
		return peer, errUnavailable
	}
	return peer, nil
}

// caller is for whom the request is made.
func (g *Guard) caller(r *http.Request, call *Call) (delegation.Verified, error) {
	v, err := g.verified(r, call)
	if err != nil {
		g.refused(r.Context(), *call, err.Error())
		return v, errUnauthenticated
	}
	call.Claims = v.Claims()
	return v, nil
}

func (g *Guard) verified(r *http.Request, call *Call) (delegation.Verified, error) {
	token, err := only(r.Header, delegation.ContextHeader)
	if err != nil {
		return delegation.Verified{}, err
	}
	if call.Org, err = only(r.Header, delegation.OrgHeader); err != nil {
		return delegation.Verified{}, err
	}
	return g.verify(r.Context(), token, call.Org, call.Peer)
}

// only is a header that must not be there twice: two readers would choose
// differently.
func only(h http.Header, name string) (string, error) {
	switch all := h.Values(name); len(all) {
	case 0:
		return "", nil
	case 1:
		return all[0], nil
	default:
		return "", fmt.Errorf("%w: there are %d headers %s", delegation.ErrRefused, len(all), name)
	}
}

// pass decides and notes. A decision that cannot be noted is a refusal.
func (g *Guard) pass(ctx context.Context, v delegation.Verified, call Call) error {
	d := g.decide(ctx, call)
	result := "allowed: " + d.Reason
	if !d.Allow {
		result = "denied: " + d.Reason
		g.Log.InfoContext(ctx, "a request is denied", "org", call.Org, "caller", call.Claims.Actor(), "request", call.Claims.Request,
			"procedure", printable(call.Procedure), "reason", d.Reason)
	}
	if err := g.recorder.Note(ctx, v, printable(call.Procedure), result); err != nil {
		if !errors.Is(err, context.Canceled) {
			g.Log.ErrorContext(ctx, "a request is refused because its decision cannot be noted in the audit log",
				"org", call.Org, "request", call.Claims.Request, "procedure", printable(call.Procedure), "error", err)
		}
		return errUnavailable
	}
	if !d.Allow {
		return errDenied
	}
	return nil
}

// refused notes a request of which nobody knows whose it is. A service of
// Freehold's sent it, so it is in the fleet's log. Whether it can be noted or not, it
// is refused.
func (g *Guard) refused(ctx context.Context, call Call, reason string) {
	if call.Org != "" {
		reason = fmt.Sprintf("%s (the request says org %q)", reason, call.Org)
	}
	reason = printable(reason)
	g.Log.WarnContext(ctx, "a service's request is refused", "peer", call.Peer.String(), "procedure", printable(call.Procedure), "reason", reason)
	by := witness.Of("", "service:"+call.Peer.String(), "")
	if err := g.Registry.Refused(ctx, by, printable(call.Procedure), "denied: "+reason); err != nil {
		g.Log.ErrorContext(ctx, "a refusal cannot be noted in the audit log", "peer", call.Peer.String(), "error", err)
	}
}

func (g *Guard) answer(w http.ResponseWriter, r *http.Request, err error) {
	if err := g.errors.Write(w, r, err); err != nil {
		g.Log.DebugContext(r.Context(), "a refusal was not heard", "error", err)
	}
}

type callKey struct{}

// Administers reports whether the caller of a request that the guard let through may
// also change who has access. It is asked for when the request turns out to do so,
// and noted as a decision of its own.
func (g *Guard) Administers(ctx context.Context, _ delegation.Claims) bool {
	call, ok := ctx.Value(callKey{}).(Call)
	v, known := delegation.From(ctx)
	if !ok || !known {
		return false
	}
	call.Procedure = ChangeAccess
	return g.pass(ctx, v, call) == nil
}

// Act decides and notes what this service is about to do in its own name, with the
// token that it was given for that. It is what Handler does for a request.
func (g *Guard) Act(ctx context.Context, v delegation.Verified, procedure string) error {
	c := v.Claims()
	return g.pass(ctx, v, Call{Claims: c, Procedure: procedure, Peer: g.Self, Audience: g.Self.String(), Org: c.Org})
}

// printable is a text from a request as one line of a log, of bounded length.
func printable(s string) string {
	const most = 500
	if len(s) > most {
		s = s[:most] + "…"
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		return strconv.Quote(s)
	}
	return s
}
