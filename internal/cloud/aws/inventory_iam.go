package aws

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// Paths that only AWS makes roles under.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
const (
	serviceRolePath  = "/aws-service-role/"
	reservedRolePath = "/aws-reserved/"
)

// vendedRole is what AWS makes in each account that an organization creates.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
const vendedRole = "OrganizationAccountAccessRole"

// ownTag is on everything that the stacks make.
const ownTag = "freehold.dev/managed-by"

// role is an IAM role and whose it is.
type role struct {
	iamtypes.Role
	byCloud bool
	// wayIn is true for the role by which we came, where the customer made it.
	wayIn bool
}

func (s *session) readRoles(ctx context.Context) ([]role, error) {
	all, err := every(ctx, iam.NewListRolesPaginator(s.iam, &iam.ListRolesInput{}),
		func(p *iam.ListRolesOutput) []iamtypes.Role { return p.Roles })
	var roles []role
	for _, r := range all {
		if aws.ToString(r.Arn) == s.entered {
			// The list leaves the tags out, which say whether the stacks made
			// the role by which we came.
			out, err := s.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: r.RoleName})
			if err != nil {
				return nil, called(err)
			}
			r = *out.Role
		}
		byCloud := roleByCloud(r, s.entered)
		roles = append(roles, role{r, byCloud, byCloud && aws.ToString(r.Arn) == s.entered && aws.ToString(r.RoleName) != vendedRole})
	}
	return roles, err
}

// roleByCloud reports whether a role is AWS's, or the one by which we came: it
// was there before Freehold and is what lets us in.
func roleByCloud(r iamtypes.Role, entered string) bool {
	path := aws.ToString(r.Path)
	switch {
	case strings.HasPrefix(path, serviceRolePath), strings.HasPrefix(path, reservedRolePath), aws.ToString(r.RoleName) == vendedRole:
		return true
	case aws.ToString(r.Arn) != entered:
		return false
	}
	return !slices.ContainsFunc(r.Tags, func(t iamtypes.Tag) bool { return aws.ToString(t.Key) == ownTag })
}

// listRoles lists roles, and before each what it is allowed. A service-linked
// role's policies are AWS's, and part of it.
func listRoles(ctx context.Context, s *session) ([]cloud.Item, error) {
	roles, err := s.roles()
	var items []cloud.Item
	for _, r := range roles {
		name, arn := aws.ToString(r.RoleName), aws.ToString(r.Arn)
		if strings.HasPrefix(aws.ToString(r.Path), serviceRolePath) {
			it := named(awstype.IAMServiceRole, arn, name, arn)
			it.ByCloud = true
			items = append(items, it)
			continue
		}
		allowed, err := listAllowed(ctx, s, r)
		if gone(err) {
			continue // the role is, since the list was read
		}
		if err != nil {
			return nil, err
		}
		it := named(awstype.IAMRole, name, name, arn)
		it.ByCloud, it.WayIn = r.byCloud, r.wayIn
		it.Properties = document("assumeRolePolicy", r.AssumeRolePolicyDocument)
		items = append(append(items, allowed...), it)
	}
	return items, err
}

func listAllowed(ctx context.Context, s *session, r role) ([]cloud.Item, error) {
	name := aws.ToString(r.RoleName)
	attached, err := s.attachedTo(ctx, name)
	if err != nil {
		return nil, err
	}
	var items []cloud.Item
	for _, p := range attached {
		items = append(items, cloud.Item{
			Type: awstype.IAMRoleAttachment, ID: name + "/" + aws.ToString(p.PolicyArn), Name: aws.ToString(p.PolicyName), ByCloud: r.byCloud, WayIn: r.wayIn,
		})
	}
	inline, err := s.inlineOf(ctx, name)
	for _, p := range inline {
		out, err := s.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: r.RoleName, PolicyName: aws.String(p)})
		if err != nil {
			return nil, err
		}
		items = append(items, cloud.Item{
			Type: awstype.IAMRolePolicy, ID: name + ":" + p, Name: p, ByCloud: r.byCloud, WayIn: r.wayIn,
			Properties: document("policy", out.PolicyDocument),
		})
	}
	return items, err
}

// document is a policy as IAM returns it, percent-encoded, under the name of
// the property that has it.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html
func document(property string, encoded *string) map[string]any {
	text, err := url.PathUnescape(aws.ToString(encoded))
	if err != nil {
		text = aws.ToString(encoded)
	}
	return map[string]any{property: text}
}

func (s *session) attachedTo(ctx context.Context, role string) ([]iamtypes.AttachedPolicy, error) {
	return every(ctx, iam.NewListAttachedRolePoliciesPaginator(s.iam, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(role)}),
		func(p *iam.ListAttachedRolePoliciesOutput) []iamtypes.AttachedPolicy { return p.AttachedPolicies })
}

func (s *session) inlineOf(ctx context.Context, role string) ([]string, error) {
	return every(ctx, iam.NewListRolePoliciesPaginator(s.iam, &iam.ListRolePoliciesInput{RoleName: aws.String(role)}),
		func(p *iam.ListRolePoliciesOutput) []string { return p.PolicyNames })
}

// entrance is the role by which we came into an account of the customer's own,
// and what that role has; without a role there is none.
type entrance struct {
	role     *role
	attached map[string]bool
}

