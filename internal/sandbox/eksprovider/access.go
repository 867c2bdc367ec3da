package eksprovider

import (
	"errors"
	"maps"
	"slices"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// makeAccess makes the instance role where asked, and an access entry for each
// principal that is given and for the instance role.
func (c *cluster) makeAccess() error {
	entries := map[string]accessEntry{}
	maps.Copy(entries, c.in.AccessEntries)

	c.roles = iam.RoleArray{}.ToRoleArrayOutput()
	role, err := c.instanceRole()
	if err != nil {
		return err
	}
	if c.in.InstanceRoles.OutputState != nil {
		c.roles = c.in.InstanceRoles.ApplyT(func(roles []*iam.Role) ([]*iam.Role, error) {
			if len(roles) > 0 {
				return nil, errors.New("the 'instanceRoles' property does not support non-empty values when 'authenticationMode' is set to 'API'")
			}
			return roles, nil
		}).(iam.RoleArrayOutput)
	}
	if role != nil {
		c.roles = role.ApplyT(func(r *iam.Role) []*iam.Role { return []*iam.Role{r} }).(iam.RoleArrayOutput)
		entries["defaultNodeGroupInstanceRole"] = accessEntry{
			PrincipalARN: role.Arn(),
			Type:         pulumi.String("EC2_LINUX"),
		}
	}

	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if err := c.makeEntry(c.name+"-"+name, entries[name]); err != nil {
			return err
		}
	}
	return nil
}

// instanceRole returns the role given, or makes one where asked; nil for neither.
func (c *cluster) instanceRole() (*iam.RoleOutput, error) {
	switch {
	case c.in.InstanceRole.OutputState != nil:
		return &c.in.InstanceRole, nil
	case c.in.InstanceRoles.OutputState != nil || !deref(c.in.CreateInstanceRole):
		return nil, nil
	}
	role, _, err := c.makeServiceRole(c.name+"-instanceRole", serviceRole{
		service:  "ec2",
		policies: []string{"AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"},
		actions:  []string{"sts:AssumeRole"},
	})
	if err != nil {
		return nil, err
	}
	if _, err := iam.NewInstanceProfile(c.ctx, c.name+"-instanceProfile", &iam.InstanceProfileArgs{Role: role.Name}, pulumi.Parent(c.parent)); err != nil {
		return nil, err
	}
	out := role.ToRoleOutput()
	return &out, nil
}

// makeEntry makes one access entry, and the policies associated with it as its
// children.
func (c *cluster) makeEntry(name string, e accessEntry) error {
	entry, err := awseks.NewAccessEntry(c.ctx, name, &awseks.AccessEntryArgs{
		ClusterName:      c.eks.Name,
		PrincipalArn:     e.PrincipalARN,
		KubernetesGroups: e.KubernetesGroups,
		Type:             e.Type,
		UserName:         e.Username,
		Tags:             e.Tags,
	}, pulumi.Parent(c.parent), pulumi.DependsOn([]pulumi.Resource{c.eks}))
	if err != nil {
		return err
	}
	policies := pulumi.Map{}
	for _, association := range slices.Sorted(maps.Keys(e.AccessPolicies)) {
		policy := e.AccessPolicies[association].ToAccessPolicyAssociationOutput()
		_, err := awseks.NewAccessPolicyAssociation(c.ctx, name+"-"+association, &awseks.AccessPolicyAssociationArgs{
			ClusterName:  c.eks.Name,
			PrincipalArn: e.PrincipalARN,
			PolicyArn:    policy.PolicyArn(),
			AccessScope: policy.ApplyT(func(p eks.AccessPolicyAssociation) awseks.AccessPolicyAssociationAccessScope {
				return p.AccessScope
			}).(awseks.AccessPolicyAssociationAccessScopeOutput),
		}, pulumi.Parent(entry), pulumi.DependsOn([]pulumi.Resource{entry}))
		if err != nil {
			return err
		}
		policies[association] = policy
	}
	c.entries = append(c.entries, e.output(policies))
	return nil
}

// output is the entry as the cluster's "core" shows it.
func (e accessEntry) output(policies pulumi.Map) pulumi.Map {
	out := pulumi.Map{"principalArn": e.PrincipalARN}
	if len(policies) > 0 {
		out["accessPolicies"] = policies
	}
	if e.KubernetesGroups != nil {
		out["kubernetesGroups"] = e.KubernetesGroups
	}
	if e.Tags != nil {
		out["tags"] = e.Tags
	}
	if e.Type != nil {
		out["type"] = e.Type
	}
	if e.Username != nil {
		out["username"] = e.Username
	}
	return out
}
