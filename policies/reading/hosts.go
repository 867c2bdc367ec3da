package reading

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
)

// awsDomains end the names of AWS's hosts, in each partition and for each kind of
// endpoint: one of IPv4, of both families, and of what a customer's own resource answers.
//
// https://docs.aws.amazon.com/general/latest/gr/rande.html#dual-stack-endpoints
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
var awsDomains = []string{
	".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws", ".on.aws", ".api.amazonwebservices.com.cn", ".on.amazonwebservices.com.cn",
	".api.amazonwebservices.eu", ".on.amazonwebservices.eu", ".c2s.ic.gov", ".sc2s.sgov.gov",
}

// consoleDomains end the names of the hosts by which people enter AWS. An account can be
// in them, or the alias of one.
//
// https://docs.aws.amazon.com/signin/latest/userguide/sign-in-urls-defined.html
var consoleDomains = []string{".aws.amazon.com", ".amazonaws-us-gov.com", ".amazonaws.cn", ".awsapps.com"}

// awsHost is a host of AWS that a text names, by its labels without the domain.
type awsHost struct {
	labels  []string // in lower case
	console bool     // of the console, and not of a service
	path    string   // what comes after it, as it was written: "/bucket/key…"
}

// longestHost is the longest name that a host can have.
const longestHost = 253

// awsHosts visits the hosts of AWS in a text, in whatever case they are written: hosts
// have none.
func awsHosts(text string, visit func(h awsHost)) {
	for i := 0; ; {
		next := IndexFold(text[i:], "aws", "ic.gov", "sgov.gov")
		if next < 0 {
			return
		}
		at := i + next
		start, end := at, at
		for start > i && at-start < longestHost && hostByte(text[start-1]) {
			start--
		}
		for end < len(text) && end-at < longestHost && hostByte(text[end]) {
			end++
		}
		i = max(end, at+1)
		host := strings.TrimSuffix(strings.ToLower(text[start:end]), ".")
		for _, domain := range slices.Concat(awsDomains, consoleDomains) {
			name, ok := strings.CutSuffix(host, domain)
			if !ok {
				continue
			}
			rest := text[end:]
			if port, ok := strings.CutPrefix(rest, ":"); ok {
				rest = strings.TrimLeft(port, "0123456789")
			}
			visit(awsHost{labels: strings.Split(name, "."), console: slices.Contains(consoleDomains, domain), path: rest})
			break
		}
	}
}

// hostByte reports whether a byte can be in a host's name, or in a variable that stands
// for a part of it.
func hostByte(c byte) bool { return hostBytes[c] }

var hostBytes = func() (in [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*?${}") {
		in[c] = true
	}
	return in
}()

// IndexFold returns where the first of some texts is, each of them in small letters,
// digits and dots, in whatever case it stands there.
func IndexFold(text string, wanted ...string) int {
	first := -1
	for _, a := range wanted {
		before := text
		if first >= 0 {
			before = text[:min(len(text), first+len(a)-1)]
		}
		if at := indexFold(before, a); at >= 0 {
			first = at
		}
	}
	return first
}

// rarely are letters and digits by how seldom they stand in texts. Every rule that looks
// for hosts looks through every text: most of it is passed over a block at a time.
const rarely = "zqxjkvbywgpfmucdlhrsniotae."

// indexFold looks for the byte of a that is rarest, and only there for the others.
func indexFold(text, a string) int {
	rank := func(c byte) int { return strings.IndexByte(rarely, c) } // digits before all
	anchor := 0
	for i := range len(a) {
		if rank(a[i]) < rank(a[anchor]) {
			anchor = i
		}
	}
	next := func(from int, c byte) int {
		if at := strings.IndexByte(text[from:], c); at >= 0 {
			return from + at
		}
		return len(text)
	}
	if len(text) < len(a) {
		return -1
	}
	small, capital := next(anchor, a[anchor]), len(text)
	if a[anchor] >= 'a' {
		capital = next(anchor, a[anchor]-0x20)
	}
	for {
		at := min(small, capital)
		start := at - anchor
		if start+len(a) > len(text) {
			return -1
		}
		if strings.EqualFold(text[start:start+len(a)], a) {
			return start
		}
		if at == small {
			small = next(at+1, a[anchor])
		} else {
			capital = next(at+1, a[anchor]-0x20)
		}
	}
}

// BucketsIn are the buckets that a text names: in ARNs, by the schemes of S3's clients,
// and in addresses of both styles and each kind of endpoint. One that stands where
// buckets stand is a name itself, with a path or without.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/dual-stack-endpoints.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html
func BucketsIn(text string, stands bool) []string {
	var names []string
	add := func(name string) {
		if name != "" {
			names = append(names, name)
		}
	}
	for i := 0; ; {
		next := IndexFold(text[i:], "s3")
		if next < 0 {
			break
		}
		i += next + len("s3")
		name := strings.TrimLeft(text[i:], "aAnN")
		if rest, ok := strings.CutPrefix(name, "://"); ok && len(text[i:])-len(name) <= 1 {
			add(firstPart(rest))
		}
	}
	for i := 0; ; {
		next := strings.Index(text[i:], "arn:")
		if next < 0 {
			break
		}
		i += next
		add(bucketOfARN(text[i:]))
		i += len("arn:")
	}
	awsHosts(text, func(h awsHost) { add(h.bucket()) })
	if len(names) > 0 || !stands || strings.Contains(text, "://") || strings.HasPrefix(text, "arn:") {
		return names
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(text, "/"), "/")
	return append(names, name)
}

