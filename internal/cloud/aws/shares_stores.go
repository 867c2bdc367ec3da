package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acmpca"
	acmpcatypes "github.com/aws/aws-sdk-go-v2/service/acmpca/types"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/codeartifact"
	codeartifacttypes "github.com/aws/aws-sdk-go-v2/service/codeartifact/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
	"github.com/aws/aws-sdk-go-v2/service/glacier"
	glaciertypes "github.com/aws/aws-sdk-go-v2/service/glacier/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	laketypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	opensearchtypes "github.com/aws/aws-sdk-go-v2/service/opensearch/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

func listSecrets(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := secretsmanager.NewFromConfig(s.cfg)
	all, err := every(ctx, secretsmanager.NewListSecretsPaginator(c, &secretsmanager.ListSecretsInput{}),
		func(p *secretsmanager.ListSecretsOutput) []secrettypes.SecretListEntry { return p.SecretList })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, e secrettypes.SecretListEntry) ([]cloud.Item, error) {
		out, err := c.GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: e.ARN})
		if err != nil {
			return nil, err
		}
		items := policyItem(awstype.SecretPolicy, aws.ToString(e.ARN), "policy", aws.ToString(out.ResourcePolicy))
		for i := range items {
			items[i].Name = aws.ToString(e.Name)
		}
		return items, nil
	})
}

// listTables asks for the policies of tables, and of the streams of those that
// have one.
func listTables(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := dynamodb.NewFromConfig(s.cfg)
	names, err := every(ctx, dynamodb.NewListTablesPaginator(c, &dynamodb.ListTablesInput{}), func(p *dynamodb.ListTablesOutput) []string { return p.TableNames })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, names, func(ctx context.Context, name string) ([]cloud.Item, error) {
		table, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if err != nil {
			return nil, err
		}
		var items []cloud.Item
		for _, arn := range []*string{table.Table.TableArn, table.Table.LatestStreamArn} {
			if aws.ToString(arn) == "" {
				continue
			}
			out, err := c.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: arn})
			if gone(err) {
				continue
			}
			if err != nil {
				return items, err
			}
			items = append(items, policyItem(awstype.DynamoDBPolicy, aws.ToString(arn), "policy", aws.ToString(out.Policy))...)
		}
		return items, nil
	})
}

func listFileSystems(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := efs.NewFromConfig(s.cfg)
	all, err := every(ctx, efs.NewDescribeFileSystemsPaginator(c, &efs.DescribeFileSystemsInput{}),
		func(p *efs.DescribeFileSystemsOutput) []efstypes.FileSystemDescription { return p.FileSystems })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, f efstypes.FileSystemDescription) ([]cloud.Item, error) {
		out, err := c.DescribeFileSystemPolicy(ctx, &efs.DescribeFileSystemPolicyInput{FileSystemId: f.FileSystemId})
		if err != nil {
			return nil, err
		}
		return policyItem(awstype.EFSPolicy, aws.ToString(f.FileSystemId), "policy", aws.ToString(out.Policy)), nil
	})
}

// listSearch lists the policies of domains, Elasticsearch's among them, and whose
// endpoints may reach each. Five domains are described by one call.
// https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DescribeDomains.html
func listSearch(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := opensearch.NewFromConfig(s.cfg)
	out, err := c.ListDomainNames(ctx, &opensearch.ListDomainNamesInput{})
	if err != nil {
		return nil, called(err)
	}
	var names []string
	for _, d := range out.DomainNames {
		names = append(names, aws.ToString(d.DomainName))
	}
	var items []cloud.Item
	for at := 0; at < len(names); at += 5 {
		some, err := c.DescribeDomains(ctx, &opensearch.DescribeDomainsInput{DomainNames: names[at:min(at+5, len(names))]})
		if err != nil {
			return items, called(err)
		}
		for _, d := range some.DomainStatusList {
			items = append(items, policyItem(awstype.OpenSearchPolicy, aws.ToString(d.DomainName), "accessPolicies", aws.ToString(d.AccessPolicies))...)
		}
	}
	endpoints, err := eachOf(ctx, names, func(ctx context.Context, name string) ([]cloud.Item, error) {
		all, err := pages(func(token *string) ([]opensearchtypes.AuthorizedPrincipal, *string, error) {
			out, err := c.ListVpcEndpointAccess(ctx, &opensearch.ListVpcEndpointAccessInput{DomainName: aws.String(name), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.AuthorizedPrincipalList, out.NextToken, nil
		})
		var items []cloud.Item
		for _, p := range all {
			items = append(items, shared(awstype.OpenSearchEndpoint, name+":"+aws.ToString(p.Principal), map[string]any{"domainName": name, "account": aws.ToString(p.Principal)}))
		}
		return items, err
	})
	items = append(items, endpoints...)
	if err != nil {
		return items, err
	}
	connections, err := searchConnections(ctx, s)
	return append(items, connections...), err
}

func listGlacier(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := glacier.NewFromConfig(s.cfg)
	all, err := every(ctx, glacier.NewListVaultsPaginator(c, &glacier.ListVaultsInput{AccountId: aws.String("-")}),
		func(p *glacier.ListVaultsOutput) []glaciertypes.DescribeVaultOutput { return p.VaultList })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, v glaciertypes.DescribeVaultOutput) ([]cloud.Item, error) {
		out, err := c.GetVaultAccessPolicy(ctx, &glacier.GetVaultAccessPolicyInput{AccountId: aws.String("-"), VaultName: v.VaultName})
		var items []cloud.Item
		switch {
		case err == nil && out.Policy != nil:
			items = policyItem(awstype.GlacierVault, aws.ToString(v.VaultName), "accessPolicy", aws.ToString(out.Policy.Policy))
		case err != nil && !gone(err): // gone: it has none
			return nil, err
		}
		lock, err := c.GetVaultLock(ctx, &glacier.GetVaultLockInput{AccountId: aws.String("-"), VaultName: v.VaultName})
		if err != nil {
			if gone(err) {
				err = nil
			}
			return items, err
		}
		return append(items, policyItem(awstype.GlacierLock, aws.ToString(v.VaultName), "policy", aws.ToString(lock.Policy))...), nil
	})
}

