package policies

// policyOf is an example of a resource policy of one statement.
func policyOf(name, typ, property, statement string) Example {
	return example(name, typ, object{property: statements(statement)})
}

func badResourcePolicies() []Example {
	const org = `"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`
	return []Example{
		policyOf("a bucket for the whole organization", "aws:s3/bucketPolicy:BucketPolicy", "policy",
			`{"Effect":"Allow","Action":"s3:GetObject","Principal":"*","Resource":"*",`+org+`}`),
		policyOf("a key for another org's account", "aws:kms/key:Key", "policy",
			`{"Effect":"Allow","Action":"kms:Decrypt","Principal":{"AWS":"`+exampleOtherARN+`:root"},"Resource":"*"}`),
		policyOf("a repository that everybody of the organization's unit pulls from", "aws:ecr/repositoryPolicy:RepositoryPolicy", "policy",
			`{"Effect":"Allow","Action":"ecr:BatchGetImage","Principal":{"AWS":"*"},"Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/*"}}}`),
		policyOf("a queue that any topic may send to", "aws:sqs/queuePolicy:QueuePolicy", "policy",
			`{"Effect":"Allow","Action":"sqs:SendMessage","Principal":{"Service":"sns.amazonaws.com"},"Resource":"*"}`),
		policyOf("a topic for a bucket, whose ARN names no account", "aws:sns/topicPolicy:TopicPolicy", "policy",
			`{"Effect":"Allow","Action":"sns:Publish","Principal":{"Service":"s3.amazonaws.com"},"Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::freehold-acme-data"}}}`),
		policyOf("a secret for everybody in some VPC", "aws:secretsmanager/secretPolicy:SecretPolicy", "policy",
			`{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Principal":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-0a1b2c3d4e5f60718"}}}`),
		policyOf("an event bus that every account but one may put to", "aws:cloudwatch/eventBusPolicy:EventBusPolicy", "policy",
			`{"Effect":"Allow","Action":"events:PutEvents","Principal":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"`+exampleOther+`"}}}`),
		policyOf("a log destination for another org's logs", "aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy", "accessPolicy",
			`{"Effect":"Allow","Action":"logs:PutSubscriptionFilter","Principal":{"AWS":"`+exampleOther+`"},"Resource":"*"}`),
		policyOf("a file system for who writes so in capitals", "aws:efs/fileSystemPolicy:FileSystemPolicy", "policy",
			`{"effect":"allow","ACTION":"elasticfilesystem:ClientMount","principal":{"AWS":"*"}}`),
		policyOf("a search domain for the internet", "aws:opensearch/domain:Domain", "accessPolicies",
			`{"Effect":"Allow","Action":"es:*","Principal":{"AWS":"*"},"Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}`),
		policyOf("a key for who claims the right context", "aws:kms/key:Key", "policy",
			`{"Effect":"Allow","Action":"kms:Decrypt","Principal":"*","Resource":"*","Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:eu-central-1:`+exampleAccount+`:*"}}}`),
		policyOf("a bucket for a canonical user", "aws:s3/bucketPolicy:BucketPolicy", "policy",
			`{"Effect":"Allow","Action":"s3:GetObject","Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},"Resource":"*"}`),
		policyOf("a document that ends too early", "aws:s3/bucketPolicy:BucketPolicy", "policy", `{"Effect":"Allow"`),
	}
}

func goodResourcePolicies() []Example {
	return []Example{
		policyOf("a bucket that denies everybody else", "aws:s3/bucketPolicy:BucketPolicy", "policy",
			`{"Effect":"Deny","Action":"s3:*","Principal":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"`+exampleAccount+`"}}}`),
		policyOf("a key for the org's own account", "aws:kms/key:Key", "policy",
			`{"Effect":"Allow","Action":"kms:*","Principal":{"AWS":"`+exampleARN+`:root"},"Resource":"*"}`),
		policyOf("a key for log groups of the account", "aws:kms/key:Key", "policy",
			`{"Effect":"Allow","Action":"kms:Decrypt","Principal":{"Service":"logs.eu-central-1.amazonaws.com"},"Resource":"*","Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:eu-central-1:`+exampleAccount+`:*"}}}`),
		policyOf("a queue for the org's own topic", "aws:sqs/queuePolicy:QueuePolicy", "policy",
			`{"Effect":"Allow","Action":"sqs:SendMessage","Principal":{"Service":"sns.amazonaws.com"},"Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-central-1:`+exampleAccount+`:orders"}}}`),
		policyOf("a topic for the org's buckets", "aws:sns/topicPolicy:TopicPolicy", "policy",
			`{"Effect":"Allow","Action":"sns:Publish","Principal":{"Service":"s3.amazonaws.com"},"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"`+exampleAccount+`"}}}`),
		policyOf("a bucket for everybody of the resource's account", "aws:s3/bucketPolicy:BucketPolicy", "policy",
			`{"Effect":"Allow","Action":"s3:GetObject","Principal":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}","aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`),
		policyOf("a file system for whoever reaches a mount target in the org's VPC", "aws:efs/fileSystemPolicy:FileSystemPolicy", "policy",
			`{"Effect":"Allow","Action":"elasticfilesystem:ClientMount","Principal":{"AWS":"*"},"Condition":{"Bool":{"elasticfilesystem:AccessedViaMountTarget":"true"}}}`),
		example("a secret without a policy", "aws:secretsmanager/secret:Secret", object{"name": "shop"}),
	}
}

