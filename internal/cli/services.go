package cli

import (
	"context"
	"io"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/forecast"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

// Lifecycle is every use case. A command takes the part of it that it calls.
type Lifecycle interface {
	Onboarder
	Offboarder
	ProjectManager
	Fleet
	Inspector
	OperationLog
	OperationControl
	ClaimManager
	Auditor
	WebhookManager
	Forecaster
}

// Auditor reads who did what. An empty org is the fleet's own log.
type Auditor interface {
	AuditLog(ctx context.Context, org string, after int64) (event.AuditLog, error)
	// VerifyAuditLog says whether a log is as it was written, and has the entry of
	// the given hash if that is not empty.
	VerifyAuditLog(ctx context.Context, org, hash string) (event.AuditVerdict, error)
}

// Onboarder makes data planes.
type Onboarder interface {
	// Plan returns what Onboard would change, and what it would prune when asked.
	Plan(ctx context.Context, s spec.Spec, o lifecycle.PlanOptions, sink event.Sink) (event.Plan, error)
	Onboard(ctx context.Context, s spec.Spec, o lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error)
}

// Offboarder removes data planes.
type Offboarder interface {
	// OffboardPlan returns what Offboard would remove, and what would become of the account.
	OffboardPlan(ctx context.Context, org string, o lifecycle.OffboardOptions) (event.Offboarding, error)
	Offboard(ctx context.Context, org string, o lifecycle.OffboardOptions, sink event.Sink) (event.Offboarding, error)
}

// ProjectManager shows and changes an org's projects.
type ProjectManager interface {
	// Projects returns the org's projects, as recorded and as its cluster has them.
	Projects(ctx context.Context, org string) (event.Projects, error)
	// PlanProjects returns what ChangeProjects would change.
	PlanProjects(ctx context.Context, org string, c lifecycle.ProjectChange) (event.Plan, error)
	ChangeProjects(ctx context.Context, org string, c lifecycle.ProjectChange, call lifecycle.Call, sink event.Sink) (event.Onboarding, error)
	// Status returns the projects that are recorded, among the rest.
	Status(ctx context.Context, org string) (event.Status, error)
}

// Fleet reads what is recorded of the orgs.
type Fleet interface {
	Status(ctx context.Context, org string) (event.Status, error)
	Orgs(ctx context.Context) ([]event.Status, error)
	// Shared returns what two orgs have in common, from the ledger.
	Shared(ctx context.Context) ([]finding.Shared, error)
	// Kubeconfig returns a kubeconfig that holds no token.
	Kubeconfig(ctx context.Context, org string) ([]byte, error)
}

// Inspector compares what is there with what onboard made, and with the rules.
type Inspector interface {
	Orgs(ctx context.Context) ([]event.Status, error)
	Drift(ctx context.Context, org string, sink event.Sink) (event.Drift, error)
	// Audit checks the rules against what was made.
	Audit(ctx context.Context, o lifecycle.AuditOptions) (finding.Audit, error)
}

// OperationLog reads what the registry keeps of the operations.
type OperationLog interface {
	// Operations returns an org's operations, the newest first.
	Operations(ctx context.Context, org string) ([]event.Operation, error)
	// Events returns the stored events of an operation that follow the event
	// with the given sequence number; an empty operation is the newest.
	Events(ctx context.Context, org, operation string, after int64) ([]event.Event, error)
}

// OperationControl follows and steers operations; an empty operation is the newest.
type OperationControl interface {
	// Operation says everything about one.
	Operation(ctx context.Context, org, operation string) (event.OperationDetail, error)
	// Follow shows the events that follow the one with the given sequence number,
	// until the terminal one.
	Follow(ctx context.Context, org, operation string, after int64, sink event.Sink) error
	// Wait returns the terminal event once there is one, and the error that the
	// operation ended with.
	Wait(ctx context.Context, org, operation string, within time.Duration) (event.Event, error)
	// Resume goes on with one whose process is gone, and returns its result.
	Resume(ctx context.Context, org, operation string, sink event.Sink) (any, error)
	// Cancel asks one to stop, and ends one whose process is gone.
	Cancel(ctx context.Context, org, operation string, sink event.Sink) (event.Operation, error)
}

// Forecaster knows how long layers took before.
type Forecaster interface {
	// History is how long the latest runs in this cloud took, of whichever orgs.
	History(ctx context.Context) (*forecast.Book, error)
}

// ClaimManager reads and releases an org's entries of the ledger.
type ClaimManager interface {
	Claims(ctx context.Context, org string) (event.Claims, error)
	// ReleaseClaims releases the claims on what was never made and returns them.
	ReleaseClaims(ctx context.Context, org string, sink event.Sink) (event.Claims, error)
}

// TokenRequest says which EKS cluster a token is for, and which role asks.
type TokenRequest struct {
	Region, Cluster     string
	RoleARN, ExternalID string
}

// Sandbox is the embedded cloud. An owner is an org or a 12-digit account id; an
// empty owner is every account for List and Stop. An item is named by its type
// and its id or its name.
type Sandbox interface {
	SandboxItems
	SandboxEditor
	SandboxControl
	SandboxRunner
	// IDToken returns a token of the trial login of "freehold serve --sandbox", for
	// one of the users of an org.
	IDToken(ctx context.Context, org, user string) (string, error)
}

// SandboxItems reads what is in the sandbox cloud.
type SandboxItems interface {
	// Types are the Pulumi types that the sandbox knows, "aws:iam/role:Role".
	Types() []string
	List(ctx context.Context, owner, typ string) ([]event.SandboxItem, error)
	Show(ctx context.Context, owner, typ, item string) (event.SandboxItem, error)
}

// SandboxEditor changes the sandbox cloud out of band, without the engine.
type SandboxEditor interface {
	// Edit lets change alter the item's properties in one transaction.
	Edit(ctx context.Context, owner, typ, item string, change func(properties map[string]any) error) (event.SandboxItem, error)
	// Remove deletes one item; force skips what AWS would refuse.
	Remove(ctx context.Context, owner, typ, item string, force bool) error
	Create(ctx context.Context, owner, typ, name string, properties map[string]any) (event.SandboxItem, error)
	// AdoptAccount creates an account that belongs to a customer, with a role
	// that freehold may assume with an external id.
	AdoptAccount(ctx context.Context, id, role, externalID string) error
}

// SandboxControl ends what the sandbox keeps.
type SandboxControl interface {
	// Reset deletes everything: accounts, clusters and their data.
	Reset(ctx context.Context) error
	// Stop stops the owner's control planes; they start again on demand.
	Stop(ctx context.Context, owner string) error
}

// SandboxRunner serves the processes that the sandbox starts, and runs others
// against it.
type SandboxRunner interface {
	// ServeCluster runs the control plane kept in dir until ctx ends or
	// nothing has used it for idle; idle 0: forever.
	ServeCluster(ctx context.Context, dir string, idle time.Duration) error
	// Token returns an ExecCredential for the cluster kept in dir.
	Token(ctx context.Context, dir, as, roleARN string) ([]byte, error)
	// Exec runs argv with the environment that connects the plain pulumi CLI
	// to the sandbox's providers and state, and returns its exit status.
	Exec(ctx context.Context, argv []string, stdin io.Reader, stdout, stderr io.Writer) (int, error)
}
