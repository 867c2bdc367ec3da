package encryption

import (
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/manifest"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// rules are the rules about keys, and about the logs that show who used
// them.
var rules = []rule.Rule{
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

var ownKeys = rule.Rule{
	ID:       "FH701",
	Title:    "What can be encrypted is encrypted with the org's own key",
	Why:      "AWS's own keys cannot be fenced, watched for one customer, or taken away when the customer leaves",
	Fix:      "name the org's data key, or its log key for logs, and switch encryption on",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types: slices.Compact(slices.Sorted(slices.Values(slices.Concat(table.TypesWith(table.Key), slices.Sorted(maps.Keys(keyFields)), []string{
		"aws:ecr/repository:Repository", "aws:rds/instance:Instance", "aws:ssm/parameter:Parameter", "aws:lambda/function:Function",
	})))),
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		in := r.Values()
		rule.VisitColumns(r, table.Of(r.Type), func(at *table.Place, p *rule.Node) {
			if v := (rule.Value{Path: p.Path(), Raw: p.Raw}); at != nil && at.Holds(table.Key) && j.Known(v) && v.Text() != "" {
				j.OwnKey(v, s)
			}
		})
		if path, ok := switchFields[r.Type]; ok {
			j.Must(in.Get(strings.Split(path, ".")...), []string{"true"}, "encryption is not on")
		}
		if path, ok := keyFields[r.Type]; ok {
			j.OwnKey(in.Get(strings.Split(path, ".")...), s)
		}
		switch r.Type {
		case "aws:ecr/repository:Repository":
			encrypted := in.Get("encryptionConfigurations")
			j.Must(encrypted.Get("encryptionType"), []string{"KMS", "KMS_DSSE"}, "images are not encrypted with a key of KMS")
			j.OwnKey(encrypted.Get("kmsKey"), s)
		case "aws:rds/instance:Instance":
			// A replica in the same Region is encrypted as its source is.
			if source := in.Get("replicateSourceDb"); j.Known(source) && source.Text() == "" {
				j.Must(in.Get("storageEncrypted"), []string{"true"}, "encryption is not on")
				j.OwnKey(in.Get("kmsKeyId"), s)
			}
		case "aws:ssm/parameter:Parameter":
			if kind := in.Get("type"); j.Known(kind) && kind.Is("SecureString") {
				j.OwnKey(in.Get("keyId"), s)
			}
		case "aws:lambda/function:Function":
			if env := in.Get("environment"); j.Known(env) && len(env.Get("variables").Each()) > 0 {
				j.OwnKey(in.Get("kmsKeyArn"), s)
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("a queue with the org's key", "aws:sqs/queue:Queue", object{"kmsMasterKeyId": example.KeyARN}),
		example.Shows("a repository with the org's key", "aws:ecr/repository:Repository", object{"encryptionConfigurations": list{object{"encryptionType": "KMS", "kmsKey": example.KeyARN}}}),
		example.Shows("a parameter that is no secret", "aws:ssm/parameter:Parameter", object{"type": "String", "value": "1.35"}),
		example.Shows("the org's key by its alias", "aws:secretsmanager/secret:Secret", object{"kmsKeyId": "alias/freehold-acme-data"}),
	},
	Bad: []rule.Example{
		example.Shows("a queue that SQS encrypts", "aws:sqs/queue:Queue", object{"sqsManagedSseEnabled": true}),
		example.Shows("a secret with the key that all secrets have", "aws:secretsmanager/secret:Secret", object{"name": "db", "kmsKeyId": "alias/aws/secretsmanager"}),
		example.Shows("somebody else's key", "aws:cloudwatch/logGroup:LogGroup", object{"kmsKeyId": example.OtherKeyARN}),
		example.Shows("somebody else's key, for what a query finds", "aws:athena/workgroup:Workgroup", object{
			"configuration": object{"resultConfiguration": object{"encryptionConfiguration": object{"kmsKeyArn": example.OtherKeyARN}}},
		}),
		example.Shows("a key for what is not encrypted", "aws:ebs/volume:Volume", object{"kmsKeyId": example.KeyARN, "encrypted": false}),
		example.Shows("a repository that S3 encrypts", "aws:ecr/repository:Repository", object{"encryptionConfigurations": list{object{"encryptionType": "AES256"}}}),
		example.Shows("a database with encryption and no key", "aws:rds/instance:Instance", object{"storageEncrypted": true}),
	},
}

const typeSSE = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"

var bucketKeysSet = rule.Rule{
	ID:       "FH702",
	Title:    "Every bucket encrypts with the org's own key",
	Why:      "without it S3 encrypts with a key of its own, and whoever may read the object reads it in clear",
	Fix:      "beside the bucket, make a BucketServerSideEncryptionConfigurationV2 with aws:kms and the org's data key",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    append(rule.BucketTypes(), typeSSE),
	CheckStack: rule.OnStack(append(rule.BucketTypes(), typeSSE), func(j *rule.Judge, r rule.Resource, stack []rule.Resource, s rule.Scope) {
		in := r.Values()
		rules := slices.Concat(in.All("rules"), in.All("serverSideEncryptionConfiguration.rule"), in.All("serverSideEncryptionConfigurations.rules"))
		if r.Type != typeSSE && len(rules) == 0 {
			configured(j, r, stack)
			return
		}
		if len(rules) == 0 {
			j.Violate("rules", "it has no rule")
		}
		for _, part := range rules {
			by := part.Get("applyServerSideEncryptionByDefault")
			if by.Raw == nil {
				by = part.Get("applyServerSideEncryptionByDefaults")
			}
			j.Must(by.Get("sseAlgorithm"), []string{"aws:kms", "aws:kms:dsse"}, "objects are not encrypted with a key of KMS")
			j.OwnKey(by.Get("kmsMasterKeyId"), s)
		}
	}),
	Good: []rule.Example{
		example.Shows("a bucket with its configuration", "aws:s3/bucketV2:BucketV2", object{"bucket": "acme-data"}, example.Beside(typeSSE, "sse", object{
			"bucket": "acme-data", "rules": list{object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": example.KeyARN}}},
		})),
		example.Shows("the configuration", typeSSE, object{
			"bucket": "acme-data", "rules": list{object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": example.KeyARN}}},
		}),
	},
	Bad: []rule.Example{
		example.Shows("a bucket without one", "aws:s3/bucketV2:BucketV2", object{"bucket": "acme-data"}, example.Beside(typeSSE, "sse", object{"bucket": "acme-logs"})),
		example.Shows("S3's own encryption", typeSSE, object{"bucket": "b", "rules": list{object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "AES256"}}}}),
		example.Shows("KMS, with AWS's key for S3", typeSSE, object{"bucket": "b", "rules": list{object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "aws:kms"}}}}),
		example.Shows("a bucket of the old kind", "aws:s3/bucket:Bucket", object{
			"serverSideEncryptionConfiguration": object{"rule": object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": example.OtherKeyARN}}},
		}),
	},
}

// configured violates unless an encryption configuration of the stack is for a
// bucket.
func configured(j *rule.Judge, bucket rule.Resource, stack []rule.Resource) {
	unknown := false
	for _, r := range stack {
		if r.Type != typeSSE {
			continue
		}
		yes, known := r.Values().Get("bucket").IsOf(bucket, "bucket")
		if yes {
			return
		}
		unknown = unknown || !known
	}
	if unknown {
		j.Undecided("bucket")
		return
	}
	j.Violate("", "the bucket has no encryption configuration in this stack")
}

// diskLists are where machines and templates list their disks.
var diskLists = map[string][]string{
	"aws:ec2/instance:Instance":                       {"rootBlockDevice", "ebsBlockDevices"},
	"aws:ec2/launchConfiguration:LaunchConfiguration": {"rootBlockDevice", "ebsBlockDevices"},
	"aws:ec2/launchTemplate:LaunchTemplate":           {"blockDeviceMappings.ebs"},
	"aws:ec2/spotInstanceRequest:SpotInstanceRequest": {"rootBlockDevice", "ebsBlockDevices"},
}

var diskKeys = rule.Rule{
	ID:       "FH703",
	Title:    "Disks of machines and volumes of pods are encrypted with the org's own key",
	Why:      "a disk holds what nodes pulled, wrote and swapped: secrets and customers' data among it",
	Fix:      "set encrypted, and the org's data key, on each disk of a template and on each storage class",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    append(slices.Sorted(maps.Keys(diskLists)), "kubernetes:storage.k8s.io/*"),
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		for _, path := range diskLists[r.Type] {
			for _, disk := range r.Values().All(path) {
				j.Must(disk.Get("encrypted"), []string{"true"}, "the disk is not encrypted")
				// A launch configuration takes no key: the account's default is used.
				if r.Type != "aws:ec2/launchConfiguration:LaunchConfiguration" {
					j.OwnKey(disk.Get("kmsKeyId"), s)
				}
			}
		}
		if manifest.KindOf(r) != "StorageClass" {
			return
		}
		if by := r.Values().Get("provisioner"); j.Known(by) && by.Is("ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs") {
			j.Must(r.Values().Get("parameters", "encrypted"), []string{"true"}, "volumes are not encrypted")
			j.OwnKey(r.Values().Get("parameters", "kmsKeyId"), s)
		}
	}),
	Good: []rule.Example{
		example.Shows("a template", "aws:ec2/launchTemplate:LaunchTemplate", object{"blockDeviceMappings": list{object{"ebs": object{"encrypted": "true", "kmsKeyId": example.KeyARN}}}}),
		example.Shows("a storage class", "kubernetes:storage.k8s.io/v1:StorageClass", object{
			"provisioner": "ebs.csi.aws.com", "parameters": object{"encrypted": "true", "kmsKeyId": example.KeyARN},
		}),
	},
	Bad: []rule.Example{
		example.Shows("a second disk that was forgotten", "aws:ec2/launchTemplate:LaunchTemplate", object{"blockDeviceMappings": list{
			object{"deviceName": "/dev/xvda", "ebs": object{"encrypted": "true", "kmsKeyId": example.KeyARN}}, object{"deviceName": "/dev/xvdb", "ebs": object{"volumeSize": 80.0}},
		}}),
		example.Shows("encrypted, with AWS's key", "aws:ec2/instance:Instance", object{"rootBlockDevice": object{"encrypted": true}}),
		example.Shows("a second storage class", "kubernetes:storage.k8s.io/v1:StorageClass", object{"provisioner": "ebs.csi.aws.com", "parameters": object{"type": "gp3"}}),
	},
}

