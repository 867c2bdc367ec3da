package conformance_test

import "strings"

const (
	trailToken    = "aws:cloudtrail/trail:Trail"
	analyzerToken = "aws:accessanalyzer/analyzer:Analyzer"
	logGroupToken = "aws:cloudwatch/logGroup:LogGroup"
	diskKeyToken  = "aws:ebs/defaultKmsKey:DefaultKmsKey"
	diskToken     = "aws:ebs/encryptionByDefault:EncryptionByDefault"
	snapshotToken = "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess"
	metadataToken = "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"
)

// delivery is a bucket policy that lets CloudTrail deliver.
func delivery(bucket string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"Look","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::` + bucket + `"},` +
		`{"Sid":"Write","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + bucket + `/AWSLogs/$(account)/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}]}`
}

var auditThings = []thing{
	{name: "logs", in: "org", token: bucketToken, props: props{"bucket": "freehold-$(fresh)-$(account)"}},
	{name: "logs-policy", in: "org", token: bucketPolicy, props: props{"bucket": "$(logs)", "policy": delivery("$(logs)")}},
	{name: "trail", in: "org", token: trailToken, after: []string{"logs-policy"}, props: props{"name": "$(fresh)", "s3BucketName": "$(logs)", "isMultiRegionTrail": true,
		"includeGlobalServiceEvents": true, "enableLogging": true, "enableLogFileValidation": true, "kmsKeyId": "$(key.arn)", "tags": props{"a": "b"}}},
	{name: "analyzer", in: "org", token: analyzerToken, props: props{"analyzerName": "$(fresh)", "type": "ACCOUNT", "tags": props{"a": "b"}}},
	{name: "log-group", in: "org", token: logGroupToken, props: props{"name": "/freehold/$(fresh)", "retentionInDays": 365, "kmsKeyId": "$(key.arn)", "tags": props{"a": "b"}}},
	{name: "disk-key", in: "org", token: diskKeyToken, props: props{"keyArn": "$(key.arn)"}},
	{name: "disks", in: "org", token: diskToken, props: props{"enabled": true}},
	{name: "snapshots", in: "org", token: snapshotToken, props: props{"state": "block-all-sharing"}},
	{name: "metadata", in: "org", token: metadataToken, props: props{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1}},
}

var auditRows = []row{
	{name: "a trail into no such bucket", twin: "trail", change: props{"s3BucketName": "freehold-nothing-$(account)"}, because: "S3BucketDoesNotExist"},
	{name: "a trail into a bucket that does not let it", twin: "trail", updates: true, change: props{"s3BucketName": "$(policied)"}, because: "InsufficientS3BucketPolicy",
		emulatorAccepts: "moto does not read the bucket's policy", doc: "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html"},
	{name: "a trail with a name of two characters", twin: "trail", change: props{"name": "fh"}, because: "name"},
	{name: "a trail with a space in its name", twin: "trail", change: props{"name": "a trail"}, because: "name"},
	{name: "a trail whose name is in use", twin: "trail", change: props{"name": "trail"}, because: "TrailAlreadyExists",
		emulatorAccepts: "moto makes it anew", doc: "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html"},
	{name: "a trail whose key is no ARN", twin: "trail", change: props{"kmsKeyId": "alias/freehold"}, because: "ARN"},
	{name: "a trail into nothing", twin: "trail", change: props{"s3BucketName": gone}, because: "s3_?bucket_?name"},
	{name: "an analyzer of another type", twin: "analyzer", change: props{"type": "EVERYTHING"}, because: "type"},
	{name: "an analyzer with a space in its name", twin: "analyzer", change: props{"analyzerName": "an analyzer"}, because: "name"},
	{name: "an analyzer whose name is in use", twin: "analyzer", change: props{"analyzerName": "analyzer"}, because: "Conflict|Quota"},
	{name: "a log group that keeps for 42 days", twin: "log-group", change: props{"retentionInDays": 42}, because: "retention"},
	{name: "a log group with a space in its name", twin: "log-group", change: props{"name": "/freehold/a group"}, because: "name"},
	{name: "a log group with a name of 513 characters", twin: "log-group", change: props{"name": strings.Repeat("x", 513)}, because: "name"},
	{name: "a log group whose name is in use", twin: "log-group", change: props{"name": "/freehold/log-group"}, because: "ResourceAlreadyExists"},
	{name: "a log group of another class", twin: "log-group", change: props{"logGroupClass": "COLD"}, because: "class"},
	{name: "a log group whose key does not serve logs", twin: "log-group", change: props{"kmsKeyId": "$(plain-key.arn)"}, because: "KMS",
		emulatorAccepts: "moto does not try the key", doc: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"},
	{name: "a log group whose key is no ARN", twin: "log-group", change: props{"kmsKeyId": "alias/freehold"}, because: "ARN",
		emulatorAccepts: "moto stores the key as text", doc: "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"},
	{name: "disks on a key that is no ARN", twin: "disk-key", change: props{"keyArn": "freehold"}, because: "ARN"},
	{name: "disks on no such key", twin: "disk-key", change: props{"keyArn": "arn:aws:kms:$(region):$(account):key/11111111-2222-3333-4444-555555555555"}, because: "key"},
	{name: "snapshots that are blocked a little", twin: "snapshots", change: props{"state": "some"}, because: "state"},
	{name: "metadata at 65 hops", twin: "metadata", change: props{"httpPutResponseHopLimit": 65}, because: "hop"},
	{name: "metadata by tokens of another word", twin: "metadata", change: props{"httpTokens": "yes"}, because: "tokens"},
}
