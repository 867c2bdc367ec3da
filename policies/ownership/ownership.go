package ownership

import (
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/policies/document"
	"freehold.dev/freehold/policies/reading"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

var rules = []rule.Rule{
	{
		ID:       "FH101",
		Title:    "Every taggable resource carries the org's tag, and no other org's",
		Why:      "what has no owner's tag is missed by the inventory at offboarding, and billed and audited to nobody; what has another org's tag is taken for theirs",
		Fix:      `set the tag (in Kubernetes the label) "freehold.dev/org" to the org's name; the components take it from the plan's tags`,
		Severity: rule.High,
		Criteria: []string{"CC6.1", "CC6.5"},
		Types:    []string{"aws:*", "kubernetes:*"},
		Check:    rule.On(checkTags),
		Bad:      badTags(), Good: goodTags(),
	},
	{
		ID:       "FH102",
		Title:    "Every AWS provider is pinned to the org's account",
		Why:      "with the wrong credentials in the environment an unpinned provider builds, and deletes, in another customer's account",
		Fix:      "set allowedAccountIds to exactly the org's account, and skipRequestingAccountId not at all",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{"*"},
		Check:    rule.On(checkPinned),
		Bad:      badProviders(), Good: goodProviders(),
	},
	{
		ID:       "FH103",
		Title:    "Nothing is made by a default provider",
		Why:      "the engine's own provider takes whatever credentials are around, and no rule can say whose they are",
		Fix:      "pass the stack's provider explicitly, with pulumi.Provider or by the parent",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{"*"},
		Check:    rule.On(checkDefault),
		Bad:      badDefaults(), Good: goodDefaults(),
	},
	{
		ID:       "FH104",
		Title:    "Nothing in an org's stack lives in another account",
		Why:      "a resource in another customer's account is theirs to read and change, and outlives the org's offboarding",
		Fix:      "make it with the org's provider, and leave out arguments that name an account",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"*"},
		Check:    rule.On(checkHome),
		Bad:      badHomes(), Good: goodHomes(),
	},
	{
		ID:       "FH105",
		Title:    "Nothing is made without being shown to the rules",
		Why:      "a provider or resource that makes others from a text, or calls any API for it, makes them unseen: every other rule passes, because it is never asked",
		Fix:      "make the resources themselves with the aws, eks and kubernetes providers; let schedules and state machines start what a stack has made",
		Severity: rule.High, NoException: true,
		Criteria: []string{"CC6.1", "CC8.1"},
		Types:    []string{"*"},
		Check:    rule.On(checkOpaque),
		Bad:      badOpaque(), Good: goodOpaque(),
	},
	{
		ID:         "FH106",
		Title:      "One account, one boundary and one cluster to an org",
		Why:        "a second one is where the next customer is put to save a bill, and no fence stands between the two",
		Fix:        "make the second data plane a second org, with a stack for each layer of its own",
		Severity:   rule.High,
		Criteria:   []string{"CC6.1"},
		Types:      []string{"aws:organizations/account:Account", "aws:iam/policy:Policy", "aws:eks/cluster:Cluster"},
		CheckStack: checkOne,
		Bad:        badCounts(), Good: goodCounts(),
	},
	{
		ID:       "FH107",
		Title:    "The organization is changed for the org's own account only",
		Why:      "a policy on an organizational unit or the root, or a delegated administrator, decides over every customer at once",
		Fix:      "attach policies to the org's account; leave the organization to the landing zone",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    table.RefusedBy("FH107"),
		Check:    rule.On(checkOrganization),
		Bad:      badOrganization(), Good: goodOrganization(),
	},
}

