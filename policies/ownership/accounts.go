package ownership

import (
	"strings"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

// fences are the kinds of policies that only take rights away.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_authorization_policies.html
var fences = []string{"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}

var accountLayer = rule.Rule{
	ID:       "FH112",
	Title:    "The account layer makes the org's account and the policies on it, and nothing else",
	Why:      "it works with the management account's credentials: a delegated administrator, a control on a unit or a bucket policy there reaches every customer at once",
	Fix:      "make it in a later layer, in the org's own account; what is for the whole organization belongs to the landing zone",
	Severity: rule.Critical, NoException: true,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    []string{"*"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		_, _, asked := rule.AskedFor(r.Type)
		switch {
		case s.Layer != rule.LayerAccount || groups(r) || asked: // FH206 and FH207 judge what is only asked for
		case !rule.OfAccountLayer(r.Type):
			j.Violate("", "the account layer makes no %s: it would be in the management account", r.Type)
		case r.Type == rule.TypeOrgPolicy:
			in := r.Values()
			// Organizations makes a service control policy where no type is given.
			j.Must(in.Get("type"), append([]string{""}, fences...), "a policy of type %s is not a fence", in.Get("type").Text())
			if name := in.Get("name"); j.Known(name) && name.Raw != nil && !strings.HasPrefix(name.Text(), "freehold-"+s.Org+"-") {
				j.Violate(name.Path, "the policy %q is not one of the org's, freehold-%s-…", name.Text(), s.Org)
			}
		}
	}),
	Good: goodAccountTypes(), Bad: badAccountTypes(),
}

func goodAccountTypes() []rule.Example {
	group := example.In(rule.LayerAccount, "a component, which only groups", "freehold:index:Account", object{})
	group.Resource.Component, group.Resource.Provider = true, rule.Provider{}
	return []rule.Example{
		group,
		example.In(rule.LayerAccount, "the org's account", rule.TypeAccount, object{"name": example.Org, "parentId": "ou-abcd-12345678"}),
		example.In(rule.LayerAccount, "the org's fence", rule.TypeOrgPolicy, object{"name": "freehold-acme-service", "type": "SERVICE_CONTROL_POLICY", "content": "{}"}),
		example.In(rule.LayerAccount, "the fence on the org's account", rule.TypeAttachment, object{"policyId": "p-1", "targetId": example.Account}),
		example.Of("a role in a later layer", rule.TypeRole, object{"name": "freehold-acme-node"}),
	}
}

func badAccountTypes() []rule.Example {
	in := func(name, typ string, p object) rule.Example { return example.In(rule.LayerAccount, name, typ, p) }
	cluster := in("an object in a cluster", "kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "x"}})
	cluster.Resource.Provider = rule.Provider{Package: "kubernetes"}
	return []rule.Example{
		in("the org's account as the administrator of everybody's findings", "aws:guardduty/organizationAdminAccount:OrganizationAdminAccount", object{"adminAccountId": example.Account}),
		in("a control on the unit in which all customers are", "aws:controltower/controlTowerControl:ControlTowerControl", object{
			"controlIdentifier": "arn:aws:controltower:eu-central-1::control/AWS-GR_EBS_OPTIMIZED_INSTANCE", "targetIdentifier": "arn:aws:organizations::" + example.ManagementAccount + ":ou/o-a1b2c3d4e5/ou-abcd-12345678",
		}),
		in("more rights for the provisioner", "aws:iam/rolePolicy:RolePolicy", object{"role": "freehold-provisioner", "policy": example.Statements(`{"Effect":"Allow","Action":"*","Resource":"*"}`)}),
		in("a bucket of the management account, opened for the org", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": "billing", "policy": "{}"}),
		in("a trail of all accounts", "aws:cloudtrail/trail:Trail", object{"isOrganizationTrail": true}),
		in("a type that is not classified", "aws:quicksight/dashboard:Dashboard", object{"name": "sales"}),
		in("a role in the management account", rule.TypeRole, object{"name": "helper"}),
		in("a policy of another kind, for all backups", rule.TypeOrgPolicy, object{"name": "freehold-acme-backup", "type": "BACKUP_POLICY"}),
		in("another org's fence, written anew", rule.TypeOrgPolicy, object{"name": "freehold-globex-service", "type": "SERVICE_CONTROL_POLICY"}),
		cluster,
	}
}
