package policies

import (
	"slices"
	"strings"
)

// The types of AWS Organizations that an org's stack has.
const (
	typeAccount    = "aws:organizations/account:Account"
	typeOrgPolicy  = "aws:organizations/policy:Policy"
	typeAttachment = "aws:organizations/policyAttachment:PolicyAttachment"
)

// accountTypes are all that the account layer makes. Its credentials are those of the
// management account, so that an allow-list is the only list that can be complete
// there: nearly everything else in that account acts on every customer.
var accountTypes = []string{typeAccount, typeOrgPolicy, typeAttachment, typeAWSProvider, "pulumi:pulumi:StackReference"}

// fences are the kinds of policies that only take rights away.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_authorization_policies.html
var fences = []string{"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}

var accountLayer = Rule{
	ID:       "FH112",
	Title:    "The account layer makes the org's account and the policies on it, and nothing else",
	Why:      "it works with the management account's credentials: a delegated administrator, a control on a unit or a bucket policy there reaches every customer at once",
	Fix:      "make it in a later layer, in the org's own account; what is for the whole organization belongs to the landing zone",
	Severity: Critical, NoException: true,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    []string{"*"},
	Check: on(func(j *judge, r Resource, s Scope) {
		_, _, asked := askedFor(r.Type)
		switch {
		case s.Layer != layerAccount || groups(r) || asked: // FH206 and FH207 judge what is only asked for
		case !slices.Contains(accountTypes, r.Type):
			j.violate("", "the account layer makes no %s: it would be in the management account", r.Type)
		case r.Type == typeOrgPolicy:
			in := r.values()
			// Organizations makes a service control policy where no type is given.
			j.must(in.get("type"), append([]string{""}, fences...), "a policy of type %s is not a fence", in.get("type").text())
			if name := in.get("name"); j.known(name) && name.v != nil && !strings.HasPrefix(name.text(), "freehold-"+s.Org+"-") {
				j.violate(name.path, "the policy %q is not one of the org's, freehold-%s-…", name.text(), s.Org)
			}
		}
	}),
	Good: goodAccountTypes(), Bad: badAccountTypes(),
}

func goodAccountTypes() []Example {
	group := exampleIn(layerAccount, "a component, which only groups", "freehold:index:Account", object{})
	group.Resource.Component, group.Resource.Provider = true, Provider{}
	return []Example{
		group,
		exampleIn(layerAccount, "the org's account", typeAccount, object{"name": exampleOrg, "parentId": "ou-abcd-12345678"}),
		exampleIn(layerAccount, "the org's fence", typeOrgPolicy, object{"name": "freehold-acme-service", "type": "SERVICE_CONTROL_POLICY", "content": "{}"}),
		exampleIn(layerAccount, "the fence on the org's account", typeAttachment, object{"policyId": "p-1", "targetId": exampleAccount}),
		example("a role in a later layer", typeRole, object{"name": "freehold-acme-node"}),
	}
}

func badAccountTypes() []Example {
	in := func(name, typ string, p object) Example { return exampleIn(layerAccount, name, typ, p) }
	cluster := in("an object in a cluster", "kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "x"}})
	cluster.Resource.Provider = Provider{Package: "kubernetes"}
	return []Example{
		in("the org's account as the administrator of everybody's findings", "aws:guardduty/organizationAdminAccount:OrganizationAdminAccount", object{"adminAccountId": exampleAccount}),
		in("a control on the unit in which all customers are", "aws:controltower/controlTowerControl:ControlTowerControl", object{
			"controlIdentifier": "arn:aws:controltower:eu-central-1::control/AWS-GR_EBS_OPTIMIZED_INSTANCE", "targetIdentifier": "arn:aws:organizations::" + exampleManaging + ":ou/o-a1b2c3d4e5/ou-abcd-12345678",
		}),
		in("more rights for the provisioner", "aws:iam/rolePolicy:RolePolicy", object{"role": "freehold-provisioner", "policy": statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`)}),
		in("a bucket of the management account, opened for the org", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": "billing", "policy": "{}"}),
		in("a trail of all accounts", "aws:cloudtrail/trail:Trail", object{"isOrganizationTrail": true}),
		in("a type of which nobody has said anything", "aws:quicksight/dashboard:Dashboard", object{"name": "sales"}),
		in("a role in the management account", typeRole, object{"name": "helper"}),
		in("a policy of another kind, for all backups", typeOrgPolicy, object{"name": "freehold-acme-backup", "type": "BACKUP_POLICY"}),
		in("another org's fence, written anew", typeOrgPolicy, object{"name": "freehold-globex-service", "type": "SERVICE_CONTROL_POLICY"}),
		cluster,
	}
}
