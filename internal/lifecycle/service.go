package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/stacks"
)

// Runner changes stacks.
type Runner interface {
	Up(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error)
	Destroy(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error)
	// Unprotect lets a Destroy remove what the stack's program protects.
	Unprotect(ctx context.Context, s engine.Stack, sink event.Sink) error
	Adopt(ctx context.Context, s engine.Stack, find engine.Finder, sink event.Sink) ([]engine.Step, error)
	// Forget takes all resources out of the stack's state and removes none.
	Forget(ctx context.Context, s engine.Stack, sink event.Sink) error
}

// Previewer says what a run would do, and does not do it.
type Previewer interface {
	Preview(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error)
	PreviewRefresh(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error)
}

// States are what the backend holds of stacks. An error means "cannot tell".
type States interface {
	// State opens the stored state of a stack.
	State(ctx context.Context, s engine.Stack) (io.ReadCloser, error)
	// Stat asks the backend about a stack.
	Stat(ctx context.Context, s engine.Stack) (engine.Info, error)
	// Types are the types of what the stack holds, or may hold.
	Types(ctx context.Context, s engine.Stack) ([]string, error)
	// Resources are those of some types in the stored state; none when there is no such stack.
	Resources(ctx context.Context, s engine.Stack, types ...string) ([]engine.Resource, error)
	// Check reports whether this machine can run the stack.
	Check(ctx context.Context, s engine.Stack) error
}

// Management is what is asked of the management account.
type Management interface {
	// Identity says who the process is. It is the first call that needs credentials.
	Identity(ctx context.Context) (cloud.Identity, error)
	// CheckRelease returns a *cloud.UnsupportedError for what the cloud does not have.
	CheckRelease(ctx context.Context, r cloud.Release) error
	// Limits are what it lets all orgs do together.
	Limits() cloud.Limits
	// CloseAccount closes a vended account. Closing a closed account does nothing.
	CloseAccount(ctx context.Context, accountID string) error
}

// Accounts are the orgs' accounts.
type Accounts interface {
	// Find looks up what a creation with these inputs would have made; it wraps
	// cloud.ErrNotFound when there is none.
	Find(ctx context.Context, in cloud.Account, typ string, inputs map[string]any) (id string, err error)
	// Usable probes once what the next layers need; it wraps cloud.ErrNotUsable.
	Usable(ctx context.Context, a cloud.Account) error
	// RegionEnabled reports whether the account can use a region. It asks in a
	// region that every account has.
	RegionEnabled(ctx context.Context, a cloud.Account, region string) (bool, error)
	// Zones are the availability zones that the account has in its region, in
	// the order of their names.
	Zones(ctx context.Context, a cloud.Account) ([]cloud.Zone, error)
	// Quotas are the service quotas that a data plane needs room in.
	Quotas(ctx context.Context, a cloud.Account) ([]cloud.Quota, error)
	// Inventory lists everything in the account and region.
	Inventory(ctx context.Context, a cloud.Account) ([]cloud.Item, error)
	// Shares lists what of the account and region lets others in, or leads out of
	// it, and is in no inventory. What it could not list is an error, several
	// are joined, and what it could is returned all the same.
	Shares(ctx context.Context, a cloud.Account) ([]cloud.Item, error)
	// Remove deletes one item of an inventory.
	Remove(ctx context.Context, a cloud.Account, item cloud.Item) error
}

