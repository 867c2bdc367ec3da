// Package sharestest has one thing of each way of sharing, as somebody makes it
// by hand in an account of the sandbox: for the tests of its provider, and for
// those of an audit that must find each.
package sharestest

import "strings"

// Thing is one thing that is made by hand, untagged.
type Thing struct {
	Name, Token string
	// In are its properties. "$name" in a text is the id of a thing that was
	// made before, and "$name.arn" its ARN.
	In map[string]any
	// Way is the way of awstype.Ways that it is, with the partner at the other
	// end; empty: something that another thing needs.
	Way string
}

type props = map[string]any

// Estate are the things, in an order in which they can be made: all of them share
// something of one account with another, which must exist. The names of buckets
// begin with prefix, as they are one list for all of AWS.
func Estate(account, partner, prefix string) []Thing {
	root := "arn:aws:iam::" + partner + ":root"
	lets := func(action, resource string) string {
		statement := `{"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"` + root + `"},"Action":"` + action + `"`
		if resource != "" {
			statement += `,"Resource":"` + resource + `"`
		}
		return `{"Version":"2012-10-17","Statement":[` + statement + `}]}`
	}
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	assume := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::` + partner + `:role/reader"}]}`
	keyPolicy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"},` +
		`{"Effect":"Allow","Principal":{"AWS":"` + root + `"},"Action":"kms:Decrypt","Resource":"*"}]}`
	return []Thing{
		{"shares-role", "aws:iam/role:Role", props{"name": "shares", "assumeRolePolicy": trust}, ""},
		{"shares-trust", "aws:iam/role:Role", props{"name": "shares-trust", "assumeRolePolicy": lets("sts:AssumeRole", "")}, "role-trust"},
		{"shares-inline", "aws:iam/rolePolicy:RolePolicy", props{"name": "elsewhere", "role": "shares", "policy": assume}, "role-policy"},
		{"shares-managed", "aws:iam/policy:Policy", props{"name": "elsewhere", "policy": assume}, "managed-policy"},
		{"shares-user", "aws:iam/user:User", props{"name": "mallory"}, ""},
		{"shares-user-policy", "aws:iam/userPolicy:UserPolicy", props{"name": "elsewhere", "user": "$shares-user", "policy": assume}, "user-policy"},
		{"shares-people", "aws:iam/group:Group", props{"name": "people"}, ""},
		{"shares-people-policy", "aws:iam/groupPolicy:GroupPolicy", props{"name": "elsewhere", "group": "$shares-people", "policy": assume}, "user-policy"},
		{"shares-issuer", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", props{"url": "https://token.partner.example", "clientIdLists": []any{"sts.amazonaws.com"}}, "identity-provider"},
		{"shares-saml", "aws:iam/samlProvider:SamlProvider", props{"name": "people", "samlMetadataDocument": "<EntityDescriptor>" + strings.Repeat("x", 1000) + "</EntityDescriptor>"}, "identity-provider"},
		{"shares-anchor", "aws:rolesanywhere/trustAnchor:TrustAnchor", props{"name": "factory", "source": props{"sourceType": "CERTIFICATE_BUNDLE", "sourceData": props{"x509CertificateData": "x"}}}, "trust-anchor"},

		{"shares-key", "aws:kms/key:Key", props{"description": "lent", "policy": keyPolicy}, "key-policy"},
		{"shares-grant", "aws:kms/grant:Grant", props{"name": "lent", "keyId": "$shares-key", "granteePrincipal": root, "operations": []any{"Decrypt"}}, "key-grant"},

		{"shares-net", "aws:ec2/vpc:Vpc", props{"cidrBlock": "10.77.0.0/16"}, ""},
		{"shares-subnet", "aws:ec2/subnet:Subnet", props{"vpcId": "$shares-net", "cidrBlock": "10.77.0.0/24"}, ""},
		{"shares-share", "aws:ram/resourceShare:ResourceShare", props{"name": "network", "allowExternalPrincipals": true}, ""},
		{"shares-with", "aws:ram/principalAssociation:PrincipalAssociation", props{"resourceShareArn": "$shares-share", "principal": partner}, "ram-share"},
		{"shares-what", "aws:ram/resourceAssociation:ResourceAssociation", props{"resourceShareArn": "$shares-share", "resourceArn": "$shares-subnet.arn"}, ""},
		{"shares-service", "aws:ec2/vpcEndpointService:VpcEndpointService", props{"acceptanceRequired": false, "networkLoadBalancerArns": []any{"arn:aws:elasticloadbalancing:eu-west-1:" + account + ":loadbalancer/net/x/0123456789abcdef"}}, ""},
		{"shares-service-for", "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple", props{"vpcEndpointServiceId": "$shares-service", "principalArn": root}, "endpoint-service"},
		{"shares-cable", "aws:ec2/networkInterfacePermission:NetworkInterfacePermission", props{"networkInterfaceId": "eni-0123456789abcdef0", "awsAccountId": partner, "permission": "INSTANCE-ATTACH"}, "interface-permission"},
		{"shares-snapshot", "aws:ebs/snapshot:Snapshot", props{"volumeId": "vol-0123456789abcdef0"}, ""},
		{"shares-snapshot-with", "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission", props{"snapshotId": "$shares-snapshot", "accountId": partner}, "snapshot-share"},
		{"shares-image", "aws:ec2/ami:Ami", props{"name": "golden"}, ""},
		{"shares-image-with", "aws:ec2/amiLaunchPermission:AmiLaunchPermission", props{"imageId": "$shares-image", "accountId": partner}, "image-share"},

		{"shares-zone", "aws:route53/zone:Zone", props{"name": "partner.internal", "vpcs": []any{props{"vpcId": "$shares-net"}}}, ""},
		{"shares-zone-with", "aws:route53/vpcAssociationAuthorization:VpcAssociationAuthorization", props{"zoneId": "$shares-zone", "vpcId": "vpc-0fedcba9876543210"}, "zone-authorization"},
		{"shares-zone-of", "aws:route53/zoneAssociation:ZoneAssociation", props{"zoneId": "$shares-zone", "vpcId": "$shares-net"}, ""},
		{"shares-rule", "aws:route53/resolverRule:ResolverRule", props{"name": "partner", "domainName": "partner.example", "ruleType": "FORWARD"}, ""},
		{"shares-rule-on", "aws:route53/resolverRuleAssociation:ResolverRuleAssociation", props{"resolverRuleId": "$shares-rule", "vpcId": "$shares-net"}, ""},
		{"shares-queries", "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig", props{"name": "queries", "destinationArn": "arn:aws:logs:eu-west-1:" + partner + ":log-group:queries"}, "resolver-query-log"},

		{"shares-bucket", "aws:s3/bucketV2:BucketV2", props{"bucket": prefix + "-lent"}, ""},
		{"shares-versions", "aws:s3/bucketVersioningV2:BucketVersioningV2", props{"bucket": "$shares-bucket", "versioningConfiguration": props{"status": "Enabled"}}, ""},
		{"shares-bucket-policy", "aws:s3/bucketPolicy:BucketPolicy", props{"bucket": "$shares-bucket", "policy": lets("s3:GetObject", "arn:aws:s3:::"+prefix+"-lent/*")}, "bucket-policy"},
		{"shares-point", "aws:s3/accessPoint:AccessPoint", props{"name": "lent", "bucket": "$shares-bucket"}, ""},
		{"shares-point-policy", "aws:s3control/accessPointPolicy:AccessPointPolicy", props{"accessPointArn": "$shares-point.arn", "policy": lets("s3:GetObject", "*")}, "access-point"},
		{"shares-copies", "aws:s3/bucketReplicationConfig:BucketReplicationConfig", props{"bucket": "$shares-bucket", "role": "$shares-role.arn", "rules": []any{props{"status": "Enabled", "destination": props{"bucket": "arn:aws:s3:::partner-copies", "account": partner}}}}, "bucket-copy"},
		{"shares-notes", "aws:s3/bucketNotification:BucketNotification", props{"bucket": "$shares-bucket", "queues": []any{props{"queueArn": "arn:aws:sqs:eu-west-1:" + partner + ":in", "events": []any{"s3:ObjectCreated:*"}}}}, "bucket-copy"},

		{"shares-repository", "aws:ecr/repository:Repository", props{"name": "lent"}, ""},
		{"shares-repository-policy", "aws:ecr/repositoryPolicy:RepositoryPolicy", props{"repository": "$shares-repository", "policy": lets("ecr:BatchGetImage", "")}, "repository-policy"},
		{"shares-registry-policy", "aws:ecr/registryPolicy:RegistryPolicy", props{"policy": lets("ecr:ReplicateImage", "arn:aws:ecr:eu-west-1:"+account+":repository/*")}, "registry-policy"},
		{"shares-replication", "aws:ecr/replicationConfiguration:ReplicationConfiguration", props{"replicationConfiguration": props{"rules": []any{props{"destinations": []any{props{"region": "eu-west-1", "registryId": partner}}}}}}, "image-copy"},
		{"shares-cache", "aws:ecr/pullThroughCacheRule:PullThroughCacheRule", props{"ecrRepositoryPrefix": "partner", "upstreamRegistryUrl": partner + ".dkr.ecr.eu-west-1.amazonaws.com"}, "image-copy"},
		{"shares-dump", "aws:rds/snapshot:Snapshot", props{"dbInstanceIdentifier": "db", "dbSnapshotIdentifier": "dump", "sharedAccounts": []any{partner}}, "database-snapshot"},
		{"shares-cluster-dump", "aws:rds/clusterSnapshot:ClusterSnapshot", props{"dbClusterIdentifier": "db", "dbClusterSnapshotIdentifier": "dump", "sharedAccounts": []any{partner}}, "database-snapshot"},

		{"shares-topic", "aws:sns/topic:Topic", props{"name": "news"}, ""},
		{"shares-topic-policy", "aws:sns/topicPolicy:TopicPolicy", props{"arn": "$shares-topic.arn", "policy": lets("sns:Subscribe", "*")}, "topic-policy"},
		{"shares-subscriber", "aws:sns/topicSubscription:TopicSubscription", props{"topic": "$shares-topic.arn", "protocol": "sqs", "endpoint": "arn:aws:sqs:eu-west-1:" + partner + ":in"}, "topic-subscription"},
		{"shares-queue", "aws:sqs/queue:Queue", props{"name": "jobs"}, ""},
		{"shares-queue-policy", "aws:sqs/queuePolicy:QueuePolicy", props{"queueUrl": "$shares-queue", "policy": lets("sqs:ReceiveMessage", "*")}, "queue-policy"},
		{"shares-bus", "aws:cloudwatch/eventBus:EventBus", props{"name": "orders"}, ""},
		{"shares-bus-policy", "aws:cloudwatch/eventBusPolicy:EventBusPolicy", props{"eventBusName": "$shares-bus", "policy": lets("events:PutEvents", "arn:aws:events:eu-west-1:"+account+":event-bus/orders")}, "bus-policy"},
		{"shares-bus-permission", "aws:cloudwatch/eventPermission:EventPermission", props{"principal": partner, "statementId": "partner"}, "bus-permission"},
		{"shares-event", "aws:cloudwatch/eventRule:EventRule", props{"name": "orders", "eventPattern": `{"source":["orders"]}`}, ""},
		{"shares-target", "aws:cloudwatch/eventTarget:EventTarget", props{"rule": "$shares-event", "targetId": "partner", "arn": "arn:aws:events:eu-west-1:" + partner + ":event-bus/default"}, "event-target"},
		{"shares-logs", "aws:cloudwatch/logGroup:LogGroup", props{"name": "/shares"}, ""},
		{"shares-log-copy", "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter", props{"name": "all", "logGroup": "$shares-logs", "filterPattern": "", "destinationArn": "arn:aws:logs:eu-west-1:" + partner + ":destination:central"}, "log-copy"},
		{"shares-destination", "aws:cloudwatch/logDestination:LogDestination", props{"name": "central", "roleArn": "$shares-role.arn", "targetArn": "arn:aws:kinesis:eu-west-1:" + account + ":stream/lent"}, ""},
		{"shares-destination-policy", "aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy", props{"destinationName": "$shares-destination", "accessPolicy": lets("logs:PutSubscriptionFilter", "$shares-destination.arn")}, "log-destination-policy"},
		{"shares-log-policy", "aws:cloudwatch/logResourcePolicy:LogResourcePolicy", props{"policyName": "partner", "policyDocument": lets("logs:PutLogEvents", "*")}, "log-resource-policy"},
		{"shares-stream", "aws:kinesis/stream:Stream", props{"name": "lent", "shardCount": 1.0}, ""},
		{"shares-stream-policy", "aws:kinesis/resourcePolicy:ResourcePolicy", props{"resourceArn": "$shares-stream.arn", "policy": lets("kinesis:GetRecords", "$shares-stream.arn")}, "stream-policy"},

		{"shares-function", "aws:lambda/function:Function", props{"name": "nightly", "role": "$shares-role.arn", "packageType": "Image", "imageUri": account + ".dkr.ecr.eu-west-1.amazonaws.com/lent:1"}, ""},
		{"shares-function-for", "aws:lambda/permission:Permission", props{"statementId": "partner", "function": "$shares-function", "action": "lambda:InvokeFunction", "principal": partner}, "function-permission"},
		{"shares-function-url", "aws:lambda/functionUrl:FunctionUrl", props{"functionName": "$shares-function", "authorizationType": "NONE"}, "function-url"},
		{"shares-layer", "aws:lambda/layerVersion:LayerVersion", props{"layerName": "tools", "s3Bucket": prefix + "-lent", "s3Key": "layer.zip"}, ""},
		{"shares-layer-for", "aws:lambda/layerVersionPermission:LayerVersionPermission", props{"layerName": "tools", "versionNumber": 1.0, "statementId": "partner", "action": "lambda:GetLayerVersion", "principal": partner}, "layer-permission"},
		{"shares-api", "aws:apigateway/restApi:RestApi", props{"name": "lent"}, ""},
		{"shares-api-policy", "aws:apigateway/restApiPolicy:RestApiPolicy", props{"restApiId": "$shares-api", "policy": lets("execute-api:Invoke", "arn:aws:execute-api:eu-west-1:"+account+":*")}, "api-policy"},

		{"shares-secret", "aws:secretsmanager/secret:Secret", props{"name": "lent"}, ""},
		{"shares-secret-policy", "aws:secretsmanager/secretPolicy:SecretPolicy", props{"secretArn": "$shares-secret.arn", "policy": lets("secretsmanager:GetSecretValue", "*")}, "secret-policy"},
		{"shares-table", "aws:dynamodb/table:Table", props{"name": "lent", "hashKey": "id", "attributes": []any{props{"name": "id", "type": "S"}}, "billingMode": "PAY_PER_REQUEST"}, ""},
		{"shares-table-policy", "aws:dynamodb/resourcePolicy:ResourcePolicy", props{"resourceArn": "$shares-table.arn", "policy": lets("dynamodb:GetItem", "$shares-table.arn")}, "table-policy"},
		{"shares-files", "aws:efs/fileSystem:FileSystem", props{"creationToken": "lent"}, ""},
		{"shares-files-policy", "aws:efs/fileSystemPolicy:FileSystemPolicy", props{"fileSystemId": "$shares-files", "policy": lets("elasticfilesystem:ClientMount", "")}, "file-system-policy"},
		{"shares-search", "aws:opensearch/domain:Domain", props{"domainName": "lent"}, ""},
		{"shares-search-policy", "aws:opensearch/domainPolicy:DomainPolicy", props{"domainName": "lent", "accessPolicies": lets("es:ESHttpGet", "*")}, "search-policy"},
		{"shares-search-from", "aws:opensearch/authorizeVpcEndpointAccess:AuthorizeVpcEndpointAccess", props{"domainName": "lent", "account": partner}, "search-endpoint"},
		{"shares-archive", "aws:glacier/vault:Vault", props{"name": "lent", "accessPolicy": lets("glacier:InitiateJob", "arn:aws:glacier:eu-west-1:"+account+":vaults/lent")}, "archive-policy"},
		{"shares-vault", "aws:backup/vault:Vault", props{"name": "lent"}, ""},
		{"shares-vault-policy", "aws:backup/vaultPolicy:VaultPolicy", props{"backupVaultName": "$shares-vault", "policy": lets("backup:CopyIntoBackupVault", "*")}, "backup-policy"},
		{"shares-plan", "aws:backup/plan:Plan", props{"name": "away", "rules": []any{props{"ruleName": "away", "targetVaultName": "lent", "copyActions": []any{props{"destinationVaultArn": "arn:aws:backup:eu-west-1:" + partner + ":backup-vault:in"}}}}}, "backup-copy"},
		{"shares-authority", "aws:acmpca/certificateAuthority:CertificateAuthority", props{"type": "ROOT", "certificateAuthorityConfiguration": props{"keyAlgorithm": "RSA_4096", "signingAlgorithm": "SHA512WITHRSA", "subject": props{"commonName": "lent"}}}, ""},
		{"shares-authority-policy", "aws:acmpca/policy:Policy", props{"resourceArn": "$shares-authority.arn", "policy": lets("acm-pca:IssueCertificate", "$shares-authority.arn")}, "authority-policy"},
		{"shares-catalog", "aws:glue/resourcePolicy:ResourcePolicy", props{"policy": lets("glue:GetTable", "arn:aws:glue:eu-west-1:"+account+":*")}, "catalog-policy"},
		{"shares-lake", "aws:lakeformation/permissions:Permissions", props{"principal": partner, "permissions": []any{"DESCRIBE"}, "database": props{"name": "lent"}}, "lake-permission"},
		{"shares-packages", "aws:codeartifact/domain:Domain", props{"domain": "lent"}, ""},
		{"shares-packages-policy", "aws:codeartifact/domainPermissions:DomainPermissions", props{"domain": "lent", "policyDocument": lets("codeartifact:ReadFromRepository", "*")}, "package-domain-policy"},
		{"shares-package", "aws:codeartifact/repository:Repository", props{"domain": "lent", "repository": "tools"}, ""},
		{"shares-package-policy", "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy", props{"domain": "lent", "repository": "tools", "policyDocument": lets("codeartifact:ReadFromRepository", "*")}, "package-repository-policy"},
	}
}

// Partners are as Estate, of services that a data plane seldom has. They need
// things of Estate: "$shares-role", "$shares-net".
func Partners(account, partner string) []Thing {
	arn := func(service, of, resource string) string {
		return "arn:aws:" + service + ":eu-west-1:" + of + ":" + resource
	}
	lets := func(action string) string {
		return `{"Version":"2012-10-17","Statement":[{"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + partner + `:root"},"Action":"` + action + `","Resource":"*"}]}`
	}
	return []Thing{
		{"shares-lifecycle", "aws:dlm/lifecyclePolicy:LifecyclePolicy", props{"description": "daily", "executionRoleArn": "$shares-role.arn", "policyDetails": props{"resourceTypes": []any{"VOLUME"}, "targetTags": props{"backup": "yes"},
			"schedules": []any{props{"name": "daily", "createRule": props{"interval": 24.0}, "retainRule": props{"count": 1.0}, "shareRule": props{"targetAccounts": []any{partner}}}}}}, "snapshot-lifecycle"},
		{"shares-images", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", props{"name": "golden", "distributions": []any{props{"region": "eu-west-1", "amiDistributionConfiguration": props{"targetAccountIds": []any{partner}}}}}, "image-distribution"},
		{"shares-metrics", "aws:cloudwatch/metricStream:MetricStream", props{"name": "all", "outputFormat": "json", "roleArn": "$shares-role.arn", "firehoseArn": arn("firehose", partner, "deliverystream/in")}, "metric-stream"},
		{"shares-delivery", "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream", props{"name": "away", "destination": "extended_s3", "extendedS3Configuration": props{"roleArn": "$shares-role.arn", "bucketArn": "arn:aws:s3:::globex-lent"}}, "delivery-stream"},
		{"shares-pipe", "aws:pipes/pipe:Pipe", props{"name": "away", "roleArn": "$shares-role.arn", "source": arn("sqs", account, "jobs"), "target": arn("sqs", partner, "in")}, "event-pipe"},
		{"shares-schedule", "aws:scheduler/schedule:Schedule", props{"name": "nightly", "scheduleExpression": "rate(1 day)", "flexibleTimeWindow": props{"mode": "OFF"}, "target": props{"arn": arn("sqs", partner, "in"), "roleArn": "$shares-role.arn"}}, "event-schedule"},
		{"shares-document", "aws:ssm/document:Document", props{"name": "lent", "documentType": "Command", "content": `{"schemaVersion":"2.2"}`, "permissions": props{"type": "Share", "account_ids": partner}}, "document-share"},
		{"shares-datashare", "aws:redshift/dataShareAuthorization:DataShareAuthorization", props{"dataShareArn": arn("redshift", account, "datashare:11111111-2222-3333-4444-555555555555/lent"), "consumerIdentifier": partner}, "warehouse-share"},
		{"shares-datashare-taken", "aws:redshift/dataShareConsumerAssociation:DataShareConsumerAssociation", props{"dataShareArn": arn("redshift", partner, "datashare:11111111-2222-3333-4444-555555555555/theirs"), "associateEntireAccount": true}, "warehouse-share"},
		{"shares-warehouse-at", "aws:redshift/endpointAccess:EndpointAccess", props{"endpointName": "theirs", "clusterIdentifier": "theirs", "subnetGroupName": "default", "resourceOwner": partner}, "warehouse-share"},
		{"shares-warehouse-for", "aws:redshift/endpointAuthorization:EndpointAuthorization", props{"clusterIdentifier": "lent", "account": partner}, "warehouse-share"},
		{"shares-warehouse-policy", "aws:redshift/resourcePolicy:ResourcePolicy", props{"resourceArn": arn("redshift", account, "namespace:11111111-2222-3333-4444-555555555555"), "policy": lets("redshift:AuthorizeInboundIntegration")}, "warehouse-policy"},
		{"shares-snapshots-policy", "aws:redshiftserverless/resourcePolicy:ResourcePolicy", props{"resourceArn": arn("redshift-serverless", account, "snapshot/1"), "policy": lets("redshift-serverless:RestoreFromSnapshot")}, "warehouse-policy"},
		{"shares-tables", "aws:s3tables/tableBucket:TableBucket", props{"name": "lent"}, ""},
		{"shares-tables-policy", "aws:s3tables/tableBucketPolicy:TableBucketPolicy", props{"tableBucketArn": "$shares-tables.arn", "resourcePolicy": lets("s3tables:GetTableData")}, "table-bucket"},
		{"shares-one-table-policy", "aws:s3tables/tablePolicy:TablePolicy", props{"tableBucketArn": "$shares-tables.arn", "namespace": "n", "name": "t", "resourcePolicy": lets("s3tables:GetTableData")}, "table-bucket"},
		{"shares-portfolio", "aws:servicecatalog/portfolio:Portfolio", props{"name": "lent", "providerName": "acme"}, ""},
		{"shares-portfolio-with", "aws:servicecatalog/portfolioShare:PortfolioShare", props{"portfolioId": "$shares-portfolio", "principalId": partner, "type": "ACCOUNT"}, "portfolio-share"},
		{"shares-portfolio-for", "aws:servicecatalog/principalPortfolioAssociation:PrincipalPortfolioAssociation", props{"portfolioId": "$shares-portfolio", "principalArn": "arn:aws:iam::" + partner + ":role/x"}, "portfolio-share"},
		{"shares-builds", "aws:codebuild/resourcePolicy:ResourcePolicy", props{"resourceArn": arn("codebuild", account, "project/app"), "policy": lets("codebuild:BatchGetProjects")}, "build-policy"},
		{"shares-kafka", "aws:msk/clusterPolicy:ClusterPolicy", props{"clusterArn": arn("kafka", account, "cluster/lent/1"), "policy": lets("kafka:CreateVpcConnection")}, "kafka-policy"},
		{"shares-firewall", "aws:networkfirewall/resourcePolicy:ResourcePolicy", props{"resourceArn": arn("network-firewall", account, "stateful-rulegroup/lent"), "policy": lets("network-firewall:ListRuleGroups")}, "firewall-policy"},
		{"shares-schemas", "aws:schemas/registry:Registry", props{"name": "orders"}, ""},
		{"shares-schemas-policy", "aws:schemas/registryPolicy:RegistryPolicy", props{"registryName": "$shares-schemas", "policy": lets("schemas:DescribeSchema")}, "schema-policy"},
		{"shares-mail", "aws:sesv2/emailIdentity:EmailIdentity", props{"emailIdentity": "acme.example"}, ""},
		{"shares-mail-policy", "aws:sesv2/emailIdentityPolicy:EmailIdentityPolicy", props{"emailIdentity": "$shares-mail", "policyName": "partner", "policy": lets("ses:SendEmail")}, "mail-policy"},
		{"shares-traces", "aws:xray/resourcePolicy:ResourcePolicy", props{"policyName": "partner", "policyDocument": lets("xray:PutTraceSegments")}, "trace-policy"},

		{"shares-line", "aws:directconnect/connection:Connection", props{"name": "line", "bandwidth": "1Gbps", "location": "EqDC2"}, ""},
		{"shares-line-for", "aws:directconnect/hostedPrivateVirtualInterface:HostedPrivateVirtualInterface", props{"name": "theirs", "connectionId": "$shares-line", "ownerAccountId": partner, "addressFamily": "ipv4", "bgpAsn": 65000.0, "vlan": 7.0}, "direct-connect"},
		{"shares-line-gateway", "aws:directconnect/gateway:Gateway", props{"name": "line", "amazonSideAsn": "64512"}, ""},
		{"shares-line-with", "aws:directconnect/gatewayAssociation:GatewayAssociation", props{"dxGatewayId": "$shares-line-gateway", "proposalId": "p-1", "associatedGatewayOwnerAccountId": partner}, "direct-connect"},
		{"shares-line-proposed", "aws:directconnect/gatewayAssociationProposal:GatewayAssociationProposal", props{"dxGatewayId": "theirs", "dxGatewayOwnerAccountId": partner, "associatedGatewayId": "vgw-0123456789abcdef0"}, "direct-connect"},
		{"shares-lattice", "aws:vpclattice/serviceNetwork:ServiceNetwork", props{"name": "lent"}, ""},
		{"shares-lattice-auth", "aws:vpclattice/authPolicy:AuthPolicy", props{"resourceIdentifier": "$shares-lattice", "policy": lets("vpc-lattice-svcs:Invoke")}, "service-network"},
		{"shares-lattice-policy", "aws:vpclattice/resourcePolicy:ResourcePolicy", props{"resourceArn": "$shares-lattice.arn", "policy": lets("vpc-lattice:GetServiceNetwork")}, "service-network"},
		{"shares-lattice-service", "aws:vpclattice/service:Service", props{"name": "api"}, ""},
		{"shares-lattice-of", "aws:vpclattice/serviceNetworkServiceAssociation:ServiceNetworkServiceAssociation", props{"serviceNetworkIdentifier": "$shares-lattice", "serviceIdentifier": arn("vpc-lattice", partner, "service/svc-0123456789abcdef0")}, "service-network"},
		{"shares-config", "aws:cfg/aggregateAuthorization:AggregateAuthorization", props{"accountId": partner, "region": "eu-west-1"}, "config-authorization"},
		{"shares-sink", "aws:oam/sink:Sink", props{"name": "all"}, ""},
		{"shares-sink-policy", "aws:oam/sinkPolicy:SinkPolicy", props{"sinkIdentifier": "$shares-sink", "policy": lets("oam:CreateLink")}, "observability"},
		{"shares-guardduty", "aws:guardduty/member:Member", props{"detectorId": "d", "accountId": partner, "email": "partner@globex.example"}, "guardduty-member"},
		{"shares-guardduty-of", "aws:guardduty/inviteAccepter:InviteAccepter", props{"detectorId": "d", "masterAccountId": partner}, "guardduty-member"},
		{"shares-macie", "aws:macie2/member:Member", props{"accountId": partner, "email": "partner@globex.example"}, "macie-member"},
		{"shares-macie-of", "aws:macie2/invitationAccepter:InvitationAccepter", props{"administratorAccountId": partner}, "macie-member"},
		{"shares-detective", "aws:detective/member:Member", props{"graphArn": arn("detective", account, "graph:1"), "accountId": partner, "emailAddress": "partner@globex.example"}, "detective-member"},
		{"shares-detective-of", "aws:detective/invitationAccepter:InvitationAccepter", props{"graphArn": arn("detective", partner, "graph:1")}, "detective-member"},
		{"shares-hub", "aws:securityhub/member:Member", props{"accountId": partner}, "securityhub-member"},
		{"shares-hub-of", "aws:securityhub/inviteAccepter:InviteAccepter", props{"masterId": partner}, "securityhub-member"},
		{"shares-inspector", "aws:inspector2/memberAssociation:MemberAssociation", props{"accountId": partner}, "inspector-member"},
		{"shares-room", "aws:cleanrooms/collaboration:Collaboration", props{"name": "both", "description": "both", "creatorDisplayName": "acme", "creatorMemberAbilities": []any{"CAN_QUERY"}, "queryLogStatus": "DISABLED",
			"members": []any{props{"accountId": partner, "displayName": "globex", "memberAbilities": []any{}}}}, "clean-room"},
		{"shares-framework", "aws:auditmanager/frameworkShare:FrameworkShare", props{"frameworkId": "f", "destinationAccount": partner, "destinationRegion": "eu-west-1"}, "audit-framework"},
		{"shares-license", "aws:licensemanager/licenseGrant:LicenseGrant", props{"name": "lent", "licenseArn": "arn:aws:license-manager::" + account + ":license:l-1", "principal": "arn:aws:iam::" + partner + ":root", "allowedOperations": []any{"CheckoutLicense"}}, "license-grant"},
		{"shares-license-of", "aws:licensemanager/licenseGrantAccepter:LicenseGrantAccepter", props{"grantArn": "arn:aws:license-manager::" + partner + ":grant:g-1"}, "license-grant"},
		{"shares-accelerator", "aws:globalaccelerator/crossAccountAttachment:CrossAccountAttachment", props{"name": "lent", "principals": []any{partner}}, "accelerator-attachment"},
		{"shares-regions-policy", "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy", props{"details": props{"name": "lent", "policy": lets("s3:GetObject")}}, "multi-region-access-point"},
		{"shares-regions", "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint", props{"details": props{"name": "lent", "regions": []any{props{"bucket": "theirs", "bucketAccountId": partner}}}}, "multi-region-access-point"},
		{"shares-public", "aws:ecrpublic/repository:Repository", props{"repositoryName": "app"}, ""},
		{"shares-public-policy", "aws:ecrpublic/repositoryPolicy:RepositoryPolicy", props{"repositoryName": "$shares-public", "policy": lets("ecr-public:PutImage")}, "public-repository"},
	}
}

// Controlled are things of the services that AWS Cloud Control lists for an audit.
func Controlled(account, partner string) []Thing {
	lets := func(action string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + partner + `:root"},"Action":"` + action + `","Resource":"*"}]}`
	}
	return []Thing{
		{"shares-queries-of", "aws:athena/workgroup:Workgroup", props{"name": "analysts", "configuration": props{"resultConfiguration": props{"outputLocation": "s3://globex-results/", "expectedBucketOwner": partner}}}, "query-results"},
		{"shares-knowledge", "aws:bedrock/agentDataSource:AgentDataSource", props{"name": "theirs", "knowledgeBaseId": "KB00000001", "dataSourceConfiguration": props{"type": "S3", "s3Configuration": props{"bucketArn": "arn:aws:s3:::globex-lent", "bucketOwnerAccountId": partner}}}, "knowledge-source"},
		{"shares-report", "aws:backup/reportPlan:ReportPlan", props{"name": "both", "reportDeliveryChannel": props{"s3BucketName": "globex-lent"}, "reportSetting": props{"reportTemplate": "BACKUP_JOB_REPORT", "accounts": []any{account, partner}}}, "backup-report"},
		{"shares-aggregate", "aws:cfg/configurationAggregator:ConfigurationAggregator", props{"name": "both", "accountAggregationSource": props{"accountIds": []any{partner}, "allRegions": true}}, "config-aggregator"},
		{"shares-events", "aws:cloudtrail/eventDataStore:EventDataStore", props{"name": "everybody", "organizationEnabled": true}, "event-data-store"},
		{"shares-migration", "aws:dms/s3Endpoint:S3Endpoint", props{"endpointId": "out", "endpointType": "target", "bucketName": "globex-lent", "expectedBucketOwner": partner, "serviceAccessRoleArn": "arn:aws:iam::" + account + ":role/shares"}, "migration-endpoint"},
		{"shares-template", "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", props{"prefix": "lent", "appliedFors": []any{"REPLICATION"}, "repositoryPolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + partner + `:root"},"Action":"ecr:BatchGetImage"}]}`}, "repository-template"},
		{"shares-grafana", "aws:grafana/workspace:Workspace", props{"name": "everybody", "accountAccessType": "ORGANIZATION", "authenticationProviders": []any{"AWS_SSO"}, "permissionType": "SERVICE_MANAGED"}, "grafana"},
		{"shares-lens", "aws:s3control/storageLensConfiguration:StorageLensConfiguration", props{"configId": "all", "storageLensConfiguration": props{"enabled": true, "accountLevel": props{"bucketLevel": props{}}, "dataExport": props{"s3BucketDestination": props{"accountId": partner, "arn": "arn:aws:s3:::globex-lent", "format": "CSV", "outputSchemaVersion": "V_1"}}}}, "storage-lens"},
		{"shares-notebooks", "aws:sagemaker/domain:Domain", props{"domainName": "lab", "authMode": "IAM", "vpcId": "vpc-0123456789abcdef0", "subnetIds": []any{"subnet-0123456789abcdef0"}, "defaultUserSettings": props{"executionRole": "arn:aws:iam::" + account + ":role/shares"}, "domainSettings": props{"dockerSettings": props{"enableDockerAccess": "ENABLED", "vpcOnlyTrustedAccounts": []any{partner}}}}, "notebook-accounts"},
		{"shares-models", "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy", props{"modelPackageGroupName": "lent", "resourcePolicy": lets("sagemaker:DescribeModelPackage")}, "model-policy"},
		{"shares-signer", "aws:signer/signingProfilePermission:SigningProfilePermission", props{"profileName": "lent", "action": "signer:StartSigningJob", "principal": partner, "statementId": "partner"}, "signer-permission"},
	}
}

// Named are settings that name the partner, of services that list them themselves.
// They come after the things of Estate.
func Named(account, partner string) []Thing {
	root := "arn:aws:iam::" + partner + ":root"
	lets := func(action, resource string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + root + `"},"Action":"` + action + `","Resource":"` + resource + `"}]}`
	}
	return []Thing{
		{"shares-database", "aws:glue/catalogDatabase:CatalogDatabase", props{"name": "theirs", "targetDatabase": props{"catalogId": partner, "databaseName": "d"}}, "catalog-link"},
		{"shares-catalog-table", "aws:glue/catalogTable:CatalogTable", props{"name": "theirs", "databaseName": "own", "targetTable": props{"catalogId": partner, "databaseName": "d", "name": "t"}}, "catalog-link"},
		{"shares-crawler", "aws:glue/crawler:Crawler", props{"name": "theirs", "databaseName": "own", "role": "shares", "s3Targets": []any{props{"path": "s3://own/"}}, "lakeFormationConfiguration": props{"accountId": partner, "useLakeFormationCredentials": true}}, "catalog-link"},
		{"shares-ruleset", "aws:glue/dataQualityRuleset:DataQualityRuleset", props{"name": "theirs", "ruleset": "Rules = [RowCount > 0]", "targetTable": props{"catalogId": partner, "databaseName": "d", "tableName": "t"}}, "catalog-link"},
		{"shares-transform", "aws:glue/mLTransform:MLTransform", props{"name": "same", "roleArn": "arn:aws:iam::" + account + ":role/shares", "parameters": props{"transformType": "FIND_MATCHES", "findMatchesParameters": props{}}, "inputRecordTables": []any{props{"catalogId": partner, "databaseName": "d", "tableName": "t"}}}, "catalog-link"},
		{"shares-lake-settings", "aws:lakeformation/dataLakeSettings:DataLakeSettings", props{"trustedResourceOwners": []any{partner}}, "lake-setting"},
		{"shares-lake-filter", "aws:lakeformation/dataCellsFilter:DataCellsFilter", props{"tableData": props{"tableCatalogId": partner, "databaseName": "d", "tableName": "t", "name": "some"}}, "lake-setting"},
		{"shares-lake-opt", "aws:lakeformation/optIn:OptIn", props{"principals": []any{props{"dataLakePrincipalIdentifier": partner}}, "resourceDatas": []any{props{"database": props{"name": "own"}}}}, "lake-setting"},
		{"shares-export", "aws:dynamodb/tableExport:TableExport", props{"tableArn": "$shares-table.arn", "s3Bucket": "globex-lent", "s3BucketOwner": partner}, "table-copy"},
		{"shares-import", "aws:dynamodb/table:Table", props{"name": "imported", "hashKey": "id", "attributes": []any{props{"name": "id", "type": "S"}}, "billingMode": "PAY_PER_REQUEST", "importTable": props{"inputFormat": "CSV", "s3BucketSource": props{"bucket": "globex-lent", "bucketOwner": partner}}}, "table-copy"},
		{"shares-authority-for", "aws:acmpca/permission:Permission", props{"certificateAuthorityArn": "$shares-authority.arn", "principal": "acm.amazonaws.com", "sourceAccount": partner, "actions": []any{"IssueCertificate"}}, "authority-permission"},
		{"shares-domain-name", "aws:apigateway/domainName:DomainName", props{"domainName": "api.acme.example", "policy": lets("execute-api:Invoke", "*")}, "domain-name-policy"},
		{"shares-archive-lock", "aws:glacier/vaultLock:VaultLock", props{"vaultName": "lent", "completeLock": false, "policy": lets("glacier:InitiateJob", "arn:aws:glacier:eu-west-1:"+account+":vaults/lent")}, "archive-lock"},
		{"shares-scan", "aws:macie2/classificationJob:ClassificationJob", props{"name": "scan", "jobType": "ONE_TIME", "s3JobDefinition": props{"bucketDefinitions": []any{props{"accountId": partner, "buckets": []any{"globex-lent"}}}}}, "macie-job"},
		{"shares-search-with", "aws:opensearch/outboundConnection:OutboundConnection", props{"connectionAlias": "both", "localDomainInfo": props{"ownerId": account, "region": "eu-west-1", "domainName": "lent"}, "remoteDomainInfo": props{"ownerId": partner, "region": "eu-west-1", "domainName": "theirs"}}, "search-connection"},
		{"shares-access-grant", "aws:s3control/accessGrant:AccessGrant", props{"accessGrantsLocationId": "default", "permission": "READ", "grantee": props{"granteeType": "IAM", "granteeIdentifier": root}}, "access-grant"},
		{"shares-access-grants", "aws:s3control/accessGrantsInstanceResourcePolicy:AccessGrantsInstanceResourcePolicy", props{"policy": lets("s3:GetAccessGrantsInstanceForPrefix", "*")}, "access-grant"},
		{"shares-list", "aws:s3/bucketAclV2:BucketAclV2", props{"bucket": "$shares-bucket", "accessControlPolicy": props{"owner": props{"id": "own"}, "grants": []any{props{"permission": "READ", "grantee": props{"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AllUsers"}}}}}, "bucket-acl"},
		{"shares-directory", "aws:directoryservice/sharedDirectory:SharedDirectory", props{"directoryId": "d-0123456789", "target": props{"id": partner}}, "shared-directory"},
		{"shares-alarm", "aws:cloudwatch/metricAlarm:MetricAlarm", props{"name": "theirs", "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1.0, "metricQueries": []any{props{"id": "m", "accountId": partner}}}, "foreign-alarm"},
	}
}

// Joined are things that join the account to what the partner owns by its id.
func Joined(vpc, serviceNetwork, namespace, profile, sink, coreNetwork string) []Thing {
	return []Thing{
		{"joined-lattice", "aws:vpclattice/serviceNetworkVpcAssociation:ServiceNetworkVpcAssociation", props{"serviceNetworkIdentifier": serviceNetwork, "vpcIdentifier": vpc}, "service-network"},
		{"joined-names", "aws:servicediscovery/service:Service", props{"name": "api", "namespaceId": namespace}, "service-names"},
		{"joined-profile", "aws:route53/profilesAssociation:ProfilesAssociation", props{"name": "theirs", "profileId": profile, "resourceId": vpc}, "profile"},
		{"joined-sink", "aws:oam/link:Link", props{"labelTemplate": "acme", "resourceTypes": []any{"AWS::CloudWatch::Metric"}, "sinkIdentifier": sink}, "observability"},
		{"joined-wan", "aws:networkmanager/vpcAttachment:VpcAttachment", props{"coreNetworkId": coreNetwork, "vpcArn": "arn:aws:ec2:eu-west-1:210987654321:vpc/" + vpc, "subnetArns": []any{"arn:aws:ec2:eu-west-1:210987654321:subnet/subnet-1"}}, "cloud-wan"},
	}
}

// Taken are things that join a network of the account to what the partner owns:
// a gateway, a zone, a rule of names, a share, by their ids.
func Taken(vpc, subnet, gateway, zone, rule, share string) []Thing {
	return []Thing{
		{"taken-gateway", "aws:ec2transitgateway/vpcAttachment:VpcAttachment", props{"vpcId": vpc, "subnetIds": []any{subnet}, "transitGatewayId": gateway}, "transit-gateway"},
		{"taken-zone", "aws:route53/zoneAssociation:ZoneAssociation", props{"zoneId": zone, "vpcId": vpc}, "private-zone"},
		{"taken-rule", "aws:route53/resolverRuleAssociation:ResolverRuleAssociation", props{"name": "partner", "resolverRuleId": rule, "vpcId": vpc}, "resolver-rule"},
		{"taken-share", "aws:ram/resourceShareAccepter:ResourceShareAccepter", props{"shareArn": share}, "ram-share"},
	}
}

// Fill puts the ids and ARNs of what was made into properties; what is not known
// stays as it is.
func Fill(v any, id, arn func(name string) string) any {
	switch v := v.(type) {
	case map[string]any:
		out := props{}
		for k, e := range v {
			out[k] = Fill(e, id, arn)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Fill(e, id, arn)
		}
		return out
	case string:
		for at := strings.Index(v, "$shares-"); at >= 0; at = strings.Index(v, "$shares-") {
			end := at + 1
			for end < len(v) && (v[end] == '-' || v[end] >= 'a' && v[end] <= 'z') {
				end++
			}
			name, value := v[at+1:end], ""
			if strings.HasPrefix(v[end:], ".arn") {
				end += len(".arn")
				value = arn(name)
			} else {
				value = id(name)
			}
			v = v[:at] + value + v[end:]
		}
		return v
	default:
		return v
	}
}
