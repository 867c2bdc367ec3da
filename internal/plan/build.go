package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/spec"
)

// Namespace is where the bootstrap layer puts what is Freehold's own.
const Namespace = "freehold-system"

// unreleased is a digest of no image: the sandbox runs the controller as a
// process, and asks no registry.
const unreleased = "sha256:6672656568f1d0c0a17e0de1b1d2c3f405162738495a6b7c8d9eafb0c1d2e3f4"

// DefaultControllerDigest is the namespace controller's image of this release,
// for a spec that pins none. "make release" sets it with the linker, to what
// "make image" made of the same sources: an image's digest is known only after
// the code in it is built.
var DefaultControllerDigest = unreleased

// ControllerReleased reports whether this build names an image by itself. On
// one that does not, a spec for a real cloud must have versions.controllerDigest.
func ControllerReleased() bool { return DefaultControllerDigest != unreleased }

// Tags that every taggable resource of a data plane carries.
const (
	TagOrg       = "freehold.dev/org"
	TagLayer     = "freehold.dev/layer"
	TagManagedBy = "freehold.dev/managed-by"
)

// accessRole is the role that AWS makes in an account that an organization
// creates, for the management account.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
const accessRole = "OrganizationAccountAccessRole"

// Build decides a data plane. It has no error to return: s is a Spec that
// spec.Parse returned, and another one is a programmer's mistake.
func Build(s spec.Spec) Plan {
	n := namer{org: s.Org}
	p := Plan{
		Org:         s.Org,
		Region:      s.Region,
		HashVersion: HashVersion,
		Protected:   s.DeletionProtection,
		Account:     account(s, n),
		Boundary:    boundary(s, n),
		Cluster:     cluster(s, n),
		Bootstrap:   bootstrap(s),
		Exceptions:  exceptions(s),
		Access:      access(s.Access),
		Notes:       notes(s),
	}
	p.Cluster.ProjectRoles = projectRoles(p.Bootstrap.Projects)
	p.Stacks = stacks(p)
	p.Hash = hash(p)
	return p
}

// WithProjects returns the plan with other projects, and the hash of that.
func (p Plan) WithProjects(projects []ProjectPlan) Plan {
	p.Bootstrap.Projects = slices.Clone(projects)
	p.Cluster.ProjectRoles = projectRoles(projects)
	p.HashVersion = HashVersion
	p.Hash = hash(p)
	return p
}

// WithZones returns the plan with other names of its zones, one for one: each
// keeps its ranges.
func (p Plan) WithZones(names []string) Plan {
	p.Cluster.Zones = slices.Clone(p.Cluster.Zones)
	for i, name := range names {
		p.Cluster.Zones[i].Name = name
	}
	p.Hash = hash(p)
	return p
}

func exceptions(s spec.Spec) []Exception {
	var out []Exception
	for _, e := range s.Exceptions {
		out = append(out, Exception(e))
	}
	return out
}

func stacks(p Plan) []StackPlan {
	access := p.Account.AccessRoleName
	if !p.Account.Vended {
		access = p.Account.RoleARN
	}
	as := map[Layer]string{
		LayerAccount:   "the management account",
		LayerBoundary:  access,
		LayerCluster:   p.Boundary.ProvisionRole,
		LayerBootstrap: p.Boundary.BootstrapRole,
	}
	var order []StackPlan
	for _, l := range Layers() {
		order = append(order, StackPlan{Layer: l, Stack: StackName(p.Org, l), As: as[l]})
	}
	return order
}

func common(s spec.Spec, l Layer) Common {
	tags := map[string]string{}
	maps.Copy(tags, s.Tags)
	tags[TagOrg] = s.Org
	tags[TagLayer] = string(l)
	tags[TagManagedBy] = Project
	return Common{Org: s.Org, Region: s.Region, Tags: tags, Protected: s.DeletionProtection}
}

