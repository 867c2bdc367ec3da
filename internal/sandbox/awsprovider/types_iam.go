package awsprovider

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"

	"freehold.dev/freehold/internal/sandbox/store"
)

const (
	policyToken          = "aws:iam/policy:Policy"
	rolePolicyToken      = "aws:iam/rolePolicy:RolePolicy"
	instanceProfileToken = "aws:iam/instanceProfile:InstanceProfile"
)

var (
	iamName = regexp.MustCompile(`^[\w+=,.@-]+$`)
	iamPath = regexp.MustCompile(`^/([!-~]+/)?$`)
)

// iamTypes have no region. Quotas and lengths:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
var iamTypes = []*Type{
	{
		Token:   roleToken,
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html",
		Args:    iam.RoleArgs{},
		State:   iam.Role{},
		Noun:    "IAM Role",
		Service: "iam",
		API: API{
			Create: "CreateRole", Read: "GetRole", Update: "UpdateRole", Delete: "DeleteRole",
			Updates: map[string]string{
				"assumeRolePolicy":    "UpdateAssumeRolePolicy",
				"permissionsBoundary": "PutRolePermissionsBoundary",
				"inlinePolicies":      "PutRolePolicy",
				"managedPolicyArns":   "AttachRolePolicy",
				"tags":                "TagRole",
			},
		},
		Global:   true,
		ID:       "{name}",
		ARN:      "arn:aws:iam::{account}:role{path}{name}",
		Name:     Name{Property: "name", Prefix: "namePrefix", Max: 64},
		Tags:     true,
		Required: []string{"assumeRolePolicy"},
		Defaults: map[string]any{"path": "/", "maxSessionDuration": 3600.0, "forceDetachPolicies": false},
		Outputs:  map[string]string{"uniqueId": "AROA{upper:17}", "createDate": "{now}"},
		Computed: []string{"managedPolicyArns", "inlinePolicies"},
		Fields: map[string][]Rule{
			"name":                   {length(1, 64), match(iamName)},
			"path":                   {length(1, 512), match(iamPath)},
			"description":            {length(0, 1000)},
			"maxSessionDuration":     {between(3600, 43200)},
			"permissionsBoundary":    {isARN("iam")},
			"managedPolicyArns[*]":   {isARN("iam")},
			"inlinePolicies[*].name": {length(1, 128), match(iamName)},
		},
		Policies: map[string]Grammar{"assumeRolePolicy": trustPolicy, "inlinePolicies[*].policy": inlinePolicy},
		Unique: []Unique{{
			Scope: PerAccount, Key: "role/{name|lower}",
			Error: "EntityAlreadyExists: Role with name {name} already exists.",
		}},
		Refs: []Ref{
			{Path: "permissionsBoundary", To: []string{policyToken}, By: []string{"arn"}, Known: managedPolicy,
				Error: "NoSuchEntity: Scope ARN: {value} does not exist or is not attachable."},
			{Path: "managedPolicyArns[*]", To: []string{policyToken}, By: []string{"arn"}, Known: managedPolicy,
				Error: "NoSuchEntity: Policy {value} does not exist or is not attachable."},
		},
		Quota:   &Quota{Scope: PerAccount, Name: "iam:roles", Limit: 1000, Error: "LimitExceeded: Cannot exceed quota for RolesPerAccount: {limit}"},
		Replace: []string{"name", "namePrefix", "path"},
		Blocks: []Block{
			{Link: Link{Type: attachmentToken, Path: "role", Value: "{name}"}, Unless: "forceDetachPolicies",
				Error: "DeleteConflict: Cannot delete entity, must detach all policies first."},
			{Link: Link{Type: rolePolicyToken, Path: "role", Value: "{name}"}, Unless: "forceDetachPolicies",
				Error: "DeleteConflict: Cannot delete entity, must delete policies first."},
		},
		Check:   roleIsFree,
		Deleted: leaveProfiles,
	},
	{
		Token:   policyToken,
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html",
		Args:    iam.PolicyArgs{},
		State:   iam.Policy{},
		Noun:    "IAM Policy",
		Service: "iam",
		API: API{
			Create: "CreatePolicy", Read: "GetPolicy", Update: "CreatePolicyVersion", Delete: "DeletePolicy",
			Updates: map[string]string{"tags": "TagPolicy"},
		},
		Global:   true,
		ID:       "arn:aws:iam::{account}:policy{path}{name}",
		ARN:      "arn:aws:iam::{account}:policy{path}{name}",
		Name:     Name{Property: "name", Prefix: "namePrefix", Max: 128},
		Tags:     true,
		Required: []string{"policy"},
		Defaults: map[string]any{"path": "/", "attachmentCount": 0.0},
		Outputs:  map[string]string{"policyId": "ANPA{upper:17}"},
		Fields: map[string][]Rule{
			"name":        {length(1, 128), match(iamName)},
			"path":        {length(1, 512), match(iamPath)},
			"description": {length(0, 1000)},
		},
		Policies: map[string]Grammar{"policy": identityPolicy},
		Unique: []Unique{{
			Scope: PerAccount, Key: "policy/{name|lower}",
			Error: "EntityAlreadyExists: A policy called {name} already exists. Duplicate names are not allowed.",
		}},
		Quota:   &Quota{Scope: PerAccount, Name: "iam:policies", Limit: 1500, Error: "LimitExceeded: Cannot exceed quota for PoliciesPerAccount: {limit}"},
		Replace: []string{"name", "namePrefix", "path", "description"},
		Blocks: []Block{
			{Link: Link{Type: attachmentToken, Path: "policyArn", Value: "{arn}"}, Error: "DeleteConflict: Cannot delete a policy attached to entities."},
			{Link: Link{Type: roleToken, Path: "managedPolicyArns[*]", Value: "{arn}"}, Error: "DeleteConflict: Cannot delete a policy attached to entities."},
			{Link: Link{Type: roleToken, Path: "permissionsBoundary", Value: "{arn}"}, Error: "DeleteConflict: Cannot delete a policy that is the permissions boundary of {other}."},
		},
	},
	{
		Token:    rolePolicyToken,
		Source:   "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html",
		Args:     iam.RolePolicyArgs{},
		State:    iam.RolePolicy{},
		Noun:     "IAM Role Policy",
		Service:  "iam",
		API:      API{Create: "PutRolePolicy", Read: "GetRolePolicy", Update: "PutRolePolicy", Delete: "DeleteRolePolicy"},
		Global:   true,
		ID:       "{role}:{name}",
		Name:     Name{Property: "name", Prefix: "namePrefix", Max: 128},
		Upsert:   true,
		Required: []string{"role", "policy"},
		Fields:   map[string][]Rule{"name": {length(1, 128), match(iamName)}, "role": {length(1, 128), match(iamName)}},
		Policies: map[string]Grammar{"policy": inlinePolicy},
		Refs:     []Ref{roleByName("role")},
		Replace:  []string{"name", "namePrefix", "role"},
		Check:    inlineFits,
	},
	{
		Token:    attachmentToken,
		Source:   "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html",
		Args:     iam.RolePolicyAttachmentArgs{},
		State:    iam.RolePolicyAttachment{},
		Noun:     "IAM Role Policy Attachment",
		Service:  "iam",
		API:      API{Create: "AttachRolePolicy", Read: "ListAttachedRolePolicies", Delete: "DetachRolePolicy"},
		Global:   true,
		ID:       "{role}/{policyArn}",
		Upsert:   true, // attaching what is attached is no error
		Required: []string{"role"},
		Fields:   map[string][]Rule{"policyArn": {isARN("iam")}},
		Refs: []Ref{
			roleByName("role"),
			{Path: "policyArn", To: []string{policyToken}, By: []string{"arn"}, Known: managedPolicy,
				Error: "NoSuchEntity: Policy {value} does not exist or is not attachable."},
		},
		Check: attachmentFits,
	},
	{
		Token:    instanceProfileToken,
		Source:   "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html",
		Args:     iam.InstanceProfileArgs{},
		State:    iam.InstanceProfile{},
		Noun:     "IAM Instance Profile",
		Service:  "iam",
		API:      API{Create: "CreateInstanceProfile", Read: "GetInstanceProfile", Update: "AddRoleToInstanceProfile", Delete: "DeleteInstanceProfile", Updates: map[string]string{"tags": "TagInstanceProfile"}},
		Global:   true,
		ID:       "{name}",
		ARN:      "arn:aws:iam::{account}:instance-profile{path}{name}",
		Name:     Name{Property: "name", Prefix: "namePrefix", Max: 128},
		Tags:     true,
		Defaults: map[string]any{"path": "/"},
		Outputs:  map[string]string{"uniqueId": "AIPA{upper:17}", "createDate": "{now}"},
		Fields:   map[string][]Rule{"name": {length(1, 128), match(iamName)}, "path": {length(1, 512), match(iamPath)}},
		Unique: []Unique{{Scope: PerAccount, Key: "instance-profile/{name|lower}",
			Error: "EntityAlreadyExists: Instance Profile {name} already exists."}},
		Refs:    []Ref{roleByName("role")},
		Replace: []string{"name", "namePrefix", "path"},
	},
	{
		Token:    "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
		Source:   "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html",
		Args:     iam.OpenIdConnectProviderArgs{},
		State:    iam.OpenIdConnectProvider{},
		Noun:     "IAM OIDC Provider",
		Service:  "iam",
		API:      API{Create: "CreateOpenIDConnectProvider", Read: "GetOpenIDConnectProvider", Update: "UpdateOpenIDConnectProviderThumbprint", Delete: "DeleteOpenIDConnectProvider", Updates: map[string]string{"clientIdLists": "AddClientIDToOpenIDConnectProvider", "tags": "TagOpenIDConnectProvider"}},
		Global:   true,
		ID:       "arn:aws:iam::{account}:oidc-provider/{url|nohttps}",
		ARN:      "arn:aws:iam::{account}:oidc-provider/{url|nohttps}",
		Tags:     true,
		Required: []string{"clientIdLists"},
		Fields: map[string][]Rule{
			"url":                {length(1, 255), match(regexp.MustCompile(`^https://[^\s?#]+$`))},
			"clientIdLists":      {count(1, 100)},
			"clientIdLists[*]":   {length(1, 255)},
			"thumbprintLists":    {count(0, 5)},
			"thumbprintLists[*]": {match(regexp.MustCompile(`^[0-9a-fA-F]{40}$`))},
		},
		Unique: []Unique{{Scope: PerAccount, Key: "oidc/{url|nohttps}",
			Error: "EntityAlreadyExists: Provider with url {url} already exists."}},
		Quota:   &Quota{Scope: PerAccount, Name: "iam:oidc-providers", Limit: 100, Error: "LimitExceeded: Cannot exceed quota for OpenIdConnectProvidersPerAccount: {limit}"},
		Replace: []string{"url"},
		Created: func(c *Call) error {
			// AWS fetches the certificate of the issuer itself when none is given.
			if c.In["thumbprintLists"] == nil {
				c.Out["thumbprintLists"] = []any{generate("hex:40", c.ARN)}
			}
			return nil
		},
		Computed: []string{"thumbprintLists"},
	},
	{
		Token:   "aws:iam/accountPasswordPolicy:AccountPasswordPolicy",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html",
		Args:    iam.AccountPasswordPolicyArgs{},
		State:   iam.AccountPasswordPolicy{},
		Noun:    "IAM Account Password Policy",
		Service: "iam",
		API:     API{Create: "UpdateAccountPasswordPolicy", Read: "GetAccountPasswordPolicy", Update: "UpdateAccountPasswordPolicy", Delete: "DeleteAccountPasswordPolicy"},
		Global:  true,
		ID:      "iam-account-password-policy",
		Upsert:  true,
		Defaults: map[string]any{
			"allowUsersToChangePassword": true, "minimumPasswordLength": 6.0, "hardExpiry": false, "maxPasswordAge": 0.0,
			"passwordReusePrevention": 0.0, "expirePasswords": false, "requireLowercaseCharacters": false, "requireNumbers": false,
			"requireSymbols": false, "requireUppercaseCharacters": false,
		},
		Fields: map[string][]Rule{
			"maxPasswordAge": {between(0, 1095)}, "minimumPasswordLength": {between(6, 128)}, "passwordReusePrevention": {between(0, 24)},
		},
		Created: expires, Updated: expires,
	},
	{
		Token:   "aws:iam/serviceLinkedRole:ServiceLinkedRole",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html",
		Args:    iam.ServiceLinkedRoleArgs{},
		State:   iam.ServiceLinkedRole{},
		Noun:    "IAM Service Linked Role",
		Service: "iam",
		API:     API{Create: "CreateServiceLinkedRole", Read: "GetRole", Update: "UpdateRole", Delete: "DeleteServiceLinkedRole", Updates: map[string]string{"tags": "TagRole"}},
		Global:  true,
		ID:      "arn:aws:iam::{account}:role/aws-service-role/{awsServiceName}/AWSServiceRoleFor{awsServiceName|service}",
		ARN:     "arn:aws:iam::{account}:role/aws-service-role/{awsServiceName}/AWSServiceRoleFor{awsServiceName|service}",
		Tags:    true,
		Outputs: map[string]string{
			"name": "AWSServiceRoleFor{awsServiceName|service}", "path": "/aws-service-role/{awsServiceName}/", "uniqueId": "AROA{upper:17}", "createDate": "{now}",
		},
		Fields: map[string][]Rule{"awsServiceName": {match(servicePrincipal)}},
		Unique: []Unique{{Scope: PerAccount, Key: "role/awsservicerolefor{awsServiceName|service}",
			Error: "InvalidInput: Service role name AWSServiceRoleFor{awsServiceName|service} has been taken in this account, please try a different suffix."}},
		Replace: []string{"awsServiceName", "customSuffix"},
	},
}

