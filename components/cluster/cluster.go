// Package cluster makes the EKS cluster that an org's projects run in.
package cluster

import (
	"errors"
	"fmt"
	"net/netip"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Args describe a Cluster.
type Args struct {
	Name    string // required; the cluster's name at AWS
	Version string // required; Kubernetes minor, "1.35"

	VPCID     pulumi.StringInput      // required
	SubnetIDs pulumi.StringArrayInput // required; private, for the control plane's network interfaces
	// NodeSubnetIDs are the private subnets that nodes run in; required.
	// They should become known only when nodes can reach AWS from them.
	NodeSubnetIDs pulumi.StringArrayInput

	// PublicEndpoint lets the API endpoint answer on the internet too, to
	// AllowCIDRs; inside the VPC it always answers.
	PublicEndpoint bool
	AllowCIDRs     []string // required for a public endpoint, unused for a private one

	ClusterRole string // required; role names, length-limited
	NodeRole    string // required
	EBSRole     string // required
	// ProvisionRoleARN is the role that the AWS provider has assumed. EKS makes
	// it an administrator of the cluster that it creates; required.
	ProvisionRoleARN string
	// Access lists everybody else who may talk to the Kubernetes API.
	Access []Access

	BoundaryARN string // required; every role's permissions boundary
	DataKeyARN  string // required; encrypts Kubernetes secrets and nodes' disks
	LogKeyARN   string // required; encrypts the control plane's log

	LogRetentionDays int        // required
	NodePools        []NodePool // required, one at least
	// NodesLast changes the nodes after all add-ons, which EKS wants of an
	// upgrade: for a cluster that has nodes already. Without it the add-ons that
	// run on nodes wait for them, as those of a new cluster must.
	NodesLast bool
	// AddonVersions are versions by EKS's names; required for each of
	// vpc-cni, kube-proxy, coredns, aws-ebs-csi-driver and eks-pod-identity-agent.
	AddonVersions map[string]string
	// ProjectRoles are made for service accounts of projects.
	ProjectRoles []ProjectRole
	// IdentityProvider lets people in beside IAM's roles; nil: nobody.
	IdentityProvider *IdentityProvider

	Tags map[string]string // on everything that takes tags, beside Name
	// VolumeTags are what the EBS driver gives to all that it makes.
	VolumeTags map[string]string
	// Protect keeps the engine from deleting or replacing the cluster.
	Protect bool
}

// Access lets one IAM role use the Kubernetes API.
type Access struct {
	Name    string   // required; part of logical names, never changed
	RoleARN string   // required
	Policy  string   // required; an EKS access policy's name, for the whole cluster
	Groups  []string // Kubernetes groups beside what Policy gives
}

// NodePool is one managed node group.
type NodePool struct {
	Name          string // required; the node group's name at AWS
	Pool          string // required; part of logical names, never changed
	InstanceTypes []string
	CapacityType  string // ON_DEMAND or SPOT
	AMIType       string // AL2023_… or BOTTLEROCKET_…
	Min           int
	Max           int
	Desired       int // nodes when the group is made
	// Size sets the number of nodes of a group that there is. nil: it is left to
	// whoever scales the group between Min and Max.
	Size    *int
	DiskGiB int
	Labels  map[string]string
	Taints  []Taint
}

// ProjectRole is an IAM role for the pods of one service account, and for no others.
type ProjectRole struct {
	Project        string   // required; the namespace, which need not be there yet
	ServiceAccount string   // required
	Role           string   // required; role name, length-limited
	Policies       []string // ARNs of AWS's managed policies
}

// IdentityProvider is an OpenID Connect issuer whose tokens the API server
// believes. What people and groups are called begins with the prefixes: without
// one a token could call itself whatever it likes, "system:masters" too.
type IdentityProvider struct {
	IssuerURL      string // required
	ClientID       string // required; the tokens' audience
	UsernameClaim  string // required
	UsernamePrefix string // required
	GroupsClaim    string // empty: nobody is in a group
	GroupsPrefix   string // required with GroupsClaim
	RequiredClaims map[string]string
}

// Account names the service account in the whole cluster, "shop/uploader".
func (r ProjectRole) Account() string { return r.Project + "/" + r.ServiceAccount }

// Taint keeps pods off a pool's nodes; Effect in EKS's form, NO_SCHEDULE.
type Taint struct {
	Key    string
	Value  string
	Effect string
}

// Cluster is an EKS cluster with its nodes and add-ons.
//
// It guarantees that
//   - the API endpoint always answers inside the VPC, and outside only to a
//     list of ranges that is neither empty nor everybody;
//   - IAM roles get in by access entries only (authentication mode API): the
//     provision role, which created the cluster, those in Args.Access, and the
//     nodes that EKS itself admits;
//   - people get in by tokens of the one issuer that is given, if any, under
//     names that begin with its prefixes;
//   - Kubernetes secrets are encrypted with the data key, and every log of the
//     control plane is kept, encrypted with the log key;
//   - nodes run in private subnets, on encrypted disks, and answer metadata
//     requests with a token and to the host's own network only, so that no pod
//     can take the node's credentials;
//   - network policies are enforced, which is not what EKS does by default;
//   - every add-on has a fixed version, and the only one with permissions of
//     its own gets them by Pod Identity, as do service accounts of projects;
//   - every role carries the permissions boundary, and everything that takes
//     tags has them;
//   - no security group is made: EKS's own, which lets the control plane and
//     the nodes speak to each other, is the only one.
//
// EKS's deletion protection is not among the provider's properties; it is set
// by the EKS API beside this component.
type Cluster struct {
	pulumi.ResourceState

	Name                 pulumi.StringOutput
	ARN                  pulumi.StringOutput
	Endpoint             pulumi.StringOutput
	CertificateAuthority pulumi.StringOutput // base64
	OIDCIssuer           pulumi.StringOutput // with https://
	NodeRoleARN          pulumi.StringOutput
	ProjectRoleARNs      pulumi.StringMap // by ProjectRole.Account
}

// New makes a Cluster. The providers given must include eks and aws.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	c := &Cluster{}
	if err := ctx.RegisterComponentResource("freehold:index:Cluster", name, c, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, name: name, args: args, parent: pulumi.Parent(c)}

	controlPlane, err := b.controlPlane()
	if err != nil {
		return nil, err
	}
	// It hands pods the credentials of their own role, runs on every node and
	// waits for none.
	agent, err := b.addon(controlPlane, podIdentityAgent, nil)
	if err != nil {
		return nil, err
	}
	nodeRole, last, err := b.nodesAndAddons(controlPlane, agent)
	if err != nil {
		return nil, err
	}
	if c.ProjectRoleARNs, err = b.projectRoles(controlPlane); err != nil {
		return nil, err
	}
	if err := b.identityProvider(controlPlane, last); err != nil {
		return nil, err
	}

	c.Name = controlPlane.EksCluster.Name()
	c.ARN = controlPlane.EksCluster.Arn()
	c.Endpoint = controlPlane.EksCluster.Endpoint()
	c.CertificateAuthority = certificateAuthority(controlPlane.EksCluster)
	c.OIDCIssuer = controlPlane.OidcProviderUrl
	c.NodeRoleARN = nodeRole.Arn
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"name":     c.Name,
		"arn":      c.ARN,
		"endpoint": c.Endpoint,
	})
}

