package sharing

import (
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

var imageDistribution = rule.Rule{
	ID:       "FH411",
	Title:    "Images are built for the org's account only",
	Why:      "a distribution copies every new image, with whatever was baked into it, to other accounts",
	Fix:      "leave targetAccountIds and launchPermission out, and name the org's own repository",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    []string{"aws:imagebuilder/distributionConfiguration:DistributionConfiguration"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		images := r.Values().All("distributions.amiDistributionConfiguration")
		for _, image := range images {
			for _, path := range []string{"targetAccountIds", "launchPermission.userIds"} {
				for _, v := range image.All(path) {
					mine(j, v, s)
				}
			}
			for _, path := range []string{"launchPermission.userGroups", "launchPermission.organizationArns", "launchPermission.organizationalUnitArns"} {
				for _, v := range image.All(path) {
					if j.Known(v) {
						j.Violate(v.Path, "%s may launch the image", v.Text())
					}
				}
			}
		}
		for _, v := range r.Values().All("distributions.launchTemplateConfigurations.accountId") {
			mine(j, v, s)
		}
	}),
	Good: []rule.Example{
		example.Shows("another Region of the account", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{
			"distributions": list{object{"region": "eu-west-1", "amiDistributionConfiguration": object{"name": "node-{{ imagebuilder:buildDate }}"}}},
		}),
		example.Shows("the account, said", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{
			"distributions": list{object{"region": "eu-central-1", "amiDistributionConfiguration": object{"targetAccountIds": list{"210987654321"}}}},
		}),
	},
	Bad: []rule.Example{
		example.Shows("a copy for another account", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{
			"distributions": list{object{"amiDistributionConfiguration": object{"targetAccountIds": list{"210987654321", "444455556666"}}}},
		}),
		example.Shows("everybody", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{
			"distributions": list{object{"amiDistributionConfiguration": object{"launchPermission": object{"userGroups": list{"all"}}}}},
		}),
		example.Shows("an organizational unit", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{
			"distributions": list{object{"amiDistributionConfiguration": object{"launchPermission": object{"organizationalUnitArns": list{"arn:aws:organizations::100000000001:ou/o-1/ou-1"}}}}},
		}),
	},
}

// outlets are what sends data or events on, and where it says to whom.
var outlets = map[string][]string{
	"aws:cloudwatch/eventArchive:EventArchive":                       {"eventSourceArn"},
	"aws:cloudwatch/eventTarget:EventTarget":                         {"arn", "deadLetterConfig.arn", "roleArn"},
	"aws:cloudwatch/logDestination:LogDestination":                   {"targetArn", "roleArn"},
	"aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter":     {"destinationArn", "roleArn"},
	"aws:cloudwatch/metricStream:MetricStream":                       {"firehoseArn", "roleArn"},
	"aws:ec2/flowLog:FlowLog":                                        {"logDestination", "deliverCrossAccountRole"},
	"aws:lambda/eventSourceMapping:EventSourceMapping":               {"eventSourceArn", "destinationConfig.onFailure.destinationArn"},
	"aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {"destinationConfig.onFailure.destination", "destinationConfig.onSuccess.destination"},
	"aws:pipes/pipe:Pipe":                                            {"source", "target", "enrichment"},
	"aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig":      {"destinationArn"},
	"aws:s3/bucketNotification:BucketNotification":                   {"queues.queueArn", "topics.topicArn", "lambdaFunctions.lambdaFunctionArn"},
	"aws:scheduler/schedule:Schedule":                                {"target.arn", "target.deadLetterConfig.arn", "target.roleArn"},
	"aws:sns/topicSubscription:TopicSubscription":                    {"topic", "endpoint"},
}

