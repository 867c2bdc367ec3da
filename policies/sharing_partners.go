package policies

import (
	"slices"

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

var partners = Rule{
	ID:       "FH417",
	Title:    "No resource names another account as its partner",
	Why:      "each of these fields lets the account that it names read, attach to or restore what belongs to the customer",
	Fix:      "leave the field out, or name the org's account",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    slices.Concat(typesWith(table.Principal, table.Account), sortedKeysOf(partnerGroups)),
	Check: on(func(j *judge, r Resource, s Scope) {
		visitColumns(r, table.Of(r.Type), func(at *table.Place, p *place) {
			v := value{p.path(), p.v}
			switch {
			case at == nil:
			case at.Column == table.Principal && serviceName(v.text()): // FH415 asks for whom it acts
			case at.Holds(table.Principal), at.Holds(table.Account):
				j.mine(v, s)
			}
		})
		for _, path := range partnerGroups[r.Type] {
			for _, v := range r.values().all(path) {
				j.own(v, s)
			}
		}
	}),
	Good: []Example{
		shows("a snapshot that is not shared", "aws:rds/snapshot:Snapshot", object{"dbInstanceIdentifier": "db", "dbSnapshotIdentifier": "s", "sharedAccounts": list{}}),
		shows("a group of the same account", "aws:ec2/securityGroupRule:SecurityGroupRule", object{"type": "ingress", "sourceSecurityGroupId": "sg-0abc"}),
		shows("an access point of the account", "aws:s3/accessPoint:AccessPoint", object{"bucket": "acme-data", "accountId": "210987654321"}),
	},
	Bad: []Example{
		shows("a database snapshot for everybody", "aws:rds/snapshot:Snapshot", object{"dbSnapshotIdentifier": "s", "sharedAccounts": list{"all"}}),
		shows("a cluster's snapshot for one more account", "aws:rds/clusterSnapshot:ClusterSnapshot", object{"sharedAccounts": list{"210987654321", "444455556666"}}),
		shows("volumes' snapshots, by their lifecycle policy", "aws:dlm/lifecyclePolicy:LifecyclePolicy", object{
			"policyDetails": object{"schedules": list{object{"shareRule": object{"targetAccounts": list{"444455556666"}}}}},
		}),
		shows("another account's security group", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{"referencedSecurityGroupId": "444455556666/sg-0abc"}),
		shows("attaching a network interface from outside", "aws:ec2/networkInterfacePermission:NetworkInterfacePermission", object{"awsAccountId": "444455556666", "permission": "INSTANCE-ATTACH"}),
		shows("a document for everybody", "aws:ssm/document:Document", object{"permissions": object{"type": "Share", "account_ids": "All"}}),
	},
}

// mine violates unless a value that was given is the org's account, or an ARN in it.
func (j *judge) mine(v value, s Scope) {
	switch {
	case !j.known(v) || v.text() == "":
	case accountNamed(v.text()) == "":
		j.violate(v.path, "%s is not the org's account", v.text())
	default:
		j.own(v, s)
	}
}

var invitations = Rule{
	ID:       "FH418",
	Title:    "The account is not a member of another, and has no members",
	Why:      "an accepted invitation shows findings, metrics, logs or tables of one account in another, for as long as it stands",
	Fix:      "use the service within the org's account",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    refusedBy("FH418"),
	Check:    forbiddenBy("FH418"),
	Good: []Example{
		shows("a detector of the account's own", "aws:guardduty/detector:Detector", object{"enable": true}),
		shows("an analyzer of the account's own", "aws:accessanalyzer/analyzer:Analyzer", object{"type": "ACCOUNT"}),
	},
	Bad: []Example{
		shows("metrics and logs in a monitoring account", "aws:oam/link:Link", object{"sinkIdentifier": "arn:aws:oam:eu-central-1:444455556666:sink/1"}),
		shows("findings for another account", "aws:guardduty/inviteAccepter:InviteAccepter", object{"masterAccountId": "444455556666"}),
		shows("configuration for a common aggregator", "aws:cfg/aggregateAuthorization:AggregateAuthorization", object{"accountId": "444455556666"}),
		shows("tables for another warehouse", "aws:redshift/dataShareAuthorization:DataShareAuthorization", object{"consumerIdentifier": "444455556666"}),
	},
}
