package rpc

import (
	"context"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
)

type organizations struct{ *handlers }

// GetOrganization returns the state of the caller's org.
func (h organizations) GetOrganization(ctx context.Context, _ *freeholdv1.GetOrganizationRequest) (*freeholdv1.GetOrganizationResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	st, err := c.cases.Status(ctx, c.org)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	record, err := c.records.Org(ctx)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	out := organizationOf(st)
	out.UpdateTime = stamp(record.Updated)
	return &freeholdv1.GetOrganizationResponse{Org: c.org, Organization: out}, nil
}

// GetCaller returns who the caller is.
func (h organizations) GetCaller(ctx context.Context, _ *freeholdv1.GetCallerRequest) (*freeholdv1.GetCallerResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	claims := c.Claims()
	return &freeholdv1.GetCallerResponse{Org: c.org, Subject: claims.Subject, DisplayName: claims.Name, Roles: claims.Roles}, nil
}

func organizationOf(st event.Status) *freeholdv1.Organization {
	return &freeholdv1.Organization{State: st.State, Region: st.DataPlane.Region, PlanHash: st.Hash, Layers: layersOf(st.Layers)}
}
