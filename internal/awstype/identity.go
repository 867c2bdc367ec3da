package awstype

import "sync"

// Identity is an output of a type that is a physical identity of its own,
// beside the id and the ARN that every type has: no two orgs may have the same.
type Identity struct {
	Token string
	Kind  string // as reports call it: "KMS key"
	// Output is where it is, through the first element of lists; empty: the id.
	Output string
	As     Form
}

// Form is how others write an identity.
type Form string

// The forms.
const (
	AsIs     Form = ""
	Folded   Form = "in lower case"
	Bare     Form = "a URL without its scheme"
	LastPart Form = "the last part of a URL, if it is an id"
	Sessions Form = "how the sessions of a role's ARN begin"
	Bucket   Form = "a bucket, which has no ARN of an account"
)

// Identities are those of a type.
func Identities(token string) []Identity { return identitiesByType()[token] }

var identitiesByType = sync.OnceValue(func() map[string][]Identity {
	all := map[string][]Identity{}
	for _, i := range typeIdentities {
		all[i.Token] = append(all[i.Token], i)
	}
	return all
})

var typeIdentities = []Identity{
	{OrganizationsAccount, "account", "", AsIs},
	{OrganizationsAccount, "e-mail", "email", Folded},
	{KMSKey, "KMS key", "keyId", AsIs},
	{"aws:kms/replicaKey:ReplicaKey", "KMS key", "keyId", AsIs},
	{"aws:kms/externalKey:ExternalKey", "KMS key", "keyId", AsIs},
	{IAMRole, "role session principal", "uniqueId", AsIs},
	{IAMRole, "role session principal", "arn", Sessions},
	{IAMUser, "user", "uniqueId", AsIs},
	{S3Bucket, "bucket", "", Bucket},
	{"aws:s3/bucket:Bucket", "bucket", "", Bucket},
	{Route53Zone, "hosted zone", "zoneId", AsIs},
	{EKSCluster, "cluster endpoint", "endpoint", Bare},
	{EKSCluster, "OIDC issuer", "identities.oidcs.issuer", Bare},
	{EKSCluster, "OIDC issuer", "identities.oidcs.issuer", LastPart},
	// Its URL is the issuer of a cluster, which is another resource of the same org.
	{IAMOIDCProvider, "OIDC issuer", "url", Bare},
}
