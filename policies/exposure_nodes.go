package policies

import "slices"

const (
	typeSubnet      = "aws:ec2/subnet:Subnet"
	typeGateway     = "aws:ec2/internetGateway:InternetGateway"
	typeRoute       = "aws:ec2/route:Route"
	typeTable       = "aws:ec2/routeTable:RouteTable"
	typeMainTable   = "aws:ec2/defaultRouteTable:DefaultRouteTable"
	typeTableOf     = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	typeMainTableOf = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
)

var publicSubnets = Rule{
	ID:       "FH606",
	Title:    "No subnet gives out public addresses",
	Why:      "everything that is started in such a subnet, nodes included, is on the internet without having asked for it",
	Fix:      "set mapPublicIpOnLaunch to false; what must be public asks for an address itself",
	Severity: High,
	Criteria: []string{"CC6.6"},
	Types:    []string{typeSubnet, "aws:ec2/defaultSubnet:DefaultSubnet"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		off := []string{"false", ""}
		if r.Type != typeSubnet {
			off = off[:1] // AWS's default subnets give them out
		}
		j.must(r.values().get("mapPublicIpOnLaunch"), off, "what starts here has a public address")
	}),
	Good: []Example{
		shows("a public subnet for load balancers", typeSubnet, object{"cidrBlock": "10.0.0.0/24", "mapPublicIpOnLaunch": false}),
		shows("nothing said, which is none", typeSubnet, object{"cidrBlock": "10.0.0.0/24"}),
	},
	Bad: []Example{
		shows("an address for everything", typeSubnet, object{"cidrBlock": "10.0.0.0/24", "mapPublicIpOnLaunch": true}),
		shows("the subnet that AWS made", "aws:ec2/defaultSubnet:DefaultSubnet", object{"availabilityZone": "eu-central-1a"}),
	},
}

// nodeTypes start nodes, and say in which subnets.
var nodeTypes = map[string]string{
	"aws:autoscaling/group:Group":           "vpcZoneIdentifiers",
	"aws:eks/fargateProfile:FargateProfile": "subnetIds",
	"aws:eks/nodeGroup:NodeGroup":           "subnetIds",
}

var nodeSubnets = Rule{
	ID:       "FH607",
	Title:    "Nodes run in private subnets",
	Why:      "a node whose subnet has a route to an internet gateway is one public address away from everybody",
	Fix:      "put node groups into subnets of this stack whose way out is a NAT gateway or none",
	Severity: High,
	Criteria: []string{"CC6.6"},
	Types:    sortedKeysOf(nodeTypes),
	CheckStack: onStack(sortedKeysOf(nodeTypes), func(j *judge, r Resource, stack []Resource, _ Scope) {
		subnets := r.values().get(nodeTypes[r.Type])
		if j.known(subnets) && len(subnets.each()) == 0 {
			j.violate(subnets.path, "no subnet is named, so AWS chooses one")
		}
		for _, id := range subnets.each() {
			j.private(id, stack)
		}
	}),
	Good: []Example{
		shows("a subnet that goes out by NAT", "aws:eks/nodeGroup:NodeGroup", object{"subnetIds": list{"subnet-1"}}, network("nat-1", true)...),
		shows("a subnet beside a public one", "aws:eks/nodeGroup:NodeGroup", object{"subnetIds": list{"subnet-1"}},
			append(network("nat-1", true), beside(typeSubnet, "subnet-2", object{"vpcId": "vpc-1", "mapPublicIpOnLaunch": true}))...),
	},
	Bad: []Example{
		shows("a subnet with a route to the internet gateway", "aws:eks/nodeGroup:NodeGroup", object{"subnetIds": list{"subnet-1"}}, network("igw-1", true)...),
		shows("a subnet with no table of its own, whose VPC's main one leads out", "aws:eks/nodeGroup:NodeGroup", object{"subnetIds": list{"subnet-1"}},
			append(network("nat-1", false), beside(typeMainTable, "rtb-main", object{"routes": list{object{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}}}))...),
		shows("a subnet that gives out public addresses", "aws:eks/nodeGroup:NodeGroup", object{"subnetIds": list{"subnet-2"}},
			beside(typeSubnet, "subnet-2", object{"vpcId": "vpc-1", "mapPublicIpOnLaunch": true})),
		shows("a subnet of some other stack", "aws:autoscaling/group:Group", object{"vpcZoneIdentifiers": list{"subnet-9"}}, network("nat-1", true)...),
	},
}