// Clusters are the orgs' clusters, beside what Pulumi makes of them.
type Clusters interface {
	// Running says what a cluster of the account runs now; it wraps
	// cloud.ErrNotFound when there is no such cluster.
	Running(ctx context.Context, a cloud.Account, cluster string) (cloud.Running, error)
	// ProtectCluster sets EKS deletion protection, which the provider lacks.
	ProtectCluster(ctx context.Context, c cloud.Cluster, on bool) error
	// NodeGroup reads the size of a node group; it wraps cloud.ErrNotFound when
	// there is no such group, or no such cluster.
	NodeGroup(ctx context.Context, in cloud.Account, cluster, name string) (cloud.NodeGroup, error)
	// StaleEntries are those of the principals that have no access entry in the
	// cluster, or one that was made for an earlier role of the name.
	StaleEntries(ctx context.Context, in cloud.Account, cluster string, principals []string) ([]cloud.Entry, error)
	// RenewEntry makes the access entry of a role anew, with all that it gave; of
	// a role of nodes also where there is none.
	RenewEntry(ctx context.Context, in cloud.Account, cluster, principal string, nodes bool) error
	// Kubeconfig reaches the cluster as roleARN by an exec plugin, without a token.
	Kubeconfig(ctx context.Context, c cloud.Cluster, roleARN string) ([]byte, error)
}

// Engine runs and reads stacks.
type Engine interface {
	Runner
	Previewer
	States
}

// Cloud is what the use cases need of a cloud. Every call is safe to repeat.
type Cloud interface {
	Management
	Accounts
	Clusters
}

// Service runs the use cases over one cloud. Its fields are set once, by the wiring.
type Service struct {
	Records

	Engine Engine
	Cloud  Cloud
	// CloudName tells the durations of one cloud from those of another.
	CloudName string
	Objects   Objects
	// Hooks says how events are sent to the orgs' endpoints.
	Hooks Hooks
	// Holding says how an operation holds its org and writes.
	Holding operation.Options
	Now     func() time.Time
	Log     *slog.Logger
	// UsableWithin bounds the wait for a new account; 0 means 30 minutes.
	UsableWithin time.Duration
	// ProjectsWithin bounds the wait for the org's projects; 0 means 5 minutes.
	ProjectsWithin time.Duration
	// MoveWithin bounds the wait for a node to be ready, or for a pod to leave its
	// node; 0 means 15 minutes, which EKS gives a node too.
	MoveWithin time.Duration
	// ControllerWithin bounds the wait for a namespace controller that was put
	// back; 0 means 2 minutes.
	ControllerWithin time.Duration
	// QueueWithin bounds the wait for other orgs' accounts to be created or closed; 0
	// means 30 minutes.
	QueueWithin time.Duration
	// RetryEvery is the first pause before a step is tried again; 0: what answers has.
	RetryEvery time.Duration
	// ProbeEvery is the pause between two probes; 0 means 10 seconds.
	ProbeEvery time.Duration
}

// As is the same service in the hands of another caller.
func (s *Service) As(who orgcontext.Authority) *Service {
	other := *s
	other.Who = who
	return &other
}

// recorded is the org's data plane as it was last planned and made.
func (s *Service) recorded(ctx context.Context, o registry.Org) (dataplane.DataPlane, error) {
	p, err := dataplane.Recorded(o)
	if err != nil {
		return dataplane.DataPlane{}, err
	}
	layers, err := s.of(o.Org).Layers(ctx)
	if err != nil {
		return dataplane.DataPlane{}, err
	}
	return dataplane.Of(p, cloud.Identity{}, layers), nil
}

// remembered is what is recorded of an org, and its data plane as it was last
// planned and made.
func (s *Service) remembered(ctx context.Context, org string) (registry.Org, dataplane.DataPlane, error) {
	o, err := s.of(org).Org(ctx)
	if err != nil {
		return o, dataplane.DataPlane{}, err
	}
	d, err := s.recorded(ctx, o)
	return o, d, err
}

// caller asks the cloud who Freehold is.
func (s *Service) caller(ctx context.Context) (cloud.Identity, error) {
	us, err := s.Cloud.Identity(ctx)
	if err != nil {
		return us, fmt.Errorf("ask the cloud who we are: %w", err)
	}
	return us, nil
}

// stackOf is a layer's stack without an input: enough to ask for it and to destroy it.
func stackOf(org string, l plan.Layer) engine.Stack {
	return engine.Stack{Org: org, Layer: string(l), Name: plan.StackName(org, l), Program: stacks.Program(l), Until: until}
}

