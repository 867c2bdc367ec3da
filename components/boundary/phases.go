package boundary

import "freehold.dev/freehold/components/iampolicy"

// ProvisionPolicy returns what the provision role may do: make, change and
// take away what the cluster layer is made of. It may not delete keys, buckets
// or images, and it makes roles only under the prefix, with the boundary, with
// AWS's own policies, and for the services that a cluster runs on. Only pods'
// roles get other policies than those for EKS, and not administrators'.
func ProvisionPolicy(a Args) iampolicy.Document {
	all := iampolicy.Values{"*"}
	return iampolicy.New(
		iampolicy.Statement{
			Sid:    "Look",
			Effect: iampolicy.Allow,
			Action: iampolicy.Values{
				"autoscaling:Describe*", "ec2:Describe*", "ec2:Get*", "elasticloadbalancing:Describe*", "eks:Describe*", "eks:List*",
				"iam:GetInstanceProfile", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy",
				"iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:ListRoleTags",
				"kms:DescribeKey", "kms:ListAliases", "logs:Describe*", "logs:ListTags*", "servicequotas:Get*", "servicequotas:List*",
			},
			Resource: all,
		},
		iampolicy.Statement{
			Sid:    "Network",
			Effect: iampolicy.Allow,
			Action: iampolicy.Values{
				"ec2:AllocateAddress", "ec2:AssociateAddress", "ec2:AssociateRouteTable", "ec2:AttachInternetGateway",
				"ec2:AuthorizeSecurityGroup*", "ec2:CreateFlowLogs", "ec2:CreateInternetGateway", "ec2:CreateNatGateway",
				"ec2:CreateNetworkAclEntry", "ec2:CreateRoute", "ec2:CreateRouteTable", "ec2:CreateSecurityGroup",
				"ec2:CreateSubnet", "ec2:CreateTags", "ec2:CreateVpc", "ec2:CreateVpcEndpoint",
				"ec2:ModifySecurityGroupRules", "ec2:ModifySubnetAttribute", "ec2:ModifyVpcAttribute", "ec2:ModifyVpcEndpoint",
				"ec2:ReplaceNetworkAcl*", "ec2:ReplaceRoute*", "ec2:RevokeSecurityGroup*", "ec2:UpdateSecurityGroupRuleDescriptions*",
			},
			Resource: all,
		},
		// An interface endpoint answers under AWS's own names by a hosted zone
		// of AWS's, which EC2 joins to the VPC in the name of who makes it.
		// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
		iampolicy.Statement{
			Sid:      "NamesOfEndpoints",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"route53:AssociateVPCWithHostedZone"},
			Resource: iampolicy.Values{"arn:aws:route53:::hostedzone/*"},
		},
		iampolicy.Statement{Sid: "NetworkAway", Effect: iampolicy.Allow, Action: networkAway(), Resource: all},
		iampolicy.Statement{
			// A managed node group checks its launch template by a dry run of
			// RunInstances with the credentials of who makes the group.
			Sid:    "Nodes",
			Effect: iampolicy.Allow,
			Action: iampolicy.Values{
				"ec2:CreateLaunchTemplate", "ec2:CreateLaunchTemplateVersion", "ec2:DeleteLaunchTemplate",
				"ec2:DeleteLaunchTemplateVersions", "ec2:ModifyLaunchTemplate", "ec2:RunInstances",
			},
			Resource: all,
		},
		iampolicy.Statement{
			Sid:    "Cluster",
			Effect: iampolicy.Allow,
			Action: iampolicy.Values{
				"eks:AssociateAccessPolicy", "eks:AssociateEncryptionConfig", "eks:AssociateIdentityProviderConfig", "eks:Create*", "eks:Delete*",
				"eks:DisassociateAccessPolicy", "eks:DisassociateIdentityProviderConfig", "eks:TagResource", "eks:UntagResource", "eks:Update*",
			},
			Resource: iampolicy.Values{a.regional("eks", "*")},
		},
		iampolicy.Statement{
			Sid:    "Logs",
			Effect: iampolicy.Allow,
			Action: iampolicy.Values{
				"logs:AssociateKmsKey", "logs:CreateLogDelivery", "logs:CreateLogGroup", "logs:DeleteLogDelivery",
				"logs:DeleteLogGroup", "logs:DeleteRetentionPolicy", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource",
			},
			Resource: iampolicy.Values{a.regional("logs", "*")},
		},
		// The node image's id and the versions of add-ons, which AWS publishes.
		iampolicy.Statement{
			Sid:      "NodeImages",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"ssm:GetParameter", "ssm:GetParameters"},
			Resource: iampolicy.Values{"arn:aws:ssm:" + a.Region + "::parameter/aws/service/*"},
		},
		// EKS and EBS take their own grants on the org's keys, in the name of
		// who makes the cluster.
		iampolicy.Statement{
			Sid:      "GrantsByServices",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"kms:CreateGrant"},
			Resource: iampolicy.Values{a.regional("kms", "key/*")},
			Condition: iampolicy.Condition{
				"Bool":                     {"kms:GrantIsForAWSResource": {"true"}},
				"ForAnyValue:StringEquals": {"kms:ResourceAliases": {a.DataKeyAlias, a.LogKeyAlias}},
			},
		},
		iampolicy.Statement{
			Sid:       "RolesInsideTheBoundary",
			Effect:    iampolicy.Allow,
			Action:    iampolicy.Values{"iam:CreateRole", "iam:PutRolePermissionsBoundary"},
			Resource:  iampolicy.Values{a.roleARN(a.RolePrefix + "*")},
			Condition: iampolicy.Condition{"StringEquals": {"iam:PermissionsBoundary": {a.boundaryARN()}}},
		},
		iampolicy.Statement{
			Sid:    "Roles",
			Effect: iampolicy.Allow,
			Action: iampolicy.Values{
				"iam:DeleteRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
				"iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
			},
			Resource: iampolicy.Values{a.roleARN(a.RolePrefix + "*")},
		},
		iampolicy.Statement{
			Sid:      "PoliciesOfAWS",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"iam:AttachRolePolicy", "iam:DetachRolePolicy"},
			Resource: iampolicy.Values{a.roleARN(a.RolePrefix + "*")},
			Condition: iampolicy.Condition{"ArnLike": {"iam:PolicyARN": {
				"arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
				"arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
				"arn:aws:iam::aws:policy/AmazonEKS*",
				"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
				"arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
			}}},
		},
		iampolicy.Statement{
			Sid:      "PoliciesOfPods",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"iam:AttachRolePolicy", "iam:DetachRolePolicy"},
			Resource: iampolicy.Values{a.roleARN(a.RolePrefix + "pod-*")},
			Condition: iampolicy.Condition{
				"ArnLike":    {"iam:PolicyARN": {"arn:aws:iam::aws:policy/*"}},
				"ArnNotLike": {"iam:PolicyARN": iampolicy.Administrators()},
			},
		},
		iampolicy.Statement{
			Sid:      "RolesForServices",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"iam:PassRole"},
			Resource: iampolicy.Values{a.roleARN(a.RolePrefix + "*")},
			Condition: iampolicy.Condition{"StringEquals": {"iam:PassedToService": {
				"ec2.amazonaws.com", "eks.amazonaws.com", "pods.eks.amazonaws.com", "vpc-flow-logs.amazonaws.com",
			}}},
		},
		iampolicy.Statement{
			Sid:      "ServiceLinkedRoles",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"iam:CreateServiceLinkedRole"},
			Resource: iampolicy.Values{a.roleARN("aws-service-role/*")},
			Condition: iampolicy.Condition{"StringEquals": {"iam:AWSServiceName": {
				"autoscaling.amazonaws.com", "eks-nodegroup.amazonaws.com", "eks.amazonaws.com",
				"elasticloadbalancing.amazonaws.com", "spot.amazonaws.com",
			}}},
		},
	)
}

