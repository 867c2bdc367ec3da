package awstype

// The types of what is of use only between two accounts.
const (
	DirectConnection      = "aws:directconnect/connection:Connection"
	DirectGroup           = "aws:directconnect/linkAggregationGroup:LinkAggregationGroup"
	DirectInterface       = "aws:directconnect/privateVirtualInterface:PrivateVirtualInterface"
	DirectGateway         = "aws:directconnect/gateway:Gateway"
	DirectAssociation     = "aws:directconnect/gatewayAssociation:GatewayAssociation"
	DirectProposal        = "aws:directconnect/gatewayAssociationProposal:GatewayAssociationProposal"
	LatticeVPC            = "aws:vpclattice/serviceNetworkVpcAssociation:ServiceNetworkVpcAssociation"
	LatticeService        = "aws:vpclattice/serviceNetworkServiceAssociation:ServiceNetworkServiceAssociation"
	LatticeResource       = "aws:vpclattice/serviceNetworkResourceAssociation:ServiceNetworkResourceAssociation"
	LatticeAuthPolicy     = "aws:vpclattice/authPolicy:AuthPolicy"
	LatticePolicy         = "aws:vpclattice/resourcePolicy:ResourcePolicy"
	CloudMapNamespace     = "aws:servicediscovery/httpNamespace:HttpNamespace"
	CloudMapService       = "aws:servicediscovery/service:Service"
	Route53Profile        = "aws:route53/profilesProfile:ProfilesProfile"
	Route53ProfileOn      = "aws:route53/profilesAssociation:ProfilesAssociation"
	AuditFrameworkShare   = "aws:auditmanager/frameworkShare:FrameworkShare"
	ConfigAuthorization   = "aws:cfg/aggregateAuthorization:AggregateAuthorization"
	CleanRoom             = "aws:cleanrooms/collaboration:Collaboration"
	DetectiveMember       = "aws:detective/member:Member"
	DetectiveInvitation   = "aws:detective/invitationAccepter:InvitationAccepter"
	AcceleratorFor        = "aws:globalaccelerator/crossAccountAttachment:CrossAccountAttachment"
	GuardDutyMember       = "aws:guardduty/member:Member"
	GuardDutyInvitation   = "aws:guardduty/inviteAccepter:InviteAccepter"
	InspectorMember       = "aws:inspector2/memberAssociation:MemberAssociation"
	LicenseGrant          = "aws:licensemanager/licenseGrant:LicenseGrant"
	LicenseGrantTaken     = "aws:licensemanager/licenseGrantAccepter:LicenseGrantAccepter"
	MacieMember           = "aws:macie2/member:Member"
	MacieInvitation       = "aws:macie2/invitationAccepter:InvitationAccepter"
	OAMSink               = "aws:oam/sink:Sink"
	OAMSinkPolicy         = "aws:oam/sinkPolicy:SinkPolicy"
	OAMLink               = "aws:oam/link:Link"
	SecurityHubMember     = "aws:securityhub/member:Member"
	SecurityHubInvitation = "aws:securityhub/inviteAccepter:InviteAccepter"
)

const (
	listLattice       = "VPC Lattice service networks, services and resources"
	listObservability = "sinks and links of CloudWatch observability"
)

