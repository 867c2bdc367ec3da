package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	laketypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listCatalogLinks lists what in the account's catalog stands for a database or a
// table of another account, and what reads such tables.
func listCatalogLinks(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, catalogDatabases, catalogCrawlers, catalogRulesets, catalogTransforms)
}

func catalogDatabases(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := glue.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.GetDatabases,
		func(next *string) *glue.GetDatabasesInput { return &glue.GetDatabasesInput{NextToken: next} },
		func(o *glue.GetDatabasesOutput) ([]gluetypes.Database, *string) { return o.DatabaseList, o.NextToken })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, d gluetypes.Database) ([]cloud.Item, error) {
		name := aws.ToString(d.Name)
		properties := map[string]any{}
		var permissions []any
		for _, p := range d.CreateTableDefaultPermissions {
			if p.Principal != nil {
				permissions = append(permissions, map[string]any{"principal": map[string]any{"dataLakePrincipalIdentifier": aws.ToString(p.Principal.DataLakePrincipalIdentifier)}})
			}
		}
		if len(permissions) > 0 {
			properties["createTableDefaultPermissions"] = permissions
		}
		if d.TargetDatabase != nil {
			properties["targetDatabase"] = map[string]any{"catalogId": aws.ToString(d.TargetDatabase.CatalogId), "databaseName": aws.ToString(d.TargetDatabase.DatabaseName)}
		}
		var items []cloud.Item
		if len(properties) > 0 {
			items = append(items, named(awstype.GlueDatabase, s.account+":"+name, name, ""))
			items[0].Properties = properties
		}
		if d.TargetDatabase != nil {
			return items, nil // its tables are the other catalog's
		}
		tables, err := walk(ctx, c.GetTables,
			func(next *string) *glue.GetTablesInput {
				return &glue.GetTablesInput{DatabaseName: d.Name, NextToken: next}
			},
			func(o *glue.GetTablesOutput) ([]gluetypes.Table, *string) { return o.TableList, o.NextToken })
		for _, t := range tables {
			if t.TargetTable == nil {
				continue
			}
			it := named(awstype.GlueTable, s.account+":"+name+":"+aws.ToString(t.Name), aws.ToString(t.Name), "")
			it.Properties = map[string]any{"targetTable": map[string]any{"catalogId": aws.ToString(t.TargetTable.CatalogId), "databaseName": aws.ToString(t.TargetTable.DatabaseName)}}
			items = append(items, it)
		}
		return items, err
	})
}

func catalogCrawlers(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := glue.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.GetCrawlers,
		func(next *string) *glue.GetCrawlersInput { return &glue.GetCrawlersInput{NextToken: next} },
		func(o *glue.GetCrawlersOutput) ([]gluetypes.Crawler, *string) { return o.Crawlers, o.NextToken })
	var items []cloud.Item
	for _, r := range all {
		if r.LakeFormationConfiguration != nil && aws.ToString(r.LakeFormationConfiguration.AccountId) != "" {
			items = append(items, shared(awstype.GlueCrawler, aws.ToString(r.Name), map[string]any{
				"lakeFormationConfiguration": map[string]any{"accountId": aws.ToString(r.LakeFormationConfiguration.AccountId)},
			}))
		}
	}
	return items, err
}

func catalogRulesets(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := glue.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListDataQualityRulesets,
		func(next *string) *glue.ListDataQualityRulesetsInput {
			return &glue.ListDataQualityRulesetsInput{NextToken: next}
		},
		func(o *glue.ListDataQualityRulesetsOutput) ([]gluetypes.DataQualityRulesetListDetails, *string) {
			return o.Rulesets, o.NextToken
		})
	var items []cloud.Item
	for _, r := range all {
		if r.TargetTable != nil && aws.ToString(r.TargetTable.CatalogId) != "" {
			items = append(items, shared(awstype.GlueRuleset, aws.ToString(r.Name), map[string]any{
				"targetTable": map[string]any{"catalogId": aws.ToString(r.TargetTable.CatalogId), "databaseName": aws.ToString(r.TargetTable.DatabaseName)},
			}))
		}
	}
	return items, err
}