func roleByName(path string) Ref {
	return Ref{Path: path, To: []string{roleToken}, By: []string{"name"}, Error: "NoSuchEntity: The role with name {value} cannot be found."}
}

// roleIsFree refuses a name that a service-linked role has: both are roles.
func roleIsFree(c *Call) error {
	if c.Verb == Creating && strings.HasPrefix(c.String("name"), "AWSServiceRoleFor") {
		return errf("InvalidInput", "%s is not a name that a role of yours can have", c.String("name"))
	}
	return nil
}

// leaveProfiles takes a role that goes out of its instance profiles, as the
// genuine provider does before it deletes one; policies stand in its way.
func leaveProfiles(c *Call) error {
	profiles, err := c.List(instanceProfileToken)
	if err != nil {
		return err
	}
	for _, p := range profiles {
		if text(p.Outputs["role"]) != c.String("name") {
			continue
		}
		delete(p.Outputs, "role")
		if err := rewrite(c.Tx, p); err != nil {
			return err
		}
	}
	return nil
}

// inlineFits holds the aggregate size of a role's inline policies.
func inlineFits(c *Call) error {
	rows, err := c.List(rolePolicyToken)
	if err != nil {
		return err
	}
	size := unspaced(c.String("policy"))
	for _, r := range rows {
		if r.ID != c.ID && text(r.Outputs["role"]) == c.String("role") {
			size += unspaced(text(r.Outputs["policy"]))
		}
	}
	if size > inlinePolicy.limit {
		return errf("LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", inlinePolicy.limit, c.String("role"))
	}
	return nil
}