func account(s spec.Spec, n namer) Account {
	a := Account{
		Common:       common(s, LayerAccount),
		Name:         s.Account.Name,
		BoundaryName: n.fit(maxPolicy, "boundary"),
		RolePrefix:   n.rolePrefix(),
	}
	if s.Account.Mode == spec.AccountExisting {
		a.RoleARN = s.Account.RoleARN
		a.ExternalID = s.Account.ExternalID
		return a
	}
	a.Vended = true
	a.Email = s.Account.Email
	a.OrganizationalUnit = s.Account.OrganizationalUnit
	a.AccessRoleName = accessRole
	a.CloseOnOffboard = s.Account.CloseOnOffboarding
	a.ServicePolicyName = n.fit(maxOrgPolicy, "scp")
	a.ResourcePolicy = n.fit(maxOrgPolicy, "rcp")
	return a
}

func boundary(s spec.Spec, n namer) Boundary {
	return Boundary{
		Common:        common(s, LayerBoundary),
		BoundaryName:  n.fit(maxPolicy, "boundary"),
		ProvisionRole: n.fit(maxRole, "provision"),
		ReadRole:      n.fit(maxRole, "read"),
		BootstrapRole: n.fit(maxRole, "bootstrap"),
		OffboardRole:  n.fit(maxRole, "offboard"),
		ExternalID:    iam.ExternalID(n.org),
		DataKeyAlias:  "alias/" + n.fit(maxAlias-len("alias/"), "data"),
		LogKeyAlias:   "alias/" + n.fit(maxAlias-len("alias/"), "logs"),
		LogBucket:     n.bucket("logs"),
		DataBucket:    n.bucket("data"),
		TrailName:     n.fit(maxTrail, "trail"),
		AnalyzerName:  n.fit(maxAnalyzer, "analyzer"),
		// A slash keeps the org's images together, and away from a project's.
		ControllerRepository: n.fit(maxRepository-len("/namespace-controller")) + "/namespace-controller",
		LogRetentionDays:     s.Cluster.LogRetentionDays,
		RolePrefix:           n.rolePrefix(),
	}
}

func cluster(s spec.Spec, n namer) Cluster {
	layout, err := s.Network.Layout()
	if err != nil {
		panic(fmt.Sprintf("plan of a spec that was not parsed: %v", err))
	}
	zones := make([]Zone, len(layout))
	for i, z := range layout {
		zones[i] = Zone{Name: z.Name, PrivateCIDR: z.PrivateCIDR, PublicCIDR: z.PublicCIDR}
	}
	pools := make([]NodePool, len(s.Cluster.NodePools))
	for i, pool := range s.Cluster.NodePools {
		pools[i] = nodePool(pool, n)
	}
	return Cluster{
		Common:               common(s, LayerCluster),
		Name:                 n.fit(maxCluster),
		Version:              s.Cluster.Version,
		CIDR:                 s.Network.CIDR,
		Zones:                zones,
		NAT:                  string(s.Network.NAT),
		FlowLogGroup:         "/" + n.fit(maxLogGroup-len("//flow-logs")) + "/flow-logs",
		FlowLogRetentionDays: s.Network.FlowLogRetentionDays,
		LogRetentionDays:     s.Cluster.LogRetentionDays,
		PublicEndpoint:       s.Cluster.Endpoint.Access == spec.EndpointPublic,
		AllowCIDRs:           slices.Clone(s.Cluster.Endpoint.Allow),
		ClusterRole:          n.fit(maxRole, "cluster"),
		NodeRole:             n.fit(maxRole, "node"),
		EBSRole:              n.fit(maxRole, "ebs-csi"),
		FlowLogRole:          n.fit(maxRole, "flow-logs"),
		NodePools:            pools,
		Addons: []Addon{
			{Name: "vpc-cni", Version: s.Versions.VPCCNI},
			{Name: "coredns", Version: s.Versions.CoreDNS},
			{Name: "kube-proxy", Version: s.Versions.KubeProxy},
			{Name: "aws-ebs-csi-driver", Version: s.Versions.EBSCSI},
			{Name: "eks-pod-identity-agent", Version: s.Versions.PodIdentityAgent},
		},
		IdentityProvider: identityProvider(s.Cluster.IdentityProvider),
	}
}

