package awsprovider

import (
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ram"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rolesanywhere"

	aws "freehold.dev/freehold/internal/iam"
)

// The tables of what shares hold what somebody makes by hand to let another
// account in, or to hand something to it: no stack has any of it. AWS checks
// little of the far end, but that a principal exists.

const (
	userToken     = "aws:iam/user:User"
	groupOfUsers  = "aws:iam/group:Group"
	shareToken    = "aws:ram/resourceShare:ResourceShare"
	serviceToken  = "aws:ec2/vpcEndpointService:VpcEndpointService"
	ramPrincipal  = "aws:ram/principalAssociation:PrincipalAssociation"
	ramResource   = "aws:ram/resourceAssociation:ResourceAssociation"
	allowedToken  = "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple"
	userPolicy    = "aws:iam/userPolicy:UserPolicy"
	groupPolicyIs = "aws:iam/groupPolicy:GroupPolicy"
)

// granting is the grammar of resource policies: AWS refuses one whose principals
// are not there.
func granting(name string, limit int, malformed, tooLong string) Grammar {
	return Grammar{name: name, limit: limit, spaces: true, principal: mustBe, resource: mayBe, effects: both, malformed: malformed, tooLong: tooLong, exists: true}
}

// policyOf completes the type of a policy that a resource has once.
func policyOf(t Type) *Type {
	t.Upsert = true
	if t.Required == nil {
		t.Required = []string{}
	}
	return &t
}

