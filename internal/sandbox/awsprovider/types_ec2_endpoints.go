package awsprovider

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
)

const endpointToken = "aws:ec2/vpcEndpoint:VpcEndpoint"

var ec2EndpointTypes = []*Type{
	{
		Token:   endpointToken,
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html",
		Args:    ec2.VpcEndpointArgs{},
		State:   ec2.VpcEndpoint{},
		Noun:    "EC2 VPC Endpoint",
		Service: "ec2",
		API:     API{Create: "CreateVpcEndpoint", Read: "DescribeVpcEndpoints", Update: "ModifyVpcEndpoint", Delete: "DeleteVpcEndpoints", Updates: map[string]string{"tags": "CreateTags"}},
		Takes:   Takes{Create: 60 * time.Second, Update: 30 * time.Second, Delete: 60 * time.Second},
		ID:      "vpce-{hex:17}",
		ARN:     "arn:aws:ec2:{region}:{account}:vpc-endpoint/{id}",
		Tags:    true,
		Defaults: map[string]any{
			"vpcEndpointType": "Gateway", "state": "available", "requesterManaged": false, "privateDnsEnabled": false, "ipAddressType": "ipv4",
			"policy": `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}],"Version":"2008-10-17"}`,
		},
		Outputs:  map[string]string{"ownerId": "{account}", "serviceRegion": "{region}"},
		Computed: []string{"securityGroupIds", "subnetIds", "routeTableIds"},
		Fields: map[string][]Rule{
			"vpcEndpointType": {oneOf("Gateway", "Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork")},
			"policy":          {jsonText},
		},
		Refs: []Ref{
			vpcRef(), subnetRef("subnetIds[*]"), groupRef("securityGroupIds[*]"),
			{Path: "routeTableIds[*]", To: []string{routeTableToken}, By: []string{"id"}, Error: "InvalidRouteTableId.NotFound: The routeTable ID '{value}' does not exist"},
		},
		Quota: &Quota{Scope: PerRegion, Name: "ec2:vpc-endpoints", Limit: 70, Error: "VpcEndpointLimitExceeded: The maximum number of VPC endpoints has been reached."},
		Replace: []string{
			"serviceName", "vpcEndpointType", "vpcId", "serviceRegion", "resourceConfigurationArn", "serviceNetworkArn",
		},
		Owns:    []Link{interfacesOf},
		Check:   checkEndpoint,
		Created: endpointMade,
		Updated: endpointMade,
	},
}

// endpointServices are AWS's own services that have endpoints, without
// "com.amazonaws.<region>.", and the kinds that they have.
// https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
var endpointServices = func() map[string][]string {
	services := map[string][]string{"s3": {"Gateway", "Interface"}, "dynamodb": {"Gateway", "Interface"}}
	for s := range strings.FieldsSeq(`access-analyzer acm acm-pca application-autoscaling athena autoscaling backup
		cloudformation cloudtrail codeartifact.api codeartifact.repositories codebuild cognito-idp config datasync
		ec2 ec2messages ecr.api ecr.dkr ecs eks eks-auth elasticache elasticfilesystem elasticloadbalancing email-smtp
		events execute-api firehose glue guardduty-data inspector2 kinesis-streams kms lambda logs monitoring
		organizations rds rds-data redshift s3express sagemaker.api sagemaker.runtime secretsmanager securityhub
		servicecatalog sns sqs ssm ssmmessages states sts synthetics tagging textract transfer wafv2 xray`) {
		services[s] = []string{"Interface"}
	}
	return services
}()

// checkEndpoint refuses services that are not there, kinds that a service does
// not have, and what the VPC must allow first.
func checkEndpoint(c *Call) error {
	name, kind := c.String("serviceName"), c.String("vpcEndpointType")
	if kind == "" {
		kind = "Gateway"
	}
	if service, is := strings.CutPrefix(name, "com.amazonaws."+c.Region+"."); c.Verb == Creating && name != "" && !strings.HasPrefix(name, "com.amazonaws.vpce.") {
		kinds, known := endpointServices[service]
		switch {
		case !is || !known:
			return errf("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", name)
		case !slices.Contains(kinds, kind):
			return errf("InvalidParameter", "Endpoint type (%s) does not match available service types ([%s]).", kind, strings.Join(kinds, ", "))
		}
	}
	switch {
	case kind == "Gateway" && (len(listAt(c.In, "subnetIds")) > 0 || len(listAt(c.In, "securityGroupIds")) > 0):
		return errf("InvalidParameter", "Subnets and security groups are not supported for Gateway endpoints.")
	case kind == "Gateway" && c.Bool("privateDnsEnabled"):
		return errf("InvalidParameter", "Private DNS can't be enabled for Gateway endpoints.")
	case kind == "Gateway":
		return checkGatewayEndpoint(c)
	case len(listAt(c.In, "routeTableIds")) > 0:
		return errf("InvalidParameter", "Route table IDs are only supported for Gateway endpoints.")
	}
	return checkInterfaceEndpoint(c)
}

