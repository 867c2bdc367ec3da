package spec

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
	"k8s.io/apimachinery/pkg/api/resource"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/iam"
)

// A check looks at one value by itself and completes it with what is wrong:
// "is a /24". It returns "" when nothing is.

// privateRanges are what a VPC may use: RFC 1918, and RFC 6598's shared space
// that AWS suggests for clusters short of addresses.
//
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"),
}

func checkIPv4(value string) string {
	p, err := netip.ParsePrefix(value)
	switch {
	case err != nil:
		return "is not a CIDR"
	case !p.Addr().Is4():
		return "is not an IPv4 range"
	case p != p.Masked():
		return "has host bits set, its range starts at " + p.Masked().String()
	}
	return ""
}

func checkNetwork(value string) string {
	if problem := checkIPv4(value); problem != "" {
		return problem
	}
	p := netip.MustParsePrefix(value)
	if p.Bits() < 16 || p.Bits() > 20 {
		return fmt.Sprintf("is a /%d", p.Bits())
	}
	for _, r := range privateRanges {
		if r.Contains(p.Addr()) {
			return ""
		}
	}
	return "is not a private range"
}

func checkSubnet(value string) string {
	if problem := checkIPv4(value); problem != "" {
		return problem
	}
	if bits := netip.MustParsePrefix(value).Bits(); bits < 17 || bits > 28 {
		return fmt.Sprintf("is a /%d", bits)
	}
	return ""
}

// checkAllowed refuses what would make a public endpoint's allow-list no list
// at all. A private address never arrives at a public endpoint, and EKS
// refuses such ranges.
//
// https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html
func checkAllowed(value string) string {
	if problem := checkIPv4(value); problem != "" {
		return problem
	}
	p := netip.MustParsePrefix(value)
	switch {
	case p.Bits() == 0:
		return "is the whole internet"
	case p.Bits() < 8:
		return fmt.Sprintf("is a /%d", p.Bits())
	case p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() || p.Addr().IsMulticast() || p.Addr().IsUnspecified():
		return "is not a public range"
	}
	for _, r := range privateRanges {
		if r.Overlaps(p) {
			return "is not a public range"
		}
	}
	return ""
}

var (
	sharedRegistry = regexp.MustCompile(v1alpha1.SharedRegistryPattern)
	awsRegistry    = regexp.MustCompile(v1alpha1.AWSRegistryPattern)
)

// checkRegistry refuses what would let anybody's images run, or share a
// registry with another customer. The org's own registry needs no entry, and
// every other account's belongs to somebody else.
func checkRegistry(value string) string {
	switch {
	case awsRegistry.MatchString(value):
		return "is the registry of an AWS account: the org's own is always allowed, and another's is not"
	case sharedRegistry.MatchString(value):
		return "is a registry that anybody may push to, and has no path"
	}
	return ""
}

// checkHost refuses what belongs to nobody, and so to no project: the ends of
// names that everybody may register, and all that is below one.
func checkHost(value string) string {
	name := strings.TrimPrefix(value, "*.")
	if suffix, _ := publicsuffix.PublicSuffix(name); suffix == name {
		return "is the end of everybody's names"
	}
	return ""
}

func checkPriorityClass(value string) string {
	if strings.HasPrefix(value, "system-") {
		return "is Kubernetes' own"
	}
	return ""
}

// checkWayOut refuses the addresses at which a node serves its credentials.
func checkWayOut(value string) string {
	if problem := checkIPv4(value); problem != "" {
		return problem
	}
	if v1alpha1.OfTheNode(netip.MustParsePrefix(value)) {
		return "is a range of the node itself, where its credentials are"
	}
	return ""
}

func checkTTL(value string) string {
	switch d, err := time.ParseDuration(value); {
	case err != nil:
		return "is not a time"
	case d <= 0:
		return "is no time at all"
	}
	return ""
}

// checkURL finds what httpsPattern cannot.
func checkURL(value string) string {
	u, err := url.Parse(value)
	if err != nil {
		return "is not a URL"
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return "has a port that is none"
		}
	}
	return ""
}

