package aws

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// cluster is an EKS cluster and what EKS runs for it.
type cluster struct {
	name  string
	arn   string
	group string // the security group that EKS made for it
	nodes []ekstypes.Nodegroup
	// creator is true if EKS was to make whoever creates the cluster its
	// administrator; born is when it was created.
	creator bool
	born    time.Time
}

// scales reports whether an Auto Scaling group is one of the cluster's node groups'.
func (c cluster) scales(group string) bool {
	return slices.ContainsFunc(c.nodes, func(n ekstypes.Nodegroup) bool {
		return n.Resources != nil && slices.ContainsFunc(n.Resources.AutoScalingGroups, func(g ekstypes.AutoScalingGroup) bool {
			return aws.ToString(g.Name) == group
		})
	})
}

// runs reports whether a role is that of one of the cluster's node groups.
func (c cluster) runs(roleARN string) bool {
	return slices.ContainsFunc(c.nodes, func(n ekstypes.Nodegroup) bool { return aws.ToString(n.NodeRole) == roleARN })
}

func (s *session) readFleet(ctx context.Context) ([]cluster, error) {
	names, err := every(ctx, eks.NewListClustersPaginator(s.eks, &eks.ListClustersInput{}),
		func(p *eks.ListClustersOutput) []string { return p.Clusters })
	var fleet []cluster
	for _, name := range names {
		out, err := s.eks.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: aws.String(name)})
		if gone(err) {
			continue // since the list was read; so below
		}
		if err != nil {
			return nil, called(err)
		}
		c := cluster{name: name, arn: aws.ToString(out.Cluster.Arn), born: aws.ToTime(out.Cluster.CreatedAt)}
		if a := out.Cluster.AccessConfig; a != nil {
			c.creator = aws.ToBool(a.BootstrapClusterCreatorAdminPermissions)
		}
		if v := out.Cluster.ResourcesVpcConfig; v != nil {
			c.group = aws.ToString(v.ClusterSecurityGroupId)
		}
		groups, err := every(ctx, eks.NewListNodegroupsPaginator(s.eks, &eks.ListNodegroupsInput{ClusterName: aws.String(name)}),
			func(p *eks.ListNodegroupsOutput) []string { return p.Nodegroups })
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			out, err := s.eks.DescribeNodegroup(ctx, &eks.DescribeNodegroupInput{ClusterName: aws.String(name), NodegroupName: aws.String(g)})
			if gone(err) {
				continue
			}
			if err != nil {
				return nil, called(err)
			}
			c.nodes = append(c.nodes, *out.Nodegroup)
		}
		fleet = append(fleet, c)
	}
	return fleet, err
}

// listClusters lists clusters, and before each what is in it.
func listClusters(ctx context.Context, s *session) ([]cloud.Item, error) {
	fleet, err := s.fleet()
	if err != nil {
		return nil, err
	}
	var items []cloud.Item
	for _, c := range fleet {
		for _, list := range []func(context.Context, *session, cluster) ([]cloud.Item, error){
			listIdentityProviderConfigs, listPodIdentities, listAddons, listFargateProfiles, listNodeGroups, listAccess,
		} {
			more, err := list(ctx, s, c)
			if err != nil {
				return nil, err
			}
			items = append(items, more...)
		}
		items = append(items, named(awstype.EKSCluster, c.name, c.name, c.arn))
	}
	return items, nil
}

func listNodeGroups(_ context.Context, _ *session, c cluster) ([]cloud.Item, error) {
	var items []cloud.Item
	for _, n := range c.nodes {
		name := aws.ToString(n.NodegroupName)
		it := named(awstype.EKSNodeGroup, c.name+":"+name, name, aws.ToString(n.NodegroupArn))
		it.Tags = n.Tags
		items = append(items, it)
	}
	return items, nil
}