func (s *session) entrance(ctx context.Context) (entrance, error) {
	roles, err := s.roles()
	if err != nil {
		return entrance{}, err
	}
	i := slices.IndexFunc(roles, func(r role) bool { return r.wayIn })
	if i < 0 {
		return entrance{}, nil
	}
	e := entrance{&roles[i], map[string]bool{}}
	attached, err := s.attachedTo(ctx, aws.ToString(e.role.RoleName))
	for _, p := range attached {
		e.attached[aws.ToString(p.PolicyArn)] = true
	}
	return e, err
}

// has reports whether a policy is in the account for the role, and only whether
// it is there for nobody else: AWS counts who has it, and whose boundary it is.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html
func (e entrance) has(p iamtypes.Policy) (has, only bool) {
	if e.role == nil {
		return false, false
	}
	arn, entities, boundaries := aws.ToString(p.Arn), int32(0), int32(0)
	if e.attached[arn] {
		entities = 1
	}
	if b := e.role.PermissionsBoundary; b != nil && aws.ToString(b.PermissionsBoundaryArn) == arn {
		boundaries = 1
	}
	has = entities+boundaries > 0
	// A count of who has it that is not given says nothing about who else does.
	return has, has && p.AttachmentCount != nil && *p.AttachmentCount <= entities && aws.ToInt32(p.PermissionsBoundaryUsageCount) <= boundaries
}

func listPolicies(ctx context.Context, s *session) ([]cloud.Item, error) {
	in, err := s.entrance(ctx)
	if err != nil {
		return nil, err
	}
	all, err := every(ctx, iam.NewListPoliciesPaginator(s.iam, &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal}),
		func(p *iam.ListPoliciesOutput) []iamtypes.Policy { return p.Policies })
	var items []cloud.Item
	for _, p := range all {
		arn := aws.ToString(p.Arn)
		it := named(awstype.IAMPolicy, arn, aws.ToString(p.PolicyName), arn)
		it.WayIn, it.ByCloud = in.has(p)
		out, err := s.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: p.Arn, VersionId: p.DefaultVersionId})
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, called(err)
		}
		it.Properties = document("policy", out.PolicyVersion.Document)
		items = append(items, it)
	}
	return items, err
}

func listInstanceProfiles(ctx context.Context, s *session) ([]cloud.Item, error) {
	fleet, err := s.fleet()
	if err != nil {
		return nil, err
	}
	all, err := every(ctx, iam.NewListInstanceProfilesPaginator(s.iam, &iam.ListInstanceProfilesInput{}),
		func(p *iam.ListInstanceProfilesOutput) []iamtypes.InstanceProfile { return p.InstanceProfiles })
	var items []cloud.Item
	for _, p := range all {
		it := named(awstype.IAMInstanceProfile, aws.ToString(p.InstanceProfileName), aws.ToString(p.InstanceProfileName), aws.ToString(p.Arn))
		it.ByCloud = profileByCloud(p, fleet)
		items = append(items, it)
	}
	return items, err
}

// profileByCloud reports whether EKS made an instance profile: it is named as
// EKS names them, and holds a node group's role and nothing else.
func profileByCloud(p iamtypes.InstanceProfile, fleet []cluster) bool {
	return nodeProfile.MatchString(aws.ToString(p.InstanceProfileName)) && len(p.Roles) == 1 &&
		slices.ContainsFunc(fleet, func(c cluster) bool { return c.runs(aws.ToString(p.Roles[0].Arn)) })
}

func listUsers(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, iam.NewListUsersPaginator(s.iam, &iam.ListUsersInput{}),
		func(p *iam.ListUsersOutput) []iamtypes.User { return p.Users })
	var items []cloud.Item
	for _, u := range all {
		items = append(items, named(awstype.IAMUser, aws.ToString(u.UserName), aws.ToString(u.UserName), aws.ToString(u.Arn)))
	}
	return items, err
}

func listUserGroups(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, iam.NewListGroupsPaginator(s.iam, &iam.ListGroupsInput{}),
		func(p *iam.ListGroupsOutput) []iamtypes.Group { return p.Groups })
	var items []cloud.Item
	for _, g := range all {
		items = append(items, named(awstype.IAMGroup, aws.ToString(g.GroupName), aws.ToString(g.GroupName), aws.ToString(g.Arn)))
	}
	return items, err
}

func listIdentityProviders(ctx context.Context, s *session) ([]cloud.Item, error) {
	oidc, err := s.iam.ListOpenIDConnectProviders(ctx, &iam.ListOpenIDConnectProvidersInput{})
	if err != nil {
		return nil, called(err)
	}
	saml, err := s.iam.ListSAMLProviders(ctx, &iam.ListSAMLProvidersInput{})
	if err != nil {
		return nil, called(err)
	}
	var items []cloud.Item
	for _, p := range oidc.OpenIDConnectProviderList {
		arn := aws.ToString(p.Arn)
		it := named(awstype.IAMOIDCProvider, arn, arn[strings.IndexByte(arn, '/')+1:], arn)
		it.Properties = map[string]any{"url": "https://" + it.Name}
		items = append(items, it)
	}
	for _, p := range saml.SAMLProviderList {
		arn := aws.ToString(p.Arn)
		it := named(awstype.IAMSAMLProvider, arn, arn[strings.IndexByte(arn, '/')+1:], arn)
		it.Properties = map[string]any{"name": it.Name}
		items = append(items, it)
	}
	return items, nil
}
