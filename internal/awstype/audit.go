package awstype

// The types of what watches over an account.
const (
	CloudTrailTrail        = "aws:cloudtrail/trail:Trail"
	AccessAnalyzerAnalyzer = "aws:accessanalyzer/analyzer:Analyzer"
	CloudWatchLogGroup     = "aws:cloudwatch/logGroup:LogGroup"
)

var auditRows = []Row{
	{
		Token:   CloudTrailTrail,
		Service: "cloudtrail",
		Source:  "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html",
		Kinds:   []string{"cloudtrail/trail"},
		By:      []string{"name"},
		Find:    "trail", List: "CloudTrail trails", Remove: "trail",
		Uses:   []string{S3Bucket, KMSKey},
		Make:   []string{"cloudtrail:CreateTrail", "cloudtrail:UpdateTrail", "cloudtrail:StartLogging", "cloudtrail:AddTags", "cloudtrail:RemoveTags"},
		Read:   []string{"cloudtrail:DescribeTrails", "cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:ListTags"},
		Delete: []string{"cloudtrail:DeleteTrail"},
		Look:   []string{"cloudtrail:DescribeTrails"},
	},
	{
		Token:   AccessAnalyzerAnalyzer,
		Service: "access-analyzer",
		Source:  "https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CreateAnalyzer.html",
		Kinds:   []string{"access-analyzer/analyzer"},
		By:      []string{"analyzerName"},
		Find:    "analyzer", List: "Access Analyzer analyzers", Remove: "analyzer",
		Make:   []string{"access-analyzer:CreateAnalyzer", "access-analyzer:TagResource", "access-analyzer:UntagResource", serviceLinked},
		Read:   []string{"access-analyzer:GetAnalyzer"},
		Delete: []string{"access-analyzer:DeleteAnalyzer"},
		Look:   []string{"access-analyzer:ListAnalyzers"},
		// An account has room for one of each type in a region.
		// https://docs.aws.amazon.com/general/latest/gr/access_analyzer.html
		Slot: []string{"type"},
	},
	{
		Token:   CloudWatchLogGroup,
		Service: "logs",
		Source:  "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
		Kinds:   []string{"logs/log-group"},
		By:      []string{"name"},
		Find:    "log group", List: "log groups", Remove: "log group",
		Uses: []string{KMSKey},
		Make: []string{
			"logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy", "logs:AssociateKmsKey", "logs:TagResource", "logs:UntagResource",
		},
		Read:   []string{"logs:DescribeLogGroups", "logs:ListTagsForResource"},
		Delete: []string{"logs:DeleteLogGroup"},
		Look:   []string{"logs:DescribeLogGroups"},
	},
}
