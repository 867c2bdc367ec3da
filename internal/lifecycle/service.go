package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/stacks"
)

// Engine runs stacks.
type Engine interface {
	Up(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error)
	Preview(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error)
	PreviewRefresh(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error)
	Destroy(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error)
	Adopt(ctx context.Context, s engine.Stack, find engine.Finder, sink event.Sink) ([]engine.Step, error)
	Exists(s engine.Stack) bool
	// State opens the stored state of a stack.
	State(ctx context.Context, s engine.Stack) (io.ReadCloser, error)
}

// Service runs the use cases over one cloud. Its fields are set once, by the wiring.
type Service struct {
	Cloud    cloud.Cloud
	Engine   Engine
	Registry *registry.Registry
	Now      func() time.Time
	Log      *slog.Logger
	// UsableWithin bounds the wait for a new account; 0 means 30 minutes.
	UsableWithin time.Duration
	// ProjectsWithin bounds the wait for the org's projects; 0 means 5 minutes.
	ProjectsWithin time.Duration
	// ProbeEvery is the pause between two probes; 0 means 10 seconds.
	ProbeEvery time.Duration
}

// dataPlane is one org while a use case works on it.
type dataPlane struct {
	plan plan.Plan
	id   cloud.Identity
	// outs are the outputs of the layers that are done, by layer.
	outs map[plan.Layer]map[string]any
}

// identity asks the cloud who we are, and refuses credentials of another account
// than the one that the org was onboarded from: to those everything of the org
// would look gone, and be made anew elsewhere.
func (s *Service) identity(ctx context.Context, org string) (cloud.Identity, error) {
	us, err := s.Cloud.Identity(ctx)
	if err != nil {
		return us, fmt.Errorf("ask the cloud who we are: %w", err)
	}
	o, err := s.Registry.Org(ctx, org)
	switch {
	case errors.Is(err, registry.ErrUnknownOrg):
		return us, nil
	case err != nil:
		return us, err
	case o.State == "offboarded", o.Management == "", o.Management == us.AccountID:
		return us, nil
	}
	return us, &Error{
		Org: org, Err: fmt.Errorf("%w: the credentials are of %s, and the org was onboarded from account %s", ErrInvalid, us.ARN, o.Management),
		Next: "sign in to account " + o.Management,
	}
}

// account reaches the org's account as role, "" for the account's access role.
func (d dataPlane) account(roleARN, externalID string) (cloud.Account, error) {
	out, err := stacks.Decode[stacks.AccountOut](d.outs[plan.LayerAccount])
	if err != nil {
		return cloud.Account{}, err
	}
	if roleARN == "" {
		roleARN, externalID = out.AccessRoleARN, out.ExternalID
	}
	return cloud.Account{ID: out.AccountID, Region: d.plan.Region, RoleARN: roleARN, ExternalID: externalID}, nil
}

// errNotReady is wrapped when a layer's input needs a layer that is not made.
var errNotReady = errors.New("the layer before it is not made yet")

// input returns what a layer runs on.
func (s *Service) input(ctx context.Context, d dataPlane, l plan.Layer) (any, error) {
	if l == plan.LayerAccount {
		return stacks.AccountIn{
			Plan: d.plan.Account, ManagementAccountID: d.id.AccountID, ProvisionerARN: d.id.ARN,
		}, nil
	}
	var (
		account  stacks.AccountOut
		boundary stacks.BoundaryOut
		cluster  stacks.ClusterOut
	)
	for _, need := range []struct {
		layer plan.Layer
		into  func(map[string]any) error
	}{
		{plan.LayerAccount, decodeInto(&account)},
		{plan.LayerBoundary, decodeInto(&boundary)},
		{plan.LayerCluster, decodeInto(&cluster)},
	} {
		if need.layer == l {
			break
		}
		outs, ok := d.outs[need.layer]
		if !ok {
			return nil, fmt.Errorf("layer %s: %w: %s", l, errNotReady, need.layer)
		}
		if err := need.into(outs); err != nil {
			return nil, fmt.Errorf("outputs of layer %s: %w", need.layer, err)
		}
	}
	switch l {
	case plan.LayerBoundary:
		return stacks.BoundaryIn{
			Plan: d.plan.Boundary, ManagementAccountID: d.id.AccountID, ProvisionerARN: d.id.ARN, Account: account,
		}, nil
	case plan.LayerCluster:
		return stacks.ClusterIn{
			Plan: d.plan.Cluster, Account: account, Boundary: boundary, ExternalID: d.plan.Boundary.ExternalID,
		}, nil
	case plan.LayerBootstrap:
		ref, err := s.clusterRef(d, boundary, cluster)
		if err != nil {
			return nil, err
		}
		kubeconfig, err := s.Cloud.Kubeconfig(ctx, ref, boundary.BootstrapRoleARN)
		if err != nil {
			return nil, fmt.Errorf("reach cluster %s: %w", cluster.Name, err)
		}
		return stacks.BootstrapIn{
			Plan: d.plan.Bootstrap, Account: account, Boundary: boundary, Cluster: cluster, Kubeconfig: string(kubeconfig),
		}, nil
	default:
		return nil, fmt.Errorf("unknown layer %q", l)
	}
}