func catalogTransforms(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := glue.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.GetMLTransforms,
		func(next *string) *glue.GetMLTransformsInput { return &glue.GetMLTransformsInput{NextToken: next} },
		func(o *glue.GetMLTransformsOutput) ([]gluetypes.MLTransform, *string) {
			return o.Transforms, o.NextToken
		})
	var items []cloud.Item
	for _, m := range all {
		var tables []any
		for _, t := range m.InputRecordTables {
			if aws.ToString(t.CatalogId) != "" {
				tables = append(tables, map[string]any{"catalogId": aws.ToString(t.CatalogId), "databaseName": aws.ToString(t.DatabaseName)})
			}
		}
		if len(tables) > 0 {
			it := shared(awstype.GlueTransform, aws.ToString(m.TransformId), map[string]any{"inputRecordTables": tables})
			it.Name = aws.ToString(m.Name)
			items = append(items, it)
		}
	}
	return items, err
}

// listLakeSettings lists whom the settings of the account's data lake trust, and the
// filters and opt-ins over its tables.
func listLakeSettings(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, lakeSettings, lakeFilters, lakeOptIns)
}

func lakeSettings(ctx context.Context, s *session) ([]cloud.Item, error) {
	out, err := lakeformation.NewFromConfig(s.cfg).GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return nil, called(err)
	}
	if out.DataLakeSettings == nil {
		return nil, nil
	}
	properties := map[string]any{}
	if owners := out.DataLakeSettings.TrustedResourceOwners; len(owners) > 0 {
		properties["trustedResourceOwners"] = owners
	}
	for name, all := range map[string][]laketypes.DataLakePrincipal{
		"admins": out.DataLakeSettings.DataLakeAdmins, "readOnlyAdmins": out.DataLakeSettings.ReadOnlyAdmins,
		"externalDataFilteringAllowLists": out.DataLakeSettings.ExternalDataFilteringAllowList,
	} {
		if who := lakePrincipals(all); len(who) > 0 {
			properties[name] = who
		}
	}
	if len(properties) == 0 {
		return nil, nil
	}
	return []cloud.Item{shared(awstype.LakeSettings, s.account, properties)}, nil
}

func lakePrincipals(all []laketypes.DataLakePrincipal) (out []string) {
	for _, p := range all {
		out = append(out, aws.ToString(p.DataLakePrincipalIdentifier))
	}
	return out
}

func lakeFilters(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := lakeformation.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListDataCellsFilter,
		func(next *string) *lakeformation.ListDataCellsFilterInput {
			return &lakeformation.ListDataCellsFilterInput{NextToken: next}
		},
		func(o *lakeformation.ListDataCellsFilterOutput) ([]laketypes.DataCellsFilter, *string) {
			return o.DataCellsFilters, o.NextToken
		})
	var items []cloud.Item
	for _, f := range all {
		catalog, name := aws.ToString(f.TableCatalogId), aws.ToString(f.Name)
		it := shared(awstype.LakeFilter, aws.ToString(f.DatabaseName)+","+name+","+catalog+","+aws.ToString(f.TableName), map[string]any{
			"tableData": map[string]any{"tableCatalogId": catalog, "databaseName": aws.ToString(f.DatabaseName), "tableName": aws.ToString(f.TableName)},
		})
		it.Name = name
		items = append(items, it)
	}
	return items, err
}

func lakeOptIns(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := lakeformation.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListLakeFormationOptIns,
		func(next *string) *lakeformation.ListLakeFormationOptInsInput {
			return &lakeformation.ListLakeFormationOptInsInput{NextToken: next}
		},
		func(o *lakeformation.ListLakeFormationOptInsOutput) ([]laketypes.LakeFormationOptInsInfo, *string) {
			return o.LakeFormationOptInsInfoList, o.NextToken
		})
	var items []cloud.Item
	for _, n := range all {
		if n.Principal == nil {
			continue
		}
		who := aws.ToString(n.Principal.DataLakePrincipalIdentifier)
		items = append(items, shared(awstype.LakeOptIn, who+lakeThing(n.Resource), map[string]any{
			"principals": []any{map[string]any{"dataLakePrincipalIdentifier": who}},
		}))
	}
	return items, err
}
