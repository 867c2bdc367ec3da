// Package network makes the VPC that an org's cluster runs in.
package network

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// NAT says how private subnets reach the internet.
type NAT string

// The ways out.
const (
	// NATOne is one gateway that all zones share: cheapest, and a zone's
	// failure can take the way out of the others with it.
	NATOne NAT = "one"
	// NATPerZone is a gateway in each zone.
	NATPerZone NAT = "per-zone"
	// NATNone is no way out at all: nodes reach AWS by interface endpoints.
	NATNone NAT = "none"
)

// Zone is one availability zone with its ranges.
type Zone struct {
	Name        string // required, "eu-central-1a"
	PrivateCIDR string // required
	PublicCIDR  string // required unless NAT is none
}

// Args describe a Network.
type Args struct {
	Name      string // required; what AWS shows, and the prefix of each part's name
	AccountID string // required; the account that the flow log's role trusts for
	Region    string // required
	CIDR      string // required
	Zones     []Zone // required, two or three
	NAT       NAT    // required

	FlowLogGroup         string // required
	FlowLogRole          string // required
	FlowLogRetentionDays int    // required
	LogKeyARN            string // required; encrypts the flow log
	BoundaryARN          string // required; the flow log role's permissions boundary

	Tags map[string]string // on everything that takes tags, beside Name
}

// Network is a VPC that no other network is connected to.
//
// It guarantees that
//   - no subnet gives out public addresses, and private subnets have no route
//     to an internet gateway;
//   - public subnets, which hold NAT gateways and what customers publish by
//     load balancer, exist only when there is a way out;
//   - the default security group, which whatever names no group of its own
//     falls into, lets nothing in or out;
//   - every flow, accepted or rejected, is logged to an encrypted log group
//     with a retention;
//   - S3 and DynamoDB are reached without leaving AWS's network;
//   - without NAT, the AWS services that nodes need answer inside the VPC, and
//     only to it;
//   - its role carries the permissions boundary, and everything that takes
//     tags has them.
type Network struct {
	pulumi.ResourceState

	VPCID pulumi.StringOutput
	// PrivateSubnetIDs are in the order of Args.Zones.
	PrivateSubnetIDs pulumi.StringArrayOutput
	// NodeSubnetIDs are the same subnets, known only once their way to AWS's
	// services exists: a node that starts earlier gives up joining its
	// cluster. On removal, what uses them goes before the way out does.
	NodeSubnetIDs pulumi.StringArrayOutput
}

// New makes a Network.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Network, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("network %s: %w", name, err)
	}
	n := &Network{}
	if err := ctx.RegisterComponentResource("freehold:index:Network", name, n, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, name: name, args: args, parent: pulumi.Parent(n)}

	vpc, err := ec2.NewVpc(ctx, name, &ec2.VpcArgs{
		CidrBlock: pulumi.String(args.CIDR),
		// Private endpoints answer under AWS's own host names only with both.
		EnableDnsHostnames: pulumi.Bool(true),
		EnableDnsSupport:   pulumi.Bool(true),
		Tags:               b.tags(""),
	}, b.parent)
	if err != nil {
		return nil, err
	}
	if err := b.closeDefaultGroup(vpc); err != nil {
		return nil, err
	}
	if err := b.logFlows(vpc); err != nil {
		return nil, err
	}
	private, err := b.privateSubnets(vpc)
	if err != nil {
		return nil, err
	}
	nat, err := b.wayOut(vpc, private)
	if err != nil {
		return nil, err
	}
	endpoints, err := b.endpoints(vpc, private)
	if err != nil {
		return nil, err
	}

	n.VPCID = vpc.ID().ToStringOutput()
	n.PrivateSubnetIDs = private.ids()
	n.NodeSubnetIDs = after(n.PrivateSubnetIDs, append(append(private.associations, nat...), endpoints...))
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{
		"vpcId":            n.VPCID,
		"privateSubnetIds": n.PrivateSubnetIDs,
	})
}

func (a Args) validate() error {
	if len(a.Zones) < 2 {
		return errors.New("a cluster needs two zones at least")
	}
	switch a.NAT {
	case NATNone:
	case NATOne, NATPerZone:
		for _, z := range a.Zones {
			if z.PublicCIDR == "" {
				return fmt.Errorf("zone %s has no public range for its NAT gateway", z.Name)
			}
		}
	default:
		return fmt.Errorf("NAT %q is none of %q, %q and %q", a.NAT, NATOne, NATPerZone, NATNone)
	}
	return nil
}

// builder carries what every part of one Network needs.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   Args
	parent pulumi.ResourceOption
}

// child returns the logical name of a part. It is a promise: renaming one
// replaces what is behind it.
func (b *builder) child(part string) string { return b.name + "-" + part }

// tags returns the tags of a part, Name included.
func (b *builder) tags(part string, more ...string) pulumi.StringMap {
	m := pulumi.StringMap{}
	for k, v := range b.args.Tags {
		m[k] = pulumi.String(v)
	}
	title := b.args.Name
	if part != "" {
		title += "-" + part
	}
	m["Name"] = pulumi.String(title)
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i]] = pulumi.String(more[i+1])
	}
	return m
}

// after returns the values, known once the resources exist.
func after(values pulumi.StringArrayOutput, resources []pulumi.CustomResource) pulumi.StringArrayOutput {
	all := []any{values}
	for _, r := range resources {
		all = append(all, r.ID())
	}
	return pulumi.All(all...).ApplyT(func(all []any) []string {
		return all[0].([]string)
	}).(pulumi.StringArrayOutput)
}

// closeDefaultGroup takes every rule from the VPC's default security group.
func (b *builder) closeDefaultGroup(vpc *ec2.Vpc) error {
	_, err := ec2.NewDefaultSecurityGroup(b.ctx, b.child("default"), &ec2.DefaultSecurityGroupArgs{
		VpcId: vpc.ID(),
		// Said, and not left out: a refresh reports what was added to a list that
		// is given, and takes what nobody gave for AWS's own.
		Ingress: ec2.DefaultSecurityGroupIngressArray{},
		Egress:  ec2.DefaultSecurityGroupEgressArray{},
		Tags:    b.tags("default-closed"),
	}, b.parent)
	return err
}
