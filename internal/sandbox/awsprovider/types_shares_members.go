package awsprovider

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/auditmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cfg"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cleanrooms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/detective"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/directconnect"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecrpublic"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/globalaccelerator"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/guardduty"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/inspector2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/licensemanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/macie2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/networkmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/oam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3control"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/securityhub"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicediscovery"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpclattice"

	"freehold.dev/freehold/internal/awstype"
)

// joining is a type that only joins two accounts: nothing of it changes in place.
func joining(t Type, create, read, remove, id string, fields map[string][]Rule) *Type {
	t.API, t.ID, t.Fields, t.Replace = API{Create: create, Read: read, Delete: remove}, id, fields, []string{"*"}
	return &t
}

// shareMemberTypes are of use only between two accounts.
var shareMemberTypes = []*Type{
	{
		Token: awstype.DirectConnection, Source: "https://docs.aws.amazon.com/directconnect/latest/APIReference/API_CreateConnection.html",
		Args: directconnect.ConnectionArgs{}, State: directconnect.Connection{}, Noun: "Direct Connect Connection", Service: "directconnect",
		API: API{Create: "CreateConnection", Read: "DescribeConnections", Delete: "DeleteConnection", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "dxcon-{hex:8}", ARN: "arn:aws:directconnect:{region}:{account}:dxcon/{id}", Name: Name{Property: "name", Max: 100}, Tags: true,
		Outputs: map[string]string{"ownerAccountId": "{account}"}, Replace: []string{"bandwidth", "location", "name", "providerName", "requestMacsec"},
	},
	{
		// Whoever owns a line may give an interface on it to another account.
		Token: hostedToken, Source: "https://docs.aws.amazon.com/directconnect/latest/APIReference/API_AllocatePrivateVirtualInterface.html",
		Args: directconnect.HostedPrivateVirtualInterfaceArgs{}, State: directconnect.HostedPrivateVirtualInterface{}, Noun: "Direct Connect Hosted Private Virtual Interface", Service: "directconnect",
		API: API{Create: "AllocatePrivateVirtualInterface", Read: "DescribeVirtualInterfaces", Delete: "DeleteVirtualInterface"},
		ID:  "dxvif-{hex:8}", ARN: "arn:aws:directconnect:{region}:{account}:dxvif/{id}", Name: Name{Property: "name", Max: 100},
		Defaults: map[string]any{"mtu": 1500.0}, Fields: map[string][]Rule{"ownerAccountId": {match(accountPattern)}, "addressFamily": {oneOf("ipv4", "ipv6")}},
		Refs:    []Ref{{Path: "connectionId", To: []string{awstype.DirectConnection}, By: []string{"id"}, Error: "DirectConnectClientException: Connection with ID {value} cannot be found."}},
		Replace: []string{"*"},
	},
	{
		Token: awstype.DirectGateway, Source: "https://docs.aws.amazon.com/directconnect/latest/APIReference/API_CreateDirectConnectGateway.html",
		Args: directconnect.GatewayArgs{}, State: directconnect.Gateway{}, Noun: "Direct Connect Gateway", Service: "directconnect",
		API: API{Create: "CreateDirectConnectGateway", Read: "DescribeDirectConnectGateways", Update: "UpdateDirectConnectGateway", Delete: "DeleteDirectConnectGateway"},
		ID:  "{uuid}", ARN: "arn:aws:directconnect::{account}:dx-gateway/{id}", Name: Name{Property: "name", Max: 100}, Outputs: map[string]string{"ownerAccountId": "{account}"},
		Replace: []string{"amazonSideAsn"},
	},
	joining(Type{
		Token: awstype.DirectProposal, Source: "https://docs.aws.amazon.com/directconnect/latest/APIReference/API_CreateDirectConnectGatewayAssociationProposal.html",
		Args: directconnect.GatewayAssociationProposalArgs{}, State: directconnect.GatewayAssociationProposal{}, Noun: "Direct Connect Gateway Association Proposal", Service: "directconnect",
		Outputs: map[string]string{"associatedGatewayOwnerAccountId": "{account}"},
	}, "CreateDirectConnectGatewayAssociationProposal", "DescribeDirectConnectGatewayAssociationProposals", "DeleteDirectConnectGatewayAssociationProposal", "{uuid}",
		map[string][]Rule{"dxGatewayOwnerAccountId": {match(accountPattern)}}),
	joining(Type{
		Token: awstype.DirectAssociation, Source: "https://docs.aws.amazon.com/directconnect/latest/APIReference/API_AcceptDirectConnectGatewayAssociationProposal.html",
		Args: directconnect.GatewayAssociationArgs{}, State: directconnect.GatewayAssociation{}, Noun: "Direct Connect Gateway Association", Service: "directconnect",
		Outputs: map[string]string{"dxGatewayOwnerAccountId": "{account}"},
		Refs:    []Ref{{Path: "dxGatewayId", To: []string{awstype.DirectGateway}, By: []string{"id"}, Error: "DirectConnectClientException: Direct Connect Gateway {value} does not exist."}},
	}, "AcceptDirectConnectGatewayAssociationProposal", "DescribeDirectConnectGatewayAssociations", "DeleteDirectConnectGatewayAssociation", "ga-{hex:32}",
		map[string][]Rule{"associatedGatewayOwnerAccountId": {match(accountPattern)}}),
	{
		Token: latticeNetwork, Source: "https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_CreateServiceNetwork.html",
		Args: vpclattice.ServiceNetworkArgs{}, State: vpclattice.ServiceNetwork{}, Noun: "VPC Lattice Service Network", Service: "vpc-lattice",
		API: API{Create: "CreateServiceNetwork", Read: "GetServiceNetwork", Update: "UpdateServiceNetwork", Delete: "DeleteServiceNetwork", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "sn-{hex:17}", ARN: "arn:aws:vpc-lattice:{region}:{account}:servicenetwork/{id}", Name: Name{Property: "name", Max: 63}, Tags: true,
		Defaults: map[string]any{"authType": "NONE"}, Replace: []string{"name"},
	},
	{
		Token: latticeService, Source: "https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_CreateService.html",
		Args: vpclattice.ServiceArgs{}, State: vpclattice.Service{}, Noun: "VPC Lattice Service", Service: "vpc-lattice",
		API: API{Create: "CreateService", Read: "GetService", Update: "UpdateService", Delete: "DeleteService", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "svc-{hex:17}", ARN: "arn:aws:vpc-lattice:{region}:{account}:service/{id}", Name: Name{Property: "name", Max: 40}, Tags: true,
		Defaults: map[string]any{"authType": "NONE"}, Outputs: map[string]string{"status": "ACTIVE"}, Replace: []string{"name", "customDomainName"},
	},
	{
		Token: awstype.LatticeVPC, Source: "https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_CreateServiceNetworkVpcAssociation.html",
		Args: vpclattice.ServiceNetworkVpcAssociationArgs{}, State: vpclattice.ServiceNetworkVpcAssociation{}, Noun: "VPC Lattice Service Network VPC Association", Service: "vpc-lattice",
		API: API{Create: "CreateServiceNetworkVpcAssociation", Read: "GetServiceNetworkVpcAssociation", Update: "UpdateServiceNetworkVpcAssociation",
			Delete: "DeleteServiceNetworkVpcAssociation", Updates: map[string]string{"tags": "TagResource"}},
		ID: "snva-{hex:17}", ARN: "arn:aws:vpc-lattice:{region}:{account}:servicenetworkvpcassociation/{id}", Tags: true,
		Outputs: map[string]string{"createdBy": "{account}", "status": "ACTIVE"}, Refs: []Ref{anyLattice, {Path: "vpcIdentifier", To: []string{"aws:ec2/vpc:Vpc"}, By: []string{"id"}, Error: "ResourceNotFoundException: VPC {value} does not exist"}},
		Replace: []string{"serviceNetworkIdentifier", "vpcIdentifier"},
	},
	{
		Token: awstype.LatticeService, Source: "https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_CreateServiceNetworkServiceAssociation.html",
		Args: vpclattice.ServiceNetworkServiceAssociationArgs{}, State: vpclattice.ServiceNetworkServiceAssociation{}, Noun: "VPC Lattice Service Network Service Association", Service: "vpc-lattice",
		API: API{Create: "CreateServiceNetworkServiceAssociation", Read: "GetServiceNetworkServiceAssociation", Delete: "DeleteServiceNetworkServiceAssociation", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "snsa-{hex:17}", ARN: "arn:aws:vpc-lattice:{region}:{account}:servicenetworkserviceassociation/{id}", Tags: true,
		Outputs: map[string]string{"createdBy": "{account}", "status": "ACTIVE"}, Refs: []Ref{anyLattice}, Replace: []string{"serviceNetworkIdentifier", "serviceIdentifier"},
	},
	policyOf(Type{
		Token: awstype.LatticeAuthPolicy, Source: "https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_PutAuthPolicy.html",
		Args: vpclattice.AuthPolicyArgs{}, State: vpclattice.AuthPolicy{}, Noun: "VPC Lattice Auth Policy", Service: "vpc-lattice",
		API: API{Create: "PutAuthPolicy", Read: "GetAuthPolicy", Update: "PutAuthPolicy", Delete: "DeleteAuthPolicy"},
		ID:  "{resourceIdentifier}", Replace: []string{"resourceIdentifier"}, Policies: map[string]Grammar{"policy": granting("auth policy", 10000, "ValidationException", "ValidationException")},
		Refs: []Ref{{Path: "resourceIdentifier", To: []string{latticeNetwork, latticeService}, Error: "ResourceNotFoundException: {value} does not exist"}},
	}),
	policyOf(Type{
		Token: awstype.LatticePolicy, Source: "https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_PutResourcePolicy.html",
		Args: vpclattice.ResourcePolicyArgs{}, State: vpclattice.ResourcePolicy{}, Noun: "VPC Lattice Resource Policy", Service: "vpc-lattice",
		API: API{Create: "PutResourcePolicy", Read: "GetResourcePolicy", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
		ID:  "{resourceArn}", Replace: []string{"resourceArn"}, Policies: map[string]Grammar{"policy": granting("resource policy", 10000, "ValidationException", "ValidationException")},
		Refs: []Ref{{Path: "resourceArn", To: []string{latticeNetwork, latticeService}, By: []string{"arn"}, Error: "ResourceNotFoundException: {value} does not exist"}},
	}),
	{
		Token: awstype.CloudMapNamespace, Source: "https://docs.aws.amazon.com/cloud-map/latest/api/API_CreateHttpNamespace.html",
		Args: servicediscovery.HttpNamespaceArgs{}, State: servicediscovery.HttpNamespace{}, Noun: "Service Discovery HTTP Namespace", Service: "servicediscovery",
		API: API{Create: "CreateHttpNamespace", Read: "GetNamespace", Update: "UpdateHttpNamespace", Delete: "DeleteNamespace", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "ns-{hex:16}", ARN: "arn:aws:servicediscovery:{region}:{account}:namespace/{id}", Name: Name{Property: "name", Max: 1024}, Tags: true,
		Outputs: map[string]string{"httpName": "{name}"}, Replace: []string{"name"},
	},
	{
		Token: awstype.CloudMapService, Source: "https://docs.aws.amazon.com/cloud-map/latest/api/API_CreateService.html",
		Args: servicediscovery.ServiceArgs{}, State: servicediscovery.Service{}, Noun: "Service Discovery Service", Service: "servicediscovery",
		API: API{Create: "CreateService", Read: "GetService", Update: "UpdateService", Delete: "DeleteService", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "srv-{hex:16}", ARN: "arn:aws:servicediscovery:{region}:{account}:service/{id}", Name: Name{Property: "name", Max: 127}, Tags: true,
		Defaults: map[string]any{"type": "HTTP"}, Replace: []string{"name", "namespaceId", "type"},
		Refs: []Ref{{Path: "namespaceId", To: []string{awstype.CloudMapNamespace}, AnyAccount: true, Error: "NamespaceNotFound: Namespace {value} does not exist."}},
	},
	{
		Token: awstype.Route53Profile, Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53profiles_CreateProfile.html",
		Args: route53.ProfilesProfileArgs{}, State: route53.ProfilesProfile{}, Noun: "Route 53 Profiles Profile", Service: "route53profiles",
		API: API{Create: "CreateProfile", Read: "GetProfile", Delete: "DeleteProfile", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "rp-{hex:16}", ARN: "arn:aws:route53profiles:{region}:{account}:profile/{id}", Name: Name{Property: "name", Max: 64}, Tags: true, Replace: []string{"name"},
		Outputs: map[string]string{"ownerId": "{account}", "shareStatus": "NOT_SHARED", "status": "COMPLETE"},
	},
	{
		Token: awstype.Route53ProfileOn, Source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53profiles_AssociateProfile.html",
		Args: route53.ProfilesAssociationArgs{}, State: route53.ProfilesAssociation{}, Noun: "Route 53 Profiles Association", Service: "route53profiles",
		API: API{Create: "AssociateProfile", Read: "GetProfileAssociation", Delete: "DisassociateProfile", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "rpassoc-{hex:16}", ARN: "arn:aws:route53profiles:{region}:{account}:profile-association/{id}", Name: Name{Property: "name", Max: 64}, Tags: true,
		Outputs: map[string]string{"ownerId": "{account}", "status": "COMPLETE"}, Replace: []string{"name", "profileId", "resourceId"},
		Refs: []Ref{{Path: "profileId", To: []string{awstype.Route53Profile}, By: []string{"id"}, AnyAccount: true, Error: "ResourceNotFoundException: Profile {value} does not exist."}},
	},
	{
		Token: awstype.OAMSink, Source: "https://docs.aws.amazon.com/OAM/latest/APIReference/API_CreateSink.html",
		Args: oam.SinkArgs{}, State: oam.Sink{}, Noun: "CloudWatch Observability Access Manager Sink", Service: "oam",
		API: API{Create: "CreateSink", Read: "GetSink", Delete: "DeleteSink", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "arn:aws:oam:{region}:{account}:sink/{uuid}", ARN: "{id}", Name: Name{Property: "name", Max: 255}, Tags: true, Replace: []string{"name"},
		Owns: []Link{{Type: awstype.OAMSinkPolicy, Path: "sinkIdentifier", Value: "{id}"}},
	},
	policyOf(Type{
		Token: awstype.OAMSinkPolicy, Source: "https://docs.aws.amazon.com/OAM/latest/APIReference/API_PutSinkPolicy.html",
		Args: oam.SinkPolicyArgs{}, State: oam.SinkPolicy{}, Noun: "CloudWatch Observability Access Manager Sink Policy", Service: "oam",
		API: API{Create: "PutSinkPolicy", Read: "GetSinkPolicy", Update: "PutSinkPolicy", Delete: "DeleteSink"},
		ID:  "{sinkIdentifier}", ARN: "{sinkIdentifier}", Replace: []string{"sinkIdentifier"}, Policies: map[string]Grammar{"policy": granting("sink policy", 20480, "ValidationException", "ValidationException")},
		Refs: []Ref{{Path: "sinkIdentifier", To: []string{awstype.OAMSink}, Error: "ResourceNotFoundException: Sink {value} does not exist."}},
	}),
	{
		Token: awstype.OAMLink, Source: "https://docs.aws.amazon.com/OAM/latest/APIReference/API_CreateLink.html",
		Args: oam.LinkArgs{}, State: oam.Link{}, Noun: "CloudWatch Observability Access Manager Link", Service: "oam",
		API: API{Create: "CreateLink", Read: "GetLink", Update: "UpdateLink", Delete: "DeleteLink", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "arn:aws:oam:{region}:{account}:link/{uuid}", ARN: "{id}", Tags: true, Required: []string{"resourceTypes"}, Fields: map[string][]Rule{"sinkIdentifier": {isARN("oam")}},
		Outputs: map[string]string{"sinkArn": "{sinkIdentifier}", "label": "{labelTemplate}"}, Replace: []string{"sinkIdentifier", "labelTemplate"},
		Refs: []Ref{{Path: "sinkIdentifier", To: []string{awstype.OAMSink}, By: []string{"arn"}, AnyAccount: true, Error: "ResourceNotFoundException: Sink {value} does not exist."}},
	},
	{
		Token: awstype.ConfigAuthorization, Source: "https://docs.aws.amazon.com/config/latest/APIReference/API_PutAggregationAuthorization.html",
		Args: cfg.AggregateAuthorizationArgs{}, State: cfg.AggregateAuthorization{}, Noun: "ConfigService Aggregate Authorization", Service: "config",
		API: API{Create: "PutAggregationAuthorization", Read: "DescribeAggregationAuthorizations", Delete: "DeleteAggregationAuthorization", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{accountId}:{region}", ARN: "arn:aws:config:{region}:{account}:aggregation-authorization/{accountId}", Tags: true, Fields: accountNumber, Replace: []string{"accountId", "region"},
	},
	joining(Type{
		Token: awstype.GuardDutyMember, Source: "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateMembers.html",
		Args: guardduty.MemberArgs{}, State: guardduty.Member{}, Noun: "GuardDuty Member", Service: "guardduty", Outputs: map[string]string{"relationshipStatus": "Created"},
	}, "CreateMembers", "GetMembers", "DeleteMembers", "{detectorId}:{accountId}", accountNumber),
	joining(Type{
		Token: awstype.GuardDutyInvitation, Source: "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_AcceptAdministratorInvitation.html",
		Args: guardduty.InviteAccepterArgs{}, State: guardduty.InviteAccepter{}, Noun: "GuardDuty Invite Accepter", Service: "guardduty",
	}, "AcceptAdministratorInvitation", "GetAdministratorAccount", "DisassociateFromAdministratorAccount", "{detectorId}", map[string][]Rule{"masterAccountId": {match(accountPattern)}}),
	{
		Token: awstype.MacieMember, Source: "https://docs.aws.amazon.com/macie/latest/APIReference/members.html",
		Args: macie2.MemberArgs{}, State: macie2.Member{}, Noun: "Macie Member", Service: "macie2",
		API: API{Create: "CreateMember", Read: "GetMember", Update: "UpdateMemberSession", Delete: "DeleteMember", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{accountId}", ARN: "arn:aws:macie2:{region}:{account}:member/{accountId}", Tags: true, Fields: accountNumber, Replace: []string{"accountId", "email"},
		Outputs: map[string]string{"administratorAccountId": "{account}", "masterAccountId": "{account}", "relationshipStatus": "Created", "updatedAt": "{now}"},
	},
	joining(Type{
		Token: awstype.MacieInvitation, Source: "https://docs.aws.amazon.com/macie/latest/APIReference/invitations-accept.html",
		Args: macie2.InvitationAccepterArgs{}, State: macie2.InvitationAccepter{}, Noun: "Macie Invitation Accepter", Service: "macie2", Outputs: map[string]string{"invitationId": "{hex:32}"},
	}, "AcceptInvitation", "GetAdministratorAccount", "DisassociateFromAdministratorAccount", "{administratorAccountId}", map[string][]Rule{"administratorAccountId": {match(accountPattern)}}),
	joining(Type{
		Token: awstype.DetectiveMember, Source: "https://docs.aws.amazon.com/detective/latest/APIReference/API_CreateMembers.html",
		Args: detective.MemberArgs{}, State: detective.Member{}, Noun: "Detective Member", Service: "detective", Outputs: map[string]string{"administratorId": "{account}", "status": "INVITED", "invitedTime": "{now}"},
	}, "CreateMembers", "GetMembers", "DeleteMembers", "{graphArn}/{accountId}", map[string][]Rule{"accountId": {match(accountPattern)}, "graphArn": {isARN("detective")}}),
	joining(Type{
		Token: awstype.DetectiveInvitation, Source: "https://docs.aws.amazon.com/detective/latest/APIReference/API_AcceptInvitation.html",
		Args: detective.InvitationAccepterArgs{}, State: detective.InvitationAccepter{}, Noun: "Detective Invitation Accepter", Service: "detective",
	}, "AcceptInvitation", "ListInvitations", "DisassociateMembership", "{graphArn}", map[string][]Rule{"graphArn": {isARN("detective")}}),
	joining(Type{
		Token: awstype.SecurityHubMember, Source: "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_CreateMembers.html",
		Args: securityhub.MemberArgs{}, State: securityhub.Member{}, Noun: "Security Hub Member", Service: "securityhub", Outputs: map[string]string{"masterId": "{account}", "memberStatus": "Created"},
	}, "CreateMembers", "GetMembers", "DeleteMembers", "{accountId}", accountNumber),
	joining(Type{
		Token: awstype.SecurityHubInvitation, Source: "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AcceptAdministratorInvitation.html",
		Args: securityhub.InviteAccepterArgs{}, State: securityhub.InviteAccepter{}, Noun: "Security Hub Invite Accepter", Service: "securityhub", Outputs: map[string]string{"invitationId": "{hex:32}"},
	}, "AcceptAdministratorInvitation", "GetAdministratorAccount", "DisassociateFromAdministratorAccount", "{masterId}", map[string][]Rule{"masterId": {match(accountPattern)}}),
	joining(Type{
		Token: awstype.InspectorMember, Source: "https://docs.aws.amazon.com/inspector/v2/APIReference/API_AssociateMember.html",
		Args: inspector2.MemberAssociationArgs{}, State: inspector2.MemberAssociation{}, Noun: "Inspector2 Member Association", Service: "inspector2",
		Outputs: map[string]string{"delegatedAdminAccountId": "{account}", "relationshipStatus": "ENABLED", "updatedAt": "{now}"},
	}, "AssociateMember", "GetMember", "DisassociateMember", "{accountId}", accountNumber),
	{
		Token: awstype.CleanRoom, Source: "https://docs.aws.amazon.com/clean-rooms/latest/apireference/API_CreateCollaboration.html",
		Args: cleanrooms.CollaborationArgs{}, State: cleanrooms.Collaboration{}, Noun: "Clean Rooms Collaboration", Service: "cleanrooms",
		API: API{Create: "CreateCollaboration", Read: "GetCollaboration", Update: "UpdateCollaboration", Delete: "DeleteCollaboration", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{uuid}", ARN: "arn:aws:cleanrooms:{region}:{account}:collaboration/{id}", Name: Name{Property: "name", Max: 100}, Tags: true, Required: []string{"creatorMemberAbilities"},
		Fields:  map[string][]Rule{"members[*].accountId": {match(accountPattern)}, "queryLogStatus": {oneOf("ENABLED", "DISABLED")}},
		Outputs: map[string]string{"createTime": "{now}", "updateTime": "{now}"}, Replace: []string{"creatorDisplayName", "creatorMemberAbilities", "members", "queryLogStatus", "dataEncryptionMetadata"},
	},
	joining(Type{
		Token: awstype.AuditFrameworkShare, Source: "https://docs.aws.amazon.com/audit-manager/latest/APIReference/API_StartAssessmentFrameworkShare.html",
		Args: auditmanager.FrameworkShareArgs{}, State: auditmanager.FrameworkShare{}, Noun: "Audit Manager Framework Share", Service: "auditmanager", Outputs: map[string]string{"status": "ACTIVE"},
	}, "StartAssessmentFrameworkShare", "ListAssessmentFrameworkShareRequests", "DeleteAssessmentFrameworkShare", "{uuid}", map[string][]Rule{"destinationAccount": {match(accountPattern)}}),
	{
		Token: awstype.LicenseGrant, Source: "https://docs.aws.amazon.com/license-manager/latest/APIReference/API_CreateGrant.html",
		Args: licensemanager.LicenseGrantArgs{}, State: licensemanager.LicenseGrant{}, Noun: "License Manager Grant", Service: "license-manager",
		API: API{Create: "CreateGrant", Read: "GetGrant", Update: "CreateGrantVersion", Delete: "DeleteGrant"},
		ID:  "arn:aws:license-manager::{account}:grant:g-{hex:32}", ARN: "{id}", Name: Name{Property: "name", Max: 255}, Required: []string{"allowedOperations"},
		Fields: map[string][]Rule{"principal": {isARN("")}, "licenseArn": {isARN("license-manager")}}, Outputs: map[string]string{"homeRegion": "{region}", "status": "PENDING_ACCEPT", "version": "1", "parentArn": "{licenseArn}"},
		Replace: []string{"licenseArn", "principal"},
	},
	joining(Type{
		Token: awstype.LicenseGrantTaken, Source: "https://docs.aws.amazon.com/license-manager/latest/APIReference/API_AcceptGrant.html",
		Args: licensemanager.LicenseGrantAccepterArgs{}, State: licensemanager.LicenseGrantAccepter{}, Noun: "License Manager Grant Accepter", Service: "license-manager",
		Outputs: map[string]string{"homeRegion": "{region}", "status": "ACTIVE", "version": "1"},
	}, "AcceptGrant", "GetGrant", "RejectGrant", "{grantArn}", map[string][]Rule{"grantArn": {isARN("license-manager")}}),
	{
		Token: awstype.AcceleratorFor, Source: "https://docs.aws.amazon.com/global-accelerator/latest/api/API_CreateCrossAccountAttachment.html",
		Args: globalaccelerator.CrossAccountAttachmentArgs{}, State: globalaccelerator.CrossAccountAttachment{}, Noun: "Global Accelerator Cross-account Attachment", Service: "globalaccelerator",
		API:    API{Create: "CreateCrossAccountAttachment", Read: "DescribeCrossAccountAttachment", Update: "UpdateCrossAccountAttachment", Delete: "DeleteCrossAccountAttachment", Updates: map[string]string{"tags": "TagResource"}},
		Global: true, ID: "arn:aws:globalaccelerator::{account}:attachment/{uuid}", ARN: "{id}", Name: Name{Property: "name", Max: 64}, Tags: true, Outputs: map[string]string{"createdTime": "{now}", "lastModifiedTime": "{now}"},
	},
	{
		Token: awstype.CloudWAN, Source: "https://docs.aws.amazon.com/network-manager/latest/APIReference/API_CreateCoreNetwork.html",
		Args: networkmanager.CoreNetworkArgs{}, State: networkmanager.CoreNetwork{}, Noun: "Network Manager Core Network", Service: "networkmanager",
		API:    API{Create: "CreateCoreNetwork", Read: "GetCoreNetwork", Update: "UpdateCoreNetwork", Delete: "DeleteCoreNetwork", Updates: map[string]string{"tags": "TagResource"}},
		Global: true, ID: "core-network-{hex:17}", ARN: "arn:aws:networkmanager::{account}:core-network/{id}", Tags: true, Outputs: map[string]string{"createdAt": "{now}", "state": "AVAILABLE"}, Replace: []string{"globalNetworkId"},
	},
	{
		Token: awstype.CloudWANAttachment, Source: "https://docs.aws.amazon.com/network-manager/latest/APIReference/API_CreateVpcAttachment.html",
		Args: networkmanager.VpcAttachmentArgs{}, State: networkmanager.VpcAttachment{}, Noun: "Network Manager VPC Attachment", Service: "networkmanager",
		API:    API{Create: "CreateVpcAttachment", Read: "GetVpcAttachment", Update: "UpdateVpcAttachment", Delete: "DeleteAttachment", Updates: map[string]string{"tags": "TagResource"}},
		Global: true, ID: "attachment-{hex:17}", ARN: "arn:aws:networkmanager::{account}:attachment/{id}", Tags: true, Required: []string{"subnetArns"},
		Fields: map[string][]Rule{"vpcArn": {isARN("ec2")}, "subnetArns[*]": {isARN("ec2")}}, Replace: []string{"coreNetworkId", "vpcArn"},
		Outputs: map[string]string{"ownerAccountId": "{account}", "attachmentType": "VPC", "state": "AVAILABLE", "resourceArn": "{vpcArn}"}, Computed: []string{"coreNetworkArn"},
		Refs: []Ref{{Path: "coreNetworkId", To: []string{awstype.CloudWAN}, By: []string{"id"}, AnyAccount: true, Error: "ResourceNotFoundException: Core network {value} not found."}},
		Created: func(c *Call) error {
			rows, err := c.search(awstype.CloudWAN, "id", c.String("coreNetworkId"), true)
			if err == nil && len(rows) > 0 {
				c.Out["coreNetworkArn"] = rows[0].ARN
			}
			return err
		},
	},
	{
		Token: awstype.S3MultiRegionPoint, Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateMultiRegionAccessPoint.html",
		Args: s3control.MultiRegionAccessPointArgs{}, State: s3control.MultiRegionAccessPoint{}, Noun: "S3 Multi-Region Access Point", Service: "s3control",
		API:    API{Create: "CreateMultiRegionAccessPoint", Read: "GetMultiRegionAccessPoint", Delete: "DeleteMultiRegionAccessPoint"},
		Global: true, ID: "{account}:{details.name}", ARN: "arn:aws:s3::{account}:accesspoint/{alias}", Fields: map[string][]Rule{"details.name": {length(3, 50)}, "details.regions": {count(1, 20)}},
		Outputs: map[string]string{"accountId": "{account}", "alias": "{hex:12}.mrap", "status": "READY"}, Replace: []string{"*"},
	},
	{
		Token: awstype.S3MultiRegionPolicy, Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutMultiRegionAccessPointPolicy.html",
		Args: s3control.MultiRegionAccessPointPolicyArgs{}, State: s3control.MultiRegionAccessPointPolicy{}, Noun: "S3 Multi-Region Access Point Policy", Service: "s3control",
		API:    API{Create: "PutMultiRegionAccessPointPolicy", Read: "GetMultiRegionAccessPointPolicy", Update: "PutMultiRegionAccessPointPolicy"},
		Global: true, ID: "{account}:{details.name}", Upsert: true, Required: []string{}, Outputs: map[string]string{"accountId": "{account}", "established": "{details.policy}"},
		Policies: map[string]Grammar{"details.policy": granting("Multi-Region Access Point policy", 20480, "MalformedPolicy", "PolicyTooLarge")}, Replace: []string{"accountId"},
	},
	{
		Token: awstype.ECRPublicRepository, Source: "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_CreateRepository.html",
		Args: ecrpublic.RepositoryArgs{}, State: ecrpublic.Repository{}, Noun: "ECR Public Repository", Service: "ecr-public",
		API:    API{Create: "CreateRepository", Read: "DescribeRepositories", Update: "PutRepositoryCatalogData", Delete: "DeleteRepository", Updates: map[string]string{"tags": "TagResource"}},
		Global: true, ID: "{repositoryName}", ARN: "arn:aws:ecr-public::{account}:repository/{repositoryName}", Tags: true, Outputs: map[string]string{"registryId": "{account}", "repositoryUri": "public.ecr.aws/{account}/{repositoryName}"},
		Unique:  []Unique{{Scope: PerAccount, Key: "public/{repositoryName}", Error: "RepositoryAlreadyExistsException: The repository with name '{repositoryName}' already exists in the registry with id '{account}'"}},
		Replace: []string{"repositoryName"}, Owns: []Link{{Type: awstype.ECRPublicPolicy, Path: "repositoryName", Value: "{repositoryName}"}},
	},
	policyOf(Type{
		Token: awstype.ECRPublicPolicy, Source: "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_SetRepositoryPolicy.html",
		Args: ecrpublic.RepositoryPolicyArgs{}, State: ecrpublic.RepositoryPolicy{}, Noun: "ECR Public Repository Policy", Service: "ecr-public",
		API:    API{Create: "SetRepositoryPolicy", Read: "GetRepositoryPolicy", Update: "SetRepositoryPolicy", Delete: "DeleteRepositoryPolicy"},
		Global: true, ID: "{repositoryName}", Outputs: map[string]string{"registryId": "{account}"}, Replace: []string{"repositoryName"},
		Policies: map[string]Grammar{"policy": granting("repository policy", 10240, "InvalidParameterException", "InvalidParameterException")},
		Refs:     []Ref{{Path: "repositoryName", To: []string{awstype.ECRPublicRepository}, By: []string{"repositoryName"}, Error: "RepositoryNotFoundException: The repository with name '{value}' does not exist"}},
	}),
}

const (
	hostedToken    = "aws:directconnect/hostedPrivateVirtualInterface:HostedPrivateVirtualInterface"
	latticeNetwork = "aws:vpclattice/serviceNetwork:ServiceNetwork"
	latticeService = "aws:vpclattice/service:Service"
)

// anyLattice is a service network, which an account may share.
var anyLattice = Ref{Path: "serviceNetworkIdentifier", To: []string{latticeNetwork}, AnyAccount: true, Error: "ResourceNotFoundException: Service network {value} does not exist"}
