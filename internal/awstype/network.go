package awstype

// The types of a network and its parts.
const (
	EC2VPC                   = "aws:ec2/vpc:Vpc"
	EC2Subnet                = "aws:ec2/subnet:Subnet"
	EC2RouteTable            = "aws:ec2/routeTable:RouteTable"
	EC2Route                 = "aws:ec2/route:Route"
	EC2RouteTableAssociation = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	EC2InternetGateway       = "aws:ec2/internetGateway:InternetGateway"
	EC2NATGateway            = "aws:ec2/natGateway:NatGateway"
	EC2Address               = "aws:ec2/eip:Eip"
	EC2NetworkACL            = "aws:ec2/networkAcl:NetworkAcl"
	EC2DHCPOptions           = "aws:ec2/vpcDhcpOptions:VpcDhcpOptions"
	EC2FlowLog               = "aws:ec2/flowLog:FlowLog"
)

const (
	describeTables     = "ec2:DescribeRouteTables"
	describeInterfaces = "ec2:DescribeNetworkInterfaces"
	detachInterface    = "ec2:DetachNetworkInterface"
	deleteInterface    = "ec2:DeleteNetworkInterface"
)

var networkRows = []Row{
	{
		Token:   EC2NATGateway,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html",
		Kinds:   []string{"ec2/natgateway"},
		By:      []string{"allocationId|" + Tags},
		Find:    "NAT gateway", List: "NAT gateways", Remove: "NAT gateway",
		Uses:   []string{EC2Address, EC2NetworkInterface, EC2Subnet},
		Make:   []string{"ec2:CreateNatGateway", createTags, deleteTags},
		Read:   []string{"ec2:DescribeNatGateways"},
		Delete: []string{"ec2:DeleteNatGateway"},
		Look:   []string{"ec2:DescribeNatGateways"},
	},
	{
		Token:   EC2Address,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html",
		Kinds:   []string{"ec2/elastic-ip"},
		Quota:   "ec2/L-0263D0A3",
		By:      []string{Tags},
		Find:    "address", List: "elastic IP addresses", Remove: "address",
		// A gateway is not detached from a VPC that has addresses in use.
		Uses:   []string{EC2InternetGateway},
		Make:   []string{"ec2:AllocateAddress", "ec2:AssociateAddress", createTags, deleteTags},
		Read:   []string{"ec2:DescribeAddresses", "ec2:DescribeAddressesAttribute"},
		Delete: []string{"ec2:ReleaseAddress", "ec2:DisassociateAddress"},
		Look:   []string{"ec2:DescribeAddresses"},
	},
	{
		Token:   EC2Route,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html",
		By:      []string{"routeTableId", "destinationCidrBlock|destinationIpv6CidrBlock|destinationPrefixListId"},
		Find:    "route", List: "routes", Remove: "route",
		PartOf: EC2RouteTable,
		Uses:   []string{EC2RouteTable},
		Make:   []string{"ec2:CreateRoute", "ec2:ReplaceRoute"},
		Read:   []string{describeTables},
		Delete: []string{"ec2:DeleteRoute"},
		Look:   []string{describeTables},
		Slot:   []string{"routeTableId", "destinationCidrBlock|destinationIpv6CidrBlock|destinationPrefixListId"},
	},
	{
		Token:   EC2RouteTableAssociation,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateRouteTable.html",
		By:      []string{"subnetId|gatewayId"},
		Find:    "route table association", List: "routes", Remove: "route table association",
		PartOf: EC2Subnet,
		Uses:   []string{EC2RouteTable, EC2Subnet, EC2InternetGateway},
		Make:   []string{"ec2:AssociateRouteTable", "ec2:ReplaceRouteTableAssociation"},
		Read:   []string{describeTables},
		Delete: []string{"ec2:DisassociateRouteTable"},
		Look:   []string{describeTables},
		Slot:   []string{"subnetId|gatewayId"},
	},
	{
		Token:   EC2RouteTable,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRouteTable.html",
		Kinds:   []string{"ec2/route-table"},
		By:      []string{Tags},
		Find:    "route table", List: "route tables", Remove: "route table",
		Uses:   []string{EC2VPC},
		Make:   []string{"ec2:CreateRouteTable", createTags, deleteTags},
		Read:   []string{describeTables},
		Delete: []string{"ec2:DeleteRouteTable"},
		Look:   []string{describeTables},
		Ignore: []Property{{"routes", "each is a resource of its own"}},
	},
	{
		Token:   EC2Subnet,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html",
		Kinds:   []string{"ec2/subnet"},
		By:      []string{Tags},
		Find:    "subnet", List: "subnets", Remove: "subnet",
		// An ACL is not deleted while it is a subnet's.
		Uses: []string{EC2VPC, EC2NetworkACL},
		Make: []string{"ec2:CreateSubnet", "ec2:ModifySubnetAttribute", createTags, deleteTags},
		Read: []string{"ec2:DescribeSubnets"},
		// The provider takes away the interfaces that services like Lambda left in it.
		Delete: []string{"ec2:DeleteSubnet", describeInterfaces, detachInterface, deleteInterface},
		Look:   []string{"ec2:DescribeSubnets"},
	},
	{
		Token:   EC2NetworkACL,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkAcl.html",
		Kinds:   []string{"ec2/network-acl"},
		By:      []string{Tags},
		Find:    "network ACL", List: "network ACLs", Remove: "network ACL",
		Uses:    []string{EC2VPC},
		Read:    []string{"ec2:DescribeNetworkAcls"},
		Delete:  []string{"ec2:DeleteNetworkAcl"},
		Look:    []string{"ec2:DescribeNetworkAcls"},
		Foreign: "somebody's ACL holds its VPC",
	},
	{
		Token:   EC2InternetGateway,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html",
		Kinds:   []string{"ec2/internet-gateway"},
		By:      []string{"vpcId|" + Tags},
		Find:    "internet gateway", List: "internet gateways", Remove: "internet gateway",
		Uses:   []string{EC2VPC},
		Make:   []string{"ec2:CreateInternetGateway", "ec2:AttachInternetGateway", createTags, deleteTags},
		Read:   []string{"ec2:DescribeInternetGateways"},
		Delete: []string{"ec2:DeleteInternetGateway", "ec2:DetachInternetGateway"},
		Look:   []string{"ec2:DescribeInternetGateways"},
		Slot:   []string{"vpcId"},
	},
	{
		Token:   EC2VPC,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html",
		Kinds:   []string{"ec2/vpc"},
		Quota:   "vpc/L-F678F1CE",
		By:      []string{Tags},
		Find:    "VPC", List: "VPCs", Remove: "VPC",
		Uses: []string{EC2DHCPOptions},
		Make: []string{"ec2:CreateVpc", "ec2:ModifyVpcAttribute", createTags, deleteTags},
		// Its own ACL, group and table are outputs.
		Read:   []string{"ec2:DescribeVpcs", "ec2:DescribeVpcAttribute", "ec2:DescribeNetworkAcls", "ec2:DescribeSecurityGroups", describeTables},
		Delete: []string{"ec2:DeleteVpc"},
		Look:   []string{"ec2:DescribeVpcs"},
	},
	{
		Token:   EC2DHCPOptions,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteDhcpOptions.html",
		Kinds:   []string{"ec2/dhcp-options"},
		List:    "DHCP options", Remove: "DHCP options",
		Delete:  []string{"ec2:DeleteDhcpOptions"},
		Look:    []string{"ec2:DescribeDhcpOptions"},
		Foreign: "somebody's options would send a VPC's names to another resolver",
	},
	{
		Token:   EC2FlowLog,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html",
		Kinds:   []string{"ec2/vpc-flow-log", "ec2/flow-logs"},
		By:      []string{"vpcId|subnetId|eniId", "logDestination"},
		With:    []string{"trafficType"},
		Find:    "flow log", List: "flow logs", Remove: "flow log",
		PartOf: EC2VPC,
		Uses:   []string{EC2VPC, CloudWatchLogGroup, IAMRole},
		Make:   []string{"ec2:CreateFlowLogs", "logs:CreateLogDelivery", passRole, createTags, deleteTags},
		Read:   []string{"ec2:DescribeFlowLogs"},
		Delete: []string{"ec2:DeleteFlowLogs", "logs:DeleteLogDelivery"},
		Look:   []string{"ec2:DescribeFlowLogs"},
		// AWS refuses a second log of the same traffic to the same place.
		Slot: []string{"vpcId|subnetId|eniId", "logDestination", "trafficType"},
	},
}
