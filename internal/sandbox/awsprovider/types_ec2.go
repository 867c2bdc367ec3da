package awsprovider

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"

	"freehold.dev/freehold/internal/sandbox/store"
)

const (
	vpcToken          = "aws:ec2/vpc:Vpc"
	subnetToken       = "aws:ec2/subnet:Subnet"
	interfaceToken    = "aws:ec2/networkInterface:NetworkInterface"
	aclToken          = "aws:ec2/networkAcl:NetworkAcl"
	routeTableToken   = "aws:ec2/routeTable:RouteTable"
	groupToken        = "aws:ec2/securityGroup:SecurityGroup"
	defaultGroupToken = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
)

// vpcRef requires that vpcId names a VPC of the account.
func vpcRef() Ref {
	return Ref{Path: "vpcId", To: []string{vpcToken}, By: []string{"id"},
		Error: "InvalidVpcID.NotFound: The vpc ID '{value}' does not exist"}
}

// subnetRef requires that a property names subnets of the account.
func subnetRef(path string) Ref {
	return Ref{Path: path, To: []string{subnetToken}, By: []string{"id"},
		Error: "InvalidSubnetID.NotFound: The subnet ID '{value}' does not exist"}
}

// groupRef requires that a property names security groups of the account.
func groupRef(path string) Ref {
	return Ref{Path: path, To: []string{groupToken, defaultGroupToken}, By: []string{"id"},
		Error: "InvalidGroup.NotFound: The security group '{value}' does not exist"}
}

func vpcBlock(token string) Block {
	return Block{Link: Link{Type: token, Path: "vpcId"},
		Error: "DependencyViolation: The vpc '{id}' has dependencies and cannot be deleted."}
}

