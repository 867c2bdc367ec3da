package policies

import (
	"slices"
	"strings"

	"freehold.dev/freehold/policies/table"
)

// tagOrg is the tag, and in Kubernetes the label, that says whose a resource is.
const tagOrg = "freehold.dev/org"

var ownership = []Rule{
	{
		ID:       "FH101",
		Title:    "Every taggable resource carries the org's tag, and no other org's",
		Why:      "what has no owner's tag is missed by the inventory at offboarding, and billed and audited to nobody; what has another org's tag is taken for theirs",
		Fix:      `set the tag (in Kubernetes the label) "freehold.dev/org" to the org's name; the components take it from the plan's tags`,
		Severity: High,
		Criteria: []string{"CC6.1", "CC6.5"},
		Types:    []string{"aws:*", "kubernetes:*"},
		Check:    on(checkTags),
		Bad:      badTags(), Good: goodTags(),
	},
	{
		ID:       "FH102",
		Title:    "Every AWS provider is pinned to the org's account",
		Why:      "with the wrong credentials in the environment an unpinned provider builds, and deletes, in another customer's account",
		Fix:      "set allowedAccountIds to exactly the org's account, and skipRequestingAccountId not at all",
		Severity: Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{"*"},
		Check:    on(checkPinned),
		Bad:      badProviders(), Good: goodProviders(),
	},
	{
		ID:       "FH103",
		Title:    "Nothing is made by a default provider",
		Why:      "the engine's own provider takes whatever credentials are around, and no rule can say whose they are",
		Fix:      "pass the stack's provider explicitly, with pulumi.Provider or by the parent",
		Severity: Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{"*"},
		Check:    on(checkDefault),
		Bad:      badDefaults(), Good: goodDefaults(),
	},
	{
		ID:       "FH104",
		Title:    "Nothing in an org's stack lives in another account",
		Why:      "a resource in another customer's account is theirs to read and change, and outlives the org's offboarding",
		Fix:      "make it with the org's provider, and leave out arguments that name an account",
		Severity: Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"*"},
		Check:    on(checkHome),
		Bad:      badHomes(), Good: goodHomes(),
	},
	{
		ID:       "FH105",
		Title:    "Nothing is made without being shown to the rules",
		Why:      "a provider or resource that makes others from a text, or calls any API for it, makes them unseen: every other rule passes, because it is never asked",
		Fix:      "make the resources themselves with the aws, eks and kubernetes providers; let schedules and state machines start what a stack has made",
		Severity: High, NoException: true,
		Criteria: []string{"CC6.1", "CC8.1"},
		Types:    []string{"*"},
		Check:    on(checkOpaque),
		Bad:      badOpaque(), Good: goodOpaque(),
	},
	{
		ID:         "FH106",
		Title:      "One account, one boundary and one cluster to an org",
		Why:        "a second one is where the next customer is put to save a bill, and no fence stands between the two",
		Fix:        "make the second data plane a second org, with a stack for each layer of its own",
		Severity:   High,
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
		Severity: Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    refusedBy("FH107"),
		Check:    on(checkOrganization),
		Bad:      badOrganization(), Good: goodOrganization(),
	},
}

// checkTags reads tags in the forms that the providers have: a map, a list of
// keys and values, labels, and the provider's default tags.
func checkTags(j *judge, r Resource, s Scope) {
	if groups(r) { // it keeps nothing itself; what it makes is asked by itself
		return
	}
	v := r.values()
	tags, name := v.get("tags"), "tag"
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
				for _, tag := range v.all(up) {
					otherOrg(j, tag, s)
				}
			default:
				for _, tags := range v.all(path) {
					otherOrg(j, tags, s)
				}
			}
		}
		if !taggable(r.Type) {
			return
		}
	case v.get("metadata").v == nil: // nothing that the API server keeps
		return
	default:
		tags, name = v.get("metadata", "labels"), "label"
		otherOrg(j, tags, s)
	}
	tag := tagIn(tags)
	if tag.v == nil {
		tag = value{"provider", r.Provider.Properties}.get("defaultTags", "tags", tagOrg)
	}
	switch {
	case tag.unknown():
		j.undecided(tag.path)
	case tag.v == nil:
		j.violate(tags.path, "the %s %q is missing", name, tagOrg)
	case tag.text() != s.Org:
		j.violate(tag.path, "the %s %q is %q, and the org is %q", name, tagOrg, tag.text(), s.Org)
	}
}

// tagIn reads the org's tag from a map, or from a list of keys and values.
func tagIn(tags value) value {
	list, ok := tags.v.([]any)
	if !ok {
		return tags.get(tagOrg)
	}
	for i := range list {
		entry := tags.each()[i]
		if key := entry.get("key"); key.unknown() || key.text() == tagOrg {
			return entry.get("value")
		}
	}
	return value{path: tags.path}
}

