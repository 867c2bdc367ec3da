package policies

import (
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/table"
)

var references = []Rule{
	{
		ID:       "FH201",
		Title:    "No input names another account",
		Why:      "an ARN or account id of another account is the first half of every share: the other half is a click on the other side",
		Fix:      "refer to the org's own resources, by the outputs that name them; what is common to all is listed under Shared",
		Severity: Critical,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"*"},
		Check:    on(checkMentions),
		Bad:      badMentions(), Good: goodMentions(),
	},
	{
		ID:         "FH202",
		Title:      "No input names a bucket that is not the org's",
		Why:        "bucket names are one namespace over all of AWS, and a bucket's ARN has no account: data sent to a wrong name is another's",
		Fix:        `name buckets of the org, "freehold-<org>-…-<account>", by the outputs of what makes them`,
		Severity:   Critical,
		Criteria:   []string{"CC6.1", "CC6.7"},
		Types:      []string{"aws:*", "kubernetes:*"},
		CheckStack: onStack([]string{"aws:*", "kubernetes:*"}, checkBuckets),
		Bad:        badBuckets(), Good: goodBuckets(),
	},
	{
		ID:         "FH203",
		Title:      "No input names a VPC, subnet or security group that the org has not made",
		Why:        "a network that somebody else made is one that somebody else is in",
		Fix:        "pass the output of the resource, and not its id as text",
		Severity:   Critical,
		Criteria:   []string{"CC6.1", "CC6.6"},
		Types:      []string{"aws:*"},
		CheckStack: onStack([]string{"aws:*"}, checkIDs),
		Bad:        badIDs(), Good: goodIDs(),
	},
	{
		ID:         "FH204",
		Title:      "No input names the OIDC issuer or the endpoint of another cluster",
		Why:        "who trusts another cluster's issuer lets its pods in, and who talks to its endpoint sends it the org's credentials",
		Fix:        "take issuer and endpoint from the outputs of the org's own cluster",
		Severity:   Critical,
		Criteria:   []string{"CC6.1", "CC6.6"},
		Types:      []string{"*"},
		CheckStack: onStack([]string{"*"}, checkIssuers),
		Bad:        badIssuers(), Good: goodIssuers(),
	},
	{
		ID:       "FH205",
		Title:    "No stack reads the outputs of another org's",
		Why:      "outputs are a data plane's inside: role ARNs, endpoints, sometimes secrets",
		Fix:      "read stacks of the org only; the layers get what they need from each other without references",
		Severity: Critical, NoException: true,
		Criteria: []string{"CC6.1"},
		Types:    []string{"pulumi:pulumi:StackReference"},
		Check:    on(checkStackReference),
		Bad:      badStackReferences(), Good: goodStackReferences(),
	},
}

// checkMentions goes through all inputs of a resource. A provider is one, too.
func checkMentions(j *judge, r Resource, s Scope) {
	visitInputs(j, r, func(in *input) {
		found, whole := mentions(in.text)
		for _, m := range found {
			if standsForAccount(m, in, r) || slices.Contains(s.Foreign, m.Account) {
				mention(j, in.path(), m, r, s)
			}
		}
		if !whole {
			j.violate(in.path(), "it has more encodings inside each other, or unpacks to more, than is read: write it plainly")
		}
	})
	visitAssets(r, func(p *place, a Asset) {
		for _, account := range a.Accounts {
			if slices.Contains(s.Foreign, account) {
				j.violate(p.path(), "a file in it names account %s, which belongs to another org", account)
			}
		}
	})
	for _, m := range Mentions(r.ID) { // no input, but that of a lookup is: it reads what is there
		mention(j, "id", m, r, s)
	}
}

// onInstance are what an alarm does with the machine that it watches: ARNs whose place
// for an account holds the service. The other form has the account in its place.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/UsingAlarmActions.html
var onInstance = regexp.MustCompile(`^arn:aws[a-z-]*:automate:[a-z0-9-]+:ec2:(?:stop|terminate|reboot|recover)$`)

func mention(j *judge, path string, m Mention, at Resource, s Scope) {
	ours, known := s.ours(m.Account)
	switch {
	case ours, shared(m, at, s), onInstance.MatchString(m.Text):
	case m.ARN && (m.Account == "*" || strings.HasPrefix(m.Account, "${")):
		// Every account, or the caller's: the rules on trust and boundaries judge
		// what a statement does with it.
	case m.ARN && !iam.IsAccount(m.Account) && strings.ContainsAny(m.Account, "*?"):
		j.violate(path, "%s matches accounts that are not the org's", m.Text)
	case m.ARN && !iam.IsAccount(m.Account):
		j.violate(path, "%s is of %q, and not of the org's account", m.Text, m.Account)
	case !known:
		j.undecided(path)
	default:
		j.violate(path, "%s belongs to account %s, expected %s", m.Text, m.Account, s.AccountID)
	}
}