// ec2Types are networks and the addresses in them.
var ec2Types = []*Type{
	{
		Token:   vpcToken,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html",
		Args:    ec2.VpcArgs{},
		State:   ec2.Vpc{},
		Noun:    "EC2 VPC",
		Service: "ec2",
		API:     API{Create: "CreateVpc", Read: "DescribeVpcs", Update: "ModifyVpcAttribute", Delete: "DeleteVpc", Updates: map[string]string{"tags": "CreateTags"}},
		Takes:   Takes{Create: 11 * time.Second, Update: 10 * time.Second, Delete: 1 * time.Second},
		ID:      "vpc-{hex:17}",
		ARN:     "arn:aws:ec2:{region}:{account}:vpc/{id}",
		Tags:    true,
		Defaults: map[string]any{
			"enableDnsSupport": true, "enableDnsHostnames": false, "instanceTenancy": "default",
			"enableNetworkAddressUsageMetrics": false, "assignGeneratedIpv6CidrBlock": false,
		},
		Outputs: map[string]string{"ownerId": "{account}", "dhcpOptionsId": "dopt-{hex:17}"},
		Fields: map[string][]Rule{
			"cidrBlock":       {cidrSized(16, 28)},
			"instanceTenancy": {oneOf("default", "dedicated")},
		},
		Conflicts:  [][]string{{"cidrBlock", "ipv4NetmaskLength"}},
		ExactlyOne: [][]string{{"cidrBlock", "ipv4IpamPoolId"}},
		Quota:      &Quota{Scope: PerRegion, Name: "ec2:vpcs", Limit: 5, Error: "VpcLimitExceeded: The maximum number of VPCs has been reached."},
		Replace:    []string{"cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength", "instanceTenancy"},
		Blocks: []Block{
			vpcBlock(subnetToken), vpcBlock(internetGatewayToken), {Link: Link{Type: natToken, Path: "__vpcId"}, Error: "DependencyViolation: The vpc '{id}' has dependencies and cannot be deleted."}, vpcBlock(endpointToken),
			vpcBlock(groupToken), vpcBlock(routeTableToken), vpcBlock(aclToken), vpcBlock(peeringToken),
			{Link: Link{Type: peeringToken, Path: "peerVpcId"}, Error: "DependencyViolation: The vpc '{id}' has dependencies and cannot be deleted."},
		},
		Owns: []Link{
			{Type: groupToken, Path: "vpcId", ByCloud: true}, {Type: defaultGroupToken, Path: "vpcId"},
			{Type: routeTableToken, Path: "vpcId", ByCloud: true}, {Type: aclToken, Path: "vpcId", ByCloud: true},
			{Type: flowLogToken, Path: "vpcId"},
		},
		Created: vpcCreated,
	},
	{
		Token:   subnetToken,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html",
		Args:    ec2.SubnetArgs{},
		State:   ec2.Subnet{},
		Noun:    "EC2 Subnet",
		Service: "ec2",
		API:     API{Create: "CreateSubnet", Read: "DescribeSubnets", Update: "ModifySubnetAttribute", Delete: "DeleteSubnet", Updates: map[string]string{"tags": "CreateTags"}},
		Takes:   Takes{Create: 1 * time.Second, Delete: 1 * time.Second},
		ID:      "subnet-{hex:17}",
		ARN:     "arn:aws:ec2:{region}:{account}:subnet/{id}",
		Tags:    true,
		Defaults: map[string]any{
			"mapPublicIpOnLaunch": false, "assignIpv6AddressOnCreation": false, "enableDns64": false, "ipv6Native": false,
			"enableResourceNameDnsARecordOnLaunch": false, "enableResourceNameDnsAaaaRecordOnLaunch": false,
			"privateDnsHostnameTypeOnLaunch": "ip-name",
		},
		Outputs:   map[string]string{"ownerId": "{account}"},
		Fields:    map[string][]Rule{"cidrBlock": {cidrSized(16, 28)}},
		Conflicts: [][]string{{"availabilityZone", "availabilityZoneId"}},
		Refs:      []Ref{vpcRef()},
		Replace:   []string{"availabilityZone", "availabilityZoneId", "cidrBlock", "vpcId", "ipv6Native", "outpostArn"},
		Blocks: []Block{
			{Link: Link{Type: interfaceToken, Path: "subnetId", ByCloud: true}, Error: subnetInUse},
			{Link: Link{Type: nodeGroupToken, Path: "subnetIds[*]"}, Error: subnetInUse},
		},
		Owns:    []Link{{Type: associationToken, Path: "subnetId"}, {Type: flowLogToken, Path: "subnetId"}},
		Check:   checkSubnet,
		Created: subnetCreated,
	},
	{
		Token:   interfaceToken,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html",
		Args:    ec2.NetworkInterfaceArgs{},
		State:   ec2.NetworkInterface{},
		Noun:    "EC2 Network Interface",
		Service: "ec2",
		API:     API{Create: "CreateNetworkInterface", Read: "DescribeNetworkInterfaces", Update: "ModifyNetworkInterfaceAttribute", Delete: "DeleteNetworkInterface"},
		ID:      "eni-{hex:17}",
		ARN:     "arn:aws:ec2:{region}:{account}:network-interface/{id}",
		Tags:    true,
		Defaults: map[string]any{
			"sourceDestCheck": true, "interfaceType": "interface",
		},
		Outputs: map[string]string{"ownerId": "{account}"},
		Refs:    []Ref{subnetRef("subnetId"), groupRef("securityGroups[*]")},
		Replace: []string{"subnetId", "interfaceType"},
		Created: func(c *Call) error {
			subnet, err := c.Find(subnetToken, "id", c.String("subnetId"))
			if err != nil {
				return err
			}
			return address(c, subnet, c.Out)
		},
	},
	{
		Token:   aclToken,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAcl.html",
		Args:    ec2.NetworkAclArgs{},
		State:   ec2.NetworkAcl{},
		Noun:    "EC2 Network ACL",
		Service: "ec2",
		API:     API{Create: "CreateNetworkAcl", Read: "DescribeNetworkAcls", Update: "ReplaceNetworkAclEntry", Delete: "DeleteNetworkAcl"},
		ID:      "acl-{hex:17}",
		ARN:     "arn:aws:ec2:{region}:{account}:network-acl/{id}",
		Tags:    true,
		Outputs: map[string]string{"ownerId": "{account}"},
		Refs:    []Ref{vpcRef(), subnetRef("subnetIds[*]")},
		Replace: []string{"vpcId"},
	},
}

