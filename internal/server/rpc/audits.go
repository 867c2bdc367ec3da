package rpc

import (
	"context"

	"connectrpc.com/connect/v2"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
)

type audits struct{ *handlers }

// ListAuditEntries returns a page of the org's audit log.
func (h audits) ListAuditEntries(ctx context.Context, in *freeholdv1.ListAuditEntriesRequest) (*freeholdv1.ListAuditEntriesResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	if in.GetAfterSequence() < 0 {
		return nil, connect.NewError(connect.CodeInvalidArgument, "after_sequence: want 0 or more")
	}
	log, err := c.cases.AuditLog(ctx, c.org, in.GetAfterSequence())
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	shown, next := page(log.Entries, 0, int(in.GetPageSize()), pageSize, mostOnPage)
	out := &freeholdv1.ListAuditEntriesResponse{Org: c.org, Entries: entriesOf(shown)}
	if next > 0 {
		out.NextAfterSequence = shown[len(shown)-1].Seq
	}
	return out, nil
}

// VerifyAuditLog recomputes the chain over the org's audit log.
func (h audits) VerifyAuditLog(ctx context.Context, in *freeholdv1.VerifyAuditLogRequest) (*freeholdv1.VerifyAuditLogResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	v, err := c.cases.VerifyAuditLog(ctx, c.org, in.GetContainsHash())
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.VerifyAuditLogResponse{Org: c.org, Ok: v.OK, Entries: v.Entries, Head: v.Head, Problem: v.Problem}, nil
}
