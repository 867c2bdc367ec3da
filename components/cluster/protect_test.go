package cluster

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func TestOnlyTheClusterItselfIsProtected(t *testing.T) {
	for _, c := range []struct {
		typ         string
		protect     bool
		transformed bool
	}{
		{"aws:eks/cluster:Cluster", true, true},
		{"aws:eks/cluster:Cluster", false, true},
		{"aws:eks/accessEntry:AccessEntry", true, false},
		{"aws:eks/addon:Addon", true, false},
	} {
		props := pulumi.Map{"name": pulumi.String("acme")}
		got := protectCluster(c.protect)(t.Context(), &pulumi.ResourceTransformArgs{
			Type: c.typ, Props: props, Opts: pulumi.ResourceOptions{IgnoreChanges: []string{"version"}},
		})
		if (got != nil) != c.transformed {
			t.Errorf("%s, protect %v: transformed %v", c.typ, c.protect, got != nil)
			continue
		}
		if got != nil && (got.Opts.Protect != c.protect || len(got.Opts.IgnoreChanges) != 1 || len(got.Props) != 1) {
			t.Errorf("%s, protect %v: became %+v", c.typ, c.protect, got)
		}
	}
}
