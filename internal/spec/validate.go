package spec

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// validate reports what is wrong between fields. What is wrong with a field by
// itself the decoder has reported, and no rule judges that field again.
func (d *decoder) validate(s Spec) {
	d.validateAccount(s.Account)
	d.validateNetwork(s.Region, s.Network)
	d.validateCluster(s.Cluster)
	for i, p := range s.Projects {
		d.validateProject(p, fmt.Sprintf("projects[%d]", i))
		var others []string
		for j, other := range s.Projects {
			if j != i {
				others = append(others, other.Name)
			}
		}
		d.validateCallers(p, others, fmt.Sprintf("projects[%d]", i))
		d.validateNames(p, s.Cluster.IdentityProvider, fmt.Sprintf("projects[%d]", i))
	}
	d.unique("projects", len(s.Projects), ".name", func(i int) string { return s.Projects[i].Name })
	d.unique("exceptions", len(s.Exceptions), ".resource", func(i int) string {
		return s.Exceptions[i].Rule + " of " + s.Exceptions[i].Resource
	})
	d.validateAccess(s)
	d.validateTags(s.Tags)
	d.validateVersions(s)
}

// ok reports whether none of the fields was misunderstood.
func (d *decoder) ok(paths ...string) bool {
	for _, p := range paths {
		if d.wrong[p] {
			return false
		}
	}
	return true
}

// complain reports a mistake at a field, or else at the first of others that
// the document has, or else at its start.
func (d *decoder) complain(field, problem, want string, others ...string) {
	for _, path := range append([]string{field}, others...) {
		if at, ok := d.values[path]; ok {
			d.report(at, field, problem, want)
			return
		}
	}
	d.report(d.values[""], field, problem, want)
}

// complainOfKey reports a mistake in a mapping's key, at the key.
func (d *decoder) complainOfKey(field, problem, want string) {
	d.report(d.keys[field], field, problem, want)
}

// unique refuses the second entry of a list with the same text.
func (d *decoder) unique(list string, n int, field string, text func(int) string) {
	first := map[string]int{}
	for i := range n {
		path := fmt.Sprintf("%s[%d]%s", list, i, field)
		if !d.given(path) || !d.ok(path) {
			continue
		}
		if j, again := first[text(i)]; again {
			d.complain(path, fmt.Sprintf("%s is also %s[%d]%s", quote(text(i)), list, j, field), "each once")
			continue
		}
		first[text(i)] = i
	}
}

func (d *decoder) validateAccount(a Account) {
	if !d.ok("account", "account.mode") {
		return
	}
	refuse := func(given bool, field, kind string) {
		if given {
			d.complain("account."+field, "is only for "+kind+" account", fmt.Sprintf("no %s with mode %s", field, a.Mode))
		}
	}
	require := func(field string) {
		if path := "account." + field; !d.given(path) {
			d.missing("account", path, wanted(facets[path]))
		}
	}
	if a.Mode == AccountExisting {
		require("roleArn")
		require("externalId")
		refuse(d.given("account.email"), "email", "a vended")
		refuse(d.given("account.organizationalUnit"), "organizationalUnit", "a vended")
		refuse(a.CloseOnOffboarding, "closeOnOffboarding", "a vended")
		return
	}
	require("email")
	refuse(d.given("account.roleArn"), "roleArn", "an existing")
	refuse(d.given("account.externalId"), "externalId", "an existing")
}

// validateTags holds AWS's rules for keys, and keeps Freehold's own tags and
// the Name that it gives to each resource out of reach. IAM compares keys
// without regard to case, so two that differ only in case are refused.
//
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
func (d *decoder) validateTags(tags map[string]string) {
	const want = "a key of 1 to 128 letters, digits, spaces and any of _.:/=+@-"
	first := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		path := join("tags", key)
		lower := strings.ToLower(key)
		switch length := len([]rune(key)); {
		case length == 0 || !patterns[tagText].MatchString(key):
			d.complainOfKey(path, "the key "+quote(key)+" is not a tag key", want)
		case length > 128:
			d.complainOfKey(path, fmt.Sprintf("the key has %d characters", length), want)
		case strings.HasPrefix(lower, "aws:"):
			d.complainOfKey(path, "aws: is reserved to AWS", "a key with another prefix")
		case strings.HasPrefix(lower, "freehold.dev/") || lower == "name":
			d.complainOfKey(path, quote(key)+" is set by Freehold", "another key")
		case first[lower] != "":
			d.complainOfKey(path, "differs from "+quote(first[lower])+" only in case", "keys that differ in more: IAM compares them without regard to case")
		default:
			first[lower] = key
		}
	}
}

// validateVersions keeps kube-proxy within the skew that Kubernetes supports:
// never newer than the API server, at most three minors older.
//
// https://kubernetes.io/releases/version-skew-policy/#kube-proxy
func (d *decoder) validateVersions(s Spec) {
	const field = "versions.kubeProxy"
	if !d.given(field) || !d.ok(field, "cluster.version") {
		return
	}
	release, _ := ReleaseOf(s.Cluster.Version)
	cluster, pinned := minorOf(release.Version), minorOf(strings.TrimPrefix(s.Versions.KubeProxy, "v"))
	if pinned > cluster || pinned < cluster-3 {
		d.complain(field, fmt.Sprintf("%s does not go with cluster version %s", quote(s.Versions.KubeProxy), s.Cluster.Version),
			fmt.Sprintf("v1.%d to v1.%d, such as %s", cluster-3, cluster, release.Addons.KubeProxy))
	}
}

// minorOf returns the 35 of 1.35 and of 1.35.0-eksbuild.2, and -1 for anything
// that is not version 1.
func minorOf(version string) int {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 || parts[0] != "1" {
		return -1
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return -1
	}
	return minor
}
