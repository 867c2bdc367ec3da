package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	serverlesstypes "github.com/aws/aws-sdk-go-v2/service/redshiftserverless/types"
	"github.com/aws/aws-sdk-go-v2/service/s3tables"
	s3tablestypes "github.com/aws/aws-sdk-go-v2/service/s3tables/types"
	"github.com/aws/aws-sdk-go-v2/service/servicecatalog"
	catalogtypes "github.com/aws/aws-sdk-go-v2/service/servicecatalog/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listWarehouses lists what Redshift shares, in both directions, and the policies
// of its namespaces and snapshots.
func listWarehouses(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, dataShares, warehouseEndpoints, warehousePolicies, serverlessPolicies)
}

// dataShares lists the shares that the account gives to each of its consumers,
// and those that others give to it.
func dataShares(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := walk(ctx, redshift.NewFromConfig(s.cfg).DescribeDataShares,
		func(next *string) *redshift.DescribeDataSharesInput {
			return &redshift.DescribeDataSharesInput{Marker: next}
		},
		func(o *redshift.DescribeDataSharesOutput) ([]redshifttypes.DataShare, *string) {
			return o.DataShares, o.Marker
		})
	var items []cloud.Item
	for _, d := range all {
		arn := aws.ToString(d.DataShareArn)
		if account := accountOf(arn); account != "" && account != s.account {
			items = append(items, shared(awstype.RedshiftShareTaken, arn, map[string]any{"dataShareArn": arn}))
			continue
		}
		for _, a := range d.DataShareAssociations {
			if a.Status == redshifttypes.DataShareStatusDeauthorized || a.Status == redshifttypes.DataShareStatusRejected {
				continue
			}
			// A share that Lake Formation manages names the catalog of an account.
			who := strings.TrimPrefix(aws.ToString(a.ConsumerIdentifier), "DataCatalog/")
			items = append(items, shared(awstype.RedshiftShare, arn+","+who, map[string]any{"dataShareArn": arn, "consumerIdentifier": who}))
		}
	}
	return items, err
}

func warehouseEndpoints(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := redshift.NewFromConfig(s.cfg)
	var items []cloud.Item
	endpoints, err := walk(ctx, c.DescribeEndpointAccess,
		func(next *string) *redshift.DescribeEndpointAccessInput {
			return &redshift.DescribeEndpointAccessInput{Marker: next}
		},
		func(o *redshift.DescribeEndpointAccessOutput) ([]redshifttypes.EndpointAccess, *string) {
			return o.EndpointAccessList, o.Marker
		})
	for _, e := range endpoints {
		items = append(items, shared(awstype.RedshiftEndpoint, aws.ToString(e.EndpointName), map[string]any{"resourceOwner": aws.ToString(e.ResourceOwner)}))
	}
	if err != nil {
		return items, err
	}
	authorized, err := walk(ctx, c.DescribeEndpointAuthorization,
		func(next *string) *redshift.DescribeEndpointAuthorizationInput {
			return &redshift.DescribeEndpointAuthorizationInput{Marker: next}
		},
		func(o *redshift.DescribeEndpointAuthorizationOutput) ([]redshifttypes.EndpointAuthorization, *string) {
			return o.EndpointAuthorizationList, o.Marker
		})
	for _, a := range authorized {
		who := aws.ToString(a.Grantee)
		items = append(items, shared(awstype.RedshiftEndpointOf, who+":"+aws.ToString(a.ClusterIdentifier), map[string]any{"account": who}))
	}
	return items, err
}

func warehousePolicies(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := redshift.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.DescribeClusters,
		func(next *string) *redshift.DescribeClustersInput {
			return &redshift.DescribeClustersInput{Marker: next}
		},
		func(o *redshift.DescribeClustersOutput) ([]redshifttypes.Cluster, *string) {
			return o.Clusters, o.Marker
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, w redshifttypes.Cluster) ([]cloud.Item, error) {
		return warehousePolicy(ctx, c, w.ClusterNamespaceArn)
	})
}

