package awstype

// The types of what an account's listing shows of identities.
const (
	IAMUserPolicy      = "aws:iam/userPolicy:UserPolicy"
	IAMGroupPolicy     = "aws:iam/groupPolicy:GroupPolicy"
	RolesAnywhereTrust = "aws:rolesanywhere/trustAnchor:TrustAnchor"
)

// The lists of an audit alone that several ways have in common.
const (
	listUsersPolicies = "policies of IAM users and groups"
	identityProviders = "IAM identity providers"
)

// identityWays: who may enter, and what an identity of the account may do elsewhere.
var identityWays = []Way{
	{
		ID: "role-trust", Title: "Trust policies of IAM roles",
		Source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html",
		Rules:  []string{"FH301", "FH302", "FH303"},
		Types:  []string{IAMRole},
		List:   roles,
		Ends:   []End{{Path: "assumeRolePolicy", Is: IsTrust, Kind: kindTrust}},
	},
	{
		ID: "role-policy", Title: "Inline policies of IAM roles",
		Source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html",
		Rules:  []string{"FH304"},
		Types:  []string{IAMRolePolicy}, Also: []string{IAMRole},
		List: roles,
		Ends: []End{{Path: "policy", Is: IsPermissions, Kind: kindPolicy}},
	},
	{
		ID: "managed-policy", Title: "The account's own managed policies",
		Source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html",
		Rules:  []string{"FH304"},
		Types:  []string{IAMPolicy},
		List:   "IAM policies",
		Ends:   []End{{Path: "policy", Is: IsPermissions, Kind: kindPolicy}},
	},
	{
		ID: "user-policy", Title: "Inline policies of IAM users and groups",
		Source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html",
		Rules:  []string{"FH304"},
		Types:  []string{IAMUserPolicy, IAMGroupPolicy},
		List:   listUsersPolicies,
		Calls:  []string{"iam:GetAccountAuthorizationDetails"},
		Ends:   []End{{Path: "policy", Is: IsPermissions, Kind: kindPolicy}},
	},
	{
		ID: "permission-set", Title: "Permission sets of IAM Identity Center",
		Source:   "https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_GetInlinePolicyForPermissionSet.html",
		Rules:    []string{"FH304"},
		Also:     []string{"aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy"},
		Unlisted: "permission sets are in the management account; in an org's account each is a role, whose policies are listed",
	},
	{
		ID: "identity-provider", Title: "OIDC and SAML identity providers",
		Source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviders.html",
		Rules:  []string{"FH306"},
		Types:  []string{IAMOIDCProvider, IAMSAMLProvider},
		List:   identityProviders,
		Ends:   []End{{Path: "url", Is: IsOutside, Kind: kindTrust}, {Path: "name", Is: IsOutside, Kind: kindTrust}},
	},
	{
		ID: "trust-anchor", Title: "Trust anchors of IAM Roles Anywhere",
		Source: "https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_ListTrustAnchors.html",
		Rules:  []string{"FH306"},
		Types:  []string{RolesAnywhereTrust},
		List:   "trust anchors",
		Calls:  []string{"rolesanywhere:ListTrustAnchors"},
		Ends:   []End{{Path: "name", Is: IsOutside, Kind: kindTrust}},
	},
	{
		ID: "cluster-access", Title: "Access entries of EKS clusters",
		Source: "https://docs.aws.amazon.com/eks/latest/APIReference/API_ListAccessEntries.html",
		Rules:  []string{"FH802"},
		Types:  []string{EKSAccessEntry, EKSAccessPolicyAssociation},
		List:   clusters,
		Ends:   []End{{Path: "principalArn", Is: IsPrincipal, Kind: kindGrant}},
	},
	{
		ID: "cluster-issuer", Title: "Identity providers of EKS clusters",
		Source: "https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeIdentityProviderConfig.html",
		Rules:  []string{"FH803"},
		Types:  []string{EKSIdentityProviderConfig},
		List:   clusters,
		Ends:   []End{{Path: "oidc.issuerUrl", Is: IsIssuer, Kind: kindTrust}},
	},
}

var keyWays = []Way{
	resourcePolicy("key-policy", "Policies of KMS keys", KMSKey, "policy", "KMS keys",
		"https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html").and(
		"aws:kms/keyPolicy:KeyPolicy", "aws:kms/externalKey:ExternalKey", "aws:kms/replicaKey:ReplicaKey", "aws:kms/replicaExternalKey:ReplicaExternalKey"),
	{
		ID: "key-grant", Title: "Grants of KMS keys",
		Source: "https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html",
		Rules:  []string{"FH307"},
		Types:  []string{KMSGrant},
		List:   "KMS keys",
		Ends:   []End{{Path: "granteePrincipal", Is: IsPrincipal, Kind: kindGrant}, {Path: "retiringPrincipal", Is: IsPrincipal, Kind: kindGrant}},
	},
}