// listBackups lists the policies of vaults, and where plans copy backups to.
func listBackups(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, backupVaults, backupPlans)
}

func backupVaults(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := backup.NewFromConfig(s.cfg)
	all, err := every(ctx, backup.NewListBackupVaultsPaginator(c, &backup.ListBackupVaultsInput{}),
		func(p *backup.ListBackupVaultsOutput) []backuptypes.BackupVaultListMember { return p.BackupVaultList })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, v backuptypes.BackupVaultListMember) ([]cloud.Item, error) {
		out, err := c.GetBackupVaultAccessPolicy(ctx, &backup.GetBackupVaultAccessPolicyInput{BackupVaultName: v.BackupVaultName})
		if err != nil {
			return nil, err
		}
		return policyItem(awstype.BackupVaultPolicy, aws.ToString(v.BackupVaultName), "policy", aws.ToString(out.Policy)), nil
	})
}

func backupPlans(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := backup.NewFromConfig(s.cfg)
	all, err := every(ctx, backup.NewListBackupPlansPaginator(c, &backup.ListBackupPlansInput{}),
		func(p *backup.ListBackupPlansOutput) []backuptypes.BackupPlansListMember { return p.BackupPlansList })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, p backuptypes.BackupPlansListMember) ([]cloud.Item, error) {
		out, err := c.GetBackupPlan(ctx, &backup.GetBackupPlanInput{BackupPlanId: p.BackupPlanId})
		if err != nil || out.BackupPlan == nil {
			return nil, err
		}
		var rules []any
		for _, r := range out.BackupPlan.Rules {
			var copies []any
			for _, a := range r.CopyActions {
				copies = append(copies, map[string]any{"destinationVaultArn": aws.ToString(a.DestinationBackupVaultArn)})
			}
			rules = append(rules, map[string]any{"copyActions": copies})
		}
		it := shared(awstype.BackupPlan, aws.ToString(p.BackupPlanId), map[string]any{"rules": rules})
		it.Name, it.ARN = aws.ToString(p.BackupPlanName), aws.ToString(p.BackupPlanArn)
		return []cloud.Item{it}, nil
	})
}

func listAuthorities(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := acmpca.NewFromConfig(s.cfg)
	all, err := every(ctx, acmpca.NewListCertificateAuthoritiesPaginator(c, &acmpca.ListCertificateAuthoritiesInput{}),
		func(p *acmpca.ListCertificateAuthoritiesOutput) []acmpcatypes.CertificateAuthority {
			return p.CertificateAuthorities
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, a acmpcatypes.CertificateAuthority) ([]cloud.Item, error) {
		if a.Status == acmpcatypes.CertificateAuthorityStatusDeleted {
			return nil, nil
		}
		out, err := c.GetPolicy(ctx, &acmpca.GetPolicyInput{ResourceArn: a.Arn})
		if err != nil {
			return nil, err
		}
		items := policyItem(awstype.PrivateCAPolicy, aws.ToString(a.Arn), "policy", aws.ToString(out.Policy))
		all, err := walk(ctx, c.ListPermissions,
			func(next *string) *acmpca.ListPermissionsInput {
				return &acmpca.ListPermissionsInput{CertificateAuthorityArn: a.Arn, NextToken: next}
			},
			func(o *acmpca.ListPermissionsOutput) ([]acmpcatypes.Permission, *string) {
				return o.Permissions, o.NextToken
			})
		for _, p := range all {
			who, of := aws.ToString(p.Principal), aws.ToString(p.SourceAccount)
			items = append(items, shared(awstype.PrivateCAPermission, aws.ToString(a.Arn)+","+who+","+of, map[string]any{"principal": who, "sourceAccount": of}))
		}
		return items, err
	})
}