// warehousePolicy is the policy of a namespace, whether of a cluster or without servers.
func warehousePolicy(ctx context.Context, c *redshift.Client, namespace *string) ([]cloud.Item, error) {
	if aws.ToString(namespace) == "" {
		return nil, nil
	}
	out, err := c.GetResourcePolicy(ctx, &redshift.GetResourcePolicyInput{ResourceArn: namespace})
	if err != nil || out.ResourcePolicy == nil {
		return nil, err
	}
	return policyItem(awstype.RedshiftPolicy, aws.ToString(namespace), "policy", aws.ToString(out.ResourcePolicy.Policy)), nil
}

// serverlessPolicies are those of snapshots, by which they are shared, and of namespaces.
// https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_PutResourcePolicy.html
func serverlessPolicies(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := redshiftserverless.NewFromConfig(s.cfg)
	snapshots, err := walk(ctx, c.ListSnapshots,
		func(next *string) *redshiftserverless.ListSnapshotsInput {
			return &redshiftserverless.ListSnapshotsInput{NextToken: next, OwnerAccount: aws.String(s.account)}
		},
		func(o *redshiftserverless.ListSnapshotsOutput) ([]serverlesstypes.Snapshot, *string) {
			return o.Snapshots, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	items, err := eachOf(ctx, snapshots, func(ctx context.Context, n serverlesstypes.Snapshot) ([]cloud.Item, error) {
		out, err := c.GetResourcePolicy(ctx, &redshiftserverless.GetResourcePolicyInput{ResourceArn: n.SnapshotArn})
		if err != nil || out.ResourcePolicy == nil {
			return nil, err
		}
		return policyItem(awstype.ServerlessPolicy, aws.ToString(n.SnapshotArn), "policy", aws.ToString(out.ResourcePolicy.Policy)), nil
	})
	if err != nil {
		return items, err
	}
	namespaces, err := walk(ctx, c.ListNamespaces,
		func(next *string) *redshiftserverless.ListNamespacesInput {
			return &redshiftserverless.ListNamespacesInput{NextToken: next}
		},
		func(o *redshiftserverless.ListNamespacesOutput) ([]serverlesstypes.Namespace, *string) {
			return o.Namespaces, o.NextToken
		})
	if err != nil {
		return items, err
	}
	warehouses := redshift.NewFromConfig(s.cfg)
	more, err := eachOf(ctx, namespaces, func(ctx context.Context, n serverlesstypes.Namespace) ([]cloud.Item, error) {
		return warehousePolicy(ctx, warehouses, n.NamespaceArn)
	})
	return append(items, more...), err
}

func listTableBuckets(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := s3tables.NewFromConfig(s.cfg)
	buckets, err := walk(ctx, c.ListTableBuckets,
		func(next *string) *s3tables.ListTableBucketsInput {
			return &s3tables.ListTableBucketsInput{ContinuationToken: next}
		},
		func(o *s3tables.ListTableBucketsOutput) ([]s3tablestypes.TableBucketSummary, *string) {
			return o.TableBuckets, o.ContinuationToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, buckets, func(ctx context.Context, b s3tablestypes.TableBucketSummary) ([]cloud.Item, error) {
		var items []cloud.Item
		policy, err := c.GetTableBucketPolicy(ctx, &s3tables.GetTableBucketPolicyInput{TableBucketARN: b.Arn})
		switch {
		case err == nil:
			items = policyItem(awstype.TableBucketPolicy, aws.ToString(b.Arn), "resourcePolicy", aws.ToString(policy.ResourcePolicy))
		case !gone(err):
			return nil, err
		}
		tables, err := walk(ctx, c.ListTables,
			func(next *string) *s3tables.ListTablesInput {
				return &s3tables.ListTablesInput{TableBucketARN: b.Arn, ContinuationToken: next}
			},
			func(o *s3tables.ListTablesOutput) ([]s3tablestypes.TableSummary, *string) {
				return o.Tables, o.ContinuationToken
			})
		if err != nil {
			return items, err
		}
		for _, t := range tables {
			out, err := c.GetTablePolicy(ctx, &s3tables.GetTablePolicyInput{
				TableBucketARN: b.Arn, Namespace: aws.String(strings.Join(t.Namespace, ".")), Name: t.Name,
			})
			if gone(err) {
				continue
			}
			if err != nil {
				return items, err
			}
			items = append(items, policyItem(awstype.TablePolicy, aws.ToString(t.TableARN), "resourcePolicy", aws.ToString(out.ResourcePolicy))...)
		}
		return items, nil
	})
}

// listPortfolios lists with whom the account's portfolios are shared, who may use
// them, and those that others share with it.
func listPortfolios(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, givenPortfolios, takenPortfolios)
}

func givenPortfolios(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := servicecatalog.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListPortfolios,
		func(next *string) *servicecatalog.ListPortfoliosInput {
			return &servicecatalog.ListPortfoliosInput{PageToken: next}
		},
		func(o *servicecatalog.ListPortfoliosOutput) ([]catalogtypes.PortfolioDetail, *string) {
			return o.PortfolioDetails, o.NextPageToken
		})
	if err != nil {
		return nil, err
	}
	kinds := catalogtypes.DescribePortfolioShareType("").Values()
	return eachOf(ctx, all, func(ctx context.Context, p catalogtypes.PortfolioDetail) ([]cloud.Item, error) {
		id := aws.ToString(p.Id)
		var items []cloud.Item
		for _, kind := range kinds {
			shares, err := walk(ctx, c.DescribePortfolioShares,
				func(next *string) *servicecatalog.DescribePortfolioSharesInput {
					return &servicecatalog.DescribePortfolioSharesInput{PortfolioId: p.Id, Type: kind, PageToken: next}
				},
				func(o *servicecatalog.DescribePortfolioSharesOutput) ([]catalogtypes.PortfolioShareDetail, *string) {
					return o.PortfolioShareDetails, o.NextPageToken
				})
			for _, sh := range shares {
				who := aws.ToString(sh.PrincipalId)
				items = append(items, shared(awstype.PortfolioShare, id+":"+string(kind)+":"+who, map[string]any{"portfolioId": id, "principalId": who}))
			}
			if err != nil {
				return items, err
			}
		}
		users, err := walk(ctx, c.ListPrincipalsForPortfolio,
			func(next *string) *servicecatalog.ListPrincipalsForPortfolioInput {
				return &servicecatalog.ListPrincipalsForPortfolioInput{PortfolioId: p.Id, PageToken: next}
			},
			func(o *servicecatalog.ListPrincipalsForPortfolioOutput) ([]catalogtypes.Principal, *string) {
				return o.Principals, o.NextPageToken
			})
		for _, u := range users {
			who := aws.ToString(u.PrincipalARN)
			items = append(items, shared(awstype.PortfolioPrincipal, id+","+who, map[string]any{"portfolioId": id, "principalArn": who}))
		}
		return items, err
	})
}

// takenPortfolios leaves out those that AWS itself offers to everybody.
func takenPortfolios(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := servicecatalog.NewFromConfig(s.cfg)
	var items []cloud.Item
	for _, kind := range []catalogtypes.PortfolioShareType{catalogtypes.PortfolioShareTypeImported, catalogtypes.PortfolioShareTypeAwsOrganizations} {
		all, err := walk(ctx, c.ListAcceptedPortfolioShares,
			func(next *string) *servicecatalog.ListAcceptedPortfolioSharesInput {
				return &servicecatalog.ListAcceptedPortfolioSharesInput{PortfolioShareType: kind, PageToken: next}
			},
			func(o *servicecatalog.ListAcceptedPortfolioSharesOutput) ([]catalogtypes.PortfolioDetail, *string) {
				return o.PortfolioDetails, o.NextPageToken
			})
		for _, p := range all {
			it := shared(awstype.PortfolioShare, aws.ToString(p.Id), map[string]any{"portfolioArn": aws.ToString(p.ARN)})
			it.Name = aws.ToString(p.DisplayName)
			items = append(items, it)
		}
		if err != nil {
			return items, err
		}
	}
	return items, nil
}
