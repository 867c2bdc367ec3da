package lifecycle

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/policies"
	"freehold.dev/freehold/stacks"
)

// Scope says whose the resources of a layer are, from the plan and from what
// the layers before it made. What is not made yet stays empty, but for names
// that the plan has decided.
func Scope(p plan.Plan, l plan.Layer, managementAccountID, provisionerARN string, outs map[plan.Layer]map[string]any) (policies.Scope, error) {
	out := policies.Scope{
		Org: p.Org, Layer: string(l), Region: p.Region,
		ManagementAccountID: managementAccountID, ProvisionerARN: provisionerARN,
	}
	if idp := p.Cluster.IdentityProvider; idp != nil {
		out.IdentityProvider = policies.IdentityProvider{IssuerURL: idp.IssuerURL, ClientID: idp.ClientID}
	}
	for _, e := range p.Exceptions {
		out.Exceptions = append(out.Exceptions, policies.Exception(e))
	}
	for before, made := range outs {
		if before != l {
			out.Owned = texts(out.Owned, made)
		}
	}
	slices.Sort(out.Owned)
	account, err := outputs[stacks.AccountOut](outs, plan.LayerAccount)
	if err != nil {
		return out, err
	}
	boundary, err := outputs[stacks.BoundaryOut](outs, plan.LayerBoundary)
	if err != nil {
		return out, err
	}
	out.AccountID, out.AccessRoleARN = account.AccountID, account.AccessRoleARN
	if !p.Account.Vended {
		// What the org brings is known before anything is made.
		out.AccessRoleARN, out.AccountID = p.Account.RoleARN, accountOf(p.Account.RoleARN)
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
	out.Registry, _, _ = strings.Cut(boundary.ControllerRepository, "/")
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

// outputs are a layer's, or the zero value when it is not made.
func outputs[Out any](outs map[plan.Layer]map[string]any, l plan.Layer) (out Out, err error) {
	if outs[l] == nil {
		return out, nil
	}
	return stacks.Decode[Out](outs[l])
}

// accountOf is the account in an ARN.
func accountOf(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 5 {
		return parts[4]
	}
	return ""
}
