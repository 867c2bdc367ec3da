package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	ecrpublictypes "github.com/aws/aws-sdk-go-v2/service/ecrpublic/types"
	"github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	acceleratortypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"
	"github.com/aws/aws-sdk-go-v2/service/networkmanager"
	wantypes "github.com/aws/aws-sdk-go-v2/service/networkmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// Services that have one region for all accounts. Its calls are among the few
// that the service control policy lets into a region that is not the org's.

// at is the configuration for the region in which a type's way is answered about.
func (s *session) at(typ string) aws.Config {
	w, _ := awstype.WayOf(typ)
	cfg := s.cfg.Copy()
	cfg.Region = w.Region
	return cfg
}

func listMultiRegionPoints(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := s3control.NewFromConfig(s.at(awstype.S3MultiRegionPoint))
	all, err := walk(ctx, c.ListMultiRegionAccessPoints,
		func(next *string) *s3control.ListMultiRegionAccessPointsInput {
			return &s3control.ListMultiRegionAccessPointsInput{AccountId: aws.String(s.account), NextToken: next}
		},
		func(o *s3control.ListMultiRegionAccessPointsOutput) ([]s3controltypes.MultiRegionAccessPointReport, *string) {
			return o.AccessPoints, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, p s3controltypes.MultiRegionAccessPointReport) ([]cloud.Item, error) {
		id := s.account + ":" + aws.ToString(p.Name)
		var regions []any
		for _, r := range p.Regions {
			regions = append(regions, map[string]any{"bucket": aws.ToString(r.Bucket), "bucketAccountId": aws.ToString(r.BucketAccountId)})
		}
		details := map[string]any{"regions": regions}
		if b := p.PublicAccessBlock; b != nil {
			details["publicAccessBlock"] = map[string]any{
				"blockPublicAcls": aws.ToBool(b.BlockPublicAcls), "blockPublicPolicy": aws.ToBool(b.BlockPublicPolicy),
				"ignorePublicAcls": aws.ToBool(b.IgnorePublicAcls), "restrictPublicBuckets": aws.ToBool(b.RestrictPublicBuckets),
			}
		}
		items := []cloud.Item{shared(awstype.S3MultiRegionPoint, id, map[string]any{"details": details})}
		out, err := c.GetMultiRegionAccessPointPolicy(ctx, &s3control.GetMultiRegionAccessPointPolicyInput{AccountId: aws.String(s.account), Name: p.Name})
		switch {
		case gone(err):
			return items, nil
		case err != nil || out.Policy == nil:
			return items, err
		}
		// What is proposed takes the place of what is established within half an hour.
		for _, text := range []*string{established(out.Policy.Established), proposed(out.Policy.Proposed)} {
			if aws.ToString(text) != "" {
				items = append(items, shared(awstype.S3MultiRegionPolicy, id, map[string]any{"details": map[string]any{"policy": aws.ToString(text)}}))
			}
		}
		return items, nil
	})
}

func established(p *s3controltypes.EstablishedMultiRegionAccessPointPolicy) *string {
	if p == nil {
		return nil
	}
	return p.Policy
}

func proposed(p *s3controltypes.ProposedMultiRegionAccessPointPolicy) *string {
	if p == nil {
		return nil
	}
	return p.Policy
}

