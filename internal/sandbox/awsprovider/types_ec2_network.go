package awsprovider

import (
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
)

const (
	internetGatewayToken = "aws:ec2/internetGateway:InternetGateway"
	eipToken             = "aws:ec2/eip:Eip"
	natToken             = "aws:ec2/natGateway:NatGateway"
	routeToken           = "aws:ec2/route:Route"
	associationToken     = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	peeringToken         = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
	flowLogToken         = "aws:ec2/flowLog:FlowLog"
)

var routeTableRef = Ref{Path: "routeTableId", To: []string{routeTableToken}, By: []string{"id"},
	Error: "InvalidRouteTableID.NotFound: The routeTable ID '{value}' does not exist"}

// ec2RoutingTypes are the ways in and out of a network.
var ec2RoutingTypes = []*Type{
	{
		Token:   internetGatewayToken,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html",
		Args:    ec2.InternetGatewayArgs{},
		State:   ec2.InternetGateway{},
		Noun:    "EC2 Internet Gateway",
		Service: "ec2",
		API:     API{Create: "CreateInternetGateway", Read: "DescribeInternetGateways", Update: "AttachInternetGateway", Delete: "DeleteInternetGateway", Updates: map[string]string{"tags": "CreateTags"}},
		ID:      "igw-{hex:17}",
		ARN:     "arn:aws:ec2:{region}:{account}:internet-gateway/{id}",
		Tags:    true,
		Outputs: map[string]string{"ownerId": "{account}"},
		Unique: []Unique{{Scope: PerRegion, Key: "internet-gateway-of/{vpcId}",
			Error: "InvalidParameterValue: Network {vpcId} already has an internet gateway attached"}},
		Refs:  []Ref{vpcRef()},
		Quota: &Quota{Scope: PerRegion, Name: "ec2:internet-gateways", Limit: 5, Error: "InternetGatewayLimitExceeded: The maximum number of internet gateways has been reached."},
		Refuse: func(c *Call) error {
			nats, err := c.List(natToken)
			if err != nil {
				return err
			}
			for _, nat := range nats {
				if vpc := text(nat.Outputs["__vpcId"]); vpc != "" && vpc == c.String("vpcId") && text(nat.Outputs["publicIp"]) != "" {
					return errf("DependencyViolation", "Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", vpc)
				}
			}
			return nil
		},
	},
	{
		Token:    eipToken,
		Source:   "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html",
		Args:     ec2.EipArgs{},
		State:    ec2.Eip{},
		Noun:     "EC2 EIP",
		Service:  "ec2",
		API:      API{Create: "AllocateAddress", Read: "DescribeAddresses", Update: "AssociateAddress", Delete: "ReleaseAddress", Updates: map[string]string{"tags": "CreateTags"}},
		ID:       "eipalloc-{hex:17}",
		ARN:      "arn:aws:ec2:{region}:{account}:elastic-ip/{id}",
		Tags:     true,
		Defaults: map[string]any{"domain": "vpc", "vpc": true, "publicIpv4Pool": "amazon"},
		Outputs:  map[string]string{"allocationId": "{id}", "networkBorderGroup": "{region}"},
		Fields:   map[string][]Rule{"domain": {oneOf("vpc", "standard")}},
		Quota:    &Quota{Scope: PerRegion, Name: "ec2:elastic-ips", Limit: 5, Error: "AddressLimitExceeded: The maximum number of addresses has been reached."},
		Replace:  []string{"domain", "vpc", "address", "publicIpv4Pool", "networkBorderGroup", "customerOwnedIpv4Pool"},
		Blocks: []Block{{Link: Link{Type: natToken, Path: "allocationId"},
			Error: "InvalidIPAddress.InUse: Address {publicIp} is in use."}},
		Created: func(c *Call) error {
			// From the ranges for documentation, so that nobody else's address is given out.
			n, err := c.Tx.Next("elastic-ip")
			if err != nil {
				return err
			}
			ip := fmt.Sprintf("%s.%d", []string{"192.0.2", "198.51.100", "203.0.113"}[n/254%3], n%254+1)
			c.Out["publicIp"], c.Out["publicDns"] = ip, fmt.Sprintf("ec2-%s.%s.compute.amazonaws.com", strings.ReplaceAll(ip, ".", "-"), c.Region)
			return nil
		},
	},
	{
		Token:    natToken,
		Source:   "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html",
		Args:     ec2.NatGatewayArgs{},
		State:    ec2.NatGateway{},
		Noun:     "EC2 NAT Gateway",
		Service:  "ec2",
		API:      API{Create: "CreateNatGateway", Read: "DescribeNatGateways", Update: "AssociateNatGatewayAddress", Delete: "DeleteNatGateway", Updates: map[string]string{"tags": "CreateTags"}},
		Takes:    Takes{Create: 100 * time.Second, Delete: 50 * time.Second},
		ID:       "nat-{hex:17}",
		Tags:     true,
		Defaults: map[string]any{"connectivityType": "public"},
		Outputs:  map[string]string{"associationId": "eipassoc-{hex:17}"},
		Fields:   map[string][]Rule{"connectivityType": {oneOf("public", "private")}},
		Unique:   []Unique{{Scope: PerRegion, Key: "nat-gateway-of/{allocationId}", Error: "Resource.AlreadyAssociated: Elastic IP address [{allocationId}] is already associated"}},
		Refs: []Ref{subnetRef("subnetId"), {Path: "allocationId", To: []string{eipToken}, By: []string{"id"},
			Error: "InvalidAllocationID.NotFound: The allocation ID '{value}' does not exist"}},
		Replace: []string{"allocationId", "connectivityType", "privateIp", "subnetId"},
		Owns:    []Link{interfacesOf},
		Check:   checkNAT,
		Created: natCreated,
	},
	{
		Token:   routeTableToken,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRouteTable.html",
		Args:    ec2.RouteTableArgs{},
		State:   ec2.RouteTable{},
		Noun:    "Route Table",
		Service: "ec2",
		API:     API{Create: "CreateRouteTable", Read: "DescribeRouteTables", Update: "ReplaceRoute", Delete: "DeleteRouteTable", Updates: map[string]string{"tags": "CreateTags"}},
		ID:      "rtb-{hex:17}",
		ARN:     "arn:aws:ec2:{region}:{account}:route-table/{id}",
		Tags:    true,
		Outputs: map[string]string{"ownerId": "{account}"},
		Fields:  map[string][]Rule{"routes[*].cidrBlock": {cidr}},
		Refs: []Ref{vpcRef(), gatewayRef("routes[*].gatewayId"), {Path: "routes[*].natGatewayId", To: []string{natToken}, By: []string{"id"},
			Error: "InvalidNatGatewayID.NotFound: The natGateway ID '{value}' does not exist"}},
		Replace: []string{"vpcId"},
		Blocks: []Block{
			{Link: Link{Type: associationToken, Path: "routeTableId"}, Error: "DependencyViolation: The routeTable '{id}' has dependencies and cannot be deleted."},
			{Link: Link{Type: endpointToken, Path: "routeTableIds[*]"}, Error: "DependencyViolation: The routeTable '{id}' has dependencies and cannot be deleted."},
		},
		Owns: []Link{{Type: routeToken, Path: "routeTableId"}},
		Created: func(c *Call) error {
			if c.Out["routes"] == nil {
				c.Out["routes"] = []any{}
			}
			return nil
		},
	},
	{
		Token:   routeToken,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html",
		Args:    ec2.RouteArgs{},
		State:   ec2.Route{},
		Noun:    "Route",
		Service: "ec2",
		API:     API{Create: "CreateRoute", Read: "DescribeRouteTables", Update: "ReplaceRoute", Delete: "DeleteRoute"},
		ID:      "r-{routeTableId}{digits:10}",
		Defaults: map[string]any{
			"origin": "CreateRoute", "state": "active",
		},
		Fields:     map[string][]Rule{"destinationCidrBlock": {cidr}, "destinationIpv6CidrBlock": {cidr}},
		ExactlyOne: [][]string{{"destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"}, routeTargets},
		Unique: []Unique{
			{Scope: PerRegion, Key: "route/{routeTableId}/{destinationCidrBlock}", Error: "RouteAlreadyExists: The route identified by {destinationCidrBlock} already exists."},
			{Scope: PerRegion, Key: "route/{routeTableId}/{destinationIpv6CidrBlock}", Error: "RouteAlreadyExists: The route identified by {destinationIpv6CidrBlock} already exists."},
			{Scope: PerRegion, Key: "route/{routeTableId}/{destinationPrefixListId}", Error: "RouteAlreadyExists: The route identified by {destinationPrefixListId} already exists."},
		},
		Refs: []Ref{
			routeTableRef, gatewayRef("gatewayId"),
			{Path: "natGatewayId", To: []string{natToken}, By: []string{"id"}, Error: "InvalidNatGatewayID.NotFound: The natGateway ID '{value}' does not exist"},
			{Path: "networkInterfaceId", To: []string{interfaceToken}, By: []string{"id"}, Error: "InvalidNetworkInterfaceID.NotFound: The networkInterface ID '{value}' does not exist"},
			{Path: "vpcEndpointId", To: []string{endpointToken}, By: []string{"id"}, Error: "InvalidVpcEndpointId.NotFound: The vpcEndpoint ID '{value}' does not exist"},
			{Path: "vpcPeeringConnectionId", To: []string{peeringToken}, By: []string{"id"}, Error: "InvalidVpcPeeringConnectionID.NotFound: The vpcPeeringConnection ID '{value}' does not exist"},
		},
		Replace: []string{"destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId", "routeTableId"},
		Check:   checkRoute,
	},
	{
		Token:      associationToken,
		Source:     "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateRouteTable.html",
		Args:       ec2.RouteTableAssociationArgs{},
		State:      ec2.RouteTableAssociation{},
		Noun:       "Route Table Association",
		Service:    "ec2",
		API:        API{Create: "AssociateRouteTable", Read: "DescribeRouteTables", Update: "ReplaceRouteTableAssociation", Delete: "DisassociateRouteTable"},
		ID:         "rtbassoc-{hex:17}",
		ExactlyOne: [][]string{{"subnetId", "gatewayId"}},
		Unique: []Unique{{Scope: PerRegion, Key: "route-table-of/{subnetId}",
			Error: "Resource.AlreadyAssociated: the specified association for route table {routeTableId} conflicts with an existing association"}},
		Refs:    []Ref{routeTableRef, subnetRef("subnetId"), gatewayRef("gatewayId")},
		Replace: []string{"subnetId", "gatewayId"},
		Check: func(c *Call) error {
			table, subnet, err := c.pair(routeTableToken, "routeTableId", subnetToken, "subnetId")
			if err != nil || subnet == "" || table == subnet {
				return err
			}
			return errf("InvalidParameterValue", "Route table %s and subnet %s belong to different networks", c.String("routeTableId"), c.String("subnetId"))
		},
	},
	{
		Token:   flowLogToken,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html",
		Args:    ec2.FlowLogArgs{},
		State:   ec2.FlowLog{},
		Noun:    "VPC Flow Log",
		Service: "ec2",
		API:     API{Create: "CreateFlowLogs", Read: "DescribeFlowLogs", Delete: "DeleteFlowLogs", Updates: map[string]string{"tags": "CreateTags"}},
		ID:      "fl-{hex:17}",
		ARN:     "arn:aws:ec2:{region}:{account}:vpc-flow-log/{id}",
		Tags:    true,
		Defaults: map[string]any{
			"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600.0,
			"logFormat": "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}",
		},
		Fields: map[string][]Rule{
			"logDestinationType":     {oneOf("cloud-watch-logs", "s3", "kinesis-data-firehose")},
			"trafficType":            {oneOf("ACCEPT", "REJECT", "ALL")},
			"maxAggregationInterval": {oneOfNumbers(60, 600)},
			"logDestination":         {isARN("")},
			"iamRoleArn":             {isARN("iam")},
		},
		Conflicts:  [][]string{{"logDestination", "logGroupName"}},
		ExactlyOne: [][]string{{"vpcId", "subnetId", "eniId", "transitGatewayId", "transitGatewayAttachmentId"}},
		Unique: []Unique{{Scope: PerRegion, Key: "flow-log/{vpcId}/{trafficType}/{logDestination}",
			Error: "FlowLogAlreadyExists: Error. There is an existing Flow Log with the same configuration and log destination."}},
		Refs: []Ref{
			vpcRef(), subnetRef("subnetId"),
			{Path: "iamRoleArn", To: []string{roleToken}, By: []string{"arn"}, Error: "InvalidParameter: Unable to assume given IAM role: {value}"},
		},
		Replace: []string{"*"},
		Check:   checkFlowLog,
	},
	{
		Token:   peeringToken,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcPeeringConnection.html",
		Args:    ec2.VpcPeeringConnectionArgs{},
		State:   ec2.VpcPeeringConnection{},
		Noun:    "EC2 VPC Peering Connection",
		Service: "ec2",
		API:     API{Create: "CreateVpcPeeringConnection", Read: "DescribeVpcPeeringConnections", Update: "ModifyVpcPeeringConnectionOptions", Delete: "DeleteVpcPeeringConnection"},
		ID:      "pcx-{hex:17}",
		ARN:     "arn:aws:ec2:{region}:{account}:vpc-peering-connection/{id}",
		Tags:    true,
		Defaults: map[string]any{
			"accepter": map[string]any{"allowRemoteVpcDnsResolution": false}, "requester": map[string]any{"allowRemoteVpcDnsResolution": false},
		},
		Refs: []Ref{vpcRef(), {Path: "peerVpcId", To: []string{vpcToken}, By: []string{"id"}, AnyAccount: true,
			Error: "InvalidVpcID.NotFound: The vpc ID '{value}' does not exist"}},
		Replace: []string{"peerOwnerId", "peerRegion", "peerVpcId", "vpcId"},
		Created: func(c *Call) error {
			c.Out["acceptStatus"] = "pending-acceptance"
			if c.In["autoAccept"] == true {
				c.Out["acceptStatus"] = "active"
			}
			for key, own := range map[string]string{"peerOwnerId": c.Account, "peerRegion": c.Region} {
				if c.String(key) == "" {
					c.Out[key] = own
				}
			}
			return nil
		},
	},
}

