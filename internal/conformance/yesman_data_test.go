package conformance_test

import "strings"

const (
	keyToken        = "aws:kms/key:Key"
	aliasToken      = "aws:kms/alias:Alias"
	bucketToken     = "aws:s3/bucketV2:BucketV2"
	bucketPolicy    = "aws:s3/bucketPolicy:BucketPolicy"
	versioningToken = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	encryptionToken = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	publicToken     = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	ownershipToken  = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	lifecycleToken  = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	objectToken     = "aws:s3/bucketObjectv2:BucketObjectv2"
	accountPublic   = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
	repositoryToken = "aws:ecr/repository:Repository"
	expiryToken     = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
	pullToken       = "aws:ecr/repositoryPolicy:RepositoryPolicy"
)

// keyPolicy lets the account, CloudTrail and CloudWatch Logs use a key.
const keyPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"Account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::$(account):root"},"Action":"kms:*","Resource":"*"},` +
	`{"Sid":"Services","Effect":"Allow","Principal":{"Service":["cloudtrail.amazonaws.com","logs.$(region).amazonaws.com"]},"Action":["kms:Encrypt","kms:Decrypt","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*"}]}`

// onlyTLS is a policy that a bucket of Freehold's has.
func onlyTLS(bucket string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"OnlyTLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::` + bucket + `","arn:aws:s3:::` + bucket + `/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
}

const expiryPolicy = `{"rules":[{"rulePriority":1,"description":"keep the newest images","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":30},"action":{"type":"expire"}}]}`

var dataThings = []thing{
	{name: "key", in: "org", token: keyToken, props: props{"description": "The org's data", "enableKeyRotation": true, "deletionWindowInDays": 7, "policy": keyPolicy, "tags": props{"a": "b"}}},
	{name: "plain-key", in: "org", token: keyToken, props: props{"deletionWindowInDays": 30}},
	{name: "alias", in: "org", token: aliasToken, props: props{"name": "alias/$(fresh)", "targetKeyId": "$(key)"}},
	{name: "bucket", in: "org", token: bucketToken, props: props{"bucket": "freehold-$(fresh)-$(account)", "forceDestroy": false, "tags": props{"a": "b"}}},
	{name: "policied", in: "org", token: bucketToken, props: props{"bucket": "freehold-$(fresh)-$(account)"}},
	{name: "bucket-policy", in: "org", token: bucketPolicy, props: props{"bucket": "$(policied)", "policy": onlyTLS("$(policied)")}},
	{name: "versioning", in: "org", token: versioningToken, props: props{"bucket": "$(bucket)", "versioningConfiguration": props{"status": "Enabled"}}},
	{name: "encryption", in: "org", token: encryptionToken, props: props{"bucket": "$(bucket)", "rules": []any{props{"bucketKeyEnabled": true,
		"applyServerSideEncryptionByDefault": props{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "$(key.arn)"}}}}},
	{name: "public", in: "org", token: publicToken, props: props{"bucket": "$(policied)", "blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true}},
	{name: "ownership", in: "org", token: ownershipToken, props: props{"bucket": "$(bucket)", "rule": props{"objectOwnership": "BucketOwnerEnforced"}}},
	{name: "lifecycle", in: "org", token: lifecycleToken, props: props{"bucket": "$(bucket)", "rules": []any{props{"id": "expire", "status": "Enabled", "filter": props{"prefix": "logs/"},
		"expiration": props{"days": 400}, "noncurrentVersionExpiration": props{"noncurrentDays": 30}, "abortIncompleteMultipartUpload": props{"daysAfterInitiation": 7},
		"transitions": []any{props{"days": 90, "storageClass": "GLACIER_IR"}}}}}},
	{name: "account-public", in: "org", token: accountPublic, props: props{"blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true}},
	{name: "doomed-bucket", in: "org", token: bucketToken, props: props{"bucket": "freehold-$(fresh)-$(account)"}},
	{name: "doomed-object", in: "org", token: objectToken, props: props{"bucket": "$(doomed-bucket)", "key": "hello", "content": "world"}},
	{name: "repository", in: "org", token: repositoryToken, props: props{"name": "freehold/$(fresh)", "imageTagMutability": "IMMUTABLE", "forceDelete": false,
		"imageScanningConfiguration": props{"scanOnPush": true}, "encryptionConfigurations": []any{props{"encryptionType": "KMS", "kmsKey": "$(key.arn)"}}, "tags": props{"a": "b"}}},
	{name: "expiry", in: "org", token: expiryToken, props: props{"repository": "$(repository)", "policy": expiryPolicy}},
	{name: "pull", in: "org", token: pullToken, props: props{"repository": "$(repository)", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::$(account):root"},"Action":"ecr:BatchGetImage"}]}`}},
}

