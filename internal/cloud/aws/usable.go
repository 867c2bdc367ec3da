package aws

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"freehold.dev/freehold/internal/cloud"
)

// probe is one read of a service that the next layers need.
type probe struct {
	action string
	ask    func(context.Context) error
}

// Usable asks each service that the next layers need for its shortest list. A
// new account is created minutes before all of them answer
// (terraform-provider-aws#15654), and they do not begin at once.
func (c *Cloud) Usable(ctx context.Context, a cloud.Account) error {
	cfg := c.in(a)
	probes := []probe{
		{"organizations:DescribeAccount", func(ctx context.Context) error { return c.active(ctx, a) }},
		{"sts:AssumeRole", func(ctx context.Context) error {
			out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			if err == nil && aws.ToString(out.Account) != a.ID {
				return wrongAccount{fmt.Sprintf("%s leads to account %s", orUs(a.RoleARN), aws.ToString(out.Account))}
			}
			return err
		}},
		{"iam:ListRoles", func(ctx context.Context) error {
			_, err := iam.NewFromConfig(cfg).ListRoles(ctx, &iam.ListRolesInput{MaxItems: aws.Int32(1)})
			return err
		}},
		{"ec2:DescribeVpcs", func(ctx context.Context) error {
			_, err := ec2.NewFromConfig(cfg).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
			return err
		}},
		{"kms:ListKeys", func(ctx context.Context) error {
			_, err := kms.NewFromConfig(cfg).ListKeys(ctx, &kms.ListKeysInput{Limit: aws.Int32(1)})
			return err
		}},
		{"s3:ListAllMyBuckets", func(ctx context.Context) error {
			_, err := bucketsOf(cfg).ListBuckets(ctx, &s3.ListBucketsInput{})
			return err
		}},
		{"cloudtrail:DescribeTrails", func(ctx context.Context) error {
			_, err := cloudtrail.NewFromConfig(cfg).DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{})
			return err
		}},
		{"ecr:DescribeRepositories", func(ctx context.Context) error {
			_, err := ecr.NewFromConfig(cfg).DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{})
			return err
		}},
		{"eks:ListClusters", func(ctx context.Context) error {
			_, err := eks.NewFromConfig(cfg).ListClusters(ctx, &eks.ListClustersInput{})
			return err
		}},
	}
	for _, p := range probes {
		if err := p.ask(ctx); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("probe account %s: %w", a.ID, context.Cause(ctx))
			}
			if errors.Is(err, ErrWrongAccount) { // it will not be another one later
				return fmt.Errorf("account %s: %w", a.ID, err)
			}
			return fmt.Errorf("account %s: %s: %w: %w", a.ID, p.action, err, cloud.ErrNotUsable)
		}
	}
	return nil
}

// active asks the organization about an account that it vended. An account that
// a customer brings is reached with an external id and need not be in it.
func (c *Cloud) active(ctx context.Context, a cloud.Account) error {
	if a.ExternalID != "" {
		return nil
	}
	account, err := c.describe(ctx, a.ID)
	if err != nil {
		return err
	}
	if account.Status != organizationstypes.AccountStatusActive {
		return fmt.Errorf("the account is %s", account.Status)
	}
	return nil
}

func (c *Cloud) describe(ctx context.Context, accountID string) (organizationstypes.Account, error) {
	out, err := organizations.NewFromConfig(c.base).DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: aws.String(accountID)})
	if err != nil {
		return organizationstypes.Account{}, err
	}
	return *out.Account, nil
}
