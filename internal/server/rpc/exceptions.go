package rpc

import (
	"context"
	"time"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
)

type exceptions struct{ *handlers }

// ListExceptions returns the violations that the org's document accepts.
func (h exceptions) ListExceptions(ctx context.Context, _ *freeholdv1.ListExceptionsRequest) (*freeholdv1.ListExceptionsResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.records.Exceptions(ctx)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	today := h.Now().UTC().Format(time.DateOnly)
	out := &freeholdv1.ListExceptionsResponse{Org: c.org}
	for _, e := range all {
		out.Exceptions = append(out.Exceptions, &freeholdv1.Exception{
			Rule: e.Rule, Resource: e.Resource, Reason: e.Reason, Approver: e.Approver, ExpireDate: e.Expires, Active: e.Expires >= today,
		})
	}
	return out, nil
}
