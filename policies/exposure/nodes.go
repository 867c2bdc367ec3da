package exposure

import (
	"maps"
	"slices"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

const (
	typeSubnet      = "aws:ec2/subnet:Subnet"
	typeGateway     = "aws:ec2/internetGateway:InternetGateway"
	typeRoute       = "aws:ec2/route:Route"
	typeTable       = "aws:ec2/routeTable:RouteTable"
	typeMainTable   = "aws:ec2/defaultRouteTable:DefaultRouteTable"
	typeTableOf     = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	typeMainTableOf = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
)

var publicSubnets = rule.Rule{
	ID:       "FH606",
	Title:    "No subnet gives out public addresses",
	Why:      "everything that is started in such a subnet, nodes included, is on the internet without having asked for it",
	Fix:      "set mapPublicIpOnLaunch to false; what must be public asks for an address itself",
	Severity: rule.High,
	Criteria: []string{"CC6.6"},
	Types:    []string{typeSubnet, "aws:ec2/defaultSubnet:DefaultSubnet"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		off := []string{"false", ""}
		if r.Type != typeSubnet {
			off = off[:1] // AWS's default subnets give them out
		}
		j.Must(r.Values().Get("mapPublicIpOnLaunch"), off, "what starts here has a public address")
	}),
	Good: []rule.Example{
		example.Shows("a public subnet for load balancers", typeSubnet, object{"cidrBlock": "10.0.0.0/24", "mapPublicIpOnLaunch": false}),
		example.Shows("nothing said, which is none", typeSubnet, object{"cidrBlock": "10.0.0.0/24"}),
	},
	Bad: []rule.Example{
		example.Shows("an address for everything", typeSubnet, object{"cidrBlock": "10.0.0.0/24", "mapPublicIpOnLaunch": true}),
		example.Shows("the subnet that AWS made", "aws:ec2/defaultSubnet:DefaultSubnet", object{"availabilityZone": "eu-central-1a"}),
	},
}

// nodeTypes start nodes, and say in which subnets.
var nodeTypes = map[string]string{
	"aws:autoscaling/group:Group":           "vpcZoneIdentifiers",
	"aws:eks/fargateProfile:FargateProfile": "subnetIds",
	"aws:eks/nodeGroup:NodeGroup":           "subnetIds",
}

var nodeSubnets = rule.Rule{
	ID:       "FH607",
	Title:    "Nodes run in private subnets",
	Why:      "a node whose subnet has a route to an internet gateway is one public address away from everybody",
	Fix:      "put node groups into subnets of this stack whose way out is a NAT gateway or none",
	Severity: rule.High,
	Criteria: []string{"CC6.6"},
	Types:    slices.Sorted(maps.Keys(nodeTypes)),
	CheckStack: rule.OnStack(slices.Sorted(maps.Keys(nodeTypes)), func(j *rule.Judge, r rule.Resource, stack []rule.Resource, _ rule.Scope) {
		subnets := r.Values().Get(nodeTypes[r.Type])
		if j.Known(subnets) && len(subnets.Each()) == 0 {
			j.Violate(subnets.Path, "no subnet is named, so AWS chooses one")
		}
		for _, id := range subnets.Each() {
			private(j, id, stack)
		}
	}),
	Good: []rule.Example{
		example.Shows("a subnet that goes out by NAT", "aws:eks/nodeGroup:NodeGroup", object{"subnetIds": list{"subnet-1"}}, network("nat-1", true)...),
		example.Shows("a subnet beside a public one", "aws:eks/nodeGroup:NodeGroup", object{"subnetIds": list{"subnet-1"}},
			append(network("nat-1", true), example.Beside(typeSubnet, "subnet-2", object{"vpcId": "vpc-1", "mapPublicIpOnLaunch": true}))...),
	},
	Bad: []rule.Example{
		example.Shows("a subnet with a route to the internet gateway", "aws:eks/nodeGroup:NodeGroup", object{"subnetIds": list{"subnet-1"}}, network("igw-1", true)...),
		example.Shows("a subnet with no table of its own, whose VPC's main one leads out", "aws:eks/nodeGroup:NodeGroup", object{"subnetIds": list{"subnet-1"}},
			append(network("nat-1", false), example.Beside(typeMainTable, "rtb-main", object{"routes": list{object{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}}}))...),
		example.Shows("a subnet that gives out public addresses", "aws:eks/nodeGroup:NodeGroup", object{"subnetIds": list{"subnet-2"}},
			example.Beside(typeSubnet, "subnet-2", object{"vpcId": "vpc-1", "mapPublicIpOnLaunch": true})),
		example.Shows("a subnet of some other stack", "aws:autoscaling/group:Group", object{"vpcZoneIdentifiers": list{"subnet-9"}}, network("nat-1", true)...),
	},
}