var shareTypes = []*Type{
	{
		Token: userToken, Source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html",
		Args: iam.UserArgs{}, State: iam.User{}, Noun: "IAM User", Service: "iam",
		API:    API{Create: "CreateUser", Read: "GetUser", Update: "UpdateUser", Delete: "DeleteUser", Updates: map[string]string{"tags": "TagUser"}},
		Global: true, ID: "{name}", ARN: "arn:aws:iam::{account}:user{path}{name}", Name: Name{Property: "name", Max: 64}, Tags: true,
		Defaults: map[string]any{"path": "/", "forceDestroy": false}, Outputs: map[string]string{"uniqueId": "AIDA{upper:17}"},
		Fields:  map[string][]Rule{"name": {length(1, 64), match(iamName)}, "path": {length(1, 512), match(iamPath)}, "permissionsBoundary": {isARN("iam")}},
		Unique:  []Unique{{Scope: PerAccount, Key: "user/{name|lower}", Error: "EntityAlreadyExists: User with name {name} already exists."}},
		Quota:   &Quota{Scope: PerAccount, Name: "iam:users", Limit: 5000, Error: "LimitExceeded: Cannot exceed quota for UsersPerAccount: {limit}"},
		Replace: []string{"name", "path"},
		Blocks:  []Block{{Link: Link{Type: userPolicy, Path: "user"}, Unless: "forceDestroy", Error: "DeleteConflict: Cannot delete entity, must delete policies first."}},
	},
	{
		Token: groupOfUsers, Source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html",
		Args: iam.GroupArgs{}, State: iam.Group{}, Noun: "IAM Group", Service: "iam",
		API:    API{Create: "CreateGroup", Read: "GetGroup", Update: "UpdateGroup", Delete: "DeleteGroup"},
		Global: true, ID: "{name}", ARN: "arn:aws:iam::{account}:group{path}{name}", Name: Name{Property: "name", Max: 128},
		Defaults: map[string]any{"path": "/"}, Outputs: map[string]string{"uniqueId": "AGPA{upper:17}"},
		Fields:  map[string][]Rule{"name": {length(1, 128), match(iamName)}, "path": {length(1, 512), match(iamPath)}},
		Unique:  []Unique{{Scope: PerAccount, Key: "group/{name|lower}", Error: "EntityAlreadyExists: Group with name {name} already exists."}},
		Quota:   &Quota{Scope: PerAccount, Name: "iam:groups", Limit: 300, Error: "LimitExceeded: Cannot exceed quota for GroupsPerAccount: {limit}"},
		Replace: []string{"name", "path"},
		Blocks:  []Block{{Link: Link{Type: groupPolicyIs, Path: "group"}, Error: "DeleteConflict: Cannot delete entity, must delete policies first."}},
	},
	{
		Token: userPolicy, Source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html",
		Args: iam.UserPolicyArgs{}, State: iam.UserPolicy{}, Noun: "IAM User Policy", Service: "iam",
		API:    API{Create: "PutUserPolicy", Read: "GetUserPolicy", Update: "PutUserPolicy", Delete: "DeleteUserPolicy"},
		Global: true, ID: "{user}:{name}", Name: Name{Property: "name", Prefix: "namePrefix", Max: 128}, Upsert: true,
		Fields:   map[string][]Rule{"name": {length(1, 128), match(iamName)}},
		Policies: map[string]Grammar{"policy": sized(inlinePolicy, 2048)},
		Refs:     []Ref{{Path: "user", To: []string{userToken}, By: []string{"id"}, Error: "NoSuchEntity: The user with name {value} cannot be found."}},
		Replace:  []string{"name", "namePrefix", "user"},
	},
	{
		Token: groupPolicyIs, Source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html",
		Args: iam.GroupPolicyArgs{}, State: iam.GroupPolicy{}, Noun: "IAM Group Policy", Service: "iam",
		API:    API{Create: "PutGroupPolicy", Read: "GetGroupPolicy", Update: "PutGroupPolicy", Delete: "DeleteGroupPolicy"},
		Global: true, ID: "{group}:{name}", Name: Name{Property: "name", Prefix: "namePrefix", Max: 128}, Upsert: true,
		Fields:   map[string][]Rule{"name": {length(1, 128), match(iamName)}},
		Policies: map[string]Grammar{"policy": sized(inlinePolicy, 5120)},
		Refs:     []Ref{{Path: "group", To: []string{groupOfUsers}, By: []string{"id"}, Error: "NoSuchEntity: The group with name {value} cannot be found."}},
		Replace:  []string{"name", "namePrefix", "group"},
	},
	{
		Token: "aws:iam/samlProvider:SamlProvider", Source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html",
		Args: iam.SamlProviderArgs{}, State: iam.SamlProvider{}, Noun: "IAM SAML Provider", Service: "iam",
		API: API{Create: "CreateSAMLProvider", Read: "GetSAMLProvider", Update: "UpdateSAMLProvider", Delete: "DeleteSAMLProvider",
			Updates: map[string]string{"tags": "TagSAMLProvider"}},
		Global: true, ID: "arn:aws:iam::{account}:saml-provider/{name}", ARN: "arn:aws:iam::{account}:saml-provider/{name}",
		Name: Name{Property: "name", Max: 128}, Tags: true,
		Fields:  map[string][]Rule{"samlMetadataDocument": {length(1000, 10000000)}, "name": {match(regexp.MustCompile(`^[\w._-]+$`))}},
		Unique:  []Unique{{Scope: PerAccount, Key: "saml/{name}", Error: "EntityAlreadyExists: Unable to complete request. SAMLProvider {name} already exists."}},
		Replace: []string{"name"},
	},
	{
		Token: "aws:rolesanywhere/trustAnchor:TrustAnchor", Source: "https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_CreateTrustAnchor.html",
		Args: rolesanywhere.TrustAnchorArgs{}, State: rolesanywhere.TrustAnchor{}, Noun: "RolesAnywhere Trust Anchor", Service: "rolesanywhere",
		API: API{Create: "CreateTrustAnchor", Read: "GetTrustAnchor", Update: "UpdateTrustAnchor", Delete: "DeleteTrustAnchor", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{uuid}", ARN: "arn:aws:rolesanywhere:{region}:{account}:trust-anchor/{id}", Name: Name{Property: "name", Max: 255}, Tags: true,
		Defaults: map[string]any{"enabled": false},
		Fields:   map[string][]Rule{"source.sourceType": {oneOf("AWS_ACM_PCA", "CERTIFICATE_BUNDLE", "SELF_SIGNED_REPOSITORY")}},
	},
	{
		Token: "aws:kms/grant:Grant", Source: "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html",
		Args: kms.GrantArgs{}, State: kms.Grant{}, Noun: "KMS Grant", Service: "kms",
		API: API{Create: "CreateGrant", Read: "ListGrants", Delete: "RevokeGrant"},
		ID:  "{keyId}:{hex:64}", Outputs: map[string]string{"grantToken": "{hex:64}"}, Name: Name{Property: "name", Max: 256},
		Required: []string{"operations"},
		Fields: map[string][]Rule{
			"granteePrincipal": {isARN("")}, "retiringPrincipal": {isARN("")},
			"operations[*]": {oneOf("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo", "Sign", "Verify", "GetPublicKey",
				"CreateGrant", "RetireGrant", "DescribeKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "VerifyMac", "DeriveSharedSecret")},
		},
		Refs:    []Ref{{Path: "keyId", To: []string{keyToken}, Error: "NotFoundException: Key '{value}' does not exist"}},
		Replace: []string{"*"},
		Created: func(c *Call) error {
			_, c.Out["grantId"], _ = strings.Cut(c.ID, ":")
			return nil
		},
		Check: func(c *Call) error {
			for _, p := range []string{"granteePrincipal", "retiringPrincipal"} {
				if err := c.exists(p, "InvalidArnException"); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		Token: shareToken, Source: "https://docs.aws.amazon.com/ram/latest/APIReference/API_CreateResourceShare.html",
		Args: ram.ResourceShareArgs{}, State: ram.ResourceShare{}, Noun: "RAM Resource Share", Service: "ram",
		API: API{Create: "CreateResourceShare", Read: "GetResourceShares", Update: "UpdateResourceShare", Delete: "DeleteResourceShare", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "arn:aws:ram:{region}:{account}:resource-share/{uuid}", ARN: "{id}", Name: Name{Property: "name", Max: 256}, Tags: true,
		Defaults: map[string]any{"allowExternalPrincipals": false},
		Owns:     []Link{{Type: ramPrincipal, Path: "resourceShareArn"}, {Type: ramResource, Path: "resourceShareArn"}},
	},
	{
		Token: ramPrincipal, Source: "https://docs.aws.amazon.com/ram/latest/APIReference/API_AssociateResourceShare.html",
		Args: ram.PrincipalAssociationArgs{}, State: ram.PrincipalAssociation{}, Noun: "RAM Principal Association", Service: "ram",
		API:     API{Create: "AssociateResourceShare", Read: "GetResourceShareAssociations", Delete: "DisassociateResourceShare"},
		ID:      "{resourceShareArn},{principal}",
		Fields:  map[string][]Rule{"principal": {either(match(accountPattern), isARN(""))}},
		Refs:    []Ref{noShare},
		Replace: []string{"*"},
	},
	{
		Token: ramResource, Source: "https://docs.aws.amazon.com/ram/latest/APIReference/API_AssociateResourceShare.html",
		Args: ram.ResourceAssociationArgs{}, State: ram.ResourceAssociation{}, Noun: "RAM Resource Association", Service: "ram",
		API:     API{Create: "AssociateResourceShare", Read: "GetResourceShareAssociations", Delete: "DisassociateResourceShare"},
		ID:      "{resourceShareArn},{resourceArn}",
		Fields:  map[string][]Rule{"resourceArn": {isARN("")}},
		Refs:    []Ref{noShare},
		Replace: []string{"*"},
		Check: func(c *Call) error {
			// Only the owner of a thing shares it.
			if owner := aws.AccountIn(c.String("resourceArn")); owner != c.Account {
				return errf("OperationNotPermittedException", "The resource %s is not owned by the account.", c.String("resourceArn"))
			}
			return nil
		},
	},
	{
		Token: "aws:ram/resourceShareAccepter:ResourceShareAccepter", Source: "https://docs.aws.amazon.com/ram/latest/APIReference/API_AcceptResourceShareInvitation.html",
		Args: ram.ResourceShareAccepterArgs{}, State: ram.ResourceShareAccepter{}, Noun: "RAM Resource Share Accepter", Service: "ram",
		API: API{Create: "AcceptResourceShareInvitation", Read: "GetResourceShares", Delete: "DisassociateResourceShare"},
		ID:  "{shareArn}", Fields: map[string][]Rule{"shareArn": {isARN("ram")}}, Replace: []string{"*"},
		Outputs: map[string]string{"receiverAccountId": "{account}", "shareId": "rs-{hex:8}", "status": "ACTIVE"},
		Refs: []Ref{{Path: "shareArn", To: []string{shareToken}, By: []string{"arn"}, AnyAccount: true,
			Error: "ResourceShareInvitationArnNotFoundException: No invitation of the share {value} was found."}},
		Created: func(c *Call) error {
			rows, err := c.search(shareToken, "arn", c.String("shareArn"), true)
			if err == nil && len(rows) > 0 {
				c.Out["senderAccountId"], c.Out["shareName"] = rows[0].Account, rows[0].Outputs["name"]
			}
			return err
		},
	},
	{
		Token: serviceToken, Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpointServiceConfiguration.html",
		Args: ec2.VpcEndpointServiceArgs{}, State: ec2.VpcEndpointService{}, Noun: "EC2 VPC Endpoint Service", Service: "ec2",
		API: API{Create: "CreateVpcEndpointServiceConfiguration", Read: "DescribeVpcEndpointServiceConfigurations", Update: "ModifyVpcEndpointServiceConfiguration",
			Delete: "DeleteVpcEndpointServiceConfigurations", Updates: map[string]string{"tags": "CreateTags", "allowedPrincipals": "ModifyVpcEndpointServicePermissions"}},
		ID: "vpce-svc-{hex:17}", ARN: "arn:aws:ec2:{region}:{account}:vpc-endpoint-service/{id}", Tags: true,
		Outputs: map[string]string{"serviceName": "com.amazonaws.vpce.{region}.{id}", "serviceType": "Interface", "state": "Available"},
		Owns:    []Link{{Type: allowedToken, Path: "vpcEndpointServiceId"}},
		Check: func(c *Call) error {
			if len(listAt(c.In, "gatewayLoadBalancerArns"))+len(listAt(c.In, "networkLoadBalancerArns")) == 0 {
				return errf("MissingParameter", "Must specify either NLB or GWLB ARNs.")
			}
			return nil
		},
	},
	{
		Token: allowedToken, Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcEndpointServicePermissions.html",
		Args: ec2.VpcEndpointServiceAllowedPrincipleArgs{}, State: ec2.VpcEndpointServiceAllowedPrinciple{}, Noun: "EC2 VPC Endpoint Service Permission", Service: "ec2",
		API: API{Create: "ModifyVpcEndpointServicePermissions", Read: "DescribeVpcEndpointServicePermissions", Delete: "ModifyVpcEndpointServicePermissions"},
		ID:  "{vpcEndpointServiceId}/{principalArn}", Upsert: true, Replace: []string{"*"},
		Fields: map[string][]Rule{"principalArn": {either(oneOf("*"), isARN("iam"))}},
		Refs: []Ref{{Path: "vpcEndpointServiceId", To: []string{serviceToken}, By: []string{"id"},
			Error: "InvalidVpcEndpointServiceId.NotFound: The VpcEndpointService Id '{value}' does not exist"}},
	},
	{
		Token: "aws:ec2/networkInterfacePermission:NetworkInterfacePermission", Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterfacePermission.html",
		Args: ec2.NetworkInterfacePermissionArgs{}, State: ec2.NetworkInterfacePermission{}, Noun: "EC2 Network Interface Permission", Service: "ec2",
		API: API{Create: "CreateNetworkInterfacePermission", Read: "DescribeNetworkInterfacePermissions", Delete: "DeleteNetworkInterfacePermission"},
		ID:  "eni-perm-{hex:17}", Outputs: map[string]string{"networkInterfacePermissionId": "{id}"}, Replace: []string{"*"},
		Fields: map[string][]Rule{"awsAccountId": {match(accountPattern)}, "permission": {oneOf("INSTANCE-ATTACH", "EIP-ASSOCIATE")}},
	},
	{
		Token: "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission", Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html",
		Args: ec2.SnapshotCreateVolumePermissionArgs{}, State: ec2.SnapshotCreateVolumePermission{}, Noun: "EC2 Snapshot CreateVolumePermission", Service: "ec2",
		API: API{Create: "ModifySnapshotAttribute", Read: "DescribeSnapshotAttribute", Delete: "ModifySnapshotAttribute"},
		ID:  "{snapshotId}-{accountId}", Upsert: true, Replace: []string{"*"},
		Fields: map[string][]Rule{"accountId": {either(oneOf("all"), match(accountPattern))}, "snapshotId": {match(regexp.MustCompile(`^snap-[0-9a-f]{8,17}$`))}},
		Refs:   []Ref{{Path: "snapshotId", To: []string{ebsSnapshotToken}, By: []string{"id"}, Error: "InvalidSnapshot.NotFound: The snapshot '{value}' does not exist."}},
	},
	{
		Token: "aws:ec2/amiLaunchPermission:AmiLaunchPermission", Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html",
		Args: ec2.AmiLaunchPermissionArgs{}, State: ec2.AmiLaunchPermission{}, Noun: "EC2 AMI Launch Permission", Service: "ec2",
		API: API{Create: "ModifyImageAttribute", Read: "DescribeImageAttribute", Delete: "ModifyImageAttribute"},
		ID:  "{hex:8}-{imageId}", Replace: []string{"*"}, ExactlyOne: [][]string{{"accountId", "group", "organizationArn", "organizationalUnitArn"}},
		Fields: map[string][]Rule{"accountId": {match(accountPattern)}, "group": {oneOf("all")}},
		Refs:   []Ref{{Path: "imageId", To: []string{imageToken}, By: []string{"id"}, Error: "InvalidAMIID.NotFound: The image id '[{value}]' does not exist"}},
	},
}

var noShare = Ref{Path: "resourceShareArn", To: []string{shareToken}, By: []string{"arn"}, Error: "UnknownResourceException: ResourceShare {value} could not be found."}

// sized is a grammar with another limit.
func sized(g Grammar, limit int) Grammar {
	g.limit = limit
	return g
}

// exists refuses a property that names a principal which is not there.
func (c *Call) exists(property, code string) error {
	p := text(c.In[property])
	if p == "" {
		return nil
	}
	there, err := c.principal(p)
	if err == nil && !there {
		return errf(code, "ARN does not refer to a valid principal: %s", p)
	}
	return err
}
