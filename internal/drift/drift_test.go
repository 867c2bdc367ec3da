package drift_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/unknown"
)

func TestCompareNamesEachPropertyThatDiffers(t *testing.T) {
	type m = map[string]any
	for reason, tc := range map[string]struct {
		want, have m
		diffs      []finding.Difference
	}{
		"equal values do not differ": {m{"a": "x", "n": 1.0}, m{"a": "x", "n": 1.0}, nil},
		"a nested property is named by its path": {
			m{"vpcConfig": m{"cidrs": []any{"10.0.0.0/8", "10.1.0.0/16"}}},
			m{"vpcConfig": m{"cidrs": []any{"10.0.0.0/8", "0.0.0.0/0"}}},
			[]finding.Difference{{Path: "vpcConfig.cidrs[1]", Want: `"10.1.0.0/16"`, Have: `"0.0.0.0/0"`}},
		},
		"a key that is no identifier is quoted": {
			m{"tags": m{"freehold.dev/org": "acme"}}, m{"tags": m{"freehold.dev/org": "globex"}},
			[]finding.Difference{{Path: `tags["freehold.dev/org"]`, Want: `"acme"`, Have: `"globex"`}},
		},
		"a list of another length differs as a whole": {
			m{"l": []any{"a"}}, m{"l": []any{"a", "b"}},
			[]finding.Difference{{Path: "l", Want: `["a"]`, Have: `["a","b"]`}},
		},
		"a property that was taken away has nothing": {
			m{"tags": m{"a": "1"}}, m{}, []finding.Difference{{Path: "tags", Want: `{"a":"1"}`}},
		},
		"a property that was added wants nothing": {
			m{}, m{"description": "by hand"}, []finding.Difference{{Path: "description", Have: `"by hand"`}},
		},
		"the same policy with other white space is the same": {
			m{"policy": `{"a":[1,2]}`}, m{"policy": "{\n \"a\": [1, 2]}"}, nil,
		},
		"another policy is not": {
			m{"policy": `{"a":1}`}, m{"policy": `{"a":2}`},
			[]finding.Difference{{Path: "policy", Want: `"{\"a\":1}"`, Have: `"{\"a\":2}"`}},
		},
		"empty and absent are the same":           {m{"tags": m{}, "l": []any{}, "t": ""}, m{}, nil},
		"a text that was emptied is not the same": {m{"t": "x"}, m{"t": ""}, []finding.Difference{{Path: "t", Want: `"x"`, Have: `""`}}},
		"a number and its text are the same":      {m{"n": "5"}, m{"n": 5.0}, nil},
		"false and absent are not the same":       {m{"on": false}, m{}, []finding.Difference{{Path: "on", Want: "false"}}},
		"what is known only later may differ": {
			m{"roleArn": unknown.Value{}, "l": []any{unknown.Value{}}}, m{"roleArn": "arn:x", "l": []any{"y"}},
			[]finding.Difference{
				{Path: "l[0]", Want: "(known after apply)", Have: `"y"`}, {Path: "roleArn", Want: "(known after apply)", Have: `"arn:x"`},
			},
		},
		"the engine's bookkeeping is not compared": {m{"__defaults": []any{"a"}}, m{}, nil},
	} {
		t.Run(reason, func(t *testing.T) {
			if d := cmp.Diff(tc.diffs, drift.Compare(tc.want, tc.have)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A role that was just made reads back the policies that other resources put on it.
func TestWhatOtherResourcesSayOfAResourceIsNotItsOwnDrift(t *testing.T) {
	type m = map[string]any
	inline := []any{m{"name": "p", "policy": "{}"}}
	for reason, tc := range map[string]struct {
		typ        string
		want, have m
		differs    bool
	}{
		"a role's inline policies, which it was not given": {"aws:iam/role:Role", m{"name": "r"}, m{"name": "r", "inlinePolicies": inline}, false},
		"a role's inline policies, which it was given":     {"aws:iam/role:Role", m{"inlinePolicies": []any{}}, m{"inlinePolicies": inline}, true},
		"a bucket's replication, which nobody else says":   {"aws:s3/bucketV2:BucketV2", m{}, m{"replicationConfigurations": []any{m{}}}, true},
		"the same property of another type":                {"aws:iam/user:User", m{}, m{"inlinePolicies": inline}, true},
	} {
		t.Run(reason, func(t *testing.T) {
			got := drift.Findings(drift.Facts{Resources: []drift.Resource{{Type: tc.typ, Want: tc.want, Have: tc.have}}}, nil)
			if (len(got) > 0) != tc.differs {
				t.Errorf("found %+v, want a difference: %t", got, tc.differs)
			}
		})
	}
}

func TestTheSizeOfANodeGroupIsItsAutoscalersWithinTheBounds(t *testing.T) {
	scaling := func(least, most, size float64) map[string]any {
		return map[string]any{"scalingConfig": map[string]any{"minSize": least, "maxSize": most, "desiredSize": size}}
	}
	for reason, tc := range map[string]struct {
		typ        string
		want, have map[string]any
		differs    []string
	}{
		"more nodes, within the bounds":     {"aws:eks/nodeGroup:NodeGroup", scaling(1, 4, 1), scaling(1, 4, 3), nil},
		"fewer nodes, within the bounds":    {"aws:eks/nodeGroup:NodeGroup", scaling(1, 4, 3), scaling(1, 4, 1), nil},
		"as many as it may have":            {"aws:eks/nodeGroup:NodeGroup", scaling(1, 4, 1), scaling(1, 4, 4), nil},
		"more than the layer lets it have":  {"aws:eks/nodeGroup:NodeGroup", scaling(1, 4, 1), scaling(1, 9, 7), []string{"scalingConfig.desiredSize", "scalingConfig.maxSize"}},
		"none, where the bounds were moved": {"aws:eks/nodeGroup:NodeGroup", scaling(1, 4, 1), scaling(0, 4, 0), []string{"scalingConfig.desiredSize", "scalingConfig.minSize"}},
		"other bounds, and a size in both":  {"aws:eks/nodeGroup:NodeGroup", scaling(1, 4, 1), scaling(2, 4, 2), []string{"scalingConfig.minSize"}},
		"no size that could be read":        {"aws:eks/nodeGroup:NodeGroup", scaling(1, 4, 1), map[string]any{}, []string{"scalingConfig"}},
		"another type":                      {"aws:eks/other:Other", scaling(1, 4, 1), scaling(1, 4, 3), []string{"scalingConfig.desiredSize"}},
	} {
		t.Run(reason, func(t *testing.T) {
			var got []string
			for _, f := range drift.Findings(drift.Facts{Resources: []drift.Resource{{Type: tc.typ, Want: tc.want, Have: tc.have}}}, nil) {
				for _, d := range f.Differences {
					got = append(got, d.Path)
				}
			}
			if d := cmp.Diff(tc.differs, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestFindingsSeparateChangedMissingAndUnmanaged(t *testing.T) {
	f := drift.Facts{
		Resources: []drift.Resource{
			{Layer: "cluster", Type: "aws:ec2/vpc:Vpc", Name: "vpc", ID: "vpc-1", Want: map[string]any{"a": 1.0}, Have: map[string]any{"a": 1.0}},
			{Layer: "cluster", Type: "aws:ec2/subnet:Subnet", Name: "a", ID: "subnet-1", Gone: true},
			{Layer: "boundary", Type: "aws:iam/role:Role", Name: "r", ID: "r", Want: map[string]any{"path": "/"}, Have: map[string]any{"path": "/x/"}},
		},
		Items: []drift.Item{
			{Type: "aws:ec2/vpc:Vpc", ID: "vpc-1", Name: "vpc"},
			{Type: "aws:iam/user:User", ID: "mallory", Name: "mallory"},
		},
		Declared: drift.Declared{"aws:ec2/vpc:Vpc": {"vpc-1": true}},
	}
	want := []finding.Finding{
		{
			Kind: finding.Changed, Layer: "boundary", Type: "aws:iam/role:Role", Name: "r", ID: "r",
			Differences: []finding.Difference{{Path: "path", Want: `"/"`, Have: `"/x/"`}},
		},
		{Kind: finding.Missing, Layer: "cluster", Type: "aws:ec2/subnet:Subnet", Name: "a", ID: "subnet-1", Message: "it is gone"},
		{Kind: finding.Unmanaged, Type: "aws:iam/user:User", Name: "mallory", ID: "mallory", Message: "no layer declares it"},
	}
	if d := cmp.Diff(want, drift.Findings(f, []string{"account", "boundary", "cluster", "bootstrap"})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
