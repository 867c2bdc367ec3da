package policies

import (
	"slices"
	"strings"

	"freehold.dev/freehold/policies/table"
)

// encryption are the rules about keys, and about the logs that show who used
// them.
var encryption = []Rule{
	ownKeys, bucketKeysSet, diskKeys, noAWSKeys, keysTurn, secretsEncrypted, controlPlaneLogs,
	logRetention, wholeTrail, flowLogs, diskDefault,
}

// keyFields are the types that encrypt with a key that one can name, and where.
// Without a name AWS uses a key of its own, which no policy of the org's fences.
var keyFields = map[string]string{
	"aws:backup/vault:Vault":                                    "kmsKeyArn",
	"aws:cloudtrail/eventDataStore:EventDataStore":              "kmsKeyId",
	"aws:cloudtrail/trail:Trail":                                "kmsKeyId",
	"aws:cloudwatch/logGroup:LogGroup":                          "kmsKeyId",
	"aws:codebuild/project:Project":                             "encryptionKey",
	"aws:dms/replicationInstance:ReplicationInstance":           "kmsKeyArn",
	"aws:docdb/cluster:Cluster":                                 "kmsKeyId",
	"aws:dynamodb/table:Table":                                  "serverSideEncryption.kmsKeyArn",
	"aws:ebs/defaultKmsKey:DefaultKmsKey":                       "keyArn",
	"aws:ebs/snapshotCopy:SnapshotCopy":                         "kmsKeyId",
	"aws:ebs/volume:Volume":                                     "kmsKeyId",
	"aws:ec2/amiCopy:AmiCopy":                                   "kmsKeyId",
	"aws:efs/fileSystem:FileSystem":                             "kmsKeyId",
	"aws:elasticache/replicationGroup:ReplicationGroup":         "kmsKeyId",
	"aws:fsx/lustreFileSystem:LustreFileSystem":                 "kmsKeyId",
	"aws:fsx/ontapFileSystem:OntapFileSystem":                   "kmsKeyId",
	"aws:fsx/openZfsFileSystem:OpenZfsFileSystem":               "kmsKeyId",
	"aws:fsx/windowsFileSystem:WindowsFileSystem":               "kmsKeyId",
	"aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": "serverSideEncryption.keyArn",
	"aws:kinesis/stream:Stream":                                 "kmsKeyId",
	"aws:memorydb/cluster:Cluster":                              "kmsKeyArn",
	"aws:msk/cluster:Cluster":                                   "encryptionInfo.encryptionAtRestKmsKeyArn",
	"aws:neptune/cluster:Cluster":                               "kmsKeyArn",
	"aws:opensearch/domain:Domain":                              "encryptAtRest.kmsKeyId",
	"aws:rds/cluster:Cluster":                                   "kmsKeyId",
	"aws:redshift/cluster:Cluster":                              "kmsKeyId",
	"aws:redshiftserverless/namespace:Namespace":                "kmsKeyId",
	"aws:sagemaker/notebookInstance:NotebookInstance":           "kmsKeyId",
	"aws:secretsmanager/secret:Secret":                          "kmsKeyId",
	"aws:sns/topic:Topic":                                       "kmsMasterKeyId",
	"aws:sqs/queue:Queue":                                       "kmsMasterKeyId",
	"aws:timestreamwrite/database:Database":                     "kmsKeyId",
}

// switchFields must be on beside the key: the key alone encrypts nothing.
var switchFields = map[string]string{
	"aws:docdb/cluster:Cluster":                                 "storageEncrypted",
	"aws:dynamodb/table:Table":                                  "serverSideEncryption.enabled",
	"aws:ebs/snapshotCopy:SnapshotCopy":                         "encrypted",
	"aws:ebs/volume:Volume":                                     "encrypted",
	"aws:ec2/amiCopy:AmiCopy":                                   "encrypted",
	"aws:efs/fileSystem:FileSystem":                             "encrypted",
	"aws:elasticache/replicationGroup:ReplicationGroup":         "atRestEncryptionEnabled",
	"aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": "serverSideEncryption.enabled",
	"aws:neptune/cluster:Cluster":                               "storageEncrypted",
	"aws:opensearch/domain:Domain":                              "encryptAtRest.enabled",
	"aws:rds/cluster:Cluster":                                   "storageEncrypted",
	"aws:redshift/cluster:Cluster":                              "encrypted",
}