// ownBucket reports whether a bucket's name is the org's: the account is in it, or the
// org's prefix, or the stack makes it, or an earlier layer did. AWS's own, from which
// nodes take packages and images, are public and read-only.
func ownBucket(name string, stack []Resource, s Scope) (own, known bool) {
	switch {
	case name == "" || strings.Trim(name, "*") == "":
		return true, true
	case s.Org != "" && strings.HasPrefix(name, "freehold-"+s.Org+"-"),
		s.AccountID != "" && strings.HasSuffix(name, "-"+s.AccountID),
		slices.Contains(s.Owned, name), slices.Contains(s.Owned, "arn:aws:s3:::"+name),
		slices.ContainsFunc(awsBuckets, func(p string) bool { return iam.Match(p, name) }):
		return true, true
	}
	known = true
	for _, r := range stack {
		if r.Type != "aws:s3/bucketV2:BucketV2" && r.Type != "aws:s3/bucket:Bucket" {
			continue
		}
		yes, sure := (value{v: name}).isOf(r, "bucket")
		if yes {
			return true, true
		}
		known = known && sure
	}
	return false, known
}

// awsBuckets are AWS's own buckets of packages, image layers and patches.
//
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
// https://docs.aws.amazon.com/linux/al2023/ug/managing-repos-os-updates.html
// https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-minimum-s3-permissions.html
var awsBuckets = []string{
	"prod-*-starport-layer-bucket", "al2023-repos-*-de612dc2", "amazonlinux-2-repos-*", "amazon-eks", "aws-ssm-*", "amazon-ssm-*",
	"patch-baseline-snapshot-*", "aws-patchmanager-*",
}

func checkBuckets(j *judge, r Resource, stack []Resource, s Scope) {
	if makesBucket(r) {
		return // its name is what it makes: AWS refuses one that another has
	}
	judgeBucket := func(path, name string) {
		name = ownVariables(name, s.AccountID)
		switch own, known := ownBucket(name, stack, s); {
		case own:
		case !known:
			j.undecided(path)
		default:
			j.violate(path, "the bucket %s is not known to be the org's", name)
		}
	}
	visitInputs(j, r, func(in *input) {
		readings(in.text, func(text string) {
			if namesBucket(text) {
				for _, name := range bucketsIn(text, false) {
					judgeBucket(in.path(), name)
				}
			}
		})
	})
	if _, _, kind := gvkOf(r.Type); strings.HasPrefix(r.Type, "kubernetes:") && !slices.Contains(schemas, kind) {
		for _, o := range objectsOf(r) {
			in, ok := o.v.(map[string]any)
			if !ok {
				j.known(o)
				continue
			}
			visitObjects(in, bucketKeys, func(_ string, v value) {
				if text, ok := v.v.(string); ok {
					for _, name := range bucketsIn(text, true) {
						judgeBucket(v.path, name)
					}
				}
			})
		}
	}
	visitColumns(r, table.Of(r.Type), func(at *table.Place, p *place) {
		if text, ok := p.v.(string); ok && at != nil && at.Column == table.Bucket {
			for _, name := range bucketsIn(text, true) {
				judgeBucket(p.path(), name)
			}
		}
	})
}

// bucketKeys are the properties by which Kubernetes objects name a bucket: those of
// volumes, backups and the stores of logs and metrics.
//
// https://github.com/awslabs/mountpoint-s3-csi-driver/blob/main/docs/CONFIGURATION.md
// https://velero.io/docs/main/api-types/backupstoragelocation/
var bucketKeys = map[string]bool{"bucket": true, "bucketName": true, "bucket_name": true, "bucketname": true, "bucketnames": true, "s3Bucket": true}

func makesBucket(r Resource) bool {
	return r.Type == "aws:s3/bucketV2:BucketV2" || r.Type == "aws:s3/bucket:Bucket"
}

// physical are the kinds of ids that EC2 gives, which say nothing about their account.
var physical = []string{
	"vpc", "subnet", "sg", "rtb", "igw", "nat", "eni", "vpce", "eipalloc", "acl", "lt", "vol", "snap", "fs", "fsap", "pcx", "tgw", "vgw", "cgw", "vpn", "pl",
}

