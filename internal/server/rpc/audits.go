package rpc

import (
	"context"

	"connectrpc.com/connect/v2"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
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
	log, err := c.cases.AuditPage(ctx, c.org, in.GetAfterSequence())
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	shown, more := auditPage(log, int(in.GetPageSize()))
	out := &freeholdv1.ListAuditEntriesResponse{Org: c.org, Entries: entriesOf(shown)}
	if more {
		out.NextAfterSequence = shown[len(shown)-1].Seq
	}
	return out, nil
}

// auditPage is a page of the entries that were read, and whether there are more: in
// what was read, or in the log behind it.
func auditPage(log event.AuditLog, size int) (shown []event.AuditEntry, more bool) {
	shown, next := page(log.Entries, 0, size, pageSize, mostOnPage)
	return shown, next > 0 || len(log.Entries) == registry.AuditPage
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
