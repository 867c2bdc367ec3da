package aws

import (
	"context"
	"fmt"
	"strings"

	"freehold.dev/freehold/internal/cloud"
)

// finders look up, for each type that the stacks make, what a creation with
// these inputs would have made: by a name that only one can have, or by what it
// belongs to, or else by Freehold's tags. They return the ids by which the
// provider knows them. A type whose creation overwrites what is there has one
// all the same, so that it is recorded; where it would be recorded with other
// settings than it has, it has none, and is made again.
var finders = map[string]func(context.Context, *session, inputs) ([]string, error){
	accountType:       findAccount,
	unitType:          findUnit,
	orgPolicyType:     findOrgPolicy,
	orgAttachmentType: findOrgAttachment,

	roleType:            findRole,
	serviceRoleType:     findServiceRole,
	rolePolicyType:      findRolePolicy,
	roleAttachmentType:  findRoleAttachment,
	policyType:          findPolicy,
	instanceProfileType: findInstanceProfile,
	oidcType:            findOIDCProvider,
	passwordPolicyType:  findSetting(readPasswordPolicy),

	keyType:   findKey,
	aliasType: findAlias,

	bucketType:          findBucket,
	bucketPolicyType:    findBucketPart(bucketPolicyType),
	bucketBlockType:     findBucketPart(bucketBlockType),
	versioningType:      findBucketPart(versioningType),
	encryptionType:      findBucketPart(encryptionType),
	ownershipType:       findBucketPart(ownershipType),
	bucketLifecycleType: findBucketPart(bucketLifecycleType),
	bucketLoggingType:   findBucketPart(bucketLoggingType),
	accountBlockType:    findSetting(readAccountBlock),

	repositoryType:       findRepository,
	imageLifecycleType:   findImageLifecycle,
	repositoryPolicyType: findRepositoryPolicy,
	trailType:            findTrail,
	analyzerType:         findAnalyzer,
	logGroupType:         findLogGroup,

	ebsEncryptionType: findSetting(readEBSEncryption),
	ebsKeyType:        findEBSKey,
	metadataType:      findSetting(readMetadataDefaults),

	vpcType:             findVPC,
	subnetType:          findSubnet,
	routeTableType:      findRouteTable,
	routeType:           findRoute,
	associationType:     findAssociation,
	internetGatewayType: findInternetGateway,
	natGatewayType:      findNATGateway,
	addressType:         findAddress,
	endpointType:        findEndpoint,
	peeringType:         findPeering,
	networkACLType:      findNetworkACL,
	interfaceType:       findInterface,
	groupType:           findGroup,
	defaultGroupType:    findDefaultGroup,
	ingressType:         findGroupRule(false),
	egressType:          findGroupRule(true),
	flowLogType:         findFlowLog,
	launchTemplateType:  findLaunchTemplate,

	clusterType:      findCluster,
	nodeGroupType:    findNodeGroup,
	addonType:        findAddon,
	accessEntryType:  findAccessEntry,
	accessPolicyType: findAccessPolicy,
	podIdentityType:  findPodIdentity,
	fargateType:      findFargateProfile,

	identityProviderType: findIdentityProvider,
}

// Find looks up what an interrupted creation may have left behind.
func (c *Cloud) Find(ctx context.Context, in cloud.Account, typ string, given map[string]any) (string, error) {
	find, is := finders[typ]
	if !is {
		return "", fmt.Errorf("find %s: nobody knows how to look for one: add it to the finders of internal/cloud/aws", typ)
	}
	s, err := c.session(ctx, in)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", typ, err)
	}
	ids, err := find(ctx, s, inputs(given))
	switch {
	case gone(err): // what it would be a part of is not there either
		return "", fmt.Errorf("find %s in account %s: %w", typ, s.account, cloud.ErrNotFound)
	case err != nil:
		return "", fmt.Errorf("find %s in account %s: %w", typ, s.account, called(err))
	case len(ids) == 0:
		return "", fmt.Errorf("find %s in account %s: %w", typ, s.account, cloud.ErrNotFound)
	case len(ids) > 1:
		return "", fmt.Errorf("find %s in account %s: more than one fits: %q; remove those that nobody needs", typ, s.account, ids)
	}
	return ids[0], nil
}

// inputs are a resource's, as the engine gives them.
type inputs map[string]any

// text returns an input, and "" for one that is absent, unknown yet or no text.
func (in inputs) text(key string) string {
	s, _ := in[key].(string)
	return s
}

// texts returns inputs; ok is false unless all are given: what is not named
// cannot be looked up, and half a name fits others' things.
func (in inputs) texts(keys ...string) (values []string, ok bool) {
	for _, k := range keys {
		if in.text(k) == "" {
			return nil, false
		}
		values = append(values, in.text(k))
	}
	return values, true
}

// identityTags tell apart what has no name: of two things in one layer, the
// names in the tags differ.
var identityTags = []string{"Name", "freehold.dev/org", "freehold.dev/layer"}

// identity returns the identifying tags; ok is false unless all are given.
func (in inputs) identity() (tags map[string]string, ok bool) {
	given, _ := in["tags"].(map[string]any)
	tags = map[string]string{}
	for _, k := range identityTags {
		if tags[k] = inputs(given).text(k); tags[k] == "" {
			return nil, false
		}
	}
	return tags, true
}

// one is the answer of a look-up of one thing: its id, or "" for none.
func one(id string, err error) ([]string, error) {
	if err != nil || id == "" {
		return nil, err
	}
	return []string{id}, nil
}

// gone reports whether AWS says that a thing, or what it is part of, is not
// there. Each service has a word of its own for it: NoSuchEntity, NoSuchBucket,
// InvalidVpcID.NotFound, NatGatewayNotFound, ResourceNotFoundException.
func gone(err error) bool {
	got := code(err)
	return strings.HasPrefix(got, "NoSuch") || strings.HasSuffix(got, "NotFound") || strings.HasSuffix(got, "NotFoundException") ||
		strings.HasSuffix(got, "NotFoundError")
}

// findSetting finds a setting where it is set.
func findSetting(read func(context.Context, *session) (string, error)) func(context.Context, *session, inputs) ([]string, error) {
	return func(ctx context.Context, s *session, _ inputs) ([]string, error) { return one(read(ctx, s)) }
}

func findEBSKey(ctx context.Context, s *session, in inputs) ([]string, error) {
	id, err := readEBSKey(ctx, s)
	if id != in.text("keyArn") {
		id = ""
	}
	return one(id, err)
}