// checkTags reads tags in the forms that the providers have: a map, a list of
// keys and values, labels, and the provider's default tags.
func checkTags(j *rule.Judge, r rule.Resource, s rule.Scope) {
	if groups(r) { // it keeps nothing itself; what it makes is asked by itself
		return
	}
	v := r.Values()
	tags, name := v.Get("tags"), "tag"
	switch {
	case !strings.HasPrefix(r.Type, "kubernetes:"):
		for _, path := range table.Of(r.Type).Paths(table.Tags) {
			up, last := "", path
			if i := strings.LastIndexByte(path, '.'); i >= 0 {
				up, last = path[:i], path[i+1:]
			}
			switch {
			case last == "value": // of the key beside it
			case last == "key" && up == "":
				otherOrg(j, v, s)
			case last == "key":
				for _, tag := range v.All(up) {
					otherOrg(j, tag, s)
				}
			default:
				for _, tags := range v.All(path) {
					otherOrg(j, tags, s)
				}
			}
		}
		if !taggable(r.Type) {
			return
		}
	case v.Get("metadata").Raw == nil: // nothing that the API server keeps
		return
	default:
		tags, name = v.Get("metadata", "labels"), "label"
		otherOrg(j, tags, s)
	}
	tag := tagIn(tags)
	if tag.Raw == nil {
		tag = rule.Value{Path: "provider", Raw: r.Provider.Properties}.Get("defaultTags", "tags", rule.OrgTag)
	}
	switch {
	case tag.Unknown():
		j.Undecided(tag.Path)
	case tag.Raw == nil:
		j.Violate(tags.Path, "the %s %q is missing", name, rule.OrgTag)
	case tag.Text() != s.Org:
		j.Violate(tag.Path, "the %s %q is %q, and the org is %q", name, rule.OrgTag, tag.Text(), s.Org)
	}
}

// tagIn reads the org's tag from a map, or from a list of keys and values.
func tagIn(tags rule.Value) rule.Value {
	list, ok := tags.Raw.([]any)
	if !ok {
		return tags.Get(rule.OrgTag)
	}
	for i := range list {
		entry := tags.Each()[i]
		if key := entry.Get("key"); key.Unknown() || key.Text() == rule.OrgTag {
			return entry.Get("value")
		}
	}
	return rule.Value{Path: tags.Path}
}

// otherOrg violates where a tag of another org is anywhere in a value.
func otherOrg(j *rule.Judge, v rule.Value, s rule.Scope) {
	switch in := v.Raw.(type) {
	case rule.Unknown:
		j.Undecided(v.Path)
	case map[string]any:
		if key, ok := in["key"].(string); ok && strings.EqualFold(key, rule.OrgTag) {
			wrongOrg(j, v.Get("value"), s)
		}
		for _, k := range slices.Sorted(maps.Keys(in)) {
			if strings.EqualFold(k, rule.OrgTag) {
				wrongOrg(j, v.Get(k), s)
			} else {
				otherOrg(j, v.Get(k), s)
			}
		}
	case []any:
		for _, e := range v.Each() {
			otherOrg(j, e, s)
		}
	}
}

func wrongOrg(j *rule.Judge, tag rule.Value, s rule.Scope) {
	if text := tag.Text(); text != s.Org && !tag.Unknown() {
		j.Violate(tag.Path, "the tag %q is %q, and the org is %q", rule.OrgTag, text, s.Org)
	} else if tag.Unknown() {
		j.Undecided(tag.Path)
	}
}

// checkPinned asks the provider of a resource, and the provider where it is the
// resource.
func checkPinned(j *rule.Judge, r rule.Resource, s rule.Scope) {
	switch {
	case r.Type == rule.TypeAWSProvider:
		pinnedTo(j, rule.Value{Raw: r.Properties}, s)
	case groups(r), r.Provider.Default: // the default provider is FH103's
	case r.Provider.Package == "aws":
		pinnedTo(j, rule.Value{Path: "provider", Raw: r.Provider.Properties}, s)
	case strings.HasPrefix(r.Type, "aws:"):
		j.Undecided("provider") // nobody said who makes it
	}
}

// groups reports whether a resource only groups others. None of the AWS
// provider's own does, whatever it is said to be.
func groups(r rule.Resource) bool { return r.Component && !strings.HasPrefix(r.Type, "aws:") }

