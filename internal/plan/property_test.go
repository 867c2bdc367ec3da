package plan_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// valid draws a document and parses it. Stated ranges come from different
// eighths of the network, so that the document is always a valid one.
func valid(t *rapid.T) spec.Spec {
	region := rapid.SampledFrom([]string{"eu-central-1", "us-east-1", "ap-northeast-1"}).Draw(t, "region")
	s := map[string]any{
		"org":     rapid.StringMatching(`[a-z0-9]{1,20}(-[a-z0-9]{1,18})?`).Filter(func(s string) bool { return len(s) >= 3 }).Draw(t, "org"),
		"region":  region,
		"account": map[string]any{"email": "a@example.com"},
	}
	if digitsOnly.MatchString(s["org"].(string)) {
		s["org"] = "a" + s["org"].(string)[1:]
	}
	bits := rapid.IntRange(16, 20).Draw(t, "bits")
	base := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 255).Draw(t, "second")), byte(rapid.IntRange(0, 255).Draw(t, "third")), 0}), bits).Masked()
	network := map[string]any{"cidr": base.String()}
	nat := rapid.SampledFrom([]string{"one", "per-zone", "none"}).Draw(t, "nat")
	network["nat"] = nat
	if n := rapid.IntRange(0, 3).Draw(t, "zones"); n >= 2 {
		eighths := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(t, "eighths")
		part := func(i int) string {
			size := 1 << (32 - bits - 3)
			a := base.Addr().As4()
			start := (int(a[0])<<24 | int(a[1])<<16 | int(a[2])<<8 | int(a[3])) + eighths[i]*size
			return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(start >> 24), byte(start >> 16), byte(start >> 8), byte(start)}), bits+3).String()
		}
		var zones []any
		for i := range n {
			zone := map[string]any{"name": region + string("acd"[i])}
			if rapid.Bool().Draw(t, "private") {
				zone["privateCidr"] = part(i)
			}
			// Two eighths for public ranges leave room for all the others.
			if i < 2 && nat != "none" && rapid.Bool().Draw(t, "public") {
				zone["publicCidr"] = part(7 - i)
			}
			zones = append(zones, zone)
		}
		network["zones"] = zones
	}
	s["network"] = network
	var pools []any
	for i := range rapid.IntRange(1, 4).Draw(t, "pools") {
		pools = append(pools, map[string]any{
			"name":          fmt.Sprintf("%s%d", rapid.StringMatching(`[a-z][a-z0-9-]{0,37}`).Draw(t, "pool"), i),
			"min":           rapid.IntRange(1, 3).Draw(t, "min"),
			"instanceTypes": []string{rapid.SampledFrom([]string{"m6i.large", "m7g.large", "g6.xlarge", "trn1.2xlarge"}).Draw(t, "type")},
			"amiFamily":     rapid.SampledFrom([]string{"AL2023", "Bottlerocket"}).Draw(t, "family"),
		})
	}
	s["cluster"] = map[string]any{"nodePools": pools}
	text, err := yaml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := spec.Parse("drawn.yaml", strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return parsed
}

var digitsOnly = regexp.MustCompile(`^[0-9]`)

func TestTheSameSpecAlwaysGivesTheSamePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := valid(t)
		if diff := cmp.Diff(plan.Build(s), plan.Build(s)); diff != "" {
			t.Fatalf("two plans of one spec:\n%s", diff)
		}
	})
}

func TestRangesLieInsideTheNetworkAndNeverOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := valid(t)
		c := plan.Build(s).Cluster
		network := netip.MustParsePrefix(c.CIDR)
		var ranges []netip.Prefix
		for i, z := range c.Zones {
			if (z.PublicCIDR == "") != (c.NAT == "none") {
				t.Fatalf("NAT is %s and zone %s has public range %q", c.NAT, z.Name, z.PublicCIDR)
			}
			if stated := s.Network.Zones[i]; stated.PrivateCIDR != "" && stated.PrivateCIDR != z.PrivateCIDR ||
				stated.PublicCIDR != "" && stated.PublicCIDR != z.PublicCIDR {
				t.Fatalf("zone %+v was stated as %+v", z, stated)
			}
			for _, text := range []string{z.PrivateCIDR, z.PublicCIDR} {
				if text != "" {
					ranges = append(ranges, netip.MustParsePrefix(text))
				}
			}
		}
		for i, r := range ranges {
			if r != r.Masked() || r.Bits() <= network.Bits() || r.Bits() > 28 || !network.Contains(r.Addr()) {
				t.Fatalf("%s is no subnet of %s", r, network)
			}
			for _, other := range ranges[:i] {
				if r.Overlaps(other) {
					t.Fatalf("%s overlaps %s", r, other)
				}
			}
		}
	})
}