var ownKeys = Rule{
	ID:       "FH701",
	Title:    "What can be encrypted is encrypted with the org's own key",
	Why:      "AWS's own keys cannot be fenced, watched for one customer, or taken away when the customer leaves",
	Fix:      "name the org's data key, or its log key for logs, and switch encryption on",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types: slices.Compact(slices.Sorted(slices.Values(slices.Concat(typesWith(table.Key), sortedKeysOf(keyFields), []string{
		"aws:ecr/repository:Repository", "aws:rds/instance:Instance", "aws:ssm/parameter:Parameter", "aws:lambda/function:Function",
	})))),
	Check: on(func(j *judge, r Resource, s Scope) {
		in := r.values()
		visitColumns(r, table.Of(r.Type), func(at *table.Place, p *place) {
			if v := (value{p.path(), p.v}); at != nil && at.Holds(table.Key) && j.known(v) && v.text() != "" {
				j.ownKey(v, s)
			}
		})
		if path, ok := switchFields[r.Type]; ok {
			j.must(in.get(strings.Split(path, ".")...), []string{"true"}, "encryption is not on")
		}
		if path, ok := keyFields[r.Type]; ok {
			j.ownKey(in.get(strings.Split(path, ".")...), s)
		}
		switch r.Type {
		case "aws:ecr/repository:Repository":
			encrypted := in.get("encryptionConfigurations")
			j.must(encrypted.get("encryptionType"), []string{"KMS", "KMS_DSSE"}, "images are not encrypted with a key of KMS")
			j.ownKey(encrypted.get("kmsKey"), s)
		case "aws:rds/instance:Instance":
			// A replica in the same Region is encrypted as its source is.
			if source := in.get("replicateSourceDb"); j.known(source) && source.text() == "" {
				j.must(in.get("storageEncrypted"), []string{"true"}, "encryption is not on")
				j.ownKey(in.get("kmsKeyId"), s)
			}
		case "aws:ssm/parameter:Parameter":
			if kind := in.get("type"); j.known(kind) && kind.is("SecureString") {
				j.ownKey(in.get("keyId"), s)
			}
		case "aws:lambda/function:Function":
			if env := in.get("environment"); j.known(env) && len(env.get("variables").each()) > 0 {
				j.ownKey(in.get("kmsKeyArn"), s)
			}
		}
	}),
	Good: []Example{
		shows("a queue with the org's key", "aws:sqs/queue:Queue", object{"kmsMasterKeyId": acmeKey}),
		shows("a repository with the org's key", "aws:ecr/repository:Repository", object{"encryptionConfigurations": list{object{"encryptionType": "KMS", "kmsKey": acmeKey}}}),
		shows("a parameter that is no secret", "aws:ssm/parameter:Parameter", object{"type": "String", "value": "1.35"}),
		shows("the org's key by its alias", "aws:secretsmanager/secret:Secret", object{"kmsKeyId": "alias/freehold-acme-data"}),
	},
	Bad: []Example{
		shows("a queue that SQS encrypts", "aws:sqs/queue:Queue", object{"sqsManagedSseEnabled": true}),
		shows("a secret with the key that all secrets have", "aws:secretsmanager/secret:Secret", object{"name": "db", "kmsKeyId": "alias/aws/secretsmanager"}),
		shows("somebody else's key", "aws:cloudwatch/logGroup:LogGroup", object{"kmsKeyId": otherKey}),
		shows("somebody else's key, for what a query finds", "aws:athena/workgroup:Workgroup", object{
			"configuration": object{"resultConfiguration": object{"encryptionConfiguration": object{"kmsKeyArn": otherKey}}},
		}),
		shows("a key for what is not encrypted", "aws:ebs/volume:Volume", object{"kmsKeyId": acmeKey, "encrypted": false}),
		shows("a repository that S3 encrypts", "aws:ecr/repository:Repository", object{"encryptionConfigurations": list{object{"encryptionType": "AES256"}}}),
		shows("a database with encryption and no key", "aws:rds/instance:Instance", object{"storageEncrypted": true}),
	},
}

const typeSSE = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"

