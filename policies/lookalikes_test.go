package policies

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// What an honest platform team makes beside the data plane passes every rule. Each of
// these looks like something that is refused.

const (
	lookVPC      = "vpc-0a1b2c3d4e5f60718"
	lookSubnet   = "subnet-0a1b2c3d4e5f60718"
	lookGroup    = "sg-0a1b2c3d4e5f60718"
	lookBucket   = "freehold-acme-data-" + example.Account
	lookLogs     = "freehold-acme-logs-" + example.Account
	lookRegistry = example.Account + ".dkr.ecr.eu-central-1.amazonaws.com"
	lookQueue    = "arn:aws:sqs:eu-central-1:" + example.Account + ":karpenter"
	lookTopic    = "arn:aws:sns:eu-central-1:" + example.Account + ":alarms"
	lookFunction = "arn:aws:lambda:eu-central-1:" + example.Account + ":function:thumbnails"
	lookRole     = example.ARN + ":role/shop"
)

// honest is a look-alike: a resource, with the tags and the provider that Freehold's
// components give it, which passes.
func honest(name, typ string, in object, others ...Resource) Example {
	layer := rule.LayerCluster
	if strings.HasPrefix(typ, "kubernetes:") {
		layer = rule.LayerBootstrap
	}
	s := example.ScopeIn(layer)
	s.Owned = []string{lookVPC, lookSubnet, lookGroup, lookBucket, lookLogs}
	in = maps.Clone(in)
	for _, path := range table.Of(typ).Paths(table.Tags) {
		if in[path] == nil && path == "tags" {
			in[path] = example.OrgTags()
		}
	}
	r := example.ResourceOf(typ, "thing", in, s)
	if layer == rule.LayerBootstrap {
		in["metadata"] = labelled(in["metadata"])
		r.Provider = Provider{Package: "kubernetes", Properties: object{}}
	}
	return Example{Name: name, Resource: r, Others: others, Scope: s}
}

// labelled adds the org's label to an object's metadata.
func labelled(metadata any) object {
	m, _ := metadata.(object)
	m = maps.Clone(m)
	labels, _ := m["labels"].(object)
	if labels = maps.Clone(labels); labels == nil {
		labels = object{}
	}
	labels["freehold.dev/org"] = example.Org
	m["labels"] = labels
	return m
}

func podIdentity(name string, more ...object) Example {
	trust := example.Statements(`{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}`)
	in := object{"name": "freehold-acme-" + strings.ReplaceAll(name, " ", "-"), "assumeRolePolicy": trust, "permissionsBoundary": example.Boundary}
	for _, m := range more {
		maps.Copy(in, m)
	}
	return honest("the role of "+name, rule.TypeRole, in)
}

func may(name string, each ...string) Example {
	return honest(name, "aws:iam/rolePolicy:RolePolicy", object{"role": "freehold-acme-addon", "policy": example.Statements(each...)})
}

func attached(policy string) Example {
	return honest("the managed policy "+policy, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", object{
		"role": "freehold-acme-addon", "policyArn": "arn:aws:iam::aws:policy/" + policy,
	})
}

