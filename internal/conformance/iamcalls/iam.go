package iamcalls

import "strings"

// iamOperations follow
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
var iamOperations = map[string]rule{
	"CreateRole":                    {on: iamRole, with: bounded, tags: "iam:TagRole"},
	"GetRole":                       {on: iamRole},
	"UpdateRole":                    {on: iamRole},
	"UpdateRoleDescription":         {on: iamRole},
	"UpdateAssumeRolePolicy":        {on: iamRole},
	"DeleteRole":                    {on: iamRole},
	"ListRoles":                     {},
	"TagRole":                       {on: iamRole},
	"UntagRole":                     {on: iamRole},
	"ListRoleTags":                  {on: iamRole},
	"PutRolePermissionsBoundary":    {on: iamRole, with: bounded},
	"DeleteRolePermissionsBoundary": {on: iamRole},

	"PutRolePolicy":            {on: iamRole},
	"GetRolePolicy":            {on: iamRole},
	"DeleteRolePolicy":         {on: iamRole},
	"ListRolePolicies":         {on: iamRole},
	"AttachRolePolicy":         {on: iamRole, with: attached},
	"DetachRolePolicy":         {on: iamRole, with: attached},
	"ListAttachedRolePolicies": {on: iamRole},

	"CreatePolicy":            {on: iamNewPolicy, tags: "iam:TagPolicy"},
	"GetPolicy":               {on: iamPolicy},
	"DeletePolicy":            {on: iamPolicy},
	"CreatePolicyVersion":     {on: iamPolicy},
	"GetPolicyVersion":        {on: iamPolicy},
	"DeletePolicyVersion":     {on: iamPolicy},
	"SetDefaultPolicyVersion": {on: iamPolicy},
	"ListPolicyVersions":      {on: iamPolicy},
	"ListPolicyTags":          {on: iamPolicy},
	"ListEntitiesForPolicy":   {on: iamPolicy},
	"ListPolicies":            {},
	"TagPolicy":               {on: iamPolicy},
	"UntagPolicy":             {on: iamPolicy},

	"GetInstanceProfile":            {on: iamProfile},
	"DeleteInstanceProfile":         {on: iamProfile},
	"RemoveRoleFromInstanceProfile": {on: iamProfile},
	"ListInstanceProfiles":          {},
	"ListInstanceProfilesForRole":   {on: iamRole},

	"CreateServiceLinkedRole": {
		on: func(c call) []string {
			return []string{"arn:aws:iam::" + c.Account + ":role/aws-service-role/" + c.param("AWSServiceName") + "/*"}
		},
		with: func(c call) map[string]string {
			return map[string]string{"iam:AWSServiceName": c.param("AWSServiceName")}
		},
	},
	"GetAccountPasswordPolicy":    {},
	"UpdateAccountPasswordPolicy": {},
	"DeleteAccountPasswordPolicy": {},
	"GetAccountSummary":           {},
	"ListAccountAliases":          {},
}

// iamIdentities are what Freehold never makes, and finds and takes away where
// somebody did.
var iamIdentities = map[string]rule{
	"ListUsers":                  {},
	"GetUser":                    {on: iamUser},
	"DeleteUser":                 {on: iamUser},
	"ListAccessKeys":             {on: iamUser},
	"DeleteAccessKey":            {on: iamUser},
	"ListMFADevices":             {on: iamUser},
	"DeactivateMFADevice":        {on: iamUser},
	"ListSigningCertificates":    {on: iamUser},
	"DeleteSigningCertificate":   {on: iamUser},
	"ListGroupsForUser":          {on: iamUser},
	"ListUserPolicies":           {on: iamUser},
	"DeleteUserPolicy":           {on: iamUser},
	"ListAttachedUserPolicies":   {on: iamUser},
	"DetachUserPolicy":           {on: iamUser, with: attached},
	"DeleteLoginProfile":         {on: iamUser},
	"ListGroups":                 {},
	"GetGroup":                   {on: iamGroup},
	"DeleteGroup":                {on: iamGroup},
	"RemoveUserFromGroup":        {on: iamGroup},
	"ListGroupPolicies":          {on: iamGroup},
	"DeleteGroupPolicy":          {on: iamGroup},
	"ListAttachedGroupPolicies":  {on: iamGroup},
	"DetachGroupPolicy":          {on: iamGroup, with: attached},
	"ListOpenIDConnectProviders": {},
	"DeleteOpenIDConnectProvider": {on: func(c call) []string {
		return []string{c.param("OpenIDConnectProviderArn")}
	}},
	"ListSAMLProviders":  {},
	"DeleteSAMLProvider": {on: func(c call) []string { return []string{c.param("SAMLProviderArn")} }},
}

// iamRole is the role that a call names. Only CreateRole says a path: the
// paths of other roles are IAM's to know, and Freehold's roles have none.
func iamRole(c call) []string {
	return []string{iamARN(c, "role", c.param("RoleName"))}
}

func iamNewPolicy(c call) []string { return []string{iamARN(c, "policy", c.param("PolicyName"))} }

func iamPolicy(c call) []string { return []string{c.param("PolicyArn")} }

func iamProfile(c call) []string {
	return []string{iamARN(c, "instance-profile", c.param("InstanceProfileName"))}
}

func iamUser(c call) []string { return []string{iamARN(c, "user", c.param("UserName"))} }

func iamGroup(c call) []string { return []string{iamARN(c, "group", c.param("GroupName"))} }

func iamARN(c call, kind, name string) string {
	path := strings.TrimPrefix(c.param("Path"), "/")
	return "arn:aws:iam::" + c.Account + ":" + kind + "/" + path + name
}

func bounded(c call) map[string]string {
	if b := c.param("PermissionsBoundary"); b != "" {
		return map[string]string{"iam:PermissionsBoundary": b}
	}
	return nil
}

func attached(c call) map[string]string {
	return map[string]string{"iam:PolicyARN": c.param("PolicyArn")}
}

// stsOperations follow
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
var stsOperations = map[string]rule{
	"AssumeRole": {
		on: func(c call) []string { return []string{c.param("RoleArn")} },
		with: func(c call) map[string]string {
			out := map[string]string{"sts:RoleSessionName": c.param("RoleSessionName")}
			if id := c.param("ExternalId"); id != "" {
				out["sts:ExternalId"] = id
			}
			return out
		},
		tags: "sts:TagSession",
	},
	// Whoever has credentials may ask whose they are, and no policy can deny it.
	// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
	"GetCallerIdentity": {free: true},
}
