package aws

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	servicequotastypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// quota is a service quota and how what it counts is counted.
type quota struct {
	service, code string
	typ           string
	used          func(context.Context, aws.Config) (int, error)
}

// counters count what the quotas in the rows of awstype are of.
var counters = map[string]func(context.Context, aws.Config) (int, error){
	awstype.OrganizationsAccount: countAccounts,
	awstype.EC2VPC:               countVPCs,
	awstype.EC2Address:           countAddresses,
	awstype.EKSCluster:           countClusters,
}

// quotas are those of the management account, which are asked for where
// Organizations is, or those of an org's own account and region.
// https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
func quotas(management bool) []quota {
	var out []quota
	for _, r := range awstype.All() {
		if r.Quota == "" || management != (r.Service == "organizations") {
			continue
		}
		service, code, _ := strings.Cut(r.Quota, "/")
		out = append(out, quota{service, code, r.Token, counters[r.Token]})
	}
	return out
}

// Quotas reads the quotas of an account in its region or, of the management
// account, the number of accounts. A quota that Service Quotas does not know is
// left out: who goes over it is told by the service itself.
func (c *Cloud) Quotas(ctx context.Context, a cloud.Account) ([]cloud.Quota, error) {
	cfg, err := c.enter(ctx, a)
	if err != nil {
		return nil, err
	}
	asked := quotas(a.ID == "")
	if a.ID == "" {
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
		return 0, "", called(err)
	}
	none := err
	usual, err := every(ctx, servicequotas.NewListAWSDefaultServiceQuotasPaginator(client, &servicequotas.ListAWSDefaultServiceQuotasInput{
		ServiceCode: aws.String(q.service),
	}), func(p *servicequotas.ListAWSDefaultServiceQuotasOutput) []servicequotastypes.ServiceQuota {
		return p.Quotas
	})
	if err != nil {
		return 0, "", err
	}
	for _, u := range usual {
		if aws.ToString(u.QuotaCode) == q.code {
			return int(aws.ToFloat64(u.Value)), aws.ToString(u.QuotaName), nil
		}
	}
	return 0, "", none
}

// countAccounts counts closed ones, too: AWS does until they are gone for good.
func countAccounts(ctx context.Context, cfg aws.Config) (int, error) {
	all, err := every(ctx, organizations.NewListAccountsPaginator(organizations.NewFromConfig(cfg), &organizations.ListAccountsInput{}),
		func(p *organizations.ListAccountsOutput) []organizationstypes.Account { return p.Accounts })
	return len(all), err
}

func countVPCs(ctx context.Context, cfg aws.Config) (int, error) {
	all, err := every(ctx, ec2.NewDescribeVpcsPaginator(ec2.NewFromConfig(cfg), &ec2.DescribeVpcsInput{}),
		func(p *ec2.DescribeVpcsOutput) []ec2types.Vpc { return p.Vpcs })
	return len(all), err
}

func countAddresses(ctx context.Context, cfg aws.Config) (int, error) {
	out, err := ec2.NewFromConfig(cfg).DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return 0, called(err)
	}
	return len(out.Addresses), nil
}

func countClusters(ctx context.Context, cfg aws.Config) (int, error) {
	all, err := every(ctx, eks.NewListClustersPaginator(eks.NewFromConfig(cfg), &eks.ListClustersInput{}),
		func(p *eks.ListClustersOutput) []string { return p.Clusters })
	return len(all), err
}
