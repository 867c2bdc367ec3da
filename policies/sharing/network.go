package sharing

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

var vpcPeering = rule.Rule{
	ID:       "FH402",
	Title:    "No VPC is peered",
	Why:      "a peering makes two networks one, and only security groups stand between them",
	Fix:      "reach the other side at its public, authenticated address",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    table.RefusedBy("FH402"),
	Check:    rule.ForbiddenBy("FH402"),
	Good: []rule.Example{
		example.Shows("an endpoint of S3", "aws:ec2/vpcEndpoint:VpcEndpoint", object{"serviceName": "com.amazonaws.eu-central-1.s3"}),
		example.Shows("a second VPC of the org", "aws:ec2/vpc:Vpc", object{"cidrBlock": "10.1.0.0/16"}),
	},
	Bad: []rule.Example{
		example.Shows("a peering with another customer", "aws:ec2/vpcPeeringConnection:VpcPeeringConnection", object{
			"vpcId": "vpc-1", "peerVpcId": "vpc-2", "peerOwnerId": "444455556666",
		}),
		example.Shows("a peering that says nothing of the owner", "aws:ec2/vpcPeeringConnection:VpcPeeringConnection", object{"vpcId": rule.Unknown{}, "peerVpcId": "vpc-2"}),
		example.Shows("accepting what somebody else asked for", "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter", object{
			"vpcPeeringConnectionId": "pcx-1", "autoAccept": true,
		}),
	},
}

var networkHubs = rule.Rule{
	ID:       "FH403",
	Title:    "No network hangs on a transit gateway or a Cloud WAN",
	Why:      "a hub makes every network on it a neighbour of the others: one route too many, and two customers reach each other",
	Fix:      "give the network a way out of its own, by NAT gateway",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    table.RefusedBy("FH403"),
	Check:    rule.ForbiddenBy("FH403"),
	Good: []rule.Example{
		example.Shows("a way to instances without public addresses", "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint", object{"subnetId": "subnet-1"}),
		example.Shows("a NAT gateway", "aws:ec2/natGateway:NatGateway", object{"subnetId": "subnet-1"}),
	},
	Bad: []rule.Example{
		example.Shows("the network on the company's hub", "aws:ec2transitgateway/vpcAttachment:VpcAttachment", object{"transitGatewayId": "tgw-1", "vpcId": "vpc-1"}),
		example.Shows("a hub of the org's own, to share later", "aws:ec2transitgateway/transitGateway:TransitGateway", object{"autoAcceptSharedAttachments": "enable"}),
		example.Shows("accepting another network on it", "aws:ec2transitgateway/vpcAttachmentAccepter:VpcAttachmentAccepter", object{"transitGatewayAttachmentId": "tgw-attach-1"}),
		example.Shows("a Cloud WAN instead", "aws:networkmanager/vpcAttachment:VpcAttachment", object{"coreNetworkId": "core-network-1"}),
	},
}

