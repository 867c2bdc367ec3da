package sharing

import (
	"maps"
	"slices"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// partnerGroups are where a security group of another account may be named,
// "444455556666/sg-…", besides those of the account itself.
var partnerGroups = map[string][]string{
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":         {"ingress.securityGroups", "egress.securityGroups"},
	"aws:ec2/securityGroup:SecurityGroup":                       {"ingress.securityGroups", "egress.securityGroups"},
	"aws:ec2/securityGroupRule:SecurityGroupRule":               {"sourceSecurityGroupId"},
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   {"referencedSecurityGroupId"},
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {"referencedSecurityGroupId"},
}

var partners = rule.Rule{
	ID:       "FH417",
	Title:    "No resource names another account as its partner",
	Why:      "each of these fields lets the account that it names read, attach to or restore what belongs to the customer",
	Fix:      "leave the field out, or name the org's account",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    slices.Concat(table.TypesWith(table.Principal, table.Account), slices.Sorted(maps.Keys(partnerGroups))),
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		rule.VisitColumns(r, table.Of(r.Type), func(at *table.Place, p *rule.Node) {
			v := rule.Value{Path: p.Path(), Raw: p.Raw}
			switch {
			case at == nil:
			case at.Column == table.Principal && serviceName(v.Text()): // FH415 asks for whom it acts
			case at.Holds(table.Principal), at.Holds(table.Account):
				mine(j, v, s)
			}
		})
		for _, path := range partnerGroups[r.Type] {
			for _, v := range r.Values().All(path) {
				j.Own(v, s)
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("a snapshot that is not shared", "aws:rds/snapshot:Snapshot", object{"dbInstanceIdentifier": "db", "dbSnapshotIdentifier": "s", "sharedAccounts": list{}}),
		example.Shows("a group of the same account", "aws:ec2/securityGroupRule:SecurityGroupRule", object{"type": "ingress", "sourceSecurityGroupId": "sg-0abc"}),
		example.Shows("an access point of the account", "aws:s3/accessPoint:AccessPoint", object{"bucket": "acme-data", "accountId": "210987654321"}),
	},
	Bad: []rule.Example{
		example.Shows("a database snapshot for everybody", "aws:rds/snapshot:Snapshot", object{"dbSnapshotIdentifier": "s", "sharedAccounts": list{"all"}}),
		example.Shows("a cluster's snapshot for one more account", "aws:rds/clusterSnapshot:ClusterSnapshot", object{"sharedAccounts": list{"210987654321", "444455556666"}}),
		example.Shows("volumes' snapshots, by their lifecycle policy", "aws:dlm/lifecyclePolicy:LifecyclePolicy", object{
			"policyDetails": object{"schedules": list{object{"shareRule": object{"targetAccounts": list{"444455556666"}}}}},
		}),
		example.Shows("another account's security group", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{"referencedSecurityGroupId": "444455556666/sg-0abc"}),
		example.Shows("attaching a network interface from outside", "aws:ec2/networkInterfacePermission:NetworkInterfacePermission", object{"awsAccountId": "444455556666", "permission": "INSTANCE-ATTACH"}),
		example.Shows("a document for everybody", "aws:ssm/document:Document", object{"permissions": object{"type": "Share", "account_ids": "All"}}),
	},
}

// mine violates unless a value that was given is the org's account, or an ARN in it.
func mine(j *rule.Judge, v rule.Value, s rule.Scope) {
	switch {
	case !j.Known(v) || v.Text() == "":
	case rule.AccountNamed(v.Text()) == "":
		j.Violate(v.Path, "%s is not the org's account", v.Text())
	default:
		j.Own(v, s)
	}
}

var invitations = rule.Rule{
	ID:       "FH418",
	Title:    "The account is not a member of another, and has no members",
	Why:      "an accepted invitation shows findings, metrics, logs or tables of one account in another, for as long as it stands",
	Fix:      "use the service within the org's account",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    table.RefusedBy("FH418"),
	Check:    rule.ForbiddenBy("FH418"),
	Good: []rule.Example{
		example.Shows("a detector of the account's own", "aws:guardduty/detector:Detector", object{"enable": true}),
		example.Shows("an analyzer of the account's own", "aws:accessanalyzer/analyzer:Analyzer", object{"type": "ACCOUNT"}),
	},
	Bad: []rule.Example{
		example.Shows("metrics and logs in a monitoring account", "aws:oam/link:Link", object{"sinkIdentifier": "arn:aws:oam:eu-central-1:444455556666:sink/1"}),
		example.Shows("findings for another account", "aws:guardduty/inviteAccepter:InviteAccepter", object{"masterAccountId": "444455556666"}),
		example.Shows("configuration for a common aggregator", "aws:cfg/aggregateAuthorization:AggregateAuthorization", object{"accountId": "444455556666"}),
		example.Shows("tables for another warehouse", "aws:redshift/dataShareAuthorization:DataShareAuthorization", object{"consumerIdentifier": "444455556666"}),
	},
}