var eventTargets = rule.Rule{
	ID:       "FH412",
	Title:    "Events, logs and metrics stay within the account",
	Why:      "a target in another account receives the customer's data as it is made, and no policy of the customer's side has to allow it",
	Fix:      "send to a bus, queue, stream or function of the org's account",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    slices.Sorted(maps.Keys(outlets)),
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		for _, path := range outlets[r.Type] {
			for _, v := range r.Values().All(path) {
				j.Own(v, s)
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("a function of the account", "aws:cloudwatch/eventTarget:EventTarget", object{"arn": "arn:aws:lambda:eu-central-1:210987654321:function:nightly", "rule": "nightly"}),
		example.Shows("a person's mail", "aws:sns/topicSubscription:TopicSubscription", object{
			"topic": "arn:aws:sns:eu-central-1:210987654321:alarms", "protocol": "email", "endpoint": "ops@acme.example",
		}),
	},
	Bad: []rule.Example{
		example.Shows("another account's bus", "aws:cloudwatch/eventTarget:EventTarget", object{"arn": "arn:aws:events:eu-central-1:444455556666:event-bus/default", "rule": "all"}),
		example.Shows("only what fails, to another account's queue", "aws:cloudwatch/eventTarget:EventTarget", object{
			"arn": "arn:aws:lambda:eu-central-1:210987654321:function:f", "deadLetterConfig": object{"arn": "arn:aws:sqs:eu-central-1:444455556666:dead"},
		}),
		example.Shows("the logs to a common stream", "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter", object{
			"logGroup": "/app", "destinationArn": "arn:aws:logs:eu-central-1:444455556666:destination:central",
		}),
		example.Shows("a scheduler, which is not EventBridge", "aws:scheduler/schedule:Schedule", object{"target": object{"arn": "arn:aws:sqs:eu-central-1:444455556666:jobs"}}),
		example.Shows("a subscription to another account's topic", "aws:sns/topicSubscription:TopicSubscription", object{
			"topic": "arn:aws:sns:eu-central-1:444455556666:news", "protocol": "sqs", "endpoint": "arn:aws:sqs:eu-central-1:210987654321:in",
		}),
	},
}

var backupCopies = rule.Rule{
	ID:       "FH413",
	Title:    "Backups are copied within the account",
	Why:      "a copy in another account's vault is out of reach of the org's key, its retention and its deletion",
	Fix:      "copy to a vault of the org's account in another Region",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types: []string{
		"aws:backup/plan:Plan", "aws:backup/globalSettings:GlobalSettings",
		"aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
	},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		for _, path := range []string{"rules.copyActions.destinationVaultArn", "sourceDbInstanceArn"} {
			for _, v := range r.Values().All(path) {
				j.Own(v, s)
			}
		}
		j.MustNot(r.Values().Get("globalSettings", "isCrossAccountBackupEnabled"), []string{"true"}, "backups may cross accounts")
	}),
	Good: []rule.Example{
		example.Shows("another Region's vault", "aws:backup/plan:Plan", object{
			"rules": list{object{"copyActions": list{object{"destinationVaultArn": "arn:aws:backup:eu-west-1:210987654321:backup-vault:far"}}}},
		}),
		example.Shows("crossing accounts, switched off", "aws:backup/globalSettings:GlobalSettings", object{"globalSettings": object{"isCrossAccountBackupEnabled": "false"}}),
	},
	Bad: []rule.Example{
		example.Shows("the second copy, to a common vault", "aws:backup/plan:Plan", object{
			"rules": list{object{}, object{"copyActions": list{
				object{"destinationVaultArn": "arn:aws:backup:eu-west-1:210987654321:backup-vault:far"},
				object{"destinationVaultArn": "arn:aws:backup:eu-central-1:444455556666:backup-vault:common"},
			}}},
		}),
		example.Shows("the switch that lets copies cross accounts", "aws:backup/globalSettings:GlobalSettings", object{"globalSettings": object{"isCrossAccountBackupEnabled": "true"}}),
	},
}

// toBuckets are what writes into a bucket, and where it says into which.
var toBuckets = map[string][]string{
	"aws:cloudtrail/trail:Trail":                                {"s3BucketName"},
	"aws:ec2/flowLog:FlowLog":                                   {"logDestination"},
	"aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": {"extendedS3Configuration.bucketArn", "extendedS3Configuration.s3BackupConfiguration.bucketArn"},
	"aws:s3/analyticsConfiguration:AnalyticsConfiguration":      {"storageClassAnalysis.dataExport.destination.s3BucketDestination.bucketArn"},
	"aws:s3/bucket:Bucket":                                      {"replicationConfiguration.rules.destination.bucket", "loggings.targetBucket"},
	"aws:s3/bucketLoggingV2:BucketLoggingV2":                    {"targetBucket"},
	"aws:s3/bucketReplicationConfig:BucketReplicationConfig":    {"rules.destination.bucket"},
	"aws:s3/bucketV2:BucketV2":                                  {"replicationConfigurations.rules.destinations.bucket", "loggings.targetBucket"},
	"aws:s3/inventory:Inventory":                                {"destination.bucket.bucketArn"},
}

