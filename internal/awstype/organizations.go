package awstype

// The types of what the management account has for an org.
const (
	OrganizationsAccount    = "aws:organizations/account:Account"
	OrganizationsUnit       = "aws:organizations/organizationalUnit:OrganizationalUnit"
	OrganizationsPolicy     = "aws:organizations/policy:Policy"
	OrganizationsAttachment = "aws:organizations/policyAttachment:PolicyAttachment"
)

const (
	inManagement = "inventories are of an org's own account"
	orgTag       = "organizations:TagResource"
	orgUntag     = "organizations:UntagResource"
	orgTags      = "organizations:ListTagsForResource"
)

// organizationRows: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
var organizationRows = []Row{
	{
		Token:   OrganizationsAccount,
		Service: "organizations",
		Source:  "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html",
		Quota:   "organizations/L-29A0C5DF",
		By:      []string{"email"},
		With:    []string{"name", Tags},
		Find:    "account", Unlisted: inManagement,
		Make: []string{
			"organizations:CreateAccount", "organizations:DescribeCreateAccountStatus", "organizations:MoveAccount", orgTag, orgUntag,
		},
		Read:   []string{"organizations:ListAccounts", "organizations:ListCreateAccountStatus", "organizations:DescribeAccount", "organizations:ListParents", orgTags},
		Delete: []string{"organizations:CloseAccount"},
	},
	{
		Token:   OrganizationsUnit,
		Service: "organizations",
		Source:  "https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html",
		By:      []string{"parentId", "name"},
		Find:    "organizational unit", Unlisted: inManagement,
		Read:    []string{"organizations:ListOrganizationalUnitsForParent"},
		Foreign: "a program of the operator's may make one",
	},
	{
		Token:   OrganizationsPolicy,
		Service: "organizations",
		Source:  "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html",
		By:      []string{"name"},
		With:    []string{"type"},
		Find:    "organization policy", Unlisted: inManagement,
		Make:   []string{"organizations:CreatePolicy", "organizations:UpdatePolicy", orgTag, orgUntag},
		Read:   []string{"organizations:ListPolicies", "organizations:DescribePolicy", orgTags},
		Delete: []string{"organizations:DeletePolicy"},
	},
	{
		Token:   OrganizationsAttachment,
		Service: "organizations",
		Source:  "https://docs.aws.amazon.com/organizations/latest/APIReference/API_AttachPolicy.html",
		By:      []string{"policyId", "targetId"},
		Find:    "organization policy attachment", Unlisted: inManagement,
		Make:   []string{"organizations:AttachPolicy"},
		Read:   []string{"organizations:ListTargetsForPolicy"},
		Delete: []string{"organizations:DetachPolicy"},
		Slot:   []string{"policyId", "targetId"},
	},
}
