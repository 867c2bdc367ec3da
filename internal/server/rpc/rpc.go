package rpc

import (
	"context"
	"log/slog"
	"time"

	"connectrpc.com/connect/v2"

	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

// UseCases are what the handlers call, in the hands of one caller.
type UseCases interface {
	Status(ctx context.Context, org string) (event.Status, error)
	Orgs(ctx context.Context) ([]event.Status, error)
	Shared(ctx context.Context) ([]finding.Shared, error)
	Plan(ctx context.Context, s spec.Spec, o lifecycle.PlanOptions, sink event.Sink) (event.Plan, error)
	Onboard(ctx context.Context, s spec.Spec, o lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error)
	// Guarded returns the parts of a document that differ from what is recorded, and
	// that only an admin may change.
	Guarded(ctx context.Context, s spec.Spec) ([]string, error)
	Projects(ctx context.Context, org string) (event.Projects, error)
	// Pulls reports whether the org's controller asks the API at a host for projects.
	Pulls(ctx context.Context, org, host string) (bool, error)
	// ProjectSet returns the projects that the org's controller asks for.
	ProjectSet(ctx context.Context, org string) (v1alpha1.ProjectSet, error)
	ChangeProjects(ctx context.Context, org string, c lifecycle.ProjectChange, call lifecycle.Call, sink event.Sink) (event.Onboarding, error)
	Drift(ctx context.Context, org string, sink event.Sink) (event.Drift, error)
	Operations(ctx context.Context, org string) ([]event.Operation, error)
	// FindOperation returns an operation as it is listed; an empty id is the newest.
	FindOperation(ctx context.Context, org, operation string) (event.Operation, error)
	Operation(ctx context.Context, org, operation string) (event.OperationDetail, error)
	Follow(ctx context.Context, org, operation string, after int64, sink event.Sink) error
	Events(ctx context.Context, org, operation string, after int64) ([]event.Event, error)
	Resume(ctx context.Context, org, operation string, sink event.Sink) (any, error)
	Cancel(ctx context.Context, org, operation string, sink event.Sink) (event.Operation, error)
	AuditLog(ctx context.Context, org string, after int64) (event.AuditLog, error)
	// AuditPage returns the first registry.AuditPage entries of what AuditLog returns.
	AuditPage(ctx context.Context, org string, after int64) (event.AuditLog, error)
	VerifyAuditLog(ctx context.Context, org, hash string) (event.AuditVerdict, error)
}

// Options are what the handlers are made of. All but Stopping are required.
type Options struct {
	// As returns the use cases in the hands of a caller.
	As func(orgcontext.Authority) UseCases
	// Registry is read with the caller's own context.
	Registry registry.Store
	// Administers reports whether the caller may change who has access, where the
	// account comes from and what is accepted as an exception.
	Administers func(ctx context.Context, c delegation.Claims) bool
	// Runs are the operations that run in this process.
	Runs *Runs
	// Stopping is closed when the server is about to stop: streams then say where to
	// resume.
	Stopping <-chan struct{}
	Now      func() time.Time
	Log      *slog.Logger
}

// Register makes all procedures known to a server. Which of them are reached is
// decided in front of it.
func Register(server *connect.Server, o Options) {
	h := &handlers{o}
	freeholdv1connect.RegisterOrganizationServiceHandler(server, organizations{h})
	freeholdv1connect.RegisterDataPlaneServiceHandler(server, dataPlanes{h})
	freeholdv1connect.RegisterOperationServiceHandler(server, operations{h})
	freeholdv1connect.RegisterProjectServiceHandler(server, projects{h})
	freeholdv1connect.RegisterDriftServiceHandler(server, drifts{h})
	freeholdv1connect.RegisterAuditServiceHandler(server, audits{h})
	freeholdv1connect.RegisterExceptionServiceHandler(server, exceptions{h})
	freeholdv1connect.RegisterEvidenceServiceHandler(server, evidence{h})
	freeholdv1connect.RegisterFleetServiceHandler(server, fleet{h})
}

type handlers struct{ Options }

// caller is who calls for one org.
type caller struct {
	delegation.Verified

	org     string
	cases   UseCases
	records registry.OrgStore
}

// caller returns the verified caller of an org's procedure. Without one nothing
// is answered: the middleware in front of the handlers was left out.
func (h *handlers) caller(ctx context.Context) (caller, error) {
	v, ok := delegation.From(ctx)
	if !ok || !v.Context().Valid() {
		return caller{}, connect.NewError(connect.CodeUnauthenticated, "unauthenticated")
	}
	return caller{Verified: v, org: v.Context().Org(), cases: h.As(v), records: h.Registry.Org(v.Context())}, nil
}

// operator returns the verified caller of a procedure over the fleet.
func (h *handlers) operator(ctx context.Context) (UseCases, error) {
	v, ok := delegation.From(ctx)
	if !ok || !v.Fleet().Valid() {
		return nil, connect.NewError(connect.CodeUnauthenticated, "unauthenticated")
	}
	return h.As(v), nil
}
