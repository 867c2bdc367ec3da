package iam

import (
	"crypto/sha256"
	"encoding/hex"
)

// ExternalID returns what the trust policies of an org's roles ask of whoever enters
// from another account. It follows from the org's name: an external id is not a secret,
// it must only be different for every customer.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
func ExternalID(org string) string {
	sum := sha256.Sum256([]byte("freehold.dev/external-id/" + org))
	return "freehold-" + hex.EncodeToString(sum[:12])
}
