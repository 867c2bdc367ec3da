package lifecycle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/plan"
)

// Whatever the engine does to whatever a layer has, somebody may wait for it.
func TestEveryStepOnEveryTypeSaysWhenItIsOver(t *testing.T) {
	types := []string{"pulumi:providers:aws", "some:other/type:Type"}
	for _, r := range awstype.All() {
		types = append(types, r.Token)
	}
	for _, l := range plan.Layers() {
		text, err := os.ReadFile(filepath.Join("../../stacks/testdata", string(l)+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var resources []struct{ Type string }
		if err := json.Unmarshal(text, &resources); err != nil {
			t.Fatal(err)
		}
		for _, r := range resources {
			types = append(types, r.Type)
		}
	}
	for _, typ := range types {
		for _, op := range []string{"create", "create-replacement", "update", "replace", "delete", "delete-replaced", "discard", "refresh", "read", "same", "import"} {
			if until(typ, op) == "" {
				t.Errorf("%s of %s does not say what it waits for", op, typ)
			}
		}
	}
	for typ := range conditions {
		if !slices.Contains(types, typ) {
			t.Errorf("no layer has a %s, and no account", typ)
		}
	}
	for of, want := range map[[2]string]string{
		{awstype.EKSCluster, "create"}:                      "ACTIVE",
		{awstype.OrganizationsAccount, "create"}:            "SUCCEEDED",
		{"kubernetes:core/v1:Namespace", "delete"}:          "finalizers are removed",
		{"kubernetes:core/v1:ConfigMap", "delete-replaced"}: "finalizers has to be removed",
		{projectType, "delete"}:                             "finalizer",
		{"kubernetes:apps/v1:Deployment", "update"}:         "rolled out",
		{awstype.IAMRole, "delete"}:                         "AWS iam has deleted it",
	} {
		if got := until(of[0], of[1]); !strings.Contains(got, want) {
			t.Errorf("%s of %s waits until %s; want %q in it", of[1], of[0], got, want)
		}
	}
}
