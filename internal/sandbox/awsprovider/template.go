package awsprovider

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
)

// generators are the template words that make something new.
var generators = []string{"hex", "upper", "digits", "uuid", "now"}

// generates reports whether a template's text differs each time that it is made.
func generates(template string) bool {
	for _, g := range generators {
		if strings.Contains(template, "{"+g+":") || strings.Contains(template, "{"+g+"}") {
			return true
		}
	}
	return false
}

// expand replaces the words in braces by what lookup knows. If a word has no
// value the result is "", because half a name is worse than none; ok is false
// if a value is not known yet.
func expand(template string, lookup func(word string) any) (result string, ok bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		word, after, _ := strings.Cut(rest, "}")
		word, filter, _ := strings.Cut(word, "|")
		v := lookup(word)
		if _, is := v.(unknown); is {
			return "", false
		}
		s := text(v)
		if v == nil {
			return "", true
		}
		switch filter {
		case "lower":
			s = strings.ToLower(s)
		case "nohttps": // an OIDC provider's ARN has the URL without its scheme
			s = strings.TrimPrefix(s, "https://")
		case "group": // a VPC's own security group; see defaultGroupID
			s = defaultGroupID(s)
		case "principal": // a principal's ARN as EKS writes it in others
			s = principalPath(s)
		case "service": // a service-linked role's name
			s = linkedName(s)
		}
		b.WriteString(s)
		template = after
	}
}

// generate makes the text of "hex:17", "upper:16", "digits:12" or "uuid" from a
// seed: the same seed gives the same text.
func generate(word, seed string) string {
	kind, size, _ := strings.Cut(word, ":")
	n, _ := strconv.Atoi(size)
	sum := sha256.Sum256([]byte(seed + "/" + word))
	switch kind {
	case "hex":
		return hex.EncodeToString(sum[:])[:n]
	case "uuid":
		h := hex.EncodeToString(sum[:16])
		return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32]
	case "digits":
		return base(sum, "0123456789", n)
	default:
		return base(sum, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", n)
	}
}

func base(sum [32]byte, alphabet string, n int) string {
	v, size, digit := new(big.Int).SetBytes(sum[:]), big.NewInt(int64(len(alphabet))), new(big.Int)
	out := make([]byte, n)
	for i := range out {
		v.DivMod(v, size, digit)
		out[i] = alphabet[digit.Int64()]
	}
	return string(out)
}

// linkedName is how AWS calls a service in its service-linked role.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
func linkedName(principal string) string {
	if name, known := map[string]string{
		"eks.amazonaws.com": "AmazonEKS", "eks-nodegroup.amazonaws.com": "AmazonEKSNodegroup", "autoscaling.amazonaws.com": "AutoScaling",
		"elasticloadbalancing.amazonaws.com": "ElasticLoadBalancing", "access-analyzer.amazonaws.com": "AccessAnalyzer",
		"spot.amazonaws.com": "EC2Spot", "replication.ecr.amazonaws.com": "ECRReplication", "organizations.amazonaws.com": "Organizations",
	}[principal]; known {
		return name
	}
	service, _, _ := strings.Cut(principal, ".")
	return strings.ToUpper(service[:1]) + service[1:]
}
