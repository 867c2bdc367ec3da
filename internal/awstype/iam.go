package awstype

// The types of identities and of what they are allowed.
const (
	IAMRole             = "aws:iam/role:Role"
	IAMServiceRole      = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
	IAMRolePolicy       = "aws:iam/rolePolicy:RolePolicy"
	IAMRoleAttachment   = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	IAMPolicy           = "aws:iam/policy:Policy"
	IAMInstanceProfile  = "aws:iam/instanceProfile:InstanceProfile"
	IAMUser             = "aws:iam/user:User"
	IAMGroup            = "aws:iam/group:Group"
	IAMOIDCProvider     = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
	IAMSAMLProvider     = "aws:iam/samlProvider:SamlProvider"
	roles               = "IAM roles"
	inlineOfRoles       = "iam:ListRolePolicies"
	attachedToRoles     = "iam:ListAttachedRolePolicies"
	profilesOfRoles     = "iam:ListInstanceProfilesForRole"
	removeFromProfile   = "iam:RemoveRoleFromInstanceProfile"
	detachRolePolicy    = "iam:DetachRolePolicy"
	deleteRolePolicy    = "iam:DeleteRolePolicy"
	someoneCouldEnterBy = "somebody could enter the account by one"
)

// iamRows: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
var iamRows = []Row{
	{
		Token:   IAMInstanceProfile,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html",
		Kinds:   []string{"iam/instance-profile"},
		By:      []string{"name"},
		Find:    "instance profile", List: "IAM instance profiles", Remove: "instance profile",
		Uses:    []string{IAMRole},
		Read:    []string{"iam:GetInstanceProfile"},
		Delete:  []string{"iam:DeleteInstanceProfile", removeFromProfile, "iam:GetInstanceProfile"},
		Look:    []string{"iam:ListInstanceProfiles"},
		Foreign: "EKS may leave one behind, which holds a node group's role",
	},
	{
		Token:   IAMRole,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html",
		Kinds:   []string{"iam/role"},
		By:      []string{"name"},
		Find:    "role", List: roles, Remove: "role",
		// A policy is not deleted while it is a role's boundary.
		Uses: []string{IAMPolicy},
		Make: []string{
			"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
			"iam:TagRole", "iam:UntagRole",
		},
		Read:   []string{"iam:GetRole", inlineOfRoles, attachedToRoles},
		Delete: []string{"iam:DeleteRole", profilesOfRoles},
		Look:   []string{"iam:ListRoles"},
		Ignore: []Property{
			{"inlinePolicies", "each is a resource of its own"},
			{"managedPolicyArns", "each attachment is a resource of its own"},
		},
	},
	{
		Token:   IAMRolePolicy,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html",
		By:      []string{"role", "name"},
		Find:    "role policy", List: roles, Remove: "role policy",
		PartOf: IAMRole,
		Make:   []string{"iam:PutRolePolicy"},
		Read:   []string{"iam:GetRolePolicy"},
		Delete: []string{deleteRolePolicy},
		Look:   []string{inlineOfRoles, "iam:GetRolePolicy"},
	},
	{
		Token:   IAMRoleAttachment,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html",
		By:      []string{"role", "policyArn"},
		Find:    "role attachment", List: roles, Remove: "role attachment",
		PartOf:     IAMRole,
		Make:       []string{"iam:AttachRolePolicy"},
		Read:       []string{attachedToRoles},
		Delete:     []string{detachRolePolicy},
		Look:       []string{attachedToRoles},
		Slot:       []string{"role", "policyArn"},
		Overwrites: true,
	},
	{
		Token:   IAMServiceRole,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html",
		By:      []string{"awsServiceName"},
		With:    []string{"customSuffix"},
		Find:    "service-linked role", List: roles,
		Read:    []string{"iam:ListRoles"},
		Look:    []string{"iam:ListRoles"},
		Foreign: "AWS's services make them, and an inventory shows them as AWS's",
	},
	{
		Token:   IAMUser,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html",
		Kinds:   []string{"iam/user"},
		List:    "IAM users", Remove: "user",
		Uses: []string{IAMGroup, IAMPolicy},
		Delete: []string{
			"iam:DeleteUser", "iam:DeleteLoginProfile", "iam:ListAccessKeys", "iam:DeleteAccessKey", "iam:ListSigningCertificates", "iam:DeleteSigningCertificate",
			"iam:ListMFADevices", "iam:DeactivateMFADevice", "iam:ListAttachedUserPolicies", "iam:DetachUserPolicy", "iam:ListUserPolicies", "iam:DeleteUserPolicy",
			"iam:ListGroupsForUser", "iam:RemoveUserFromGroup",
		},
		Look:    []string{"iam:ListUsers"},
		Foreign: someoneCouldEnterBy,
	},
	{
		Token:   IAMGroup,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html",
		Kinds:   []string{"iam/group"},
		List:    "IAM groups", Remove: "group",
		Uses: []string{IAMPolicy},
		Delete: []string{
			"iam:DeleteGroup", "iam:GetGroup", "iam:RemoveUserFromGroup", "iam:ListAttachedGroupPolicies", "iam:DetachGroupPolicy",
			"iam:ListGroupPolicies", "iam:DeleteGroupPolicy",
		},
		Look:    []string{"iam:ListGroups"},
		Foreign: someoneCouldEnterBy,
	},
	{
		Token:   IAMPolicy,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html",
		Kinds:   []string{"iam/policy"},
		By:      []string{"name"},
		Find:    "policy", List: "IAM policies", Remove: "policy",
		// IAM keeps five versions: the provider makes room first.
		Make:   []string{"iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:TagPolicy", "iam:UntagPolicy"},
		Read:   []string{"iam:ListPolicies", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions"},
		Delete: []string{"iam:DeletePolicy", "iam:DeletePolicyVersion"},
		Look:   []string{"iam:ListPolicies"},
	},
	{
		Token:   IAMOIDCProvider,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteOpenIDConnectProvider.html",
		Kinds:   []string{"iam/oidc-provider"},
		By:      []string{"url"},
		Find:    "OIDC provider", List: "IAM identity providers", Remove: "OIDC provider",
		Read:    []string{"iam:ListOpenIDConnectProviders"},
		Delete:  []string{"iam:DeleteOpenIDConnectProvider"},
		Look:    []string{"iam:ListOpenIDConnectProviders"},
		Foreign: someoneCouldEnterBy,
	},
	{
		Token:   IAMSAMLProvider,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteSAMLProvider.html",
		Kinds:   []string{"iam/saml-provider"},
		List:    "IAM identity providers", Remove: "SAML provider",
		Delete:  []string{"iam:DeleteSAMLProvider"},
		Look:    []string{"iam:ListSAMLProviders"},
		Foreign: someoneCouldEnterBy,
	},
}
