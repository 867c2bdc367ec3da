package policies

import "slices"

// partnerFields are where a resource names those whom it lets in, or whom it
// serves: nothing but the org's account, or a principal of it, belongs there.
var partnerFields = map[string][]string{
	"aws:dlm/lifecyclePolicy:LifecyclePolicy":                              {"policyDetails.schedules.shareRule.targetAccounts"},
	"aws:ec2/networkInterfacePermission:NetworkInterfacePermission":        {"awsAccountId"},
	"aws:lakeformation/permissions:Permissions":                            {"principal", "catalogId"},
	"aws:opensearch/authorizeVpcEndpointAccess:AuthorizeVpcEndpointAccess": {"account"},
	"aws:rds/clusterSnapshot:ClusterSnapshot":                              {"sharedAccounts"},
	"aws:rds/snapshot:Snapshot":                                            {"sharedAccounts"},
	"aws:redshift/endpointAccess:EndpointAccess":                           {"resourceOwner"},
	"aws:redshift/endpointAuthorization:EndpointAuthorization":             {"account"},
	"aws:s3/accessPoint:AccessPoint":                                       {"accountId", "bucketAccountId"},
	"aws:s3/analyticsConfiguration:AnalyticsConfiguration":                 {"storageClassAnalysis.dataExport.destination.s3BucketDestination.bucketAccountId"},
	"aws:s3/bucketReplicationConfig:BucketReplicationConfig":               {"rules.destination.account"},
	"aws:s3/inventory:Inventory":                                           {"destination.bucket.accountId"},
	"aws:ssm/document:Document":                                            {"permissions.account_ids", "permissions.accountIds"},
}

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
	Types:    slices.Concat(sortedKeysOf(partnerFields), sortedKeysOf(partnerGroups)),
	Check: on(func(j *judge, r Resource, s Scope) {
		for _, path := range partnerFields[r.Type] {
			for _, v := range r.values().all(path) {
				j.mine(v, s)
			}
		}
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

// invitationTypes are of use to nobody but two accounts.
var invitationTypes = []string{
	"aws:auditmanager/frameworkShare:FrameworkShare",
	"aws:cfg/aggregateAuthorization:AggregateAuthorization",
	"aws:cleanrooms/*",
	"aws:detective/invitationAccepter:InvitationAccepter",
	"aws:detective/member:Member",
	"aws:globalaccelerator/crossAccountAttachment:CrossAccountAttachment",
	"aws:guardduty/inviteAccepter:InviteAccepter",
	"aws:guardduty/member:Member",
	"aws:inspector2/memberAssociation:MemberAssociation",
	"aws:licensemanager/licenseGrant:LicenseGrant",
	"aws:licensemanager/licenseGrantAccepter:LicenseGrantAccepter",
	"aws:macie2/invitationAccepter:InvitationAccepter",
	"aws:macie2/member:Member",
	"aws:oam/*",
	"aws:organizations/delegatedAdministrator:DelegatedAdministrator",
	"aws:redshift/dataShareAuthorization:DataShareAuthorization",
	"aws:redshift/dataShareConsumerAssociation:DataShareConsumerAssociation",
	"aws:securityhub/inviteAccepter:InviteAccepter",
	"aws:securityhub/member:Member",
	"aws:servicecatalog/organizationsAccess:OrganizationsAccess",
	"aws:servicecatalog/portfolioShare:PortfolioShare",
}

var invitations = Rule{
	ID:       "FH418",
	Title:    "The account is not a member of another, and has no members",
	Why:      "an accepted invitation shows findings, metrics, logs or tables of one account in another, for as long as it stands",
	Fix:      "use the service within the org's account",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    invitationTypes,
	Check:    never(invitationTypes, "it is of use only between two accounts"),
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
