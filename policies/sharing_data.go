package policies

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
)

var imageDistribution = Rule{
	ID:       "FH411",
	Title:    "Images are built for the org's account only",
	Why:      "a distribution copies every new image, with whatever was baked into it, to other accounts",
	Fix:      "leave targetAccountIds and launchPermission out, and name the org's own repository",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    []string{"aws:imagebuilder/distributionConfiguration:DistributionConfiguration"},
	Check: on(func(j *judge, r Resource, s Scope) {
		images := r.values().all("distributions.amiDistributionConfiguration")
		for _, image := range images {
			for _, path := range []string{"targetAccountIds", "launchPermission.userIds"} {
				for _, v := range image.all(path) {
					j.mine(v, s)
				}
			}
			for _, path := range []string{"launchPermission.userGroups", "launchPermission.organizationArns", "launchPermission.organizationalUnitArns"} {
				for _, v := range image.all(path) {
					if j.known(v) {
						j.violate(v.path, "%s may launch the image", v.text())
					}
				}
			}
		}
		for _, v := range r.values().all("distributions.launchTemplateConfigurations.accountId") {
			j.mine(v, s)
		}
	}),
	Good: []Example{
		shows("another Region of the account", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{
			"distributions": list{object{"region": "eu-west-1", "amiDistributionConfiguration": object{"name": "node-{{ imagebuilder:buildDate }}"}}},
		}),
		shows("the account, said", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{
			"distributions": list{object{"region": "eu-central-1", "amiDistributionConfiguration": object{"targetAccountIds": list{"210987654321"}}}},
		}),
	},
	Bad: []Example{
		shows("a copy for another account", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{
			"distributions": list{object{"amiDistributionConfiguration": object{"targetAccountIds": list{"210987654321", "444455556666"}}}},
		}),
		shows("everybody", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{
			"distributions": list{object{"amiDistributionConfiguration": object{"launchPermission": object{"userGroups": list{"all"}}}}},
		}),
		shows("an organizational unit", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{
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

var eventTargets = Rule{
	ID:       "FH412",
	Title:    "Events, logs and metrics stay within the account",
	Why:      "a target in another account receives the customer's data as it is made, and no policy of the customer's side has to allow it",
	Fix:      "send to a bus, queue, stream or function of the org's account",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    sortedKeysOf(outlets),
	Check: on(func(j *judge, r Resource, s Scope) {
		for _, path := range outlets[r.Type] {
			for _, v := range r.values().all(path) {
				j.own(v, s)
			}
		}
	}),
	Good: []Example{
		shows("a function of the account", "aws:cloudwatch/eventTarget:EventTarget", object{"arn": "arn:aws:lambda:eu-central-1:210987654321:function:nightly", "rule": "nightly"}),
		shows("a person's mail", "aws:sns/topicSubscription:TopicSubscription", object{
			"topic": "arn:aws:sns:eu-central-1:210987654321:alarms", "protocol": "email", "endpoint": "ops@acme.example",
		}),
	},
	Bad: []Example{
		shows("another account's bus", "aws:cloudwatch/eventTarget:EventTarget", object{"arn": "arn:aws:events:eu-central-1:444455556666:event-bus/default", "rule": "all"}),
		shows("only what fails, to another account's queue", "aws:cloudwatch/eventTarget:EventTarget", object{
			"arn": "arn:aws:lambda:eu-central-1:210987654321:function:f", "deadLetterConfig": object{"arn": "arn:aws:sqs:eu-central-1:444455556666:dead"},
		}),
		shows("the logs to a common stream", "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter", object{
			"logGroup": "/app", "destinationArn": "arn:aws:logs:eu-central-1:444455556666:destination:central",
		}),
		shows("a scheduler, which is not EventBridge", "aws:scheduler/schedule:Schedule", object{"target": object{"arn": "arn:aws:sqs:eu-central-1:444455556666:jobs"}}),
		shows("a subscription to another account's topic", "aws:sns/topicSubscription:TopicSubscription", object{
			"topic": "arn:aws:sns:eu-central-1:444455556666:news", "protocol": "sqs", "endpoint": "arn:aws:sqs:eu-central-1:210987654321:in",
		}),
	},
}

var backupCopies = Rule{
	ID:       "FH413",
	Title:    "Backups are copied within the account",
	Why:      "a copy in another account's vault is out of reach of the org's key, its retention and its deletion",
	Fix:      "copy to a vault of the org's account in another Region",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types: []string{
		"aws:backup/plan:Plan", "aws:backup/globalSettings:GlobalSettings",
		"aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
	},
	Check: on(func(j *judge, r Resource, s Scope) {
		for _, path := range []string{"rules.copyActions.destinationVaultArn", "sourceDbInstanceArn"} {
			for _, v := range r.values().all(path) {
				j.own(v, s)
			}
		}
		j.mustNot(r.values().get("globalSettings", "isCrossAccountBackupEnabled"), []string{"true"}, "backups may cross accounts")
	}),
	Good: []Example{
		shows("another Region's vault", "aws:backup/plan:Plan", object{
			"rules": list{object{"copyActions": list{object{"destinationVaultArn": "arn:aws:backup:eu-west-1:210987654321:backup-vault:far"}}}},
		}),
		shows("crossing accounts, switched off", "aws:backup/globalSettings:GlobalSettings", object{"globalSettings": object{"isCrossAccountBackupEnabled": "false"}}),
	},
	Bad: []Example{
		shows("the second copy, to a common vault", "aws:backup/plan:Plan", object{
			"rules": list{object{}, object{"copyActions": list{
				object{"destinationVaultArn": "arn:aws:backup:eu-west-1:210987654321:backup-vault:far"},
				object{"destinationVaultArn": "arn:aws:backup:eu-central-1:444455556666:backup-vault:common"},
			}}},
		}),
		shows("the switch that lets copies cross accounts", "aws:backup/globalSettings:GlobalSettings", object{"globalSettings": object{"isCrossAccountBackupEnabled": "true"}}),
	},
}

// bucketTypes are what an S3 ARN or a bucket's name can stand for.
var bucketTypes = []string{"aws:s3/bucketV2:BucketV2", "aws:s3/bucket:Bucket"}

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

var bucketCopies = Rule{
	ID:       "FH414",
	Title:    "Copies of data and logs go to the org's own buckets",
	Why:      "replication, inventories, trails and flow logs write into whatever bucket they name, and an S3 ARN does not say whose it is",
	Fix:      "name a bucket of this stack, or one that the boundary layer made",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    sortedKeysOf(toBuckets),
	CheckStack: onStack(sortedKeysOf(toBuckets), func(j *judge, r Resource, stack []Resource, s Scope) {
		for _, path := range toBuckets[r.Type] {
			for _, v := range r.values().all(path) {
				j.toOwnBucket(v, stack, s)
			}
		}
	}),
	Good: []Example{
		shows("another bucket of the stack", "aws:s3/bucketReplicationConfig:BucketReplicationConfig", object{
			"rules": list{object{"destination": object{"bucket": "arn:aws:s3:::acme-far"}}},
		}, beside("aws:s3/bucketV2:BucketV2", "acme-far", object{"bucket": "acme-far"})),
		shows("flows to the log bucket of the boundary layer", "aws:ec2/flowLog:FlowLog", object{"logDestination": "arn:aws:s3:::freehold-acme-logs-210987654321/flows"}),
		shows("flows to a log group", "aws:ec2/flowLog:FlowLog", object{"logDestination": "arn:aws:logs:eu-central-1:210987654321:log-group:/flows"}),
	},
	Bad: []Example{
		shows("replication to a partner's bucket", "aws:s3/bucketReplicationConfig:BucketReplicationConfig", object{
			"rules": list{object{"destination": object{"bucket": "arn:aws:s3:::globex-in", "account": "444455556666"}}},
		}, beside("aws:s3/bucketV2:BucketV2", "acme-far", object{"bucket": "acme-far"})),
		shows("a trail to a bucket that all customers have in common", "aws:cloudtrail/trail:Trail", object{"s3BucketName": "company-trails"}),
		shows("a name that only looks like the org's", "aws:ec2/flowLog:FlowLog", object{"logDestination": "arn:aws:s3:::freehold-acme-logs-210987654321x"}),
		shows("the list of all objects", "aws:s3/inventory:Inventory", object{"destination": object{"bucket": object{"bucketArn": "arn:aws:s3:::globex-in"}}}),
	},
}

// toOwnBucket violates unless a bucket's name or ARN is of one of this stack or
// of the org's other layers, by its whole name: a prefix or a suffix can be taken
// by anybody. An ARN of another service is not its concern.
func (j *judge) toOwnBucket(v value, stack []Resource, s Scope) {
	name := v.text()
	if arn, err := iam.ParseARN(name); err == nil {
		if arn.Service != "s3" || arn.Account != "" { // a bucket's ARN has no account
			return
		}
		name, _, _ = strings.Cut(arn.Resource, "/")
		v = value{v.path, name}
	}
	if v.unknown() || !slices.Contains(s.Owned, "arn:aws:s3:::"+name) && !boundaryBucket(name, s) {
		j.ofStack(v, stack, s, bucketTypes, "bucket")
	}
}

// boundaryBucket reports whether a name is one under which the boundary layer
// makes a bucket; where somebody else had it first, that layer fails.
func boundaryBucket(name string, s Scope) bool {
	own := func(part string) string { return "freehold-" + s.Org + "-" + part + "-" + s.AccountID }
	return s.AccountID != "" && (name == own("logs") || name == own("data"))
}

var imageCopies = Rule{
	ID:       "FH416",
	Title:    "Container images neither go to nor come from another account's registry",
	Why:      "replication hands every image to the other registry, and a cache runs whatever the other registry serves",
	Fix:      "replicate between Regions of the org's account; cache public registries only",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types: []string{
		"aws:ecr/replicationConfiguration:ReplicationConfiguration", "aws:ecr/pullThroughCacheRule:PullThroughCacheRule",
	},
	Check: on(func(j *judge, r Resource, s Scope) {
		for _, path := range []string{"replicationConfiguration.rules.destinations.registryId", "upstreamRegistryUrl", "customRoleArn"} {
			for _, v := range r.values().all(path) {
				j.own(v, s)
			}
		}
	}),
	Good: []Example{
		shows("another Region", "aws:ecr/replicationConfiguration:ReplicationConfiguration", object{
			"replicationConfiguration": object{"rules": list{object{"destinations": list{object{"region": "eu-west-1", "registryId": "210987654321"}}}}},
		}),
		shows("a cache of a public registry", "aws:ecr/pullThroughCacheRule:PullThroughCacheRule", object{"ecrRepositoryPrefix": "k8s", "upstreamRegistryUrl": "registry.k8s.io"}),
	},
	Bad: []Example{
		shows("another account's registry", "aws:ecr/replicationConfiguration:ReplicationConfiguration", object{
			"replicationConfiguration": object{"rules": list{object{"destinations": list{object{"region": "eu-central-1", "registryId": "444455556666"}}}}},
		}),
		shows("a cache of another account's registry", "aws:ecr/pullThroughCacheRule:PullThroughCacheRule", object{
			"ecrRepositoryPrefix": "base", "upstreamRegistryUrl": "444455556666.dkr.ecr.eu-central-1.amazonaws.com",
		}),
	},
}
