package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
)

// logGroupOf returns the name in a log group's ARN, "" if it is none.
func logGroupOf(arn string) string {
	_, name, _ := strings.Cut(arn, ":log-group:")
	return strings.TrimSuffix(name, ":*")
}

func findCluster(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("name")
	_, err := s.eks.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: aws.String(name)})
	return one(name, err)
}

func findNodeGroup(ctx context.Context, s *session, in inputs) ([]string, error) {
	is := in.texts("clusterName", "nodeGroupName")
	_, err := s.eks.DescribeNodegroup(ctx, &eks.DescribeNodegroupInput{ClusterName: aws.String(is[0]), NodegroupName: aws.String(is[1])})
	return one(is[0]+":"+is[1], err)
}

func findAddon(ctx context.Context, s *session, in inputs) ([]string, error) {
	is := in.texts("clusterName", "addonName")
	_, err := s.eks.DescribeAddon(ctx, &eks.DescribeAddonInput{ClusterName: aws.String(is[0]), AddonName: aws.String(is[1])})
	return one(is[0]+":"+is[1], err)
}

func findFargateProfile(ctx context.Context, s *session, in inputs) ([]string, error) {
	is := in.texts("clusterName", "fargateProfileName")
	_, err := s.eks.DescribeFargateProfile(ctx, &eks.DescribeFargateProfileInput{ClusterName: aws.String(is[0]), FargateProfileName: aws.String(is[1])})
	return one(is[0]+":"+is[1], err)
}

func findAccessEntry(ctx context.Context, s *session, in inputs) ([]string, error) {
	is := in.texts("clusterName", "principalArn")
	_, err := s.eks.DescribeAccessEntry(ctx, &eks.DescribeAccessEntryInput{ClusterName: aws.String(is[0]), PrincipalArn: aws.String(is[1])})
	return one(is[0]+":"+is[1], err)
}

func findAccessPolicy(ctx context.Context, s *session, in inputs) ([]string, error) {
	is := in.texts("clusterName", "principalArn", "policyArn")
	policies, err := s.accessPolicies(ctx, is[0], is[1])
	if !slices.Contains(policies, is[2]) {
		return one("", err)
	}
	return []string{strings.Join(is, "#")}, nil
}

func findPodIdentity(ctx context.Context, s *session, in inputs) ([]string, error) {
	is := in.texts("clusterName", "namespace", "serviceAccount")
	all, err := s.podIdentities(ctx, &eks.ListPodIdentityAssociationsInput{
		ClusterName: aws.String(is[0]), Namespace: aws.String(is[1]), ServiceAccount: aws.String(is[2]),
	})
	if len(all) == 0 {
		return one("", err)
	}
	return []string{aws.ToString(all[0].AssociationId)}, err
}

func findIdentityProvider(ctx context.Context, s *session, in inputs) ([]string, error) {
	oidc, _ := in["oidc"].(map[string]any)
	cluster, name := in.text("clusterName"), inputs(oidc).text("identityProviderConfigName")
	_, err := s.eks.DescribeIdentityProviderConfig(ctx, &eks.DescribeIdentityProviderConfigInput{
		ClusterName: aws.String(cluster), IdentityProviderConfig: oidcConfig(name),
	})
	return one(cluster+":"+name, err)
}

// oidcConfig names an identity provider as EKS does: by a type, of which there is one.
func oidcConfig(name string) *ekstypes.IdentityProviderConfig {
	return &ekstypes.IdentityProviderConfig{Type: aws.String("oidc"), Name: aws.String(name)}
}
