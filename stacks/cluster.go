package stacks

import (
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/cluster"
	"freehold.dev/freehold/components/network"
	"freehold.dev/freehold/internal/plan"
)

// The Kubernetes groups that access entries put Freehold's roles in. IAM names
// a session, which is different each time; admission and RBAC need a name that
// stays.
const (
	// Administrators is the Kubernetes group of the roles that may do everything.
	Administrators = "freehold:administrators"
	// Readers is the Kubernetes group of the role that sees everything but Secrets.
	Readers = "freehold:readers"
)

// Cluster is the program of the cluster layer. It runs as the provision role.
func Cluster(ctx *pulumi.Context, in ClusterIn) error {
	aws, err := orgProvider(ctx, plan.LayerCluster, in.Plan.Common, in.Account.AccountID, in.Boundary.ProvisionRoleARN, in.ExternalID)
	if err != nil {
		return err
	}
	eksProvider, err := eks.NewProvider(ctx, "eks", &eks.ProviderArgs{})
	if err != nil {
		return err
	}
	net, err := network.New(ctx, "network", network.Args{
		Name:                 in.Plan.Name,
		AccountID:            in.Account.AccountID,
		Region:               in.Plan.Region,
		CIDR:                 in.Plan.CIDR,
		Zones:                zones(in.Plan.Zones),
		NAT:                  network.NAT(in.Plan.NAT),
		FlowLogGroup:         in.Plan.FlowLogGroup,
		FlowLogRole:          in.Plan.FlowLogRole,
		FlowLogRetentionDays: in.Plan.FlowLogRetentionDays,
		LogKeyARN:            in.Boundary.LogKeyARN,
		BoundaryARN:          in.Boundary.BoundaryARN,
		Tags:                 in.Plan.Tags,
	}, pulumi.Providers(aws))
	if err != nil {
		return err
	}
	made, err := cluster.New(ctx, "cluster", cluster.Args{
		Name:             in.Plan.Name,
		Version:          in.Plan.Version,
		VPCID:            net.VPCID,
		SubnetIDs:        net.PrivateSubnetIDs,
		NodeSubnetIDs:    net.NodeSubnetIDs,
		PublicEndpoint:   in.Plan.PublicEndpoint,
		AllowCIDRs:       in.Plan.AllowCIDRs,
		ClusterRole:      in.Plan.ClusterRole,
		NodeRole:         in.Plan.NodeRole,
		EBSRole:          in.Plan.EBSRole,
		ProvisionRoleARN: in.Boundary.ProvisionRoleARN,
		Access: []cluster.Access{
			{Name: "bootstrap", RoleARN: in.Boundary.BootstrapRoleARN, Policy: "AmazonEKSClusterAdminPolicy", Groups: []string{Administrators}},
			{Name: "offboard", RoleARN: in.Boundary.OffboardRoleARN, Policy: "AmazonEKSClusterAdminPolicy", Groups: []string{Administrators}},
			// The admin view would show Secrets; bootstrap gives readers the
			// rest of what drift looks at.
			{Name: "read", RoleARN: in.Boundary.ReadRoleARN, Policy: "AmazonEKSViewPolicy", Groups: []string{Readers}},
		},
		BoundaryARN:      in.Boundary.BoundaryARN,
		DataKeyARN:       in.Boundary.DataKeyARN,
		LogKeyARN:        in.Boundary.LogKeyARN,
		LogRetentionDays: in.Plan.LogRetentionDays,
		NodePools:        nodePools(in.Plan.NodePools, in.Pools),
		NodesLast:        in.Upgrade,
		AddonVersions:    addonVersions(in.Plan.Addons),
		ProjectRoles:     projectRoles(in.Plan.ProjectRoles),
		IdentityProvider: (*cluster.IdentityProvider)(in.Plan.IdentityProvider),
		Tags:             in.Plan.Tags,
		VolumeTags:       plan.TagsOfVolumes(in.Plan.Tags).Driver,
		Protect:          in.Plan.Protected,
	}, pulumi.Providers(aws, eksProvider))
	if err != nil {
		return err
	}
	return export[ClusterOut](ctx, pulumi.Map{
		"name":                 made.Name,
		"arn":                  made.ARN,
		"endpoint":             made.Endpoint,
		"certificateAuthority": made.CertificateAuthority,
		"oidcIssuer":           made.OIDCIssuer,
		"vpcId":                net.VPCID,
		"privateSubnetIds":     net.PrivateSubnetIDs,
		"nodeRoleArn":          made.NodeRoleARN,
		"projectRoleArns":      made.ProjectRoleARNs,
	})
}

func zones(planned []plan.Zone) []network.Zone {
	zones := make([]network.Zone, len(planned))
	for i, z := range planned {
		zones[i] = network.Zone(z)
	}
	return zones
}

func nodePools(planned []plan.NodePool, states map[string]PoolState) []cluster.NodePool {
	pools := make([]cluster.NodePool, len(planned))
	for i, p := range planned {
		pools[i] = cluster.NodePool{
			Name:          p.GroupName(states[p.Pool].Generation),
			Pool:          p.Part(states[p.Pool].Generation),
			InstanceTypes: p.InstanceTypes,
			CapacityType:  p.CapacityType,
			AMIType:       p.AMIType,
			Min:           p.Min,
			Max:           p.Max,
			Desired:       p.Desired,
			Size:          states[p.Pool].Size,
			DiskGiB:       p.DiskGiB,
			Labels:        p.Labels,
		}
		for _, t := range p.Taints {
			pools[i].Taints = append(pools[i].Taints, cluster.Taint(t))
		}
	}
	return pools
}

func projectRoles(planned []plan.ProjectRole) []cluster.ProjectRole {
	roles := make([]cluster.ProjectRole, len(planned))
	for i, r := range planned {
		roles[i] = cluster.ProjectRole{Project: r.Project, ServiceAccount: r.ServiceAccount, Role: r.Role, Policies: r.Policies}
	}
	return roles
}

func addonVersions(planned []plan.Addon) map[string]string {
	versions := make(map[string]string, len(planned))
	for _, a := range planned {
		versions[a.Name] = a.Version
	}
	return versions
}
