package rpc

import (
	"context"
	"encoding/json"
	"strings"

	"connectrpc.com/connect/v2"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

type projects struct{ *handlers }

// ListProjects returns the org's projects.
func (h projects) ListProjects(ctx context.Context, _ *freeholdv1.ListProjectsRequest) (*freeholdv1.ListProjectsResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.cases.Projects(ctx, c.org)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	out := &freeholdv1.ListProjectsResponse{Org: c.org}
	for _, p := range all.Projects {
		one, err := projectOf(p)
		if err != nil {
			return nil, h.answer(ctx, err)
		}
		out.Projects = append(out.Projects, one)
	}
	return out, nil
}

// AddProject begins to add a project.
func (h projects) AddProject(ctx context.Context, in *freeholdv1.AddProjectRequest) (*freeholdv1.AddProjectResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	recorded, err := c.records.Projects(ctx)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	var others []string
	for _, p := range recorded {
		others = append(others, p.Name)
	}
	p, err := spec.ParseProject(documentName, strings.NewReader(in.GetDocument()), others)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	pulled, err := c.cases.Pulls(ctx, c.org, c.Claims().Host)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	op, err := h.change(ctx, c, in.GetRequestId(), lifecycle.ProjectChange{Add: &p, Pulled: pulled})
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.AddProjectResponse{Org: c.org, Operation: op}, nil
}

// RemoveProject begins to remove a project.
func (h projects) RemoveProject(ctx context.Context, in *freeholdv1.RemoveProjectRequest) (*freeholdv1.RemoveProjectResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	if in.GetName() == "" {
		return nil, connect.NewError(connect.CodeInvalidArgument, "name is missing")
	}
	if err := short("name", in.GetName()); err != nil {
		return nil, err
	}
	op, err := h.change(ctx, c, in.GetRequestId(), lifecycle.ProjectChange{Remove: in.GetName()})
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.RemoveProjectResponse{Org: c.org, Operation: op}, nil
}

func (h projects) change(ctx context.Context, c caller, request string, change lifecycle.ProjectChange) (*freeholdv1.Operation, error) {
	return h.begin(ctx, c.cases, c.org, request, func(ctx context.Context, call lifecycle.Call, sink event.Sink) error {
		_, err := c.cases.ChangeProjects(ctx, c.org, change, call, sink)
		return err
	})
}

// GetProjectSet returns the set that the controller of the org's cluster asks for.
func (h projects) GetProjectSet(ctx context.Context, _ *freeholdv1.GetProjectSetRequest) (*freeholdv1.GetProjectSetResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	set, err := c.cases.ProjectSet(ctx, c.org)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	text, err := json.Marshal(set)
	if err != nil {
		return nil, h.answer(ctx, err)
	}
	return &freeholdv1.GetProjectSetResponse{Org: c.org, Document: string(text), Revision: set.Revision}, nil
}
