package references

import (
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/document"
	"freehold.dev/freehold/policies/manifest"
	"freehold.dev/freehold/policies/reading"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

var rules = []rule.Rule{
	{
		ID:       "FH201",
		Title:    "No input names another account",
		Why:      "an ARN or account id of another account is the first half of every share: the other half is a click on the other side",
		Fix:      "refer to the org's own resources, by the outputs that name them; what is common to all is listed under Shared",
		Severity: rule.Critical,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"*"},
		Check:    rule.On(checkMentions),
		Bad:      badMentions(), Good: goodMentions(),
	},
	{
		ID:         "FH202",
		Title:      "No input names a bucket that is not the org's",
		Why:        "bucket names are one namespace over all of AWS, and a bucket's ARN has no account: data sent to a wrong name is another's",
		Fix:        `name buckets of the org, "freehold-<org>-…-<account>", by the outputs of what makes them`,
		Severity:   rule.Critical,
		Criteria:   []string{"CC6.1", "CC6.7"},
		Types:      []string{"aws:*", "kubernetes:*"},
		CheckStack: rule.OnStack([]string{"aws:*", "kubernetes:*"}, checkBuckets),
		Bad:        badBuckets(), Good: goodBuckets(),
	},
	{
		ID:         "FH203",
		Title:      "No input names a VPC, subnet or security group that the org has not made",
		Why:        "a network that somebody else made is one that somebody else is in",
		Fix:        "pass the output of the resource, and not its id as text",
		Severity:   rule.Critical,
		Criteria:   []string{"CC6.1", "CC6.6"},
		Types:      []string{"aws:*"},
		CheckStack: rule.OnStack([]string{"aws:*"}, checkIDs),
		Bad:        badIDs(), Good: goodIDs(),
	},
	{
		ID:         "FH204",
		Title:      "No input names the OIDC issuer or the endpoint of another cluster",
		Why:        "who trusts another cluster's issuer lets its pods in, and who talks to its endpoint sends it the org's credentials",
		Fix:        "take issuer and endpoint from the outputs of the org's own cluster",
		Severity:   rule.Critical,
		Criteria:   []string{"CC6.1", "CC6.6"},
		Types:      []string{"*"},
		CheckStack: rule.OnStack([]string{"*"}, checkIssuers),
		Bad:        badIssuers(), Good: goodIssuers(),
	},
	{
		ID:       "FH205",
		Title:    "No stack reads the outputs of another org's",
		Why:      "outputs are a data plane's inside: role ARNs, endpoints, sometimes secrets",
		Fix:      "read stacks of the org only; the layers get what they need from each other without references",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1"},
		Types:    []string{"pulumi:pulumi:StackReference"},
		Check:    rule.On(checkStackReference),
		Bad:      badStackReferences(), Good: goodStackReferences(),
	},
}

// checkMentions goes through all inputs of a resource. A provider is one, too.
func checkMentions(j *rule.Judge, r rule.Resource, s rule.Scope) {
	rule.VisitInputs(j, r, func(in *rule.Input) {
		found, whole := reading.AllMentions(in.Text)
		for _, m := range found {
			if reading.StandsForAccount(m, in, r) || slices.Contains(s.Foreign, m.Account) {
				mention(j, in.Path(), m, r, s)
			}
		}
		if !whole {
			j.Violate(in.Path(), "it has more encodings inside each other, or unpacks to more, than is read: write it plainly")
		}
	})
	rule.VisitAssets(r, func(p *rule.Node, a rule.Asset) {
		for _, account := range a.Accounts {
			if slices.Contains(s.Foreign, account) {
				j.Violate(p.Path(), "a file in it names account %s, which belongs to another org", account)
			}
		}
	})
	for _, m := range reading.Mentions(r.ID) { // no input, but that of a lookup is: it reads what is there
		mention(j, "id", m, r, s)
	}
}

// onInstance are what an alarm does with the machine that it watches: ARNs whose place
// for an account holds the service. The other form has the account in its place.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/UsingAlarmActions.html
var onInstance = regexp.MustCompile(`^arn:aws[a-z-]*:automate:[a-z0-9-]+:ec2:(?:stop|terminate|reboot|recover)$`)

func mention(j *rule.Judge, path string, m reading.Mention, at rule.Resource, s rule.Scope) {
	ours, known := s.Ours(m.Account)
	switch {
	case ours, document.IsShared(m, at, s), onInstance.MatchString(m.Text):
	case m.ARN && (m.Account == "*" || strings.HasPrefix(m.Account, "${")):
		// Every account, or the caller's: the rules on trust and boundaries judge
		// what a statement does with it.
	case m.ARN && !iam.IsAccount(m.Account) && strings.ContainsAny(m.Account, "*?"):
		j.Violate(path, "%s matches accounts that are not the org's", m.Text)
	case m.ARN && !iam.IsAccount(m.Account):
		j.Violate(path, "%s is of %q, and not of the org's account", m.Text, m.Account)
	case !known:
		j.Undecided(path)
	default:
		j.Violate(path, "%s belongs to account %s, expected %s", m.Text, m.Account, s.AccountID)
	}
}

