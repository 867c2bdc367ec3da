package iamcalls

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/conformance/lab"
)

// verbs are the actions of one part of a bucket, or of an object, by method.
type verbs map[string]string

// s3Parts are the parts of a bucket that a query names. IAM's names differ from
// the operations': what deletes a configuration is the right to put it.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
var s3Parts = map[string]verbs{
	"accelerate":        {"GET": "s3:GetAccelerateConfiguration", "PUT": "s3:PutAccelerateConfiguration"},
	"analytics":         {"GET": "s3:GetAnalyticsConfiguration"},
	"inventory":         {"GET": "s3:GetInventoryConfiguration"},
	"acl":               {"GET": "s3:GetBucketAcl", "PUT": "s3:PutBucketAcl"},
	"cors":              {"GET": "s3:GetBucketCORS", "PUT": "s3:PutBucketCORS", "DELETE": "s3:PutBucketCORS"},
	"encryption":        {"GET": "s3:GetEncryptionConfiguration", "PUT": "s3:PutEncryptionConfiguration", "DELETE": "s3:PutEncryptionConfiguration"},
	"lifecycle":         {"GET": "s3:GetLifecycleConfiguration", "PUT": "s3:PutLifecycleConfiguration", "DELETE": "s3:PutLifecycleConfiguration"},
	"location":          {"GET": "s3:GetBucketLocation"},
	"logging":           {"GET": "s3:GetBucketLogging", "PUT": "s3:PutBucketLogging"},
	"notification":      {"GET": "s3:GetBucketNotification", "PUT": "s3:PutBucketNotification"},
	"object-lock":       {"GET": "s3:GetBucketObjectLockConfiguration", "PUT": "s3:PutBucketObjectLockConfiguration"},
	"ownershipControls": {"GET": "s3:GetBucketOwnershipControls", "PUT": "s3:PutBucketOwnershipControls", "DELETE": "s3:PutBucketOwnershipControls"},
	"policy":            {"GET": "s3:GetBucketPolicy", "PUT": "s3:PutBucketPolicy", "DELETE": "s3:DeleteBucketPolicy"},
	"policyStatus":      {"GET": "s3:GetBucketPolicyStatus"},
	"publicAccessBlock": {"GET": "s3:GetBucketPublicAccessBlock", "PUT": "s3:PutBucketPublicAccessBlock", "DELETE": "s3:PutBucketPublicAccessBlock"},
	"replication":       {"GET": "s3:GetReplicationConfiguration", "PUT": "s3:PutReplicationConfiguration", "DELETE": "s3:PutReplicationConfiguration"},
	"requestPayment":    {"GET": "s3:GetBucketRequestPayment", "PUT": "s3:PutBucketRequestPayment"},
	"tagging":           {"GET": "s3:GetBucketTagging", "PUT": "s3:PutBucketTagging", "DELETE": "s3:PutBucketTagging"},
	"uploads":           {"GET": "s3:ListBucketMultipartUploads"},
	"versioning":        {"GET": "s3:GetBucketVersioning", "PUT": "s3:PutBucketVersioning"},
	"versions":          {"GET": "s3:ListBucketVersions"},
	"website":           {"GET": "s3:GetBucketWebsite", "PUT": "s3:PutBucketWebsite", "DELETE": "s3:DeleteBucketWebsite"},
}

