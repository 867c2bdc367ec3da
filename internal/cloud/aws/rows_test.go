package aws

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
)

func TestEachNameInARowHasAFunctionAndEachFunctionARow(t *testing.T) {
	find, remove, list, count := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range awstype.All() {
		if r.Quota != "" {
			count[r.Token] = true
		}
		find[r.Find], list[r.List], remove[r.Remove] = true, true, true
	}
	for what, names := range map[string]struct{ rows, functions []string }{
		"finders":  {distinct(find), slices.Sorted(maps.Keys(finders))},
		"listers":  {distinct(list), slices.Sorted(maps.Keys(listers))},
		"removers": {distinct(remove), slices.Sorted(maps.Keys(removers))},
		"counters": {distinct(count), slices.Sorted(maps.Keys(counters))},
	} {
		if diff := cmp.Diff(names.rows, names.functions); diff != "" {
			t.Errorf("%s (-rows of internal/awstype +functions):\n%s", what, diff)
		}
	}
}

func TestEachListOfSharesHasAFunctionAndEachFunctionAWay(t *testing.T) {
	names := slices.DeleteFunc(awstype.SharingLists(), func(list string) bool {
		_, is := awstype.ControlOf(list) // one function lists them all
		return is
	})
	slices.Sort(names)
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(sharers))); diff != "" {
		t.Errorf("(-ways of internal/awstype +functions):\n%s", diff)
	}
}

// distinct are the names that rows give; an empty one names nothing.
func distinct(all map[string]bool) []string {
	delete(all, "")
	return slices.Sorted(maps.Keys(all))
}

// What lists parts of a bucket and settings must have a row for each.
func TestPartsAndSettingsHaveRows(t *testing.T) {
	var listed, want []string
	for _, p := range bucketParts {
		listed = append(listed, p.typ)
	}
	for _, s := range settings {
		listed = append(listed, s.typ)
	}
	for _, r := range awstype.All() {
		if r.PartOf == awstype.S3Bucket || r.List == "settings of the account" {
			want = append(want, r.Token)
		}
	}
	slices.Sort(listed)
	slices.Sort(want)
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("(-rows of internal/awstype +lists):\n%s", diff)
	}
}
