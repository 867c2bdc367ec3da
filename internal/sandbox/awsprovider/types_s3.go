package awsprovider

import (
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/sandbox/store"
)

const (
	bucketToken       = "aws:s3/bucketV2:BucketV2"
	bucketPolicyToken = "aws:s3/bucketPolicy:BucketPolicy"
	publicBlockToken  = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	accountBlockToken = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
	objectToken       = "aws:s3/bucketObjectv2:BucketObjectv2"
	versioningToken   = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	encryptionToken   = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	ownershipToken    = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	lifecycleToken    = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	loggingToken      = "aws:s3/bucketLoggingV2:BucketLoggingV2"
)

// noBucket is the reference that every configuration of a bucket has.
var noBucket = Ref{Path: "bucket", To: []string{bucketToken}, By: []string{"id"}, Error: "NoSuchBucket: The specified bucket does not exist"}

// s3Types: the bucket, and its configurations, each a resource of its own whose
// id is the bucket's name and which goes with it.
var s3Types = []*Type{
	{
		Token:   bucketToken,
		Source:  "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html",
		Args:    s3.BucketV2Args{},
		State:   s3.BucketV2{},
		Noun:    "S3 Bucket",
		Service: "s3",
		API: API{
			Create: "CreateBucket", Read: "HeadBucket", Update: "HeadBucket", Delete: "DeleteBucket",
			Updates: map[string]string{"tags": "PutBucketTagging"},
		},
		ID:   "{bucket}",
		ARN:  "arn:aws:s3:::{bucket}",
		Name: Name{Property: "bucket", Prefix: "bucketPrefix", Max: 63, Lower: true},
		Tags: true,
		Outputs: map[string]string{
			"bucketDomainName":         "{bucket}.s3.amazonaws.com",
			"bucketRegionalDomainName": "{bucket}.s3.{region}.amazonaws.com",
			"region":                   "{region}",
		},
		Defaults: map[string]any{"forceDestroy": false, "objectLockEnabled": false, "requestPayer": "BucketOwner", "accelerationStatus": "",
			"hostedZoneId": "Z1BKCTXD74EZPE", "policy": "", "acl": "", "websiteDomain": "", "websiteEndpoint": ""},
		Fields: map[string][]Rule{"bucket": {length(3, 63), bucketName}},
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
		Unique: []Unique{{Scope: AllOfAWS, Key: "bucket/{bucket}",
			Error: "BucketAlreadyExists: The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."}},
		Quota:   &Quota{Scope: PerAccount, Name: "s3:buckets", Limit: 10000, Error: "TooManyBuckets: You have attempted to create more buckets than allowed"},
		Replace: []string{"bucket", "bucketPrefix", "objectLockEnabled"},
		Blocks: []Block{{Link: Link{Type: objectToken, Path: "bucket", ByCloud: true}, Unless: "forceDestroy",
			Error: "BucketNotEmpty: The bucket you tried to delete is not empty. You must delete all versions in the bucket."}},
		Owns: []Link{
			{Type: bucketPolicyToken, Path: "bucket"}, {Type: publicBlockToken, Path: "bucket"}, {Type: versioningToken, Path: "bucket"},
			{Type: encryptionToken, Path: "bucket"}, {Type: ownershipToken, Path: "bucket"}, {Type: lifecycleToken, Path: "bucket"}, {Type: loggingToken, Path: "bucket"},
		},
		Check: ownBucket,
	},
	bucketPart(Type{
		Token:    bucketPolicyToken,
		Source:   "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html",
		Args:     s3.BucketPolicyArgs{},
		State:    s3.BucketPolicy{},
		Noun:     "S3 Bucket Policy",
		API:      API{Create: "PutBucketPolicy", Read: "GetBucketPolicy", Update: "PutBucketPolicy", Delete: "DeleteBucketPolicy"},
		Required: []string{"policy"},
		Policies: map[string]Grammar{"policy": bucketPolicy},
		Check:    bucketPolicyFits,
	}),
	bucketPart(Type{
		Token:  versioningToken,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html",
		Args:   s3.BucketVersioningV2Args{},
		State:  s3.BucketVersioningV2{},
		Noun:   "S3 Bucket Versioning",
		API:    API{Create: "PutBucketVersioning", Read: "GetBucketVersioning", Update: "PutBucketVersioning", Delete: "PutBucketVersioning"},
		Fields: map[string][]Rule{
			"versioningConfiguration.status":    {oneOf("Enabled", "Suspended", "Disabled")},
			"versioningConfiguration.mfaDelete": {oneOf("Enabled", "Disabled")},
		},
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
		Check: func(c *Call) error {
			is := text(mapAt(c.OldIn, "versioningConfiguration")["status"])
			if c.Verb == Updating && is != "Disabled" && c.String("versioningConfiguration.status") == "Disabled" {
				return errf("InvalidBucketState", "versioning_configuration.status cannot be updated from '%s' to 'Disabled'", is)
			}
			return nil
		},
	}),
	bucketPart(Type{
		Token:    encryptionToken,
		Source:   "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html",
		Args:     s3.BucketServerSideEncryptionConfigurationV2Args{},
		State:    s3.BucketServerSideEncryptionConfigurationV2{},
		Noun:     "S3 Bucket Server-side Encryption Configuration",
		API:      API{Create: "PutBucketEncryption", Read: "GetBucketEncryption", Update: "PutBucketEncryption", Delete: "DeleteBucketEncryption"},
		Required: []string{"rules"},
		Fields: map[string][]Rule{
			"rules": {count(1, 1)},
			"rules[*].applyServerSideEncryptionByDefault.sseAlgorithm": {oneOf("AES256", "aws:kms", "aws:kms:dsse")},
		},
		Refs: []Ref{keyRef("rules[*].applyServerSideEncryptionByDefault.kmsMasterKeyId", "KMS.NotFoundException")},
	}),
	bucketPart(Type{
		Token:    publicBlockToken,
		Source:   "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html",
		Args:     s3.BucketPublicAccessBlockArgs{},
		State:    s3.BucketPublicAccessBlock{},
		Noun:     "S3 Bucket Public Access Block",
		API:      API{Create: "PutPublicAccessBlock", Read: "GetPublicAccessBlock", Update: "PutPublicAccessBlock", Delete: "DeletePublicAccessBlock"},
		Defaults: publicAccess,
	}),
	bucketPart(Type{
		Token:  ownershipToken,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html",
		Args:   s3.BucketOwnershipControlsArgs{},
		State:  s3.BucketOwnershipControls{},
		Noun:   "S3 Bucket Ownership Controls",
		API:    API{Create: "PutBucketOwnershipControls", Read: "GetBucketOwnershipControls", Update: "PutBucketOwnershipControls", Delete: "DeleteBucketOwnershipControls"},
		Fields: map[string][]Rule{"rule.objectOwnership": {oneOf("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")}},
	}),
	bucketPart(Type{
		Token:    lifecycleToken,
		Source:   "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html",
		Args:     s3.BucketLifecycleConfigurationV2Args{},
		State:    s3.BucketLifecycleConfigurationV2{},
		Noun:     "S3 Bucket Lifecycle Configuration",
		API:      API{Create: "PutBucketLifecycleConfiguration", Read: "GetBucketLifecycleConfiguration", Update: "PutBucketLifecycleConfiguration", Delete: "DeleteBucketLifecycle"},
		Required: []string{"rules"},
		Defaults: map[string]any{"transitionDefaultMinimumObjectSize": "all_storage_classes_128K"},
		Fields: map[string][]Rule{
			"rules":           {count(1, 1000)},
			"rules[*].id":     {length(1, 255)},
			"rules[*].status": {oneOf("Enabled", "Disabled")},
			"rules[*].transitions[*].storageClass": {oneOf("GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
				"DEEP_ARCHIVE", "GLACIER_IR")},
			"rules[*].transitions[*]":      {eitherOf("date", "days")},
			"rules[*].transitions[*].days": {between(0, math.MaxInt32)},
			// https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html
			"rules[*].expiration.days":                            {between(0, math.MaxInt32)},
			"rules[*].noncurrentVersionExpiration.noncurrentDays": {between(1, math.MaxInt32)},
		},
	}),
	bucketPart(Type{
		Token:  loggingToken,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html",
		Args:   s3.BucketLoggingV2Args{},
		State:  s3.BucketLoggingV2{},
		Noun:   "S3 Bucket Logging",
		API:    API{Create: "PutBucketLogging", Read: "GetBucketLogging", Update: "PutBucketLogging", Delete: "PutBucketLogging"},
		Refs: []Ref{{Path: "targetBucket", To: []string{bucketToken}, By: []string{"id"},
			Error: "InvalidTargetBucketForLogging: The target bucket for logging does not exist"}},
	}),
	{
		Token:    objectToken,
		Source:   "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html",
		Args:     s3.BucketObjectv2Args{},
		State:    s3.BucketObjectv2{},
		Noun:     "S3 Object",
		Service:  "s3",
		API:      API{Create: "PutObject", Read: "HeadObject", Update: "PutObject", Delete: "DeleteObject"},
		ID:       "{bucket}/{key}",
		ARN:      "arn:aws:s3:::{bucket}/{key}",
		Name:     Name{Property: "key", Max: 1024},
		Tags:     true,
		Upsert:   true,
		Required: []string{"bucket"},
		Fields:   map[string][]Rule{"bucket": {notEmpty}, "key": {notEmpty}},
		Refs:     []Ref{noBucket},
		Replace:  []string{"bucket", "key"},
	},
	{
		Token:    accountBlockToken,
		Source:   "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html",
		Args:     s3.AccountPublicAccessBlockArgs{},
		State:    s3.AccountPublicAccessBlock{},
		Noun:     "S3 Account Public Access Block",
		Service:  "s3control",
		API:      API{Create: "PutPublicAccessBlock", Read: "GetPublicAccessBlock", Update: "PutPublicAccessBlock", Delete: "DeletePublicAccessBlock"},
		Global:   true,
		ID:       "{account}",
		Outputs:  map[string]string{"accountId": "{account}"},
		Upsert:   true,
		Defaults: publicAccess,
		Fields:   map[string][]Rule{"accountId": {match(accountPattern)}},
		Replace:  []string{"accountId"},
		Check: func(c *Call) error {
			if id := text(c.In["accountId"]); id != "" && id != c.Account {
				return errf("AccessDenied", "Access Denied: %s is another account", id)
			}
			return nil
		},
	},
}

