package awsprovider

import (
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/accessanalyzer"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
)

var auditTypes = []*Type{
	{
		Token:   "aws:cloudtrail/trail:Trail",
		Source:  "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html",
		Args:    cloudtrail.TrailArgs{},
		State:   cloudtrail.Trail{},
		Noun:    "CloudTrail Trail",
		Service: "cloudtrail",
		API: API{Create: "CreateTrail", Read: "DescribeTrails", Update: "UpdateTrail", Delete: "DeleteTrail",
			Updates: map[string]string{"enableLogging": "StartLogging", "eventSelectors": "PutEventSelectors", "advancedEventSelectors": "PutEventSelectors",
				"insightSelectors": "PutInsightSelectors", "tags": "AddTags"}},
		ID:      "arn:aws:cloudtrail:{region}:{account}:trail/{name}",
		ARN:     "arn:aws:cloudtrail:{region}:{account}:trail/{name}",
		Name:    Name{Property: "name", Max: 128},
		Tags:    true,
		Outputs: map[string]string{"homeRegion": "{region}"},
		Defaults: map[string]any{"enableLogging": true, "includeGlobalServiceEvents": true, "isMultiRegionTrail": false, "isOrganizationTrail": false,
			"enableLogFileValidation": false},
		Fields: map[string][]Rule{
			"name":     {length(3, 128), match(regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*[a-zA-Z0-9]$`))},
			"kmsKeyId": {isARN("kms")},
		},
		Conflicts: [][]string{{"eventSelectors", "advancedEventSelectors"}},
		Unique:    []Unique{{Key: "trail/{name}", Error: "TrailAlreadyExistsException: Trail {name} already exists for customer: {account}"}},
		Refs: []Ref{
			{Path: "s3BucketName", To: []string{bucketToken}, By: []string{"id"}, AnyAccount: true, Error: "S3BucketDoesNotExistException: S3 bucket {value} does not exist!"},
			keyRef("kmsKeyId", "KmsKeyDoesNotExistException"),
			{Path: "cloudWatchLogsRoleArn", To: []string{roleToken}, By: []string{"arn"}, Error: "InvalidCloudWatchLogsRoleArnException: Access denied. Check the trust relationships for your role."},
		},
		Quota:   &Quota{Scope: PerRegion, Name: "cloudtrail:trails", Limit: 5, Error: "MaximumNumberOfTrailsExceededException: User: {account} already has {limit} trails in {region}."},
		Replace: []string{"name"},
		Check:   trailIsAllowed,
		Created: func(c *Call) error {
			bucket := c.String("s3BucketName")
			if row, err := c.Find(bucketToken, "id", bucket); err != nil || row == nil {
				return err // a bucket of another account is none of ours to fill
			}
			return deliver(c, bucket, "AWSLogs/"+c.Account+"/CloudTrail/"+c.Region+"/first.json.gz")
		},
	},
	{
		Token:    "aws:accessanalyzer/analyzer:Analyzer",
		Source:   "https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CreateAnalyzer.html",
		Args:     accessanalyzer.AnalyzerArgs{},
		State:    accessanalyzer.Analyzer{},
		Noun:     "IAM Access Analyzer Analyzer",
		Service:  "access-analyzer",
		API:      API{Create: "CreateAnalyzer", Read: "GetAnalyzer", Update: "UpdateAnalyzer", Delete: "DeleteAnalyzer", Updates: map[string]string{"tags": "TagResource"}},
		ID:       "{analyzerName}",
		ARN:      "arn:aws:access-analyzer:{region}:{account}:analyzer/{analyzerName}",
		Tags:     true,
		Defaults: map[string]any{"type": "ACCOUNT"},
		Fields: map[string][]Rule{
			"analyzerName": {length(1, 255), match(regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`))},
			"type":         {oneOf("ACCOUNT", "ORGANIZATION", "ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS")},
		},
		Unique: []Unique{{Key: "analyzer/{analyzerName}", Error: "ConflictException: An analyzer with the name {analyzerName} already exists."}},
		// One external access analyzer of the account's own zone of trust a region.
		Quota: &Quota{Scope: PerRegion, Name: "access-analyzer:analyzers", Limit: 1,
			Error: "ServiceQuotaExceededException: You have reached the limit of {limit} account analyzers in the region."},
		Replace: []string{"analyzerName", "type"},
	},
	{
		Token:   logGroupToken,
		Source:  "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
		Args:    cloudwatch.LogGroupArgs{},
		State:   cloudwatch.LogGroup{},
		Noun:    "CloudWatch Logs Log Group",
		Service: "logs",
		API: API{Create: "CreateLogGroup", Read: "DescribeLogGroups", Update: "PutRetentionPolicy", Delete: "DeleteLogGroup",
			Updates: map[string]string{"kmsKeyId": "AssociateKmsKey", "tags": "TagResource"}},
		ID:       "{name}",
		ARN:      "arn:aws:logs:{region}:{account}:log-group:{name}",
		Name:     Name{Property: "name", Prefix: "namePrefix", Max: 512},
		Tags:     true,
		Defaults: map[string]any{"retentionInDays": 0.0, "skipDestroy": false, "logGroupClass": "STANDARD"},
		Fields: map[string][]Rule{
			"name": {length(1, 512), match(regexp.MustCompile(`^[a-zA-Z0-9_./#-]+$`))},
			"retentionInDays": {oneOfNumbers(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
				3288, 3653)},
			"logGroupClass": {oneOf("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")},
			"kmsKeyId":      {isARN("kms")},
		},
		Unique:  []Unique{{Key: "log-group/{name}", Error: "ResourceAlreadyExistsException: The specified log group already exists"}},
		Refs:    []Ref{keyRef("kmsKeyId", "InvalidParameterException")},
		Replace: []string{"name", "namePrefix", "logGroupClass"},
		Check: func(c *Call) error {
			key := text(c.In["kmsKeyId"])
			if key == "" {
				return nil
			}
			// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
			ok, err := keyServes(c, key, "logs."+c.Region+".amazonaws.com", "kms:GenerateDataKey")
			if err != nil || ok {
				return err
			}
			return errf("InvalidParameterException", "The specified KMS Key Id could not be found or is not allowed to be used with log group '%s'.", c.ARN)
		},
	},
}

// trailIsAllowed tries the bucket and the key as CloudTrail does.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
func trailIsAllowed(c *Call) error {
	bucket := c.String("s3BucketName")
	row, err := c.Find(bucketToken, "id", bucket)
	if err != nil || row == nil {
		return err
	}
	ok, err := bucketServes(c, bucket, "cloudtrail.amazonaws.com", "s3:GetBucketAcl", "s3:PutObject")
	if err != nil {
		return err
	}
	if !ok {
		return errf("InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected for bucket: %s", bucket)
	}
	key := text(c.In["kmsKeyId"])
	if key == "" {
		return nil
	}
	ok, err = keyServes(c, key, "cloudtrail.amazonaws.com", "kms:GenerateDataKey")
	if err != nil || ok {
		return err
	}
	return errf("InsufficientEncryptionPolicyException", "Insufficient permissions to access S3 bucket %s or KMS key %s.", bucket, key)
}