var bucketKeysSet = Rule{
	ID:       "FH702",
	Title:    "Every bucket encrypts with the org's own key",
	Why:      "without it S3 encrypts with a key of its own, and whoever may read the object reads it in clear",
	Fix:      "beside the bucket, make a BucketServerSideEncryptionConfigurationV2 with aws:kms and the org's data key",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    append(slices.Clone(bucketTypes), typeSSE),
	CheckStack: onStack(append(slices.Clone(bucketTypes), typeSSE), func(j *judge, r Resource, stack []Resource, s Scope) {
		in := r.values()
		rules := slices.Concat(in.all("rules"), in.all("serverSideEncryptionConfiguration.rule"), in.all("serverSideEncryptionConfigurations.rules"))
		if r.Type != typeSSE && len(rules) == 0 {
			j.configured(r, stack)
			return
		}
		if len(rules) == 0 {
			j.violate("rules", "it has no rule")
		}
		for _, rule := range rules {
			by := rule.get("applyServerSideEncryptionByDefault")
			if by.v == nil {
				by = rule.get("applyServerSideEncryptionByDefaults")
			}
			j.must(by.get("sseAlgorithm"), []string{"aws:kms", "aws:kms:dsse"}, "objects are not encrypted with a key of KMS")
			j.ownKey(by.get("kmsMasterKeyId"), s)
		}
	}),
	Good: []Example{
		shows("a bucket with its configuration", "aws:s3/bucketV2:BucketV2", object{"bucket": "acme-data"}, beside(typeSSE, "sse", object{
			"bucket": "acme-data", "rules": list{object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": acmeKey}}},
		})),
		shows("the configuration", typeSSE, object{
			"bucket": "acme-data", "rules": list{object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": acmeKey}}},
		}),
	},
	Bad: []Example{
		shows("a bucket without one", "aws:s3/bucketV2:BucketV2", object{"bucket": "acme-data"}, beside(typeSSE, "sse", object{"bucket": "acme-logs"})),
		shows("S3's own encryption", typeSSE, object{"bucket": "b", "rules": list{object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "AES256"}}}}),
		shows("KMS, with AWS's key for S3", typeSSE, object{"bucket": "b", "rules": list{object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "aws:kms"}}}}),
		shows("a bucket of the old kind", "aws:s3/bucket:Bucket", object{
			"serverSideEncryptionConfiguration": object{"rule": object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": otherKey}}},
		}),
	},
}

// configured violates unless an encryption configuration of the stack is for a
// bucket.
func (j *judge) configured(bucket Resource, stack []Resource) {
	unknown := false
	for _, r := range stack {
		if r.Type != typeSSE {
			continue
		}
		yes, known := r.values().get("bucket").isOf(bucket, "bucket")
		if yes {
			return
		}
		unknown = unknown || !known
	}
	if unknown {
		j.undecided("bucket")
		return
	}
	j.violate("", "the bucket has no encryption configuration in this stack")
}

// diskLists are where machines and templates list their disks.
var diskLists = map[string][]string{
	"aws:ec2/instance:Instance":                       {"rootBlockDevice", "ebsBlockDevices"},
	"aws:ec2/launchConfiguration:LaunchConfiguration": {"rootBlockDevice", "ebsBlockDevices"},
	"aws:ec2/launchTemplate:LaunchTemplate":           {"blockDeviceMappings.ebs"},
	"aws:ec2/spotInstanceRequest:SpotInstanceRequest": {"rootBlockDevice", "ebsBlockDevices"},
}

var diskKeys = Rule{
	ID:       "FH703",
	Title:    "Disks of machines and volumes of pods are encrypted with the org's own key",
	Why:      "a disk holds what nodes pulled, wrote and swapped: secrets and customers' data among it",
	Fix:      "set encrypted, and the org's data key, on each disk of a template and on each storage class",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    append(sortedKeysOf(diskLists), "kubernetes:storage.k8s.io/*"),
	Check: on(func(j *judge, r Resource, s Scope) {
		for _, path := range diskLists[r.Type] {
			for _, disk := range r.values().all(path) {
				j.must(disk.get("encrypted"), []string{"true"}, "the disk is not encrypted")
				// A launch configuration takes no key: the account's default is used.
				if r.Type != "aws:ec2/launchConfiguration:LaunchConfiguration" {
					j.ownKey(disk.get("kmsKeyId"), s)
				}
			}
		}
		if kindOf(r) != "StorageClass" {
			return
		}
		if by := r.values().get("provisioner"); j.known(by) && by.is("ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs") {
			j.must(r.values().get("parameters", "encrypted"), []string{"true"}, "volumes are not encrypted")
			j.ownKey(r.values().get("parameters", "kmsKeyId"), s)
		}
	}),
	Good: []Example{
		shows("a template", "aws:ec2/launchTemplate:LaunchTemplate", object{"blockDeviceMappings": list{object{"ebs": object{"encrypted": "true", "kmsKeyId": acmeKey}}}}),
		shows("a storage class", "kubernetes:storage.k8s.io/v1:StorageClass", object{
			"provisioner": "ebs.csi.aws.com", "parameters": object{"encrypted": "true", "kmsKeyId": acmeKey},
		}),
	},
	Bad: []Example{
		shows("a second disk that was forgotten", "aws:ec2/launchTemplate:LaunchTemplate", object{"blockDeviceMappings": list{
			object{"deviceName": "/dev/xvda", "ebs": object{"encrypted": "true", "kmsKeyId": acmeKey}}, object{"deviceName": "/dev/xvdb", "ebs": object{"volumeSize": 80.0}},
		}}),
		shows("encrypted, with AWS's key", "aws:ec2/instance:Instance", object{"rootBlockDevice": object{"encrypted": true}}),
		shows("a second storage class", "kubernetes:storage.k8s.io/v1:StorageClass", object{"provisioner": "ebs.csi.aws.com", "parameters": object{"type": "gp3"}}),
	},
}