func identityProvider(p spec.IdentityProvider) *IdentityProvider {
	if p.IssuerURL == "" {
		return nil
	}
	out := IdentityProvider(p)
	out.RequiredClaims = maps.Clone(p.RequiredClaims)
	return &out
}

func nodePool(p spec.NodePool, n namer) NodePool {
	// The spec has Kubernetes' words for effects and the words of a price
	// list for capacity; EKS has its own.
	// https://docs.aws.amazon.com/eks/latest/APIReference/API_Taint.html
	effects := map[string]string{
		"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE",
	}
	var taints []Taint
	for _, t := range p.Taints {
		taints = append(taints, Taint{Key: t.Key, Value: t.Value, Effect: effects[t.Effect]})
	}
	return NodePool{
		Name:          n.fit(maxNodeGroup, p.Name),
		Pool:          p.Name,
		InstanceTypes: slices.Clone(p.InstanceTypes),
		CapacityType:  strings.ToUpper(strings.ReplaceAll(string(p.Capacity), "-", "_")),
		Min:           p.Min,
		Max:           p.Max,
		Desired:       p.Desired,
		DiskGiB:       p.DiskGiB,
		Labels:        maps.Clone(p.Labels),
		Taints:        taints,
		AMIType:       amiType(p.AMIFamily, p.InstanceTypes[0]),
	}
}

// amiType returns EKS's image for a family and for the instance types of a
// pool, of which one stands for all: they fit one image.
//
// https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html
func amiType(family spec.AMIFamily, instanceType string) string {
	m := spec.MachineOf(instanceType)
	architecture := "x86_64"
	if m.ARM {
		architecture = "ARM_64"
	}
	if family == spec.Bottlerocket {
		// Bottlerocket's plain image drives Neuron devices as well.
		if m.Accelerator == spec.NVIDIA {
			return "BOTTLEROCKET_" + architecture + "_NVIDIA"
		}
		return "BOTTLEROCKET_" + architecture
	}
	switch m.Accelerator {
	case spec.NVIDIA:
		return "AL2023_" + architecture + "_NVIDIA"
	case spec.Neuron:
		return "AL2023_" + architecture + "_NEURON"
	default:
		return "AL2023_" + architecture + "_STANDARD"
	}
}

func bootstrap(s spec.Spec) Bootstrap {
	digest := s.Versions.ControllerDigest
	if digest == "" {
		digest = DefaultControllerDigest
	}
	projects := make([]ProjectPlan, len(s.Projects))
	for i, p := range s.Projects {
		projects[i] = ProjectOf(s.Org, p)
	}
	out := Bootstrap{
		Common:           common(s, LayerBootstrap),
		Namespace:        Namespace,
		ControllerDigest: digest,
		StorageClass:     "freehold-gp3",
		Projects:         projects,
	}
	if s.ProjectSource.URL != "" {
		source := ProjectSource(s.ProjectSource)
		out.ProjectSource = &source
	}
	return out
}

// projectRoles are the roles of all projects, which are made in another layer
// than the projects.
func projectRoles(projects []ProjectPlan) []ProjectRole {
	var roles []ProjectRole
	for _, p := range projects {
		for _, identity := range p.PodIdentities {
			roles = append(roles, ProjectRole{Project: p.Name, PodIdentity: identity})
		}
	}
	return roles
}

// ProjectOf decides one project of an org's data plane.
func ProjectOf(org string, p spec.Project) ProjectPlan {
	out := ProjectPlan{Name: p.Name, ProjectSettings: p.ProjectSettings.DeepCopy()}
	for _, a := range p.ServiceAccounts {
		out.ServiceAccounts = append(out.ServiceAccounts, a.Name)
		if len(a.PodIdentity.Policies) > 0 {
			out.PodIdentities = append(out.PodIdentities, PodIdentity{
				ServiceAccount: a.Name, Role: namer{org}.podRole(p.Name, a.Name), Policies: slices.Clone(a.PodIdentity.Policies),
			})
		}
	}
	return out
}
