package awsprovider

import (
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acmpca"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codeartifact"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/glacier"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/glue"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kinesis"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lakeformation"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/opensearch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3control"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
)

const (
	ebsSnapshotToken = "aws:ebs/snapshot:Snapshot"
	imageToken       = "aws:ec2/ami:Ami"
	accessPointToken = "aws:s3/accessPoint:AccessPoint"
	secretToken      = "aws:secretsmanager/secret:Secret"
	tableToken       = "aws:dynamodb/table:Table"
	efsToken         = "aws:efs/fileSystem:FileSystem"
	searchToken      = "aws:opensearch/domain:Domain"
	vaultToken       = "aws:backup/vault:Vault"
	authorityToken   = "aws:acmpca/certificateAuthority:CertificateAuthority"
	streamToken      = "aws:kinesis/stream:Stream"
	packagesToken    = "aws:codeartifact/domain:Domain"
	packageToken     = "aws:codeartifact/repository:Repository"
	restToken        = "aws:apigateway/restApi:RestApi"
)

// shareDataTypes are what holds data, and the policies by which it is shared.
var shareDataTypes = []*Type{
	{
		Token: accessPointToken, Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateAccessPoint.html",
		Args: s3.AccessPointArgs{}, State: s3.AccessPoint{}, Noun: "S3 Access Point", Service: "s3control",
		API: API{Create: "CreateAccessPoint", Read: "GetAccessPoint", Update: "PutAccessPointPolicy", Delete: "DeleteAccessPoint"},
		ID:  "{account}:{name}", ARN: "arn:aws:s3:{region}:{account}:accesspoint/{name}", Name: Name{Property: "name", Max: 50, Lower: true},
		Defaults: map[string]any{"networkOrigin": "Internet"},
		Outputs:  map[string]string{"accountId": "{account}", "alias": "{name}-{hex:20}-s3alias", "bucketAccountId": "{account}"},
		Fields:   map[string][]Rule{"name": {length(3, 50), match(regexp.MustCompile(`^[a-z0-9][a-z0-9-]*[a-z0-9]$`))}},
		Policies: map[string]Grammar{"policy": granting("access point policy", 20480, "MalformedPolicy", "PolicyTooLarge")},
		Unique:   []Unique{{Key: "accesspoint/{name}", Error: "AccessPointAlreadyOwnedByYou: Your previous request to create the named accesspoint succeeded and you already own it."}},
		Refs: []Ref{{Path: "bucket", To: []string{bucketToken}, By: []string{"id", "arn"}, AnyAccount: true,
			Error: "NoSuchBucket: The specified bucket does not exist"}},
		Replace: []string{"bucket", "name", "accountId", "bucketAccountId", "vpcConfiguration", "publicAccessBlockConfiguration"},
	},
	policyOf(Type{
		Token: "aws:s3control/accessPointPolicy:AccessPointPolicy", Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutAccessPointPolicy.html",
		Args: s3control.AccessPointPolicyArgs{}, State: s3control.AccessPointPolicy{}, Noun: "S3 Access Point Policy", Service: "s3control",
		API: API{Create: "PutAccessPointPolicy", Read: "GetAccessPointPolicy", Update: "PutAccessPointPolicy", Delete: "DeleteAccessPointPolicy"},
		ID:  "{accessPointArn}", Fields: map[string][]Rule{"accessPointArn": {isARN("s3")}},
		Policies: map[string]Grammar{"policy": granting("access point policy", 20480, "MalformedPolicy", "PolicyTooLarge")},
		Refs:     []Ref{{Path: "accessPointArn", To: []string{accessPointToken}, By: []string{"arn"}, Error: "NoSuchAccessPoint: The specified accesspoint does not exist"}},
	}),
	bucketPart(Type{
		Token: "aws:s3/bucketReplicationConfig:BucketReplicationConfig", Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html",
		Args: s3.BucketReplicationConfigArgs{}, State: s3.BucketReplicationConfig{}, Noun: "S3 Bucket Replication Configuration",
		API:    API{Create: "PutBucketReplication", Read: "GetBucketReplication", Update: "PutBucketReplication", Delete: "DeleteBucketReplication"},
		Fields: map[string][]Rule{"role": {isARN("iam")}, "rules": {count(1, 1000)}, "rules[*].destination.bucket": {isARN("s3")}},
		Check:  versioned,
	}),
	bucketPart(Type{
		Token: "aws:s3/bucketNotification:BucketNotification", Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html",
		Args: s3.BucketNotificationArgs{}, State: s3.BucketNotification{}, Noun: "S3 Bucket Notification",
		API: API{Create: "PutBucketNotificationConfiguration", Read: "GetBucketNotificationConfiguration", Update: "PutBucketNotificationConfiguration",
			Delete: "PutBucketNotificationConfiguration"},
		Fields: map[string][]Rule{"queues[*].queueArn": {isARN("sqs")}, "topics[*].topicArn": {isARN("sns")}, "lambdaFunctions[*].lambdaFunctionArn": {isARN("lambda")}},
	}),
	{
		Token: "aws:ecr/registryPolicy:RegistryPolicy", Source: "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutRegistryPolicy.html",
		Args: ecr.RegistryPolicyArgs{}, State: ecr.RegistryPolicy{}, Noun: "ECR Registry Policy", Service: "ecr",
		API: API{Create: "PutRegistryPolicy", Read: "GetRegistryPolicy", Update: "PutRegistryPolicy", Delete: "DeleteRegistryPolicy"},
		ID:  "{account}", Upsert: true, Outputs: map[string]string{"registryId": "{account}"},
		Policies: map[string]Grammar{"policy": granting("registry policy", 10240, "ValidationException", "ValidationException")},
	},
	{
		Token: "aws:ecr/replicationConfiguration:ReplicationConfiguration", Source: "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutReplicationConfiguration.html",
		Args: ecr.ReplicationConfigurationArgs{}, State: ecr.ReplicationConfiguration{}, Noun: "ECR Replication Configuration", Service: "ecr",
		API: API{Create: "PutReplicationConfiguration", Read: "DescribeRegistry", Update: "PutReplicationConfiguration", Delete: "PutReplicationConfiguration"},
		ID:  "{account}", Upsert: true, Outputs: map[string]string{"registryId": "{account}"},
		Fields: map[string][]Rule{
			"replicationConfiguration.rules":                               {count(0, 10)},
			"replicationConfiguration.rules[*].destinations":               {count(1, 100)},
			"replicationConfiguration.rules[*].destinations[*].registryId": {match(accountPattern)},
		},
	},
	{
		Token: "aws:ecr/pullThroughCacheRule:PullThroughCacheRule", Source: "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreatePullThroughCacheRule.html",
		Args: ecr.PullThroughCacheRuleArgs{}, State: ecr.PullThroughCacheRule{}, Noun: "ECR Pull Through Cache Rule", Service: "ecr",
		API: API{Create: "CreatePullThroughCacheRule", Read: "DescribePullThroughCacheRules", Update: "UpdatePullThroughCacheRule", Delete: "DeletePullThroughCacheRule"},
		ID:  "{ecrRepositoryPrefix}", Outputs: map[string]string{"registryId": "{account}"},
		Fields:  map[string][]Rule{"ecrRepositoryPrefix": {length(2, 30)}},
		Unique:  []Unique{{Key: "cache/{ecrRepositoryPrefix}", Error: "PullThroughCacheRuleAlreadyExistsException: A pull through cache rule for '{ecrRepositoryPrefix}' already exists."}},
		Replace: []string{"ecrRepositoryPrefix", "upstreamRegistryUrl"},
	},
	{
		Token: ebsSnapshotToken, Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshot.html",
		Args: ebs.SnapshotArgs{}, State: ebs.Snapshot{}, Noun: "EBS Snapshot", Service: "ec2",
		API: API{Create: "CreateSnapshot", Read: "DescribeSnapshots", Update: "ModifySnapshotTier", Delete: "DeleteSnapshot", Updates: map[string]string{"tags": "CreateTags"}},
		ID:  "snap-{hex:17}", ARN: "arn:aws:ec2:{region}::snapshot/{id}", Tags: true, Outputs: map[string]string{"ownerId": "{account}"},
		Fields: map[string][]Rule{"volumeId": {match(regexp.MustCompile(`^vol-[0-9a-f]{8,17}$`))}}, Replace: []string{"volumeId", "description", "outpostArn"},
	},
	{
		Token: imageToken, Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html",
		Args: ec2.AmiArgs{}, State: ec2.Ami{}, Noun: "EC2 AMI", Service: "ec2",
		API: API{Create: "RegisterImage", Read: "DescribeImages", Update: "ModifyImageAttribute", Delete: "DeregisterImage", Updates: map[string]string{"tags": "CreateTags"}},
		ID:  "ami-{hex:17}", ARN: "arn:aws:ec2:{region}::image/{id}", Name: Name{Property: "name", Max: 128}, Tags: true,
		Outputs: map[string]string{"ownerId": "{account}"}, Fields: map[string][]Rule{"name": {length(3, 128)}},
		Unique:  []Unique{{Key: "image/{name}", Error: "InvalidAMIName.Duplicate: AMI name {name} is already in use by AMI {id}"}},
		Replace: []string{"name", "architecture", "virtualizationType", "rootDeviceName", "imageLocation"},
	},
	snapshotOf(Type{
		Token: "aws:rds/snapshot:Snapshot", Args: rds.SnapshotArgs{}, State: rds.Snapshot{}, Noun: "RDS DB Snapshot",
		Source: "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html",
		API:    API{Create: "CreateDBSnapshot", Read: "DescribeDBSnapshots", Update: "ModifyDBSnapshotAttribute", Delete: "DeleteDBSnapshot"},
		ID:     "{dbSnapshotIdentifier}", Outputs: map[string]string{"dbSnapshotArn": "arn:aws:rds:{region}:{account}:snapshot:{dbSnapshotIdentifier}"},
		Unique:  []Unique{{Key: "snapshot/{dbSnapshotIdentifier}", Error: "DBSnapshotAlreadyExists: Cannot create the snapshot because a snapshot with the identifier {dbSnapshotIdentifier} already exists."}},
		Replace: []string{"dbInstanceIdentifier", "dbSnapshotIdentifier"},
	}),
	snapshotOf(Type{
		Token: "aws:rds/clusterSnapshot:ClusterSnapshot", Args: rds.ClusterSnapshotArgs{}, State: rds.ClusterSnapshot{}, Noun: "RDS Cluster Snapshot",
		Source: "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBClusterSnapshotAttribute.html",
		API:    API{Create: "CreateDBClusterSnapshot", Read: "DescribeDBClusterSnapshots", Update: "ModifyDBClusterSnapshotAttribute", Delete: "DeleteDBClusterSnapshot"},
		ID:     "{dbClusterSnapshotIdentifier}", Outputs: map[string]string{"dbClusterSnapshotArn": "arn:aws:rds:{region}:{account}:cluster-snapshot:{dbClusterSnapshotIdentifier}"},
		Unique:  []Unique{{Key: "cluster-snapshot/{dbClusterSnapshotIdentifier}", Error: "DBClusterSnapshotAlreadyExistsFault: {dbClusterSnapshotIdentifier} already exists."}},
		Replace: []string{"dbClusterIdentifier", "dbClusterSnapshotIdentifier"},
	}),
	{
		Token: secretToken, Source: "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html",
		Args: secretsmanager.SecretArgs{}, State: secretsmanager.Secret{}, Noun: "Secrets Manager Secret", Service: "secretsmanager",
		API: API{Create: "CreateSecret", Read: "DescribeSecret", Update: "UpdateSecret", Delete: "DeleteSecret", Updates: map[string]string{"policy": "PutResourcePolicy", "tags": "TagResource"}},
		ID:  "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{hex:6}", ARN: "{id}", Name: Name{Property: "name", Prefix: "namePrefix", Max: 512}, Tags: true,
		Defaults: map[string]any{"recoveryWindowInDays": 30.0, "forceOverwriteReplicaSecret": false}, Policies: map[string]Grammar{"policy": secretGrammar},
		Unique:  []Unique{{Key: "secret/{name}", Error: "ResourceExistsException: The operation failed because the secret {name} already exists."}},
		Refs:    []Ref{keyRef("kmsKeyId", "KMSAccessDeniedException")},
		Replace: []string{"name", "namePrefix"},
		Owns:    []Link{{Type: "aws:secretsmanager/secretPolicy:SecretPolicy", Path: "secretArn", Value: "{arn}"}},
	},
	policyOf(Type{
		Token: "aws:secretsmanager/secretPolicy:SecretPolicy", Source: "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html",
		Args: secretsmanager.SecretPolicyArgs{}, State: secretsmanager.SecretPolicy{}, Noun: "Secrets Manager Secret Policy", Service: "secretsmanager",
		API: API{Create: "PutResourcePolicy", Read: "GetResourcePolicy", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
		ID:  "{secretArn}", Policies: map[string]Grammar{"policy": secretGrammar}, Replace: []string{"secretArn"},
		Refs: []Ref{{Path: "secretArn", To: []string{secretToken}, By: []string{"arn"}, Error: "ResourceNotFoundException: Secrets Manager can't find the specified secret."}},
	}),
	{
		Token: tableToken, Source: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html",
		Args: dynamodb.TableArgs{}, State: dynamodb.Table{}, Noun: "DynamoDB Table", Service: "dynamodb",
		API: API{Create: "CreateTable", Read: "DescribeTable", Update: "UpdateTable", Delete: "DeleteTable", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{name}", ARN: "arn:aws:dynamodb:{region}:{account}:table/{name}", Name: Name{Property: "name", Max: 255}, Tags: true,
		Defaults: map[string]any{"billingMode": "PROVISIONED", "deletionProtectionEnabled": false}, Fields: map[string][]Rule{"name": {length(3, 255)}},
		Unique:  []Unique{{Key: "table/{name}", Error: "ResourceInUseException: Table already exists: {name}"}},
		Replace: []string{"name", "hashKey", "rangeKey", "localSecondaryIndexes"},
		Owns:    []Link{{Type: "aws:dynamodb/resourcePolicy:ResourcePolicy", Path: "resourceArn", Value: "{arn}"}},
		Check: func(c *Call) error {
			if c.String("hashKey") == "" || len(listAt(c.In, "attributes")) == 0 {
				return errf("ValidationException", "No provisioned key schema: hashKey and its attribute are required")
			}
			return nil
		},
	},
	policyOf(Type{
		Token: "aws:dynamodb/resourcePolicy:ResourcePolicy", Source: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutResourcePolicy.html",
		Args: dynamodb.ResourcePolicyArgs{}, State: dynamodb.ResourcePolicy{}, Noun: "DynamoDB Resource Policy", Service: "dynamodb",
		API: API{Create: "PutResourcePolicy", Read: "GetResourcePolicy", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
		ID:  "{resourceArn}", Outputs: map[string]string{"revisionId": "{digits:13}"}, Replace: []string{"resourceArn"},
		Policies: map[string]Grammar{"policy": granting("resource policy", 20480, "ValidationException", "ValidationException")},
		Refs:     []Ref{{Path: "resourceArn", To: []string{tableToken}, By: []string{"arn"}, Error: "ResourceNotFoundException: Requested resource not found: Table: {value} not found"}},
	}),
	{
		Token: efsToken, Source: "https://docs.aws.amazon.com/efs/latest/ug/API_CreateFileSystem.html",
		Args: efs.FileSystemArgs{}, State: efs.FileSystem{}, Noun: "EFS file system", Service: "elasticfilesystem",
		API: API{Create: "CreateFileSystem", Read: "DescribeFileSystems", Update: "UpdateFileSystem", Delete: "DeleteFileSystem", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "fs-{hex:17}", ARN: "arn:aws:elasticfilesystem:{region}:{account}:file-system/{id}", Tags: true, Outputs: map[string]string{"ownerId": "{account}"},
		Replace: []string{"creationToken", "encrypted", "kmsKeyId", "performanceMode", "availabilityZoneName"},
		Refs:    []Ref{keyRef("kmsKeyId", "BadRequest")},
		Owns:    []Link{{Type: "aws:efs/fileSystemPolicy:FileSystemPolicy", Path: "fileSystemId"}},
	},
	policyOf(Type{
		Token: "aws:efs/fileSystemPolicy:FileSystemPolicy", Source: "https://docs.aws.amazon.com/efs/latest/ug/API_PutFileSystemPolicy.html",
		Args: efs.FileSystemPolicyArgs{}, State: efs.FileSystemPolicy{}, Noun: "EFS File System Policy", Service: "elasticfilesystem",
		API: API{Create: "PutFileSystemPolicy", Read: "DescribeFileSystemPolicy", Update: "PutFileSystemPolicy", Delete: "DeleteFileSystemPolicy"},
		ID:  "{fileSystemId}", Policies: map[string]Grammar{"policy": granting("file system policy", 20000, "InvalidPolicyException", "InvalidPolicyException")},
		Refs: []Ref{{Path: "fileSystemId", To: []string{efsToken}, By: []string{"id"}, Error: "FileSystemNotFound: File system '{value}' does not exist."}}, Replace: []string{"fileSystemId"},
	}),
	{
		Token: searchToken, Source: "https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_CreateDomain.html",
		Args: opensearch.DomainArgs{}, State: opensearch.Domain{}, Noun: "OpenSearch Domain", Service: "es",
		API: API{Create: "CreateDomain", Read: "DescribeDomain", Update: "UpdateDomainConfig", Delete: "DeleteDomain", Updates: map[string]string{"tags": "AddTags"}},
		ID:  "arn:aws:es:{region}:{account}:domain/{domainName}", ARN: "arn:aws:es:{region}:{account}:domain/{domainName}", Name: Name{Property: "domainName", Max: 28, Lower: true}, Tags: true,
		Defaults: map[string]any{"engineVersion": "OpenSearch_2.19"}, Fields: map[string][]Rule{"domainName": {length(3, 28), match(regexp.MustCompile(`^[a-z][a-z0-9-]+$`))}},
		Policies: map[string]Grammar{"accessPolicies": searchGrammar},
		Unique:   []Unique{{Key: "search/{domainName}", Error: "ResourceAlreadyExistsException: Domain {domainName} already exists"}}, Replace: []string{"domainName"},
	},
	policyOf(Type{
		Token: "aws:opensearch/domainPolicy:DomainPolicy", Source: "https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_UpdateDomainConfig.html",
		Args: opensearch.DomainPolicyArgs{}, State: opensearch.DomainPolicy{}, Noun: "OpenSearch Domain Policy", Service: "es",
		API: API{Create: "UpdateDomainConfig", Read: "DescribeDomain", Update: "UpdateDomainConfig", Delete: "UpdateDomainConfig"},
		ID:  "esd-policy-{domainName}", Policies: map[string]Grammar{"accessPolicies": searchGrammar}, Refs: []Ref{noDomain}, Replace: []string{"domainName"},
	}),
	policyOf(Type{
		Token: "aws:opensearch/authorizeVpcEndpointAccess:AuthorizeVpcEndpointAccess", Source: "https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_AuthorizeVpcEndpointAccess.html",
		Args: opensearch.AuthorizeVpcEndpointAccessArgs{}, State: opensearch.AuthorizeVpcEndpointAccess{}, Noun: "OpenSearch VPC Endpoint Access", Service: "es",
		API: API{Create: "AuthorizeVpcEndpointAccess", Read: "ListVpcEndpointAccess", Delete: "RevokeVpcEndpointAccess"},
		ID:  "{domainName}:{account}", Fields: map[string][]Rule{"account": {match(accountPattern)}}, Refs: []Ref{noDomain}, Replace: []string{"*"},
	}),
	{
		Token: "aws:glacier/vault:Vault", Source: "https://docs.aws.amazon.com/amazonglacier/latest/dev/api-SetVaultAccessPolicy.html",
		Args: glacier.VaultArgs{}, State: glacier.Vault{}, Noun: "Glacier Vault", Service: "glacier",
		API: API{Create: "CreateVault", Read: "DescribeVault", Update: "SetVaultAccessPolicy", Delete: "DeleteVault", Updates: map[string]string{"tags": "AddTagsToVault"}},
		ID:  "{name}", ARN: "arn:aws:glacier:{region}:{account}:vaults/{name}", Name: Name{Property: "name", Max: 255}, Tags: true,
		Outputs:  map[string]string{"location": "/{account}/vaults/{name}"},
		Policies: map[string]Grammar{"accessPolicy": granting("vault access policy", 20480, "InvalidParameterValueException", "InvalidParameterValueException")}, Replace: []string{"name"}, Upsert: true,
	},
	{
		Token: vaultToken, Source: "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupVault.html",
		Args: backup.VaultArgs{}, State: backup.Vault{}, Noun: "Backup Vault", Service: "backup",
		API: API{Create: "CreateBackupVault", Read: "DescribeBackupVault", Delete: "DeleteBackupVault", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{name}", ARN: "arn:aws:backup:{region}:{account}:backup-vault:{name}", Name: Name{Property: "name", Max: 50}, Tags: true,
		Defaults: map[string]any{"recoveryPoints": 0.0}, Fields: map[string][]Rule{"name": {length(2, 50)}}, Refs: []Ref{keyRef("kmsKeyArn", "InvalidParameterValueException")},
		Unique: []Unique{{Key: "vault/{name}", Error: "AlreadyExistsException: Backup vault with the same name already exists"}}, Replace: []string{"name", "kmsKeyArn"},
		Owns: []Link{{Type: "aws:backup/vaultPolicy:VaultPolicy", Path: "backupVaultName"}},
	},
	policyOf(Type{
		Token: "aws:backup/vaultPolicy:VaultPolicy", Source: "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_PutBackupVaultAccessPolicy.html",
		Args: backup.VaultPolicyArgs{}, State: backup.VaultPolicy{}, Noun: "Backup Vault Policy", Service: "backup",
		API: API{Create: "PutBackupVaultAccessPolicy", Read: "GetBackupVaultAccessPolicy", Update: "PutBackupVaultAccessPolicy", Delete: "DeleteBackupVaultAccessPolicy"},
		ID:  "{backupVaultName}", Outputs: map[string]string{"backupVaultArn": "arn:aws:backup:{region}:{account}:backup-vault:{backupVaultName}"}, Replace: []string{"backupVaultName"},
		Policies: map[string]Grammar{"policy": granting("vault policy", 20480, "InvalidParameterValueException", "InvalidParameterValueException")},
		Refs:     []Ref{{Path: "backupVaultName", To: []string{vaultToken}, By: []string{"id"}, Error: "ResourceNotFoundException: Backup Vault {value} does not exist"}},
	}),
	{
		Token: "aws:backup/plan:Plan", Source: "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupPlan.html",
		Args: backup.PlanArgs{}, State: backup.Plan{}, Noun: "Backup Plan", Service: "backup",
		API: API{Create: "CreateBackupPlan", Read: "GetBackupPlan", Update: "UpdateBackupPlan", Delete: "DeleteBackupPlan", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{uuid}", ARN: "arn:aws:backup:{region}:{account}:backup-plan:{id}", Name: Name{Property: "name", Max: 50}, Tags: true, Outputs: map[string]string{"version": "{uuid}"},
		Fields: map[string][]Rule{"rules": {count(1, 100)}, "rules[*].copyActions[*].destinationVaultArn": {isARN("backup")}},
	},
	{
		Token: authorityToken, Source: "https://docs.aws.amazon.com/privateca/latest/APIReference/API_CreateCertificateAuthority.html",
		Args: acmpca.CertificateAuthorityArgs{}, State: acmpca.CertificateAuthority{}, Noun: "ACM PCA Certificate Authority", Service: "acm-pca",
		API: API{Create: "CreateCertificateAuthority", Read: "DescribeCertificateAuthority", Update: "UpdateCertificateAuthority", Delete: "DeleteCertificateAuthority", Updates: map[string]string{"tags": "TagCertificateAuthority"}},
		ID:  "arn:aws:acm-pca:{region}:{account}:certificate-authority/{uuid}", ARN: "{id}", Tags: true,
		Fields: map[string][]Rule{"type": {oneOf("ROOT", "SUBORDINATE")}}, Replace: []string{"certificateAuthorityConfiguration", "type", "usageMode", "keyStorageSecurityStandard"},
	},
	policyOf(Type{
		Token: "aws:acmpca/policy:Policy", Source: "https://docs.aws.amazon.com/privateca/latest/APIReference/API_PutPolicy.html",
		Args: acmpca.PolicyArgs{}, State: acmpca.Policy{}, Noun: "ACM PCA Policy", Service: "acm-pca",
		API: API{Create: "PutPolicy", Read: "GetPolicy", Update: "PutPolicy", Delete: "DeletePolicy"},
		ID:  "{resourceArn}", Replace: []string{"resourceArn"}, Policies: map[string]Grammar{"policy": granting("CA policy", 20480, "InvalidPolicyException", "InvalidPolicyException")},
		Refs: []Ref{{Path: "resourceArn", To: []string{authorityToken}, By: []string{"arn"}, Error: "ResourceNotFoundException: Could not find certificate authority {value}."}},
	}),
	{
		Token: streamToken, Source: "https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html",
		Args: kinesis.StreamArgs{}, State: kinesis.Stream{}, Noun: "Kinesis Stream", Service: "kinesis",
		API: API{Create: "CreateStream", Read: "DescribeStreamSummary", Update: "UpdateShardCount", Delete: "DeleteStream", Updates: map[string]string{"tags": "AddTagsToStream"}},
		ID:  "arn:aws:kinesis:{region}:{account}:stream/{name}", ARN: "arn:aws:kinesis:{region}:{account}:stream/{name}", Name: Name{Property: "name", Max: 128}, Tags: true,
		Unique: []Unique{{Key: "stream/{name}", Error: "ResourceInUseException: Stream {name} under account {account} already exists."}}, Replace: []string{"name"},
		Owns: []Link{{Type: "aws:kinesis/resourcePolicy:ResourcePolicy", Path: "resourceArn", Value: "{arn}"}},
	},
	policyOf(Type{
		Token: "aws:kinesis/resourcePolicy:ResourcePolicy", Source: "https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutResourcePolicy.html",
		Args: kinesis.ResourcePolicyArgs{}, State: kinesis.ResourcePolicy{}, Noun: "Kinesis Resource Policy", Service: "kinesis",
		API: API{Create: "PutResourcePolicy", Read: "GetResourcePolicy", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
		ID:  "{resourceArn}", Replace: []string{"resourceArn"}, Policies: map[string]Grammar{"policy": granting("resource policy", 20480, "InvalidArgumentException", "InvalidArgumentException")},
		Refs: []Ref{{Path: "resourceArn", To: []string{streamToken}, By: []string{"arn"}, Error: "ResourceNotFoundException: Stream {value} not found."}},
	}),
	{
		Token: "aws:glue/resourcePolicy:ResourcePolicy", Source: "https://docs.aws.amazon.com/glue/latest/webapi/API_PutResourcePolicy.html",
		Args: glue.ResourcePolicyArgs{}, State: glue.ResourcePolicy{}, Noun: "Glue Resource Policy", Service: "glue",
		API: API{Create: "PutResourcePolicy", Read: "GetResourcePolicy", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
		ID:  "{account}", Upsert: true, Policies: map[string]Grammar{"policy": granting("catalog policy", 10240, "InvalidInputException", "InvalidInputException")},
	},
	{
		Token: "aws:lakeformation/permissions:Permissions", Source: "https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GrantPermissions.html",
		Args: lakeformation.PermissionsArgs{}, State: lakeformation.Permissions{}, Noun: "Lake Formation Permissions", Service: "lakeformation",
		API: API{Create: "GrantPermissions", Read: "ListPermissions", Update: "GrantPermissions", Delete: "RevokePermissions"},
		ID:  "{digits:10}", Replace: []string{"*"}, Required: []string{"permissions"}, Defaults: map[string]any{"catalogResource": false},
		Check: func(c *Call) error {
			if c.In["catalogResource"] == nil && c.In["database"] == nil && c.In["table"] == nil && c.In["tableWithColumns"] == nil && c.In["dataLocation"] == nil && c.In["lfTag"] == nil && c.In["lfTagPolicy"] == nil && c.In["dataCellsFilter"] == nil {
				return errf("InvalidInputException", "Resource is mandatory")
			}
			return nil
		},
	},
	{
		Token: restToken, Source: "https://docs.aws.amazon.com/apigateway/latest/api/API_CreateRestApi.html",
		Args: apigateway.RestApiArgs{}, State: apigateway.RestApi{}, Noun: "API Gateway REST API", Service: "apigateway",
		API: API{Create: "CreateRestApi", Read: "GetRestApi", Update: "UpdateRestApi", Delete: "DeleteRestApi", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{hex:10}", ARN: "arn:aws:apigateway:{region}::/restapis/{id}", Name: Name{Property: "name", Max: 1024}, Tags: true,
		Defaults: map[string]any{"apiKeySource": "HEADER", "disableExecuteApiEndpoint": false}, Policies: map[string]Grammar{"policy": granting("API policy", 8092, "BadRequestException", "BadRequestException")},
	},
	policyOf(Type{
		Token: "aws:apigateway/restApiPolicy:RestApiPolicy", Source: "https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateRestApi.html",
		Args: apigateway.RestApiPolicyArgs{}, State: apigateway.RestApiPolicy{}, Noun: "API Gateway REST API Policy", Service: "apigateway",
		API: API{Create: "UpdateRestApi", Read: "GetRestApi", Update: "UpdateRestApi", Delete: "UpdateRestApi"},
		ID:  "{restApiId}", Replace: []string{"restApiId"}, Policies: map[string]Grammar{"policy": granting("API policy", 8092, "BadRequestException", "BadRequestException")},
		Refs: []Ref{{Path: "restApiId", To: []string{restToken}, By: []string{"id"}, Error: "NotFoundException: Invalid API identifier specified {account}:{value}"}},
	}),
	{
		Token: packagesToken, Source: "https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_CreateDomain.html",
		Args: codeartifact.DomainArgs{}, State: codeartifact.Domain{}, Noun: "CodeArtifact Domain", Service: "codeartifact",
		API: API{Create: "CreateDomain", Read: "DescribeDomain", Delete: "DeleteDomain", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "arn:aws:codeartifact:{region}:{account}:domain/{domain}", ARN: "arn:aws:codeartifact:{region}:{account}:domain/{domain}", Name: Name{Property: "domain", Max: 50, Lower: true}, Tags: true, Outputs: map[string]string{"owner": "{account}"},
		Unique: []Unique{{Key: "packages/{domain}", Error: "ConflictException: Domain already exists."}}, Replace: []string{"domain", "encryptionKey"},
	},
	policyOf(Type{
		Token: "aws:codeartifact/domainPermissions:DomainPermissions", Source: "https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_PutDomainPermissionsPolicy.html",
		Args: codeartifact.DomainPermissionsArgs{}, State: codeartifact.DomainPermissions{}, Noun: "CodeArtifact Domain Permissions Policy", Service: "codeartifact",
		API: API{Create: "PutDomainPermissionsPolicy", Read: "GetDomainPermissionsPolicy", Update: "PutDomainPermissionsPolicy", Delete: "DeleteDomainPermissionsPolicy"},
		ID:  "{domain}", Outputs: map[string]string{"resourceArn": "arn:aws:codeartifact:{region}:{account}:domain/{domain}"}, Replace: []string{"domain", "domainOwner"},
		Policies: map[string]Grammar{"policyDocument": granting("domain policy", 7168, "ValidationException", "ValidationException")}, Refs: []Ref{noPackages},
	}),
	{
		Token: packageToken, Source: "https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_CreateRepository.html",
		Args: codeartifact.RepositoryArgs{}, State: codeartifact.Repository{}, Noun: "CodeArtifact Repository", Service: "codeartifact",
		API: API{Create: "CreateRepository", Read: "DescribeRepository", Update: "UpdateRepository", Delete: "DeleteRepository", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "arn:aws:codeartifact:{region}:{account}:repository/{domain}/{repository}", ARN: "arn:aws:codeartifact:{region}:{account}:repository/{domain}/{repository}", Name: Name{Property: "repository", Max: 100}, Tags: true, Refs: []Ref{noPackages},
		Unique: []Unique{{Key: "packages/{domain}/{repository}", Error: "ConflictException: Repository already exists."}}, Replace: []string{"domain", "repository", "domainOwner"},
	},
	policyOf(Type{
		Token: "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy", Source: "https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_PutRepositoryPermissionsPolicy.html",
		Args: codeartifact.RepositoryPermissionsPolicyArgs{}, State: codeartifact.RepositoryPermissionsPolicy{}, Noun: "CodeArtifact Repository Permissions Policy", Service: "codeartifact",
		API: API{Create: "PutRepositoryPermissionsPolicy", Read: "GetRepositoryPermissionsPolicy", Update: "PutRepositoryPermissionsPolicy", Delete: "DeleteRepositoryPermissionsPolicy"},
		ID:  "{domain}/{repository}", Outputs: map[string]string{"resourceArn": "arn:aws:codeartifact:{region}:{account}:repository/{domain}/{repository}"}, Replace: []string{"domain", "repository", "domainOwner"},
		Policies: map[string]Grammar{"policyDocument": granting("repository policy", 7168, "ValidationException", "ValidationException")},
		Refs:     []Ref{noPackages, {Path: "repository", To: []string{packageToken}, By: []string{"repository"}, Error: "ResourceNotFoundException: Repository not found: {value}."}},
	}),
}

var (
	secretGrammar = granting("secret policy", 20480, "MalformedPolicyDocumentException", "MalformedPolicyDocumentException")
	searchGrammar = granting("domain access policy", 102400, "InvalidTypeException", "InvalidTypeException")
	noDomain      = Ref{Path: "domainName", To: []string{searchToken}, By: []string{"domainName"}, Error: "ResourceNotFoundException: Domain not found: {value}"}
	noPackages    = Ref{Path: "domain", To: []string{packagesToken}, By: []string{"domain"}, Error: "ResourceNotFoundException: Domain not found: {value}."}
)

// snapshotOf completes the type of an RDS snapshot.
func snapshotOf(t Type) *Type {
	t.Service, t.Tags = "rds", true
	t.API.Updates = map[string]string{"tags": "AddTagsToResource"}
	t.Fields = map[string][]Rule{"sharedAccounts[*]": {either(oneOf("all"), match(accountPattern))}}
	return &t
}

// versioned refuses replication from a bucket without versions.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
func versioned(c *Call) error {
	row, err := c.Find(versioningToken, "bucket", c.String("bucket"))
	if err != nil {
		return err
	}
	if row == nil || text(mapAt(row.Outputs, "versioningConfiguration")["status"]) != "Enabled" {
		return errf("InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration")
	}
	return nil
}