var bucketCopies = rule.Rule{
	ID:       "FH414",
	Title:    "Copies of data and logs go to the org's own buckets",
	Why:      "replication, inventories, trails and flow logs write into whatever bucket they name, and an S3 ARN does not say whose it is",
	Fix:      "name a bucket of this stack, or one that the boundary layer made",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    slices.Sorted(maps.Keys(toBuckets)),
	CheckStack: rule.OnStack(slices.Sorted(maps.Keys(toBuckets)), func(j *rule.Judge, r rule.Resource, stack []rule.Resource, s rule.Scope) {
		for _, path := range toBuckets[r.Type] {
			for _, v := range r.Values().All(path) {
				toOwnBucket(j, v, stack, s)
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("another bucket of the stack", "aws:s3/bucketReplicationConfig:BucketReplicationConfig", object{
			"rules": list{object{"destination": object{"bucket": "arn:aws:s3:::acme-far"}}},
		}, example.Beside("aws:s3/bucketV2:BucketV2", "acme-far", object{"bucket": "acme-far"})),
		example.Shows("flows to the log bucket of the boundary layer", "aws:ec2/flowLog:FlowLog", object{"logDestination": "arn:aws:s3:::freehold-acme-logs-210987654321/flows"}),
		example.Shows("flows to a log group", "aws:ec2/flowLog:FlowLog", object{"logDestination": "arn:aws:logs:eu-central-1:210987654321:log-group:/flows"}),
	},
	Bad: []rule.Example{
		example.Shows("replication to a partner's bucket", "aws:s3/bucketReplicationConfig:BucketReplicationConfig", object{
			"rules": list{object{"destination": object{"bucket": "arn:aws:s3:::globex-in", "account": "444455556666"}}},
		}, example.Beside("aws:s3/bucketV2:BucketV2", "acme-far", object{"bucket": "acme-far"})),
		example.Shows("a trail to a bucket that all customers have in common", "aws:cloudtrail/trail:Trail", object{"s3BucketName": "company-trails"}),
		example.Shows("a name that only looks like the org's", "aws:ec2/flowLog:FlowLog", object{"logDestination": "arn:aws:s3:::freehold-acme-logs-210987654321x"}),
		example.Shows("the list of all objects", "aws:s3/inventory:Inventory", object{"destination": object{"bucket": object{"bucketArn": "arn:aws:s3:::globex-in"}}}),
	},
}

// toOwnBucket violates unless a bucket's name or ARN is of one of this stack or
// of the org's other layers, by its whole name: a prefix or a suffix can be taken
// by anybody. An ARN of another service is not its concern.
func toOwnBucket(j *rule.Judge, v rule.Value, stack []rule.Resource, s rule.Scope) {
	name := v.Text()
	if arn, err := iam.ParseARN(name); err == nil {
		if arn.Service != "s3" || arn.Account != "" { // a bucket's ARN has no account
			return
		}
		name, _, _ = strings.Cut(arn.Resource, "/")
		v = rule.Value{Path: v.Path, Raw: name}
	}
	if v.Unknown() || !slices.Contains(s.Owned, "arn:aws:s3:::"+name) && !boundaryBucket(name, s) {
		ofStack(j, v, stack, s, rule.BucketTypes(), "bucket")
	}
}

// boundaryBucket reports whether a name is one under which the boundary layer
// makes a bucket; where somebody else had it first, that layer fails.
func boundaryBucket(name string, s rule.Scope) bool {
	own := func(part string) string { return "freehold-" + s.Org + "-" + part + "-" + s.AccountID }
	return s.AccountID != "" && (name == own("logs") || name == own("data"))
}

var imageCopies = rule.Rule{
	ID:       "FH416",
	Title:    "Container images neither go to nor come from another account's registry",
	Why:      "replication hands every image to the other registry, and a cache runs whatever the other registry serves",
	Fix:      "replicate between Regions of the org's account; cache public registries only",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types: []string{
		"aws:ecr/replicationConfiguration:ReplicationConfiguration", "aws:ecr/pullThroughCacheRule:PullThroughCacheRule",
	},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		for _, path := range []string{"replicationConfiguration.rules.destinations.registryId", "upstreamRegistryUrl", "customRoleArn"} {
			for _, v := range r.Values().All(path) {
				j.Own(v, s)
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("another Region", "aws:ecr/replicationConfiguration:ReplicationConfiguration", object{
			"replicationConfiguration": object{"rules": list{object{"destinations": list{object{"region": "eu-west-1", "registryId": "210987654321"}}}}},
		}),
		example.Shows("a cache of a public registry", "aws:ecr/pullThroughCacheRule:PullThroughCacheRule", object{"ecrRepositoryPrefix": "k8s", "upstreamRegistryUrl": "registry.k8s.io"}),
	},
	Bad: []rule.Example{
		example.Shows("another account's registry", "aws:ecr/replicationConfiguration:ReplicationConfiguration", object{
			"replicationConfiguration": object{"rules": list{object{"destinations": list{object{"region": "eu-central-1", "registryId": "444455556666"}}}}},
		}),
		example.Shows("a cache of another account's registry", "aws:ecr/pullThroughCacheRule:PullThroughCacheRule", object{
			"ecrRepositoryPrefix": "base", "upstreamRegistryUrl": "444455556666.dkr.ecr.eu-central-1.amazonaws.com",
		}),
	},
}
