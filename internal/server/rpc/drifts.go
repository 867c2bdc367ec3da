package rpc

import (
	"context"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
)

// mostDrifts bounds how many reports one answer holds: each may be long.
const mostDrifts = 100

type drifts struct{ *handlers }

// ListDriftReports returns what the latest runs found.
func (h drifts) ListDriftReports(ctx context.Context, in *freeholdv1.ListDriftReportsRequest) (*freeholdv1.ListDriftReportsResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.records.Drifts(ctx, min(max(int(in.GetPageSize()), 1), mostDrifts))
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	out := &freeholdv1.ListDriftReportsResponse{Org: c.org}
	for _, d := range all {
		out.Reports = append(out.Reports, driftOf(d))
	}
	return out, nil
}

// RunDrift looks now.
func (h drifts) RunDrift(ctx context.Context, _ *freeholdv1.RunDriftRequest) (*freeholdv1.RunDriftResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	d, err := c.cases.Drift(ctx, c.org, nil)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.RunDriftResponse{Org: c.org, Report: driftOf(d)}, nil
}
