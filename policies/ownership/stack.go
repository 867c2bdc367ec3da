package ownership

import (
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// taggable reports whether AWS keeps tags of a type.
func taggable(typ string) bool {
	at, ok := table.Of(typ).At("tags")
	return ok && at.Holds(table.Tags)
}

func checkOpaque(j *rule.Judge, r rule.Resource, _ rule.Scope) {
	pkg, rest, _ := strings.Cut(r.Type, ":")
	if pkg == "pulumi" {
		if of, ok := strings.CutPrefix(rest, "providers:"); ok {
			pkg = of
		}
	}
	switch {
	case groups(r): // what it groups is asked by itself
	case r.Type == "kubernetes:helm.sh/v3:Release":
		j.Violate("", "it makes other resources, which no rule sees")
	case makers[r.Type] != nil:
		makers[r.Type](j, r.Values())
	case !rule.KnowsPackage(pkg):
		j.Violate("", "no rule knows what the package %q makes", pkg)
	default:
		j.Forbidden(r, "FH105")
	}
}

// onlyOne are the types of which an org has one, and the layer that makes it.
var onlyOne = map[string]string{
	"aws:organizations/account:Account": rule.LayerAccount,
	"aws:eks/cluster:Cluster":           rule.LayerCluster,
}

// checkOne finds a violation in each one after the first, and names the first.
func checkOne(stack []rule.Resource, s rule.Scope) map[string]rule.Verdict {
	verdicts := map[string]rule.Verdict{}
	first := map[string]string{}
	for _, r := range stack {
		var j rule.Judge
		kind := r.Type
		switch layer, only := onlyOne[r.Type]; {
		case only && s.Layer != layer:
			j.Violate("", "it belongs to the %s layer, and this is the %s layer", layer, s.Layer)
		case only:
		case r.Type == "aws:iam/policy:Policy":
			name := r.Values().Get("name")
			if !j.Known(name) || !strings.HasSuffix(name.Text(), "-boundary") {
				kind = ""
			}
		default:
			kind = ""
		}
		if kind != "" && first[kind] != "" {
			j.Violate("", "the org has one already: %s", first[kind])
		} else if kind != "" {
			first[kind] = r.Name
		}
		if v := j.Verdict(); v.Answer != rule.Pass {
			verdicts[r.URN] = v
		}
	}
	return verdicts
}

// checkOrganization leaves an org's stack its account and what is fastened to it.
func checkOrganization(j *rule.Judge, r rule.Resource, s rule.Scope) {
	switch r.Type {
	case "aws:organizations/account:Account", "aws:organizations/policy:Policy":
	case "aws:organizations/policyAttachment:PolicyAttachment":
		target := r.Values().Get("targetId")
		switch {
		case !j.Known(target):
		case target.Text() == s.AccountID && s.AccountID != "":
		case s.AccountID == "" && iam.IsAccount(target.Text()):
			j.Undecided(target.Path)
		default:
			j.Violate(target.Path, "the policy binds %s, which is not the org's account", target.Text())
		}
	default:
		j.Violate("", "it changes the organization, in which every customer is")
	}
}