// attachmentFits holds the number of managed policies on a role.
func attachmentFits(c *Call) error {
	rows, err := c.List(attachmentToken)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r store.Row) bool { return r.ID == c.ID || text(r.Outputs["role"]) != c.String("role") })
	if len(rows) >= 10 {
		return errf("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")
	}
	return nil
}

func expires(c *Call) error {
	age, _ := c.Out["maxPasswordAge"].(float64)
	c.Out["expirePasswords"] = age > 0
	return nil
}

// managedPolicies exist in every account.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
var managedPolicies = []string{
	"AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit", "IAMFullAccess", "IAMReadOnlyAccess", "AWSSupportAccess",
	"job-function/ViewOnlyAccess", "job-function/SupportUser",
	"AmazonEKSClusterPolicy", "AmazonEKSWorkerNodePolicy", "AmazonEKSWorkerNodeMinimalPolicy", "AmazonEKS_CNI_Policy", "AmazonEKSServicePolicy",
	"AmazonEKSVPCResourceController", "AmazonEKSComputePolicy", "AmazonEKSBlockStoragePolicy", "AmazonEKSLoadBalancingPolicy",
	"AmazonEKSNetworkingPolicy", "AmazonEKSFargatePodExecutionRolePolicy",
	"AmazonEC2ContainerRegistryReadOnly", "AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryPowerUser",
	"AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy", "AmazonS3ReadOnlyAccess", "AmazonS3FullAccess", "AmazonEC2FullAccess", "AmazonEC2ReadOnlyAccess", "AmazonVPCFullAccess",
	"AmazonSSMReadOnlyAccess", "AmazonDynamoDBReadOnlyAccess", "AmazonDynamoDBFullAccess", "AmazonSQSReadOnlyAccess", "AmazonSQSFullAccess",
	"AmazonSNSReadOnlyAccess", "AmazonSNSFullAccess", "SecretsManagerReadWrite", "CloudWatchReadOnlyAccess",
	"service-role/AmazonEBSCSIDriverPolicy", "service-role/AmazonEFSCSIDriverPolicy", "service-role/AWSConfigRole",
}

func managedPolicy(arn string) bool {
	name, ok := strings.CutPrefix(arn, "arn:aws:iam::aws:policy/")
	return ok && slices.Contains(managedPolicies, name)
}