const subnetInUse = "DependencyViolation: The subnet '{id}' has dependencies and cannot be deleted."

// vpcCreated makes what AWS puts into every VPC: a default security group that
// lets its members talk to each other, the main route table and a network ACL.
func vpcCreated(c *Call) error {
	group := defaultGroupID(c.ID)
	hex, err := c.Fresh("hex:17")
	if err != nil {
		return err
	}
	table, acl := "rtb-"+hex, "acl-"+hex
	c.Out["defaultSecurityGroupId"], c.Out["defaultNetworkAclId"] = group, acl
	c.Out["defaultRouteTableId"], c.Out["mainRouteTableId"] = table, table

	anywhere := map[string]any{"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "cidrBlocks": []any{"0.0.0.0/0"}, "self": false}
	members := map[string]any{"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "self": true}
	for _, row := range []store.Row{
		{Type: groupToken, ID: group, ARN: c.arn("security-group/" + group), Outputs: map[string]any{
			"name": "default", "description": "default VPC security group", "vpcId": c.ID,
			"ingress": []any{members}, "egress": []any{anywhere},
		}},
		{Type: routeTableToken, ID: table, ARN: c.arn("route-table/" + table), Outputs: map[string]any{"vpcId": c.ID, "routes": []any{}}},
		{Type: aclToken, ID: acl, ARN: c.arn("network-acl/" + acl), Outputs: map[string]any{"vpcId": c.ID, "subnetIds": []any{}}},
	} {
		row.ByCloud = true
		row.Outputs["arn"], row.Outputs["ownerId"] = row.ARN, c.Account
		if err := c.Put(row); err != nil {
			return err
		}
	}
	return nil
}

// defaultGroupID is the id of a VPC's own security group. AWS draws it at
// random; here both ids share their digits, so that who adopts the group
// knows its id from the VPC's.
func defaultGroupID(vpc string) string { return "sg-" + strings.TrimPrefix(vpc, "vpc-") }

// arn is the ARN of an EC2 resource of the call's account and region.
func (c *Call) arn(resource string) string {
	return fmt.Sprintf("arn:aws:ec2:%s:%s:%s", c.Region, c.Account, resource)
}

// checkSubnet refuses a subnet outside its VPC's range or over another's, and a
// zone that the region lacks.
func checkSubnet(c *Call) error {
	if c.Verb != Creating {
		return nil
	}
	names, _ := zones(c.Region)
	if zone := c.String("availabilityZone"); zone != "" && !slices.Contains(names, zone) {
		return errf("InvalidParameterValue", "Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s.",
			zone, strings.Join(names, ", "))
	}
	vpc, err := c.Find(vpcToken, "id", c.String("vpcId"))
	if err != nil || vpc == nil || c.String("cidrBlock") == "" {
		return err
	}
	mine, within := prefix(c.String("cidrBlock")), prefix(text(vpc.Outputs["cidrBlock"]))
	if !within.Contains(mine.Addr()) || mine.Bits() < within.Bits() {
		return errf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", mine)
	}
	others, err := c.List(subnetToken)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID != c.ID && text(other.Outputs["vpcId"]) == vpc.ID && prefix(text(other.Outputs["cidrBlock"])).Overlaps(mine) {
			return errf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", mine)
		}
	}
	return nil
}

func subnetCreated(c *Call) error {
	names, ids := zones(c.Region)
	if c.String("availabilityZone") == "" {
		c.Out["availabilityZone"] = names[0]
	}
	if n := slices.Index(names, c.String("availabilityZone")); n >= 0 && c.String("availabilityZoneId") == "" {
		c.Out["availabilityZoneId"] = ids[n]
	}
	return nil
}

// cidrSized requires an IPv4 network address with a prefix in a range.
func cidrSized(shortest, longest int) Rule {
	return func(v any) string {
		p, err := netip.ParsePrefix(text(v))
		switch {
		case err != nil || !p.Addr().Is4():
			return fmt.Sprintf("%q is not a valid IPv4 CIDR block", text(v))
		case p != p.Masked():
			return fmt.Sprintf("%q is not a network address; did you mean %q?", text(v), p.Masked())
		case p.Bits() < shortest || p.Bits() > longest:
			return fmt.Sprintf("expected %q to contain a network Value with between %d and %d significant bits, got: %d", text(v), shortest, longest, p.Bits())
		}
		return ""
	}
}

// cidr requires a CIDR block of either family.
func cidr(v any) string {
	p, err := netip.ParsePrefix(text(v))
	switch {
	case err != nil:
		return fmt.Sprintf("%q is not a valid CIDR block", text(v))
	case p != p.Masked():
		return fmt.Sprintf("%q is not a network address; did you mean %q?", text(v), p.Masked())
	}
	return ""
}

// prefix parses what a rule has accepted before.
func prefix(s string) netip.Prefix {
	p, _ := netip.ParsePrefix(s)
	return p
}

// putInterface makes a network interface for a service of AWS's. It belongs to
// the resource called owner and goes with it; until then it keeps its subnet and
// its groups from being deleted.
func putInterface(c *Call, owner, subnetID, description string, groups []any) (store.Row, error) {
	hex, err := c.Fresh("hex:17")
	if err != nil {
		return store.Row{}, err
	}
	id := "eni-" + hex
	row := store.Row{Type: interfaceToken, ID: id, ARN: c.arn("network-interface/" + id), ByCloud: true, Outputs: map[string]any{
		"arn": c.arn("network-interface/" + id), "ownerId": c.Account, "subnetId": subnetID, "description": description,
		"securityGroups": groups, "interfaceType": "interface", "attachments": []any{map[string]any{"instance": owner, "deviceIndex": 1.0}},
	}}
	subnet, err := c.Find(subnetToken, "id", subnetID)
	if err != nil {
		return row, err
	}
	if err := address(c, subnet, row.Outputs); err != nil {
		return row, err
	}
	return row, c.Put(row)
}

// interfacesOf is the link from a resource to the interfaces made for it.
var interfacesOf = Link{Type: interfaceToken, Path: "attachments[*].instance", ByCloud: true}

// address gives an interface the subnet's first free address. AWS keeps the
// first four and the last of each subnet to itself.
func address(c *Call, subnet *store.Row, out map[string]any) error {
	if subnet == nil {
		return nil
	}
	taken := map[string]bool{}
	interfaces, err := c.List(interfaceToken)
	if err != nil {
		return err
	}
	for _, i := range interfaces {
		if text(i.Outputs["subnetId"]) == subnet.ID {
			taken[text(i.Outputs["privateIp"])] = true
		}
	}
	block := prefix(text(subnet.Outputs["cidrBlock"]))
	ip := block.Addr()
	for range 4 {
		ip = ip.Next()
	}
	for ; block.Contains(ip.Next()); ip = ip.Next() {
		if !taken[ip.String()] {
			out["privateIp"], out["privateIps"] = ip.String(), []any{ip.String()}
			return nil
		}
	}
	return errf("InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
}

// listAt is a list property of a map, or nothing.
func listAt(m map[string]any, key string) []any {
	l, _ := m[key].([]any)
	return l
}

// mapAt is an object property of a map, or an empty one.
func mapAt(m map[string]any, key string) map[string]any {
	o, _ := m[key].(map[string]any)
	if o == nil {
		o = map[string]any{}
	}
	return o
}
