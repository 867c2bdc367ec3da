package iamcalls

import "strings"

// organizationsOperations follow
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
var organizationsOperations = map[string]rule{
	"DescribeOrganization":                {},
	"ListRoots":                           {},
	"ListAccounts":                        {},
	"ListAWSServiceAccessForOrganization": {},
	"ListDelegatedAdministrators":         {},
	"ListPolicies":                        {},
	"DescribeCreateAccountStatus":         {},
	"ListCreateAccountStatus":             {},
	"ListAccountsForParent":               {on: organized("ParentId")},
	"ListOrganizationalUnitsForParent":    {on: organized("ParentId")},
	"DescribeOrganizationalUnit":          {on: organized("OrganizationalUnitId")},
	"ListParents":                         {on: organized("ChildId")},
	"CreateAccount":                       {tags: "organizations:TagResource"},
	"DescribeAccount":                     {on: organized("AccountId")},
	"CloseAccount":                        {on: organized("AccountId")},
	"RemoveAccountFromOrganization":       {on: organized("AccountId")},
	"MoveAccount":                         {on: organized("AccountId", "DestinationParentId", "SourceParentId")},
	"CreatePolicy":                        {on: newPolicy, tags: "organizations:TagResource"},
	"UpdatePolicy":                        {on: organized("PolicyId")},
	"DescribePolicy":                      {on: organized("PolicyId")},
	"DeletePolicy":                        {on: organized("PolicyId")},
	"ListTargetsForPolicy":                {on: organized("PolicyId")},
	"ListPoliciesForTarget":               {on: organized("TargetId")},
	"AttachPolicy":                        {on: organized("PolicyId", "TargetId")},
	"DetachPolicy":                        {on: organized("PolicyId", "TargetId")},
	"ListTagsForResource":                 {on: organized("ResourceId")},
	"TagResource":                         {on: organized("ResourceId")},
	"UntagResource":                       {on: organized("ResourceId")},
}

// organized returns the ARNs of what parameters name by id. Between account
// and id, ARNs have the organization's id, which no call says.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_arn-formats.html
func organized(params ...string) func(call) []string {
	return func(c call) []string {
		var out []string
		for _, p := range params {
			id := c.param(p)
			kind, _, _ := strings.Cut(id, "-")
			switch kind {
			case "r":
				out = append(out, organizationARN(c, "root/*/"+id))
			case "ou":
				out = append(out, organizationARN(c, "ou/*/"+id))
			case "p":
				out = append(out, organizationARN(c, "policy/*/*/"+id))
			default:
				out = append(out, organizationARN(c, "account/*/"+id))
			}
		}
		return out
	}
}

func newPolicy(c call) []string {
	return []string{organizationARN(c, "policy/*/"+strings.ToLower(c.param("Type"))+"/*")}
}

func organizationARN(c call, resource string) string {
	return "arn:aws:organizations::" + c.Account + ":" + resource
}
