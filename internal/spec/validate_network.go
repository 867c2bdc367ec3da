package spec

import (
	"fmt"
	"net/netip"
	"strings"
)

func (d *decoder) validateNetwork(region string, n Network) {
	before := len(d.mistakes)
	if !d.given("network.zones") && d.ok("region") && d.given("region") && len(n.Zones) == 0 {
		d.complain("network.zones", "which zones "+region+" has differs from account to account",
			"two zones of yours, such as "+region+"a and "+region+"c", "network", "region")
		return
	}
	d.unique("network.zones", len(n.Zones), ".name", func(i int) string { return n.Zones[i].Name })
	for i, z := range n.Zones {
		path := fmt.Sprintf("network.zones[%d].name", i)
		if !d.given(path) || !d.ok(path, "region") {
			continue
		}
		// The rest is one letter: local zones and wavelength zones have more.
		if rest, in := strings.CutPrefix(z.Name, region); !in || len(rest) != 1 {
			d.complain(path, quote(z.Name)+" is not a zone of "+region, "a zone such as "+region+"a")
		}
	}
	d.validateRanges(n)

	// Only when all is well so far is a lack of room the document's own.
	if len(d.mistakes) > before || !d.ok("network", "network.cidr", "network.zones", "network.nat") || d.anyWrongZone(len(n.Zones)) {
		return
	}
	if _, err := n.Layout(); err != nil {
		d.complain("network.zones", "the stated ranges leave too little room: "+err.Error(),
			"smaller ranges, or both ranges of every zone", "network")
	}
}

func (d *decoder) anyWrongZone(n int) bool {
	for i := range n {
		z := fmt.Sprintf("network.zones[%d]", i)
		if !d.ok(z, z+".name", z+".privateCidr", z+".publicCidr") {
			return true
		}
	}
	return false
}

// validateRanges wants each stated range inside the network and apart from the others.
func (d *decoder) validateRanges(n Network) {
	type stated struct {
		path  string
		value netip.Prefix
	}
	var before []stated
	check := func(path, text string) {
		if text == "" || !d.ok(path) {
			return
		}
		p := netip.MustParsePrefix(text)
		if network, err := netip.ParsePrefix(n.CIDR); err == nil && d.ok("network.cidr") &&
			(p.Bits() <= network.Bits() || !network.Contains(p.Addr())) {
			d.complain(path, quote(text)+" is not inside "+n.CIDR, "a part of the network's range")
			return
		}
		for _, b := range before {
			if p.Overlaps(b.value) {
				d.complain(path, fmt.Sprintf("%s overlaps %s of %s", quote(text), b.value, b.path), "a range of its own")
				return
			}
		}
		before = append(before, stated{path, p})
	}
	for i, z := range n.Zones {
		path := fmt.Sprintf("network.zones[%d]", i)
		check(path+".privateCidr", z.PrivateCIDR)
		if d.given(path+".publicCidr") && n.NAT == NATNone {
			d.complain(path+".publicCidr", "there are no public subnets with nat none", "no publicCidr, or nat one or per-zone")
			continue
		}
		check(path+".publicCidr", z.PublicCIDR)
	}
}
