package awstype

import (
	"slices"
	"testing"
)

func TestEachListThatRegionsLackIsOneOfAnAudit(t *testing.T) {
	for list, regions := range absent {
		if !slices.Contains(SharingLists(), list) {
			t.Errorf("no audit asks for %s", list)
		}
		if len(regions) == 0 || !slices.IsSorted(regions) {
			t.Errorf("%s: %v, want regions in their order", list, regions)
		}
	}
}