// ReadPolicy returns what the read role may do beyond AWS's ViewOnlyAccess and
// SecurityAudit: what a refresh reads and those two leave out. It also denies
// what customers own, because AWS widens its policies without asking: the read
// role reads how things are set, and never what is in them.
func ReadPolicy() iampolicy.Document {
	return iampolicy.New(
		iampolicy.Statement{
			Sid:    "Refresh",
			Effect: iampolicy.Allow,
			Action: iampolicy.Values{
				"access-analyzer:Get*", "access-analyzer:List*", "autoscaling:Describe*", "cloudtrail:Describe*", "cloudtrail:Get*", "cloudtrail:List*",
				"ec2:Describe*", "ec2:GetEbsDefaultKmsKeyId", "ec2:GetEbsEncryptionByDefault", "ec2:GetInstanceMetadataDefaults",
				"ecr:Describe*", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy", "ecr:ListTagsForResource",
				"eks:Describe*", "eks:List*", "elasticloadbalancing:Describe*", "iam:Get*", "iam:List*",
				"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListAliases", "kms:ListKeys", "kms:ListResourceTags",
				"logs:DescribeLogGroups", "logs:ListTags*", "s3:GetAccountPublicAccessBlock", "s3:GetBucket*", "s3:GetEncryptionConfiguration",
				"s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListAllMyBuckets", "s3:ListBucket",
				"servicequotas:Get*", "servicequotas:List*", "tag:GetResources",
			},
			Resource: iampolicy.Values{"*"},
		},
		iampolicy.Statement{
			Sid:    "NoData",
			Effect: iampolicy.Deny,
			Action: iampolicy.Values{
				"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
				"kms:Decrypt", "kms:GenerateDataKey*", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetLogRecord", "logs:StartLiveTail", "logs:StartQuery",
				"s3:GetObject*", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "sqs:ReceiveMessage", "ssm:GetParameter*",
			},
			Resource: iampolicy.Values{"*"},
		},
	)
}