// listCloudWAN lists core networks, the account's own and those shared with it,
// and what is attached to them and peered with them, by whichever account.
func listCloudWAN(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := networkmanager.NewFromConfig(s.at(awstype.CloudWAN))
	var items []cloud.Item
	cores, err := walk(ctx, c.ListCoreNetworks,
		func(next *string) *networkmanager.ListCoreNetworksInput {
			return &networkmanager.ListCoreNetworksInput{NextToken: next}
		},
		func(o *networkmanager.ListCoreNetworksOutput) ([]wantypes.CoreNetworkSummary, *string) {
			return o.CoreNetworks, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	for _, n := range cores {
		items = append(items, shared(awstype.CloudWAN, aws.ToString(n.CoreNetworkId), map[string]any{
			"coreNetworkArn": aws.ToString(n.CoreNetworkArn), "ownerAccountId": aws.ToString(n.OwnerAccountId),
		}))
	}
	attachments, err := walk(ctx, c.ListAttachments,
		func(next *string) *networkmanager.ListAttachmentsInput {
			return &networkmanager.ListAttachmentsInput{NextToken: next}
		},
		func(o *networkmanager.ListAttachmentsOutput) ([]wantypes.Attachment, *string) {
			return o.Attachments, o.NextToken
		})
	if err != nil {
		return items, err
	}
	for _, a := range attachments {
		if a.State != wantypes.AttachmentStateRejected {
			items = append(items, shared(awstype.CloudWANAttachment, aws.ToString(a.AttachmentId), map[string]any{
				"coreNetworkArn": aws.ToString(a.CoreNetworkArn), "ownerAccountId": aws.ToString(a.OwnerAccountId),
			}))
		}
	}
	peerings, err := walk(ctx, c.ListPeerings,
		func(next *string) *networkmanager.ListPeeringsInput {
			return &networkmanager.ListPeeringsInput{NextToken: next}
		},
		func(o *networkmanager.ListPeeringsOutput) ([]wantypes.Peering, *string) {
			return o.Peerings, o.NextToken
		})
	for _, p := range peerings {
		items = append(items, shared(awstype.CloudWANPeering, aws.ToString(p.PeeringId), map[string]any{
			"coreNetworkArn": aws.ToString(p.CoreNetworkArn), "ownerAccountId": aws.ToString(p.OwnerAccountId),
		}))
	}
	return items, err
}

// listPublicRepositories lists what everybody can pull, and who else may push.
func listPublicRepositories(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := ecrpublic.NewFromConfig(s.at(awstype.ECRPublicRepository))
	all, err := walk(ctx, c.DescribeRepositories,
		func(next *string) *ecrpublic.DescribeRepositoriesInput {
			return &ecrpublic.DescribeRepositoriesInput{NextToken: next}
		},
		func(o *ecrpublic.DescribeRepositoriesOutput) ([]ecrpublictypes.Repository, *string) {
			return o.Repositories, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, r ecrpublictypes.Repository) ([]cloud.Item, error) {
		name := aws.ToString(r.RepositoryName)
		it := shared(awstype.ECRPublicRepository, name, map[string]any{"repositoryUri": aws.ToString(r.RepositoryUri)})
		it.ARN = aws.ToString(r.RepositoryArn)
		items := []cloud.Item{it}
		out, err := c.GetRepositoryPolicy(ctx, &ecrpublic.GetRepositoryPolicyInput{RepositoryName: r.RepositoryName})
		switch {
		case err == nil:
			items = append(items, policyItem(awstype.ECRPublicPolicy, name, "policy", aws.ToString(out.PolicyText))...)
		case !gone(err):
			return items, err
		}
		return items, nil
	})
}

// listAcceleratorAttachments lists whom the account lets put its addresses and
// load balancers behind their accelerators, and who lets it.
func listAcceleratorAttachments(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := globalaccelerator.NewFromConfig(s.at(awstype.AcceleratorFor))
	all, err := walk(ctx, c.ListCrossAccountAttachments,
		func(next *string) *globalaccelerator.ListCrossAccountAttachmentsInput {
			return &globalaccelerator.ListCrossAccountAttachmentsInput{NextToken: next}
		},
		func(o *globalaccelerator.ListCrossAccountAttachmentsOutput) ([]acceleratortypes.Attachment, *string) {
			return o.CrossAccountAttachments, o.NextToken
		})
	var items []cloud.Item
	for _, a := range all {
		it := shared(awstype.AcceleratorFor, aws.ToString(a.AttachmentArn), map[string]any{"principals": a.Principals})
		it.Name = aws.ToString(a.Name)
		items = append(items, it)
	}
	if err != nil {
		return items, err
	}
	out, err := c.ListCrossAccountResourceAccounts(ctx, &globalaccelerator.ListCrossAccountResourceAccountsInput{})
	if err != nil {
		return items, called(err)
	}
	for _, owner := range out.ResourceOwnerAwsAccountIds {
		items = append(items, shared(awstype.AcceleratorFor, "of "+owner, map[string]any{"ownerAccountId": owner}))
	}
	return items, nil
}
