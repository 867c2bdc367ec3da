package aws

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// removers delete one thing, by the names that the rows of awstype give. They
// wait until it is gone where what comes after it in an inventory cannot be
// removed before.
var removers = map[string]func(context.Context, *session, cloud.Item) error{
	"role":             removeRole,
	"role policy":      removeRolePolicy,
	"role attachment":  removeRoleAttachment,
	"policy":           removePolicy,
	"instance profile": removeInstanceProfile,
	"user":             removeUser,
	"group":            removeUserGroup,
	"OIDC provider":    removeOIDCProvider,
	"SAML provider":    removeSAMLProvider,
	"password policy":  removePasswordPolicy,

	"key":   removeKey,
	"alias": removeAlias,
	"grant": removeGrant,

	"bucket":                      removeBucket,
	"bucket policy":               removeBucketPolicy,
	"bucket public access block":  removeBucketBlock,
	"bucket versioning":           removeVersioning,
	"bucket encryption":           removeEncryption,
	"bucket ownership controls":   removeOwnership,
	"bucket lifecycle":            removeBucketLifecycle,
	"bucket logging":              removeBucketLogging,
	"account public access block": removeAccountBlock,

	"repository":        removeRepository,
	"image lifecycle":   removeImageLifecycle,
	"repository policy": removeRepositoryPolicy,
	"trail":             removeTrail,
	"analyzer":          removeAnalyzer,
	"log group":         removeLogGroup,

	"EBS encryption by default":  removeEBSEncryption,
	"EBS default key":            removeEBSKey,
	"instance metadata defaults": removeMetadataDefaults,

	"VPC":                     removeVPC,
	"subnet":                  removeSubnet,
	"route table":             removeRouteTable,
	"route":                   removeRoute,
	"route table association": removeAssociation,
	"internet gateway":        removeInternetGateway,
	"NAT gateway":             removeNATGateway,
	"address":                 removeAddress,
	"network ACL":             removeNetworkACL,
	"DHCP options":            removeDHCPOptions,
	"endpoint":                removeEndpoint,
	"endpoint service":        removeEndpointService,
	"peering":                 removePeering,
	"transit gateway":         removeTransitGateway,
	"transit VPC attachment":  removeTransitVPC,
	"transit peering":         removeTransitPeering,
	"security group":          removeGroup,
	"security group rule":     removeGroupRule,
	"flow log":                removeFlowLog,

	"launch template":   removeLaunchTemplate,
	"instance":          removeInstance,
	"network interface": removeInterface,
	"key pair":          removeKeyPair,
	"image":             removeImage,
	"volume":            removeVolume,
	"snapshot":          removeSnapshot,
	"load balancer":     removeLoadBalancer,
	"target group":      removeTargetGroup,

	"cluster":         removeCluster,
	"node group":      removeNodeGroup,
	"add-on":          removeAddon,
	"access entry":    removeAccessEntry,
	"access policy":   removeAccessPolicy,
	"pod identity":    removePodIdentity,
	"Fargate profile": removeFargateProfile,

	"identity provider config": removeIdentityProvider,
}

// removalLasts bounds the waiting for one thing to go: a cluster or a node
// group takes a quarter of an hour.
const removalLasts = 40 * time.Minute

// Remove deletes one item of an inventory. What is not there is removed.
func (c *Cloud) Remove(ctx context.Context, a cloud.Account, item cloud.Item) error {
	row, _ := awstype.Of(item.Type)
	remove, is := removers[row.Remove]
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
