package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func findRole(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("name")
	out, err := s.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
	if err != nil {
		return one("", err)
	}
	return one(aws.ToString(out.Role.RoleName), nil)
}

func findServiceRole(ctx context.Context, s *session, in inputs) ([]string, error) {
	service := in.text("awsServiceName")
	all, err := every(ctx, iam.NewListRolesPaginator(s.iam, &iam.ListRolesInput{PathPrefix: aws.String(serviceRolePath + service + "/")}),
		func(p *iam.ListRolesOutput) []iamtypes.Role { return p.Roles })
	var ids []string
	for _, r := range all {
		if _, suffix, is := strings.Cut(aws.ToString(r.RoleName), "_"); !is && in.text("customSuffix") == "" || is && suffix == in.text("customSuffix") {
			ids = append(ids, aws.ToString(r.Arn))
		}
	}
	return ids, err
}

func findRolePolicy(ctx context.Context, s *session, in inputs) ([]string, error) {
	by := in.texts("role", "name")
	_, err := s.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String(by[0]), PolicyName: aws.String(by[1])})
	return one(by[0]+":"+by[1], err)
}

func findRoleAttachment(ctx context.Context, s *session, in inputs) ([]string, error) {
	by := in.texts("role", "policyArn")
	attached, err := s.attachedTo(ctx, by[0])
	id := ""
	for _, p := range attached {
		if aws.ToString(p.PolicyArn) == by[1] {
			id = by[0] + "/" + by[1]
		}
	}
	return one(id, err)
}

func findPolicy(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("name")
	// A name is taken whatever the path.
	all, err := every(ctx, iam.NewListPoliciesPaginator(s.iam, &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal}),
		func(p *iam.ListPoliciesOutput) []iamtypes.Policy { return p.Policies })
	var ids []string
	for _, p := range all {
		if strings.EqualFold(aws.ToString(p.PolicyName), name) {
			ids = append(ids, aws.ToString(p.Arn))
		}
	}
	return ids, err
}

func findInstanceProfile(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("name")
	_, err := s.iam.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: aws.String(name)})
	return one(name, err)
}

func findOIDCProvider(ctx context.Context, s *session, in inputs) ([]string, error) {
	issuer := strings.TrimPrefix(in.text("url"), "https://")
	out, err := s.iam.ListOpenIDConnectProviders(ctx, &iam.ListOpenIDConnectProvidersInput{})
	if err != nil {
		return nil, err
	}
	for _, p := range out.OpenIDConnectProviderList {
		if strings.HasSuffix(aws.ToString(p.Arn), ":oidc-provider/"+issuer) {
			return []string{aws.ToString(p.Arn)}, nil
		}
	}
	return nil, nil
}

// findKey finds a key by its tags, which a key is created with: it has no name.
func findKey(ctx context.Context, s *session, in inputs) ([]string, error) {
	want := in.identity()
	keys, err := s.keys(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, k := range keys {
		if k.KeyManager == kmstypes.KeyManagerTypeAws {
			continue
		}
		tags, err := every(ctx, kms.NewListResourceTagsPaginator(s.kms, &kms.ListResourceTagsInput{KeyId: k.KeyId}),
			func(p *kms.ListResourceTagsOutput) []kmstypes.Tag { return p.Tags })
		if err != nil {
			return nil, err
		}
		have := map[string]string{}
		for _, t := range tags {
			have[aws.ToString(t.TagKey)] = aws.ToString(t.TagValue)
		}
		if holds(have, want) {
			ids = append(ids, aws.ToString(k.KeyId))
		}
	}
	return ids, nil
}

// holds reports whether tags include others.
func holds(have, want map[string]string) bool {
	for k, v := range want {
		if have[k] != v {
			return false
		}
	}
	return true
}

func findAlias(ctx context.Context, s *session, in inputs) ([]string, error) {
	all, err := s.aliases(ctx)
	id := ""
	for _, a := range all {
		if aws.ToString(a.AliasName) == in.text("name") {
			id = aws.ToString(a.AliasName)
		}
	}
	return one(id, err)
}
