package policies

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/table"
)

// taggable reports whether AWS keeps tags of a type.
func taggable(typ string) bool {
	at, ok := table.Of(typ).At("tags")
	return ok && at.Holds(table.Tags)
}

// seen are the packages whose resources the rules know, or which make nothing
// that anybody else could reach.
var seen = []string{"aws", "eks", "kubernetes", "freehold", "pulumi", "random", "tls"}

func checkOpaque(j *judge, r Resource, _ Scope) {
	pkg, rest, _ := strings.Cut(r.Type, ":")
	if pkg == "pulumi" {
		if of, ok := strings.CutPrefix(rest, "providers:"); ok {
			pkg = of
		}
	}
	switch {
	case groups(r): // what it groups is asked by itself
	case r.Type == "kubernetes:helm.sh/v3:Release":
		j.violate("", "it makes other resources, which no rule sees")
	case makers[r.Type] != nil:
		makers[r.Type](j, r.values())
	case !slices.Contains(seen, pkg):
		j.violate("", "no rule knows what the package %q makes", pkg)
	default:
		j.forbidden(r, "FH105")
	}
}

// onlyOne are the types of which an org has one, and the layer that makes it.
var onlyOne = map[string]string{
	"aws:organizations/account:Account": layerAccount,
	"aws:eks/cluster:Cluster":           layerCluster,
}

// checkOne finds a violation in each one after the first, and names the first.
func checkOne(stack []Resource, s Scope) map[string]Verdict {
	verdicts := map[string]Verdict{}
	first := map[string]string{}
	for _, r := range stack {
		var j judge
		kind := r.Type
		switch layer, only := onlyOne[r.Type]; {
		case only && s.Layer != layer:
			j.violate("", "it belongs to the %s layer, and this is the %s layer", layer, s.Layer)
		case only:
		case r.Type == "aws:iam/policy:Policy":
			name := r.values().get("name")
			if !j.known(name) || !strings.HasSuffix(name.text(), "-boundary") {
				kind = ""
			}
		default:
			kind = ""
		}
		if kind != "" && first[kind] != "" {
			j.violate("", "the org has one already: %s", first[kind])
		} else if kind != "" {
			first[kind] = r.Name
		}
		if v := j.verdict(); v.Answer != Pass {
			verdicts[r.URN] = v
		}
	}
	return verdicts
}

// checkOrganization leaves an org's stack its account and what is fastened to it.
func checkOrganization(j *judge, r Resource, s Scope) {
	switch r.Type {
	case "aws:organizations/account:Account", "aws:organizations/policy:Policy":
	case "aws:organizations/policyAttachment:PolicyAttachment":
		target := r.values().get("targetId")
		switch {
		case !j.known(target):
		case target.text() == s.AccountID && s.AccountID != "":
		case s.AccountID == "" && iam.IsAccount(target.text()):
			j.undecided(target.path)
		default:
			j.violate(target.path, "the policy binds %s, which is not the org's account", target.text())
		}
	default:
		j.violate("", "it changes the organization, in which every customer is")
	}
}
