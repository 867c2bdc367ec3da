package aws

import (
	"context"
	"fmt"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// finders look up, by the names that the rows of awstype give, what a creation
// with these inputs would have made: by a name that only one can have, or by
// what it belongs to, or else by Freehold's tags. They return the ids by which
// the provider knows them. All that identifies it is given. A type whose
// creation overwrites what is there has one all the same, so that it is
// recorded; where it would be recorded with other settings than it has, it has
// none, and is made again.
var finders = map[string]func(context.Context, *session, inputs) ([]string, error){
	"account":                        findAccount,
	"organizational unit":            findUnit,
	"organization policy":            findOrgPolicy,
	"organization policy attachment": findOrgAttachment,

	"role":                findRole,
	"service-linked role": findServiceRole,
	"role policy":         findRolePolicy,
	"role attachment":     findRoleAttachment,
	"policy":              findPolicy,
	"instance profile":    findInstanceProfile,
	"OIDC provider":       findOIDCProvider,
	"password policy":     findSetting(readPasswordPolicy),

	"key":   findKey,
	"alias": findAlias,

	"bucket":                      findBucket,
	"bucket policy":               findBucketPart(awstype.S3BucketPolicy),
	"bucket public access block":  findBucketPart(awstype.S3PublicAccessBlock),
	"bucket versioning":           findBucketPart(awstype.S3Versioning),
	"bucket encryption":           findBucketPart(awstype.S3Encryption),
	"bucket ownership controls":   findBucketPart(awstype.S3OwnershipControls),
	"bucket lifecycle":            findBucketPart(awstype.S3Lifecycle),
	"bucket logging":              findBucketPart(awstype.S3Logging),
	"account public access block": findSetting(readAccountBlock),

	"repository":        findRepository,
	"image lifecycle":   findImageLifecycle,
	"repository policy": findRepositoryPolicy,
	"trail":             findTrail,
	"analyzer":          findAnalyzer,
	"log group":         findLogGroup,

	"EBS encryption by default":  findSetting(readEBSEncryption),
	"EBS default key":            findEBSKey,
	"instance metadata defaults": findSetting(readMetadataDefaults),

	"VPC":                     findVPC,
	"subnet":                  findSubnet,
	"route table":             findRouteTable,
	"route":                   findRoute,
	"route table association": findAssociation,
	"internet gateway":        findInternetGateway,
	"NAT gateway":             findNATGateway,
	"address":                 findAddress,
	"endpoint":                findEndpoint,
	"peering":                 findPeering,
	"network ACL":             findNetworkACL,
	"network interface":       findInterface,
	"security group":          findGroup,
	"default security group":  findDefaultGroup,
	"ingress rule":            findGroupRule(false),
	"egress rule":             findGroupRule(true),
	"flow log":                findFlowLog,
	"launch template":         findLaunchTemplate,

	"cluster":         findCluster,
	"node group":      findNodeGroup,
	"add-on":          findAddon,
	"access entry":    findAccessEntry,
	"access policy":   findAccessPolicy,
	"pod identity":    findPodIdentity,
	"Fargate profile": findFargateProfile,

	"identity provider config": findIdentityProvider,
}

// Find looks up what an interrupted creation may have left behind.
func (c *Cloud) Find(ctx context.Context, in cloud.Account, typ string, given map[string]any) (string, error) {
	row, known := awstype.Of(typ)
	find, is := finders[row.Find]
	switch {
	case !is && (!known || !row.Overwrites):
		return "", fmt.Errorf("find %s: no way to look one up is known: give the type a row in internal/awstype", typ)
	case !is || !row.Identified(given):
		return "", fmt.Errorf("find %s: %w", typ, cloud.ErrNotFound)
	}
	s, err := c.session(ctx, in)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", typ, err)
	}
	// A finder sees what the row names and nothing else: what it reads beside that
	// could be unknown, and pass for absent.
	ids, err := find(ctx, s, inputs(row.Identity(given)))
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

// texts returns inputs.
func (in inputs) texts(keys ...string) []string {
	var values []string
	for _, k := range keys {
		values = append(values, in.text(k))
	}
	return values
}

// identity returns the identifying tags; nil unless all are given.
func (in inputs) identity() map[string]string {
	given, _ := in[awstype.Tags].(map[string]any)
	tags := map[string]string{}
	for _, k := range awstype.IdentityTags {
		if tags[k] = inputs(given).text(k); tags[k] == "" {
			return nil
		}
	}
	return tags
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
		strings.HasSuffix(got, "NotFoundError") || strings.HasSuffix(got, "NotFoundFault")
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
