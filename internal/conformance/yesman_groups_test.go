package conformance_test

import "strings"

const (
	groupToken        = "aws:ec2/securityGroup:SecurityGroup"
	groupRuleToken    = "aws:ec2/securityGroupRule:SecurityGroupRule"
	ingressToken      = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	defaultGroupToken = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	templateToken     = "aws:ec2/launchTemplate:LaunchTemplate"
)

var groupThings = []thing{
	{name: "group", in: "org", token: groupToken, props: props{"name": "$(fresh)", "description": "Nodes", "vpcId": "$(vpc)", "revokeRulesOnDelete": true, "tags": props{"a": "b"}}},
	{name: "inline-group", in: "org", token: groupToken, props: props{"name": "$(fresh)", "vpcId": "$(vpc)",
		"ingress": []any{props{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": []any{"10.0.0.0/16"}}}}},
	{name: "group-rule", in: "org", token: groupRuleToken, props: props{"type": "ingress", "protocol": "tcp", "fromPort": 443, "toPort": 443, "securityGroupId": "$(group)", "cidrBlocks": []any{"10.0.0.0/16"}, "description": "HTTPS"}},
	{name: "ingress", in: "org", token: ingressToken, props: props{"securityGroupId": "$(group)", "ipProtocol": "tcp", "fromPort": 8443, "toPort": 8443, "cidrIpv4": "10.0.0.0/16"}},
	{name: "default-group", in: "org", token: defaultGroupToken, props: props{"vpcId": "$(vpc)", "ingress": []any{}, "egress": []any{}, "tags": props{"a": "b"}}},
	{name: "template", in: "org", token: templateToken, props: props{"name": "$(fresh)", "updateDefaultVersion": true,
		"metadataOptions":     props{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1, "instanceMetadataTags": "disabled"},
		"blockDeviceMappings": []any{props{"deviceName": "/dev/xvda", "ebs": props{"encrypted": "true", "kmsKeyId": "$(key.arn)", "volumeType": "gp3", "volumeSize": 50, "deleteOnTermination": "true"}}},
		"tagSpecifications":   []any{props{"resourceType": "instance", "tags": props{"a": "b"}}}, "tags": props{"a": "b"}}},
	{name: "doomed-group", in: "org", token: groupToken, props: props{"name": "$(fresh)", "vpcId": "$(vpc)"}},
	{name: "doomed-rule", in: "org", token: groupRuleToken, props: props{"type": "ingress", "protocol": "tcp", "fromPort": 10250, "toPort": 10250, "securityGroupId": "$(group)", "sourceSecurityGroupId": "$(doomed-group)"}},
}

var groupRows = []row{
	{name: "a group with a name of AWS's own", twin: "group", change: props{"name": "sg-nodes"}, because: "sg-"},
	{name: "a group with a description in other letters", twin: "group", change: props{"description": "Knoten für alle"}, because: "description",
		emulatorAccepts: "moto takes any letters", doc: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html"},
	{name: "a group with a name of 256 characters", twin: "group", change: props{"name": strings.Repeat("x", 256)}, because: "name"},
	{name: "a group whose name is in use", twin: "group", change: props{"name": "group"}, because: "InvalidGroup.Duplicate"},
	{name: "a group in no such VPC", twin: "group", change: props{"vpcId": "vpc-00000000"}, because: "InvalidVpcID.NotFound|InvalidPermission.NotFound"},
	{name: "a group that lets in what is no range", twin: "inline-group", change: props{"ingress[0].cidrBlocks": []any{"everywhere"}}, because: "cidr"},
	{name: "a group that lets in another protocol", twin: "inline-group", change: props{"ingress[0].protocol": "smoke"}, because: "protocol",
		emulatorAccepts: "moto takes any protocol", doc: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html"},
	{name: "a group rule of another direction", twin: "group-rule", change: props{"type": "sideways"}, because: "type"},
	{name: "a group rule of another protocol", twin: "group-rule", change: props{"protocol": "smoke"}, because: "protocol",
		emulatorAccepts: "moto takes any protocol", doc: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html"},
	{name: "a group rule with its ports the wrong way round", twin: "group-rule", change: props{"fromPort": 444}, because: "port",
		emulatorAccepts: "moto does not compare ports", doc: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html"},
	{name: "a group rule beyond the last port", twin: "group-rule", change: props{"toPort": 65536}, because: "port",
		emulatorAccepts: "moto takes any port", doc: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html"},
	{name: "a group rule without a port", twin: "group-rule", change: props{"fromPort": gone}, because: "from_?port"},
	{name: "a group rule for nobody", twin: "group-rule", change: props{"cidrBlocks": gone}, because: "cidr_?blocks"},
	{name: "a group rule for a range and a group", twin: "group-rule", change: props{"sourceSecurityGroupId": "$(inline-group)"}, because: "conflicts"},
	{name: "a group rule of no such group", twin: "group-rule", change: props{"securityGroupId": "sg-00000000"}, because: "NotFound|find resource"},
	{name: "a group rule that is there", twin: "group-rule", because: "InvalidPermission.Duplicate|duplicate"},
	{name: "an ingress rule of a range that is none", twin: "ingress", change: props{"cidrIpv4": "10.0.0.1/16"}, because: "cidr"},
	{name: "an ingress rule for a range and a group", twin: "ingress", change: props{"referencedSecurityGroupId": "$(inline-group)"}, because: "referenced_?security_?group_?id|exactly one|combination"},
	{name: "an ingress rule that is there", twin: "ingress", because: "InvalidPermission.Duplicate"},
	{name: "the default group of no such VPC", twin: "default-group", change: props{"vpcId": "vpc-00000000"}, because: "NotFound|empty result"},
	{name: "a template at 65 hops", twin: "template", change: props{"metadataOptions.httpPutResponseHopLimit": 65}, because: "hop"},
	{name: "a template with tokens of another word", twin: "template", change: props{"metadataOptions.httpTokens": "yes"}, because: "tokens"},
	{name: "a template with a disk of another type", twin: "template", change: props{"blockDeviceMappings[0].ebs.volumeType": "gp9"}, because: "volume_?type"},
	{name: "a template with a disk key that is no ARN", twin: "template", change: props{"blockDeviceMappings[0].ebs.kmsKeyId": "freehold"}, because: "ARN"},
	{name: "a template with a disk key but no encryption", twin: "template", change: props{"blockDeviceMappings[0].ebs.encrypted": "false"}, because: "encrypted",
		emulatorAccepts: "moto stores the template as it is", doc: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html"},
	{name: "a template whose disk is encrypted in words", twin: "template", change: props{"blockDeviceMappings[0].ebs.encrypted": "yes"}, because: "encrypted"},
	{name: "a template with a name of two characters", twin: "template", change: props{"name": "fh"}, because: "name"},
	{name: "a template whose name is in use", twin: "template", change: props{"name": "template"}, because: "AlreadyExists"},
	{name: "a template that tags what there is not", twin: "template", change: props{"tagSpecifications[0].resourceType": "cloud"}, because: "resource_?type"},
	{name: "deleting a group that a rule names", twin: "doomed-group", usedBy: []string{"doomed-rule"}, because: "DependencyViolation",
		emulatorAccepts: "moto does not look for rules in other groups", doc: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html"},
	{name: "a group rule for no such group", twin: "group-rule", change: props{"cidrBlocks": gone, "sourceSecurityGroupId": "sg-00000000"}, because: "NotFound|InvalidGroup"},
	{name: "a group with a name and the beginning of one", twin: "group", change: props{"namePrefix": "nodes"}, because: "conflicts"},
	{name: "a template with a name and the beginning of one", twin: "template", change: props{"namePrefix": "nodes"}, because: "conflicts"},
}
