package iamcalls

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/awstype"
)

// sharingRoutes are the REST calls of the services that only an audit asks what
// they share. The paths are those of AWS's models of the services.
var sharingRoutes = map[string][]endpoint{
	"apigateway": {{"GET", "/restapis", "GET"}, {"GET", "/domainnames", "GET"}},
	"backup": {
		{"GET", "/backup-vaults", "ListBackupVaults"}, {"GET", "/backup-vaults/{BackupVaultName}/access-policy", "GetBackupVaultAccessPolicy"},
		{"GET", "/backup/plans", "ListBackupPlans"}, {"GET", "/backup/plans/{BackupPlanId}", "GetBackupPlan"},
	},
	"codeartifact": {
		{"POST", "/v1/domains", "ListDomains"}, {"GET", "/v1/domain/permissions/policy", "GetDomainPermissionsPolicy"},
		{"POST", "/v1/repositories", "ListRepositories"}, {"GET", "/v1/repository/permissions/policy", "GetRepositoryPermissionsPolicy"},
	},
	"elasticfilesystem": {
		{"GET", "/2015-02-01/file-systems", "DescribeFileSystems"}, {"GET", "/2015-02-01/file-systems/{FileSystemId}/policy", "DescribeFileSystemPolicy"},
	},
	"es": {
		{"GET", "/2021-01-01/domain", "ListDomainNames"}, {"POST", "/2021-01-01/opensearch/domain-info", "DescribeDomains"},
		{"GET", "/2021-01-01/opensearch/domain/{DomainName}/listVpcEndpointAccess", "ListVpcEndpointAccess"},
		{"POST", "/2021-01-01/opensearch/cc/outboundConnection/search", "DescribeOutboundConnections"},
	},
	"glacier": {{"GET", "/{accountId}/vaults", "ListVaults"}, {"GET", "/{accountId}/vaults/{vaultName}/access-policy", "GetVaultAccessPolicy"}, {"GET", "/{accountId}/vaults/{vaultName}/lock-policy", "GetVaultLock"}},
	"lakeformation": {
		{"POST", "/ListPermissions", "ListPermissions"}, {"POST", "/GetDataLakeSettings", "GetDataLakeSettings"},
		{"POST", "/ListDataCellsFilter", "ListDataCellsFilter"}, {"POST", "/ListLakeFormationOptIns", "ListLakeFormationOptIns"},
	},
	"lambda": {
		{"GET", "/2015-03-31/functions", "ListFunctions"}, {"GET", "/2015-03-31/functions/{FunctionName}/policy", "GetPolicy"},
		{"GET", "/2021-10-31/functions/{FunctionName}/urls", "ListFunctionUrlConfigs"},
		{"GET", "/2019-09-25/functions/{FunctionName}/event-invoke-config/list", "ListFunctionEventInvokeConfigs"},
		{"GET", "/2018-10-31/layers", "ListLayers"}, {"GET", "/2018-10-31/layers/{LayerName}/versions", "ListLayerVersions"},
		{"GET", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy", "GetLayerVersionPolicy"},
		{"GET", "/2015-03-31/event-source-mappings", "ListEventSourceMappings"},
	},
	"ram": {
		{"POST", "/getresourceshares", "GetResourceShares"}, {"POST", "/getresourceshareassociations", "GetResourceShareAssociations"},
		{"POST", "/getresourceshareinvitations", "GetResourceShareInvitations"},
	},
	"auditmanager": {
		{"GET", "/assessmentFrameworkShareRequests", "ListAssessmentFrameworkShareRequests"},
	},
	"cleanrooms": {
		{"GET", "/collaborations", "ListCollaborations"},
		{"GET", "/collaborations/{collaborationIdentifier}/members", "ListMembers"},
	},
	"detective": {
		{"POST", "/graphs/list", "ListGraphs"},
		{"POST", "/invitations/list", "ListInvitations"},
		{"POST", "/graph/members/list", "ListMembers"},
	},
	"dlm": {
		{"GET", "/policies", "GetLifecyclePolicies"},
		{"GET", "/policies/{PolicyId}", "GetLifecyclePolicy"},
	},
	"guardduty": {
		{"GET", "/detector/{DetectorId}/administrator", "GetAdministratorAccount"},
		{"GET", "/detector", "ListDetectors"},
		{"GET", "/invitation", "ListInvitations"},
		{"GET", "/detector/{DetectorId}/member", "ListMembers"},
	},
	"imagebuilder": {
		{"GET", "/GetDistributionConfiguration", "GetDistributionConfiguration"},
		{"POST", "/ListDistributionConfigurations", "ListDistributionConfigurations"},
	},
	"inspector2": {
		{"POST", "/delegatedadminaccounts/get", "GetDelegatedAdminAccount"},
		{"POST", "/members/list", "ListMembers"},
	},
	"kafka": {
		{"GET", "/v1/clusters/{ClusterArn}/policy", "GetClusterPolicy"},
		{"GET", "/api/v2/clusters", "ListClustersV2"},
	},
	"macie2": {
		{"GET", "/administrator", "GetAdministratorAccount"},
		{"GET", "/invitations", "ListInvitations"},
		{"GET", "/members", "ListMembers"},
		{"POST", "/jobs/list", "ListClassificationJobs"},
	},
	"networkmanager": {
		{"GET", "/attachments", "ListAttachments"},
		{"GET", "/core-networks", "ListCoreNetworks"},
		{"GET", "/peerings", "ListPeerings"},
	},
	"oam": {
		{"POST", "/GetSinkPolicy", "GetSinkPolicy"},
		{"POST", "/ListAttachedLinks", "ListAttachedLinks"},
		{"POST", "/ListLinks", "ListLinks"},
		{"POST", "/ListSinks", "ListSinks"},
	},
	"pipes": {
		{"GET", "/v1/pipes", "ListPipes"},
	},
	"route53profiles": {
		{"GET", "/profileassociations", "ListProfileAssociations"},
		{"GET", "/profiles", "ListProfiles"},
	},
	"s3tables": {
		{"GET", "/buckets/{tableBucketARN}/policy", "GetTableBucketPolicy"},
		{"GET", "/tables/{tableBucketARN}/{namespace}/{name}/policy", "GetTablePolicy"},
		{"GET", "/buckets", "ListTableBuckets"},
		{"GET", "/tables/{tableBucketARN}", "ListTables"},
	},
	"scheduler": {
		{"GET", "/schedules/{Name}", "GetSchedule"},
		{"GET", "/schedules", "ListSchedules"},
	},
	"schemas": {
		{"GET", "/v1/policy", "GetResourcePolicy"},
		{"GET", "/v1/registries", "ListRegistries"},
	},
	"securityhub": {
		{"GET", "/administrator", "GetAdministratorAccount"},
		{"GET", "/invitations", "ListInvitations"},
		{"GET", "/members", "ListMembers"},
	},
	"ses": {
		{"GET", "/v2/email/identities/{EmailIdentity}/policies", "GetEmailIdentityPolicies"},
		{"POST", "/v2/email/list-identities", "ListEmailIdentities"},
	},
	"ssm-incidents": {
		{"POST", "/getResourcePolicies", "GetResourcePolicies"},
		{"POST", "/listReplicationSets", "ListReplicationSets"},
		{"POST", "/listResponsePlans", "ListResponsePlans"},
	},
	"vpc-lattice": {
		{"GET", "/authpolicy/{resourceIdentifier}", "GetAuthPolicy"},
		{"GET", "/resourcepolicy/{resourceArn}", "GetResourcePolicy"},
		{"GET", "/resourceconfigurations", "ListResourceConfigurations"},
		{"GET", "/servicenetworkresourceassociations", "ListServiceNetworkResourceAssociations"},
		{"GET", "/servicenetworkserviceassociations", "ListServiceNetworkServiceAssociations"},
		{"GET", "/servicenetworkvpcassociations", "ListServiceNetworkVpcAssociations"},
		{"GET", "/servicenetworks", "ListServiceNetworks"},
		{"GET", "/services", "ListServices"},
	},
	"xray": {
		{"POST", "/ListResourcePolicies", "ListResourcePolicies"},
	},
	"rolesanywhere": {{"GET", "/trustanchors", "ListTrustAnchors"}},
	"route53": {
		{"GET", "/2013-04-01/hostedzone", "ListHostedZones"}, {"GET", "/2013-04-01/hostedzone/{Id}", "GetHostedZone"},
		{"GET", "/2013-04-01/hostedzonesbyvpc", "ListHostedZonesByVPC"},
		{"GET", "/2013-04-01/hostedzone/{HostedZoneId}/authorizevpcassociation", "ListVPCAssociationAuthorizations"},
	},
}

// sharingRule is what IAM checks for a call by which an audit lists what is
// shared: its one action, on whatever there is.
func sharingRule(c call) (rule, bool) {
	action := c.prefix + ":" + c.operation
	if !slices.Contains(awstype.SharingCalls(), action) {
		return rule{}, false
	}
	if action == "apigateway:GET" {
		return rule{on: func(c call) []string { return []string{"arn:aws:apigateway:" + c.Region + "::" + c.Path} }}, true
	}
	return rule{}, true
}

// rpcOperation is the operation of a call of Smithy's RPC protocol, whose body
// is no JSON.
func rpcOperation(path string) (string, bool) {
	rest, is := strings.CutPrefix(path, "/service/")
	_, operation, named := strings.Cut(rest, "/operation/")
	return operation, is && named
}
