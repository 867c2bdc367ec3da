package boundary

import "freehold.dev/freehold/internal/iam"

// ProvisionPolicy returns what the provision role may do: make, change and
// take away what the cluster layer is made of. It may not delete keys, buckets
// or images, and it makes roles only under the prefix, with the boundary, with
// AWS's own policies, and for the services that a cluster runs on. Only pods'
// roles get other policies than those for EKS, and not administrators'. Of what can
// share, it is kept to what stays in the account, also where it has no service control
// policy.
func ProvisionPolicy(a Args) iam.Document {
	all := iam.Values{"*"}
	return iam.New(append(iam.NoSharingWhen(),
		iam.Statement{
			Sid:    "Look",
			Effect: iam.Allow,
			Action: iam.Values{
				"autoscaling:Describe*", "ec2:Describe*", "elasticloadbalancing:Describe*", "eks:Describe*", "eks:List*",
				"iam:GetInstanceProfile", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy",
				"iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:ListRoleTags",
				"kms:DescribeKey", "kms:ListAliases", "logs:DescribeLogGroups", "logs:ListTagsForResource", "servicequotas:Get*", "servicequotas:List*",
			},
			Resource: all,
		},
		iam.Statement{
			Sid:    "Network",
			Effect: iam.Allow,
			Action: iam.Values{
				"ec2:AllocateAddress", "ec2:AssociateAddress", "ec2:AssociateRouteTable", "ec2:AttachInternetGateway",
				"ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress",
				"ec2:CreateFlowLogs", "ec2:CreateInternetGateway", "ec2:CreateNatGateway", "ec2:CreateRoute", "ec2:CreateRouteTable",
				"ec2:CreateSecurityGroup", "ec2:CreateSubnet", "ec2:CreateTags", "ec2:CreateVpc", "ec2:CreateVpcEndpoint",
				"ec2:ModifySecurityGroupRules", "ec2:ModifySubnetAttribute", "ec2:ModifyVpcAttribute", "ec2:ModifyVpcEndpoint",
				"ec2:ReplaceRoute", "ec2:ReplaceRouteTableAssociation",
				"ec2:UpdateSecurityGroupRuleDescriptionsEgress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
			},
			Resource: all,
		},
		// An interface endpoint answers under AWS's own names by a hosted zone
		// of AWS's, which EC2 joins to the VPC in the name of who makes it.
		// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
		iam.Statement{
			Sid:      "NamesOfEndpoints",
			Effect:   iam.Allow,
			Action:   iam.Values{"route53:AssociateVPCWithHostedZone"},
			Resource: iam.Values{"arn:aws:route53:::hostedzone/*"},
		},
		iam.Statement{Sid: "NetworkAway", Effect: iam.Allow, Action: networkAway(), Resource: all},
		iam.Statement{
			// A managed node group checks its launch template by a dry run of
			// RunInstances with the credentials of who makes the group.
			Sid:    "Nodes",
			Effect: iam.Allow,
			Action: iam.Values{
				"ec2:CreateLaunchTemplate", "ec2:CreateLaunchTemplateVersion", "ec2:DeleteLaunchTemplate", "ec2:ModifyLaunchTemplate",
				"ec2:RunInstances",
			},
			Resource: all,
		},
		iam.Statement{
			Sid:    "Cluster",
			Effect: iam.Allow,
			Action: iam.Values{
				"eks:AssociateAccessPolicy", "eks:AssociateEncryptionConfig", "eks:AssociateIdentityProviderConfig",
				"eks:CreateAccessEntry", "eks:CreateAddon", "eks:CreateCluster", "eks:CreateNodegroup", "eks:CreatePodIdentityAssociation",
				"eks:TagResource", "eks:UntagResource", "eks:UpdateAccessEntry", "eks:UpdateAddon", "eks:UpdateClusterConfig",
				"eks:UpdateClusterVersion", "eks:UpdateNodegroupConfig", "eks:UpdateNodegroupVersion", "eks:UpdatePodIdentityAssociation",
			},
			Resource: iam.Values{a.regional("eks", "*")},
		},
		iam.Statement{
			Sid:      "ClusterAway",
			Effect:   iam.Allow,
			Action:   clusterAway(),
			Resource: iam.Values{a.regional("eks", "*")},
		},
		iam.Statement{
			Sid:    "Logs",
			Effect: iam.Allow,
			Action: iam.Values{
				"logs:AssociateKmsKey", "logs:CreateLogDelivery", "logs:CreateLogGroup", "logs:DeleteLogDelivery",
				"logs:DeleteLogGroup", "logs:DeleteRetentionPolicy", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource",
			},
			Resource: iam.Values{a.regional("logs", "*")},
		},
		// The node image's id and the versions of add-ons, which AWS publishes.
		iam.Statement{
			Sid:      "NodeImages",
			Effect:   iam.Allow,
			Action:   iam.Values{"ssm:GetParameter", "ssm:GetParameters"},
			Resource: iam.Values{"arn:aws:ssm:" + a.Region + "::parameter/aws/service/*"},
		},
		// EKS and EBS take their own grants on the org's keys, in the name of
		// who makes the cluster.
		iam.Statement{
			Sid:      "GrantsByServices",
			Effect:   iam.Allow,
			Action:   iam.Values{"kms:CreateGrant"},
			Resource: iam.Values{a.regional("kms", "key/*")},
			Condition: iam.Condition{
				"Bool":                     {"kms:GrantIsForAWSResource": {"true"}},
				"ForAnyValue:StringEquals": {"kms:ResourceAliases": {a.DataKeyAlias, a.LogKeyAlias}},
			},
		},
		iam.Statement{
			Sid:       "RolesInsideTheBoundary",
			Effect:    iam.Allow,
			Action:    iam.Values{"iam:CreateRole", "iam:PutRolePermissionsBoundary"},
			Resource:  iam.Values{a.roleARN(a.RolePrefix + "*")},
			Condition: iam.Condition{"StringEquals": {"iam:PermissionsBoundary": {a.boundaryARN()}}},
		},
		iam.Statement{
			Sid:    "Roles",
			Effect: iam.Allow,
			Action: iam.Values{
				"iam:DeleteRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
				"iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
			},
			Resource: iam.Values{a.roleARN(a.RolePrefix + "*")},
		},
		iam.Statement{
			Sid:      "PoliciesOfAWS",
			Effect:   iam.Allow,
			Action:   iam.Values{"iam:AttachRolePolicy", "iam:DetachRolePolicy"},
			Resource: iam.Values{a.roleARN(a.RolePrefix + "*")},
			Condition: iam.Condition{"ArnLike": {"iam:PolicyARN": {
				"arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
				"arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
				"arn:aws:iam::aws:policy/AmazonEKS*",
				"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
				"arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
			}}},
		},
		iam.Statement{
			Sid:      "PoliciesOfPods",
			Effect:   iam.Allow,
			Action:   iam.Values{"iam:AttachRolePolicy", "iam:DetachRolePolicy"},
			Resource: iam.Values{a.roleARN(a.RolePrefix + "pod-*")},
			Condition: iam.Condition{
				"ArnLike":    {"iam:PolicyARN": {"arn:aws:iam::aws:policy/*"}},
				"ArnNotLike": {"iam:PolicyARN": iam.Administrators()},
			},
		},
		iam.Statement{
			Sid:      "RolesForServices",
			Effect:   iam.Allow,
			Action:   iam.Values{"iam:PassRole"},
			Resource: iam.Values{a.roleARN(a.RolePrefix + "*")},
			Condition: iam.Condition{"StringEquals": {"iam:PassedToService": {
				"ec2.amazonaws.com", "eks.amazonaws.com", "pods.eks.amazonaws.com", "vpc-flow-logs.amazonaws.com",
			}}},
		},
		iam.Statement{
			Sid:      "ServiceLinkedRoles",
			Effect:   iam.Allow,
			Action:   iam.Values{"iam:CreateServiceLinkedRole"},
			Resource: iam.Values{a.roleARN("aws-service-role/*")},
			Condition: iam.Condition{"StringEquals": {"iam:AWSServiceName": {
				"autoscaling.amazonaws.com", "eks-nodegroup.amazonaws.com", "eks.amazonaws.com",
				"elasticloadbalancing.amazonaws.com", "spot.amazonaws.com",
			}}},
		},
	)...)
}