func listAddons(ctx context.Context, s *session, c cluster) ([]cloud.Item, error) {
	names, err := every(ctx, eks.NewListAddonsPaginator(s.eks, &eks.ListAddonsInput{ClusterName: aws.String(c.name)}),
		func(p *eks.ListAddonsOutput) []string { return p.Addons })
	var items []cloud.Item
	for _, name := range names {
		it := named(awstype.EKSAddon, c.name+":"+name, name, "")
		it.Slot = slot(it.Type, map[string]any{"clusterName": c.name, "addonName": name})
		items = append(items, it)
	}
	return items, err
}

func listFargateProfiles(ctx context.Context, s *session, c cluster) ([]cloud.Item, error) {
	names, err := every(ctx, eks.NewListFargateProfilesPaginator(s.eks, &eks.ListFargateProfilesInput{ClusterName: aws.String(c.name)}),
		func(p *eks.ListFargateProfilesOutput) []string { return p.FargateProfileNames })
	var items []cloud.Item
	for _, name := range names {
		items = append(items, named(awstype.EKSFargateProfile, c.name+":"+name, name, ""))
	}
	return items, err
}

func listIdentityProviderConfigs(ctx context.Context, s *session, c cluster) ([]cloud.Item, error) {
	all, err := every(ctx, eks.NewListIdentityProviderConfigsPaginator(s.eks, &eks.ListIdentityProviderConfigsInput{ClusterName: aws.String(c.name)}),
		func(p *eks.ListIdentityProviderConfigsOutput) []ekstypes.IdentityProviderConfig {
			return p.IdentityProviderConfigs
		})
	if err != nil {
		return nil, err
	}
	var items []cloud.Item
	for _, p := range all {
		name := aws.ToString(p.Name)
		out, err := s.eks.DescribeIdentityProviderConfig(ctx, &eks.DescribeIdentityProviderConfigInput{ClusterName: aws.String(c.name), IdentityProviderConfig: &p})
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, called(err)
		}
		it := named(awstype.EKSIdentityProviderConfig, c.name+":"+name, name, "")
		it.Slot = slot(it.Type, map[string]any{"clusterName": c.name})
		if is := out.IdentityProviderConfig.Oidc; is != nil {
			it.ARN, it.Tags = aws.ToString(is.IdentityProviderConfigArn), is.Tags
			it.Properties = map[string]any{"clusterName": c.name, "oidc": believed(is)}
		}
		items = append(items, it)
	}
	return items, nil
}

// believed is what of an identity provider says whose tokens are believed, and
// who they can be.
func believed(is *ekstypes.OidcIdentityProviderConfig) map[string]any {
	oidc := map[string]any{}
	for key, v := range map[string]*string{
		"issuerUrl": is.IssuerUrl, "clientId": is.ClientId, "usernameClaim": is.UsernameClaim, "usernamePrefix": is.UsernamePrefix,
		"groupsClaim": is.GroupsClaim, "groupsPrefix": is.GroupsPrefix,
	} {
		if v != nil {
			oidc[key] = *v
		}
	}
	return oidc
}

func listPodIdentities(ctx context.Context, s *session, c cluster) ([]cloud.Item, error) {
	all, err := s.podIdentities(ctx, &eks.ListPodIdentityAssociationsInput{ClusterName: aws.String(c.name)})
	var items []cloud.Item
	for _, a := range all {
		it := named(awstype.EKSPodIdentityAssociation, aws.ToString(a.AssociationId), c.name+" "+aws.ToString(a.Namespace)+"/"+aws.ToString(a.ServiceAccount), aws.ToString(a.AssociationArn))
		it.Slot = slot(it.Type, map[string]any{
			"clusterName": c.name, "namespace": aws.ToString(a.Namespace), "serviceAccount": aws.ToString(a.ServiceAccount),
		})
		// An add-on owns those that it was given, and takes them along.
		it.ByCloud = aws.ToString(a.OwnerArn) != ""
		items = append(items, it)
	}
	return items, err
}

func (s *session) podIdentities(ctx context.Context, in *eks.ListPodIdentityAssociationsInput) ([]ekstypes.PodIdentityAssociationSummary, error) {
	return every(ctx, eks.NewListPodIdentityAssociationsPaginator(s.eks, in),
		func(p *eks.ListPodIdentityAssociationsOutput) []ekstypes.PodIdentityAssociationSummary {
			return p.Associations
		})
}

