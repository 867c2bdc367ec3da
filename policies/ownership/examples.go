package ownership

import (
	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

func badTags() []rule.Example {
	other := example.OrgTags()
	other[rule.OrgTag] = "globex"
	return []rule.Example{
		example.Of("a bucket without tags", "aws:s3/bucketV2:BucketV2", object{"bucket": "freehold-acme-tmp-" + example.Account}),
		example.Of("a volume with another org's tag", "aws:ebs/volume:Volume", object{"tags": other}),
		example.Of("the org in a tag of almost the same name", "aws:sqs/queue:Queue", object{"tags": object{"freehold.dev/Org": "globex", rule.OrgTag: example.Org}}),
		example.Of("nodes that are started with another org's tag", "aws:ec2/launchTemplate:LaunchTemplate", object{
			"tags": example.OrgTags(), "tagSpecifications": []any{object{"resourceType": "instance", "tags": other}},
		}),
		example.Of("an autoscaling group, whose tags are a list", "aws:autoscaling/group:Group", object{
			"tags": []any{object{"key": rule.OrgTag, "value": "globex", "propagateAtLaunch": true}},
		}),
		example.In(rule.LayerBootstrap, "a namespace without the label", "kubernetes:core/v1:Namespace", object{
			"metadata": object{"name": "shop", "labels": object{"team": "shop"}},
		}),
	}
}

func goodTags() []rule.Example {
	byDefault := example.Of("a bucket that has the tag from its provider", "aws:s3/bucketV2:BucketV2", object{})
	byDefault.Resource.Provider.Properties["defaultTags"] = object{"tags": example.OrgTags()}
	return []rule.Example{
		byDefault,
		example.Of("a volume with the org's tag", "aws:ebs/volume:Volume", object{"tags": example.OrgTags()}),
		example.Of("a route, which takes no tags", "aws:ec2/route:Route", object{"destinationCidrBlock": "10.1.0.0/16"}),
		example.Of("another org's name in a tag that says nothing of ownership", "aws:ebs/volume:Volume", object{
			"tags": object{rule.OrgTag: example.Org, "migrated-from": "globex"},
		}),
		example.In(rule.LayerBootstrap, "a namespace with the label", "kubernetes:core/v1:Namespace", object{
			"metadata": object{"name": "shop", "labels": example.OrgTags()},
		}),
	}
}

func badProviders() []rule.Example {
	unpinned := example.Of("a bucket of an unpinned provider", "aws:s3/bucketV2:BucketV2", object{"tags": example.OrgTags()})
	delete(unpinned.Resource.Provider.Properties, "allowedAccountIds")
	managing := example.Of("a cluster's key made in the management account", "aws:kms/key:Key", object{"tags": example.OrgTags()})
	managing.Resource.Provider = example.Pinned(example.ManagementAccount)
	return []rule.Example{
		unpinned,
		managing,
		example.AWSProvider("a provider without a pin", object{"region": "eu-central-1"}),
		example.AWSProvider("a pin that names a second account", object{"allowedAccountIds": []any{example.Account, example.OtherAccount}}),
		example.AWSProvider("a list of accounts that it must not use, in place of the one that it may", object{"forbiddenAccountIds": []any{example.OtherAccount}}),
		example.AWSProvider("a pin that is never compared", object{"allowedAccountIds": []any{example.Account}, "skipRequestingAccountId": true}),
		example.AWSProvider("an STS of one's own, which says what one likes", object{
			"allowedAccountIds": []any{example.Account}, "endpoints": []any{object{"sts": "http://localhost:4566"}},
		}),
	}
}

func goodProviders() []rule.Example {
	managing := example.In(rule.LayerAccount, "the management account's provider in the account layer", rule.TypeAWSProvider,
		object{"allowedAccountIds": []any{example.ManagementAccount}, "region": "eu-central-1"})
	managing.Resource.Provider = rule.Provider{}
	return []rule.Example{
		managing,
		example.AWSProvider("a provider that is pinned to the org's account", object{"allowedAccountIds": []any{example.Account}}),
		example.Of("a bucket of the pinned provider", "aws:s3/bucketV2:BucketV2", object{"tags": example.OrgTags()}),
	}
}

func badDefaults() []rule.Example {
	byDefault := func(name, pkg, typ string) rule.Example {
		e := example.Of(name, typ, object{})
		e.Resource.Provider = rule.Provider{Package: pkg, Default: true}
		return e
	}
	engine := example.AWSProvider("the engine's own AWS provider", object{"region": "eu-central-1"})
	engine.Resource.Name = "default_6_83_0"
	ambient := example.In(rule.LayerBootstrap, "a Kubernetes provider that takes the kubeconfig of whoever runs it", "pulumi:providers:kubernetes", object{})
	file := example.In(rule.LayerBootstrap, "a Kubernetes provider of a kubeconfig by its name", "pulumi:providers:kubernetes", object{"kubeconfig": "~/.kube/config"})
	return []rule.Example{
		ambient, file,
		byDefault("a bucket for which nobody named a provider", "aws", "aws:s3/bucketV2:BucketV2"),
		byDefault("a config map for the cluster of the local kubeconfig", "kubernetes", "kubernetes:core/v1:ConfigMap"),
		engine,
	}
}

func goodDefaults() []rule.Example {
	password := example.Of("a random name, made in the engine and nowhere else", "random:index/randomId:RandomId", object{"byteLength": 4.0})
	password.Resource.Provider = rule.Provider{Package: "random", Default: true}
	return []rule.Example{
		password,
		example.In(rule.LayerBootstrap, "a Kubernetes provider of the org's cluster", "pulumi:providers:kubernetes", object{"kubeconfig": "kind: Config\n"}),
		example.Of("a bucket of the stack's provider", "aws:s3/bucketV2:BucketV2", object{}),
	}
}

func badHomes() []rule.Example {
	made := example.Of("a key whose ARN says that it was made elsewhere", "aws:kms/key:Key", object{
		"arn": "arn:aws:kms:eu-central-1:" + example.OtherAccount + ":key/1",
	})
	return []rule.Example{
		made,
		example.AWSProvider("a provider that enters another org's account", object{
			"allowedAccountIds": []any{example.Account}, "assumeRole": object{"roleArn": example.OtherARN + ":role/freehold-globex-provision"},
		}),
		example.AWSProvider("a hop through the management account on the way", object{
			"assumeRoles": []any{object{"roleArn": "arn:aws:iam::" + example.ManagementAccount + ":role/hop"}, object{"roleArn": example.ARN + ":role/freehold-acme-provision"}},
		}),
		example.Of("a setting for another account", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", object{"accountId": example.OtherAccount}),
		example.Of("a table in another account's catalog", "aws:glue/catalogTable:CatalogTable", object{"catalogId": example.OtherAccount}),
	}
}

func goodHomes() []rule.Example {
	made := example.Of("a key whose ARN is of the org's account", "aws:kms/key:Key", object{
		"arn": "arn:aws:kms:eu-central-1:" + example.Account + ":key/1",
	})
	made.Resource.ID = "arn:aws:kms:eu-central-1:" + example.Account + ":key/1"
	vended := example.In(rule.LayerAccount, "the org's account, made by the management account", "aws:organizations/account:Account", object{
		"arn": "arn:aws:organizations::" + example.ManagementAccount + ":account/o-a1b2c3d4e5/" + example.Account,
	})
	vended.Resource.ID = example.Account
	return []rule.Example{
		made, vended,
		example.Of("a setting for the org's account", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", object{"accountId": example.Account}),
		example.Of("a bucket, whose ARN names no account", "aws:s3/bucketV2:BucketV2", object{"arn": "arn:aws:s3:::freehold-acme-data-" + example.Account}),
	}
}

func badOpaque() []rule.Example {
	native := example.Of("a peering of the other AWS provider, for which there are no rules", "aws-native:ec2:VpcPeeringConnection", object{})
	native.Resource.Provider = rule.Provider{Package: "aws-native"}
	script := example.Of("a script that calls the AWS command line", "command:local:Command", object{"create": "aws ram create-resource-share --name hub"})
	script.Resource.Provider = rule.Provider{Package: "command"}
	return []rule.Example{
		native, script,
		example.Of("a CloudFormation stack", "aws:cloudformation/stack:Stack", object{"templateBody": "{}"}),
		example.Of("a resource of the Cloud Control API", "aws:cloudcontrol/resource:Resource", object{"typeName": "AWS::RAM::ResourceShare"}),
		example.Of("a Helm release", "kubernetes:helm.sh/v3:Release", object{"chart": "ingress-nginx"}),
		example.Of("a document that Systems Manager runs by itself", "aws:ssm/association:Association", object{"name": "AWS-CreateImage"}),
		example.Of("a document of the customer's own that calls any API", "aws:ssm/document:Document", object{"documentType": "Automation", "content": "{}"}),
		example.Of("a window in which a document is run", "aws:ssm/maintenanceWindowTask:MaintenanceWindowTask", object{"taskType": "AUTOMATION", "taskArn": "AWS-CreateImage"}),
		example.Of("a document that is run when something is wrong", "aws:ssmincidents/responsePlan:ResponsePlan", object{"action": object{"ssmAutomations": list{object{"documentName": "share"}}}}),
		example.Of("a document by which a rule is met again", "aws:cfg/remediationConfiguration:RemediationConfiguration", object{"targetType": "SSM_DOCUMENT", "targetId": "share"}),
		example.Of("a pack of rules with such a document", "aws:cfg/conformancePack:ConformancePack", object{
			"templateBody": "Resources:\n  A:\n    Type: AWS::Config::ConfigRule\n  B:\n    Type: AWS::Config::RemediationConfiguration\n",
		}),
		example.Of("a pack of rules that nobody can read here", "aws:cfg/conformancePack:ConformancePack", object{"templateS3Uri": "s3://freehold-acme-data-210987654321/pack.yaml"}),
		example.Of("a schedule that calls any API", "aws:scheduler/schedule:Schedule", object{"target": object{"arn": "arn:aws:scheduler:::aws-sdk:rds:modifyDBSnapshotAttribute"}}),
		example.Of("a rule of events that runs a document", "aws:cloudwatch/eventTarget:EventTarget", object{"arn": "arn:aws:ssm:eu-central-1:210987654321:automation-definition/share:$DEFAULT"}),
		example.Of("a state machine that calls any API", "aws:sfn/stateMachine:StateMachine", object{
			"definition": `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ec2:modifySnapshotAttribute","End":true}}}`,
		}),
		example.Of("the same, with a letter escaped, deep in a map, of two fields of one name", "aws:sfn/stateMachine:StateMachine", object{
			"definition": `{"States":{"M":{"ItemProcessor":{"States":{"A":{"Resource":"arn:aws:states:::aws\u002dsdk:ec2:modifySnapshotAttribute.waitForTaskToken","Resource":"arn:aws:states:::lambda:invoke"}}}}}}`,
		}),
		example.Of("a state machine that makes a cluster", "aws:sfn/stateMachine:StateMachine", object{"definition": `{"States":{"A":{"Resource":"arn:aws:states:::eks:createCluster"}}}`}),
		example.Of("a state machine that is no JSON", "aws:sfn/stateMachine:StateMachine", object{"definition": "{"}),
		example.Of("a pipeline that deploys a template", "aws:codepipeline/pipeline:Pipeline", object{"stages": list{
			object{"actions": list{object{"provider": "CodeBuild"}}}, object{"actions": list{object{"provider": "CloudFormation"}}},
		}}),
		example.Of("an experiment that runs a document", "aws:fis/experimentTemplate:ExperimentTemplate", object{"actions": list{object{"actionId": "aws:ssm:start-automation-execution"}}}),
		example.Of("an API whose method is one of AWS's", "aws:apigateway/integration:Integration", object{"type": "AWS", "uri": "arn:aws:apigateway:eu-central-1:rds:action/ModifyDBSnapshotAttribute"}),
		example.Of("an API that writes a function's policy", "aws:apigateway/integration:Integration", object{
			"uri": "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:210987654321:function:f/policy",
		}),
		example.Of("an API that shares a queue by a parameter", "aws:apigateway/integration:Integration", object{
			"uri": "arn:aws:apigateway:eu-central-1:sqs:path/210987654321/jobs", "requestParameters": object{"integration.request.querystring.Action": "'AddPermission'"},
		}),
		example.Of("an API whose definition has such a method", "aws:apigateway/restApi:RestApi", object{
			"body": `{"paths":{"/":{"get":{"x-amazon-apigateway-integration":{"uri":"arn:aws\u003aapigateway:eu-central-1:iam:action/CreateRole"}}}}}`,
		}),
		example.Of("a GraphQL API that signs calls of any API", "aws:appsync/dataSource:DataSource", object{
			"httpConfig": object{"endpoint": "https://rds.eu-central-1.amazonaws.com", "authorizationConfig": object{"awsIamConfig": object{"signingServiceName": "rds"}}},
		}),
	}
}

func goodOpaque() []rule.Example {
	group := example.Of("a component, which only groups", "shop:index:Platform", object{})
	group.Resource.Component, group.Resource.Provider = true, rule.Provider{}
	return []rule.Example{
		group,
		example.Of("a bucket", "aws:s3/bucketV2:BucketV2", object{}),
		example.Of("a random name", "random:index/randomId:RandomId", object{}),
		example.Of("a function", "aws:lambda/function:Function", object{"s3Bucket": "freehold-acme-data-210987654321", "s3Key": "f.zip"}),
		example.Of("a schedule that starts a function", "aws:scheduler/schedule:Schedule", object{"target": object{"arn": "arn:aws:lambda:eu-central-1:210987654321:function:nightly"}}),
		example.Of("the queue in which Karpenter hears of machines that are taken away", "aws:cloudwatch/eventTarget:EventTarget", object{"arn": "arn:aws:sqs:eu-central-1:210987654321:karpenter"}),
		example.Of("a state machine that runs jobs", "aws:sfn/stateMachine:StateMachine", object{
			"definition": `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::batch:submitJob.sync","Next":"B"},"B":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true}}}`,
		}),
		example.Of("preferences of sessions", "aws:ssm/document:Document", object{"documentType": "Session", "content": "{}"}),
		example.Of("a pack of rules", "aws:cfg/conformancePack:ConformancePack", object{
			"templateBody": "Parameters:\n  Days:\n    Type: String\nResources:\n  A:\n    Type: AWS::Config::ConfigRule\n    Properties:\n      InputParameters:\n        days: !Ref Days\n",
		}),
		example.Of("a pipeline that builds and rolls out", "aws:codepipeline/pipeline:Pipeline", object{"stages": list{
			object{"actions": list{object{"provider": "CodeStarSourceConnection"}}}, object{"actions": list{object{"provider": "CodeBuild"}, object{"provider": "ECS"}}},
		}}),
		example.Of("an API in front of a function", "aws:apigateway/integration:Integration", object{
			"type": "AWS_PROXY", "uri": "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:210987654321:function:f/invocations",
		}),
		example.Of("an API in front of a service in the cluster", "aws:apigateway/integration:Integration", object{"type": "HTTP_PROXY", "uri": "http://{proxy}.internal/"}),
		example.Of("an API in front of a queue", "aws:apigatewayv2/integration:Integration", object{"integrationType": "AWS_PROXY", "integrationSubtype": "SQS-SendMessage"}),
	}
}

func badCounts() []rule.Example {
	const cluster, account = "aws:eks/cluster:Cluster", "aws:organizations/account:Account"
	return []rule.Example{
		example.Add(example.Of("a second cluster, for the customer who would not pay for one", cluster, object{"name": "freehold-acme-2"}), cluster, "first", "freehold-acme", object{"name": "freehold-acme"}),
		example.Add(example.In(rule.LayerAccount, "a second account in the org's stack", account, object{"name": "globex"}), account, "first", example.Account, object{"name": example.Org}),
		example.Of("an account that the cluster layer makes", account, object{"name": "globex"}),
		example.Add(example.In("boundary", "a second, wider boundary", "aws:iam/policy:Policy", object{"name": "freehold-acme-wide-boundary"}), "aws:iam/policy:Policy", "first", example.Boundary, object{"name": "freehold-acme-boundary"}),
	}
}

func goodCounts() []rule.Example {
	return []rule.Example{
		example.Of("the org's cluster", "aws:eks/cluster:Cluster", object{"name": "freehold-acme"}),
		example.Add(example.In("boundary", "a policy beside the boundary", "aws:iam/policy:Policy", object{"name": "freehold-acme-queue-readers"}), "aws:iam/policy:Policy", "first", example.Boundary, object{"name": "freehold-acme-boundary"}),
	}
}

func badOrganization() []rule.Example {
	return []rule.Example{
		example.In(rule.LayerAccount, "a policy on the unit in which all customers are", "aws:organizations/policyAttachment:PolicyAttachment",
			object{"policyId": "p-1", "targetId": "ou-abcd-12345678"}),
		example.In(rule.LayerAccount, "a policy on another org's account", "aws:organizations/policyAttachment:PolicyAttachment",
			object{"policyId": "p-1", "targetId": example.OtherAccount}),
		example.In(rule.LayerAccount, "the org's account as the administrator of everybody's", "aws:organizations/delegatedAdministrator:DelegatedAdministrator",
			object{"accountId": example.Account, "servicePrincipal": "guardduty.amazonaws.com"}),
	}
}

func goodOrganization() []rule.Example {
	return []rule.Example{
		example.In(rule.LayerAccount, "a policy on the org's account", "aws:organizations/policyAttachment:PolicyAttachment",
			object{"policyId": "p-1", "targetId": example.Account}),
		example.In(rule.LayerAccount, "the org's account under its unit", "aws:organizations/account:Account", object{"parentId": "ou-abcd-12345678"}),
	}
}