// NamesBucket reports whether a text can have a bucket in it; cheaper than to look for
// it, and asked of every text.
func NamesBucket(text string) bool { return IndexFold(text, "s3") >= 0 }

// bucketOfARN returns the bucket of an ARN at the beginning of a text. Patterns stand
// for what is empty, too: arn:*:s3:*:*:data is the bucket data.
func bucketOfARN(text string) string {
	const longestHead = 64 // the partition, the service, the Region and the account
	head := text[:min(len(text), longestHead)]
	f := strings.SplitN(head, ":", 6)
	if len(f) < 6 || !iam.Match(f[2], "s3") || strings.Trim(f[3]+f[4], "*") != "" {
		return ""
	}
	rest := text[len(head)-len(f[5]):]
	switch name := firstPart(rest); {
	case f[4] != "" && slices.ContainsFunc(bucketless, func(kind string) bool { return strings.HasPrefix(name, kind) }):
		return "" // of whichever account: judged as an ARN
	default:
		return name
	}
}

// bucketless are what else has an ARN of S3, with an account.
var bucketless = []string{"accesspoint", "job", "storage-lens", "async-request", "access-grants"}

// firstPart is what comes before whatever ends a name.
func firstPart(text string) string {
	text = text[:min(len(text), longestHost)] // no name is longer
	if i := strings.IndexAny(text, "/\"'`,;<>|&#?) \t\r\n\\"); i >= 0 {
		// A question mark ends an address's path, and is a wildcard in a pattern.
		if text[i] != '?' {
			return text[:i]
		}
		return text[:i+1] + firstPart(text[i+1:])
	}
	return text
}

// bucket returns the bucket of a host of S3, empty for none. Access points and the like
// have the account in their names, which is found as one.
func (h awsHost) bucket() string {
	if h.console {
		return ""
	}
	for i, label := range slices.Backward(h.labels) {
		if label != "s3" && !strings.HasPrefix(label, "s3-") && !strings.HasPrefix(label, "s3express") {
			continue
		}
		if slices.ContainsFunc(accountHosts, func(p string) bool { return strings.HasPrefix(label, p) }) {
			return ""
		}
		before := h.labels[:i]
		if n := len(before); n > 0 && strings.HasPrefix(before[n-1], "vpce-") {
			// Of an interface endpoint: bucket.vpce-….s3.…/NAME, or NAME.bucket.vpce-….s3.….
			before = before[:n-1]
			if n = len(before); n > 0 {
				if before[n-1] != "bucket" {
					return ""
				}
				before = before[:n-1]
			}
		}
		if len(before) > 0 {
			return strings.Join(before, ".")
		}
		path, ok := strings.CutPrefix(h.path, "/")
		if !ok {
			return ""
		}
		name, _, _ := strings.Cut(firstPart(path), "?")
		return name
	}
	return ""
}

// queueHosts are SQS's, which have the account in the path.
//
// https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
var queueHosts = []string{"sqs", "sqs-fips", "queue"}

// account returns the account that a host of AWS or its path names; empty for none. A
// bucket's name may have one in it, too.
func (h awsHost) account() string {
	for _, label := range h.labels {
		for word := range strings.SplitSeq(label, "-") {
			if iam.IsAccount(word) {
				return word
			}
		}
	}
	if slices.ContainsFunc(h.labels, func(l string) bool { return slices.Contains(queueHosts, l) }) {
		if first, _, _ := strings.Cut(strings.TrimPrefix(h.path, "/"), "/"); iam.IsAccount(first) {
			return first
		}
	}
	return ""
}

// namesInHost reports whether an account stands in a text where a host of AWS's or a
// bucket has it. Digits elsewhere in an address are a tag or a date.
func namesInHost(text, account string) bool {
	found := false
	awsHosts(text, func(h awsHost) { found = found || h.account() == account })
	return found || slices.ContainsFunc(BucketsIn(text, false), func(name string) bool { return strings.Contains(name, account) })
}

// accountHosts are S3's hosts whose names have the account in them.
var accountHosts = []string{"s3-accesspoint", "s3-object-lambda", "s3-outposts", "s3-control", "s3express-control"}

// IssuersIn are the addresses of EKS clusters in a text: the id of the endpoint, and of
// the issuer of service accounts' tokens, which are the same; in capital letters, as
// EKS writes it. Hosts have no case, and EKS has several for one cluster.
//
// https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html
func IssuersIn(text string) []string {
	var ids []string
	awsHosts(text, func(h awsHost) {
		eks := slices.ContainsFunc(h.labels, func(l string) bool {
			return l == "eks" || l == "eks-cluster" || l == "oidc-eks" || l == "eks-fips"
		})
		if !eks {
			return
		}
		candidates := h.labels[:1:1]
		const before = "/id/"
		if len(h.path) >= len(before)+clusterID && strings.EqualFold(h.path[:len(before)], before) && Edge(h.path, len(before)+clusterID) {
			candidates = append(candidates, strings.ToLower(h.path[len(before):len(before)+clusterID]))
		}
		for _, id := range candidates {
			if isClusterID(id) {
				ids = append(ids, strings.ToUpper(id))
			}
		}
	})
	return ids
}

// clusterID is the length of the id that EKS gives to a cluster.
const clusterID = 32

func isClusterID(id string) bool {
	return len(id) == clusterID && strings.Trim(id, "0123456789abcdef") == ""
}