// routeTargets are what a route may lead to.
var routeTargets = []string{
	"carrierGatewayId", "coreNetworkArn", "egressOnlyGatewayId", "gatewayId", "localGatewayId", "natGatewayId",
	"networkInterfaceId", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
}

func gatewayRef(path string) Ref {
	return Ref{Path: path, To: []string{internetGatewayToken}, By: []string{"id"},
		Error: "InvalidGatewayID.NotFound: The gateway ID '{value}' does not exist",
		Known: func(v string) bool { return v == "local" }}
}

// pair returns the VPCs of two resources that a call names; "" for one that it does not name.
func (c *Call) pair(typ, key, other, otherKey string) (mine, others string, err error) {
	for _, p := range []struct {
		token, key string
		vpc        *string
	}{{typ, key, &mine}, {other, otherKey, &others}} {
		id := c.String(p.key)
		if id == "" {
			continue
		}
		row, err := c.Find(p.token, "id", id)
		if err != nil {
			return "", "", err
		}
		if row != nil {
			*p.vpc = text(row.Outputs["vpcId"])
		}
	}
	return mine, others, nil
}

// checkNAT refuses what leaves a NAT gateway "failed" on AWS.
func checkNAT(c *Call) error {
	if c.Verb != Creating {
		return nil
	}
	switch public := c.String("connectivityType") != "private"; {
	case public && c.String("allocationId") == "":
		return errf("MissingParameter", "The request must include the AllocationId parameter. Add the required parameter and retry the request.")
	case !public && c.String("allocationId") != "":
		return errf("InvalidParameter", "Invalid parameter: AllocationId cannot be specified for private NAT gateways")
	case !public:
		return nil
	}
	subnet, err := c.Find(subnetToken, "id", c.String("subnetId"))
	if err != nil || subnet == nil {
		return err
	}
	vpc := text(subnet.Outputs["vpcId"])
	gateway, err := c.Find(internetGatewayToken, "vpcId", vpc)
	if err == nil && gateway == nil {
		err = errf("Gateway.NotAttached", "Network %s has no Internet gateway attached", vpc)
	}
	return err
}

