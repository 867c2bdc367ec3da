package awstype_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/awstype"
)

// byEKS are the types that the eks component makes, which golden files show as
// one resource.
var byEKS = []string{
	awstype.EKSCluster, awstype.EKSNodeGroup, awstype.EKSAddon, awstype.EKSAccessEntry, awstype.EKSAccessPolicyAssociation,
}

// made are the AWS types in the golden files of some layers' stacks.
func made(t *testing.T, layers ...string) []string {
	t.Helper()
	var types []string
	for _, layer := range layers {
		text, err := os.ReadFile(filepath.Join("../../stacks/testdata", layer+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var resources []struct{ Type string }
		if err := json.Unmarshal(text, &resources); err != nil {
			t.Fatal(err)
		}
		for _, r := range resources {
			switch {
			case strings.HasPrefix(r.Type, "aws:"):
				types = append(types, r.Type)
			case r.Type == "eks:index:Cluster":
				types = append(types, byEKS...)
			}
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// A private cluster's endpoints have a group, which the golden files of stacks
// do not have: components/network has them.
var inOtherShapes = []string{awstype.EC2SecurityGroup}

func TestEveryTypeThatTheStacksMakeHasARowAndEveryRowAUse(t *testing.T) {
	types := append(made(t, "account", "account-existing", "boundary", "cluster", "bootstrap", "bootstrap-source"), inOtherShapes...)
	for _, typ := range types {
		r, known := awstype.Of(typ)
		switch {
		case !known:
			t.Errorf("%s: a stack makes it, and it has no row in internal/awstype", typ)
		case r.Foreign != "":
			t.Errorf("%s: a stack makes it, and its row says why none does: %s", typ, r.Foreign)
		}
	}
	for _, r := range awstype.All() {
		if r.Foreign == "" && !slices.Contains(types, r.Token) {
			t.Errorf("%s: no stack makes it; remove its row, or say in Foreign why it is there", r.Token)
		}
	}
}