// network is a subnet with a table whose default route leads to a gateway.
func network(gateway string, associated bool) []rule.Resource {
	target := "natGatewayId"
	if gateway == "igw-1" {
		target = "gatewayId"
	}
	all := []rule.Resource{
		example.Beside(typeSubnet, "subnet-1", object{"vpcId": "vpc-1", "mapPublicIpOnLaunch": false}),
		example.Beside(typeGateway, "igw-1", object{"vpcId": "vpc-1"}),
		example.Beside(typeTable, "rtb-1", object{"vpcId": "vpc-1"}),
		example.Beside(typeRoute, "r-1", object{"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", target: gateway}),
	}
	if associated {
		all = append(all, example.Beside(typeTableOf, "rtbassoc-1", object{"subnetId": "subnet-1", "routeTableId": "rtb-1"}))
	}
	return all
}

// private violates where a subnet is public, or where the stack does not show it.
func private(j *rule.Judge, id rule.Value, stack []rule.Resource) {
	if !j.Known(id) {
		return
	}
	at := slices.IndexFunc(stack, func(r rule.Resource) bool { return r.Type == typeSubnet && r.ID != "" && r.ID == id.Text() })
	if at < 0 {
		j.Violate(id.Path, "%s is not made in this stack, so where its routes lead is unknown", id.Text())
		return
	}
	if public := stack[at].Values().Get("mapPublicIpOnLaunch"); j.Known(public) && public.Is("true") {
		j.Violate(id.Path, "%s gives out public addresses", id.Text())
	}
	for _, route := range routesOf(id.Text(), stack) {
		switch out, known := leadsOut(route.Value, stack); {
		case out && route.sure:
			j.Violate(id.Path, "%s has a route to an internet gateway", id.Text())
		case out || !known:
			j.Undecided(id.Path)
		}
	}
}

// routed is a route of a subnet; one that is not sure may be another's, because
// what joins the two is not known yet.
type routed struct {
	rule.Value
	sure bool
}