// network is a subnet with a table whose default route leads to a gateway.
func network(gateway string, associated bool) []Resource {
	target := "natGatewayId"
	if gateway == "igw-1" {
		target = "gatewayId"
	}
	all := []Resource{
		beside(typeSubnet, "subnet-1", object{"vpcId": "vpc-1", "mapPublicIpOnLaunch": false}),
		beside(typeGateway, "igw-1", object{"vpcId": "vpc-1"}),
		beside(typeTable, "rtb-1", object{"vpcId": "vpc-1"}),
		beside(typeRoute, "r-1", object{"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", target: gateway}),
	}
	if associated {
		all = append(all, beside(typeTableOf, "rtbassoc-1", object{"subnetId": "subnet-1", "routeTableId": "rtb-1"}))
	}
	return all
}

// private violates where a subnet is public, or where the stack does not show it.
func (j *judge) private(id value, stack []Resource) {
	if !j.known(id) {
		return
	}
	at := slices.IndexFunc(stack, func(r Resource) bool { return r.Type == typeSubnet && r.ID != "" && r.ID == id.text() })
	if at < 0 {
		j.violate(id.path, "%s is not made in this stack, so where its routes lead is unknown", id.text())
		return
	}
	if public := stack[at].values().get("mapPublicIpOnLaunch"); j.known(public) && public.is("true") {
		j.violate(id.path, "%s gives out public addresses", id.text())
	}
	for _, route := range routesOf(id.text(), stack) {
		switch out, known := leadsOut(route.value, stack); {
		case out && route.sure:
			j.violate(id.path, "%s has a route to an internet gateway", id.text())
		case out || !known:
			j.undecided(id.path)
		}
	}
}

// routed is a route of a subnet; one that is not sure may be another's, because
// what joins the two is not known yet.
type routed struct {
	value
	sure bool
}

// routesOf returns the routes of a subnet's table; of the VPC's main table where
// it has none of its own.
func routesOf(subnet string, stack []Resource) []routed {
	var tables []routed
	own, networks := false, 0
	for _, r := range stack {
		switch of := r.values().get("subnetId"); {
		case r.Type == typeTableOf && of.is(subnet):
			tables, own = append(tables, routed{r.values().get("routeTableId"), true}), true
		case r.Type == typeTableOf && of.unknown():
			tables = append(tables, routed{r.values().get("routeTableId"), false})
		case r.Type == "aws:ec2/vpc:Vpc":
			networks++
		}
	}
	for _, r := range stack {
		switch {
		case own:
		case r.Type == typeMainTable:
			tables = append(tables, routed{value{v: r.ID}, networks < 2})
		case r.Type == typeMainTableOf:
			tables = append(tables, routed{r.values().get("routeTableId"), networks < 2})
		}
	}
	var routes []routed
	for _, table := range tables {
		for _, r := range stack {
			of := value{v: r.ID}
			given := r.values().all("routes")
			switch r.Type {
			case typeTable, typeMainTable:
			case typeRoute:
				of, given = r.values().get("routeTableId"), []value{r.values()}
			default:
				continue
			}
			known := !table.unknown() && !of.unknown()
			if known && of.text() != table.text() {
				continue
			}
			for _, route := range given {
				routes = append(routes, routed{route, table.sure && known})
			}
		}
	}
	return routes
}

// leadsOut reports whether a route leads to an internet gateway: one of the
// stack, or one that its id gives away.
func leadsOut(route value, stack []Resource) (yes, known bool) {
	gateway := route.get("gatewayId")
	if gateway.unknown() {
		return false, false
	}
	id := gateway.text()
	return len(id) > 4 && id[:4] == "igw-" || id != "" && slices.ContainsFunc(stack, func(r Resource) bool {
		return r.Type == typeGateway && r.ID == id
	}), true
}

