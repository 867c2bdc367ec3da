package iamcalls

import "strings"

// kmsOperations follow
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
var kmsOperations = map[string]rule{
	"CreateKey": {also: func(c call) []need {
		keys := []string{keyARN(c, "*")} // the key has no id yet
		var out []need
		if c.param("Policy") != "" {
			out = append(out, need{action: "kms:PutKeyPolicy", on: keys})
		}
		if c.tagged() {
			out = append(out, need{action: "kms:TagResource", on: keys})
		}
		return out
	}},
	"DescribeKey":          {on: kmsKey},
	"Decrypt":              {on: kmsKey},
	"Encrypt":              {on: kmsKey},
	"EnableKeyRotation":    {on: kmsKey},
	"DisableKeyRotation":   {on: kmsKey},
	"GetKeyRotationStatus": {on: kmsKey},
	"GetKeyPolicy":         {on: kmsKey},
	"PutKeyPolicy":         {on: kmsKey},
	"EnableKey":            {on: kmsKey},
	"UpdateKeyDescription": {on: kmsKey},
	"ScheduleKeyDeletion":  {on: kmsKey},
	"CancelKeyDeletion":    {on: kmsKey},
	"ListGrants":           {on: kmsKey},
	"RevokeGrant":          {on: kmsKey},
	"ListResourceTags":     {on: kmsKey},
	"TagResource":          {on: kmsKey},
	"UntagResource":        {on: kmsKey},
	"ListKeys":             {},
	"ListAliases":          {},
	"CreateAlias":          {on: kmsAlias},
	"UpdateAlias":          {on: kmsAlias},
	"DeleteAlias":          {on: kmsAlias},
}

func kmsKey(c call) []string { return []string{keyARN(c, c.param("KeyId"))} }

// kmsAlias is an alias and its key: whoever moves an alias needs a right to
// both. The call that takes an alias away does not say which key it had.
func kmsAlias(c call) []string {
	key := c.param("TargetKeyId")
	if key == "" {
		key = "*"
	}
	return []string{c.regional("kms", c.param("AliasName")), keyARN(c, key)}
}

// keyARN is the ARN of a key by its id, its alias or its ARN.
func keyARN(c call, key string) string {
	switch {
	case strings.HasPrefix(key, "arn:"):
		return key
	case strings.HasPrefix(key, "alias/"):
		return c.regional("kms", "key/*")
	default:
		return c.regional("kms", "key/"+key)
	}
}

// logsOperations follow
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
var logsOperations = map[string]rule{
	"CreateLogGroup":        {on: logGroup, tags: "logs:TagResource"},
	"DeleteLogGroup":        {on: logGroup},
	"DescribeLogGroups":     {},
	"PutRetentionPolicy":    {on: logGroup},
	"DeleteRetentionPolicy": {on: logGroup},
	"AssociateKmsKey":       {on: logGroup},
	"DisassociateKmsKey":    {on: logGroup},
	"ListTagsForResource":   {on: named("logs", "", "resourceArn")},
	"TagResource":           {on: named("logs", "", "resourceArn")},
	"UntagResource":         {on: named("logs", "", "resourceArn")},
}

func logGroup(c call) []string {
	return []string{c.regional("logs", "log-group:"+c.param("logGroupName"))}
}

// registryOperations follow
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
// and, for the grants that ECR takes on a repository's key,
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates-custom.html
var registryOperations = map[string]rule{
	"CreateRepository": {on: repository, tags: "ecr:TagResource", also: func(c call) []need {
		encryption, _ := c.body["encryptionConfiguration"].(map[string]any)
		key, _ := encryption["kmsKey"].(string)
		out := granted(c, key)
		if out != nil {
			// To take its grants back when the repository goes.
			out = append(out, need{action: "kms:RetireGrant", on: out[0].on})
		}
		return out
	}},
	"DescribeRepositories": {on: func(c call) []string {
		names, _ := c.body["repositoryNames"].([]any)
		var out []string
		for _, n := range names {
			if name, ok := n.(string); ok {
				out = append(out, c.regional("ecr", "repository/"+name))
			}
		}
		if out == nil {
			out = []string{c.regional("ecr", "repository/*")}
		}
		return out
	}},
	"DeleteRepository":              {on: repository},
	"PutImageScanningConfiguration": {on: repository},
	"PutImageTagMutability":         {on: repository},
	"GetLifecyclePolicy":            {on: repository},
	"PutLifecyclePolicy":            {on: repository},
	"DeleteLifecyclePolicy":         {on: repository},
	"GetRepositoryPolicy":           {on: repository},
	"DeleteRepositoryPolicy":        {on: repository},
	"DescribeImages":                {on: repository},
	"ListImages":                    {on: repository},
	"BatchDeleteImage":              {on: repository},
	"ListTagsForResource":           {on: named("ecr", "", "resourceArn")},
	"TagResource":                   {on: named("ecr", "", "resourceArn")},
	"UntagResource":                 {on: named("ecr", "", "resourceArn")},
}