// listCatalog lists the catalog's policy, and those that Resource Access Manager
// wrote for single tables.
func listCatalog(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, glue.NewGetResourcePoliciesPaginator(glue.NewFromConfig(s.cfg), &glue.GetResourcePoliciesInput{}),
		func(p *glue.GetResourcePoliciesOutput) []gluetypes.GluePolicy {
			return p.GetResourcePoliciesResponseList
		})
	var items []cloud.Item
	for _, p := range all {
		items = append(items, policyItem(awstype.GluePolicy, s.account+"/"+aws.ToString(p.PolicyHash), "policy", aws.ToString(p.PolicyInJson))...)
	}
	return items, err
}

// listLake lists who has permissions on the account's data. A group that stands
// for all of the account's principals is not outside of it.
// https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html
func listLake(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, lakeformation.NewListPermissionsPaginator(lakeformation.NewFromConfig(s.cfg), &lakeformation.ListPermissionsInput{}),
		func(p *lakeformation.ListPermissionsOutput) []laketypes.PrincipalResourcePermissions {
			return p.PrincipalResourcePermissions
		})
	var items []cloud.Item
	for _, p := range all {
		if p.Principal == nil {
			continue
		}
		who := aws.ToString(p.Principal.DataLakePrincipalIdentifier)
		items = append(items, shared(awstype.LakePermissions, who+lakeThing(p.Resource), map[string]any{"principal": who}))
	}
	return items, err
}

// lakeThing names what a permission is on, so that each has an id of its own.
func lakeThing(r *laketypes.Resource) string {
	switch {
	case r == nil:
		return ""
	case r.Database != nil:
		return " " + aws.ToString(r.Database.Name)
	case r.Table != nil:
		return " " + aws.ToString(r.Table.DatabaseName) + "." + aws.ToString(r.Table.Name)
	case r.TableWithColumns != nil:
		return " " + aws.ToString(r.TableWithColumns.DatabaseName) + "." + aws.ToString(r.TableWithColumns.Name) + " columns"
	case r.DataLocation != nil:
		return " " + aws.ToString(r.DataLocation.ResourceArn)
	default:
		return ""
	}
}

// listPackages lists the policies of the account's domains and repositories;
// those that others share with it are theirs.
func listPackages(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, packageDomains, packageRepositories)
}

func packageDomains(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := codeartifact.NewFromConfig(s.cfg)
	all, err := every(ctx, codeartifact.NewListDomainsPaginator(c, &codeartifact.ListDomainsInput{}),
		func(p *codeartifact.ListDomainsOutput) []codeartifacttypes.DomainSummary { return p.Domains })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, d codeartifacttypes.DomainSummary) ([]cloud.Item, error) {
		if aws.ToString(d.Owner) != s.account {
			return nil, nil
		}
		out, err := c.GetDomainPermissionsPolicy(ctx, &codeartifact.GetDomainPermissionsPolicyInput{Domain: d.Name, DomainOwner: d.Owner})
		if err != nil || out.Policy == nil {
			return nil, err
		}
		return policyItem(awstype.CodeArtifactDomain, aws.ToString(d.Name), "policyDocument", aws.ToString(out.Policy.Document)), nil
	})
}

func packageRepositories(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := codeartifact.NewFromConfig(s.cfg)
	all, err := every(ctx, codeartifact.NewListRepositoriesPaginator(c, &codeartifact.ListRepositoriesInput{}),
		func(p *codeartifact.ListRepositoriesOutput) []codeartifacttypes.RepositorySummary {
			return p.Repositories
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, r codeartifacttypes.RepositorySummary) ([]cloud.Item, error) {
		id := aws.ToString(r.DomainName) + "/" + aws.ToString(r.Name)
		var items []cloud.Item
		if aws.ToString(r.AdministratorAccount) == s.account && aws.ToString(r.DomainOwner) != s.account {
			items = append(items, shared(awstype.PackageRepository, id, map[string]any{"domainOwner": aws.ToString(r.DomainOwner)}))
		}
		if !strings.Contains(aws.ToString(r.Arn), ":"+s.account+":") {
			return items, nil
		}
		out, err := c.GetRepositoryPermissionsPolicy(ctx, &codeartifact.GetRepositoryPermissionsPolicyInput{Domain: r.DomainName, DomainOwner: r.DomainOwner, Repository: r.Name})
		switch {
		case gone(err): // it has none
			return items, nil
		case err != nil || out.Policy == nil:
			return items, err
		}
		return append(items, policyItem(awstype.CodeArtifactRepo, id, "policyDocument", aws.ToString(out.Policy.Document))...), nil
	})
}
