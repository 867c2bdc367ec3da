package aws

import (
	"context"
	"errors"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"freehold.dev/freehold/internal/cloud"
)

// keyDeletedAfter is the shortest time that KMS lets pass before a key is gone,
// in days. https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
const keyDeletedAfter = 7

// errOwnRole keeps the way into the account open.
var errOwnRole = errors.New("it is the role by which Freehold enters the account: enter by another to remove it")

// isOwnRole reports whether a role is the one by which we came.
func (s *session) isOwnRole(name string) bool {
	a, err := arn.Parse(s.entered)
	return err == nil && path.Base(a.Resource) == name
}

// unless passes on a failure to remove a part, but not that it is gone.
func unless(err error) error {
	if gone(err) {
		return nil
	}
	return err
}

func removeRole(ctx context.Context, s *session, it cloud.Item) error {
	if s.isOwnRole(it.ID) {
		return errOwnRole
	}
	name := aws.String(it.ID)
	attached, err := s.attachedTo(ctx, it.ID)
	if err != nil {
		return err
	}
	for _, p := range attached {
		if _, err := s.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: p.PolicyArn}); unless(err) != nil {
			return err
		}
	}
	inline, err := s.inlineOf(ctx, it.ID)
	if err != nil {
		return err
	}
	for _, p := range inline {
		if _, err := s.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String(p)}); unless(err) != nil {
			return err
		}
	}
	profiles, err := every(ctx, iam.NewListInstanceProfilesForRolePaginator(s.iam, &iam.ListInstanceProfilesForRoleInput{RoleName: name}),
		func(p *iam.ListInstanceProfilesForRoleOutput) []iamtypes.InstanceProfile { return p.InstanceProfiles })
	if err != nil {
		return err
	}
	for _, p := range profiles {
		_, err := s.iam.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{RoleName: name, InstanceProfileName: p.InstanceProfileName})
		if unless(err) != nil {
			return err
		}
	}
	_, err = s.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	return err
}

func removeRolePolicy(ctx context.Context, s *session, it cloud.Item) error {
	id, err := split(it.ID, ":", 2)
	if err != nil {
		return err
	}
	if s.isOwnRole(*id[0]) {
		return errOwnRole
	}
	_, err = s.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: id[0], PolicyName: id[1]})
	return err
}

func removeRoleAttachment(ctx context.Context, s *session, it cloud.Item) error {
	id, err := split(it.ID, "/", 2)
	if err != nil {
		return err
	}
	if s.isOwnRole(*id[0]) {
		return errOwnRole
	}
	_, err = s.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: id[0], PolicyArn: id[1]})
	return err
}

// removePolicy takes a policy away from everyone who has it, and its versions
// before itself. One that is somebody's permissions boundary is refused by IAM,
// as it should be: without it that role may do anything.
func removePolicy(ctx context.Context, s *session, it cloud.Item) error {
	policy := aws.String(it.ID)
	pages := iam.NewListEntitiesForPolicyPaginator(s.iam, &iam.ListEntitiesForPolicyInput{PolicyArn: policy, PolicyUsageFilter: iamtypes.PolicyUsageTypePermissionsPolicy})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.PolicyRoles {
			if _, err := s.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: r.RoleName, PolicyArn: policy}); unless(err) != nil {
				return err
			}
		}
		for _, u := range page.PolicyUsers {
			if _, err := s.iam.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: u.UserName, PolicyArn: policy}); unless(err) != nil {
				return err
			}
		}
		for _, g := range page.PolicyGroups {
			if _, err := s.iam.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: g.GroupName, PolicyArn: policy}); unless(err) != nil {
				return err
			}
		}
	}
	versions, err := every(ctx, iam.NewListPolicyVersionsPaginator(s.iam, &iam.ListPolicyVersionsInput{PolicyArn: policy}),
		func(p *iam.ListPolicyVersionsOutput) []iamtypes.PolicyVersion { return p.Versions })
	if err != nil {
		return err
	}
	for _, v := range versions {
		if v.IsDefaultVersion {
			continue
		}
		if _, err := s.iam.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: policy, VersionId: v.VersionId}); unless(err) != nil {
			return err
		}
	}
	_, err = s.iam.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: policy})
	return err
}

func removeInstanceProfile(ctx context.Context, s *session, it cloud.Item) error {
	name := aws.String(it.ID)
	out, err := s.iam.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: name})
	if err != nil {
		return err
	}
	for _, r := range out.InstanceProfile.Roles {
		_, err := s.iam.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: r.RoleName})
		if unless(err) != nil {
			return err
		}
	}
	_, err = s.iam.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: name})
	return err
}

func removeOIDCProvider(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.iam.DeleteOpenIDConnectProvider(ctx, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: aws.String(it.ID)})
	return err
}

func removeSAMLProvider(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.iam.DeleteSAMLProvider(ctx, &iam.DeleteSAMLProviderInput{SAMLProviderArn: aws.String(it.ID)})
	return err
}

func removePasswordPolicy(ctx context.Context, s *session, _ cloud.Item) error {
	_, err := s.iam.DeleteAccountPasswordPolicy(ctx, &iam.DeleteAccountPasswordPolicyInput{})
	return err
}

// removeKey schedules the deletion of a key; nobody can delete one at once.
func removeKey(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.kms.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: aws.String(it.ID), PendingWindowInDays: aws.Int32(keyDeletedAfter)})
	if isCode(err, "KMSInvalidStateException") {
		out, readErr := s.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(it.ID)})
		if readErr == nil && out.KeyMetadata.DeletionDate != nil {
			return nil // it is scheduled already
		}
	}
	return err
}

func removeAlias(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.kms.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: aws.String(it.ID)})
	return err
}

func removeGrant(ctx context.Context, s *session, it cloud.Item) error {
	id, err := split(it.ID, ":", 2)
	if err != nil {
		return err
	}
	_, err = s.kms.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: id[0], GrantId: id[1]})
	return err
}
