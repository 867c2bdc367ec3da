package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const everywhere = "0.0.0.0/0"

// wayOut makes what the private subnets need to reach the internet, and
// returns what must exist before a node can. Without NAT it makes nothing.
func (b *builder) wayOut(vpc *ec2.Vpc, private *privateNet) ([]pulumi.CustomResource, error) {
	if b.args.NAT == NATNone {
		return nil, nil
	}
	gateway, err := ec2.NewInternetGateway(b.ctx, b.child("internet"), &ec2.InternetGatewayArgs{
		VpcId: vpc.ID(),
		Tags:  b.tags("internet"),
	}, b.parent)
	if err != nil {
		return nil, err
	}

	var nats []*ec2.NatGateway
	for i, z := range b.args.Zones {
		subnet, route, err := b.publicSubnet(vpc, gateway, z)
		if err != nil {
			return nil, err
		}
		if b.args.NAT == NATOne && i > 0 {
			continue
		}
		nat, err := b.natGateway(subnet, route, z)
		if err != nil {
			return nil, err
		}
		nats = append(nats, nat)
	}

	var routes []pulumi.CustomResource
	for i, z := range b.args.Zones {
		route, err := ec2.NewRoute(b.ctx, b.child("out-"+z.Name), &ec2.RouteArgs{
			RouteTableId:         private.tables[i].ID(),
			DestinationCidrBlock: pulumi.String(everywhere),
			NatGatewayId:         nats[min(i, len(nats)-1)].ID(),
		}, b.parent)
		if err != nil {
			return nil, err
		}
		routes = append(routes, route)
	}
	return routes, nil
}

// publicSubnet makes a zone's public subnet and its route to the internet.
func (b *builder) publicSubnet(vpc *ec2.Vpc, gateway *ec2.InternetGateway, z Zone) (*ec2.Subnet, *ec2.Route, error) {
	part := "public-" + z.Name
	subnet, err := ec2.NewSubnet(b.ctx, b.child(part), &ec2.SubnetArgs{
		VpcId:            vpc.ID(),
		AvailabilityZone: pulumi.String(z.Name),
		CidrBlock:        pulumi.String(z.PublicCIDR),
		// NAT gateways and load balancers bring their own addresses; an
		// instance that is started here by mistake must not get one.
		MapPublicIpOnLaunch: pulumi.Bool(false),
		Tags:                b.tags(part, "kubernetes.io/role/elb", "1"),
	}, b.parent)
	if err != nil {
		return nil, nil, err
	}
	table, _, err := b.routeTable(vpc, subnet, part)
	if err != nil {
		return nil, nil, err
	}
	route, err := ec2.NewRoute(b.ctx, b.child(part), &ec2.RouteArgs{
		RouteTableId:         table.ID(),
		DestinationCidrBlock: pulumi.String(everywhere),
		GatewayId:            gateway.ID(),
	}, b.parent)
	return subnet, route, err
}

func (b *builder) natGateway(subnet *ec2.Subnet, route *ec2.Route, z Zone) (*ec2.NatGateway, error) {
	part := "nat-" + z.Name
	address, err := ec2.NewEip(b.ctx, b.child(part), &ec2.EipArgs{
		Domain: pulumi.String("vpc"),
		Tags:   b.tags(part),
	}, b.parent)
	if err != nil {
		return nil, err
	}
	return ec2.NewNatGateway(b.ctx, b.child(part), &ec2.NatGatewayArgs{
		AllocationId: address.AllocationId,
		SubnetId:     subnet.ID(),
		Tags:         b.tags(part),
		// A gateway that starts before its own way out exists stays "failed".
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{route}))
}