func badGrants() []Example {
	const grant = "aws:kms/grant:Grant"
	key := "arn:aws:kms:eu-central-1:" + exampleAccount + ":key/1"
	return []Example{
		example("a grant for another org's role", grant, object{"keyId": key, "granteePrincipal": exampleOtherARN + ":role/reader"}),
		example("a grant that another account may retire", grant, object{
			"keyId": key, "granteePrincipal": exampleARN + ":role/app", "retiringPrincipal": exampleOtherARN + ":root",
		}),
		example("a grant on another org's key", grant, object{
			"keyId": "arn:aws:kms:eu-central-1:" + exampleOther + ":key/1", "granteePrincipal": exampleARN + ":role/app",
		}),
	}
}

func goodGrants() []Example {
	const grant = "aws:kms/grant:Grant"
	return []Example{
		example("a grant for the org's own role", grant, object{"keyId": "7b1c2d3e", "granteePrincipal": exampleARN + ":role/app"}),
		example("a grant that its role may retire", grant, object{
			"keyId": "7b1c2d3e", "granteePrincipal": exampleARN + ":role/app", "retiringPrincipal": exampleARN + ":role/app",
		}),
	}
}

func badShares() []Example {
	const image = "aws:ec2/amiLaunchPermission:AmiLaunchPermission"
	return []Example{
		example("a disk's snapshot for another org", "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission",
			object{"snapshotId": "snap-1", "accountId": exampleOther}),
		example("an image for everybody", image, object{"imageId": "ami-1", "group": "all"}),
		example("an image for the organization", image, object{"imageId": "ami-1", "organizationArn": "arn:aws:organizations::" + exampleManaging + ":organization/o-a1b2c3d4e5"}),
		example("a database's snapshot for two", "aws:rds/snapshot:Snapshot", object{"sharedAccounts": []any{exampleAccount, exampleOther}}),
		example("a database's snapshot for all", "aws:rds/clusterSnapshot:ClusterSnapshot", object{"sharedAccounts": []any{"all"}}),
		example("a runbook for others", "aws:ssm/document:Document", object{"permissions": object{"type": "Share", "account_ids": exampleAccount + "," + exampleOther}}),
		example("a layer for the organization", "aws:lambda/layerVersionPermission:LayerVersionPermission", object{"principal": "*", "organizationId": "o-a1b2c3d4e5"}),
	}
}

func goodShares() []Example {
	return []Example{
		example("a snapshot for the org's own account", "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission",
			object{"snapshotId": "snap-1", "accountId": exampleAccount}),
		example("a database's snapshot for nobody", "aws:rds/snapshot:Snapshot", object{"dbSnapshotIdentifier": "nightly"}),
		example("a runbook of the org's", "aws:ssm/document:Document", object{"content": "{}"}),
	}
}

func badInvokes() []Example {
	const call, bus = "aws:lambda/permission:Permission", "aws:cloudwatch/eventPermission:EventPermission"
	return []Example{
		example("a function for another org", call, object{"principal": exampleOther}),
		example("a function for any bucket of anybody", call, object{"principal": "s3.amazonaws.com"}),
		example("a function for a bucket's name, which may change hands", call, object{"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::shop-uploads"}),
		example("a function for the organization", call, object{"principal": "*", "principalOrgId": "o-a1b2c3d4e5"}),
		example("a function with an address on the internet", "aws:lambda/functionUrl:FunctionUrl", object{"authorizationType": "NONE"}),
		example("an event bus for everybody in the organization", bus, object{
			"principal": "*", "condition": object{"key": "aws:PrincipalOrgID", "type": "StringEquals", "value": "o-a1b2c3d4e5"},
		}),
	}
}

func goodInvokes() []Example {
	const call = "aws:lambda/permission:Permission"
	return []Example{
		example("a function for the org's buckets", call, object{
			"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::shop-uploads", "sourceAccount": exampleAccount,
		}),
		example("a function for a rule of the org's", call, object{
			"principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:eu-central-1:" + exampleAccount + ":rule/nightly",
		}),
		example("a function with an address for signed calls", "aws:lambda/functionUrl:FunctionUrl", object{"authorizationType": "AWS_IAM"}),
	}
}

func badAccessPoints() []Example {
	const point = "aws:s3/accessPoint:AccessPoint"
	vpc := object{"vpcId": "vpc-network"}
	return []Example{
		example("an access point to another org's bucket", point, object{"bucket": "b", "bucketAccountId": exampleOther, "vpcConfiguration": vpc}),
		example("an access point on the internet", point, object{"bucket": "b"}),
		example("an access point whose public access block is off", point, object{
			"bucket": "b", "vpcConfiguration": vpc, "publicAccessBlockConfiguration": object{"blockPublicPolicy": false},
		}),
	}
}

func goodAccessPoints() []Example {
	const point = "aws:s3/accessPoint:AccessPoint"
	return []Example{
		example("an access point for the org's network", point, object{"bucket": "b", "vpcConfiguration": object{"vpcId": "vpc-network"}}),
		example("an access point that names the org's own account", point, object{
			"bucket": "b", "bucketAccountId": exampleAccount, "vpcConfiguration": object{"vpcId": "vpc-network"},
		}),
	}
}