// clusterIssuer is the host of an issuer of EKS's own, in either form.
var clusterIssuer = regexp.MustCompile(`(?i)^https://oidc[.-]eks\.`)

// checkIssuer refuses the issuers that sign for pods. EKS refuses the cluster's
// own; another cluster's would let in the pods of somebody else.
func checkIssuer(value string) string {
	if clusterIssuer.MatchString(value) {
		return "is the issuer of a cluster, whose tokens are those of pods"
	}
	return checkURL(value)
}

// reservedPrefixes begin the names of whom Kubernetes, EKS, IAM and Freehold let
// in; up to the first colon.
//
// https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
var reservedPrefixes = []string{"system", "eks", "aws", "amazon", "iam", "arn", "kubernetes", "freehold"}

// checkPrefix keeps whoever the identity provider knows from being somebody
// else. EKS itself refuses "system:", wherever it stands.
func checkPrefix(value string) string {
	first, _, _ := strings.Cut(strings.ToLower(value), ":")
	switch {
	case strings.Contains(strings.ToLower(value), "system:"):
		return "has system: in it, which EKS refuses"
	case slices.Contains(reservedPrefixes, first):
		return "begins names that are not the identity provider's"
	}
	return ""
}

// checkCertificates refuses keys before all: what is in a bundle is shown to
// everybody who may read the cluster.
func checkCertificates(value string) string {
	const begin, foreign = "-----BEGIN", "has something that is not PEM"
	rest, n := []byte(value), 0
	for text := bytes.TrimSpace(rest); len(text) > 0; text = bytes.TrimSpace(rest) {
		var block *pem.Block
		block, rest = pem.Decode(text)
		n++
		switch {
		case block == nil || !bytes.HasPrefix(text, []byte(begin)):
			return foreign
		case block.Type != "CERTIFICATE" || len(block.Headers) > 0:
			return fmt.Sprintf("has block %d, which is no certificate", n)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Sprintf("has certificate %d, which cannot be read", n)
		}
	}
	switch {
	case n == 0:
		return "holds no certificate"
	case strings.Count(value, begin) != n: // the decoder skips what it cannot read
		return foreign
	}
	return ""
}

func checkInterval(value string) string {
	switch d, err := time.ParseDuration(value); {
	case err != nil:
		return "is not a time"
	case d < 5*time.Second || d > time.Hour:
		return "is out of range"
	}
	return ""
}

func checkCPU(value string) string {
	q, err := resource.ParseQuantity(value)
	switch {
	case err != nil:
		return "is not a quantity"
	case q.Sign() <= 0:
		return "is not positive"
	}
	return ""
}

// checkBytes also refuses fractions of a byte: "100m" of memory is a tenth of
// a byte to Kubernetes, and always meant as mebibytes.
func checkBytes(value string) string {
	if problem := checkCPU(value); problem != "" {
		return problem
	}
	q := resource.MustParse(value)
	if q.Cmp(*resource.NewQuantity(q.Value(), q.Format)) != 0 {
		return "is a fraction of a byte"
	}
	return ""
}

// checkWhole refuses what cannot be counted out: Kubernetes gives an extended
// resource in whole numbers only.
func checkWhole(value string) string {
	q, err := resource.ParseQuantity(value)
	switch {
	case err != nil:
		return "is not a quantity"
	case q.Sign() < 0:
		return "is negative"
	case q.Cmp(*resource.NewQuantity(q.Value(), q.Format)) != 0:
		return "is not a whole number"
	}
	return ""
}

// checkDate refuses what only looks like a day. Whether the day is over is
// judged against a clock, which a document does not have.
func checkDate(value string) string {
	if _, err := time.Parse(time.DateOnly, value); err != nil {
		return "is not a day of the calendar"
	}
	return ""
}

// checkPodPolicy refuses what the isolation rules would, and what IAM attaches
// to no role but a service's own.
func checkPodPolicy(value string) string {
	switch {
	case iam.IsAdministrator(value):
		return "allows everything, or all of IAM or of sharing"
	case strings.HasPrefix(value, "arn:aws:iam::aws:policy/aws-service-role/"):
		return "is for a service's own role"
	}
	return ""
}
