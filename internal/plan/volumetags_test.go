package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestVolumesGetTheTagsThatTheirDriverTakesAndTheRestByTheirClass(t *testing.T) {
	long, wide := strings.Repeat("v", 256), strings.Repeat("é", 129)
	got := TagsOfVolumes(map[string]string{
		TagOrg: "acme", TagLayer: "cluster", TagManagedBy: Project,
		"team": "core @ friends", "empty": "", "long": long, "a b": "c=d",
		"city": "Köln", "straße": "1", "before": " x", "after ": "x", "no-break": "a\u00a0b",
		"wide": wide, "a=b": "c", "CSIVolumeName": "x", "ebs.csi.aws.com/cluster": "false", "kubernetes.io/cluster/x": "owned",
	})
	want := VolumeTags{
		Driver: map[string]string{TagOrg: "acme", TagManagedBy: Project, "team": "core @ friends", "empty": "", "long": long, "a b": "c=d"},
		Class:  map[string]string{"city": "Köln", "straße": "1", "before": " x", "after ": "x", "no-break": "a\u00a0b"},
		Never:  []string{"CSIVolumeName", "a=b", "ebs.csi.aws.com/cluster", "kubernetes.io/cluster/x", "wide"},
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// AWS allows fifty tags on a resource.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
func TestAVolumeOfAnOrgWithAsManyTagsAsItMayHaveIsMade(t *testing.T) {
	tags := map[string]string{TagOrg: "acme", TagLayer: "cluster", TagManagedBy: Project}
	for i := range 40 {
		tags[strings.Repeat("x", i+1)] = ""
	}
	// CSIVolumeName, ebs.csi.aws.com/cluster, kubernetes.io/created-for/… (3),
	// kubernetes.io/cluster/…, KubernetesCluster and Name.
	const ofDriver = 8
	if got := TagsOfVolumes(tags); len(got.Driver)+len(got.Class)+ofDriver > 50 {
		t.Errorf("a volume has %d tags", len(got.Driver)+len(got.Class)+ofDriver)
	}
}
