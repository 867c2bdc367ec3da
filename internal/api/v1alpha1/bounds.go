package v1alpha1

import "net/netip"

// The patterns of names that a project may be given. They are in the syntax of
// RE2, so that a document's rules and the API server judge by the same ones.
const (
	// HostPattern fits a DNS name of two labels or more, and "*." before one.
	HostPattern = `^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`
	// ClassPattern fits the name of a priority class, a storage class or a runtime class.
	ClassPattern = `^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`

	// SharedRegistryPattern fits the whole of a registry that anybody may push to,
	// which is no fence, under each of its names and with the port that it has
	// anyway. https://docs.docker.com/reference/cli/docker/image/tag/ says how a
	// name without a host, and one of index.docker.io, are read.
	SharedRegistryPattern = `^(docker\.io|index\.docker\.io|registry-1\.docker\.io|registry\.docker\.io|registry\.hub\.docker\.com|` +
		`ghcr\.io|quay\.io|([a-z0-9-]+\.)?gcr\.io|([a-z0-9-]+\.)?pkg\.dev|public\.ecr\.aws|registry\.gitlab\.com|docker\.pkg\.github\.com|ttl\.sh)(:[0-9]+)?/?$`
	// AWSRegistryPattern fits what is in the registry of an AWS account, under each
	// of its names: Freehold allows the org's own without an entry, and every other
	// is somebody else's.
	// https://docs.aws.amazon.com/general/latest/gr/ecr.html
	AWSRegistryPattern = `^([^/]*\.)?(amazonaws\.(com(\.cn)?|eu)|on\.(aws|amazonwebservices\.com\.cn)|api\.aws|sc2s\.sgov\.gov|c2s\.ic\.gov)(:[0-9]+)?(/|$)`
)

// nodeRanges are addresses that every node has for itself: at some of them
// whoever asks gets the node's credentials.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
var nodeRanges = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("fd00:ec2::/32"),
	netip.MustParsePrefix("fe80::/10"),
}

// OfTheNode reports whether a range is the node's own, or a part of it, in
// either form of an IPv4 address.
func OfTheNode(p netip.Prefix) bool {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	for _, r := range nodeRanges {
		if r.Contains(p.Addr()) && r.Bits() <= p.Bits() {
			return true
		}
	}
	return false
}

// Except are the node's own addresses within a way out, which it leaves out.
func (e Egress) Except() []string {
	p, err := netip.ParsePrefix(e.CIDR)
	if err != nil {
		return nil
	}
	var out []string
	for _, r := range nodeRanges {
		if p.Bits() < r.Bits() && p.Contains(r.Addr()) {
			out = append(out, r.String())
		}
	}
	return out
}
