package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

func listAliases(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := s.aliases(ctx)
	var items []cloud.Item
	for _, a := range all {
		it := named(awstype.KMSAlias, aws.ToString(a.AliasName), aws.ToString(a.AliasName), aws.ToString(a.AliasArn))
		// Nobody else can make an alias with this prefix.
		it.ByCloud = strings.HasPrefix(it.ID, "alias/aws/")
		items = append(items, it)
	}
	return items, err
}

func (s *session) aliases(ctx context.Context) ([]kmstypes.AliasListEntry, error) {
	return every(ctx, kms.NewListAliasesPaginator(s.kms, &kms.ListAliasesInput{}),
		func(p *kms.ListAliasesOutput) []kmstypes.AliasListEntry { return p.Aliases })
}

// keys are the account's keys but those whose deletion is scheduled: nobody can
// use them any more, and nobody can make them go sooner.
func (s *session) keys(ctx context.Context) ([]kmstypes.KeyMetadata, error) {
	all, err := every(ctx, kms.NewListKeysPaginator(s.kms, &kms.ListKeysInput{}),
		func(p *kms.ListKeysOutput) []kmstypes.KeyListEntry { return p.Keys })
	var keys []kmstypes.KeyMetadata
	for _, k := range all {
		out, err := s.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyArn})
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, called(err)
		}
		switch out.KeyMetadata.KeyState {
		case kmstypes.KeyStatePendingDeletion, kmstypes.KeyStatePendingReplicaDeletion:
		default:
			keys = append(keys, *out.KeyMetadata)
		}
	}
	return keys, err
}

// listKeys lists keys, and before each the grants on it.
func listKeys(ctx context.Context, s *session) ([]cloud.Item, error) {
	keys, err := s.keys(ctx)
	var items []cloud.Item
	for _, k := range keys {
		id := aws.ToString(k.KeyId)
		it := named(awstype.KMSKey, id, aws.ToString(k.Description), aws.ToString(k.Arn))
		it.ByCloud = k.KeyManager == kmstypes.KeyManagerTypeAws
		if it.ByCloud {
			items = append(items, it)
			continue
		}
		grants, err := every(ctx, kms.NewListGrantsPaginator(s.kms, &kms.ListGrantsInput{KeyId: k.KeyId}),
			func(p *kms.ListGrantsOutput) []kmstypes.GrantListEntry { return p.Grants })
		if err != nil {
			return nil, err
		}
		for _, g := range grants {
			items = append(items, cloud.Item{
				Type: awstype.KMSGrant, ID: id + ":" + aws.ToString(g.GrantId), Name: aws.ToString(g.GranteePrincipal), ByCloud: grantByCloud(g, s.account),
				Properties: map[string]any{
					"keyId": id, "granteePrincipal": aws.ToString(g.GranteePrincipal), "retiringPrincipal": aws.ToString(g.RetiringPrincipal),
				},
			})
		}
		policy, err := s.kms.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: k.KeyId, PolicyName: aws.String("default")}) // a key has no other
		if err != nil {
			return nil, called(err)
		}
		it.Properties = map[string]any{"policy": aws.ToString(policy.Policy)}
		items = append(items, it)
	}
	return items, err
}

// grantByCloud reports whether a grant stays within the account. EBS, EKS and
// Auto Scaling make grants to themselves and to the account's own roles for
// each volume and cluster, and take them back; another account's is somebody's.
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
func grantByCloud(g kmstypes.GrantListEntry, account string) bool {
	grantee := aws.ToString(g.GranteePrincipal)
	if aws.ToString(g.GranteeServicePrincipal) != "" || strings.HasSuffix(grantee, ".amazonaws.com") {
		return true
	}
	who, err := arn.Parse(grantee)
	return err == nil && who.AccountID == account && slices.Contains([]string{"iam", "sts"}, who.Service)
}