// ReadPolicy returns what the read role may do beyond AWS's ViewOnlyAccess and
// SecurityAudit: what a refresh reads and those two leave out. It also denies
// what customers own, because AWS widens its policies without asking: the read
// role reads how things are set, and never what is in them.
func ReadPolicy() iam.Document {
	return iam.New(
		iam.Statement{
			Sid:    "Refresh",
			Effect: iam.Allow,
			Action: iam.Values{
				"access-analyzer:Get*", "access-analyzer:List*", "autoscaling:Describe*", "cloudtrail:Describe*", "cloudtrail:Get*", "cloudtrail:List*",
				"ec2:Describe*", "ec2:GetEbsDefaultKmsKeyId", "ec2:GetEbsEncryptionByDefault", "ec2:GetInstanceMetadataDefaults",
				"ec2:GetSnapshotBlockPublicAccessState",
				"ecr:Describe*", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy", "ecr:ListTagsForResource",
				"eks:Describe*", "eks:List*", "elasticloadbalancing:Describe*", "iam:Get*", "iam:List*",
				"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListAliases", "kms:ListGrants", "kms:ListKeys", "kms:ListResourceTags",
				"logs:DescribeLogGroups", "logs:ListTagsForResource", "s3:GetAccelerateConfiguration", "s3:GetAccountPublicAccessBlock", "s3:GetBucket*", "s3:GetEncryptionConfiguration",
				"s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListAllMyBuckets", "s3:ListBucket",
				"servicequotas:Get*", "servicequotas:List*", "tag:GetResources",
			},
			Resource: iam.Values{"*"},
		},
		// What is shared is listed by each service's own calls: an audit takes
		// nothing for closed that it could not read.
		iam.Statement{
			Sid:    "Sharing",
			Effect: iam.Allow,
			Action: iam.Values{
				"acm-pca:GetPolicy", "acm-pca:ListCertificateAuthorities", "acm-pca:ListPermissions", "athena:GetWorkGroup", "athena:ListTagsForResource",
				"athena:ListWorkGroups", "auditmanager:ListAssessmentFrameworkShareRequests", "backup:DescribeReportPlan", "backup:GetBackupPlan",
				"backup:GetBackupVaultAccessPolicy", "backup:ListBackupPlans", "backup:ListBackupVaults", "backup:ListReportPlans", "backup:ListTags",
				"bedrock:GetDataSource", "bedrock:GetKnowledgeBase", "bedrock:ListDataSources", "bedrock:ListKnowledgeBases", "bedrock:ListTagsForResource",
				"cleanrooms:ListCollaborations", "cleanrooms:ListMembers", "cloudformation:GetResource", "cloudformation:ListResources",
				"cloudwatch:DescribeAlarms", "cloudwatch:GetMetricStream", "cloudwatch:ListMetricStreams", "codeartifact:GetDomainPermissionsPolicy",
				"codeartifact:GetRepositoryPermissionsPolicy", "codeartifact:ListDomains", "codeartifact:ListRepositories", "codebuild:GetResourcePolicy",
				"codebuild:ListProjects", "codebuild:ListReportGroups", "config:DescribeAggregationAuthorizations", "config:DescribeConfigurationAggregators",
				"config:ListTagsForResource", "detective:ListGraphs", "detective:ListInvitations", "detective:ListMembers", "directconnect:DescribeConnections",
				"directconnect:DescribeDirectConnectGatewayAssociationProposals", "directconnect:DescribeDirectConnectGatewayAssociations",
				"directconnect:DescribeDirectConnectGatewayAttachments", "directconnect:DescribeDirectConnectGateways", "directconnect:DescribeLags",
				"directconnect:DescribeVirtualInterfaces", "dlm:GetLifecyclePolicies", "dlm:GetLifecyclePolicy", "dms:DescribeEndpoints", "dms:ListTagsForResource",
				"ds:DescribeDirectories", "ds:DescribeSharedDirectories", "dynamodb:DescribeExport", "dynamodb:DescribeTable", "dynamodb:GetResourcePolicy",
				"dynamodb:ListExports", "dynamodb:ListImports", "dynamodb:ListTables", "ecr-public:DescribeRepositories", "ecr-public:GetRepositoryPolicy",
				"ecr:GetRegistryPolicy", "elasticfilesystem:DescribeFileSystemPolicy", "elasticfilesystem:DescribeFileSystems", "es:DescribeDomains",
				"es:DescribeOutboundConnections", "es:ListDomainNames", "es:ListVpcEndpointAccess", "events:ListEventBuses", "events:ListRules",
				"events:ListTargetsByRule", "firehose:DescribeDeliveryStream", "firehose:ListDeliveryStreams", "glacier:GetVaultAccessPolicy",
				"glacier:GetVaultLock", "glacier:ListVaults", "globalaccelerator:ListCrossAccountAttachments", "globalaccelerator:ListCrossAccountResourceAccounts",
				"glue:GetCrawlers", "glue:GetDatabases", "glue:GetMLTransforms", "glue:GetResourcePolicies", "glue:GetTables", "glue:ListDataQualityRulesets",
				"grafana:DescribeWorkspace", "grafana:DescribeWorkspaceAuthentication", "grafana:DescribeWorkspaceConfiguration", "grafana:ListTagsForResource",
				"grafana:ListWorkspaces", "guardduty:GetAdministratorAccount", "guardduty:ListDetectors", "guardduty:ListInvitations", "guardduty:ListMembers",
				"imagebuilder:GetDistributionConfiguration", "imagebuilder:ListDistributionConfigurations", "inspector2:GetDelegatedAdminAccount",
				"inspector2:ListMembers", "kafka:GetClusterPolicy", "kafka:ListClustersV2", "kinesis:GetResourcePolicy", "kinesis:ListStreams",
				"lakeformation:GetDataLakeSettings", "lakeformation:ListDataCellsFilter", "lakeformation:ListLakeFormationOptIns", "lakeformation:ListPermissions",
				"lambda:GetLayerVersionPolicy", "lambda:GetPolicy", "lambda:ListEventSourceMappings", "lambda:ListFunctionEventInvokeConfigs",
				"lambda:ListFunctionUrlConfigs", "lambda:ListFunctions", "lambda:ListLayerVersions", "lambda:ListLayers", "license-manager:ListDistributedGrants",
				"license-manager:ListReceivedGrants", "logs:DescribeDeliveryDestinations", "logs:DescribeDestinations", "logs:DescribeResourcePolicies",
				"logs:DescribeSubscriptionFilters", "logs:GetDeliveryDestinationPolicy", "macie2:GetAdministratorAccount", "macie2:ListClassificationJobs",
				"macie2:ListInvitations", "macie2:ListMembers", "network-firewall:DescribeResourcePolicy", "network-firewall:ListFirewallPolicies",
				"network-firewall:ListRuleGroups", "networkmanager:ListAttachments", "networkmanager:ListCoreNetworks", "networkmanager:ListPeerings",
				"oam:GetSinkPolicy", "oam:ListAttachedLinks", "oam:ListLinks", "oam:ListSinks", "pipes:ListPipes", "ram:GetResourceShareAssociations",
				"ram:GetResourceShareInvitations", "ram:GetResourceShares", "rds:DescribeDBClusterSnapshotAttributes", "rds:DescribeDBClusterSnapshots",
				"rds:DescribeDBSnapshotAttributes", "rds:DescribeDBSnapshots", "redshift-serverless:GetResourcePolicy", "redshift-serverless:ListNamespaces",
				"redshift-serverless:ListSnapshots", "redshift:DescribeClusters", "redshift:DescribeDataShares", "redshift:DescribeEndpointAccess",
				"redshift:DescribeEndpointAuthorization", "redshift:GetResourcePolicy", "rolesanywhere:ListTrustAnchors", "route53:GetHostedZone",
				"route53:ListHostedZones", "route53:ListHostedZonesByVPC", "route53:ListVPCAssociationAuthorizations", "route53profiles:ListProfileAssociations",
				"route53profiles:ListProfiles", "route53resolver:ListResolverQueryLogConfigs", "route53resolver:ListResolverRuleAssociations",
				"route53resolver:ListResolverRules", "s3:GetAccessGrantsInstanceResourcePolicy", "s3:GetAccessPointPolicy",
				"s3:GetAccessPointPolicyForObjectLambda", "s3:GetAnalyticsConfiguration", "s3:GetInventoryConfiguration", "s3:GetMultiRegionAccessPointPolicy",
				"s3:GetStorageLensConfiguration", "s3:GetStorageLensConfigurationTagging", "s3:ListAccessGrants", "s3:ListAccessGrantsInstances",
				"s3:ListAccessPoints", "s3:ListAccessPointsForObjectLambda", "s3:ListMultiRegionAccessPoints", "s3:ListStorageLensConfigurations",
				"s3tables:GetTableBucketPolicy", "s3tables:GetTablePolicy", "s3tables:ListTableBuckets", "s3tables:ListTables", "sagemaker:DescribeApp",
				"sagemaker:DescribeDomain", "sagemaker:DescribeImage", "sagemaker:DescribeImageVersion", "sagemaker:DescribeModelPackageGroup",
				"sagemaker:DescribeUserProfile", "sagemaker:GetModelPackageGroupPolicy", "sagemaker:ListDomains", "sagemaker:ListModelPackageGroups",
				"sagemaker:ListTags", "scheduler:GetSchedule", "scheduler:ListSchedules", "schemas:GetResourcePolicy", "schemas:ListRegistries",
				"secretsmanager:GetResourcePolicy", "secretsmanager:ListSecrets", "securityhub:GetAdministratorAccount", "securityhub:ListInvitations",
				"securityhub:ListMembers", "servicecatalog:DescribePortfolioShares", "servicecatalog:ListAcceptedPortfolioShares", "servicecatalog:ListPortfolios",
				"servicecatalog:ListPrincipalsForPortfolio", "servicediscovery:ListNamespaces", "servicediscovery:ListServices", "ses:GetEmailIdentityPolicies",
				"ses:ListEmailIdentities", "signer:GetSigningProfile", "signer:ListProfilePermissions", "signer:ListSigningProfiles", "sns:GetTopicAttributes",
				"sns:ListSubscriptions", "sns:ListSubscriptionsByTopic", "sns:ListTopics", "sqs:GetQueueAttributes", "sqs:ListQueues",
				"ssm-incidents:GetResourcePolicies", "ssm-incidents:ListReplicationSets", "ssm-incidents:ListResponsePlans", "ssm:DescribeDocumentPermission",
				"ssm:ListDocuments", "vpc-lattice:GetAuthPolicy", "vpc-lattice:GetResourcePolicy", "vpc-lattice:ListResourceConfigurations",
				"vpc-lattice:ListServiceNetworkResourceAssociations", "vpc-lattice:ListServiceNetworkServiceAssociations",
				"vpc-lattice:ListServiceNetworkVpcAssociations", "vpc-lattice:ListServiceNetworks", "vpc-lattice:ListServices", "xray:ListResourcePolicies",
			},
			Resource: iam.Values{"*"},
		},
		// The keys of an API are read by the same action, and are no setting.
		iam.Statement{Sid: "SharingOfAPIs", Effect: iam.Allow, Action: iam.Values{"apigateway:GET"}, Resource: iam.Values{"arn:aws:apigateway:*::/domainnames", "arn:aws:apigateway:*::/restapis"}},
		iam.Statement{
			Sid:    "NoData",
			Effect: iam.Deny,
			Action: iam.Values{
				"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
				"kms:Decrypt", "kms:GenerateDataKey*", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetLogRecord", "logs:StartLiveTail", "logs:StartQuery",
				"s3:GetObject*", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "sqs:ReceiveMessage", "ssm:GetParameter*",
			},
			Resource: iam.Values{"*"},
		},
	)
}

