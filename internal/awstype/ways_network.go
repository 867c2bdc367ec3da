package awstype

// The types of what joins networks.
const (
	EC2EndpointServicePrincipal = "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple"
	EC2EndpointConnection       = "aws:ec2/vpcEndpointConnectionAccepter:VpcEndpointConnectionAccepter"
	EC2InterfacePermission      = "aws:ec2/networkInterfacePermission:NetworkInterfacePermission"
	RAMShare                    = "aws:ram/resourceShare:ResourceShare"
	RAMPrincipal                = "aws:ram/principalAssociation:PrincipalAssociation"
	RAMResource                 = "aws:ram/resourceAssociation:ResourceAssociation"
	RAMAccepter                 = "aws:ram/resourceShareAccepter:ResourceShareAccepter"
	Route53Zone                 = "aws:route53/zone:Zone"
	Route53ZoneAssociation      = "aws:route53/zoneAssociation:ZoneAssociation"
	Route53Authorization        = "aws:route53/vpcAssociationAuthorization:VpcAssociationAuthorization"
	ResolverRuleAssociation     = "aws:route53/resolverRuleAssociation:ResolverRuleAssociation"
	CloudWANAttachment          = "aws:networkmanager/vpcAttachment:VpcAttachment"
	CloudWANPeering             = "aws:networkmanager/transitGatewayPeering:TransitGatewayPeering"
	CloudWAN                    = "aws:networkmanager/coreNetwork:CoreNetwork"
	ResolverQueryLog            = "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig"
)

const (
	listEndpointPrincipals = "principals and connections of VPC endpoint services"
	listZones              = "Route 53 zones"
	listResolver           = "Route 53 resolver rules and query logs"
)

// networkWays: what is joined to a network of the account, or shared with another.
var networkWays = []Way{
	{
		ID: "ram-share", Title: "Resource Access Manager shares, given and taken",
		Source: "https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShares.html",
		Rules:  []string{"FH401"},
		Types:  []string{RAMShare, RAMPrincipal, RAMResource, RAMAccepter}, Also: []string{"aws:ram/*"},
		List:  "RAM shares",
		Calls: []string{"ram:GetResourceShareAssociations", "ram:GetResourceShareInvitations", "ram:GetResourceShares"},
		Ends: []End{
			{Path: "principal", Is: IsPrincipal, Kind: kindGrant},
			{Path: "senderAccountId", Is: IsAccount, Kind: kindGrant},
			{Path: "owningAccountId", Is: IsAccount, Kind: kindGrant},
			{Path: "shareArn", Is: IsAccount, Kind: kindGrant},
		},
	},
	{
		ID: "vpc-peering", Title: "VPC peering connections",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html",
		Rules:  []string{"FH402"},
		Types:  []string{EC2Peering}, Also: []string{"aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter", "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions"},
		List: "VPC peering connections",
		Ends: []End{{Path: "peerOwnerId", Is: IsAccount, Kind: kindPeering}, {Path: "ownerId", Is: IsAccount, Kind: kindPeering}},
	},
	{
		ID: "transit-gateway", Title: "Attachments to transit gateways",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTransitGatewayAttachments.html",
		Rules:  []string{"FH403"},
		Types:  []string{TransitVPCAttachment, TransitPeering, TransitGateway}, Also: []string{"aws:ec2transitgateway/*"},
		List: "transit gateways",
		Ends: []End{{Path: "transitGatewayOwnerId", Is: IsAccount, Kind: kindAssociation}, {Path: "vpcOwnerId", Is: IsAccount, Kind: kindAssociation}, {Path: "peerAccountId", Is: IsAccount, Kind: kindAssociation}},
	},
	elsewhere("us-west-2", Way{
		ID: "cloud-wan", Title: "Attachments to Cloud WAN core networks",
		Source: "https://docs.aws.amazon.com/network-manager/latest/APIReference/API_ListAttachments.html",
		Rules:  []string{"FH403"},
		Types:  []string{CloudWANAttachment, CloudWANPeering, CloudWAN}, Also: []string{"aws:networkmanager/*"},
		List:  "Cloud WAN core networks and attachments",
		Calls: []string{"networkmanager:ListAttachments", "networkmanager:ListCoreNetworks", "networkmanager:ListPeerings"},
		Ends:  []End{{Path: "coreNetworkArn", Is: IsAccount, Kind: kindAssociation}, {Path: "ownerAccountId", Is: IsAccount, Kind: kindAssociation}},
	}),
	{
		ID: "route", Title: "Routes into other networks",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html",
		Rules:  []string{"FH404"},
		Types:  []string{EC2Route}, Also: []string{"aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable"},
		List: "routes",
		Ends: []End{
			{Path: "coreNetworkArn", Is: IsOutside, Kind: kindRoute}, {Path: "transitGatewayId", Is: IsThing, Kind: kindRoute},
			{Path: "vpcPeeringConnectionId", Is: IsThing, Kind: kindRoute},
		},
	},
	{
		ID: "endpoint-service", Title: "Whom VPC endpoint services (PrivateLink) let in",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpointServicePermissions.html",
		Rules:  []string{"FH405"},
		Types:  []string{EC2EndpointServicePrincipal, EC2EndpointConnection},
		Also:   []string{EC2EndpointService, "aws:vpc/endpointServicePrivateDnsVerification:EndpointServicePrivateDnsVerification"},
		List:   listEndpointPrincipals,
		Calls:  []string{"ec2:DescribeVpcEndpointConnections", "ec2:DescribeVpcEndpointServicePermissions"},
		Ends:   []End{{Path: "principalArn", Is: IsPrincipal, Kind: kindGrant}, {Path: "vpcEndpointOwner", Is: IsAccount, Kind: kindAssociation}},
	},
	{
		ID: "endpoint", Title: "VPC endpoints of somebody's service",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html",
		Rules:  []string{"FH406"},
		Types:  []string{EC2Endpoint},
		List:   "VPC endpoints",
		Ends: []End{
			{Path: "serviceName", Is: IsService, Kind: kindAssociation}, {Path: "serviceNetworkArn", Is: IsAccount, Kind: kindAssociation},
			{Path: "resourceConfigurationArn", Is: IsAccount, Kind: kindAssociation},
		},
	},
	{
		ID: "interface-permission", Title: "Network interfaces that others may attach",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfacePermissions.html",
		Rules:  []string{"FH417"},
		Types:  []string{EC2InterfacePermission},
		List:   "permissions of network interfaces",
		Calls:  []string{"ec2:DescribeNetworkInterfacePermissions"},
		Ends:   []End{{Path: "awsAccountId", Is: IsAccount, Kind: kindGrant}, {Path: "awsService", Is: IsPrincipal, Kind: kindGrant}},
	},
	{
		ID: "group-reference", Title: "Security groups of other accounts in rules",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html",
		Rules:  []string{"FH417"},
		Types:  []string{EC2IngressRule, EC2EgressRule}, Also: []string{EC2SecurityGroup, EC2DefaultSecurityGroup, "aws:ec2/securityGroupRule:SecurityGroupRule"},
		List: "security group rules",
		Ends: []End{{Path: "referencedSecurityGroupId", Is: IsAccount, Kind: kindReference}},
	},
}