var dataRows = []row{
	{name: "a key that goes in six days", twin: "key", change: props{"deletionWindowInDays": 6}, because: "deletion_?window"},
	{name: "a key that goes in 31 days", twin: "plain-key", change: props{"deletionWindowInDays": 31}, because: "deletion_?window"},
	{name: "a key that rotates every 89 days", twin: "key", change: props{"rotationPeriodInDays": 89}, because: "rotation_?period"},
	{name: "a key for another use", twin: "plain-key", change: props{"keyUsage": "ENCRYPT"}, because: "key_?usage"},
	{name: "a key of another make", twin: "plain-key", change: props{"customerMasterKeySpec": "AES_256"}, because: "spec"},
	{name: "a signing key that rotates", twin: "key", change: props{"customerMasterKeySpec": "RSA_2048", "keyUsage": "SIGN_VERIFY"}, because: "rotation|Unsupported",
		emulatorAccepts: "moto rotates any key", doc: "https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html"},
	{name: "a key whose policy is no JSON", twin: "key", change: props{"policy": "allow"}, because: "JSON"},
	{name: "a key whose policy locks everybody out", twin: "key", change: props{"policy": strings.ReplaceAll(keyPolicy, "kms:*", "kms:Decrypt")}, because: "policy",
		emulatorAccepts: "moto does not evaluate policies", doc: "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"},
	{name: "an alias without its prefix", twin: "alias", change: props{"name": "freehold"}, because: "alias/"},
	{name: "an alias of AWS's own", twin: "alias", change: props{"name": "alias/aws/freehold"}, because: "alias/aws/|reserved"},
	{name: "an alias that is in use", twin: "alias", change: props{"name": "alias/alias"}, because: "AlreadyExists"},
	{name: "an alias of no such key", twin: "alias", change: props{"targetKeyId": "11111111-2222-3333-4444-555555555555"}, because: "NotFound"},
	{name: "a bucket with a capital in its name", twin: "bucket", change: props{"bucket": "Freehold-logs"}, because: "bucket"},
	{name: "a bucket with an underscore in its name", twin: "bucket", change: props{"bucket": "freehold_logs"}, because: "bucket"},
	{name: "a bucket with a name of two characters", twin: "bucket", change: props{"bucket": "fh"}, because: "bucket|length"},
	{name: "a bucket with a name of 64 characters", twin: "bucket", change: props{"bucket": strings.Repeat("x", 64)}, because: "bucket|length"},
	{name: "a bucket whose name is an address", twin: "bucket", change: props{"bucket": "192.168.5.4"}, because: "bucket"},
	{name: "a bucket whose name is in use", twin: "bucket", change: props{"bucket": "freehold-bucket-$(account)"}, because: "BucketAlready"},
	{name: "a bucket policy of no such bucket", twin: "bucket-policy", change: props{"bucket": "freehold-nothing-$(account)"}, because: "NoSuchBucket"},
	{name: "a bucket policy that is no JSON", twin: "bucket-policy", change: props{"policy": "{"}, because: "JSON"},
	{name: "a bucket policy about another bucket", twin: "bucket-policy", change: props{"policy": onlyTLS("another-bucket")}, because: "MalformedPolicy",
		emulatorAccepts: "moto stores any policy", doc: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-arn-format.html"},
	{name: "a bucket policy for nobody who exists", twin: "bucket-policy", change: props{"policy": strings.Replace(onlyTLS("$(policied)"), `"Principal":"*"`, `"Principal":{"AWS":"arn:aws:iam::$(account):role/nobody"}`, 1)}, because: "principal",
		emulatorAccepts: "moto resolves no principals", doc: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security_iam_troubleshoot.html"},
	{name: "versioning of another word", twin: "versioning", change: props{"versioningConfiguration.status": "On"}, because: "status"},
	{name: "versioning of no such bucket", twin: "versioning", change: props{"bucket": "freehold-nothing-$(account)"}, because: "NoSuchBucket"},
	{name: "encryption by another algorithm", twin: "encryption", change: props{"rules[0].applyServerSideEncryptionByDefault.sseAlgorithm": "AES128"}, because: "sse_?algorithm"},
	{name: "encryption without a rule", twin: "encryption", change: props{"rules": gone}, because: "rule"},
	{name: "an owner of another kind", twin: "ownership", change: props{"rule.objectOwnership": "Account"}, because: "object_?ownership"},
	{name: "a lifecycle of another status", twin: "lifecycle", change: props{"rules[0].status": "On"}, because: "status"},
	{name: "a lifecycle rule without an id", twin: "lifecycle", change: props{"rules[0].id": gone}, because: "id"},
	{name: "a lifecycle into another class", twin: "lifecycle", change: props{"rules[0].transitions[0].storageClass": "ICE"}, because: "storage_?class"},
	{name: "a lifecycle that expires after minus one days", twin: "lifecycle", change: props{"rules[0].expiration.days": -1}, because: "days",
		emulatorAccepts: "moto takes any number", doc: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html"},
	{name: "a lifecycle that moves minus one days on", twin: "lifecycle", change: props{"rules[0].transitions[0].days": -1}, because: "days"},
	{name: "a lifecycle of no such bucket", twin: "lifecycle", change: props{"bucket": "freehold-nothing-$(account)"}, because: "NoSuchBucket"},
	{name: "deleting a bucket that is not empty", twin: "doomed-bucket", usedBy: []string{"doomed-object"}, because: "BucketNotEmpty"},
	{name: "a repository with a capital in its name", twin: "repository", change: props{"name": "Freehold"}, because: "name"},
	{name: "a repository with a name of one character", twin: "repository", change: props{"name": "f"}, because: "name",
		emulatorAccepts: "moto checks letters, not length", doc: "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"},
	{name: "a repository whose tags change by another word", twin: "repository", change: props{"imageTagMutability": "FIXED"}, because: "image_?tag_?mutability"},
	{name: "a repository that is encrypted otherwise", twin: "repository", change: props{"encryptionConfigurations[0].encryptionType": "AES128"}, because: "encryption_?type"},
	{name: "a repository whose name is in use", twin: "repository", change: props{"name": "freehold/repository"}, because: "RepositoryAlreadyExists"},
	{name: "a repository's expiry that is no JSON", twin: "expiry", change: props{"policy": "{"}, because: "JSON"},
	{name: "an expiry of no such repository", twin: "expiry", change: props{"repository": "freehold/nothing"}, because: "RepositoryNotFound"},
	{name: "a policy of no such repository", twin: "pull", change: props{"repository": "freehold/nothing"}, because: "RepositoryNotFound"},
	{name: "a key whose policy is too long", twin: "key", change: props{"policy": strings.Replace(keyPolicy, `"Sid":"Services"`, `"Sid":"`+strings.Repeat("x", 33000)+`"`, 1)}, because: "32768|policy",
		emulatorAccepts: "moto knows no size of it", doc: "https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html"},
	{name: "a key with a rotation period that does not rotate", twin: "plain-key", change: props{"rotationPeriodInDays": 90}, because: "rotation"},
	{name: "a key with a tag of AWS's own", twin: "key", change: props{"tags": props{"aws:owner": "me"}}, because: "aws:",
		emulatorAccepts: "moto takes any tag", doc: "https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html"},
	{name: "a bucket with a tag of AWS's own", twin: "bucket", change: props{"tags": props{"aws:owner": "me"}}, because: "aws:",
		emulatorAccepts: "moto looks at new tags only when there are old ones", doc: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging.html"},
	{name: "a bucket policy that is too long", twin: "bucket-policy", change: props{"policy": strings.Replace(onlyTLS("$(policied)"), "OnlyTLS", strings.Repeat("x", 20480), 1)}, because: "PolicyTooLarge|20480",
		emulatorAccepts: "moto knows no size of it", doc: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html"},
	{name: "versioning that is off again", twin: "versioning", updates: true, change: props{"versioningConfiguration.status": "Disabled"}, because: "status|cannot be"},
	{name: "versioning of no status", twin: "versioning", change: props{"versioningConfiguration": gone}, because: "versioning_?configuration"},
	{name: "ownership of no rule", twin: "ownership", change: props{"rule": gone}, because: "rule"},
	{name: "a lifecycle that moves twice", twin: "lifecycle", change: props{"rules[0].transitions[0].date": "2030-01-01T00:00:00Z"}, because: "transition"},
	{name: "a lifecycle that keeps old versions for no day", twin: "lifecycle", change: props{"rules[0].noncurrentVersionExpiration.noncurrentDays": 0}, because: "noncurrent_?days"},
}