// A name in a policy statement is not use of the key, so only whole values count.
var noAWSKeys = Rule{
	ID:       "FH704",
	Title:    "Nothing names a key that AWS shares among its customers' resources",
	Why:      "alias/aws/… is one key for everything of a service in the account, whoever it belongs to",
	Fix:      "name the org's own key",
	Severity: High,
	Criteria: []string{"CC6.1"},
	Types:    []string{"aws:*", "kubernetes:*", "eks:*"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		visitLeaves(&place{v: r.Properties}, func(p *place) {
			switch v := p.v.(type) {
			case string:
				if strings.Contains(v, "alias/aws/") && awsKey.MatchString(v) {
					j.violate(p.path(), "%s is a key of AWS, expected the org's own", v)
				}
			case Unknown:
				j.undecided(p.path())
			}
		})
	}),
	Good: []Example{
		shows("the org's alias", "aws:kms/alias:Alias", object{"name": "alias/freehold-acme-data", "targetKeyId": "k"}),
		shows("a policy that forbids their use", "aws:iam/policy:Policy", object{"policy": `{"Statement":[{"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"kms:ResourceAliases":"alias/aws/*"}}}]}`}),
	},
	Bad: []Example{
		shows("in a place that no list has", "aws:transfer/server:Server", object{"hostKeyEncryption": object{"kms": "alias/aws/ebs"}}),
		shows("by its ARN", "aws:dynamodb/table:Table", object{"replicas": list{object{"kmsKeyArn": "arn:aws:kms:eu-central-1:210987654321:alias/aws/dynamodb"}}}),
	},
}

var keysTurn = Rule{
	ID:       "FH705",
	Title:    "The org's keys rotate, and lock nobody out",
	Why:      "a key that never rotates stays compromised for ever, and one without the lock-out check may be nobody's",
	Fix:      "set enableKeyRotation, and leave bypassPolicyLockoutSafetyCheck out",
	Severity: Medium,
	Criteria: []string{"CC6.1"},
	Types:    []string{"aws:kms/key:Key", "aws:kms/externalKey:ExternalKey", "aws:kms/replicaKey:ReplicaKey"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		in := r.values()
		j.mustNot(in.get("bypassPolicyLockoutSafetyCheck"), []string{"true"}, "the check that somebody can still manage the key is off")
		// AWS turns symmetric keys of its own making, and no others.
		// https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
		if spec := in.get("customerMasterKeySpec"); r.Type == "aws:kms/key:Key" && j.known(spec) && spec.is("", "SYMMETRIC_DEFAULT") && in.get("customKeyStoreId").v == nil {
			j.must(in.get("enableKeyRotation"), []string{"true"}, "the key never turns")
		}
	}),
	Good: []Example{
		shows("a key that turns", "aws:kms/key:Key", object{"enableKeyRotation": true}),
		shows("a key for signatures, which cannot", "aws:kms/key:Key", object{"customerMasterKeySpec": "ECC_NIST_P256", "keyUsage": "SIGN_VERIFY"}),
	},
	Bad: []Example{
		shows("nothing said", "aws:kms/key:Key", object{"description": "data"}),
		shows("a policy that AWS would have refused", "aws:kms/key:Key", object{"enableKeyRotation": true, "bypassPolicyLockoutSafetyCheck": true}),
	},
}