// BootstrapPolicy returns what the bootstrap role may do in AWS: find the
// cluster and speak to its API. What it may do there, the cluster's access
// entry says.
func BootstrapPolicy(a Args) iampolicy.Document {
	return iampolicy.New(iampolicy.Statement{
		Sid:      "Cluster",
		Effect:   iampolicy.Allow,
		Action:   iampolicy.Values{"eks:AccessKubernetesApi", "eks:DescribeCluster"},
		Resource: iampolicy.Values{a.regional("eks", "cluster/*")},
	})
}

// OffboardPolicy returns what the offboard role may do: find and take away
// the cluster, its network and what controllers left there. It makes nothing,
// and keys, buckets and the trail are out of its reach: the boundary layer
// takes those away itself, last.
func OffboardPolicy(a Args) iampolicy.Document {
	all := iampolicy.Values{"*"}
	return iampolicy.New(
		iampolicy.Statement{
			Sid:    "Look",
			Effect: iampolicy.Allow,
			Action: iampolicy.Values{
				"autoscaling:Describe*", "ec2:Describe*", "ec2:GetSecurityGroupsForVpc", "ecr:Describe*", "eks:Describe*", "eks:List*",
				"elasticloadbalancing:Describe*", "iam:GetInstanceProfile", "iam:GetRole", "iam:GetRolePolicy", "iam:List*",
				"kms:DescribeKey", "kms:ListAliases", "logs:DescribeLogGroups", "logs:ListTags*", "tag:GetResources",
			},
			Resource: all,
		},
		iampolicy.Statement{Sid: "NetworkAway", Effect: iampolicy.Allow, Action: networkAway(), Resource: all},
		iampolicy.Statement{
			Sid:    "LeftoversAway",
			Effect: iampolicy.Allow,
			Action: iampolicy.Values{
				"autoscaling:DeleteAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup",
				"ec2:DeleteLaunchTemplate", "ec2:DeleteLaunchTemplateVersions", "ec2:DeleteSnapshot", "ec2:DeleteVolume",
				"ec2:DetachVolume", "ec2:TerminateInstances",
				"elasticloadbalancing:Delete*", "elasticloadbalancing:DeregisterTargets",
			},
			Resource: all,
		},
		iampolicy.Statement{
			// Deletion protection is cleared by an update of the cluster.
			Sid:      "ClusterAway",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"eks:Delete*", "eks:DisassociateAccessPolicy", "eks:DisassociateIdentityProviderConfig", "eks:UpdateClusterConfig"},
			Resource: iampolicy.Values{a.regional("eks", "*")},
		},
		iampolicy.Statement{
			Sid:      "LogsAway",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"logs:DeleteLogDelivery", "logs:DeleteLogGroup"},
			Resource: iampolicy.Values{a.regional("logs", "*")},
		},
		iampolicy.Statement{
			Sid:      "RolesAway",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:RemoveRoleFromInstanceProfile"},
			Resource: iampolicy.Values{a.roleARN(a.RolePrefix + "*"), "arn:aws:iam::" + a.AccountID + ":instance-profile/*"},
		},
		iampolicy.Statement{
			Sid:      "InstanceProfilesAway",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"iam:DeleteInstanceProfile"},
			Resource: iampolicy.Values{"arn:aws:iam::" + a.AccountID + ":instance-profile/*"},
		},
	)
}

// networkAway takes a network apart: an update replaces parts of it, and
// offboarding all of it. With a subnet or a security group the provider takes
// away the interfaces that services like Lambda left in it, which would hold it.
func networkAway() iampolicy.Values {
	return iampolicy.Values{
		"ec2:DeleteFlowLogs", "ec2:DeleteInternetGateway", "ec2:DeleteNatGateway", "ec2:DeleteNetworkAclEntry",
		"ec2:DeleteNetworkInterface", "ec2:DeleteRoute", "ec2:DeleteRouteTable", "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet",
		"ec2:DeleteTags", "ec2:DeleteVpc", "ec2:DeleteVpcEndpoints", "ec2:DetachInternetGateway", "ec2:DetachNetworkInterface",
		"ec2:DisassociateAddress", "ec2:DisassociateRouteTable", "ec2:ReleaseAddress", "ec2:RevokeSecurityGroup*",
	}
}
