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

type dataPlanes struct{ *handlers }

// GetDataPlane returns what the caller's org owns.
func (h dataPlanes) GetDataPlane(ctx context.Context, _ *freeholdv1.GetDataPlaneRequest) (*freeholdv1.GetDataPlaneResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	st, err := c.cases.Status(ctx, c.org)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.GetDataPlaneResponse{Org: c.org, DataPlane: dataPlaneOf(st.DataPlane)}, nil
}

// PlanDataPlane returns what OnboardDataPlane would change.
func (h dataPlanes) PlanDataPlane(ctx context.Context, in *freeholdv1.PlanDataPlaneRequest) (*freeholdv1.PlanDataPlaneResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := documentOf(in.GetDocument(), c.org)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	p, err := c.cases.Plan(ctx, doc, lifecycle.PlanOptions{Prune: in.GetPrune()}, nil)
	// What the policies do not allow is in the plan, with the rules' own findings.
	if err != nil && (p.Org == "" || !errors.Is(err, lifecycle.ErrBlocked)) {
		return nil, h.answer(ctx, err)
	}
	text, err := structOf(p)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.PlanDataPlaneResponse{Org: c.org, Different: p.Different(), Plan: text}, nil
}

// OnboardDataPlane begins to bring the org's data plane to what the document says.
func (h dataPlanes) OnboardDataPlane(ctx context.Context, in *freeholdv1.OnboardDataPlaneRequest) (*freeholdv1.OnboardDataPlaneResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := documentOf(in.GetDocument(), c.org)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	if err := h.mayChange(ctx, c, doc); err != nil {
		return nil, h.answer(ctx, err)
	}
	op, err := h.begin(ctx, c.cases, c.org, in.GetRequestId(), func(ctx context.Context, call lifecycle.Call, sink event.Sink) error {
		_, err := c.cases.Onboard(ctx, doc, lifecycle.OnboardOptions{Prune: in.GetPrune(), Call: call}, sink)
		return err
	})
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.OnboardDataPlaneResponse{Org: c.org, Operation: op}, nil
}

// documentName is what a document of a request is called in messages about it.
const documentName = "document"

// documentOf reads a document, which has to be the org's own.
func documentOf(text, org string) (spec.Spec, error) {
	doc, err := spec.Parse(documentName, strings.NewReader(text))
	if err != nil {
		return doc, err
	}
	if doc.Org != org {
		return doc, spec.Refuse(documentName, []byte(text), "org", "the document is of another org than the caller", "org: "+org)
	}
	return doc, nil
}

// mayChange refuses a document that changes what takes an admin, such as who has
// access: a pipeline that could make itself an admin would be one.
func (h *handlers) mayChange(ctx context.Context, c caller, doc spec.Spec) error {
	changed, err := c.cases.Guarded(ctx, doc)
	if err != nil || len(changed) == 0 || h.Administers(ctx, c.Claims()) {
		return err
	}
	return connect.Errorf(connect.CodePermissionDenied, "the document changes %s, which takes the role admin", strings.Join(changed, ", "))
}

// begin runs a use case as an operation, and returns it once it has begun.
func (h *handlers) begin(
	ctx context.Context, cases UseCases, org, request string, run func(context.Context, lifecycle.Call, event.Sink) error,
) (*freeholdv1.Operation, error) {
	if request != "" && !lifecycle.ValidRequestID(request) {
		return nil, connect.NewError(connect.CodeInvalidArgument, "request_id: want 1 to 128 printable characters of ASCII, without a space")
	}
	id, err := h.Runs.Begin(ctx, func(ctx context.Context, sink event.Sink) error {
		return run(ctx, lifecycle.Call{RequestID: request}, sink)
	})
	if err != nil {
		return nil, err
	}
	op, err := cases.FindOperation(ctx, org, id)
	if err != nil {
		return nil, err
	}
	return operationOf(op), nil
}
