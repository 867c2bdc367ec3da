package awstype

// The types of clusters and of what is in them.
const (
	EKSCluster                   = "aws:eks/cluster:Cluster"
	EKSNodeGroup                 = "aws:eks/nodeGroup:NodeGroup"
	EKSAddon                     = "aws:eks/addon:Addon"
	EKSAccessEntry               = "aws:eks/accessEntry:AccessEntry"
	EKSAccessPolicyAssociation   = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
	EKSPodIdentityAssociation    = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
	EKSFargateProfile            = "aws:eks/fargateProfile:FargateProfile"
	EKSIdentityProviderConfig    = "aws:eks/identityProviderConfig:IdentityProviderConfig"
	clusters                     = "EKS clusters"
	eksTag, eksUntag             = "eks:TagResource", "eks:UntagResource"
	passRole, serviceLinked      = "iam:PassRole", "iam:CreateServiceLinkedRole"
	describeKey, createGrant     = "kms:DescribeKey", "kms:CreateGrant"
	createTags, deleteTags       = "ec2:CreateTags", "ec2:DeleteTags"
	describeFleet, describeNodes = "eks:DescribeCluster", "eks:DescribeNodegroup"
)

// eksRows: one list has a cluster and what is in it, because the cluster cannot
// go before. The roles and keys that EKS takes in its caller's name are on
// https://docs.aws.amazon.com/eks/latest/userguide/security-iam-id-based-policy-examples.html
var eksRows = []Row{
	{
		Token:   EKSCluster,
		Service: "eks",
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html",
		Kinds:   []string{"eks/cluster"},
		Quota:   "eks/L-1194D53C",
		By:      []string{"name"},
		Find:    "cluster", List: clusters, Remove: "cluster",
		Uses: []string{EC2Subnet, EC2SecurityGroup, IAMRole, KMSKey, CloudWatchLogGroup},
		Make: []string{
			"eks:CreateCluster", "eks:UpdateClusterConfig", "eks:UpdateClusterVersion", "eks:AssociateEncryptionConfig", eksTag, eksUntag,
			passRole, serviceLinked, describeKey, createGrant,
		},
		Read:   []string{describeFleet, "eks:DescribeUpdate", "eks:DescribeClusterVersions"},
		Delete: []string{"eks:DeleteCluster"},
		Look:   []string{"eks:ListClusters", describeFleet},
	},
	{
		Token:   EKSNodeGroup,
		Service: "eks",
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html",
		Kinds:   []string{"eks/nodegroup"},
		By:      []string{"clusterName", "nodeGroupName"},
		Find:    "node group", List: clusters, Remove: "node group",
		PartOf: EKSCluster,
		Uses:   []string{EC2LaunchTemplate, IAMRole},
		// EKS tries a launch template by a dry run of what it will start.
		Make: []string{
			"eks:CreateNodegroup", "eks:UpdateNodegroupConfig", "eks:UpdateNodegroupVersion", eksTag, eksUntag,
			passRole, serviceLinked, "iam:GetRole", "ec2:DescribeLaunchTemplateVersions", "ec2:RunInstances", createTags,
		},
		Read:   []string{describeNodes, "eks:DescribeUpdate"},
		Delete: []string{"eks:DeleteNodegroup"},
		Look:   []string{"eks:ListNodegroups", describeNodes},
		// https://docs.aws.amazon.com/eks/latest/APIReference/API_NodegroupScalingConfig.html
		Scaled: Between{Path: "scalingConfig.desiredSize", Least: "scalingConfig.minSize", Most: "scalingConfig.maxSize"},
	},
	{
		Token:   EKSAddon,
		Service: "eks",
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAddon.html",
		Kinds:   []string{"eks/addon"},
		By:      []string{"clusterName", "addonName"},
		Find:    "add-on", List: clusters, Remove: "add-on",
		PartOf: EKSCluster,
		Make:   []string{"eks:CreateAddon", "eks:UpdateAddon", eksTag, eksUntag, passRole},
		Read:   []string{"eks:DescribeAddon", "eks:DescribeAddonVersions", "eks:DescribeUpdate"},
		Delete: []string{"eks:DeleteAddon"},
		Look:   []string{"eks:ListAddons"},
		Slot:   []string{"clusterName", "addonName"},
	},
	{
		Token:   EKSAccessEntry,
		Service: "eks",
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html",
		Kinds:   []string{"eks/access-entry"},
		By:      []string{"clusterName", "principalArn"},
		Find:    "access entry", List: clusters, Remove: "access entry",
		PartOf: EKSCluster,
		Make:   []string{"eks:CreateAccessEntry", "eks:UpdateAccessEntry", eksTag, eksUntag},
		Read:   []string{"eks:DescribeAccessEntry"},
		Delete: []string{"eks:DeleteAccessEntry"},
		Look:   []string{"eks:ListAccessEntries", "eks:DescribeAccessEntry"},
		Slot:   []string{"clusterName", "principalArn"},
	},
	{
		Token:   EKSAccessPolicyAssociation,
		Service: "eks",
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_AssociateAccessPolicy.html",
		By:      []string{"clusterName", "principalArn", "policyArn"},
		Find:    "access policy", List: clusters, Remove: "access policy",
		PartOf:     EKSAccessEntry,
		Make:       []string{"eks:AssociateAccessPolicy"},
		Read:       []string{"eks:ListAssociatedAccessPolicies"},
		Delete:     []string{"eks:DisassociateAccessPolicy"},
		Look:       []string{"eks:ListAssociatedAccessPolicies"},
		Slot:       []string{"clusterName", "principalArn", "policyArn"},
		Overwrites: true,
	},
	{
		Token:   EKSPodIdentityAssociation,
		Service: "eks",
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html",
		Kinds:   []string{"eks/podidentityassociation"},
		By:      []string{"clusterName", "namespace", "serviceAccount"},
		Find:    "pod identity", List: clusters, Remove: "pod identity",
		PartOf: EKSCluster,
		Make: []string{
			"eks:CreatePodIdentityAssociation", "eks:UpdatePodIdentityAssociation", eksTag, eksUntag, passRole, "iam:GetRole",
		},
		Read:   []string{"eks:ListPodIdentityAssociations", "eks:DescribePodIdentityAssociation"},
		Delete: []string{"eks:DeletePodIdentityAssociation"},
		Look:   []string{"eks:ListPodIdentityAssociations"},
		Slot:   []string{"clusterName", "namespace", "serviceAccount"},
		ReadBy: "associationId",
	},
	{
		Token:   EKSFargateProfile,
		Service: "eks",
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateFargateProfile.html",
		Kinds:   []string{"eks/fargateprofile"},
		By:      []string{"clusterName", "fargateProfileName"},
		Find:    "Fargate profile", List: clusters, Remove: "Fargate profile",
		PartOf:  EKSCluster,
		Read:    []string{"eks:DescribeFargateProfile"},
		Delete:  []string{"eks:DeleteFargateProfile"},
		Look:    []string{"eks:ListFargateProfiles"},
		Foreign: "a cluster cannot go while somebody's profile is in it",
	},
	{
		Token:   EKSIdentityProviderConfig,
		Service: "eks",
		Source:  "https://docs.aws.amazon.com/eks/latest/userguide/authenticate-oidc-identity-provider.html",
		Kinds:   []string{"eks/identityproviderconfig"},
		By:      []string{"clusterName", "oidc.identityProviderConfigName"},
		Find:    "identity provider config", List: clusters, Remove: "identity provider config",
		PartOf: EKSCluster,
		Make:   []string{"eks:AssociateIdentityProviderConfig", eksTag, eksUntag},
		Read:   []string{"eks:DescribeIdentityProviderConfig"},
		Delete: []string{"eks:DisassociateIdentityProviderConfig"},
		Look:   []string{"eks:ListIdentityProviderConfigs", "eks:DescribeIdentityProviderConfig"},
		Slot:   []string{"clusterName"},
	},
}
