package policies

func badTags() []Example {
	other := orgTags()
	other[tagOrg] = "globex"
	return []Example{
		example("a bucket without tags", "aws:s3/bucketV2:BucketV2", object{"bucket": "freehold-acme-tmp-" + exampleAccount}),
		example("a volume with another org's tag", "aws:ebs/volume:Volume", object{"tags": other}),
		example("the org in a tag of almost the same name", "aws:sqs/queue:Queue", object{"tags": object{"freehold.dev/Org": "globex", tagOrg: exampleOrg}}),
		example("nodes that are started with another org's tag", "aws:ec2/launchTemplate:LaunchTemplate", object{
			"tags": orgTags(), "tagSpecifications": []any{object{"resourceType": "instance", "tags": other}},
		}),
		example("an autoscaling group, whose tags are a list", "aws:autoscaling/group:Group", object{
			"tags": []any{object{"key": tagOrg, "value": "globex", "propagateAtLaunch": true}},
		}),
		exampleIn(layerBootstrap, "a namespace without the label", "kubernetes:core/v1:Namespace", object{
			"metadata": object{"name": "shop", "labels": object{"team": "shop"}},
		}),
	}
}

func goodTags() []Example {
	byDefault := example("a bucket that has the tag from its provider", "aws:s3/bucketV2:BucketV2", object{})
	byDefault.Resource.Provider.Properties["defaultTags"] = object{"tags": orgTags()}
	return []Example{
		byDefault,
		example("a volume with the org's tag", "aws:ebs/volume:Volume", object{"tags": orgTags()}),
		example("a route, which takes no tags", "aws:ec2/route:Route", object{"destinationCidrBlock": "10.1.0.0/16"}),
		example("another org's name in a tag that says nothing of ownership", "aws:ebs/volume:Volume", object{
			"tags": object{tagOrg: exampleOrg, "migrated-from": "globex"},
		}),
		exampleIn(layerBootstrap, "a namespace with the label", "kubernetes:core/v1:Namespace", object{
			"metadata": object{"name": "shop", "labels": orgTags()},
		}),
	}
}

func provider(name string, p object) Example {
	e := example(name, typeAWSProvider, p)
	e.Resource.Name, e.Resource.Provider = "org", Provider{}
	return e
}

func badProviders() []Example {
	unpinned := example("a bucket of an unpinned provider", "aws:s3/bucketV2:BucketV2", object{"tags": orgTags()})
	delete(unpinned.Resource.Provider.Properties, "allowedAccountIds")
	managing := example("a cluster's key made in the management account", "aws:kms/key:Key", object{"tags": orgTags()})
	managing.Resource.Provider = pinned(exampleManaging)
	return []Example{
		unpinned,
		managing,
		provider("a provider without a pin", object{"region": "eu-central-1"}),
		provider("a pin that names a second account", object{"allowedAccountIds": []any{exampleAccount, exampleOther}}),
		provider("a list of accounts that it must not use, in place of the one that it may", object{"forbiddenAccountIds": []any{exampleOther}}),
		provider("a pin that is never compared", object{"allowedAccountIds": []any{exampleAccount}, "skipRequestingAccountId": true}),
		provider("an STS of one's own, which says what one likes", object{
			"allowedAccountIds": []any{exampleAccount}, "endpoints": []any{object{"sts": "http://localhost:4566"}},
		}),
	}
}

func goodProviders() []Example {
	managing := exampleIn(layerAccount, "the management account's provider in the account layer", typeAWSProvider,
		object{"allowedAccountIds": []any{exampleManaging}, "region": "eu-central-1"})
	managing.Resource.Provider = Provider{}
	return []Example{
		managing,
		provider("a provider that is pinned to the org's account", object{"allowedAccountIds": []any{exampleAccount}}),
		example("a bucket of the pinned provider", "aws:s3/bucketV2:BucketV2", object{"tags": orgTags()}),
	}
}

