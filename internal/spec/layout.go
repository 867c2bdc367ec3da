package spec

import (
	"fmt"
	"net/netip"
	"slices"
)

// Layout returns the network's zones with both ranges of each: the ones that
// the document states, and for the others free parts of the network. A private
// range is an eighth of the network (/19 of a /16), a public one a
// sixty-fourth (/22 of a /16), taken from the last eighth while there is room.
// With NAT none, zones have no public range. It fails when the stated ranges
// leave too little room, which Parse has ruled out.
func (n Network) Layout() ([]Zone, error) {
	network, err := netip.ParsePrefix(n.CIDR)
	if err != nil {
		return nil, fmt.Errorf("network range: %w", err)
	}
	zones := append([]Zone(nil), n.Zones...)
	var taken []netip.Prefix
	for _, z := range zones {
		for _, stated := range []string{z.PrivateCIDR, z.PublicCIDR} {
			if stated == "" {
				continue
			}
			p, err := netip.ParsePrefix(stated)
			if err != nil {
				return nil, fmt.Errorf("range of zone %s: %w", z.Name, err)
			}
			taken = append(taken, p)
		}
	}
	take := func(candidates []netip.Prefix) (string, bool) {
		for _, c := range candidates {
			if !overlapsAny(c, taken) {
				taken = append(taken, c)
				return c.String(), true
			}
		}
		return "", false
	}

	// Parts come in order, so the last eighth is tried last for a private range.
	private := split(network, 3)
	sixtyFourths := split(network, 6)
	public := append(sixtyFourths[56:64:64], sixtyFourths[:56]...)
	for i := range zones {
		if zones[i].PrivateCIDR != "" {
			continue
		}
		r, ok := take(private)
		if !ok {
			return nil, fmt.Errorf("no /%d of %s is free for the private subnet of %s", network.Bits()+3, network, zones[i].Name)
		}
		zones[i].PrivateCIDR = r
	}
	if n.NAT == NATNone {
		return zones, nil
	}
	for i := range zones {
		if zones[i].PublicCIDR != "" {
			continue
		}
		r, ok := take(public)
		if !ok {
			return nil, fmt.Errorf("no /%d of %s is free for the public subnet of %s", network.Bits()+6, network, zones[i].Name)
		}
		zones[i].PublicCIDR = r
	}
	return zones, nil
}

// split cuts an IPv4 range into 2^bits equal parts, in order.
func split(p netip.Prefix, bits int) []netip.Prefix {
	base := p.Masked().Addr().As4()
	start := uint32(base[0])<<24 | uint32(base[1])<<16 | uint32(base[2])<<8 | uint32(base[3])
	size := uint32(1) << (32 - p.Bits() - bits)
	parts := make([]netip.Prefix, 1<<bits)
	for i := range parts {
		a := start + uint32(i)*size
		parts[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}), p.Bits()+bits)
	}
	return parts
}

func overlapsAny(p netip.Prefix, others []netip.Prefix) bool {
	return slices.ContainsFunc(others, p.Overlaps)
}
