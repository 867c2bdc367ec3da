package conformance_test

import "strings"

const (
	accountToken     = "aws:organizations/account:Account"
	unitToken        = "aws:organizations/organizationalUnit:OrganizationalUnit"
	orgPolicyToken   = "aws:organizations/policy:Policy"
	orgAttachedToken = "aws:organizations/policyAttachment:PolicyAttachment"
	serviceControl   = "SERVICE_CONTROL_POLICY"
	resourceControl  = "RESOURCE_CONTROL_POLICY"
	denyRAM          = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ram:*","Resource":"*"}]}`
	denyOutsiders    = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`
)

// sized is a policy document of exactly n characters, none of them white space.
func sized(n int, principal string) string {
	before := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny",` + principal + `"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/`
	after := `"}]}`
	return before + strings.Repeat("x", n-len(before)-len(after)) + after
}

var organizationsThings = []thing{
	{name: "unit", in: "management", token: unitToken, props: props{"name": "$(fresh)", "parentId": "$(root)"}},
	{name: "account", in: "management", token: accountToken, props: props{
		"name": "$(fresh)", "email": "$(fresh)@customer.example", "parentId": "$(root)", "iamUserAccessToBilling": "DENY", "closeOnDeletion": true,
		"roleName": "OrganizationAccountAccessRole", "tags": props{"freehold.dev/org": "acme"}}},
	{name: "scp", in: "management", token: orgPolicyToken, props: props{"name": "$(fresh)", "type": serviceControl, "content": denyRAM}},
	{name: "scp-at-limit", in: "management", token: orgPolicyToken, props: props{"name": "$(fresh)", "type": serviceControl, "content": sized(10240, "")}},
	{name: "rcp", in: "management", token: orgPolicyToken, props: props{"name": "$(fresh)", "type": resourceControl, "content": denyOutsiders}},
	{name: "rcp-at-limit", in: "management", token: orgPolicyToken, props: props{"name": "$(fresh)", "type": resourceControl, "content": sized(5120, `"Principal":"*",`)}},
	{name: "scp-attached", in: "management", token: orgAttachedToken, props: props{"policyId": "$(scp)", "targetId": "$(account)"}},
	{name: "doomed-scp", in: "management", token: orgPolicyToken, props: props{"name": "$(fresh)", "type": serviceControl, "content": denyRAM}},
	{name: "doomed-scp-attached", in: "management", token: orgAttachedToken, props: props{"policyId": "$(doomed-scp)", "targetId": "$(unit)"}},
	{name: "doomed-unit", in: "management", token: unitToken, props: props{"name": "$(fresh)", "parentId": "$(root)"}},
	{name: "doomed-child", in: "management", token: unitToken, props: props{"name": "$(fresh)", "parentId": "$(doomed-unit)"}},
}

var organizationsRows = []row{
	{name: "an account with an e-mail that is in use", twin: "account", change: props{"email": "account@customer.example"}, because: "EMAIL_ALREADY_EXISTS"},
	{name: "an account with no e-mail", twin: "account", change: props{"email": gone}, because: "email"},
	{name: "an account with an e-mail that is none", twin: "account", change: props{"email": "customer.example"}, because: "email"},
	{name: "an account with an e-mail of five characters", twin: "account", change: props{"email": "a@b.c"}, because: "email|length"},
	{name: "an account with a name of 51 characters", twin: "account", change: props{"name": strings.Repeat("x", 51)}, because: "name"},
	{name: "an account in no such unit", twin: "account", change: props{"parentId": "ou-abcd-00000000"}, because: "ParentNotFound|ou-abcd-00000000"},
	{name: "an account under what is no parent", twin: "account", change: props{"parentId": "customers"}, because: "parent"},
	{name: "an account whose billing access is another word", twin: "account", change: props{"iamUserAccessToBilling": "NO"}, because: "ALLOW.*DENY"},
	{name: "an account whose access role has a space", twin: "account", change: props{"roleName": "access role"}, because: "role"},
	{name: "a unit whose name is in use", twin: "unit", change: props{"name": "unit"}, because: "DuplicateOrganizationalUnit",
		emulatorAccepts: "moto makes a second unit of the name", doc: "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganizationalUnit.html"},
	{name: "a unit in no such unit", twin: "unit", change: props{"parentId": "ou-abcd-00000000"}, because: "ParentNotFound|parents: empty"},
	{name: "a policy whose name is in use", twin: "scp", change: props{"name": "scp"}, because: "DuplicatePolicy"},
	{name: "a policy of an unknown type", twin: "scp", change: props{"type": "SCP"}, because: "type"},
	{name: "a policy that is no JSON", twin: "scp", change: props{"content": "{"}, because: "JSON"},
	{name: "a policy without content", twin: "scp", change: props{"content": gone}, because: "content"},
	{name: "a service control policy of 10241 characters", twin: "scp-at-limit", change: props{"content": sized(10241, "")}, because: "size"},
	{name: "a resource control policy of 5121 characters", twin: "rcp-at-limit", change: props{"content": sized(5121, `"Principal":"*",`)}, because: "size"},
	{name: "a service control policy with a principal", twin: "scp", change: props{"content": denyOutsiders}, because: "principal",
		emulatorAccepts: "moto stores any JSON", doc: "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html"},
	{name: "a resource control policy without a principal", twin: "rcp", change: props{"content": denyRAM}, because: "principal",
		emulatorAccepts: "moto stores any JSON", doc: "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html"},
	{name: "a resource control policy that allows", twin: "rcp", change: props{"content": strings.Replace(denyOutsiders, "Deny", "Allow", 1)}, because: "effect",
		emulatorAccepts: "moto stores any JSON", doc: "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html"},
	{name: "an attachment of no such policy", twin: "scp-attached", change: props{"policyId": "p-00000000"}, because: "PolicyNotFound"},
	{name: "an attachment to no such account", twin: "scp-attached", change: props{"targetId": "999999999999"}, because: "TargetNotFound|AccountNotFound"},
	{name: "an attachment that is there", twin: "scp-attached", because: "DuplicatePolicyAttachment"},
	{name: "deleting a policy that is attached", twin: "doomed-scp", usedBy: []string{"doomed-scp-attached"}, because: "PolicyInUse"},
	{name: "deleting a unit that has a unit", twin: "doomed-unit", usedBy: []string{"doomed-child"}, because: "NotEmpty",
		emulatorAccepts: "moto deletes what is not empty", doc: "https://docs.aws.amazon.com/organizations/latest/APIReference/API_DeleteOrganizationalUnit.html"},
	{name: "an account that moves into no such unit", twin: "account", updates: true, change: props{"parentId": "ou-abcd-00000000"}, because: "ParentNotFound"},
	{name: "a policy with a name of 129 characters", twin: "scp", change: props{"name": strings.Repeat("x", 129)}, because: "name",
		emulatorAccepts: "moto takes any name", doc: "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html"},
}