func badDefaults() []Example {
	byDefault := func(name, pkg, typ string) Example {
		e := example(name, typ, object{})
		e.Resource.Provider = Provider{Package: pkg, Default: true}
		return e
	}
	engine := provider("the engine's own AWS provider", object{"region": "eu-central-1"})
	engine.Resource.Name = "default_6_83_0"
	ambient := exampleIn(layerBootstrap, "a Kubernetes provider that takes the kubeconfig of whoever runs it", "pulumi:providers:kubernetes", object{})
	file := exampleIn(layerBootstrap, "a Kubernetes provider of a kubeconfig by its name", "pulumi:providers:kubernetes", object{"kubeconfig": "~/.kube/config"})
	return []Example{
		ambient, file,
		byDefault("a bucket for which nobody named a provider", "aws", "aws:s3/bucketV2:BucketV2"),
		byDefault("a config map for the cluster of the local kubeconfig", "kubernetes", "kubernetes:core/v1:ConfigMap"),
		engine,
	}
}

func goodDefaults() []Example {
	password := example("a random name, made in the engine and nowhere else", "random:index/randomId:RandomId", object{"byteLength": 4.0})
	password.Resource.Provider = Provider{Package: "random", Default: true}
	return []Example{
		password,
		exampleIn(layerBootstrap, "a Kubernetes provider of the org's cluster", "pulumi:providers:kubernetes", object{"kubeconfig": "kind: Config\n"}),
		example("a bucket of the stack's provider", "aws:s3/bucketV2:BucketV2", object{}),
	}
}

