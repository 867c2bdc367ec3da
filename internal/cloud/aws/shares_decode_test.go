package aws

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	gocmp "github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
)

const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + theirs + `"},"Action":"*","Resource":"*"}]}`

// decoded has, for each list of a service that the emulator does not know in
// full, an answer of the shape that the API reference of its way (Source) shows.
var decoded = map[string]struct {
	answers wire
	want    []string
}{
	"snapshot lifecycle policies": {wire{
		"GET /policies": `{"Policies":[{"PolicyId":"policy-1","State":"ENABLED","PolicyType":"EBS_SNAPSHOT_MANAGEMENT"}]}`,
		"GET /policies/policy-1": `{"Policy":{"PolicyId":"policy-1","PolicyArn":"arn:aws:dlm:eu-central-1:` + own + `:policy/policy-1","PolicyDetails":{"ResourceTypes":["VOLUME"],
			"Schedules":[{"Name":"daily","ShareRules":[{"TargetAccounts":["` + theirs + `"],"UnshareInterval":3,"UnshareIntervalUnit":"DAYS"}]},{"Name":"hourly"}]}}}`,
	}, []string{`LifecyclePolicy policy-1 {"policyDetails":{"schedules":[{"name":"daily","shareRule":{"targetAccounts":["` + theirs + `"]}}]}}`}},
	"Image Builder distributions": {wire{
		"POST /ListDistributionConfigurations": `{"distributionConfigurationSummaryList":[{"arn":"arn:d","name":"golden"}]}`,
		"GET /GetDistributionConfiguration": `{"distributionConfiguration":{"arn":"arn:d","distributions":[{"region":"eu-central-1",
			"amiDistributionConfiguration":{"targetAccountIds":["` + theirs + `"],"launchPermission":{"userGroups":["all"]}},
			"launchTemplateConfigurations":[{"launchTemplateId":"lt-1","accountId":"` + theirs + `"}]}]}}`,
	}, []string{`DistributionConfiguration arn:d {"distributions":[{"amiDistributionConfiguration":{"launchPermission":{"organizationArns":null,"organizationalUnitArns":null,"userGroups":["all"],"userIds":null},"targetAccountIds":["` + theirs + `"]},"launchTemplateConfigurations":[{"accountId":"` + theirs + `","launchTemplateId":"lt-1"}],"region":"eu-central-1"}]}`}},
	"metric streams": {wire{
		"ListMetricStreams": encoded(cbor.Map{"Entries": cbor.List{cbor.Map{"Name": cbor.String("all"), "FirehoseArn": cbor.String("arn:x")}}}),
		"GetMetricStream":   encoded(cbor.Map{"Name": cbor.String("all"), "FirehoseArn": cbor.String("arn:aws:firehose:eu-central-1:" + theirs + ":deliverystream/in"), "RoleArn": cbor.String("arn:r")}),
	}, []string{`MetricStream all {"firehoseArn":"arn:aws:firehose:eu-central-1:` + theirs + `:deliverystream/in","roleArn":"arn:r"}`}},
	"delivery streams": {wire{
		"ListDeliveryStreams {}": `{"DeliveryStreamNames":["one"],"HasMoreDeliveryStreams":true}`,
		`ListDeliveryStreams {"ExclusiveStartDeliveryStreamName":"one"}`: `{"DeliveryStreamNames":["two"],"HasMoreDeliveryStreams":false}`,
		`DescribeDeliveryStream {"DeliveryStreamName":"one"}`: `{"DeliveryStreamDescription":{"DeliveryStreamName":"one","DeliveryStreamARN":"arn:one","Destinations":[{"DestinationId":"d",
			"ExtendedS3DestinationDescription":{"BucketARN":"arn:aws:s3:::theirs","S3BackupDescription":{"BucketARN":"arn:aws:s3:::also-theirs"}}}]}}`,
		`DescribeDeliveryStream {"DeliveryStreamName":"two"}`: `{"DeliveryStreamDescription":{"DeliveryStreamName":"two","DeliveryStreamARN":"arn:two","Destinations":[{"DestinationId":"d",
			"HttpEndpointDestinationDescription":{"S3DestinationDescription":{"BucketARN":"arn:aws:s3:::failed"}}}],
			"Source":{"KinesisStreamSourceDescription":{"KinesisStreamARN":"arn:aws:kinesis:eu-central-1:` + theirs + `:stream/s"}}}}`,
	}, []string{
		`FirehoseDeliveryStream arn:one {"extendedS3Configuration":{"bucketArn":"arn:aws:s3:::theirs","s3BackupConfiguration":{"bucketArn":"arn:aws:s3:::also-theirs"}}}`,
		`FirehoseDeliveryStream arn:two {"httpEndpointConfiguration":{"s3Configuration":{"bucketArn":"arn:aws:s3:::failed"}},"kinesisSourceConfiguration":{"kinesisStreamArn":"arn:aws:kinesis:eu-central-1:` + theirs + `:stream/s"}}`,
	}},
	"EventBridge pipes": {wire{
		"GET /v1/pipes": `{"Pipes":[{"Name":"out","Arn":"arn:p","Source":"arn:s","Target":"arn:aws:sqs:eu-central-1:` + theirs + `:in"}]}`,
	}, []string{`Pipe out {"source":"arn:s","target":"arn:aws:sqs:eu-central-1:` + theirs + `:in"}`}},
	"EventBridge schedules": {wire{
		"GET /schedules":       `{"Schedules":[{"Name":"night","GroupName":"default","Arn":"arn:s","Target":{"Arn":"arn:t"}}]}`,
		"GET /schedules/night": `{"Name":"night","Target":{"Arn":"arn:t","RoleArn":"arn:r","DeadLetterConfig":{"Arn":"arn:aws:sqs:eu-central-1:` + theirs + `:dead"}}}`,
	}, []string{`Schedule default/night {"target":{"arn":"arn:t","deadLetterConfig":{"arn":"arn:aws:sqs:eu-central-1:` + theirs + `:dead"},"roleArn":"arn:r"}}`}},
	"Systems Manager documents": {wire{
		`ListDocuments {"Filters":[{"Key":"Owner","Values":["Self"]}]}`:       `{"DocumentIdentifiers":[{"Name":"lent"},{"Name":"kept"}]}`,
		`DescribeDocumentPermission {"Name":"lent","PermissionType":"Share"}`: `{"AccountIds":["` + theirs + `","all"]}`,
		`DescribeDocumentPermission {"Name":"kept","PermissionType":"Share"}`: `{"AccountIds":[]}`,
	}, []string{`Document lent {"permissions":{"account_ids":"` + theirs + `,all","type":"Share"}}`}},
	"Redshift data shares, endpoints and policies": {wire{
		"DescribeDataShares": `<DescribeDataSharesResponse><DescribeDataSharesResult><DataShares>
			<member><DataShareArn>arn:aws:redshift:eu-central-1:` + own + `:datashare:ns/lent</DataShareArn><DataShareAssociations>
				<member><ConsumerIdentifier>` + theirs + `</ConsumerIdentifier><Status>AUTHORIZED</Status></member>
				<member><ConsumerIdentifier>DataCatalog/` + theirs + `</ConsumerIdentifier><Status>ACTIVE</Status></member>
				<member><ConsumerIdentifier>999999999999</ConsumerIdentifier><Status>DEAUTHORIZED</Status></member></DataShareAssociations></member>
			<member><DataShareArn>arn:aws:redshift:eu-central-1:` + theirs + `:datashare:ns/taken</DataShareArn></member>
			</DataShares></DescribeDataSharesResult></DescribeDataSharesResponse>`,
		"DescribeEndpointAccess": `<DescribeEndpointAccessResponse><DescribeEndpointAccessResult><EndpointAccessList>
			<member><EndpointName>to-them</EndpointName><ResourceOwner>` + theirs + `</ResourceOwner></member></EndpointAccessList></DescribeEndpointAccessResult></DescribeEndpointAccessResponse>`,
		"DescribeEndpointAuthorization": `<DescribeEndpointAuthorizationResponse><DescribeEndpointAuthorizationResult><EndpointAuthorizationList>
			<member><Grantee>` + theirs + `</Grantee><ClusterIdentifier>w</ClusterIdentifier></member></EndpointAuthorizationList></DescribeEndpointAuthorizationResult></DescribeEndpointAuthorizationResponse>`,
		"DescribeClusters": `<DescribeClustersResponse><DescribeClustersResult><Clusters>
			<Cluster><ClusterNamespaceArn>arn:ns</ClusterNamespaceArn></Cluster></Clusters></DescribeClustersResult></DescribeClustersResponse>`,
		`GetResourcePolicy {"resourceArn":"arn:snapshot"}`: `{"resourcePolicy":{"resourceArn":"arn:snapshot","policy":"` + lets + `"}}`,
		"GetResourcePolicy": `<GetResourcePolicyResponse><GetResourcePolicyResult><ResourcePolicy><Policy>` + policy + `</Policy></ResourcePolicy></GetResourcePolicyResult></GetResourcePolicyResponse>`,
		"ListSnapshots":     `{"snapshots":[{"snapshotArn":"arn:snapshot"}]}`,
		"ListNamespaces":    `{"namespaces":[{"namespaceArn":"arn:serverless"}]}`,
	}, []string{
		`DataShareAuthorization arn:aws:redshift:eu-central-1:` + own + `:datashare:ns/lent,` + theirs + ` {"consumerIdentifier":"` + theirs + `","dataShareArn":"arn:aws:redshift:eu-central-1:` + own + `:datashare:ns/lent"}`,
		`DataShareAuthorization arn:aws:redshift:eu-central-1:` + own + `:datashare:ns/lent,` + theirs + ` {"consumerIdentifier":"` + theirs + `","dataShareArn":"arn:aws:redshift:eu-central-1:` + own + `:datashare:ns/lent"}`,
		`DataShareConsumerAssociation arn:aws:redshift:eu-central-1:` + theirs + `:datashare:ns/taken {"dataShareArn":"arn:aws:redshift:eu-central-1:` + theirs + `:datashare:ns/taken"}`,
		`EndpointAccess to-them {"resourceOwner":"` + theirs + `"}`,
		`EndpointAuthorization ` + theirs + `:w {"account":"` + theirs + `"}`,
		`ResourcePolicy arn:ns {"policy":"` + policy + `"}`,
		`ResourcePolicy arn:serverless {"policy":"` + policy + `"}`,
		`ResourcePolicy arn:snapshot {"policy":"` + policy + `"}`,
	}},
	"S3 table buckets": {wire{
		"GET /buckets":                 `{"tableBuckets":[{"arn":"arn:b","name":"b","ownerAccountId":"` + own + `"}]}`,
		"GET /buckets/arn:b/policy":    `{"resourcePolicy":"` + lets + `"}`,
		"GET /tables/arn:b":            `{"tables":[{"name":"t","namespace":["n"],"tableARN":"arn:t"},{"name":"u","namespace":["n"],"tableARN":"arn:u"}]}`,
		"GET /tables/arn:b/n/t/policy": `{"resourcePolicy":"` + lets + `"}`,
		"GET /tables/arn:b/n/u/policy": `404 NotFoundException no policy`,
	}, []string{`TableBucketPolicy arn:b {"resourcePolicy":"` + policy + `"}`, `TablePolicy arn:t {"resourcePolicy":"` + policy + `"}`}},
	"Service Catalog portfolios": {wire{
		"ListPortfolios": `{"PortfolioDetails":[{"Id":"port-1"}]}`,
		`DescribePortfolioShares {"PortfolioId":"port-1","Type":"ACCOUNT"}`: `{"PortfolioShareDetails":[{"PrincipalId":"` + theirs + `","Type":"ACCOUNT"}]}`,
		"DescribePortfolioShares":                                       `{"PortfolioShareDetails":[]}`,
		"ListPrincipalsForPortfolio":                                    `{"Principals":[{"PrincipalARN":"arn:aws:iam::` + theirs + `:role/x","PrincipalType":"IAM"}]}`,
		`ListAcceptedPortfolioShares {"PortfolioShareType":"IMPORTED"}`: `{"PortfolioDetails":[{"Id":"port-2","ARN":"arn:aws:catalog:eu-central-1:` + theirs + `:portfolio/port-2"}]}`,
		"ListAcceptedPortfolioShares":                                   `{"PortfolioDetails":[]}`,
	}, []string{
		`PortfolioShare port-1:ACCOUNT:` + theirs + ` {"portfolioId":"port-1","principalId":"` + theirs + `"}`,
		`PortfolioShare port-2 {"portfolioArn":"arn:aws:catalog:eu-central-1:` + theirs + `:portfolio/port-2"}`,
		`PrincipalPortfolioAssociation port-1,arn:aws:iam::` + theirs + `:role/x {"portfolioId":"port-1","principalArn":"arn:aws:iam::` + theirs + `:role/x"}`,
	}},
	"CodeBuild projects and report groups": {wire{
		"ListProjects": `{"projects":["app"]}`, "ListReportGroups": `{"reportGroups":["arn:group"]}`,
		`GetResourcePolicy {"resourceArn":"arn:aws:codebuild:eu-central-1:` + own + `:project/app"}`: `{"policy":"` + lets + `"}`,
		"GetResourcePolicy": `400 ResourceNotFoundException none`,
	}, []string{`ResourcePolicy arn:aws:codebuild:eu-central-1:` + own + `:project/app {"policy":"` + policy + `"}`}},
	"MSK clusters": {wire{
		"GET /api/v2/clusters":          `{"clusterInfoList":[{"clusterArn":"arn:k"},{"clusterArn":"arn:l"}]}`,
		"GET /v1/clusters/arn:k/policy": `{"policy":"` + lets + `"}`,
		"GET /v1/clusters/arn:l/policy": `404 NotFoundException no policy`,
	}, []string{`ClusterPolicy arn:k {"policy":"` + policy + `"}`}},
	"Network Firewall rule groups and policies": {wire{
		"ListFirewallPolicies":   `{"FirewallPolicies":[{"Arn":"arn:aws:network-firewall:eu-central-1:` + own + `:firewall-policy/p"}]}`,
		"ListRuleGroups":         `{"RuleGroups":[{"Arn":"arn:aws:network-firewall:eu-central-1:` + theirs + `:stateful-rulegroup/g"}]}`,
		"DescribeResourcePolicy": `{"Policy":"` + lets + `"}`,
	}, []string{`ResourcePolicy arn:aws:network-firewall:eu-central-1:` + own + `:firewall-policy/p {"policy":"` + policy + `"}`}},
	"schema registries": {wire{
		"GET /v1/registries": `{"Registries":[{"RegistryName":"orders"},{"RegistryName":"aws.events"}]}`,
		"GET /v1/policy":     `{"Policy":"` + lets + `","RevisionId":"1"}`,
	}, []string{`RegistryPolicy orders {"policy":"` + policy + `"}`}},
	"SES identities": {wire{
		"POST /v2/email/list-identities":                 `{"EmailIdentities":[{"IdentityName":"acme.example","IdentityType":"DOMAIN"}]}`,
		"GET /v2/email/identities/acme.example/policies": `{"Policies":{"partner":"` + lets + `"}}`,
	}, []string{`EmailIdentityPolicy acme.example|partner {"policy":"` + policy + `"}`}},
	"response plans": {wire{
		"POST /listReplicationSets": `{"replicationSetArns":["arn:set"]}`,
		"POST /listResponsePlans":   `{"responsePlanSummaries":[{"arn":"arn:plan","name":"outage"}]}`,
		"POST /getResourcePolicies": `{"resourcePolicies":[{"policyDocument":"` + lets + `","policyId":"1","ramResourceShareRegion":"eu-central-1"}]}`,
	}, []string{`ResponsePlan arn:plan {"policy":"` + policy + `"}`}},
	"X-Ray policies": {wire{
		"POST /ListResourcePolicies": `{"ResourcePolicies":[{"PolicyName":"partner","PolicyDocument":"` + lets + `"}]}`,
	}, []string{`ResourcePolicy partner {"policyDocument":"` + policy + `"}`}},
	"Direct Connect lines and gateways": {wire{
		"DescribeConnections":           `{"connections":[{"connectionId":"dxcon-1","ownerAccount":"` + own + `"}]}`,
		"DescribeLags":                  `{"lags":[]}`,
		"DescribeVirtualInterfaces":     `{"virtualInterfaces":[{"virtualInterfaceId":"dxvif-1","ownerAccount":"` + theirs + `","connectionId":"dxcon-1","virtualInterfaceState":"available"},{"virtualInterfaceId":"dxvif-2","virtualInterfaceState":"deleted"}]}`,
		"DescribeDirectConnectGateways": `{"directConnectGateways":[{"directConnectGatewayId":"dx-1","ownerAccount":"` + own + `"}]}`,
		`DescribeDirectConnectGatewayAssociations {"directConnectGatewayId":"dx-1"}`: `{"directConnectGatewayAssociations":[{"associationId":"a-1","directConnectGatewayOwnerAccount":"` + own + `","associatedGateway":{"id":"vgw-9","ownerAccount":"` + theirs + `"}}]}`,
		`DescribeDirectConnectGatewayAssociations {"associatedGatewayId":"vgw-1"}`:   `{"directConnectGatewayAssociations":[{"associationId":"a-2","directConnectGatewayOwnerAccount":"` + theirs + `","associatedGateway":{"id":"vgw-1","ownerAccount":"` + own + `"}}]}`,
		"DescribeDirectConnectGatewayAttachments":                                    `{"directConnectGatewayAttachments":[]}`,
		"DescribeDirectConnectGatewayAssociationProposals":                           `{"directConnectGatewayAssociationProposals":[{"proposalId":"p-1","proposalState":"requested","directConnectGatewayOwnerAccount":"` + theirs + `","associatedGateway":{"ownerAccount":"` + own + `"}}]}`,
		"DescribeVpnGateways":     `<DescribeVpnGatewaysResponse><vpnGatewaySet><item><vpnGatewayId>vgw-1</vpnGatewayId><state>available</state></item></vpnGatewaySet></DescribeVpnGatewaysResponse>`,
		"DescribeTransitGateways": `<DescribeTransitGatewaysResponse><transitGatewaySet/></DescribeTransitGatewaysResponse>`,
	}, []string{
		`Connection dxcon-1 {"ownerAccountId":"` + own + `"}`,
		`Gateway dx-1 {"ownerAccountId":"` + own + `"}`,
		`GatewayAssociation a-1 {"associatedGatewayOwnerAccountId":"` + theirs + `","dxGatewayOwnerAccountId":"` + own + `"}`,
		`GatewayAssociation a-2 {"associatedGatewayOwnerAccountId":"` + own + `","dxGatewayOwnerAccountId":"` + theirs + `"}`,
		`GatewayAssociationProposal p-1 {"associatedGatewayOwnerAccountId":"` + own + `","dxGatewayOwnerAccountId":"` + theirs + `"}`,
		`PrivateVirtualInterface dxvif-1 {"connectionId":"dxcon-1","ownerAccountId":"` + theirs + `"}`,
	}},
	"VPC Lattice service networks, services and resources": {wire{
		"GET /servicenetworks":        `{"items":[{"arn":"arn:aws:vpc-lattice:eu-central-1:` + own + `:servicenetwork/sn-1"},{"arn":"arn:aws:vpc-lattice:eu-central-1:` + theirs + `:servicenetwork/sn-9"}]}`,
		"GET /services":               `{"items":[{"arn":"arn:aws:vpc-lattice:eu-central-1:` + own + `:service/svc-1"}]}`,
		"GET /resourceconfigurations": `{"items":[{"arn":"arn:aws:vpc-lattice:eu-central-1:` + own + `:resourceconfiguration/rc-1"}]}`,
		"GET /authpolicy/arn:aws:vpc-lattice:eu-central-1:" + own + ":servicenetwork/sn-1":            `{"policy":"` + lets + `","state":"Active"}`,
		"GET /authpolicy/arn:aws:vpc-lattice:eu-central-1:" + own + ":service/svc-1":                  `404 ResourceNotFoundException none`,
		"GET /resourcepolicy/arn:aws:vpc-lattice:eu-central-1:" + own + ":servicenetwork/sn-1":        `404 ResourceNotFoundException none`,
		"GET /resourcepolicy/arn:aws:vpc-lattice:eu-central-1:" + own + ":service/svc-1":              `{"policy":"` + lets + `"}`,
		"GET /resourcepolicy/arn:aws:vpc-lattice:eu-central-1:" + own + ":resourceconfiguration/rc-1": `{"policy":""}`,
		"GET /servicenetworkvpcassociations?vpcIdentifier=vpc-1":                                      `{"items":[{"id":"snva-1","serviceNetworkArn":"arn:aws:vpc-lattice:eu-central-1:` + theirs + `:servicenetwork/sn-9","vpcId":"vpc-1","createdBy":"` + own + `"}]}`,
		"GET /servicenetworkvpcassociations":                                                          `{"items":[]}`,
		"GET /servicenetworkserviceassociations":                                                      `{"items":[{"id":"snsa-1","serviceNetworkArn":"arn:aws:vpc-lattice:eu-central-1:` + own + `:servicenetwork/sn-1","serviceArn":"arn:aws:vpc-lattice:eu-central-1:` + theirs + `:service/svc-9","createdBy":"` + theirs + `"}]}`,
		"GET /servicenetworkresourceassociations":                                                     `{"items":[{"id":"snra-1","serviceNetworkArn":"arn:aws:vpc-lattice:eu-central-1:` + theirs + `:servicenetwork/sn-9","resourceConfigurationArn":"arn:aws:vpc-lattice:eu-central-1:` + own + `:resourceconfiguration/rc-1"}]}`,
	}, []string{
		`AuthPolicy arn:aws:vpc-lattice:eu-central-1:` + own + `:servicenetwork/sn-1 {"policy":"` + policy + `"}`,
		`ResourcePolicy arn:aws:vpc-lattice:eu-central-1:` + own + `:service/svc-1 {"policy":"` + policy + `"}`,
		`ServiceNetworkResourceAssociation snra-1 {"resourceConfigurationIdentifier":"arn:aws:vpc-lattice:eu-central-1:` + own + `:resourceconfiguration/rc-1","serviceNetworkIdentifier":"arn:aws:vpc-lattice:eu-central-1:` + theirs + `:servicenetwork/sn-9"}`,
		`ServiceNetworkServiceAssociation snsa-1 {"createdBy":"` + theirs + `","serviceIdentifier":"arn:aws:vpc-lattice:eu-central-1:` + theirs + `:service/svc-9","serviceNetworkIdentifier":"arn:aws:vpc-lattice:eu-central-1:` + own + `:servicenetwork/sn-1"}`,
		`ServiceNetworkVpcAssociation snva-1 {"createdBy":"` + own + `","serviceNetworkIdentifier":"arn:aws:vpc-lattice:eu-central-1:` + theirs + `:servicenetwork/sn-9","vpcIdentifier":"vpc-1"}`,
	}},
	"Cloud Map namespaces and services": {wire{
		"ListNamespaces": `{"Namespaces":[{"Id":"ns-1","Name":"theirs","ResourceOwner":"` + theirs + `"}]}`,
		"ListServices":   `{"Services":[{"Id":"srv-1","Name":"api","ResourceOwner":"` + own + `","CreatedByAccount":"` + theirs + `"}]}`,
	}, []string{`HttpNamespace ns-1 {"resourceOwner":"` + theirs + `"}`, `Service srv-1 {"createdByAccount":"` + theirs + `","resourceOwner":"` + own + `"}`}},
	"Route 53 profiles": {wire{
		"GET /profiles":            `{"ProfileSummaries":[{"Id":"rp-1","Arn":"arn:aws:route53profiles:eu-central-1:` + own + `:profile/rp-1"},{"Id":"rp-9","Arn":"arn:aws:route53profiles:eu-central-1:` + theirs + `:profile/rp-9","ShareStatus":"SHARED_WITH_ME"}]}`,
		"GET /profileassociations": `{"ProfileAssociations":[{"Id":"rpassoc-1","ProfileId":"rp-9","ResourceId":"vpc-1"},{"Id":"rpassoc-2","ProfileId":"rp-1","ResourceId":"vpc-1"}]}`,
	}, []string{
		`ProfilesAssociation rpassoc-1 {"profileId":"arn:aws:route53profiles:eu-central-1:` + theirs + `:profile/rp-9","resourceId":"vpc-1"}`,
		`ProfilesAssociation rpassoc-2 {"profileId":"rp-1","resourceId":"vpc-1"}`, `ProfilesProfile rp-1 {}`,
	}},
	"sinks and links of CloudWatch observability": {wire{
		"POST /ListLinks":         `{"Items":[{"Arn":"arn:link","SinkArn":"arn:aws:oam:eu-central-1:` + theirs + `:sink/1"}]}`,
		"POST /ListSinks":         `{"Items":[{"Arn":"arn:sink","Name":"all"}]}`,
		"POST /ListAttachedLinks": `{"Items":[{"LinkArn":"arn:aws:oam:eu-central-1:` + theirs + `:link/1"}]}`,
		"POST /GetSinkPolicy":     `{"SinkArn":"arn:sink","Policy":"` + lets + `"}`,
	}, []string{`Link arn:link {"sinkArn":"arn:aws:oam:eu-central-1:` + theirs + `:sink/1"}`, `Sink arn:sink {"linkArns":["arn:aws:oam:eu-central-1:` + theirs + `:link/1"]}`, `SinkPolicy arn:sink {"policy":"` + policy + `"}`}},
	"aggregation authorizations of AWS Config": {wire{
		"DescribeAggregationAuthorizations": `{"AggregationAuthorizations":[{"AuthorizedAccountId":"` + theirs + `","AuthorizedAwsRegion":"eu-central-1"}]}`,
	}, []string{`AggregateAuthorization ` + theirs + `:eu-central-1 {"accountId":"` + theirs + `"}`}},
	"GuardDuty members": {wire{
		"GET /detector":                 `{"detectorIds":["d"]}`,
		"GET /detector/d/member":        `{"members":[{"accountId":"` + theirs + `","relationshipStatus":"Enabled"}]}`,
		"GET /detector/d/administrator": `{"administrator":{"accountId":"` + theirs + `"}}`,
		"GET /invitation":               `{"invitations":[{"accountId":"` + theirs + `"}]}`,
	}, []string{`InviteAccepter ` + theirs + ` {"masterAccountId":"` + theirs + `"}`, `Member ` + theirs + ` {"accountId":"` + theirs + `"}`}},
	"Macie members": {wire{
		"GET /members":       `{"members":[{"accountId":"` + theirs + `"}]}`,
		"GET /administrator": `{"administrator":{"accountId":"` + theirs + `"}}`,
		"GET /invitations":   `{"invitations":[]}`,
	}, []string{`InvitationAccepter ` + theirs + ` {"administratorAccountId":"` + theirs + `"}`, `Member ` + theirs + ` {"accountId":"` + theirs + `"}`}},
	"Detective members": {wire{
		"POST /graphs/list":        `{"GraphList":[{"Arn":"arn:mine"}]}`,
		"POST /graph/members/list": `{"MemberDetails":[{"AccountId":"` + theirs + `"}]}`,
		"POST /invitations/list":   `{"Invitations":[{"AccountId":"` + own + `","GraphArn":"arn:aws:detective:eu-central-1:` + theirs + `:graph:1"}]}`,
	}, []string{`InvitationAccepter arn:aws:detective:eu-central-1:` + theirs + `:graph:1 {"graphArn":"arn:aws:detective:eu-central-1:` + theirs + `:graph:1"}`, `Member ` + theirs + ` {"accountId":"` + theirs + `"}`}},
	"Security Hub members": {wire{
		"GET /members":       `{"Members":[{"AccountId":"` + theirs + `"}]}`,
		"GET /administrator": `404 ResourceNotFoundException none`,
		"GET /invitations":   `{"Invitations":[{"AccountId":"` + theirs + `"}]}`,
	}, []string{`InviteAccepter ` + theirs + ` {"masterId":"` + theirs + `"}`, `Member ` + theirs + ` {"accountId":"` + theirs + `"}`}},
	"Inspector members": {wire{
		"POST /members/list":               `403 AccessDeniedException Invoking account does not have access to list members.`,
		"POST /delegatedadminaccounts/get": `{"delegatedAdmin":{"accountId":"` + theirs + `","relationshipStatus":"ENABLED"}}`,
	}, []string{`MemberAssociation ` + theirs + ` {"delegatedAdminAccountId":"` + theirs + `"}`}},
	"Clean Rooms collaborations": {wire{
		"GET /collaborations":           `{"collaborationList":[{"id":"c","creatorAccountId":"` + theirs + `","memberStatus":"ACTIVE"},{"id":"old","memberStatus":"LEFT"}]}`,
		"GET /collaborations/c/members": `{"memberSummaries":[{"accountId":"` + own + `","status":"ACTIVE"},{"accountId":"` + theirs + `","status":"ACTIVE"}]}`,
	}, []string{`Collaboration c {"creatorAccountId":"` + theirs + `","members":[{"accountId":"` + own + `"},{"accountId":"` + theirs + `"}]}`}},
	"Audit Manager framework shares": {wire{
		"GET /assessmentFrameworkShareRequests?requestType=SENT":     `{"assessmentFrameworkShareRequests":[{"id":"f","sourceAccount":"` + own + `","destinationAccount":"` + theirs + `","status":"SHARED"},{"id":"g","status":"REVOKED"}]}`,
		"GET /assessmentFrameworkShareRequests?requestType=RECEIVED": `{"assessmentFrameworkShareRequests":[]}`,
	}, []string{`FrameworkShare f {"destinationAccount":"` + theirs + `","sourceAccount":"` + own + `"}`}},
	"License Manager grants": {wire{
		"ListDistributedGrants": `{"Grants":[{"GrantArn":"arn:g","GranteePrincipalArn":"arn:aws:iam::` + theirs + `:root","GrantStatus":"ACTIVE"}]}`,
		"ListReceivedGrants":    `{"Grants":[{"GrantArn":"arn:aws:license-manager::` + theirs + `:grant:g-1","GrantStatus":"PENDING_ACCEPT"},{"GrantArn":"arn:no","GrantStatus":"REJECTED"}]}`,
	}, []string{
		`LicenseGrant arn:g {"principal":"arn:aws:iam::` + theirs + `:root"}`,
		`LicenseGrantAccepter arn:aws:license-manager::` + theirs + `:grant:g-1 {"grantArn":"arn:aws:license-manager::` + theirs + `:grant:g-1"}`,
	}},
	"Global Accelerator attachments": {wire{
		"ListCrossAccountAttachments":      `{"CrossAccountAttachments":[{"AttachmentArn":"arn:a","Principals":["` + theirs + `"]}]}`,
		"ListCrossAccountResourceAccounts": `{"ResourceOwnerAwsAccountIds":["` + theirs + `"]}`,
	}, []string{`CrossAccountAttachment arn:a {"principals":["` + theirs + `"]}`, `CrossAccountAttachment of ` + theirs + ` {"ownerAccountId":"` + theirs + `"}`}},
	"Cloud WAN core networks and attachments": {wire{
		"GET /core-networks": `{"CoreNetworks":[{"CoreNetworkId":"core-1","CoreNetworkArn":"arn:aws:networkmanager::` + theirs + `:core-network/core-1","OwnerAccountId":"` + theirs + `"}]}`,
		"GET /attachments":   `{"Attachments":[{"AttachmentId":"attachment-1","CoreNetworkArn":"arn:aws:networkmanager::` + theirs + `:core-network/core-1","OwnerAccountId":"` + own + `","State":"AVAILABLE"}]}`,
		"GET /peerings":      `{"Peerings":[]}`,
	}, []string{
		`CoreNetwork core-1 {"coreNetworkArn":"arn:aws:networkmanager::` + theirs + `:core-network/core-1","ownerAccountId":"` + theirs + `"}`,
		`VpcAttachment attachment-1 {"coreNetworkArn":"arn:aws:networkmanager::` + theirs + `:core-network/core-1","ownerAccountId":"` + own + `"}`,
	}},
	"S3 Multi-Region Access Points": {wire{
		"GET /v20180820/mrap/instances": `<ListMultiRegionAccessPointsResult><AccessPoints><AccessPoint><Name>all</Name><PublicAccessBlock><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlock>
			<Regions><Region><Bucket>theirs</Bucket><Region>eu-central-1</Region><BucketAccountId>` + theirs + `</BucketAccountId></Region></Regions></AccessPoint></AccessPoints></ListMultiRegionAccessPointsResult>`,
		"GET /v20180820/mrap/instances/all/policy": `<GetMultiRegionAccessPointPolicyResult><Policy><Established><Policy>` + policy + `</Policy></Established></Policy></GetMultiRegionAccessPointPolicyResult>`,
	}, []string{
		`MultiRegionAccessPoint ` + own + `:all {"details":{"publicAccessBlock":{"blockPublicAcls":true,"blockPublicPolicy":false,"ignorePublicAcls":false,"restrictPublicBuckets":false},"regions":[{"bucket":"theirs","bucketAccountId":"` + theirs + `"}]}}`,
		`MultiRegionAccessPointPolicy ` + own + `:all {"details":{"policy":"` + policy + `"}}`,
	}},
	"Glue databases, tables and what reads them": {wire{
		"GetDatabases {}":                  `{"DatabaseList":[{"Name":"own","CreateTableDefaultPermissions":[{"Principal":{"DataLakePrincipalIdentifier":"` + theirs + `"},"Permissions":["ALL"]}]},{"Name":"link","TargetDatabase":{"CatalogId":"` + theirs + `","DatabaseName":"d"}}],"NextToken":"2"}`,
		`GetDatabases {"NextToken":"2"}`:   `{"DatabaseList":[]}`,
		`GetTables {"DatabaseName":"own"}`: `{"TableList":[{"Name":"plain"},{"Name":"link","TargetTable":{"CatalogId":"` + theirs + `","DatabaseName":"d","Name":"t"}}]}`,
		"GetCrawlers":                      `{"Crawlers":[{"Name":"plain"},{"Name":"theirs","LakeFormationConfiguration":{"UseLakeFormationCredentials":true,"AccountId":"` + theirs + `"}}]}`,
		"ListDataQualityRulesets":          `{"Rulesets":[{"Name":"plain"},{"Name":"theirs","TargetTable":{"TableName":"t","DatabaseName":"d","CatalogId":"` + theirs + `"}}]}`,
		"GetMLTransforms":                  `{"Transforms":[{"TransformId":"tfm-1","Name":"same","InputRecordTables":[{"DatabaseName":"d","TableName":"t","CatalogId":"` + theirs + `"}]}]}`,
	}, []string{
		`CatalogDatabase ` + own + `:link {"targetDatabase":{"catalogId":"` + theirs + `","databaseName":"d"}}`,
		`CatalogDatabase ` + own + `:own {"createTableDefaultPermissions":[{"principal":{"dataLakePrincipalIdentifier":"` + theirs + `"}}]}`,
		`CatalogTable ` + own + `:own:link {"targetTable":{"catalogId":"` + theirs + `","databaseName":"d"}}`,
		`Crawler theirs {"lakeFormationConfiguration":{"accountId":"` + theirs + `"}}`,
		`DataQualityRuleset theirs {"targetTable":{"catalogId":"` + theirs + `","databaseName":"d"}}`,
		`MLTransform tfm-1 {"inputRecordTables":[{"catalogId":"` + theirs + `","databaseName":"d"}]}`,
	}},
	"Lake Formation settings, filters and opt-ins": {wire{
		"POST /GetDataLakeSettings":     `{"DataLakeSettings":{"DataLakeAdmins":[{"DataLakePrincipalIdentifier":"arn:aws:iam::` + theirs + `:role/a"}],"TrustedResourceOwners":["` + theirs + `"]}}`,
		"POST /ListDataCellsFilter":     `{"DataCellsFilters":[{"TableCatalogId":"` + theirs + `","DatabaseName":"d","TableName":"t","Name":"f"}]}`,
		"POST /ListLakeFormationOptIns": `{"LakeFormationOptInsInfoList":[{"Principal":{"DataLakePrincipalIdentifier":"` + theirs + `"},"Resource":{"Database":{"Name":"d"}}}]}`,
	}, []string{
		`DataCellsFilter d,f,` + theirs + `,t {"tableData":{"databaseName":"d","tableCatalogId":"` + theirs + `","tableName":"t"}}`,
		`DataLakeSettings ` + own + ` {"admins":["arn:aws:iam::` + theirs + `:role/a"],"trustedResourceOwners":["` + theirs + `"]}`,
		`OptIn ` + theirs + ` d {"principals":[{"dataLakePrincipalIdentifier":"` + theirs + `"}]}`,
	}},
	"exports and imports of DynamoDB tables": {wire{
		"ListExports":    `{"ExportSummaries":[{"ExportArn":"arn:e","ExportStatus":"COMPLETED"}]}`,
		"DescribeExport": `{"ExportDescription":{"ExportArn":"arn:e","S3Bucket":"theirs","S3BucketOwner":"` + theirs + `"}}`,
		"ListImports":    `{"ImportSummaryList":[{"ImportArn":"arn:i","TableArn":"arn:aws:dynamodb:eu-central-1:` + own + `:table/t","S3BucketSource":{"S3Bucket":"theirs","S3BucketOwner":"` + theirs + `"}}]}`,
	}, []string{
		`Table t {"importTable":{"s3BucketSource":{"bucket":"theirs","bucketOwner":"` + theirs + `"}}}`,
		`TableExport arn:e {"s3Bucket":"theirs","s3BucketOwner":"` + theirs + `"}`,
	}},
	"API Gateway domain names": {wire{
		"GET /domainnames": `{"item":[{"domainName":"api.example","policy":"` + lets + `"},{"domainName":"plain.example"}]}`,
	}, []string{`DomainName api.example {"policy":"` + policy + `"}`}},
	"Macie jobs": {wire{
		"POST /jobs/list": `{"items":[{"jobId":"j","name":"scan","bucketDefinitions":[{"accountId":"` + theirs + `","buckets":["b"]}]}]}`,
	}, []string{`ClassificationJob j {"s3JobDefinition":{"bucketDefinitions":[{"accountId":"` + theirs + `","buckets":["b"]}]}}`}},
	"OpenSearch domains": {wire{
		"GET /2021-01-01/domain": `{"DomainNames":[]}`,
		"POST /2021-01-01/opensearch/cc/outboundConnection/search": `{"Connections":[
			{"ConnectionId":"c","ConnectionAlias":"both","LocalDomainInfo":{"AWSDomainInformation":{"OwnerId":"` + own + `","DomainName":"a"}},"RemoteDomainInfo":{"AWSDomainInformation":{"OwnerId":"` + theirs + `","DomainName":"b"}},"ConnectionStatus":{"StatusCode":"ACTIVE"}},
			{"ConnectionId":"old","ConnectionStatus":{"StatusCode":"DELETED"}}]}`,
	}, []string{`OutboundConnection c {"localDomainInfo":{"domainName":"a","ownerId":"` + own + `"},"remoteDomainInfo":{"domainName":"b","ownerId":"` + theirs + `"}}`}},
	"S3 access grants": {wire{
		"GET /v20180820/accessgrantsinstances":               `<ListAccessGrantsInstancesResult><AccessGrantsInstancesList><AccessGrantsInstance><AccessGrantsInstanceId>default</AccessGrantsInstanceId></AccessGrantsInstance></AccessGrantsInstancesList></ListAccessGrantsInstancesResult>`,
		"GET /v20180820/accessgrantsinstance/resourcepolicy": `<GetAccessGrantsInstanceResourcePolicyResult><Policy>` + policy + `</Policy></GetAccessGrantsInstanceResourcePolicyResult>`,
		"GET /v20180820/accessgrantsinstance/grants":         `<ListAccessGrantsResult><AccessGrantsList><AccessGrant><AccessGrantId>g</AccessGrantId><Grantee><GranteeType>IAM</GranteeType><GranteeIdentifier>arn:aws:iam::` + theirs + `:role/r</GranteeIdentifier></Grantee></AccessGrant></AccessGrantsList></ListAccessGrantsResult>`,
	}, []string{
		`AccessGrant ` + own + `,g {"grantee":{"granteeIdentifier":"arn:aws:iam::` + theirs + `:role/r","granteeType":"IAM"}}`,
		`AccessGrantsInstanceResourcePolicy ` + own + ` {"policy":"` + policy + `"}`,
	}},
	"shared directories": {wire{
		"DescribeDirectories": `{"DirectoryDescriptions":[{"DirectoryId":"d-1","Type":"MicrosoftAD"},{"DirectoryId":"d-2","Type":"SharedMicrosoftAD","OwnerDirectoryDescription":{"AccountId":"` + theirs + `","DirectoryId":"d-9"}},{"DirectoryId":"d-3","Type":"SimpleAD"}]}`,
		`DescribeSharedDirectories {"OwnerDirectoryId":"d-1"}`: `{"SharedDirectories":[{"OwnerDirectoryId":"d-1","SharedDirectoryId":"d-4","SharedAccountId":"` + theirs + `"}]}`,
	}, []string{
		`SharedDirectory d-1/d-4 {"directoryId":"d-1","target":{"id":"` + theirs + `"}}`,
		`SharedDirectoryAccepter d-2 {"ownerAccountId":"` + theirs + `"}`,
	}},
	"alarms": {wire{
		"DescribeAlarms": encoded(cbor.Map{"MetricAlarms": cbor.List{
			cbor.Map{"AlarmName": cbor.String("own")},
			cbor.Map{"AlarmName": cbor.String("theirs"), "Metrics": cbor.List{cbor.Map{"Id": cbor.String("m"), "AccountId": cbor.String(theirs)}}},
		}}),
	}, []string{`MetricAlarm theirs {"metricQueries":[{"accountId":"` + theirs + `","id":"m"}]}`}},
	"S3 Glacier vaults": {wire{
		"GET /-/vaults":                 `{"VaultList":[{"VaultName":"v"}]}`,
		"GET /-/vaults/v/access-policy": `404 ResourceNotFoundException none`,
		"GET /-/vaults/v/lock-policy":   `{"Policy":"` + lets + `","State":"Locked"}`,
	}, []string{`VaultLock v {"policy":"` + policy + `"}`}},
	"private certificate authorities": {wire{
		"ListCertificateAuthorities": encoded(cbor.Map{"CertificateAuthorities": cbor.List{cbor.Map{"Arn": cbor.String("arn:ca"), "Status": cbor.String("ACTIVE")}}}),
		"GetPolicy":                  encoded(cbor.Map{}),
		"ListPermissions":            encoded(cbor.Map{"Permissions": cbor.List{cbor.Map{"Principal": cbor.String("acm.amazonaws.com"), "SourceAccount": cbor.String(theirs)}}}),
	}, []string{`Permission arn:ca,acm.amazonaws.com,` + theirs + ` {"principal":"acm.amazonaws.com","sourceAccount":"` + theirs + `"}`}},
	"CodeArtifact domains and repositories": {wire{
		"POST /v1/domains":      `{"domains":[]}`,
		"POST /v1/repositories": `{"repositories":[{"name":"r","administratorAccount":"` + own + `","domainName":"d","domainOwner":"` + theirs + `","arn":"arn:aws:codeartifact:eu-central-1:` + theirs + `:repository/d/r"}]}`,
	}, []string{`Repository d/r {"domainOwner":"` + theirs + `"}`}},
	"public ECR repositories": {wire{
		"DescribeRepositories": `{"repositories":[{"repositoryName":"app","repositoryUri":"public.ecr.aws/x/app"}]}`,
		"GetRepositoryPolicy":  `{"policyText":"` + lets + `"}`,
	}, []string{`Repository app {"repositoryUri":"public.ecr.aws/x/app"}`, `RepositoryPolicy app {"policy":"` + policy + `"}`}},
}

