package sandbox

import (
	"context"
	"fmt"
	"maps"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
	"freehold.dev/freehold/internal/sandbox/controlplane"
	"freehold.dev/freehold/internal/sandbox/store"
)

// StaleEntries are those of the principals that a cluster has no access entry
// for, or one that was made for an earlier role of the name.
func (c *Cloud) StaleEntries(ctx context.Context, in cloud.Account, cluster string, principals []string) ([]cloud.Entry, error) {
	who, err := c.as(ctx, in)
	if err != nil {
		return nil, err
	}
	var out []cloud.Entry
	for _, p := range principals {
		row, err := c.backend.Get(ctx, who, awsprovider.TypeOf(awstype.EKSAccessEntry), cluster+":"+p)
		if err != nil {
			return nil, fmt.Errorf("access entry of %s: %w", p, err)
		}
		if row == nil || !awsprovider.LetsIn(*row) {
			out = append(out, cloud.Entry{Principal: p, Missing: row == nil})
		}
	}
	return out, nil
}

// RenewEntry deletes the access entry of a role and creates it again, with the
// policies that were associated with it.
func (c *Cloud) RenewEntry(ctx context.Context, in cloud.Account, cluster, principal string, nodes bool) error {
	who, err := c.as(ctx, in)
	if err != nil {
		return err
	}
	entries, associations := awsprovider.TypeOf(awstype.EKSAccessEntry), awsprovider.TypeOf(awstype.EKSAccessPolicyAssociation)
	old, err := c.backend.Get(ctx, who, entries, cluster+":"+principal)
	if err != nil {
		return fmt.Errorf("access entry of %s: %w", principal, err)
	}
	inputs := map[string]any{"clusterName": cluster, "principalArn": principal}
	if nodes {
		inputs["type"] = "EC2_LINUX"
	}
	urn := ""
	var policies []store.Row
	if old != nil {
		urn = old.URN
		maps.Copy(inputs, old.Inputs)
		if policies, err = c.associations(ctx, who.Account(), in.Region, cluster, principal); err != nil {
			return err
		}
		if err := c.backend.Delete(ctx, who, entries, urn, old.ID, nil); err != nil {
			return err
		}
	}
	if _, err := c.backend.Create(ctx, who, entries, urn, inputs, nil); err != nil {
		return err
	}
	for _, p := range policies {
		if _, err := c.backend.Create(ctx, who, associations, p.URN, map[string]any{
			"clusterName": cluster, "principalArn": principal, "policyArn": p.Outputs["policyArn"], "accessScope": p.Outputs["accessScope"],
		}, nil); err != nil {
			return err
		}
	}
	return nil
}

// associations are the policies that an access entry gives.
func (c *Cloud) associations(ctx context.Context, account, region, cluster, principal string) ([]store.Row, error) {
	rows, err := c.backend.Rows(ctx, store.Filter{Account: account, Region: region, Type: awstype.EKSAccessPolicyAssociation})
	if err != nil {
		return nil, err
	}
	var out []store.Row
	for _, r := range rows {
		if r.Outputs["clusterName"] == cluster && r.Outputs["principalArn"] == principal {
			out = append(out, r)
		}
	}
	return out, nil
}

// letsIn reports whether a role's access entry is its own. The API server of EKS
// answers a role whose entry was made for an earlier one of the name with 401,
// as it does a role without an entry.
func (c *Cloud) letsIn(ctx context.Context, at controlplane.Cluster, roleARN string) (bool, error) {
	rows, err := c.backend.Rows(ctx, store.Filter{
		Account: at.Account, Region: at.Region, Type: awstype.EKSAccessEntry, ID: at.Name + ":" + roleARN,
	})
	if err != nil {
		return false, fmt.Errorf("access entry of %s: %w", roleARN, err)
	}
	return len(rows) > 0 && awsprovider.LetsIn(rows[0]), nil
}
