package exposure

import (
	"math"
	"net/netip"
	"slices"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// A stack's ranges together are the internet once they hold as many public addresses
// as two of the 256 parts into which version 4 is cut first. The published ranges of a
// content network or of all of a cloud's Region are far below.
var tooMany = math.Exp2(32 - 7)

var openPieces = rule.Rule{
	ID:       "FH612",
	Title:    "No stack lets the internet in piece by piece",
	Why:      "the whole internet can be written as a list of ranges of which each one looks like somebody's, over as many rules, groups and prefix lists as one likes",
	Fix:      "name the ranges of those who need to get in; publish by load balancer",
	Severity: rule.High,
	Criteria: []string{"CC6.6"},
	Types:    table.TypesWith(table.Network),

	CheckStack: checkPieces,
	Good: []rule.Example{
		example.Shows("offices, and the network itself", "aws:ec2/securityGroup:SecurityGroup", object{
			"ingress": list{object{"cidrBlocks": list{"10.0.0.0/8", "172.16.0.0/12", "203.0.113.0/24", "198.51.100.0/24"}, "ipv6CidrBlocks": list{"2001:db8::/32"}}},
		}),
		example.Shows("the way out, in as many pieces", "aws:ec2/securityGroupRule:SecurityGroupRule", object{"type": "egress", "cidrBlocks": eights(1, 223)}),
		example.Shows("a content network's ranges", "aws:ec2/managedPrefixList:ManagedPrefixList", object{
			"entries": list{object{"cidr": "104.16.0.0/13"}, object{"cidr": "172.64.0.0/13"}, object{"cidr": "162.158.0.0/15"}, object{"cidr": "131.0.72.0/22"}},
		}),
	},
	Bad: []rule.Example{
		example.Shows("the internet in 223 pieces", "aws:ec2/securityGroup:SecurityGroup", object{"ingress": list{object{"cidrBlocks": eights(1, 223)}}}),
		example.Shows("as many rules that were made one by one", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{"cidrIpv4": "13.0.0.0/8"},
			example.Beside("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "r-1", object{"cidrIpv4": "12.0.0.0/8"}),
			example.Beside("aws:ec2/securityGroupRule:SecurityGroupRule", "r-2", object{"type": "ingress", "cidrBlocks": list{"14.0.0.0/8"}}),
		),
		example.Shows("a list of the stack's own, for a group to refer to", "aws:ec2/managedPrefixList:ManagedPrefixList", object{
			"entries": list{object{"cidr": "13.0.0.0/8"}, object{"cidr": "14.0.0.0/8"}, object{"cidr": "15.0.0.0/8"}},
		}),
		example.Shows("as addresses of version 6 that stand for those of version 4", "aws:ec2/securityGroup:SecurityGroup", object{
			"ingress": list{object{"ipv6CidrBlocks": list{"::ffff:13.0.0.0/104", "::ffff:14.0.0.0/104", "::ffff:15.0.0.0/104"}}},
		}),
		example.Shows("the other internet", "aws:ec2/securityGroup:SecurityGroup", object{"ingress": list{object{"ipv6CidrBlocks": list{"2000::/16", "2001::/16", "2a00::/16", "2600::/16"}}}}),
		example.Shows("the cluster's API", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPublicAccess": true, "publicAccessCidrs": eights(1, 223)}}),
	},
}

// eights are parts of the internet, each an 256th of it.
func eights(from, to byte) list {
	var all list
	for n := from; n <= to; n++ {
		all = append(all, netip.PrefixFrom(netip.AddrFrom4([4]byte{n}), 8).String())
	}
	return all
}

// piece is a range that gets in, and which resource says so.
type piece struct {
	prefix netip.Prefix
	urn    string
	path   string
}

// checkPieces adds up what the groups, rules and lists of a stack let in, and what each
// cluster's endpoint does.
func checkPieces(stack []rule.Resource, _ rule.Scope) map[string]rule.Verdict {
	judges := map[string]*rule.Judge{}
	var network []piece
	for _, r := range stack {
		row := table.Of(r.Type)
		if row.Top == nil || !row.Top.Holds(table.Network) {
			continue
		}
		j := &rule.Judge{}
		judges[r.URN] = j
		if way := r.Values().Get("type"); r.Type == "aws:ec2/securityGroupRule:SecurityGroupRule" && (!j.Known(way) || way.Is("egress")) {
			continue
		}
		var here []piece
		rule.VisitColumns(r, row, func(at *table.Place, p *rule.Node) {
			v := rule.Value{Path: p.Path(), Raw: p.Raw}
			if at == nil || !at.Holds(table.Network) || !j.Known(v) {
				return
			}
			if prefix, ok := public(v.Text()); ok {
				here = append(here, piece{prefix, r.URN, v.Path})
			}
		})
		if r.Type == "aws:eks/cluster:Cluster" {
			report(here, judges)
			continue
		}
		network = append(network, here...)
	}
	report(network, judges)
	verdicts := map[string]rule.Verdict{}
	for urn, j := range judges {
		if v := j.Verdict(); v.Answer != rule.Pass {
			verdicts[urn] = v
		}
	}
	return verdicts
}

// unrouted are addresses that nobody on the internet has.
// https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml
var unrouted = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
}

// public reads a range of which at least a part is on the internet.
func public(text string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, false // FH603 says so
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	p = p.Masked()
	return p, !slices.ContainsFunc(unrouted, func(u netip.Prefix) bool { return u.Bits() <= p.Bits() && u.Contains(p.Addr()) })
}

// report violates where ranges together are the internet, at those that make the most
// of it: an office's address beside them is not reported.
func report(pieces []piece, judges map[string]*rule.Judge) {
	together := map[bool]float64{} // by whether it is version 4
	for _, p := range disjoint(pieces) {
		together[p.prefix.Addr().Is4()] += size(p.prefix)
	}
	for _, four := range []bool{true, false} {
		if together[four] < tooMany {
			continue
		}
		var large, all []piece
		for _, p := range pieces {
			if p.prefix.Addr().Is4() != four {
				continue
			}
			if all = append(all, p); size(p.prefix)*4096 >= together[four] {
				large = append(large, p)
			}
		}
		if len(large) == 0 {
			large = all
		}
		seen := map[string]bool{}
		for _, p := range large {
			if !seen[p.urn] { // one is enough to be found by
				judges[p.urn].Violate(p.path, "%s and the other ranges that get in are, together, the internet", p.prefix)
			}
			seen[p.urn] = true
		}
	}
}

// disjoint leaves out what is in another range: two ranges either have nothing in
// common, or one is in the other.
func disjoint(pieces []piece) []piece {
	sorted := slices.SortedFunc(slices.Values(pieces), func(a, b piece) int {
		if c := a.prefix.Addr().Compare(b.prefix.Addr()); c != 0 {
			return c
		}
		return a.prefix.Bits() - b.prefix.Bits()
	})
	var out []piece
	for _, p := range sorted {
		if len(out) == 0 || !out[len(out)-1].prefix.Contains(p.prefix.Addr()) {
			out = append(out, p)
		}
	}
	return out
}

// size is how much of the internet a range is, in addresses of version 4. One of
// version 6 is measured so that two ranges of 16 bits are as much as one of 15, which
// FH603 takes for the internet by itself.
func size(p netip.Prefix) float64 {
	if p.Addr().Is4() {
		return math.Exp2(float64(32 - p.Bits()))
	}
	return tooMany * math.Exp2(float64(15-p.Bits()))
}