// memberWays: what is of use only between two accounts.
var memberWays = []Way{
	{
		ID: "direct-connect", Title: "Direct Connect lines, interfaces and gateways of other accounts",
		Source: "https://docs.aws.amazon.com/directconnect/latest/APIReference/API_DescribeDirectConnectGatewayAssociations.html",
		Rules:  []string{"FH409"},
		Types:  []string{DirectInterface, DirectConnection, DirectGroup, DirectGateway, DirectAssociation, DirectProposal}, Also: []string{"aws:directconnect/*"},
		List: "Direct Connect lines and gateways",
		Calls: []string{
			"directconnect:DescribeConnections", "directconnect:DescribeDirectConnectGatewayAssociationProposals", "directconnect:DescribeDirectConnectGatewayAssociations",
			"directconnect:DescribeDirectConnectGatewayAttachments", "directconnect:DescribeDirectConnectGateways", "directconnect:DescribeLags",
			"directconnect:DescribeVirtualInterfaces", "ec2:DescribeTransitGateways", "ec2:DescribeVpnGateways",
		},
		Ends: []End{
			{Path: "ownerAccountId", Is: IsAccount, Kind: kindAssociation}, {Path: "connectionId", Is: IsThing, Kind: kindAssociation},
			{Path: "dxGatewayOwnerAccountId", Is: IsAccount, Kind: kindAssociation}, {Path: "associatedGatewayOwnerAccountId", Is: IsAccount, Kind: kindAssociation},
		},
	},
	{
		ID: "service-network", Title: "Service networks, services and policies of VPC Lattice",
		Source: "https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_ListServiceNetworkVpcAssociations.html",
		Rules:  []string{"FH305", "FH410"},
		Types:  []string{LatticeVPC, LatticeService, LatticeResource, LatticeAuthPolicy, LatticePolicy}, Also: []string{"aws:vpclattice/*"},
		List: listLattice,
		Calls: []string{
			"vpc-lattice:GetAuthPolicy", "vpc-lattice:GetResourcePolicy", "vpc-lattice:ListResourceConfigurations", "vpc-lattice:ListServiceNetworkResourceAssociations",
			"vpc-lattice:ListServiceNetworkServiceAssociations", "vpc-lattice:ListServiceNetworkVpcAssociations", "vpc-lattice:ListServiceNetworks", "vpc-lattice:ListServices",
		},
		Ends: []End{
			{Path: "policy", Is: IsPolicy, Kind: kindPolicy}, {Path: "serviceNetworkIdentifier", Is: IsAccount, Kind: kindAssociation},
			{Path: "serviceIdentifier", Is: IsAccount, Kind: kindAssociation}, {Path: "resourceConfigurationIdentifier", Is: IsAccount, Kind: kindAssociation},
			{Path: "createdBy", Is: IsAccount, Kind: kindAssociation},
		},
	},
	{
		ID: "service-names", Title: "Namespaces and services of Cloud Map",
		Source: "https://docs.aws.amazon.com/cloud-map/latest/api/API_ListNamespaces.html",
		Rules:  []string{"FH410"},
		Types:  []string{CloudMapService, CloudMapNamespace}, Also: []string{"aws:servicediscovery/*"},
		List:  "Cloud Map namespaces and services",
		Calls: []string{"servicediscovery:ListNamespaces", "servicediscovery:ListServices"},
		Ends: []End{
			{Path: "namespaceId", Is: IsAccount, Kind: kindAssociation}, {Path: "resourceOwner", Is: IsAccount, Kind: kindAssociation},
			{Path: "createdByAccount", Is: IsAccount, Kind: kindAssociation},
		},
	},
	{
		ID: "profile", Title: "Route 53 profiles of other accounts",
		Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53profiles_ListProfileAssociations.html",
		Rules:  []string{"FH407"},
		Types:  []string{Route53ProfileOn, Route53Profile},
		List:   "Route 53 profiles",
		Calls:  []string{"route53profiles:ListProfileAssociations", "route53profiles:ListProfiles"},
		Ends:   []End{{Path: "profileId", Is: IsThing, Kind: kindAssociation}},
	},
	{
		ID: "observability", Title: "What accounts see of each other in CloudWatch",
		Source: "https://docs.aws.amazon.com/OAM/latest/APIReference/API_ListLinks.html",
		Rules:  []string{"FH418"},
		Types:  []string{OAMLink, OAMSinkPolicy, OAMSink}, Also: []string{"aws:oam/*"},
		List:  listObservability,
		Calls: []string{"oam:GetSinkPolicy", "oam:ListAttachedLinks", "oam:ListLinks", "oam:ListSinks"},
		Ends: []End{
			{Path: "sinkArn", Is: IsAccount, Kind: kindGrant}, {Path: "policy", Is: IsPolicy, Kind: kindPolicy}, {Path: "linkArns", Is: IsAccount, Kind: kindGrant},
		},
	},
	{
		ID: "config-authorization", Title: "Accounts that may aggregate the account's configuration",
		Source: "https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeAggregationAuthorizations.html",
		Rules:  []string{"FH308", "FH418"},
		Types:  []string{ConfigAuthorization},
		List:   "aggregation authorizations of AWS Config",
		Calls:  []string{"config:DescribeAggregationAuthorizations"},
		Ends:   []End{{Path: "accountId", Is: IsPrincipal, Kind: kindGrant}},
	},
	members("guardduty-member", "Members and administrators of GuardDuty", "GuardDuty members", "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListMembers.html",
		[]string{GuardDutyMember, GuardDutyInvitation}, []string{"accountId", "masterAccountId"},
		"guardduty:GetAdministratorAccount", "guardduty:ListDetectors", "guardduty:ListInvitations", "guardduty:ListMembers"),
	members("macie-member", "Members and administrators of Macie", "Macie members", "https://docs.aws.amazon.com/macie/latest/APIReference/members.html",
		[]string{MacieMember, MacieInvitation}, []string{"accountId", "administratorAccountId"},
		"macie2:GetAdministratorAccount", "macie2:ListInvitations", "macie2:ListMembers"),
	members("detective-member", "Members and administrators of Detective", "Detective members", "https://docs.aws.amazon.com/detective/latest/APIReference/API_ListMembers.html",
		[]string{DetectiveMember, DetectiveInvitation}, []string{"accountId", "graphArn"},
		"detective:ListGraphs", "detective:ListInvitations", "detective:ListMembers"),
	members("securityhub-member", "Members and administrators of Security Hub", "Security Hub members", "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_ListMembers.html",
		[]string{SecurityHubMember, SecurityHubInvitation}, []string{"accountId", "masterId"},
		"securityhub:GetAdministratorAccount", "securityhub:ListInvitations", "securityhub:ListMembers"),
	members("inspector-member", "Members and administrators of Inspector", "Inspector members", "https://docs.aws.amazon.com/inspector/v2/APIReference/API_ListMembers.html",
		[]string{InspectorMember}, []string{"accountId", "delegatedAdminAccountId"},
		"inspector2:GetDelegatedAdminAccount", "inspector2:ListMembers"),
	members("clean-room", "Collaborations of Clean Rooms", "Clean Rooms collaborations", "https://docs.aws.amazon.com/clean-rooms/latest/apireference/API_ListCollaborations.html",
		[]string{CleanRoom}, []string{"members.accountId", "creatorAccountId"},
		"cleanrooms:ListCollaborations", "cleanrooms:ListMembers").and("aws:cleanrooms/*"),
	members("audit-framework", "Audit Manager's frameworks, given and taken", "Audit Manager framework shares", "https://docs.aws.amazon.com/audit-manager/latest/APIReference/API_ListAssessmentFrameworkShareRequests.html",
		[]string{AuditFrameworkShare}, []string{"destinationAccount", "sourceAccount"},
		"auditmanager:ListAssessmentFrameworkShareRequests"),
	members("license-grant", "Grants of License Manager, given and taken", "License Manager grants", "https://docs.aws.amazon.com/license-manager/latest/APIReference/API_ListDistributedGrants.html",
		[]string{LicenseGrant, LicenseGrantTaken}, []string{"principal", "grantArn"},
		"license-manager:ListDistributedGrants", "license-manager:ListReceivedGrants"),
	elsewhere("us-west-2", members("accelerator-attachment", "Attachments of Global Accelerator, given and taken", "Global Accelerator attachments", "https://docs.aws.amazon.com/global-accelerator/latest/api/API_ListCrossAccountAttachments.html",
		[]string{AcceleratorFor}, []string{"principals", "ownerAccountId"},
		"globalaccelerator:ListCrossAccountAttachments", "globalaccelerator:ListCrossAccountResourceAccounts")),
	{
		ID: "delegated-administrator", Title: "Accounts that administer the organization for a service",
		Source:   "https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListDelegatedAdministrators.html",
		Rules:    []string{"FH107"},
		Also:     []string{"aws:organizations/delegatedAdministrator:DelegatedAdministrator"},
		Unlisted: "AWS answers the management account and a delegated administrator only, and refuses any other account as it refuses a role that may not ask: from within an org's account no refusal says that it is none",
	},
}

// members is the way of a service that joins accounts.
func members(id, title, list, source string, types, accounts []string, calls ...string) Way {
	w := Way{ID: id, Title: title, Source: source, Rules: []string{"FH418"}, Types: types, List: list, Calls: calls}
	for _, path := range accounts {
		w.Ends = append(w.Ends, End{Path: path, Is: IsAccount, Kind: kindGrant})
	}
	return w
}

// elsewhere is a way whose service answers in one region, whichever is the org's.
func elsewhere(region string, w Way) Way {
	w.Region = region
	return w
}