// s3Whole are the actions of a bucket and of an object themselves.
var (
	s3Bucket = verbs{"GET": "s3:ListBucket", "HEAD": "s3:ListBucket", "PUT": "s3:CreateBucket", "DELETE": "s3:DeleteBucket"}
	s3Object = verbs{"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}
	s3Past   = verbs{"GET": "s3:GetObjectVersion", "HEAD": "s3:GetObjectVersion", "DELETE": "s3:DeleteObjectVersion"}
)

// s3Options are what a query says beside what it is about.
var s3Options = []string{
	"bucket-region", "continuation-token", "delimiter", "encoding-type", "fetch-owner", "key-marker", "list-type",
	"max-buckets", "max-keys", "max-uploads", "prefix", "start-after", "upload-id-marker", "version-id-marker", "versionId", "x-id",
}

// s3Control is the path by which S3 Control, which signs as S3, is told apart.
const s3Control = "/v20180820/"

func s3Rule(c lab.Call) (rule, error) {
	if name, control := strings.CutPrefix(c.Path, s3Control); control {
		return s3ControlRule(c.Method, name)
	}
	bucket, key, err := s3Names(c)
	if err != nil {
		return rule{}, err
	}
	if bucket == "" {
		if c.Method == "GET" {
			return rule{action: "s3:ListAllMyBuckets"}, nil
		}
		return rule{}, ErrUnknown
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Query)) {
		if !slices.Contains(s3Options, name) {
			parts = append(parts, name)
		}
	}
	arn := "arn:aws:s3:::" + bucket
	of := s3Bucket
	switch {
	case key != "" && len(parts) == 0:
		arn += "/" + key
		of = s3Object
		if c.Query.Has("versionId") {
			of = s3Past
		}
	case key != "" && len(parts) == 1 && parts[0] == "uploadId" && c.Method == "DELETE":
		arn += "/" + key
		of = verbs{"DELETE": "s3:AbortMultipartUpload"}
	case key == "" && len(parts) == 1 && parts[0] == "delete" && c.Method == "POST":
		return s3Delete(arn, c.Body), nil
	case key == "" && len(parts) == 1:
		of = s3Parts[parts[0]]
	case key != "" || len(parts) > 1:
		return rule{}, ErrUnknown
	}
	action, known := of[c.Method]
	if !known {
		return rule{}, ErrUnknown
	}
	return rule{action: action, on: func(call) []string { return []string{arn} }}, nil
}

// s3Delete takes many objects away by one call, with their versions where the
// call names those.
func s3Delete(bucket string, body []byte) rule {
	action := "s3:DeleteObject"
	if bytes.Contains(body, []byte("<VersionId>")) {
		action = "s3:DeleteObjectVersion"
	}
	return rule{action: action, on: func(call) []string { return []string{bucket + "/*"} }}
}

func s3ControlRule(method, name string) (rule, error) {
	// The names of access points are what changes in a path.
	switch parts := strings.Split(name, "/"); {
	case name == "configuration/publicAccessBlock":
	case method != "GET":
		return rule{}, ErrUnknown
	case name == "accesspoint":
		return rule{action: "s3:ListAccessPoints"}, nil
	case name == "accesspointforobjectlambda":
		return rule{action: "s3:ListAccessPointsForObjectLambda"}, nil
	case name == "accessgrantsinstances":
		return rule{action: "s3:ListAccessGrantsInstances"}, nil
	case name == "accessgrantsinstance/grants":
		return rule{action: "s3:ListAccessGrants"}, nil
	case name == "accessgrantsinstance/resourcepolicy":
		return rule{action: "s3:GetAccessGrantsInstanceResourcePolicy"}, nil
	case name == "mrap/instances":
		return rule{action: "s3:ListMultiRegionAccessPoints"}, nil
	case len(parts) == 4 && parts[0] == "mrap" && parts[1] == "instances" && parts[3] == "policy":
		return rule{action: "s3:GetMultiRegionAccessPointPolicy"}, nil
	case len(parts) == 3 && parts[0] == "accesspoint" && parts[2] == "policy":
		return rule{action: "s3:GetAccessPointPolicy"}, nil
	case len(parts) == 3 && parts[0] == "accesspointforobjectlambda" && parts[2] == "policy":
		return rule{action: "s3:GetAccessPointPolicyForObjectLambda"}, nil
	default:
		return rule{}, ErrUnknown
	}
	switch method {
	case "GET":
		return rule{action: "s3:GetAccountPublicAccessBlock"}, nil
	case "PUT", "DELETE":
		return rule{action: "s3:PutAccountPublicAccessBlock"}, nil
	default:
		return rule{}, ErrUnknown
	}
}

// s3Names returns the bucket and the key of a call, whether the bucket is in
// the path or in front of the host.
func s3Names(c lab.Call) (bucket, key string, err error) {
	path, err := url.PathUnescape(strings.TrimPrefix(c.Path, "/"))
	if err != nil {
		return "", "", fmt.Errorf("its path: %w", err)
	}
	if name, _, virtual := strings.Cut(c.Host, ".s3."); virtual {
		return name, path, nil
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key, nil
}
