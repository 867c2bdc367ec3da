package trusts

import (
	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

// policyOf is an example of a resource policy of one statement.
func policyOf(name, typ, property, statement string) rule.Example {
	return example.Of(name, typ, object{property: example.Statements(statement)})
}

func badResourcePolicies() []rule.Example {
	const org = `"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`
	return []rule.Example{
		policyOf("a bucket for the whole organization", "aws:s3/bucketPolicy:BucketPolicy", "policy",
			`{"Effect":"Allow","Action":"s3:GetObject","Principal":"*","Resource":"*",`+org+`}`),
		policyOf("a key for another org's account", "aws:kms/key:Key", "policy",
			`{"Effect":"Allow","Action":"kms:Decrypt","Principal":{"AWS":"`+example.OtherARN+`:root"},"Resource":"*"}`),
		policyOf("a repository that everybody of the organization's unit pulls from", "aws:ecr/repositoryPolicy:RepositoryPolicy", "policy",
			`{"Effect":"Allow","Action":"ecr:BatchGetImage","Principal":{"AWS":"*"},"Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/*"}}}`),
		policyOf("a queue that any topic may send to", "aws:sqs/queuePolicy:QueuePolicy", "policy",
			`{"Effect":"Allow","Action":"sqs:SendMessage","Principal":{"Service":"sns.amazonaws.com"},"Resource":"*"}`),
		policyOf("a topic for a bucket, whose ARN names no account", "aws:sns/topicPolicy:TopicPolicy", "policy",
			`{"Effect":"Allow","Action":"sns:Publish","Principal":{"Service":"s3.amazonaws.com"},"Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::freehold-acme-data"}}}`),
		policyOf("a secret for everybody in some VPC", "aws:secretsmanager/secretPolicy:SecretPolicy", "policy",
			`{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Principal":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-0a1b2c3d4e5f60718"}}}`),
		policyOf("an event bus that every account but one may put to", "aws:cloudwatch/eventBusPolicy:EventBusPolicy", "policy",
			`{"Effect":"Allow","Action":"events:PutEvents","Principal":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"`+example.OtherAccount+`"}}}`),
		policyOf("a log destination for another org's logs", "aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy", "accessPolicy",
			`{"Effect":"Allow","Action":"logs:PutSubscriptionFilter","Principal":{"AWS":"`+example.OtherAccount+`"},"Resource":"*"}`),
		policyOf("a file system for who writes so in capitals", "aws:efs/fileSystemPolicy:FileSystemPolicy", "policy",
			`{"effect":"allow","ACTION":"elasticfilesystem:ClientMount","principal":{"AWS":"*"}}`),
		policyOf("a search domain for the internet", "aws:opensearch/domain:Domain", "accessPolicies",
			`{"Effect":"Allow","Action":"es:*","Principal":{"AWS":"*"},"Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}`),
		policyOf("a key for who claims the right context", "aws:kms/key:Key", "policy",
			`{"Effect":"Allow","Action":"kms:Decrypt","Principal":"*","Resource":"*","Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:eu-central-1:`+example.Account+`:*"}}}`),
		policyOf("a bucket for a canonical user", "aws:s3/bucketPolicy:BucketPolicy", "policy",
			`{"Effect":"Allow","Action":"s3:GetObject","Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},"Resource":"*"}`),
		policyOf("a document that ends too early", "aws:s3/bucketPolicy:BucketPolicy", "policy", `{"Effect":"Allow"`),
	}
}

func goodResourcePolicies() []rule.Example {
	return []rule.Example{
		policyOf("a bucket that denies everybody else", "aws:s3/bucketPolicy:BucketPolicy", "policy",
			`{"Effect":"Deny","Action":"s3:*","Principal":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"`+example.Account+`"}}}`),
		policyOf("a key for the org's own account", "aws:kms/key:Key", "policy",
			`{"Effect":"Allow","Action":"kms:*","Principal":{"AWS":"`+example.ARN+`:root"},"Resource":"*"}`),
		policyOf("a key for log groups of the account", "aws:kms/key:Key", "policy",
			`{"Effect":"Allow","Action":"kms:Decrypt","Principal":{"Service":"logs.eu-central-1.amazonaws.com"},"Resource":"*","Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:eu-central-1:`+example.Account+`:*"}}}`),
		policyOf("a queue for the org's own topic", "aws:sqs/queuePolicy:QueuePolicy", "policy",
			`{"Effect":"Allow","Action":"sqs:SendMessage","Principal":{"Service":"sns.amazonaws.com"},"Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-central-1:`+example.Account+`:orders"}}}`),
		policyOf("a topic for the org's buckets", "aws:sns/topicPolicy:TopicPolicy", "policy",
			`{"Effect":"Allow","Action":"sns:Publish","Principal":{"Service":"s3.amazonaws.com"},"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"`+example.Account+`"}}}`),
		policyOf("a bucket for everybody of the resource's account", "aws:s3/bucketPolicy:BucketPolicy", "policy",
			`{"Effect":"Allow","Action":"s3:GetObject","Principal":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}","aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`),
		policyOf("a file system for whoever reaches a mount target in the org's VPC", "aws:efs/fileSystemPolicy:FileSystemPolicy", "policy",
			`{"Effect":"Allow","Action":"elasticfilesystem:ClientMount","Principal":{"AWS":"*"},"Condition":{"Bool":{"elasticfilesystem:AccessedViaMountTarget":"true"}}}`),
		example.Of("a secret without a policy", "aws:secretsmanager/secret:Secret", object{"name": "shop"}),
	}
}

func badGrants() []rule.Example {
	const grant = "aws:kms/grant:Grant"
	key := "arn:aws:kms:eu-central-1:" + example.Account + ":key/1"
	return []rule.Example{
		example.Of("a grant for another org's role", grant, object{"keyId": key, "granteePrincipal": example.OtherARN + ":role/reader"}),
		example.Of("a grant that another account may retire", grant, object{
			"keyId": key, "granteePrincipal": example.ARN + ":role/app", "retiringPrincipal": example.OtherARN + ":root",
		}),
		example.Of("a grant on another org's key", grant, object{
			"keyId": "arn:aws:kms:eu-central-1:" + example.OtherAccount + ":key/1", "granteePrincipal": example.ARN + ":role/app",
		}),
	}
}

func goodGrants() []rule.Example {
	const grant = "aws:kms/grant:Grant"
	return []rule.Example{
		example.Of("a grant for the org's own role", grant, object{"keyId": "7b1c2d3e", "granteePrincipal": example.ARN + ":role/app"}),
		example.Of("a grant that its role may retire", grant, object{
			"keyId": "7b1c2d3e", "granteePrincipal": example.ARN + ":role/app", "retiringPrincipal": example.ARN + ":role/app",
		}),
	}
}

func badShares() []rule.Example {
	const image = "aws:ec2/amiLaunchPermission:AmiLaunchPermission"
	return []rule.Example{
		example.Of("a disk's snapshot for another org", "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission",
			object{"snapshotId": "snap-1", "accountId": example.OtherAccount}),
		example.Of("an image for everybody", image, object{"imageId": "ami-1", "group": "all"}),
		example.Of("an image for the organization", image, object{"imageId": "ami-1", "organizationArn": "arn:aws:organizations::" + example.ManagementAccount + ":organization/o-a1b2c3d4e5"}),
		example.Of("a database's snapshot for two", "aws:rds/snapshot:Snapshot", object{"sharedAccounts": []any{example.Account, example.OtherAccount}}),
		example.Of("a database's snapshot for all", "aws:rds/clusterSnapshot:ClusterSnapshot", object{"sharedAccounts": []any{"all"}}),
		example.Of("a runbook for others", "aws:ssm/document:Document", object{"permissions": object{"type": "Share", "account_ids": example.Account + "," + example.OtherAccount}}),
		example.Of("a layer for the organization", "aws:lambda/layerVersionPermission:LayerVersionPermission", object{"principal": "*", "organizationId": "o-a1b2c3d4e5"}),
	}
}

func goodShares() []rule.Example {
	return []rule.Example{
		example.Of("a snapshot for the org's own account", "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission",
			object{"snapshotId": "snap-1", "accountId": example.Account}),
		example.Of("a database's snapshot for nobody", "aws:rds/snapshot:Snapshot", object{"dbSnapshotIdentifier": "nightly"}),
		example.Of("a runbook of the org's", "aws:ssm/document:Document", object{"content": "{}"}),
	}
}

func badInvokes() []rule.Example {
	const call, bus = "aws:lambda/permission:Permission", "aws:cloudwatch/eventPermission:EventPermission"
	return []rule.Example{
		example.Of("a function for another org", call, object{"principal": example.OtherAccount}),
		example.Of("a function for any bucket of anybody", call, object{"principal": "s3.amazonaws.com"}),
		example.Of("a function for a bucket's name, which may change hands", call, object{"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::shop-uploads"}),
		example.Of("a function for the organization", call, object{"principal": "*", "principalOrgId": "o-a1b2c3d4e5"}),
		example.Of("a function with an address on the internet", "aws:lambda/functionUrl:FunctionUrl", object{"authorizationType": "NONE"}),
		example.Of("an event bus for everybody in the organization", bus, object{
			"principal": "*", "condition": object{"key": "aws:PrincipalOrgID", "type": "StringEquals", "value": "o-a1b2c3d4e5"},
		}),
	}
}

func goodInvokes() []rule.Example {
	const call = "aws:lambda/permission:Permission"
	return []rule.Example{
		example.Of("a function for the org's buckets", call, object{
			"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::shop-uploads", "sourceAccount": example.Account,
		}),
		example.Of("a function for a rule of the org's", call, object{
			"principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:eu-central-1:" + example.Account + ":rule/nightly",
		}),
		example.Of("a function with an address for signed calls", "aws:lambda/functionUrl:FunctionUrl", object{"authorizationType": "AWS_IAM"}),
	}
}

func badAccessPoints() []rule.Example {
	const point = "aws:s3/accessPoint:AccessPoint"
	vpc := object{"vpcId": "vpc-network"}
	return []rule.Example{
		example.Of("an access point to another org's bucket", point, object{"bucket": "b", "bucketAccountId": example.OtherAccount, "vpcConfiguration": vpc}),
		example.Of("an access point on the internet", point, object{"bucket": "b"}),
		example.Of("an access point whose public access block is off", point, object{
			"bucket": "b", "vpcConfiguration": vpc, "publicAccessBlockConfiguration": object{"blockPublicPolicy": false},
		}),
	}
}

func goodAccessPoints() []rule.Example {
	const point = "aws:s3/accessPoint:AccessPoint"
	return []rule.Example{
		example.Of("an access point for the org's network", point, object{"bucket": "b", "vpcConfiguration": object{"vpcId": "vpc-network"}}),
		example.Of("an access point that names the org's own account", point, object{
			"bucket": "b", "bucketAccountId": example.Account, "vpcConfiguration": object{"vpcId": "vpc-network"},
		}),
	}
}
