package iamcalls

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/awstype"
)

// ec2Creates are the operations that make something, with the kind of what
// they make. What else they work on is in their parameters.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
var ec2Creates = map[string]string{
	"AllocateAddress":             "elastic-ip",
	"CreateFlowLogs":              "vpc-flow-log",
	"CreateInternetGateway":       "internet-gateway",
	"CreateLaunchTemplate":        "launch-template",
	"CreateNatGateway":            "natgateway",
	"CreateRouteTable":            "route-table",
	"CreateSecurityGroup":         "security-group",
	"CreateSubnet":                "subnet",
	"CreateVpc":                   "vpc",
	"CreateVpcEndpoint":           "vpc-endpoint",
	"CreateLaunchTemplateVersion": "",
}

// ec2Changes are the operations that change or take away what they name.
var ec2Changes = []string{
	"AssociateAddress", "AssociateRouteTable", "AttachInternetGateway",
	"AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress",
	"CreateNetworkAclEntry", "CreateRoute", "CreateTags",
	"DeleteDhcpOptions", "DeleteFlowLogs", "DeleteInternetGateway", "DeleteKeyPair", "DeleteLaunchTemplate", "DeleteLaunchTemplateVersions", "DeleteNatGateway",
	"DeleteNetworkAcl", "DeleteNetworkAclEntry", "DeleteNetworkInterface", "DeleteRoute", "DeleteRouteTable", "DeleteSecurityGroup",
	"DeleteSnapshot", "DeleteSubnet", "DeleteTags", "DeleteTransitGateway", "DeleteTransitGatewayPeeringAttachment",
	"DeleteTransitGatewayVpcAttachment", "DeleteVolume", "DeleteVpc", "DeleteVpcEndpointServiceConfigurations",
	"DeleteVpcEndpoints", "DeleteVpcPeeringConnection", "DeregisterImage",
	"DetachInternetGateway", "DetachNetworkInterface", "DetachVolume", "DisassociateAddress", "DisassociateRouteTable",
	"ModifyLaunchTemplate", "ModifySecurityGroupRules", "ModifySubnetAttribute", "ModifyVpcAttribute", "ModifyVpcEndpoint",
	"ReleaseAddress", "ReplaceNetworkAclAssociation", "ReplaceNetworkAclEntry", "ReplaceRoute", "ReplaceRouteTableAssociation",
	"RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress", "TerminateInstances",
	"UpdateSecurityGroupRuleDescriptionsEgress", "UpdateSecurityGroupRuleDescriptionsIngress",
}

// ec2Kinds are the resource types of IDs, by what the IDs begin with.
var ec2Kinds = map[string]string{
	"acl": "network-acl", "ami": "image", "dopt": "dhcp-options", "eipalloc": "elastic-ip", "eni": "network-interface",
	"fl": "vpc-flow-log", "i": "instance", "igw": "internet-gateway", "key": "key-pair", "lt": "launch-template",
	"nat": "natgateway", "pcx": "vpc-peering-connection", "rtb": "route-table", "sg": "security-group",
	"sgr": "security-group-rule", "snap": "snapshot", "subnet": "subnet", "tgw": "transit-gateway",
	"tgw-attach": "transit-gateway-attachment", "vol": "volume", "vpc": "vpc", "vpce": "vpc-endpoint",
	"vpce-svc": "vpc-endpoint-service",
}

var ec2ID = regexp.MustCompile(`^([a-z]+(?:-[a-z]+)*)-[0-9a-f]{8,17}$`)

func ec2Rule(operation string) (rule, error) {
	_, creates := ec2Creates[operation]
	switch {
	case strings.HasPrefix(operation, "Describe"), awstype.IsSetting("ec2:" + operation):
		return rule{}, nil
	case creates, slices.Contains(ec2Changes, operation):
		return rule{on: ec2Named, with: ec2Owner, also: ec2Also}, nil
	default:
		return rule{}, ErrUnknown
	}
}

// ec2Named are the resources that a call makes or names, in the order of their
// ARNs. Associations have IDs and no resource type; a call that names nothing
// else works on "*".
func ec2Named(c call) []string {
	seen := map[string]bool{}
	if kind := ec2Creates[c.operation]; kind != "" {
		seen[c.regional("ec2", kind+"/*")] = true
	}
	for name, values := range c.Form {
		if strings.HasPrefix(name, "LaunchTemplateData.") {
			continue // what instances will be made of, another day
		}
		for _, v := range values {
			id := ec2ID.FindStringSubmatch(v)
			if id == nil {
				continue
			}
			if kind := ec2Kinds[id[1]]; kind != "" {
				seen[c.regional("ec2", kind+"/"+v)] = true
			}
		}
	}
	if name := c.param("LaunchTemplateName"); name != "" && c.operation != "CreateLaunchTemplate" {
		seen[c.regional("ec2", "launch-template/*")] = true
	}
	if len(seen) == 0 {
		return anything
	}
	return slices.Sorted(maps.Keys(seen))
}

// ec2Owner says whose service an endpoint leads to, where it is one of AWS's.
func ec2Owner(c call) map[string]string {
	service := c.param("ServiceName")
	if c.operation != "CreateVpcEndpoint" || !strings.HasPrefix(service, "com.amazonaws.") || strings.HasPrefix(service, "com.amazonaws.vpce.") {
		return nil
	}
	return map[string]string{"ec2:VpceServiceOwner": "amazon"}
}

// ec2Also are the dependent actions: tags at creation, a flow log's role, and
// the private names of an interface endpoint, which are a hosted zone.
func ec2Also(c call) []need {
	var out []need
	kinds := map[string]bool{}
	for name, values := range c.Form {
		if strings.HasPrefix(name, "TagSpecification.") && strings.HasSuffix(name, ".ResourceType") {
			kinds[values[0]] = true
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		out = append(out, need{
			action: "ec2:CreateTags", on: []string{c.regional("ec2", kind+"/*")},
			with: map[string]string{"ec2:CreateAction": c.operation},
		})
	}
	switch c.operation {
	case "CreateFlowLogs":
		out = append(out, passes(c.param("DeliverLogsPermissionArn"), "vpc-flow-logs.amazonaws.com")...)
	case "CreateVpcEndpoint":
		if c.param("PrivateDnsEnabled") == "true" {
			out = append(out, need{action: "route53:AssociateVPCWithHostedZone", on: []string{"arn:aws:route53:::hostedzone/*"}})
		}
	}
	return out
}
