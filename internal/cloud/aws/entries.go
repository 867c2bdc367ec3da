package aws

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"freehold.dev/freehold/internal/cloud"
)

// nodeEntry is the type of an access entry for the nodes of a group.
const nodeEntry = "EC2_LINUX"

// StaleEntries are those of the principals that have no access entry, or one that
// was made for an earlier role of the name. EKS binds an entry to the unique id of
// its role and does not show it: an entry that is older than its role was made
// for another one.
//
// https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
func (c *Cloud) StaleEntries(ctx context.Context, in cloud.Account, cluster string, principals []string) ([]cloud.Entry, error) {
	cfg, err := c.enter(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("access entries of %s: %w", cluster, err)
	}
	roles, err := every(ctx, iam.NewListRolesPaginator(iam.NewFromConfig(cfg), &iam.ListRolesInput{}),
		func(p *iam.ListRolesOutput) []iamtypes.Role { return p.Roles })
	if err != nil {
		return nil, fmt.Errorf("access entries of %s: %w", cluster, err)
	}
	made := map[string]time.Time{}
	for _, r := range roles {
		made[aws.ToString(r.Arn)] = aws.ToTime(r.CreateDate)
	}
	client := eks.NewFromConfig(cfg)
	var out []cloud.Entry
	for _, p := range principals {
		entry, err := client.DescribeAccessEntry(ctx, &eks.DescribeAccessEntryInput{ClusterName: aws.String(cluster), PrincipalArn: aws.String(p)})
		if isCode(err, "ResourceNotFoundException") {
			out = append(out, cloud.Entry{Principal: p, Missing: true})
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("access entry of %s: eks:DescribeAccessEntry: %w", p, err)
		}
		of, there := made[p]
		is := aws.ToTime(entry.AccessEntry.CreatedAt)
		if there && (of.IsZero() || is.IsZero()) {
			return nil, fmt.Errorf("access entry of %s: AWS does not say when it, or its role, was made", p)
		}
		if !there || is.Before(of) {
			out = append(out, cloud.Entry{Principal: p})
		}
	}
	return out, nil
}

// RenewEntry deletes the access entry of a role and creates it again, with the
// policies that were associated with it.
func (c *Cloud) RenewEntry(ctx context.Context, in cloud.Account, cluster, principal string, nodes bool) error {
	cfg, err := c.enter(ctx, in)
	if err != nil {
		return fmt.Errorf("renew the access entry of %s: %w", principal, err)
	}
	client := eks.NewFromConfig(cfg)
	again := &eks.CreateAccessEntryInput{ClusterName: aws.String(cluster), PrincipalArn: aws.String(principal)}
	if nodes {
		again.Type = aws.String(nodeEntry)
	}
	var policies []ekstypes.AssociatedAccessPolicy
	old, err := client.DescribeAccessEntry(ctx, &eks.DescribeAccessEntryInput{ClusterName: again.ClusterName, PrincipalArn: again.PrincipalArn})
	switch {
	case isCode(err, "ResourceNotFoundException"):
	case err != nil:
		return fmt.Errorf("renew the access entry of %s: eks:DescribeAccessEntry: %w", principal, err)
	default:
		again.Type, again.Tags = old.AccessEntry.Type, old.AccessEntry.Tags
		if !nodes {
			// EKS gives nodes a name and a group itself, and takes none.
			again.KubernetesGroups, again.Username = old.AccessEntry.KubernetesGroups, old.AccessEntry.Username
		}
		if policies, err = every(ctx, eks.NewListAssociatedAccessPoliciesPaginator(client, &eks.ListAssociatedAccessPoliciesInput{
			ClusterName: again.ClusterName, PrincipalArn: again.PrincipalArn,
		}), func(p *eks.ListAssociatedAccessPoliciesOutput) []ekstypes.AssociatedAccessPolicy {
			return p.AssociatedAccessPolicies
		}); err != nil {
			return fmt.Errorf("renew the access entry of %s: %w", principal, err)
		}
		if _, err := client.DeleteAccessEntry(ctx, &eks.DeleteAccessEntryInput{ClusterName: again.ClusterName, PrincipalArn: again.PrincipalArn}); err != nil {
			return fmt.Errorf("renew the access entry of %s: eks:DeleteAccessEntry: %w", principal, err)
		}
	}
	if _, err := client.CreateAccessEntry(ctx, again); err != nil {
		return fmt.Errorf("renew the access entry of %s: eks:CreateAccessEntry: %w", principal, err)
	}
	for _, p := range policies {
		if _, err := client.AssociateAccessPolicy(ctx, &eks.AssociateAccessPolicyInput{
			ClusterName: again.ClusterName, PrincipalArn: again.PrincipalArn, PolicyArn: p.PolicyArn, AccessScope: p.AccessScope,
		}); err != nil {
			return fmt.Errorf("renew the access entry of %s: eks:AssociateAccessPolicy: %w", principal, err)
		}
	}
	return nil
}
