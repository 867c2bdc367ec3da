package awstype

// The types of what lets traffic into a network, or out of it.
const (
	EC2SecurityGroup        = "aws:ec2/securityGroup:SecurityGroup"
	EC2DefaultSecurityGroup = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	EC2IngressRule          = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	EC2EgressRule           = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	EC2Endpoint             = "aws:ec2/vpcEndpoint:VpcEndpoint"
	EC2EndpointService      = "aws:ec2/vpcEndpointService:VpcEndpointService"
	EC2Peering              = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
	TransitGateway          = "aws:ec2transitgateway/transitGateway:TransitGateway"
	TransitVPCAttachment    = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
	TransitPeering          = "aws:ec2transitgateway/peeringAttachment:PeeringAttachment"
)

const (
	describeGroups  = "ec2:DescribeSecurityGroups"
	describeRules   = "ec2:DescribeSecurityGroupRules"
	describeTransit = "ec2:DescribeTransitGatewayAttachments"
)

var connectionRows = []Row{
	{
		Token:   EC2Endpoint,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html",
		Kinds:   []string{"ec2/vpc-endpoint"},
		By:      []string{Tags},
		Find:    "endpoint", List: "VPC endpoints", Remove: "endpoint",
		Uses: []string{EC2EndpointService, EC2NetworkInterface, EC2SecurityGroup, EC2Subnet, EC2RouteTable},
		// An interface endpoint answers under AWS's own names by a hosted zone
		// of AWS's, which EC2 joins to the VPC in the name of who makes it.
		Make:   []string{"ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint", "route53:AssociateVPCWithHostedZone", createTags, deleteTags},
		Read:   []string{"ec2:DescribeVpcEndpoints", "ec2:DescribePrefixLists"},
		Delete: []string{"ec2:DeleteVpcEndpoints"},
		Look:   []string{"ec2:DescribeVpcEndpoints"},
	},
	{
		Token:   EC2EndpointService,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/vpc/latest/privatelink/configure-endpoint-service.html",
		Kinds:   []string{"ec2/vpc-endpoint-service"},
		List:    "VPC endpoint services", Remove: "endpoint service",
		Uses:    []string{LoadBalancer},
		Delete:  []string{"ec2:DeleteVpcEndpointServiceConfigurations"},
		Look:    []string{"ec2:DescribeVpcEndpointServiceConfigurations"},
		Foreign: "somebody's service lets other accounts in",
	},
	{
		Token:   TransitVPCAttachment,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTransitGatewayVpcAttachment.html",
		Kinds:   []string{"ec2/transit-gateway-attachment"},
		List:    "transit gateways", Remove: "transit VPC attachment",
		Uses:    []string{TransitGateway, EC2Subnet, EC2VPC},
		Delete:  []string{"ec2:DeleteTransitGatewayVpcAttachment"},
		Look:    []string{describeTransit},
		Foreign: "somebody's attachment leads to other networks",
	},
	{
		Token:   TransitPeering,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTransitGatewayPeeringAttachment.html",
		List:    "transit gateways", Remove: "transit peering",
		Uses:    []string{TransitGateway},
		Delete:  []string{"ec2:DeleteTransitGatewayPeeringAttachment"},
		Look:    []string{describeTransit, "ec2:DescribeTransitGatewayPeeringAttachments"},
		Foreign: "somebody's peering leads to other networks",
	},
	{
		Token:   TransitGateway,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTransitGateway.html",
		Kinds:   []string{"ec2/transit-gateway"},
		List:    "transit gateways", Remove: "transit gateway",
		Delete:  []string{"ec2:DeleteTransitGateway"},
		Look:    []string{"ec2:DescribeTransitGateways"},
		Foreign: "somebody's gateway joins networks",
	},
	{
		Token:   EC2Peering,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpcPeeringConnection.html",
		Kinds:   []string{"ec2/vpc-peering-connection"},
		By:      []string{Tags},
		Find:    "peering", List: "VPC peering connections", Remove: "peering",
		Uses:    []string{EC2VPC},
		Read:    []string{"ec2:DescribeVpcPeeringConnections"},
		Delete:  []string{"ec2:DeleteVpcPeeringConnection"},
		Look:    []string{"ec2:DescribeVpcPeeringConnections"},
		Foreign: "somebody's peering leads to another network",
	},
	{
		Token:   EC2IngressRule,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html",
		Kinds:   []string{"ec2/security-group-rule"},
		By:      []string{"securityGroupId", "ipProtocol"},
		With:    []string{"fromPort", "toPort", "cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"},
		Find:    "ingress rule", List: "security group rules", Remove: "security group rule",
		PartOf:  EC2SecurityGroup,
		Uses:    []string{EC2SecurityGroup},
		Make:    []string{"ec2:AuthorizeSecurityGroupIngress", "ec2:ModifySecurityGroupRules", createTags, deleteTags},
		Read:    []string{describeRules},
		Delete:  []string{"ec2:RevokeSecurityGroupIngress"},
		Look:    []string{describeRules},
		Foreign: "a rule that somebody added to a group lets traffic in",
	},
	{
		Token:   EC2EgressRule,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupEgress.html",
		By:      []string{"securityGroupId", "ipProtocol"},
		With:    []string{"fromPort", "toPort", "cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"},
		Find:    "egress rule", List: "security group rules", Remove: "security group rule",
		PartOf:  EC2SecurityGroup,
		Uses:    []string{EC2SecurityGroup},
		Make:    []string{"ec2:AuthorizeSecurityGroupEgress", "ec2:ModifySecurityGroupRules", createTags, deleteTags},
		Read:    []string{describeRules},
		Delete:  []string{"ec2:RevokeSecurityGroupEgress"},
		Look:    []string{describeRules},
		Foreign: "a rule that somebody added to a group lets traffic out",
	},
	{
		Token:   EC2SecurityGroup,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
		Kinds:   []string{"ec2/security-group"},
		By:      []string{"vpcId", "name"},
		Find:    "security group", List: "security groups", Remove: "security group",
		Uses: []string{EC2VPC},
		Make: []string{
			"ec2:CreateSecurityGroup", "ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress",
			"ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", "ec2:ModifySecurityGroupRules",
			"ec2:UpdateSecurityGroupRuleDescriptionsIngress", "ec2:UpdateSecurityGroupRuleDescriptionsEgress", createTags, deleteTags,
		},
		Read: []string{describeGroups, describeRules},
		// The provider takes away the interfaces that services like Lambda left in it.
		Delete: []string{
			"ec2:DeleteSecurityGroup", "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", describeInterfaces, detachInterface, deleteInterface,
		},
		Look:       []string{describeGroups},
		ByWorkload: true,
	},
	{
		Token:    EC2DefaultSecurityGroup,
		Service:  "ec2",
		Source:   "https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html",
		By:       []string{Tags, "vpcId"},
		Find:     "default security group",
		Unlisted: "inventories show it as a security group of AWS's own",
		PartOf:   EC2VPC,
		Make: []string{
			"ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress",
			"ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", createTags, deleteTags,
		},
		Read:       []string{describeGroups, describeRules},
		Slot:       []string{"vpcId"},
		Overwrites: true,
	},
}