// physicalIDs finds ids in a text: a kind, a hyphen, and eight or seventeen hex digits.
// A prefix list with eight is one of AWS's own, which everybody may name.
//
// https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
func physicalIDs(text string, found func(id string)) {
	for i := strings.IndexByte(text, '-'); i >= 0; {
		start, end := i, i+1
		for start > 0 && text[start-1] >= 'a' && text[start-1] <= 'z' {
			start--
		}
		for end < len(text) && (isDigit(text[end]) || text[end] >= 'a' && text[end] <= 'f') {
			end++
		}
		if n := end - i - 1; (n == 8 && text[start:i] != "pl" || n == 17) && edge(text, start-1) && edge(text, end) && slices.Contains(physical, text[start:i]) {
			found(text[start:end])
		}
		next := strings.IndexByte(text[i+1:], '-')
		if next < 0 {
			return
		}
		i += 1 + next
	}
}

// given are the ids that AWS gives to what can be joined with another account's: a
// kind, a hyphen and hex digits, a UUID, or a hosted zone's.
var given = regexp.MustCompile(`^(?:[a-z][a-z0-9-]*-[0-9a-f]{8,40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:/hostedzone/)?Z[0-9A-Z]{7,31})$`)

// ofAWSItself are ids of AWS's own, which everybody may name.
var ofAWSItself = regexp.MustCompile(`^pl-[0-9a-f]{8}$`)

// isGiven reports whether a text is such an id. A name that ends in an account is none.
func isGiven(text string) bool {
	return given.MatchString(text) && !ofAWSItself.MatchString(text) && !iam.IsAccount(text[strings.LastIndexByte(text, '-')+1:])
}

// checkIDs takes for known what the stack has made, what AWS made along with that, and
// what earlier layers have. A resource that is not made yet has no id: a text that
// looks like one is somebody else's.
func checkIDs(j *judge, r Resource, stack []Resource, s Scope) {
	var made map[string]bool // read once an id is met, as most resources name none
	known := func(id string) bool {
		if made == nil {
			made = madeIDs(stack)
		}
		return made[id] || slices.Contains(s.Owned, id)
	}
	visitInputs(j, r, func(in *input) {
		readings(in.text, func(text string) {
			physicalIDs(text, func(id string) {
				if !known(id) {
					j.violate(in.path(), "%s is not known to be the org's", id)
				}
			})
		})
	})
	visitColumns(r, table.Of(r.Type), func(at *table.Place, p *place) {
		if text, ok := p.v.(string); ok && at != nil && at.Column == table.ID && isGiven(text) && !known(text) {
			j.violate(p.path(), "%s is not known to be the org's", text)
		}
	})
}

// madeIDs are the ids of what a stack has made, and of what AWS made along with it:
// that is in outputs, which have no place in the table. An input that has none is
// refused by FH108.
func madeIDs(stack []Resource) map[string]bool {
	made := map[string]bool{}
	for _, r := range stack {
		made[r.ID] = true
		visitColumns(r, table.Of(r.Type), func(at *table.Place, p *place) {
			if at != nil && at.Column != table.Output {
				return
			}
			visitLeaves(p, func(p *place) {
				if text, ok := p.v.(string); ok {
					made[text] = true
				}
			})
		})
	}
	return made
}

// checkIssuers takes for known what the stack's cluster has as outputs.
func checkIssuers(j *judge, r Resource, stack []Resource, s Scope) {
	if r.Type == "aws:eks/cluster:Cluster" { // it says its own
		return
	}
	visitInputs(j, r, func(in *input) {
		readings(in.text, func(text string) {
			if indexFold(text, "eks") < 0 { // cheaper, and asked of every text
				return
			}
			for _, id := range issuersIn(text) {
				if !ownIssuer(id, stack, s) {
					j.violate(in.path(), "the cluster %s is not known to be the org's", id)
				}
			}
		})
	})
}

// ownIssuer reports whether a cluster's id is in what the org's cluster has as outputs.
func ownIssuer(id string, stack []Resource, s Scope) bool {
	has := func(address string) bool { return slices.Contains(issuersIn(address), id) }
	if slices.ContainsFunc(s.Owned, has) {
		return true
	}
	for _, r := range stack {
		if r.Type != "aws:eks/cluster:Cluster" {
			continue
		}
		for _, path := range []string{"identities.oidcs.issuer", "endpoint"} {
			for _, v := range r.values().all(path) {
				if has(v.text()) {
					return true
				}
			}
		}
	}
	return false
}

// checkStackReference reads "organization/project/org.layer".
func checkStackReference(j *judge, r Resource, s Scope) {
	name := r.values().get("name")
	if name.v == nil {
		name = value{"name", r.Name}
	}
	if !j.known(name) {
		return
	}
	stack := name.text()[strings.LastIndexByte(name.text(), '/')+1:]
	if org, _, ok := strings.Cut(stack, "."); !ok || org != s.Org {
		j.violate(name.path, "the stack %s is not of the org %s", name.text(), s.Org)
	}
}