// otherOrg violates where a tag of another org is anywhere in a value.
func otherOrg(j *judge, v value, s Scope) {
	switch in := v.v.(type) {
	case Unknown:
		j.undecided(v.path)
	case map[string]any:
		if key, ok := in["key"].(string); ok && strings.EqualFold(key, tagOrg) {
			wrongOrg(j, v.get("value"), s)
		}
		for _, k := range sortedKeysOf(in) {
			if strings.EqualFold(k, tagOrg) {
				wrongOrg(j, v.get(k), s)
			} else {
				otherOrg(j, v.get(k), s)
			}
		}
	case []any:
		for _, e := range v.each() {
			otherOrg(j, e, s)
		}
	}
}

func wrongOrg(j *judge, tag value, s Scope) {
	if text := tag.text(); text != s.Org && !tag.unknown() {
		j.violate(tag.path, "the tag %q is %q, and the org is %q", tagOrg, text, s.Org)
	} else if tag.unknown() {
		j.undecided(tag.path)
	}
}

// checkPinned asks the provider of a resource, and the provider where it is the
// resource.
func checkPinned(j *judge, r Resource, s Scope) {
	switch {
	case r.Type == typeAWSProvider:
		pinnedTo(j, value{v: r.Properties}, s)
	case groups(r), r.Provider.Default: // the default provider is FH103's
	case r.Provider.Package == "aws":
		pinnedTo(j, value{path: "provider", v: r.Provider.Properties}, s)
	case strings.HasPrefix(r.Type, "aws:"):
		j.undecided("provider") // nobody said who makes it
	}
}

// groups reports whether a resource only groups others. None of the AWS
// provider's own does, whatever it is said to be.
func groups(r Resource) bool { return r.Component && !strings.HasPrefix(r.Type, "aws:") }

func pinnedTo(j *judge, provider value, s Scope) {
	if skip := provider.get("skipRequestingAccountId"); j.known(skip) && skip.is("true") {
		j.violate(skip.path, "the provider does not ask whose its credentials are, so allowedAccountIds holds nobody back")
	}
	if b := provider.get("endpoints"); b.v != nil && j.known(b) && len(b.each()) > 0 {
		j.violate(b.path, "the provider asks other addresses than AWS's, which can say that they are any account")
	}
	pins := provider.get("allowedAccountIds")
	if !j.known(pins) {
		return
	}
	if len(pins.each()) == 0 {
		j.violate(pins.path, "the provider takes credentials of any account")
	}
	for _, pin := range pins.each() {
		switch {
		case !j.known(pin):
		case s.home() == "":
			j.undecided(pin.path)
		case pin.text() != s.home():
			j.violate(pin.path, "the provider also works in account %s, and the %s layer lives in %s", pin.text(), s.Layer, s.home())
		}
	}
}

// checkDefault finds both the provider that the engine made and what it makes.
func checkDefault(j *judge, r Resource, _ Scope) {
	const prefix = "pulumi:providers:"
	if pkg, ok := strings.CutPrefix(r.Type, prefix); ok && DefaultProvider(r.Name) && slices.Contains(clouds, pkg) {
		j.violate("", "this is the engine's own provider of %s", pkg)
	}
	if r.Provider.Default && slices.Contains(clouds, r.Provider.Package) {
		j.violate("provider", "it is made by the engine's own provider of %s", r.Provider.Package)
	}
	// Without a kubeconfig, or with the name of one, the provider takes the one
	// of whoever runs it, and the cluster that was used last.
	// https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/
	if r.Type == "pulumi:providers:kubernetes" {
		config := r.values().get("kubeconfig")
		if _, object := config.v.(map[string]any); j.known(config) && !object && !strings.Contains(config.text(), "kind") {
			j.violate(config.path, "the provider works in the cluster of whoever runs it")
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
func checkHome(j *judge, r Resource, s Scope) {
	if groups(r) {
		return
	}
	inHome(j, value{path: "id", v: r.ID}, s)
	v := r.values()
	for _, key := range []string{"arn", "accountId", "ownerId", "catalogId", "awsAccountId", "clusterIdentifier"} {
		if strings.HasPrefix(r.Type, "aws:") || strings.HasPrefix(r.Type, "pulumi:providers:") {
			inHome(j, v.get(key), s)
		}
	}
	provider := value{path: "provider", v: r.Provider.Properties}
	if r.Type == typeAWSProvider {
		provider = v
	}
	for _, key := range []string{"assumeRole", "assumeRoles", "assumeRoleWithWebIdentity"} {
		for _, role := range provider.get(key).each() {
			if j.known(role) {
				inHome(j, role.get("roleArn"), s)
			}
		}
	}
	if r.Type != typeAWSProvider {
		inHome(j, provider.get("clusterIdentifier"), s)
	}
}

func inHome(j *judge, v value, s Scope) {
	if !j.known(v) {
		return
	}
	for _, m := range Mentions(v.text()) {
		switch {
		case m.Account != "" && (m.Account == s.home() || m.Account == s.AccountID), shared(m, Resource{}, s):
		case s.Layer == layerAccount && s.AccountID == "":
			// What the account layer makes is the account: it gets its id there.
			j.undecided(v.path)
		case s.home() == "":
			j.undecided(v.path)
		default:
			j.violate(v.path, "%s is in account %s, and the %s layer lives in %s", m.Text, m.Account, s.Layer, s.home())
		}
	}
}