// addressFields put a machine on the internet.
var addressFields = map[string][]string{
	"aws:ec2/instance:Instance":                       {"associatePublicIpAddress"},
	"aws:ec2/launchConfiguration:LaunchConfiguration": {"associatePublicIpAddress"},
	"aws:ec2/launchTemplate:LaunchTemplate":           {"networkInterfaces.associatePublicIpAddress", "networkInterfaces.associateCarrierIpAddress"},
	"aws:ec2/spotInstanceRequest:SpotInstanceRequest": {"associatePublicIpAddress"},
	"aws:ec2/spotFleetRequest:SpotFleetRequest":       {"launchSpecifications.associatePublicIpAddress"},
}

// addressTypes give an address to what is there.
var addressTypes = map[string][]string{
	"aws:ec2/eip:Eip":                       {"instance", "networkInterface"},
	"aws:ec2/eipAssociation:EipAssociation": {"instanceId", "networkInterfaceId"},
}

var publicAddresses = Rule{
	ID:       "FH608",
	Title:    "No node has a public address",
	Why:      "the kubelet, and every port that a pod opens on its node, would be on the internet",
	Fix:      "leave public addresses to NAT gateways and load balancers",
	Severity: High,
	Criteria: []string{"CC6.6"},
	Types:    append(sortedKeysOf(addressFields), sortedKeysOf(addressTypes)...),
	Check: on(func(j *judge, r Resource, _ Scope) {
		for _, path := range addressFields[r.Type] {
			for _, v := range r.values().all(path) {
				j.mustNot(v, []string{"true"}, "the machine has a public address")
			}
		}
		for _, path := range addressTypes[r.Type] {
			if v := r.values().get(path); j.known(v) && v.text() != "" {
				j.violate(v.path, "%s has a public address", v.text())
			}
		}
	}),
	Good: []Example{
		shows("a NAT gateway's address", "aws:ec2/eip:Eip", object{"domain": "vpc"}),
		shows("a template that says no", "aws:ec2/launchTemplate:LaunchTemplate", object{"networkInterfaces": list{object{"associatePublicIpAddress": "false"}}}),
	},
	Bad: []Example{
		shows("a template whose second interface is public", "aws:ec2/launchTemplate:LaunchTemplate", object{
			"networkInterfaces": list{object{"deviceIndex": 0}, object{"deviceIndex": 1, "associatePublicIpAddress": "true"}},
		}),
		shows("an address for an instance", "aws:ec2/eip:Eip", object{"instance": "i-1"}),
		shows("an address for an interface, afterwards", "aws:ec2/eipAssociation:EipAssociation", object{"allocationId": "eipalloc-1", "networkInterfaceId": "eni-1"}),
		shows("a machine to jump from", "aws:ec2/instance:Instance", object{"associatePublicIpAddress": true}),
	},
}

var publicImages = Rule{
	ID:          "FH609",
	Title:       "No container image is published",
	Why:         "everybody can pull from ECR Public, and everything that was ever pushed stays in somebody's cache",
	Fix:         "push to the org's own private registry",
	Severity:    Critical,
	Criteria:    []string{"CC6.1", "CC6.6"},
	NoException: true,
	Types:       refusedBy("FH609"),
	Check:       forbiddenBy("FH609"),
	Good: []Example{
		shows("a private repository", "aws:ecr/repository:Repository", object{"name": "freehold-acme/app"}),
		shows("a repository that is only called so", "aws:ecr/repository:Repository", object{"name": "public"}),
	},
	Bad: []Example{
		shows("a public repository", "aws:ecrpublic/repository:Repository", object{"repositoryName": "app"}),
		shows("a policy for a public repository", "aws:ecrpublic/repositoryPolicy:RepositoryPolicy", object{"repositoryName": "app"}),
	},
}

