package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	taggingtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"freehold.dev/freehold/internal/cloud"
)

// listTagged lists what is tagged, or ever was, of services that have no lister
// of their own here. What those list is left out: they know its ids.
func listTagged(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, tagging.NewGetResourcesPaginator(s.tagging, &tagging.GetResourcesInput{}),
		func(p *tagging.GetResourcesOutput) []taggingtypes.ResourceTagMapping { return p.ResourceTagMappingList })
	var items []cloud.Item
	for _, m := range all {
		it, listed := tagged(aws.ToString(m.ResourceARN))
		if listed {
			continue
		}
		it.Tags = map[string]string{}
		for _, t := range m.Tags {
			it.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		if name := it.Tags["Name"]; name != "" {
			it.Name = name
		}
		items = append(items, it)
	}
	return items, err
}

// hasLister are the services and kinds in ARNs whose things have a lister. An
// empty list stands for everything of the service.
var hasLister = map[string][]string{
	"access-analyzer": {"analyzer"},
	"cloudtrail":      {"trail"},
	"ec2": {
		"dhcp-options", "elastic-ip", "image", "instance", "internet-gateway", "key-pair", "launch-template", "natgateway", "network-acl",
		"network-interface", "route-table", "security-group", "security-group-rule", "snapshot", "subnet", "transit-gateway",
		"transit-gateway-attachment", "volume", "vpc", "vpc-endpoint", "vpc-endpoint-service", "vpc-flow-log", "vpc-peering-connection",
		"flow-logs", // an emulator's word for vpc-flow-log
	},
	"ecr":                  {"repository"},
	"eks":                  {"access-entry", "addon", "cluster", "fargateprofile", "identityproviderconfig", "nodegroup", "podidentityassociation"},
	"elasticloadbalancing": {"loadbalancer/app", "loadbalancer/gwy", "loadbalancer/net", "targetgroup"},
	"iam":                  {"group", "instance-profile", "oidc-provider", "policy", "role", "saml-provider", "user"},
	"kms":                  {"alias", "key"},
	"logs":                 {"log-group"},
	"s3":                   {},
}

// tokens are Pulumi's types of things without a lister that are often met, by
// service and kind. byName are those whose id is the last part of the ARN; the
// others' is the whole.
var tokens = map[string]struct {
	token  string
	byName bool
}{
	"acm/certificate":                    {"aws:acm/certificate:Certificate", false},
	"athena/workgroup":                   {"aws:athena/workgroup:Workgroup", true},
	"backup/backup-vault":                {"aws:backup/vault:Vault", true},
	"cloudformation/stack":               {"aws:cloudformation/stack:Stack", false},
	"cloudwatch/alarm":                   {"aws:cloudwatch/metricAlarm:MetricAlarm", true},
	"dynamodb/table":                     {"aws:dynamodb/table:Table", true},
	"ec2/egress-only-internet-gateway":   {"aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", true},
	"ec2/prefix-list":                    {"aws:ec2/managedPrefixList:ManagedPrefixList", true},
	"ec2/vpn-connection":                 {"aws:ec2/vpnConnection:VpnConnection", true},
	"ec2/vpn-gateway":                    {"aws:ec2/vpnGateway:VpnGateway", true},
	"elasticfilesystem/file-system":      {"aws:efs/fileSystem:FileSystem", true},
	"elasticloadbalancing/loadbalancer":  {classicLoadBalancerType, true},
	"elasticloadbalancing/listener":      {"aws:lb/listener:Listener", false},
	"elasticloadbalancing/listener-rule": {"aws:lb/listenerRule:ListenerRule", false},
	"events/rule":                        {"aws:cloudwatch/eventRule:EventRule", true},
	"lambda/function":                    {"aws:lambda/function:Function", true},
	"rds/cluster":                        {"aws:rds/cluster:Cluster", true},
	"rds/db":                             {"aws:rds/instance:Instance", true},
	"secretsmanager/secret":              {"aws:secretsmanager/secret:Secret", false},
	"sns/":                               {"aws:sns/topic:Topic", false},
	"sqs/":                               {"aws:sqs/queue:Queue", false},
	"ssm/parameter":                      {"aws:ssm/parameter:Parameter", true},
}

// tagged makes an item of an ARN; listed is true for what a lister lists.
// A thing of an unknown kind gets a type made from its ARN.
func tagged(name string) (it cloud.Item, listed bool) {
	a, err := arn.Parse(name)
	if err != nil {
		return cloud.Item{Type: "aws:unknown/resource:Resource", ID: name, Name: name, ARN: name}, false
	}
	kind, rest := "", a.Resource
	if i := strings.IndexAny(a.Resource, "/:"); i >= 0 {
		kind, rest = a.Resource[:i], a.Resource[i+1:]
	}
	if kinds, is := hasLister[a.Service]; is {
		sub, _, _ := strings.Cut(rest, "/")
		if len(kinds) == 0 || slices.Contains(kinds, kind) || slices.Contains(kinds, kind+"/"+sub) {
			return it, true
		}
	}
	it = cloud.Item{Type: "aws:" + a.Service + "/" + camel(kind) + ":" + title(camel(kind)), ID: name, Name: rest, ARN: name}
	if kind == "" {
		it.Type = "aws:" + a.Service + "/resource:Resource"
	}
	if t, is := tokens[a.Service+"/"+kind]; is {
		it.Type = t.token
		if t.byName {
			it.ID = rest
		}
	}
	return it, false
}

// camel turns "backup-vault" into "backupVault".
func camel(kind string) string {
	words := strings.FieldsFunc(kind, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	for i := 1; i < len(words); i++ {
		words[i] = title(words[i])
	}
	return strings.Join(words, "")
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