// nameWays: whose names a network resolves, and who may write them.
var nameWays = []Way{
	{
		ID: "private-zone", Title: "Private Route 53 zones of, and for, other networks",
		Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByVPC.html",
		Rules:  []string{"FH407"},
		Types:  []string{Route53Zone, Route53ZoneAssociation},
		List:   listZones,
		Calls:  []string{"route53:GetHostedZone", "route53:ListHostedZones", "route53:ListHostedZonesByVPC"},
		Ends: []End{
			{Path: "vpcs.vpcId", Is: IsThing, Kind: kindAssociation}, {Path: "owningAccount", Is: IsAccount, Kind: kindAssociation},
			{Path: "zoneId", Is: IsThing, Kind: kindAssociation}, {Path: "vpcId", Is: IsThing, Kind: kindAssociation},
		},
	},
	{
		ID: "zone-authorization", Title: "Networks that may be associated with a private zone",
		Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListVPCAssociationAuthorizations.html",
		Rules:  []string{"FH408"},
		Types:  []string{Route53Authorization},
		List:   listZones,
		Calls:  []string{"route53:ListVPCAssociationAuthorizations"},
		Ends:   []End{{Path: "vpcId", Is: IsOutside, Kind: kindAssociation}},
	},
	{
		ID: "resolver-rule", Title: "Resolver rules of other accounts",
		Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_ListResolverRules.html",
		Rules:  []string{"FH407"},
		Types:  []string{ResolverRuleAssociation},
		List:   listResolver,
		Calls:  []string{"route53resolver:ListResolverRuleAssociations", "route53resolver:ListResolverRules"},
		Ends:   []End{{Path: "ownerId", Is: IsAccount, Kind: kindAssociation}},
	},
	{
		ID: "resolver-query-log", Title: "Where DNS queries are logged",
		Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_ListResolverQueryLogConfigs.html",
		Rules:  []string{"FH412"},
		Types:  []string{ResolverQueryLog},
		List:   listResolver,
		Calls:  []string{"route53resolver:ListResolverQueryLogConfigs"},
		Ends:   []End{{Path: "destinationArn", Is: IsAccount, Kind: kindReference}, {Path: "ownerId", Is: IsAccount, Kind: kindAssociation}, {Path: "destinationArn", Is: IsBucket, Kind: kindReference}},
	},
}