func configMap(name, key, value string) Example {
	return honest(name, "kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "settings", "namespace": "freehold-system"}, "data": object{key: value}})
}

func runs(name string, container object, more ...object) Example {
	pod := object{"containers": list{container}}
	for _, m := range more {
		maps.Copy(pod, m)
	}
	return honest(name, "kubernetes:apps/v1:Deployment", object{
		"metadata": object{"name": "web", "namespace": "freehold-system"}, "spec": object{"template": object{"spec": pod}},
	})
}

func image(path string) object { return object{"name": "web", "image": path} }

var digestOf = "@sha256:" + strings.Repeat("6672656568f1d0c0", 4)

func lookalikes() []Example {
	all := []Example{
		honest("an alarm that recovers the machine that it watches", "aws:cloudwatch/metricAlarm:MetricAlarm", object{
			"name": "host", "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1.0, "alarmActions": list{"arn:aws:automate:eu-central-1:ec2:recover", lookTopic},
		}),
		honest("rules of AWS's in a firewall, as they are", "aws:wafv2/webAcl:WebAcl", object{"scope": "REGIONAL", "defaultAction": object{"allow": object{}}, "rules": list{object{
			"name": "common", "priority": 1.0, "overrideAction": object{"none": object{}},
			"statement": object{"managedRuleGroupStatement": object{"vendorName": "AWS", "name": "AWSManagedRulesCommonRuleSet"}},
		}}}),
		honest("an alias of a load balancer, in a zone that was looked up", "aws:route53/record:Record", object{"zoneId": "Z0123456789ABCDEFGHIJ", "name": "shop", "type": "A", "aliases": list{object{
			"name": "shop-1.eu-central-1.elb.amazonaws.com", "zoneId": "Z215JYRZR1TBD5", "evaluateTargetHealth": true,
		}}}),
		honest("where backups go", "kubernetes:velero.io/v1:BackupStorageLocation", object{
			"metadata": object{"name": "default", "namespace": "velero"}, "spec": object{"provider": "aws", "objectStorage": object{"bucket": lookBucket}},
		}),
		configMap("the org's bucket in a map", "store", "s3://"+lookBucket+"/backups"), configMap("an order in three groups", "order", "1234-5678-9012"),
		configMap("a file that EKS publishes", "source", "https://s3.us-west-2.amazonaws.com/amazon-eks/docs/console.yaml"),
		configMap("a digest in hex", "sum", strings.Repeat("6672656568f1d0c0", 4)), configMap("buckets of a histogram", "metrics", `{"buckets": [0.1, 0.5]}`),
		honest("ingress from CloudFront, by AWS's own list", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{
			"securityGroupId": lookGroup, "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "prefixListId": "pl-a3a144ac",
		}),
		honest("the org's bucket as a volume", "kubernetes:core/v1:PersistentVolume", object{"metadata": object{"name": "data"}, "spec": object{"csi": object{
			"driver": "s3.csi.aws.com", "volumeHandle": "data", "volumeAttributes": object{"bucketName": lookBucket},
		}}}),
		honest("a webhook of the cluster's", "kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration", object{
			"metadata": object{"name": "checks"}, "webhooks": list{object{"name": "checks.example.com", "clientConfig": object{"service": object{"name": "checks", "namespace": "freehold-system"}}}},
		}),
		podIdentity("the EBS CSI driver"), podIdentity("the EFS CSI driver"), podIdentity("the S3 CSI driver"), podIdentity("the VPC CNI"),
		podIdentity("the load balancer controller"), podIdentity("external-dns"), podIdentity("cert-manager"), podIdentity("Karpenter"),
		podIdentity("the cluster autoscaler"), podIdentity("Fluent Bit"), podIdentity("the CloudWatch agent"), podIdentity("the OpenTelemetry collector"),
		podIdentity("Velero"), podIdentity("external-secrets"), podIdentity("KEDA"),
		podIdentity("a shop", object{"path": "/projects/"}), podIdentity("a job with a long session", object{"maxSessionDuration": 43200.0}),
		honest("a role of Lambda", rule.TypeRole, object{
			"assumeRolePolicy": example.Statements(`{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`), "permissionsBoundary": example.Boundary,
		}),
		honest("a role of backups", rule.TypeRole, object{
			"assumeRolePolicy": example.Statements(`{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}`), "permissionsBoundary": example.Boundary,
		}),
		honest("a role of flow logs", rule.TypeRole, object{
			"assumeRolePolicy":    example.Statements(`{"Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"` + example.Account + `"}}}`),
			"permissionsBoundary": example.Boundary,
		}),
		honest("a role of monitoring", rule.TypeRole, object{
			"assumeRolePolicy": example.Statements(`{"Effect":"Allow","Principal":{"Service":"monitoring.rds.amazonaws.com"},"Action":"sts:AssumeRole"}`), "permissionsBoundary": example.Boundary,
		}),
		attached("AmazonEKS_CNI_Policy"), attached("AmazonEKSWorkerNodePolicy"), attached("AmazonEC2ContainerRegistryReadOnly"), attached("AmazonSSMManagedInstanceCore"),
		attached("CloudWatchAgentServerPolicy"), attached("service-role/AmazonEBSCSIDriverPolicy"), attached("service-role/AmazonEFSCSIDriverPolicy"),
		attached("service-role/AWSLambdaVPCAccessExecutionRole"), attached("service-role/AmazonRDSEnhancedMonitoringRole"),
		attached("service-role/AWSBackupServiceRolePolicyForBackup"), attached("AWSXRayDaemonWriteAccess"), attached("AmazonPrometheusRemoteWriteAccess"),

		may("the load balancer controller describes", `{"Effect":"Allow","Action":["ec2:Describe*","elasticloadbalancing:Describe*","acm:ListCertificates","wafv2:GetWebACL","shield:GetSubscriptionState"],"Resource":"*"}`),
		may("the load balancer controller makes balancers", `{"Effect":"Allow","Action":["elasticloadbalancing:CreateLoadBalancer","elasticloadbalancing:CreateTargetGroup"],"Resource":"*","Condition":{"Null":{"aws:RequestTag/elbv2.k8s.aws/cluster":"false"}}}`),
		may("the load balancer controller opens its groups", `{"Effect":"Allow","Action":["ec2:AuthorizeSecurityGroupIngress","ec2:RevokeSecurityGroupIngress"],"Resource":"*","Condition":{"Null":{"aws:ResourceTag/elbv2.k8s.aws/cluster":"false"}}}`),
		may("the load balancer controller's linked role", `{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*","Condition":{"StringEquals":{"iam:AWSServiceName":"elasticloadbalancing.amazonaws.com"}}}`),
		may("Karpenter starts machines", `{"Effect":"Allow","Action":["ec2:RunInstances","ec2:CreateFleet","ec2:CreateLaunchTemplate"],"Resource":["arn:aws:ec2:eu-central-1:*:instance/*","arn:aws:ec2:eu-central-1::image/*","arn:aws:ec2:eu-central-1::snapshot/*"]}`),
		may("Karpenter reads prices and parameters", `{"Effect":"Allow","Action":["pricing:GetProducts","ssm:GetParameter"],"Resource":["*","arn:aws:ssm:eu-central-1::parameter/aws/service/*"]}`),
		may("Karpenter hears of interruptions", `{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueUrl"],"Resource":"`+lookQueue+`"}`),
		may("Karpenter passes the nodes' role", `{"Effect":"Allow","Action":"iam:PassRole","Resource":"`+example.ARN+`:role/freehold-acme-node","Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}}`),
		may("external-dns changes the own zone", `{"Effect":"Allow","Action":"route53:ChangeResourceRecordSets","Resource":"arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"}`),
		may("cert-manager answers challenges", `{"Effect":"Allow","Action":["route53:GetChange","route53:ListHostedZonesByName"],"Resource":["arn:aws:route53:::change/*","*"]}`),
		may("Velero keeps backups in the org's bucket", `{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListBucket"],"Resource":["arn:aws:s3:::`+lookBucket+`","arn:aws:s3:::`+lookBucket+`/velero/*"]}`),
		may("external-secrets reads the org's secrets", `{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:eu-central-1:`+example.Account+`:secret:shop/*"}`),
		may("Fluent Bit writes logs", `{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:eu-central-1:`+example.Account+`:log-group:/shop/*"}`),
		may("nodes take AWS's image layers", `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*"}`),
		may("nodes take AL2023's packages", `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::al2023-repos-eu-central-1-de612dc2/*"}`),
		may("a function uses one of AWS's layers", `{"Effect":"Allow","Action":"lambda:GetLayerVersion","Resource":"arn:aws:lambda:eu-central-1:580247275435:layer:LambdaInsightsExtension:*"}`),
		may("a fence of the caller's own account", `{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}}`),
		may("a limit on the size of what is written", `{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::`+lookBucket+`/*","Condition":{"NumericLessThan":{"s3:content-length":"107374182400"}}}`),
		may("a statement's id with the time at which it was made", `{"Sid":"Stmt 202611301203","Effect":"Allow","Action":"sqs:SendMessage","Resource":"`+lookQueue+`"}`),

		honest("a key that a trail of the account encrypts with", "aws:kms/keyPolicy:KeyPolicy", object{"keyId": example.KeyARN, "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"AWS":"`+example.ARN+`:root"},"Action":"kms:*","Resource":"*"}`,
			`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:GenerateDataKey*","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:`+example.Account+`:trail/*"}}}`)}),
		honest("a key that the account's logs encrypt with", "aws:kms/keyPolicy:KeyPolicy", object{"keyId": example.KeyARN, "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"AWS":"`+example.ARN+`:root"},"Action":"kms:*","Resource":"*"}`,
			`{"Effect":"Allow","Principal":{"Service":"logs.eu-central-1.amazonaws.com"},"Action":["kms:Encrypt*","kms:Decrypt*"],"Resource":"*","Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:eu-central-1:`+example.Account+`:*"}}}`)}),
		honest("a key that the account's alarms use", "aws:kms/keyPolicy:KeyPolicy", object{"keyId": example.KeyARN, "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"AWS":"`+example.ARN+`:root"},"Action":"kms:*","Resource":"*"}`,
			`{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"`+example.Account+`"}}}`)}),
		honest("a key by way of a service", "aws:kms/keyPolicy:KeyPolicy", object{"keyId": example.KeyARN, "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"AWS":"`+example.ARN+`:root"},"Action":"kms:*","Resource":"*"}`,
			`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"`+example.Account+`","kms:ViaService":"sqs.eu-central-1.amazonaws.com"}}}`)}),
		honest("a bucket that a balancer of Frankfurt logs to", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookLogs, "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::054676820928:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + lookLogs + `/alb/AWSLogs/` + example.Account + `/*"}`)}),
		honest("a bucket that a balancer of a newer Region logs to", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookLogs, "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + lookLogs + `/AWSLogs/` + example.Account + `/*"}`)}),
		honest("a bucket that the account's trail writes to", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookLogs, "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + lookLogs + `/AWSLogs/` + example.Account + `/*","Condition":{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:eu-central-1:` + example.Account + `:trail/freehold-acme"}}}`)}),
		honest("a bucket that the account's flow logs are delivered to", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookLogs, "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + lookLogs + `/AWSLogs/` + example.Account + `/*","Condition":{"StringEquals":{"aws:SourceAccount":"` + example.Account + `"},"ArnLike":{"aws:SourceArn":"arn:aws:logs:eu-central-1:` + example.Account + `:*"}}}`)}),
		honest("a bucket that refuses what is not encrypted on the way", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookBucket, "policy": example.Statements(
			`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::` + lookBucket + `","arn:aws:s3:::` + lookBucket + `/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)}),
		honest("a bucket that refuses everybody but the organization", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookBucket, "policy": example.Statements(
			`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::` + lookBucket + `/*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}`)}),
		honest("a bucket that refuses services that act for others", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookBucket, "policy": example.Statements(
			`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::` + lookBucket + `/*","Condition":{"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-a1b2c3d4e5"},"Null":{"aws:SourceAccount":"false"},"Bool":{"aws:PrincipalIsAWSService":"true"}}}`)}),
		honest("a queue that the account's rules write to", "aws:sqs/queuePolicy:QueuePolicy", object{"queueUrl": "https://sqs.eu-central-1.amazonaws.com/" + example.Account + "/karpenter", "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"Service":["events.amazonaws.com","sqs.amazonaws.com"]},"Action":"sqs:SendMessage","Resource":"` + lookQueue + `","Condition":{"StringEquals":{"aws:SourceAccount":"` + example.Account + `"}}}`)}),
		honest("a queue that the account's bucket notifies", "aws:sqs/queuePolicy:QueuePolicy", object{"queueUrl": "https://sqs.eu-central-1.amazonaws.com/" + example.Account + "/uploads", "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + lookQueue + `","Condition":{"StringEquals":{"aws:SourceAccount":"` + example.Account + `"},"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:` + lookBucket + `"}}}`)}),
		honest("a topic that the account's alarms publish to", "aws:sns/topicPolicy:TopicPolicy", object{"arn": lookTopic, "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"` + lookTopic + `","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:eu-central-1:` + example.Account + `:alarm:*"}}}`)}),
		honest("a topic that the account's budgets publish to", "aws:sns/topicPolicy:TopicPolicy", object{"arn": lookTopic, "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"Service":"budgets.amazonaws.com"},"Action":"sns:Publish","Resource":"` + lookTopic + `","Condition":{"StringEquals":{"aws:SourceAccount":"` + example.Account + `"}}}`)}),
		honest("a repository that the account's roles pull from", "aws:ecr/repositoryPolicy:RepositoryPolicy", object{"repository": "freehold-acme/app", "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"AWS":"` + example.ARN + `:role/freehold-acme-node"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}`)}),
		honest("a secret that a role of the account reads", "aws:secretsmanager/secretPolicy:SecretPolicy", object{"secretArn": "arn:aws:secretsmanager:eu-central-1:" + example.Account + ":secret:db-AbCdEf", "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"AWS":"` + lookRole + `"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}`)}),
		honest("a file system for the account's mounts", "aws:efs/fileSystemPolicy:FileSystemPolicy", object{"fileSystemId": "fs-0a1b2c3d4e5f60718", "policy": example.Statements(
			`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["elasticfilesystem:ClientMount","elasticfilesystem:ClientWrite"],"Condition":{"Bool":{"elasticfilesystem:AccessedViaMountTarget":"true"}}}`)},
			example.Beside("aws:efs/fileSystem:FileSystem", "fs-0a1b2c3d4e5f60718", object{"kmsKeyId": example.KeyARN, "encrypted": true, "tags": example.OrgTags()})),
		honest("a function that a bucket of the account calls", "aws:lambda/permission:Permission", object{"function": "thumbnails", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com", "sourceAccount": example.Account, "sourceArn": "arn:aws:s3:::" + lookBucket}),
		honest("a function that a rule of the account calls", "aws:lambda/permission:Permission", object{"function": "thumbnails", "action": "lambda:InvokeFunction", "principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:eu-central-1:" + example.Account + ":rule/nightly"}),
	}
	all = append(all, lookalikesOfData()...)
	all = append(all, lookalikesOfNumbers()...)
	all = append(all, lookalikesInTheCluster()...)
	return all
}

func lookalikesOfData() []Example {
	return []Example{
		honest("a function from an archive", "aws:lambda/function:Function", object{
			"name": "thumbnails", "role": lookRole, "runtime": "provided.al2023", "handler": "bootstrap",
			"code": Asset{SHA256: strings.Repeat("0f", 32), Accounts: []string{"123456789012", "444455556666"}},
		}),
		honest("a function from an image of the org's registry", "aws:lambda/function:Function", object{
			"name": "thumbnails", "role": lookRole, "packageType": "Image", "imageUri": lookRegistry + "/freehold-acme/thumbnails:202611301203",
		}),
		honest("a function with AWS's layers", "aws:lambda/function:Function", object{
			"name": "thumbnails", "role": lookRole, "runtime": "python3.13", "handler": "main.run", "s3Bucket": lookBucket, "s3Key": "thumbnails-202611301203.zip",
			"layers": list{
				"arn:aws:lambda:eu-central-1:580247275435:layer:LambdaInsightsExtension:55",
				"arn:aws:lambda:eu-central-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:7",
				"arn:aws:lambda:eu-central-1:187925254637:layer:AWS-Parameters-and-Secrets-Lambda-Extension:12",
				"arn:aws:lambda:eu-central-1:066940009817:layer:AWS-AppConfig-Extension:154",
				"arn:aws:lambda:eu-central-1:901920570463:layer:aws-otel-python-amd64-ver-1-29-0:1",
			},
		}),
		honest("a table with the org's key", "aws:dynamodb/table:Table", object{"name": "orders", "billingMode": "PAY_PER_REQUEST", "hashKey": "id", "attributes": list{object{"name": "id", "type": "S"}}, "serverSideEncryption": object{"enabled": true, "kmsKeyArn": example.KeyARN}}),
		honest("a queue with a dead letter queue of the account", "aws:sqs/queue:Queue", object{"name": "jobs", "kmsMasterKeyId": example.KeyARN, "redrivePolicy": `{"deadLetterTargetArn":"` + lookQueue + `","maxReceiveCount":5}`}),
		honest("Karpenter's queue", "aws:sqs/queue:Queue", object{"name": "karpenter", "kmsMasterKeyId": example.KeyARN, "messageRetentionSeconds": 300.0}),
		honest("Karpenter's rule", "aws:cloudwatch/eventRule:EventRule", object{"name": "interruptions", "eventPattern": `{"source":["aws.ec2"],"detail-type":["EC2 Spot Instance Interruption Warning"]}`}),
		honest("Karpenter's rule of the account's own events", "aws:cloudwatch/eventRule:EventRule", object{"name": "health", "eventPattern": `{"source":["aws.health"],"account":["` + example.Account + `"]}`}),
		honest("Karpenter's target", "aws:cloudwatch/eventTarget:EventTarget", object{"rule": "interruptions", "arn": lookQueue}),
		honest("a topic for alarms", "aws:sns/topic:Topic", object{"name": "alarms", "kmsMasterKeyId": example.KeyARN}),
		honest("an alarm", "aws:cloudwatch/metricAlarm:MetricAlarm", object{"name": "lag", "alarmActions": list{lookTopic}, "threshold": 107374182400.0, "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1.0, "namespace": "AWS/SQS", "metricName": "ApproximateAgeOfOldestMessage", "period": 60.0, "statistic": "Maximum"}),
		honest("a log group with the org's key", "aws:cloudwatch/logGroup:LogGroup", object{"name": "/shop/web", "kmsKeyId": example.KeyARN, "retentionInDays": 90.0}),
		honest("a vault for backups", "aws:backup/vault:Vault", object{"name": "shop", "kmsKeyArn": example.KeyARN}),
		honest("a plan for backups in the account", "aws:backup/plan:Plan", object{"name": "daily", "rules": list{object{"ruleName": "daily", "targetVaultName": "shop", "schedule": "cron(0 3 * * ? *)", "lifecycle": object{"deleteAfter": 35.0}}}}),
		honest("a selection for backups", "aws:backup/selection:Selection", object{"name": "all", "planId": "11111111-2222-3333-4444-555566667777", "iamRoleArn": lookRole, "resources": list{"arn:aws:rds:*:" + example.Account + ":db:*"}}),
		honest("a database on private subnets", "aws:rds/instance:Instance", object{"identifier": "orders", "engine": "postgres", "instanceClass": "db.t4g.medium", "allocatedStorage": 50.0, "storageEncrypted": true, "kmsKeyId": example.KeyARN, "dbSubnetGroupName": "orders", "vpcSecurityGroupIds": list{lookGroup}, "manageMasterUserPassword": true, "username": "app", "publiclyAccessible": false}),
		honest("subnets of a database", "aws:rds/subnetGroup:SubnetGroup", object{"name": "orders", "subnetIds": list{lookSubnet}}),
		honest("a cache", "aws:elasticache/replicationGroup:ReplicationGroup", object{"replicationGroupId": "carts", "description": "carts", "atRestEncryptionEnabled": true, "transitEncryptionEnabled": true, "kmsKeyId": example.KeyARN, "securityGroupIds": list{lookGroup}, "subnetGroupName": "carts"}),
		honest("a file system", "aws:efs/fileSystem:FileSystem", object{"encrypted": true, "kmsKeyId": example.KeyARN}),
		honest("a mount target", "aws:efs/mountTarget:MountTarget", object{"fileSystemId": "fs-0a1b2c3d4e5f60718", "subnetId": lookSubnet, "securityGroups": list{lookGroup}},
			example.Beside("aws:efs/fileSystem:FileSystem", "fs-0a1b2c3d4e5f60718", object{"kmsKeyId": example.KeyARN, "encrypted": true})),
		honest("a security group that lets the cluster in", "aws:ec2/securityGroup:SecurityGroup", object{"vpcId": lookVPC, "description": "orders", "ingress": list{object{"protocol": "tcp", "fromPort": 5432.0, "toPort": 5432.0, "securityGroups": list{lookGroup}}}}),
		honest("a security group that lets the own network in", "aws:ec2/securityGroup:SecurityGroup", object{"vpcId": lookVPC, "description": "dns", "ingress": list{object{"protocol": "udp", "fromPort": 53.0, "toPort": 53.0, "cidrBlocks": list{"10.0.0.0/16"}}}}),
		honest("an endpoint of AWS's", "aws:ec2/vpcEndpoint:VpcEndpoint", object{"vpcId": lookVPC, "serviceName": "com.amazonaws.eu-central-1.secretsmanager", "vpcEndpointType": "Interface", "subnetIds": list{lookSubnet}, "securityGroupIds": list{lookGroup}, "privateDnsEnabled": true}),
		honest("a private zone of the own network", "aws:route53/zone:Zone", object{"name": "shop.internal", "vpcs": list{object{"vpcId": lookVPC}}}, example.Beside("aws:ec2/vpc:Vpc", lookVPC, object{"cidrBlock": "10.0.0.0/16", "tags": example.OrgTags()})),
		honest("a record", "aws:route53/record:Record", object{"zoneId": "Z0123456789ABCDEFGHIJ", "name": "db.shop.internal", "type": "CNAME", "ttl": 60.0, "records": list{"orders.abc.eu-central-1.rds.amazonaws.com"}},
			example.Beside("aws:route53/zone:Zone", "Z0123456789ABCDEFGHIJ", object{"name": "shop.internal"})),
		honest("a secret", "aws:secretsmanager/secret:Secret", object{"name": "shop/db", "kmsKeyId": example.KeyARN}),
		honest("a parameter", "aws:ssm/parameter:Parameter", object{"name": "/shop/flags", "type": "String", "value": "beta"}),
		honest("a stream", "aws:kinesis/stream:Stream", object{"name": "clicks", "encryptionType": "KMS", "kmsKeyId": example.KeyARN, "shardCount": 1.0}),
		honest("a state machine that calls the org's function", "aws:sfn/stateMachine:StateMachine", object{"name": "checkout", "roleArn": lookRole, "definition": `{"StartAt":"Charge","States":{"Charge":{"Type":"Task","Resource":"` + lookFunction + `","End":true}}}`}),
		honest("a firewall of web requests", "aws:wafv2/webAcl:WebAcl", object{"name": "shop", "scope": "REGIONAL", "defaultAction": object{"allow": object{}}, "visibilityConfig": object{"cloudwatchMetricsEnabled": true, "metricName": "shop", "sampledRequestsEnabled": true}}),
		honest("a certificate", "aws:acm/certificate:Certificate", object{"domainName": "shop.acme.example", "validationMethod": "DNS"}),
		honest("a repository", "aws:ecr/repository:Repository", object{"name": "freehold-acme/app", "encryptionConfigurations": list{object{"encryptionType": "KMS", "kmsKey": example.KeyARN}}, "imageTagMutability": "IMMUTABLE"}),
		honest("a repository's lifecycle", "aws:ecr/lifecyclePolicy:LifecyclePolicy", object{"repository": "freehold-acme/app", "policy": `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}`}),
		honest("a dashboard", "aws:cloudwatch/dashboard:Dashboard", object{"dashboardName": "shop", "dashboardBody": `{"widgets":[{"type":"metric","properties":{"metrics":[["AWS/SQS","NumberOfMessagesSent"]],"region":"eu-central-1"}}]}`}),
		honest("a bucket's notification to the org's function", "aws:s3/bucketNotification:BucketNotification", object{"bucket": lookBucket, "lambdaFunctions": list{object{"lambdaFunctionArn": lookFunction, "events": list{"s3:ObjectCreated:*"}}}}),
		honest("a bucket's lifecycle", "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", object{"bucket": lookBucket, "rules": list{object{"id": "old", "status": "Enabled", "expiration": object{"days": 365.0}}}}),
		honest("a budget", "aws:budgets/budget:Budget", object{"name": "month", "budgetType": "COST", "limitAmount": "5000", "limitUnit": "USD", "timeUnit": "MONTHLY"}),
		honest("a pod identity", "aws:eks/podIdentityAssociation:PodIdentityAssociation", object{"clusterName": "freehold-acme", "namespace": "shop", "serviceAccount": "web", "roleArn": lookRole}),
	}
}

func lookalikesOfNumbers() []Example {
	phones := []string{"491701234567", "+491701234567", "tel:+491701234567", "00491701234"}
	var all []Example
	for _, phone := range phones {
		all = append(all, configMap("a telephone number, "+phone, "support-phone", phone))
	}
	return append(all,
		configMap("the time of a build", "BUILD_NUMBER", "202611301203"),
		configMap("a version with the time in it", "version", "1.4.202611301203"),
		configMap("an image with the time in its tag", "image", lookRegistry+"/freehold-acme/app:202611301203"),
		configMap("a number of bytes", "max-bytes", "107374182400"),
		configMap("a file name with the time in it", "source", "export-202611301203.csv"),
		configMap("a time in nanoseconds of a day", "deadline-timestamp", "946684800000"),
		configMap("settings in JSON", "settings.json", `{"hotline":"491701234567","build":202611301203,"maxBytes":107374182400}`),
		configMap("settings in YAML", "settings.yaml", "hotline: \"491701234567\"\nbuild: 202611301203\nlimits:\n  max-bytes: 107374182400\n"),
		configMap("an order's number", "last-order-number", "100000000042"),
		configMap("the own account", "account", example.Account),
		honest("a text message to a telephone", "aws:sns/topicSubscription:TopicSubscription", object{"topic": lookTopic, "protocol": "sms", "endpoint": "+491701234567"}),
		honest("a tag with the time of the build", "aws:sqs/queue:Queue", object{"name": "jobs", "kmsMasterKeyId": example.KeyARN, "tags": object{"freehold.dev/org": example.Org, "freehold.dev/layer": "cluster", "freehold.dev/managed-by": "freehold", "build": "202611301203"}}),
		honest("a tag with a cost centre", "aws:dynamodb/table:Table", object{"name": "carts", "serverSideEncryption": object{"enabled": true, "kmsKeyArn": example.KeyARN}, "tags": object{"freehold.dev/org": example.Org, "freehold.dev/layer": "cluster", "freehold.dev/managed-by": "freehold", "cost-centre": "100200300400"}}),
		honest("a function's build", "aws:lambda/function:Function", object{"name": "thumbnails", "role": lookRole, "kmsKeyArn": example.KeyARN, "s3Bucket": lookBucket, "s3Key": "t.zip", "environment": object{"variables": object{"BUILD_ID": "202611301203", "SUPPORT_PHONE": "491701234567", "MAX_UPLOAD_BYTES": "107374182400"}}}),
		honest("an alarm on bytes", "aws:cloudwatch/metricAlarm:MetricAlarm", object{"name": "size", "threshold": 999999999999.0, "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1.0}),
		honest("an item's serial number", "aws:dynamodb/tableItem:TableItem", object{"tableName": "orders", "hashKey": "id", "item": `{"id":{"S":"1"},"serial":{"N":"202611301203"}}`}),
		honest("a script with the time of the build", "aws:ec2/launchTemplate:LaunchTemplate", object{"metadataOptions": object{"httpTokens": "required", "httpPutResponseHopLimit": 1.0, "httpEndpoint": "enabled"}, "blockDeviceMappings": list{object{"deviceName": "/dev/xvda", "ebs": object{"encrypted": "true", "kmsKeyId": example.KeyARN}}},
			"tagSpecifications": list{object{"resourceType": "instance", "tags": example.OrgTags()}, object{"resourceType": "volume", "tags": example.OrgTags()}},
			"userData":          base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\n# build 202611301203, support +491701234567\necho ready\n"))}),
	)
}

func lookalikesInTheCluster() []Example {
	addon := func(name, path string) Example {
		return runs("AWS's image of "+name, image("602401143452.dkr.ecr.eu-central-1.amazonaws.com/"+path))
	}
	marked := func(name string, labels, annotations object) Example {
		return honest(name, "kubernetes:apps/v1:Deployment", object{
			"metadata": object{"name": "web", "namespace": "freehold-system", "labels": labels, "annotations": annotations},
			"spec":     object{"template": object{"spec": object{"containers": list{image(lookRegistry + "/freehold-acme/app" + digestOf)}}}},
		})
	}
	return []Example{
		addon("the VPC CNI", "amazon-k8s-cni:v1.20.4"), addon("kube-proxy", "eks/kube-proxy:v1.35.0-eksbuild.2"), addon("CoreDNS", "eks/coredns:v1.12.1"),
		addon("the EBS CSI driver", "eks/aws-ebs-csi-driver:v1.48.0"), addon("the load balancer controller", "amazon/aws-load-balancer-controller:v2.13.4"), addon("pause", "eks/pause:3.10"),
		runs("AWS's image in another Region", image("590381155156.dkr.ecr.eu-south-1.amazonaws.com/eks/coredns:v1.12.1")),
		runs("AWS's Fluent Bit", image("906394416424.dkr.ecr.eu-central-1.amazonaws.com/aws-for-fluent-bit:2.34.0")),
		runs("the org's image", image(lookRegistry+"/freehold-acme/app"+digestOf)),
		runs("the org's image with the time of the build", image(lookRegistry+"/freehold-acme/app:202611301203"+digestOf)),
		marked("a label with the time of the build", object{"build": "202611301203"}, nil),
		marked("a label with a number of nobody's", object{"batch": "202611301203"}, nil),
		marked("an annotation with a commit's time", nil, object{"example.com/commit-time": "202611301203"}),
		marked("an annotation with a change's ticket", nil, object{"example.com/change": "100200300400"}),
		runs("an environment with a build and a hotline", object{"name": "web", "image": lookRegistry + "/freehold-acme/app" + digestOf, "env": list{object{"name": "BUILD", "value": "build-202611301203"}, object{"name": "HOTLINE", "value": "+491701234567"}}}),
		honest("a quota", "kubernetes:core/v1:ResourceQuota", object{"metadata": object{"name": "shop", "namespace": "shop"}, "spec": object{"hard": object{"requests.storage": "107374182400", "requests.memory": "107374182400"}}}),
		honest("a claim of bytes", "kubernetes:core/v1:PersistentVolumeClaim", object{"metadata": object{"name": "data", "namespace": "shop"}, "spec": object{"accessModes": list{"ReadWriteOnce"}, "resources": object{"requests": object{"storage": "107374182400"}}}}),
		honest("a service account with the org's role", "kubernetes:core/v1:ServiceAccount", object{"metadata": object{"name": "web", "namespace": "shop", "annotations": object{"eks.amazonaws.com/role-arn": lookRole}}}),
	}
}

func TestWhatAPlatformTeamMakesPasses(t *testing.T) {
	examples, names := lookalikes(), map[string]bool{}
	if len(examples) < 120 {
		t.Errorf("%d look-alikes, and there are to be 120", len(examples))
	}
	for _, e := range examples {
		if names[e.Name+e.Resource.Type] {
			t.Errorf("%s is there twice", e.Name)
		}
		names[e.Name+e.Resource.Type] = true
		t.Run(e.Name, func(t *testing.T) {
			for _, r := range All() {
				if v := ask(r, e); v.Answer != Pass {
					t.Errorf("%s %s: %v", r.ID, v.Answer, v.Findings)
				}
			}
		})
	}
}

// TestWhatLooksLikeWhatAWSMakesIsRefused is the other side: the same accounts and
// numbers where AWS publishes nothing, or where an account stands.
func TestWhatLooksLikeWhatAWSMakesIsRefused(t *testing.T) {
	policy := func(name, typ string, in object) Example { return honest(name, typ, in) }
	bad := []Example{
		policy("a role of an account of AWS's registries", "aws:iam/rolePolicy:RolePolicy", object{"role": "x", "policy": example.Statements(`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::602401143452:role/x"}`)}),
		policy("a layer of another name in an account of AWS's", "aws:lambda/function:Function", object{"name": "x", "role": lookRole, "layers": list{"arn:aws:lambda:eu-central-1:580247275435:layer:Mine:1"}}),
		policy("a layer of AWS's name in another account", "aws:lambda/function:Function", object{"name": "x", "role": lookRole, "layers": list{"arn:aws:lambda:eu-central-1:333333333333:layer:LambdaInsightsExtension:1"}}),
		policy("access logs of any account", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookLogs, "policy": example.Statements(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::054676820928:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + lookLogs + `/*"}`)}),
		policy("access logs of another account", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookLogs, "policy": example.Statements(`{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + lookLogs + `/AWSLogs/` + example.OtherAccount + `/*"}`)}),
		policy("reading for who writes access logs", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookLogs, "policy": example.Statements(`{"Effect":"Allow","Principal":{"AWS":"054676820928"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + lookLogs + `/AWSLogs/` + example.Account + `/*"}`)}),
		policy("another who writes", "aws:s3/bucketPolicy:BucketPolicy", object{"bucket": lookLogs, "policy": example.Statements(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + lookLogs + `/AWSLogs/` + example.Account + `/*"}`)}),
		policy("a context that every trail has", "aws:kms/keyPolicy:KeyPolicy", object{"keyId": example.KeyARN, "policy": example.Statements(`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:GenerateDataKey*","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:*:trail/*"}}}`)}),
		policy("a context of a service whose names hold colons", "aws:kms/keyPolicy:KeyPolicy", object{"keyId": example.KeyARN, "policy": example.Statements(`{"Effect":"Allow","Principal":{"Service":"states.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:states:arn":"arn:aws:states:*:` + example.Account + `:*"}}}`)}),
		configMap("another account under a name of nothing", "peer", example.OtherAccount),
		configMap("another account under its name", "globex-account-build", example.OtherAccount),
		configMap("another account in JSON", "settings.json", `{"accountId":"333333333333"}`),
		configMap("another account's registry", "image", example.OtherAccount+".dkr.ecr.eu-central-1.amazonaws.com/app:202611301203"),
		configMap("another account's queue", "build-queue", "https://sqs.eu-central-1.amazonaws.com/"+example.OtherAccount+"/build"),
		configMap("another account in a command", "run.sh", "aws sts assume-role --account "+example.OtherAccount),
		policy("an image of another account's, tagged as a build", "aws:lambda/function:Function", object{"name": "x", "role": lookRole, "packageType": "Image", "imageUri": example.OtherAccount + ".dkr.ecr.eu-central-1.amazonaws.com/build:202611301203"}),
		policy("a trail's other account as a number", "aws:cfg/configurationAggregator:ConfigurationAggregator", object{"name": "x", "accountAggregationSource": object{"accountIds": list{333333333333.0}}}),
		runs("a host that begins as AWS's registry", image("602401143452.dkr.ecr.eu-central-1.amazonaws.com.example.com/eks/pause:3.10")),
		runs("a path that has AWS's registry", image("registry.example.com/602401143452.dkr.ecr.eu-central-1.amazonaws.com/eks/pause:3.10")),
	}
	for _, e := range bad {
		t.Run(e.Name, func(t *testing.T) {
			if !slices.ContainsFunc(All(), func(r Rule) bool { return r.ID != "FH108" && ask(r, e).Answer == Violated }) {
				t.Error("no rule refuses it")
			}
		})
	}
}

func TestAnAccountThatTheRegistryKnowsIsRefusedWhereverItStands(t *testing.T) {
	code := honest("a function from an archive", "aws:lambda/function:Function", object{
		"name": "x", "role": lookRole, "code": Asset{SHA256: strings.Repeat("0f", 32), Accounts: []string{"123456789012", example.OtherAccount}},
	})
	for _, e := range []Example{
		code, configMap("a telephone number", "support-phone", "+"+example.OtherAccount), configMap("a tag", "image", lookRegistry+"/app:"+example.OtherAccount),
	} {
		t.Run(e.Name, func(t *testing.T) {
			rule := byID(t)["FH201"]
			if got := Candidates(e.Resource); !slices.Contains(got, example.OtherAccount) {
				t.Errorf("the candidates %v", got)
			}
			if v := ask(rule, e); v.Answer != Pass {
				t.Errorf("where nobody was asked, %s %v", v.Answer, v.Findings)
			}
			e.Scope.Foreign = []string{example.OtherAccount}
			if v := ask(rule, e); v.Answer != Violated {
				t.Errorf("%s %v, want violated", v.Answer, v.Findings)
			}
		})
	}
}

// list is to lists what object is to objects.
type list = example.List
