package identity

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"google.golang.org/protobuf/types/known/timestamppb"

	internalv1 "freehold.dev/freehold/internal/api/freeholdinternal/v1"
	"freehold.dev/freehold/internal/api/freeholdinternal/v1/internalv1connect"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/server/route"
)

// maxMessage is far more than a token and what is beside it.
const maxMessage = 64 << 10

// Callers are those whom a server of Handler has to let in: mtls.ServerConfig.
func Callers(trustDomain string) []spiffeid.ID {
	var out []spiffeid.ID
	for _, s := range append([]route.Service{route.Gateway}, hops...) {
		out = append(out, mtls.ID(trustDomain, string(s)))
	}
	return out
}

type presenterKey struct{}

// Handler answers freehold.internal.v1.IdentityService. It stands on a server with
// mutual TLS, and believes the connection and nothing else who asks.
func (s *Service) Handler() http.Handler {
	server := connect.NewServer()
	internalv1connect.RegisterIdentityServiceHandler(server, handler{s})
	mux := http.NewServeMux()
	connecthttp.Mount(mux, server, connecthttp.WithReadMaxBytes(maxMessage), connecthttp.WithGRPC())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, ok := mtls.PeerOf(r)
		if !ok {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), presenterKey{}, peer)))
	})
}

type handler struct{ s *Service }

func presenter(ctx context.Context) spiffeid.ID {
	id, _ := ctx.Value(presenterKey{}).(spiffeid.ID)
	return id
}

// answer is the error that goes out: one for every reason.
func answer(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrRefused):
		return connect.NewError(connect.CodeUnauthenticated, "unauthenticated")
	default:
		return connect.NewError(connect.CodeUnavailable, "unavailable")
	}
}

func (h handler) Exchange(ctx context.Context, q *internalv1.ExchangeRequest) (*internalv1.ExchangeResponse, error) {
	token, c, err := h.s.Exchange(ctx, Exchange{
		Host: q.GetHost(), Authorization: q.GetAuthorization(), Procedure: q.GetProcedure(), Audience: q.GetAudience(),
		Request: q.GetRequestId(), Peer: q.GetPeer(), Presenter: presenter(ctx),
	})
	if err != nil {
		return nil, answer(err)
	}
	return &internalv1.ExchangeResponse{Token: token, Org: c.Org, Subject: c.Subject, ExpireTime: timestamppb.New(c.Expires)}, nil
}

func (h handler) Delegate(ctx context.Context, q *internalv1.DelegateRequest) (*internalv1.DelegateResponse, error) {
	token, c, err := h.s.Delegate(ctx, presenter(ctx), q.GetToken(), q.GetAudience())
	if err != nil {
		return nil, answer(err)
	}
	return &internalv1.DelegateResponse{Token: token, ExpireTime: timestamppb.New(c.Expires)}, nil
}

func (h handler) Assume(ctx context.Context, q *internalv1.AssumeRequest) (*internalv1.AssumeResponse, error) {
	token, c, err := h.s.Assume(ctx, presenter(ctx), q.GetOrg(), q.GetPurpose())
	if err != nil {
		return nil, answer(err)
	}
	return &internalv1.AssumeResponse{Token: token, ExpireTime: timestamppb.New(c.Expires)}, nil
}

func (h handler) Recognize(ctx context.Context, q *internalv1.RecognizeRequest) (*internalv1.RecognizeResponse, error) {
	known, err := h.s.Recognize(ctx, q.GetHost())
	if err != nil {
		return nil, answer(err)
	}
	return &internalv1.RecognizeResponse{Known: known}, nil
}
