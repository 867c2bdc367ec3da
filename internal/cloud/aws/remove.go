package aws

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"freehold.dev/freehold/internal/cloud"
)

// removers delete one thing of a type. They wait until it is gone where what
// comes after it in an inventory cannot be removed before.
var removers = map[string]func(context.Context, *session, cloud.Item) error{
	roleType:            removeRole,
	rolePolicyType:      removeRolePolicy,
	roleAttachmentType:  removeRoleAttachment,
	policyType:          removePolicy,
	instanceProfileType: removeInstanceProfile,
	userType:            removeUser,
	userGroupType:       removeUserGroup,
	oidcType:            removeOIDCProvider,
	samlType:            removeSAMLProvider,
	passwordPolicyType:  removePasswordPolicy,

	keyType:   removeKey,
	aliasType: removeAlias,
	grantType: removeGrant,

	bucketType:          removeBucket,
	bucketPolicyType:    removeBucketPolicy,
	bucketBlockType:     removeBucketBlock,
	versioningType:      removeVersioning,
	encryptionType:      removeEncryption,
	ownershipType:       removeOwnership,
	bucketLifecycleType: removeBucketLifecycle,
	bucketLoggingType:   removeBucketLogging,
	accountBlockType:    removeAccountBlock,

	repositoryType:       removeRepository,
	imageLifecycleType:   removeImageLifecycle,
	repositoryPolicyType: removeRepositoryPolicy,
	trailType:            removeTrail,
	analyzerType:         removeAnalyzer,
	logGroupType:         removeLogGroup,

	ebsEncryptionType: removeEBSEncryption,
	ebsKeyType:        removeEBSKey,
	metadataType:      removeMetadataDefaults,

	vpcType:             removeVPC,
	subnetType:          removeSubnet,
	routeTableType:      removeRouteTable,
	routeType:           removeRoute,
	associationType:     removeAssociation,
	internetGatewayType: removeInternetGateway,
	natGatewayType:      removeNATGateway,
	addressType:         removeAddress,
	networkACLType:      removeNetworkACL,
	dhcpOptionsType:     removeDHCPOptions,
	endpointType:        removeEndpoint,
	endpointServiceType: removeEndpointService,
	peeringType:         removePeering,
	transitGatewayType:  removeTransitGateway,
	transitVPCType:      removeTransitVPC,
	transitPeeringType:  removeTransitPeering,
	groupType:           removeGroup,
	ingressType:         removeGroupRule,
	egressType:          removeGroupRule,
	flowLogType:         removeFlowLog,

	launchTemplateType: removeLaunchTemplate,
	instanceType:       removeInstance,
	interfaceType:      removeInterface,
	keyPairType:        removeKeyPair,
	imageType:          removeImage,
	volumeType:         removeVolume,
	snapshotType:       removeSnapshot,
	loadBalancerType:   removeLoadBalancer,
	targetGroupType:    removeTargetGroup,

	clusterType:      removeCluster,
	nodeGroupType:    removeNodeGroup,
	addonType:        removeAddon,
	accessEntryType:  removeAccessEntry,
	accessPolicyType: removeAccessPolicy,
	podIdentityType:  removePodIdentity,
	fargateType:      removeFargateProfile,

	identityProviderType: removeIdentityProvider,
}

// removalLasts bounds the waiting for one thing to go: a cluster or a node
// group takes a quarter of an hour.
const removalLasts = 40 * time.Minute

// Remove deletes one item of an inventory. What is not there is removed.
func (c *Cloud) Remove(ctx context.Context, a cloud.Account, item cloud.Item) error {
	remove, is := removers[item.Type]
	if !is {
		return fmt.Errorf("remove %s %s from account %s: it is of a type that Freehold never makes and cannot remove: delete it in the AWS console or with the AWS CLI", item.Type, item.ID, a.ID)
	}
	if item.ID == "" {
		return fmt.Errorf("remove a %s from account %s: it has no id", item.Type, a.ID)
	}
	s, err := c.session(ctx, a)
	if err != nil {
		return fmt.Errorf("remove %s %s: %w", item.Type, item.ID, err)
	}
	if err := remove(ctx, s, item); err != nil && !gone(err) {
		return fmt.Errorf("remove %s %s from account %s: %w", item.Type, item.ID, s.account, called(err))
	}
	return nil
}

// split takes apart an id that names what a thing is part of as well.
func split(id, by string, parts int) ([]*string, error) {
	got := strings.SplitN(id, by, parts)
	if len(got) != parts {
		return nil, fmt.Errorf("the id is not %d parts with %q between them", parts, by)
	}
	return aws.StringSlice(got), nil
}