// nodesAndAddons makes the nodes and the add-ons that run on them, in the order
// that is asked for. It returns the add-ons, too, or what is made after them.
//
// https://docs.aws.amazon.com/eks/latest/best-practices/cluster-upgrades.html
func (b *builder) nodesAndAddons(controlPlane *eks.Cluster, agent pulumi.Resource) (*awsiam.Role, []pulumi.Resource, error) {
	if b.args.NodesLast {
		before, err := b.nodeAddons(controlPlane, agent, nil)
		if err != nil {
			return nil, nil, err
		}
		role, nodes, err := b.nodes(controlPlane, append(before, agent)...)
		return role, append(before, nodes...), err
	}
	role, nodes, err := b.nodes(controlPlane)
	if err != nil {
		return nil, nil, err
	}
	last, err := b.nodeAddons(controlPlane, agent, nodes)
	return role, last, err
}

// certificateAuthority reads the authority of a cluster where the provider has
// put it: upstream's attribute is a list, to which Pulumi's plugin adds an
// object for older programs.
func certificateAuthority(cluster awseks.ClusterOutput) pulumi.StringOutput {
	return pulumi.All(cluster.CertificateAuthority().Data(), cluster.CertificateAuthorities()).ApplyT(func(all []any) (string, error) {
		if data, ok := all[0].(*string); ok && data != nil && *data != "" {
			return *data, nil
		}
		if list, ok := all[1].([]awseks.ClusterCertificateAuthority); ok && len(list) > 0 && list[0].Data != nil {
			return *list[0].Data, nil
		}
		return "", errors.New("the provider does not return the cluster's certificate authority")
	}).(pulumi.StringOutput)
}

func (a Args) validate() error {
	if len(a.NodePools) == 0 {
		return errors.New("there is no node pool")
	}
	for _, name := range addons {
		if a.AddonVersions[name] == "" {
			return fmt.Errorf("add-on %s has no version", name)
		}
	}
	if p := a.IdentityProvider; p != nil && (p.UsernamePrefix == "" || p.GroupsClaim != "" && p.GroupsPrefix == "") {
		return errors.New("an identity provider needs prefixes: its tokens could name anybody")
	}
	if a.PublicEndpoint && len(a.AllowCIDRs) == 0 {
		return errors.New("a public endpoint needs ranges that may reach it")
	}
	for _, text := range a.AllowCIDRs {
		// EKS takes 0.0.0.0/0 for "no list"; so would anybody who reads it.
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("allowed range: %w", err)
		}
		if p.Bits() == 0 {
			return fmt.Errorf("allowed range %s is everybody", text)
		}
	}
	return nil
}

// builder carries what every part of one Cluster needs.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   Args
	parent pulumi.ResourceOption
}

// child returns the logical name of a part. It is a promise: renaming one
// replaces what is behind it.
func (b *builder) child(part string) string { return b.name + "-" + part }

// tags returns the tags of a part that AWS shows under title; empty for parts
// that have no name to show.
func (b *builder) tags(title string) pulumi.StringMap {
	m := pulumi.StringMap{}
	for k, v := range b.args.Tags {
		m[k] = pulumi.String(v)
	}
	if title != "" {
		m["Name"] = pulumi.String(title)
	}
	return m
}

func stringArray(ss []string) pulumi.StringArray {
	a := make(pulumi.StringArray, len(ss))
	for i, s := range ss {
		a[i] = pulumi.String(s)
	}
	return a
}