// BootstrapPolicy returns what the bootstrap role may do in AWS: find the
// cluster and speak to its API. What it may do there, the cluster's access
// entry says.
func BootstrapPolicy(a Args) iam.Document {
	return iam.New(iam.Statement{
		Sid:      "Cluster",
		Effect:   iam.Allow,
		Action:   iam.Values{"eks:AccessKubernetesApi", "eks:DescribeCluster"},
		Resource: iam.Values{a.regional("eks", "cluster/*")},
	})
}

// OffboardPolicy returns what the offboard role may do: find and take away
// the cluster, its network and what controllers left there. It makes nothing,
// and keys, buckets and the trail are out of its reach: the boundary layer
// takes those away itself, last.
func OffboardPolicy(a Args) iam.Document {
	all := iam.Values{"*"}
	return iam.New(
		iam.Statement{
			Sid:    "Look",
			Effect: iam.Allow,
			Action: iam.Values{
				"autoscaling:Describe*", "ec2:Describe*", "eks:Describe*", "eks:List*", "elasticloadbalancing:Describe*",
				"iam:GetInstanceProfile", "iam:GetRole", "iam:GetRolePolicy", "iam:List*",
				"kms:DescribeKey", "kms:ListAliases", "logs:DescribeLogGroups", "logs:ListTagsForResource", "tag:GetResources",
			},
			Resource: all,
		},
		iam.Statement{Sid: "NetworkAway", Effect: iam.Allow, Action: networkAway(), Resource: all},
		iam.Statement{
			Sid:    "LeftoversAway",
			Effect: iam.Allow,
			Action: iam.Values{
				"autoscaling:DeleteAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup",
				"ec2:DeleteLaunchTemplate", "ec2:DeleteSnapshot", "ec2:DeleteVolume", "ec2:DetachVolume", "ec2:TerminateInstances",
				"elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteRule",
				"elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:DeregisterTargets",
			},
			Resource: all,
		},
		iam.Statement{
			// Deletion protection is cleared by an update of the cluster.
			Sid:      "ClusterAway",
			Effect:   iam.Allow,
			Action:   append(clusterAway(), "eks:UpdateClusterConfig"),
			Resource: iam.Values{a.regional("eks", "*")},
		},
		iam.Statement{
			Sid:      "LogsAway",
			Effect:   iam.Allow,
			Action:   iam.Values{"logs:DeleteLogDelivery", "logs:DeleteLogGroup"},
			Resource: iam.Values{a.regional("logs", "*")},
		},
		iam.Statement{
			Sid:      "RolesAway",
			Effect:   iam.Allow,
			Action:   iam.Values{"iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:RemoveRoleFromInstanceProfile"},
			Resource: iam.Values{a.roleARN(a.RolePrefix + "*"), "arn:aws:iam::" + a.AccountID + ":instance-profile/*"},
		},
		iam.Statement{
			Sid:      "InstanceProfilesAway",
			Effect:   iam.Allow,
			Action:   iam.Values{"iam:DeleteInstanceProfile"},
			Resource: iam.Values{"arn:aws:iam::" + a.AccountID + ":instance-profile/*"},
		},
	)
}

// networkAway takes a network apart: an update replaces parts of it, and
// offboarding all of it. With a subnet or a security group the provider takes
// away the interfaces that services like Lambda left in it, which would hold it.
func networkAway() iam.Values {
	return iam.Values{
		"ec2:DeleteFlowLogs", "ec2:DeleteInternetGateway", "ec2:DeleteNatGateway",
		"ec2:DeleteNetworkInterface", "ec2:DeleteRoute", "ec2:DeleteRouteTable", "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet",
		"ec2:DeleteTags", "ec2:DeleteVpc", "ec2:DeleteVpcEndpoints", "ec2:DetachInternetGateway", "ec2:DetachNetworkInterface",
		"ec2:DisassociateAddress", "ec2:DisassociateRouteTable", "ec2:ReleaseAddress",
		"ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
	}
}

// clusterAway takes a cluster apart.
func clusterAway() iam.Values {
	return iam.Values{
		"eks:DeleteAccessEntry", "eks:DeleteAddon", "eks:DeleteCluster", "eks:DeleteNodegroup", "eks:DeletePodIdentityAssociation",
		"eks:DisassociateAccessPolicy", "eks:DisassociateIdentityProviderConfig",
	}
}