func pinnedTo(j *rule.Judge, provider rule.Value, s rule.Scope) {
	if skip := provider.Get("skipRequestingAccountId"); j.Known(skip) && skip.Is("true") {
		j.Violate(skip.Path, "the provider does not ask whose its credentials are, so allowedAccountIds holds nobody back")
	}
	if b := provider.Get("endpoints"); b.Raw != nil && j.Known(b) && len(b.Each()) > 0 {
		j.Violate(b.Path, "the provider asks other addresses than AWS's, which can say that they are any account")
	}
	pins := provider.Get("allowedAccountIds")
	if !j.Known(pins) {
		return
	}
	if len(pins.Each()) == 0 {
		j.Violate(pins.Path, "the provider takes credentials of any account")
	}
	for _, pin := range pins.Each() {
		switch {
		case !j.Known(pin):
		case s.Home() == "":
			j.Undecided(pin.Path)
		case pin.Text() != s.Home():
			j.Violate(pin.Path, "the provider also works in account %s, and the %s layer lives in %s", pin.Text(), s.Layer, s.Home())
		}
	}
}

// checkDefault finds both the provider that the engine made and what it makes.
func checkDefault(j *rule.Judge, r rule.Resource, _ rule.Scope) {
	const prefix = "pulumi:providers:"
	if pkg, ok := strings.CutPrefix(r.Type, prefix); ok && DefaultProvider(r.Name) && slices.Contains(clouds, pkg) {
		j.Violate("", "this is the engine's own provider of %s", pkg)
	}
	if r.Provider.Default && slices.Contains(clouds, r.Provider.Package) {
		j.Violate("provider", "it is made by the engine's own provider of %s", r.Provider.Package)
	}
	// Without a kubeconfig, or with the name of one, the provider takes the one
	// of whoever runs it, and the cluster that was used last.
	// https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/
	if r.Type == "pulumi:providers:kubernetes" {
		config := r.Values().Get("kubeconfig")
		if _, object := config.Raw.(map[string]any); j.Known(config) && !object && !strings.Contains(config.Text(), "kind") {
			j.Violate(config.Path, "the provider works in the cluster of whoever runs it")
		}
	}
}

// DefaultProvider reports whether a provider of that name is one that the
// engine made by itself: it calls them default, or default_VERSION.
func DefaultProvider(name string) bool {
	return name == "default" || strings.HasPrefix(name, "default_")
}

// clouds are the providers that act on a cloud or a cluster.
var clouds = []string{"aws", "eks", "kubernetes"}

// checkHome reads where a resource says that it is: in its id and ARN, in the
// role that its provider assumes, and in arguments that name an account.
func checkHome(j *rule.Judge, r rule.Resource, s rule.Scope) {
	if groups(r) {
		return
	}
	inHome(j, rule.Value{Path: "id", Raw: r.ID}, s)
	v := r.Values()
	for _, key := range []string{"arn", "accountId", "ownerId", "catalogId", "awsAccountId", "clusterIdentifier"} {
		if strings.HasPrefix(r.Type, "aws:") || strings.HasPrefix(r.Type, "pulumi:providers:") {
			inHome(j, v.Get(key), s)
		}
	}
	provider := rule.Value{Path: "provider", Raw: r.Provider.Properties}
	if r.Type == rule.TypeAWSProvider {
		provider = v
	}
	for _, key := range []string{"assumeRole", "assumeRoles", "assumeRoleWithWebIdentity"} {
		for _, role := range provider.Get(key).Each() {
			if j.Known(role) {
				inHome(j, role.Get("roleArn"), s)
			}
		}
	}
	if r.Type != rule.TypeAWSProvider {
		inHome(j, provider.Get("clusterIdentifier"), s)
	}
}

func inHome(j *rule.Judge, v rule.Value, s rule.Scope) {
	if !j.Known(v) {
		return
	}
	for _, m := range reading.Mentions(v.Text()) {
		switch {
		case m.Account != "" && (m.Account == s.Home() || m.Account == s.AccountID), document.IsShared(m, rule.Resource{}, s):
		case s.Layer == rule.LayerAccount && s.AccountID == "":
			// What the account layer makes is the account: it gets its id there.
			j.Undecided(v.Path)
		case s.Home() == "":
			j.Undecided(v.Path)
		default:
			j.Violate(v.Path, "%s is in account %s, and the %s layer lives in %s", m.Text, m.Account, s.Layer, s.Home())
		}
	}
}