// A name in a policy statement is not use of the key, so only whole values count.
var noAWSKeys = rule.Rule{
	ID:       "FH704",
	Title:    "Nothing names a key that AWS shares among its customers' resources",
	Why:      "alias/aws/… is one key for everything of a service in the account, whoever it belongs to",
	Fix:      "name the org's own key",
	Severity: rule.High,
	Criteria: []string{"CC6.1"},
	Types:    []string{"aws:*", "kubernetes:*", "eks:*"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		rule.VisitLeaves(&rule.Node{Raw: r.Properties}, func(p *rule.Node) {
			switch v := p.Raw.(type) {
			case string:
				if strings.Contains(v, "alias/aws/") && rule.IsAWSKey(v) {
					j.Violate(p.Path(), "%s is a key of AWS, expected the org's own", v)
				}
			case rule.Unknown:
				j.Undecided(p.Path())
			}
		})
	}),
	Good: []rule.Example{
		example.Shows("the org's alias", "aws:kms/alias:Alias", object{"name": "alias/freehold-acme-data", "targetKeyId": "k"}),
		example.Shows("a policy that forbids their use", "aws:iam/policy:Policy", object{"policy": `{"Statement":[{"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"kms:ResourceAliases":"alias/aws/*"}}}]}`}),
	},
	Bad: []rule.Example{
		example.Shows("in a place that no list has", "aws:transfer/server:Server", object{"hostKeyEncryption": object{"kms": "alias/aws/ebs"}}),
		example.Shows("by its ARN", "aws:dynamodb/table:Table", object{"replicas": list{object{"kmsKeyArn": "arn:aws:kms:eu-central-1:210987654321:alias/aws/dynamodb"}}}),
	},
}

