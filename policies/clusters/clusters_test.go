package clusters

import (
	"fmt"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/policies/rule"
)

func TestTheOldestVersionIsTheSpecsOldest(t *testing.T) {
	if _, offered := spec.ReleaseOf(fmt.Sprintf("1.%d", oldestMinor)); !offered {
		t.Errorf("the rules take 1.%d, and the spec does not offer it", oldestMinor)
	}
	if _, offered := spec.ReleaseOf(fmt.Sprintf("1.%d", oldestMinor-1)); offered {
		t.Errorf("the spec offers 1.%d, and the rules refuse it", oldestMinor-1)
	}
}

// A spec refuses what the rules would: it has the list from elsewhere, because
// the rules judge our own components too.
func TestTheRulesAndTheSpecMeanTheSamePrefixes(t *testing.T) {
	for prefix, good := range map[string]bool{
		"oidc:": true, "acme#": true, "https://login.example.com#": true, "systems:": true, "eks/": true,
		"": false, "-": false, "s": false, "oidc": false, "system:": false, "SYSTEM:": false, "corp-system:x/": false, "eks:": false,
		"aws:": false, "amazon:": false, "iam:": false, "arn:aws:sts::": false, "kubernetes:": false, "freehold:": false, "Freehold:x#": false,
	} {
		_, err := spec.Parse("acme.yaml", strings.NewReader("org: acme\nregion: eu-central-1\naccount: {email: a@example.com}\n"+
			"cluster: {identityProvider: {issuerUrl: 'https://login.example.com/acme', clientId: kubernetes, usernamePrefix: '"+prefix+"'}}\n"))
		e := people(prefix, object{"usernamePrefix": prefix})
		if passes := otherIdentities.Check(e.Resource, e.Scope).Answer == rule.Pass; passes != good || (err == nil) != good {
			t.Errorf("%q: the rule passes: %t, the spec: %v; want %t", prefix, passes, err, good)
		}
	}
}