func repository(c call) []string {
	return []string{c.regional("ecr", "repository/"+c.param("repositoryName"))}
}

// trailOperations follow
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudtrail.html
// The service-linked role is an organization trail's, which Freehold has none of.
var trailOperations = map[string]rule{
	"CreateTrail":         {on: named("cloudtrail", "trail/", "Name"), tags: "cloudtrail:AddTags"},
	"UpdateTrail":         {on: named("cloudtrail", "trail/", "Name")},
	"DeleteTrail":         {on: named("cloudtrail", "trail/", "Name")},
	"GetTrail":            {on: named("cloudtrail", "trail/", "Name")},
	"GetTrailStatus":      {on: named("cloudtrail", "trail/", "Name")},
	"StartLogging":        {on: named("cloudtrail", "trail/", "Name")},
	"StopLogging":         {on: named("cloudtrail", "trail/", "Name")},
	"GetEventSelectors":   {on: named("cloudtrail", "trail/", "TrailName")},
	"PutEventSelectors":   {on: named("cloudtrail", "trail/", "TrailName")},
	"GetInsightSelectors": {on: named("cloudtrail", "trail/", "TrailName")},
	"AddTags":             {on: named("cloudtrail", "", "ResourceId")},
	"RemoveTags":          {on: named("cloudtrail", "", "ResourceId")},
	"ListTags": {on: func(c call) []string {
		ids, _ := c.body["ResourceIdList"].([]any)
		var out []string
		for _, id := range ids {
			if arn, ok := id.(string); ok {
				out = append(out, arn)
			}
		}
		return out
	}},
	"DescribeTrails": {},
	"ListTrails":     {},
	"LookupEvents":   {},
}

// analyzerOperations follow
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamaccessanalyzer.html
var analyzerOperations = map[string]rule{
	"CreateAnalyzer": {on: analyzer, tags: "access-analyzer:TagResource", also: func(c call) []need {
		return []need{linked(c, "access-analyzer.amazonaws.com", "AWSServiceRoleForAccessAnalyzer")}
	}},
	"GetAnalyzer":         {on: analyzer},
	"UpdateAnalyzer":      {on: analyzer},
	"DeleteAnalyzer":      {on: analyzer},
	"ListAnalyzers":       {},
	"ListTagsForResource": {on: pathARN},
	"TagResource":         {on: pathARN},
	"UntagResource":       {on: pathARN},
}

func analyzer(c call) []string {
	return []string{c.regional("access-analyzer", "analyzer/"+c.param("analyzerName"))}
}

// balancerOperations, scalingOperations, quotaOperations and
// parameterOperations follow
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_servicequotas.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
var (
	balancerOperations = map[string]rule{
		"DescribeListeners":     {},
		"DescribeLoadBalancers": {},
		"DescribeTags":          {},
		"DescribeTargetGroups":  {},
		"DescribeTargetHealth":  {},
		"DeleteListener":        {on: named("elasticloadbalancing", "listener/", "ListenerArn")},
		"DeleteLoadBalancer": {on: func(c call) []string {
			if arn := c.param("LoadBalancerArn"); arn != "" {
				return []string{arn}
			}
			return []string{c.regional("elasticloadbalancing", "loadbalancer/"+c.param("LoadBalancerName"))} // a classic one
		}},
		"DeleteTargetGroup": {on: named("elasticloadbalancing", "targetgroup/", "TargetGroupArn")},
	}
	scalingOperations = map[string]rule{
		"DescribeAutoScalingGroups":           {},
		"DescribeScalingActivities":           {},
		"DescribeLaunchConfigurations":        {},
		"DescribeAutoScalingInstances":        {},
		"DeleteAutoScalingGroup":              {on: scalingGroup},
		"UpdateAutoScalingGroup":              {on: scalingGroup},
		"DeleteLaunchConfiguration":           {on: func(c call) []string { return []string{c.regional("autoscaling", "launchConfiguration:*")} }},
		"TerminateInstanceInAutoScalingGroup": {on: scalingGroup},
	}
	quotaOperations = map[string]rule{
		"GetServiceQuota":             {on: quota},
		"GetAWSDefaultServiceQuota":   {},
		"ListServiceQuotas":           {},
		"ListAWSDefaultServiceQuotas": {},
	}
	parameterOperations = map[string]rule{
		"GetParameter": {on: func(c call) []string {
			name := c.param("Name")
			account := c.Account
			if strings.HasPrefix(name, "/aws/service/") {
				account = "" // published by AWS, for everybody
			}
			return []string{"arn:aws:ssm:" + c.Region + ":" + account + ":parameter/" + strings.TrimPrefix(name, "/")}
		}},
	}
)

func scalingGroup(c call) []string {
	return []string{c.regional("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*")}
}

func quota(c call) []string {
	return []string{c.regional("servicequotas", c.param("ServiceCode")+"/"+c.param("QuotaCode"))}
}