// checkGatewayEndpoint refuses a second endpoint of a service in a route table.
func checkGatewayEndpoint(c *Call) error {
	others, err := c.List(endpointToken)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID == c.ID || text(other.Outputs["serviceName"]) != c.String("serviceName") {
			continue
		}
		for _, table := range listAt(c.In, "routeTableIds") {
			if slices.Contains(listAt(other.Outputs, "routeTableIds"), table) {
				return errf("RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s", text(table), text(other.Outputs["prefixListId"]))
			}
		}
	}
	return c.sameVPC(routeTableToken, "routeTableIds", "InvalidParameter", "Route table %s does not belong to vpc %s")
}

func checkInterfaceEndpoint(c *Call) error {
	if err := c.sameVPC(subnetToken, "subnetIds", "InvalidParameter", "Subnet %s does not belong to vpc %s"); err != nil {
		return err
	}
	if err := c.sameVPC(groupToken, "securityGroupIds", "InvalidParameter", "Security group %s does not belong to vpc %s"); err != nil {
		return err
	}
	zones := map[string]bool{}
	for _, id := range listAt(c.In, "subnetIds") {
		subnet, err := c.Find(subnetToken, "id", text(id))
		if err != nil {
			return err
		}
		if subnet == nil {
			continue
		}
		zone := text(subnet.Outputs["availabilityZone"])
		if zones[zone] {
			return errf("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of %s. VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service.", subnet.ID)
		}
		zones[zone] = true
	}
	if !c.Bool("privateDnsEnabled") {
		return nil
	}
	vpc, err := c.Find(vpcToken, "id", c.String("vpcId"))
	if err != nil || vpc == nil {
		return err
	}
	if vpc.Outputs["enableDnsSupport"] != true || vpc.Outputs["enableDnsHostnames"] != true {
		return errf("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", vpc.ID)
	}
	others, err := c.List(endpointToken)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID != c.ID && text(other.Outputs["vpcId"]) == vpc.ID && other.Outputs["privateDnsEnabled"] == true && text(other.Outputs["serviceName"]) == c.String("serviceName") {
			return errf("InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s", c.String("serviceName"), vpc.ID)
		}
	}
	return nil
}

// sameVPC refuses listed resources of another VPC than the call's.
func (c *Call) sameVPC(token, list, code, message string) error {
	for _, id := range listAt(c.In, list) {
		row, err := c.Find(token, "id", text(id))
		if err != nil {
			return err
		}
		if row != nil && text(row.Outputs["vpcId"]) != c.String("vpcId") {
			return errf(code, message, row.ID, c.String("vpcId"))
		}
	}
	return nil
}

// endpointMade gives a gateway its prefix list, and an interface endpoint one
// interface in each of its subnets.
func endpointMade(c *Call) error {
	if c.String("vpcEndpointType") == "Gateway" {
		if c.String("prefixListId") == "" {
			// The same for every endpoint of the service.
			c.Out["prefixListId"] = "pl-" + generate("hex:8", c.Region+"/"+c.String("serviceName"))
		}
		c.Out["cidrBlocks"] = []any{"203.0.113.0/24"}
		return fillLists(c, "routeTableIds", "networkInterfaceIds", "securityGroupIds", "subnetIds", "dnsEntries")
	}
	if err := fillLists(c, "routeTableIds", "subnetIds", "cidrBlocks"); err != nil {
		return err
	}
	if len(listAt(c.Out, "securityGroupIds")) == 0 {
		c.Out["securityGroupIds"] = []any{defaultGroupID(c.String("vpcId"))}
	}
	there, err := c.linked(interfacesOf)
	if err != nil {
		return err
	}
	var ids []any
	bySubnet := map[string]bool{}
	for _, eni := range there {
		if !slices.Contains(listAt(c.Out, "subnetIds"), eni.Outputs["subnetId"]) {
			if err := c.Drop(eni); err != nil {
				return err
			}
			continue
		}
		eni.Outputs["securityGroups"] = listAt(c.Out, "securityGroupIds")
		if err := c.Put(eni); err != nil {
			return err
		}
		bySubnet[text(eni.Outputs["subnetId"])], ids = true, append(ids, eni.ID)
	}
	for _, subnet := range listAt(c.Out, "subnetIds") {
		if bySubnet[text(subnet)] {
			continue
		}
		eni, err := putInterface(c, c.ID, text(subnet), "VPC Endpoint Interface "+c.ID, listAt(c.Out, "securityGroupIds"))
		if err != nil {
			return err
		}
		ids = append(ids, eni.ID)
	}
	c.Out["networkInterfaceIds"] = ids
	parts := strings.Split(c.String("serviceName"), ".")
	c.Out["dnsEntries"] = []any{map[string]any{
		"dnsName":      fmt.Sprintf("%s-%s.%s.%s.vpce.amazonaws.com", c.ID, generate("hex:8", c.ID), parts[len(parts)-1], c.Region),
		"hostedZoneId": "Z" + generate("upper:13", c.Region),
	}}
	return nil
}

func fillLists(c *Call, names ...string) error {
	for _, name := range names {
		if c.Out[name] == nil {
			c.Out[name] = []any{}
		}
	}
	return nil
}
