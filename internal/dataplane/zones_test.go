package dataplane_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

// virginia are the zones of one account: the names are its own.
func virginia(unserved string) []cloud.Zone {
	ids := map[string]string{"a": "use1-az6", "b": "use1-az1", "c": "use1-az2", "d": "use1-az4", "e": "use1-az5", "f": "use1-az8"}
	ids[unserved] = "use1-az3"
	var zones []cloud.Zone
	for letter := range strings.SplitSeq("abcdef", "") {
		zones = append(zones, cloud.Zone{Name: "us-east-1" + letter, ID: ids[letter]})
	}
	return zones
}

func names(p plan.Plan) string {
	var out []string
	for _, z := range p.Cluster.Zones {
		out = append(out, strings.TrimPrefix(z.Name, p.Region))
	}
	return strings.Join(out, " ")
}

func TestADefaultZoneWithoutControlPlanesGivesItsPlaceToAnother(t *testing.T) {
	byDefault := planOf(t, "acme", "region: us-east-1", vended)
	given := planOf(t, "acme", "region: us-east-1", vended, "network: {zones: [{name: us-east-1b}, {name: us-east-1c}]}")
	for reason, tc := range map[string]struct {
		p     plan.Plan
		zones []cloud.Zone
		want  string
	}{
		"nobody was asked":                {byDefault, nil, "a b c"},
		"it is none of the three":         {byDefault, virginia("e"), "a b c"},
		"it is the second":                {byDefault, virginia("b"), "a d c"},
		"it is the first":                 {byDefault, virginia("a"), "d b c"},
		"an account without one of them":  {byDefault, virginia("e")[1:], "d b c"},
		"an account with no other":        {byDefault, virginia("b")[:3], "a b c"},
		"zones that the document chooses": {given, virginia("b"), "b c"},
	} {
		got := of(tc.p).InZones(tc.zones).Plan
		if names(got) != tc.want {
			t.Errorf("%s: %s, want %s", reason, names(got), tc.want)
		}
		for i, z := range got.Cluster.Zones {
			if z.PrivateCIDR != tc.p.Cluster.Zones[i].PrivateCIDR || z.PublicCIDR != tc.p.Cluster.Zones[i].PublicCIDR {
				t.Errorf("%s: %+v has other ranges than %+v", reason, z, tc.p.Cluster.Zones[i])
			}
		}
		if (got.Hash == tc.p.Hash) != (names(got) == names(tc.p)) {
			t.Errorf("%s: the hash does not follow the zones", reason)
		}
	}
}

func TestAZoneThatEKSOrTheAccountDoesNotHaveIsRefusedByItsId(t *testing.T) {
	p := planOf(t, "acme", "region: us-east-1", vended, "network: {zones: [{name: us-east-1a}, {name: us-east-1b}, {name: us-east-1e}]}")
	const next = "choose two or three of us-east-1"
	for reason, tc := range map[string]struct {
		zones []cloud.Zone
		want  []dataplane.Refusal
	}{
		"nobody was asked":             {nil, nil},
		"it has another name there":    {virginia("f"), nil},
		"one that EKS has no room in":  {virginia("e"), []dataplane.Refusal{{Field: "network.zones[2].name", Message: `network.zones[2].name "us-east-1e" is zone use1-az3 in the org's account, and EKS makes no control planes there`, Next: next + "a, us-east-1b, us-east-1c, us-east-1d, us-east-1f"}}},
		"one that the account has not": {virginia("f")[:4], []dataplane.Refusal{{Field: "network.zones[2].name", Message: `network.zones[2].name "us-east-1e" is not a zone of the org's account in us-east-1`, Next: next + "a, us-east-1b, us-east-1c, us-east-1d"}}},
	} {
		f := facts(of(p), nil)
		f.Zones = tc.zones
		if diff := cmp.Diff(tc.want, dataplane.Admit(f)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
}

func TestAnAccountIsAskedForItsZonesWhileTheyCanStillBeChosen(t *testing.T) {
	there := planOf(t, "acme", region, vended)
	oldest := planOf(t, "acme", "region: us-east-1", vended)
	chosen := planOf(t, "acme", "region: us-east-1", vended, "network: {zones: [{name: us-east-1b}, {name: us-east-1c}]}")
	own := planOf(t, "acme", region, brought)
	begun := func(p plan.Plan, types ...string) dataplane.DataPlane {
		return of(p, made(plan.LayerAccount), registry.Layer{Layer: "cluster", State: dataplane.Making, Made: true}).WithBegun(plan.LayerCluster, types)
	}
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		want string // the role that asks; empty: nobody asks
	}{
		"an account that is not made yet":          {of(there), ""},
		"an account that the org brings":           {of(own), "arn:aws:iam::" + account + ":role/in"},
		"an account without a network":             {of(there, made(plan.LayerAccount)), "arn:aws:iam::" + account + ":role/OrganizationAccountAccessRole"},
		"a network without a control plane":        {begun(there, "aws:ec2/vpc:Vpc"), "arn:aws:iam::" + account + ":role/OrganizationAccountAccessRole"},
		"a control plane":                          {begun(there, "aws:eks/cluster:Cluster"), ""},
		"zones by default, of an old region":       {whole(oldest), "arn:aws:iam::" + account + ":role/OrganizationAccountAccessRole"},
		"zones that were chosen, of an old region": {whole(chosen), ""},
	} {
		a, ask, err := tc.d.AsksForZones()
		if err != nil || ask != (tc.want != "") || ask && a.RoleARN != tc.want {
			t.Errorf("%s: %v as %q, %v; want %q", reason, ask, a.RoleARN, err, tc.want)
		}
	}
}
