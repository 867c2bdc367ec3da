package awsprovider

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acmpca"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/directoryservice"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/glacier"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/glue"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lakeformation"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/macie2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/opensearch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3control"

	"freehold.dev/freehold/internal/awstype"
)

// shareNamedTypes are settings that name another account.
var shareNamedTypes = []*Type{
	joining(Type{
		Token: awstype.GlueDatabase, Source: "https://docs.aws.amazon.com/glue/latest/webapi/API_CreateDatabase.html",
		Args: glue.CatalogDatabaseArgs{}, State: glue.CatalogDatabase{}, Noun: "Glue Catalog Database", Service: "glue", Name: Name{Property: "name", Max: 255}, Tags: true,
		ARN: "arn:aws:glue:{region}:{account}:database/{name}", Defaults: map[string]any{"catalogId": "{account}"},
		Unique: []Unique{{Key: "database/{name}", Error: "AlreadyExistsException: Database already exists."}},
	}, "CreateDatabase", "GetDatabase", "DeleteDatabase", "{account}:{name}", map[string][]Rule{"targetDatabase.catalogId": {match(accountPattern)}}),
	joining(Type{
		Token: awstype.GlueTable, Source: "https://docs.aws.amazon.com/glue/latest/webapi/API_CreateTable.html",
		Args: glue.CatalogTableArgs{}, State: glue.CatalogTable{}, Noun: "Glue Catalog Table", Service: "glue", Name: Name{Property: "name", Max: 255},
		ARN:    "arn:aws:glue:{region}:{account}:table/{databaseName}/{name}",
		Unique: []Unique{{Key: "table/{databaseName}/{name}", Error: "AlreadyExistsException: Table already exists."}},
	}, "CreateTable", "GetTable", "DeleteTable", "{account}:{databaseName}:{name}", map[string][]Rule{"targetTable.catalogId": {match(accountPattern)}}),
	joining(Type{
		Token: awstype.GlueCrawler, Source: "https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCrawler.html",
		Args: glue.CrawlerArgs{}, State: glue.Crawler{}, Noun: "Glue Crawler", Service: "glue", Name: Name{Property: "name", Max: 255}, Tags: true,
		ARN:    "arn:aws:glue:{region}:{account}:crawler/{name}",
		Unique: []Unique{{Key: "crawler/{name}", Error: "AlreadyExistsException: Crawler with name {name} already exists"}},
	}, "CreateCrawler", "GetCrawler", "DeleteCrawler", "{name}", map[string][]Rule{"lakeFormationConfiguration.accountId": {match(accountPattern)}}),
	joining(Type{
		Token: awstype.GlueRuleset, Source: "https://docs.aws.amazon.com/glue/latest/webapi/API_CreateDataQualityRuleset.html",
		Args: glue.DataQualityRulesetArgs{}, State: glue.DataQualityRuleset{}, Noun: "Glue Data Quality Ruleset", Service: "glue", Name: Name{Property: "name", Max: 255}, Tags: true,
		ARN:    "arn:aws:glue:{region}:{account}:dataQualityRuleset/{name}",
		Unique: []Unique{{Key: "ruleset/{name}", Error: "AlreadyExistsException: Another ruleset with the same name already exists: {name}"}},
	}, "CreateDataQualityRuleset", "GetDataQualityRuleset", "DeleteDataQualityRuleset", "{name}", map[string][]Rule{"targetTable.catalogId": {match(accountPattern)}}),
	joining(Type{
		Token: awstype.GlueTransform, Source: "https://docs.aws.amazon.com/glue/latest/webapi/API_CreateMLTransform.html",
		Args: glue.MLTransformArgs{}, State: glue.MLTransform{}, Noun: "Glue ML Transform", Service: "glue", Name: Name{Property: "name", Max: 255}, Tags: true,
		ARN: "arn:aws:glue:{region}:{account}:mlTransform/{id}", Required: []string{"inputRecordTables"},
	}, "CreateMLTransform", "GetMLTransform", "DeleteMLTransform", "tfm-{hex:32}", map[string][]Rule{"inputRecordTables[*].catalogId": {match(accountPattern)}}),
	joining(Type{
		Token: awstype.LakeSettings, Source: "https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_PutDataLakeSettings.html",
		Args: lakeformation.DataLakeSettingsArgs{}, State: lakeformation.DataLakeSettings{}, Noun: "Lake Formation Data Lake Settings", Service: "lakeformation", Upsert: true,
	}, "PutDataLakeSettings", "GetDataLakeSettings", "PutDataLakeSettings", "{account}", map[string][]Rule{"trustedResourceOwners[*]": {match(accountPattern)}}),
	joining(Type{
		Token: awstype.LakeFilter, Source: "https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_CreateDataCellsFilter.html",
		Args: lakeformation.DataCellsFilterArgs{}, State: lakeformation.DataCellsFilter{}, Noun: "Lake Formation Data Cells Filter", Service: "lakeformation",
	}, "CreateDataCellsFilter", "GetDataCellsFilter", "DeleteDataCellsFilter", "{tableData.databaseName},{tableData.name},{tableData.tableCatalogId},{tableData.tableName}", map[string][]Rule{
		"tableData.tableCatalogId": {match(accountPattern)},
	}),
	joining(Type{
		Token: awstype.LakeOptIn, Source: "https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_CreateLakeFormationOptIn.html",
		Args: lakeformation.OptInArgs{}, State: lakeformation.OptIn{}, Noun: "Lake Formation Opt In", Service: "lakeformation",
		Outputs: map[string]string{"lastModified": "{now}", "lastUpdatedBy": "{account}"},
	}, "CreateLakeFormationOptIn", "ListLakeFormationOptIns", "DeleteLakeFormationOptIn", "opt-in-{hex:12}", nil),
	joining(Type{
		Token: awstype.DynamoDBExport, Source: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html",
		Args: dynamodb.TableExportArgs{}, State: dynamodb.TableExport{}, Noun: "DynamoDB Table Export", Service: "dynamodb",
		ARN: "{tableArn}/export/{digits:14}-{hex:8}", Defaults: map[string]any{"exportFormat": "DYNAMODB_JSON", "exportType": "FULL_EXPORT", "s3SseAlgorithm": "AES256"},
		Outputs: map[string]string{"exportStatus": "COMPLETED", "startTime": "{now}"},
	}, "ExportTableToPointInTime", "DescribeExport", "", "{tableArn}/export/{digits:14}-{hex:8}", map[string][]Rule{
		"s3BucketOwner": {match(accountPattern)}, "tableArn": {isARN("dynamodb")},
	}),
	joining(Type{
		Token: awstype.PrivateCAPermission, Source: "https://docs.aws.amazon.com/privateca/latest/APIReference/API_CreatePermission.html",
		Args: acmpca.PermissionArgs{}, State: acmpca.Permission{}, Noun: "ACM PCA Permission", Service: "acm-pca", Required: []string{"actions"},
		Unique: []Unique{{Key: "permission/{certificateAuthorityArn}/{principal}", Error: "PermissionAlreadyExistsException: The principal has the permission already."}},
	}, "CreatePermission", "ListPermissions", "DeletePermission", "{certificateAuthorityArn},{principal}", map[string][]Rule{
		"actions[*]": {oneOf("IssueCertificate", "GetCertificate", "ListPermissions")}, "certificateAuthorityArn": {isARN("acm-pca")}, "sourceAccount": {match(accountPattern)},
	}),
	joining(Type{
		Token: awstype.APIDomainName, Source: "https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDomainName.html",
		Args: apigateway.DomainNameArgs{}, State: apigateway.DomainName{}, Noun: "API Gateway Domain Name", Service: "apigateway", Tags: true,
		ARN:      "arn:aws:apigateway:{region}::/domainnames/{domainName}",
		Policies: map[string]Grammar{"policy": granting("domain name policy", 8192, "BadRequestException", "BadRequestException")},
		Unique:   []Unique{{Key: "domain-name/{domainName}", Error: "BadRequestException: The domain name you provided already exists."}},
	}, "CreateDomainName", "GetDomainName", "DeleteDomainName", "{domainName}", map[string][]Rule{"endpointConfiguration.types": {oneOf("REGIONAL", "EDGE", "PRIVATE")}}),
	joining(Type{
		Token: awstype.GlacierLock, Source: "https://docs.aws.amazon.com/amazonglacier/latest/dev/api-InitiateVaultLock.html",
		Args: glacier.VaultLockArgs{}, State: glacier.VaultLock{}, Noun: "Glacier Vault Lock", Service: "glacier",
		Policies: map[string]Grammar{"policy": granting("vault lock policy", 20480, "InvalidParameterValueException", "InvalidParameterValueException")},
	}, "InitiateVaultLock", "GetVaultLock", "AbortVaultLock", "{vaultName}", nil),
	joining(Type{
		Token: awstype.MacieJob, Source: "https://docs.aws.amazon.com/macie/latest/APIReference/jobs.html",
		Args: macie2.ClassificationJobArgs{}, State: macie2.ClassificationJob{}, Noun: "Macie Classification Job", Service: "macie2",
		Name: Name{Property: "name", Prefix: "namePrefix", Max: 500}, Tags: true, Outputs: map[string]string{"jobId": "{id}", "createdAt": "{now}"},
	}, "CreateClassificationJob", "DescribeClassificationJob", "UpdateClassificationJob", "{hex:32}", map[string][]Rule{
		"jobType": {oneOf("ONE_TIME", "SCHEDULED")}, "s3JobDefinition.bucketDefinitions[*].accountId": {match(accountPattern)},
	}),
	joining(Type{
		Token: awstype.OpenSearchConnection, Source: "https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_CreateOutboundConnection.html",
		Args: opensearch.OutboundConnectionArgs{}, State: opensearch.OutboundConnection{}, Noun: "OpenSearch Outbound Connection", Service: "es",
		Outputs: map[string]string{"connectionStatus": "PENDING_ACCEPTANCE"},
	}, "CreateOutboundConnection", "DescribeOutboundConnections", "DeleteOutboundConnection", "{hex:32}", map[string][]Rule{
		"localDomainInfo.ownerId": {match(accountPattern)}, "remoteDomainInfo.ownerId": {match(accountPattern)},
	}),
	joining(Type{
		Token: awstype.S3AccessGrant, Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateAccessGrant.html",
		Args: s3control.AccessGrantArgs{}, State: s3control.AccessGrant{}, Noun: "S3 Access Grant", Service: "s3control", Tags: true,
		ARN: "arn:aws:s3:{region}:{account}:access-grants/default/grant/{uuid}", Outputs: map[string]string{"accountId": "{account}", "grantScope": "s3://*"},
	}, "CreateAccessGrant", "GetAccessGrant", "DeleteAccessGrant", "{account},{uuid}", map[string][]Rule{
		"grantee.granteeType": {oneOf("DIRECTORY_USER", "DIRECTORY_GROUP", "IAM")}, "permission": {oneOf("READ", "WRITE", "READWRITE")},
	}),
	joining(Type{
		Token: awstype.S3AccessGrantsPolicy, Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutAccessGrantsInstanceResourcePolicy.html",
		Args: s3control.AccessGrantsInstanceResourcePolicyArgs{}, State: s3control.AccessGrantsInstanceResourcePolicy{}, Noun: "S3 Access Grants Instance Resource Policy", Service: "s3control", Upsert: true,
		Policies: map[string]Grammar{"policy": granting("access grants policy", 20480, "MalformedPolicy", "PolicyTooLarge")}, Outputs: map[string]string{"accountId": "{account}"},
	}, "PutAccessGrantsInstanceResourcePolicy", "GetAccessGrantsInstanceResourcePolicy", "DeleteAccessGrantsInstanceResourcePolicy", "{account}", nil),
	bucketPart(Type{
		Token: awstype.S3BucketACL, Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html",
		Args: s3.BucketAclV2Args{}, State: s3.BucketAclV2{}, Noun: "S3 Bucket ACL",
		API: API{Create: "PutBucketAcl", Read: "GetBucketAcl", Update: "PutBucketAcl", Delete: "PutBucketAcl"},
	}),
	joining(Type{
		Token: awstype.SharedDirectory, Source: "https://docs.aws.amazon.com/directoryservice/latest/devguide/API_ShareDirectory.html",
		Args: directoryservice.SharedDirectoryArgs{}, State: directoryservice.SharedDirectory{}, Noun: "DS Shared Directory", Service: "ds",
		Defaults: map[string]any{"method": "HANDSHAKE"}, Outputs: map[string]string{"sharedDirectoryId": "d-{hex:10}"},
	}, "ShareDirectory", "DescribeSharedDirectories", "UnshareDirectory", "{directoryId}/d-{hex:10}", map[string][]Rule{"target.id": {match(accountPattern)}}),
	joining(Type{
		Token: awstype.CloudWatchAlarm, Source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
		Args: cloudwatch.MetricAlarmArgs{}, State: cloudwatch.MetricAlarm{}, Noun: "CloudWatch Metric Alarm", Service: "cloudwatch", Name: Name{Property: "name", Max: 255}, Tags: true, Upsert: true,
		ARN: "arn:aws:cloudwatch:{region}:{account}:alarm:{name}", Defaults: map[string]any{"actionsEnabled": true, "treatMissingData": "missing"},
	}, "PutMetricAlarm", "DescribeAlarms", "DeleteAlarms", "{name}", map[string][]Rule{"metricQueries[*].accountId": {match(accountPattern)}}),
}