// ownBucket reports whether a bucket's name is the org's: the account is in it, or the
// org's prefix, or the stack makes it, or an earlier layer did. AWS's own, from which
// nodes take packages and images, are public and read-only.
func ownBucket(name string, stack []rule.Resource, s rule.Scope) (own, known bool) {
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
		yes, sure := (rule.Value{Raw: name}).IsOf(r, "bucket")
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

func checkBuckets(j *rule.Judge, r rule.Resource, stack []rule.Resource, s rule.Scope) {
	if makesBucket(r) {
		return // its name is what it makes: AWS refuses one that another has
	}
	judgeBucket := func(path, name string) {
		name = document.OwnVariables(name, s.AccountID)
		switch own, known := ownBucket(name, stack, s); {
		case own:
		case !known:
			j.Undecided(path)
		default:
			j.Violate(path, "the bucket %s is not known to be the org's", name)
		}
	}
	rule.VisitInputs(j, r, func(in *rule.Input) {
		reading.Visit(in.Text, func(text string) {
			if reading.NamesBucket(text) {
				for _, name := range reading.BucketsIn(text, false) {
					judgeBucket(in.Path(), name)
				}
			}
		})
	})
	if _, _, kind := manifest.GVK(r.Type); strings.HasPrefix(r.Type, "kubernetes:") && !manifest.Describes(kind) {
		for _, o := range manifest.ObjectsOf(r) {
			in, ok := o.Raw.(map[string]any)
			if !ok {
				j.Known(o)
				continue
			}
			manifest.Visit(in, bucketKeys, func(_ string, v rule.Value) {
				if text, ok := v.Raw.(string); ok {
					for _, name := range reading.BucketsIn(text, true) {
						judgeBucket(v.Path, name)
					}
				}
			})
		}
	}
	rule.VisitColumns(r, table.Of(r.Type), func(at *table.Place, p *rule.Node) {
		if text, ok := p.Raw.(string); ok && at != nil && at.Column == table.Bucket {
			for _, name := range reading.BucketsIn(text, true) {
				judgeBucket(p.Path(), name)
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

func makesBucket(r rule.Resource) bool {
	return r.Type == "aws:s3/bucketV2:BucketV2" || r.Type == "aws:s3/bucket:Bucket"
}

// checkIDs takes for known what the stack has made, what AWS made along with that, and
// what earlier layers have. A resource that is not made yet has no id: a text that
// looks like one is somebody else's.
func checkIDs(j *rule.Judge, r rule.Resource, stack []rule.Resource, s rule.Scope) {
	var made map[string]bool // read once an id is met, as most resources name none
	known := func(id string) bool {
		if made == nil {
			made = madeIDs(stack)
		}
		return made[id] || slices.Contains(s.Owned, id)
	}
	rule.VisitInputs(j, r, func(in *rule.Input) {
		reading.Visit(in.Text, func(text string) {
			reading.PhysicalIDs(text, func(id string) {
				if !known(id) {
					j.Violate(in.Path(), "%s is not known to be the org's", id)
				}
			})
		})
	})
	rule.VisitColumns(r, table.Of(r.Type), func(at *table.Place, p *rule.Node) {
		if text, ok := p.Raw.(string); ok && at != nil && at.Column == table.ID && reading.IsGiven(text) && !known(text) {
			j.Violate(p.Path(), "%s is not known to be the org's", text)
		}
	})
}

// madeIDs are the ids of what a stack has made, and of what AWS made along with it:
// that is in outputs, which have no place in the table. An input that has none is
// refused by FH108.
func madeIDs(stack []rule.Resource) map[string]bool {
	made := map[string]bool{}
	for _, r := range stack {
		made[r.ID] = true
		rule.VisitColumns(r, table.Of(r.Type), func(at *table.Place, p *rule.Node) {
			if at != nil && at.Column != table.Output {
				return
			}
			rule.VisitLeaves(p, func(p *rule.Node) {
				if text, ok := p.Raw.(string); ok {
					made[text] = true
				}
			})
		})
	}
	return made
}

// checkIssuers takes for known what the stack's cluster has as outputs.
func checkIssuers(j *rule.Judge, r rule.Resource, stack []rule.Resource, s rule.Scope) {
	if r.Type == "aws:eks/cluster:Cluster" { // it says its own
		return
	}
	rule.VisitInputs(j, r, func(in *rule.Input) {
		reading.Visit(in.Text, func(text string) {
			if reading.IndexFold(text, "eks") < 0 { // cheaper, and asked of every text
				return
			}
			for _, id := range reading.IssuersIn(text) {
				if !ownIssuer(id, stack, s) {
					j.Violate(in.Path(), "the cluster %s is not known to be the org's", id)
				}
			}
		})
	})
}

// ownIssuer reports whether a cluster's id is in what the org's cluster has as outputs.
func ownIssuer(id string, stack []rule.Resource, s rule.Scope) bool {
	has := func(address string) bool { return slices.Contains(reading.IssuersIn(address), id) }
	if slices.ContainsFunc(s.Owned, has) {
		return true
	}
	for _, r := range stack {
		if r.Type != "aws:eks/cluster:Cluster" {
			continue
		}
		for _, path := range []string{"identities.oidcs.issuer", "endpoint"} {
			for _, v := range r.Values().All(path) {
				if has(v.Text()) {
					return true
				}
			}
		}
	}
	return false
}

// checkStackReference reads "organization/project/org.layer".
func checkStackReference(j *rule.Judge, r rule.Resource, s rule.Scope) {
	name := r.Values().Get("name")
	if name.Raw == nil {
		name = rule.Value{Path: "name", Raw: r.Name}
	}
	if !j.Known(name) {
		return
	}
	stack := name.Text()[strings.LastIndexByte(name.Text(), '/')+1:]
	if org, _, ok := strings.Cut(stack, "."); !ok || org != s.Org {
		j.Violate(name.Path, "the stack %s is not of the org %s", name.Text(), s.Org)
	}
}