func decodeInto[T any](into *T) func(map[string]any) error {
	return func(outs map[string]any) (err error) {
		*into, err = stacks.Decode[T](outs)
		return err
	}
}

// clusterRef names the org's cluster for the calls that the provider lacks.
func (s *Service) clusterRef(d dataPlane, b stacks.BoundaryOut, c stacks.ClusterOut) (cloud.Cluster, error) {
	a, err := d.account(b.ProvisionRoleARN, d.plan.Boundary.ExternalID)
	if err != nil {
		return cloud.Cluster{}, err
	}
	return cloud.Cluster{Account: a, Name: c.Name, ARN: c.ARN, Endpoint: c.Endpoint, CA: c.CertificateAuthority}, nil
}

// stack makes a layer's stack from its input.
func (s *Service) stack(d dataPlane, l plan.Layer, in any) (engine.Stack, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return engine.Stack{}, fmt.Errorf("input of layer %s: %w", l, err)
	}
	scope, err := Scope(d.plan, l, d.id.AccountID, d.id.ARN, d.outs)
	if err != nil {
		return engine.Stack{}, fmt.Errorf("scope of layer %s: %w", l, err)
	}
	told, err := json.Marshal(scope)
	if err != nil {
		return engine.Stack{}, fmt.Errorf("scope of layer %s: %w", l, err)
	}
	st := stackRef(d.plan.Org, l)
	st.Config, st.Scope = map[string]string{stacks.ConfigKey: string(raw)}, string(told)
	return st, nil
}

// finder looks up, in the account that a layer works in, what an interrupted
// run may have left behind.
func (s *Service) finder(d dataPlane, l plan.Layer) (engine.Finder, error) {
	var a cloud.Account
	switch l {
	case plan.LayerAccount:
		a = cloud.Account{Region: d.plan.Region}
	case plan.LayerBootstrap:
		// Objects of Kubernetes are applied by name: making one twice is the same as once.
		return func(context.Context, engine.Step) (engine.Found, bool, error) { return engine.Found{}, false, nil }, nil
	case plan.LayerBoundary, plan.LayerCluster:
		var err error
		if a, err = d.account("", ""); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, st engine.Step) (engine.Found, bool, error) {
		id, err := s.Cloud.Find(ctx, a, st.Type, st.NewInputs)
		if errors.Is(err, cloud.ErrNotFound) {
			return engine.Found{}, false, nil
		}
		return engine.Found{ID: id, Outputs: cloud.ReadBy(st.Type, id)}, err == nil, err
	}, nil
}

// facts returns what an operator asks for first, from the layers' outputs.
func facts(p plan.Plan, outs map[plan.Layer]map[string]any) event.DataPlane {
	text := func(l plan.Layer, key string) string {
		v, _ := outs[l][key].(string)
		return v
	}
	out := event.DataPlane{
		Org: p.Org, Region: p.Region,
		AccountID:       text(plan.LayerAccount, "accountId"),
		BoundaryARN:     text(plan.LayerBoundary, "boundaryArn"),
		DataKeyARN:      text(plan.LayerBoundary, "dataKeyArn"),
		VPCID:           text(plan.LayerCluster, "vpcId"),
		ClusterName:     text(plan.LayerCluster, "name"),
		ClusterARN:      text(plan.LayerCluster, "arn"),
		ClusterEndpoint: text(plan.LayerCluster, "endpoint"),
		OIDCIssuer:      text(plan.LayerCluster, "oidcIssuer"),
	}
	if out.VPCID != "" {
		out.CIDR = p.Cluster.CIDR
	}
	if names, ok := outs[plan.LayerBootstrap]["projects"].([]any); ok {
		for _, n := range names {
			if name, ok := n.(string); ok {
				out.Projects = append(out.Projects, name)
			}
		}
	}
	return out
}
