package awsprovider

import (
	"regexp"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/organizations"

	"freehold.dev/freehold/internal/sandbox/store"
)

const (
	unitToken            = "aws:organizations/organizationalUnit:OrganizationalUnit"
	organizationPolicy   = "aws:organizations/policy:Policy"
	organizationAttached = "aws:organizations/policyAttachment:PolicyAttachment"
	serviceControlType   = "SERVICE_CONTROL_POLICY"
	resourceControlType  = "RESOURCE_CONTROL_POLICY"
	fullAccess           = "p-FullAWSAccess"
	// VendedRole is the role that AWS makes in each account of the organization.
	VendedRole = "OrganizationAccountAccessRole"
)

// organizationsTypes live in the management account.
// Quotas: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
var organizationsTypes = []*Type{
	{
		Token:   accountToken,
		Source:  "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html",
		Args:    organizations.AccountArgs{},
		State:   organizations.Account{},
		Noun:    "AWS Organizations Account",
		Service: "organizations",
		API: API{
			Create: "CreateAccount", Read: "DescribeAccount", Update: "DescribeAccount", Delete: "CloseAccount",
			Updates: map[string]string{"name": "PutAccountName", "parentId": "MoveAccount", "tags": "TagResource"},
		},
		// Closing was measured at 10m18 and 10m46 (hashicorp/terraform-provider-aws#46284).
		Takes:      Takes{Create: 60 * time.Second, Delete: 10 * time.Minute},
		Global:     true,
		Management: true,
		ID:         "{digits:12}",
		ARN:        "arn:aws:organizations::{account}:account/" + OrganizationID + "/{id}",
		Name:       Name{Property: "name", Max: 50},
		Tags:       true,
		Defaults:   map[string]any{"parentId": RootID, "status": active, "joinedMethod": "CREATED"},
		Outputs:    map[string]string{"joinedTimestamp": "{now}"},
		Fields: map[string][]Rule{
			"name":                   {length(1, 50), match(regexp.MustCompile(`^[ -~]+$`))},
			"email":                  {length(6, 64), match(regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`))},
			"iamUserAccessToBilling": {oneOf("ALLOW", "DENY")},
			"parentId":               {match(parentPattern)},
			"roleName":               {length(1, 64), match(iamName)},
		},
		Unique: []Unique{{
			Scope: AllOfAWS, Key: "email/{email|lower}",
			Error: "EMAIL_ALREADY_EXISTS: creating the account failed: an account with the e-mail {email} exists",
		}},
		Refs: []Ref{{Path: "parentId", To: []string{unitToken}, By: []string{"id"}, Known: isRoot,
			Error: "ParentNotFoundException: You specified parent {value} that doesn't exist."}},
		Quota: &Quota{Scope: PerAccount, Name: "organizations:accounts", Limit: 10,
			Error: "ConstraintViolationException: You have exceeded the allowed number of AWS accounts ({limit})."},
		Replace: []string{"email", "roleName", "iamUserAccessToBilling", "createGovcloud"},
		Created: vended,
		Refuse: func(c *Call) error {
			if c.Bool("closeOnDeletion") {
				return nil
			}
			return errf("ConstraintViolationException", "The member account is missing one or more of the prerequisites required to operate as a standalone account.")
		},
		// A closed account stays, and so does its e-mail's being taken.
		Retires: true,
		Deleted: func(c *Call) error { c.Out["status"] = suspended; return nil },
	},
	{
		Token:      unitToken,
		Source:     "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganizationalUnit.html",
		Args:       organizations.OrganizationalUnitArgs{},
		State:      organizations.OrganizationalUnit{},
		Noun:       "AWS Organizations Organizational Unit",
		Service:    "organizations",
		API:        API{Create: "CreateOrganizationalUnit", Read: "DescribeOrganizationalUnit", Update: "UpdateOrganizationalUnit", Delete: "DeleteOrganizationalUnit"},
		Global:     true,
		Management: true,
		ID:         "ou-fh01-{hex:8}",
		ARN:        "arn:aws:organizations::{account}:ou/" + OrganizationID + "/{id}",
		Name:       Name{Property: "name", Max: 128},
		Tags:       true,
		Fields:     map[string][]Rule{"name": {length(1, 128)}, "parentId": {match(parentPattern)}},
		Unique: []Unique{{Scope: PerAccount, Key: "unit/{parentId}/{name}",
			Error: "DuplicateOrganizationalUnitException: An OU with the same name already exists."}},
		Refs: []Ref{{Path: "parentId", To: []string{unitToken}, By: []string{"id"}, Known: isRoot,
			Error: "ParentNotFoundException: You specified parent {value} that doesn't exist."}},
		Quota:   &Quota{Scope: PerAccount, Name: "organizations:units", Limit: 2000, Error: "ConstraintViolationException: You have exceeded the number of OUs ({limit})."},
		Replace: []string{"parentId"},
		Blocks: []Block{
			{Link: Link{Type: accountToken, Path: "parentId"}, Error: "OrganizationalUnitNotEmptyException: The specified organizational unit isn't empty: {other} is in it."},
			{Link: Link{Type: unitToken, Path: "parentId"}, Error: "OrganizationalUnitNotEmptyException: The specified organizational unit isn't empty: {other} is in it."},
		},
		Created: func(c *Call) error { c.Out["accounts"] = []any{}; return nil },
	},
	{
		Token:      organizationPolicy,
		Source:     "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html",
		Args:       organizations.PolicyArgs{},
		State:      organizations.Policy{},
		Noun:       "Organizations Policy",
		Service:    "organizations",
		API:        API{Create: "CreatePolicy", Read: "DescribePolicy", Update: "UpdatePolicy", Delete: "DeletePolicy", Updates: map[string]string{"tags": "TagResource"}},
		Global:     true,
		Management: true,
		ID:         "p-{hex:10}",
		ARN:        "arn:aws:organizations::{account}:policy/" + OrganizationID + "/{type|lower}/{id}",
		Name:       Name{Property: "name", Max: 128},
		Tags:       true,
		Defaults:   map[string]any{"type": serviceControlType},
		Fields: map[string][]Rule{
			"name":        {length(1, 128)},
			"description": {length(0, 512)},
			"type": {oneOf(serviceControlType, resourceControlType, "TAG_POLICY", "BACKUP_POLICY", "AISERVICES_OPT_OUT_POLICY",
				"CHATBOT_POLICY", "DECLARATIVE_POLICY_EC2", "SECURITYHUB_POLICY")},
		},
		Policies: map[string]Grammar{"content": {choose: byPolicyType}},
		Unique: []Unique{{Scope: PerAccount, Key: "policy/{type}/{name}",
			Error: "DuplicatePolicyException: A policy with the same name already exists."}},
		Replace: []string{"type"},
		Blocks: []Block{{Link: Link{Type: organizationAttached, Path: "policyId"},
			Error: "PolicyInUseException: The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation."}},
	},
	{
		Token:      organizationAttached,
		Source:     "https://docs.aws.amazon.com/organizations/latest/APIReference/API_AttachPolicy.html",
		Args:       organizations.PolicyAttachmentArgs{},
		State:      organizations.PolicyAttachment{},
		Noun:       "Organizations Policy Attachment",
		Service:    "organizations",
		API:        API{Create: "AttachPolicy", Read: "ListTargetsForPolicy", Delete: "DetachPolicy", Updates: map[string]string{"skipDestroy": "ListTargetsForPolicy"}},
		Global:     true,
		Management: true,
		ID:         "{targetId}:{policyId}",
		Unique: []Unique{{Scope: PerAccount, Key: "attached/{targetId}/{policyId}",
			Error: "DuplicatePolicyAttachmentException: The selected policy is already attached to the specified target."}},
		Refs: []Ref{
			{Path: "policyId", To: []string{organizationPolicy}, By: []string{"id"}, Known: func(v string) bool { return v == fullAccess },
				Error: "PolicyNotFoundException: You specified a policy that doesn't exist: {value}."},
			{Path: "targetId", To: []string{accountToken, unitToken}, By: []string{"id"}, Known: isRoot,
				Error: "TargetNotFoundException: You specified a target that doesn't exist: {value}."},
		},
		Check: attachable,
	},
}

var parentPattern = regexp.MustCompile(`^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$`)

func isRoot(value string) bool { return value == RootID || value == ManagementAccount }

// byPolicyType is the grammar of a policy's type.
func byPolicyType(c *Call) Grammar {
	switch c.String("type") {
	case serviceControlType:
		return servicePolicy
	case resourceControlType:
		return resourceControlPolicy
	default:
		return Grammar{name: "policy", limit: 10000, spaces: true, free: true, malformed: "MalformedPolicyDocumentException", tooLong: "ConstraintViolationException"}
	}
}

// attachable holds how many policies of a type one target may have: ten service
// control policies and five resource control policies, one of each being AWS's
// own full access, which is always there.
func attachable(c *Call) error {
	if c.Verb != Creating {
		return nil
	}
	policy, err := c.Find(organizationPolicy, "id", c.String("policyId"))
	if err != nil || policy == nil {
		return err
	}
	limit := map[string]int{serviceControlType: 10, resourceControlType: 5}[text(policy.Outputs["type"])]
	if limit == 0 {
		return nil
	}
	rows, err := c.List(organizationAttached)
	if err != nil {
		return err
	}
	n := 1
	for _, r := range rows {
		if text(r.Outputs["targetId"]) != c.String("targetId") {
			continue
		}
		other, err := c.Find(organizationPolicy, "id", text(r.Outputs["policyId"]))
		if err != nil {
			return err
		}
		if other != nil && other.Outputs["type"] == policy.Outputs["type"] {
			n++
		}
	}
	if n >= limit {
		return errf("ConstraintViolationException", "You have attached the maximum number of policies of type %s (%d) to %s", policy.Outputs["type"], limit, c.String("targetId"))
	}
	return nil
}

// vended makes what AWS makes in a new account: the access role, which trusts
// the management account and may do everything.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
func vended(c *Call) error {
	usable := c.Env.Now()
	if c.Env.Latency != nil {
		usable = usable.Add(c.Env.Latency(accountUsable))
	}
	c.Out["__usable"] = usable.UTC().Format(time.RFC3339Nano)
	name := first(c.String("roleName"), VendedRole)
	arn := "arn:aws:iam::" + c.ID + ":role/" + name
	in := map[string]any{
		"name": name, "path": "/", "maxSessionDuration": 3600.0,
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + ManagementAccount + `:root"},"Action":"sts:AssumeRole"}]}`,
	}
	out := cloneMap(in)
	out["uniqueId"], out["tagsAll"] = "AROA"+generate("upper:17", arn), map[string]any{}
	if err := c.Put(store.Row{Account: c.ID, Type: roleToken, ID: name, ARN: arn, ByCloud: true, Inputs: in, Outputs: out}); err != nil {
		return err
	}
	admin := map[string]any{"role": name, "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
	return c.Put(store.Row{Account: c.ID, Type: attachmentToken, ID: name + "/AdministratorAccess", ByCloud: true, Inputs: admin})
}
