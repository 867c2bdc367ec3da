package cluster

import (
	"strings"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// projectRoles makes the roles of projects' service accounts, and returns
// their ARNs.
func (b *builder) projectRoles(controlPlane *eks.Cluster) (pulumi.StringMap, error) {
	arns := pulumi.StringMap{}
	for _, r := range b.args.ProjectRoles {
		part := "pod-" + r.Project + "." + r.ServiceAccount
		managed := make([]string, len(r.Policies))
		for i, arn := range r.Policies {
			managed[i] = strings.TrimPrefix(arn, policiesOfAWS)
		}
		role, policies, err := b.role(part, r.Role, "For the pods of service account "+r.Account(), podTrust(), managed...)
		if err != nil {
			return nil, err
		}
		if _, err := b.associate(controlPlane, part, r.Project, r.ServiceAccount, role, policies); err != nil {
			return nil, err
		}
		arns[r.Account()] = role.Arn
	}
	return arns, nil
}

// associate has EKS give the role to pods of one service account. What the role
// may do comes first: a pod would start with less.
func (b *builder) associate(
	controlPlane *eks.Cluster, part, namespace, account string, role *iam.Role, policies []pulumi.Resource,
) (pulumi.Resource, error) {
	return awseks.NewPodIdentityAssociation(b.ctx, b.child(part), &awseks.PodIdentityAssociationArgs{
		ClusterName:    controlPlane.EksCluster.Name(),
		Namespace:      pulumi.String(namespace),
		ServiceAccount: pulumi.String(account),
		RoleArn:        role.Arn,
		Tags:           b.tags(""),
	}, b.parent, pulumi.DependsOn(policies))
}
