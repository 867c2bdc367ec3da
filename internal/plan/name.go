package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// AWS's limits on the lengths of names, and one of our own for what has none
// that we could reach.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
// https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html
const (
	maxRole        = 64
	maxPolicy      = 128
	maxOrgPolicy   = 128
	maxBucket      = 63
	maxCluster     = 100
	maxNodeGroup   = 63
	maxAlias       = 256
	maxRepository  = 256
	maxTrail       = 128
	maxAnalyzer    = 255
	maxLogGroup    = 512
	accountLength  = 12
	accountPattern = "{account}"
)

// Fit joins parts by "-". A name that is longer than limit is cut, and ends in
// "-" and eight hexadecimal digits of the whole name's SHA-256, so that two
// long names never become one. limit is at least 10.
func Fit(limit int, parts ...string) string {
	whole := strings.Join(parts, "-")
	if len(whole) <= limit {
		return whole
	}
	sum := sha256.Sum256([]byte(whole))
	suffix := "-" + hex.EncodeToString(sum[:4])
	return strings.TrimRight(whole[:limit-len(suffix)], "-") + suffix
}

// GroupName is the name of a pool's node group at AWS. What EKS cannot change in
// place is made anew under another name before the old group goes, so the name
// has a number from the second group on. No pool's name has an underscore: the
// second group of one pool is never called as another pool.
func (p NodePool) GroupName(generation int) string {
	n := number(generation)
	return Fit(maxNodeGroup-len(n), p.Name) + n
}

// Part is the pool in logical names, by the generation of its node group.
func (p NodePool) Part(generation int) string { return p.Pool + number(generation) }

func number(generation int) string {
	if generation < 2 {
		return ""
	}
	return "_" + strconv.Itoa(generation)
}

// bucketPattern names a bucket as far as it can be named before the account is
// known: bucket names are unique in all of AWS, and the account makes them so.
func bucketPattern(parts ...string) string {
	return Fit(maxBucket-1-accountLength, parts...) + "-" + accountPattern
}

// BucketName puts an account's id in a bucket name of the plan.
func BucketName(pattern, account string) string {
	return strings.ReplaceAll(pattern, accountPattern, account)
}

// namer makes one org's names.
type namer struct{ org string }

// fit returns "freehold-<org>-<part>…", at most limit long.
func (n namer) fit(limit int, parts ...string) string {
	return Fit(limit, append([]string{Project, n.org}, parts...)...)
}

func (n namer) bucket(parts ...string) string {
	return bucketPattern(append([]string{Project, n.org}, parts...)...)
}

// podRole names the role of a project's service account. Neither of the two
// has a dot in its name, so that no two pairs are joined to one; "pod-" stays
// whole where the rest is cut, and the provision role's policy goes by it.
func (n namer) podRole(project, account string) string {
	return n.fit(maxRole, "pod", project+"."+account)
}

// rolePrefix is how every role of the org begins. Policies name the roles by it.
func (n namer) rolePrefix() string { return Project + "-" + n.org + "-" }
