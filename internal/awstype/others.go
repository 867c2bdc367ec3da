package awstype

import "strings"

// otherRows are types that no stack makes and no list is for: what the Tagging
// API shows of them has the token that people know. Their source is
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var otherRows = []Row{
	other("aws:acm/certificate:Certificate", "acm/certificate", false),
	other("aws:athena/workgroup:Workgroup", "athena/workgroup", true),
	other("aws:backup/vault:Vault", "backup/backup-vault", true),
	other("aws:cloudformation/stack:Stack", "cloudformation/stack", false),
	other("aws:cloudwatch/metricAlarm:MetricAlarm", "cloudwatch/alarm", true),
	other("aws:dynamodb/table:Table", "dynamodb/table", true),
	other("aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", "ec2/egress-only-internet-gateway", true),
	other("aws:ec2/managedPrefixList:ManagedPrefixList", "ec2/prefix-list", true),
	other("aws:ec2/vpnConnection:VpnConnection", "ec2/vpn-connection", true),
	other("aws:ec2/vpnGateway:VpnGateway", "ec2/vpn-gateway", true),
	other("aws:efs/fileSystem:FileSystem", "elasticfilesystem/file-system", true),
	other("aws:lb/listener:Listener", "elasticloadbalancing/listener", false),
	other("aws:lb/listenerRule:ListenerRule", "elasticloadbalancing/listener-rule", false),
	other("aws:cloudwatch/eventRule:EventRule", "events/rule", true),
	other("aws:lambda/function:Function", "lambda/function", true),
	other("aws:rds/cluster:Cluster", "rds/cluster", true),
	other("aws:rds/instance:Instance", "rds/db", true),
	other("aws:secretsmanager/secret:Secret", "secretsmanager/secret", false),
	other("aws:sns/topic:Topic", "sns/", false),
	other("aws:sqs/queue:Queue", "sqs/", false),
	other("aws:ssm/parameter:Parameter", "ssm/parameter", true),
}

func other(token, kind string, byName bool) Row {
	service, _, _ := strings.Cut(kind, "/")
	return Row{
		Token: token, Service: service, List: Tagged, Kinds: []string{kind}, ByName: byName, Look: []string{"tag:GetResources"},
		Source:  "https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html",
		Foreign: "often met in an account",
	}
}
