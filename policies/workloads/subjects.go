package workloads

import (
	"slices"
	"strings"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

// knownPrefixes begin the names of subjects that Kubernetes, EKS and Freehold give, up to
// the colon. AWS's begin with "arn".
//
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
var knownPrefixes = []string{"system", "eks", "freehold"}

var ownSubjects = rule.Rule{
	ID:       "FH910",
	Title:    "Rights in the cluster are given to the org's own users and groups",
	Why:      "a name under another org's prefix is one of its people: whoever lets that prefix in later lets them in",
	Fix:      "name groups under the org's own prefix, which cluster.identityProvider of its document gives, or service accounts",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.2", "CC6.3"},
	Types:    bindingTypes,
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		for _, o := range bindings(r) {
			for _, subject := range o.All("subjects") {
				kind, name := subject.Get("kind"), subject.Get("name")
				if !j.Known(kind) || !j.Known(name) || !kind.Is("User", "Group") {
					continue
				}
				if !ownSubject(name.Text(), s) {
					j.Violate(name.Path, "%s %s is not under a prefix of the org's", kind.Text(), name.Text())
				}
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("a group under the org's name", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "Group", "acme:auditors")),
		example.Shows("a group without a prefix, which an access entry gives", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "Group", "auditors")),
		example.Shows("the service accounts of a namespace", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "Group", "system:serviceaccounts:shop")),
		example.Shows("a person by their address", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "User", "ada@acme.example")),
		subjectOfPeople("a group under the prefix of the org's document", "people:auditors"),
	},
	Bad: []rule.Example{
		example.Shows("another org's group", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "Group", "globex:admins")),
		example.Shows("another org's group, everywhere", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "Group", "globex:admins")),
		example.Shows("another org's person", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "User", "globex:ada")),
		example.Shows("a prefix that begins with the org's name", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "Group", "acme-labs:admins")),
		example.Shows("a role of another account", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "User", "arn:aws:iam::333333333333:role/admin")),
	},
}

// subjectOfPeople is a binding where the org's document has a prefix of its own.
func subjectOfPeople(name, group string) rule.Example {
	e := example.Shows(name, "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "Group", group))
	e.Scope.IdentityProvider = rule.IdentityProvider{IssuerURL: "https://login.example.com/acme", ClientID: "kubernetes", Prefixes: []string{"people:"}}
	return e
}

// ownSubject reports whether a name of a user or group can be of the org. One without a
// prefix is: only access entries and the org's own provider of identities give names.
func ownSubject(name string, s rule.Scope) bool {
	if slices.ContainsFunc(s.IdentityProvider.Prefixes, func(p string) bool { return p != "" && strings.HasPrefix(name, p) }) {
		return true
	}
	if strings.HasPrefix(name, "arn:") {
		return rule.AccountNamed(name) == s.AccountID && s.AccountID != ""
	}
	prefix, _, prefixed := strings.Cut(name, ":")
	return !prefixed || slices.Contains(knownPrefixes, prefix) || s.Org != "" && prefix == s.Org
}
