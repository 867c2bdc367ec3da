package dataplane

import (
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/policies"
	"freehold.dev/freehold/stacks"
)

// Input is what a layer runs on. It wraps ErrNotReady when a layer before it is
// not made. kubeconfig reaches the cluster as the bootstrap role; the bootstrap
// layer alone needs it.
func (d DataPlane) Input(l plan.Layer, kubeconfig string) (any, error) {
	if l == plan.LayerAccount {
		return stacks.AccountIn{
			Plan: d.Plan.Account, ManagementAccountID: d.Caller.AccountID, ProvisionerARN: d.Caller.ARN,
		}, nil
	}
	account, err := Decode[stacks.AccountOut](d, plan.LayerAccount)
	if err != nil {
		return nil, fmt.Errorf("layer %s: %w", l, err)
	}
	if l == plan.LayerBoundary {
		return stacks.BoundaryIn{
			Plan: d.Plan.Boundary, ManagementAccountID: d.Caller.AccountID, ProvisionerARN: d.Caller.ARN, Account: account,
		}, nil
	}
	boundary, err := Decode[stacks.BoundaryOut](d, plan.LayerBoundary)
	if err != nil {
		return nil, fmt.Errorf("layer %s: %w", l, err)
	}
	if l == plan.LayerCluster {
		return stacks.ClusterIn{
			Plan: d.Plan.Cluster, Account: account, Boundary: boundary, ExternalID: d.Plan.Boundary.ExternalID, Upgrade: d.Upgrade,
			Pools: d.Groups.Pools,
		}, nil
	}
	cluster, err := Decode[stacks.ClusterOut](d, plan.LayerCluster)
	if err != nil {
		return nil, fmt.Errorf("layer %s: %w", l, err)
	}
	if l != plan.LayerBootstrap {
		return nil, fmt.Errorf("unknown layer %q", l)
	}
	return stacks.BootstrapIn{
		Plan: d.Plan.Bootstrap.Declared(), Account: account, Boundary: boundary, Cluster: cluster, Kubeconfig: kubeconfig,
	}, nil
}

// Scope says whose the resources of a layer are, from the plan and from what
// the layers before it made. What is not made yet stays empty, but for names
// that the plan has decided.
func (d DataPlane) Scope(l plan.Layer) (policies.Scope, error) {
	p := d.Plan
	out := policies.Scope{
		Org: p.Org, Layer: string(l), Region: p.Region,
		ManagementAccountID: d.Caller.AccountID, ProvisionerARN: d.Caller.ARN,
	}
	if idp := p.Cluster.IdentityProvider; idp != nil {
		out.IdentityProvider = policies.IdentityProvider{
			IssuerURL: idp.IssuerURL, ClientID: idp.ClientID, Prefixes: []string{idp.UsernamePrefix, idp.GroupsPrefix},
		}
	}
	if p.Access != nil {
		for _, job := range p.Access.Pipelines {
			out.Pipelines = append(out.Pipelines, policies.Pipeline{IssuerURL: job.IssuerURL, Subject: job.Subject})
		}
	}
	for _, e := range p.Exceptions {
		out.Exceptions = append(out.Exceptions, policies.Exception(e))
	}
	for _, before := range plan.Layers() {
		if before != l {
			out.Owned = texts(out.Owned, d.Outputs(before))
		}
	}
	if l == plan.LayerCluster {
		// A state and a refresh show the kubeconfig of the layer's own cluster, and
		// not the output by which it is known.
		made, err := decodeMade[stacks.ClusterOut](d, plan.LayerCluster)
		if err != nil {
			return out, fmt.Errorf("scope of layer %s: %w", l, err)
		}
		if made.Endpoint != "" {
			out.Owned = append(out.Owned, made.Endpoint)
		}
	}
	slices.Sort(out.Owned)
	account, err := decodeMade[stacks.AccountOut](d, plan.LayerAccount)
	if err != nil {
		return out, fmt.Errorf("scope of layer %s: %w", l, err)
	}
	boundary, err := decodeMade[stacks.BoundaryOut](d, plan.LayerBoundary)
	if err != nil {
		return out, fmt.Errorf("scope of layer %s: %w", l, err)
	}
	out.AccountID, out.AccessRoleARN = account.AccountID, account.AccessRoleARN
	if !p.Account.Vended {
		// What the org brings is known before anything is made.
		out.AccessRoleARN, out.AccountID = p.Account.RoleARN, iam.AccountIn(p.Account.RoleARN)
	}
	if out.AccountID == "" {
		return out, nil
	}
	out.BoundaryARN = "arn:aws:iam::" + out.AccountID + ":policy/" + p.Boundary.BoundaryName
	for _, name := range []string{
		p.Boundary.ProvisionRole, p.Boundary.ReadRole, p.Boundary.BootstrapRole, p.Boundary.OffboardRole, p.Cluster.NodeRole,
	} {
		out.ClusterRoles = append(out.ClusterRoles, "arn:aws:iam::"+out.AccountID+":role/"+name)
	}
	out.Registry = registryHost(boundary.ControllerRepository)
	if out.Registry == "" {
		out.Registry = out.AccountID + ".dkr.ecr." + p.Region + ".amazonaws.com"
	}
	return out, nil
}

// texts adds every text in a layer's outputs: what the layers hand each other.
func texts(all []string, v any) []string {
	switch v := v.(type) {
	case string:
		return append(all, v)
	case []any:
		for _, e := range v {
			all = texts(all, e)
		}
	case map[string]any:
		for _, e := range v {
			all = texts(all, e)
		}
	}
	return all
}
