package aws

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"freehold.dev/freehold/internal/cloud"
)

// quota is a service quota and how what it counts is counted.
type quota struct {
	service, code string
	typ           string
	used          func(context.Context, aws.Config) (int, error)
}

// The quotas that a data plane runs into first. Accounts are the management
// account's, and asked for where Organizations is.
// https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
var (
	accountQuotas = []quota{
		{"organizations", "L-29A0C5DF", "aws:organizations/account:Account", countAccounts},
	}
	regionQuotas = []quota{
		{"vpc", "L-F678F1CE", "aws:ec2/vpc:Vpc", countVPCs},
		{"ec2", "L-0263D0A3", "aws:ec2/eip:Eip", countAddresses},
		{"eks", "L-1194D53C", "aws:eks/cluster:Cluster", countClusters},
	}
)

// Quotas reads the quotas of an account in its region or, of the management
// account, the number of accounts. A quota that Service Quotas does not know is
// left out: who goes over it is told by the service itself.
func (c *Cloud) Quotas(ctx context.Context, a cloud.Account) ([]cloud.Quota, error) {
	cfg, err := c.enter(ctx, a)
	if err != nil {
		return nil, err
	}
	asked := regionQuotas
	if a.ID == "" {
		asked = accountQuotas
		cfg = cfg.Copy()
		cfg.Region = globalRegion
	}
	client := servicequotas.NewFromConfig(cfg)
	var out []cloud.Quota
	for _, q := range asked {
		limit, name, err := limitOf(ctx, client, q)
		if isCode(err, "NoSuchResourceException") {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("account %s: quota %s of %s: %w", a.ID, q.code, q.service, err)
		}
		used, err := q.used(ctx, cfg)
		if err != nil {
			return nil, fmt.Errorf("account %s: count against quota %s: %w", a.ID, name, err)
		}
		out = append(out, cloud.Quota{Service: q.service, Code: q.code, Name: name, Region: cfg.Region, Type: q.typ, Limit: limit, Used: used})
	}
	return out, nil
}

// limitOf returns the account's own value of a quota or, where it has none,
// AWS's default.
func limitOf(ctx context.Context, client *servicequotas.Client, q quota) (int, string, error) {
	own, err := client.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{
		ServiceCode: aws.String(q.service), QuotaCode: aws.String(q.code),
	})
	if err == nil {
		return int(aws.ToFloat64(own.Quota.Value)), aws.ToString(own.Quota.QuotaName), nil
	}
	if !isCode(err, "NoSuchResourceException") {
		return 0, "", fmt.Errorf("servicequotas:GetServiceQuota: %w", err)
	}
	none := err
	pages := servicequotas.NewListAWSDefaultServiceQuotasPaginator(client, &servicequotas.ListAWSDefaultServiceQuotasInput{
		ServiceCode: aws.String(q.service),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, "", fmt.Errorf("servicequotas:ListAWSDefaultServiceQuotas: %w", err)
		}
		for _, usual := range page.Quotas {
			if aws.ToString(usual.QuotaCode) == q.code {
				return int(aws.ToFloat64(usual.Value)), aws.ToString(usual.QuotaName), nil
			}
		}
	}
	return 0, "", none
}

// countAccounts counts closed ones, too: AWS does until they are gone for good.
func countAccounts(ctx context.Context, cfg aws.Config) (n int, err error) {
	pages := organizations.NewListAccountsPaginator(organizations.NewFromConfig(cfg), &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("organizations:ListAccounts: %w", err)
		}
		n += len(page.Accounts)
	}
	return n, nil
}

func countVPCs(ctx context.Context, cfg aws.Config) (n int, err error) {
	pages := ec2.NewDescribeVpcsPaginator(ec2.NewFromConfig(cfg), &ec2.DescribeVpcsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("ec2:DescribeVpcs: %w", err)
		}
		n += len(page.Vpcs)
	}
	return n, nil
}

func countAddresses(ctx context.Context, cfg aws.Config) (int, error) {
	out, err := ec2.NewFromConfig(cfg).DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return 0, fmt.Errorf("ec2:DescribeAddresses: %w", err)
	}
	return len(out.Addresses), nil
}

func countClusters(ctx context.Context, cfg aws.Config) (n int, err error) {
	pages := eks.NewListClustersPaginator(eks.NewFromConfig(cfg), &eks.ListClustersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("eks:ListClusters: %w", err)
		}
		n += len(page.Clusters)
	}
	return n, nil
}