func natCreated(c *Call) error {
	eni, err := putInterface(c, c.ID, c.String("subnetId"), "Interface for NAT Gateway "+c.ID, nil)
	if err != nil {
		return err
	}
	subnet, err := c.Find(subnetToken, "id", c.String("subnetId"))
	if err != nil {
		return err
	}
	c.Out["networkInterfaceId"], c.Out["privateIp"], c.Out["__vpcId"] = eni.ID, eni.Outputs["privateIp"], subnet.Outputs["vpcId"]
	if id := c.String("allocationId"); id != "" {
		eip, err := c.Find(eipToken, "id", id)
		if err != nil {
			return err
		}
		c.Out["publicIp"] = eip.Outputs["publicIp"]
	}
	return nil
}

// checkRoute refuses a route to another network's gateway, and one that hides
// the VPC's own range.
func checkRoute(c *Call) error {
	table, err := c.Find(routeTableToken, "id", c.String("routeTableId"))
	if err != nil || table == nil {
		return err
	}
	network := text(table.Outputs["vpcId"])
	if id := c.String("gatewayId"); id != "" && id != "local" {
		gateway, err := c.Find(internetGatewayToken, "id", id)
		if err != nil {
			return err
		}
		if gateway == nil || text(gateway.Outputs["vpcId"]) != network {
			return errf("InvalidParameterValue", "route table %s and network gateway %s belong to different networks", table.ID, id)
		}
	}
	if id := c.String("natGatewayId"); id != "" {
		nat, err := c.Find(natToken, "id", id)
		if err != nil {
			return err
		}
		if nat == nil || text(nat.Outputs["__vpcId"]) != network {
			return errf("InvalidParameterValue", "route table %s and NAT gateway %s belong to different networks", table.ID, id)
		}
	}
	vpc, err := c.Find(vpcToken, "id", network)
	if err != nil || vpc == nil {
		return err
	}
	if c.Verb == Creating && c.String("destinationCidrBlock") == text(vpc.Outputs["cidrBlock"]) {
		return errf("RouteAlreadyExists", "The route identified by %s already exists.", c.String("destinationCidrBlock"))
	}
	return nil
}

func checkFlowLog(c *Call) error {
	if c.Verb != Creating {
		return nil
	}
	toLogs := c.String("logDestinationType") == "" || c.String("logDestinationType") == "cloud-watch-logs"
	role := c.String("iamRoleArn")
	switch {
	case c.String("logDestination") == "" && c.String("logGroupName") == "":
		return errf("InvalidParameter", "LogDestination can't be empty")
	case toLogs && role == "":
		return errf("InvalidParameter", "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.")
	case !toLogs && role != "":
		return errf("InvalidParameter", "DeliverLogsPermissionArn is not applicable for %s delivery", c.String("logDestinationType"))
	case c.String("trafficType") == "" && c.String("transitGatewayId") == "" && c.String("transitGatewayAttachmentId") == "":
		return errf("MissingParameter", "The request must contain the parameter TrafficType")
	case !toLogs:
		return nil
	}
	return c.mustTrust(role, "vpc-flow-logs.amazonaws.com",
		errf("InvalidParameter", "Access Denied for LogDestination: %s. Please check LogDestination permissions", c.String("logDestination")))
}
