package boundary

import "freehold.dev/freehold/internal/iam"

// Workloads are the actions that roles of the account may have at all, but for the phase
// roles: those of the cluster, its nodes and its add-ons, and those of pods. A policy
// that allows more is bounded to these. They read and write data, make what a pod, a
// disk, a node or a load balancer needs, and read how things are set. Who changes what a
// resource's policy says, whom it is shared with or where a log goes is the
// administrator's stack, and not a pod. docs/projects.md explains it to customers.
//
// AWS bounds the size of the document and has no wildcard for the service, so the names
// are cut as far as they stay those of one kind; TestNoWorkloadShares asks about each.
func Workloads() iam.Values {
	return iam.Values{
		"acm:Desc*", "acm:List*",
		"aps:Get*", "aps:Query*", "aps:Remote*",
		"athena:*",
		"autoscaling:Desc*", "autoscaling:Set*", "autoscaling:Te*", "autoscaling:U*",
		"bedrock:Inv*",
		"cloudwatch:Desc*", "cloudwatch:Get*", "cloudwatch:List*", "cloudwatch:PutMetricD*",
		"cognito-idp:Admin*",
		"dynamodb:*Item*", "dynamodb:*eTable", "dynamodb:Desc*", "dynamodb:Get*", "dynamodb:List*", "dynamodb:PartiQL*", "dynamodb:Query", "dynamodb:Scan", "dynamodb:TagR*", "dynamodb:UpdateTime*",
		"ebs:*",
		"ec2:Desc*", "ec2:Get*", "ec2:*LaunchTemplate*", "ec2:*Volume*", "ec2:*eNetworkInterface", "ec2:*eSecurityGroup", "ec2:*eTags", "ec2:Al*Address", "ec2:As*Address*", "ec2:AttachN*", "ec2:AuthorizeS*", "ec2:CreateFleet", "ec2:CreateSnapshot*", "ec2:DeleteSnapshot", "ec2:DetachN*", "ec2:Dis*Address", "ec2:ModifyInstanceA*", "ec2:ModifyNetworkI*", "ec2:ReleaseAddress", "ec2:RevokeS*", "ec2:RunI*", "ec2:StartIns*", "ec2:StopI*", "ec2:TerminateI*", "ec2:Unas*",
		"ec2messages:*",
		"ecr:*Layer*", "ecr:Batch*", "ecr:Desc*", "ecr:Get*", "ecr:List*", "ecr:PutImage",
		"eks:AccessK*", "eks:Desc*", "eks:List*",
		"eks-auth:*",
		"elasticache:Con*",
		"elasticfilesystem:*AccessPoint*", "elasticfilesystem:Client*", "elasticfilesystem:Desc*", "elasticfilesystem:TagR*",
		"elasticloadbalancing:*",
		"es:ES*",
		"events:PutEvents",
		"execute-api:*",
		"firehose:PutR*",
		"fsx:*FileSystem*", "fsx:*Volume*", "fsx:Desc*",
		"glue:*Partition*", "glue:*Table*", "glue:Get*",
		"iam:*InstanceProfile*", "iam:CreateServiceL*", "iam:Get*", "iam:List*", "iam:PassRole",
		"kafka:Get*",
		"kafka-cluster:*",
		"kinesis:*",
		"kms:*crypt*", "kms:CreateGrant", "kms:Desc*", "kms:Gen*", "kms:Get*", "kms:List*", "kms:R*Grant", "kms:Sign", "kms:Verify*",
		"lakeformation:GetDataAccess",
		"lambda:Get*", "lambda:Inv*", "lambda:List*",
		"logs:CreateLogG*", "logs:CreateLogS*", "logs:Desc*", "logs:Filter*", "logs:Get*", "logs:PutLogE*", "logs:StartQ*", "logs:TagR*",
		"memorydb:Con*",
		"neptune-db:*",
		"pricing:*",
		"rds:Desc*", "rds:CreateDB*Snapshot",
		"rds-data:*",
		"rds-db:*",
		"redshift:GetC*",
		"redshift-data:*",
		"route53:ChangeR*", "route53:Get*", "route53:List*",
		"s3:A*Upload", "s3:DeleteO*", "s3:Get*", "s3:List*", "s3:PutObject", "s3:PutObjectT*", "s3:RestoreO*",
		"sagemaker:InvokeE*",
		"secretsmanager:*",
		"servicediscovery:*",
		"ses:Get*", "ses:Send*",
		"shield:Desc*", "shield:Get*",
		"sns:Get*", "sns:List*", "sns:Publish*",
		"sqs:*Message*", "sqs:Get*", "sqs:List*", "sqs:Purge*",
		"ssm:AddT*", "ssm:Delete*Parameter*", "ssm:Desc*", "ssm:Get*", "ssm:List*", "ssm:PutC*", "ssm:PutI*", "ssm:PutP*", "ssm:Update*Status", "ssm:UpdateInstanceI*",
		"ssmmessages:*",
		"states:Desc*", "states:Send*", "states:Start*", "states:Stop*",
		"sts:AssumeRole", "sts:Dec*", "sts:GetC*", "sts:TagS*",
		"tag:Get*",
		"timestream:*",
		"wafv2:*sociateWebACL", "wafv2:Get*",
		"xray:Get*", "xray:PutT*",
	}
}