var metadataTypes = []string{
	"aws:ec2/instance:Instance", "aws:ec2/launchConfiguration:LaunchConfiguration", "aws:ec2/launchTemplate:LaunchTemplate",
	"aws:ec2/spotInstanceRequest:SpotInstanceRequest", typeMetadataDefaults,
}

const typeMetadataDefaults = "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"

// Nothing said is not safe: what then holds is the image's setting, and
// AL2023's is a hop limit of 2, with which pods get the node's credentials.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html#instance-metadata-options-order-of-precedence
var metadata = Rule{
	ID:       "FH610",
	Title:    "Machines answer for their metadata with a token, and one hop far",
	Why:      "without a token, or two hops far, a pod or a forged request takes the node's credentials",
	Fix:      "set httpTokens to required and httpPutResponseHopLimit to 1, or httpEndpoint to disabled",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    metadataTypes,
	Check: on(func(j *judge, r Resource, _ Scope) {
		options := r.values()
		if r.Type != typeMetadataDefaults {
			options = options.get("metadataOptions")
		}
		if endpoint := options.get("httpEndpoint"); !j.known(endpoint) || endpoint.is("disabled") {
			return
		}
		j.must(options.get("httpTokens"), []string{"required"}, "metadata is given without a token")
		j.must(options.get("httpPutResponseHopLimit"), []string{"1"}, "the hop limit is not 1, so pods may reach the node's metadata")
	}),
	Good: []Example{
		shows("a token, and one hop", "aws:ec2/launchTemplate:LaunchTemplate", object{"metadataOptions": object{"httpTokens": "required", "httpPutResponseHopLimit": 1.0}}),
		shows("no metadata at all", "aws:ec2/instance:Instance", object{"metadataOptions": object{"httpEndpoint": "disabled"}}),
	},
	Bad: []Example{
		shows("a template that says nothing", "aws:ec2/launchTemplate:LaunchTemplate", object{"name": "nodes"}),
		shows("tokens for those who want them", "aws:ec2/instance:Instance", object{"metadataOptions": object{"httpTokens": "optional", "httpPutResponseHopLimit": 1.0}}),
		shows("one hop more, for pods", "aws:ec2/launchTemplate:LaunchTemplate", object{"metadataOptions": object{"httpTokens": "required", "httpPutResponseHopLimit": 2.0}}),
		shows("the account's default", typeMetadataDefaults, object{"httpTokens": "optional", "httpPutResponseHopLimit": 1.0}),
	},
}

// switches are an account's own fences, and the states in which they stand.
var switches = map[string]map[string][]string{
	"aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess":           {"state": {"block-all-sharing"}},
	"aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess":                 {"state": {"block-new-sharing"}},
	"aws:ec2/serialConsoleAccess:SerialConsoleAccess":                       {"enabled": {"false"}},
	"aws:ec2/vpcBlockPublicAccessOptions:VpcBlockPublicAccessOptions":       {"internetGatewayBlockMode": {"block-bidirectional", "block-ingress"}},
	"aws:emr/blockPublicAccessConfiguration:BlockPublicAccessConfiguration": {"blockPublicSecurityGroupRules": {"true"}},
}

var accountSwitches = Rule{
	ID:       "FH611",
	Title:    "The account's fences against publishing stand",
	Why:      "each holds for everything in the account, also for what nobody has thought of",
	Fix:      "set the state that blocks, or leave the resource out",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    sortedKeysOf(switches),
	Check: on(func(j *judge, r Resource, _ Scope) {
		for _, path := range sortedKeysOf(switches[r.Type]) {
			j.must(r.values().get(path), switches[r.Type][path], "the fence is open")
		}
	}),
	Good: []Example{
		shows("no snapshot is public", "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", object{"state": "block-all-sharing"}),
		shows("no image is public", "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", object{"state": "block-new-sharing"}),
	},
	Bad: []Example{
		shows("public snapshots again", "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", object{"state": "unblocked"}),
		shows("only new snapshots", "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", object{"state": "block-new-sharing"}),
		shows("public images again", "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", object{"state": "unblocked"}),
	},
}