func TestWhatAServiceAnswersIsReadWithWhomItNames(t *testing.T) {
	for list, tt := range decoded {
		t.Run(list, func(t *testing.T) {
			s, regions := tt.answers.session(t)
			got := found(t, s, list)
			slices.Sort(tt.want)
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			want := s.region
			for _, w := range awstype.Ways() {
				if w.List == list && w.Region != "" {
					want = w.Region
				}
			}
			if diff := gocmp.Diff([]string{want}, regions()); diff != "" {
				t.Errorf("asked in other regions (-want +got):\n%s", diff)
			}
		})
	}
}

// A service that was never switched on lists nothing; any other refusal, though
// it has the same code, is of something that was not read.
func TestOnlyTheKnownAnswerMeansThatAServiceIsNotSwitchedOn(t *testing.T) {
	for _, tt := range []struct {
		list   string
		of     wire
		unused string
	}{
		{"Macie members", wire{"GET /members": ""}, "403 AccessDeniedException Macie is not enabled."},
		{"Security Hub members", wire{"GET /members": ""}, "403 InvalidAccessException Account 111122223333 is not subscribed to AWS Security Hub"},
		{"Audit Manager framework shares", wire{"GET /assessmentFrameworkShareRequests": ""}, "403 AccessDeniedException Please complete AWS Audit Manager setup from home page to enable this action in this account."},
		{"License Manager grants", wire{"ListDistributedGrants": ""}, "400 AccessDeniedException Service role not found. Consult setup procedures in License Manager User Guide and create the required role for the service."},
		{"Inspector members", wire{"POST /members/list": "", "POST /delegatedadminaccounts/get": "404 ResourceNotFoundException none"}, "403 AccessDeniedException Invoking account does not have access to list members."},
	} {
		t.Run(tt.list, func(t *testing.T) {
			answer := func(text string) ([]string, error) {
				w := wire{}
				for call, given := range tt.of {
					if w[call] = given; given == "" {
						w[call] = text
					}
				}
				s, _ := w.session(t)
				items, err := sharers[tt.list](t.Context(), s)
				var types []string
				for _, it := range items {
					types = append(types, it.Type)
				}
				return types, err
			}
			if items, err := answer(tt.unused); err != nil || len(items) > 0 {
				t.Errorf("not switched on: %v, %v", items, err)
			}
			status, rest, _ := strings.Cut(tt.unused, " ")
			code, message, _ := strings.Cut(rest, " ")
			for reason, text := range map[string]string{
				"a role that may not ask": status + " " + code + " User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform this",
				"another code":            status + " InternalServerException " + message,
			} {
				if _, err := answer(text); err == nil {
					t.Errorf("%s: nothing was read, and nobody says so", reason)
				}
			}
		})
	}
	if len(notSwitchedOn) != 5 {
		t.Errorf("%d answers mean that there is nothing; this test knows 5", len(notSwitchedOn))
	}
	for _, u := range notSwitchedOn {
		if u.code == "" || len(u.message) < 15 || !strings.HasPrefix(u.source, "https://") {
			t.Errorf("%+v is no whole answer", u)
		}
	}
}

// What is not decoded here is read on the emulator, or is a list of which a test
// of its own says how it is read.
func TestEachListOfAServiceThatADataPlaneSeldomHasIsDecoded(t *testing.T) {
	for _, w := range awstype.Ways() {
		if _, is := decoded[w.List]; !is && w.List != "" && w.Control == nil && (w.Region != "" || slices.ContainsFunc(w.Types, seldom)) {
			t.Errorf("%s: no answer of %q is decoded", w.ID, w.List)
		}
	}
}

// seldom reports whether a type is of the services that the ways of copies and members are about.
func seldom(token string) bool {
	service, _, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), "/")
	return slices.Contains([]string{
		"auditmanager", "cfg", "cleanrooms", "codebuild", "detective", "directconnect", "dlm", "guardduty", "imagebuilder", "inspector2", "licensemanager", "macie2", "msk",
		"networkfirewall", "oam", "pipes", "redshift", "redshiftserverless", "s3tables", "scheduler", "schemas", "securityhub", "servicecatalog", "servicediscovery",
		"sesv2", "ssm", "ssmincidents", "vpclattice", "xray",
	}, service)
}