// stack is a layer's stack with its input. It wraps dataplane.ErrNotReady when
// a layer before it is not made.
func (s *Service) stack(ctx context.Context, d dataplane.DataPlane, l plan.Layer) (engine.Stack, error) {
	st := stackOf(d.Plan.Org, l)
	kubeconfig := ""
	if l == plan.LayerBootstrap && d.Outputs(plan.LayerCluster) != nil {
		raw, err := s.kubeconfig(ctx, d, writer)
		if err != nil {
			return st, err
		}
		if kubeconfig, err = portable(raw); err != nil {
			return st, err
		}
	}
	in, err := d.Input(l, kubeconfig)
	if err != nil {
		return st, err
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return st, fmt.Errorf("input of layer %s: %w", l, err)
	}
	scope, err := d.Scope(l)
	if err != nil {
		return st, err
	}
	whose, err := json.Marshal(scope)
	if err != nil {
		return st, fmt.Errorf("scope of layer %s: %w", l, err)
	}
	st.Config, st.Scope = map[string]string{stacks.ConfigKey: string(raw)}, string(whose)
	if l == plan.LayerCluster {
		st.Hold, st.NewFirst = d.Groups.Hold(), []string{awstype.EKSNodeGroup}
	}
	return st, nil
}

// kubeconfig reaches the org's cluster as the role that pick names.
func (s *Service) kubeconfig(ctx context.Context, d dataplane.DataPlane, pick func(stacks.BoundaryOut) string) ([]byte, error) {
	b, err := dataplane.Decode[stacks.BoundaryOut](d, plan.LayerBoundary)
	if err != nil {
		return nil, err
	}
	c, err := d.Cluster()
	if err != nil {
		return nil, err
	}
	kubeconfig, err := s.Cloud.Kubeconfig(ctx, c, pick(b))
	if err != nil {
		return nil, fmt.Errorf("reach cluster %s: %w", c.Name, err)
	}
	return kubeconfig, nil
}

// look asks the backend about the stacks of all layers, and whether this
// machine can run them.
func (s *Service) look(ctx context.Context, d dataplane.DataPlane) (map[plan.Layer]dataplane.Stack, error) {
	org := d.Plan.Org
	out := map[plan.Layer]dataplane.Stack{}
	for _, l := range plan.Layers() {
		found, err := s.held(ctx, d, l)
		if err == nil && found.Exists {
			err = s.Engine.Check(ctx, stackOf(org, l))
		}
		if err != nil {
			return nil, fail(org, string(l), err)
		}
		out[l] = found
	}
	return out, nil
}

// seen is the data plane with what the backend adds to what is recorded, and
// what the backend holds. It stops where that cannot be told, or this machine
// cannot run what is there.
func (s *Service) seen(ctx context.Context, d dataplane.DataPlane) (dataplane.DataPlane, map[plan.Layer]dataplane.Stack, error) {
	found, err := s.look(ctx, d)
	if err != nil {
		return d, nil, err
	}
	d, err = d.Seen(found)
	return d, found, err
}

// held is what the backend holds of a layer's stack. What an unfinished layer
// has made is asked for by type: it decides what can still be corrected.
func (s *Service) held(ctx context.Context, d dataplane.DataPlane, l plan.Layer) (dataplane.Stack, error) {
	st := stackOf(d.Plan.Org, l)
	info, err := s.Engine.Stat(ctx, st)
	if err != nil {
		return dataplane.Stack{}, err
	}
	out := dataplane.Stack{Exists: info.Exists, Resources: info.Resources, Pending: info.Pending, Fresh: info.Fresh}
	if info.Exists && info.Resources+info.Pending > 0 && d.Outputs(l) == nil {
		out.Types, err = s.Engine.Types(ctx, st)
	}
	return out, err
}