var routesOut = rule.Rule{
	ID:       "FH404",
	Title:    "No route leads into another network",
	Why:      "a peering or an attachment that somebody made by hand is without effect until a route uses it",
	Fix:      "lead routes to the VPC's own gateways and endpoints",
	Severity: rule.Critical,
	Criteria: []string{"CC6.6"},
	Types: []string{
		"aws:ec2/route:Route", "aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable",
	},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		for _, route := range append(r.Values().All("routes"), r.Values()) {
			if !j.Known(route) {
				continue
			}
			for _, target := range []string{"vpcPeeringConnectionId", "transitGatewayId", "coreNetworkArn"} {
				if v := route.Get(target); j.Known(v) && v.Text() != "" {
					j.Violate(v.Path, "%s leads into another network", v.Text())
				}
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("out by NAT gateway", "aws:ec2/route:Route", object{"destinationCidrBlock": "0.0.0.0/0", "natGatewayId": rule.Unknown{}}),
		example.Shows("a table whose route names no peering", "aws:ec2/routeTable:RouteTable", object{
			"vpcId": "vpc-1", "routes": list{object{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1", "vpcPeeringConnectionId": ""}},
		}),
	},
	Bad: []rule.Example{
		example.Shows("over a peering made by hand", "aws:ec2/route:Route", object{"destinationCidrBlock": "10.8.0.0/16", "vpcPeeringConnectionId": "pcx-1"}),
		example.Shows("over a hub, inside a table", "aws:ec2/routeTable:RouteTable", object{
			"vpcId": "vpc-1", "routes": list{object{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"}, object{"cidrBlock": "10.0.0.0/8", "transitGatewayId": "tgw-1"}},
		}),
		example.Shows("in the table that nobody looks at", "aws:ec2/defaultRouteTable:DefaultRouteTable", object{
			"routes": list{object{"cidrBlock": "10.0.0.0/8", "coreNetworkArn": "arn:aws:networkmanager::210987654321:core-network/1"}},
		}),
	},
}

var endpointServices = rule.Rule{
	ID:       "FH405",
	Title:    "No PrivateLink service is offered",
	Why:      "a service answers inside the networks of everybody whom its list of principals, or one click on accept, lets in",
	Fix:      "publish by load balancer, with authentication",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    table.RefusedBy("FH405"),
	Check:    rule.ForbiddenBy("FH405"),
	Good: []rule.Example{
		example.Shows("a load balancer inside the network", "aws:lb/loadBalancer:LoadBalancer", object{"internal": true}),
		example.Shows("an endpoint of AWS's own", "aws:ec2/vpcEndpoint:VpcEndpoint", object{"serviceName": "com.amazonaws.eu-central-1.sts"}),
	},
	Bad: []rule.Example{
		example.Shows("a service that asks before it lets anybody in", "aws:ec2/vpcEndpointService:VpcEndpointService", object{"acceptanceRequired": true}),
		example.Shows("one more principal of a service that exists", "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple", object{"principalArn": "*"}),
		example.Shows("letting an endpoint in", "aws:ec2/vpcEndpointConnectionAccepter:VpcEndpointConnectionAccepter", object{"vpcEndpointId": "vpce-1"}),
	},
}

// awsService is how AWS names its own services for endpoints; a service that
// some account offers has "vpce" where a Region belongs.
// https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
var awsService = regexp.MustCompile(`^(?:(?:cn\.)?com\.amazonaws|aws\.(?:api|sagemaker))\.(?:[a-z]{2}(?:-[a-z]+)+-\d|s3-global|global)\.[a-z0-9.-]+$`)

var endpoints = rule.Rule{
	ID:       "FH406",
	Title:    "VPC endpoints lead to AWS's own services",
	Why:      "an endpoint of somebody's PrivateLink service is a cable into that account, and its name does not say whose it is",
	Fix:      "name a service of AWS, com.amazonaws.REGION.SERVICE, or have an exception approved for a vendor's",
	Severity: rule.High,
	Criteria: []string{"CC6.6"},
	Types:    table.TypesWith(table.Service),
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		j.Own(r.Values().Get("serviceNetworkArn"), s)
		j.Own(r.Values().Get("resourceConfigurationArn"), s)
		rule.VisitColumns(r, table.Of(r.Type), func(at *table.Place, p *rule.Node) {
			if v := (rule.Value{Path: p.Path(), Raw: p.Raw}); at != nil && at.Holds(table.Service) && j.Known(v) && v.Text() != "" && !awsService.MatchString(v.Text()) {
				j.Violate(v.Path, "%s is not a service of AWS", v.Text())
			}
		})
	}),
	Good: []rule.Example{
		example.Shows("images", "aws:ec2/vpcEndpoint:VpcEndpoint", object{"serviceName": "com.amazonaws.eu-central-1.ecr.dkr", "vpcEndpointType": "Interface"}),
		example.Shows("a service network of the org", "aws:ec2/vpcEndpoint:VpcEndpoint", object{
			"vpcEndpointType": "ServiceNetwork", "serviceNetworkArn": "arn:aws:vpc-lattice:eu-central-1:210987654321:servicenetwork/sn-1",
		}),
	},
	Bad: []rule.Example{
		example.Shows("somebody's PrivateLink service", "aws:ec2/vpcEndpoint:VpcEndpoint", object{"serviceName": "com.amazonaws.vpce.eu-central-1.vpce-svc-0abc"}),
		example.Shows("a private name that stands for such a service", "aws:ec2/vpcEndpoint:VpcEndpoint", object{"serviceName": "db.globex.example"}),
		example.Shows("a service network of another account", "aws:ec2/vpcEndpoint:VpcEndpoint", object{
			"vpcEndpointType": "ServiceNetwork", "serviceNetworkArn": "arn:aws:vpc-lattice:eu-central-1:444455556666:servicenetwork/sn-1",
		}),
	},
}

var directConnect = rule.Rule{
	ID:       "FH409",
	Title:    "Direct Connect stays within the account",
	Why:      "a Direct Connect gateway joins virtual private gateways of many accounts to one line",
	Fix:      "make the connection, its gateway and its association in the org's account",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    []string{"aws:directconnect/*"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		in := r.Values()
		j.Own(in.Get("associatedGatewayOwnerAccountId"), s)
		if v := in.Get("proposalId"); r.Type == "aws:directconnect/gatewayAssociation:GatewayAssociation" && j.Known(v) && v.Text() != "" {
			j.Violate(v.Path, "a proposal comes from another account")
		}
		j.Forbidden(r, "FH409")
	}),
	Good: []rule.Example{
		example.Shows("the org's own line", "aws:directconnect/connection:Connection", object{"bandwidth": "1Gbps", "location": "EqFA5"}),
		example.Shows("the org's own gateway on it", "aws:directconnect/gatewayAssociation:GatewayAssociation", object{
			"dxGatewayId": "dx-1", "associatedGatewayId": "vgw-1", "associatedGatewayOwnerAccountId": "210987654321",
		}),
	},
	Bad: []rule.Example{
		example.Shows("proposing the org's gateway for a common line", "aws:directconnect/gatewayAssociationProposal:GatewayAssociationProposal", object{
			"dxGatewayId": "dx-1", "dxGatewayOwnerAccountId": "444455556666", "associatedGatewayId": "vgw-1",
		}),
		example.Shows("accepting a proposal", "aws:directconnect/gatewayAssociation:GatewayAssociation", object{"dxGatewayId": "dx-1", "proposalId": "p-1", "associatedGatewayOwnerAccountId": "444455556666"}),
		example.Shows("accepting a hosted interface", "aws:directconnect/hostedPrivateVirtualInterfaceAccepter:HostedPrivateVirtualInterfaceAccepter", object{"virtualInterfaceId": "dxvif-1"}),
	},
}

// serviceNetworks join by ARN what is in other accounts; an id is looked up in
// the account itself.
// https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_CreateServiceNetworkVpcAssociation.html
var serviceNetworks = rule.Rule{
	ID:       "FH410",
	Title:    "VPC Lattice and Cloud Map stay within the account",
	Why:      "a service network of another account puts its services into the org's VPC, and the org's into its own",
	Fix:      "name services, service networks and namespaces of the org's account, and no resource policy",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    []string{"aws:vpclattice/*", "aws:servicediscovery/*"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		if r.Type == "aws:vpclattice/resourcePolicy:ResourcePolicy" {
			j.Violate("policy", "a resource policy is how a share is written by hand")
			return
		}
		for _, end := range []string{
			"serviceNetworkIdentifier", "serviceIdentifier", "vpcIdentifier", "resourceConfigurationIdentifier", "namespaceId", "serviceId",
		} {
			j.Own(r.Values().Get(end), s)
		}
	}),
	Good: []rule.Example{
		example.Shows("the VPC on the org's own service network", "aws:vpclattice/serviceNetworkVpcAssociation:ServiceNetworkVpcAssociation", object{
			"serviceNetworkIdentifier": "arn:aws:vpc-lattice:eu-central-1:210987654321:servicenetwork/sn-1", "vpcIdentifier": "vpc-1",
		}),
		example.Shows("a name in the org's own namespace", "aws:servicediscovery/service:Service", object{"name": "api", "namespaceId": "ns-1"}),
	},
	Bad: []rule.Example{
		example.Shows("the VPC on another account's service network", "aws:vpclattice/serviceNetworkVpcAssociation:ServiceNetworkVpcAssociation", object{
			"serviceNetworkIdentifier": "arn:aws:vpc-lattice:eu-central-1:444455556666:servicenetwork/sn-1", "vpcIdentifier": "vpc-1",
		}),
		example.Shows("a service on another account's service network", "aws:vpclattice/serviceNetworkServiceAssociation:ServiceNetworkServiceAssociation", object{
			"serviceNetworkIdentifier": "arn:aws:vpc-lattice:eu-central-1:444455556666:servicenetwork/sn-1", "serviceIdentifier": "svc-1",
		}),
		example.Shows("a share written by hand", "aws:vpclattice/resourcePolicy:ResourcePolicy", object{"policy": "{}"}),
		example.Shows("a name in a namespace shared by another account", "aws:servicediscovery/service:Service", object{
			"namespaceId": "arn:aws:servicediscovery:eu-central-1:444455556666:namespace/ns-1",
		}),
	},
}

var zoneAuthorizations = rule.Rule{
	ID:       "FH408",
	Title:    "No other account's network is let into a private zone",
	Why:      "whoever is associated with a zone reads its names, and an authorization is needed for nothing but a VPC of another account",
	Fix:      "take it out: a zone and a VPC of one account are associated without",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    table.RefusedBy("FH408"),
	Check:    rule.ForbiddenBy("FH408"),
	Good: []rule.Example{
		example.Shows("a record in the org's own zone", "aws:route53/record:Record", object{"zoneId": "Z1", "name": "api", "type": "A"}),
		example.Shows("the org's own zone", "aws:route53/zone:Zone", object{"name": "acme.internal"}),
	},
	Bad: []rule.Example{
		example.Shows("a partner's VPC", "aws:route53/vpcAssociationAuthorization:VpcAssociationAuthorization", object{"zoneId": "Z1", "vpcId": "vpc-partner"}),
		example.Shows("a VPC that is known later", "aws:route53/vpcAssociationAuthorization:VpcAssociationAuthorization", object{"zoneId": rule.Unknown{}, "vpcId": rule.Unknown{}}),
	},
}

// nameEnds are the associations of private names with networks, and what each
// end of one is: ids do not say whose they are.
var nameEnds = map[string]map[string]string{
	"aws:route53/zoneAssociation:ZoneAssociation": {
		"vpcId": "aws:ec2/vpc:Vpc", "zoneId": "aws:route53/zone:Zone",
	},
	"aws:route53/zone:Zone": {"vpcs.vpcId": "aws:ec2/vpc:Vpc"},
	"aws:route53/resolverRuleAssociation:ResolverRuleAssociation": {
		"vpcId": "aws:ec2/vpc:Vpc", "resolverRuleId": "aws:route53/resolverRule:ResolverRule",
	},
	"aws:route53/profilesAssociation:ProfilesAssociation": {
		"resourceId": "aws:ec2/vpc:Vpc", "profileId": "aws:route53/profilesProfile:ProfilesProfile",
	},
}

var privateNames = rule.Rule{
	ID:       "FH407",
	Title:    "Private names are joined only to networks of the same stack",
	Why:      "whoever writes a zone can send the traffic of every network that it is associated with to an address of theirs",
	Fix:      "associate a zone, rule or profile and a VPC that are both made in this stack",
	Severity: rule.Critical,
	Criteria: []string{"CC6.6"},
	Types:    slices.Sorted(maps.Keys(nameEnds)),
	CheckStack: rule.OnStack(slices.Sorted(maps.Keys(nameEnds)), func(j *rule.Judge, r rule.Resource, stack []rule.Resource, s rule.Scope) {
		for _, path := range slices.Sorted(maps.Keys(nameEnds[r.Type])) {
			for _, v := range r.Values().All(path) {
				ofStack(j, v, stack, s, []string{nameEnds[r.Type][path]})
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("the org's zone and the org's VPC", "aws:route53/zoneAssociation:ZoneAssociation", object{"zoneId": "Z1", "vpcId": "vpc-1"},
			example.Beside("aws:ec2/vpc:Vpc", "vpc-1", nil), example.Beside("aws:route53/zone:Zone", "Z1", nil)),
		example.Shows("the rule for internet names that AWS gives to everybody", "aws:route53/resolverRuleAssociation:ResolverRuleAssociation",
			object{"resolverRuleId": "rslvr-autodefined-rr-internet-resolver", "vpcId": "vpc-1"}, example.Beside("aws:ec2/vpc:Vpc", "vpc-1", nil)),
	},
	Bad: []rule.Example{
		example.Shows("a partner's zone in the org's VPC", "aws:route53/zoneAssociation:ZoneAssociation", object{"zoneId": "Z9", "vpcId": "vpc-1"},
			example.Beside("aws:ec2/vpc:Vpc", "vpc-1", nil)),
		example.Shows("another network in the org's zone", "aws:route53/zone:Zone", object{"name": "acme.internal", "vpcs": list{object{"vpcId": "vpc-1"}, object{"vpcId": "vpc-9"}}},
			example.Beside("aws:ec2/vpc:Vpc", "vpc-1", nil)),
		example.Shows("a resolver rule that was shared", "aws:route53/resolverRuleAssociation:ResolverRuleAssociation", object{"resolverRuleId": "rslvr-rr-9", "vpcId": "vpc-1"},
			example.Beside("aws:ec2/vpc:Vpc", "vpc-1", nil)),
	},
}

// ofStack violates unless a value refers to a resource of the stack, by id or
// by one of these properties, or to one that another layer has made. What AWS itself puts into every account is
// everybody's and nobody's.
func ofStack(j *rule.Judge, v rule.Value, stack []rule.Resource, s rule.Scope, types []string, properties ...string) {
	if !j.Known(v) || v.Text() == "" || slices.Contains(s.Owned, v.Text()) || strings.HasPrefix(v.Text(), "rslvr-autodefined-") {
		return
	}
	unknown := false
	for _, r := range stack {
		if slices.Contains(types, r.Type) {
			yes, known := v.IsOf(r, properties...)
			if yes {
				return
			}
			unknown = unknown || !known
		}
	}
	if unknown {
		j.Undecided(v.Path)
		return
	}
	j.Violate(v.Path, "%s is not a %s of this stack, so its owner is unknown", v.Text(), types[0])
}

// ServiceOfAWS reports whether the service of a VPC endpoint is one of AWS's
// own, and not one that some account offers.
func ServiceOfAWS(name string) bool { return awsService.MatchString(name) }
