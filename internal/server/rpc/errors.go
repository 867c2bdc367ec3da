package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect/v2"

	"freehold.dev/freehold/internal/api/reason"
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
	// reason says it where the code does not.
	reason string
}{
	{err: registry.ErrUnknownOrg, code: connect.CodeNotFound},
	{err: registry.ErrUnknownOperation, code: connect.CodeNotFound},
	{err: spec.ErrInvalid, code: connect.CodeInvalidArgument},
	{err: registry.ErrBusy, code: connect.CodeAborted},
	{err: lifecycle.ErrBusy, code: connect.CodeAborted},
	{err: lifecycle.ErrInvalid, code: connect.CodeInvalidArgument},
	{err: lifecycle.ErrBlocked, code: connect.CodeFailedPrecondition, reason: reason.Blocked},
	{err: lifecycle.ErrProtected, code: connect.CodeFailedPrecondition, reason: reason.Protected},
	{err: lifecycle.ErrPending, code: connect.CodeUnavailable, reason: reason.Pending},
	{err: lifecycle.ErrAbandoned, code: connect.CodeFailedPrecondition, reason: reason.Abandoned},
	{err: context.Canceled, code: connect.CodeCanceled},
	{err: context.DeadlineExceeded, code: connect.CodeDeadlineExceeded},
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
	// Where the database is, and as whom it is read, is nobody's business.
	if errors.Is(err, registry.ErrUnavailable) {
		h.Log.ErrorContext(ctx, "the registry does not answer", "request", requestOf(ctx), "error", err)
		return connect.NewError(connect.CodeUnavailable, "unavailable").WithCause(err)
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
			return reason.Add(connect.NewError(c.code, message(err)), c.reason, nextOf(err)).WithCause(err)
		}
	}
	if _, ok := errors.AsType[*lifecycle.Error](err); ok {
		return reason.Add(connect.NewError(connect.CodeInternal, message(err)), "", nextOf(err)).WithCause(err)
	}
	request := requestOf(ctx)
	h.Log.ErrorContext(ctx, "a request failed", "request", request, "error", err)
	return connect.Errorf(connect.CodeInternal, "internal error; the operators of this server find it as request %s", request).WithCause(err)
}

// requestOf is the id of the request, by which it is found in the logs.
func requestOf(ctx context.Context) string {
	v, ok := delegation.From(ctx)
	if !ok {
		return ""
	}
	return v.Claims().Request
}

// message is the error with what to do next.
func message(err error) string {
	text := err.Error()
	if next := nextOf(err); next != "" {
		text += "\n" + next
	}
	return text
}

func nextOf(err error) string {
	e, _ := errors.AsType[*lifecycle.Error](err)
	if e == nil {
		return ""
	}
	return e.Next
}

// longestName is longer than any id or name that there is.
const longestName = 128

// short refuses an id or a name that none can have, so that no answer repeats it.
func short(field, value string) error {
	if len(value) > longestName {
		return connect.Errorf(connect.CodeInvalidArgument, "%s: want at most %d characters", field, longestName)
	}
	return nil
}