// publicAccess is what a block blocks that says nothing.
var publicAccess = map[string]any{"blockPublicAcls": false, "blockPublicPolicy": false, "ignorePublicAcls": false, "restrictPublicBuckets": false}

// bucketPart completes an entry of a bucket's configuration.
func bucketPart(t Type) *Type {
	t.Service, t.ID, t.Upsert = "s3", "{bucket}", true
	t.Refs = append([]Ref{noBucket}, t.Refs...)
	if t.Fields == nil {
		t.Fields = map[string][]Rule{}
	}
	t.Fields["bucket"] = []Rule{length(1, 63)}
	t.Replace = append(t.Replace, "bucket")
	if _, is := shapeOf(t.Args.ElementType()).props["expectedBucketOwner"]; is {
		t.Replace = append(t.Replace, "expectedBucketOwner")
	}
	return &t
}

var bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*[a-z0-9]$`)

// bucketName holds AWS's naming rules.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func bucketName(v any) string {
	s := text(v)
	_, address := netip.ParseAddr(s)
	switch {
	case !bucketPattern.MatchString(s), strings.Contains(s, ".."), address == nil:
		return "only lowercase letters, numbers, dots and hyphens are allowed in a bucket's name, and it begins and ends with a letter or a number: " + s
	case strings.HasPrefix(s, "xn--"), strings.HasPrefix(s, "sthree-"), strings.HasPrefix(s, "amzn-s3-demo-"),
		strings.HasSuffix(s, "-s3alias"), strings.HasSuffix(s, "--ol-s3"), strings.HasSuffix(s, "--x-s3"):
		return "the prefix or suffix of the bucket's name is reserved: " + s
	}
	return ""
}

// ownBucket tells a name that the account itself has from one that another has.
func ownBucket(c *Call) error {
	if c.Verb != Creating {
		return nil
	}
	owner, err := c.Tx.Owner(c.key(c.Type.Unique[0]))
	if err != nil || owner == nil || owner.Account != c.Account {
		return err
	}
	return errf("BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
}

// bucketPolicyFits holds that the policy speaks of its bucket only, and that a
// public one is not blocked.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
func bucketPolicyFits(c *Call) error {
	doc, err := document(c.In["policy"])
	if err != nil {
		return err
	}
	arn := "arn:aws:s3:::" + c.String("bucket")
	public := false
	for _, s := range doc.Statement {
		for _, r := range slices.Concat(s.Resource, s.NotResource) {
			if !iam.Match(r, arn) && !strings.HasPrefix(r, arn+"/") && !iam.Match(r, arn+"/x") {
				return errf("MalformedPolicy", "Policy has invalid resource: %s", r)
			}
		}
		if s.Effect == iam.Allow && len(s.Condition) == 0 && s.Principal.Has("AWS", "*") {
			public = true
		}
	}
	if !public {
		return nil
	}
	for _, block := range []struct{ token, by, value string }{
		{publicBlockToken, "bucket", c.String("bucket")}, {accountBlockToken, "id", c.Account},
	} {
		row, err := c.Find(block.token, block.by, block.value)
		if err != nil {
			return err
		}
		if row != nil && row.Outputs["blockPublicPolicy"] == true {
			return errf("AccessDenied", "User: %s is not authorized to perform: s3:PutBucketPolicy on resource: %q because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", c.Account, arn)
		}
	}
	return nil
}

// bucketServes reports whether a bucket's policy lets a service act on it.
func bucketServes(c *Call, bucket, service string, actions ...string) (bool, error) {
	row, err := c.Find(bucketPolicyToken, "bucket", bucket)
	if err != nil || row == nil {
		return false, err
	}
	for _, a := range actions {
		if !serves(row.Outputs["policy"], service, a) {
			return false, nil
		}
	}
	return true, nil
}

// deliver puts an object of AWS's own making into a bucket: logs begin to
// arrive as soon as they are asked for, and the bucket is not empty any more.
func deliver(c *Call, bucket, key string) error {
	in := map[string]any{"bucket": bucket, "key": key}
	return c.Put(store.Row{Type: objectToken, ID: bucket + "/" + key, ByCloud: true, Inputs: in})
}
