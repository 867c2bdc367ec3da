package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// gatewayServices cost nothing as gateway endpoints, and keep image layers and
// backups off the NAT gateway's bill.
var gatewayServices = []string{"s3", "dynamodb"}

// interfaceServices are what nodes of a private cluster call: images, tokens,
// joining the cluster, network interfaces and volumes, Pod Identity, logs,
// load balancers and scaling.
// https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html
var interfaceServices = []string{
	"autoscaling",
	"ec2",
	"ecr.api",
	"ecr.dkr",
	"eks",
	"eks-auth",
	"elasticloadbalancing",
	"logs",
	"sts",
}

// endpoints makes the VPC's private ways to AWS services and returns those
// that must exist before a node can start.
func (b *builder) endpoints(vpc *ec2.Vpc, private *privateNet) ([]pulumi.CustomResource, error) {
	tables := make(pulumi.StringArray, len(private.tables))
	for i, t := range private.tables {
		tables[i] = t.ID().ToStringOutput()
	}
	var made []pulumi.CustomResource
	for _, service := range gatewayServices {
		e, err := ec2.NewVpcEndpoint(b.ctx, b.child(service), &ec2.VpcEndpointArgs{
			VpcId:           vpc.ID(),
			ServiceName:     b.service(service),
			VpcEndpointType: pulumi.String("Gateway"),
			RouteTableIds:   tables,
			Tags:            b.tags(service),
		}, b.parent)
		if err != nil {
			return nil, err
		}
		made = append(made, e)
	}
	if b.args.NAT != NATNone {
		return made, nil
	}
	group, err := b.endpointGroup(vpc)
	if err != nil {
		return nil, err
	}
	for _, service := range interfaceServices {
		e, err := ec2.NewVpcEndpoint(b.ctx, b.child(service), &ec2.VpcEndpointArgs{
			VpcId:             vpc.ID(),
			ServiceName:       b.service(service),
			VpcEndpointType:   pulumi.String("Interface"),
			SubnetIds:         private.ids(),
			SecurityGroupIds:  pulumi.StringArray{group.ID()},
			PrivateDnsEnabled: pulumi.Bool(true),
			Tags:              b.tags(service),
		}, b.parent)
		if err != nil {
			return nil, err
		}
		made = append(made, e)
	}
	return made, nil
}

func (b *builder) service(name string) pulumi.String {
	return pulumi.String("com.amazonaws." + b.args.Region + "." + name)
}

// endpointGroup lets the VPC, and nothing else, speak TLS to the endpoints.
func (b *builder) endpointGroup(vpc *ec2.Vpc) (*ec2.SecurityGroup, error) {
	return ec2.NewSecurityGroup(b.ctx, b.child("endpoints"), &ec2.SecurityGroupArgs{
		Name:        pulumi.String(b.args.Name + "-endpoints"),
		Description: pulumi.String("TLS from the VPC to interface endpoints"),
		VpcId:       vpc.ID(),
		Ingress: ec2.SecurityGroupIngressArray{&ec2.SecurityGroupIngressArgs{
			Description: pulumi.String("TLS from the VPC"),
			Protocol:    pulumi.String("tcp"),
			FromPort:    pulumi.Int(443),
			ToPort:      pulumi.Int(443),
			CidrBlocks:  pulumi.StringArray{pulumi.String(b.args.CIDR)},
		}},
		Tags: b.tags("endpoints"),
	}, b.parent)
}