var nameShapes = map[string]struct {
	max   int
	shape *regexp.Regexp
}{
	"role":       {64, regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]+$`)},
	"policy":     {128, regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]+$`)},
	"scp":        {128, regexp.MustCompile(`^[ -~]+$`)},
	"alias":      {256, regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)},
	"bucket":     {63, regexp.MustCompile(`^[a-z0-9][a-z0-9-]+[a-z0-9]$`)},
	"trail":      {128, regexp.MustCompile(`^[A-Za-z0-9]([._-]?[A-Za-z0-9])*$`)},
	"analyzer":   {255, regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)},
	"repository": {256, regexp.MustCompile(`^([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*$`)},
	"cluster":    {100, regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]*$`)},
	"nodegroup":  {63, regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]*$`)},
	"loggroup":   {512, regexp.MustCompile(`^[.\-_/#A-Za-z0-9]+$`)},
}

// checkNames holds every name of a plan against AWS's rules for it.
func checkNames(t interface{ Fatalf(string, ...any) }, p plan.Plan) {
	names := map[string][]string{
		"role": {
			p.Boundary.ProvisionRole, p.Boundary.ReadRole, p.Boundary.BootstrapRole, p.Boundary.OffboardRole,
			p.Cluster.ClusterRole, p.Cluster.NodeRole, p.Cluster.EBSRole, p.Cluster.FlowLogRole,
		},
		"policy":     {p.Boundary.BoundaryName},
		"scp":        {p.Account.ServicePolicyName, p.Account.ResourcePolicy},
		"alias":      {p.Boundary.DataKeyAlias, p.Boundary.LogKeyAlias},
		"bucket":     {plan.BucketName(p.Boundary.LogBucket, "123456789012"), plan.BucketName(p.Boundary.DataBucket, "123456789012")},
		"trail":      {p.Boundary.TrailName},
		"analyzer":   {p.Boundary.AnalyzerName},
		"repository": {p.Boundary.ControllerRepository},
		"cluster":    {p.Cluster.Name},
		"loggroup":   {p.Cluster.FlowLogGroup},
	}
	for _, pool := range p.Cluster.NodePools {
		names["nodegroup"] = append(names["nodegroup"], pool.Name)
	}
	for kind, all := range names {
		seen := slices.Clone(all)
		slices.Sort(seen)
		if len(slices.Compact(seen)) != len(all) {
			t.Fatalf("%s names are not unique: %q", kind, all)
		}
		for _, name := range all {
			if rule := nameShapes[kind]; len(name) > rule.max || !rule.shape.MatchString(name) {
				t.Fatalf("%s name %q, %d long, is not one that AWS takes", kind, name, len(name))
			}
		}
	}
	for _, role := range names["role"] {
		if !strings.HasPrefix(role, p.Account.RolePrefix) {
			t.Fatalf("role %q does not begin with %q: no policy would cover it", role, p.Account.RolePrefix)
		}
	}
	if p.Account.BoundaryName != p.Boundary.BoundaryName || p.Account.RolePrefix != p.Boundary.RolePrefix {
		t.Fatalf("the account layer guards other names than the boundary layer makes")
	}
}

func TestNamesAreAlwaysOnesThatAWSTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkNames(t, plan.Build(valid(t))) })
}

func TestTheLongestOrgAndPoolNamesWork(t *testing.T) {
	org, pool := strings.Repeat("o", 40), strings.Repeat("p", 39)
	checkNames(t, plan.Build(parse(t, strings.Replace(minimal, "acme", org, 1)+
		"cluster: {nodePools: [{name: "+pool+"1}, {name: "+pool+"2}]}\n")))
}

func TestANameNeverExceedsItsLimitAndTwoNamesNeverBecomeOne(t *testing.T) {
	part := rapid.StringMatching(`[a-z0-9]{1,30}`)
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(part, 1, 4).Draw(t, "a")
		b := rapid.SliceOfN(part, 1, 4).Draw(t, "b")
		limit := rapid.IntRange(10, 64).Draw(t, "limit")
		x, y := plan.Fit(limit, a...), plan.Fit(limit, b...)
		if len(x) > limit || len(y) > limit {
			t.Fatalf("%q or %q is longer than %d", x, y, limit)
		}
		if same := strings.Join(a, "-") == strings.Join(b, "-"); (x == y) != same {
			t.Fatalf("%q and %q became %q and %q", a, b, x, y)
		}
	})
}