var keysTurn = rule.Rule{
	ID:       "FH705",
	Title:    "The org's keys rotate, and lock nobody out",
	Why:      "a key that never rotates stays compromised for ever, and one without the lock-out check may be nobody's",
	Fix:      "set enableKeyRotation, and leave bypassPolicyLockoutSafetyCheck out",
	Severity: rule.Medium,
	Criteria: []string{"CC6.1"},
	Types:    []string{"aws:kms/key:Key", "aws:kms/externalKey:ExternalKey", "aws:kms/replicaKey:ReplicaKey"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		in := r.Values()
		j.MustNot(in.Get("bypassPolicyLockoutSafetyCheck"), []string{"true"}, "the check that somebody can still manage the key is off")
		// AWS turns symmetric keys of its own making, and no others.
		// https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
		if spec := in.Get("customerMasterKeySpec"); r.Type == "aws:kms/key:Key" && j.Known(spec) && spec.Is("", "SYMMETRIC_DEFAULT") && in.Get("customKeyStoreId").Raw == nil {
			j.Must(in.Get("enableKeyRotation"), []string{"true"}, "the key never turns")
		}
	}),
	Good: []rule.Example{
		example.Shows("a key that turns", "aws:kms/key:Key", object{"enableKeyRotation": true}),
		example.Shows("a key for signatures, which cannot", "aws:kms/key:Key", object{"customerMasterKeySpec": "ECC_NIST_P256", "keyUsage": "SIGN_VERIFY"}),
	},
	Bad: []rule.Example{
		example.Shows("nothing said", "aws:kms/key:Key", object{"description": "data"}),
		example.Shows("a policy that AWS would have refused", "aws:kms/key:Key", object{"enableKeyRotation": true, "bypassPolicyLockoutSafetyCheck": true}),
	},
}
