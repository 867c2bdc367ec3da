package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect/v2"

	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

// codes are how an error of a use case is answered. The first that is wrapped
// counts.
var codes = []struct {
	err  error
	code connect.Code
}{
	{registry.ErrUnknownOrg, connect.CodeNotFound},
	{registry.ErrUnknownOperation, connect.CodeNotFound},
	{spec.ErrInvalid, connect.CodeInvalidArgument},
	{registry.ErrBusy, connect.CodeAborted},
	{lifecycle.ErrBusy, connect.CodeAborted},
	{lifecycle.ErrInvalid, connect.CodeInvalidArgument},
	{lifecycle.ErrBlocked, connect.CodeFailedPrecondition},
	{lifecycle.ErrProtected, connect.CodeFailedPrecondition},
	{lifecycle.ErrPending, connect.CodeUnavailable},
	{lifecycle.ErrAbandoned, connect.CodeFailedPrecondition},
	{context.Canceled, connect.CodeCanceled},
	{context.DeadlineExceeded, connect.CodeDeadlineExceeded},
}

// answer makes the error of a use case one that a caller may read. What no use
// case has put into words is logged, and the caller gets the request's id for it.
func (h *handlers) answer(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*connect.Error](err); ok {
		return own
	}
	// Somebody else's records: nobody hears whether there are any.
	if errors.Is(err, registry.ErrNoOrg) {
		return connect.NewError(connect.CodePermissionDenied, "permission denied").WithCause(err)
	}
	if request, ok := errors.AsType[*registry.RequestError](err); ok {
		return connect.NewError(connect.CodeAlreadyExists, request.Error()).WithCause(err)
	}
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return connect.NewError(c.code, message(err)).WithCause(err)
		}
	}
	if _, ok := errors.AsType[*lifecycle.Error](err); ok {
		return connect.NewError(connect.CodeInternal, message(err)).WithCause(err)
	}
	request := ""
	if v, ok := delegation.From(ctx); ok {
		request = v.Claims().Request
	}
	h.Log.ErrorContext(ctx, "a request failed", "request", request, "error", err)
	return connect.Errorf(connect.CodeInternal, "internal error; the operators of this server find it as request %s", request).WithCause(err)
}

// message is the error with what to do next.
func message(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*lifecycle.Error](err); ok && e.Next != "" {
		text += "\n" + e.Next
	}
	return text
}
