package rpc

import (
	"context"
	"errors"
	"strings"

	"connectrpc.com/connect/v2"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

type fleet struct{ *handlers }

// ListOrganizations returns a page of all orgs.
func (h fleet) ListOrganizations(ctx context.Context, in *freeholdv1.ListOrganizationsRequest) (*freeholdv1.ListOrganizationsResponse, error) {
	cases, err := h.operator(ctx)
	if err != nil {
		return nil, err
	}
	all, err := cases.Orgs(ctx)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	from, err := afterToken(in.GetPageToken(), all, func(st event.Status) string { return st.Org })
	if err != nil {
		return nil, err
	}
	shown, next := page(all, from, int(in.GetPageSize()), pageSize, mostOnPage)
	out := &freeholdv1.ListOrganizationsResponse{}
	for _, st := range shown {
		one := &freeholdv1.FleetOrganization{Org: st.Org, Organization: organizationOf(st), DataPlane: dataPlaneOf(st.DataPlane)}
		if st.Last != nil {
			one.LastOperation = operationOf(*st.Last)
		}
		out.Organizations = append(out.Organizations, one)
	}
	if next > 0 {
		out.NextPageToken = shown[len(shown)-1].Org
	}
	return out, nil
}

// CompareOrganizations returns what two orgs have in common.
func (h fleet) CompareOrganizations(ctx context.Context, _ *freeholdv1.CompareOrganizationsRequest) (*freeholdv1.CompareOrganizationsResponse, error) {
	cases, err := h.operator(ctx)
	if err != nil {
		return nil, err
	}
	all, err := cases.Shared(ctx)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	out := &freeholdv1.CompareOrganizationsResponse{}
	for _, s := range all {
		out.Shared = append(out.Shared, &freeholdv1.SharedIdentity{Kind: s.Kind, Value: s.Value, Owners: s.Owners})
	}
	return out, nil
}

// ListFleetAuditEntries returns a page of the fleet's audit log.
func (h fleet) ListFleetAuditEntries(ctx context.Context, in *freeholdv1.ListFleetAuditEntriesRequest) (*freeholdv1.ListFleetAuditEntriesResponse, error) {
	cases, err := h.operator(ctx)
	if err != nil {
		return nil, err
	}
	if in.GetAfterSequence() < 0 {
		return nil, connect.NewError(connect.CodeInvalidArgument, "after_sequence: want 0 or more")
	}
	log, err := cases.AuditPage(ctx, "", in.GetAfterSequence())
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	shown, more := auditPage(log, int(in.GetPageSize()))
	out := &freeholdv1.ListFleetAuditEntriesResponse{Entries: entriesOf(shown)}
	if more {
		out.NextAfterSequence = shown[len(shown)-1].Seq
	}
	return out, nil
}

// OnboardOrganization begins to bring the org that a document names to what it says.
func (h fleet) OnboardOrganization(ctx context.Context, in *freeholdv1.OnboardOrganizationRequest) (*freeholdv1.OnboardOrganizationResponse, error) {
	cases, err := h.operator(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := spec.Parse(documentName, strings.NewReader(in.GetDocument()))
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	op, err := h.begin(ctx, cases, doc.Org, in.GetRequestId(), func(ctx context.Context, call lifecycle.Call, sink event.Sink) error {
		_, err := cases.Onboard(ctx, doc, lifecycle.OnboardOptions{Call: call}, sink)
		return err
	})
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.OnboardOrganizationResponse{Org: doc.Org, Operation: op}, nil
}

// WaitOrganizationOperation returns once an org's operation has ended, or a minute is
// over.
func (h fleet) WaitOrganizationOperation(ctx context.Context, in *freeholdv1.WaitOrganizationOperationRequest) (*freeholdv1.WaitOrganizationOperationResponse, error) {
	cases, err := h.operator(ctx)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(short("org", in.GetOrg()), short("operation", in.GetOperation())); err != nil {
		return nil, h.answer(ctx, err)
	}
	op, _, err := h.wait(ctx, cases, in.GetOrg(), in.GetOperation(), usualWait)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.WaitOrganizationOperationResponse{Org: in.GetOrg(), Operation: operationOf(op)}, nil
}
