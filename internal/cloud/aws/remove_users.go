package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"freehold.dev/freehold/internal/cloud"
)

// removeUser takes a user's credentials first: if a later step fails, nobody
// can act as the user any more. IAM refuses to delete a user who still has
// anything of the following.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
func removeUser(ctx context.Context, s *session, it cloud.Item) error {
	name := aws.String(it.ID)
	for _, strip := range []func(context.Context, *session, *string) error{
		stripCredentials, stripDevices, stripUserPolicies, stripMemberships,
	} {
		if err := strip(ctx, s, name); unless(err) != nil {
			return err
		}
	}
	_, err := s.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
	return err
}

func stripCredentials(ctx context.Context, s *session, user *string) error {
	if _, err := s.iam.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: user}); unless(err) != nil {
		return err
	}
	keys, err := every(ctx, iam.NewListAccessKeysPaginator(s.iam, &iam.ListAccessKeysInput{UserName: user}),
		func(p *iam.ListAccessKeysOutput) []iamtypes.AccessKeyMetadata { return p.AccessKeyMetadata })
	if err != nil {
		return err
	}
	for _, k := range keys {
		if _, err := s.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: user, AccessKeyId: k.AccessKeyId}); unless(err) != nil {
			return err
		}
	}
	certificates, err := every(ctx, iam.NewListSigningCertificatesPaginator(s.iam, &iam.ListSigningCertificatesInput{UserName: user}),
		func(p *iam.ListSigningCertificatesOutput) []iamtypes.SigningCertificate { return p.Certificates })
	if err != nil {
		return err
	}
	for _, c := range certificates {
		if _, err := s.iam.DeleteSigningCertificate(ctx, &iam.DeleteSigningCertificateInput{UserName: user, CertificateId: c.CertificateId}); unless(err) != nil {
			return err
		}
	}
	return nil
}

func stripDevices(ctx context.Context, s *session, user *string) error {
	devices, err := every(ctx, iam.NewListMFADevicesPaginator(s.iam, &iam.ListMFADevicesInput{UserName: user}),
		func(p *iam.ListMFADevicesOutput) []iamtypes.MFADevice { return p.MFADevices })
	if err != nil {
		return err
	}
	for _, d := range devices {
		if _, err := s.iam.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: user, SerialNumber: d.SerialNumber}); unless(err) != nil {
			return err
		}
	}
	return nil
}

func stripUserPolicies(ctx context.Context, s *session, user *string) error {
	attached, err := every(ctx, iam.NewListAttachedUserPoliciesPaginator(s.iam, &iam.ListAttachedUserPoliciesInput{UserName: user}),
		func(p *iam.ListAttachedUserPoliciesOutput) []iamtypes.AttachedPolicy { return p.AttachedPolicies })
	if err != nil {
		return err
	}
	for _, p := range attached {
		if _, err := s.iam.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: user, PolicyArn: p.PolicyArn}); unless(err) != nil {
			return err
		}
	}
	inline, err := every(ctx, iam.NewListUserPoliciesPaginator(s.iam, &iam.ListUserPoliciesInput{UserName: user}),
		func(p *iam.ListUserPoliciesOutput) []string { return p.PolicyNames })
	if err != nil {
		return err
	}
	for _, p := range inline {
		if _, err := s.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: user, PolicyName: aws.String(p)}); unless(err) != nil {
			return err
		}
	}
	return nil
}

func stripMemberships(ctx context.Context, s *session, user *string) error {
	groups, err := every(ctx, iam.NewListGroupsForUserPaginator(s.iam, &iam.ListGroupsForUserInput{UserName: user}),
		func(p *iam.ListGroupsForUserOutput) []iamtypes.Group { return p.Groups })
	if err != nil {
		return err
	}
	for _, g := range groups {
		if _, err := s.iam.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: user, GroupName: g.GroupName}); unless(err) != nil {
			return err
		}
	}
	return nil
}

func removeUserGroup(ctx context.Context, s *session, it cloud.Item) error {
	name := aws.String(it.ID)
	members, err := every(ctx, iam.NewGetGroupPaginator(s.iam, &iam.GetGroupInput{GroupName: name}),
		func(p *iam.GetGroupOutput) []iamtypes.User { return p.Users })
	if err != nil {
		return err
	}
	for _, u := range members {
		if _, err := s.iam.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: u.UserName, GroupName: name}); unless(err) != nil {
			return err
		}
	}
	attached, err := every(ctx, iam.NewListAttachedGroupPoliciesPaginator(s.iam, &iam.ListAttachedGroupPoliciesInput{GroupName: name}),
		func(p *iam.ListAttachedGroupPoliciesOutput) []iamtypes.AttachedPolicy { return p.AttachedPolicies })
	if err != nil {
		return err
	}
	for _, p := range attached {
		if _, err := s.iam.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: name, PolicyArn: p.PolicyArn}); unless(err) != nil {
			return err
		}
	}
	inline, err := every(ctx, iam.NewListGroupPoliciesPaginator(s.iam, &iam.ListGroupPoliciesInput{GroupName: name}),
		func(p *iam.ListGroupPoliciesOutput) []string { return p.PolicyNames })
	if err != nil {
		return err
	}
	for _, p := range inline {
		if _, err := s.iam.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: name, PolicyName: aws.String(p)}); unless(err) != nil {
			return err
		}
	}
	_, err = s.iam.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: name})
	return err
}
