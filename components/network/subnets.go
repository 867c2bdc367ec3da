package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// privateNet is the private part of a network, zone by zone.
type privateNet struct {
	subnets      []*ec2.Subnet
	tables       []*ec2.RouteTable
	associations []pulumi.CustomResource
}

func (p *privateNet) ids() pulumi.StringArrayOutput {
	ids := make(pulumi.StringArray, len(p.subnets))
	for i, s := range p.subnets {
		ids[i] = s.ID().ToStringOutput()
	}
	return ids.ToStringArrayOutput()
}

// privateSubnets makes a subnet and a route table for each zone. Each zone has
// a table of its own in every NAT mode, so that changing the mode only changes
// routes and never moves a subnet that nodes run in.
func (b *builder) privateSubnets(vpc *ec2.Vpc) (*privateNet, error) {
	p := &privateNet{}
	for _, z := range b.args.Zones {
		part := "private-" + z.Name
		subnet, err := ec2.NewSubnet(b.ctx, b.child(part), &ec2.SubnetArgs{
			VpcId:               vpc.ID(),
			AvailabilityZone:    pulumi.String(z.Name),
			CidrBlock:           pulumi.String(z.PrivateCIDR),
			MapPublicIpOnLaunch: pulumi.Bool(false),
			// Where Kubernetes may put internal load balancers.
			Tags: b.tags(part, "kubernetes.io/role/internal-elb", "1"),
		}, b.parent)
		if err != nil {
			return nil, err
		}
		table, association, err := b.routeTable(vpc, subnet, part)
		if err != nil {
			return nil, err
		}
		p.subnets = append(p.subnets, subnet)
		p.tables = append(p.tables, table)
		p.associations = append(p.associations, association)
	}
	return p, nil
}

func (b *builder) routeTable(vpc *ec2.Vpc, subnet *ec2.Subnet, part string) (*ec2.RouteTable, *ec2.RouteTableAssociation, error) {
	// Routes are resources of their own: inline ones would fight with those
	// that gateway endpoints add to the table.
	table, err := ec2.NewRouteTable(b.ctx, b.child(part), &ec2.RouteTableArgs{
		VpcId: vpc.ID(),
		Tags:  b.tags(part),
	}, b.parent)
	if err != nil {
		return nil, nil, err
	}
	association, err := ec2.NewRouteTableAssociation(b.ctx, b.child(part), &ec2.RouteTableAssociationArgs{
		RouteTableId: table.ID(),
		SubnetId:     subnet.ID(),
	}, b.parent)
	return table, association, err
}
