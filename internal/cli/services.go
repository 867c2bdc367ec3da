package cli

import (
	"context"
	"io"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

// Provisioner runs the use cases.
type Provisioner interface {
	Plan(ctx context.Context, s spec.Spec, o lifecycle.PlanOptions, sink event.Sink) (event.Plan, error)
	Onboard(ctx context.Context, s spec.Spec, o lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error)
	Status(ctx context.Context, org string) (event.Status, error)
	Orgs(ctx context.Context) ([]event.Status, error)
	// Shared returns what two orgs have in common, from the ledger.
	Shared(ctx context.Context) ([]finding.Shared, error)
	Drift(ctx context.Context, org string, sink event.Sink) (event.Drift, error)
	// Audit holds the rules against what was made.
	Audit(ctx context.Context, o lifecycle.AuditOptions) (finding.Audit, error)
	// OffboardPlan returns what Offboard would remove.
	OffboardPlan(ctx context.Context, org string) (event.Offboarding, error)
	Offboard(ctx context.Context, org string, o lifecycle.OffboardOptions, sink event.Sink) (event.Offboarding, error)
	// Kubeconfig returns a kubeconfig that holds no token.
	Kubeconfig(ctx context.Context, org string) ([]byte, error)
	// Projects tells of the org's projects, as recorded and as its cluster has them.
	Projects(ctx context.Context, org string) (event.Projects, error)
	// PlanProjects returns what ChangeProjects would change.
	PlanProjects(ctx context.Context, org string, c lifecycle.ProjectChange) (event.Plan, error)
	ChangeProjects(ctx context.Context, org string, c lifecycle.ProjectChange, sink event.Sink) (event.Onboarding, error)
}

// TokenRequest says which cluster of EKS a token is for, and as whom.
type TokenRequest struct {
	Region, Cluster     string
	RoleARN, ExternalID string
}

// Sandbox changes the embedded cloud out of band, behind the engine's back, and
// serves the processes that the sandbox starts by itself. An owner is an org or
// a 12-digit account id; the empty owner is every account for List and Stop. An
// item is named by its type and its id or its name.
type Sandbox interface {
	// Types are the Pulumi types that the sandbox knows, "aws:iam/role:Role".
	Types() []string
	List(ctx context.Context, owner, typ string) ([]event.SandboxItem, error)
	Show(ctx context.Context, owner, typ, item string) (event.SandboxItem, error)
	// Edit lets change alter the item's properties in one transaction.
	Edit(ctx context.Context, owner, typ, item string, change func(properties map[string]any) error) (event.SandboxItem, error)
	// Remove deletes one item; force skips what AWS would refuse.
	Remove(ctx context.Context, owner, typ, item string, force bool) error
	Create(ctx context.Context, owner, typ, name string, properties map[string]any) (event.SandboxItem, error)
	// AdoptAccount makes an account that is a customer's own, with a role that
	// freehold may assume under an external id.
	AdoptAccount(ctx context.Context, id, role, externalID string) error
	// Reset forgets everything: accounts, clusters and their data.
	Reset(ctx context.Context) error
	// Stop stops the owner's control planes; they start again on demand.
	Stop(ctx context.Context, owner string) error

	// ServeCluster runs the control plane kept in dir until ctx ends or
	// nothing has used it for idle; idle 0: forever.
	ServeCluster(ctx context.Context, dir string, idle time.Duration) error
	// Token returns an ExecCredential for the cluster kept in dir.
	Token(ctx context.Context, dir, as string) ([]byte, error)
	// Exec runs argv with the environment by which the plain pulumi CLI
	// reaches the sandbox's providers and state, and returns its exit status.
	Exec(ctx context.Context, argv []string, stdin io.Reader, stdout, stderr io.Writer) (int, error)
}