func badHomes() []Example {
	made := example("a key whose ARN says that it was made elsewhere", "aws:kms/key:Key", object{
		"arn": "arn:aws:kms:eu-central-1:" + exampleOther + ":key/1",
	})
	return []Example{
		made,
		provider("a provider that enters another org's account", object{
			"allowedAccountIds": []any{exampleAccount}, "assumeRole": object{"roleArn": exampleOtherARN + ":role/freehold-globex-provision"},
		}),
		provider("a hop through the management account on the way", object{
			"assumeRoles": []any{object{"roleArn": "arn:aws:iam::" + exampleManaging + ":role/hop"}, object{"roleArn": exampleARN + ":role/freehold-acme-provision"}},
		}),
		example("a setting for another account", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", object{"accountId": exampleOther}),
		example("a table in another account's catalog", "aws:glue/catalogTable:CatalogTable", object{"catalogId": exampleOther}),
	}
}

func goodHomes() []Example {
	made := example("a key whose ARN is of the org's account", "aws:kms/key:Key", object{
		"arn": "arn:aws:kms:eu-central-1:" + exampleAccount + ":key/1",
	})
	made.Resource.ID = "arn:aws:kms:eu-central-1:" + exampleAccount + ":key/1"
	vended := exampleIn(layerAccount, "the org's account, made by the management account", "aws:organizations/account:Account", object{
		"arn": "arn:aws:organizations::" + exampleManaging + ":account/o-a1b2c3d4e5/" + exampleAccount,
	})
	vended.Resource.ID = exampleAccount
	return []Example{
		made, vended,
		example("a setting for the org's account", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", object{"accountId": exampleAccount}),
		example("a bucket, whose ARN names no account", "aws:s3/bucketV2:BucketV2", object{"arn": "arn:aws:s3:::freehold-acme-data-" + exampleAccount}),
	}
}

func badOpaque() []Example {
	native := example("a peering of the other AWS provider, for which there are no rules", "aws-native:ec2:VpcPeeringConnection", object{})
	native.Resource.Provider = Provider{Package: "aws-native"}
	script := example("a script that calls the AWS command line", "command:local:Command", object{"create": "aws ram create-resource-share --name hub"})
	script.Resource.Provider = Provider{Package: "command"}
	return []Example{
		native, script,
		example("a CloudFormation stack", "aws:cloudformation/stack:Stack", object{"templateBody": "{}"}),
		example("a resource of the Cloud Control API", "aws:cloudcontrol/resource:Resource", object{"typeName": "AWS::RAM::ResourceShare"}),
		example("a Helm release", "kubernetes:helm.sh/v3:Release", object{"chart": "ingress-nginx"}),
		example("a document that Systems Manager runs by itself", "aws:ssm/association:Association", object{"name": "AWS-CreateImage"}),
		example("a document of the customer's own that calls any API", "aws:ssm/document:Document", object{"documentType": "Automation", "content": "{}"}),
		example("a window in which a document is run", "aws:ssm/maintenanceWindowTask:MaintenanceWindowTask", object{"taskType": "AUTOMATION", "taskArn": "AWS-CreateImage"}),
		example("a document that is run when something is wrong", "aws:ssmincidents/responsePlan:ResponsePlan", object{"action": object{"ssmAutomations": list{object{"documentName": "share"}}}}),
		example("a document by which a rule is met again", "aws:cfg/remediationConfiguration:RemediationConfiguration", object{"targetType": "SSM_DOCUMENT", "targetId": "share"}),
		example("a pack of rules with such a document", "aws:cfg/conformancePack:ConformancePack", object{
			"templateBody": "Resources:\n  A:\n    Type: AWS::Config::ConfigRule\n  B:\n    Type: AWS::Config::RemediationConfiguration\n",
		}),
		example("a pack of rules that nobody can read here", "aws:cfg/conformancePack:ConformancePack", object{"templateS3Uri": "s3://freehold-acme-data-210987654321/pack.yaml"}),
		example("a schedule that calls any API", "aws:scheduler/schedule:Schedule", object{"target": object{"arn": "arn:aws:scheduler:::aws-sdk:rds:modifyDBSnapshotAttribute"}}),
		example("a rule of events that runs a document", "aws:cloudwatch/eventTarget:EventTarget", object{"arn": "arn:aws:ssm:eu-central-1:210987654321:automation-definition/share:$DEFAULT"}),
		example("a state machine that calls any API", "aws:sfn/stateMachine:StateMachine", object{
			"definition": `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ec2:modifySnapshotAttribute","End":true}}}`,
		}),
		example("the same, with a letter escaped, deep in a map, of two fields of one name", "aws:sfn/stateMachine:StateMachine", object{
			"definition": `{"States":{"M":{"ItemProcessor":{"States":{"A":{"Resource":"arn:aws:states:::aws\u002dsdk:ec2:modifySnapshotAttribute.waitForTaskToken","Resource":"arn:aws:states:::lambda:invoke"}}}}}}`,
		}),
		example("a state machine that makes a cluster", "aws:sfn/stateMachine:StateMachine", object{"definition": `{"States":{"A":{"Resource":"arn:aws:states:::eks:createCluster"}}}`}),
		example("a state machine that is no JSON", "aws:sfn/stateMachine:StateMachine", object{"definition": "{"}),
		example("a pipeline that deploys a template", "aws:codepipeline/pipeline:Pipeline", object{"stages": list{
			object{"actions": list{object{"provider": "CodeBuild"}}}, object{"actions": list{object{"provider": "CloudFormation"}}},
		}}),
		example("an experiment that runs a document", "aws:fis/experimentTemplate:ExperimentTemplate", object{"actions": list{object{"actionId": "aws:ssm:start-automation-execution"}}}),
		example("an API whose method is one of AWS's", "aws:apigateway/integration:Integration", object{"type": "AWS", "uri": "arn:aws:apigateway:eu-central-1:rds:action/ModifyDBSnapshotAttribute"}),
		example("an API that writes a function's policy", "aws:apigateway/integration:Integration", object{
			"uri": "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:210987654321:function:f/policy",
		}),
		example("an API that shares a queue by a parameter", "aws:apigateway/integration:Integration", object{
			"uri": "arn:aws:apigateway:eu-central-1:sqs:path/210987654321/jobs", "requestParameters": object{"integration.request.querystring.Action": "'AddPermission'"},
		}),
		example("an API whose definition has such a method", "aws:apigateway/restApi:RestApi", object{
			"body": `{"paths":{"/":{"get":{"x-amazon-apigateway-integration":{"uri":"arn:aws\u003aapigateway:eu-central-1:iam:action/CreateRole"}}}}}`,
		}),
		example("a GraphQL API that signs calls of any API", "aws:appsync/dataSource:DataSource", object{
			"httpConfig": object{"endpoint": "https://rds.eu-central-1.amazonaws.com", "authorizationConfig": object{"awsIamConfig": object{"signingServiceName": "rds"}}},
		}),
	}
}

func goodOpaque() []Example {
	group := example("a component, which only groups", "shop:index:Platform", object{})
	group.Resource.Component, group.Resource.Provider = true, Provider{}
	return []Example{
		group,
		example("a bucket", "aws:s3/bucketV2:BucketV2", object{}),
		example("a random name", "random:index/randomId:RandomId", object{}),
		example("a function", "aws:lambda/function:Function", object{"s3Bucket": "freehold-acme-data-210987654321", "s3Key": "f.zip"}),
		example("a schedule that starts a function", "aws:scheduler/schedule:Schedule", object{"target": object{"arn": "arn:aws:lambda:eu-central-1:210987654321:function:nightly"}}),
		example("the queue in which Karpenter hears of machines that are taken away", "aws:cloudwatch/eventTarget:EventTarget", object{"arn": "arn:aws:sqs:eu-central-1:210987654321:karpenter"}),
		example("a state machine that runs jobs", "aws:sfn/stateMachine:StateMachine", object{
			"definition": `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::batch:submitJob.sync","Next":"B"},"B":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true}}}`,
		}),
		example("preferences of sessions", "aws:ssm/document:Document", object{"documentType": "Session", "content": "{}"}),
		example("a pack of rules", "aws:cfg/conformancePack:ConformancePack", object{
			"templateBody": "Parameters:\n  Days:\n    Type: String\nResources:\n  A:\n    Type: AWS::Config::ConfigRule\n    Properties:\n      InputParameters:\n        days: !Ref Days\n",
		}),
		example("a pipeline that builds and rolls out", "aws:codepipeline/pipeline:Pipeline", object{"stages": list{
			object{"actions": list{object{"provider": "CodeStarSourceConnection"}}}, object{"actions": list{object{"provider": "CodeBuild"}, object{"provider": "ECS"}}},
		}}),
		example("an API in front of a function", "aws:apigateway/integration:Integration", object{
			"type": "AWS_PROXY", "uri": "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:210987654321:function:f/invocations",
		}),
		example("an API in front of a service in the cluster", "aws:apigateway/integration:Integration", object{"type": "HTTP_PROXY", "uri": "http://{proxy}.internal/"}),
		example("an API in front of a queue", "aws:apigatewayv2/integration:Integration", object{"integrationType": "AWS_PROXY", "integrationSubtype": "SQS-SendMessage"}),
	}
}

func badCounts() []Example {
	const cluster, account = "aws:eks/cluster:Cluster", "aws:organizations/account:Account"
	return []Example{
		example("a second cluster, for the customer who would not pay for one", cluster, object{"name": "freehold-acme-2"}).
			beside(cluster, "first", "freehold-acme", object{"name": "freehold-acme"}),
		exampleIn(layerAccount, "a second account in the org's stack", account, object{"name": "globex"}).
			beside(account, "first", exampleAccount, object{"name": exampleOrg}),
		example("an account that the cluster layer makes", account, object{"name": "globex"}),
		exampleIn("boundary", "a second, wider boundary", "aws:iam/policy:Policy", object{"name": "freehold-acme-wide-boundary"}).
			beside("aws:iam/policy:Policy", "first", exampleBoundary, object{"name": "freehold-acme-boundary"}),
	}
}

func goodCounts() []Example {
	return []Example{
		example("the org's cluster", "aws:eks/cluster:Cluster", object{"name": "freehold-acme"}),
		exampleIn("boundary", "a policy beside the boundary", "aws:iam/policy:Policy", object{"name": "freehold-acme-queue-readers"}).
			beside("aws:iam/policy:Policy", "first", exampleBoundary, object{"name": "freehold-acme-boundary"}),
	}
}

func badOrganization() []Example {
	return []Example{
		exampleIn(layerAccount, "a policy on the unit in which all customers are", "aws:organizations/policyAttachment:PolicyAttachment",
			object{"policyId": "p-1", "targetId": "ou-abcd-12345678"}),
		exampleIn(layerAccount, "a policy on another org's account", "aws:organizations/policyAttachment:PolicyAttachment",
			object{"policyId": "p-1", "targetId": exampleOther}),
		exampleIn(layerAccount, "the org's account as the administrator of everybody's", "aws:organizations/delegatedAdministrator:DelegatedAdministrator",
			object{"accountId": exampleAccount, "servicePrincipal": "guardduty.amazonaws.com"}),
	}
}

func goodOrganization() []Example {
	return []Example{
		exampleIn(layerAccount, "a policy on the org's account", "aws:organizations/policyAttachment:PolicyAttachment",
			object{"policyId": "p-1", "targetId": exampleAccount}),
		exampleIn(layerAccount, "the org's account under its unit", "aws:organizations/account:Account", object{"parentId": "ou-abcd-12345678"}),
	}
}
