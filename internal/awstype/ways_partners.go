package awstype

// declaredOnly says of a way that no account is asked about it.
const declaredOnly = "an audit reads it in states only: the service is none that a data plane or its workloads need, and each further service is a call and a permission in every account"

// copyWays: what copies data out, or lets others read it, of services that a
// data plane seldom has.
var copyWays = []Way{
	declared("snapshot-lifecycle", "Lifecycle policies that share snapshots", "https://docs.aws.amazon.com/dlm/latest/APIReference/API_GetLifecyclePolicy.html",
		[]string{"FH417"}, "aws:dlm/lifecyclePolicy:LifecyclePolicy"),
	declared("image-distribution", "Distributions of EC2 Image Builder", "https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_GetDistributionConfiguration.html",
		[]string{"FH411"}, "aws:imagebuilder/distributionConfiguration:DistributionConfiguration"),
	declared("stream-copy", "Metric streams, delivery streams, pipes and schedules", "https://docs.aws.amazon.com/firehose/latest/APIReference/API_DescribeDeliveryStream.html",
		[]string{"FH412", "FH414"}, "aws:cloudwatch/metricStream:MetricStream", "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream", "aws:pipes/pipe:Pipe", "aws:scheduler/schedule:Schedule"),
	declared("document-share", "Documents of Systems Manager", "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeDocumentPermission.html",
		[]string{"FH308", "FH417"}, "aws:ssm/document:Document"),
	declared("warehouse-share", "Data shares and endpoints of Redshift", "https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeDataShares.html",
		[]string{"FH305", "FH308", "FH417", "FH418"}, "aws:redshift/dataShareAuthorization:DataShareAuthorization", "aws:redshift/dataShareConsumerAssociation:DataShareConsumerAssociation",
		"aws:redshift/endpointAccess:EndpointAccess", "aws:redshift/endpointAuthorization:EndpointAuthorization", "aws:redshift/resourcePolicy:ResourcePolicy", "aws:redshiftserverless/resourcePolicy:ResourcePolicy"),
	declared("table-bucket", "Policies of S3 table buckets and their tables", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_s3TableBuckets_GetTableBucketPolicy.html",
		[]string{"FH305"}, "aws:s3tables/tableBucketPolicy:TableBucketPolicy", "aws:s3tables/tablePolicy:TablePolicy"),
	declared("portfolio-share", "Portfolios of Service Catalog", "https://docs.aws.amazon.com/servicecatalog/latest/dg/API_ListPortfolioAccess.html",
		[]string{"FH308", "FH418"}, "aws:servicecatalog/portfolioShare:PortfolioShare", "aws:servicecatalog/principalPortfolioAssociation:PrincipalPortfolioAssociation", "aws:servicecatalog/organizationsAccess:OrganizationsAccess"),
	declared("service-policy", "Policies of services that seldom have one", "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html",
		[]string{"FH305"}, "aws:codebuild/resourcePolicy:ResourcePolicy", "aws:mediastore/containerPolicy:ContainerPolicy", "aws:msk/clusterPolicy:ClusterPolicy",
		"aws:networkfirewall/resourcePolicy:ResourcePolicy", "aws:schemas/registryPolicy:RegistryPolicy", "aws:ses/identityPolicy:IdentityPolicy",
		"aws:sesv2/emailIdentityPolicy:EmailIdentityPolicy", "aws:ssmincidents/responsePlan:ResponsePlan", "aws:xray/resourcePolicy:ResourcePolicy"),
}

// memberWays: what is of use only between two accounts.
var memberWays = []Way{
	declared("direct-connect", "Direct Connect gateways and interfaces of other accounts", "https://docs.aws.amazon.com/directconnect/latest/APIReference/API_DescribeDirectConnectGatewayAssociations.html",
		[]string{"FH409"}, "aws:directconnect/*"),
	declared("service-network", "VPC Lattice and Cloud Map", "https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_ListServiceNetworkVpcAssociations.html",
		[]string{"FH305", "FH410"}, "aws:vpclattice/*", "aws:vpclattice/authPolicy:AuthPolicy", "aws:vpclattice/resourcePolicy:ResourcePolicy", "aws:servicediscovery/*"),
	declared("profile", "Route 53 profiles", "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53profiles_ListProfileAssociations.html",
		[]string{"FH407"}, "aws:route53/profilesAssociation:ProfilesAssociation"),
	declared("member", "Members and invitations of services that join accounts", "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html",
		[]string{"FH308", "FH418"}, "aws:auditmanager/frameworkShare:FrameworkShare", "aws:cfg/aggregateAuthorization:AggregateAuthorization", "aws:cleanrooms/*",
		"aws:detective/invitationAccepter:InvitationAccepter", "aws:detective/member:Member", "aws:globalaccelerator/crossAccountAttachment:CrossAccountAttachment",
		"aws:guardduty/inviteAccepter:InviteAccepter", "aws:guardduty/member:Member", "aws:inspector2/memberAssociation:MemberAssociation",
		"aws:licensemanager/licenseGrant:LicenseGrant", "aws:licensemanager/licenseGrantAccepter:LicenseGrantAccepter", "aws:macie2/invitationAccepter:InvitationAccepter",
		"aws:macie2/member:Member", "aws:oam/*", "aws:organizations/delegatedAdministrator:DelegatedAdministrator", "aws:securityhub/inviteAccepter:InviteAccepter",
		"aws:securityhub/member:Member"),
}

// declared is a way that only states show.
func declared(id, title, source string, rules []string, tokens ...string) Way {
	return Way{ID: id, Title: title, Source: source, Rules: rules, Also: tokens, Unlisted: declaredOnly}
}