// routesOf returns the routes of a subnet's table; of the VPC's main table where
// it has none of its own.
func routesOf(subnet string, stack []rule.Resource) []routed {
	var tables []routed
	own, networks := false, 0
	for _, r := range stack {
		switch of := r.Values().Get("subnetId"); {
		case r.Type == typeTableOf && of.Is(subnet):
			tables, own = append(tables, routed{r.Values().Get("routeTableId"), true}), true
		case r.Type == typeTableOf && of.Unknown():
			tables = append(tables, routed{r.Values().Get("routeTableId"), false})
		case r.Type == "aws:ec2/vpc:Vpc":
			networks++
		}
	}
	for _, r := range stack {
		switch {
		case own:
		case r.Type == typeMainTable:
			tables = append(tables, routed{rule.Value{Raw: r.ID}, networks < 2})
		case r.Type == typeMainTableOf:
			tables = append(tables, routed{r.Values().Get("routeTableId"), networks < 2})
		}
	}
	var routes []routed
	for _, table := range tables {
		for _, r := range stack {
			of := rule.Value{Raw: r.ID}
			given := r.Values().All("routes")
			switch r.Type {
			case typeTable, typeMainTable:
			case typeRoute:
				of, given = r.Values().Get("routeTableId"), []rule.Value{r.Values()}
			default:
				continue
			}
			known := !table.Unknown() && !of.Unknown()
			if known && of.Text() != table.Text() {
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
func leadsOut(route rule.Value, stack []rule.Resource) (yes, known bool) {
	gateway := route.Get("gatewayId")
	if gateway.Unknown() {
		return false, false
	}
	id := gateway.Text()
	return len(id) > 4 && id[:4] == "igw-" || id != "" && slices.ContainsFunc(stack, func(r rule.Resource) bool {
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

var publicAddresses = rule.Rule{
	ID:       "FH608",
	Title:    "No node has a public address",
	Why:      "the kubelet, and every port that a pod opens on its node, would be on the internet",
	Fix:      "leave public addresses to NAT gateways and load balancers",
	Severity: rule.High,
	Criteria: []string{"CC6.6"},
	Types:    append(slices.Sorted(maps.Keys(addressFields)), slices.Sorted(maps.Keys(addressTypes))...),
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		for _, path := range addressFields[r.Type] {
			for _, v := range r.Values().All(path) {
				j.MustNot(v, []string{"true"}, "the machine has a public address")
			}
		}
		for _, path := range addressTypes[r.Type] {
			if v := r.Values().Get(path); j.Known(v) && v.Text() != "" {
				j.Violate(v.Path, "%s has a public address", v.Text())
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("a NAT gateway's address", "aws:ec2/eip:Eip", object{"domain": "vpc"}),
		example.Shows("a template that says no", "aws:ec2/launchTemplate:LaunchTemplate", object{"networkInterfaces": list{object{"associatePublicIpAddress": "false"}}}),
	},
	Bad: []rule.Example{
		example.Shows("a template whose second interface is public", "aws:ec2/launchTemplate:LaunchTemplate", object{
			"networkInterfaces": list{object{"deviceIndex": 0}, object{"deviceIndex": 1, "associatePublicIpAddress": "true"}},
		}),
		example.Shows("an address for an instance", "aws:ec2/eip:Eip", object{"instance": "i-1"}),
		example.Shows("an address for an interface, afterwards", "aws:ec2/eipAssociation:EipAssociation", object{"allocationId": "eipalloc-1", "networkInterfaceId": "eni-1"}),
		example.Shows("a machine to jump from", "aws:ec2/instance:Instance", object{"associatePublicIpAddress": true}),
	},
}

var publicImages = rule.Rule{
	ID:          "FH609",
	Title:       "No container image is published",
	Why:         "everybody can pull from ECR Public, and everything that was ever pushed stays in somebody's cache",
	Fix:         "push to the org's own private registry",
	Severity:    rule.Critical,
	Criteria:    []string{"CC6.1", "CC6.6"},
	NoException: true,
	Types:       table.RefusedBy("FH609"),
	Check:       rule.ForbiddenBy("FH609"),
	Good: []rule.Example{
		example.Shows("a private repository", "aws:ecr/repository:Repository", object{"name": "freehold-acme/app"}),
		example.Shows("a repository that is only called so", "aws:ecr/repository:Repository", object{"name": "public"}),
	},
	Bad: []rule.Example{
		example.Shows("a public repository", "aws:ecrpublic/repository:Repository", object{"repositoryName": "app"}),
		example.Shows("a policy for a public repository", "aws:ecrpublic/repositoryPolicy:RepositoryPolicy", object{"repositoryName": "app"}),
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
var metadata = rule.Rule{
	ID:       "FH610",
	Title:    "Machines answer for their metadata with a token, and one hop far",
	Why:      "without a token, or two hops far, a pod or a forged request takes the node's credentials",
	Fix:      "set httpTokens to required and httpPutResponseHopLimit to 1, or httpEndpoint to disabled",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    metadataTypes,
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		options := r.Values()
		if r.Type != typeMetadataDefaults {
			options = options.Get("metadataOptions")
		}
		if endpoint := options.Get("httpEndpoint"); !j.Known(endpoint) || endpoint.Is("disabled") {
			return
		}
		j.Must(options.Get("httpTokens"), []string{"required"}, "metadata is given without a token")
		j.Must(options.Get("httpPutResponseHopLimit"), []string{"1"}, "the hop limit is not 1, so pods may reach the node's metadata")
	}),
	Good: []rule.Example{
		example.Shows("a token, and one hop", "aws:ec2/launchTemplate:LaunchTemplate", object{"metadataOptions": object{"httpTokens": "required", "httpPutResponseHopLimit": 1.0}}),
		example.Shows("no metadata at all", "aws:ec2/instance:Instance", object{"metadataOptions": object{"httpEndpoint": "disabled"}}),
	},
	Bad: []rule.Example{
		example.Shows("a template that says nothing", "aws:ec2/launchTemplate:LaunchTemplate", object{"name": "nodes"}),
		example.Shows("tokens for those who want them", "aws:ec2/instance:Instance", object{"metadataOptions": object{"httpTokens": "optional", "httpPutResponseHopLimit": 1.0}}),
		example.Shows("one hop more, for pods", "aws:ec2/launchTemplate:LaunchTemplate", object{"metadataOptions": object{"httpTokens": "required", "httpPutResponseHopLimit": 2.0}}),
		example.Shows("the account's default", typeMetadataDefaults, object{"httpTokens": "optional", "httpPutResponseHopLimit": 1.0}),
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

var accountSwitches = rule.Rule{
	ID:       "FH611",
	Title:    "The account's fences against publishing stand",
	Why:      "each holds for everything in the account, also for what nobody has thought of",
	Fix:      "set the state that blocks, or leave the resource out",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    slices.Sorted(maps.Keys(switches)),
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		for _, path := range slices.Sorted(maps.Keys(switches[r.Type])) {
			j.Must(r.Values().Get(path), switches[r.Type][path], "the fence is open")
		}
	}),
	Good: []rule.Example{
		example.Shows("no snapshot is public", "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", object{"state": "block-all-sharing"}),
		example.Shows("no image is public", "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", object{"state": "block-new-sharing"}),
	},
	Bad: []rule.Example{
		example.Shows("public snapshots again", "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", object{"state": "unblocked"}),
		example.Shows("only new snapshots", "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", object{"state": "block-new-sharing"}),
		example.Shows("public images again", "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", object{"state": "unblocked"}),
	},
}