// listAccess lists who is let into a cluster, and with which policies. A cluster
// that knows no access entries (authentication mode CONFIG_MAP) refuses the
// question; it has none.
func listAccess(ctx context.Context, s *session, c cluster) ([]cloud.Item, error) {
	principals, err := every(ctx, eks.NewListAccessEntriesPaginator(s.eks, &eks.ListAccessEntriesInput{ClusterName: aws.String(c.name)}),
		func(p *eks.ListAccessEntriesOutput) []string { return p.AccessEntries })
	if isCode(err, "InvalidRequestException") {
		return nil, nil
	}
	var items []cloud.Item
	for _, principal := range principals {
		out, err := s.eks.DescribeAccessEntry(ctx, &eks.DescribeAccessEntryInput{ClusterName: aws.String(c.name), PrincipalArn: aws.String(principal)})
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, called(err)
		}
		policies, err := s.accessPolicies(ctx, c.name, principal)
		if err != nil {
			return nil, err
		}
		byCloud := entryByCloud(*out.AccessEntry, policies, c)
		for _, p := range policies {
			items = append(items, cloud.Item{Type: awstype.EKSAccessPolicyAssociation, ID: c.name + "#" + principal + "#" + p, Name: p, ByCloud: byCloud,
				Properties: map[string]any{"clusterName": c.name, "principalArn": principal, "policyArn": p}})
		}
		entry := named(awstype.EKSAccessEntry, c.name+":"+principal, principal, aws.ToString(out.AccessEntry.AccessEntryArn))
		entry.Tags, entry.ByCloud = out.AccessEntry.Tags, byCloud
		entry.Properties = map[string]any{"clusterName": c.name, "principalArn": principal}
		entry.Slot = slot(entry.Type, map[string]any{"clusterName": c.name, "principalArn": principal})
		items = append(items, entry)
	}
	return items, err
}

func (s *session) accessPolicies(ctx context.Context, cluster, principal string) ([]string, error) {
	all, err := every(ctx, eks.NewListAssociatedAccessPoliciesPaginator(s.eks, &eks.ListAssociatedAccessPoliciesInput{
		ClusterName: aws.String(cluster), PrincipalArn: aws.String(principal),
	}), func(p *eks.ListAssociatedAccessPoliciesOutput) []ekstypes.AssociatedAccessPolicy {
		return p.AssociatedAccessPolicies
	})
	var arns []string
	for _, p := range all {
		arns = append(arns, aws.ToString(p.PolicyArn))
	}
	return arns, err
}

// creatorsEntryWithin is how long after a cluster's creation EKS may have made
// its creator's entry. Nobody else can make one before the cluster is active,
// which takes longer.
const creatorsEntryWithin = 5 * time.Minute

// entryByCloud reports whether EKS made an access entry: for the role of a node
// group, for its nodes only; for a service-linked role; or for whoever created
// the cluster, as administrator, without a group and without a tag.
// https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
func entryByCloud(e ekstypes.AccessEntry, policies []string, c cluster) bool {
	principal, kind := aws.ToString(e.PrincipalArn), aws.ToString(e.Type)
	switch {
	case strings.Contains(principal, ":role"+serviceRolePath):
		return true
	case kind == "EC2_LINUX", kind == "EC2_WINDOWS":
		return c.runs(principal)
	case !c.creator || kind != "STANDARD" || len(e.Tags) > 0 || len(e.KubernetesGroups) > 0:
		return false
	}
	administers := len(policies) == 1 && strings.HasSuffix(policies[0], ":cluster-access-policy/AmazonEKSClusterAdminPolicy")
	return administers && !c.born.IsZero() && aws.ToTime(e.CreatedAt).Before(c.born.Add(creatorsEntryWithin))
}

// nodeProfile is how EKS calls the instance profile that it makes for a node group.
var nodeProfile = regexp.MustCompile(`^eks-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
